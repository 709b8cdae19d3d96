//! A complaint's way from a desk to its answer, over HTTP.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt as _;
use reqwest::StatusCode;
use serde_json::json;
use suda_domain::{Fact, FactKind, Grade, Lane, Role, State};
use suda_hub::store::Reader;
use suda_sync::{Ask, Reply, Verdict};
use support::{TestHub, add_member, eventually, fold};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_complex_complaint_goes_from_the_counter_to_its_answer_and_the_branch_sees_every_step() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk
        .hand_off(hub.clock.now(), "宽带断了三天，客服说法不一", Grade::Two)
        .await;

    let expert = hub.sign_in("expert").await;
    let queue = expert.get("/api/work-orders?view=queue").await;
    assert_eq!(queue["rows"][0]["id"], json!(id));
    assert_eq!(queue["rows"][0]["customer"], "张**");
    assert_eq!(queue["rows"][0]["branch_name"], "解放碑营业厅");

    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    expert.post(&path("claim"), json!({})).await;
    let claimed = expert.get(&format!("/api/complaints/{id}")).await;
    assert_eq!(claimed["state"], "claimed");
    for kind in [
        "dispatched",
        "reported",
        "returned_to_branch",
        "released",
        "noted",
    ] {
        assert!(
            claimed["allowed"]
                .as_array()
                .unwrap()
                .contains(&json!(kind)),
            "{kind}"
        );
    }
    assert_eq!(queue["rows"].as_array().unwrap().len(), 1);
    assert!(
        expert.get("/api/work-orders?view=queue").await["rows"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        expert.get("/api/work-orders?view=mine").await["rows"][0]["id"],
        json!(id)
    );

    // The department investigates.
    let department = hub.staff("department").await.id;
    let task = Uuid::now_v7();
    let order = json!({ "department": department, "question": "查断网原因", "task": task });
    expert.post(&path("dispatch"), order.clone()).await;
    expert.post(&path("dispatch"), order).await;
    let network = hub.sign_in("department").await;
    let tasks = network.get("/api/tasks").await;
    assert_eq!(
        tasks["rows"].as_array().unwrap().len(),
        1,
        "a second click asks once"
    );
    let seen = network
        .get(&format!("/api/complaints/{id}"))
        .await
        .to_string();
    for secret in ["13800138000", "500101199001011234", "张小明"] {
        assert!(!seen.contains(secret), "a department reads {secret}");
    }
    let other = hub.sign_in("department2").await;
    let (status, _) = other
        .ask(reqwest::Method::GET, &format!("/api/complaints/{id}"), None)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(
        other
            .refused(&format!("/api/tasks/{task}/accept"), json!({}))
            .await
            .0,
        StatusCode::NOT_FOUND
    );
    network
        .post(&format!("/api/tasks/{task}/accept"), json!({}))
        .await;
    let report =
        json!({ "root_cause": "光缆被挖断", "impact": "一个小区", "proposal": "抢修并减免" });
    let part = json!({ "root_cause": "光缆被挖断", "impact": " ", "proposal": "抢修" });
    assert_eq!(
        network
            .refused(&format!("/api/tasks/{task}/report"), part)
            .await,
        (StatusCode::UNPROCESSABLE_ENTITY, "required".into())
    );
    network
        .post(&format!("/api/tasks/{task}/report"), report)
        .await;
    assert_eq!(
        network.get("/api/tasks?view=done").await["rows"][0]["state"],
        "reported"
    );

    let plan = json!({ "plan": [{ "what": "抢修", "responsible": "网络部", "due_at": "2026-07-22T00:00:00Z" }] });
    let solving = expert.post(&path("start-solving"), plan).await;
    assert_eq!(
        expert
            .refused(&path("implement"), json!({ "summary": "光缆已修复" }))
            .await,
        (StatusCode::CONFLICT, "measures_open".into())
    );
    let done = json!({ "measure": solving["plan"][0]["id"], "percent": 100, "note": "已抢通" });
    expert.post(&path("progress"), done).await;
    expert
        .post(&path("implement"), json!({ "summary": "光缆已修复" }))
        .await;
    let answer = json!({ "decision": "upheld", "text": "已修复，减免一个月", "remedy": "减免" });
    let answered = expert.post(&path("answer"), answer).await;
    assert_eq!(answered["customer_state"], "completed");
    assert_eq!(
        expert.refused(&path("close"), json!({})).await,
        (StatusCode::CONFLICT, "not_called_back".into())
    );
    let asked = json!({ "satisfied": true, "score": 5 });
    assert_eq!(
        expert.refused(&path("call-back"), asked.clone()).await,
        (StatusCode::CONFLICT, "handler".into())
    );
    let second = hub.sign_in("expert2").await;
    second.post(&path("call-back"), asked).await;
    expert.post(&path("close"), json!({})).await;

    let entries = desk.pull_all().await;
    let kinds: Vec<_> = entries
        .iter()
        .map(|e| e.event.open().unwrap().fact.kind())
        .collect();
    use FactKind::*;
    assert_eq!(
        kinds,
        [
            HandedOff,
            Queued,
            Recorded,
            Assessed,
            Claimed,
            Dispatched,
            TaskAccepted,
            Reported,
            SolvingStarted,
            MeasureProgressed,
            Implemented,
            Answered,
            CallBackAssigned,
            CalledBack,
            Closed
        ]
    );
    assert_eq!(fold(&entries, id).state, State::Closed);
    let verified = hub.hub.store.verify().await.unwrap();
    assert_eq!((verified.fault, verified.events), (None, 15));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_complaint_is_the_branchs_again_and_can_be_settled_there() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk
        .hand_off(hub.clock.now(), "想换套餐", Grade::Three)
        .await;
    let expert = hub.sign_in("expert").await;
    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    expert.post(&path("claim"), json!({})).await;
    assert_eq!(
        expert
            .refused(&path("return"), json!({ "reason": "  " }))
            .await,
        (StatusCode::UNPROCESSABLE_ENTITY, "required".into())
    );
    expert
        .post(&path("return"), json!({ "reason": "营业厅可按口径办理" }))
        .await;
    let at_desk = fold(&desk.pull_all().await, id);
    assert_eq!(
        (at_desk.state, at_desk.owner_no),
        (State::ReturnedToBranch, 3)
    );

    let settled = Fact::Settled {
        summary: "已换套餐".into(),
        remedy: String::new(),
        amount_minor: None,
        guidance: None,
        deviation: String::new(),
    };
    let n = desk.pen.heads[1].0 + 1;
    let event = desk.pen.write(
        Lane::Ordinary,
        id,
        at_desk.owner_no,
        hub.clock.now(),
        settled,
    );
    assert_eq!(
        desk.batch(Lane::Ordinary, n, vec![event]).await.verdicts,
        [Verdict::Applied]
    );
    let now = expert.get(&format!("/api/complaints/{id}")).await;
    assert_eq!(now["state"], "answered");
    assert_eq!(
        expert
            .refused(
                &path("answer"),
                json!({ "decision": "upheld", "text": "x" })
            )
            .await
            .1,
        "not_owner"
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_experts_who_claim_at_once_exactly_one_wins() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let mut people = Vec::new();
    for number in 0..20 {
        let login = format!("e{number}x");
        add_member(&hub, &login, Role::Expert).await;
        people.push(hub.sign_in(&login).await);
    }
    let path = format!("/api/complaints/{id}/claim");
    let tries = people
        .iter()
        .map(|person| person.ask(reqwest::Method::POST, &path, Some(json!({}))));
    let outcomes = futures::future::join_all(tries).await;
    let won = outcomes
        .iter()
        .filter(|(status, _)| status.is_success())
        .count();
    let lost = outcomes
        .iter()
        .filter(|(status, body)| {
            *status == StatusCode::CONFLICT && body["code"] == "claimed_by_other"
        })
        .count();
    assert_eq!((won, lost), (1, 19));
    // The winner's second click changes nothing.
    let winner = outcomes
        .iter()
        .position(|(status, _)| status.is_success())
        .unwrap();
    people[winner].post(&path, json!({})).await;
    assert_eq!(
        hub.hub
            .store
            .timeline(id, Reader::Program)
            .await
            .unwrap()
            .len(),
        5
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_claim_returns_by_itself_and_a_begun_case_does_not() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let idle = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let begun = desk.hand_off(hub.clock.now(), "信号不好", Grade::Two).await;
    let renewed = desk.hand_off(hub.clock.now(), "换卡", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    for id in [idle, begun, renewed] {
        expert
            .post(&format!("/api/complaints/{id}/claim"), json!({}))
            .await;
    }
    let department = hub.staff("department").await.id;
    let order = json!({ "department": department, "question": "?" });
    expert
        .post(&format!("/api/complaints/{begun}/dispatch"), order)
        .await;

    hub.clock.advance(TimeDelta::minutes(29));
    expert
        .post(&format!("/api/complaints/{renewed}/renew"), json!({}))
        .await;
    hub.clock.advance(TimeDelta::minutes(2));
    let state = async |id| {
        hub.hub
            .store
            .complaint(id, Reader::Program)
            .await
            .unwrap()
            .unwrap()
            .complaint
    };
    eventually("the idle claim returns", async || {
        state(idle).await.state == State::Queued
    })
    .await;
    assert!(state(begun).await.claim.is_some());
    assert_eq!(state(renewed).await.state, State::Claimed);
    let (status, code) = expert
        .refused(&format!("/api/complaints/{idle}/renew"), json!({}))
        .await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::CONFLICT, "not_claimed")
    );

    // The hub was down when the next one ran out.
    let clock = hub.clock.clone();
    let dir = hub.stop().await.unwrap();
    clock.advance(TimeDelta::hours(1));
    let hub = TestHub::start_in(dir.path(), clock).await;
    let store = &hub.hub.store;
    eventually("the claim returns after a restart", async || {
        store
            .complaint(renewed, Reader::Program)
            .await
            .unwrap()
            .unwrap()
            .complaint
            .state
            == State::Queued
    })
    .await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_browser_and_a_waiting_desk_hear_of_a_change_at_once() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let elsewhere = hub.enrol("CQ0102", "clerk2").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    elsewhere.hello().await;
    let expert = hub.sign_in("expert").await;
    let mut heard = String::new();
    let mut stream = expert.live().await.bytes_stream();
    while !heard.contains("event: ready") {
        heard.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    let cursor = desk.pull_all().await.last().unwrap().seq;
    let directory = hub.hub.store.settings().await.unwrap().directory;
    let watch = desk.ask(Ask::Watch { cursor, directory });
    let act = async {
        expert
            .post(&format!("/api/complaints/{id}/claim"), json!({}))
            .await;
    };
    let (reply, ()) =
        tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(watch, act) })
            .await
            .unwrap();
    assert!(matches!(reply, Reply::Changed { changed: true }));
    tokio::time::timeout(Duration::from_secs(5), async {
        while !(heard.contains("event: work_orders") && heard.contains(&id.to_string())) {
            heard.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
        }
    })
    .await
    .unwrap();
    assert!(
        elsewhere.pull_all().await.is_empty(),
        "another branch hears nothing of it"
    );
    drop(stream);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grade_one_needs_an_acknowledgement_and_an_approval() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk
        .hand_off(hub.clock.now(), "电线杆倒了砸到人", Grade::One)
        .await;
    let (expert, manager) = (hub.sign_in("expert").await, hub.sign_in("management").await);
    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    let board = manager.get("/api/board").await;
    assert_eq!(board["alerts"][0]["id"], json!(id));
    assert_eq!(board["handoffs_today"]["in_time"], 1);
    manager.post(&path("acknowledge"), json!({})).await;
    assert_eq!(
        manager.refused(&path("acknowledge"), json!({})).await.1,
        "not_in_this_state"
    );
    assert!(
        manager.get("/api/board").await["alerts"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    expert.post(&path("claim"), json!({})).await;
    expert
        .post(
            &path("report"),
            json!({ "root_cause": "a", "impact": "b", "proposal": "c" }),
        )
        .await;
    assert_eq!(
        expert
            .refused(&path("start-solving"), json!({ "plan": [] }))
            .await
            .1,
        "needs_approval"
    );
    expert
        .post(&path("request-approval"), json!({ "reason": "赔偿" }))
        .await;
    let seen = manager.get(&format!("/api/complaints/{id}")).await;
    assert!(
        seen["allowed"]
            .as_array()
            .unwrap()
            .contains(&json!("approved"))
    );
    manager
        .post(&path("approve"), json!({ "comment": "同意" }))
        .await;
    hub.clock.advance(TimeDelta::days(20));
    let board = hub.sign_in("management").await.get("/api/board").await;
    assert_eq!(board["overdue"], 1);
    assert_eq!(board["breaches"][0]["cause"], "with_expert");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_character_words_are_found_by_those_who_may_see_them() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk
        .hand_off(hub.clock.now(), "家里的宽带断了", Grade::Two)
        .await;
    let expert = hub.sign_in("expert").await;
    let found = async |who: &support::Person, q: &str| {
        let rows = who.post("/api/search", json!({ "q": q })).await["rows"].clone();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].clone())
            .collect::<Vec<_>>()
    };
    eventually("the index follows", async || {
        found(&expert, "宽带").await == [json!(id)]
    })
    .await;
    let reference = hub
        .hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap()
        .into_complaint()
        .reference;
    assert_eq!(
        found(&expert, &reference.to_string().to_lowercase()).await,
        [json!(id)]
    );
    assert_eq!(found(&expert, "13800138000").await, [json!(id)]);
    assert!(found(&expert, "漫游").await.is_empty());
    assert!(found(&expert, "%22%20OR%20%2A").await.is_empty());
    assert_eq!(
        found(&hub.sign_in("clerk").await, "宽带").await,
        [json!(id)]
    );
    assert!(found(&hub.sign_in("clerk2").await, "宽带").await.is_empty());
    assert!(
        found(&hub.sign_in("department").await, "宽带")
            .await
            .is_empty()
    );

    // One that investigates it finds the matter, and not who the customer is.
    expert
        .post(&format!("/api/complaints/{id}/claim"), json!({}))
        .await;
    for (login, question) in [
        ("department", "查断网原因"),
        ("department2", "核对账单金额"),
    ] {
        let to = hub.staff(login).await.id;
        let order = json!({ "department": to, "question": question, "task": Uuid::now_v7() });
        expert
            .post(&format!("/api/complaints/{id}/dispatch"), order)
            .await;
    }
    let department = hub.sign_in("department").await;
    assert_eq!(found(&department, "宽带").await, [json!(id)]);
    for hidden in ["13800138000", "张小明", "小明"] {
        assert!(
            !found(&expert, hidden).await.is_empty(),
            "{hidden} is there"
        );
        assert!(
            found(&department, hidden).await.is_empty(),
            "a department finds out {hidden}"
        );
    }
    // Nor what another department was asked.
    let seen = department
        .get(&format!("/api/complaints/{id}"))
        .await
        .to_string();
    assert!(seen.contains("查断网原因"), "{seen}");
    assert!(!seen.contains("核对账单金额"), "{seen}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_with_the_same_key_writes_one_note() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    let key = Uuid::now_v7().to_string();
    for _ in 0..2 {
        let answer = hub
            .client
            .post(hub.url(&format!("/api/complaints/{id}/note")))
            .header("cookie", &expert.cookie)
            .header("idempotency-key", &key)
            .json(&json!({ "text": "已联系客户" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let timeline = hub.hub.store.timeline(id, Reader::Program).await.unwrap();
    let notes = timeline
        .iter()
        .filter(|line| line.sealed.open().unwrap().fact.kind() == FactKind::Noted)
        .count();
    assert_eq!(notes, 1);
    hub.stop().await;
}
