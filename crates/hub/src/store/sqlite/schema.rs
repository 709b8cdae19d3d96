//! Bringing the schema of the database up. A database with something in it is
//! copied first, and the copy checked: whoever has to go back to the program
//! of before finds the data as that program left them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::SqliteConnection;

use super::backup::{backup, beside, sync_directory};
use super::{OpenError, begin, failed};
use crate::store::{BackupError, Result};

/// Each raises `user_version` by one; only ever added to.
const MIGRATIONS: [&str; 18] = [
    include_str!("0001_beginning.sql"),
    include_str!("0002_device_clock.sql"),
    include_str!("0003_incarnation.sql"),
    include_str!("0004_phone_stub.sql"),
    include_str!("0005_evidence.sql"),
    include_str!("0006_waiting.sql"),
    include_str!("0007_desk_day.sql"),
    include_str!("0008_received_again.sql"),
    include_str!("0009_escalation.sql"),
    include_str!("0010_sms.sql"),
    include_str!("0011_letter.sql"),
    include_str!("0012_recusal.sql"),
    include_str!("0013_duty.sql"),
    include_str!("0014_duty_phone.sql"),
    include_str!("0015_along.sql"),
    include_str!("0016_learning.sql"),
    include_str!("0017_alarm.sql"),
    include_str!("0018_set_aside.sql"),
];

/// Behind the database's name: the copy from before the schema of a number.
const BEFORE: &str = ".before-schema";
/// Behind the copy's name while it is being written.
const UNFINISHED: &str = ".unfinished";

/// The number of the database's schema.
async fn found(writer: &mut SqliteConnection) -> Result<i64, OpenError> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(writer)
        .await
        .map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    Ok(found)
}

/// Brings the schema up, in one transaction: afterwards the database is as
/// this program wants it, or as it was.
///
/// # Errors
/// When a newer program made it, or it cannot be written.
pub async fn migrate(writer: &mut SqliteConnection) -> Result<(), OpenError> {
    let found = found(writer).await?;
    let missing = MIGRATIONS
        .iter()
        .zip(1i64..)
        .skip(usize::try_from(found).unwrap_or_default());
    let mut tx = begin(writer).await?;
    for (sql, version) in missing {
        sqlx::raw_sql(*sql)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA user_version = {version}"
        )))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(())
}

/// The same, after a copy of what would be changed. Of such copies the newest
/// is kept.
///
/// # Errors
/// The same, and when no copy could be kept: then nothing has changed.
pub async fn migrate_with_copy(
    writer: &mut SqliteConnection,
    file: &Path,
) -> Result<(), OpenError> {
    let (found, known) = (found(writer).await?, MIGRATIONS.len() as i64);
    if found == known || !holds_something(writer, found).await? {
        return migrate(writer).await;
    }
    let copy = beside(file, &format!("{BEFORE}{known}"));
    if let Err(source) = keep_copy(writer, &copy).await {
        let bytes = fs::metadata(file).map_or(0, |about| about.len());
        return Err(OpenError::NoCopy {
            found,
            known,
            mib: bytes.div_ceil(1 << 20),
            source,
        });
    }
    tracing::info!(copy = %copy.display(), found, known, "the database is brought up to a new schema; as it was it is kept beside");
    migrate(writer).await?;
    forget_older(file, &copy);
    Ok(())
}

/// A database begun and never used is made anew as easily.
async fn holds_something(writer: &mut SqliteConnection, found: i64) -> Result<bool> {
    if found == 0 {
        return Ok(false);
    }
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM setting)")
        .fetch_one(writer)
        .await
        .map_err(failed)
}

/// The copy has its name only when it is whole and checked.
async fn keep_copy(writer: &mut SqliteConnection, copy: &Path) -> Result<(), BackupError> {
    let unfinished = beside(copy, UNFINISHED);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BackupError::File(error));
        }
        _ => {}
    }
    backup(writer, &unfinished).await?;
    let directory = copy.parent().unwrap_or(Path::new("."));
    fs::rename(&unfinished, copy)
        .and_then(|()| sync_directory(directory))
        .map_err(BackupError::File)
}

/// What cannot be removed only takes room.
fn forget_older(file: &Path, newest: &Path) {
    for old in copies(file).unwrap_or_default() {
        if old == newest {
            continue;
        }
        if let Err(error) = fs::remove_file(&old) {
            tracing::warn!(%error, file = %old.display(), "an old copy could not be removed");
        }
    }
}

/// The copies beside the database, finished or not.
fn copies(file: &Path) -> io::Result<Vec<PathBuf>> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beginning = format!("{name}{BEFORE}");
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&beginning) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
