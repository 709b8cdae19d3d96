//! How desk and hub speak: packed questions, and comparing the log.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::StatusCode;
use suda_domain::{Complexity, Grade, Lane};
use suda_sync::compare::LogSum;
use suda_sync::{Ask, Reply, Signed};
use support::{TestHub, intake, morning};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_batch_is_taken_as_a_plain_one_and_the_hub_says_that_it_can() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    let (_, _, events) =
        desk.pen
            .record(morning(), intake("断网"), Grade::Two, Complexity::Complex);
    let count = events.len() as u64;
    let batch = desk.signed(Ask::Batch {
        lane: Lane::Ordinary,
        first_n: 1,
        events,
        incarnation: None,
        rekeys: true,
        known: None,
    });
    let answer = hub
        .client
        .post(hub.url("/v1/sync"))
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(packed(&serde_json::to_vec(&batch).unwrap()))
        .send()
        .await
        .unwrap();
    let told = answer.headers().get("accept-encoding").unwrap();
    assert_eq!(told, "gzip");
    let answer: Signed = answer.json().await.unwrap();
    let Reply::Receipt(receipt) = answer.open(&desk.enrolled.hub_key).unwrap() else {
        panic!("no receipt");
    };
    assert_eq!(receipt.watermarks[1], count);
    hub.stop().await;
}

/// A few kilobytes on the line, sixteen megabytes in the memory.
#[tokio::test(flavor = "multi_thread")]
async fn what_unfolds_without_end_is_refused_before_it_fills_the_memory() {
    let hub = TestHub::start().await;
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let letters = vec![b'a'; 1 << 20];
    for _ in 0..16 {
        packer.write_all(&letters).unwrap();
    }
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < 256 * 1024);
    let answer = hub
        .client
        .post(hub.url("/v1/sync"))
        .header("content-encoding", "gzip")
        .body(bomb)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_added_up_between_any_two_places_as_the_branch_is_told_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    for n in 0..4 {
        let text = format!("断网{n}天");
        desk.hand_off(hub.clock.now(), &text, Grade::Two).await;
        other.hand_off(hub.clock.now(), &text, Grade::Two).await;
    }
    let entries = desk.pull_all().await;
    let last = entries.last().unwrap().seq;
    for (after, upto) in [(0, last), (3, 11), (0, 0), (last, last + 5), (0, u64::MAX)] {
        let told = desk.compare(after, upto).await;
        let mut sum = LogSum::default();
        for entry in &entries {
            if after < entry.seq && entry.seq <= upto {
                sum.add(entry.seq, entry.event.hash);
            }
        }
        assert_eq!((told.after, told.upto, told.sum), (after, upto, sum));
    }
    hub.stop().await;
}
