//! Several hub processes over one PostgreSQL, behind a load balancer that
//! sends each request wherever it likes: what people and desks notice of it
//! is nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;
use suda_domain::{Complexity, FactKind, Grade, Lane};
use suda_hub::store::Reader;
use suda_hub::store::Upkeep as _;
use suda_hub::store::postgres::PostgresStore;
use suda_sync::{Ask, Reply, Verdict};
use suda_test_postgres::PrivatePostgres;
use support::{TestClock, TestHub, eventually, fill, intake, morning};

async fn two(server: &PrivatePostgres, name: &str) -> [TestHub; 2] {
    let url = server.database(name).unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    store.close().await;
    let clock = TestClock::new();
    [
        TestHub::over(&url, clock.clone()).await,
        TestHub::over(&url, clock).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_and_a_desks_session_hold_at_every_process() {
    let server = PrivatePostgres::start().unwrap();
    let hubs = two(&server, "sessions").await;
    let mut desk = hubs[0].enrol("CQ0101", "clerk").await;
    desk.hello().await;
    let (id, reference, events) = desk.pen.record(
        morning(),
        intake("宽带断了"),
        Grade::Two,
        Complexity::Complex,
    );
    let packet = desk
        .pen
        .hand_off(id, &reference, morning(), intake("宽带断了"), Grade::Two);
    // One session, a process for each request.
    desk.by(&hubs[1]);
    let receipt = desk.batch(Lane::Urgent, 1, vec![packet.clone()]).await;
    assert_eq!(receipt.verdicts, [Verdict::Applied]);
    desk.by(&hubs[0]);
    let receipt = desk.batch(Lane::Urgent, 1, vec![packet]).await;
    assert_eq!(receipt.verdicts, [Verdict::Duplicate]);
    let receipt = desk.batch(Lane::Ordinary, 1, events).await;
    assert_eq!(receipt.watermarks, [1, 2, 0, 0]);
    desk.by(&hubs[1]);
    assert_eq!(desk.pull_all().await.len(), 4);

    let expert = hubs[0].sign_in("expert").await;
    let there = expert.at(&hubs[1]);
    assert_eq!(there.get("/api/me").await["login"], "expert");
    there
        .post(&format!("/api/complaints/{id}/claim"), json!({}))
        .await;
    let seen = expert.get(&format!("/api/complaints/{id}")).await;
    assert_eq!(seen["state"], "claimed");
    there.post("/api/logout", json!({})).await;
    let (status, _) = expert.ask(Method::GET, "/api/me", None).await;
    assert_eq!(status, 401, "signed out there, signed out here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_and_a_desk_at_one_process_hear_of_a_step_at_another() {
    let server = PrivatePostgres::start().unwrap();
    let hubs = two(&server, "live").await;
    let mut desk = hubs[0].enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(morning(), "宽带断了", Grade::Two).await;
    let expert = hubs[0].sign_in("expert").await;
    let mut stream = expert.live().await.bytes_stream();
    let mut heard = String::new();
    while !heard.contains("event: ready") {
        heard.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    let cursor = desk.pull_all().await.last().unwrap().seq;
    let directory = hubs[0].hub.store.settings().await.unwrap().directory;
    let elsewhere = expert.at(&hubs[1]);
    let watch = desk.ask(Ask::Watch { cursor, directory });
    let path = format!("/api/complaints/{id}/claim");
    let act = elsewhere.post(&path, json!({}));
    let (reply, _) =
        tokio::time::timeout(Duration::from_secs(10), async { tokio::join!(watch, act) })
            .await
            .unwrap();
    assert!(matches!(reply, Reply::Changed { changed: true }));
    tokio::time::timeout(Duration::from_secs(10), async {
        while !(heard.contains("event: work_orders") && heard.contains(&id.to_string())) {
            heard.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_claim_is_returned_once_although_every_process_looks_for_it() {
    let server = PrivatePostgres::start().unwrap();
    let hubs = two(&server, "lapse").await;
    let mut desk = hubs[0].enrol("CQ0101", "clerk").await;
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(
            desk.hand_off(morning(), &format!("断了 {n}"), Grade::Two)
                .await,
        );
    }
    let expert = hubs[1].sign_in("expert").await;
    for id in &all {
        expert
            .post(&format!("/api/complaints/{id}/claim"), json!({}))
            .await;
    }
    let store = &hubs[0].hub.store;
    hubs[0].clock.advance(TimeDelta::hours(2));
    eventually("all are in the queue again", || async {
        let counts = store.counts().await.unwrap();
        counts.of(suda_domain::State::Queued) == 5
    })
    .await;
    // Both have looked again since.
    for hub in &hubs {
        assert_eq!(suda_hub::leases::return_lapsed(&hub.hub).await.unwrap(), 0);
    }
    for id in all {
        let timeline = store.timeline(id, Reader::Program).await.unwrap();
        let released = timeline
            .iter()
            .filter(|line| line.sealed.open().unwrap().fact.kind() == FactKind::Released);
        assert_eq!(released.count(), 1);
    }
    assert_eq!(store.verify().await.unwrap().fault, None);
}
