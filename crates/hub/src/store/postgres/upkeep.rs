//! Cleaning up, and closing in order. Checks have a file of
//! their own; copies are PostgreSQL's own business (OPERATING.md).

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::{ComplaintId, DeviceId};
use suda_sync::SetAside;
use uuid::Uuid;

use super::value::{count, lane, ms};
use super::{PostgresStore, failed, verify};
use crate::store::sms::SMS_KEPT;
use crate::store::statistics::KEPT_BY_HUB;
use crate::store::tries::TALLY_KEPT;
use crate::store::waiting::waits;
use crate::store::{BackupError, Result, Upkeep, Verified};

/// How long a step's key is remembered.
const STEP_KEYS: TimeDelta = TimeDelta::days(2);
/// How long a used or expired code is remembered, so that its second use is
/// told from a wrong one.
const CODES: TimeDelta = TimeDelta::days(30);

#[async_trait]
impl Upkeep for PostgresStore {
    async fn ready(&self) -> Result<()> {
        let mut connection = self.connection().await?;
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM setting")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn set_aside_of(&self, device: DeviceId, incarnation: u32) -> Result<Vec<SetAside>> {
        let mut connection = self.connection().await?;
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT lane, n, reason FROM quarantine \
             WHERE resolved_at IS NULL AND device = $1 AND incarnation = $2 ORDER BY id",
        )
        .bind(device.0)
        .bind(i64::from(incarnation))
        .fetch_all(&mut *connection)
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
        let mut connection = self.connection().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT DISTINCT complaint FROM quarantine WHERE resolved_at IS NULL \
             AND wanted_at > at AND complaint > $1 AND EXISTS \
             (SELECT 1 FROM complaint WHERE complaint.id = quarantine.complaint) \
             ORDER BY complaint LIMIT $2",
        )
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        Ok(ids.into_iter().map(ComplaintId).collect())
    }

    async fn sweep(&self, now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin_tx().await?;
        for (sql, before) in [
            ("DELETE FROM done_step WHERE at < $1", now - STEP_KEYS),
            ("DELETE FROM enrol_code WHERE expires_at < $1", now - CODES),
            ("DELETE FROM web_session WHERE expires_at < $1", now),
            (
                "DELETE FROM desk_day WHERE received_at < $1",
                now - KEPT_BY_HUB,
            ),
            ("DELETE FROM sms WHERE made_at < $1", now - SMS_KEPT),
            ("DELETE FROM tally WHERE at < $1", now - TALLY_KEPT),
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
        let mut connection = self.connection().await?;
        let time = super::directory::time(&mut connection, &self.time).await?;
        verify::verify(&mut connection, &time).await
    }

    async fn backup(&self, _file: &Path) -> Result<(), BackupError> {
        Err(BackupError::Elsewhere)
    }

    async fn close(&self) {
        self.stop.cancel();
        // Its connection is none of the pool's; the lock ends with it.
        self.watching.lock().await.take();
        self.pool.close().await;
    }
}
