//! What spares desks a signed page: a receipt that says there is nothing else,
//! and short questions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use suda_domain::{Complexity, Grade, Lane};
use suda_sync::message::{Known, Level, Placed};
use suda_sync::{Ask, Receipt, Reply};

use support::{FakeDesk, TestHub, intake};

const NEWS: u16 = 200;
const NONE: u16 = 204;
const REFUSED: u16 = 403;
const PATIENCE: Duration = Duration::from_secs(5);

async fn directory(hub: &TestHub) -> u32 {
    hub.hub.store.settings().await.unwrap().directory
}

/// Sends a complaint with what the desk knows.
async fn send(desk: &mut FakeDesk, hub: &TestHub, known: (u64, u32)) -> Receipt {
    let now = hub.clock.now();
    let first_n = desk.pen.heads[1].0 + 1;
    let of = intake("上网慢");
    let (_, _, events) = desk.pen.record(now, of, Grade::Three, Complexity::Simple);
    let ask = Ask::Batch {
        lane: Lane::Ordinary,
        first_n,
        events,
        incarnation: None,
        rekeys: true,
        known: Some(Known {
            cursor: known.0,
            directory: known.1,
            own: [0, first_n + 1, 0, 0],
        }),
    };
    match desk.ask(ask).await {
        Reply::Receipt(receipt) => receipt,
        other => panic!("no receipt: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_that_a_desk_is_level_only_when_it_is() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    other.hello().await;
    let directory = directory(&hub).await;
    let known = |cursor| (cursor, directory);

    let level = send(&mut desk, &hub, known(0)).await.level;
    let runs = |seq| {
        let run = Placed {
            lane: Lane::Ordinary,
            first_n: seq,
            first_seq: seq,
            count: 2,
        };
        vec![run]
    };
    let first = Level {
        cursor: 2,
        placed: runs(1),
    };
    assert_eq!(level, Some(first));
    let level = send(&mut desk, &hub, known(2)).await.level;
    let second = Level {
        cursor: 4,
        placed: runs(3),
    };
    assert_eq!(level, Some(second));

    let of_other = send(&mut other, &hub, known(0)).await;
    assert_eq!(of_other.level, None, "the first desk's events are for it");
    let behind = send(&mut desk, &hub, known(4)).await;
    assert_eq!(behind.level, None, "the other desk's events are for it");
    let old = (behind.watermarks[1] + 10, directory + 1);
    let of_old = send(&mut desk, &hub, old).await;
    assert_eq!(of_old.level, None, "another directory is for it");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_question_tells_of_news_and_nobody_else_is_told_anything() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0101", "clerk").await;
    let directory = directory(&hub).await;
    let known = |cursor| (cursor, directory);
    for question in ["look", "watch"] {
        let status = desk.short(question, known(0)).await;
        assert_eq!(status, REFUSED, "{question} before any hello");
    }
    desk.hello().await;
    other.hello().await;
    assert_eq!(desk.short("look", known(0)).await, NONE);
    assert_eq!(desk.short("look", (0, directory + 1)).await, NEWS);
    send(&mut desk, &hub, known(0)).await;
    assert_eq!(desk.short("look", known(0)).await, NEWS);
    assert_eq!(desk.short("look", known(2)).await, NONE);

    // What the desk wrote itself ends no watch; what another writes does.
    let watch = desk.short("watch", known(0));
    let waited = tokio::time::timeout(Duration::from_millis(500), watch).await;
    assert!(waited.is_err(), "answered {waited:?}");
    let act = send(&mut other, &hub, known(0));
    let watch = desk.short("watch", known(0));
    let both = async { tokio::join!(watch, act) };
    let (status, _) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!(status, NEWS);
    hub.stop().await;
}
