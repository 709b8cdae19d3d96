//! What the customer is shown of a complaint: the four states with their
//! times, what comes next and by when, and the answer. No name, number, member
//! of staff, department or internal remark is among it: who asks has shown four
//! digits, and the paper with the key may lie in other hands.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::clocks::{self, Clock, Deadline};
use suda_domain::complaint::Answer;
use suda_domain::fact::{AskedOf, Decision};
use suda_domain::personal::of_customer;
use suda_domain::time::Zone;
use suda_domain::{
    Actor, Complaint, CustomerState, Fact, QuestionId, ReferenceNumber, Refusal, Role, StaffId,
    State,
};
use utoipa::ToSchema;

use crate::store::Settings;

/// A complaint on the status page. Moments are in the installation's civil
/// time: what stands before the offset is what the clock on its walls shows,
/// wherever the reader is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusCase {
    pub reference: ReferenceNumber,
    pub organisation: String,
    /// From 1; each reopening begins another.
    pub cycle: u32,
    /// The present one of the four states.
    pub state: CustomerState,
    /// The four states in order.
    pub steps: Vec<StatusStep>,
    pub next: StatusNext,
    /// The answer of the present cycle.
    pub answer: Option<StatusAnswer>,
    /// The answers of earlier cycles, the latest first.
    pub earlier: Vec<StatusAnswer>,
    /// What is asked of the customer, the open ones first.
    pub questions: Vec<StatusQuestion>,
    pub rating: Option<StatusRating>,
    pub may: StatusMay,
    /// Files of the customer's own.
    pub files: u32,
    /// The hub's time.
    pub now: DateTime<FixedOffset>,
}

/// One of the four states.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusStep {
    pub state: CustomerState,
    /// When it was reached in this cycle; absent when it was not, or was not
    /// needed.
    pub at: Option<DateTime<FixedOffset>>,
}

/// What happens now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusStage {
    /// The branch is at it.
    InBranch,
    /// The experts are at it.
    WithExperts,
    Investigating,
    Solving,
    /// Answered; the customer will be called.
    CallBack,
    Closed,
    Withdrawn,
}

/// What comes next and by when.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusNext {
    pub stage: StatusStage,
    /// The first word to the customer, while it is still to come.
    pub first_word_by: Option<DateTime<FixedOffset>>,
    /// The answer, or after it the call.
    pub by: Option<DateTime<FixedOffset>>,
    /// That time has passed.
    pub late: bool,
    /// The time stands still because the customer is waited for.
    pub waiting: bool,
}

/// An answer as it was given.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusAnswer {
    pub cycle: u32,
    pub at: DateTime<FixedOffset>,
    pub decision: Option<Decision>,
    pub text: String,
    pub reasons: String,
    pub remedy: String,
    /// Where to turn to with it, and until when.
    pub next_level: String,
    pub next_level_until: Option<DateTime<FixedOffset>>,
}

/// A question to the customer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusQuestion {
    pub id: QuestionId,
    pub text: String,
    pub asked_at: DateTime<FixedOffset>,
    pub replied_at: Option<DateTime<FixedOffset>>,
}

/// The customer's own judgement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusRating {
    /// 1 to 5.
    pub score: u8,
    pub at: DateTime<FixedOffset>,
}

/// What the customer can do now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusMay {
    pub rate: bool,
    pub reopen: bool,
    /// Answered for good: it is not reopened, and the answer names who decides
    /// next.
    pub finally_decided: bool,
    pub evidence: bool,
}

/// Turns a complaint into what its customer sees.
pub struct Viewing<'c> {
    pub complaint: &'c Complaint,
    pub settings: &'c Settings,
    pub now: DateTime<Utc>,
    /// Names of those who answered, as [`answered_by`] names them.
    pub staff: &'c [String],
}

/// Who gave the answers of the complaint.
pub fn answered_by(complaint: &Complaint) -> impl Iterator<Item = StaffId> {
    let past = complaint.past.iter().map(|cycle| &cycle.answer);
    let answers = past.chain([&complaint.answer]).flatten();
    answers.filter_map(|answer| answer.by)
}

impl Viewing<'_> {
    /// None for a draft, which is no complaint yet.
    pub fn view(&self) -> Option<StatusCase> {
        let complaint = self.complaint;
        let state = complaint.state.customer_state()?;
        let answered_at = complaint.marks.answered_at;
        let answer = complaint.answer.as_ref().zip(answered_at);
        Some(StatusCase {
            reference: complaint.reference.clone(),
            organisation: self.settings.organisation.clone(),
            cycle: complaint.cycle,
            state,
            steps: self.steps(state),
            next: self.next(),
            answer: answer.map(|(answer, at)| self.answer(complaint.cycle, answer, at)),
            earlier: self.earlier(),
            questions: self.questions(),
            rating: complaint.rating.as_ref().map(|rating| StatusRating {
                score: rating.score,
                at: self.local(rating.at),
            }),
            may: may(complaint),
            files: own_files(complaint),
            now: self.local(self.now),
        })
    }

    fn zone(&self) -> Zone {
        self.settings.time.zone_at(self.now)
    }

    fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        at.with_timezone(&self.zone().offset_at(at))
    }

    fn steps(&self, now: CustomerState) -> Vec<StatusStep> {
        let marks = &self.complaint.marks;
        let begun = self.complaint.reopened_at;
        let begun = begun.unwrap_or(self.complaint.recorded_at);
        let dispatched = self.complaint.tasks.iter().map(|task| task.sent_at).min();
        let reached = [
            (CustomerState::Accepted, Some(begun)),
            (CustomerState::Dispatched, dispatched),
            (CustomerState::Investigated, marks.reported_at),
            (
                CustomerState::Completed,
                marks.answered_at.or(marks.ended_at),
            ),
        ];
        let step = |(state, at): (CustomerState, Option<DateTime<Utc>>)| StatusStep {
            state,
            at: at.filter(|_| state <= now).map(|at| self.local(at)),
        };
        reached.into_iter().map(step).collect()
    }

    fn next(&self) -> StatusNext {
        let stage = stage(self.complaint);
        let deadlines = clocks::deadlines(self.complaint, &self.settings.time);
        let running = |clock| {
            let of = |deadline: &&Deadline| deadline.clock == clock && deadline.is_running();
            deadlines.iter().find(of)
        };
        let due = match stage {
            StatusStage::Closed | StatusStage::Withdrawn => None,
            StatusStage::CallBack => running(Clock::CallBack),
            // Of time that was granted the customer has been told.
            _ if self.complaint.extension_granted(None).is_some() => running(Clock::OuterLimit),
            _ => running(Clock::Cycle),
        };
        let first = running(Clock::FirstResponse).map(|deadline| deadline.due);
        let still_to_come = first.filter(|at| *at > self.now);
        StatusNext {
            stage,
            first_word_by: still_to_come.map(|at| self.local(at)),
            by: due.map(|deadline| self.local(deadline.due)),
            late: due.is_some_and(|deadline| deadline.is_breached(self.now)),
            waiting: self.complaint.paused().is_some(),
        }
    }

    fn answer(&self, cycle: u32, answer: &Answer, at: DateTime<Utc>) -> StatusAnswer {
        StatusAnswer {
            cycle,
            at: self.local(at),
            decision: answer.decision,
            text: self.veiled(&answer.text),
            reasons: self.veiled(&answer.reasons),
            remedy: self.veiled(&answer.remedy),
            next_level: self.veiled(&answer.next_level),
            next_level_until: answer.next_level_until.map(|until| self.local(until)),
        }
    }

    fn earlier(&self) -> Vec<StatusAnswer> {
        let past = self.complaint.past.iter().rev();
        let answered = past.filter_map(|cycle| {
            let (answer, at) = cycle.answer.as_ref().zip(cycle.marks.answered_at)?;
            Some(self.answer(cycle.number, answer, at))
        });
        answered.collect()
    }

    fn questions(&self) -> Vec<StatusQuestion> {
        let asked = self.complaint.questions.iter();
        let mut questions: Vec<_> = asked
            .filter(|question| question.of == AskedOf::Customer)
            .map(|question| StatusQuestion {
                id: question.id,
                text: self.veiled(&question.text),
                asked_at: self.local(question.at),
                replied_at: question.replies.last().map(|reply| self.local(reply.at)),
            })
            .collect();
        questions.sort_by_key(|question| question.replied_at.is_some());
        questions
    }

    /// A text written to the customer may address them by name or sign with
    /// one; on this page neither is shown.
    pub fn veiled(&self, text: &str) -> String {
        let complaint = self.complaint;
        let mut secrets = of_customer(&complaint.intake);
        secrets.push(&complaint.recorded_by.name);
        secrets.extend(
            complaint
                .claim
                .as_ref()
                .map(|claim| claim.expert_name.as_str()),
        );
        secrets.extend(self.staff.iter().map(String::as_str));
        let questions = complaint.questions.iter();
        secrets.extend(questions.map(|question| question.by_name.as_str()));
        // A longer one may hold a shorter one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let shown = secrets
            .iter()
            .map(|secret| secret.trim())
            .filter(|secret| secret.chars().count() >= 2);
        shown.fold(text.to_owned(), |text, secret| text.replace(secret, VEIL))
    }
}

const VEIL: &str = "＊＊";

fn may(complaint: &Complaint) -> StatusMay {
    let admits = |fact: Fact| complaint.admit(&Actor::customer(), &fact);
    let reopening = admits(Fact::Reopened {
        reason: "…".to_owned(),
    });
    let rating = admits(Fact::Rated {
        score: 5,
        comment: String::new(),
    });
    StatusMay {
        rate: rating.is_ok(),
        reopen: reopening.is_ok(),
        finally_decided: reopening == Err(Refusal::FinallyDecided),
        evidence: may_add_file(complaint),
    }
}

/// Files a customer may add to a complaint, beside those of the branch.
pub const MOST_FILES: u32 = 10;

/// Not to what has ended for good, and no more than so many.
pub fn may_add_file(complaint: &Complaint) -> bool {
    let has_ended = matches!(complaint.state, State::Withdrawn | State::Archived);
    !has_ended && own_files(complaint) < MOST_FILES
}

fn own_files(complaint: &Complaint) -> u32 {
    let held = complaint.evidence.iter();
    let own = held.filter(|held| held.added_by.role == Role::Customer);
    u32::try_from(own.count()).unwrap_or(u32::MAX)
}

fn stage(complaint: &Complaint) -> StatusStage {
    match complaint.state {
        State::Draft
        | State::Recorded
        | State::Assessed
        | State::InBranch
        | State::ReturnedToBranch => StatusStage::InBranch,
        State::HandoffPending | State::Queued | State::Claimed | State::Reopened => {
            StatusStage::WithExperts
        }
        State::Dispatched => StatusStage::Investigating,
        State::Analysed | State::AwaitingApproval | State::Solving | State::Implemented => {
            StatusStage::Solving
        }
        State::Answered => StatusStage::CallBack,
        State::Closed | State::Archived => StatusStage::Closed,
        State::Withdrawn => StatusStage::Withdrawn,
    }
}
