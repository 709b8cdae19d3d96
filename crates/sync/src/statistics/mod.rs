//! Lane 3: day totals of a desk, for those who keep the desks running. What is
//! counted (`counts`), how it travels, and when a desk sends it (`sender`).
//! Pure.
//!
//! Totals are no events: they belong to no complaint, and each writing of a
//! day replaces the earlier ones of the same desk, incarnation and day. Of two
//! writings the one with the higher revision holds, whichever comes last, so a
//! message lost, doubled or late does no harm. A desk that reaches the hub
//! only through its branch's mailbox waits with them until it reaches it itself.

mod counts;
mod sender;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::DeviceId;

pub use counts::Counts;
pub use sender::{Command, Input, Sender, Step, Waiting};

/// Days one message may name: with every count at its most it stays within
/// 16 KB, half a second at 256 kbit/s.
pub const MOST_DAYS: usize = 7;
/// How many days a desk keeps what it has counted.
pub const KEPT_DAYS: u64 = 62;
/// Bytes a version or system may have; longer ones are cut.
pub const NAME_BYTES: usize = 32;

/// A day's totals by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DayName {
    /// Of the desk, when it counted.
    pub incarnation: u32,
    /// The civil day at the branch.
    pub day: NaiveDate,
}

/// One writing of a day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DayTotals {
    #[serde(flatten)]
    pub name: DayName,
    /// From 1; rises with each writing.
    pub revision: u64,
    pub counts: Counts,
    pub standing: DeskStanding,
}

/// How a desk stood at the day's last writing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DeskStanding {
    /// Of the program.
    pub version: String,
    /// The operating system's family, as `linux` or `windows`.
    pub system: String,
    /// Bytes of the database with its log.
    pub database_bytes: u64,
    /// Bytes free on the disk it is on. Absent where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
    /// Events without a signed receipt.
    pub unsent_events: u64,
    /// Bytes of evidence files the hub lacks.
    pub evidence_bytes: u64,
    /// Minutes since the newest backup that passed its check. Absent when
    /// there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_age_min: Option<u64>,
}

/// What the hub holds of the days it was sent. Signed, it is their receipt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    pub device: DeviceId,
    pub epoch: String,
    pub days: Vec<DayTaken>,
    pub at: DateTime<Utc>,
}

/// The revision the hub holds of a day: the highest it has been sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DayTaken {
    #[serde(flatten)]
    pub name: DayName,
    pub revision: u64,
}

#[cfg(test)]
mod tests;
