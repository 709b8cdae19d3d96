//! Deadlines that come near or are missed reach those whom the ladder names;
//! a grade judged anew reaches the management group at once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use suda_domain::{FactKind, Grade};
use suda_hub::escalate::tell_due;
use support::{Person, TestHub};

async fn told(person: &Person) -> Vec<(String, String)> {
    let rows = person.get("/api/escalations").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |row: &Value| {
        let one = &row["escalation"];
        (text(&one["clock"]), text(&one["level"]))
    };
    rows.as_array().unwrap().iter().map(of).collect()
}

fn pair(clock: &str, level: &str) -> (String, String) {
    (clock.to_owned(), level.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_deadline_climbs_the_ladder_and_is_told_once() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    // Tuesday 21 July 2026, ten o'clock.
    let id = desk
        .hand_off(hub.clock.now(), "合同照片看不清", Grade::Two)
        .await;
    let expert = hub.sign_in("expert").await;
    expert
        .post(&format!("/api/complaints/{id}/claim"), json!({}))
        .await;
    expert
        .post(
            &format!("/api/complaints/{id}/dispatch"),
            json!({
                "task": uuid::Uuid::now_v7(),
                "department": hub.staff("department").await.id,
                "question": "请查证合同",
                "due_at": hub.clock.now() + TimeDelta::hours(30),
            }),
        )
        .await;
    assert_eq!(tell_due(&hub.hub).await.unwrap(), 0, "nothing is near yet");

    // 08:00 the next day: nobody is reminded before the hours of work.
    hub.clock.advance(TimeDelta::hours(22));
    assert_eq!(tell_due(&hub.hub).await.unwrap(), 0);
    hub.clock.advance(TimeDelta::hours(1));
    assert_eq!(tell_due(&hub.hub).await.unwrap(), 1);
    let expert = hub.sign_in("expert").await;
    let management = hub.sign_in("management").await;
    assert_eq!(told(&expert).await, [pair("first_response", "remind")]);
    assert_eq!(told(&management).await, []);
    assert_eq!(tell_due(&hub.hub).await.unwrap(), 0, "once");

    hub.clock.advance(TimeDelta::hours(5));
    tell_due(&hub.hub).await.unwrap();
    let department = hub.sign_in("department").await;
    assert_eq!(told(&department).await, [pair("department", "remind")]);
    assert_eq!(told(&management).await, [pair("first_response", "report")]);
    let case = management.get(&format!("/api/complaints/{id}")).await;
    assert_eq!(case["escalations"][0]["level"], "report");

    // The branch reads it in its ledger, and the hub's books agree.
    desk.hello().await;
    let escalated = desk
        .pull_all()
        .await
        .iter()
        .filter(|entry| entry.event.open().unwrap().fact.kind() == FactKind::Escalated)
        .count();
    assert!(escalated >= 3, "{escalated}");
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grade_raised_to_one_reaches_the_managers_at_once() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let now = hub.clock.now();
    let first = desk.hand_off(now, "宽带断网", Grade::Two).await;
    let id = desk.hand_off(now, "有人触电", Grade::Three).await;
    let expert = hub.sign_in("expert").await;
    let management = hub.sign_in("management").await;
    let path = format!("/api/complaints/{id}/grade");
    let raise = json!({ "grade": "one", "reason": "涉及人身安全" });
    assert_eq!(
        expert.refused(&path, raise.clone()).await.0,
        StatusCode::CONFLICT,
        "an expert claims it first"
    );
    assert_eq!(management.get("/api/board").await["alerts"], json!([]));
    let began = Instant::now();
    management.post(&path, raise.clone()).await;
    let alerts = management.get("/api/board").await["alerts"].clone();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(alerts[0]["id"], id.to_string());
    let queue = expert.get("/api/work-orders?view=queue").await;
    let order: Vec<_> = queue["rows"].as_array().unwrap().iter().collect();
    assert_eq!(order[0]["id"], id.to_string(), "before all others");
    assert_eq!(order[1]["id"], first.to_string());
    assert_eq!(
        management.refused(&path, raise).await.0,
        StatusCode::CONFLICT,
        "it has this grade"
    );

    // Nobody acknowledges: five minutes on it is copied, then reported.
    hub.clock.advance(TimeDelta::minutes(5));
    tell_due(&hub.hub).await.unwrap();
    assert_eq!(told(&management).await, [pair("grade1_alert", "copy")]);
    hub.clock.advance(TimeDelta::minutes(5));
    tell_due(&hub.hub).await.unwrap();
    assert_eq!(told(&management).await, [pair("grade1_alert", "report")]);
    let lower = json!({ "grade": "two", "reason": "经核实无人受伤" });
    expert
        .post(&format!("/api/complaints/{id}/claim"), json!({}))
        .await;
    assert_eq!(
        expert.refused(&path, lower.clone()).await,
        (StatusCode::CONFLICT, "needs_approval".into()),
        "an expert does not let it go alone"
    );
    management.post(&path, lower).await;
    assert_eq!(management.get("/api/board").await["alerts"], json!([]));
    assert_eq!(told(&management).await, []);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
}
