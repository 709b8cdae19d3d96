//! Who may write what, and when: the transition table and what a fact must hold.

use super::{Complaint, Owner, Paused, Refusal, Task};
use crate::fact::{Fact, FactKind, ReleaseCause};
use crate::ids::TaskId;
use crate::ledger::Actor;
use crate::permission;
use crate::recusal::MOST_RECUSED;
use crate::staff::Role;
use crate::state::{Grade, State};

impl Complaint {
    /// Whether `actor` may write `fact` now: their role, their branch, the
    /// owner, the state and what the fact must hold.
    pub fn admit(&self, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        let kind = fact.kind();
        if !permission::may_write(actor.role, kind) {
            return Err(Refusal::Role);
        }
        self.admit_recused(actor, fact)?;
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
            | Fact::Answered { .. }
            | Fact::Paused { .. }
            | Fact::Resumed => true,
            Fact::Graded { .. } => actor.role == Role::Expert,
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
            Fact::Recused { staff, .. } if self.is_about(*staff) => Err(Refusal::State),
            Fact::Recused { .. } if self.recused.len() >= MOST_RECUSED => Err(Refusal::State),
            Fact::Recused { name, reason, .. } => given(name).and(given(reason)),
            Fact::RecusalLifted { staff, .. } if !self.is_about(*staff) => Err(Refusal::State),
            Fact::RecusalLifted { reason, .. } => given(reason),
            Fact::Linked { to, relation, .. } => self.admit_link(*to, *relation),
            Fact::Unlinked { to, note } => self.admit_unlink(*to).and(given(note)),
            // Asked afterwards is who has handled it by somebody else.
            Fact::CalledBack { .. } if actor.staff.is_some() && actor.staff == self.answered_by => {
                Err(Refusal::Handler)
            }
            Fact::Assigned { to } => given(&to.name),
            Fact::EvidenceAdded { file } => self.admit_evidence(file),
            Fact::Settled { summary, .. } => given(summary),
            Fact::Answered { text, .. } => given(text),
            Fact::Implemented { summary } => given(summary),
            // What the management group has to approve it also lets go.
            Fact::Graded { .. }
                if self.grade == Some(Grade::One) && actor.role != Role::Management =>
            {
                Err(Refusal::NeedsApproval)
            }
            Fact::ReturnedToBranch { reason }
            | Fact::Withdrawn { reason }
            | Fact::Reopened { reason }
            | Fact::Disapproved { reason }
            | Fact::ApprovalRequested { reason }
            | Fact::Graded { reason, .. }
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
            Fact::Paused { .. } if self.paused().is_some() => Err(Refusal::State),
            Fact::Paused { reason, name, note } => [reason, name, note]
                .into_iter()
                .try_for_each(|text| given(text)),
            Fact::Resumed if self.paused().is_none() => Err(Refusal::State),
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

    /// Whether the claim lapses with its lease: nothing has bound the case to the
    /// expert yet. Whoever waits for the customer keeps the case.
    pub fn lapses(&self) -> bool {
        self.state == State::Claimed && self.pauses.is_empty()
    }

    /// The pause that lasts.
    pub fn paused(&self) -> Option<&Paused> {
        self.pauses.last().filter(|pause| pause.to.is_none())
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
            Fact::Assigned { .. } if now.is_open_in_branch() => Ok(now),
            Fact::Assigned { .. } => Err(Refusal::State),
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
            Fact::Released {
                cause: ReleaseCause::LeaseExpired,
                ..
            } if !self.lapses() => Err(Refusal::State),
            Fact::Released { .. } if now == Claimed => Ok(Queued),
            Fact::Released {
                cause: ReleaseCause::GivenBack | ReleaseCause::Recused,
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
            Fact::Paused { .. } | Fact::Resumed => match now {
                Claimed | Dispatched | Analysed | AwaitingApproval | Solving | Implemented => {
                    Ok(now)
                }
                _ => Err(Refusal::State),
            },
            Fact::Graded { grade, .. } if self.grade == Some(*grade) => Err(Refusal::State),
            Fact::Graded { .. } => match now {
                Queued | Claimed | Dispatched | Analysed | AwaitingApproval | Solving
                | Implemented | Reopened => Ok(now),
                _ => Err(Refusal::State),
            },
            Fact::Escalated { .. } if now.is_finished() && now != Answered => Err(Refusal::State),
            Fact::TakenOver { .. } => {
                if now.is_open_in_branch() {
                    Ok(now)
                } else {
                    Err(Refusal::State)
                }
            }
            Fact::Noted { .. }
            | Fact::Recused { .. }
            | Fact::RecusalLifted { .. }
            | Fact::Linked { .. }
            | Fact::Unlinked { .. }
            | Fact::EvidenceAdded { .. }
            | Fact::AlertAcknowledged
            | Fact::Escalated { .. }
            | Fact::TimeCorrected { .. } => Ok(now),
        }
    }
}
