//! Complaints told by telephone: what both stores keep of them, and how they
//! find their record by whatever way it comes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use chrono::TimeDelta;
use direct::{Desk, member};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use suda_domain::{Complexity, Grade, Lane};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{AddError, PhoneNote, PhoneStub, Reader, Store};
use suda_sync::bundle::seal_events;
use suda_sync::message::VERSION;
use suda_sync::phone::PhoneCode;
use suda_sync::{Ask, Request, Signed};
use suda_test_postgres::PrivatePostgres;
use support::{Person, TestHub, eventually, fill, intake, morning};
use tempfile::TempDir;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_what_was_told() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    fill(&store).await;
    keeps_what_was_told(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_keeps_what_was_told() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("phone").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    keeps_what_was_told(&store).await;
}

/// The suite both stores have to pass.
async fn keeps_what_was_told(store: &impl Store) {
    let expert = member(store, "expert").await.staff.unwrap();
    let other = member(store, "expert2").await.staff.unwrap();
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let complaint = desk.queue(morning(), "多扣话费", Grade::Two).await;
    let note = |minutes: i64, by, text: &str| PhoneNote {
        id: Uuid::now_v7(),
        at: morning() + TimeDelta::minutes(minutes),
        by,
        text: text.into(),
    };
    let stub = |minutes: i64, notes| PhoneStub {
        id: Uuid::now_v7(),
        code: PhoneCode::of(complaint),
        branch: "CQ0101".parse().unwrap(),
        arrived_at: morning() + TimeDelta::minutes(minutes),
        grade: Grade::One,
        opened_by: expert,
        opened_at: morning(),
        held_by: expert,
        joined: None,
        closed_at: None,
        notes,
    };
    let first = stub(10, vec![note(0, expert, "客户很急")]);
    assert_eq!(store.open_stub(&first).await.unwrap(), first.id);
    assert_eq!(
        store.stub(first.id, Reader::Program).await.unwrap(),
        Some(first.clone())
    );
    let repeated = store.open_stub(&first).await.unwrap();
    assert_eq!(repeated, first.id, "the same call twice");

    let second = stub(20, vec![note(5, other, "又来电")]);
    assert_eq!(
        store.open_stub(&second).await.unwrap(),
        first.id,
        "the second of one code opens the first"
    );
    let elsewhere = PhoneStub {
        branch: "CQ0102".parse().unwrap(),
        ..stub(0, Vec::new())
    };
    store.open_stub(&elsewhere).await.unwrap();
    let nowhere = PhoneStub {
        branch: "XX99".parse().unwrap(),
        ..stub(0, Vec::new())
    };
    let refused = store.open_stub(&nowhere).await;
    assert!(
        matches!(refused, Err(AddError::UnknownBranch)),
        "{refused:?}"
    );

    let third = note(9, expert, "补充");
    for _ in 0..2 {
        assert!(store.add_stub_note(first.id, &third).await.unwrap());
    }
    assert!(store.hold_stub(first.id, other).await.unwrap());
    let open = store.open_stubs().await.unwrap();
    let ids: Vec<_> = open.iter().map(|one| one.id).collect();
    assert_eq!(ids, [elsewhere.id, first.id], "the earliest arrival first");
    let texts: Vec<_> = open[1].notes.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["客户很急", "又来电", "补充"]);
    assert_eq!(open[1].held_by, other);

    // Told under a wrong branch: put right once, unless one is open there.
    let said = note(11, other, "CQ0102 → CQ0101");
    let right = "CQ0101".parse().unwrap();
    let refused = store.move_stub(elsewhere.id, &right, &said).await;
    assert!(matches!(refused, Err(AddError::Exists)), "{refused:?}");
    let nowhere = "XX99".parse().unwrap();
    let refused = store.move_stub(elsewhere.id, &nowhere, &said).await;
    assert!(
        matches!(refused, Err(AddError::UnknownBranch)),
        "{refused:?}"
    );
    let left = store.stub(elsewhere.id, Reader::Program).await.unwrap();
    assert_eq!(left, Some(elsewhere.clone()), "nothing of it was kept");
    let strayed = PhoneStub {
        code: PhoneCode::of(suda_domain::ComplaintId(Uuid::from_u128(77))),
        ..PhoneStub {
            branch: "CQ0102".parse().unwrap(),
            ..stub(30, Vec::new())
        }
    };
    store.open_stub(&strayed).await.unwrap();
    assert!(store.move_stub(strayed.id, &right, &said).await.unwrap());
    let moved = store.stub(strayed.id, Reader::Program).await.unwrap();
    let moved = moved.unwrap();
    assert_eq!((&moved.branch, moved.notes), (&right, vec![said.clone()]));
    // Closed with its reason, once, and out of the list.
    let why = note(12, other, "客户已撤回");
    assert!(store.close_stub(strayed.id, &why).await.unwrap());
    assert!(!store.close_stub(strayed.id, &why).await.unwrap());
    assert!(!store.move_stub(strayed.id, &right, &said).await.unwrap());
    assert!(!store.hold_stub(strayed.id, expert).await.unwrap());
    let closed = store.stub(strayed.id, Reader::Program).await.unwrap();
    let closed = closed.unwrap();
    assert_eq!((closed.joined, closed.closed_at), (None, Some(why.at)));
    assert_eq!(closed.notes, [said, why]);
    assert_eq!(store.open_stubs().await.unwrap().len(), 2);

    let branch = "CQ0101".parse().unwrap();
    let since = async |at| store.arrived_since(&branch, at).await.unwrap();
    assert_eq!(since(morning()).await, [complaint]);
    assert_eq!(since(morning() + TimeDelta::seconds(1)).await, []);

    let late = morning() + TimeDelta::hours(1);
    let join = async |notes| {
        store
            .join_stub(first.id, complaint, notes, late)
            .await
            .unwrap()
    };
    assert!(!join(2).await, "a note has come since");
    assert!(join(3).await);
    assert!(!join(3).await, "once");
    assert!(!store.add_stub_note(first.id, &third).await.unwrap());
    assert!(!store.hold_stub(first.id, expert).await.unwrap());
    assert!(!store.hold_stub(Uuid::now_v7(), expert).await.unwrap());
    let joined = store
        .stub(first.id, Reader::Program)
        .await
        .unwrap()
        .unwrap()
        .joined;
    assert_eq!(joined, Some((complaint, late)));
    assert_eq!(store.open_stubs().await.unwrap().len(), 1);
    assert_eq!(store.open_stub(&first).await.unwrap(), first.id);
    assert_eq!(store.open_stub(&second).await.unwrap(), second.id);
    assert_eq!(store.open_stubs().await.unwrap().len(), 2);
}

fn told(code: &str, note: &str) -> Value {
    json!({
        "code": code, "branch": "cq0101", "arrived_at": morning(), "grade": "two", "note": note,
        "key": Uuid::now_v7(),
    })
}

async fn stubs(expert: &Person) -> Vec<Value> {
    let stubs = expert.get("/api/phone-stubs").await;
    stubs.as_array().unwrap().clone()
}

/// The notes of a complaint.
async fn notes(expert: &Person, id: &str) -> Vec<String> {
    let view = expert.get(&format!("/api/complaints/{id}")).await;
    let timeline = view["timeline"].as_array().unwrap().iter();
    let notes = timeline
        .filter(|entry| entry["kind"] == "noted")
        .map(|entry| entry["fact"]["text"].as_str().unwrap().to_owned());
    notes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_joins_its_record_when_the_network_brings_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let (expert, second) = (hub.sign_in("expert").await, hub.sign_in("expert2").await);
    let at = morning();
    let (id, reference, events) =
        desk.pen
            .record(at, intake("多扣话费"), Grade::Two, Complexity::Complex);
    let packet = desk
        .pen
        .hand_off(id, &reference, at, intake("多扣话费"), Grade::Two);
    let code = PhoneCode::of(id).grouped();

    let typed = code.to_lowercase();
    let opened = expert
        .post("/api/phone-stubs", told(&typed, "客户很急"))
        .await;
    assert_eq!(opened["code"], code.as_str());
    assert_eq!(opened["due_at"], json!(at + TimeDelta::hours(1)));
    assert_eq!(opened["complaint"], Value::Null);
    let again = second.post("/api/phone-stubs", told(&code, "又来电")).await;
    assert_eq!(again["id"], opened["id"], "the second opens the first");
    let note = format!("/api/phone-stubs/{}/note", opened["id"].as_str().unwrap());
    expert.post(&note, json!({ "text": "补充" })).await;
    assert_eq!(stubs(&expert).await.len(), 1);

    // The ordinary lane alone says nothing of a handoff: it may still be settled.
    desk.hello().await;
    desk.batch(Lane::Ordinary, 1, events).await;
    let open = expert.post("/api/phone-stubs", told(&code, "")).await;
    assert_eq!(open["complaint"], Value::Null, "{open}");
    desk.batch(Lane::Urgent, 1, vec![packet]).await;
    eventually("it is joined", async || stubs(&expert).await.is_empty()).await;
    let held = hub
        .hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    let claim = held.into_complaint().claim.unwrap();
    assert_eq!(
        claim.expert,
        hub.staff("expert").await.id,
        "who opened it has it"
    );
    let written = notes(&expert, &id.to_string()).await;
    let marked = |text: &str| format!("[{code}] {text}");
    assert_eq!(written, ["客户很急", "又来电", "补充"].map(marked));

    let there = second
        .post("/api/phone-stubs", told(&code, "晚到的电话"))
        .await;
    assert_eq!(there["complaint"], json!(id), "led to the record");
    assert!(stubs(&expert).await.is_empty());
    assert_eq!(notes(&expert, &id.to_string()).await.len(), 4);
    let held = hub
        .hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(held.into_complaint().claim.unwrap().expert, claim.expert);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_joins_its_record_when_a_file_brings_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let expert = hub.sign_in("expert").await;
    let at = morning();
    let (id, reference, _) =
        desk.pen
            .record(at, intake("多扣话费"), Grade::Two, Complexity::Complex);
    let packet = desk
        .pen
        .hand_off(id, &reference, at, intake("多扣话费"), Grade::Two);
    let code = PhoneCode::of(id).to_string();
    expert
        .post("/api/phone-stubs", told(&code, "客户很急"))
        .await;

    let request = Request {
        v: VERSION,
        device: desk.enrolled.device,
        incarnation: 1,
        session: None,
        ask: Ask::Batch {
            lane: Lane::Urgent,
            first_n: 1,
            events: vec![packet],
            incarnation: None,
            rekeys: true,
            known: None,
        },
    };
    let batch = Signed::seal(&request, &desk.key).unwrap();
    let key = hub.hub.identity.key.public();
    let parcel = seal_events(&[batch], &key, &mut StdRng::seed_from_u64(1)).unwrap();
    suda_hub::bundle::import(hub.hub.store.as_ref(), &hub.clock.clock(), &parcel)
        .await
        .unwrap();
    eventually("it is joined", async || stubs(&expert).await.is_empty()).await;
    assert_eq!(notes(&expert, &id.to_string()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misheard_code_is_refused_and_one_that_never_comes_raises_an_alarm() {
    let hub = TestHub::start().await;
    let expert = hub.sign_in("expert").await;
    let code = PhoneCode::of(suda_domain::ComplaintId(Uuid::now_v7())).to_string();
    let mut misheard = code.clone().into_bytes();
    misheard[3] = if misheard[3] == b'A' { b'C' } else { b'A' };
    let misheard = String::from_utf8(misheard).unwrap();
    for (body, refusal) in [
        (told(&misheard, ""), "bad_phone_code"),
        (told("短", ""), "bad_phone_code"),
        (
            json!({"code": code, "branch": "XX99", "arrived_at": morning(), "grade": "two"}),
            "unknown_branch",
        ),
        (
            json!({"code": code, "branch": "CQ0101", "grade": "two",
                "arrived_at": morning() + TimeDelta::minutes(30)}),
            "malformed",
        ),
    ] {
        let (_, told) = expert.refused("/api/phone-stubs", body).await;
        assert_eq!(told, refusal);
    }
    assert!(stubs(&expert).await.is_empty(), "nothing of them is kept");

    expert
        .post("/api/phone-stubs", told(&code, "客户很急"))
        .await;
    hub.clock.advance(TimeDelta::minutes(59));
    assert_eq!(stubs(&expert).await[0]["alarm"], false);
    hub.clock.advance(TimeDelta::minutes(1));
    let waiting = stubs(&expert).await;
    assert_eq!(waiting[0]["alarm"], true, "{waiting:?}");
    let id = waiting[0]["id"].as_str().unwrap();
    let second = hub.sign_in("expert2").await;
    let taken = second
        .post(&format!("/api/phone-stubs/{id}/take"), json!({}))
        .await;
    assert_eq!(taken["held_by_name"], "姓名 expert2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_branch_is_put_right_and_what_has_no_record_is_closed_with_a_reason() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let expert = hub.sign_in("expert").await;
    let id = desk.hand_off(morning(), "多扣话费", Grade::Two).await;
    let code = PhoneCode::of(id).grouped();
    let mut wrong = told(&code, "客户很急");
    wrong["branch"] = json!("CQ0102");
    let opened = expert.post("/api/phone-stubs", wrong).await;
    assert_eq!(opened["complaint"], Value::Null, "not of that branch");
    let stub = opened["id"].as_str().unwrap().to_owned();
    let branch = format!("/api/phone-stubs/{stub}/branch");
    let (_, refusal) = expert.refused(&branch, json!({ "branch": "XX99" })).await;
    assert_eq!(refusal, "unknown_branch");
    for login in ["administrator", "management", "clerk", "department"] {
        let other = hub.sign_in(login).await;
        let (status, _) = other.refused(&branch, json!({ "branch": "CQ0101" })).await;
        assert_eq!(status, reqwest::StatusCode::FORBIDDEN, "{login}");
    }
    let moved = expert.post(&branch, json!({ "branch": "cq0101" })).await;
    assert_eq!(moved["complaint"], json!(id), "it has found its record");
    let written = notes(&expert, &id.to_string()).await;
    let marked = |text: &str| format!("[{code}] {text}");
    assert_eq!(written, ["客户很急", "CQ0102 → CQ0101"].map(marked));
    let (_, refusal) = expert.refused(&branch, json!({ "branch": "CQ0102" })).await;
    assert_eq!(refusal, "not_in_this_state");

    let never = PhoneCode::of(suda_domain::ComplaintId(Uuid::now_v7())).to_string();
    let opened = expert.post("/api/phone-stubs", told(&never, "")).await;
    let close = format!("/api/phone-stubs/{}/close", opened["id"].as_str().unwrap());
    let (_, refusal) = expert.refused(&close, json!({ "reason": " " })).await;
    assert_eq!(refusal, "required");
    hub.clock.advance(TimeDelta::hours(2));
    assert_eq!(stubs(&expert).await[0]["alarm"], true);
    let reason = json!({ "reason": "客户已撤回" });
    let closed = expert.post(&close, reason.clone()).await;
    assert_eq!(
        (&closed["alarm"], &closed["complaint"]),
        (&json!(false), &Value::Null)
    );
    assert!(closed["closed_at"].is_string(), "{closed}");
    let why = closed["notes"][0]["text"].as_str().unwrap();
    assert!(why.ends_with("客户已撤回"), "{why}");
    assert!(stubs(&expert).await.is_empty(), "it is over");
    let (_, refusal) = expert.refused(&close, reason).await;
    assert_eq!(refusal, "not_in_this_state");
}
