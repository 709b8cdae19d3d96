//! Records set aside are somebody's by name: what both stores keep of that,
//! who is given which, how long one may wait quietly, and the way out when
//! what it waits for never comes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use direct::{Desk, member, step};
use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::{ComplaintId, Complexity, Fact, Grade, Lane, StaffId};
use suda_hub::queue::steps;
use suda_hub::set_aside::entrust_due;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::set_aside::{SetAsideCounts, WAITS_QUIETLY};
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Reader, Store};
use suda_sync::{SealedEvent, Verdict};
use suda_test_postgres::PrivatePostgres;
use support::{FakeDesk, Pen, Person, TestHub, eventually, fill, intake, morning};
use tempfile::TempDir;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_whose_they_are() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    fill(&store).await;
    keeps_whose_they_are(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_keeps_whose_they_are() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("set_aside").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    keeps_whose_they_are(&store).await;
}

fn noted() -> Fact {
    Fact::Noted {
        text: "已致电".into(),
    }
}

/// A note on a complaint nobody has recorded yet.
fn orphan(pen: &mut Pen, at: DateTime<Utc>) -> SealedEvent {
    let stranger = ComplaintId(Uuid::now_v7());
    pen.write(Lane::Ordinary, stranger, 1, at, noted())
}

/// What no clerk may do, about a complaint the hub has.
fn wrong(pen: &mut Pen, complaint: ComplaintId, at: DateTime<Utc>) -> SealedEvent {
    pen.write(Lane::Ordinary, complaint, 2, at, Fact::Closed)
}

/// The suite both stores have to pass.
async fn keeps_whose_they_are(store: &impl Store) {
    let expert = member(store, "expert").await.staff.unwrap();
    let other = member(store, "expert2").await.staff.unwrap();
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let complaint = desk.queue(morning(), "多扣话费", Grade::Two).await;
    let first = desk.pen.heads[1].0 + 1;
    let mut events: Vec<_> = (0..130).map(|_| orphan(&mut desk.pen, morning())).collect();
    events.extend((0..3).map(|_| wrong(&mut desk.pen, complaint, morning())));
    let verdicts = desk.send(Lane::Ordinary, first, events).await;
    let held = verdicts.iter().filter(|one| **one == Verdict::Held).count();
    assert_eq!((held, verdicts.len()), (130, 133));

    let later = morning() + WAITS_QUIETLY;
    let list = async |now, mine, after, limit| -> Vec<i64> {
        let found = store.quarantined(now, mine, after, limit, Reader::Program);
        found.await.unwrap().iter().map(|one| one.id).collect()
    };
    let wrong_ones = list(morning(), None, 0, 100).await;
    assert_eq!(wrong_ones.len(), 3, "those that wait quietly hide no other");
    assert_eq!(list(morning(), None, 0, 2).await, wrong_ones[..2]);
    assert_eq!(
        list(morning(), None, wrong_ones[1], 2).await,
        wrong_ones[2..]
    );
    let page = list(later, None, 0, 100).await;
    let rest = list(later, None, *page.last().unwrap(), 100).await;
    assert_eq!((page.len(), rest.len()), (100, 33));
    let counts = async |now| store.set_aside_counts(now).await.unwrap();
    let of = |waiting_long| SetAsideCounts {
        open: 133,
        waiting: 130,
        waiting_long,
    };
    assert_eq!(counts(morning()).await, of(0));
    assert_eq!(counts(later).await, of(130));

    let homeless = async |now, after, limit| -> Vec<i64> {
        let found = store.to_entrust(now, after, limit).await.unwrap();
        found.iter().map(|one| one.id).collect()
    };
    assert_eq!(homeless(morning(), 0, 100).await, wrong_ones);
    assert_eq!(homeless(later, page[99], 100).await, rest);
    let record = wrong_ones[0];
    // Two processes at once: one of them gives it away.
    let (one, two) = tokio::join!(
        store.entrust(record, None, Some(expert), later),
        store.entrust(record, None, Some(other), later)
    );
    assert!(one.unwrap() != two.unwrap());
    let read = async || store.quarantined_record(record, Reader::Program).await;
    let holder = read().await.unwrap().unwrap().holder.unwrap();
    let (has, has_not) = match holder.id == expert {
        true => (expert, other),
        false => (other, expert),
    };
    let named = store.staff_member(has).await.unwrap().unwrap().name;
    assert_eq!((holder.name, holder.since), (named, later));
    assert_eq!(store.entrusted().await.unwrap(), [(has, 1)]);
    assert_eq!(homeless(morning(), 0, 100).await, wrong_ones[1..]);
    assert_eq!(list(morning(), Some(has), 0, 9).await, wrong_ones);
    assert_eq!(list(morning(), Some(has_not), 0, 9).await, wrong_ones[1..]);

    // Who has gone, and who has come to be barred, holds it no longer.
    store.set_active(has, false).await.unwrap();
    assert_eq!(homeless(morning(), 0, 100).await, wrong_ones);
    store.set_active(has, true).await.unwrap();
    assert_eq!(homeless(morning(), 0, 100).await, wrong_ones[1..]);
    let by = member(store, "management").await;
    let about = Fact::Recused {
        staff: has,
        name: "姓名".into(),
        reason: "顾客投诉此人".into(),
    };
    let recuse = step(complaint, by, steps::plain(about));
    store.step(recuse).await.unwrap();
    assert_eq!(homeless(morning(), 0, 100).await, wrong_ones);
    assert!(
        !store
            .entrust(record, None, Some(has_not), later)
            .await
            .unwrap()
    );
    assert!(store.entrust(record, Some(has), None, later).await.unwrap());
    assert_eq!(read().await.unwrap().unwrap().holder, None);
    assert!(store.resolve(record, has_not, "x", later).await.unwrap());
    assert!(
        !store
            .entrust(record, None, Some(has_not), later)
            .await
            .unwrap()
    );

    // What waits is tried again, however many others stand before it.
    let ahead = Fact::KeptInBranch;
    let ahead = desk
        .pen
        .write(Lane::Ordinary, complaint, 9, morning(), ahead);
    let n = desk.pen.heads[1].0;
    assert_eq!(
        desk.send(Lane::Ordinary, n, vec![ahead]).await,
        [Verdict::Held]
    );
    assert_eq!(store.waited_for(None, 1).await.unwrap(), [complaint]);
    assert_eq!(store.waited_for(Some(complaint), 1).await.unwrap(), []);
    assert_eq!(store.verify().await.unwrap().fault, None);
}

async fn records(person: &Person) -> Vec<Value> {
    let page = person.get("/api/quarantine").await;
    page["records"].as_array().unwrap().clone()
}

/// A desk with a complaint at the hub, and `number` records of it set aside.
async fn with_wrong_ones(hub: &TestHub, number: usize) -> (FakeDesk, ComplaintId) {
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let at = hub.clock.now();
    let id = desk.hand_off(at, "多扣话费", Grade::Two).await;
    for _ in 0..number {
        let event = wrong(&mut desk.pen, id, at);
        let n = desk.pen.heads[1].0;
        let receipt = desk.batch(Lane::Ordinary, n, vec![event]).await;
        assert!(matches!(receipt.verdicts[0], Verdict::Quarantined { .. }));
    }
    (desk, id)
}

async fn id_of(hub: &TestHub, login: &str) -> StaffId {
    hub.staff(login).await.id
}

/// Whose the open records are, as this person is told.
async fn holders(person: &Person) -> Vec<String> {
    let records = records(person).await;
    let name = |row: &Value| row["holder"]["name"].as_str().unwrap_or("-").to_owned();
    records.iter().map(name).collect()
}

async fn until_held(person: &Person, expected: &[&str]) {
    let names: Vec<String> = expected.iter().map(|one| format!("姓名 {one}")).collect();
    eventually(&format!("the records are of {expected:?}"), || async {
        let mut now = holders(person).await;
        now.sort_unstable();
        now == names
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_is_somebodys_and_passes_on_when_they_may_not_have_it() {
    let hub = TestHub::start().await;
    let administrator = hub.sign_in("administrator").await;
    let (_desk, id) = with_wrong_ones(&hub, 4).await;
    until_held(&administrator, &["expert", "expert", "expert2", "expert2"]).await;

    // It is about one of them.
    let management = hub.sign_in("management").await;
    let about = json!({ "staff": id_of(&hub, "expert2").await, "reason": "顾客投诉此人" });
    let path = format!("/api/complaints/{id}/recuse");
    management.post(&path, about).await;
    until_held(&administrator, &["expert"; 4]).await;
    let barred = hub.sign_in("expert2").await;
    assert_eq!(records(&barred).await.len(), 0);

    // The last who may have them goes: an administrator's, until that one goes.
    let set_active = async |login: &str, active: bool| {
        let path = format!("/api/admin/staff/{}/active", id_of(&hub, login).await);
        let body = json!({ "active": active });
        administrator.post(&path, body).await
    };
    set_active("expert", false).await;
    until_held(&administrator, &["administrator"; 4]).await;
    set_active("expert", true).await;
    let (first, second) = tokio::join!(entrust_due(&hub.hub), entrust_due(&hub.hub));
    assert_eq!(
        first.unwrap() + second.unwrap(),
        0,
        "they stay where they are"
    );

    // It can be handed to another, never to who is barred.
    let expert = hub.sign_in("expert").await;
    let record = records(&expert).await[0]["id"].clone();
    let choices = expert
        .get(&format!("/api/quarantine/{record}/holders"))
        .await;
    let logins: Vec<_> = choices
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(logins, ["姓名 expert", "姓名 administrator"]);
    let path = format!("/api/quarantine/{record}/entrust");
    let to = async |login: &str| json!({ "to": id_of(&hub, login).await });
    for unsuitable in ["expert2", "management", "clerk"] {
        let (_, code) = expert.refused(&path, to(unsuitable).await).await;
        assert_eq!(code, "outdated", "{unsuitable}");
    }
    expert.post(&path, to("expert").await).await;
    let names = ["administrator", "administrator", "administrator", "expert"];
    until_held(&expert, &names).await;
    let mine = expert.get("/api/quarantine?mine=true").await;
    assert_eq!(mine["records"].as_array().unwrap().len(), 1);
    let path = format!("/api/quarantine/{record}/entrust");
    let (status, _) = barred.refused(&path, to("expert").await).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    hub.stop().await;
}

/// Reads the stream until it names this kind of news.
async fn heard<B: AsRef<[u8]>>(
    stream: &mut (impl futures::Stream<Item = reqwest::Result<B>> + Unpin),
    kind: &str,
) {
    let read = async {
        let mut heard = String::new();
        while !heard.contains(&format!("event: {kind}")) {
            let bytes = stream.next().await.unwrap().unwrap();
            heard.push_str(&String::from_utf8_lossy(bytes.as_ref()));
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), read).await;
    assert!(in_time.is_ok(), "{kind} was not told");
}

async fn gauge(hub: &TestHub, name: &str) -> u64 {
    let page = hub.client.get(hub.url("/metrics")).send().await.unwrap();
    let page = page.text().await.unwrap();
    let mut lines = page.lines().filter_map(|line| line.strip_prefix(name));
    lines.find_map(|rest| rest.trim().parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_minutes_of_waiting_somebody_is_told_without_asking_again() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    let expert = hub.sign_in("expert").await;
    let at = hub.clock.now();
    let (_, _, begun) = desk
        .pen
        .record(at, intake("断网"), Grade::Three, Complexity::Simple);
    let event = orphan(&mut desk.pen, at);
    let stranger = event.open().unwrap().complaint;
    let mut events = begun;
    events.push(event);
    let receipt = desk.batch(Lane::Ordinary, 1, events).await;
    assert_eq!(receipt.verdicts[2], Verdict::Held);
    hub.clock.advance(WAITS_QUIETLY - TimeDelta::seconds(1));
    assert_eq!(entrust_due(&hub.hub).await.unwrap(), 0);
    assert_eq!(records(&expert).await.len(), 0);
    let gauges = async || {
        let names = ["open ", "waiting ", "waiting_long "];
        let mut all = Vec::new();
        for name in names {
            all.push(gauge(&hub, &format!("suda_quarantine_{name}")).await);
        }
        all
    };
    assert_eq!(gauges().await, [1, 1, 0]);

    let mut stream = expert.live().await.bytes_stream();
    heard(&mut stream, "ready").await;
    hub.clock.advance(TimeDelta::seconds(1));
    heard(&mut stream, "quarantine").await;
    until_held(&expert, &["expert"]).await;
    let row = records(&expert).await.remove(0);
    assert_eq!(
        (&row["waits"], &row["is_known"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(gauges().await, [1, 1, 1]);

    // What it waited for arrives after all, from another desk: it leaves the
    // list by itself, and that is told too.
    let mut late = hub.enrol("CQ0101", "branch_manager").await;
    late.hello().await;
    let (_, _, events) = late
        .pen
        .record(at, intake("断网"), Grade::Three, Complexity::Simple);
    let mut pen = Pen::new(late.pen.device, late.pen.actor.clone(), &late.pen.letter);
    let events: Vec<_> = events
        .iter()
        .map(|sealed| {
            let event = sealed.open().unwrap();
            pen.write(Lane::Ordinary, stranger, event.owner_no, at, event.fact)
        })
        .collect();
    let receipt = late.batch(Lane::Ordinary, 1, events).await;
    assert_eq!(receipt.verdicts, [Verdict::Applied, Verdict::Applied]);
    heard(&mut stream, "quarantine").await;
    assert_eq!(records(&expert).await.len(), 0);
    assert_eq!(gauges().await, [0, 0, 0]);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_wait_hide_no_other_and_the_pages_miss_none() {
    let hub = TestHub::start().await;
    let (mut desk, id) = with_wrong_ones(&hub, 0).await;
    let at = hub.clock.now();
    for _ in 0..2 {
        let first = desk.pen.heads[1].0 + 1;
        let events = (0..60).map(|_| orphan(&mut desk.pen, at)).collect();
        desk.batch(Lane::Ordinary, first, events).await;
    }
    let n = desk.pen.heads[1].0 + 1;
    let event = wrong(&mut desk.pen, id, at);
    desk.batch(Lane::Ordinary, n, vec![event]).await;
    let expert = hub.sign_in("expert").await;
    let page = expert.get("/api/quarantine").await;
    assert_eq!(page["records"].as_array().unwrap().len(), 1);
    assert_eq!(page["more"], false);
    hub.clock.advance(WAITS_QUIETLY);
    let page = expert.get("/api/quarantine").await;
    let rows = page["records"].as_array().unwrap();
    assert_eq!((rows.len(), &page["more"]), (100, &json!(true)));
    let path = format!("/api/quarantine?after={}", rows[99]["id"]);
    let page = expert.get(&path).await;
    let rows = page["records"].as_array().unwrap();
    assert_eq!((rows.len(), &page["more"]), (21, &json!(false)));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_on_an_unknown_complaint_goes_to_the_one_it_is_said_to_belong_to() {
    let hub = TestHub::start().await;
    let (mut desk, id) = with_wrong_ones(&hub, 0).await;
    let at = hub.clock.now();
    let n = desk.pen.heads[1].0 + 1;
    let event = orphan(&mut desk.pen, at);
    desk.batch(Lane::Ordinary, n, vec![event]).await;
    hub.clock.advance(WAITS_QUIETLY);
    let expert = hub.sign_in("expert").await;
    let record = records(&expert).await.remove(0);
    let path = format!("/api/quarantine/{}/resolve", record["id"]);
    let note = |reference: Value| json!({ "action": "note", "text": "已致电客户", "reference": reference });
    let refused = async |body: Value| {
        let (status, answer) = expert.ask(Method::POST, &path, Some(body)).await;
        (
            status.as_u16(),
            answer["code"].clone(),
            answer["field"].clone(),
        )
    };
    let field = json!("reference");
    assert_eq!(
        refused(note(json!(null))).await,
        (422, json!("required"), field.clone())
    );
    assert_eq!(
        refused(note(json!("CQ0101-260721-A-0042-7K"))).await,
        (404, json!("not_found"), field)
    );
    let case = expert.get(&format!("/api/complaints/{id}")).await;
    expert.post(&path, note(case["reference"].clone())).await;
    assert_eq!(records(&expert).await.len(), 0);
    let case = expert.get(&format!("/api/complaints/{id}")).await;
    let events = case["timeline"].as_array().unwrap().iter();
    let notes = events.filter(|event| event["fact"]["text"] == "已致电客户");
    assert_eq!(notes.count(), 1, "{case}");
    hub.stop().await;
}
