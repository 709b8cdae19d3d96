//! A complaint as the fold of its ledger, and the rules for each next step.
//!
//! One owner at a time: each complaint belongs to a branch or a hub team with
//! an owner number that only rises. A step written under an older number is
//! kept, as history when the handoff packet already told it, else as a late
//! note; it never changes the state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

mod admit;
mod contents;
mod course;
mod fold;
mod money;
mod parts;
mod verdict;

pub use parts::*;
pub use verdict::{Applied, Refusal};

use crate::escalation::{Escalation, Seen};
use crate::evidence::EvidenceHeld;
use crate::fact::{Assignee, Fact, HandoffCause, Report};
use crate::ids::{BranchCode, ComplaintId, TaskId};
use crate::intake::Intake;
use crate::ledger::{Actor, LedgerEvent};
use crate::letter::LetterHeld;
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
    pub plan: Vec<Planned>,
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
    /// Files made of the answers, of all cycles, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub letters: Vec<LetterHeld>,
    /// Of the present cycle, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Paused>,
    /// Who was told of which deadline of the present cycle, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// Who has seen what of it, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
    /// When the present cycle began; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_at: Option<DateTime<Utc>>,
    /// The cycles before, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<PastCycle>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Of the present cycle, as the three below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// The last is the present one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    #[serde(default)]
    pub call_back: CallBack,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// Why the management group ended it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_decision: Option<String>,
    /// Whom it is about, over all cycles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recused: Vec<Recusal>,
    /// The complaints it refers to, over all cycles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// What the first event tells of a complaint.
struct Beginning {
    reference: ReferenceNumber,
    branch: BranchCode,
    intake: Intake,
    arrived_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    late: bool,
    cycle: u32,
    cut: bool,
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
                let beginning = Beginning {
                    reference: reference.clone(),
                    branch,
                    intake: (**intake).clone(),
                    arrived_at: *arrived_at,
                    recorded_at: event.at.trusted(),
                    late: *late,
                    cycle: 1,
                    cut: false,
                };
                Ok(Self::begin(event, beginning))
            }
            Fact::HandedOff { packet, .. } => {
                let beginning = Beginning {
                    reference: packet.reference.clone(),
                    branch: packet.branch.clone(),
                    intake: packet.intake.clone(),
                    arrived_at: packet.arrived_at,
                    recorded_at: packet.recorded_at,
                    late: packet.late,
                    cycle: packet.cycle,
                    cut: packet.cut,
                };
                let mut complaint = Self::begin(event, beginning);
                complaint.apply(event)?;
                Ok(complaint)
            }
            _ => Err(Refusal::NotABeginning),
        }
    }

    fn begin(event: &LedgerEvent, beginning: Beginning) -> Self {
        Self {
            id: event.complaint,
            reference: beginning.reference,
            owner: Owner::Branch(beginning.branch.clone()),
            branch: beginning.branch,
            recorded_by: event.actor.clone(),
            state: State::Recorded,
            owner_no: event.owner_no,
            intake: beginning.intake,
            arrived_at: beginning.arrived_at,
            recorded_at: beginning.recorded_at,
            late: beginning.late,
            grade: None,
            complexity: None,
            handoff_cause: None,
            cycle: beginning.cycle,
            marks: Marks::default(),
            claim: None,
            tasks: Vec::new(),
            report: None,
            plan: Vec::new(),
            return_reason: None,
            answer: None,
            cut: beginning.cut,
            covered: None,
            assigned: None,
            evidence: Vec::new(),
            letters: Vec::new(),
            pauses: Vec::new(),
            escalations: Vec::new(),
            seen: Vec::new(),
            reopened_at: None,
            past: Vec::new(),
            questions: Vec::new(),
            extensions: Vec::new(),
            approvals: Vec::new(),
            call_back: CallBack::default(),
            rating: None,
            final_decision: None,
            recused: Vec::new(),
            links: Vec::new(),
        }
    }

    /// When the present cycle began.
    pub fn began_at(&self) -> DateTime<Utc> {
        self.reopened_at.unwrap_or(self.arrived_at)
    }

    /// The request to the management group that is open, or was decided last.
    pub fn approval(&self) -> Option<&Approval> {
        self.approvals.last()
    }

    /// The request for more time that waits for its answer.
    pub fn extension_asked(&self, task: Option<TaskId>) -> Option<&Extension> {
        let open = |one: &&Extension| one.task == task && one.outcome.is_none();
        self.extensions.iter().rev().find(open)
    }

    /// More time that was granted in this cycle.
    pub fn extension_granted(&self, task: Option<TaskId>) -> Option<&Extension> {
        self.extensions.iter().find(|one| {
            one.task == task && one.outcome.as_ref().is_some_and(|outcome| outcome.granted)
        })
    }
}
