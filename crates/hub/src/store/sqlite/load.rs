//! What a group concerns, read in the transaction that will change it. Lists
//! go in as one JSON value each, so that every statement is prepared once.

use crate::store::time::CompiledTime;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use suda_domain::time::Timekeeping;

use sqlx::SqliteConnection;
use suda_domain::{ComplaintId, DeviceId, Origin, ReferenceNumber, StaffId};
use suda_sync::Hash;
use suda_sync::place::LaneHead;
use uuid::Uuid;

use super::directory::{place, staff_among, time};
use super::ledger::held;
use super::sms::on_duty;
use super::{Tx, barred, failed};
use crate::group::{Concerned, World};
use crate::ingest::{Batch, HeldRecord};
use crate::store::value::{count, hash, int, json, lane, number};
use crate::store::waiting::{WaitingRow, waiting};
use crate::store::{Result, StoreError};

/// Where the log ends.
pub struct End {
    pub seq: i64,
    pub chain: Vec<u8>,
}

pub struct Loaded {
    pub world: World,
    pub end: End,
    pub time: Arc<Timekeeping>,
}

/// Reads what the requests concern.
pub async fn world<'b>(
    tx: &mut Tx<'_>,
    compiled: &CompiledTime,
    concerned: &Concerned,
    batches: impl Iterator<Item = &'b Batch> + Send,
) -> Result<Loaded> {
    let hub = place(tx).await?;
    let time = time(tx, compiled).await?;
    let mut world = World::new(hub.device, hub.incarnation, Arc::clone(&time));
    world.restored_at = hub.restored_at;
    world.lines = barred::lines(tx, &compiled.lines).await?;
    let along = barred::along(tx, concerned.complaints.iter().copied()).await?;
    if !along.is_empty() {
        world.lines = Arc::new(world.lines.with_along(along));
    }
    heads(tx, concerned, &mut world).await?;
    complaints(tx, concerned, &mut world).await?;
    if concerned.by_rule {
        world.on_duty = on_duty(tx, &world.branches()).await?;
    }
    if !concerned.references.is_empty() {
        references(tx, concerned, &mut world).await?;
    }
    if !concerned.step_keys.is_empty() {
        step_keys(tx, concerned, &mut world).await?;
    }
    if !concerned.complaints.is_empty() {
        world.held = held_records(tx, &concerned.complaints).await?;
    }
    let held_by = world.held.iter();
    let held_by = held_by.filter_map(|record| record.event.actor.staff);
    let people: BTreeSet<StaffId> = concerned.staff.iter().copied().chain(held_by).collect();
    if !people.is_empty() {
        let found = staff_among(tx, &ids(people.iter().map(|id| id.0))).await?;
        let found = found.into_iter().map(|record| (record.id, record));
        world.staff.extend(found);
    }
    world.renamed.clone_from(&concerned.renamed);
    let any_renamed = any_renamed(tx).await?;
    for batch in batches {
        let key = (batch.device, batch.incarnation, batch.lane);
        if batch.first_n <= world.head(key).n {
            let known = known(tx, batch).await?;
            world.known.entry(key).or_default().extend(known);
        }
        if any_renamed {
            world.arrived.extend(renamed_before(tx, batch).await?);
        }
    }
    for origin in &concerned.renamed {
        if has_come(tx, origin).await? {
            world.arrived.insert(origin.clone());
        }
    }
    Ok(Loaded {
        world,
        end: end(tx).await?,
        time,
    })
}

/// Ids as a JSON list of hexadecimal texts.
pub fn ids(ids: impl Iterator<Item = Uuid>) -> String {
    let texts: Vec<String> = ids.map(|id| format!("\"{}\"", id.simple())).collect();
    format!("[{}]", texts.join(","))
}

async fn end(tx: &mut Tx<'_>) -> Result<End> {
    let last: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT seq, chain FROM log ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut **tx)
            .await
            .map_err(failed)?;
    let (seq, chain) = last.unwrap_or((0, vec![0; 32]));
    Ok(End { seq, chain })
}

type HeadRow = (Uuid, i64, i64, i64, Vec<u8>);

async fn heads(tx: &mut Tx<'_>, concerned: &Concerned, world: &mut World) -> Result<()> {
    let devices = concerned.devices.iter().chain([&world.device]);
    let rows: Vec<HeadRow> = sqlx::query_as(
        "SELECT device, incarnation, lane, n, hash FROM lane_head \
         WHERE device IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(ids(devices.map(|device| device.0)))
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    for (device, incarnation, on, n, of) in rows {
        let head = LaneHead {
            n: count(n),
            hash: hash(&of)?,
        };
        let key = (DeviceId(device), number(incarnation)?, lane(on)?);
        world.heads.insert(key, head);
    }
    Ok(())
}

async fn complaints(tx: &mut Tx<'_>, concerned: &Concerned, world: &mut World) -> Result<()> {
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT body, until FROM complaint LEFT JOIN lease ON lease.complaint = id \
         WHERE id IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(ids(concerned.complaints.iter().map(|id| id.0)))
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    for row in rows {
        let held = held(row)?;
        world.complaints.insert(held.complaint.id, held);
    }
    Ok(())
}

async fn references(tx: &mut Tx<'_>, concerned: &Concerned, world: &mut World) -> Result<()> {
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "SELECT reference, id FROM complaint \
         WHERE reference IN (SELECT value FROM json_each(?))",
    )
    .bind(json(&concerned.references)?)
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    for (reference, id) in rows {
        let reference = ReferenceNumber::try_from(reference)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        world.references.insert(reference, ComplaintId(id));
    }
    Ok(())
}

async fn step_keys(tx: &mut Tx<'_>, concerned: &Concerned, world: &mut World) -> Result<()> {
    let done: Vec<Uuid> = sqlx::query_scalar(
        "SELECT key FROM done_step WHERE key IN (SELECT unhex(value) FROM json_each(?))",
    )
    .bind(ids(concerned.step_keys.iter().copied()))
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    world.done_steps.extend(done);
    Ok(())
}

/// Records that wait for a predecessor and concern these complaints.
async fn held_records(
    tx: &mut Tx<'_>,
    complaints: &BTreeSet<ComplaintId>,
) -> Result<Vec<HeldRecord>> {
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT id, branch, complaint, body, prev, hash, reason FROM quarantine \
         WHERE resolved_at IS NULL AND complaint IN (SELECT unhex(value) FROM json_each(?)) \
         ORDER BY id",
    )
    .bind(ids(complaints.iter().map(|id| id.0)))
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    waiting(rows, complaints)
}

/// Whether anything was ever stored under a new number.
async fn any_renamed(connection: &mut SqliteConnection) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM origin)")
        .fetch_one(connection)
        .await
        .map_err(failed)
}

/// Of what the batch's own numbers stand for, what was stored under new ones.
async fn renamed_before(tx: &mut Tx<'_>, batch: &Batch) -> Result<HashSet<Origin>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT n, hash FROM origin \
         WHERE device = ? AND incarnation = ? AND lane = ? AND n BETWEEN ? AND ?",
    )
    .bind(batch.device.0)
    .bind(i64::from(batch.incarnation))
    .bind(i64::from(batch.lane.number()))
    .bind(int(batch.first_n))
    .bind(int(batch.last_n()))
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    let origins = rows.into_iter().map(|(n, hash)| Origin {
        key: batch.key(count(n)),
        hash,
    });
    Ok(origins.collect())
}

/// Whether what an event was first has come: as it was, or under another new
/// number.
async fn has_come(connection: &mut SqliteConnection, origin: &Origin) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM origin WHERE device = ?1 AND incarnation = ?2 \
         AND lane = ?3 AND n = ?4 AND hash = ?5) OR EXISTS (SELECT 1 FROM log \
         WHERE device = ?1 AND incarnation = ?2 AND lane = ?3 AND n = ?4 \
         AND lower(hex(hash)) = ?5) OR EXISTS (SELECT 1 FROM quarantine WHERE device = ?1 \
         AND incarnation = ?2 AND lane = ?3 AND n = ?4 AND lower(hex(hash)) = ?5)",
    )
    .bind(origin.key.device.0)
    .bind(i64::from(origin.key.incarnation))
    .bind(i64::from(origin.key.lane.number()))
    .bind(int(origin.key.n))
    .bind(&origin.hash)
    .fetch_one(connection)
    .await
    .map_err(failed)
}

async fn known(connection: &mut SqliteConnection, batch: &Batch) -> Result<HashMap<u64, Hash>> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT n, hash FROM log \
         WHERE device = ?1 AND incarnation = ?2 AND lane = ?3 AND n BETWEEN ?4 AND ?5 \
         UNION ALL SELECT n, hash FROM quarantine \
         WHERE device = ?1 AND incarnation = ?2 AND lane = ?3 AND n BETWEEN ?4 AND ?5",
    )
    .bind(batch.device.0)
    .bind(i64::from(batch.incarnation))
    .bind(i64::from(batch.lane.number()))
    .bind(int(batch.first_n))
    .bind(int(batch.last_n()))
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let mut known = HashMap::new();
    for (n, of) in rows {
        // The log's own comes first and stays.
        known.entry(count(n)).or_insert(hash(&of)?);
    }
    Ok(known)
}
