//! Working days: weekends, national holidays and make-up working weekends (调休).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, Utc, Weekday};

/// What a listed day is, against what its weekday says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DayKind {
    Holiday,
    MakeupWorkday,
}

/// The listed days of the covered years.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Calendar {
    days: BTreeMap<NaiveDate, DayKind>,
}

/// A line of a calendar file that is not `date,kind`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: expected `YYYY-MM-DD,holiday` or `YYYY-MM-DD,makeup_workday`")]
pub struct CalendarError {
    /// From 1.
    pub line: usize,
}

/// A date found by counting, and whether every year it passed through is covered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    pub due: DateTime<Utc>,
    /// False when the count ran into a year the calendar knows nothing of: its
    /// holidays are then unknown, not absent.
    pub covered: bool,
}

impl Calendar {
    /// Mainland China, 2024 to 2026, after the yearly notices of the State Council.
    pub fn china() -> Self {
        Self::parse(include_str!("../data/workcalendar_cn.csv")).unwrap_or_default()
    }

    /// Reads two columns, date and kind, with a header line.
    pub fn parse(csv: &str) -> Result<Self, CalendarError> {
        let mut days = BTreeMap::new();
        for (index, line) in csv
            .lines()
            .enumerate()
            .skip(1)
            .filter(|(_, l)| !l.trim().is_empty())
        {
            let wrong = || CalendarError { line: index + 1 };
            let (date, kind) = line.split_once(',').ok_or_else(wrong)?;
            let date = date.trim().parse().map_err(|_| wrong())?;
            let kind = match kind.trim() {
                "holiday" => DayKind::Holiday,
                "makeup_workday" => DayKind::MakeupWorkday,
                _ => return Err(wrong()),
            };
            days.insert(date, kind);
        }
        Ok(Self { days })
    }

    pub fn covers(&self, date: NaiveDate) -> bool {
        let year = date.year();
        let first = NaiveDate::from_ymd_opt(year, 1, 1);
        let last = NaiveDate::from_ymd_opt(year, 12, 31);
        first
            .zip(last)
            .is_some_and(|(first, last)| self.days.range(first..=last).next().is_some())
    }

    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        match self.days.get(&date) {
            Some(DayKind::Holiday) => false,
            Some(DayKind::MakeupWorkday) => true,
            None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// The end of the `count`-th working day after the day of `from`, in civil
    /// time `offset`; the day of `from` itself is not counted.
    pub fn after_working_days(
        &self,
        from: DateTime<Utc>,
        count: u32,
        offset: FixedOffset,
    ) -> Counted {
        let mut date = from.with_timezone(&offset).date_naive();
        let mut left = count;
        let mut covered = self.covers(date);
        while left > 0 {
            let Some(next) = date.checked_add_days(Days::new(1)) else {
                break;
            };
            date = next;
            covered &= self.covers(date);
            if self.is_working_day(date) {
                left -= 1;
            }
        }
        let midnight = date
            .checked_add_days(Days::new(1))
            .unwrap_or(date)
            .and_time(NaiveTime::MIN);
        let due = midnight
            .and_local_timezone(offset)
            .single()
            .map_or(from, |at| at.with_timezone(&Utc));
        Counted { due, covered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn china(date: &str) -> Counted {
        let offset = FixedOffset::east_opt(8 * 3600).unwrap();
        let from: DateTime<Utc> = format!("{date}T10:00:00+08:00").parse().unwrap();
        Calendar::china().after_working_days(from, 7, offset)
    }

    fn due_day(date: &str) -> String {
        let offset = FixedOffset::east_opt(8 * 3600).unwrap();
        (china(date).due - chrono::TimeDelta::seconds(1))
            .with_timezone(&offset)
            .date_naive()
            .to_string()
    }

    /// Counted by hand on the calendars of the State Council's notices.
    #[test]
    fn seven_working_days_over_holidays_and_makeup_weekends() {
        // A plain fortnight.
        assert_eq!(due_day("2026-07-21"), "2026-07-30");
        // National Day 2025 (1–8 October off, Sunday 28 September and Saturday 11 October worked).
        assert_eq!(due_day("2025-09-26"), "2025-10-13");
        // Spring Festival 2024 (10–17 February off, Sundays 4 and 18 February worked).
        assert_eq!(due_day("2024-02-02"), "2024-02-18");
    }

    #[test]
    fn a_year_without_calendar_is_reported_not_guessed() {
        assert!(china("2026-11-20").covered);
        assert!(!china("2026-12-28").covered);
    }

    #[test]
    fn the_shipped_file_parses_and_a_bad_line_is_named() {
        assert!(Calendar::china().days.len() > 100);
        assert_eq!(
            Calendar::parse("date,kind\n2026-01-01,feast"),
            Err(CalendarError { line: 2 })
        );
    }
}
