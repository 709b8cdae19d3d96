//! Answers to suggest: the guidance, then what similar cases were answered,
//! ranked, each with where it comes from. A person puts one into the field and
//! changes it; nothing is sent by itself.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::guidance::Guidance;
use suda_domain::personal::of_customer;
use suda_domain::text::shingles;
use suda_domain::{Complaint, Intake, ReferenceNumber, State};

use super::anonymous::Anonymous;
use crate::pieces::{self, Readied};

/// Answers of similar cases that are shown.
const SHOWN: usize = 4;
/// Pieces shown of what two complaints share.
const PIECES: usize = 3;
/// How near a text has to be, in hundredths: by what it says in all, or by what
/// it says that others do not. As cases that may belong together.
const NEAR: u8 = 40;
const RARELY_NEAR: u8 = 25;
/// Of the same category it may be a little further.
const SAME_CATEGORY: u8 = 10;
/// Shorter answers say nothing (已处理).
const SHORTEST: usize = 6;
/// Longer ones tell one case's story.
const LONGEST: usize = 1_500;
/// A score from the customer that is too low for a model.
const POOR: u8 = 2;

/// Where a suggestion comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnswerSource {
    /// The guidance in force.
    Guidance {
        category: String,
        version: u32,
        title: String,
    },
    /// A case that was answered.
    Case {
        reference: ReferenceNumber,
        /// How near it is, in hundredths; 100 is the same text.
        near: u8,
        same_category: bool,
        /// What both tell, the longest first.
        shared: Vec<String>,
        /// Settled by a branch, not answered by an expert.
        at_counter: bool,
        answered_at: DateTime<Utc>,
        /// How many more similar cases got this very answer.
        others: u32,
    },
}

/// An answer that may be given, in whole or in part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerSuggestion {
    pub source: AnswerSource,
    pub text: String,
    pub remedy: String,
    /// What that customer got, in the currency's minor unit (分); to be known,
    /// never filled in: a sum is decided for each case.
    #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
    pub amount_minor: Option<i64>,
    /// Names or numbers were left out.
    pub veiled: bool,
}

/// A case that may serve as a model.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    pub complaint: &'a Complaint,
    /// How near its text is by what is rare in both, 0 to 1, as
    /// [`Similar`](crate::similar::Similar) gives it.
    pub score: f32,
}

/// How near two complaints are, in hundredths: the pairs of characters they
/// share, or what they share that is rare.
pub fn near(one: &Intake, other: &Intake, score: f32) -> u8 {
    let rarely = (score.clamp(0.0, 1.0) * 100.0).round() as u8;
    let pairs =
        |of: &Intake| -> BTreeSet<String> { shingles(&of.description).into_iter().collect() };
    let (one, other) = (pairs(one), pairs(other));
    let both = one.intersection(&other).count();
    let all = (one.len() + other.len()).max(1);
    let in_all = u8::try_from(200 * both / all).unwrap_or(100);
    in_all.max(rarely)
}

/// The guidance first, then the answers of similar cases, the likeliest first.
/// `staff` are names that are left out of the texts beside the customers'.
pub fn suggest_answers(
    this: &Complaint,
    guidance: Option<&Guidance>,
    past: &[Past<'_>],
    staff: &[&str],
) -> Vec<AnswerSuggestion> {
    let mut found: Vec<(u32, AnswerSuggestion)> = past
        .iter()
        .filter(|one| one.complaint.id != this.id && is_model(one.complaint))
        .filter_map(|one| of_case(this, *one, staff))
        .collect();
    found.sort_by_key(|(rank, one)| (Reverse(*rank), Reverse(answered_at(one))));
    let mut shown: Vec<AnswerSuggestion> = guidance.map(of_guidance).into_iter().collect();
    let first = shown.len();
    for (_, one) in found {
        let is_full = shown.len() - first >= SHOWN;
        let mut cases = shown.iter_mut().skip(first);
        let same = |held: &&mut AnswerSuggestion| {
            bare(&held.text) == bare(&one.text) && bare(&held.remedy) == bare(&one.remedy)
        };
        match cases.find(same).map(|held| &mut held.source) {
            Some(AnswerSource::Case { others, .. }) => *others += 1,
            _ if is_full => {}
            _ => shown.push(one),
        }
    }
    shown
}

fn of_guidance(guidance: &Guidance) -> AnswerSuggestion {
    AnswerSuggestion {
        source: AnswerSource::Guidance {
            category: guidance.category.clone(),
            version: guidance.version,
            title: guidance.title.clone(),
        },
        text: guidance.text.clone(),
        remedy: String::new(),
        amount_minor: None,
        veiled: false,
    }
}

/// Whether its answer can be a model: it stands, the customer was not
/// discontent with it, and it says something.
fn is_model(complaint: &Complaint) -> bool {
    let stands = matches!(
        complaint.state,
        State::Answered | State::Closed | State::Archived
    );
    let poor = complaint.call_back.satisfied == Some(false)
        || complaint.call_back.score.is_some_and(|score| score <= POOR)
        || complaint
            .rating
            .as_ref()
            .is_some_and(|one| one.score <= POOR);
    let length = complaint
        .answer
        .as_ref()
        .map_or(0, |answer| answer.text.trim().chars().count());
    // What was about a member of staff is no model for anything else.
    stands && !poor && complaint.recused.is_empty() && (SHORTEST..=LONGEST).contains(&length)
}

fn of_case(this: &Complaint, past: Past<'_>, staff: &[&str]) -> Option<(u32, AnswerSuggestion)> {
    let case = past.complaint;
    let answer = case.answer.as_ref()?;
    let same_category = case.intake.category == this.intake.category;
    let near = near(&this.intake, &case.intake, past.score);
    let rarely = (past.score.clamp(0.0, 1.0) * 100.0).round() as u8;
    let eased = if same_category { SAME_CATEGORY } else { 0 };
    if near < NEAR - eased && rarely < RARELY_NEAR - eased {
        return None;
    }
    let names = || staff.iter().copied();
    let text = Anonymous::of(&answer.text, &case.intake, names());
    let remedy = Anonymous::of(&answer.remedy, &case.intake, names());
    let told = |intake: &Intake| Readied::new(&intake.description);
    let mut secrets = of_customer(&case.intake);
    secrets.push(&case.intake.place);
    let names_somebody = |piece: &str| {
        let hit = |name: &&str| {
            let name = name.trim();
            !name.is_empty() && (piece.contains(name) || name.contains(piece))
        };
        secrets.iter().any(hit) || staff.iter().any(hit)
    };
    let texts = [told(&this.intake), told(&case.intake)];
    let rank = u32::from(near) + if same_category { 20 } else { 0 };
    let suggestion = AnswerSuggestion {
        source: AnswerSource::Case {
            reference: case.reference.clone(),
            near,
            same_category,
            shared: pieces::shared(&texts, 2, PIECES, names_somebody),
            at_counter: answer.decision.is_none(),
            answered_at: case.marks.answered_at?,
            others: 0,
        },
        text: text.text,
        remedy: remedy.text,
        amount_minor: answer.amount_minor,
        veiled: text.veiled || remedy.veiled,
    };
    Some((rank, suggestion))
}

fn answered_at(one: &AnswerSuggestion) -> Option<DateTime<Utc>> {
    match &one.source {
        AnswerSource::Guidance { .. } => None,
        AnswerSource::Case { answered_at, .. } => Some(*answered_at),
    }
}

/// As two answers are compared: without blanks and signs.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
