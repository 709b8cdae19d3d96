//! What can happen to a complaint. A fact is written once and never changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clocks::Clock;
use crate::escalation::Level;
use crate::evidence::Evidence;
use crate::ids::{ComplaintId, LeaseId, StaffId, TaskId};
use crate::intake::Intake;
use crate::link::Relation;
use crate::packet::HandoffPacket;
use crate::reference::ReferenceNumber;
use crate::state::{Complexity, Grade};

/// Where a record came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Form,
    Import,
}

/// What the rules had proposed, kept beside what was decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuggestionTrace {
    pub category: Option<String>,
    pub grade: Grade,
    pub complexity: Complexity,
    /// Ids of the rules that decided.
    pub rules: Vec<String>,
    /// Version of the rule file.
    pub version: u32,
}

/// Why a complaint was handed off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HandoffCause {
    /// A person judged it complex.
    Manual,
    /// The hour was running out.
    Automatic,
    Import,
}

/// How a claim ended without work.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseCause {
    GivenBack,
    LeaseExpired,
    /// It proved to be about the expert, or about somebody below them.
    Recused,
}

/// Whether the customer was right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Upheld,
    PartlyUpheld,
    NotUpheld,
}

/// One measure of a solution plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measure {
    pub what: String,
    pub responsible: String,
    pub due_at: DateTime<Utc>,
}

/// The initial analysis report (初步分析报告); all three parts are required.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    pub root_cause: String,
    pub impact: String,
    pub proposal: String,
}

impl Report {
    /// Whether all three parts are there.
    pub fn is_complete(&self) -> bool {
        [&self.root_cause, &self.impact, &self.proposal]
            .into_iter()
            .all(|part| !part.trim().is_empty())
    }
}

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
    ApprovalRequested {
        reason: String,
    },
    Approved {
        comment: String,
    },
    Disapproved {
        reason: String,
    },
    SolvingStarted {
        plan: Vec<Measure>,
    },
    Implemented {
        summary: String,
    },
    /// The answer to the customer.
    Answered {
        decision: Decision,
        text: String,
        remedy: String,
    },
    /// A simple complaint settled at the counter, with its short written summary.
    Settled {
        summary: String,
        remedy: String,
        #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
        amount_minor: Option<i64>,
        /// Category and version of the guidance shown when it was settled.
        guidance: Option<GuidanceUsed>,
    },
    CalledBack {
        satisfied: bool,
        comment: String,
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

/// Who of the branch is to see to a complaint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignee {
    pub staff: StaffId,
    pub name: String,
}

/// A time as it stood and as it counts now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Corrected {
    pub was: DateTime<Utc>,
    pub is: DateTime<Utc>,
}

/// The corrected time of one step of the same device and incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CorrectedStep {
    /// The lane's number.
    pub lane: u8,
    /// The step's number in that lane.
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub n: u64,
    pub was: DateTime<Utc>,
    pub is: DateTime<Utc>,
}

/// Which guidance was in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuidanceUsed {
    pub category: String,
    pub version: u32,
}

macro_rules! kinds {
    ($($kind:ident => $name:literal),+ $(,)?) => {
        /// A fact without its contents: what permissions and transitions are keyed by.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "specta", derive(specta::Type))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum FactKind { $($kind),+ }

        impl FactKind {
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name on the wire and in databases.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }
        }

        impl Fact {
            pub fn kind(&self) -> FactKind {
                match self { $(Self::$kind { .. } => FactKind::$kind),+ }
            }
        }
    };
}

kinds! {
    Recorded => "recorded",
    Assessed => "assessed",
    KeptInBranch => "kept_in_branch",
    HandedOff => "handed_off",
    Noted => "noted",
    EvidenceAdded => "evidence_added",
    Queued => "queued",
    Claimed => "claimed",
    Released => "released",
    ReturnedToBranch => "returned_to_branch",
    Dispatched => "dispatched",
    TaskAccepted => "task_accepted",
    TaskRejected => "task_rejected",
    Reported => "reported",
    ApprovalRequested => "approval_requested",
    Approved => "approved",
    Disapproved => "disapproved",
    SolvingStarted => "solving_started",
    Implemented => "implemented",
    Answered => "answered",
    Settled => "settled",
    CalledBack => "called_back",
    Closed => "closed",
    Withdrawn => "withdrawn",
    Reopened => "reopened",
    Archived => "archived",
    AlertAcknowledged => "alert_acknowledged",
    TakenOver => "taken_over",
    TimeCorrected => "time_corrected",
    Assigned => "assigned",
    Paused => "paused",
    Resumed => "resumed",
    Graded => "graded",
    Escalated => "escalated",
    Recused => "recused",
    RecusalLifted => "recusal_lifted",
    Linked => "linked",
    Unlinked => "unlinked",
}

impl FactKind {
    /// Which facts give the complaint a new owner, and so a new owner number.
    pub fn moves_ownership(self) -> bool {
        matches!(
            self,
            Self::Queued | Self::ReturnedToBranch | Self::Reopened | Self::TakenOver
        )
    }

    /// Which facts anybody allowed to may add whoever owns the complaint:
    /// they say something and change no state.
    pub fn is_remark(self) -> bool {
        matches!(
            self,
            Self::Noted
                | Self::EvidenceAdded
                | Self::TaskAccepted
                | Self::AlertAcknowledged
                | Self::CalledBack
                | Self::TimeCorrected
                | Self::Escalated
                | Self::Recused
                | Self::RecusalLifted
                | Self::Linked
                | Self::Unlinked
        )
    }
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
