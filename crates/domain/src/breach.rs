//! Why a deadline was missed (product.md, promise 2: "every breach carries its
//! cause"), as far as the ledger tells.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::complaint::Complaint;
use crate::fact::AskedOf;
use crate::state::State;

/// What a complaint that is late waits for, or how it came to be late.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BreachCause {
    /// The branch recorded it when the time was over already.
    RecordedLate,
    /// The branch still has it.
    StillInBranch,
    /// Handed off in time; the hub received it late: no link.
    DeliveredLate,
    /// Handed off when the time was over already.
    HandedOffLate,
    /// Nobody has claimed it.
    Unclaimed,
    /// The customer has not answered a question.
    WaitingForCustomer,
    /// The branch has not answered a question.
    WaitingForBranch,
    /// A department has not answered.
    WaitingForDepartment,
    /// The management group has not decided.
    WaitingForApproval,
    /// A measure of the plan is late.
    WaitingForMeasure,
    /// The customer has not been called back.
    WaitingForCallBack,
    /// The expert who has it.
    WithExpert,
}

/// The cause of a missed deadline that was due at `due`.
pub fn cause(complaint: &Complaint, due: DateTime<Utc>) -> BreachCause {
    let marks = &complaint.marks;
    let passed = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at > due);
    let asked = |of: AskedOf| {
        let mut open = complaint.questions.iter();
        open.any(|one| one.of == of && one.replies.is_empty())
    };
    if complaint.cycle == 1 && passed(Some(complaint.recorded_at)) {
        return BreachCause::RecordedLate;
    }
    match complaint.state {
        state if state.is_open_in_branch() => BreachCause::StillInBranch,
        State::Queued | State::HandoffPending if passed(marks.handed_off_at) => {
            BreachCause::HandedOffLate
        }
        State::Queued | State::HandoffPending if passed(marks.queued_at) => {
            BreachCause::DeliveredLate
        }
        State::Answered => BreachCause::WaitingForCallBack,
        State::AwaitingApproval => BreachCause::WaitingForApproval,
        _ if complaint.tasks.iter().any(|task| task.is_open()) => BreachCause::WaitingForDepartment,
        _ if complaint.claim.is_none() => BreachCause::Unclaimed,
        _ if asked(AskedOf::Customer) => BreachCause::WaitingForCustomer,
        _ if asked(AskedOf::Branch) => BreachCause::WaitingForBranch,
        State::Solving if is_measure_late(complaint, due) => BreachCause::WaitingForMeasure,
        _ => BreachCause::WithExpert,
    }
}

/// Whether a measure was to be done by then and is not.
fn is_measure_late(complaint: &Complaint, due: DateTime<Utc>) -> bool {
    let mut plan = complaint.plan.iter();
    plan.any(|planned| planned.done_at.is_none() && planned.measure.due_at <= due)
}
