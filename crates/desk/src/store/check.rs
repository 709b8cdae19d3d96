//! The check at the start: is the file sound? A small one is read through. Of
//! a large one, which would take seconds, only what every step needs and the
//! newest records are; the rest is read with each backup.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

use super::copy::{ExamineError, sound_pages};
use super::open::FileError;

/// Bytes up to which all of the file is read.
const READ_WHOLE: u64 = 16 << 20;
/// How long the newest records of a larger one are read.
const BUDGET: Duration = Duration::from_millis(150);
/// Records read at a time.
const STEP: i64 = 200;
/// What every step needs, and is small.
const NEEDED: [&str; 5] = [
    "pragma quick_check(device)",
    "pragma quick_check(link)",
    "pragma quick_check(lane_ack)",
    "pragma quick_check(directory)",
    "pragma quick_check(search_upto)",
];

/// Fails when the file has a damaged place. `whole` reads all of it, whatever
/// its size.
pub(super) async fn at_start(
    conn: &mut SqliteConnection,
    file: &Path,
    whole: bool,
) -> Result<(), FileError> {
    let bytes = std::fs::metadata(file).map_or(0, |about| about.len());
    let checked = if whole {
        // Pages that a power cut caught half carried over are whole in the log.
        sqlx::query("pragma wal_checkpoint(passive)")
            .execute(&mut *conn)
            .await?;
        sound_pages(conn).await.map_err(unsound)?;
        answers_ok(conn, "pragma quick_check(1)").await
    } else if bytes <= READ_WHOLE {
        // Reads every page in use, and with it the page's authentication.
        answers_ok(conn, "pragma quick_check(1)").await
    } else {
        newest(conn).await
    };
    checked.map_err(of_damage)
}

async fn newest(conn: &mut SqliteConnection) -> Result<(), FileError> {
    for check in NEEDED {
        answers_ok(conn, check).await?;
    }
    let began = Instant::now();
    let mut from: (i64, i64) = sqlx::query_as(
        "select coalesce((select max(seq) from event), 0), \
         coalesce((select max(row) from complaint), 0)",
    )
    .fetch_one(&mut *conn)
    .await?;
    while (from.0 > 0 || from.1 > 0) && began.elapsed() < BUDGET {
        sqlx::query(
            "select (select sum(length(body)) from event where seq > ?1 - ?3 and seq <= ?1), \
             (select sum(length(body)) from complaint where row > ?2 - ?3 and row <= ?2)",
        )
        .bind(from.0)
        .bind(from.1)
        .bind(STEP)
        .fetch_one(&mut *conn)
        .await?;
        from = (from.0 - STEP, from.1 - STEP);
    }
    Ok(())
}

async fn answers_ok(conn: &mut SqliteConnection, check: &'static str) -> Result<(), FileError> {
    let answer: String = sqlx::query_scalar(check).fetch_one(conn).await?;
    match answer.as_str() {
        "ok" => Ok(()),
        _ => Err(FileError::Unsound(answer)),
    }
}

fn unsound(error: ExamineError) -> FileError {
    match error {
        ExamineError::File(error) => error,
        ExamineError::Unsound(what) => FileError::Unsound(what),
    }
}

/// A page that does not authenticate is told in several ways; all of them come
/// from reading alone.
fn of_damage(error: FileError) -> FileError {
    match error {
        FileError::Store(super::StoreError::Other(error)) => FileError::Unsound(error.to_string()),
        other => other,
    }
}
