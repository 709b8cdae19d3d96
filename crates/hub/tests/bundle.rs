//! Parcels at the hub that the programs never write: signed by somebody else,
//! sealed by a desk that asks for more than a bundle may.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use suda_domain::{Complexity, Grade, Lane};
use suda_hub::bundle::{ImportError, import};
use suda_sync::bundle::{OpenError, seal_events};
use suda_sync::message::VERSION;
use suda_sync::{Ask, Position, Request, SealedEvent, SecretKey, Signed};
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
