//! Brakes on guessing: passwords and enrolment codes. Kept in memory; a
//! restart forgives.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

/// Names remembered at most; the oldest go first.
const REMEMBERED: usize = 10_000;

/// A growing pause after failures for one name: none for the first three,
/// then 2, 4, 8 … up to 60 seconds. A success clears it; so does a quiet
/// quarter of an hour.
#[derive(Default)]
pub struct Pauses {
    failures: Mutex<HashMap<String, (u32, DateTime<Utc>)>>,
}

impl Pauses {
    const FREE: u32 = 3;
    const LONGEST_S: i64 = 60;
    const FORGOTTEN: TimeDelta = TimeDelta::minutes(15);

    /// How many seconds this name has still to wait.
    pub fn wait_s(&self, name: &str, now: DateTime<Utc>) -> Option<i64> {
        let failures = self
            .failures
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        let (count, last) = failures.get(name)?;
        let extra = count.checked_sub(Self::FREE)?;
        let pause = (2i64 << extra.min(6)).min(Self::LONGEST_S);
        let left = (*last + TimeDelta::seconds(pause) - now).num_milliseconds();
        (left > 0).then_some((left + 999) / 1000)
    }

    pub fn failed(&self, name: &str, now: DateTime<Utc>) {
        let mut failures = self
            .failures
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        failures.retain(|_, (_, last)| now - *last < Self::FORGOTTEN);
        if failures.len() >= REMEMBERED
            && let Some(oldest) = failures
                .iter()
                .min_by_key(|(_, (_, last))| *last)
                .map(|(name, _)| name.clone())
        {
            failures.remove(&oldest);
        }
        let entry = failures.entry(name.to_owned()).or_insert((0, now));
        *entry = (entry.0.saturating_add(1), now);
    }

    pub fn succeeded(&self, name: &str) {
        self.failures
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
            .remove(name);
    }
}

/// At most so many tries a minute over all who try.
pub struct PerMinute {
    allowed: u32,
    window: Mutex<(DateTime<Utc>, u32)>,
}

impl PerMinute {
    pub fn new(allowed: u32) -> Self {
        Self {
            allowed,
            window: Mutex::new((DateTime::UNIX_EPOCH, 0)),
        }
    }

    /// Counts a try; false when there were too many.
    pub fn admit(&self, now: DateTime<Utc>) -> bool {
        let mut window = self
            .window
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if now - window.0 >= TimeDelta::minutes(1) || now < window.0 {
            *window = (now, 0);
        }
        window.1 += 1;
        window.1 <= self.allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses = Pauses::default();
        for _ in 0..3 {
            assert_eq!(pauses.wait_s("a", at(0)), None);
            pauses.failed("a", at(0));
        }
        assert_eq!(pauses.wait_s("a", at(0)), Some(2));
        assert_eq!(pauses.wait_s("b", at(0)), None);
        assert_eq!(pauses.wait_s("a", at(2)), None);
        pauses.failed("a", at(2));
        assert_eq!(pauses.wait_s("a", at(2)), Some(4));
        pauses.succeeded("a");
        assert_eq!(pauses.wait_s("a", at(2)), None);
    }

    #[test]
    fn a_minute_holds_only_so_many_tries() {
        let brake = PerMinute::new(2);
        assert_eq!(
            [0, 1, 2, 61].map(|s| brake.admit(at(s))),
            [true, true, false, true]
        );
    }
}
