//! The computer's clocks, passed in so that tests can move them, and how times
//! are kept. The only module that reads a clock.

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::trusted::Reading;

/// Where the desk takes the time from.
pub trait Clock: Send + Sync {
    fn wall(&self) -> DateTime<Utc>;

    /// Milliseconds of a clock that never goes back and that counts sleep.
    fn mono_ms(&self) -> u64;

    /// Names the start of the computer that [`mono_ms`](Self::mono_ms) counts
    /// from. Absent where it counts from the start of the program.
    fn boot(&self) -> Option<String> {
        None
    }
}

pub(crate) fn reading(clock: &dyn Clock) -> Reading {
    Reading {
        wall: to_millisecond(clock.wall()),
        mono_ms: clock.mono_ms(),
    }
}

/// The computer's clock.
#[derive(Default)]
pub struct SystemClock {
    mono: mono::Mono,
}

impl Clock for SystemClock {
    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn mono_ms(&self) -> u64 {
        self.mono.ms()
    }

    fn boot(&self) -> Option<String> {
        mono::boot()
    }
}

/// Linux and Android count sleep in a clock of its own, since the computer's
/// start, and name that start.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod mono {
    use rustix::time::{ClockId, clock_gettime};

    #[derive(Default)]
    pub(super) struct Mono;

    impl Mono {
        #[expect(
            clippy::unused_self,
            reason = "on other systems it counts from its start"
        )]
        pub(super) fn ms(&self) -> u64 {
            let now = clock_gettime(ClockId::Boottime);
            let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
            let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
            seconds * 1000 + nanos / 1_000_000
        }
    }

    pub(super) fn boot() -> Option<String> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let id = id.trim();
        (!id.is_empty()).then(|| id.to_owned())
    }
}

/// Elsewhere the program's own start is counted from. On Windows the standard
/// library's clock, the performance counter, goes on through sleep.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod mono {
    use std::time::Instant;

    pub(super) struct Mono(Instant);

    impl Default for Mono {
        fn default() -> Self {
            Self(Instant::now())
        }
    }

    impl Mono {
        pub(super) fn ms(&self) -> u64 {
            u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
        }
    }

    pub(super) fn boot() -> Option<String> {
        None
    }
}

/// The hub's clock as an answer showed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HubTime {
    pub(crate) hub: DateTime<Utc>,
    /// This computer's monotonic clock at that moment.
    pub(crate) mono_ms: u64,
    /// How far off that may be, either way.
    pub(crate) doubt: TimeDelta,
}

impl HubTime {
    /// From the hub's time in an answer received now, whose question took
    /// `round_trip_ms`: the hub wrote it half a round trip ago, give or take
    /// that half.
    pub(crate) fn measured(hub_now: DateTime<Utc>, mono_ms: u64, round_trip_ms: u64) -> Self {
        let half = i64::try_from(round_trip_ms.div_ceil(2)).unwrap_or_default();
        let half = TimeDelta::try_milliseconds(half).unwrap_or_default();
        Self {
            hub: to_millisecond(hub_now.checked_add_signed(half).unwrap_or(hub_now)),
            mono_ms,
            doubt: half,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hubs_answer_is_taken_as_half_a_round_trip_old() {
        let hub = from_ms(1_790_000_060_000);
        let met = HubTime::measured(hub, 5, 200);
        assert_eq!(met.hub, from_ms(1_790_000_060_100));
        assert_eq!(met.doubt, TimeDelta::milliseconds(100));
    }

    #[test]
    fn the_computers_monotonic_clock_never_goes_back() {
        let clock = SystemClock::default();
        let mut before = clock.mono_ms();
        for _ in 0..1000 {
            let now = clock.mono_ms();
            assert!(now >= before);
            before = now;
        }
    }
}
