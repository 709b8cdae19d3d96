//! Enrolment codes and desks.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use suda_domain::{DeviceId, EventKey, Lane};
use suda_sync::hub::contact::{Contact, Greeting};
use suda_sync::message::ClockNotice;
use suda_sync::place::LaneHead;
use suda_sync::{Hash, PublicKey};
use uuid::Uuid;

use super::ledger::watermarks;
use super::value::{branch, count, hash, int, json, lane, letters, ms, number, parsed, time};
use super::{SqliteStore, Tx, begin, failed, is_foreign_key_violation, is_unique_violation};
use crate::store::{
    AddError, Device, Devices, EnrolCode, EnrolError, Greeted, Hello, Result, StoreError,
};

#[async_trait]
impl Devices for SqliteStore {
    async fn add_code(&self, code: &EnrolCode) -> Result<(), AddError> {
        let mut writer = self.writer().await;
        sqlx::query(
            "INSERT INTO enrol_code (hash, branch, made_at, expires_at) VALUES (?, ?, ?, ?)",
        )
        .bind(code.hash.as_slice())
        .bind(code.branch.as_str())
        .bind(ms(code.made_at))
        .bind(ms(code.expires_at))
        .execute(&mut *writer)
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
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let found: Option<(String, i64, Option<i64>)> =
            sqlx::query_as("SELECT branch, expires_at, used_at FROM enrol_code WHERE hash = ?")
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
        sqlx::query("UPDATE enrol_code SET used_at = ? WHERE hash = ?")
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
             VALUES (?, ?, ?, ?, ?, ?, ?)",
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
        let mut reader = self.reader().await?;
        let row: Option<DeviceRow> = sqlx::query_as(
            "SELECT id, incarnation, branch, letter, public_key, name, enrolled_at, last_seen, \
             offset_ms, clock FROM device WHERE id = ?",
        )
        .bind(id.0)
        .fetch_optional(&mut *reader)
        .await
        .map_err(failed)?;
        row.map(device).transpose()
    }

    async fn devices(&self) -> Result<Vec<Device>> {
        let mut reader = self.reader().await?;
        let rows: Vec<DeviceRow> = sqlx::query_as(
            "SELECT id, incarnation, branch, letter, public_key, name, enrolled_at, last_seen, \
             offset_ms, clock FROM device ORDER BY branch, length(letter), letter",
        )
        .fetch_all(&mut *reader)
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
        let mut writer = self.writer().await;
        sqlx::query(
            "UPDATE device SET last_seen = ?, offset_ms = coalesce(?, offset_ms), clock = ? \
             WHERE id = ?",
        )
        .bind(ms(at))
        .bind(offset_ms)
        .bind(json(clock)?)
        .bind(id.0)
        .execute(&mut *writer)
        .await
        .map_err(failed)?;
        Ok(())
    }

    async fn watermarks(&self, id: DeviceId, incarnation: u32) -> Result<[u64; 4]> {
        let mut reader = self.reader().await?;
        watermarks(&mut reader, id, incarnation).await
    }

    async fn greet(&self, hello: Hello) -> Result<Greeted> {
        let mut writer = self.writer().await;
        let mut tx = begin(&mut writer).await?;
        let contact = contact(&mut tx, hello.device, hello.incarnation).await?;
        let greeting = contact.greet(hello.renewal, hello.shown, hello.same_epoch);
        let greeted = match greeting {
            Greeting::Renew => renew(&mut tx, hello.device).await?,
            Greeting::Welcome { session, contact } => {
                meet(&mut tx, &hello, contact).await?;
                Greeted::Welcome { session }
            }
        };
        tx.commit().await.map_err(failed)?;
        Ok(greeted)
    }

    async fn contact(&self, id: DeviceId, incarnation: u32) -> Result<Contact> {
        let mut reader = self.reader().await?;
        contact(&mut reader, id, incarnation).await
    }

    async fn use_session(&self, id: DeviceId, incarnation: u32, session: u64) -> Result<()> {
        let mut writer = self.writer().await;
        sqlx::query(
            "UPDATE incarnation SET used = 1 WHERE device = ? AND incarnation = ? AND session = ?",
        )
        .bind(id.0)
        .bind(i64::from(incarnation))
        .bind(int(session))
        .execute(&mut *writer)
        .await
        .map_err(failed)?;
        Ok(())
    }

    async fn hash_of(&self, key: EventKey) -> Result<Option<Hash>> {
        let mut reader = self.reader().await?;
        let found: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT hash FROM (SELECT 0 AS rank, hash FROM log \
             WHERE device = ?1 AND incarnation = ?2 AND lane = ?3 AND n = ?4 \
             UNION ALL SELECT 1, hash FROM quarantine \
             WHERE device = ?1 AND incarnation = ?2 AND lane = ?3 AND n = ?4) ORDER BY rank",
        )
        .bind(key.device.0)
        .bind(i64::from(key.incarnation))
        .bind(i64::from(key.lane.number()))
        .bind(int(key.n))
        .fetch_optional(&mut *reader)
        .await
        .map_err(failed)?;
        found.as_deref().map(hash).transpose()
    }

    async fn met(&self, id: DeviceId, incarnation: u32) -> Result<()> {
        let mut connection = self.writer().await;
        sqlx::query("UPDATE device SET incarnation = max(incarnation, ?) WHERE id = ?")
            .bind(i64::from(incarnation))
            .bind(id.0)
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn heads(&self, id: DeviceId, incarnation: u32) -> Result<Vec<(Lane, LaneHead)>> {
        let mut reader = self.reader().await?;
        let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT lane, n, hash FROM lane_head WHERE device = ? AND incarnation = ? \
             ORDER BY lane",
        )
        .bind(id.0)
        .bind(i64::from(incarnation))
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        let head = |(number, n, bytes): (i64, i64, Vec<u8>)| {
            let (n, hash) = (count(n), hash(&bytes)?);
            Ok((lane(number)?, LaneHead { n, hash }))
        };
        rows.into_iter().map(head).collect()
    }

    async fn incarnations(&self, id: DeviceId) -> Result<Vec<u32>> {
        let mut reader = self.reader().await?;
        let rows: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT incarnation FROM lane_head WHERE device = ? ORDER BY incarnation",
        )
        .bind(id.0)
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
        rows.into_iter().map(number).collect()
    }
}

async fn contact(
    connection: &mut SqliteConnection,
    device: DeviceId,
    incarnation: u32,
) -> Result<Contact> {
    let row: Option<(i64, bool, i64)> = sqlx::query_as(
        "SELECT session, used, before FROM incarnation WHERE device = ? AND incarnation = ?",
    )
    .bind(device.0)
    .bind(i64::from(incarnation))
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    Ok(
        row.map_or_else(Contact::default, |(current, used, before)| Contact {
            current: count(current),
            used,
            before: count(before),
        }),
    )
}

/// Keeps the contact; the device's incarnation is the highest met.
async fn meet(tx: &mut Tx<'_>, hello: &Hello, contact: Contact) -> Result<()> {
    sqlx::query(
        "INSERT INTO incarnation (device, incarnation, session, used, before) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET session = excluded.session, \
         used = excluded.used, before = excluded.before",
    )
    .bind(hello.device.0)
    .bind(i64::from(hello.incarnation))
    .bind(int(contact.current))
    .bind(contact.used)
    .bind(int(contact.before))
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    sqlx::query("UPDATE device SET incarnation = max(incarnation, ?) WHERE id = ?")
        .bind(i64::from(hello.incarnation))
        .bind(hello.device.0)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Gives the device its next incarnation and a letter nobody has had.
async fn renew(tx: &mut Tx<'_>, device: DeviceId) -> Result<Greeted> {
    let (incarnation, branch): (i64, String) = sqlx::query_as(
        "UPDATE device SET incarnation = incarnation + 1 WHERE id = ? \
         RETURNING incarnation, branch",
    )
    .bind(device.0)
    .fetch_one(&mut **tx)
    .await
    .map_err(failed)?;
    let letter = next_letter(tx, &branch).await?;
    sqlx::query(
        "INSERT INTO incarnation (device, incarnation, session, used, before, letter) \
         VALUES (?, ?, 0, 0, 0, ?)",
    )
    .bind(device.0)
    .bind(incarnation)
    .bind(&letter)
    .execute(&mut **tx)
    .await
    .map_err(failed)?;
    Ok(Greeted::Renew {
        incarnation: number(incarnation)?,
        letter,
    })
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

/// A, B, … Z, AA, AB, … by the number of letters the branch has had: one for
/// each desk, and one for each incarnation the hub gave.
async fn next_letter(tx: &mut Tx<'_>, branch: &str) -> Result<String> {
    let before: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM device WHERE branch = ?1) + (SELECT count(*) FROM incarnation JOIN device ON device.id = incarnation.device WHERE branch = ?1 AND incarnation.letter IS NOT NULL)")
        .bind(branch)
        .fetch_one(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(letters(before))
}
