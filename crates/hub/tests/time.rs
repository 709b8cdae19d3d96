//! Desks with wrong clocks at the hub: nothing is refused, the figures are
//! those of the corrected times, and both times are shown.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use suda_domain::fact::{Corrected, CorrectedStep};
use suda_domain::{Actor, ComplaintId, Fact, Grade, Lane};
use suda_sync::message::ClockNotice;
use suda_sync::{Ask, Position, Reply, Verdict, Welcome};
use support::{FakeDesk, TestHub, fold};

/// Says hello with a wall clock that is `ahead` of the hub's.
async fn hello(
    hub: &TestHub,
    desk: &FakeDesk,
    ahead: TimeDelta,
    clock: Option<ClockNotice>,
) -> Welcome {
    let position = Position {
        wall: Some(hub.clock.now() + ahead),
        clock,
        ..Position::default()
    };
    let Reply::Welcome(welcome) = desk.ask(Ask::Hello(position)).await else {
        panic!("no welcome");
    };
    *desk.session.lock().unwrap() = Some(welcome.session.clone());
    welcome
}

/// Sends the correction of everything a handed-off complaint has, by `by`.
async fn correct(desk: &mut FakeDesk, id: ComplaintId, stood: DateTime<Utc>, by: TimeDelta) {
    let step = |lane: Lane, n| CorrectedStep {
        lane: lane.number(),
        n,
        was: stood,
        is: stood + by,
    };
    let fact = Fact::TimeCorrected {
        arrived: Some(Corrected {
            was: stood,
            is: stood + by,
        }),
        steps: vec![
            step(Lane::Ordinary, 1),
            step(Lane::Ordinary, 2),
            step(Lane::Urgent, 1),
        ],
    };
    let clerk = desk.pen.actor.clone();
    desk.pen.actor = Actor::system(clerk.branch.clone());
    let event = desk.pen.write(Lane::Ordinary, id, 1, stood + by, fact);
    desk.pen.actor = clerk;
    let n = desk.pen.heads[1].0;
    let receipt = desk.batch(Lane::Ordinary, n, vec![event]).await;
    assert_eq!(receipt.verdicts, [Verdict::Applied]);
}

async fn handoffs(hub: &TestHub) -> (u64, u64) {
    let since = hub.clock.now() - TimeDelta::hours(12);
    let found = hub.hub.store.handoffs_since(since).await.unwrap();
    (found.in_time, found.late)
}

/// A clock that is ahead makes an arrival look younger than it is. The figure
/// is that of the corrected arrival.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_handoff_is_late_whatever_the_desks_clock_said() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let ahead = TimeDelta::hours(2);
    hello(&hub, &desk, ahead, None).await;
    let arrived = hub.clock.now() - TimeDelta::minutes(90);
    let id = desk.hand_off(arrived + ahead, "多扣话费", Grade::Two).await;
    assert_eq!(handoffs(&hub).await, (1, 0), "as the clock told it");
    correct(&mut desk, id, arrived + ahead, -ahead).await;
    assert_eq!(handoffs(&hub).await, (0, 1));

    let expert = hub.sign_in("expert").await;
    let case = expert.get(&format!("/api/complaints/{id}")).await;
    let at = |value: &Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(at(&case["arrived_at"]), arrived);
    let timeline = case["timeline"].as_array().unwrap();
    let of = |kind: &str| timeline.iter().find(|line| line["kind"] == kind).unwrap();
    for kind in ["recorded", "assessed", "handed_off"] {
        assert_eq!(at(&of(kind)["at"]), arrived, "{kind}");
        assert_eq!(at(&of(kind)["was"]), arrived + ahead, "{kind}");
    }
    // By the hub's own clock, which no desk corrects.
    assert_eq!(of("queued")["was"], Value::Null);
    // A desk of the branch makes the same of it.
    let folded = fold(&desk.pull_all().await, id);
    assert_eq!(folded.arrived_at, arrived);
    assert!(hub.hub.store.verify().await.unwrap().fault.is_none());
    hub.stop().await;
}

/// And one that was behind is not blamed for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_in_time_is_in_time_whatever_the_desks_clock_said() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let behind = TimeDelta::days(30);
    hello(&hub, &desk, -behind, None).await;
    let arrived = hub.clock.now() - TimeDelta::minutes(20);
    let id = desk
        .hand_off(arrived - behind, "多扣话费", Grade::Two)
        .await;
    assert_eq!(handoffs(&hub).await, (0, 1));
    correct(&mut desk, id, arrived - behind, behind).await;
    assert_eq!(handoffs(&hub).await, (1, 0));
    hub.stop().await;
}

/// Sessions are judged by the hub's clock alone.
#[tokio::test(flavor = "multi_thread")]
async fn no_desk_is_refused_for_its_clock_and_each_jump_is_counted() {
    let hub = TestHub::start().await;
    let administrator = hub.sign_in("administrator").await;
    let mut jumps = 0;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    for days in [0, 30, -30, 0] {
        let ahead = TimeDelta::days(days);
        hello(&hub, &desk, ahead, None).await;
        desk.hand_off(hub.clock.now() + ahead, "断网", Grade::Two)
            .await;
        let devices = administrator.get("/api/admin/devices").await;
        let row = &devices[0];
        assert_eq!(row["offset_ms"], -ahead.num_milliseconds());
        assert_eq!(row["clock_jumps"], jumps, "{days} days ahead");
        jumps += 1;
    }
    // What the desk itself noticed, also between two contacts, counts for more.
    let told = ClockNotice {
        jumps: 9,
        last_at: Some(hub.clock.now()),
        last_by_ms: Some(-7_200_000),
    };
    hello(&hub, &desk, TimeDelta::zero(), Some(told)).await;
    hello(&hub, &desk, TimeDelta::zero(), None).await;
    let row = &administrator.get("/api/admin/devices").await[0];
    assert_eq!(row["clock_jumps"], 9);
    assert_eq!(row["last_jump_by_ms"], -7_200_000);
    hub.stop().await;
}
