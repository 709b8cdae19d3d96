//! The ledger's check beside a hub at work.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use direct::Desk;
use suda_domain::Grade;
use suda_hub::store::{Lists as _, Upkeep as _};
use support::{initialised, morning};
use tempfile::TempDir;

/// A reading connection that has looked at the text index before must not take
/// its own memory of it for the index: whole data would be called damaged.
#[tokio::test]
async fn the_check_finds_whole_data_whole_however_often_and_whatever_is_indexed_meanwhile() {
    let dir = TempDir::new().unwrap();
    let store = initialised(dir.path()).await;
    let mut desk = Desk::enrol(&store, "clerk", 1).await;
    for n in 0..40 {
        desk.queue(
            morning(),
            &format!("宽带第{n}次断网，网络太慢"),
            Grade::Three,
        )
        .await;
        let (indexed, verified) = tokio::join!(store.index_texts(100), store.verify());
        indexed.unwrap();
        let fault = verified.unwrap().fault;
        assert!(fault.is_none(), "after {n} groups: {fault:?}");
        let fault = store.verify().await.unwrap().fault;
        assert!(fault.is_none(), "after {n} groups: {fault:?}");
    }
}
