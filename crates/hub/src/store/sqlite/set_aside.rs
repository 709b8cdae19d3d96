//! Records set aside, and whose they are.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::{ComplaintId, DeviceId, StaffId};
use uuid::Uuid;

use super::value::{branch, count, lane, ms, number, time};
use super::{SqliteStore, failed};
use crate::store::set_aside::{RecordHolder, SetAsideCounts, SetAsideStore, ToEntrust};
use crate::store::{Quarantined, Reader, Result, StoreError, Touched};

/// What is read of a record, of those that are open.
macro_rules! records {
    ($behind:literal) => {
        concat!(
            "SELECT record.id, device, incarnation, lane, n, record.branch, complaint, kind, body, \
             reason, at, holder, staff.name, entrusted_at, EXISTS \
             (SELECT 1 FROM complaint WHERE complaint.id = record.complaint) \
             FROM quarantine AS record LEFT JOIN staff ON staff.id = record.holder \
             WHERE resolved_at IS NULL AND ",
            $behind
        )
    };
}

#[async_trait]
impl SetAsideStore for SqliteStore {
    async fn quarantined(
        &self,
        now: DateTime<Utc>,
        mine: Option<StaffId>,
        after: i64,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Quarantined>> {
        let mut connection = self.reader().await?;
        let rows: Vec<RecordRow> = sqlx::query_as(records!(
            "record.id > ?1 AND wanted_at <= ?2 \
             AND (?3 IS NULL OR holder IS NULL OR holder = ?3) AND NOT EXISTS \
             (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = record.complaint \
              AND barred.staff = ?4) \
             ORDER BY record.id LIMIT ?5"
        ))
        .bind(after)
        .bind(ms(now))
        .bind(mine.map(|staff| staff.0))
        .bind(reader.staff())
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        rows.into_iter().map(quarantined).collect()
    }

    async fn quarantined_record(&self, id: i64, reader: Reader) -> Result<Option<Quarantined>> {
        let mut connection = self.reader().await?;
        let row: Option<RecordRow> = sqlx::query_as(records!(
            "record.id = ?1 AND NOT EXISTS \
             (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = record.complaint \
              AND barred.staff = ?2)"
        ))
        .bind(id)
        .bind(reader.staff())
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
        row.map(quarantined).transpose()
    }

    async fn to_entrust(
        &self,
        now: DateTime<Utc>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ToEntrust>> {
        let mut connection = self.reader().await?;
        let rows: Vec<(i64, Option<Uuid>, Option<Uuid>)> = sqlx::query_as(
            "SELECT id, complaint, holder FROM quarantine AS record WHERE resolved_at IS NULL \
             AND wanted_at <= ?1 AND id > ?2 AND (holder IS NULL OR NOT EXISTS \
              (SELECT 1 FROM staff WHERE staff.id = record.holder AND active) OR EXISTS \
              (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = record.complaint \
               AND barred.staff = record.holder)) \
             ORDER BY id LIMIT ?3",
        )
        .bind(ms(now))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        let found = rows.into_iter().map(|(id, complaint, holder)| ToEntrust {
            id,
            complaint: complaint.map(ComplaintId),
            holder: holder.map(StaffId),
        });
        Ok(found.collect())
    }

    async fn entrusted(&self) -> Result<Vec<(StaffId, u64)>> {
        let mut connection = self.reader().await?;
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT holder, count(*) FROM quarantine \
             WHERE resolved_at IS NULL AND holder IS NOT NULL GROUP BY holder",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        let held = rows
            .into_iter()
            .map(|(id, held)| (StaffId(id), count(held)));
        Ok(held.collect())
    }

    async fn entrust(
        &self,
        id: i64,
        from: Option<StaffId>,
        to: Option<StaffId>,
        at: DateTime<Utc>,
    ) -> Result<bool> {
        let mut writer = self.writer().await;
        let done = sqlx::query(
            "UPDATE quarantine SET holder = ?1, entrusted_at = ?2 \
             WHERE id = ?3 AND resolved_at IS NULL AND holder IS ?4",
        )
        .bind(to.map(|staff| staff.0))
        .bind(to.map(|_| ms(at)))
        .bind(id)
        .bind(from.map(|staff| staff.0))
        .execute(&mut *writer)
        .await
        .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        drop(writer);
        self.tell(Touched {
            quarantine: true,
            ..Touched::default()
        });
        Ok(true)
    }

    async fn resolve(
        &self,
        id: i64,
        by: StaffId,
        resolution: &str,
        at: DateTime<Utc>,
    ) -> Result<bool> {
        let mut writer = self.writer().await;
        let done = sqlx::query(
            "UPDATE quarantine SET resolved_at = ?1, resolved_by = ?2, resolution = ?3 \
             WHERE id = ?4 AND resolved_at IS NULL",
        )
        .bind(ms(at))
        .bind(by.0)
        .bind(resolution)
        .bind(id)
        .execute(&mut *writer)
        .await
        .map_err(failed)?;
        drop(writer);
        self.tell(Touched {
            quarantine: true,
            ..Touched::default()
        });
        Ok(done.rows_affected() > 0)
    }

    async fn set_aside_counts(&self, now: DateTime<Utc>) -> Result<SetAsideCounts> {
        let mut connection = self.reader().await?;
        let (open, waiting, waiting_long): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE wanted_at > at), \
             count(*) FILTER (WHERE wanted_at > at AND wanted_at <= ?1) \
             FROM quarantine WHERE resolved_at IS NULL",
        )
        .bind(ms(now))
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
        Ok(SetAsideCounts {
            open: count(open),
            waiting: count(waiting),
            waiting_long: count(waiting_long),
        })
    }
}

type RecordRow = (
    i64,
    Uuid,
    i64,
    i64,
    i64,
    String,
    Option<Uuid>,
    Option<String>,
    String,
    String,
    i64,
    Option<Uuid>,
    Option<String>,
    Option<i64>,
    bool,
);

fn quarantined(
    (id, device, incarnation, on, n, of, complaint, kind, body, reason, at, by, name, since, known): RecordRow,
) -> Result<Quarantined> {
    let holder = match (by, name, since) {
        (None, ..) => None,
        (Some(id), Some(name), Some(since)) => Some(RecordHolder {
            id: StaffId(id),
            name,
            since: time(since)?,
        }),
        (Some(_), ..) => {
            let damage = format!("quarantine {id} is with somebody unknown");
            return Err(StoreError::Damaged(damage));
        }
    };
    Ok(Quarantined {
        id,
        device: DeviceId(device),
        incarnation: number(incarnation)?,
        lane: lane(on)?,
        n: count(n),
        branch: branch(of)?,
        complaint: complaint.map(ComplaintId),
        is_known: known,
        kind,
        body,
        reason,
        at: time(at)?,
        holder,
    })
}
