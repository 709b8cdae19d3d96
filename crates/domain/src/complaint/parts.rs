//! What a complaint is made of beside its state and its owner.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::fact::{
    AskedOf, Assignee, Decision, Dissatisfaction, Measure, Report, Stance, TryOutcome,
};
use crate::ids::{DeviceId, LeaseId, QuestionId, StaffId, TaskId};
use crate::staff::Role;

/// How far a dispatch has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Sent,
    Accepted,
    Rejected,
    Reported,
    Recalled,
}

/// One dispatch to one department.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Task {
    pub id: TaskId,
    pub department: StaffId,
    pub department_name: String,
    pub question: String,
    pub state: TaskState,
    pub sent_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub reject_reason: Option<String>,
    pub report: Option<Report>,
}

impl Task {
    pub fn is_open(&self) -> bool {
        matches!(self.state, TaskState::Sent | TaskState::Accepted)
    }
}

/// An expert's hold on a work order. It lapses at `until` unless a first step
/// (dispatch, report, return) has bound the case to the expert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claim {
    pub lease: LeaseId,
    pub expert: StaffId,
    pub expert_name: String,
    pub until: DateTime<Utc>,
}

/// The answer the customer was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    /// Absent for a simple complaint settled at the counter.
    pub decision: Option<Decision>,
    pub text: String,
    pub remedy: String,
    #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
    pub amount_minor: Option<i64>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasons: String,
    /// Where the customer may turn to who does not agree, and until when.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next_level: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_level_until: Option<DateTime<Utc>>,
    /// Who answered: somebody else calls back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<StaffId>,
}

/// A time for which clocks stand still; which ones, the policy says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Paused {
    pub reason: String,
    /// What people read for the reason.
    pub name: String,
    pub note: String,
    pub from: DateTime<Utc>,
    /// Absent while it lasts.
    pub to: Option<DateTime<Utc>>,
}

/// The moments the clocks are derived from, all of the present cycle, in
/// trusted time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Marks {
    pub assessed_at: Option<DateTime<Utc>>,
    pub handed_off_at: Option<DateTime<Utc>>,
    /// The hub's receipt of the handoff.
    pub queued_at: Option<DateTime<Utc>>,
    pub grade1_at: Option<DateTime<Utc>>,
    pub alert_acknowledged_at: Option<DateTime<Utc>>,
    pub claimed_at: Option<DateTime<Utc>>,
    pub reported_at: Option<DateTime<Utc>>,
    pub approved_at: Option<DateTime<Utc>>,
    /// When the plan began to be carried out.
    pub solving_at: Option<DateTime<Utc>>,
    pub implemented_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub called_back_at: Option<DateTime<Utc>>,
    /// When the management group decided for good.
    pub decided_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Up to where the packet has told the desk's ordinary lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Covered {
    pub device: DeviceId,
    pub incarnation: u32,
    pub upto_n: u64,
}

/// Something asked of the branch or the customer while the case is worked on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Question {
    pub id: QuestionId,
    pub of: AskedOf,
    pub task: Option<TaskId>,
    pub text: String,
    pub by_name: String,
    pub at: DateTime<Utc>,
    pub replies: Vec<Reply>,
}

/// What was answered to a question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reply {
    pub text: String,
    pub by: Role,
    pub by_name: String,
    pub at: DateTime<Utc>,
}

/// More time for the outer limit, or for a department's task.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Extension {
    /// Of which dispatch; absent for the outer limit.
    pub task: Option<TaskId>,
    pub until: DateTime<Utc>,
    pub reason: String,
    pub asked_by: Option<StaffId>,
    pub asked_by_name: String,
    pub asked_at: DateTime<Utc>,
    pub outcome: Option<ExtensionOutcome>,
}

/// What became of a request for more time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExtensionOutcome {
    pub granted: bool,
    pub reason: String,
    pub by_name: String,
    pub at: DateTime<Utc>,
}

/// One request to the management group, with all that was said to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Approval {
    pub reason: String,
    /// In the smallest unit of the currency.
    pub compensation_minor: Option<u32>,
    /// How many members have to approve.
    pub votes_needed: u8,
    pub asked_by: Option<StaffId>,
    pub asked_by_name: String,
    pub asked_at: DateTime<Utc>,
    /// Of those who approved, in order.
    pub votes: Vec<Vote>,
    /// What the group asked to hear before it decides.
    pub comments_asked: Option<String>,
    /// Dissent stays here whatever is decided.
    pub comments: Vec<Opinion>,
    pub refused: Option<Vote>,
}

impl Approval {
    pub fn is_approved(&self) -> bool {
        self.refused.is_none() && self.votes.len() >= usize::from(self.votes_needed)
    }

    /// The most the votes let the customer have: the lowest of their sums, as
    /// each has to agree. A vote that names none is for what was asked. Absent
    /// where nobody spoke of money.
    pub fn sum(&self) -> Option<u32> {
        let sums = self.votes.iter();
        let sums = sums.filter_map(|vote| vote.compensation_minor.or(self.compensation_minor));
        sums.min()
    }
}

/// One member's vote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vote {
    pub staff: Option<StaffId>,
    pub name: String,
    pub comment: String,
    /// What is to be done otherwise than proposed.
    pub changes: String,
    /// The most the customer may get, where it is not what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation_minor: Option<u32>,
    pub at: DateTime<Utc>,
}

/// What somebody thinks of what is to be approved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Opinion {
    pub name: String,
    pub role: Role,
    pub text: String,
    pub stance: Stance,
    pub at: DateTime<Utc>,
}

/// A measure of the plan and how far it has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Planned {
    #[serde(flatten)]
    pub measure: Measure,
    /// In hundredths.
    #[serde(default)]
    pub percent: u8,
    /// What was said of it last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<Utc>>,
}

/// Asking the customer afterwards, in one cycle.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallBack {
    pub assigned: Option<Assignee>,
    pub tries: Vec<Try>,
    pub satisfied: Option<bool>,
    pub score: Option<u8>,
    pub causes: Vec<Dissatisfaction>,
}

/// Tries without reaching the customer after which nobody tries again.
const TRIES: usize = 3;
/// Two tries in the same hour are one.
const BETWEEN_TRIES: TimeDelta = TimeDelta::hours(4);

impl CallBack {
    /// The tries that count: each some hours after the one before.
    pub fn counted(&self) -> impl Iterator<Item = &Try> {
        let mut last: Option<DateTime<Utc>> = None;
        // Who asks to be called another time was reached.
        let missed = self.tries.iter();
        let missed = missed.filter(|one| one.outcome != TryOutcome::AnotherTime);
        missed.filter(move |one| {
            let counts = last.is_none_or(|last| one.at - last >= BETWEEN_TRIES);
            if counts {
                last = Some(one.at);
            }
            counts
        })
    }

    /// When the last try that is asked for failed.
    pub fn given_up(&self) -> Option<DateTime<Utc>> {
        self.counted().nth(TRIES - 1).map(|one| one.at)
    }
}

/// One call that did not reach the customer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Try {
    pub outcome: TryOutcome,
    pub comment: String,
    pub by_name: String,
    pub at: DateTime<Utc>,
}

/// The customer's own judgement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rating {
    /// 1 to 5.
    pub score: u8,
    pub comment: String,
    /// How often this answer was judged; the last counts.
    #[serde(default)]
    pub times: u32,
    pub at: DateTime<Utc>,
}

/// A cycle that a reopening ended, with its figures.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PastCycle {
    /// From 1.
    pub number: u32,
    /// The customer's arrival, or the reopening that began it.
    pub began_at: DateTime<Utc>,
    pub marks: Marks,
    pub answer: Option<Answer>,
    pub call_back: CallBack,
    pub rating: Option<Rating>,
    pub pauses: Vec<Paused>,
    pub extensions: Vec<Extension>,
    pub reopened_at: DateTime<Utc>,
    /// Why it was reopened.
    pub reason: String,
}
