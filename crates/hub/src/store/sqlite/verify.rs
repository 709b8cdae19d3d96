//! The check of the whole ledger: the hub's chain over the log, each lane's
//! own chain and gapless numbers, and every complaint folded anew against its
//! row. Reads one consistent snapshot and stops at the first bad row.

use std::collections::HashMap;

use futures::TryStreamExt as _;
use sqlx::{Connection as _, SqliteConnection};
use suda_domain::DeviceId;
use suda_domain::time::Timekeeping;
use suda_sync::Hash;
use suda_sync::evidence::Hashing;
use uuid::Uuid;

use super::value::{count, hash, lane, number};
use super::{barred, copies, failed, learning, letters};
use crate::store::barred::KnownLines;
use crate::store::checks::{ComplaintRow, LaneKey, Lanes, LogRow, fault, line, refold};
use crate::store::{Fault, Result, Verified};

pub async fn verify(connection: &mut SqliteConnection, keep: &Timekeeping) -> Result<Verified> {
    let mut tx = connection.begin().await.map_err(failed)?;
    let mut verified = Verified::default();
    verified.fault = check(&mut tx, keep, &mut verified).await?;
    Ok(verified)
}

/// Runs the checks in order and gives the first fault.
async fn check(
    connection: &mut SqliteConnection,
    keep: &Timekeeping,
    verified: &mut Verified,
) -> Result<Option<Fault>> {
    if let Some(fault) = file(connection).await? {
        return Ok(Some(fault));
    }
    let aside = set_aside(connection).await?;
    let mut lanes = Lanes::new(aside);
    if let Some(fault) = log(connection, &mut lanes, verified).await? {
        return Ok(Some(fault));
    }
    verified.lanes = lanes.ends.len() as u64;
    if let Some(fault) = heads(connection, &mut lanes).await? {
        return Ok(Some(fault));
    }
    if let Some(fault) = complaints(connection, keep, verified).await? {
        return Ok(Some(fault));
    }
    // Of the same snapshot, not those kept from before.
    let lines = barred::lines(connection, &KnownLines::default()).await?;
    if let Some(fault) = barred::differing(connection, &lines).await? {
        return Ok(Some(fault));
    }
    if let Some(fault) = beside_the_chain(connection).await? {
        return Ok(Some(fault));
    }
    if let Some(fault) = evidence(connection).await? {
        return Ok(Some(fault));
    }
    if let Some(fault) = letters::check(connection).await? {
        return Ok(Some(fault));
    }
    if let Some(fault) = learning::check(connection).await? {
        return Ok(Some(fault));
    }
    if let Some(fault) = copies::differing(connection).await? {
        return Ok(Some(fault));
    }
    copies::schema(connection).await
}

async fn file(connection: &mut SqliteConnection) -> Result<Option<Fault>> {
    let answer: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok((answer != "ok").then(|| fault("database file", answer)))
}

/// Events kept apart fill their numbers' places in the lanes.
async fn set_aside(
    connection: &mut SqliteConnection,
) -> Result<HashMap<LaneKey, HashMap<u64, Hash>>> {
    let rows: Vec<(Uuid, i64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT device, incarnation, lane, n, hash FROM quarantine AS q WHERE NOT EXISTS \
         (SELECT 1 FROM log WHERE log.device = q.device AND log.incarnation = q.incarnation \
          AND log.lane = q.lane AND log.n = q.n) ORDER BY id",
    )
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let mut aside: HashMap<LaneKey, HashMap<u64, Hash>> = HashMap::new();
    for (device, incarnation, on, n, of) in rows {
        let key = (DeviceId(device), number(incarnation)?, lane(on)?);
        // A later fork of the same number did not move the lane.
        aside
            .entry(key)
            .or_default()
            .entry(count(n))
            .or_insert(hash(&of)?);
    }
    Ok(aside)
}

async fn log(
    connection: &mut SqliteConnection,
    lanes: &mut Lanes,
    verified: &mut Verified,
) -> Result<Option<Fault>> {
    let mut rows = sqlx::query_as::<_, LogRow>(
        "SELECT seq, branch, complaint, device, incarnation, lane, n, body, prev, hash, chain \
         FROM log ORDER BY seq",
    )
    .fetch(connection);
    let mut chain = vec![0; 32];
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        verified.events += 1;
        let seq = row.0;
        if let Some(reason) = line(row, verified.events, &mut chain, lanes) {
            return Ok(Some(fault(format!("log seq {seq}"), reason)));
        }
    }
    Ok(None)
}

async fn heads(connection: &mut SqliteConnection, lanes: &mut Lanes) -> Result<Option<Fault>> {
    let rows: Vec<(Uuid, i64, i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT device, incarnation, lane, n, hash FROM lane_head ORDER BY device, incarnation, lane",
    )
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    for (device, incarnation, on, n, of) in rows {
        let key = (DeviceId(device), number(incarnation)?, lane(on)?);
        lanes.skip_aside(key);
        let end = lanes.ends.remove(&key).unwrap_or((0, Hash::START));
        if end != (count(n), hash(&of)?) {
            let row = format!("lane {on} of device {device}, incarnation {incarnation}");
            let reason = format!("its events end at {}, its head says {n}", end.0);
            return Ok(Some(fault(row, reason)));
        }
    }
    let headless = lanes.ends.iter().find(|(_, end)| end.0 > 0);
    Ok(headless.map(|((device, incarnation, on), _)| {
        let row = format!(
            "lane {} of device {device}, incarnation {incarnation}",
            on.number()
        );
        fault(row, "its head is missing")
    }))
}

/// Folds each complaint's events and compares with its row.
async fn complaints(
    connection: &mut SqliteConnection,
    keep: &Timekeeping,
    verified: &mut Verified,
) -> Result<Option<Fault>> {
    let mut after = Uuid::nil();
    loop {
        let rows = complaint_rows(connection, after).await?;
        let Some(last) = rows.last() else { break };
        let upto = last.0;
        let mut events = events(connection, after, upto).await?;
        for row in rows {
            verified.complaints += 1;
            let own = events.remove(&row.0).unwrap_or_default();
            if let Some(reason) = refold(&row, &own, keep) {
                return Ok(Some(fault(format!("complaint {}", row.1), reason)));
            }
        }
        if let Some(id) = events.keys().next() {
            return Ok(Some(fault(
                format!("complaint {id}"),
                "it has events and no row",
            )));
        }
        after = upto;
    }
    let rowless: Option<Uuid> =
        sqlx::query_scalar("SELECT complaint FROM log WHERE complaint > ? LIMIT 1")
            .bind(after)
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    Ok(rowless.map(|id| fault(format!("complaint {id}"), "it has events and no row")))
}

/// What the chains do not cover: when an event came, and which is a complaint's
/// last.
async fn beside_the_chain(connection: &mut SqliteConnection) -> Result<Option<Fault>> {
    let time = "SELECT seq FROM log WHERE received_at IS NOT received_again LIMIT 1";
    let time: Option<i64> = sqlx::query_scalar(time)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    if let Some(seq) = time {
        let reason = "the time beside it is not the one it came at";
        return Ok(Some(fault(format!("log seq {seq}"), reason)));
    }
    let last = "SELECT reference FROM complaint AS c WHERE updated_seq IS NOT \
                (SELECT max(seq) FROM log WHERE log.complaint = c.id) LIMIT 1";
    let last: Option<String> = sqlx::query_scalar(last)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    Ok(last.map(|reference| {
        let reason = "its row names another event as the last one";
        fault(format!("complaint {reference}"), reason)
    }))
}

/// Hashes the bytes of every file that is whole.
async fn evidence(connection: &mut SqliteConnection) -> Result<Option<Fault>> {
    let files: Vec<(String, String, Uuid)> = sqlx::query_as(
        "SELECT complaint.reference, named.value ->> '$.file.sha256', file.id FROM evidence_file AS file \
         JOIN complaint ON complaint.id = file.complaint \
         JOIN json_each(complaint.body, '$.evidence') AS named \
           ON replace(named.value ->> '$.file.id', '-', '') = lower(hex(file.id)) \
         WHERE file.complete_at IS NOT NULL ORDER BY file.id",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    for (reference, sha256, file) in files {
        let mut hashing = Hashing::default();
        let mut slices = sqlx::query_scalar::<_, Vec<u8>>(
            "SELECT data FROM evidence_slice WHERE file = ? ORDER BY at",
        )
        .bind(file)
        .fetch(&mut *connection);
        while let Some(data) = slices.try_next().await.map_err(failed)? {
            hashing.take(&data);
        }
        if hashing.end().to_string() != sha256 {
            let row = format!("evidence {file} of complaint {reference}");
            return Ok(Some(fault(row, "its bytes do not give its hash")));
        }
    }
    Ok(None)
}

/// The next rows behind an id. In parts, so that a large ledger does not have
/// to fit into memory.
pub async fn complaint_rows(
    connection: &mut SqliteConnection,
    after: Uuid,
) -> Result<Vec<ComplaintRow>> {
    sqlx::query_as(
        "SELECT id, reference, branch, state, rank, due, in_queue, with_team, claimed_by, \
         alert_pending, arrived_at, queued_at, handoff_due, tell_at, told, body FROM complaint WHERE id > ? \
         ORDER BY id LIMIT 500",
    )
    .bind(after)
    .fetch_all(connection)
    .await
    .map_err(failed)
}

/// The events of the complaints between two ids, in order.
pub async fn events(
    connection: &mut SqliteConnection,
    after: Uuid,
    upto: Uuid,
) -> Result<HashMap<Uuid, Vec<String>>> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT complaint, body FROM log WHERE complaint > ? AND complaint <= ? \
         ORDER BY complaint, seq",
    )
    .bind(after)
    .bind(upto)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let mut events: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (id, body) in rows {
        events.entry(id).or_default().push(body);
    }
    Ok(events)
}
