//! Whatever order pauses, changes of the grade and news of the calendar come
//! in, what is left of each clock is the same: clocks are counted from the
//! moments, never from a counter that each change moves on.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

use chrono::TimeDelta;
use proptest::prelude::*;
use suda_domain::clocks::{Clock, deadlines};
use suda_domain::complaint::Complaint;
use suda_domain::escalation;
use suda_domain::fact::{Fact, FactKind};
use suda_domain::policy::WAITING_FOR_CUSTOMER;
use suda_domain::time::{Calendar, TimeRules, Timekeeping};
use suda_domain::{Actor, Complexity, Grade, Lane, Policy, Role};
use support::{actor, apply, assessed, event, fact, recorded, start};

/// A complaint that an expert works on.
fn claimed() -> Complaint {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let first = assessed(Grade::Two, Complexity::Complex);
    apply(&mut c, Role::Clerk, first, 2).unwrap();
    for (n, (role, kind)) in (3..).zip([
        (Role::Clerk, FactKind::HandedOff),
        (Role::System, FactKind::Queued),
        (Role::Expert, FactKind::Claimed),
    ]) {
        let fact = fact(kind, &c, n);
        apply(&mut c, role, fact, n).unwrap();
    }
    c
}

/// What happens, at which minute.
type Happening = (i64, Actor, Fact);

/// Pauses one after the other: each begins some minutes after the last has
/// ended, and lasts some.
fn pauses(lengths: &[(i64, i64)]) -> Vec<Happening> {
    let mut minute = 10;
    let mut list = Vec::new();
    for &(gap, length) in lengths {
        minute += gap;
        let paused = Fact::Paused {
            reason: WAITING_FOR_CUSTOMER.into(),
            name: "等待".into(),
            note: "补充材料".into(),
        };
        list.push((minute, actor(Role::Expert), paused));
        minute += length;
        list.push((minute, actor(Role::Expert), Fact::Resumed));
    }
    list
}

fn grades(changes: &[(i64, usize)]) -> Vec<Happening> {
    let mut minute = 10;
    let list = changes.iter().map(|&(gap, grade)| {
        minute += gap;
        let fact = Fact::Graded {
            grade: Grade::ALL[grade],
            reason: "复核".into(),
        };
        (minute, actor(Role::Management), fact)
    });
    list.collect()
}

/// Two rows of happenings as one, each in its own order; `first` says from
/// which the next one comes.
fn merged(a: Vec<Happening>, b: Vec<Happening>, first: &[bool]) -> Vec<Happening> {
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    let mut list = Vec::new();
    let mut turns = first.iter().copied().cycle();
    while a.peek().is_some() || b.peek().is_some() {
        let of_a = turns.next().unwrap_or(true);
        list.extend(if of_a { a.next() } else { b.next() });
    }
    list
}

fn folded(happenings: Vec<Happening>) -> Complaint {
    let mut c = claimed();
    for (n, (minute, who, fact)) in (6..).zip(happenings) {
        let event = event(n, Lane::Ordinary, minute, c.owner_no, who, fact);
        c.apply(&event).unwrap();
    }
    c
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pauses_grades_and_calendar_in_any_order_leave_the_same_time(
        waits in prop::collection::vec((1i64..2_000, 1i64..9_000), 0..5),
        changes in prop::collection::vec((1i64..3_000, 0usize..3), 0..5),
        turns in prop::collection::vec(any::<bool>(), 1..8),
        calendar_first: bool,
        holidays in prop::collection::btree_set(22u32..30, 1..6),
    ) {
        // A grade that is judged as it was is no change.
        let mut last = 1;
        let changes: Vec<_> = changes
            .into_iter()
            .filter(|&(_, grade)| std::mem::replace(&mut last, grade) != grade)
            .collect();
        prop_assume!(turns.contains(&true) && turns.contains(&false));
        let one = folded(merged(pauses(&waits), grades(&changes), &turns));
        let other = folded(pauses(&waits).into_iter().chain(grades(&changes)).collect());

        let later = Policy { version: 2, feedback: 90, ..Policy::default() };
        let since = start() + TimeDelta::days(1);
        let bare = TimeRules::beginning(Policy::default());
        // The notice of the year came late and is another than was thought.
        let days: String = holidays.iter().map(|day| format!("2026-09-{day},holiday\n")).collect();
        let told = Calendar::parse(&format!("date,kind\n{days}")).unwrap();
        let keep = |calendar_first: bool| {
            let rules = if calendar_first {
                bare.with_calendar(&told).with_policy(later.clone(), since)
            } else {
                bare.with_policy(later.clone(), since).with_calendar(&told)
            };
            Timekeeping::from(rules)
        };
        let (a, b) = (keep(calendar_first), keep(!calendar_first));
        let (counted, again) = (deadlines(&one, &a), deadlines(&other, &b));
        prop_assert_eq!(&counted, &again);
        prop_assert_eq!(
            escalation::next(&one, &a, &counted),
            escalation::next(&other, &b, &again)
        );

        // What the pauses cost, counted by hand for the clock that counts all
        // of elapsed time: none of five days' length is cut short here.
        let analysis = counted.iter().find(|one| one.clock == Clock::InitialAnalysis).unwrap();
        if waits.iter().all(|&(_, length)| length <= 5 * 24 * 60) {
            let mut due = analysis.from + TimeDelta::days(1);
            let mut minute = 10;
            for &(gap, length) in &waits {
                minute += gap;
                if start() + TimeDelta::minutes(minute) < due {
                    due += TimeDelta::minutes(length);
                }
                minute += length;
            }
            prop_assert_eq!(analysis.due, due);
        }
    }
}
