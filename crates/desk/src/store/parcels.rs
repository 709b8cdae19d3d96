//! What receipts that come back by file change: how far the hub is, by lane and
//! incarnation.

use sqlx::SqliteConnection;
use suda_domain::Lane;
use suda_sync::{Receipt, Signed};

use super::StoreError;
use super::ledger::signed;
use crate::clock::to_ms;

/// Notes that the hub has a lane up to `n`; never takes back what it said before.
pub(crate) async fn confirm(
    conn: &mut SqliteConnection,
    incarnation: u32,
    lane: Lane,
    n: u64,
    at_ms: i64,
) -> Result<(), StoreError> {
    let is_present: bool = sqlx::query_scalar("select incarnation = ? from device")
        .bind(incarnation)
        .fetch_one(&mut *conn)
        .await?;
    if is_present {
        sqlx::query("update lane_ack set acked_n = max(acked_n, ?1), at = ?2 where lane = ?3")
            .bind(signed(n))
            .bind(at_ms)
            .bind(lane.number())
            .execute(conn)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "update past_incarnation set acked_n = max(acked_n, min(head_n, ?1)) \
         where incarnation = ?2 and lane = ?3",
    )
    .bind(signed(n))
    .bind(incarnation)
    .bind(lane.number())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a receipt as signed, as the last of its lane.
pub(crate) async fn keep_receipt(
    conn: &mut SqliteConnection,
    receipt: &Receipt,
    signed_receipt: &Signed,
) -> Result<(), StoreError> {
    sqlx::query("insert or replace into receipt (lane, body, signature) values (?, ?, ?)")
        .bind(receipt.lane.number())
        .bind(signed_receipt.body.get().to_owned())
        .bind(signed_receipt.signature.clone())
        .execute(&mut *conn)
        .await?;
    sqlx::query("update lane_ack set at = ? where lane = ?")
        .bind(to_ms(receipt.at))
        .bind(receipt.lane.number())
        .execute(conn)
        .await?;
    Ok(())
}
