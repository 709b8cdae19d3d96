//! Parcels at the hub that the programs never write: signed by somebody else,
//! sealed by a desk that asks for more than a bundle may.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use suda_domain::{Complexity, Grade, Lane};
use suda_hub::bundle::{ImportError, import};
use suda_sync::bundle::{OpenError, Word, seal_events, words_to};
use suda_sync::message::{Refused, VERSION};
use suda_sync::{Ask, Position, Reply, Request, SealedEvent, SecretKey, Signed};
use support::{FakeDesk, TestHub, intake, morning};

fn request(desk: &FakeDesk, ask: Ask) -> Request {
    Request {
        v: VERSION,
        device: desk.enrolled.device,
        incarnation: 1,
        session: None,
        ask,
    }
}

fn batch(desk: &FakeDesk, events: Vec<SealedEvent>) -> Request {
    let (lane, first_n) = (Lane::Ordinary, 1);
    request(
        desk,
        Ask::Batch {
            lane,
            first_n,
            events,
            incarnation: None,
            rekeys: true,
            known: None,
        },
    )
}

fn sealed(hub: &TestHub, requests: &[(&Request, &SecretKey)]) -> Vec<u8> {
    let messages: Vec<_> = requests
        .iter()
        .map(|(request, key)| Signed::seal(request, key).unwrap())
        .collect();
    let key = hub.hub.identity.key.public();
    seal_events(&messages, &key, &mut StdRng::seed_from_u64(1)).unwrap()
}

async fn taken(hub: &TestHub, parcel: &[u8]) -> Result<u64, ImportError> {
    let done = import(hub.hub.store.as_ref(), &hub.clock.clock(), parcel).await;
    done.map(|(report, _)| report.applied)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_batch_keeps_the_whole_bundle_out() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let other = hub.enrol("CQ0101", "clerk").await;
    let (_, _, events) = desk.pen.record(
        morning(),
        intake("多扣话费"),
        Grade::Three,
        Complexity::Simple,
    );
    let good = batch(&desk, events.clone());
    let hello = request(&desk, Ask::Hello(Position::default()));
    let foreign = batch(&other, events.clone());
    let newer = Request {
        v: VERSION + 1,
        ..good.clone()
    };
    let cases = [
        ("signed by another desk", &good, &other.key, 18),
        ("of another desk", &foreign, &other.key, 18),
        ("no batch", &hello, &desk.key, 16),
        ("empty", &batch(&desk, Vec::new()), &desk.key, 16),
        ("of a newer version", &newer, &desk.key, 14),
    ];
    for (what, bad, key, code) in cases {
        let parcel = sealed(&hub, &[(&good, &desk.key), (bad, key)]);
        let refused = taken(&hub, &parcel).await.unwrap_err();
        assert_eq!(refused.exit_code(), code, "{what}: {refused}");
        assert_eq!(hub.hub.store.counts().await.unwrap().events, 0, "{what}");
    }
    let nothing = taken(&hub, &sealed(&hub, &[])).await.unwrap_err();
    assert!(matches!(nothing, ImportError::Open(OpenError::Unreadable)));
    let parcel = sealed(&hub, &[(&good, &desk.key)]);
    assert_eq!(taken(&hub, &parcel).await.unwrap(), 2, "the control");
}

/// The judgement is the network's: what the rules set aside there is set aside
/// here, and those behind it are taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_in_a_bundle_is_set_aside_as_on_the_network() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let stranger = hub.enrol("CQ0102", "clerk2").await.pen;
    desk.pen.actor = stranger.actor;
    let (_, _, events) = desk.pen.record(
        morning(),
        intake("多扣话费"),
        Grade::Three,
        Complexity::Simple,
    );
    let parcel = sealed(&hub, &[(&batch(&desk, events), &desk.key)]);
    assert_eq!(taken(&hub, &parcel).await.unwrap(), 0);
    let counts = hub.hub.store.counts().await.unwrap();
    assert_eq!((counts.quarantined, counts.complaints()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_brings_what_its_own_branch_has_and_nothing_of_another() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let (_, _, events) = desk.pen.record(
        morning(),
        intake("多扣话费"),
        Grade::Three,
        Complexity::Simple,
    );
    let parcel = STANDARD.encode(sealed(&hub, &[(&batch(&desk, events), &desk.key)]));
    let forward = || Ask::Forward {
        parcel: parcel.clone(),
    };

    let foreign = hub.enrol("CQ0102", "clerk2").await;
    foreign.hello().await;
    let answer = foreign.ask(forward()).await;
    assert!(matches!(answer, Reply::Refused(Refused::NotTaken)));
    assert_eq!(hub.hub.store.counts().await.unwrap().events, 0);

    let mailbox = hub.enrol("CQ0101", "clerk").await;
    mailbox.hello().await;
    for _ in 0..2 {
        let answer = mailbox.ask(forward()).await;
        assert!(matches!(answer, Reply::Forwarded { .. }));
        assert_eq!(hub.hub.store.counts().await.unwrap().events, 2, "once");
    }
}

/// What a copy of the desk's database wrote under the same numbers, no standing
/// in the hub's words confirms.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_for_a_bundle_say_by_their_hashes_whose_events_the_hub_has() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut record = |text| {
        let (at, grade) = (morning(), Grade::Three);
        let (_, _, events) = desk.pen.record(at, intake(text), grade, Complexity::Simple);
        events
    };
    let first = record("多扣话费");
    let second = record("宽带断网");
    let hashes = [&first, &second].map(|events| events.last().unwrap().hash);
    let (lane, first_n) = (Lane::Ordinary, 3);
    let behind = request(
        &desk,
        Ask::Batch {
            lane,
            first_n,
            events: second,
            incarnation: None,
            rekeys: true,
            known: None,
        },
    );
    let both = [(&batch(&desk, first), &desk.key), (&behind, &desk.key)];
    let parcel = sealed(&hub, &both);
    let done = import(hub.hub.store.as_ref(), &hub.clock.clock(), &parcel).await;
    let (_, receipts) = done.unwrap();
    let to = (desk.enrolled.device, &desk.key.public());
    let words = words_to(to, &hub.hub.identity.key.public(), &receipts).unwrap();
    let standings = words.iter().filter_map(|(_, word)| match word {
        Word::Standing(standing) => standing.lanes.first().map(|lane| (lane.n, lane.hash)),
        _ => None,
    });
    let told: Vec<_> = standings.collect();
    assert_eq!(told, [(2, hashes[0]), (4, hashes[1]), (4, hashes[1])]);
}
