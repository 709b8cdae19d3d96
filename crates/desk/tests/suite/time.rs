//! Trusted time: a PC's clock that is set, running or not, changes no deadline,
//! no reminder and no figure; it is flagged, and nothing is refused for it.

use chrono::{DateTime, TimeDelta, Utc};
use suda_desk::view::CaseView;
use suda_desk::{Clock as _, RecordError};
use suda_domain::clocks::{Clock, Deadline};
use suda_domain::fact::HandoffCause;
use suda_domain::intake::{Field, ProblemCode};
use suda_domain::{ComplaintId, Complexity, Fact, FactKind, Grade, LedgerEvent, State};

use crate::support::{Bench, form};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;
/// How a clock can be wrong, in minutes.
const WRONG: [i64; 6] = [-30 * DAY, -2 * HOUR, -20, 20, 2 * HOUR, 30 * DAY];

async fn simple(bench: &Bench) -> ComplaintId {
    bench
        .record_as(form("断网"), Grade::Three, Complexity::Simple)
        .await
}

async fn case(bench: &Bench, id: ComplaintId) -> CaseView {
    bench.desk.case(&bench.session, id).await.unwrap()
}

/// The end of a complaint's hour.
fn hour(case: &CaseView) -> DateTime<Utc> {
    let is_hour = |deadline: &&Deadline| deadline.clock == Clock::Handoff;
    let mut deadlines = case.deadlines.iter().map(|one| &one.deadline);
    deadlines.find(is_hour).unwrap().due
}

fn assert_near(found: DateTime<Utc>, truly: DateTime<Utc>, what: impl std::fmt::Debug) {
    let apart = (found - truly).abs();
    assert!(
        apart <= TimeDelta::seconds(3),
        "{what:?}: {found} is not {truly}"
    );
}

fn corrections(bench: &Bench) -> Vec<LedgerEvent> {
    let hub = bench.hub.state.lock().unwrap();
    let events = hub.log.iter().map(|sealed| sealed.open().unwrap());
    events
        .filter(|event| event.fact.kind() == FactKind::TimeCorrected)
        .collect()
}

#[tokio::test]
async fn setting_the_clock_of_a_running_desk_moves_no_reminder_no_deadline_and_no_figure() {
    for wrong in WRONG {
        let bench = Bench::new().await;
        let arrived = bench.clock.truly();
        let id = simple(&bench).await;
        let due = hour(&case(&bench, id).await);
        let mut seen = Vec::new();
        for minute in 1..=60 {
            if minute == 7 {
                bench.clock.set(wrong);
            }
            bench.clock.pass(1);
            let prompts = bench.desk.sweep().await.unwrap();
            seen.extend(prompts.iter().map(|prompt| (minute, prompt.handed_off)));
        }
        let expected = [(15, false), (30, false), (45, false), (50, true)];
        assert_eq!(seen, expected, "clock set by {wrong} min");
        let later = bench.clock.truly();
        let second = simple(&bench).await;
        let (first, second) = (case(&bench, id).await, case(&bench, second).await);
        assert_eq!(first.handoff_cause, Some(HandoffCause::Automatic));
        assert_eq!(hour(&first), due);
        assert_near(first.row.arrived_at, arrived, wrong);
        assert_near(second.row.arrived_at, later, wrong);
        assert_near(second.recorded_at, later, wrong);

        let clock = bench.desk.status().await.unwrap().clock;
        assert_eq!(clock.jumps, 1);
        assert!((clock.last_jump_by_s.unwrap() - wrong * 60).abs() <= 2);
        assert!((clock.off_by_s.unwrap() + wrong * 60).abs() <= 2);
        assert!(!clock.unconfirmed);
        // What was known all along needs no correction.
        bench.contact().await;
        assert!(corrections(&bench).is_empty());
        assert!(bench.desk.verify().await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn time_asleep_counts() {
    let bench = Bench::new().await;
    let id = simple(&bench).await;
    // The wall clock is set back while the computer sleeps.
    bench.clock.set(-HOUR);
    bench.clock.pass(HOUR);
    let prompts = bench.desk.sweep().await.unwrap();
    assert!(
        prompts
            .iter()
            .all(|prompt| prompt.handed_off && prompt.minutes == 60)
    );
    assert_eq!(case(&bench, id).await.row.state, State::HandoffPending);
}

#[tokio::test]
async fn a_restart_within_one_start_of_the_computer_loses_no_time() {
    for wrong in WRONG {
        let bench = Bench::new().await;
        // The first start that is named, with the hub seen in it.
        let bench = bench.restart(|clock| clock.boot()).await;
        bench.contact().await;
        let first = simple(&bench).await;
        let bench = bench
            .crash(|clock| {
                clock.set(wrong);
                clock.pass(16);
            })
            .await;
        assert_eq!(bench.desk.sweep().await.unwrap()[0].minutes, 15);
        let clock = bench.desk.status().await.unwrap().clock;
        assert_eq!((clock.jumps, clock.unconfirmed), (1, false));
        let second = simple(&bench).await;
        let first = case(&bench, first).await.row.arrived_at;
        let apart = case(&bench, second).await.row.arrived_at - first;
        assert!((apart - TimeDelta::minutes(16)).abs() <= TimeDelta::seconds(3));
        bench.contact().await;
        assert!(corrections(&bench).is_empty());
    }
}

/// Over a restart of the computer only the wall clock is left. What is written
/// under it is put right at the contact, with both times kept.
#[tokio::test]
async fn after_a_restart_with_a_wrong_clock_the_contact_puts_the_times_right() {
    for wrong in WRONG {
        let bench = Bench::new().await;
        let before = simple(&bench).await;
        let known = case(&bench, before).await.row.arrived_at;
        let bench = bench
            .restart(|clock| {
                clock.set(wrong);
                clock.pass(12 * HOUR);
            })
            .await;
        let arrived = bench.clock.truly();
        let kept = simple(&bench).await;
        bench.clock.pass(20);
        let handed_off = bench
            .record_as(form("盗刷"), Grade::Two, Complexity::Complex)
            .await;
        let stood = case(&bench, kept).await;
        // Never before what was already seen.
        assert!(stood.row.arrived_at >= known, "clock set by {wrong} min");
        assert!(bench.desk.status().await.unwrap().clock.unconfirmed);

        bench.contact().await;
        let clock = bench.desk.status().await.unwrap().clock;
        assert!(!clock.unconfirmed);
        assert_eq!(clock.jumps, 1, "clock set by {wrong} min");
        assert!(
            (clock.last_jump_by_s.unwrap() - wrong * 60).abs() <= 3,
            "{clock:?}"
        );
        let case_kept = case(&bench, kept).await;
        assert_near(case_kept.row.arrived_at, arrived, wrong);
        assert_near(case_kept.recorded_at, arrived, wrong);
        let off = case(&bench, handed_off).await;
        assert_near(off.row.arrived_at, arrived + TimeDelta::minutes(20), wrong);
        assert_eq!(case(&bench, before).await.row.arrived_at, known);

        // Both values are kept: the sealed step says what it said, and the
        // timeline shows what counts.
        let recorded = &case_kept.timeline[0];
        assert_eq!(recorded.was, Some(stood.timeline[0].at));
        assert_near(recorded.at, arrived, wrong);
        let facts = corrections(&bench);
        assert_eq!(facts.len(), 2);
        for event in facts {
            let Fact::TimeCorrected { arrived, steps } = event.fact else {
                panic!("not a correction")
            };
            let by = arrived.map(|a| a.is - a.was).unwrap();
            assert!(steps.iter().all(|step| step.is - step.was == by));
        }
        // The hour runs on from the true arrival: reminders come by it.
        bench.clock.pass(30);
        let prompts = bench.desk.sweep().await.unwrap();
        let of_kept: Vec<_> = prompts.iter().filter(|p| p.id == kept).collect();
        if case_kept.row.state.is_open_in_branch() {
            assert_eq!(of_kept.len(), 1, "clock set by {wrong} min");
            assert!(of_kept[0].handed_off && of_kept[0].minutes == 50);
        }
        assert!(bench.desk.verify().await.unwrap().is_clean());
        // The corrections reach the hub once.
        bench.contact().await;
        assert_eq!(corrections(&bench).len(), 2);
        assert_eq!(bench.desk.report().await.unwrap().unsent.total(), 0);
    }
}

#[tokio::test]
async fn a_clock_set_back_over_a_restart_is_flagged_before_any_contact() {
    let bench = Bench::new().await;
    let first = simple(&bench).await;
    let bench = bench.crash(|clock| clock.set(-30 * DAY)).await;
    let clock = bench.desk.status().await.unwrap().clock;
    assert_eq!((clock.jumps, clock.unconfirmed), (1, true));
    assert!(clock.last_jump_by_s.unwrap() < -29 * DAY * 60);
    let second = simple(&bench).await;
    let (first, second) = (case(&bench, first).await, case(&bench, second).await);
    assert!(second.row.arrived_at >= first.recorded_at);
    // The hour of the first runs on.
    bench.clock.pass(50);
    assert_eq!(bench.desk.sweep().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_form_opened_in_unconfirmed_time_keeps_its_true_arrival() {
    for recorded_before_contact in [true, false] {
        let bench = Bench::new().await;
        let bench = bench.restart(|clock| clock.set(3 * HOUR)).await;
        let draft = bench.desk.draft_open(&bench.session).await.unwrap();
        let arrived = bench.clock.truly();
        bench.clock.pass(25);
        if !recorded_before_contact {
            bench.contact().await;
        }
        let intake = form("资费");
        let assessment = bench.suggested(&intake).await;
        bench
            .desk
            .record(&bench.session, draft.id, intake, assessment, None)
            .await
            .unwrap();
        bench.contact().await;
        let case = case(&bench, draft.id).await;
        assert_near(case.row.arrived_at, arrived, recorded_before_contact);
        let recorded = arrived + TimeDelta::minutes(25);
        assert_near(case.recorded_at, recorded, recorded_before_contact);
    }
}

#[tokio::test]
async fn a_typed_arrival_is_judged_by_trusted_time_and_never_later_than_the_recording() {
    let bench = Bench::new().await;
    // The PC's clock is two hours ahead; a person reads it.
    bench.clock.set(2 * HOUR);
    let intake = form("话费");
    let assessment = bench.suggested(&intake).await;
    let draft = bench.desk.draft_open(&bench.session).await.unwrap();
    let read = bench.clock.wall() - TimeDelta::minutes(1);
    let refused = bench
        .desk
        .record(
            &bench.session,
            draft.id,
            intake.clone(),
            assessment.clone(),
            Some(read),
        )
        .await;
    let Err(RecordError::Problems(problems)) = refused else {
        panic!("an arrival in the future was taken")
    };
    assert!(problems.iter().any(
        |problem| problem.field == Field::ArrivedAt && problem.code == ProblemCode::InTheFuture
    ));
    // A little ahead is taken, as now.
    let ahead = bench.clock.truly() + TimeDelta::minutes(2);
    bench
        .desk
        .record(&bench.session, draft.id, intake, assessment, Some(ahead))
        .await
        .unwrap();
    let case = case(&bench, draft.id).await;
    assert!(case.row.arrived_at <= case.recorded_at);
}

/// Written while the clock was ahead, typed by it, and found out at the contact.
#[tokio::test]
async fn a_typed_arrival_cannot_stay_later_than_the_corrected_recording() {
    let bench = Bench::new().await;
    let bench = bench.restart(|clock| clock.set(2 * HOUR)).await;
    let intake = form("话费");
    let assessment = bench.suggested(&intake).await;
    let draft = bench.desk.draft_open(&bench.session).await.unwrap();
    let read = bench.clock.wall() - TimeDelta::minutes(5);
    bench
        .desk
        .record(&bench.session, draft.id, intake, assessment, Some(read))
        .await
        .unwrap();
    let truly = bench.clock.truly();
    bench.contact().await;
    let case = case(&bench, draft.id).await;
    assert_eq!(case.row.arrived_at, case.recorded_at);
    assert_near(case.recorded_at, truly, "recording");
}

#[tokio::test]
async fn the_sync_never_refuses_for_a_wrong_clock() {
    for wrong in WRONG {
        let bench = Bench::new().await;
        simple(&bench).await;
        bench.clock.set(wrong);
        bench.contact().await;
        simple(&bench).await;
        let bench = bench.restart(|clock| clock.set(-2 * wrong)).await;
        simple(&bench).await;
        bench.contact().await;
        let report = bench.desk.report().await.unwrap();
        assert_eq!((report.complaints, report.unsent.total()), (3, 0));
        assert!(bench.desk.verify().await.unwrap().is_clean());
    }
}
