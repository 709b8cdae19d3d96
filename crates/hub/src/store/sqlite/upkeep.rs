//! Cleaning up, and closing in order. Checks and backups
//! have files of their own.

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection as _, SqliteConnection};
use suda_domain::{ComplaintId, DeviceId};
use suda_sync::SetAside;
use uuid::Uuid;

use super::value::{count, lane, ms};
use super::{SqliteStore, backup, begin, failed, reading, verify};
use crate::store::sms::SMS_KEPT;
use crate::store::statistics::KEPT_BY_HUB;
use crate::store::waiting::waits;
use crate::store::{BackupError, Result, Upkeep, Verified};

/// How long a step's key is remembered.
const STEP_KEYS: TimeDelta = TimeDelta::days(2);
/// How long a used or expired code is remembered, so that its second use is
/// told from a wrong one.
const CODES: TimeDelta = TimeDelta::days(30);

#[async_trait]
impl Upkeep for SqliteStore {
    async fn ready(&self) -> Result<()> {
        let mut reader = self.reader().await?;
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM setting")
            .fetch_one(&mut *reader)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn set_aside_of(&self, device: DeviceId, incarnation: u32) -> Result<Vec<SetAside>> {
        let mut reader = self.reader().await?;
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT lane, n, reason FROM quarantine INDEXED BY quarantine_open \
             WHERE resolved_at IS NULL AND device = ? AND incarnation = ? ORDER BY id",
        )
        .bind(device.0)
        .bind(i64::from(incarnation))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        rows.into_iter()
            .filter(|(_, _, reason)| !waits(reason))
            .map(|(on, n, _)| {
                Ok(SetAside {
                    lane: lane(on)?,
                    n: count(n),
                })
            })
            .collect()
    }

    async fn waited_for(&self, after: Option<ComplaintId>, limit: u32) -> Result<Vec<ComplaintId>> {
        let mut connection = self.reader().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT DISTINCT complaint FROM quarantine WHERE resolved_at IS NULL \
             AND wanted_at > at AND complaint > ?1 AND EXISTS \
             (SELECT 1 FROM complaint WHERE complaint.id = quarantine.complaint) \
             ORDER BY complaint LIMIT ?2",
        )
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        Ok(ids.into_iter().map(ComplaintId).collect())
    }

    async fn sweep(&self, now: DateTime<Utc>) -> Result<()> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        for (sql, before) in [
            ("DELETE FROM done_step WHERE at < ?", now - STEP_KEYS),
            ("DELETE FROM enrol_code WHERE expires_at < ?", now - CODES),
            ("DELETE FROM web_session WHERE expires_at < ?", now),
            (
                "DELETE FROM desk_day WHERE received_at < ?",
                now - KEPT_BY_HUB,
            ),
            ("DELETE FROM sms WHERE made_at < ?", now - SMS_KEPT),
        ] {
            sqlx::query(sql)
                .bind(ms(before))
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn verify(&self) -> Result<Verified> {
        let log_fault = self.log_fault()?;
        // A connection that has used the text index keeps a copy of its
        // structure, and SQLite's check judges a changed index by that copy.
        let mut fresh = SqliteConnection::connect_with(&reading(&self.file))
            .await
            .map_err(failed)?;
        let verified = match super::directory::time(&mut fresh, &self.writing.time).await {
            Ok(time) => verify::verify(&mut fresh, &time).await,
            Err(error) => Err(error),
        };
        fresh.close().await.map_err(failed)?;
        let verified = verified?;
        Ok(Verified {
            fault: log_fault.or(verified.fault),
            ..verified
        })
    }

    async fn backup(&self, file: &Path) -> Result<(), BackupError> {
        let mut reader = self.reader().await?;
        backup::backup(&mut reader, file).await
    }

    async fn close(&self) {
        // Readers first, so that the writer's last checkpoint empties the WAL.
        self.readers.close().await;
        let mut writer = self.writer().await;
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut *writer)
            .await
        {
            tracing::warn!(error = %failed(error), file = %self.file.display(), "the last checkpoint failed");
        }
    }
}
