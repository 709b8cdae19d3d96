//! Faults of the machine: a full disk, a taken port, a damaged file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use chrono::TimeDelta;
use reqwest::StatusCode;
use suda_domain::{Complexity, Grade, Lane};
use suda_hub::Hub;
use suda_hub::http::router;
use suda_hub::ingest::{Arrival, Batch};
use suda_hub::serve::{ServeError, Serving};
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Devices as _, EnrolCode, Ledger as _, Lists as _, StoreError, Upkeep as _};
use suda_sync::message::Refused;
use suda_sync::{Ask, Reply, SealedEvent, SecretKey, Signed, Verdict};
use support::{Pen, TestClock, actor, initialised, intake};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_nothing_is_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(initialised(dir.path()).await);
    let clock = TestClock::new();
    let code = EnrolCode {
        hash: [1; 32],
        branch: "CQ0101".parse().unwrap(),
        made_at: clock.now(),
        expires_at: clock.now() + TimeDelta::minutes(10),
    };
    store.add_code(&code).await.unwrap();
    let key = SecretKey::from_seed([1; 32]);
    let device = store
        .enrol([1; 32], &key.public(), "x", clock.now())
        .await
        .unwrap();
    let staff = suda_hub::store::Directory::staff_by_login(store.as_ref(), "clerk")
        .await
        .unwrap();
    let mut pen = Pen::new(device.id, actor(&staff.unwrap()), "A");
    let long = "很长的描述".repeat(3_000);
    let mut events = Vec::new();
    for _ in 0..20 {
        events.extend(
            pen.record(clock.now(), intake(&long), Grade::Three, Complexity::Simple)
                .2,
        );
    }
    let batch = |first_n: u64, events: &[SealedEvent]| Batch {
        device: device.id,
        incarnation: 1,
        branch: device.branch.clone(),
        lane: Lane::Ordinary,
        first_n,
        arrivals: events.iter().cloned().map(Arrival::read).collect(),
        rekeys: false,
        again: Vec::new(),
        now: clock.now(),
        mono_ms: 1,
    };
    store.limit_growth(Some(20)).await.unwrap();
    let full = store.ingest(batch(1, &events)).await.unwrap_err();
    assert!(matches!(full, StoreError::Full), "{full:?}");
    assert_eq!(store.watermarks(device.id, 1).await.unwrap(), [0; 4]);
    assert_eq!(store.counts().await.unwrap().events, 0);
    assert_eq!(store.verify().await.unwrap().fault, None);

    // Over HTTP it is 503, in the desk's words.
    let hub = Hub::start(store.clone(), clock.clock(), None, None)
        .await
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/sync", listener.local_addr().unwrap());
    let hub_key = hub.identity.key.public();
    let server = tokio::spawn(async move { axum::serve(listener, router(Arc::new(hub))).await });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |session: Option<String>, ask: Ask| {
        let request = suda_sync::Request {
            v: suda_sync::message::VERSION,
            device: device.id,
            incarnation: 1,
            session,
            ask,
        };
        let signed = Signed::seal(&request, &key).unwrap();
        let answer = client.post(&url).json(&signed).send().await.unwrap();
        let status = answer.status();
        let reply: Reply = answer
            .json::<Signed>()
            .await
            .unwrap()
            .open(&hub_key)
            .unwrap();
        (status, reply)
    };
    let (_, Reply::Welcome(welcome)) = ask(None, Ask::Hello(Default::default())).await else {
        panic!("no welcome")
    };
    let session = Some(welcome.session);
    let sent = Ask::Batch {
        lane: Lane::Ordinary,
        first_n: 1,
        events: events.clone(),
        incarnation: None,
        rekeys: false,
        known: None,
    };
    let (status, reply) = ask(session.clone(), sent.clone()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(matches!(reply, Reply::Refused(Refused::Busy { .. })));

    store.limit_growth(None).await.unwrap();
    let (status, reply) = ask(session, sent).await;
    assert_eq!(status, StatusCode::OK);
    let Reply::Receipt(receipt) = reply else {
        panic!("no receipt")
    };
    assert_eq!(receipt.verdicts, vec![Verdict::Applied; events.len()]);
    assert_eq!(store.verify().await.unwrap().fault, None);
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_cannot_start_says_why() {
    let clock = TestClock::new();
    let loopback = "127.0.0.1:0".parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let start = async |listen| Serving::prepare(dir.path(), listen, None, clock.clock()).await;
    let error = start(loopback).await.err().unwrap();
    assert!(error.to_string().contains("suda-hub init"), "{error}");

    let store = initialised(dir.path()).await;
    store.close().await;
    drop(store);
    let first = start(loopback).await.unwrap();
    assert!(matches!(start(loopback).await, Err(ServeError::Lock(_))));
    drop(first);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = start(taken.local_addr().unwrap()).await.err().unwrap();
    assert!(
        error.to_string().starts_with("cannot listen on 127.0.0.1:"),
        "{error}"
    );

    let file = dir.path().join("hub.db");
    std::fs::write(&file, "not a database, whatever its name says".repeat(100)).unwrap();
    let error = SqliteStore::open(dir.path(), false).await.err().unwrap();
    assert!(format!("{error:?}").contains("Damaged"), "{error:?}");
    // A place where nothing can be made, for the super-user neither.
    let nowhere = std::path::Path::new("/proc/suda-hub-data");
    let error = SqliteStore::open(nowhere, true).await.err().unwrap();
    assert_eq!(error.to_string(), "the directory cannot be used");
}
