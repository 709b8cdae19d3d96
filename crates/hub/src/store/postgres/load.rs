//! What a group concerns, read under the ledger's lock.

use crate::store::time::{CompiledTime, POLICY, TIME};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use suda_domain::time::Timekeeping;

use sqlx::PgConnection;
use suda_domain::{ComplaintId, DeviceId, Origin, ReferenceNumber, StaffId};
use suda_sync::Hash;
use suda_sync::place::LaneHead;
use uuid::Uuid;

use super::directory::{HUB, HubPlace, StaffRow, record};
use super::ledger::held;
use super::sms::on_duty;
use super::{Tx, barred, failed};
use crate::group::{Concerned, World};
use crate::ingest::{Batch, HeldRecord};
use crate::store::value::{count, hash, int, lane, number, parsed};
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

/// Locks the ledger and reads. The lock comes first and alone: what is read
/// after it is what the transaction before left.
pub async fn world<'b>(
    tx: &mut Tx<'_>,
    compiled: &CompiledTime,
    concerned: &Concerned,
    batches: impl Iterator<Item = &'b Batch> + Send,
) -> Result<Loaded> {
    let (seq, chain): (i64, Vec<u8>) = sqlx::query_as("SELECT seq, chain FROM log_head FOR UPDATE")
        .fetch_one(&mut **tx)
        .await
        .map_err(failed)?;
    let (place, time) = settings(tx, compiled).await?;
    let mut world = World::new(place.device, place.incarnation, Arc::clone(&time));
    world.restored_at = place.restored_at;
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
    staff(tx, &concerned.staff, &mut world).await?;
    if !concerned.step_keys.is_empty() {
        let keys: Vec<Uuid> = concerned.step_keys.iter().copied().collect();
        let done: Vec<Uuid> = sqlx::query_scalar("SELECT key FROM done_step WHERE key = ANY($1)")
            .bind(keys)
            .fetch_all(&mut **tx)
            .await
            .map_err(failed)?;
        world.done_steps.extend(done);
    }
    if !concerned.complaints.is_empty() {
        world.held = held_records(tx, &concerned.complaints).await?;
        let held_by = world
            .held
            .iter()
            .filter_map(|record| record.event.actor.staff);
        let held_by: BTreeSet<StaffId> = held_by.collect();
        staff(tx, &held_by, &mut world).await?;
    }
    world.renamed.clone_from(&concerned.renamed);
    let any_renamed = any_renamed(tx).await?;
    for batch in batches {
        let lane = (batch.device, batch.incarnation, batch.lane);
        if batch.first_n <= world.head(lane).n {
            let known = known(tx, batch).await?;
            world.known.entry(lane).or_default().extend(known);
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
        end: End { seq, chain },
        time,
    })
}

async fn settings(
    tx: &mut Tx<'_>,
    compiled: &CompiledTime,
) -> Result<(HubPlace, Arc<Timekeeping>)> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT name, value FROM setting WHERE name = ANY($1)")
            .bind([HUB, TIME, POLICY].as_slice())
            .fetch_all(&mut **tx)
            .await
            .map_err(failed)?;
    let mut found: HashMap<String, String> = rows.into_iter().collect();
    let hub = found.remove(HUB);
    let missing = || StoreError::Damaged(format!("the setting {HUB} is missing"));
    let place = parsed(&hub.ok_or_else(missing)?)?;
    let time = compiled.of(found.remove(TIME), found.remove(POLICY))?;
    Ok((place, time))
}

type HeadRow = (Uuid, i64, i64, i64, Vec<u8>);

async fn heads(tx: &mut Tx<'_>, concerned: &Concerned, world: &mut World) -> Result<()> {
    let devices: Vec<Uuid> = concerned
        .devices
        .iter()
        .chain([&world.device])
        .map(|device| device.0)
        .collect();
    let rows: Vec<HeadRow> = sqlx::query_as(
        "SELECT device, incarnation, lane, n, hash FROM lane_head WHERE device = ANY($1)",
    )
    .bind(devices)
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
    let ids: Vec<Uuid> = concerned.complaints.iter().map(|id| id.0).collect();
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT body, until FROM complaint LEFT JOIN lease ON lease.complaint = id \
         WHERE id = ANY($1)",
    )
    .bind(ids)
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
    let wanted: Vec<String> = concerned.references.iter().cloned().collect();
    let rows: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT reference, id FROM complaint WHERE reference = ANY($1)")
            .bind(wanted)
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

async fn staff(tx: &mut Tx<'_>, wanted: &BTreeSet<StaffId>, world: &mut World) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = wanted.iter().map(|id| id.0).collect();
    let rows: Vec<StaffRow> = sqlx::query_as(
        "SELECT id, login, name, role, branch, password_hash, active, superior FROM staff WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    for row in rows {
        let record = record(row)?;
        world.staff.insert(StaffId(record.id.0), record);
    }
    Ok(())
}

/// Records that wait for a predecessor and concern these complaints.
async fn held_records(
    tx: &mut Tx<'_>,
    complaints: &BTreeSet<ComplaintId>,
) -> Result<Vec<HeldRecord>> {
    let ids: Vec<Uuid> = complaints.iter().map(|id| id.0).collect();
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT id, branch, complaint, body, prev, hash, reason FROM quarantine \
         WHERE resolved_at IS NULL AND complaint = ANY($1) ORDER BY id",
    )
    .bind(ids)
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    waiting(rows, complaints)
}

/// Whether anything was ever stored under a new number.
async fn any_renamed(connection: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM origin)")
        .fetch_one(connection)
        .await
        .map_err(failed)
}

/// Of what the batch's own numbers stand for, what was stored under new ones.
async fn renamed_before(tx: &mut Tx<'_>, batch: &Batch) -> Result<HashSet<Origin>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT n, hash FROM origin \
         WHERE device = $1 AND incarnation = $2 AND lane = $3 AND n BETWEEN $4 AND $5",
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
async fn has_come(connection: &mut PgConnection, origin: &Origin) -> Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM origin WHERE device = $1 AND incarnation = $2 \
         AND lane = $3 AND n = $4 AND hash = $5) OR EXISTS (SELECT 1 FROM log \
         WHERE device = $1 AND incarnation = $2 AND lane = $3 AND n = $4 \
         AND encode(hash, 'hex') = $5) OR EXISTS (SELECT 1 FROM quarantine WHERE device = $1 \
         AND incarnation = $2 AND lane = $3 AND n = $4 AND encode(hash, 'hex') = $5)",
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

async fn known(connection: &mut PgConnection, batch: &Batch) -> Result<HashMap<u64, Hash>> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT n, hash FROM log \
         WHERE device = $1 AND incarnation = $2 AND lane = $3 AND n BETWEEN $4 AND $5 \
         UNION ALL SELECT n, hash FROM quarantine \
         WHERE device = $1 AND incarnation = $2 AND lane = $3 AND n BETWEEN $4 AND $5",
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
