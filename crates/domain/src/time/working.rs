//! Counting: how much of a stretch of time counts, when a budget is used up,
//! and why then.

use std::ops::ControlFlow;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, DayKind};
use super::hours::Hours;
use super::zone::{Part, Zone};

/// Days without work after which the count gives up: hours and calendar then
/// leave none.
const MOST_DAYS: u32 = 3_660;

/// Working time of one place.
#[derive(Clone, Copy, Debug)]
pub struct WorkingTime<'a> {
    pub calendar: &'a Calendar,
    pub hours: &'a Hours,
    pub zone: Zone,
}

/// What a clock counts.
#[derive(Clone, Copy, Debug)]
pub enum Counting<'a> {
    Elapsed,
    Working(WorkingTime<'a>),
}

/// Time that does not count, for a named reason. Without an end it lasts on.
#[derive(Clone, Copy, Debug)]
pub struct Pause<'a> {
    pub from: DateTime<Utc>,
    pub to: Option<DateTime<Utc>>,
    pub reason: &'a str,
}

/// A moment found by counting, and whether every year it passed through is covered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Absent while a pause without an end keeps it from being reached.
    pub due: Option<DateTime<Utc>>,
    /// What had been counted when it was reached, or when the endless pause began.
    pub used: TimeDelta,
    /// False when the count ran into a year the calendar knows nothing of: its
    /// holidays are then unknown, not absent.
    pub covered: bool,
}

/// What a stretch of time was, for the count.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StretchKind {
    Counted,
    /// Outside the hours of a day that is worked.
    OffHours,
    /// A weekend, or another day without hours.
    RestDay,
    Holiday,
    Paused {
        reason: String,
    },
}

/// One stretch of a "why this deadline".
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stretch {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    #[serde(flatten)]
    pub kind: StretchKind,
}

impl Counting<'_> {
    /// When `budget` is used up, counted from `from`, without what is paused.
    /// `pauses` follow one another in time.
    pub fn after(self, from: DateTime<Utc>, budget: TimeDelta, pauses: &[Pause<'_>]) -> Counted {
        let mut left = budget;
        let mut due = None;
        if left <= TimeDelta::zero() {
            due = Some(from);
        } else {
            self.visit(from, pauses, |(begin, end)| {
                let length = end - begin;
                if length >= left {
                    due = begin.checked_add_signed(left);
                    left = TimeDelta::zero();
                    return ControlFlow::Break(());
                }
                left -= length;
                ControlFlow::Continue(())
            });
        }
        let last = due.or_else(|| pauses.last().map(|pause| pause.from));
        Counted {
            due,
            used: budget.max(TimeDelta::zero()) - left,
            covered: self.is_covered(from, last.unwrap_or(from)),
        }
    }

    /// How much of the time from `from` to `to` counts.
    pub fn between(
        self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        pauses: &[Pause<'_>],
    ) -> TimeDelta {
        let mut sum = TimeDelta::zero();
        if from < to {
            self.visit(from, pauses, |(begin, end)| {
                if begin < to {
                    sum += end.min(to) - begin;
                }
                if end < to {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
        }
        sum
    }

    /// The first moment from `from` on that counts, if there is any.
    pub fn first_counted(self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut first = None;
        self.visit(from, &[], |(begin, _)| {
            first = Some(begin);
            ControlFlow::Break(())
        });
        first
    }

    /// Every stretch from `from` to `to`, counted or not, in order.
    pub fn stretches(
        self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        pauses: &[Pause<'_>],
    ) -> Vec<Stretch> {
        let mut counted: Vec<Part> = Vec::new();
        self.visit(from, pauses, |(begin, end)| {
            if begin < to {
                counted.push((begin, end.min(to)));
            }
            if end < to {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let mut list: Vec<Stretch> = Vec::new();
        for (begin, end) in edges(self, from, to, pauses, &counted) {
            let kind = self.kind((begin, end), pauses, &counted);
            match list.last_mut() {
                Some(last) if last.kind == kind => last.to = end,
                _ => list.push(Stretch {
                    from: begin,
                    to: end,
                    kind,
                }),
            }
        }
        list
    }

    fn kind(self, part: Part, pauses: &[Pause<'_>], counted: &[Part]) -> StretchKind {
        let at = part.0;
        if counted.iter().any(|&(from, to)| from <= at && at < to) {
            return StretchKind::Counted;
        }
        if let Some(pause) = pauses.iter().find(|pause| pause.holds(at)) {
            let reason = pause.reason.to_owned();
            return StretchKind::Paused { reason };
        }
        let Self::Working(working) = self else {
            return StretchKind::Counted;
        };
        let date = working.zone.local(at).date();
        match working.calendar.kind_of(date) {
            Some(DayKind::Holiday) => StretchKind::Holiday,
            kind if working.hours.of(weekday(date), kind).is_empty() => StretchKind::RestDay,
            _ => StretchKind::OffHours,
        }
    }

    fn is_covered(self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        let Self::Working(working) = self else {
            return true;
        };
        let year = |at| working.zone.local(at).year();
        (year(from)..=year(to)).all(|year| working.calendar.covers_year(year))
    }

    /// Gives what counts from `from` on, piece by piece in order, until told to
    /// stop or nothing is left.
    fn visit(
        self,
        from: DateTime<Utc>,
        pauses: &[Pause<'_>],
        mut each: impl FnMut(Part) -> ControlFlow<()>,
    ) {
        match self {
            Self::Elapsed => {
                let _told_to_stop = without((from, DateTime::<Utc>::MAX_UTC), pauses, &mut each);
            }
            Self::Working(working) => {
                let end = pauses.last().filter(|pause| pause.to.is_none());
                let end = end.map_or(DateTime::<Utc>::MAX_UTC, |pause| pause.from);
                let mut date = working.zone.local(from).date();
                for _ in 0..MOST_DAYS {
                    for part in working.day(date) {
                        let part = (part.0.max(from), part.1);
                        if part.0 < part.1 && without(part, pauses, &mut each).is_break() {
                            return;
                        }
                    }
                    let Some(next) = date.checked_add_days(Days::new(1)) else {
                        return;
                    };
                    if working.zone.midnight(next) >= end {
                        return;
                    }
                    date = next;
                }
            }
        }
    }
}

impl Pause<'_> {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

impl WorkingTime<'_> {
    /// The parts of a local date that are worked, in order.
    fn day(&self, date: NaiveDate) -> impl Iterator<Item = Part> {
        let kind = self.calendar.kind_of(date);
        let spans = self.hours.of(weekday(date), kind).iter();
        let mut parts: Vec<Part> = spans
            .flat_map(|&span| self.zone.parts(date, span))
            .flatten()
            .collect();
        // Where the clocks are set back, a part of the second round can begin
        // before the next span of the first.
        parts.sort_unstable();
        parts.into_iter()
    }
}

/// From Monday, 0.
fn weekday(date: NaiveDate) -> usize {
    date.weekday().num_days_from_monday() as usize
}

/// What of `part` no pause takes, piece by piece.
fn without(
    part: Part,
    pauses: &[Pause<'_>],
    each: &mut impl FnMut(Part) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (mut from, to) = part;
    for pause in pauses {
        if pause.from >= to {
            break;
        }
        if pause.from > from {
            each((from, pause.from))?;
        }
        from = from.max(pause.to.unwrap_or(to));
        if from >= to {
            return ControlFlow::Continue(());
        }
    }
    each((from, to))
}

/// The pieces between all moments at which a stretch can begin or end.
fn edges(
    counting: Counting<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    pauses: &[Pause<'_>],
    counted: &[Part],
) -> Vec<Part> {
    let mut at = vec![from, to];
    at.extend(counted.iter().flat_map(|&(begin, end)| [begin, end]));
    at.extend(pauses.iter().map(|pause| pause.from));
    at.extend(pauses.iter().filter_map(|pause| pause.to));
    if let Counting::Working(working) = counting {
        let mut date = working.zone.local(from).date();
        while let Some(next) = date.checked_add_days(Days::new(1)) {
            let midnight = working.zone.midnight(next);
            if midnight >= to {
                break;
            }
            at.push(midnight);
            date = next;
        }
    }
    at.retain(|&moment| from <= moment && moment <= to);
    at.sort_unstable();
    at.dedup();
    at.windows(2).map(|pair| (pair[0], pair[1])).collect()
}
