//! The civil time of the installation: a fixed offset, or a named zone with its
//! changes to and from daylight-saving time.

use chrono::{
    DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, TimeDelta,
    TimeZone as _, Utc,
};

use super::hours::Span;

/// Where the hours of work are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zone {
    Fixed(FixedOffset),
    Named(chrono_tz::Tz),
}

/// A name that the time-zone database does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no time zone of this name is known")]
pub struct UnknownZone;

/// From a moment up to another.
pub(super) type Part = (DateTime<Utc>, DateTime<Utc>);

/// A part of the time line with one offset.
#[derive(Clone, Copy, Debug)]
struct Steady {
    offset: FixedOffset,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

const DAY: TimeDelta = TimeDelta::days(1);
const WHOLE_DAY: Span = Span::new(0, 24 * 60);

impl Zone {
    /// By its name in the time-zone database, as `Asia/Shanghai`.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        name.parse().map(Self::Named).map_err(|_| UnknownZone)
    }

    /// The offset from UTC at a moment.
    pub fn offset_at(self, at: DateTime<Utc>) -> FixedOffset {
        match self {
            Self::Fixed(offset) => offset,
            Self::Named(zone) => zone.offset_from_utc_datetime(&at.naive_utc()).fix(),
        }
    }

    /// The local date and time of a moment.
    pub fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.offset_at(at)).naive_local()
    }

    /// The moment a local date begins.
    pub fn midnight(self, date: NaiveDate) -> DateTime<Utc> {
        let [first, second] = self.parts(date, WHOLE_DAY);
        let noon = || utc(date.and_time(NaiveTime::MIN), self.offset_at(naive(date)));
        first.or(second).map_or_else(noon, |(from, _)| from)
    }

    /// When the clocks of a local date show a time within `span`: one part, or
    /// two on a day when they are set back, or none on a day that is skipped.
    pub(super) fn parts(self, date: NaiveDate, span: Span) -> [Option<Part>; 2] {
        let midnight = date.and_time(NaiveTime::MIN);
        let from = midnight + TimeDelta::minutes(i64::from(span.from));
        let to = midnight + TimeDelta::minutes(i64::from(span.to));
        self.around(date).map(|steady| {
            let steady = steady?;
            let begin = utc(from, steady.offset).max(steady.from);
            let end = utc(to, steady.offset).min(steady.to);
            (begin < end).then_some((begin, end))
        })
    }

    /// The offsets that a local date can meet. No zone changes twice within
    /// three days.
    fn around(self, date: NaiveDate) -> [Option<Steady>; 2] {
        let steady = |offset, from, to| Some(Steady { offset, from, to });
        let Self::Named(_) = self else {
            let offset = self.offset_at(naive(date));
            return [
                steady(offset, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC),
                None,
            ];
        };
        let (from, to) = (naive(date) - DAY, naive(date) + DAY + DAY);
        let (before, after) = (self.offset_at(from), self.offset_at(to));
        if before == after {
            return [steady(before, from, to), None];
        }
        let change = self.change(before, from, to);
        [steady(before, from, change), steady(after, change, to)]
    }

    /// The second from which on the offset is no longer `before`.
    fn change(self, before: FixedOffset, from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
        let (mut low, mut high) = (from.timestamp(), to.timestamp());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let at = DateTime::from_timestamp(middle, 0).unwrap_or(to);
            if self.offset_at(at) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        DateTime::from_timestamp(high, 0).unwrap_or(to)
    }
}

/// A date's midnight as if it were UTC: a moment near it in every zone.
fn naive(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

fn utc(local: NaiveDateTime, offset: FixedOffset) -> DateTime<Utc> {
    (local - TimeDelta::seconds(i64::from(offset.local_minus_utc()))).and_utc()
}
