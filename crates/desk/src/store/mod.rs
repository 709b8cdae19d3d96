//! The encrypted SQLite store, and the only place with SQL. One connection
//! writes and checkpoints; all others are opened read-only: SQLite before
//! 3.51.3 can corrupt a write-ahead log that two connections write or
//! checkpoint. What is written and why is decided elsewhere.

pub(crate) mod barrier;
mod check;
pub(crate) mod clock;
pub(crate) mod compared;
pub(crate) mod complaints;
pub(crate) mod copy;
pub(crate) mod directory;
pub(crate) mod drafts;
mod error;
pub(crate) mod evidence;
pub(crate) mod hub_order;
pub(crate) mod imports;
pub(crate) mod incarnation;
mod journaled;
pub(crate) mod lan;
mod lan_log;
pub(crate) mod ledger;
mod open;
pub(crate) mod outbox;
pub(crate) mod parcels;
mod readers;
pub(crate) mod search;
pub(crate) mod statistics;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::NaiveDate;
use sqlx::{ConnectOptions as _, SqliteConnection};
use suda_domain::ComplaintId;
use suda_sqlite::Connection;
use suda_sqlite::wal::Damage;
use suda_sync::place::LaneHead;
use suda_sync::{Receipt, Signed};
use tokio::sync::{Mutex, MutexGuard};

use complaints::StateRow;
pub use error::StoreError;
use ledger::NewEvent;
pub(crate) use open::{Care, FileError};
use readers::{Reader, Readers};

use crate::key::DatabaseKey;
use crate::unsent::{Journal, Named};

/// The database of one data directory.
pub(crate) struct Store {
    file: PathBuf,
    key: DatabaseKey,
    /// Absent when another process writes and this one only reads.
    writer: Option<Mutex<Writer>>,
    readers: Readers,
    journal_fails: std::sync::Mutex<Arc<AtomicBool>>,
    /// Found in the log before it was opened.
    log_damage: Option<Damage>,
}

struct Writer {
    conn: Connection,
    /// A transaction was begun and neither committed nor rolled back: the task
    /// that did so failed or was dropped.
    open: bool,
    cache: Cache,
    /// Absent before the enrolment, and while what it holds is put back.
    journal: Option<Journal>,
    /// What the transaction under way has to bring into the journal.
    groups: Vec<Named>,
}

/// What the writer knows without asking the database. Forgotten whenever a
/// transaction does not commit.
#[derive(Default)]
pub(crate) struct Cache {
    /// The last event of each lane of this device.
    pub(crate) heads: Option<[LaneHead; 4]>,
    /// The last running number used, and its day.
    pub(crate) running: Option<(NaiveDate, u32)>,
    /// Complaints that wait for the search index.
    pub(crate) waiting: Option<u32>,
}

/// A write transaction. Dropped without [`commit`](Self::commit), nothing of
/// it remains.
pub(crate) struct WriteTx<'a> {
    writer: MutexGuard<'a, Writer>,
}

impl Store {
    /// Opens for reading and writing; makes the database when there is none.
    pub(crate) async fn open(file: &Path, key: &DatabaseKey) -> Result<Self, FileError> {
        let mut conn = open::writer(file, key).await?;
        open::migrate(&mut conn).await?;
        Self::with(conn, None, file, key).await
    }

    /// Like [`open`](Self::open); an existing file is checked first, and copied
    /// before its schema is changed.
    pub(crate) async fn open_sound(
        file: &Path,
        key: &DatabaseKey,
        care: &Care<'_>,
    ) -> Result<Self, FileError> {
        let (conn, damage) = open::sound_writer(file, key, care).await?;
        Self::with(conn, damage, file, key).await
    }

    async fn with(
        conn: Connection,
        log_damage: Option<Damage>,
        file: &Path,
        key: &DatabaseKey,
    ) -> Result<Self, FileError> {
        let readers = open::readers(file, key).await?;
        let writer = Writer {
            conn,
            open: false,
            cache: Cache::default(),
            journal: None,
            groups: Vec::new(),
        };
        Ok(Self {
            file: file.to_owned(),
            key: key.clone(),
            writer: Some(Mutex::new(writer)),
            readers,
            journal_fails: std::sync::Mutex::default(),
            log_damage,
        })
    }

    /// Opens for reading, beside whoever writes.
    pub(crate) async fn open_reading(file: &Path, key: &DatabaseKey) -> Result<Self, FileError> {
        // Before it is opened: reading, too, takes the rest of the log for torn.
        let log_damage = suda_sqlite::wal::examine(file).map_err(sqlx::Error::Io)?;
        Ok(Self {
            file: file.to_owned(),
            key: key.clone(),
            writer: None,
            readers: open::readers(file, key).await?,
            journal_fails: std::sync::Mutex::default(),
            log_damage,
        })
    }

    /// A damaged log was put right when the database was opened.
    pub(crate) fn has_lost_log(&self) -> bool {
        self.writer.is_some() && self.log_damage.is_some()
    }

    /// What is wrong with the log as it is.
    pub(crate) fn log_damage(&self) -> Result<Option<Damage>, StoreError> {
        match &self.writer {
            None if self.log_damage.is_some() => Ok(self.log_damage),
            _ => Ok(suda_sqlite::wal::examine_open(&self.file).map_err(sqlx::Error::Io)?),
        }
    }

    pub(crate) fn key(&self) -> &DatabaseKey {
        &self.key
    }

    pub(crate) async fn read(&self) -> Result<Reader<'_>, StoreError> {
        self.readers.get().await.map_err(|error| match error {
            FileError::Store(error) => error,
            // It could be read when the store was opened.
            _ => StoreError::Changed,
        })
    }

    /// Begins a write transaction, after whichever is under way.
    pub(crate) async fn begin(&self) -> Result<WriteTx<'_>, StoreError> {
        let mut writer = self.turn().await?;
        sqlx::query("begin immediate")
            .execute(&mut *writer.conn)
            .await?;
        Ok(WriteTx { writer })
    }

    /// Begins a write transaction about a form, and tells how it stands. In
    /// one go, as each statement of its own costs two changes of thread.
    pub(crate) async fn begin_form(
        &self,
        id: ComplaintId,
    ) -> Result<(WriteTx<'_>, drafts::Form), StoreError> {
        let mut writer = self.turn().await?;
        let form = drafts::begin(&mut writer.conn, id).await?;
        let mut tx = WriteTx { writer };
        if tx.writer.cache.waiting >= Some(search::MOST_WAITING) {
            tx.take_over().await?;
        }
        Ok((tx, form))
    }

    /// The writer, with nothing begun but marked so: whatever happens from
    /// here on, the next one looks.
    async fn turn(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        let Some(writer) = &self.writer else {
            return Err(StoreError::ReadOnly);
        };
        let mut writer = writer.lock().await;
        if writer.open {
            writer.cache = Cache::default();
            // Fails when the commit went through after all; then there is nothing to undo.
            let undone = sqlx::query("rollback").execute(&mut *writer.conn).await;
            if let Err(error) = undone {
                tracing::debug!(%error, "no transaction to roll back");
            }
        }
        writer.open = true;
        writer.groups.clear();
        journaled::look_back(&mut writer).await?;
        Ok(writer)
    }

    /// Takes waiting complaints over into the search index and carries the
    /// write-ahead log over into the database, so that no save has to. For
    /// idle moments; whoever writes meanwhile waits for one group at most.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let Some(writer) = &self.writer else {
            return Ok(());
        };
        loop {
            let mut tx = self.begin().await?;
            let (conn, cache) = tx.parts();
            cache.waiting = None;
            let taken = search::take_over(conn, search::GROUP).await?;
            tx.commit().await?;
            if taken == 0 {
                break;
            }
        }
        self.level_journal().await?;
        let mut writer = writer.lock().await;
        if !writer.open {
            sqlx::query("pragma wal_checkpoint(passive)")
                .execute(&mut *writer.conn)
                .await?;
        }
        Ok(())
    }

    /// Closes everything, the writer last, so that it makes the last checkpoint.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.readers.close();
        if let Some(writer) = &self.writer {
            let mut writer = writer.lock().await;
            if writer.open {
                sqlx::query("rollback")
                    .execute(&mut *writer.conn)
                    .await
                    .ok();
                writer.open = false;
            }
            sqlx::query("pragma wal_checkpoint(truncate)")
                .execute(&mut *writer.conn)
                .await?;
        }
        Ok(())
    }

    /// Writes a sound copy to a new file, beside whoever writes.
    pub(crate) async fn copy_to(&self, to: &Path) -> Result<copy::Contents, copy::CopyError> {
        copy::copy(&self.file, &self.key, to).await
    }

    /// Examines a copy: reads it through.
    pub(crate) async fn examine(&self, file: &Path) -> Result<copy::Contents, copy::ExamineError> {
        copy::examine(file, &self.key).await
    }

    /// What a copy holds, read without checking the rest of it.
    pub(crate) async fn mark_of(&self, file: &Path) -> Result<copy::Mark, FileError> {
        let options = open::options(file, &self.key).read_only(true);
        let mut conn = Connection::new(options.connect().await?);
        Ok(copy::mark(&mut conn).await?)
    }

    /// Reads the authentication of every page of the database file. A page that
    /// is just being carried over looks damaged once; one that is, twice.
    pub(crate) async fn check_pages(&self) -> Result<(), copy::ExamineError> {
        let options = open::options(&self.file, &self.key).read_only(true);
        let mut conn = Connection::new(options.connect().await?);
        if copy::sound_pages(&mut conn).await.is_ok() {
            return Ok(());
        }
        let _nobody_checkpoints = match &self.writer {
            Some(writer) => Some(writer.lock().await),
            None => None,
        };
        copy::sound_pages(&mut conn).await
    }

    /// Bounds the database's size, to see what a full disk does.
    #[cfg(test)]
    pub(crate) async fn limit_pages(&self, more: i64) {
        let mut writer = self.writer.as_ref().unwrap().lock().await;
        let now: i64 = sqlx::query_scalar("pragma page_count")
            .fetch_one(&mut *writer.conn)
            .await
            .unwrap();
        let sql = format!("pragma max_page_count = {}", now + more);
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut *writer.conn)
            .await
            .unwrap();
    }
}

impl WriteTx<'_> {
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.writer.conn
    }

    /// The connection and what is known beside it.
    pub(crate) fn parts(&mut self) -> (&mut SqliteConnection, &mut Cache) {
        let writer = &mut *self.writer;
        (&mut writer.conn, &mut writer.cache)
    }

    /// Takes all that wait over into the search index.
    pub(crate) async fn take_over(&mut self) -> Result<(), StoreError> {
        let (conn, cache) = self.parts();
        cache.waiting = Some(0);
        search::take_over(conn, i64::MAX).await.map(drop)
    }

    /// Adds a complaint recorded here. When this returns, it and what was
    /// written before are on the disk.
    pub(crate) async fn commit_with(
        mut self,
        state: &StateRow,
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        let (conn, cache) = self.parts();
        let waiting = match cache.waiting {
            Some(before) => before,
            None => search::count_waiting(conn).await?,
        };
        cache.waiting = Some(waiting + 1);
        self.keep(events, None);
        let journaling = self.journal();
        let done = complaints::record_and_commit(self.conn(), state, events).await;
        self.settle(journaling, done)
    }

    /// Keeps a receipt of the hub. When this returns, it and what was written
    /// before are on the disk.
    pub(crate) async fn commit_receipt(
        mut self,
        receipt: &Receipt,
        signed: &Signed,
    ) -> Result<(), StoreError> {
        outbox::commit_receipt(self.conn(), receipt, signed).await?;
        self.writer.open = false;
        Ok(())
    }

    /// Keeps a receipt for what an earlier incarnation wrote.
    pub(crate) async fn commit_earlier_receipt(
        mut self,
        receipt: &Receipt,
    ) -> Result<(), StoreError> {
        incarnation::set_acked(self.conn(), receipt.incarnation, receipt.watermarks).await?;
        self.commit().await
    }

    /// When this returns, what was written is on the disk.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let journaling = self.journal();
        let done = sqlx::query("commit").execute(self.conn()).await;
        let done = done.map(drop).map_err(StoreError::from);
        self.settle(journaling, done)
    }
}

#[cfg(test)]
mod tests;
