//! What the hub gave this desk: its identity, and the directory of staff,
//! categories, rules and guidance.

use sqlx::SqliteConnection;
use suda_domain::DeviceId;
use suda_sync::{Directory, PublicKey, SecretKey};

use super::StoreError;

/// Who this desk is.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) device: DeviceId,
    pub(crate) incarnation: u32,
    pub(crate) desk_letter: String,
    pub(crate) hub_url: String,
    pub(crate) hub_key: PublicKey,
    pub(crate) secret: SecretKey,
}

type DeviceColumns = (uuid::Uuid, u32, String, String, String, Vec<u8>);

pub(crate) async fn device(conn: &mut SqliteConnection) -> Result<Option<DeviceRow>, StoreError> {
    let row: Option<DeviceColumns> = sqlx::query_as(
        "select device, incarnation, desk_letter, hub_url, hub_key, secret from device",
    )
    .fetch_optional(conn)
    .await?;
    let Some((device, incarnation, desk_letter, hub_url, hub_key, secret)) = row else {
        return Ok(None);
    };
    let seed: [u8; 32] = secret
        .try_into()
        .map_err(|_| sqlx::Error::Decode("a seed has 32 bytes".into()))?;
    Ok(Some(DeviceRow {
        device: DeviceId(device),
        incarnation,
        desk_letter,
        hub_url,
        hub_key: PublicKey::try_from(hub_key).map_err(|e| sqlx::Error::Decode(Box::new(e)))?,
        secret: SecretKey::from_seed(seed),
    }))
}

pub(crate) async fn save_device(
    conn: &mut SqliteConnection,
    row: &DeviceRow,
    enrolled_at_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into device (one, device, incarnation, desk_letter, hub_url, hub_key, secret, \
         enrolled_at) values (1, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.device.0)
    .bind(row.incarnation)
    .bind(row.desk_letter.clone())
    .bind(row.hub_url.clone())
    .bind(String::from(row.hub_key))
    .bind(row.secret.seed().to_vec())
    .bind(enrolled_at_ms)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn directory(
    conn: &mut SqliteConnection,
) -> Result<Option<Directory>, StoreError> {
    let body: Option<String> = sqlx::query_scalar("select body from directory")
        .fetch_optional(conn)
        .await?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

pub(crate) async fn save_directory(
    conn: &mut SqliteConnection,
    directory: &Directory,
) -> Result<(), StoreError> {
    sqlx::query("insert or replace into directory (one, version, body) values (1, ?, ?)")
        .bind(directory.version)
        .bind(serde_json::to_string(directory)?)
        .execute(conn)
        .await?;
    Ok(())
}
