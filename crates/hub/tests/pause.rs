//! Clocks that stand still while the customer has to send something.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use suda_domain::{FactKind, Grade};
use suda_hub::leases::return_lapsed;
use support::TestHub;

fn clock<'a>(view: &'a Value, name: &str) -> &'a Value {
    let clocks = view["deadlines"].as_array().unwrap();
    clocks.iter().find(|one| one["clock"] == name).unwrap()
}

fn due(view: &Value, name: &str) -> String {
    clock(view, name)["due"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_moves_the_clocks_it_names_and_no_other_and_is_explained() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    // Tuesday 21 July 2026, ten o'clock.
    let id = desk
        .hand_off(hub.clock.now(), "合同照片看不清", Grade::Two)
        .await;
    let expert = hub.sign_in("expert").await;
    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    let pause = json!({ "reason": "customer", "note": "请客户补交合同照片" });
    assert_eq!(
        expert.refused(&path("pause"), pause.clone()).await.0,
        StatusCode::CONFLICT,
        "only who has claimed it"
    );
    expert.post(&path("claim"), json!({})).await;
    let before = expert.get(&format!("/api/complaints/{id}")).await;
    assert_eq!(due(&before, "cycle"), "2026-07-30T02:00:00Z");
    assert_eq!(
        expert
            .refused(&path("pause"), json!({ "reason": "holiday", "note": "x" }))
            .await,
        (StatusCode::UNPROCESSABLE_ENTITY, "unknown_pause".into())
    );
    let paused = expert.post(&path("pause"), pause.clone()).await;
    assert_eq!(
        expert.refused(&path("pause"), pause).await.0,
        StatusCode::CONFLICT,
        "it stands still already"
    );
    let cycle = clock(&paused, "cycle");
    assert_eq!(cycle["paused_since"], "2026-07-21T02:00:00Z");
    assert_eq!(cycle["paused_until"], "2026-07-26T02:00:00Z");
    for never in ["first_response", "outer_limit"] {
        assert_eq!(clock(&paused, never), clock(&before, never), "{never}");
    }

    // A day and an hour later, of which one working day and an hour.
    hub.clock.advance(TimeDelta::hours(25));
    // Waiting for the customer, the expert keeps the case, also when signed out.
    assert_eq!(return_lapsed(&hub.hub).await.unwrap(), 0);
    let expert = hub.sign_in("expert").await;
    let resumed = expert.post(&path("resume"), json!({})).await;
    assert_eq!(due(&resumed, "cycle"), "2026-07-31T03:00:00Z");
    assert_eq!(clock(&resumed, "cycle")["paused_since"], Value::Null);
    let analysis: chrono::DateTime<chrono::Utc> = due(&before, "initial_analysis").parse().unwrap();
    let moved: chrono::DateTime<chrono::Utc> = due(&resumed, "initial_analysis").parse().unwrap();
    assert_eq!(moved - analysis, TimeDelta::hours(25));
    let why = clock(&resumed, "cycle")["why"].as_array().unwrap();
    assert_eq!(why[0]["kind"], "paused");
    assert_eq!(why[0]["reason"], "等待客户补充材料");
    assert!(why.iter().any(|one| one["kind"] == "rest_day"));
    assert_eq!(
        expert.refused(&path("resume"), json!({})).await.0,
        StatusCode::CONFLICT,
        "nothing stands still"
    );

    // The branch hears of both, and the hub's books agree.
    desk.hello().await;
    let kinds: Vec<_> = desk
        .pull_all()
        .await
        .iter()
        .map(|entry| entry.event.open().unwrap().fact.kind())
        .collect();
    assert!(kinds.ends_with(&[FactKind::Paused, FactKind::Resumed]));
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
}
