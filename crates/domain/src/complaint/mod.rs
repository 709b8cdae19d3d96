//! A complaint as the fold of its ledger, and the rules for each next step.
//!
//! One owner at a time: each complaint belongs to a branch or a hub team with
//! an owner number that only rises. A step written under an older number is
//! kept, as history when the handoff packet already told it, else as a late
//! note; it never changes the state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

mod admit;
mod fold;

use crate::escalation::Escalation;
use crate::evidence::EvidenceHeld;
use crate::fact::{Assignee, Decision, Fact, HandoffCause, Measure, Report};
use crate::ids::{BranchCode, ComplaintId, DeviceId, LeaseId, StaffId, TaskId};
use crate::intake::Intake;
use crate::ledger::{Actor, LedgerEvent};
use crate::link::Link;
use crate::recusal::Recusal;
use crate::reference::ReferenceNumber;
use crate::state::{Complexity, Grade, State};

/// Who holds the complaint. The experts are one team; a hub may have others later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Owner {
    Branch(BranchCode),
    Team(String),
}

/// The central expert team's name as an owner.
pub const EXPERT_TEAM: &str = "experts";

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
    pub implemented_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub called_back_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Up to where the packet has told the desk's ordinary lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Covered {
    pub device: DeviceId,
    pub incarnation: u32,
    pub upto_n: u64,
}

/// One complaint, as its ledger makes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Complaint {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub recorded_by: Actor,
    pub state: State,
    pub owner: Owner,
    pub owner_no: u32,
    pub intake: Intake,
    pub arrived_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub late: bool,
    pub grade: Option<Grade>,
    pub complexity: Option<Complexity>,
    pub handoff_cause: Option<HandoffCause>,
    /// From 1.
    pub cycle: u32,
    pub marks: Marks,
    pub claim: Option<Claim>,
    pub tasks: Vec<Task>,
    pub report: Option<Report>,
    pub plan: Vec<Measure>,
    pub return_reason: Option<String>,
    pub answer: Option<Answer>,
    /// Whether texts of the intake are still the packet's cut ones.
    pub cut: bool,
    pub covered: Option<Covered>,
    /// Who of the branch is to see to it. Absent from rows of older versions.
    #[serde(default)]
    pub assigned: Option<Assignee>,
    /// In the order of their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceHeld>,
    /// Of the present cycle, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Paused>,
    /// Who was told of which deadline of the present cycle, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// Whom it is about, over all cycles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recused: Vec<Recusal>,
    /// The complaints it refers to, over all cycles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Who has answered the present cycle, and so does not call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<StaffId>,
}

/// What an event did to a complaint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Applied {
    /// The state, the owner or a part of the complaint changed.
    Changed,
    /// It says something and changes no state.
    Remark,
    /// The handoff packet had already told it.
    History,
    /// Written under an owner number that has passed: kept as a note.
    LateNote,
}

/// Why a step is not allowed, or an event cannot be applied.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("the first event of a complaint must record it or hand it off")]
    NotABeginning,
    #[error("the complaint is already recorded")]
    AlreadyRecorded,
    #[error("this step is not possible in the complaint's present state")]
    State,
    #[error("this role may not do that")]
    Role,
    #[error("the complaint belongs to somebody else now")]
    NotOwner,
    #[error("the event was written under an owner number not yet reached")]
    OwnerAhead,
    #[error("another expert has claimed it")]
    ClaimedByOther,
    #[error("claim it first")]
    NotClaimed,
    #[error("the task is not open or not this department's")]
    Task,
    #[error("a required part is missing")]
    Incomplete,
    #[error("the management group has to approve first")]
    NeedsApproval,
    #[error("somebody of another branch")]
    OtherBranch,
    #[error("the complaint is about them, or about somebody below them")]
    Recused,
    #[error("whoever has answered does not call back")]
    Handler,
    #[error("these complaints cannot be linked so, or are not")]
    Link,
}

impl Complaint {
    /// The complaint its first event makes.
    pub fn open(event: &LedgerEvent) -> Result<Self, Refusal> {
        match &event.fact {
            Fact::Recorded {
                reference,
                intake,
                arrived_at,
                late,
                ..
            } => {
                let branch = event.actor.branch.clone().ok_or(Refusal::NotABeginning)?;
                Ok(Self {
                    id: event.complaint,
                    reference: reference.clone(),
                    owner: Owner::Branch(branch.clone()),
                    branch,
                    recorded_by: event.actor.clone(),
                    state: State::Recorded,
                    owner_no: event.owner_no,
                    intake: (**intake).clone(),
                    arrived_at: *arrived_at,
                    recorded_at: event.at.trusted(),
                    late: *late,
                    grade: None,
                    complexity: None,
                    handoff_cause: None,
                    cycle: 1,
                    marks: Marks::default(),
                    claim: None,
                    tasks: Vec::new(),
                    report: None,
                    plan: Vec::new(),
                    return_reason: None,
                    answer: None,
                    cut: false,
                    covered: None,
                    assigned: None,
                    evidence: Vec::new(),
                    pauses: Vec::new(),
                    escalations: Vec::new(),
                    recused: Vec::new(),
                    links: Vec::new(),
                    answered_by: None,
                })
            }
            Fact::HandedOff { packet, .. } => {
                let mut complaint = Self {
                    id: event.complaint,
                    reference: packet.reference.clone(),
                    owner: Owner::Branch(packet.branch.clone()),
                    branch: packet.branch.clone(),
                    recorded_by: event.actor.clone(),
                    state: State::Recorded,
                    owner_no: event.owner_no,
                    intake: packet.intake.clone(),
                    arrived_at: packet.arrived_at,
                    recorded_at: packet.recorded_at,
                    late: packet.late,
                    grade: None,
                    complexity: None,
                    handoff_cause: None,
                    cycle: packet.cycle,
                    marks: Marks::default(),
                    claim: None,
                    tasks: Vec::new(),
                    report: None,
                    plan: Vec::new(),
                    return_reason: None,
                    answer: None,
                    cut: packet.cut,
                    covered: None,
                    assigned: None,
                    evidence: Vec::new(),
                    pauses: Vec::new(),
                    escalations: Vec::new(),
                    recused: Vec::new(),
                    links: Vec::new(),
                    answered_by: None,
                };
                complaint.apply(event)?;
                Ok(complaint)
            }
            _ => Err(Refusal::NotABeginning),
        }
    }
}
