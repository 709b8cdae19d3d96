//! What a mailbox tells its branch of an event, and tells again.

use suda_domain::{Actor, Fact, Lane, Origin, Role, Stamp};
use uuid::Uuid;

use super::*;
use crate::key::KeySource;
use crate::store::ledger::NewEvent;
use crate::store::{Store, hub_order, lan};

const WRITER: u128 = 1;
const ASKER: DeviceId = DeviceId(Uuid::from_u128(2));

fn key(n: u64) -> EventKey {
    EventKey {
        device: DeviceId(Uuid::from_u128(WRITER)),
        incarnation: 1,
        lane: Lane::Ordinary,
        n,
    }
}

fn noted(n: u64) -> NewEvent {
    let event = LedgerEvent {
        key: key(n),
        complaint: ComplaintId(Uuid::from_u128(9)),
        owner_no: 1,
        at: Stamp {
            wall: chrono::DateTime::from_timestamp(0, 0).unwrap(),
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor: Actor {
            staff: None,
            name: String::new(),
            role: Role::Clerk,
            branch: None,
        },
        fact: Fact::Noted {
            text: n.to_string(),
        },
        origin: None,
    };
    NewEvent {
        key: event.key,
        complaint: event.complaint,
        at_ms: 0,
        sealed: SealedEvent::seal(&event, Hash::START).unwrap(),
        own: false,
        hub_seq: None,
    }
}

/// A store with one event of another desk of the branch.
async fn store(dir: &std::path::Path, is_mailbox: bool) -> Store {
    let secret = KeySource::File(dir.join("key"));
    let secret = secret.load_or_create(Uuid::nil()).await.unwrap();
    let store = Store::open(&dir.join("suda.db"), &secret).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let address = is_mailbox.then_some("127.0.0.1:1");
    lan::set_listen(tx.conn(), address).await.unwrap();
    tx.append(&[noted(1)]).await.unwrap();
    tx.commit().await.unwrap();
    store
}

async fn told(store: &Store, after: Option<Mark>) -> (Vec<Option<u64>>, Option<Mark>) {
    let mut conn = store.read().await.unwrap();
    let log = log_after(&mut conn, ASKER, after).await.unwrap();
    assert!(!log.anew);
    let places = log.entries.iter().map(|entry| entry.hub).collect();
    (places, log.mark)
}

async fn place_at(store: &Store, seq: Option<u64>) {
    let mut tx = store.begin().await.unwrap();
    hub_order::set_place(tx.conn(), key(1), seq).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_event_that_the_hub_has_placed_since_is_told_again_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), true).await;
    let (first, mark) = told(&store, None).await;
    assert_eq!(first, [None]);
    assert_eq!(told(&store, mark).await, (vec![], mark), "nothing new");

    place_at(&store, Some(9)).await;
    let (again, later) = told(&store, mark).await;
    assert_eq!(again, [Some(9)]);
    assert_eq!(told(&store, later).await, (vec![], later), "nothing new");
    // Who begins now hears it once.
    assert_eq!(told(&store, None).await, (vec![Some(9)], later));
}

#[tokio::test]
async fn an_event_that_the_hub_had_forgotten_is_told_again_when_it_is_brought_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), true).await;
    let (_, mark) = told(&store, None).await;
    place_at(&store, None).await;
    let (forgotten, mark) = told(&store, mark).await;
    assert_eq!(forgotten, []);

    let mut tx = store.begin().await.unwrap();
    revive(tx.conn(), key(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(told(&store, mark).await.0, [None]);
}

#[tokio::test]
async fn a_desk_that_is_no_mailbox_notes_nothing_to_tell() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), false).await;
    place_at(&store, Some(9)).await;
    let mut conn = store.read().await.unwrap();
    let noted: i64 = sqlx::query_scalar("select count(*) from lan_again")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(noted, 0);
}

#[tokio::test]
async fn an_event_that_gives_way_names_the_complaint_that_has_lost_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), true).await;
    let mut tx = store.begin().await.unwrap();
    let was = hub_order::drop_other(tx.conn(), key(1)).await.unwrap();
    assert_eq!(was, Some(noted(1).complaint));
    let nothing = hub_order::drop_other(tx.conn(), key(1)).await.unwrap();
    assert_eq!(nothing, None);
}

/// Event 1 as its desk wrote it again, in its second incarnation.
fn written_again() -> NewEvent {
    let first = noted(1);
    let mut event = first.sealed.open().unwrap();
    event.key.incarnation = 2;
    event.origin = Some(Origin {
        key: first.key,
        hash: first.sealed.hash.to_string(),
    });
    NewEvent {
        key: event.key,
        sealed: SealedEvent::seal(&event, Hash::START).unwrap(),
        own: true,
        ..first
    }
}

#[tokio::test]
async fn what_the_hub_has_under_its_first_number_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), true).await;
    let (first, again) = (noted(1), written_again());
    let mut tx = store.begin().await.unwrap();
    tx.append(std::slice::from_ref(&again)).await.unwrap();
    let first_event = first.sealed.open().unwrap();
    let again_event = again.sealed.open().unwrap();
    assert!(!is_placed_otherwise(tx.conn(), &again_event).await.unwrap());
    let later = renamed(tx.conn(), &first_event, first.sealed.hash).await;
    assert_eq!(later.unwrap(), [again.key]);
    let other = hub_order::first_name_holds(tx.conn(), &first_event, Hash::START).await;
    assert!(!other.unwrap(), "of another text under the same number");

    hub_order::set_place(tx.conn(), first.key, Some(9))
        .await
        .unwrap();
    let holds = hub_order::first_name_holds(tx.conn(), &first_event, first.sealed.hash).await;
    assert!(holds.unwrap());
    let here = hub_order::here(tx.conn(), again.key).await.unwrap();
    assert_eq!(here.unwrap().hub_seq, Some(-1));
    assert!(is_placed_otherwise(tx.conn(), &again_event).await.unwrap());
    let told_once = hub_order::first_name_holds(tx.conn(), &first_event, first.sealed.hash).await;
    assert!(!told_once.unwrap());
}

/// A copy of the database gave it a number too, and the hub has placed that one.
#[tokio::test]
async fn what_the_hub_has_under_a_copys_number_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), true).await;
    let again = written_again();
    let mut of_copy = again.sealed.open().unwrap();
    of_copy.key.incarnation = 3;
    let of_copy = NewEvent {
        key: of_copy.key,
        sealed: SealedEvent::seal(&of_copy, Hash::START).unwrap(),
        own: false,
        ..noted(1)
    };
    let mut tx = store.begin().await.unwrap();
    tx.append(&[again.clone(), of_copy.clone()]).await.unwrap();
    let again = again.sealed.open().unwrap();
    assert!(!is_placed_otherwise(tx.conn(), &again).await.unwrap());
    hub_order::set_place(tx.conn(), of_copy.key, Some(9))
        .await
        .unwrap();
    assert!(is_placed_otherwise(tx.conn(), &again).await.unwrap());
    let of_copy = of_copy.sealed.open().unwrap();
    assert!(
        !is_placed_otherwise(tx.conn(), &of_copy).await.unwrap(),
        "its own place is no other"
    );
}
