//! What somebody has to do about a complaint besides holding it: derived from
//! the complaint, so that a list of it can be made anew at any time.
//!
//! What a department was dispatched is in its tasks, what an expert has claimed
//! in the work orders; neither is repeated here.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::complaint::{Complaint, Owner};
use crate::fact::AskedOf;
use crate::ids::{BranchCode, StaffId};
use crate::staff::Role;
use crate::state::State;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DutyKind {
    /// Ask the customer whether the answer is good.
    CallBack,
    /// Carry out a measure of a plan.
    Measure,
    /// Answer a question of the experts or of a department.
    Question,
    /// Grant or refuse more time.
    Extension,
    /// Decide what needs the management group.
    Approval,
    /// The program closes what is settled.
    Close,
    /// The program puts away what has ended.
    Archive,
}

impl DutyKind {
    pub const ALL: [Self; 7] = [
        Self::CallBack,
        Self::Measure,
        Self::Question,
        Self::Extension,
        Self::Approval,
        Self::Close,
        Self::Archive,
    ];

    /// The name in databases, as serde writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallBack => "call_back",
            Self::Measure => "measure",
            Self::Question => "question",
            Self::Extension => "extension",
            Self::Approval => "approval",
            Self::Close => "close",
            Self::Archive => "archive",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who has to do it. Written as `staff:…`, `branch:…` or `role:…` where it is
/// looked up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Holder {
    Staff(StaffId),
    Branch(BranchCode),
    Everybody(Role),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff(id) => write!(f, "staff:{id}"),
            Self::Branch(code) => write!(f, "branch:{code}"),
            Self::Everybody(role) => write!(f, "role:{}", role.name()),
        }
    }
}

/// One thing somebody has to do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Duty {
    pub kind: DutyKind,
    /// The question, the measure, the dispatch; nil where there is only one of
    /// the kind.
    pub item: Uuid,
    pub holder: Holder,
    /// By when, where the duty itself says so; else since when.
    pub at: DateTime<Utc>,
}

/// Everything somebody has to do about it, in order.
pub fn duties(complaint: &Complaint) -> Vec<Duty> {
    let mut list = Vec::new();
    list.extend(call_back(complaint));
    list.extend(ending(complaint));
    if !complaint.state.is_finished() {
        list.extend(measures(complaint));
        list.extend(questions(complaint));
        list.extend(extensions(complaint));
        list.extend(approval(complaint));
    }
    list.sort_unstable();
    list
}

fn call_back(complaint: &Complaint) -> Option<Duty> {
    let answered_at = complaint.marks.answered_at?;
    let back = &complaint.call_back;
    // Until the customer is content, or it has been decided for good: who is
    // not content and was not reopened must not be forgotten.
    let waits = complaint.state == State::Answered
        && matches!(complaint.owner, Owner::Team(_))
        && complaint.final_decision.is_none()
        && complaint.content_since().is_none();
    let holder = match &back.assigned {
        Some(to) => Holder::Staff(to.staff),
        None => Holder::Everybody(Role::Expert),
    };
    waits.then_some(Duty {
        kind: DutyKind::CallBack,
        item: Uuid::nil(),
        holder,
        at: answered_at,
    })
}

/// After the customer was content, or nobody reached them: time to set right
/// what was entered by mistake.
const CLOSED_AFTER: TimeDelta = TimeDelta::days(1);
/// After a branch settled it: before anybody is reminded of a call-back that
/// the branch may make and does not owe.
const CLOSED_AFTER_SETTLING: TimeDelta = TimeDelta::days(5);
/// So long the customer can have a closed complaint reopened.
const ARCHIVED_AFTER: TimeDelta = TimeDelta::days(30);

/// What the program does with a complaint that has come to its end.
fn ending(complaint: &Complaint) -> Option<Duty> {
    let marks = &complaint.marks;
    let (kind, at) = match (complaint.state, &complaint.owner) {
        (State::Answered, Owner::Branch(_)) => {
            (DutyKind::Close, marks.answered_at? + CLOSED_AFTER_SETTLING)
        }
        (State::Answered, Owner::Team(_)) => {
            let decided = complaint.marks.decided_at;
            let over = decided.or_else(|| complaint.content_since())?;
            (DutyKind::Close, over + CLOSED_AFTER)
        }
        (State::Closed | State::Withdrawn, _) => {
            (DutyKind::Archive, marks.ended_at? + ARCHIVED_AFTER)
        }
        _ => return None,
    };
    Some(Duty {
        kind,
        item: Uuid::nil(),
        holder: Holder::Everybody(Role::System),
        at,
    })
}

fn measures(complaint: &Complaint) -> impl Iterator<Item = Duty> {
    let open = complaint
        .plan
        .iter()
        .filter(|planned| planned.done_at.is_none());
    open.filter_map(|planned| {
        let holds = complaint.claim.as_ref().map(|claim| claim.expert);
        Some(Duty {
            kind: DutyKind::Measure,
            item: planned.measure.id.0,
            holder: Holder::Staff(planned.measure.staff.or(holds)?),
            at: planned.measure.due_at,
        })
    })
}

fn questions(complaint: &Complaint) -> impl Iterator<Item = Duty> {
    let open = complaint.questions.iter();
    let open = open.filter(|asked| asked.of == AskedOf::Branch && asked.replies.is_empty());
    open.map(|asked| Duty {
        kind: DutyKind::Question,
        item: asked.id.0,
        holder: Holder::Branch(complaint.branch.clone()),
        at: asked.at,
    })
}

/// Since when the branch owes a reply to a question of the centre, the oldest
/// of those that are open.
pub fn asked_of_branch(complaint: &Complaint) -> Option<DateTime<Utc>> {
    let open = !complaint.state.is_finished();
    open.then(|| questions(complaint).map(|duty| duty.at).min())?
}

fn extensions(complaint: &Complaint) -> impl Iterator<Item = Duty> {
    let open = complaint
        .extensions
        .iter()
        .filter(|one| one.outcome.is_none());
    open.map(|one| {
        let holds = complaint.claim.as_ref().map(|claim| claim.expert);
        Duty {
            kind: DutyKind::Extension,
            item: one.task.map_or_else(Uuid::nil, |task| task.0),
            holder: match (one.task, holds) {
                (None, _) => Holder::Everybody(Role::Management),
                (Some(_), Some(expert)) => Holder::Staff(expert),
                (Some(_), None) => Holder::Everybody(Role::Expert),
            },
            at: one.asked_at,
        }
    })
}

fn approval(complaint: &Complaint) -> Option<Duty> {
    let waits = complaint.state == State::AwaitingApproval;
    let since = complaint.approval().map(|asked| asked.asked_at);
    waits.then(|| Duty {
        kind: DutyKind::Approval,
        item: Uuid::nil(),
        holder: Holder::Everybody(Role::Management),
        at: since.unwrap_or(complaint.arrived_at),
    })
}
