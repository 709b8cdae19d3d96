//! What every store has to do, as one suite over the store's traits. Run
//! on the embedded store and on a private PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use direct::{Desk, claim, code, ids, member, step};
use suda_domain::alarm::{AlarmKind, AlarmState, AlarmStep};
use suda_domain::clocks::Clock;
use suda_domain::fact::{Decision, Report};
use suda_domain::guidance::Guidance;
use suda_domain::intake::Language;
use suda_domain::time::{Calendar, TimeRules};
use suda_domain::{
    ComplaintId, Complexity, Fact, FactKind, Grade, Lane, Letter, LetterId, LetterKind, Policy,
    Refusal, Role, State,
};
use suda_hub::letters::settings::LetterSettings;
use suda_hub::queue::steps;
use suda_hub::store::alarms::{
    AlarmBody, AlarmsAsked, FirstTold, Member, NewAlarm, Raised, StepTaken, Stepped, SurgeBy,
    SurgeFigures,
};
use suda_hub::store::evidence::{EvidenceRead, SliceOf, Stored};
use suda_hub::store::letters::LetterFile;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{
    AddError, After, Branch, EnrolError, Own, Reader, Scope, Step, StepError, StepRefused, Store,
    TimeChange, TimeChanged, View,
};
use suda_sync::evidence::sha256;
use suda_sync::message::ClockNotice;
use suda_sync::place::LaneHead;
use suda_sync::statistics::{Counts, DayName, DayTaken, DayTotals, DeskStanding};
use suda_sync::{SecretKey, Verdict};
use suda_test_postgres::PrivatePostgres;
use support::{fill, intake, morning};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_conforms() {
    // The directories live as long as the stores in them.
    let dirs = std::sync::Mutex::new(Vec::new());
    conformance(async || {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::open(dir.path(), true).await.unwrap();
        dirs.lock().unwrap().push(dir);
        fill(&store).await;
        store
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_conforms() {
    let server = PrivatePostgres::start().unwrap();
    let made = AtomicU32::new(0);
    conformance(async || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        let url = server.database(&format!("conformance_{number}")).unwrap();
        let store = PostgresStore::open(&url).await.unwrap();
        fill(&store).await;
        store
    })
    .await;
}

/// The suite. `make` gives a new store with the usual branches and staff.
async fn conformance<S: Store>(make: impl AsyncFn() -> S) {
    begins_once(&make().await).await;
    codes_are_used_once(&make().await).await;
    batches_are_stored_once_and_in_order(&make().await).await;
    many_at_once_are_each_judged(&make().await).await;
    the_log_is_paged_by_branch(&make().await).await;
    one_claim_wins(Arc::new(make().await)).await;
    refused_steps_leave_nothing(&make().await).await;
    lists_are_in_order_and_paged(&make().await).await;
    leases_lapse_and_are_renewed(&make().await).await;
    onlookers_hear_what_was_committed(&make().await).await;
    guidance_and_staff_change_the_directory(&make().await).await;
    rules_of_time_are_replaced_once(&make().await).await;
    sessions_end(&make().await).await;
    texts_are_found(&make().await).await;
    evidence_is_put_together_in_order(&make().await).await;
    letters_are_kept_and_compared_with_the_ledger(&make().await).await;
    of_each_day_the_highest_revision_is_held(&make().await).await;
    alarms_are_raised_once_and_their_steps_only_added_to(&make().await).await;
    complaints_are_told_in_the_order_they_became_known(&make().await).await;
}

async fn alarms_are_raised_once_and_their_steps_only_added_to(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let mut other = Desk::enrol(store, "clerk2", 2).await;
    let mut members = Vec::new();
    for n in 0..3 {
        let at = morning() - TimeDelta::days(n);
        let branch = if n == 1 { &mut other } else { &mut desk };
        let id = branch.queue(at, "翠屏苑基站", Grade::Two).await;
        members.push(Member {
            complaint: id,
            branch: branch.pen.branch(),
            captured_at: at,
        });
    }
    members.reverse();
    let burst = |members: &[Member]| NewAlarm {
        id: uuid::Uuid::now_v7(),
        kind: AlarmKind::Burst,
        name: format!("burst:{}", members[0].complaint),
        series: "burst".into(),
        raised_at: morning(),
        body: AlarmBody {
            title: "翠屏苑".into(),
            ..AlarmBody::default()
        },
        members: members.to_vec(),
    };
    let first = burst(&members[..2]);
    assert_eq!(store.raise_alarm(&first).await.unwrap(), Raised::New);
    let known = Raised::Known(first.id);
    assert_eq!(
        store.raise_alarm(&burst(&members[1..])).await.unwrap(),
        known
    );
    let asked = AlarmsAsked {
        limit: 9,
        ..AlarmsAsked::default()
    };
    let open = store.alarms(&asked, Reader::Program).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].members, members, "by capture");
    let elsewhere = AlarmsAsked {
        branch: Some("CQ0199".parse().unwrap()),
        ..asked.clone()
    };
    assert!(
        store
            .alarms(&elsewhere, Reader::Program)
            .await
            .unwrap()
            .is_empty()
    );

    let expert = member(store, "expert").await.staff.unwrap();
    let take = async |step: AlarmStep, text: &str| {
        let taken = StepTaken {
            at: morning(),
            staff: expert,
            step,
            text: text.into(),
        };
        store.step_alarm(first.id, &taken).await.unwrap()
    };
    let before = store.settings().await.unwrap().directory;
    assert_eq!(take(AlarmStep::Acknowledge, "").await, Stepped::Done);
    assert_eq!(
        take(AlarmStep::Acknowledge, "").await,
        Stepped::NotInThisState
    );
    assert_eq!(store.settings().await.unwrap().directory, before);
    assert_eq!(take(AlarmStep::Explain, "已检测").await, Stepped::Done);
    assert_eq!(store.settings().await.unwrap().directory, before + 1);
    let held = store
        .alarm(first.id, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (held.state, held.body.say.as_str()),
        (AlarmState::Explained, "已检测")
    );
    assert_eq!(held.body.title, "翠屏苑");
    assert_eq!(take(AlarmStep::Close, "已拆").await, Stepped::Done);
    assert_eq!(store.settings().await.unwrap().directory, before + 2);
    let steps = store.alarm_steps(first.id).await.unwrap();
    let steps: Vec<_> = steps
        .iter()
        .map(|taken| (taken.step, taken.text.as_str()))
        .collect();
    let wanted = [
        (AlarmStep::Acknowledge, ""),
        (AlarmStep::Explain, "已检测"),
        (AlarmStep::Close, "已拆"),
    ];
    assert_eq!(steps, wanted);
    // What is closed stays so, and is raised by none of its members again.
    assert_eq!(store.raise_alarm(&burst(&members)).await.unwrap(), known);
    assert!(
        store
            .alarms(&asked, Reader::Program)
            .await
            .unwrap()
            .is_empty()
    );
    let nobody = uuid::Uuid::nil();
    let taken = StepTaken {
        at: morning(),
        staff: expert,
        step: AlarmStep::Close,
        text: String::new(),
    };
    assert_eq!(
        store.step_alarm(nobody, &taken).await.unwrap(),
        Stepped::Unknown
    );

    // A surge that goes on is one alarm; a day told of and closed is told no more.
    let surge = |day: u32, count: u64| NewAlarm {
        id: uuid::Uuid::now_v7(),
        kind: AlarmKind::Surge,
        name: format!("surge:city::{day}"),
        series: "surge:city:".into(),
        raised_at: morning(),
        body: AlarmBody {
            surge: Some(SurgeFigures {
                by: SurgeBy::City,
                key: String::new(),
                day: chrono::NaiveDate::from_ymd_opt(2026, 7, day).unwrap(),
                count,
                expected: 9.5,
                p: 1e-9,
            }),
            ..AlarmBody::default()
        },
        members: members.clone(),
    };
    let one = surge(20, 70);
    assert_eq!(store.raise_alarm(&one).await.unwrap(), Raised::New);
    assert_eq!(
        store.raise_alarm(&surge(21, 80)).await.unwrap(),
        Raised::Known(one.id)
    );
    let held = store.alarm(one.id, Reader::Program).await.unwrap().unwrap();
    assert_eq!(held.body.surge.unwrap().count, 80);

    let cells = store
        .day_cells(morning() - TimeDelta::days(9), 8 * 3_600_000)
        .await
        .unwrap();
    assert_eq!(cells.iter().map(|cell| cell.count).sum::<u64>(), 3);
    assert!(cells.iter().all(|cell| !cell.category.is_empty()));
    assert_eq!(cells.len(), 3, "a day each");
    assert!(store.verify().await.unwrap().fault.is_none());
}

async fn complaints_are_told_in_the_order_they_became_known(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let old = desk.queue(morning(), "宽带断了", Grade::Two).await;
    let first = store.first_told(0).await.unwrap();
    let late = desk
        .queue(morning() - TimeDelta::days(9), "话费多收", Grade::Two)
        .await;
    let ids = |told: &FirstTold| {
        told.cases
            .iter()
            .map(|(_, case)| case.id)
            .collect::<Vec<_>>()
    };
    assert_eq!((ids(&first), first.more), (vec![old], false));
    let next = store.first_told(first.cursor).await.unwrap();
    assert_eq!(
        ids(&next),
        [late],
        "each once, whatever else is written of it"
    );
    assert_eq!(ids(&store.first_told(0).await.unwrap()), [old, late]);
    assert!(
        store
            .first_told(next.cursor)
            .await
            .unwrap()
            .cases
            .is_empty()
    );
}

async fn begins_once(store: &impl Store) {
    assert!(store.is_initialised().await.unwrap());
    let identity = store.identity().await.unwrap();
    let settings = store.settings().await.unwrap();
    let again = suda_hub::store::Beginning {
        identity: identity.clone(),
        organisation: "x".into(),
        policy: settings.time.latest().clone(),
        rules: 1,
    };
    assert!(matches!(
        store.begin(&again).await,
        Err(AddError::AlreadyInitialised)
    ));
    assert_eq!(store.settings().await.unwrap().organisation, "测试通信");
    let branch = Branch {
        code: "CQ0101".parse().unwrap(),
        name: "x".into(),
        active: true,
    };
    assert!(matches!(
        store.add_branch(&branch).await,
        Err(AddError::Exists)
    ));
    let clerk = store.staff_by_login("clerk").await.unwrap().unwrap();
    assert!(matches!(
        store.add_staff(&clerk).await,
        Err(AddError::Exists)
    ));
    let lost = suda_domain::staff::StaffRecord {
        id: suda_domain::StaffId(uuid::Uuid::now_v7()),
        login: "lost".into(),
        branch: Some("XX99".parse().unwrap()),
        ..clerk
    };
    assert!(matches!(
        store.add_staff(&lost).await,
        Err(AddError::UnknownBranch)
    ));
}

async fn codes_are_used_once(store: &impl Store) {
    let branch = "CQ0101".parse().unwrap();
    let key = SecretKey::from_seed([1; 32]).public();
    let enrol = async |number, at| store.enrol([number; 32], &key, "x", at).await;
    assert!(matches!(
        enrol(1, morning()).await,
        Err(EnrolError::UnknownCode)
    ));
    for number in [1, 2, 3] {
        store.add_code(&code(number, &branch)).await.unwrap();
    }
    let late = morning() + TimeDelta::minutes(10);
    assert!(matches!(enrol(3, late).await, Err(EnrolError::ExpiredCode)));
    let first = enrol(1, morning()).await.unwrap();
    assert!(matches!(
        enrol(1, morning()).await,
        Err(EnrolError::UsedCode)
    ));
    let second = enrol(2, morning()).await.unwrap();
    assert_eq!((first.letter.as_str(), second.letter.as_str()), ("A", "B"));
    assert!(matches!(
        store.add_code(&code(9, &"XX99".parse().unwrap())).await,
        Err(AddError::UnknownBranch)
    ));
    let clock = ClockNotice {
        jumps: 2,
        last_at: Some(morning()),
        last_by_ms: Some(-7_200_000),
    };
    store
        .seen(first.id, late, Some(-250), &clock)
        .await
        .unwrap();
    let seen = store.device(first.id).await.unwrap().unwrap();
    assert_eq!((seen.last_seen, seen.offset_ms), (Some(late), Some(-250)));
    assert_eq!(seen.clock, clock);
}

async fn batches_are_stored_once_and_in_order(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let (id, reference, events) =
        desk.pen
            .record(morning(), intake("断网"), Grade::Two, Complexity::Complex);
    let packet = desk
        .pen
        .hand_off(id, &reference, morning(), intake("断网"), Grade::Two);
    // The packet overtakes what came before it.
    assert_eq!(
        desk.send(Lane::Urgent, 1, vec![packet.clone()]).await,
        [Verdict::Applied]
    );
    let queued = store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap()
        .complaint;
    assert_eq!((queued.state, queued.owner_no), (State::Queued, 2));
    assert_eq!(
        desk.send(Lane::Ordinary, 1, events.clone()).await,
        vec![Verdict::Applied; 2]
    );
    assert_eq!(
        desk.send(Lane::Ordinary, 1, events).await,
        vec![Verdict::Duplicate; 2]
    );
    assert_eq!(
        desk.send(Lane::Urgent, 1, vec![packet]).await,
        [Verdict::Duplicate]
    );
    assert_eq!(
        store.watermarks(desk.device.id, 1).await.unwrap(),
        [1, 2, 0, 0]
    );
    let last = |lane: usize| LaneHead {
        n: desk.pen.heads[lane].0,
        hash: desk.pen.heads[lane].1,
    };
    assert_eq!(
        store.heads(desk.device.id, 1).await.unwrap(),
        [(Lane::Urgent, last(0)), (Lane::Ordinary, last(1))]
    );
    assert_eq!(store.heads(desk.device.id, 2).await.unwrap(), []);
    assert_eq!(store.incarnations(desk.device.id).await.unwrap(), [1]);
    for incarnation in [3, 2] {
        store.met(desk.device.id, incarnation).await.unwrap();
        let device = store.device(desk.device.id).await.unwrap().unwrap();
        assert_eq!(device.incarnation, 3, "it never goes back");
    }
    assert_eq!(store.timeline(id, Reader::Program).await.unwrap().len(), 4);
    assert_eq!(
        store
            .find_reference(&reference, Reader::Program)
            .await
            .unwrap(),
        Some(id)
    );
    let counts = store.counts().await.unwrap();
    assert_eq!(
        (counts.complaints(), counts.of(State::Queued), counts.events),
        (1, 1, 4)
    );
    let verified = store.verify().await.unwrap();
    assert_eq!(
        (verified.fault, verified.events, verified.complaints),
        (None, 4, 1)
    );
}

/// Many share a transaction: each gets its own verdicts, one that gives up or
/// sends what cannot be taken harms nobody else, and the ledger is one chain.
async fn many_at_once_are_each_judged(store: &impl Store) {
    let mut desks = Vec::new();
    for number in 1..=8 {
        desks.push(Desk::enrol(store, "clerk", number).await);
    }
    for round in 0..5_u64 {
        let mut sent = Vec::new();
        for desk in &mut desks {
            let events = (0..3).flat_map(|number| {
                let text = intake(&format!("第{round}轮 {number}"));
                let (_, _, events) =
                    desk.pen
                        .record(morning(), text, Grade::Three, Complexity::Simple);
                events
            });
            sent.push(events.collect::<Vec<_>>());
        }
        let sending = desks.iter().zip(&sent).map(|(desk, events)| {
            let first_n = round * 6 + 1;
            desk.send(Lane::Ordinary, first_n, events.clone())
        });
        let gaps = desks
            .iter()
            .zip(&sent)
            .map(|(desk, events)| desk.send(Lane::Ordinary, 1_000, events.clone()));
        let giving_up = desks.iter().zip(&sent).map(async |(desk, events)| {
            let asked = desk.send(Lane::Ordinary, round * 6 + 1, events.clone());
            tokio::time::timeout(std::time::Duration::ZERO, asked).await
        });
        let (given_up, verdicts, gaps) = tokio::join!(
            futures::future::join_all(giving_up),
            futures::future::join_all(sending),
            futures::future::join_all(gaps),
        );
        assert!(given_up.iter().any(Result::is_err), "nobody gave up");
        let stored = |verdict: &Verdict| matches!(verdict, Verdict::Applied | Verdict::Duplicate);
        assert!(verdicts.iter().flatten().all(stored), "{verdicts:?}");
        assert!(
            gaps.iter()
                .flatten()
                .all(|verdict| *verdict == Verdict::Gap)
        );
    }
    let verified = store.verify().await.unwrap();
    assert_eq!(
        (verified.fault, verified.events, verified.complaints),
        (None, 8 * 5 * 6, 8 * 5 * 3)
    );
}

async fn the_log_is_paged_by_branch(store: &impl Store) {
    let mut here = Desk::enrol(store, "clerk", 1).await;
    let mut there = Desk::enrol(store, "clerk2", 2).await;
    for number in 0..5 {
        here.queue(morning(), &format!("这里 {number}"), Grade::Three)
            .await;
        there
            .queue(morning(), &format!("那里 {number}"), Grade::Three)
            .await;
    }
    let branch = here.device.branch.clone();
    let (mut cursor, mut seen, mut pages) = (0, BTreeSet::new(), 0);
    loop {
        let page = store
            .log_after(&branch, cursor, 6, usize::MAX, None)
            .await
            .unwrap();
        pages += 1;
        for entry in &page.entries {
            assert!(
                entry.seq > cursor && seen.insert(entry.seq),
                "in order, once"
            );
        }
        cursor = page.cursor;
        if !page.more {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (20, 4));
    let small = store.log_after(&branch, 0, 200, 10, None).await.unwrap();
    assert_eq!(
        (small.entries.len(), small.more),
        (1, true),
        "one event goes alone however large"
    );
    // Own events that the device holds are left out; the cursor passes them.
    let held = Own {
        device: here.device.id,
        incarnation: here.device.incarnation,
        upto: [3, 2, 0, 0],
    };
    let page = store
        .log_after(&branch, 0, 200, usize::MAX, Some(held))
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.cursor), (20 - 5, cursor));
    let has_after = async |place, but| store.has_after(&branch, place, but).await.unwrap();
    assert!(!has_after(cursor, None).await);
    assert!(has_after(cursor - 2, None).await);
    let own = (here.device.id, here.device.incarnation);
    let before_own = page.held.first().map(|(_, _, seq)| seq - 1).unwrap();
    assert!(has_after(before_own, None).await);
    assert!(has_after(0, Some(own)).await, "what others wrote is news");
    let last_of_others = page.entries.last().map(|entry| entry.seq).unwrap();
    assert!(
        !has_after(last_of_others, Some(own)).await,
        "what the device wrote itself is none"
    );
}

async fn one_claim_wins<S: Store>(store: Arc<S>) {
    let id = Desk::enrol(store.as_ref(), "clerk", 1)
        .await
        .queue(morning(), "x", Grade::Two)
        .await;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..20 {
        let login = if number % 2 == 0 { "expert" } else { "expert2" };
        let expert = member(store.as_ref(), login).await;
        let store = Arc::clone(&store);
        tries.spawn(async move {
            let until = morning() + TimeDelta::minutes(30);
            let decide = steps::claim(expert.staff.unwrap(), until);
            store
                .step(step(id, expert, decide))
                .await
                .map(|complaint| complaint.claim.unwrap().lease)
        });
    }
    let outcomes = tries.join_all().await;
    let leases: BTreeSet<_> = outcomes.iter().flatten().collect();
    assert_eq!(leases.len(), 1);
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(StepError::Refused(StepRefused::ClaimedBy(_)))));
    assert_eq!(refused.count(), 10);
}

async fn refused_steps_leave_nothing(store: &impl Store) {
    let id = Desk::enrol(store, "clerk", 1)
        .await
        .queue(morning(), "x", Grade::Two)
        .await;
    let expert = member(store, "expert").await;
    let before = store.counts().await.unwrap();
    let answer = Fact::Implemented {
        summary: "x".into(),
    };
    let refused = store
        .step(step(id, expert.clone(), steps::plain(answer)))
        .await;
    assert!(matches!(
        refused,
        Err(StepError::Refused(StepRefused::Rule(Refusal::State)))
    ));
    let nowhere = ComplaintId(uuid::Uuid::nil());
    let unknown = store
        .step(step(nowhere, expert.clone(), steps::plain(Fact::Closed)))
        .await;
    assert!(matches!(unknown, Err(StepError::Unknown)));
    // A refused step does not use up its key.
    let key = Some(uuid::Uuid::now_v7());
    let blank = steps::plain(Fact::Noted { text: " ".into() });
    let refused = store
        .step(Step {
            key,
            ..step(id, expert.clone(), blank)
        })
        .await;
    assert!(matches!(refused, Err(StepError::Refused(_))));
    assert_eq!(store.counts().await.unwrap(), before);
    for _ in 0..2 {
        let note = steps::plain(Fact::Noted {
            text: "已致电".into(),
        });
        store
            .step(Step {
                key,
                ..step(id, expert.clone(), note)
            })
            .await
            .unwrap();
    }
    assert_eq!(store.counts().await.unwrap().events, before.events + 1);
    assert_eq!(store.verify().await.unwrap().fault, None);
}

async fn lists_are_in_order_and_paged(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let early = morning() - TimeDelta::hours(2);
    let low = desk.queue(early, "三级", Grade::Three).await;
    let late = desk.queue(morning(), "二级，晚", Grade::Two).await;
    let soon = desk.queue(early, "二级，早", Grade::Two).await;
    let grave = desk.queue(morning(), "一级", Grade::One).await;
    let order = [grave, soon, late, low];
    let queue = store
        .work_orders(View::Queue, None, 10, Reader::Program)
        .await
        .unwrap();
    assert_eq!(ids(&queue), order);
    let time = store.settings().await.unwrap().time;
    let row = suda_hub::store::row::Row::of(&queue[1].complaint, &time);
    let after = After {
        rank: row.rank,
        due: row.due,
        id: soon.0,
    };
    assert_eq!(
        ids(&store
            .work_orders(View::Queue, Some(after), 10, Reader::Program)
            .await
            .unwrap()),
        [late, low]
    );
    assert_eq!(
        ids(&store.alerts(10, Reader::Program).await.unwrap()),
        [grave]
    );

    let expert = member(store, "expert").await;
    claim(store, grave, &expert, morning() + TimeDelta::minutes(30)).await;
    let mine = View::Mine(expert.staff.unwrap());
    assert_eq!(
        ids(&store
            .work_orders(mine, None, 10, Reader::Program)
            .await
            .unwrap()),
        [grave]
    );
    assert_eq!(
        ids(&store
            .work_orders(View::Queue, None, 10, Reader::Program)
            .await
            .unwrap()),
        order[1..]
    );
    assert_eq!(
        ids(&store
            .work_orders(View::Team, None, 10, Reader::Program)
            .await
            .unwrap()),
        order
    );
    let other = View::All(Some("CQ0102".parse().unwrap()));
    assert!(
        store
            .work_orders(other, None, 10, Reader::Program)
            .await
            .unwrap()
            .is_empty()
    );

    let handoffs = store
        .handoffs_since(morning() - TimeDelta::hours(1))
        .await
        .unwrap();
    assert_eq!((handoffs.in_time, handoffs.late), (2, 2));
    let next_day = morning() + TimeDelta::days(2);
    assert_eq!(
        store.overdue(next_day, 1, Reader::Program).await.unwrap().0,
        4
    );

    let department = member(store, "department").await;
    let task = suda_domain::TaskId(uuid::Uuid::now_v7());
    let order = Fact::Dispatched {
        task,
        department: department.staff.unwrap(),
        department_name: department.name.clone(),
        question: "?".into(),
        due_at: morning() + TimeDelta::days(1),
    };
    store
        .step(step(grave, expert, steps::plain(order)))
        .await
        .unwrap();
    let open = store
        .tasks(department.staff.unwrap(), true, None, 10)
        .await
        .unwrap();
    assert_eq!(
        open.iter().map(|held| held.task.id).collect::<Vec<_>>(),
        [task]
    );
    let of_task = store
        .complaint_of_task(task, department.staff.unwrap())
        .await
        .unwrap();
    assert_eq!(of_task, Some(grave));
    let rejected = Fact::TaskRejected {
        task,
        reason: "不归我们".into(),
    };
    store
        .step(step(grave, department.clone(), steps::plain(rejected)))
        .await
        .unwrap();
    assert!(
        store
            .tasks(department.staff.unwrap(), true, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .tasks(department.staff.unwrap(), false, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn leases_lapse_and_are_renewed(store: &impl Store) {
    let id = Desk::enrol(store, "clerk", 1)
        .await
        .queue(morning(), "x", Grade::Two)
        .await;
    let expert = member(store, "expert").await;
    let until = morning() + TimeDelta::minutes(30);
    claim(store, id, &expert, until).await;
    assert!(
        store
            .lapsed(until - TimeDelta::seconds(1), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.lapsed(until, 10).await.unwrap(), [id]);
    let longer = until + TimeDelta::minutes(30);
    let other = member(store, "expert2").await.staff.unwrap();
    assert!(!store.renew(id, other, longer).await.unwrap());
    assert!(
        store
            .renew(id, expert.staff.unwrap(), longer)
            .await
            .unwrap()
    );
    assert!(store.lapsed(until, 10).await.unwrap().is_empty());
    let report = Report {
        root_cause: "a".into(),
        impact: "b".into(),
        proposal: "c".into(),
        ..Default::default()
    };
    let report = Fact::Reported { task: None, report };
    store
        .step(step(id, expert, steps::plain(report)))
        .await
        .unwrap();
    assert!(
        store.lapsed(longer, 10).await.unwrap().is_empty(),
        "a begun case does not lapse"
    );
}

async fn onlookers_hear_what_was_committed(store: &impl Store) {
    let mut feed = store.feed();
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let id = desk.queue(morning(), "x", Grade::Two).await;
    let heard = feed.recv().await.unwrap();
    assert_eq!(heard.complaints[0].id, id);
    assert_eq!(heard.complaints[0].branch, desk.device.branch);
    // What others are told is there to be read.
    assert!(
        store
            .complaint(id, Reader::Program)
            .await
            .unwrap()
            .is_some()
    );
}

async fn guidance_and_staff_change_the_directory(store: &impl Store) {
    let version = async || store.settings().await.unwrap().directory;
    let first = version().await;
    let guidance = |text: &str| Guidance {
        category: "A".into(),
        version: 0,
        title: "资费".into(),
        text: text.into(),
        limit_minor: Some(100),
    };
    assert_eq!(
        store
            .put_guidance(&guidance("一"), None, morning())
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .put_guidance(&guidance("二"), None, morning())
            .await
            .unwrap(),
        2
    );
    let in_force = store.guidance().await.unwrap();
    assert_eq!(
        in_force,
        [Guidance {
            version: 2,
            ..guidance("二")
        }]
    );
    let clerk = store.staff_by_login("clerk").await.unwrap().unwrap();
    assert!(store.set_active(clerk.id, false).await.unwrap());
    assert!(!store.staff_member(clerk.id).await.unwrap().unwrap().active);
    store.use_rules(1).await.unwrap();
    assert_eq!(version().await, first + 3);
    store.use_rules(2).await.unwrap();
    assert_eq!(version().await, first + 4);
    let page = "https://c.example.com/s";
    for _ in 0..2 {
        store.use_status_url(Some(page)).await.unwrap();
        let settings = store.settings().await.unwrap();
        assert_eq!(settings.status_url.as_deref(), Some(page));
        assert_eq!(version().await, first + 5, "told once");
    }
    store.use_status_url(None).await.unwrap();
    assert_eq!(store.settings().await.unwrap().status_url, None);
    assert_eq!(version().await, first + 6);
    assert_eq!(store.staff_with_role(Role::Expert).await.unwrap().len(), 2);
}

async fn rules_of_time_are_replaced_once(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    // Its working days run on into a year the calendar does not cover.
    let late = "2026-12-28T02:00:00Z".parse().unwrap();
    let id = desk.queue(late, "年底断网", Grade::Two).await;
    // Answered on a Friday evening: its call-back is reminded of at the next
    // opening a week later, which is no working day any more either.
    let evening = "2026-12-25T11:00:00Z".parse().unwrap();
    let (grade, simple) = (Grade::Three, Complexity::Simple);
    let (settled, _, mut events) = desk.pen.record(evening, intake("账单"), grade, simple);
    let answer = Fact::Settled {
        summary: "已说明".into(),
        remedy: String::new(),
        amount_minor: None,
        guidance: None,
        deviation: String::new(),
    };
    let first_n = desk.pen.heads[Lane::Ordinary.index()].0 - 1;
    events.push(desk.pen.write(Lane::Ordinary, settled, 1, evening, answer));
    assert_eq!(
        desk.send(Lane::Ordinary, first_n, events).await,
        [const { Verdict::Applied }; 3]
    );
    let admin = member(store, "administrator").await.staff.unwrap();
    let settings = store.settings().await.unwrap();
    let before = settings.time.rules();
    let further = Calendar::parse("date,kind\n2027-01-01,holiday").unwrap();
    let years = further.years();
    let change = TimeChange {
        at: late,
        by: admin,
        what: TimeChanged::Calendar { years },
    };
    let after = before.with_calendar(&further);
    let replace = async |rules: &TimeRules| {
        let changes = vec![change.clone()];
        let done = store.replace_time(&before, rules, changes).await;
        done.unwrap()
    };
    assert!(replace(&after).await);
    let other = before.with_policy(Policy::default(), late);
    assert!(!replace(&other).await, "the rules are others by now");
    let now = store.settings().await.unwrap();
    assert_eq!(now.time.rules(), after);
    assert_eq!(now.directory, settings.directory + 1);
    assert_eq!(store.time_changes().await.unwrap(), [change]);
    // 1 January is no working day any more; the row knows.
    assert_eq!(store.verify().await.unwrap().fault, None);
    let held = store.complaint(id, Reader::Program).await.unwrap().unwrap();
    let due = |keep| {
        let clocks = suda_domain::clocks::deadlines(&held.complaint, keep);
        let cycle = |one: &&suda_domain::clocks::Deadline| one.clock == Clock::Cycle;
        clocks.iter().find(cycle).unwrap().due
    };
    assert!(due(&now.time) > due(&settings.time), "the control");
}

async fn sessions_end(store: &impl Store) {
    let expert = store.staff_by_login("expert").await.unwrap().unwrap();
    let until = morning() + TimeDelta::hours(1);
    for token in [[1; 32], [2; 32]] {
        store.open_session(token, expert.id, until).await.unwrap();
    }
    let holds = async |token, at| store.session(token, at).await.unwrap().is_some();
    assert!(holds([1; 32], morning()).await);
    assert!(!holds([1; 32], until).await);
    assert!(!holds([3; 32], morning()).await);
    store.close_session([1; 32]).await.unwrap();
    assert!(!holds([1; 32], morning()).await);
    assert!(store.set_password(expert.id, "x").await.unwrap());
    assert!(
        !holds([2; 32], morning()).await,
        "a new password ends sign-ins"
    );
    store.sweep(until).await.unwrap();
}

async fn texts_are_found(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let id = desk
        .queue(morning(), "家里的宽带断了 WiFi", Grade::Two)
        .await;
    assert_eq!(store.index_texts(10).await.unwrap(), 1);
    assert_eq!(store.index_texts(10).await.unwrap(), 0);
    let find = async |text: &str, scope: Scope| {
        let words = suda_domain::text::shingles(text);
        ids(&store
            .search(&words, &scope, 10, Reader::Program)
            .await
            .unwrap())
    };
    for text in ["宽带", "wifi", "断了", "１３８００１３８０００", "张小明"] {
        assert_eq!(find(text, Scope::Everything).await, [id], "{text}");
    }
    assert!(find("漫游", Scope::Everything).await.is_empty());
    assert!(
        find("宽带", Scope::Branch("CQ0102".parse().unwrap()))
            .await
            .is_empty()
    );
    let timeline = store.timeline(id, Reader::Program).await.unwrap();
    let kinds: Vec<_> = timeline
        .iter()
        .map(|line| line.sealed.open().unwrap().fact.kind())
        .collect();
    use FactKind::*;
    assert_eq!(kinds, [Recorded, Assessed, HandedOff, Queued]);
}

async fn evidence_is_put_together_in_order(store: &impl Store) {
    let file = suda_domain::EvidenceId(uuid::Uuid::now_v7());
    let complaint = ComplaintId(uuid::Uuid::now_v7());
    let add = async |at: u64, bytes: usize, staged| {
        let data = (at..at + bytes as u64).map(|n| n as u8).collect();
        let slice = SliceOf {
            file,
            complaint,
            at,
            data,
            staged,
        };
        store.add_slice(slice, morning()).await.unwrap()
    };
    let so_far = |received| Stored {
        received,
        complete_at: None,
    };
    assert_eq!(store.evidence_stored(file).await.unwrap(), so_far(0));
    assert_eq!(add(5, 5, true).await, so_far(0), "a gap is not stored");
    assert_eq!(add(0, 10, true).await, so_far(10));
    assert_eq!(add(0, 10, true).await, so_far(10), "nor the same twice");
    assert_eq!(add(10, 7, true).await, so_far(17));
    let slice = async |at| {
        store
            .evidence_slice(file, at, Reader::Program)
            .await
            .unwrap()
    };
    assert_eq!(slice(9).await.unwrap(), (0, (0..10).collect()));
    assert_eq!(slice(10).await.unwrap().0, 10);
    assert!(slice(17).await.is_none());
    store.cut_evidence(file, 10).await.unwrap();
    assert_eq!(store.evidence_stored(file).await.unwrap(), so_far(10));
    assert!(slice(10).await.is_none());
    // Of two that bring the same slice one wins, and nothing is doubled.
    let (one, other) = tokio::join!(add(10, 4, true), add(10, 4, true));
    assert_eq!((one, other), (so_far(14), so_far(14)));

    let later = morning() + TimeDelta::hours(1);
    let staged = store.staged_before(later).await.unwrap();
    assert_eq!(staged, [(file, complaint)]);
    assert!(store.staged_before(morning()).await.unwrap().is_empty());
    store.complete_evidence(file, morning()).await.unwrap();
    store.unstage_evidence(file).await.unwrap();
    store.drop_staged(file).await.unwrap();
    store.cut_evidence(file, 0).await.unwrap();
    let whole = Stored {
        complete_at: Some(morning()),
        ..so_far(14)
    };
    assert_eq!(
        add(14, 3, false).await,
        whole,
        "a whole file stays as it is"
    );

    let dropped = suda_domain::EvidenceId(uuid::Uuid::now_v7());
    let slice = SliceOf {
        file: dropped,
        complaint,
        at: 0,
        data: vec![1],
        staged: true,
    };
    store.add_slice(slice, morning()).await.unwrap();
    store.drop_staged(dropped).await.unwrap();
    assert_eq!(store.evidence_stored(dropped).await.unwrap(), so_far(0));

    let read = EvidenceRead {
        at: morning(),
        staff: suda_domain::StaffId(uuid::Uuid::now_v7()),
        complaint,
        file,
    };
    store.note_evidence_read(read).await.unwrap();
    assert_eq!(
        store
            .evidence_reads(complaint, Reader::Program)
            .await
            .unwrap(),
        [read]
    );
}

async fn letters_are_kept_and_compared_with_the_ledger(store: &impl Store) {
    assert_eq!(
        store.letter_settings().await.unwrap(),
        LetterSettings::default()
    );
    let settings = LetterSettings {
        next_level_days: 15,
        ..LetterSettings::default()
    };
    store.put_letter_settings(&settings).await.unwrap();
    assert_eq!(store.letter_settings().await.unwrap(), settings);

    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let complaint = desk.queue(morning(), "多扣话费", Grade::Two).await;
    let expert = member(store, "expert").await;
    claim(store, complaint, &expert, morning() + TimeDelta::hours(1)).await;
    let write = async |fact| {
        let decide = steps::plain(fact);
        let step = step(complaint, expert.clone(), decide);
        store.step(step).await.unwrap();
    };
    write(Fact::Reported {
        task: None,
        report: Report {
            root_cause: "重复计费".into(),
            impact: "一人".into(),
            proposal: "退费".into(),
            ..Report::default()
        },
    })
    .await;
    write(Fact::SolvingStarted { plan: Vec::new() }).await;
    write(Fact::Implemented {
        summary: "已退费".into(),
    })
    .await;
    write(Fact::Answered {
        decision: Decision::Upheld,
        text: "已退费".into(),
        remedy: "退费".into(),
        reasons: String::new(),
        amount_minor: None,
        next_level: String::new(),
        next_level_until: None,
        guidance: None,
        deviation: String::new(),
    })
    .await;

    let file = |language, data: &[u8]| LetterFile {
        letter: Letter {
            id: LetterId(uuid::Uuid::now_v7()),
            kind: LetterKind::Letter,
            language,
            sha256: sha256(data).to_string(),
            bytes: data.len() as u64,
        },
        complaint,
        cycle: 1,
        made_at: morning(),
        data: data.to_vec(),
    };
    let (kept, orphan) = (file(Language::ZhCn, b"kept"), file(Language::ZhCn, b"lost"));
    let other = file(Language::En, b"other");
    for file in [&kept, &orphan, &other] {
        store.add_letter(file).await.unwrap();
        store.add_letter(file).await.unwrap();
    }
    let read = async |file: &LetterFile| store.letter_file(file.letter.id).await.unwrap();
    assert_eq!(read(&kept).await, Some((complaint, b"kept".to_vec())));
    let letter = kept.letter.clone();
    write(Fact::LetterMade { letter }).await;
    store
        .keep_only_letter(complaint, 1, &kept.letter)
        .await
        .unwrap();
    assert_eq!(read(&orphan).await, None);
    assert!(read(&kept).await.is_some() && read(&other).await.is_some());
    assert_eq!(store.verify().await.unwrap().fault, None);

    let of = |id: LetterId| format!("letter {id} of complaint ");
    let mut told = file(Language::ZhTw, b"told");
    told.data = b"tolD".to_vec();
    store.add_letter(&told).await.unwrap();
    let letter = told.letter.clone();
    write(Fact::LetterMade { letter }).await;
    let fault = store.verify().await.unwrap().fault.unwrap();
    assert!(fault.row.starts_with(&of(told.letter.id)), "{fault:?}");
    assert!(fault.reason.contains("hash"), "{fault:?}");
    let gone = Letter {
        id: LetterId(uuid::Uuid::now_v7()),
        ..told.letter.clone()
    };
    store.keep_only_letter(complaint, 1, &gone).await.unwrap();
    let fault = store.verify().await.unwrap().fault.unwrap();
    assert!(fault.row.starts_with(&of(told.letter.id)), "{fault:?}");
    assert!(fault.reason.contains("missing"), "{fault:?}");
}

async fn of_each_day_the_highest_revision_is_held(store: &impl Store) {
    let desk = Desk::enrol(store, "clerk", 1).await;
    let other = Desk::enrol(store, "clerk", 2).await;
    let on = |day: &str, incarnation| DayName {
        incarnation,
        day: day.parse().unwrap(),
    };
    let writing = |name, revision, forms_saved| DayTotals {
        name,
        revision,
        counts: Counts {
            forms_saved,
            ..Counts::default()
        },
        standing: DeskStanding::default(),
    };
    let put = async |device, days: &[DayTotals]| -> Vec<u64> {
        let taken = store.put_days(device, days, morning()).await.unwrap();
        let named = taken
            .iter()
            .zip(days)
            .all(|(t, day): (&DayTaken, _)| t.name == day.name);
        assert!(named);
        taken.into_iter().map(|day| day.revision).collect()
    };
    let (monday, tuesday) = (on("2026-07-20", 1), on("2026-07-21", 1));
    let device = desk.device.id;
    let both = [writing(monday, 5, 50), writing(tuesday, 2, 20)];
    assert_eq!(put(device, &both).await, [5, 2]);
    let older_and_newer = [writing(monday, 4, 40), writing(tuesday, 3, 30)];
    assert_eq!(put(device, &older_and_newer).await, [5, 3]);
    let same = [writing(tuesday, 3, 99)];
    assert_eq!(put(device, &same).await, [3], "known, and left as it is");
    let renewed = [writing(on("2026-07-21", 2), 1, 1)];
    assert_eq!(
        put(device, &renewed).await,
        [1],
        "each incarnation has its own"
    );
    put(other.device.id, &[writing(on("2026-06-01", 1), 7, 7)]).await;

    let since = store.days_since(tuesday.day).await.unwrap();
    let mut held: Vec<_> = since
        .iter()
        .map(|day| (day.device, day.totals.counts.forms_saved, day.received_at))
        .collect();
    held.sort();
    let mut expected = [
        (device, 30, morning()),
        (device, 1, morning()),
        (other.device.id, 7, morning()),
    ];
    expected.sort();
    assert_eq!(held, expected, "and the last of a desk long silent");
    assert_eq!(store.days_since(monday.day).await.unwrap().len(), 4);

    // Of two that come at once the higher holds.
    let (low, high) = ([writing(monday, 6, 60)], [writing(monday, 7, 70)]);
    tokio::join!(put(device, &low), put(device, &high));
    let since = store.days_since(monday.day).await.unwrap();
    let of_monday = since.iter().find(|day| day.totals.name == monday).unwrap();
    assert_eq!(of_monday.totals.counts.forms_saved, 70);

    store.sweep(morning() + TimeDelta::days(799)).await.unwrap();
    assert_eq!(store.days_since(monday.day).await.unwrap().len(), 4);
    store.sweep(morning() + TimeDelta::days(801)).await.unwrap();
    assert_eq!(store.days_since(monday.day).await.unwrap(), []);
    assert_eq!(store.verify().await.unwrap().fault, None);
}
