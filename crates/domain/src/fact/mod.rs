//! What can happen to a complaint. A fact is written once and never changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clocks::Clock;
use crate::escalation::Level;
use crate::evidence::Evidence;
use crate::ids::{ComplaintId, LeaseId, MeasureId, QuestionId, StaffId, TaskId};
use crate::intake::Intake;
use crate::letter::Letter;
use crate::link::Relation;
use crate::packet::HandoffPacket;
use crate::reference::ReferenceNumber;
use crate::state::{Complexity, Grade};

mod kind;
mod parts;

pub use kind::FactKind;
pub use parts::*;

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    Recorded {
        reference: ReferenceNumber,
        intake: Box<Intake>,
        arrived_at: DateTime<Utc>,
        /// Recorded after the fact: a row of the past, or typed up after an outage.
        late: bool,
        source: Source,
    },
    Assessed {
        category: String,
        grade: Grade,
        complexity: Complexity,
        suggestion: Option<SuggestionTrace>,
        /// Why the person decided otherwise; required when they did.
        override_reason: Option<String>,
    },
    KeptInBranch,
    HandedOff {
        packet: Box<HandoffPacket>,
        cause: HandoffCause,
    },
    Noted {
        text: String,
    },
    /// A file that belongs to the complaint; its contents follow in lane 2.
    EvidenceAdded {
        file: Evidence,
    },
    /// The hub accepted the handoff: it is in the experts' queue and theirs.
    Queued,
    Claimed {
        lease: LeaseId,
        until: DateTime<Utc>,
    },
    Released {
        lease: LeaseId,
        cause: ReleaseCause,
    },
    ReturnedToBranch {
        reason: String,
    },
    Dispatched {
        task: TaskId,
        /// The department account.
        department: StaffId,
        department_name: String,
        question: String,
        due_at: DateTime<Utc>,
    },
    TaskAccepted {
        task: TaskId,
    },
    TaskRejected {
        task: TaskId,
        reason: String,
    },
    Reported {
        /// Absent when the expert analysed it alone.
        task: Option<TaskId>,
        report: Report,
    },
    /// The expert takes a task back before the department has reported.
    TaskRecalled {
        task: TaskId,
        reason: String,
    },
    /// More is needed from the branch or from the customer.
    Asked {
        question: QuestionId,
        of: AskedOf,
        /// For which dispatch, when a department asks.
        task: Option<TaskId>,
        text: String,
    },
    /// The answer to a question.
    Replied {
        question: QuestionId,
        text: String,
    },
    /// More time is asked for, before the deadline: for the outer limit, or for
    /// a department's task.
    ExtensionRequested {
        task: Option<TaskId>,
        until: DateTime<Utc>,
        reason: String,
    },
    /// It is granted, once a cycle for each deadline.
    Extended {
        task: Option<TaskId>,
        until: DateTime<Utc>,
        reason: String,
    },
    ExtensionRefused {
        task: Option<TaskId>,
        reason: String,
    },
    ApprovalRequested {
        reason: String,
        /// What the customer is to get, in the smallest unit of the currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compensation_minor: Option<u32>,
        /// How many members of the management group have to approve.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        votes: u8,
    },
    /// One member's vote for it. With the last that is needed it is approved.
    Approved {
        comment: String,
        /// What is to be done otherwise than proposed; empty for nothing.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        changes: String,
        /// The most the customer may get, where that is another sum than was
        /// asked for; in the smallest unit of the currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compensation_minor: Option<u32>,
    },
    Disapproved {
        reason: String,
    },
    /// The management group wants to hear others before it decides.
    CommentsAsked {
        text: String,
    },
    /// What somebody thinks of what is to be approved, or was.
    Commented {
        text: String,
        stance: Stance,
    },
    SolvingStarted {
        plan: Vec<Measure>,
    },
    /// How far a measure of the plan has come.
    MeasureProgressed {
        measure: MeasureId,
        /// In hundredths; at 100 it is done.
        percent: u8,
        note: String,
    },
    Implemented {
        summary: String,
    },
    /// The answer to the customer.
    Answered {
        decision: Decision,
        text: String,
        remedy: String,
        /// Why it was decided so; required unless the complaint is upheld.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reasons: String,
        /// What the customer gets, in the smallest unit of the currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount_minor: Option<u32>,
        /// Where the customer may turn to who does not agree.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        next_level: String,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_level_until: Option<DateTime<Utc>>,
        /// Category and version of the guidance in force when it was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guidance: Option<GuidanceUsed>,
        /// Why it was answered otherwise than the guidance says; empty where
        /// it was not.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        deviation: String,
    },
    /// A simple complaint settled at the counter, with its short written summary.
    Settled {
        summary: String,
        remedy: String,
        #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
        amount_minor: Option<i64>,
        /// Category and version of the guidance shown when it was settled.
        guidance: Option<GuidanceUsed>,
        /// Why it was settled otherwise than the guidance says; empty where it
        /// was not.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        deviation: String,
    },
    /// Who is to ask the customer afterwards.
    CallBackAssigned {
        to: Assignee,
    },
    /// The customer was not reached.
    CallBackTried {
        outcome: TryOutcome,
        comment: String,
    },
    CalledBack {
        satisfied: bool,
        comment: String,
        /// 1 to 5.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<u8>,
        /// Why the customer is not satisfied.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        causes: Vec<Dissatisfaction>,
    },
    /// The customer's own judgement of the answer.
    Rated {
        /// 1 to 5.
        score: u8,
        comment: String,
    },
    /// The management group ends it: it is not reopened again.
    FinallyDecided {
        reason: String,
    },
    Closed,
    Withdrawn {
        reason: String,
    },
    Reopened {
        reason: String,
    },
    Archived,
    /// A manager has seen the grade-1 alert.
    AlertAcknowledged,
    /// A manager took the case over from a dead PC.
    TakenOver {
        reason: String,
    },
    /// The branch manager gives the complaint to one of the branch's staff. The
    /// branch owns it as before.
    Assigned {
        to: Assignee,
    },
    /// The clocks that the reason lets stand still do, from here on.
    Paused {
        /// Of the policy's pauses.
        reason: String,
        /// What people read for the reason.
        name: String,
        /// What is waited for.
        note: String,
    },
    /// They go on.
    Resumed,
    /// The grade was judged anew.
    Graded {
        grade: Grade,
        reason: String,
    },
    /// Somebody was told of a deadline that came near or was missed.
    Escalated {
        clock: Clock,
        task: Option<TaskId>,
        level: Level,
        due: DateTime<Utc>,
        /// Those of them with a duty telephone were texted as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        texted: bool,
    },
    /// Somebody who was told has seen it.
    EscalationSeen {
        clock: Clock,
        task: Option<TaskId>,
        level: Level,
        due: DateTime<Utc>,
    },
    /// A file of the answer was made for the customer; the hub keeps it.
    LetterMade {
        letter: Letter,
    },
    /// It is about this member of staff: they and their direct line can neither
    /// see nor handle it from here on.
    Recused {
        staff: StaffId,
        name: String,
        reason: String,
    },
    /// It proved not to be.
    RecusalLifted {
        staff: StaffId,
        reason: String,
    },
    /// It refers to another complaint.
    Linked {
        to: ComplaintId,
        reference: ReferenceNumber,
        relation: Relation,
        note: String,
    },
    /// It no longer does.
    Unlinked {
        to: ComplaintId,
        note: String,
    },
    /// At the contact with the hub, times written before it under a wrong
    /// clock proved wrong. The steps stay as they were sealed; from here on
    /// these times count.
    TimeCorrected {
        /// The customer's arrival, when it has to be corrected.
        arrived: Option<Corrected>,
        steps: Vec<CorrectedStep>,
    },
}

fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_one(votes: &u8) -> bool {
    *votes == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_names_are_what_serde_writes() {
        for kind in FactKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let json = serde_json::to_value(Fact::Noted { text: "x".into() }).unwrap();
        assert_eq!(json["kind"], FactKind::Noted.name());
    }
}
