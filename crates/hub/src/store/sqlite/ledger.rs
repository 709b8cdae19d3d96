//! Events in and out, and the steps of the hub's people.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, Transaction};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    BranchCode, Complaint, ComplaintId, DeviceId, Lane, Origin, ReferenceNumber, StaffId, State,
};
use suda_sync::place::LaneHead;
use suda_sync::{Hash, LogEntry};
use uuid::Uuid;

use super::apply::Applying;
use super::directory::{hub_place, policy, staff_record};
use super::value::{count, hash, int, lane, ms, parsed, sealed, time};
use super::{SqliteStore, begin, failed};
use crate::ingest::{Batch, Case, Changes, Head, HeldRecord, Situation, judge};
use crate::pen::{Pen, PenError};
use crate::store::waiting::{WaitingRow, waiting};
use crate::store::{
    Held, Ingested, Ledger, LogPage, Own, Result, Step, StepError, StepRefused, StoreError, Stored,
};

type Tx<'t> = Transaction<'t, Sqlite>;
/// A line of the log for a page: place, lane, number, the body unless the
/// device holds it, the hash before, the hash.
type LogRow = (i64, i64, i64, Option<String>, Vec<u8>, Vec<u8>);
/// Lines of the log looked at for one page, with those left out.
const LOOKED_AT: u32 = 4000;

#[async_trait]
impl Ledger for SqliteStore {
    async fn ingest(&self, batch: Batch) -> Result<Ingested> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let policy = policy(&mut tx).await?;
        let situation = situation(&mut tx, &batch).await?;
        let mut pen = pen(&mut tx, batch.now, batch.mono_ms).await?;
        let judgement = judge(&batch, situation, &mut pen)
            .map_err(|error| StoreError::Failed(Box::new(error)))?;
        let applying = Applying {
            now_ms: ms(batch.now),
            policy: &policy,
            calendar: &self.calendar,
        };
        let touched = applying.apply(&mut tx, &judgement.changes).await?;
        let watermarks = watermarks(&mut tx, batch.device, batch.incarnation).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        if !touched.complaints.is_empty() || touched.quarantine {
            self.tell(touched);
        }
        Ok(Ingested {
            verdicts: judgement.verdicts,
            watermarks,
        })
    }

    async fn step(&self, step: Step) -> Result<Complaint, StepError> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let held = load(&mut tx, step.complaint)
            .await?
            .ok_or(StepError::Unknown)?;
        let before = &held.complaint;
        if let Some(key) = step.key {
            let added = sqlx::query("INSERT OR IGNORE INTO done_step (key, at) VALUES (?, ?)")
                .bind(key)
                .bind(ms(step.now))
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
            if added.rows_affected() == 0 {
                return Ok(held.complaint);
            }
        }
        let mut pen = pen(&mut tx, step.now, step.mono_ms).await?;
        let mut after = before.clone();
        let mut entries = Vec::new();
        for fact in (step.decide)(&held)? {
            let entry = pen
                .write(&mut after, &step.actor, fact)
                .map_err(|error| match error {
                    PenError::Refused(refusal) => StepError::Refused(StepRefused::Rule(refusal)),
                    PenError::Json(error) => StepError::Store(StoreError::Failed(Box::new(error))),
                })?;
            entries.push(entry);
        }
        if entries.is_empty() {
            return Ok(held.complaint);
        }
        let changes = Changes {
            entries,
            cases: vec![Case::new(Some(before), after.clone())],
            heads: vec![Head {
                device: pen.device,
                incarnation: pen.incarnation,
                lane: Pen::LANE,
                head: pen.head,
            }],
            ..Changes::default()
        };
        let policy = policy(&mut tx).await?;
        let applying = Applying {
            now_ms: ms(step.now),
            policy: &policy,
            calendar: &self.calendar,
        };
        let touched = applying.apply(&mut tx, &changes).await?;
        tx.commit().await.map_err(failed)?;
        drop(writer);
        self.tell(touched);
        Ok(after)
    }

    async fn log_after(
        &self,
        branch: &BranchCode,
        cursor: u64,
        max_entries: u32,
        max_bytes: usize,
        held: Option<Own>,
    ) -> Result<LogPage> {
        let mut reader = self.reader().await?;
        let held = held.unwrap_or(Own {
            device: DeviceId(Uuid::nil()),
            incarnation: 0,
            upto: [0; 4],
        });
        // One that the device holds costs its place in the index, not its body.
        let rows: Vec<LogRow> = sqlx::query_as(
            "SELECT seq, lane, n, iif(held, NULL, body), prev, hash FROM (SELECT seq, body, prev, \
             hash, lane, n, device = ?3 AND incarnation = ?4 AND n <= CASE lane WHEN 0 THEN ?5 WHEN 1 THEN \
             ?6 WHEN 2 THEN ?7 ELSE ?8 END AS held FROM log WHERE branch = ?1 AND seq > ?2 \
             ORDER BY seq LIMIT ?9)",
        )
        .bind(branch.as_str())
        .bind(int(cursor))
        .bind(held.device.0)
        .bind(i64::from(held.incarnation))
        .bind(int(held.upto[0]))
        .bind(int(held.upto[1]))
        .bind(int(held.upto[2]))
        .bind(int(held.upto[3]))
        .bind(i64::from(LOOKED_AT.max(max_entries + 1)))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let mut page = LogPage {
            entries: Vec::new(),
            held: Vec::new(),
            cursor,
            more: false,
        };
        let mut bytes = 0;
        let looked_at = rows.len();
        for (seq, on, n, body, prev, of) in rows {
            if let Some(body) = body {
                bytes += body.len();
                let full = page.entries.len() >= max_entries as usize
                    || bytes > max_bytes && !page.entries.is_empty();
                if full {
                    page.more = true;
                    return Ok(page);
                }
                page.entries.push(LogEntry {
                    seq: count(seq),
                    event: sealed(body, &prev, &of)?,
                });
            } else {
                page.held.push((lane(on)?, count(n), count(seq)));
            }
            page.cursor = count(seq);
        }
        page.more = looked_at >= LOOKED_AT.max(max_entries + 1) as usize;
        Ok(page)
    }

    async fn has_after(&self, branch: &BranchCode, cursor: u64) -> Result<bool> {
        let mut reader = self.reader().await?;
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM log WHERE branch = ? AND seq > ?)")
            .bind(branch.as_str())
            .bind(int(cursor))
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)
    }

    async fn timeline(&self, complaint: ComplaintId) -> Result<Vec<Stored>> {
        let mut reader = self.reader().await?;
        let rows: Vec<(i64, i64, String, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, received_at, body, prev, hash FROM log WHERE complaint = ? ORDER BY seq",
        )
        .bind(complaint.0)
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        rows.into_iter()
            .map(|(seq, at, body, prev, of)| {
                Ok(Stored {
                    seq: count(seq),
                    received_at: time(at)?,
                    sealed: sealed(body, &prev, &of)?,
                })
            })
            .collect()
    }

    async fn complaint(&self, id: ComplaintId) -> Result<Option<Held>> {
        load(&mut *self.reader().await?, id).await
    }

    async fn find_reference(&self, reference: &ReferenceNumber) -> Result<Option<ComplaintId>> {
        let mut reader = self.reader().await?;
        let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM complaint WHERE reference = ?")
            .bind(reference.as_str())
            .fetch_optional(&mut *reader)
            .await
            .map_err(failed)?;
        Ok(id.map(ComplaintId))
    }

    async fn renew(
        &self,
        complaint: ComplaintId,
        expert: StaffId,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let mut writer = self.writer().await;
        let done = sqlx::query("UPDATE lease SET until = ? WHERE complaint = ? AND expert = ?")
            .bind(ms(until))
            .bind(complaint.0)
            .bind(expert.0)
            .execute(&mut *writer)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    async fn lapsed(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<ComplaintId>> {
        let mut reader = self.reader().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT complaint FROM lease JOIN complaint ON complaint.id = lease.complaint \
             WHERE until <= ? AND state = ? ORDER BY until LIMIT ?",
        )
        .bind(ms(now))
        .bind(State::Claimed.name())
        .bind(i64::from(limit))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        Ok(ids.into_iter().map(ComplaintId).collect())
    }
}

/// A complaint's row with its lease, as the lists read it.
pub fn held((body, until): (String, Option<i64>)) -> Result<Held> {
    Ok(Held {
        complaint: parsed(&body)?,
        lease_until: until.map(time).transpose()?,
    })
}

async fn load(connection: &mut SqliteConnection, id: ComplaintId) -> Result<Option<Held>> {
    let row: Option<(String, Option<i64>)> = sqlx::query_as(
        "SELECT body, until FROM complaint LEFT JOIN lease ON lease.complaint = id WHERE id = ?",
    )
    .bind(id.0)
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    row.map(held).transpose()
}

async fn pen(tx: &mut Tx<'_>, now: DateTime<Utc>, mono_ms: u64) -> Result<Pen> {
    let (device, incarnation) = hub_place(tx).await?;
    let head = head(tx, device, incarnation, Pen::LANE).await?;
    Ok(Pen {
        device,
        incarnation,
        head,
        now,
        mono_ms,
    })
}

async fn head(tx: &mut Tx<'_>, device: DeviceId, incarnation: u32, lane: Lane) -> Result<LaneHead> {
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT n, hash FROM lane_head WHERE device = ? AND incarnation = ? AND lane = ?",
    )
    .bind(device.0)
    .bind(i64::from(incarnation))
    .bind(i64::from(lane.number()))
    .fetch_optional(&mut **tx)
    .await
    .map_err(failed)?;
    match row {
        None => Ok(LaneHead::EMPTY),
        Some((n, of)) => Ok(LaneHead {
            n: count(n),
            hash: hash(&of)?,
        }),
    }
}

/// The last number stored of each lane.
pub async fn watermarks(
    connection: &mut SqliteConnection,
    device: DeviceId,
    incarnation: u32,
) -> Result<[u64; 4]> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as("SELECT lane, n FROM lane_head WHERE device = ? AND incarnation = ?")
            .bind(device.0)
            .bind(i64::from(incarnation))
            .fetch_all(connection)
            .await
            .map_err(failed)?;
    let mut watermarks = [0; 4];
    for (number, n) in rows {
        if let Some(mark) = watermarks.get_mut(lane(number)?.index()) {
            *mark = count(n);
        }
    }
    Ok(watermarks)
}

/// What the store holds that the batch concerns.
async fn situation(tx: &mut Tx<'_>, batch: &Batch) -> Result<Situation> {
    let head = head(tx, batch.device, batch.incarnation, batch.lane).await?;
    let known = if batch.first_n <= head.n {
        known(tx, batch).await?
    } else {
        HashMap::new()
    };
    let mut complaints = HashMap::new();
    let ids: Vec<_> = batch.complaints().into_iter().map(|id| id.0).collect();
    for (id, body) in find(tx, "SELECT id, body FROM complaint WHERE id IN (", ids).await? {
        complaints.insert(ComplaintId(id), parsed(&body)?);
    }
    let wanted: Vec<_> = batch.references().into_iter().map(String::from).collect();
    let found = find(
        tx,
        "SELECT id, reference FROM complaint WHERE reference IN (",
        wanted,
    )
    .await?;
    let mut references = HashMap::new();
    for (id, reference) in found {
        let reference = ReferenceNumber::try_from(reference)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        references.insert(reference, ComplaintId(id));
    }
    let held = held_records(tx, batch).await?;
    let held_by = held.iter().filter_map(|record| record.event.actor.staff);
    let mut staff: HashMap<StaffId, StaffRecord> = HashMap::new();
    for id in batch.staff().into_iter().chain(held_by) {
        if let Some(record) = staff_record(tx, id).await? {
            staff.insert(id, record);
        }
    }
    Ok(Situation {
        head,
        known,
        complaints,
        references,
        staff,
        arrived: arrived(tx, batch).await?,
        held,
    })
}

/// Records that wait for a predecessor and concern complaints of the batch.
async fn held_records(tx: &mut Tx<'_>, batch: &Batch) -> Result<Vec<HeldRecord>> {
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT id, branch, complaint, body, prev, hash, reason FROM quarantine \
         INDEXED BY quarantine_open WHERE resolved_at IS NULL ORDER BY id",
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    waiting(rows, &batch.complaints())
}

/// Of what the batch's events are and were first, what has arrived.
async fn arrived(tx: &mut Tx<'_>, batch: &Batch) -> Result<HashSet<Origin>> {
    let mut arrived = HashSet::new();
    let any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM origin)")
        .fetch_one(&mut **tx)
        .await
        .map_err(failed)?;
    for origin in batch.origins() {
        let renamed = batch.is_renamed(&origin);
        if !any && !renamed {
            continue;
        }
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM origin WHERE device = ?1 AND incarnation = ?2 \
             AND lane = ?3 AND n = ?4 AND hash = ?5) OR ?6 AND (EXISTS (SELECT 1 FROM log \
             WHERE device = ?1 AND incarnation = ?2 AND lane = ?3 AND n = ?4 \
             AND lower(hex(hash)) = ?5) OR EXISTS (SELECT 1 FROM quarantine WHERE device = ?1 \
             AND incarnation = ?2 AND lane = ?3 AND n = ?4 AND lower(hex(hash)) = ?5))",
        )
        .bind(origin.key.device.0)
        .bind(i64::from(origin.key.incarnation))
        .bind(i64::from(origin.key.lane.number()))
        .bind(int(origin.key.n))
        .bind(&origin.hash)
        .bind(renamed)
        .fetch_one(&mut **tx)
        .await
        .map_err(failed)?;
        if known {
            arrived.insert(origin);
        }
    }
    Ok(arrived)
}

async fn known(tx: &mut Tx<'_>, batch: &Batch) -> Result<HashMap<u64, Hash>> {
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
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    let mut known = HashMap::new();
    for (n, of) in rows {
        // The log's own comes first and stays.
        known.entry(count(n)).or_insert(hash(&of)?);
    }
    Ok(known)
}

/// Rows whose key is in a list; none for an empty list.
async fn find<K>(tx: &mut Tx<'_>, select: &'static str, keys: Vec<K>) -> Result<Vec<(Uuid, String)>>
where
    K: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send,
{
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new(select);
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(key);
    }
    query.push(")");
    query
        .build_query_as()
        .fetch_all(&mut **tx)
        .await
        .map_err(failed)
}
