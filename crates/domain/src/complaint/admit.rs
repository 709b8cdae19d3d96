//! Who may write what, and when: the transition table. What a fact must hold is
//! told in [`super::contents`].

use super::{Complaint, Owner, Paused, Refusal, Task};
use crate::fact::{Fact, FactKind, ReleaseCause};
use crate::ledger::Actor;
use crate::permission;
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
                        FactKind::Queued
                            | FactKind::Reopened
                            | FactKind::Closed
                            | FactKind::Archived
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
            | Fact::Implemented { .. }
            | Fact::Answered { .. }
            | Fact::Paused { .. }
            | Fact::Resumed => true,
            Fact::Graded { .. }
            | Fact::SolvingStarted { .. }
            | Fact::Asked { .. }
            | Fact::TaskRecalled { .. }
            | Fact::ExtensionRequested { .. }
            | Fact::Extended { .. }
            | Fact::ExtensionRefused { .. } => actor.role == Role::Expert,
            Fact::Reported { task, .. } => task.is_none(),
            // Nothing of an answered case goes back into the queue.
            Fact::Released { .. }
                if actor.role == Role::Expert && self.state == State::Answered =>
            {
                return Err(Refusal::State);
            }
            // The program gives back what an account had that was closed.
            Fact::Released { cause, .. } => {
                *cause == ReleaseCause::GivenBack && actor.role != Role::System
            }
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
        let approved = match self.approval() {
            // What was decided last holds: a refusal takes an earlier yes away.
            Some(asked) => asked.is_approved(),
            None => self.marks.approved_at.is_some(),
        };
        self.grade == Some(Grade::One) && !approved
    }

    /// Whether the next vote is the last that is needed. A row of a version
    /// without votes has none, and needs one.
    fn is_last_vote(&self) -> bool {
        let Some(asked) = self.approval() else {
            return true;
        };
        asked.votes.len() + 1 >= usize::from(asked.votes_needed)
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
            Fact::TaskAccepted { .. } | Fact::TaskRejected { .. } | Fact::TaskRecalled { .. } => {
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
            Fact::Approved { .. } => reaches(
                &[AwaitingApproval],
                if self.is_last_vote() {
                    Solving
                } else {
                    AwaitingApproval
                },
            ),
            Fact::CommentsAsked { .. } => reaches(&[AwaitingApproval], now),
            Fact::Commented { .. } if self.approvals.is_empty() => Err(Refusal::State),
            Fact::Commented { .. } => Ok(now),
            Fact::Disapproved { .. } => reaches(&[AwaitingApproval], Analysed),
            // Again while it is solved: the plan is changed.
            Fact::SolvingStarted { .. } => reaches(&[Analysed, Solving], Solving),
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
            Fact::CalledBack { .. }
            | Fact::CallBackTried { .. }
            | Fact::Rated { .. }
            | Fact::FinallyDecided { .. } => reaches(&[Answered, Closed], now),
            Fact::LetterMade { .. } => reaches(&[Answered, Closed, Archived], now),
            Fact::CallBackAssigned { .. } => reaches(&[Answered], now),
            // Measures go on while more is asked or decided.
            Fact::MeasureProgressed { .. } => {
                reaches(&[Dispatched, Analysed, AwaitingApproval, Solving], now)
            }
            Fact::Paused { .. }
            | Fact::Resumed
            | Fact::Asked { .. }
            | Fact::ExtensionRequested { .. }
            | Fact::Extended { .. }
            | Fact::ExtensionRefused { .. } => match now {
                Claimed | Dispatched | Analysed | AwaitingApproval | Solving | Implemented => {
                    Ok(now)
                }
                _ => Err(Refusal::State),
            },
            // An answer that was on its way when the customer got theirs is kept.
            Fact::Replied { .. } if matches!(now, Withdrawn | Archived) => Err(Refusal::State),
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
            | Fact::Replied { .. }
            | Fact::AlertAcknowledged
            | Fact::Escalated { .. }
            | Fact::EscalationSeen { .. }
            | Fact::TimeCorrected { .. } => Ok(now),
        }
    }
}
