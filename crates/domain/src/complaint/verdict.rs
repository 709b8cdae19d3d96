//! What an event does to a complaint, and why a step is not allowed.

use serde::{Deserialize, Serialize};

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
    /// A handoff packet from beyond what is known here: its whole state holds.
    Overtook,
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
    #[error("more than the management group has approved")]
    AboveApproved,
    #[error("a sum so large needs more votes than were asked for")]
    MoreVotes,
    #[error("somebody of another branch")]
    OtherBranch,
    #[error("somebody else has to do this: who asked may not decide, nor vote twice")]
    SamePerson,
    #[error("who handled the case may not call back")]
    Handler,
    #[error("the customer has to be asked first")]
    NotCalledBack,
    #[error("measures of the plan are not done")]
    MeasuresOpen,
    #[error("the deadline has passed, or the new one is not later")]
    TooLate,
    #[error("it has been extended once already")]
    ExtendedAlready,
    #[error("the management group has decided for good")]
    FinallyDecided,
    #[error("the complaint is about them, or about somebody below them")]
    Recused,
    #[error("these complaints cannot be linked so, or are not")]
    Link,
}
