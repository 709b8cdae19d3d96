//! How far the copy of the hub's log was compared with the hub's, and what it
//! adds up to.

use sqlx::SqliteConnection;
use suda_domain::DeviceId;
use suda_sync::Hash;
use suda_sync::compare::LogSum;

use super::StoreError;
use super::hub_order::place_sql;
use super::ledger::{signed, unsigned};

/// What the last comparison found of what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    Nothing,
    /// It differed, and is being read again.
    ToReadAgain,
    /// It differed, also read again; a person has to look.
    Differs,
}

/// How far the comparison is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ComparedRow {
    pub(crate) upto: u64,
    /// Milliseconds UTC; absent before the first.
    pub(crate) at: Option<i64>,
    pub(crate) found: Found,
}

pub(crate) async fn compared(conn: &mut SqliteConnection) -> Result<ComparedRow, StoreError> {
    let (upto, at, differs): (i64, Option<i64>, i64) =
        sqlx::query_as("select compared_upto, compared_at, differs from link")
            .fetch_one(conn)
            .await?;
    Ok(ComparedRow {
        upto: unsigned(upto),
        at,
        found: match differs {
            0 => Found::Nothing,
            1 => Found::ToReadAgain,
            _ => Found::Differs,
        },
    })
}

pub(crate) async fn set_compared(
    conn: &mut SqliteConnection,
    row: ComparedRow,
) -> Result<(), StoreError> {
    sqlx::query("update link set compared_upto = ?, compared_at = ?, differs = ?")
        .bind(signed(row.upto))
        .bind(row.at)
        .bind(match row.found {
            Found::Nothing => 0,
            Found::ToReadAgain => 1,
            Found::Differs => 2,
        })
        .execute(conn)
        .await?;
    Ok(())
}

/// The log is read again from behind this place.
pub(crate) async fn set_cursor(conn: &mut SqliteConnection, after: u64) -> Result<(), StoreError> {
    sqlx::query("update link set cursor = min(cursor, ?)")
        .bind(signed(after))
        .execute(conn)
        .await?;
    Ok(())
}

/// What stands here between two places of the hub's log: others' events at the
/// place they came with, own ones at the place the hub told.
pub(crate) async fn sum(
    conn: &mut SqliteConnection,
    device: DeviceId,
    (after, upto): (u64, u64),
) -> Result<LogSum, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(concat!(
        "select hub_seq, hash from event where hub_seq > ?2 and hub_seq <= ?3 \
         union all select seq, hash from (select distinct ",
        place_sql!(),
        " as seq, e.hash from placed run join event e on e.device = ?1 \
         and e.incarnation = run.incarnation and e.lane = run.lane and e.n >= run.first_n \
         and e.n < run.first_n + run.count where e.own and e.hub_seq is null \
         and run.first_seq <= ?3 and run.first_seq + run.count > ?2) \
         where seq > ?2 and seq <= ?3"
    ))
    .bind(device.0)
    .bind(signed(after))
    .bind(signed(upto))
    .fetch_all(conn)
    .await?;
    let mut sum = LogSum::default();
    for (seq, hash) in rows {
        let hash = hash
            .try_into()
            .map_err(|_| StoreError::from(sqlx::Error::Decode("a hash has 32 bytes".into())))?;
        sum.add(unsigned(seq), Hash(hash));
    }
    Ok(sum)
}
