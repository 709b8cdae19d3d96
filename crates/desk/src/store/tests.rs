//! The store's own promises: who may write, and what a full disk does.

use suda_domain::{ComplaintId, StaffId};
use uuid::Uuid;

use super::*;
use crate::key::KeySource;

const OPENED: drafts::Opened = drafts::Opened {
    at_ms: 0,
    stretch: None,
};

async fn store(dir: &Path) -> Store {
    let key = KeySource::File(dir.join("key"))
        .load_or_create(Uuid::nil())
        .await
        .unwrap();
    Store::open(&dir.join("suda.db"), &key).await.unwrap()
}

async fn keep_draft(store: &Store, body: String) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let (id, staff) = (ComplaintId(Uuid::new_v4()), StaffId(Uuid::nil()));
    drafts::save(tx.conn(), id, staff, OPENED, body).await?;
    tx.commit().await
}

async fn count(store: &Store) -> usize {
    let mut conn = store.read().await.unwrap();
    drafts::of_staff(&mut conn, StaffId(Uuid::nil()))
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_reader_can_neither_write_nor_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    keep_draft(&store, "x".repeat(100_000)).await.unwrap();
    let log = dir.path().join("suda.db-wal");
    let database = dir.path().join("suda.db");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let (log_before, database_before) = (size(&log), std::fs::read(&database).unwrap());
    assert!(log_before > 100_000);

    let mut reader = store.read().await.unwrap();
    for sql in [
        "delete from draft",
        "insert into lane_ack values (9, 1, 1)",
        "create table t (a)",
    ] {
        let refused = sqlx::query(sql).execute(&mut *reader).await.unwrap_err();
        assert!(
            matches!(StoreError::from(refused), StoreError::ReadOnly),
            "{sql}"
        );
    }
    // Even with the soft bolt drawn back the file itself is read-only.
    sqlx::query("pragma query_only = off")
        .execute(&mut *reader)
        .await
        .unwrap();
    for sql in [
        "delete from draft",
        "pragma wal_checkpoint(passive)",
        "pragma wal_checkpoint(full)",
        "pragma wal_checkpoint(truncate)",
    ] {
        sqlx::query(sql).execute(&mut *reader).await.unwrap_err();
    }
    drop(reader);
    store.readers.close();
    assert_eq!(size(&log), log_before);
    assert_eq!(std::fs::read(&database).unwrap(), database_before);

    // The control: the writer's checkpoint does change the database file.
    store.tidy().await.unwrap();
    assert_ne!(std::fs::read(&database).unwrap(), database_before);
}

/// Files of `dir` that this process holds open.
#[cfg(target_os = "linux")]
fn held(dir: &Path) -> usize {
    let held = std::fs::read_dir("/proc/self/fd").unwrap();
    held.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
        .filter(|file| file.starts_with(dir))
        .count()
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_dropped_store_is_closed_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..10 {
        let store = store(dir.path()).await;
        keep_draft(&store, "draft".into()).await.unwrap();
        drop((store.read().await.unwrap(), store.read().await.unwrap()));
        assert!(held(dir.path()) > 3);
        drop(store);
        assert_eq!(held(dir.path()), 0);
    }
    std::fs::write(dir.path().join("suda.db"), "x".repeat(9000)).unwrap();
    let key = KeySource::File(dir.path().join("key"));
    let key = key.load(Uuid::nil()).await.unwrap();
    let refused = Store::open(&dir.path().join("suda.db"), &key).await;
    assert!(matches!(refused.err(), Some(FileError::Undecipherable)));
    assert_eq!(held(dir.path()), 0);
}

#[tokio::test]
async fn the_settings_are_those_that_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let mut tx = store.begin().await.unwrap();
    for (pragma, wanted) in [
        ("pragma journal_mode", "wal"),
        ("pragma synchronous", "2"),
        ("pragma foreign_keys", "1"),
        ("pragma secure_delete", "1"),
    ] {
        let row = sqlx::query(pragma).fetch_one(tx.conn()).await.unwrap();
        let found = row_text(&row);
        assert_eq!(found, wanted, "{pragma}");
    }
    let cipher = sqlx::query("pragma cipher_version")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert!(row_text(&cipher).starts_with('4'));
}

fn row_text(row: &sqlx::sqlite::SqliteRow) -> String {
    use sqlx::Row as _;
    row.try_get::<String, _>(0)
        .or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
        .unwrap()
}

#[tokio::test]
async fn a_transaction_dropped_half_way_leaves_nothing_and_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let mut tx = store.begin().await.unwrap();
    let (id, staff) = (ComplaintId(Uuid::new_v4()), StaffId(Uuid::nil()));
    drafts::save(tx.conn(), id, staff, OPENED, "half".into())
        .await
        .unwrap();
    drop(tx);
    assert_eq!(count(&store).await, 0);
    keep_draft(&store, "whole".into()).await.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_saved_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    keep_draft(&store, "first".into()).await.unwrap();
    store.limit_pages(4).await;
    let refused = keep_draft(&store, "x".repeat(100_000)).await;
    assert!(matches!(refused, Err(StoreError::DiskFull)), "{refused:?}");
    assert_eq!(count(&store).await, 1);
    store.limit_pages(1000).await;
    keep_draft(&store, "x".repeat(100_000)).await.unwrap();
    assert_eq!(count(&store).await, 2);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let first = store(dir.path()).await;
    let mut tx = first.begin().await.unwrap();
    sqlx::query("pragma user_version = 99")
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop(first);
    let key = KeySource::File(dir.path().join("key"))
        .load(Uuid::nil())
        .await
        .unwrap();
    let opened = Store::open(&dir.path().join("suda.db"), &key).await;
    assert!(matches!(opened.err(), Some(FileError::Newer)));
}
