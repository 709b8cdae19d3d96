//! Whether an answer is what the guidance says.
//!
//! An answer is **off guidance** when the version of the guidance it was
//! recorded with did not allow it, by what the data hold:
//!
//! 1. [`Deviation::AboveLimit`]: settled at the counter with more money than
//!    the guidance lets a branch give; where it names no sum, with any money
//!    (the administrator is told that an empty limit means none). An expert's
//!    answer is not measured so, since the limit is the branches'.
//! 2. [`Deviation::OtherRemedy`]: the remedy is of a kind the guidance does not
//!    speak of, while it speaks of some. Apology and explanation never deviate,
//!    and money is one kind whatever it is called. By the words of both texts:
//!    a remedy whose words are not known does not deviate.
//! 3. [`Deviation::Declared`]: whoever answered said why they did otherwise.
//!
//! An answer without guidance is neither on nor off. What cannot be told from
//! the data is left out: whether the clerk read the guidance out, and whether a
//! condition in its text (“after 72 hours, hand off”) was met.

use serde::{Deserialize, Serialize};
use suda_domain::guidance::Guidance;

use super::remedy::{RemedyKind, remedies, spoken_of};

/// How an answer is off guidance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    AboveLimit,
    OtherRemedy,
    Declared,
}

/// What was given, as far as guidance is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Settled by a branch, not answered by an expert.
    pub at_counter: bool,
    pub remedy: &'a str,
    /// In the currency's minor unit (分).
    pub amount_minor: Option<i64>,
    /// The reason declared for doing otherwise; empty for none.
    pub declared: &'a str,
}

/// Whether a branch gives more than the guidance lets it.
pub fn above_limit(amount_minor: Option<i64>, guidance: &Guidance) -> bool {
    amount_minor.is_some_and(|amount| amount > guidance.limit_minor.unwrap_or(0))
}

/// How the answer is off this guidance, each once; empty when it is on it.
pub fn deviations(given: Given<'_>, guidance: &Guidance) -> Vec<Deviation> {
    let mut all = Vec::new();
    if given.at_counter && above_limit(given.amount_minor, guidance) {
        all.push(Deviation::AboveLimit);
    }
    if is_other_remedy(given.remedy, guidance) {
        all.push(Deviation::OtherRemedy);
    }
    if !given.declared.trim().is_empty() {
        all.push(Deviation::Declared);
    }
    all
}

fn is_other_remedy(remedy: &str, guidance: &Guidance) -> bool {
    let named = spoken_of(&format!("{}\n{}", guidance.title, guidance.text));
    let substance = |kind: &RemedyKind| kind.is_of_substance();
    if !named.iter().any(substance) {
        return false;
    }
    let allows = |kind: RemedyKind| {
        let same = |one: &RemedyKind| *one == kind || (one.is_money() && kind.is_money());
        named.iter().any(same)
    };
    let given = remedies(remedy);
    given
        .into_iter()
        .filter(substance)
        .any(|kind| !allows(kind))
}
