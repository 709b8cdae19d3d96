//! Folding the course of a case at the centre: questions, more time, approval,
//! the plan, the call-back, and the cycles.

use chrono::{DateTime, Utc};

use super::{
    Approval, Complaint, EXPERT_TEAM, Extension, ExtensionOutcome, Marks, Opinion, Owner,
    PastCycle, Planned, Question, Rating, Reply, Try, Vote,
};
use crate::fact::{Fact, Measure};
use crate::ids::{MeasureId, TaskId};
use crate::ledger::{Actor, LedgerEvent};
use crate::state::Grade;

impl Complaint {
    pub(super) fn take_course(&mut self, event: &LedgerEvent, at: DateTime<Utc>) {
        let actor = &event.actor;
        match &event.fact {
            Fact::Asked {
                question,
                of,
                task,
                text,
            } => self.questions.push(Question {
                id: *question,
                of: *of,
                task: *task,
                text: text.clone(),
                by_name: actor.name.clone(),
                at,
                replies: Vec::new(),
            }),
            Fact::Replied { question, text } => {
                let mut asked = self.questions.iter_mut();
                if let Some(asked) = asked.find(|asked| asked.id == *question) {
                    asked.replies.push(Reply {
                        text: text.clone(),
                        by: actor.role,
                        by_name: actor.name.clone(),
                        at,
                    });
                }
            }
            Fact::ExtensionRequested {
                task,
                until,
                reason,
            } => self.extensions.push(Extension {
                task: *task,
                until: *until,
                reason: reason.clone(),
                asked_by: actor.staff,
                asked_by_name: actor.name.clone(),
                asked_at: at,
                outcome: None,
            }),
            Fact::Extended {
                task,
                until,
                reason,
            } => {
                self.end_request(*task, true, reason, actor, at);
                if let Some(granted) = self.extensions.iter_mut().rev().find(|e| e.task == *task) {
                    granted.until = *until;
                }
                if let Some(task) = self.tasks.iter_mut().find(|t| Some(t.id) == *task) {
                    task.due_at = *until;
                }
            }
            Fact::ExtensionRefused { task, reason } => {
                self.end_request(*task, false, reason, actor, at);
            }
            Fact::SolvingStarted { plan } => {
                self.plan = planned(plan, &self.plan);
                self.marks.solving_at.get_or_insert(at);
            }
            Fact::MeasureProgressed {
                measure,
                percent,
                note,
            } => {
                let mut plan = self.plan.iter_mut();
                if let Some(planned) = plan.find(|planned| planned.measure.id == *measure) {
                    planned.percent = *percent;
                    planned.note.clone_from(note);
                    planned.told_at = Some(at);
                    planned.done_at = (*percent >= 100).then_some(at);
                }
            }
            Fact::CallBackAssigned { to } => self.call_back.assigned = Some(to.clone()),
            Fact::CallBackTried { outcome, comment } => self.call_back.tries.push(Try {
                outcome: *outcome,
                comment: comment.clone(),
                by_name: actor.name.clone(),
                at,
            }),
            Fact::CalledBack {
                satisfied,
                score,
                causes,
                ..
            } => {
                self.marks.called_back_at = Some(at);
                self.call_back.satisfied = Some(*satisfied);
                self.call_back.score = *score;
                self.call_back.causes.clone_from(causes);
            }
            Fact::Rated { score, comment } => {
                let before = self.rating.as_ref().map_or(0, |rating| rating.times);
                self.rating = Some(Rating {
                    times: before.saturating_add(1),
                    score: *score,
                    comment: comment.clone(),
                    at,
                });
            }
            Fact::FinallyDecided { reason } => {
                self.final_decision = Some(reason.clone());
                self.marks.decided_at = Some(at);
            }
            other => self.take_decision(other, actor, at),
        }
    }

    /// What the management group is asked and says.
    fn take_decision(&mut self, fact: &Fact, actor: &Actor, at: DateTime<Utc>) {
        if let Fact::ApprovalRequested {
            reason,
            compensation_minor,
            votes,
        } = fact
        {
            self.approvals.push(Approval {
                reason: reason.clone(),
                compensation_minor: *compensation_minor,
                votes_needed: *votes,
                asked_by: actor.staff,
                asked_by_name: actor.name.clone(),
                asked_at: at,
                votes: Vec::new(),
                comments_asked: None,
                comments: Vec::new(),
                refused: None,
            });
            return;
        }
        let vote = |comment: &str, changes: &str, compensation_minor: Option<u32>| Vote {
            staff: actor.staff,
            name: actor.name.clone(),
            comment: comment.to_owned(),
            changes: changes.to_owned(),
            compensation_minor,
            at,
        };
        // A row of a version without requests has none to add to.
        let mut asked = self.approvals.last_mut();
        match fact {
            Fact::Approved {
                comment,
                changes,
                compensation_minor,
            } => {
                if let Some(asked) = &mut asked {
                    asked
                        .votes
                        .push(vote(comment, changes, *compensation_minor));
                }
                if asked.is_none_or(|asked| asked.is_approved()) {
                    self.marks.approved_at = Some(at);
                    self.marks.solving_at = Some(at);
                }
            }
            Fact::Disapproved { reason } => {
                if let Some(asked) = asked {
                    asked.refused = Some(vote(reason, "", None));
                }
            }
            Fact::CommentsAsked { text } => {
                if let Some(asked) = asked {
                    asked.comments_asked = Some(text.clone());
                }
            }
            Fact::Commented { text, stance } => {
                if let Some(asked) = asked {
                    asked.comments.push(Opinion {
                        name: actor.name.clone(),
                        role: actor.role,
                        text: text.clone(),
                        stance: *stance,
                        at,
                    });
                }
            }
            _ => {}
        }
    }

    fn end_request(
        &mut self,
        task: Option<TaskId>,
        granted: bool,
        reason: &str,
        actor: &Actor,
        at: DateTime<Utc>,
    ) {
        let open = |one: &&mut Extension| one.task == task && one.outcome.is_none();
        if let Some(request) = self.extensions.iter_mut().rev().find(open) {
            request.outcome = Some(ExtensionOutcome {
                granted,
                reason: reason.to_owned(),
                by_name: actor.name.clone(),
                at,
            });
        }
    }

    /// Reopening begins a new cycle under the same number, with the experts.
    /// The figures of the one before are kept.
    pub(super) fn begin_cycle(&mut self, at: DateTime<Utc>, reason: &str) {
        self.past.push(PastCycle {
            number: self.cycle,
            began_at: self.began_at(),
            marks: self.marks.clone(),
            answer: self.answer.take(),
            call_back: std::mem::take(&mut self.call_back),
            rating: self.rating.take(),
            pauses: std::mem::take(&mut self.pauses),
            extensions: std::mem::take(&mut self.extensions),
            reopened_at: at,
            reason: reason.to_owned(),
        });
        self.cycle += 1;
        self.reopened_at = Some(at);
        self.owner = Owner::Team(EXPERT_TEAM.to_owned());
        self.marks = Marks {
            queued_at: self.marks.queued_at,
            // Management hears of it again.
            grade1_at: (self.grade == Some(Grade::One)).then_some(at),
            ..Marks::default()
        };
        self.claim = None;
        self.tasks.clear();
        self.report = None;
        self.plan.clear();
        self.approvals.clear();
        self.escalations.clear();
        self.seen.clear();
        self.final_decision = None;
    }
}

/// Measures without an id get one by their place. A plan that is changed keeps
/// the progress of what stays.
fn planned(plan: &[Measure], before: &[Planned]) -> Vec<Planned> {
    let numbered = plan.iter().enumerate().map(|(place, measure)| {
        let mut measure = measure.clone();
        if measure.id == MeasureId::nil() {
            measure.id = MeasureId::of_place(place);
        }
        match before.iter().find(|known| known.measure.id == measure.id) {
            Some(known) => Planned {
                measure,
                ..known.clone()
            },
            None => Planned {
                measure,
                percent: 0,
                note: String::new(),
                told_at: None,
                done_at: None,
            },
        }
    });
    numbered.collect()
}
