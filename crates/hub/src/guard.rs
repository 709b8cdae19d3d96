//! Brakes on guessing: the rules, and those for passwords and enrolment codes
//! kept in memory: a restart forgives, and of several processes each counts for
//! itself, so that all of them together allow so many times more. What opens
//! the status page is counted by the store (`status::limits`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::tries::Tally;

/// Names remembered at most; the oldest go first.
const REMEMBERED: usize = 10_000;

/// How failures under one name are paused.
#[derive(Clone, Copy, Debug)]
pub struct PauseRule {
    /// Failures without a pause.
    pub free: u32,
    /// The pauses grow from 2 seconds by doubling up to this.
    pub longest_s: i64,
    /// A quiet time after which failures are forgotten; longer than any pause.
    pub forgotten: TimeDelta,
}

impl PauseRule {
    /// Signing in: somebody tries to remember a password.
    pub const SIGN_IN: Self = Self {
        free: 3,
        longest_s: 60,
        forgotten: TimeDelta::minutes(15),
    };

    /// How many seconds are to be waited yet after so many failures, the last
    /// of them then.
    pub fn left_s(&self, failed: u32, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<i64> {
        if now - last >= self.forgotten {
            return None;
        }
        let extra = failed.checked_sub(self.free)?;
        let pause = (2i64 << extra.min(30)).min(self.longest_s);
        let left = (last + TimeDelta::seconds(pause) - now).num_milliseconds();
        (left > 0).then_some((left + 999) / 1000)
    }

    /// Counts a try as failed before it is made, so that many at once are not
    /// all free.
    ///
    /// # Errors
    /// The seconds to wait; then nothing was counted.
    pub fn begin(&self, tally: &mut Tally, now: DateTime<Utc>) -> Result<(), i64> {
        if let Some(seconds) = self.left_s(tally.failed, tally.at, now) {
            return Err(seconds);
        }
        let is_forgotten = now - tally.at >= self.forgotten;
        let before = if is_forgotten { 0 } else { tally.failed };
        tally.failed = before.saturating_add(1);
        tally.at = now;
        Ok(())
    }
}

/// A growing pause after failures for one name; a success clears it.
pub struct Pauses {
    rule: PauseRule,
    failures: Mutex<HashMap<String, (u32, DateTime<Utc>)>>,
}

impl Default for Pauses {
    fn default() -> Self {
        Self::new(PauseRule::SIGN_IN)
    }
}

type Failures<'p> = MutexGuard<'p, HashMap<String, (u32, DateTime<Utc>)>>;

impl Pauses {
    pub fn new(rule: PauseRule) -> Self {
        Self {
            rule,
            failures: Mutex::default(),
        }
    }

    /// How many seconds this name has still to wait.
    pub fn wait_s(&self, name: &str, now: DateTime<Utc>) -> Option<i64> {
        self.left_s(&self.failures(), name, now)
    }

    pub fn failed(&self, name: &str, now: DateTime<Utc>) {
        self.count(&mut self.failures(), name, now);
    }

    pub fn succeeded(&self, name: &str) {
        self.failures().remove(name);
    }

    fn failures(&self) -> Failures<'_> {
        self.failures
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    fn left_s(&self, failures: &Failures<'_>, name: &str, now: DateTime<Utc>) -> Option<i64> {
        let (count, last) = failures.get(name)?;
        self.rule.left_s(*count, *last, now)
    }

    fn count(&self, failures: &mut Failures<'_>, name: &str, now: DateTime<Utc>) {
        failures.retain(|_, (_, last)| now - *last < self.rule.forgotten);
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

/// At most so many failures a minute over all who try; while they keep coming,
/// fewer from minute to minute, down to an eighth.
#[derive(Clone, Copy, Debug)]
pub struct ShrinkingRule {
    pub full: u32,
}

impl ShrinkingRule {
    /// Counts a try as failed before it is made. The tally's time is when its
    /// minute began.
    ///
    /// # Errors
    /// The seconds to wait; then nothing was counted.
    pub fn begin(self, tally: &mut Tally, now: DateTime<Utc>) -> Result<(), i64> {
        if tally.allowed == 0 {
            tally.allowed = self.full;
        }
        // Who read the clock a moment earlier, or whose clock is behind, counts
        // in the minute that has begun: a new one would allow as many again. A
        // minute that begins far ahead is a clock's mistake and holds nobody.
        let is_far_ahead = tally.at - now > TimeDelta::minutes(1);
        let now = if is_far_ahead { now } else { now.max(tally.at) };
        let minutes = (now - tally.at).num_minutes();
        if minutes >= 1 || is_far_ahead {
            let least = (self.full / 8).max(1);
            tally.allowed = match (tally.failed >= tally.allowed, minutes) {
                (true, 1) => (tally.allowed / 2).max(least),
                _ => (tally.allowed.saturating_mul(2)).min(self.full),
            };
            tally.at = now;
            tally.failed = 0;
        }
        if tally.failed >= tally.allowed {
            let left = tally.at + TimeDelta::minutes(1) - now;
            return Err(left.num_seconds().max(1));
        }
        tally.failed += 1;
        Ok(())
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
    fn many_tries_at_once_are_not_all_free() {
        let rule = PauseRule::SIGN_IN;
        let mut tally = Tally::default();
        let begun = (0..9).filter(|_| rule.begin(&mut tally, at(0)).is_ok());
        assert_eq!(begun.count(), 3);
        assert_eq!(rule.begin(&mut tally, at(0)), Err(2));
    }

    #[test]
    fn a_long_rule_pauses_for_an_hour_and_remembers_for_a_day() {
        let rule = PauseRule {
            free: 5,
            longest_s: 3600,
            forgotten: TimeDelta::hours(24),
        };
        let mut tally = Tally::default();
        let day = 24 * 3600;
        let allowed = (0..day).filter(|s| rule.begin(&mut tally, at(*s)).is_ok());
        assert_eq!(allowed.count(), 38);
    }

    #[test]
    fn failures_that_keep_coming_shrink_what_a_minute_allows() {
        let brake = ShrinkingRule { full: 16 };
        let minute = |tally: &mut Tally, n: i64| {
            let begun = (0..99).filter(|_| brake.begin(tally, at(60 * n)).is_ok());
            begun.count()
        };
        let mut tally = Tally::default();
        let busy = [0, 1, 2, 3, 4].map(|n| minute(&mut tally, n));
        assert_eq!(busy, [16, 8, 4, 2, 2]);
        for n in 5..9 {
            brake.begin(&mut tally, at(60 * n)).unwrap();
            tally.failed -= 1;
        }
        assert_eq!(minute(&mut tally, 9), 16);
    }

    #[test]
    fn times_out_of_order_allow_no_more() {
        let brake = ShrinkingRule { full: 16 };
        let mut tally = Tally::default();
        let begun = (0..99).filter(|n| brake.begin(&mut tally, at(30 - 20 * (n % 2))).is_ok());
        assert_eq!(begun.count(), 16);
        assert_eq!(tally.at, at(30), "the minute stays");
        assert_eq!(brake.begin(&mut tally, at(-30)), Err(60));
        assert!(
            brake.begin(&mut tally, at(-31)).is_ok(),
            "a clock's mistake"
        );
        assert_eq!((tally.failed, tally.at), (1, at(-31)));
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
