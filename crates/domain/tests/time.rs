//! Counting working time: hand-checked deadlines, and the same sums as a walk
//! over every minute.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, TimeDelta, Timelike, Utc};
use proptest::prelude::*;
use suda_domain::time::{
    Calendar, Counting, DayKind, Hours, Pause, Span, StretchKind, WorkingTime, Zone,
};

fn china() -> Zone {
    Zone::Fixed(FixedOffset::east_opt(8 * 3600).unwrap())
}

/// The hours Suda begins with, on the calendar it ships.
fn usual() -> Counting<'static> {
    static CHINA: LazyLock<Calendar> = LazyLock::new(Calendar::china);
    static HOURS: LazyLock<Hours> = LazyLock::new(Hours::default);
    Counting::Working(WorkingTime {
        calendar: &CHINA,
        hours: &HOURS,
        zone: china(),
    })
}

fn local(text: &str) -> DateTime<Utc> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    (naive - TimeDelta::hours(8)).and_utc()
}

/// Arrival, working days of 8 hours (9 to 12 and 13 to 18), and the deadline,
/// counted by hand on the notices of the State Council: around the Spring
/// Festivals, National Days and make-up weekends of 2024 to 2026.
const BY_HAND: [(&str, u32, &str); 40] = [
    ("2024-02-02 10:00", 7, "2024-02-18 10:00"),
    ("2024-02-04 09:00", 7, "2024-02-18 18:00"),
    ("2024-02-08 17:30", 1, "2024-02-09 17:30"),
    ("2024-02-09 18:00", 1, "2024-02-18 18:00"),
    ("2024-02-09 12:30", 7, "2024-02-26 12:00"),
    ("2024-02-10 00:00", 1, "2024-02-18 18:00"),
    ("2024-02-14 11:11", 7, "2024-02-26 18:00"),
    ("2024-02-18 08:00", 7, "2024-02-26 18:00"),
    ("2025-01-24 16:00", 7, "2025-02-10 16:00"),
    ("2025-01-26 09:30", 1, "2025-01-27 09:30"),
    ("2025-01-27 17:59", 1, "2025-02-05 17:59"),
    ("2025-01-28 09:00", 2, "2025-02-06 18:00"),
    ("2025-02-04 23:59", 7, "2025-02-12 18:00"),
    ("2025-02-07 15:00", 3, "2025-02-11 15:00"),
    ("2026-02-13 10:00", 7, "2026-03-02 10:00"),
    ("2026-02-14 13:00", 1, "2026-02-24 12:00"),
    ("2026-02-14 18:01", 1, "2026-02-24 18:00"),
    ("2026-02-20 12:00", 7, "2026-03-03 18:00"),
    ("2026-02-24 09:00", 5, "2026-02-28 18:00"),
    ("2026-02-27 17:00", 2, "2026-03-02 17:00"),
    ("2024-09-13 14:00", 7, "2024-09-25 14:00"),
    ("2024-09-14 11:59", 2, "2024-09-19 11:59"),
    ("2024-09-27 09:00", 7, "2024-10-11 18:00"),
    ("2024-09-29 17:00", 2, "2024-10-08 17:00"),
    ("2024-09-30 18:00", 1, "2024-10-08 18:00"),
    ("2024-10-05 10:00", 7, "2024-10-15 18:00"),
    ("2024-10-11 16:30", 2, "2024-10-14 16:30"),
    ("2025-09-26 10:00", 7, "2025-10-13 10:00"),
    ("2025-09-28 12:00", 4, "2025-10-10 12:00"),
    ("2025-09-30 17:45", 1, "2025-10-09 17:45"),
    ("2025-10-08 20:00", 7, "2025-10-16 18:00"),
    ("2025-10-10 09:15", 3, "2025-10-14 09:15"),
    ("2026-09-18 10:00", 7, "2026-09-29 10:00"),
    ("2026-09-20 09:00", 5, "2026-09-24 18:00"),
    ("2026-09-24 13:30", 7, "2026-10-12 13:30"),
    ("2026-09-30 15:00", 3, "2026-10-10 15:00"),
    ("2026-10-07 12:00", 7, "2026-10-15 18:00"),
    ("2026-10-09 17:00", 2, "2026-10-12 17:00"),
    ("2024-04-26 10:20", 3, "2024-04-30 10:20"),
    ("2026-05-08 16:00", 2, "2026-05-11 16:00"),
];

#[test]
fn forty_deadlines_counted_by_hand() {
    let counting = usual();
    for (from, days, due) in BY_HAND {
        let budget = TimeDelta::hours(8 * i64::from(days));
        let counted = counting.after(local(from), budget, &[]);
        assert_eq!(counted.due, Some(local(due)), "{days} days from {from}");
        assert!(counted.covered);
        let sum = counting.between(local(from), local(due), &[]);
        assert_eq!(sum, budget, "{days} days from {from}");
    }
}

#[test]
fn a_year_without_calendar_is_told_not_taken_for_one_without_holidays() {
    let counting = usual();
    let covered = |from| {
        counting
            .after(local(from), TimeDelta::hours(56), &[])
            .covered
    };
    assert!(covered("2026-12-18 10:00"));
    assert!(!covered("2026-12-28 10:00"));
}

#[test]
fn every_stretch_of_a_deadline_is_explained() {
    let counting = usual();
    let (from, to) = (local("2025-09-30 17:00"), local("2025-10-11 10:00"));
    let pause = Pause {
        from: local("2025-10-09 15:00"),
        to: Some(local("2025-10-10 11:00")),
        reason: "customer",
    };
    let list = counting.stretches(from, to, &[pause]);
    let told: Vec<_> = list
        .iter()
        .map(|stretch| {
            let at = china()
                .local(stretch.from)
                .format("%m-%d %H:%M")
                .to_string();
            (at, stretch.kind.clone())
        })
        .collect();
    let paused = || StretchKind::Paused {
        reason: "customer".into(),
    };
    let expected = [
        ("09-30 17:00", StretchKind::Counted),
        ("09-30 18:00", StretchKind::OffHours),
        ("10-01 00:00", StretchKind::Holiday),
        ("10-09 00:00", StretchKind::OffHours),
        ("10-09 09:00", StretchKind::Counted),
        ("10-09 12:00", StretchKind::OffHours),
        ("10-09 13:00", StretchKind::Counted),
        ("10-09 15:00", paused()),
        ("10-10 11:00", StretchKind::Counted),
        ("10-10 12:00", StretchKind::OffHours),
        ("10-10 13:00", StretchKind::Counted),
        ("10-10 18:00", StretchKind::OffHours),
        ("10-11 09:00", StretchKind::Counted),
    ];
    let expected = expected.map(|(at, kind)| (at.to_owned(), kind));
    assert_eq!(told, expected);
    assert!(list.windows(2).all(|pair| pair[0].to == pair[1].from));
    let counted: TimeDelta = list
        .iter()
        .filter(|stretch| stretch.kind == StretchKind::Counted)
        .map(|stretch| stretch.to - stretch.from)
        .sum();
    assert_eq!(counted, counting.between(from, to, &[pause]));
}

/// Whether a minute is worked, asked of the rules one by one.
fn is_worked(at: DateTime<Utc>, calendar: &Calendar, hours: &Hours, zone: Zone) -> bool {
    let local = zone.local(at);
    let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap();
    let weekday = local.weekday().num_days_from_monday() as usize;
    let spans = match calendar.kind_of(local.date()) {
        Some(DayKind::Holiday) => &hours.holiday,
        Some(DayKind::HalfDay) => &hours.half_day,
        Some(DayKind::MakeupWorkday) if hours.week[weekday].is_empty() => &hours.makeup,
        _ => &hours.week[weekday],
    };
    spans
        .iter()
        .any(|span| span.from <= minute && minute < span.to)
}

/// Ways to work, in zones with and without daylight-saving time.
struct Place {
    hours: Hours,
    zone: Zone,
    /// Where intervals begin, in minutes since 1970.
    around: i64,
}

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let half_days = "date,kind\n2027-01-01,holiday\n2027-02-05,half_day\n2027-02-08,half_day\n";
    Calendar::china().with(&Calendar::parse(half_days).unwrap())
});

static PLACES: LazyLock<[Place; 5]> = LazyLock::new(|| {
    let day = |spans: &[(u16, u16)]| spans.iter().map(|&(a, b)| Span::new(a, b)).collect();
    let usual = Hours::default();
    let hall = Hours {
        week: std::array::from_fn(|_| day(&[(510, 690), (750, 1230)])),
        holiday: day(&[(600, 960)]),
        ..Hours::default()
    };
    let night = Hours {
        week: std::array::from_fn(|_| day(&[(0, 150), (170, 200), (1380, 1440)])),
        ..Hours::default()
    };
    let minute = |text: &str| local(text).timestamp() / 60;
    let named = |name: &str| Zone::named(name).unwrap();
    [
        (usual.clone(), china(), "2025-09-20 00:00"),
        (hall, china(), "2026-02-05 00:00"),
        (usual, china(), "2027-01-29 00:00"),
        // The clocks go back on 26 October and forward on 29 March.
        (night.clone(), named("Europe/Berlin"), "2025-10-23 00:00"),
        (night, named("Europe/Berlin"), "2026-03-26 00:00"),
    ]
    .map(|(hours, zone, around)| Place {
        hours,
        zone,
        around: minute(around),
    })
});

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute * 60, 0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// What counts between two moments, and when a budget is used up, is what
    /// a walk over every minute finds.
    #[test]
    fn counting_equals_a_walk_over_every_minute(
        place in 0usize..5,
        begin in 0i64..14_400,
        length in 0i64..7_200,
        paused in prop::collection::vec((1i64..1_000, 1i64..1_000), 0..4),
    ) {
        let Place { hours, zone, around } = &PLACES[place];
        let counting = Counting::Working(WorkingTime { calendar: &CALENDAR, hours, zone: *zone });
        let from = around + begin;
        let mut edge = from - 300;
        let pauses: Vec<(i64, i64)> = paused.into_iter().map(|(gap, length)| {
            let pause = (edge + gap, edge + gap + length);
            edge = pause.1;
            pause
        }).collect();
        let held: Vec<Pause<'_>> = pauses.iter().map(|&(from, to)| Pause {
            from: at(from),
            to: Some(at(to)),
            reason: "customer",
        }).collect();
        let counts = |minute: i64| {
            !pauses.iter().any(|&(from, to)| from <= minute && minute < to)
                && is_worked(at(minute), &CALENDAR, hours, *zone)
        };
        let walked = (from..from + length).filter(|&minute| counts(minute)).count();
        let sum = counting.between(at(from), at(from + length), &held);
        prop_assert_eq!(sum.num_minutes(), i64::try_from(walked).unwrap());
        let counted = counting.after(at(from), sum, &held);
        let last = (from..from + length).rev().find(|&minute| counts(minute));
        prop_assert_eq!(counted.due, Some(at(last.map_or(from, |minute| minute + 1))));
        prop_assert_eq!(counted.used, sum);
    }
}
