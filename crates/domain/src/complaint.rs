//! A complaint as the fold of its ledger, and the rules for each next step.
//!
//! One owner at a time: each complaint belongs to a branch or a hub team with
//! an owner number that only rises. A step written under an older number is
//! kept, as history when the handoff packet already told it, else as a late
//! note; it never changes the state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::EvidenceHeld;
use crate::fact::{
    Corrected, CorrectedStep, Decision, Fact, FactKind, HandoffCause, Measure, ReleaseCause, Report,
};
use crate::ids::{BranchCode, ComplaintId, DeviceId, LeaseId, StaffId, TaskId};
use crate::intake::Intake;
use crate::ledger::{Actor, EventKey, Lane, LedgerEvent};
use crate::packet::HandoffPacket;
use crate::permission;
use crate::reference::ReferenceNumber;
use crate::staff::Role;
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
    /// In the order of their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceHeld>,
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
                    evidence: Vec::new(),
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
                    evidence: Vec::new(),
                };
                complaint.apply(event)?;
                Ok(complaint)
            }
            _ => Err(Refusal::NotABeginning),
        }
    }

    /// Whether `actor` may write `fact` now: their role, their branch, the
    /// owner, the state and what the fact must hold.
    pub fn admit(&self, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        let kind = fact.kind();
        if !permission::may_write(actor.role, kind) {
            return Err(Refusal::Role);
        }
        if actor.role.is_of_branch() && actor.branch.as_ref() != Some(&self.branch) {
            return Err(Refusal::OtherBranch);
        }
        if !kind.is_remark() {
            self.admit_owner(actor, kind)?;
        }
        self.next_state(fact)?;
        self.admit_claim(actor, fact)?;
        self.admit_content(actor, fact)
    }

    fn admit_owner(&self, actor: &Actor, kind: FactKind) -> Result<(), Refusal> {
        let of_branch =
            actor.role.is_of_branch() || (actor.role == Role::System && actor.branch.is_some());
        let holds = match self.owner {
            // The hub's receipt takes a handed-off complaint from its branch.
            Owner::Branch(_) => {
                of_branch
                    || matches!(
                        kind,
                        FactKind::Queued | FactKind::Reopened | FactKind::Closed
                    )
            }
            Owner::Team(_) => !of_branch || kind == FactKind::Closed,
        };
        if holds {
            Ok(())
        } else {
            Err(Refusal::NotOwner)
        }
    }

    /// Steps of an expert's work need that expert's claim.
    fn admit_claim(&self, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        let needs_claim = match fact {
            Fact::Dispatched { .. }
            | Fact::ReturnedToBranch { .. }
            | Fact::ApprovalRequested { .. }
            | Fact::SolvingStarted { .. }
            | Fact::Implemented { .. }
            | Fact::Answered { .. } => true,
            Fact::Reported { task, .. } => task.is_none(),
            Fact::Released { cause, .. } => *cause == ReleaseCause::GivenBack,
            Fact::Withdrawn { .. } => actor.role == Role::Expert,
            _ => false,
        };
        match &self.claim {
            _ if !needs_claim => Ok(()),
            None => Err(Refusal::NotClaimed),
            Some(claim) if actor.staff == Some(claim.expert) => Ok(()),
            Some(_) => Err(Refusal::ClaimedByOther),
        }
    }

    fn admit_content(&self, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        let given = |text: &str| {
            if text.trim().is_empty() {
                Err(Refusal::Incomplete)
            } else {
                Ok(())
            }
        };
        match fact {
            Fact::Noted { text } => given(text),
            Fact::EvidenceAdded { file } => self.admit_evidence(file),
            Fact::Settled { summary, .. } => given(summary),
            Fact::Answered { text, .. } => given(text),
            Fact::Implemented { summary } => given(summary),
            Fact::ReturnedToBranch { reason }
            | Fact::Withdrawn { reason }
            | Fact::Reopened { reason }
            | Fact::Disapproved { reason }
            | Fact::ApprovalRequested { reason }
            | Fact::TakenOver { reason } => given(reason),
            Fact::Dispatched { question, .. } => given(question),
            Fact::TaskRejected { task, reason } => {
                self.admit_task(*task, actor)?;
                given(reason)
            }
            Fact::TaskAccepted { task } => self.admit_task(*task, actor),
            Fact::Reported { task, report } => {
                if let Some(task) = task {
                    self.admit_task(*task, actor)?;
                } else if actor.role == Role::Department {
                    return Err(Refusal::Task);
                }
                if report.is_complete() {
                    Ok(())
                } else {
                    Err(Refusal::Incomplete)
                }
            }
            Fact::SolvingStarted { .. } if self.needs_approval() => Err(Refusal::NeedsApproval),
            _ => Ok(()),
        }
    }

    fn admit_task(&self, id: TaskId, actor: &Actor) -> Result<(), Refusal> {
        let open = self
            .tasks
            .iter()
            .find(|task| task.id == id && task.is_open());
        match open {
            Some(task) if actor.staff == Some(task.department) => Ok(()),
            _ => Err(Refusal::Task),
        }
    }

    /// Grade 1 needs the management group's approval before solving.
    pub fn needs_approval(&self) -> bool {
        self.grade == Some(Grade::One) && self.marks.approved_at.is_none()
    }

    /// The state after `fact`: the transition table.
    pub fn next_state(&self, fact: &Fact) -> Result<State, Refusal> {
        use State::*;
        let now = self.state;
        let reaches = |from: &[State], to: State| {
            if from.contains(&now) {
                Ok(to)
            } else {
                Err(Refusal::State)
            }
        };
        match fact {
            Fact::Recorded { .. } => Err(Refusal::AlreadyRecorded),
            Fact::Assessed { .. } if now == Recorded => Ok(Assessed),
            Fact::Assessed { .. } => {
                if now.is_open_in_branch() {
                    Ok(now)
                } else {
                    Err(Refusal::State)
                }
            }
            Fact::KeptInBranch => reaches(&[Assessed], InBranch),
            Fact::HandedOff { .. } => reaches(
                &[Recorded, Assessed, InBranch, ReturnedToBranch],
                HandoffPending,
            ),
            Fact::Queued => reaches(&[HandoffPending], Queued),
            Fact::Claimed { .. } => match now {
                Queued | Reopened => Ok(Claimed),
                // A case given back in the middle of its work keeps its state.
                Dispatched | Analysed | AwaitingApproval | Solving | Implemented
                    if self.claim.is_none() =>
                {
                    Ok(now)
                }
                _ => Err(Refusal::State),
            },
            Fact::Released { .. } if self.claim.is_none() => Err(Refusal::State),
            Fact::Released { .. } if now == Claimed => Ok(Queued),
            Fact::Released {
                cause: ReleaseCause::GivenBack,
                ..
            } => Ok(now),
            Fact::Released { .. } => Err(Refusal::State),
            Fact::ReturnedToBranch { .. } => reaches(&[Claimed, Analysed], ReturnedToBranch),
            Fact::Dispatched { .. } => {
                reaches(&[Claimed, Dispatched, Analysed, Solving], Dispatched)
            }
            Fact::TaskAccepted { .. } | Fact::TaskRejected { .. } => {
                reaches(&[Dispatched], Dispatched)
            }
            Fact::Reported { task: Some(id), .. } => {
                let others_open = self.tasks.iter().any(|t| t.id != *id && t.is_open());
                reaches(
                    &[Dispatched],
                    if others_open { Dispatched } else { Analysed },
                )
            }
            Fact::Reported { task: None, .. } => {
                if now == Dispatched && self.tasks.iter().any(Task::is_open) {
                    return Err(Refusal::State);
                }
                reaches(&[Claimed, Dispatched, Analysed], Analysed)
            }
            Fact::ApprovalRequested { .. } => reaches(&[Analysed], AwaitingApproval),
            Fact::Approved { .. } => reaches(&[AwaitingApproval], Solving),
            Fact::Disapproved { .. } => reaches(&[AwaitingApproval], Analysed),
            Fact::SolvingStarted { .. } => reaches(&[Analysed], Solving),
            Fact::Implemented { .. } => reaches(&[Solving], Implemented),
            Fact::Answered { .. } => reaches(&[Implemented], Answered),
            Fact::Settled { .. } => reaches(&[Assessed, InBranch, ReturnedToBranch], Answered),
            Fact::Closed => reaches(&[Answered], Closed),
            Fact::Withdrawn { .. } => {
                if now.is_finished() || matches!(now, Draft | HandoffPending) {
                    Err(Refusal::State)
                } else {
                    Ok(Withdrawn)
                }
            }
            Fact::Reopened { .. } => reaches(&[Answered, Closed], Reopened),
            Fact::Archived => reaches(&[Closed, Withdrawn], Archived),
            Fact::CalledBack { .. } => reaches(&[Answered, Closed], now),
            Fact::TakenOver { .. } => {
                if now.is_open_in_branch() {
                    Ok(now)
                } else {
                    Err(Refusal::State)
                }
            }
            Fact::Noted { .. }
            | Fact::EvidenceAdded { .. }
            | Fact::AlertAcknowledged
            | Fact::TimeCorrected { .. } => Ok(now),
        }
    }

    /// Folds one event in.
    pub fn apply(&mut self, event: &LedgerEvent) -> Result<Applied, Refusal> {
        let kind = event.fact.kind();
        if self.is_covered(event.key) || self.is_own_record(&event.fact) {
            self.take_what_the_packet_left_out(event);
            return Ok(Applied::History);
        }
        if kind.is_remark() {
            if self.next_state(&event.fact).is_ok() {
                self.take(event);
            }
            return Ok(Applied::Remark);
        }
        if event.owner_no < self.owner_no {
            return Ok(Applied::LateNote);
        }
        if event.owner_no > self.owner_no {
            return Err(Refusal::OwnerAhead);
        }
        let next = self.next_state(&event.fact)?;
        self.take(event);
        self.state = next;
        if kind.moves_ownership() {
            self.owner_no += 1;
        }
        Ok(Applied::Changed)
    }

    fn is_covered(&self, key: EventKey) -> bool {
        key.lane == Lane::Ordinary
            && self.covered.is_some_and(|c| {
                c.device == key.device && c.incarnation == key.incarnation && key.n <= c.upto_n
            })
    }

    /// The record of this very complaint, behind the packet that opened it:
    /// from another desk than the one that handed it off.
    fn is_own_record(&self, fact: &Fact) -> bool {
        matches!(fact, Fact::Recorded { reference, .. } if *reference == self.reference)
    }

    /// The ordinary lane brings the texts the packet had to cut and the files
    /// it does not name.
    fn take_what_the_packet_left_out(&mut self, event: &LedgerEvent) {
        self.keep_evidence(event);
        if let Fact::Recorded { intake, .. } = &event.fact {
            if self.cut {
                let category = std::mem::take(&mut self.intake.category);
                self.intake = (**intake).clone();
                self.intake.category = category;
                self.cut = false;
            }
            self.recorded_by = event.actor.clone();
        }
    }

    /// What the fact changes beside state and owner number.
    fn take(&mut self, event: &LedgerEvent) {
        let at = event.at.trusted();
        match &event.fact {
            Fact::Recorded { .. } | Fact::KeptInBranch | Fact::Noted { .. } | Fact::Archived => {}
            Fact::EvidenceAdded { .. } => self.keep_evidence(event),
            Fact::Assessed {
                category,
                grade,
                complexity,
                ..
            } => {
                self.intake.category.clone_from(category);
                self.set_grade(*grade, at);
                self.complexity = Some(*complexity);
                self.marks.assessed_at.get_or_insert(at);
            }
            Fact::HandedOff { packet, cause } => {
                self.take_packet(packet, event.key);
                self.handoff_cause = Some(*cause);
                self.marks.handed_off_at = Some(at);
                self.return_reason = None;
            }
            Fact::Queued => {
                self.owner = Owner::Team(EXPERT_TEAM.to_owned());
                self.marks.queued_at.get_or_insert(at);
            }
            Fact::Claimed { lease, until } => {
                if let Some(expert) = event.actor.staff {
                    self.claim = Some(Claim {
                        lease: *lease,
                        expert,
                        expert_name: event.actor.name.clone(),
                        until: *until,
                    });
                }
                self.marks.claimed_at.get_or_insert(at);
            }
            Fact::Released { .. } => self.claim = None,
            Fact::ReturnedToBranch { reason } => {
                self.owner = Owner::Branch(self.branch.clone());
                self.claim = None;
                self.return_reason = Some(reason.clone());
            }
            Fact::Dispatched {
                task,
                department,
                department_name,
                question,
                due_at,
            } => {
                self.tasks.push(Task {
                    id: *task,
                    department: *department,
                    department_name: department_name.clone(),
                    question: question.clone(),
                    state: TaskState::Sent,
                    sent_at: at,
                    due_at: *due_at,
                    ended_at: None,
                    reject_reason: None,
                    report: None,
                });
            }
            Fact::TaskAccepted { task } => self.set_task(*task, |t| t.state = TaskState::Accepted),
            Fact::TaskRejected { task, reason } => self.set_task(*task, |t| {
                t.state = TaskState::Rejected;
                t.ended_at = Some(at);
                t.reject_reason = Some(reason.clone());
            }),
            Fact::Reported { task, report } => {
                if let Some(task) = task {
                    self.set_task(*task, |t| {
                        t.state = TaskState::Reported;
                        t.ended_at = Some(at);
                        t.report = Some(report.clone());
                    });
                }
                self.report = Some(report.clone());
                self.marks.reported_at.get_or_insert(at);
            }
            Fact::ApprovalRequested { .. } | Fact::Disapproved { .. } => {}
            Fact::Approved { .. } => self.marks.approved_at = Some(at),
            Fact::SolvingStarted { plan } => self.plan.clone_from(plan),
            Fact::Implemented { .. } => self.marks.implemented_at = Some(at),
            Fact::Answered {
                decision,
                text,
                remedy,
            } => {
                self.answer = Some(Answer {
                    decision: Some(*decision),
                    text: text.clone(),
                    remedy: remedy.clone(),
                    amount_minor: None,
                });
                self.marks.answered_at = Some(at);
            }
            Fact::Settled {
                summary,
                remedy,
                amount_minor,
                ..
            } => {
                self.answer = Some(Answer {
                    decision: None,
                    text: summary.clone(),
                    remedy: remedy.clone(),
                    amount_minor: *amount_minor,
                });
                self.marks.answered_at = Some(at);
            }
            Fact::CalledBack { .. } => self.marks.called_back_at = Some(at),
            Fact::Closed | Fact::Withdrawn { .. } => {
                self.claim = None;
                self.marks.ended_at = Some(at);
            }
            Fact::Reopened { .. } => self.begin_cycle(),
            Fact::AlertAcknowledged => {
                self.marks.alert_acknowledged_at.get_or_insert(at);
            }
            Fact::TakenOver { .. } => {}
            Fact::TimeCorrected { arrived, steps } => self.correct_times(*arrived, steps),
        }
    }

    fn take_packet(&mut self, packet: &HandoffPacket, key: EventKey) {
        // A desk that still has the whole texts keeps them.
        if self.cut || !packet.cut {
            self.intake = packet.intake.clone();
            self.cut = packet.cut;
        }
        self.intake.category.clone_from(&packet.intake.category);
        self.set_grade(packet.grade, packet.recorded_at);
        self.complexity = Some(packet.complexity);
        self.marks.assessed_at.get_or_insert(packet.recorded_at);
        self.covered = Some(Covered {
            device: key.device,
            incarnation: key.incarnation,
            upto_n: packet.upto_n,
        });
    }

    /// Moments are found by the time they have, as the handoff packet tells
    /// some of them without the step they come from. What only the hub writes
    /// is by its own clock and stays.
    fn correct_times(&mut self, arrived: Option<Corrected>, steps: &[CorrectedStep]) {
        let correct = |at: &mut DateTime<Utc>| {
            if let Some(step) = steps.iter().find(|step| step.was == *at) {
                *at = step.is;
            }
        };
        let marks = &mut self.marks;
        correct(&mut self.recorded_at);
        for at in [
            &mut marks.assessed_at,
            &mut marks.handed_off_at,
            &mut marks.grade1_at,
            &mut marks.answered_at,
            &mut marks.ended_at,
        ] {
            at.as_mut().map(correct);
        }
        if let Some(arrived) = arrived.filter(|arrived| arrived.was == self.arrived_at) {
            self.arrived_at = arrived.is;
        }
    }

    fn set_grade(&mut self, grade: Grade, at: DateTime<Utc>) {
        self.grade = Some(grade);
        if grade == Grade::One {
            self.marks.grade1_at.get_or_insert(at);
        }
    }

    fn set_task(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.id == id) {
            change(task);
        }
    }

    /// Reopening begins a new cycle under the same number, with the experts.
    fn begin_cycle(&mut self) {
        self.cycle += 1;
        self.owner = Owner::Team(EXPERT_TEAM.to_owned());
        self.marks = Marks {
            queued_at: self.marks.queued_at,
            ..Marks::default()
        };
        self.claim = None;
        self.tasks.clear();
        self.report = None;
        self.plan.clear();
        self.answer = None;
    }
}
