//! Copies of the database: taken beside whoever writes, and examined. A copy
//! is encrypted with the database's own key.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use sqlx::{ConnectOptions as _, SqliteConnection};
use suda_domain::{DeviceId, Lane};
use suda_sqlite::Connection;
use suda_sync::Hash;
use suda_sync::place::LaneHead;

use super::open::{self, FileError};
use super::{StoreError, directory, ledger};
use crate::key::DatabaseKey;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the copy does not hold what the database holds")]
    Unlike,
    #[error(transparent)]
    Examine(#[from] ExamineError),
}

/// Why a file is no sound database of this desk's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExamineError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{0}")]
    Unsound(String),
}

impl From<sqlx::Error> for ExamineError {
    fn from(error: sqlx::Error) -> Self {
        Self::File(error.into())
    }
}

/// What a database file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Contents {
    pub(crate) schema: usize,
    pub(crate) device: Option<(DeviceId, u32)>,
    /// The ends of the device's lanes under its present incarnation.
    pub(crate) heads: [LaneHead; 4],
    /// Changes with everything a person or the hub changes.
    pub(crate) mark: Mark,
}

/// Two databases of one desk with the same mark hold the same: how many events
/// and the last of them, drafts and the last change of one, receipts, the place
/// in the hub's log, the directory's version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark(i64, i64, i64, i64, i64, i64, i64);

impl Mark {
    pub(crate) fn events(self) -> u64 {
        ledger::unsigned(self.0)
    }
}

pub(crate) async fn mark(conn: &mut SqliteConnection) -> Result<Mark, StoreError> {
    let (events, last, drafts, changed, receipts, cursor, directory) = sqlx::query_as(
        "select (select count(*) from event), (select coalesce(max(seq), 0) from event), \
         (select count(*) from draft), (select coalesce(max(changed_at), 0) from draft), \
         (select coalesce(sum(acked_n), 0) from lane_ack), (select cursor from link), \
         (select coalesce(max(version), 0) from directory)",
    )
    .fetch_one(conn)
    .await?;
    Ok(Mark(
        events, last, drafts, changed, receipts, cursor, directory,
    ))
}

/// Copies the database to a new file that only the owner may read, beside
/// whoever writes, and flushes it. The copy is examined: only a sound one that
/// reaches as far as the database did stays.
pub(super) async fn copy(file: &Path, key: &DatabaseKey, to: &Path) -> Result<Contents, CopyError> {
    // Not one of the readers: those may not write anywhere, not even elsewhere.
    let options = open::options(file, key).read_only(true);
    let mut conn = Connection::new(options.connect().await.map_err(StoreError::from)?);
    let before = own_heads(&mut conn).await?;
    make_empty(to)?;
    let written = write(&mut conn, to, key, before).await;
    if written.is_err() {
        fs::remove_file(to).ok();
    }
    written
}

async fn write(
    conn: &mut SqliteConnection,
    to: &Path,
    key: &DatabaseKey,
    before: [LaneHead; 4],
) -> Result<Contents, CopyError> {
    let name = to
        .to_str()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))?;
    sqlx::query("vacuum into ?")
        .bind(name.to_owned())
        .execute(&mut *conn)
        .await
        .map_err(StoreError::from)?;
    File::open(to)?.sync_all()?;
    let contents = examine(to, key).await?;
    let after = own_heads(conn).await?;
    for lane in Lane::ALL {
        let (least, copied, most) = (
            before[lane.index()],
            contents.heads[lane.index()],
            after[lane.index()],
        );
        let reaches = least.n <= copied.n && copied.n <= most.n;
        if !reaches || (copied.n == least.n && copied.hash != least.hash) {
            return Err(CopyError::Unlike);
        }
    }
    Ok(contents)
}

/// Reads a database file through: every page's authentication, the structure,
/// and the ends of the device's chains. Changes nothing.
pub(crate) async fn examine(file: &Path, key: &DatabaseKey) -> Result<Contents, ExamineError> {
    let options = open::options(file, key).read_only(true);
    let mut conn = Connection::new(options.connect().await?);
    let schema = open::version(&mut conn).await?;
    if schema > open::SCHEMA {
        return Err(FileError::Newer.into());
    }
    sound_pages(&mut conn).await?;
    let answer: String = sqlx::query_scalar("pragma quick_check(1)")
        .fetch_one(&mut *conn)
        .await?;
    if answer != "ok" {
        return Err(ExamineError::Unsound(answer));
    }
    let store = |error: StoreError| ExamineError::File(error.into());
    Ok(Contents {
        schema,
        device: identity(&mut conn).await.map_err(store)?,
        heads: own_heads(&mut conn).await.map_err(store)?,
        mark: mark(&mut conn).await.map_err(store)?,
    })
}

/// Checks each page's authentication code.
pub(super) async fn sound_pages(conn: &mut SqliteConnection) -> Result<(), ExamineError> {
    let faults: Vec<String> = sqlx::query_scalar("pragma cipher_integrity_check")
        .fetch_all(conn)
        .await?;
    match faults.first() {
        Some(fault) => Err(ExamineError::Unsound(page_of(fault))),
        None => Ok(()),
    }
}

/// Which page a sentence of SQLCipher's check ends with.
fn page_of(fault: &str) -> String {
    match fault
        .rsplit(' ')
        .next()
        .and_then(|last| last.parse::<u64>().ok())
    {
        Some(page) => format!("database page {page}"),
        None => format!("database file: {fault}"),
    }
}

async fn identity(conn: &mut SqliteConnection) -> Result<Option<(DeviceId, u32)>, StoreError> {
    let row = directory::device(conn).await?;
    Ok(row.map(|row| (row.device, row.incarnation)))
}

/// The ends of the own lanes, each with contents that give its hash.
async fn own_heads(conn: &mut SqliteConnection) -> Result<[LaneHead; 4], StoreError> {
    let Some((device, incarnation)) = identity(conn).await? else {
        return Ok([LaneHead::EMPTY; 4]);
    };
    let heads = ledger::heads(conn, device, incarnation).await?;
    for lane in Lane::ALL {
        let head = heads[lane.index()];
        let last = ledger::own_after(conn, (device, incarnation), lane, head.n.saturating_sub(1));
        for event in last.await? {
            if Hash::link(event.prev, event.body.as_bytes()) != event.hash {
                return Err(StoreError::Unreadable("the end of a chain".to_owned()));
            }
        }
    }
    Ok(heads)
}

fn make_empty(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}
