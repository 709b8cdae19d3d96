//! What desks counted of each day, as a store keeps it: of each desk,
//! incarnation and day the writing with the highest revision.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use suda_domain::DeviceId;
use suda_sync::statistics::{DayTaken, DayTotals};

use super::Result;

/// Days received before this are forgotten: a year can be compared with the
/// one before.
pub const KEPT_BY_HUB: TimeDelta = TimeDelta::days(800);

/// A day of a desk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayHeld {
    pub device: DeviceId,
    pub totals: DayTotals,
    pub received_at: DateTime<Utc>,
}

#[async_trait]
pub trait StatisticsStore {
    /// Keeps those that have a higher revision than what is held of their
    /// day. Gives what is held of each afterwards.
    async fn put_days(
        &self,
        device: DeviceId,
        days: &[DayTotals],
        now: DateTime<Utc>,
    ) -> Result<Vec<DayTaken>>;
    /// The days from this one on, and of every desk the last one it has sent.
    async fn days_since(&self, since: NaiveDate) -> Result<Vec<DayHeld>>;
}
