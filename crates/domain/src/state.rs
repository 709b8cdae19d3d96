//! States, grades and what the customer is told of them (product.md, "States,
//! owner, and what the customer sees").

use serde::{Deserialize, Serialize};

/// Where a complaint stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    Draft,
    Recorded,
    Assessed,
    InBranch,
    HandoffPending,
    Queued,
    Claimed,
    ReturnedToBranch,
    Dispatched,
    Analysed,
    AwaitingApproval,
    Solving,
    Implemented,
    Answered,
    Closed,
    Withdrawn,
    Archived,
    Reopened,
}

impl State {
    /// Every state, in the order of a complaint's life.
    pub const ALL: [Self; 18] = [
        Self::Draft,
        Self::Recorded,
        Self::Assessed,
        Self::InBranch,
        Self::HandoffPending,
        Self::Queued,
        Self::Claimed,
        Self::ReturnedToBranch,
        Self::Dispatched,
        Self::Analysed,
        Self::AwaitingApproval,
        Self::Solving,
        Self::Implemented,
        Self::Answered,
        Self::Closed,
        Self::Withdrawn,
        Self::Archived,
        Self::Reopened,
    ];

    /// The name used on the wire, in databases and in status reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Recorded => "recorded",
            Self::Assessed => "assessed",
            Self::InBranch => "in_branch",
            Self::HandoffPending => "handoff_pending",
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::ReturnedToBranch => "returned_to_branch",
            Self::Dispatched => "dispatched",
            Self::Analysed => "analysed",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Solving => "solving",
            Self::Implemented => "implemented",
            Self::Answered => "answered",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Archived => "archived",
            Self::Reopened => "reopened",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// What the customer sees. A draft is not yet a complaint, so there is nothing to see.
    pub fn customer_state(self) -> Option<CustomerState> {
        match self {
            Self::Draft => None,
            Self::Recorded
            | Self::Assessed
            | Self::InBranch
            | Self::HandoffPending
            | Self::Queued
            | Self::Claimed
            | Self::ReturnedToBranch
            | Self::Reopened => Some(CustomerState::Accepted),
            Self::Dispatched => Some(CustomerState::Dispatched),
            Self::Analysed | Self::AwaitingApproval | Self::Solving | Self::Implemented => {
                Some(CustomerState::Investigated)
            }
            Self::Answered | Self::Closed | Self::Withdrawn | Self::Archived => {
                Some(CustomerState::Completed)
            }
        }
    }

    /// Whether the customer has had an answer, or has withdrawn: no clock that
    /// ends with the answer runs any more.
    pub fn is_finished(self) -> bool {
        self.customer_state() == Some(CustomerState::Completed)
    }

    /// Whether the branch still has something to do: settle it or hand it off.
    pub fn is_open_in_branch(self) -> bool {
        matches!(
            self,
            Self::Recorded | Self::Assessed | Self::InBranch | Self::ReturnedToBranch
        )
    }
}

/// The four states a customer can ask for, the same words everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CustomerState {
    /// 1 已受理
    Accepted,
    /// 2 已派专业部门查证处理
    Dispatched,
    /// 3 已完成初步查证
    Investigated,
    /// 4 已完成处理
    Completed,
}

impl CustomerState {
    /// The step as the receipt numbers it, 1 to 4.
    pub fn step(self) -> u8 {
        match self {
            Self::Accepted => 1,
            Self::Dispatched => 2,
            Self::Investigated => 3,
            Self::Completed => 4,
        }
    }
}

/// Severity. One is the gravest: management is told at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    One,
    Two,
    Three,
}

impl Grade {
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// 1 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// Whether the counter may settle it by the rules the branch may apply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Complexity {
    Simple,
    Complex,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_but_the_draft_maps_to_one_of_four_customer_states() {
        let unmapped: Vec<_> = State::ALL
            .into_iter()
            .filter(|s| s.customer_state().is_none())
            .collect();
        assert_eq!(unmapped, [State::Draft]);
        let mut steps: Vec<_> = State::ALL
            .into_iter()
            .filter_map(State::customer_state)
            .map(CustomerState::step)
            .collect();
        steps.sort_unstable();
        steps.dedup();
        assert_eq!(steps, [1, 2, 3, 4]);
    }

    #[test]
    fn names_are_what_serde_writes_and_read_back() {
        for state in State::ALL {
            let json = serde_json::to_value(state).unwrap();
            assert_eq!(json, state.name());
            assert_eq!(State::from_name(state.name()), Some(state));
        }
    }
}
