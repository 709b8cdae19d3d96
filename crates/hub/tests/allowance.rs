//! What the hub tells desks of how much it takes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use suda_domain::{Complexity, Grade, Lane};
use suda_sync::message::{Allowance, WIDE_BYTES, WIDE_EVENTS};
use support::{TestHub, intake, morning};

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_at_ease_lets_every_desk_send_whole_batches_at_once() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let whole = Allowance {
        events: WIDE_EVENTS as u32,
        bytes: WIDE_BYTES as u32,
        slot_ms: 0,
    };
    assert_eq!(desk.hello().await.allowance, Some(whole));
    let (id, reference, events) =
        desk.pen
            .record(morning(), intake("断网"), Grade::Two, Complexity::Complex);
    let ordinary = desk.batch(Lane::Ordinary, 1, events).await;
    assert_eq!(ordinary.allowance, Some(whole));
    let packet = desk
        .pen
        .hand_off(id, &reference, morning(), intake("断网"), Grade::Two);
    let urgent = desk.batch(Lane::Urgent, 1, vec![packet]).await;
    assert_eq!(urgent.allowance, None, "what was told holds on");
}
