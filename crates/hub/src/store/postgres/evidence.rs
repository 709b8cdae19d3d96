//! The contents of evidence files.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use suda_domain::{ComplaintId, EvidenceId, StaffId};
use uuid::Uuid;

use super::value::{count, int, ms, time};
use super::{PostgresStore, failed};
use crate::store::evidence::{EvidenceRead, EvidenceStore, SliceOf, Stored};
use crate::store::{Reader, Result};

#[async_trait]
impl EvidenceStore for PostgresStore {
    async fn evidence_stored(&self, file: EvidenceId) -> Result<Stored> {
        let mut reader = self.connection().await?;
        stored(&mut reader, file).await
    }

    async fn add_slice(&self, slice: SliceOf, now: DateTime<Utc>) -> Result<Stored> {
        let mut tx = self.begin_tx().await?;
        sqlx::query(
            "INSERT INTO evidence_file (id, complaint, received, staged, begun_at) \
                 VALUES ($1, $2, 0, $3, $4) ON CONFLICT (id) DO NOTHING",
        )
        .bind(slice.file.0)
        .bind(slice.complaint.0)
        .bind(slice.staged)
        .bind(ms(now))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        let before = stored_locked(&mut tx, slice.file).await?;
        if before.complete_at.is_some() || before.received != slice.at || slice.data.is_empty() {
            tx.commit().await.map_err(failed)?;
            return Ok(before);
        }
        let received = slice.at + slice.data.len() as u64;
        sqlx::query("INSERT INTO evidence_slice (file, at, data) VALUES ($1, $2, $3)")
            .bind(slice.file.0)
            .bind(int(slice.at))
            .bind(slice.data)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        set_received(&mut tx, slice.file, received).await?;
        tx.commit().await.map_err(failed)?;
        Ok(Stored { received, ..before })
    }

    async fn evidence_slice(
        &self,
        file: EvidenceId,
        at: u64,
        reader: Reader,
    ) -> Result<Option<(u64, Vec<u8>)>> {
        let mut connection = self.connection().await?;
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT at, data FROM evidence_slice WHERE file = $1 AND at <= $2 AND NOT EXISTS \
             (SELECT 1 FROM evidence_file AS f JOIN kept_from AS barred ON barred.complaint = f.complaint \
             WHERE f.id = $1 AND staff = $3) ORDER BY at DESC LIMIT 1",
        )
        .bind(file.0)
        .bind(int(at))
        .bind(reader.staff())
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
        let found = row.map(|(from, data)| (count(from), data));
        Ok(found.filter(|(from, data)| at < from + data.len() as u64))
    }

    async fn cut_evidence(&self, file: EvidenceId, from: u64) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        let before = stored_locked(&mut tx, file).await?;
        if before.complete_at.is_some() || before.received <= from {
            return tx.rollback().await.map_err(failed);
        }
        sqlx::query("DELETE FROM evidence_slice WHERE file = $1 AND at >= $2")
            .bind(file.0)
            .bind(int(from))
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        set_received(&mut tx, file, from).await?;
        tx.commit().await.map_err(failed)
    }

    async fn complete_evidence(&self, file: EvidenceId, at: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        sqlx::query(
            "UPDATE evidence_file SET complete_at = $1 WHERE id = $2 AND complete_at IS NULL",
        )
        .bind(ms(at))
        .bind(file.0)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn unstage_evidence(&self, file: EvidenceId) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        sqlx::query("UPDATE evidence_file SET staged = false WHERE id = $1")
            .bind(file.0)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn drop_staged(&self, file: EvidenceId) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        for sql in [
            "DELETE FROM evidence_slice WHERE file IN (SELECT id FROM evidence_file WHERE id = $1 AND staged)",
            "DELETE FROM evidence_file WHERE id = $1 AND staged",
        ] {
            sqlx::query(sql)
                .bind(file.0)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn staged_before(&self, before: DateTime<Utc>) -> Result<Vec<(EvidenceId, ComplaintId)>> {
        let mut reader = self.connection().await?;
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT id, complaint FROM evidence_file WHERE staged AND begun_at < $1",
        )
        .bind(ms(before))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let named = |(id, complaint)| (EvidenceId(id), ComplaintId(complaint));
        Ok(rows.into_iter().map(named).collect())
    }

    async fn note_evidence_read(&self, read: EvidenceRead) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        sqlx::query(
            "INSERT INTO evidence_read (at, staff, complaint, file) VALUES ($1, $2, $3, $4)",
        )
        .bind(ms(read.at))
        .bind(read.staff.0)
        .bind(read.complaint.0)
        .bind(read.file.0)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn evidence_reads(
        &self,
        complaint: ComplaintId,
        reader: Reader,
    ) -> Result<Vec<EvidenceRead>> {
        let mut connection = self.connection().await?;
        let rows: Vec<(i64, Uuid, Uuid)> = sqlx::query_as(
            "SELECT at, staff, file FROM evidence_read WHERE complaint = $1 AND NOT EXISTS \
             (SELECT 1 FROM kept_from AS barred WHERE barred.complaint = $1 AND barred.staff = $2) ORDER BY id",
        )
        .bind(complaint.0)
        .bind(reader.staff())
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        rows.into_iter()
            .map(|(at, staff, file)| {
                Ok(EvidenceRead {
                    at: time(at)?,
                    staff: StaffId(staff),
                    complaint,
                    file: EvidenceId(file),
                })
            })
            .collect()
    }
}

async fn stored(connection: &mut PgConnection, file: EvidenceId) -> Result<Stored> {
    let row: Option<(i64, Option<i64>)> =
        sqlx::query_as("SELECT received, complete_at FROM evidence_file WHERE id = $1")
            .bind(file.0)
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
    let Some((received, complete_at)) = row else {
        return Ok(Stored::default());
    };
    Ok(Stored {
        received: count(received),
        complete_at: complete_at.map(time).transpose()?,
    })
}

/// With the row locked: two hub processes may have a slice of the same file.
async fn stored_locked(connection: &mut PgConnection, file: EvidenceId) -> Result<Stored> {
    sqlx::query("SELECT 1 FROM evidence_file WHERE id = $1 FOR UPDATE")
        .bind(file.0)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    stored(connection, file).await
}

async fn set_received(
    connection: &mut PgConnection,
    file: EvidenceId,
    received: u64,
) -> Result<()> {
    sqlx::query("UPDATE evidence_file SET received = $1 WHERE id = $2")
        .bind(int(received))
        .bind(file.0)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}
