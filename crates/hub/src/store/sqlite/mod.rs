//! The embedded store: one SQLite file in WAL mode with synchronous=FULL. One
//! connection writes and is the only one that checkpoints; readers are opened
//! read-only (the bundled SQLite lacks the fix for the WAL-reset corruption
//! that needs two writing or checkpointing connections).
//!
//! All SQL of the hub is in this folder.

mod alarms;
mod apply;
mod backup;
mod barred;
mod copies;
mod derive;
mod devices;
mod directory;
mod evidence;
mod group;
mod learning;
mod ledger;
mod letters;
mod lists;
mod load;
mod rows;
mod same_answer;
mod schema;
mod set_aside;
mod sms;
mod statistics;
mod stubs;
mod upkeep;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};
use suda_sqlite::Connection;
use suda_sqlite::wal::Damage;
use suda_sync::hub::allowance::Load;
use tokio::sync::{MappedMutexGuard, MutexGuard, broadcast};

use super::sms::HELD_BACK;
use super::tries::{Recount, Remembered, Tries};
use super::{BackupError, Fault, Result, Store, StoreError, Touched, checks, time, value};
use crate::clock::Clock;
use crate::secret;

pub use backup::{RestoreError, restore};
use group::Writing;

/// The database's name inside the data directory.
pub const FILE: &str = "hub.db";
const READERS: u32 = 4;
/// Changes a slow onlooker may be behind before it has to look anew.
const FEED: usize = 1024;

/// The embedded store.
pub struct SqliteStore {
    file: PathBuf,
    writing: Arc<Writing>,
    readers: SqlitePool,
    log_damage: Option<Damage>,
    /// The file has one process, so they need not be in it.
    tallies: Remembered,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no hub in this directory; make one with `suda-hub init`")]
    Missing,
    #[error("the directory cannot be used")]
    Directory(#[source] std::io::Error),
    #[error(
        "the database was made by a newer suda-hub (version {found}, this program knows {known})"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "no copy of the database could be kept, so it was left at schema {found} and not brought up to {known}; make room for {mib} MiB beside it and start again"
    )]
    NoCopy {
        found: i64,
        known: i64,
        mib: u64,
        #[source]
        source: BackupError,
    },
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
}

impl SqliteStore {
    /// Opens the database of a data directory and brings its schema up.
    /// `create` makes directory and file when they are missing.
    pub async fn open(dir: &Path, create: bool) -> Result<Self, OpenError> {
        let file = dir.join(FILE);
        if create {
            make_private(dir, &file).map_err(OpenError::Directory)?;
        } else if !file.exists() {
            return Err(OpenError::Missing);
        }
        Self::open_file(&file).await
    }

    /// Opens an existing database file, for writing by this process alone.
    /// When the log beside it has lost commits, the hub goes on from before
    /// them under a new epoch, so that desks send again what was lost; the log
    /// as it was is kept beside.
    pub async fn open_file(file: &Path) -> Result<Self, OpenError> {
        let log_damage = suda_sqlite::wal::examine(file).map_err(OpenError::Directory)?;
        if let Some(damage) = &log_damage {
            tracing::error!(%damage, "the database's log is damaged; the hub goes on from before it");
            keep_log(file).map_err(OpenError::Directory)?;
        }
        let writer = SqliteConnection::connect_with(&writing(file)).await;
        let mut writer = Connection::new(writer.map_err(failed)?);
        schema::migrate_with_copy(&mut writer, file).await?;
        copies::prepare(&mut writer).await?;
        if log_damage.is_some() {
            put_back(&mut writer).await?;
        }
        let mut tx = begin(&mut writer).await?;
        time::made_anew(derive::after_upgrade(&mut tx).await?);
        tx.commit().await.map_err(failed)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(reading(file))
            .await
            .map_err(failed)?;
        Ok(Self {
            file: file.to_owned(),
            writing: Arc::new(Writing::new(writer, broadcast::channel(FEED).0)),
            readers,
            log_damage,
            tallies: Remembered::default(),
        })
    }

    /// What is wrong with the log, now or when it was opened.
    fn log_fault(&self) -> Result<Option<Fault>> {
        let damage = match self.log_damage {
            None => suda_sqlite::wal::examine_open(&self.file)
                .map_err(|error| StoreError::Failed(Box::new(error)))?,
            known => known,
        };
        Ok(damage.map(|damage| checks::fault("write-ahead log", damage.to_string())))
    }

    /// Lets the file grow by at most so many pages; beyond, writes fail as on
    /// a full disk. `None` lifts the bound.
    pub async fn limit_growth(&self, pages: Option<u32>) -> Result<()> {
        let mut writer = self.writer().await;
        let now: i64 = sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(&mut *writer)
            .await
            .map_err(failed)?;
        let most = pages.map_or(i64::from(u32::MAX - 1), |more| now + i64::from(more));
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA max_page_count = {most}"
        )))
        .execute(&mut *writer)
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// A connection that reads, for who moves the hub to another store.
    pub(super) async fn read(&self) -> Result<PoolConnection<Sqlite>> {
        self.reader().await
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        self.readers.acquire().await.map_err(failed)
    }

    async fn writer(&self) -> MappedMutexGuard<'_, SqliteConnection> {
        let connection = self.writing.connection.lock().await;
        MutexGuard::map(connection, |connection| &mut **connection)
    }

    fn tell(&self, touched: Touched) {
        // Nobody may be looking on; then there is nobody to tell.
        let _onlookers = self.writing.feed.send(Arc::new(touched));
    }
}

impl Store for SqliteStore {
    fn feed(&self) -> broadcast::Receiver<Arc<Touched>> {
        self.writing.feed.subscribe()
    }

    fn load(&self) -> Load {
        self.writing.burden.load()
    }
}

#[async_trait]
impl Tries for SqliteStore {
    async fn recount(&self, names: Vec<String>, recount: Recount) -> Result<()> {
        self.tallies.recount(names, recount);
        Ok(())
    }
}

fn writing(file: &Path) -> SqliteConnectOptions {
    suda_sqlite::options()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("secure_delete", "ON")
        .pragma("mmap_size", "0")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "4000")
        .optimize_on_close(true, 400)
}

fn reading(file: &Path) -> SqliteConnectOptions {
    suda_sqlite::options()
        .filename(file)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("mmap_size", "0")
        .pragma("cache_size", "-16384")
}

type Tx<'t> = Transaction<'t, Sqlite>;

/// A transaction that has the write lock from its beginning.
async fn begin(writer: &mut SqliteConnection) -> Result<Tx<'_>> {
    writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
}

/// A new epoch for a database that lacks what it once had. The remains of the
/// lost frames would be met again behind new ones, so the log is begun anew.
async fn put_back(writer: &mut SqliteConnection) -> Result<()> {
    let mut tx = begin(writer).await?;
    if let Some(before) = directory::find_place(&mut tx).await? {
        let renewed = directory::HubPlace {
            incarnation: before.incarnation + 1,
            epoch: secret::token(),
            restored_at: Some(Clock::system().now()),
            ..before
        };
        directory::put_place(&mut tx, &renewed).await?;
        sqlx::query(HELD_BACK)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(writer)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Copies the log under the next free name beside it.
fn keep_log(file: &Path) -> std::io::Result<()> {
    let free = (1_u32..)
        .map(|number| suda_sqlite::wal::beside(file, &format!("-wal.damaged-{number:04}")))
        .find(|name| !name.exists());
    match free {
        Some(name) => std::fs::copy(suda_sqlite::wal::beside(file, "-wal"), name).map(drop),
        None => Ok(()),
    }
}

/// What SQLite's result codes mean for the hub (<https://www.sqlite.org/rescode.html>).
fn failed(error: sqlx::Error) -> StoreError {
    let code = match &error {
        sqlx::Error::Database(inner) => inner.code().and_then(|code| code.parse::<u32>().ok()),
        sqlx::Error::PoolTimedOut => return StoreError::Busy,
        _ => None,
    };
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => StoreError::Busy,
        Some(8) => StoreError::ReadOnly,
        Some(11 | 26) => StoreError::Damaged(error.to_string()),
        Some(13) => StoreError::Full,
        _ => StoreError::Failed(Box::new(error)),
    }
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.is_unique_violation())
}

fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.is_foreign_key_violation())
}

/// Customers' data: only the hub's own account may read them.
#[cfg(unix)]
fn make_private(dir: &Path, file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    if !dir.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map(drop)
}

/// A service's directory is closed to other users there.
#[cfg(not(unix))]
fn make_private(dir: &Path, file: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule that keeps the WAL-reset bug of SQLite before 3.51.3 away: it
    /// needs a second connection that writes or checkpoints.
    #[tokio::test]
    async fn readers_neither_write_nor_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), true).await.unwrap();
        sqlx::query("INSERT INTO setting VALUES ('a', '1')")
            .execute(&mut *store.writer().await)
            .await
            .unwrap();
        let wal = dir.path().join("hub.db-wal");
        let length = || std::fs::metadata(&wal).unwrap().len();
        let before = length();
        assert!(before > 0);
        let mut reader = store.reader().await.unwrap();
        for sql in [
            "INSERT INTO setting VALUES ('b', '1')",
            "DELETE FROM setting",
            "CREATE TABLE x (y)",
        ] {
            assert!(
                sqlx::raw_sql(sql).execute(&mut *reader).await.is_err(),
                "{sql}"
            );
        }
        let checkpoint = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut *reader)
            .await;
        assert!(checkpoint.is_err() || length() == before);
        drop(reader);
        assert_eq!(length(), before);
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut *store.writer().await)
            .await
            .unwrap();
        assert_eq!(length(), 0, "the control: the writer can");
    }

    #[tokio::test]
    async fn a_database_of_a_newer_program_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), true).await.unwrap();
        sqlx::raw_sql("PRAGMA user_version = 99")
            .execute(&mut *store.writer().await)
            .await
            .unwrap();
        drop(store);
        let refused = SqliteStore::open(dir.path(), false).await.err().unwrap();
        assert!(
            matches!(refused, OpenError::Newer { found: 99, .. }),
            "{refused}"
        );
    }
}
