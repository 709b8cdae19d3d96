//! Events in and out, and the steps of the hub's people. What is written goes
//! through the one writer (`group`).

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use suda_domain::{BranchCode, Complaint, ComplaintId, DeviceId, ReferenceNumber, StaffId, State};
use suda_sync::LogEntry;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::barred::{self, unless_barred};
use super::lists::SELECT;
use super::value::{count, int, lane, ms, parsed, sealed, time};
use super::{SqliteStore, failed};
use crate::ingest::Batch;
use crate::store::requests::Request;
use crate::store::{
    Held, Ingested, Ledger, LogPage, Own, Reader, Result, Step, StepError, StoreError, Stored,
};

/// A line of the log for a page: place, lane, number, the body unless the
/// device holds it, the hash before, the hash.
type LogRow = (i64, i64, i64, Option<String>, Vec<u8>, Vec<u8>);
/// Lines of the log looked at for one page, with those left out.
const LOOKED_AT: u32 = 4000;

#[async_trait]
impl Ledger for SqliteStore {
    async fn ingest(&self, batch: Batch) -> Result<Ingested> {
        let (reply, answer) = oneshot::channel();
        self.writing.request(Request::Ingest(batch, reply));
        answer.await.map_err(|_| StoreError::Busy)?
    }

    async fn step(&self, step: Step) -> Result<Complaint, StepError> {
        let (reply, answer) = oneshot::channel();
        self.writing.request(Request::Step(step, reply));
        answer.await.map_err(|_| StoreError::Busy)?
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

    async fn has_after(
        &self,
        branch: &BranchCode,
        cursor: u64,
        but: Option<(DeviceId, u32)>,
    ) -> Result<bool> {
        let (device, incarnation) = but.unzip();
        let mut reader = self.reader().await?;
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM log WHERE branch = ?1 AND seq > ?2 \
             AND (?3 IS NULL OR NOT (device = ?3 AND incarnation = ?4)))",
        )
        .bind(branch.as_str())
        .bind(int(cursor))
        .bind(device.map(|device| device.0))
        .bind(incarnation.map(i64::from))
        .fetch_one(&mut *reader)
        .await
        .map_err(failed)
    }

    async fn timeline(&self, complaint: ComplaintId, reader: Reader) -> Result<Vec<Stored>> {
        let mut connection = self.reader().await?;
        let rows: Vec<(i64, i64, String, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, received_at, body, prev, hash FROM log WHERE complaint = ?1 \
             AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = ?1 AND staff = ?2) \
             ORDER BY seq",
        )
        .bind(complaint.0)
        .bind(reader.staff())
        .fetch_all(&mut *connection)
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

    async fn complaint(&self, id: ComplaintId, reader: Reader) -> Result<Option<Held>> {
        load(&mut *self.reader().await?, id, reader).await
    }

    async fn linking(&self, to: ComplaintId, reader: Reader) -> Result<Vec<Held>> {
        let mut query = QueryBuilder::<Sqlite>::new(SELECT);
        query
            .push("WHERE complaint.id IN (SELECT complaint FROM link WHERE other = ")
            .push_bind(to.0)
            .push(")");
        unless_barred(&mut query, reader);
        query.push(" ORDER BY complaint.id");
        self.read_held(query).await
    }

    async fn barred_along(
        &self,
        of: &[ComplaintId],
    ) -> Result<BTreeMap<ComplaintId, BTreeSet<StaffId>>> {
        barred::along(&mut *self.reader().await?, of.iter().copied()).await
    }

    async fn find_reference(
        &self,
        reference: &ReferenceNumber,
        reader: Reader,
    ) -> Result<Option<ComplaintId>> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM complaint WHERE reference = ");
        query.push_bind(reference.as_str());
        unless_barred(&mut query, reader);
        let id: Option<Uuid> = query
            .build_query_scalar()
            .fetch_optional(&mut *self.reader().await?)
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
        // The few leases first: left to itself the planner looks through every
        // complaint once a second, which takes seconds when there are a million.
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT lease.complaint FROM lease CROSS JOIN complaint ON complaint.id = lease.complaint \
             WHERE until <= ? AND state = ? AND json_extract(body, '$.pauses') IS NULL \
             UNION SELECT complaint FROM lease WHERE EXISTS (SELECT 1 FROM kept_from AS barred \
             WHERE barred.complaint = lease.complaint AND barred.staff = lease.expert) \
             LIMIT ?",
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
        complaint: Arc::new(parsed(&body)?),
        lease_until: until.map(time).transpose()?,
    })
}

async fn load(
    connection: &mut SqliteConnection,
    id: ComplaintId,
    reader: Reader,
) -> Result<Option<Held>> {
    let row: Option<(String, Option<i64>)> = sqlx::query_as(
        "SELECT body, until FROM complaint LEFT JOIN lease ON lease.complaint = id WHERE id = ?1 \
         AND NOT EXISTS (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = ?1 AND staff = ?2)",
    )
    .bind(id.0)
    .bind(reader.staff())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    row.map(held).transpose()
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
