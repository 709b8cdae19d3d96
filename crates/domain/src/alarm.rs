//! Early warning (投诉预警): a group of complaints of one matter, or more of
//! them than a day should bring. What becomes of an alarm, and what the
//! counters are told of one that is explained.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::ComplaintId;

/// What is unusual.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Several people complain of one matter.
    Burst,
    /// More complaints than the days before let expect.
    Surge,
}

impl AlarmKind {
    pub const ALL: [Self; 2] = [Self::Burst, Self::Surge];

    /// The name on the wire and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Surge => "surge",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How far an alarm has been seen to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    Raised,
    /// Somebody looks after it.
    Acknowledged,
    /// It is known what it is, and the counters are told what to say.
    Explained,
    Closed,
}

impl AlarmState {
    pub const ALL: [Self; 4] = [
        Self::Raised,
        Self::Acknowledged,
        Self::Explained,
        Self::Closed,
    ];

    /// The name on the wire and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acknowledged => "acknowledged",
            Self::Explained => "explained",
            Self::Closed => "closed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub fn is_open(self) -> bool {
        self != Self::Closed
    }

    /// Where a step leads; nothing where it is not open. What is explained can
    /// be explained anew, as more becomes known.
    pub fn after(self, step: AlarmStep) -> Option<Self> {
        match (self, step) {
            (Self::Raised, AlarmStep::Acknowledge) => Some(Self::Acknowledged),
            (Self::Closed, _) | (_, AlarmStep::Acknowledge) => None,
            (_, AlarmStep::Explain) => Some(Self::Explained),
            (_, AlarmStep::Close) => Some(Self::Closed),
        }
    }
}

/// What somebody does about an alarm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlarmStep {
    Acknowledge,
    /// With the sentence for the counters.
    Explain,
    /// With the reason.
    Close,
}

impl AlarmStep {
    pub const ALL: [Self; 3] = [Self::Acknowledge, Self::Explain, Self::Close];

    /// The name on the wire and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Explain => "explain",
            Self::Close => "close",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A matter that several people have complained of and that the centre has
/// explained: what a counter needs to know it again and to say of it. Holds no
/// word of a single complaint, only what they all have in common.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownMatter {
    pub id: Uuid,
    pub title: String,
    /// By which a text is known to tell of it.
    pub pieces: Vec<String>,
    /// What to tell the customer.
    pub say: String,
    /// Complaints of it so far.
    pub reports: u32,
    /// When the first of them was captured.
    pub since: DateTime<Utc>,
    /// Those of the own branch.
    #[serde(default)]
    pub members: Vec<ComplaintId>,
    /// Every complaint of this category or below tells of it: more of them
    /// than usual were captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_acknowledged_once_explained_again_and_closed_for_good() {
        let table = AlarmState::ALL.map(|state| {
            let after = AlarmStep::ALL.map(|step| state.after(step).map(AlarmState::name));
            (state.name(), after)
        });
        let (acknowledged, explained, closed) =
            (Some("acknowledged"), Some("explained"), Some("closed"));
        assert_eq!(
            table,
            [
                ("raised", [acknowledged, explained, closed]),
                ("acknowledged", [None, explained, closed]),
                ("explained", [None, explained, closed]),
                ("closed", [None, None, None]),
            ]
        );
    }

    #[test]
    fn names_are_read_back() {
        for kind in AlarmKind::ALL {
            assert_eq!(AlarmKind::from_name(kind.name()), Some(kind));
        }
        for state in AlarmState::ALL {
            assert_eq!(AlarmState::from_name(state.name()), Some(state));
        }
        for step in AlarmStep::ALL {
            assert_eq!(AlarmStep::from_name(step.name()), Some(step));
        }
    }
}
