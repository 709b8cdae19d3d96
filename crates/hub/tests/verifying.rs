//! The ledger's check beside a hub at work.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use direct::Desk;
use sqlx::{ConnectOptions as _, Connection as _};
use suda_domain::Grade;
use suda_hub::store::sqlite::SqliteStore;
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

/// Tables that stand beside the ledger, and a column of each that says much.
const BESIDE: [(&str, &str); 4] = [
    ("staff", "role"),
    ("branch", "name"),
    ("device", "public_key"),
    ("setting", "value"),
];

async fn opened(dir: &TempDir) -> sqlx::SqliteConnection {
    let file = dir.path().join("hub.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    options.connect().await.unwrap()
}

#[tokio::test]
async fn a_row_beside_the_ledger_that_changed_by_itself_is_named() {
    let dir = TempDir::new().unwrap();
    let store = initialised(dir.path()).await;
    let _desk = Desk::enrol(&store, "clerk", 1).await;
    assert_eq!(store.verify().await.unwrap().fault, None);
    store.close().await;
    drop(store);
    for (table, column) in BESIDE {
        let kept = std::fs::read(dir.path().join("hub.db")).unwrap();
        let mut conn = opened(&dir).await;
        // As a byte that changes on the disk: no trigger sees it.
        let sql = format!(
            "DROP TRIGGER {table}_copy_update; UPDATE {table} SET {column} = {column} || 'x' \
             WHERE rowid = (SELECT min(rowid) FROM {table})"
        );
        let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut conn)
            .await;
        assert_eq!(changed.unwrap().rows_affected(), 1, "{table}");
        conn.close().await.unwrap();
        let store = SqliteStore::open(dir.path(), false).await.unwrap();
        let fault = store.verify().await.unwrap().fault.unwrap();
        assert!(fault.row.starts_with(table), "{fault:?}");
        store.close().await;
        drop(store);
        std::fs::write(dir.path().join("hub.db"), kept).unwrap();
    }
}

/// A copy made by an earlier program has fewer columns than the table of a later one.
#[tokio::test]
async fn a_copy_that_lacks_a_column_is_made_anew() {
    let dir = TempDir::new().unwrap();
    let store = initialised(dir.path()).await;
    store.close().await;
    drop(store);
    let mut conn = opened(&dir).await;
    let sql = "ALTER TABLE branch ADD COLUMN later TEXT DEFAULT 'x'";
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    let fault = store.verify().await.unwrap().fault.unwrap();
    assert!(fault.reason.contains("as they were made"), "{fault:?}");
    store.close().await;
    drop(store);

    // As a program left it that did not know this version yet.
    let mut conn = opened(&dir).await;
    let sql = "UPDATE setting SET value = replace(value, '\"version\":\"', '\"version\":\"1') \
               WHERE name = 'schema'";
    let made = sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    assert_eq!(made.rows_affected(), 1);
    conn.close().await.unwrap();
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    assert_eq!(store.verify().await.unwrap().fault, None);
    store.close().await;
    let mut conn = opened(&dir).await;
    let sql = "SELECT count(*) FROM branch_copy WHERE later = 'x'";
    let kept: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
    assert!(kept > 0);
}

#[tokio::test]
async fn what_no_chain_covers_is_held_against_a_second_writing() {
    let dir = TempDir::new().unwrap();
    let store = initialised(dir.path()).await;
    let mut desk = Desk::enrol(&store, "clerk", 1).await;
    desk.queue(morning(), "宽带断网", Grade::Three).await;
    assert_eq!(store.verify().await.unwrap().fault, None);
    store.close().await;
    drop(store);
    let changes = [
        ("log", "received_at"),
        ("log", "received_again"),
        ("complaint", "updated_seq"),
    ];
    for (table, column) in changes {
        let mut conn = opened(&dir).await;
        for by in [1, -1] {
            let change = format!("UPDATE {table} SET {column} = {column} + {by}");
            let change = sqlx::AssertSqlSafe(change);
            sqlx::raw_sql(change).execute(&mut conn).await.unwrap();
            if by == 1 {
                let store = SqliteStore::open(dir.path(), false).await.unwrap();
                let fault = store.verify().await.unwrap().fault.unwrap();
                assert!(fault.row.starts_with(table), "{fault:?}");
                store.close().await;
            }
        }
        conn.close().await.unwrap();
    }
}
