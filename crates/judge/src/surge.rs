//! More complaints than a day should bring: counts a day against what
//! weekday, holiday and the weeks before let expect.
//!
//! Days are told apart by when complaints were captured. The count of a day is
//! taken as negative binomial around its expectation, with the dispersion the
//! days before showed; a day is told of when so many or more would come by
//! chance less often than the budget of false alarms for all keys together
//! allows.

use chrono::{Datelike as _, NaiveDate, Weekday};

/// How many false alarms are borne, and what is learned from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurgePolicy {
    /// False alarms a year, over all keys together.
    pub false_alarms_a_year: f64,
    /// Days before that expectation and dispersion come from, and how many
    /// there must be at least.
    pub looks_back: usize,
    pub at_least: usize,
    /// Below this count nobody is told, however unlikely it is.
    pub least: u64,
}

impl Default for SurgePolicy {
    fn default() -> Self {
        Self {
            false_alarms_a_year: 0.2,
            looks_back: 84,
            at_least: 21,
            least: 5,
        }
    }
}

/// What sort of day it is; holidays and make-up workdays are told by the
/// caller's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    Workday,
    DayOff,
}

impl DayKind {
    /// Saturday and Sunday are days off.
    pub fn of_weekday(day: NaiveDate) -> Self {
        match day.weekday() {
            Weekday::Sat | Weekday::Sun => Self::DayOff,
            _ => Self::Workday,
        }
    }
}

/// One day of one key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayCount {
    pub day: NaiveDate,
    pub kind: DayKind,
    pub count: u64,
}

/// A day judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surge {
    pub day: NaiveDate,
    pub count: u64,
    pub expected: f64,
    /// Probability of so many or more by chance.
    pub p: f64,
}

/// Judges a key's days, rising and without gaps, each from the days before it.
/// `keys` is the number of keys that share the budget. A day told of is not
/// learned from: what was a surge shall not become what is expected.
pub fn surges(days: &[DayCount], keys: usize, policy: &SurgePolicy) -> Vec<Surge> {
    let bearable = policy.false_alarms_a_year / 365.0 / keys.max(1) as f64;
    let mut learned: Vec<DayCount> = Vec::new();
    let mut found = Vec::new();
    for &day in days {
        let from = learned.len().saturating_sub(policy.looks_back);
        let before = learned.get(from..).unwrap_or_default();
        if before.len() >= policy.at_least {
            let judged = judge(before, &day);
            if judged.p < bearable && day.count >= policy.least {
                found.push(judged);
                continue;
            }
        }
        learned.push(day);
    }
    found
}

fn judge(before: &[DayCount], day: &DayCount) -> Surge {
    let expected = expected(before, day);
    let dispersion = dispersion(before);
    Surge {
        day: day.day,
        count: day.count,
        expected,
        p: tail(day.count, expected, dispersion),
    }
}

/// The level of the last weeks, recent days counting more, times what this
/// sort of day and this weekday bring, each held towards 1 by two weeks' worth
/// of ordinary days.
fn expected(before: &[DayCount], day: &DayCount) -> f64 {
    const HALF_LIFE: f64 = 21.0;
    let (mut sum, mut weights) = (0.0, 0.0);
    for (age, one) in before.iter().rev().enumerate() {
        let weight = 0.5_f64.powf(age as f64 / HALF_LIFE);
        sum += weight * one.count as f64;
        weights += weight;
    }
    let level = ((sum + 0.5) / (weights + 1.0)).max(0.05);
    let mean = before.iter().map(|one| one.count as f64).sum::<f64>() / before.len().max(1) as f64;
    let factor = |is: &dyn Fn(&DayCount) -> bool, held: f64| {
        let of: Vec<f64> = before
            .iter()
            .filter(|one| is(one))
            .map(|one| one.count as f64)
            .collect();
        (of.iter().sum::<f64>() + held * mean + 0.5) / ((of.len() as f64 + held) * mean + 0.5)
    };
    let kind = factor(&|one| one.kind == day.kind, 4.0);
    let weekday = factor(
        &|one| one.day.weekday() == day.day.weekday() && one.kind == day.kind,
        6.0,
    );
    // The weekday's factor holds its kind's already, as far as it is known.
    level * (kind * weekday).sqrt().max(kind.min(weekday))
}

/// Variance over mean of the days before, each against its neighbours' level,
/// at least a little above chance alone.
fn dispersion(before: &[DayCount]) -> f64 {
    const LEAST: f64 = 1.5;
    let mean = before.iter().map(|one| one.count as f64).sum::<f64>() / before.len().max(1) as f64;
    if mean <= 0.0 {
        return LEAST;
    }
    let square = before
        .iter()
        .map(|one| (one.count as f64 - mean).powi(2))
        .sum::<f64>();
    (square / before.len().saturating_sub(1).max(1) as f64 / mean).max(LEAST)
}

/// P(X ≥ count) of the negative binomial with this mean and variance
/// `dispersion · mean`.
fn tail(count: u64, mean: f64, dispersion: f64) -> f64 {
    // r successes with probability 1/dispersion.
    let r = mean / (dispersion - 1.0);
    let q = 1.0 - 1.0 / dispersion;
    let mut term = -r * dispersion.ln();
    let mut below = 0.0;
    for k in 0..count {
        below += term.exp();
        term += ((k as f64 + r) / (k as f64 + 1.0) * q).ln();
    }
    if below < 0.999_999 {
        return (1.0 - below).clamp(0.0, 1.0);
    }
    // Far out the sum of what is left is exact where 1 − sum is not.
    let mut above = 0.0;
    for k in count..count + 2_000 {
        above += term.exp();
        term += ((k as f64 + r) / (k as f64 + 1.0) * q).ln();
    }
    above.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(counts: impl IntoIterator<Item = u64>) -> Vec<DayCount> {
        let first = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        first
            .iter_days()
            .zip(counts)
            .map(|(day, count)| DayCount {
                day,
                kind: DayKind::of_weekday(day),
                count,
            })
            .collect()
    }

    /// Ten to eighteen a workday, four to six a day off.
    fn ordinary(days: u64) -> impl Iterator<Item = u64> {
        (0..days).map(|n| {
            if n % 7 >= 5 {
                4 + n % 3
            } else {
                10 + n * 5 % 9
            }
        })
    }

    #[test]
    fn a_surge_is_told_on_its_first_day_and_nothing_before() {
        let found = surges(&days(ordinary(60).chain([70])), 7, &SurgePolicy::default());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].count, found[0].day.to_string().as_str()),
            (70, "2026-03-06")
        );
        assert!(found[0].p < 1e-6 && (5.0..25.0).contains(&found[0].expected));
    }

    #[test]
    fn a_surge_does_not_become_what_is_expected() {
        let found = surges(
            &days(ordinary(60).chain([70, 72, 68])),
            7,
            &SurgePolicy::default(),
        );
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn ordinary_weeks_and_a_slow_rise_tell_nothing() {
        assert!(surges(&days(ordinary(300)), 1, &SurgePolicy::default()).is_empty());
        let rise = (0..300).map(|n| 10 + n / 20 + n * 3 % 5);
        assert!(surges(&days(rise), 1, &SurgePolicy::default()).is_empty());
    }

    #[test]
    fn more_keys_share_one_budget() {
        let day = days(ordinary(60).chain([45]));
        let few = surges(&day, 1, &SurgePolicy::default()).len();
        let many = surges(&day, 1_000_000_000, &SurgePolicy::default()).len();
        assert_eq!((few, many), (1, 0));
    }

    #[test]
    fn the_tail_is_that_of_the_negative_binomial() {
        // r = 2, success 1/2: P(X ≥ 3) = 1 − (1/4 + 1/4 + 3/16).
        assert!((tail(3, 2.0, 2.0) - 0.3125).abs() < 1e-9);
        assert_eq!(tail(0, 2.0, 2.0), 1.0);
        assert!(tail(5_000, 2.0, 1.5) < 1e-100);
    }
}
