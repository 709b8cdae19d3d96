//! The desk's sense of time: its own clock, passed in so that tests can move
//! it, and what is known of the hub's. The only module that reads a clock.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::Stamp;

/// Where the desk takes the time from.
pub trait Clock: Send + Sync {
    fn wall(&self) -> DateTime<Utc>;
    /// Milliseconds of a clock that never goes back.
    fn mono_ms(&self) -> u64;
}

/// The computer's clock.
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// How far the hub's clock is from this one, as measured at the last contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HubOffset {
    /// Hub minus here.
    pub offset_ms: i64,
    /// This computer's wall clock when it was measured.
    pub measured_at: DateTime<Utc>,
}

impl HubOffset {
    /// From the hub's time in an answer received now, whose question took
    /// `round_trip_ms`: the hub wrote it half a round trip ago.
    pub fn measured(hub_now: DateTime<Utc>, wall: DateTime<Utc>, round_trip_ms: u64) -> Self {
        let half = i64::try_from(round_trip_ms / 2).unwrap_or_default();
        Self {
            offset_ms: (hub_now - wall).num_milliseconds().saturating_add(half),
            measured_at: wall,
        }
    }
}

/// Milliseconds since 1970, as times are kept in the store.
pub(crate) fn to_ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(crate) fn from_ms(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// The time to the millisecond, so that it is the same before and after storing.
pub(crate) fn to_millisecond(at: DateTime<Utc>) -> DateTime<Utc> {
    from_ms(to_ms(at))
}

pub(crate) fn stamp(clock: &dyn Clock, offset: Option<HubOffset>) -> Stamp {
    let wall = to_millisecond(clock.wall());
    let age = offset.map(|known| (wall - known.measured_at).num_seconds().max(0));
    Stamp {
        wall,
        mono_ms: clock.mono_ms(),
        hub_offset_ms: offset.map(|known| known.offset_ms),
        offset_age_s: age.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
    }
}

/// A wall-clock reading of this computer, corrected to the hub's.
pub(crate) fn corrected(wall: DateTime<Utc>, offset: Option<HubOffset>) -> DateTime<Utc> {
    offset
        .and_then(|known| TimeDelta::try_milliseconds(known.offset_ms))
        .and_then(|delta| wall.checked_add_signed(delta))
        .unwrap_or(wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_answer_is_taken_as_half_a_round_trip_old() {
        let wall = from_ms(1_790_000_000_000);
        let hub = from_ms(1_790_000_060_000);
        let offset = HubOffset::measured(hub, wall, 200);
        assert_eq!(offset.offset_ms, 60_100);
        assert_eq!(corrected(wall, Some(offset)), from_ms(1_790_000_060_100));
        assert_eq!(corrected(wall, None), wall);
    }
}
