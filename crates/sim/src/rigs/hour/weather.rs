//! When what is down: a branch's line, a desk's PC, the hub.

use super::spans::{Span, Spans};
use crate::dice::Dice;

pub const MINUTE_MS: u64 = 60_000;
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
pub const DAY_MS: u64 = 24 * HOUR_MS;
/// An outage of a branch's line is shorter than this.
const LONGEST_MS: u64 = 8 * HOUR_MS;

/// Outages of a line: three in five last minutes, the others up to eight hours.
pub fn line(dice: &mut Dice, until: u64) -> Spans {
    irregular(dice, until, (10 * MINUTE_MS, 20 * HOUR_MS), |dice| {
        if dice.chance(600) {
            dice.below(10 * MINUTE_MS)
        } else {
            dice.below(LONGEST_MS)
        }
    })
}

/// The hub is down now and then: a restart of seconds, rarely half an hour.
pub fn hub(dice: &mut Dice, until: u64) -> Spans {
    irregular(dice, until, (4 * HOUR_MS, 30 * HOUR_MS), |dice| {
        if dice.chance(800) {
            dice.between(5_000, 2 * MINUTE_MS)
        } else {
            dice.below(30 * MINUTE_MS)
        }
    })
}

/// The PC is off at night, restarts by day, and is sometimes off for hours.
pub fn power(dice: &mut Dice, until: u64) -> Spans {
    let days = until.div_ceil(DAY_MS);
    let nights = (0..=days).map(|day| Span {
        from: (day * DAY_MS).saturating_sub(4 * HOUR_MS) + dice.below(HOUR_MS),
        to: (day * DAY_MS + 7 * HOUR_MS + dice.below(HOUR_MS)).min(until),
    });
    let mut off: Vec<Span> = nights.filter(|night| night.from < night.to).collect();
    let by_day = irregular(dice, until, (8 * HOUR_MS, 60 * HOUR_MS), |dice| {
        if dice.chance(800) {
            dice.between(MINUTE_MS, 5 * MINUTE_MS)
        } else {
            dice.below(3 * HOUR_MS)
        }
    });
    off.extend(by_day.iter());
    Spans::new(off)
}

fn irregular(
    dice: &mut Dice,
    until: u64,
    (shortest, longest): (u64, u64),
    lasts: impl Fn(&mut Dice) -> u64,
) -> Spans {
    let mut spans = Vec::new();
    let mut at = dice.below(longest);
    while at < until {
        let to = (at + lasts(dice).max(1)).min(until);
        spans.push(Span { from: at, to });
        at = to + dice.between(shortest, longest);
    }
    Spans::new(spans)
}
