//! Deadlines that come near or are missed reach those whom the ladder names;
//! a grade judged anew reaches the management group at once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::{FactKind, Grade};
use suda_hub::escalate::tell_due;
use suda_hub::store::Reader;
use support::{Person, TestHub, eventually};

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

fn sent(hub: &TestHub) -> Vec<Value> {
    let text = std::fs::read_to_string(hub.dir.join("sms.jsonl")).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

async fn put_on_duty(hub: &TestHub, login: &str, phone: &str) {
    let administrator = hub.sign_in("administrator").await;
    let path = format!("/api/admin/staff/{}/duty-phone", hub.staff(login).await.id);
    let body = json!({ "phone": phone });
    let (status, _) = administrator.ask(Method::POST, &path, Some(body)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_on_duty_are_texted_of_grade_1_at_night_and_nobody_else_is() {
    let hub = TestHub::start().await;
    for (login, phone) in [
        ("management", "139 0013 9001"),
        ("expert", "13900139002"),
        ("branch_manager", "13900139003"),
    ] {
        put_on_duty(&hub, login, phone).await;
    }
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    // Eleven in the evening.
    hub.clock.advance(TimeDelta::hours(13));
    let id = desk.hand_off(hub.clock.now(), "有人触电", Grade::One).await;
    tell_due(&hub.hub).await.unwrap();
    hub.clock.advance(TimeDelta::minutes(5));
    tell_due(&hub.hub).await.unwrap();
    tell_due(&hub.hub).await.unwrap();
    eventually("the manager is texted", async || !sent(&hub).is_empty()).await;
    let held = hub.hub.store.complaint(id, Reader::Program).await.unwrap();
    let reference = held.unwrap().complaint.reference.to_string();
    let [text] = sent(&hub).try_into().unwrap();
    assert_eq!(text["to"], "8613900139001");
    assert_eq!(
        text["text"],
        format!(
            "【测试通信】值班提醒：投诉{reference}，一级告警，时限7月21日23:05。请登录系统处理。"
        )
    );
    // Reported five minutes later: another text, and the customer still sleeps.
    hub.clock.advance(TimeDelta::minutes(5));
    tell_due(&hub.hub).await.unwrap();
    eventually("and again", async || sent(&hub).len() > 1).await;
    assert_eq!(sent(&hub).len(), 2);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duty_telephone_is_shown_masked_and_has_to_be_a_mobile() {
    let hub = TestHub::start().await;
    put_on_duty(&hub, "management", "13900139001").await;
    let administrator = hub.sign_in("administrator").await;
    let rows = administrator.get("/api/admin/staff").await;
    assert!(!rows.to_string().contains("13900139001"));
    let of = |rows: &Value, login: &str| {
        let rows = rows.as_array().unwrap();
        rows.iter().find(|row| row["login"] == login).unwrap()["duty_phone"].clone()
    };
    assert_eq!(of(&rows, "management"), "139****9001");
    assert_eq!(of(&rows, "expert"), Value::Null);
    let path = format!(
        "/api/admin/staff/{}/duty-phone",
        hub.staff("expert").await.id
    );
    let (status, code) = administrator
        .refused(&path, json!({ "phone": "023-6000" }))
        .await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "not_mobile")
    );
    put_on_duty(&hub, "management", "").await;
    let rows = administrator.get("/api/admin/staff").await;
    assert_eq!(of(&rows, "management"), Value::Null);
    let expert = hub.sign_in("expert").await;
    assert_eq!(
        expert.refused(&path, json!({})).await.0,
        StatusCode::FORBIDDEN
    );
    // Desks sign their staff in without the hub: the number is not for them.
    put_on_duty(&hub, "branch_manager", "13900139003").await;
    let desk = hub.enrol("CQ0101", "clerk").await;
    let hello = serde_json::to_string(&desk.hello().await).unwrap();
    assert!(!hello.contains("13900139003"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_says_seen_once_and_their_superior_reads_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "合同", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    expert
        .post(&format!("/api/complaints/{id}/claim"), json!({}))
        .await;
    hub.clock.advance(TimeDelta::hours(23));
    tell_due(&hub.hub).await.unwrap();
    let expert = hub.sign_in("expert").await;
    let management = hub.sign_in("management").await;
    let row = expert.get("/api/escalations").await[0].clone();
    assert_eq!(
        (&row["to_be_seen"], &row["seen"]),
        (&json!(true), &json!([]))
    );
    let name = json!({
        "clock": row["escalation"]["clock"],
        "task": row["escalation"]["task"],
        "level": row["escalation"]["level"],
        "due": row["escalation"]["due"],
    });
    let path = format!("/api/complaints/{id}/seen");
    let refused = management.refused(&path, name.clone()).await;
    assert_eq!(
        refused,
        (StatusCode::FORBIDDEN, "not_allowed".into()),
        "it was not told"
    );
    for _twice in 0..2 {
        let (status, _) = expert.ask(Method::POST, &path, Some(name.clone())).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let row = expert.get("/api/escalations").await[0].clone();
    assert_eq!(row["to_be_seen"], false);
    let mut other = name.clone();
    other["level"] = json!("report");
    assert_eq!(
        expert.refused(&path, other).await.0,
        StatusCode::CONFLICT,
        "nobody was told so"
    );

    // When it is reported, the management group reads who had seen it before.
    hub.clock.advance(TimeDelta::hours(5));
    tell_due(&hub.hub).await.unwrap();
    let management = hub.sign_in("management").await;
    let row = management.get("/api/escalations").await[0].clone();
    assert_eq!(row["escalation"]["level"], "report");
    let seen = row["seen"].as_array().unwrap();
    assert_eq!(seen.len(), 1, "once: {row}");
    assert_eq!(seen[0]["staff"], hub.staff("expert").await.id.to_string());
    assert_eq!(seen[0]["level"], "remind");
    assert_eq!(row["to_be_seen"], true, "the report is theirs");
    let case = management.get(&format!("/api/complaints/{id}")).await;
    assert_eq!(case["seen"], row["seen"]);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;
}
