//! Rows that an older program has made otherwise are made anew from the ledger
//! when the store is opened, on both stores.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use direct::Desk;
use sqlx::{Connection as _, Executor as _};
use suda_domain::Grade;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Directory as _, Reader, Store, Upkeep as _, View};
use suda_test_postgres::PrivatePostgres;
use support::{fill, morning};
use tempfile::TempDir;

/// As a program left them that counted otherwise and knew less of a complaint:
/// another deadline, another place in the queue, and no list of its pauses.
const OLDER_SQLITE: &str = "UPDATE complaint SET due = due + 3600000, rank = 4, \
     body = json_remove(body, '$.pauses')";
const OLDER_POSTGRES: &str = "UPDATE complaint SET due = due + 3600000, rank = 4, \
     body = (body::jsonb - 'pauses')::text";
const NOT_YET_DERIVED: &str = "DELETE FROM setting WHERE name = 'derived'";

async fn begun(store: &impl Store) {
    fill(store).await;
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    desk.queue(morning(), "光猫无法联网", Grade::Two).await;
    desk.queue(morning(), "电缆伤人", Grade::One).await;
    assert_eq!(store.verify().await.unwrap().fault, None);
}

async fn is_whole(store: &impl Store, directory: u32) {
    let verified = store.verify().await.unwrap();
    assert_eq!((verified.fault, verified.complaints), (None, 2));
    let queue = store
        .work_orders(View::Queue, None, 9, Reader::Program)
        .await
        .unwrap();
    assert_eq!(
        queue.first().unwrap().complaint.grade,
        Some(Grade::One),
        "by grade again"
    );
    let now = store.settings().await.unwrap().directory;
    assert_eq!(now, directory + 1, "desks count anew as well");
}

#[tokio::test]
async fn the_embedded_store_makes_older_rows_anew() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    begun(&store).await;
    let directory = store.settings().await.unwrap().directory;
    store.close().await;
    drop(store);
    let change = async |sql: &'static str| {
        let file = suda_sqlite::options().filename(dir.path().join("hub.db"));
        let mut conn = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
        conn.execute(sql).await.unwrap();
        conn.close().await.unwrap();
    };
    change(OLDER_SQLITE).await;
    let same = SqliteStore::open(dir.path(), false).await.unwrap();
    let fault = same.verify().await.unwrap().fault.unwrap();
    assert!(fault.reason.contains("columns"), "the control: {fault:?}");
    same.close().await;
    drop(same);
    change(NOT_YET_DERIVED).await;
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    is_whole(&store, directory).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_makes_older_rows_anew() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("derived").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    begun(&store).await;
    let directory = store.settings().await.unwrap().directory;
    store.close().await;
    let change = async |sql: &'static str| {
        let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
        conn.execute(sql).await.unwrap();
        conn.close().await.unwrap();
    };
    change(OLDER_POSTGRES).await;
    let same = PostgresStore::open(&url).await.unwrap();
    let fault = same.verify().await.unwrap().fault.unwrap();
    assert!(fault.reason.contains("columns"), "the control: {fault:?}");
    same.close().await;
    change(NOT_YET_DERIVED).await;
    let store = PostgresStore::open(&url).await.unwrap();
    is_whole(&store, directory).await;
    store.close().await;
}
