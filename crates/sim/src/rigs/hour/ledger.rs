//! The breach ledger: was the promise kept, and if the hour passed, why. It judges
//! by the weather, which the programs do not see; what they tell people
//! (`suda_domain::breach`) is held against it.

use suda_domain::breach::BreachCause;

use super::spans::{Span, Spans};
use super::weather::HOUR_MS;

/// A link of this length before the deadline is enough (product.md, promise 2).
pub const ENOUGH_MS: u64 = 60_000;

/// One complex complaint.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub desk: usize,
    pub arrived: u64,
    pub recorded: u64,
    /// When its handoff was written.
    pub written: u64,
    /// When the hub stored it in the queue.
    pub queued: Option<u64>,
}

impl Case {
    pub fn deadline(&self) -> u64 {
        self.arrived + HOUR_MS
    }

    /// What the programs have to tell of a case that was late, and whether the
    /// weather bears it out: a handoff that was written in time is late by the
    /// link or for want of a minute, any other by who was to write it.
    fn is_told_as(&self, told: BreachCause, cause: Cause) -> bool {
        let (wanted, possible): (_, &[Cause]) = if self.recorded > self.deadline() {
            (
                BreachCause::RecordedLate,
                &[Cause::PcOff, Cause::WrittenLate],
            )
        } else if self.written > self.deadline() {
            (
                BreachCause::HandedOffLate,
                &[Cause::PcOff, Cause::WrittenLate],
            )
        } else {
            let met = &[
                Cause::Outage,
                Cause::PcOff,
                Cause::HubDown,
                Cause::WrittenLate,
            ];
            (BreachCause::DeliveredLate, met)
        };
        told == wanted && possible.contains(&cause)
    }
}

/// What stood between one desk and the queue.
#[derive(Clone, Debug)]
pub struct Weather<'a> {
    pub line: &'a Spans,
    pub off: &'a Spans,
    pub hub: &'a Spans,
    /// All three.
    pub any: &'a Spans,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    Outage,
    PcOff,
    HubDown,
    /// The clerk's handoff came with less than a minute to go.
    WrittenLate,
    Unexplained,
}

impl Cause {
    pub fn name(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::PcOff => "pc off",
            Self::HubDown => "hub down",
            Self::WrittenLate => "written late",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A complaint that was not in the queue within the hour. `span` is the part of
/// the time between handoff and deadline that the cause took.
#[derive(Clone, Copy, Debug)]
pub struct Breach {
    pub cause: Cause,
    pub span: Option<Span>,
}

/// The judgement on one case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict {
    /// The link was up long enough before the deadline.
    pub promised: bool,
    pub in_time: bool,
    /// It had to wait for the link: the time from the link's return to the queue.
    pub recovery_ms: Option<u64>,
    pub breach: Option<Breach>,
    /// What the programs tell of a breach is not what happened.
    pub mistold: bool,
}

/// `told` is what the programs tell of the case, should it be late.
pub fn judge(case: &Case, weather: &Weather<'_>, told: Option<BreachCause>) -> Verdict {
    let deadline = case.deadline();
    let in_time = case.queued.is_some_and(|queued| queued <= deadline);
    let promised = weather
        .any
        .gaps(case.written, deadline)
        .any(|up| up.length() >= ENOUGH_MS);
    let breach = (!in_time).then(|| explain(case, weather, promised));
    let bears_out = |breach: Breach| told.is_some_and(|told| case.is_told_as(told, breach.cause));
    Verdict {
        promised,
        in_time,
        recovery_ms: recovery(case, weather.any),
        mistold: breach.is_some_and(|breach| !bears_out(breach)),
        breach,
    }
}

/// From the first return of the link that lasted, or that sufficed.
fn recovery(case: &Case, down: &Spans) -> Option<u64> {
    let queued = case.queued?;
    if !down.holds(case.written) {
        return None;
    }
    let up = down
        .gaps(case.written, u64::MAX)
        .find(|up| up.length() >= ENOUGH_MS || (up.from..up.to).contains(&queued))?;
    Some(queued.saturating_sub(up.from))
}

/// The cause that took most of the time.
fn explain(case: &Case, weather: &Weather<'_>, promised: bool) -> Breach {
    let unexplained = Breach {
        cause: Cause::Unexplained,
        span: None,
    };
    if promised {
        return unexplained;
    }
    let left = Span {
        from: case.written,
        to: case.deadline(),
    };
    let causes = [
        (Cause::Outage, weather.line),
        (Cause::PcOff, weather.off),
        (Cause::HubDown, weather.hub),
    ];
    let met = causes
        .into_iter()
        .flat_map(|(cause, spans)| spans.iter().map(move |span| (cause, span)))
        .filter_map(|(cause, span)| Some((cause, span.meets(left)?)))
        // A moment of outage does not explain what was written too late anyway.
        .filter(|(_, met)| left.length() >= ENOUGH_MS || 2 * met.length() >= left.length())
        .max_by_key(|(_, span)| span.length());
    if let Some((cause, span)) = met {
        return Breach {
            cause,
            span: Some(span),
        };
    }
    if left.length() >= ENOUGH_MS {
        return unexplained;
    }
    // The PC was off while the customer waited, or the clerk took the hour.
    let before = Span {
        from: case.arrived,
        to: case.written,
    };
    let off = weather.off.iter().find_map(|span| span.meets(before));
    Breach {
        cause: off.map_or(Cause::WrittenLate, |_| Cause::PcOff),
        span: off,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(u64, u64)]) -> Spans {
        Spans::new(pairs.iter().map(|&(from, to)| Span { from, to }).collect())
    }

    fn judged(line: &[(u64, u64)], queued: Option<u64>) -> Verdict {
        let (line, none) = (spans(line), Spans::default());
        let case = Case {
            desk: 0,
            arrived: 0,
            recorded: 5,
            written: 10,
            queued,
        };
        let weather = Weather {
            line: &line,
            off: &none,
            hub: &none,
            any: &line,
        };
        judge(&case, &weather, Some(BreachCause::DeliveredLate))
    }

    #[test]
    fn a_breach_with_a_minute_of_link_is_never_explained() {
        let minute_left = judged(&[(5, HOUR_MS - ENOUGH_MS)], Some(HOUR_MS + 1));
        assert!(minute_left.promised && !minute_left.in_time);
        assert_eq!(minute_left.breach.unwrap().cause, Cause::Unexplained);
        let less = judged(&[(5, HOUR_MS - ENOUGH_MS + 1)], Some(HOUR_MS + 1));
        assert!(!less.promised);
        assert_eq!(less.breach.unwrap().cause, Cause::Outage);
        assert_eq!(judged(&[], None).breach.unwrap().cause, Cause::Unexplained);
    }

    /// A short return in between is not taken for the outage's end.
    #[test]
    fn recovery_counts_from_the_first_return_that_lasted() {
        let outages = [(5, 1_000), (2_000, 500_000), (600_000, 700_000)];
        assert_eq!(judged(&outages, Some(1_500)).recovery_ms, Some(500));
        assert_eq!(judged(&outages, Some(505_000)).recovery_ms, Some(5_000));
        assert_eq!(judged(&outages, Some(705_000)).recovery_ms, Some(205_000));
        assert_eq!(judged(&[(500, 600)], Some(700)).recovery_ms, None);
    }

    #[test]
    fn a_moment_of_outage_does_not_explain_what_was_written_too_late() {
        let written = HOUR_MS - 10_000;
        let (line, none) = (spans(&[(written + 1, written + 2)]), Spans::default());
        let weather = Weather {
            line: &line,
            off: &none,
            hub: &none,
            any: &line,
        };
        let case = Case {
            desk: 0,
            arrived: 0,
            recorded: 5,
            written,
            queued: Some(HOUR_MS + 1),
        };
        let verdict = judge(&case, &weather, Some(BreachCause::DeliveredLate));
        assert_eq!(verdict.breach.unwrap().cause, Cause::WrittenLate);
    }

    #[test]
    fn what_the_programs_tell_must_be_what_happened() {
        let outage = spans(&[(5, HOUR_MS)]);
        let none = Spans::default();
        let weather = Weather {
            line: &outage,
            off: &none,
            hub: &none,
            any: &outage,
        };
        let case = Case {
            desk: 0,
            arrived: 0,
            recorded: 5,
            written: 10,
            queued: Some(HOUR_MS + 1),
        };
        let mistold = |told| judge(&case, &weather, told).mistold;
        assert!(!mistold(Some(BreachCause::DeliveredLate)));
        assert!(mistold(Some(BreachCause::HandedOffLate)));
        assert!(mistold(Some(BreachCause::Unclaimed)));
        assert!(mistold(None));
    }
}
