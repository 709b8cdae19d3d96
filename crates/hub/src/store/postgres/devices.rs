//! Enrolment codes and desks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::DeviceId;
use suda_sync::PublicKey;
use suda_sync::message::ClockNotice;
use uuid::Uuid;

use super::ledger::watermarks;
use super::value::{branch, json, letters, ms, number, parsed, time};
use super::{PostgresStore, Tx, failed, is_foreign_key_violation, is_unique_violation};
use crate::store::{AddError, Device, Devices, EnrolCode, EnrolError, Result, StoreError};

#[async_trait]
impl Devices for PostgresStore {
    async fn add_code(&self, code: &EnrolCode) -> Result<(), AddError> {
        let mut connection = self.connection().await?;
        sqlx::query(
            "INSERT INTO enrol_code (hash, branch, made_at, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(code.hash.as_slice())
        .bind(code.branch.as_str())
        .bind(ms(code.made_at))
        .bind(ms(code.expires_at))
        .execute(&mut *connection)
        .await
        .map_err(|error| {
            if is_unique_violation(&error) {
                AddError::Exists
            } else if is_foreign_key_violation(&error) {
                AddError::UnknownBranch
            } else {
                AddError::Store(failed(error))
            }
        })?;
        Ok(())
    }

    async fn enrol(
        &self,
        code: [u8; 32],
        key: &PublicKey,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Device, EnrolError> {
        let mut tx = self.begin_tx().await?;
        let found: Option<(String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT branch, expires_at, used_at FROM enrol_code WHERE hash = $1 FOR UPDATE",
        )
        .bind(code.as_slice())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed)?;
        let (of, expires_at, used_at) = found.ok_or(EnrolError::UnknownCode)?;
        if used_at.is_some() {
            return Err(EnrolError::UsedCode);
        }
        if expires_at <= ms(now) {
            return Err(EnrolError::ExpiredCode);
        }
        sqlx::query("UPDATE enrol_code SET used_at = $1 WHERE hash = $2")
            .bind(ms(now))
            .bind(code.as_slice())
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        let device = Device {
            id: DeviceId(Uuid::now_v7()),
            incarnation: 1,
            letter: next_letter(&mut tx, &of).await?,
            branch: branch(of)?,
            key: *key,
            name: name.to_owned(),
            enrolled_at: now,
            last_seen: None,
            offset_ms: None,
            clock: ClockNotice::default(),
        };
        sqlx::query(
            "INSERT INTO device (id, incarnation, branch, letter, public_key, name, enrolled_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(device.id.0)
        .bind(i64::from(device.incarnation))
        .bind(device.branch.as_str())
        .bind(&device.letter)
        .bind(String::from(device.key))
        .bind(&device.name)
        .bind(ms(now))
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(device)
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>> {
        let mut connection = self.connection().await?;
        let row: Option<DeviceRow> = sqlx::query_as(
            "SELECT id, incarnation, branch, letter, public_key, name, enrolled_at, last_seen, \
             offset_ms, clock FROM device WHERE id = $1",
        )
        .bind(id.0)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
        row.map(device).transpose()
    }

    async fn devices(&self) -> Result<Vec<Device>> {
        let mut connection = self.connection().await?;
        let rows: Vec<DeviceRow> = sqlx::query_as(
            "SELECT id, incarnation, branch, letter, public_key, name, enrolled_at, last_seen, \
             offset_ms, clock FROM device ORDER BY branch, length(letter), letter",
        )
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
        rows.into_iter().map(device).collect()
    }

    async fn seen(
        &self,
        id: DeviceId,
        at: DateTime<Utc>,
        offset_ms: Option<i64>,
        clock: &ClockNotice,
    ) -> Result<()> {
        let mut connection = self.connection().await?;
        sqlx::query(
            "UPDATE device SET last_seen = $1, offset_ms = coalesce($2, offset_ms), clock = $4 \
             WHERE id = $3",
        )
        .bind(ms(at))
        .bind(offset_ms)
        .bind(id.0)
        .bind(json(clock)?)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
        Ok(())
    }

    async fn watermarks(&self, id: DeviceId, incarnation: u32) -> Result<[u64; 4]> {
        let mut connection = self.connection().await?;
        watermarks(&mut connection, id, incarnation).await
    }
}

type DeviceRow = (
    Uuid,
    i64,
    String,
    String,
    String,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

fn device(
    (id, incarnation, of, letter, key, name, enrolled_at, last_seen, offset_ms, clock): DeviceRow,
) -> Result<Device> {
    Ok(Device {
        id: DeviceId(id),
        incarnation: number(incarnation)?,
        branch: branch(of)?,
        letter,
        key: PublicKey::try_from(key).map_err(|error| StoreError::Damaged(error.to_string()))?,
        name,
        enrolled_at: time(enrolled_at)?,
        last_seen: last_seen.map(time).transpose()?,
        offset_ms,
        clock: match clock {
            Some(text) => parsed(&text)?,
            None => ClockNotice::default(),
        },
    })
}

/// A, B, … Z, AA, AB, … by the number of desks the branch has had.
async fn next_letter(tx: &mut Tx<'_>, branch: &str) -> Result<String> {
    // One desk of a branch at a time, so that no letter is given twice.
    sqlx::query("SELECT 1 FROM branch WHERE code = $1 FOR UPDATE")
        .bind(branch)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    let before: i64 = sqlx::query_scalar("SELECT count(*) FROM device WHERE branch = $1")
        .bind(branch)
        .fetch_one(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(letters(before))
}
