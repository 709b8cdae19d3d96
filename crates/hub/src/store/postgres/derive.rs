//! Making rows anew from what they are derived from: from the ledger where an
//! older program has made them, and when the rules of time are replaced.

use suda_domain::Complaint;
use suda_domain::time::{TimeRules, Timekeeping};
use uuid::Uuid;

use super::apply::duties;
use super::directory::{HUB, bump_directory, find_setting, find_text, put_setting, time};
use super::value::{json, ms, parsed};
use super::verify::{complaint_rows, events};
use super::{Tx, barred, failed};
use crate::store::Result;
use crate::store::barred::KnownLines;
use crate::store::checks::{fold, made_anew};
use crate::store::row::{FINISHED, Row};
use crate::store::time::{CompiledTime, DERIVATION, DERIVED, TIME, TIME_CHANGES, TimeChange};

/// Makes the rows anew that an older program has made otherwise. Gives how
/// many. Desks hear of it as of a change of the directory, as they count with
/// the same rules.
pub async fn after_upgrade(tx: &mut Tx<'_>) -> Result<u64> {
    // As texts: a damaged setting is for the check to name.
    let is_new = find_text(&mut *tx, HUB).await?.is_none();
    if is_new || find_text(&mut *tx, DERIVED).await? == Some(DERIVATION.to_string()) {
        return Ok(0);
    }
    // Another process may be at it: waited for, however long its ledger takes.
    sqlx::query("SET LOCAL lock_timeout = 0")
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    lock_ledger(tx).await?;
    if find_text(&mut *tx, DERIVED).await? == Some(DERIVATION.to_string()) {
        return Ok(0);
    }
    let keep = time(&mut *tx, &CompiledTime::default()).await?;
    let lines = barred::lines(tx, &KnownLines::default()).await?;
    for sql in ["DELETE FROM barred", "DELETE FROM link"] {
        sqlx::query(sql).execute(&mut **tx).await.map_err(failed)?;
    }
    let (mut after, mut made) = (Uuid::nil(), 0);
    loop {
        let rows = complaint_rows(&mut *tx, after).await?;
        let Some(last) = rows.last() else { break };
        let upto = last.0;
        let mut events = events(&mut *tx, after, upto).await?;
        for row in &rows {
            let own = events.remove(&row.0).unwrap_or_default();
            if let Some(complaint) = made_anew(row, &own, &keep) {
                write(tx, &complaint, &keep).await?;
                made += 1;
            }
            // What is damaged is for the check to name.
            if let Ok(Some(complaint)) = fold(&own) {
                barred::write(tx, &complaint, &lines).await?;
                duties(tx, &[&complaint]).await?;
            }
        }
        after = upto;
    }
    put_setting(tx, DERIVED, &DERIVATION).await?;
    bump_directory(tx).await?;
    Ok(made)
}

async fn write(tx: &mut Tx<'_>, complaint: &Complaint, keep: &Timekeeping) -> Result<()> {
    let row = Row::of(complaint, keep);
    sqlx::query(
        "UPDATE complaint SET state = $1, rank = $2, due = $3, in_queue = $4, with_team = $5, \
         claimed_by = $6, alert_pending = $7, arrived_at = $8, queued_at = $9, handoff_due = $10, \
         tell_at = $11, told = $12, body = $13 WHERE id = $14",
    )
    .bind(complaint.state.name())
    .bind(row.rank)
    .bind(row.due)
    .bind(row.in_queue)
    .bind(row.with_team)
    .bind(row.claimed_by.map(|expert| expert.0))
    .bind(row.alert_pending)
    .bind(ms(complaint.arrived_at))
    .bind(row.queued_at.map(ms))
    .bind(row.handoff_due.map(ms))
    .bind(row.tell_at)
    .bind(row.told)
    .bind(json(complaint)?)
    .bind(complaint.id.0)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    duties(tx, &[complaint]).await
}

/// Replaces the rules of time and counts every running deadline by the new
/// ones. False when they are no longer those of `before`.
pub async fn replace_time(
    tx: &mut Tx<'_>,
    compiled: &CompiledTime,
    before: &TimeRules,
    after: &TimeRules,
    changes: Vec<TimeChange>,
) -> Result<bool> {
    // Nothing is counted by the old rules behind the new ones' back.
    lock_ledger(tx).await?;
    bump_directory(tx).await?;
    if time(&mut *tx, compiled).await?.rules() != *before {
        return Ok(false);
    }
    let known: Option<Vec<TimeChange>> = find_setting(&mut *tx, TIME_CHANGES).await?;
    let all: Vec<TimeChange> = known.into_iter().flatten().chain(changes).collect();
    put_setting(tx, TIME_CHANGES, &all).await?;
    put_setting(tx, TIME, after).await?;
    count_anew(tx, &Timekeeping::from(after.clone())).await?;
    Ok(true)
}

/// id, due, handoff_due, tell_at, told, body.
type CountedRow = (Uuid, i64, Option<i64>, Option<i64>, i64, String);

async fn count_anew(tx: &mut Tx<'_>, keep: &Timekeeping) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let rows: Vec<CountedRow> = sqlx::query_as(
            "SELECT id, due, handoff_due, tell_at, told, body FROM complaint WHERE (rank < $1 OR tell_at IS NOT NULL) \
             AND id > $2 \
             ORDER BY id LIMIT 500",
        )
        .bind(FINISHED)
        .bind(after)
        .fetch_all(&mut **tx)
        .await
        .map_err(failed)?;
        let Some(last) = rows.last() else { break };
        after = last.0;
        for (id, due, hour, tell_at, told, body) in rows {
            let row = Row::of(&parsed(&body)?, keep);
            let now = (row.due, row.handoff_due.map(ms), row.tell_at, row.told);
            if now == (due, hour, tell_at, told) {
                continue;
            }
            sqlx::query("UPDATE complaint SET due = $1, handoff_due = $2, tell_at = $3, told = $4 WHERE id = $5")
                .bind(row.due)
                .bind(row.handoff_due.map(ms))
                .bind(row.tell_at)
                .bind(row.told)
                .bind(id)
                .execute(&mut **tx)
                .await
                .map_err(failed)?;
        }
    }
    Ok(())
}

pub async fn lock_ledger(tx: &mut Tx<'_>) -> Result<()> {
    sqlx::query("SELECT 1 FROM log_head FOR UPDATE")
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}
