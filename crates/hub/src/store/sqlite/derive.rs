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
        "UPDATE complaint SET state = ?, rank = ?, due = ?, in_queue = ?, with_team = ?, \
         claimed_by = ?, alert_pending = ?, arrived_at = ?, queued_at = ?, handoff_due = ?, \
         tell_at = ?, told = ?, body = ? WHERE id = ?",
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
            "SELECT id, due, handoff_due, tell_at, told, body FROM complaint WHERE (rank < ? OR tell_at IS NOT NULL) \
             AND id > ? \
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
            sqlx::query(
                "UPDATE complaint SET due = ?, handoff_due = ?, tell_at = ?, told = ? WHERE id = ?",
            )
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
