//! What the listed days of a year are: national holidays, make-up working
//! weekends (调休) and half days. All other days are what their weekday says.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// What a listed day is, against what its weekday says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    Holiday,
    MakeupWorkday,
    HalfDay,
}

impl DayKind {
    /// The name in a calendar file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::MakeupWorkday => "makeup_workday",
            Self::HalfDay => "half_day",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Holiday, Self::MakeupWorkday, Self::HalfDay]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// The listed days of the covered years.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calendar {
    days: BTreeMap<NaiveDate, DayKind>,
}

/// Why a calendar file cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CalendarError {
    #[error("line {line}: expected `YYYY-MM-DD,holiday`, `…,makeup_workday` or `…,half_day`")]
    Line {
        /// From 1.
        line: usize,
    },
    #[error("line {line}: the day is listed twice")]
    Twice { line: usize },
    /// A notice always gives a year some holidays.
    #[error("the file lists no days")]
    Empty,
}

impl Calendar {
    /// Mainland China, 2024 to 2026, after the yearly notices of the State Council.
    pub fn china() -> Self {
        Self::parse(include_str!("../../data/workcalendar_cn.csv")).unwrap_or_default()
    }

    /// Reads two columns, date and kind, with a header line. Further columns,
    /// as the name of the holiday, are not looked at.
    pub fn parse(csv: &str) -> Result<Self, CalendarError> {
        let mut days = BTreeMap::new();
        let lines = csv
            .trim_start_matches('\u{feff}')
            .lines()
            .enumerate()
            .skip(1);
        for (index, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            let line = index + 1;
            let mut columns = text.split(',').map(str::trim);
            let date = columns.next().and_then(|date| date.parse().ok());
            let kind = columns.next().and_then(DayKind::from_name);
            let (date, kind) = date.zip(kind).ok_or(CalendarError::Line { line })?;
            if days.insert(date, kind).is_some() {
                return Err(CalendarError::Twice { line });
            }
        }
        if days.is_empty() {
            return Err(CalendarError::Empty);
        }
        Ok(Self { days })
    }

    /// Takes the years of `other` in the place of its own.
    pub fn with(mut self, other: &Self) -> Self {
        let years = other.years();
        self.days.retain(|date, _| !years.contains(&date.year()));
        self.days.extend(&other.days);
        self
    }

    /// The covered years, in order.
    pub fn years(&self) -> Vec<i32> {
        let mut years: Vec<_> = self.days.keys().map(Datelike::year).collect();
        years.dedup();
        years
    }

    /// Whether a year is covered. What is not covered has unknown holidays, not
    /// none.
    pub fn covers_year(&self, year: i32) -> bool {
        let first = NaiveDate::from_ymd_opt(year, 1, 1);
        let last = NaiveDate::from_ymd_opt(year, 12, 31);
        first
            .zip(last)
            .is_some_and(|(first, last)| self.days.range(first..=last).next().is_some())
    }

    /// What a date is listed as.
    pub fn kind_of(&self, date: NaiveDate) -> Option<DayKind> {
        self.days.get(&date).copied()
    }

    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, DayKind)> {
        self.days.iter().map(|(&date, &kind)| (date, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_covers_its_years() {
        assert_eq!(Calendar::china().years(), [2024, 2025, 2026]);
        assert!(!Calendar::china().covers_year(2027));
    }

    #[test]
    fn a_bad_line_is_named() {
        let parse = |lines: &str| Calendar::parse(&format!("date,kind\n{lines}"));
        let line = 2;
        assert_eq!(parse("2026-01-01,feast"), Err(CalendarError::Line { line }));
        assert_eq!(
            parse("2026-13-01,holiday"),
            Err(CalendarError::Line { line })
        );
        let twice = "2027-01-01,holiday\n2027-01-01,half_day";
        assert_eq!(parse(twice), Err(CalendarError::Twice { line: 3 }));
        assert_eq!(parse("\n"), Err(CalendarError::Empty));
        assert!(parse("2027-01-01,holiday,元旦\r\n").is_ok());
    }

    #[test]
    fn an_imported_year_takes_the_place_of_the_same_year_only() {
        let new = Calendar::parse("date,kind\n2026-01-05,holiday\n2027-01-01,holiday").unwrap();
        let both = Calendar::china().with(&new);
        assert_eq!(both.years(), [2024, 2025, 2026, 2027]);
        let of = |date: &str| both.kind_of(date.parse().unwrap());
        assert_eq!(of("2026-01-05"), Some(DayKind::Holiday));
        assert_eq!(of("2026-01-01"), None, "no longer listed");
        assert_eq!(of("2025-01-01"), Some(DayKind::Holiday));
    }
}
