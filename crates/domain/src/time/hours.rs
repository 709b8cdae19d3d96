//! The hours of work of a week, split by breaks. Branches may have their own.

use serde::{Deserialize, Serialize};

use super::calendar::DayKind;

/// From one minute of the local day up to another, which is no longer part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// Minutes since midnight.
    pub from: u16,
    /// Minutes since midnight, at most 1,440.
    pub to: u16,
}

const DAY: u16 = 24 * 60;

impl Span {
    pub const fn new(from: u16, to: u16) -> Self {
        Self { from, to }
    }

    /// Minutes.
    pub fn length(self) -> u32 {
        u32::from(self.to.saturating_sub(self.from))
    }
}

/// When work is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Hours {
    /// Monday to Sunday. A day without spans is not worked.
    pub week: [Vec<Span>; 7],
    /// On a weekend day that makes up for a holiday (调休).
    pub makeup: Vec<Span>,
    /// On a day listed as half a working day.
    pub half_day: Vec<Span>,
    /// On a public holiday; most are closed.
    pub holiday: Vec<Span>,
}

/// Why hours cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HoursError {
    #[error("a span of hours must end after it begins and by midnight")]
    Span,
    #[error("the spans of a day must follow one another")]
    Order,
    #[error("no day of the week is worked")]
    NoWork,
}

impl Default for Hours {
    /// Monday to Friday, 9 to 12 and 13 to 18; half a day is the morning.
    fn default() -> Self {
        let morning = Span::new(9 * 60, 12 * 60);
        let day = vec![morning, Span::new(13 * 60, 18 * 60)];
        Self {
            week: std::array::from_fn(|weekday| if weekday < 5 { day.clone() } else { Vec::new() }),
            makeup: day,
            half_day: vec![morning],
            holiday: Vec::new(),
        }
    }
}

impl Hours {
    /// The spans of a day.
    ///
    /// `weekday` counts from Monday, 0. `kind` is what the calendar lists the
    /// day as. A make-up day on a weekday that is worked anyway, as in a hall
    /// open on Saturdays, keeps that weekday's hours.
    pub fn of(&self, weekday: usize, kind: Option<DayKind>) -> &[Span] {
        let usual = self.week.get(weekday).map_or(&[][..], Vec::as_slice);
        match kind {
            Some(DayKind::Holiday) => &self.holiday,
            Some(DayKind::HalfDay) => &self.half_day,
            Some(DayKind::MakeupWorkday) if usual.is_empty() => &self.makeup,
            Some(DayKind::MakeupWorkday) | None => usual,
        }
    }

    /// Minutes of one working day: of the first day of the week that is worked.
    pub fn day_length(&self) -> u32 {
        let worked = self.week.iter().find(|spans| !spans.is_empty());
        worked.map_or(0, |spans| spans.iter().map(|span| span.length()).sum())
    }

    /// Whether every span ends after it begins, those of a day follow one
    /// another, and some day is worked.
    pub fn check(&self) -> Result<(), HoursError> {
        let days = self
            .week
            .iter()
            .chain([&self.makeup, &self.half_day, &self.holiday]);
        for spans in days {
            if spans.iter().any(|s| s.from >= s.to || s.to > DAY) {
                return Err(HoursError::Span);
            }
            if spans.windows(2).any(|pair| pair[0].to > pair[1].from) {
                return Err(HoursError::Order);
            }
        }
        if self.day_length() == 0 {
            return Err(HoursError::NoWork);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_worked_is_refused() {
        assert_eq!(Hours::default().check(), Ok(()));
        let with = |spans: Vec<Span>| Hours {
            makeup: spans,
            ..Hours::default()
        };
        assert_eq!(with(vec![Span::new(60, 60)]).check(), Err(HoursError::Span));
        assert_eq!(
            with(vec![Span::new(0, 1441)]).check(),
            Err(HoursError::Span)
        );
        let crossed = vec![Span::new(60, 120), Span::new(119, 130)];
        assert_eq!(with(crossed).check(), Err(HoursError::Order));
        let touching = vec![Span::new(60, 120), Span::new(120, 130)];
        assert_eq!(with(touching).check(), Ok(()));
        let idle = Hours {
            week: Default::default(),
            ..Hours::default()
        };
        assert_eq!(idle.check(), Err(HoursError::NoWork));
    }

    #[test]
    fn a_hall_open_on_saturday_keeps_its_hours_on_a_makeup_saturday() {
        let mut hours = Hours::default();
        let makeup = Some(DayKind::MakeupWorkday);
        assert_eq!(hours.of(5, makeup), hours.makeup);
        hours.week[5] = vec![Span::new(600, 900)];
        assert_eq!(hours.of(5, makeup), hours.week[5]);
        assert_eq!(hours.of(5, Some(DayKind::Holiday)), []);
    }
}
