//! What a training found, as it is kept and shown. Shares, categories and
//! counts alone: nothing of any text but reasons that several people gave.

use serde::{Deserialize, Serialize};
use suda_judge::handoff::Course;
use utoipa::ToSchema;

/// What became of a training.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrainingDecision {
    /// Fewer confirmed cases than anything can be learned from.
    TooFewCases,
    /// Fewer than two categories with enough cases each.
    TooFewCategories,
    /// It is in force.
    RolledOut,
    /// It was worse on the newest confirmed cases than what is in force, or
    /// than always saying the commonest category.
    Worse,
    /// The same model as the one in force.
    Same,
    /// Not better, and in force all the same: the one before knew texts that
    /// were to be forgotten.
    AfterErasure,
    /// It could not be made; the log says why.
    Failed,
}

impl TrainingDecision {
    pub fn rolls_out(self) -> bool {
        matches!(self, Self::RolledOut | Self::AfterErasure)
    }
}

/// How well a model does on cases it has not learned from.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    pub cases: u32,
    /// Cases whose first category was right.
    pub right: u32,
    /// Shares from 0 to 1, as all below.
    pub accuracy: f64,
    /// One of the first three was right.
    pub top3: f64,
    /// The mean over categories of the harmonic mean of precision and recall.
    pub macro_f1: f64,
    /// The mean difference between how sure it said it is and how often it was
    /// right, over ten bins.
    pub calibration_error: f64,
    /// Cases of which it did not say that it is unsure.
    pub sure: f64,
    /// Of those, where it was right.
    pub right_when_sure: f64,
}

/// How often a category was proposed, and rightly.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Proposing {
    /// Share of the cases with a proposal.
    pub said: f64,
    /// Of those, the share where it was right.
    pub right: f64,
}

/// Cases in which the model was about so sure.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Bin {
    pub cases: u32,
    /// The mean of what it said, 0 to 1.
    pub said: f64,
    /// The share that was right.
    pub right: f64,
}

/// Cases of one category for which another, or the same, was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Confused {
    pub is: String,
    pub said: String,
    pub cases: u32,
}

/// How common a category is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Share {
    pub category: String,
    /// Among the cases learned from.
    pub before: f64,
    /// Among the newest, which were held out.
    pub now: f64,
}

/// Cases for which the candidate says another category than the model in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    pub from: String,
    pub to: String,
    /// The confirmed category.
    pub is: String,
    pub cases: u32,
}

/// What people decided otherwise than was suggested, among the newest lines of
/// the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Overrides {
    /// Assessments looked at.
    pub assessed: u32,
    pub category: u32,
    pub grade: u32,
    pub complexity: u32,
    /// The branches with most, at most fifty.
    pub by_branch: Vec<OfBranch>,
    /// Reasons in the same words from several people's cases, the commonest
    /// first, at most thirty.
    pub reasons: Vec<OfReason>,
    /// Overrides with a reason in words of their own.
    pub other_reasons: u32,
    /// The suggested category and the one chosen, the commonest first.
    pub categories: Vec<Confused>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfBranch {
    pub branch: String,
    pub assessed: u32,
    pub overridden: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OfReason {
    pub reason: String,
    pub cases: u32,
}

/// All a training found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TrainingReport {
    pub decision: TrainingDecision,
    /// Only tried: nothing was rolled out whatever the decision says.
    pub preview: bool,
    /// Confirmed cases there were.
    pub cases: u32,
    /// Of categories that are no leaf of the tree any more; left out.
    pub outside_tree: u32,
    pub learned_from: u32,
    pub held_out: u32,
    pub categories: u32,
    /// Bytes of the model.
    pub bytes: u64,
    pub took_ms: u64,
    pub candidate: Option<Figures>,
    /// The model in force on the same cases.
    pub in_force: Option<Figures>,
    /// Its version.
    pub in_force_version: Option<u32>,
    /// Always saying the commonest category would be right in this share.
    pub commonest: f64,
    /// The rules alone, on the same cases.
    pub rules: Proposing,
    /// Rules and candidate together, as the desk proposes.
    pub together: Proposing,
    pub calibration: Vec<Bin>,
    pub confusion: Vec<Confused>,
    pub shares: Vec<Share>,
    /// Cases for which the candidate says another category than the model in
    /// force.
    pub changed: u32,
    pub changes: Vec<Changed>,
    pub overrides: Overrides,
    /// What was learned of handoffs. Absent from trainings of before they were
    /// learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoffs: Option<HandoffReport>,
}

/// What became of learning handoffs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoffDecision {
    /// Too few cases, or too few that needed the centre or that did not: the
    /// rules' word stands.
    TooFew,
    /// It told no more than the mean does, or its mistakes would have been
    /// dearer than those of the rules alone: their word stands.
    NoBetter,
    /// Desks use it.
    InUse,
    /// It could not be made; the log says why.
    Failed,
}

/// What was learned of handoffs, on past complaints that no rule had ordered to
/// the centre, each judged by a model that had not seen it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HandoffReport {
    pub decision: HandoffDecision,
    pub cases: u32,
    /// Of those, the ones that needed the centre.
    pub needed: u32,
    /// Cases that a rule sends to the centre whatever is learned; not among
    /// the above, as the next.
    pub ordered: u32,
    /// Cases of which nobody can tell yet whether they needed it.
    pub untold: u32,
    /// Among the cases, those of too little known categories: there the rules'
    /// word stands.
    pub unsure: u32,
    /// The mean difference between how likely it said it was and how often it
    /// was so, over ten bins.
    pub calibration_error: f64,
    pub calibration: Vec<Bin>,
    /// What people did with the cases.
    pub by_people: Course,
    /// What the rules alone would have done.
    pub by_rules: Course,
    /// What would have been done, were a missed handoff once, twice … a hundred
    /// times as dear as a wrong one.
    pub curve: Vec<Course>,
}

impl HandoffReport {
    /// That of a lesson that could not begin.
    pub fn without(decision: HandoffDecision) -> Self {
        Self {
            decision,
            cases: 0,
            needed: 0,
            ordered: 0,
            untold: 0,
            unsure: 0,
            calibration_error: 0.0,
            calibration: Vec::new(),
            by_people: Course::default(),
            by_rules: Course::default(),
            curve: Vec::new(),
        }
    }
}

impl TrainingReport {
    /// That of a training that could not begin.
    pub fn without(decision: TrainingDecision, cases: u32) -> Self {
        Self {
            decision,
            preview: false,
            cases,
            outside_tree: 0,
            learned_from: 0,
            held_out: 0,
            categories: 0,
            bytes: 0,
            took_ms: 0,
            candidate: None,
            in_force: None,
            in_force_version: None,
            commonest: 0.0,
            rules: Proposing::default(),
            together: Proposing::default(),
            calibration: Vec::new(),
            confusion: Vec::new(),
            shares: Vec::new(),
            changed: 0,
            changes: Vec::new(),
            overrides: Overrides::default(),
            handoffs: None,
        }
    }
}
