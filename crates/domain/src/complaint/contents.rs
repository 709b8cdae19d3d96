//! What a fact must hold to be admitted, beside the role, the owner and the
//! state.

use chrono::{DateTime, Utc};

use super::{Complaint, Owner, Refusal};
use crate::fact::{AskedOf, Decision, Fact, Report};
use crate::ids::{MeasureId, QuestionId, TaskId};
use crate::ledger::Actor;
use crate::recusal::MOST_RECUSED;
use crate::staff::Role;
use crate::state::{Grade, State};

/// Of the scale the customer judges by.
const BEST_SCORE: u8 = 5;
/// How often a customer may judge one answer, and reply to one question.
const RATINGS: u32 = 10;
const REPLIES: usize = 10;
/// The least a customer gives who can live with the answer.
const CONTENT_SCORE: u8 = 3;

fn given(text: &str) -> Result<(), Refusal> {
    check(!text.trim().is_empty(), Refusal::Incomplete)
}

fn check(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}

fn is_score(score: u8) -> bool {
    (1..=BEST_SCORE).contains(&score)
}

impl Complaint {
    pub(super) fn admit_content(&self, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        match fact {
            Fact::Noted { text } | Fact::CommentsAsked { text } | Fact::Commented { text, .. } => {
                given(text)
            }
            Fact::Recused {
                staff,
                name,
                reason,
            } => {
                let new = !self.is_about(*staff) && self.recused.len() < MOST_RECUSED;
                check(new, Refusal::State)?;
                given(name).and(given(reason))
            }
            Fact::RecusalLifted { staff, reason } => {
                check(self.is_about(*staff), Refusal::State)?;
                given(reason)
            }
            Fact::Linked { to, relation, .. } => self.admit_link(*to, *relation),
            Fact::Unlinked { to, note } => self.admit_unlink(*to).and(given(note)),
            Fact::EscalationSeen {
                clock,
                task,
                level,
                due,
            } => {
                let name = (*clock, *task, *level, *due);
                let told = self.escalations.iter().any(|told| told.name() == name);
                check(told && actor.staff.is_some(), Refusal::State)
            }
            Fact::Assigned { to } => given(&to.name),
            Fact::EvidenceAdded { file } => self.admit_evidence(file),
            Fact::LetterMade { letter } => self.admit_letter(letter),
            Fact::Settled { summary, .. } => given(summary),
            Fact::Answered {
                decision,
                text,
                reasons,
                ..
            } => {
                given(text)?;
                let explained = *decision == Decision::Upheld || !reasons.trim().is_empty();
                check(explained, Refusal::Incomplete)
            }
            Fact::Implemented { summary } => {
                given(summary)?;
                let done = self.plan.iter().all(|planned| planned.done_at.is_some());
                check(done, Refusal::MeasuresOpen)
            }
            // What the management group has to approve it also lets go.
            Fact::Graded { .. }
                if self.grade == Some(Grade::One) && actor.role != Role::Management =>
            {
                Err(Refusal::NeedsApproval)
            }
            Fact::Reopened { reason } => {
                given(reason)?;
                let ended = self.final_decision.is_some() && actor.role != Role::Management;
                check(!ended, Refusal::FinallyDecided)
            }
            Fact::ReturnedToBranch { reason }
            | Fact::Withdrawn { reason }
            | Fact::Graded { reason, .. }
            | Fact::TakenOver { reason } => given(reason),
            Fact::FinallyDecided { reason } => {
                given(reason)?;
                check(self.final_decision.is_none(), Refusal::FinallyDecided)
            }
            Fact::ApprovalRequested { reason, votes, .. } => {
                given(reason)?;
                check(*votes > 0, Refusal::Incomplete)
            }
            Fact::Approved { .. } => self.admit_vote(actor),
            Fact::Disapproved { reason } => {
                self.admit_vote(actor)?;
                given(reason)
            }
            Fact::Dispatched { question, .. } => given(question),
            Fact::TaskRejected { task, reason } => {
                self.admit_task(*task, actor)?;
                given(reason)
            }
            Fact::TaskRecalled { task, reason } => {
                let open = self.tasks.iter().any(|t| t.id == *task && t.is_open());
                check(open, Refusal::Task)?;
                given(reason)
            }
            Fact::TaskAccepted { task } => self.admit_task(*task, actor),
            Fact::Reported { task, report } => self.admit_report(*task, report, actor),
            Fact::Asked {
                question,
                task,
                text,
                ..
            } => {
                match (actor.role, task) {
                    (Role::Department, Some(task)) => self.admit_task(*task, actor)?,
                    (Role::Department, None) => return Err(Refusal::Task),
                    _ => {}
                }
                let new = self.questions.iter().all(|known| known.id != *question);
                check(new, Refusal::State)?;
                given(text)
            }
            Fact::Replied { question, text } => {
                self.admit_reply(*question, actor)?;
                given(text)
            }
            Fact::ExtensionRequested {
                task,
                reason,
                until,
            } => {
                given(reason)?;
                self.admit_extension(*task, actor)?;
                check(self.extension_asked(*task).is_none(), Refusal::State)?;
                let later = match task {
                    Some(id) => self.tasks.iter().any(|t| t.id == *id && t.due_at < *until),
                    None => *until > self.began_at(),
                };
                check(later, Refusal::TooLate)
            }
            Fact::Extended { task, reason, .. } | Fact::ExtensionRefused { task, reason } => {
                given(reason)?;
                self.admit_extension_answer(*task, actor)
            }
            Fact::Paused { .. } if self.paused().is_some() => Err(Refusal::State),
            Fact::Paused { reason, name, note } => [reason, name, note]
                .into_iter()
                .try_for_each(|text| given(text)),
            Fact::Resumed if self.paused().is_none() => Err(Refusal::State),
            // The program changes a plan, it begins none.
            Fact::SolvingStarted { .. } if actor.role == Role::System => {
                check(self.state == State::Solving, Refusal::State)
            }
            Fact::SolvingStarted { .. } if self.needs_approval() => Err(Refusal::NeedsApproval),
            Fact::MeasureProgressed {
                measure, percent, ..
            } => self.admit_progress(*measure, *percent, actor),
            Fact::CallBackAssigned { to } => {
                check(!self.answered_by(Some(to.staff)), Refusal::Handler)
            }
            Fact::CallBackTried { .. } => check(!self.answered_by(actor.staff), Refusal::Handler),
            Fact::CalledBack { score, .. } => {
                check(!self.answered_by(actor.staff), Refusal::Handler)?;
                check(score.is_none_or(is_score), Refusal::Incomplete)
            }
            Fact::Rated { score, .. } => {
                check(is_score(*score), Refusal::Incomplete)?;
                let times = self.rating.as_ref().map_or(0, |rating| rating.times);
                check(times < RATINGS, Refusal::State)
            }
            Fact::Closed => check(self.may_close(), Refusal::NotCalledBack),
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

    fn admit_report(
        &self,
        task: Option<TaskId>,
        report: &Report,
        actor: &Actor,
    ) -> Result<(), Refusal> {
        if let Some(task) = task {
            self.admit_task(task, actor)?;
        } else if actor.role == Role::Department {
            return Err(Refusal::Task);
        }
        let known = |id| self.evidence.iter().any(|held| held.file.id == id);
        let whole = report.is_complete() && report.attachments.iter().all(|&id| known(id));
        check(whole, Refusal::Incomplete)
    }

    /// A question to the branch is not the customer's to answer; one to the
    /// customer may be answered by whoever heard the answer.
    fn admit_reply(&self, id: QuestionId, actor: &Actor) -> Result<(), Refusal> {
        let question = self.questions.iter().find(|question| question.id == id);
        let question = question.ok_or(Refusal::State)?;
        let customer = actor.role == Role::Customer;
        let theirs = question.of == AskedOf::Customer || !customer;
        check(theirs, Refusal::Role)?;
        // Nobody stands between the customer's keyboard and the ledger.
        check(
            !customer || question.replies.len() < REPLIES,
            Refusal::State,
        )
    }

    /// The expert asks for the outer limit, a department for its own task; each
    /// once a cycle.
    fn admit_extension(&self, task: Option<TaskId>, actor: &Actor) -> Result<(), Refusal> {
        match task {
            Some(task) => self.admit_task(task, actor)?,
            None => check(actor.role == Role::Expert, Refusal::Task)?,
        }
        let first = self.extension_granted(task).is_none();
        check(first, Refusal::ExtendedAlready)
    }

    /// The management group answers for the outer limit, the expert for a task.
    fn admit_extension_answer(&self, task: Option<TaskId>, actor: &Actor) -> Result<(), Refusal> {
        let by = match task {
            Some(_) => Role::Expert,
            None => Role::Management,
        };
        check(actor.role == by, Refusal::Role)?;
        check(self.extension_asked(task).is_some(), Refusal::State)
    }

    /// Two persons decide: nobody on their own request, nobody twice.
    fn admit_vote(&self, actor: &Actor) -> Result<(), Refusal> {
        let Some(asked) = self.approval() else {
            return Ok(());
        };
        let voted = asked.votes.iter().any(|vote| vote.staff == actor.staff);
        let own = asked.asked_by.is_some() && asked.asked_by == actor.staff;
        check(!voted && !own, Refusal::SamePerson)
    }

    fn admit_progress(&self, id: MeasureId, percent: u8, actor: &Actor) -> Result<(), Refusal> {
        let planned = self.plan.iter().find(|planned| planned.measure.id == id);
        let planned = planned.ok_or(Refusal::State)?;
        let holds = self.claim.as_ref().map(|claim| claim.expert);
        let may =
            actor.staff.is_some() && (actor.staff == planned.measure.staff || actor.staff == holds);
        check(may, Refusal::Task)?;
        check(percent <= 100, Refusal::Incomplete)
    }

    /// Whether this person gave the answer of this cycle.
    fn answered_by(&self, staff: Option<crate::ids::StaffId>) -> bool {
        let by = self.answer.as_ref().and_then(|answer| answer.by);
        by.is_some() && by == staff
    }

    /// A case of the experts ends when the customer is content, cannot be
    /// reached, or the management group has decided for good (product.md, "until
    /// satisfied"). What a branch settled it may end itself.
    fn may_close(&self) -> bool {
        matches!(self.owner, Owner::Branch(_))
            || self.content_since().is_some()
            || self.final_decision.is_some()
    }

    /// Whether the customer has said that the answer is not good.
    pub fn is_discontent(&self) -> bool {
        let rated = self.rating.as_ref();
        self.call_back.satisfied == Some(false)
            || rated.is_some_and(|rating| rating.score < CONTENT_SCORE)
    }

    /// Since when the customer is content, as far as is known, or can be taken
    /// to be: nobody reached them.
    pub fn content_since(&self) -> Option<DateTime<Utc>> {
        if self.is_discontent() {
            return None;
        }
        let asked = self.marks.called_back_at;
        let content = asked.filter(|_| self.call_back.satisfied == Some(true));
        let rated = self.rating.as_ref();
        let rated = rated.filter(|rating| rating.score >= CONTENT_SCORE);
        content
            .or(rated.map(|rating| rating.at))
            .or(self.call_back.given_up())
    }
}
