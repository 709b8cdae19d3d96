//! The ledger (台账): the append-only record of everything done.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::ids::{BranchCode, ComplaintId, DeviceId, StaffId};
use crate::staff::Role;

/// Which queue an event travels in (architecture.md, "Lanes"). Each lane of a
/// device has its own gapless counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Lane {
    /// Handoff packets and grade-1 alerts; overtakes everything.
    Urgent,
    /// All other events.
    Ordinary,
    /// Evidence files, in chunks.
    Evidence,
    Statistics,
}

impl Lane {
    pub const ALL: [Self; 4] = [
        Self::Urgent,
        Self::Ordinary,
        Self::Evidence,
        Self::Statistics,
    ];

    pub fn number(self) -> u8 {
        match self {
            Self::Urgent => 0,
            Self::Ordinary => 1,
            Self::Evidence => 2,
            Self::Statistics => 3,
        }
    }

    /// The lane as an index into an array of four.
    pub fn index(self) -> usize {
        usize::from(self.number())
    }
}

impl From<Lane> for u8 {
    fn from(lane: Lane) -> Self {
        lane.number()
    }
}

/// No lane has this number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("lanes are numbered 0 to 3, not {0}")]
pub struct LaneError(pub u8);

impl TryFrom<u8> for Lane {
    type Error = LaneError;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .ok_or(LaneError(number))
    }
}

/// An event's name, unique for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EventKey {
    pub device: DeviceId,
    /// Rises when a device's database was restored or copied.
    pub incarnation: u32,
    pub lane: Lane,
    /// From 1, gapless within device, incarnation and lane.
    pub n: u64,
}

/// When an event was written, with what is needed to correct a wrong clock
/// later (product.md, "Time that can be trusted").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// The device's wall clock, as it stood.
    pub wall: DateTime<Utc>,
    /// Milliseconds of a clock that never goes back and counts sleep, since
    /// the computer started where the system tells which start that was, else
    /// since the program did.
    pub mono_ms: u64,
    /// Hub's time minus this device's wall clock as they stood at this moment,
    /// in milliseconds, as known from the last contact and the monotonic clock
    /// since; absent before the first contact.
    pub hub_offset_ms: Option<i64>,
    /// Seconds since that contact.
    pub offset_age_s: Option<u32>,
}

impl Stamp {
    /// The wall time corrected to the hub's clock as far as it is known.
    pub fn trusted(&self) -> DateTime<Utc> {
        self.hub_offset_ms
            .and_then(TimeDelta::try_milliseconds)
            .and_then(|offset| self.wall.checked_add_signed(offset))
            .unwrap_or(self.wall)
    }
}

/// Who did it. The name is kept as it was then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// Absent for the program itself.
    pub staff: Option<StaffId>,
    pub name: String,
    pub role: Role,
    /// The branch acted from, for clerks and managers and a desk's own timers.
    pub branch: Option<BranchCode>,
}

impl Actor {
    /// The customer, whose name and number stand in the complaint alone.
    pub fn customer() -> Self {
        Self {
            staff: None,
            name: String::new(),
            role: Role::Customer,
            branch: None,
        }
    }

    /// The program acting by rule.
    pub fn system(branch: Option<BranchCode>) -> Self {
        Self {
            staff: None,
            name: String::new(),
            role: Role::System,
            branch,
        }
    }
}

/// One line of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LedgerEvent {
    pub key: EventKey,
    pub complaint: ComplaintId,
    /// The owner number in force when this was written; the fencing token.
    pub owner_no: u32,
    pub at: Stamp,
    pub actor: Actor,
    pub fact: Fact,
    /// What it was first, when it has been given a new number since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The first number of an event that was written again under a new one, so
/// that two copies of a database cannot both bring it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Origin {
    pub key: EventKey,
    /// The hash it had, in hexadecimal digits.
    pub hash: String,
}
