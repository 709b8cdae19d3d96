//! A fact without its contents: what permissions and transitions are keyed by.

use serde::{Deserialize, Serialize};

use super::Fact;

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
    EscalationSeen => "escalation_seen",
    TaskRecalled => "task_recalled",
    Asked => "asked",
    Replied => "replied",
    ExtensionRequested => "extension_requested",
    Extended => "extended",
    ExtensionRefused => "extension_refused",
    CommentsAsked => "comments_asked",
    Commented => "commented",
    MeasureProgressed => "measure_progressed",
    CallBackAssigned => "call_back_assigned",
    CallBackTried => "call_back_tried",
    Rated => "rated",
    FinallyDecided => "finally_decided",
    LetterMade => "letter_made",
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

    /// What the management group says among itself, and to whom it listens: not
    /// for branches, nor for departments.
    pub fn is_deliberation(self) -> bool {
        matches!(
            self,
            Self::ApprovalRequested
                | Self::Approved
                | Self::Disapproved
                | Self::CommentsAsked
                | Self::Commented
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
                | Self::EscalationSeen
                | Self::Asked
                | Self::Replied
                | Self::CommentsAsked
                | Self::Commented
                | Self::MeasureProgressed
                | Self::CallBackAssigned
                | Self::CallBackTried
                | Self::Rated
                | Self::LetterMade
                | Self::Recused
                | Self::RecusalLifted
                | Self::Linked
                | Self::Unlinked
        )
    }
}
