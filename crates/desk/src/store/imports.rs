//! Which rows of which file are recorded.

use std::collections::HashMap;

use sqlx::SqliteConnection;
use suda_domain::ComplaintId;

use super::StoreError;

/// One import of one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RunId(i64);

pub(crate) async fn begin(
    conn: &mut SqliteConnection,
    file: [u8; 32],
    at_ms: i64,
) -> Result<RunId, StoreError> {
    let done = sqlx::query("insert into import_run (file, started_at) values (?, ?)")
        .bind(file.to_vec())
        .bind(at_ms)
        .execute(conn)
        .await?;
    Ok(RunId(done.last_insert_rowid()))
}

/// The latest import of the file, finished or not.
pub(crate) async fn latest(
    conn: &mut SqliteConnection,
    file: [u8; 32],
) -> Result<Option<RunId>, StoreError> {
    let run: Option<i64> =
        sqlx::query_scalar("select run from import_run where file = ? order by run desc limit 1")
            .bind(file.to_vec())
            .fetch_optional(conn)
            .await?;
    Ok(run.map(RunId))
}

/// The rows recorded, by their line in the file.
pub(crate) async fn rows(
    conn: &mut SqliteConnection,
    run: RunId,
) -> Result<HashMap<u64, ComplaintId>, StoreError> {
    let rows: Vec<(i64, uuid::Uuid)> =
        sqlx::query_as("select line, complaint from import_row where run = ?")
            .bind(run.0)
            .fetch_all(conn)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(line, id)| (super::ledger::unsigned(line), ComplaintId(id)))
        .collect())
}

pub(crate) async fn add_row(
    conn: &mut SqliteConnection,
    run: RunId,
    line: u64,
    complaint: ComplaintId,
) -> Result<(), StoreError> {
    sqlx::query("insert into import_row (run, line, complaint) values (?, ?, ?)")
        .bind(run.0)
        .bind(super::ledger::signed(line))
        .bind(complaint.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn finish(conn: &mut SqliteConnection, run: RunId) -> Result<(), StoreError> {
    sqlx::query("update import_run set finished = 1 where run = ?")
        .bind(run.0)
        .execute(conn)
        .await?;
    Ok(())
}
