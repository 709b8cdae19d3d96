//! Copies of the database: taken beside the running hub, put back only
//! without one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, SqliteConnection};

use super::directory::{HubPlace, place, put_place};
use super::{FILE, OpenError, SqliteStore, begin, failed, reading, schema, writing};
use crate::store::sms::HELD_BACK;
use crate::store::{BackupError, Fault, Result, StoreError, Upkeep as _};

/// Writes a consistent copy to a new file that only the owner may read.
pub async fn backup(connection: &mut SqliteConnection, file: &Path) -> Result<(), BackupError> {
    let name = file.to_str().ok_or_else(|| {
        BackupError::File(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path is not UTF-8",
        ))
    })?;
    make_empty(file).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists,
        _ => BackupError::File(error),
    })?;
    let written = write(connection, file, name).await;
    if written.is_err()
        && let Err(error) = fs::remove_file(file)
    {
        tracing::warn!(%error, "an unfinished backup could not be removed");
    }
    written
}

async fn write(
    connection: &mut SqliteConnection,
    file: &Path,
    name: &str,
) -> Result<(), BackupError> {
    sqlx::query("VACUUM INTO ?")
        .bind(name)
        .execute(connection)
        .await
        .map_err(failed)?;
    File::open(file)
        .and_then(|copy| copy.sync_all())
        .map_err(BackupError::File)?;
    let mut copy = SqliteConnection::connect_with(&reading(file))
        .await
        .map_err(failed)?;
    let answer: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut copy)
        .await
        .map_err(failed)?;
    copy.close().await.map_err(failed)?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged(answer).into())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the backup cannot be read")]
    Unreadable(#[source] OpenError),
    #[error("the backup is damaged: {}: {}", .0.row, .0.reason)]
    Damaged(Fault),
    #[error("the file system refused")]
    File(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks the backup and puts it in the data directory's place. The hub gets a
/// new epoch, so that desks send again what the backup does not know, and a
/// new incarnation, so that its numbers are not given twice. What stood there
/// before is kept beside, and its path given.
pub async fn restore(
    backup: &Path,
    dir: &Path,
    epoch: String,
    now: DateTime<Utc>,
) -> Result<Option<PathBuf>, RestoreError> {
    let target = dir.join(FILE);
    let fresh = dir.join("hub.db.restoring");
    fs::create_dir_all(dir)?;
    if fresh.exists() {
        fs::remove_file(&fresh)?;
    }
    make_empty(&fresh)?;
    io::copy(
        &mut File::open(backup)?,
        &mut OpenOptions::new().write(true).open(&fresh)?,
    )?;
    if let Err(error) = renew(&fresh, epoch, now).await {
        for leftover in [
            fresh.clone(),
            beside(&fresh, "-wal"),
            beside(&fresh, "-shm"),
        ] {
            if leftover.exists() {
                fs::remove_file(leftover)?;
            }
        }
        return Err(error);
    }
    File::open(&fresh)?.sync_all()?;
    let kept = target.exists().then(|| {
        dir.join(format!(
            "hub.db.before-restore-{}",
            now.format("%Y%m%dT%H%M%S%3f")
        ))
    });
    if let Some(kept) = &kept {
        for suffix in ["", "-wal", "-shm"] {
            let part = beside(&target, suffix);
            if part.exists() {
                fs::rename(part, beside(kept, suffix))?;
            }
        }
    }
    fs::rename(&fresh, &target)?;
    sync_directory(dir)?;
    Ok(kept)
}

/// Verifies the copy and gives it its new epoch and incarnation.
async fn renew(file: &Path, epoch: String, now: DateTime<Utc>) -> Result<(), RestoreError> {
    bring_up(file).await.map_err(RestoreError::Unreadable)?;
    let store = SqliteStore::open_file(file)
        .await
        .map_err(RestoreError::Unreadable)?;
    let outcome = renew_open(&store, epoch, now).await;
    store.close().await;
    outcome
}

/// The backup itself is what is kept of before.
async fn bring_up(file: &Path) -> Result<(), OpenError> {
    let copy = SqliteConnection::connect_with(&writing(file)).await;
    let mut copy = copy.map_err(failed)?;
    let done = schema::migrate(&mut copy).await;
    copy.close().await.map_err(failed)?;
    done
}

async fn renew_open(
    store: &SqliteStore,
    epoch: String,
    now: DateTime<Utc>,
) -> Result<(), RestoreError> {
    if let Some(fault) = store.verify().await?.fault {
        return Err(RestoreError::Damaged(fault));
    }
    let mut writer = store.writer().await;
    let mut tx = begin(&mut writer).await?;
    let before = place(&mut tx).await?;
    let renewed = HubPlace {
        incarnation: before.incarnation + 1,
        epoch,
        restored_at: Some(now),
        ..before
    };
    put_place(&mut tx, &renewed).await?;
    for sql in [
        "DELETE FROM web_session",
        "DELETE FROM enrol_code WHERE used_at IS NULL",
        HELD_BACK,
    ] {
        sqlx::query(sql).execute(&mut *tx).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(())
}

pub fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(unix)]
fn make_empty(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map(drop)
}

#[cfg(not(unix))]
fn make_empty(file: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .map(drop)
}

/// A rename is durable once its directory is.
#[cfg(unix)]
pub fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
pub fn sync_directory(_dir: &Path) -> io::Result<()> {
    Ok(())
}
