//! What is learned, put beside what the rules say of one complaint.

use serde::{Deserialize, Serialize};
use suda_domain::{Complexity, Grade};

use super::{Ground, HandoffModel, Traits, threshold};
use crate::suggest::Suggestion;

/// Reasons that are shown.
const SHOWN: usize = 3;

/// How likely a complaint needs the centre, and what follows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Weighed {
    /// From 0 to 1.
    pub p: f32,
    /// From this likelihood on a handoff is proposed.
    pub threshold: f32,
    /// Too few complaints of this category are known: the rules' word stands.
    pub unsure: bool,
    /// The strongest reasons for what follows, the strongest first.
    pub because: Vec<Because>,
    /// The training it comes from.
    pub version: u32,
}

/// One reason for a likelihood, against that of an ordinary complaint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Because {
    pub ground: Ground,
    /// It speaks for the centre; else for the branch.
    pub raises: bool,
    /// Past complaints of this category, or of this branch, and of them those
    /// that needed the centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<u32>,
}

/// Whether a rule hands it off, so that nothing learned is asked: what a branch
/// may settle is for the organisation to say, and grade 1 is always complex.
pub fn is_ordered(suggestion: &Suggestion) -> bool {
    let is_complex = suggestion.complexity == Complexity::Complex;
    suggestion.grade == Grade::One || (is_complex && suggestion.complexity_reason.is_some())
}

/// The suggestion with what the model says of it, where a missed handoff costs
/// `times` a wrong one. `traits` are the complaint's, its category the one
/// everything was judged for.
pub fn weigh(
    suggestion: Suggestion,
    model: &HandoffModel,
    traits: &Traits<'_>,
    times: u32,
) -> Suggestion {
    if is_ordered(&suggestion) || traits.category.is_empty() {
        return suggestion;
    }
    let p = model.likelihood(traits);
    let unsure = !model.knows(traits.category);
    let line = threshold(times);
    let learned = match p >= line {
        true => Complexity::Complex,
        false => Complexity::Simple,
    };
    let weighed = Weighed {
        p: p as f32,
        threshold: line as f32,
        unsure,
        because: match unsure {
            true => Vec::new(),
            false => because(model, traits, learned),
        },
        version: model.version,
    };
    let by_rule = suggestion.complexity_reason.clone();
    let agrees = suggestion.complexity == learned;
    Suggestion {
        complexity: match unsure {
            true => suggestion.complexity,
            false => learned,
        },
        // A rule that says otherwise is no reason for what is proposed.
        complexity_reason: by_rule.filter(|_| unsure || agrees),
        handoff: Some(weighed),
        ..suggestion
    }
}

/// What speaks for the proposal, the strongest first.
fn because(model: &HandoffModel, traits: &Traits<'_>, proposed: Complexity) -> Vec<Because> {
    /// Less than this in the logarithm of the odds moves 2 in 100 at most.
    const LEAST: f64 = 0.1;
    let raises = proposed == Complexity::Complex;
    let mut grounds = model.grounds(traits);
    grounds.retain(|(_, by)| by.abs() >= LEAST && (*by > 0.0) == raises);
    grounds.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
    let shown = grounds.into_iter().take(SHOWN).map(|(ground, _)| {
        let known = match ground {
            Ground::Category => model.of_category(traits.category),
            Ground::Branch => model.of_branch(traits.branch),
            _ => None,
        };
        Because {
            ground,
            raises,
            cases: known.map(|(cases, _)| cases),
            needed: known.map(|(_, needed)| needed),
        }
    });
    shown.collect()
}
