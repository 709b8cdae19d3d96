//! What stands in the files of a desk and of a hub, read from outside with
//! plain queries, so that no mistake of the programs' own reading hides one
//! of their writing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use suda_desk::{Desk, KeySource};
use uuid::Uuid;

use crate::{City, DeskDir, Failure};

/// An event by its place and contents: device, incarnation, lane, number, hash.
pub type EventMark = (Uuid, i64, i64, i64, Vec<u8>);

/// A desk's complaints and own events.
#[derive(Debug, Default)]
pub struct DeskBooks {
    /// Descriptions by complaint.
    pub complaints: BTreeMap<Uuid, String>,
    pub own: BTreeSet<EventMark>,
    /// Highest number in a signed receipt, by lane.
    pub acked: BTreeMap<i64, i64>,
}

/// A hub's ledger.
#[derive(Debug, Default)]
pub struct HubBooks {
    pub complaints: BTreeSet<Uuid>,
    /// As stored, so that one stored twice is seen.
    pub log: Vec<EventMark>,
    /// How often each complaint was taken into the queue.
    pub queued: BTreeMap<Uuid, u64>,
    pub set_aside: i64,
}

fn sql(error: sqlx::Error) -> Failure {
    Failure::Said(format!("reading the books: {error}"))
}

/// Opens a desk's database read-only with the key in its file.
pub async fn open_desk(desk: &DeskDir) -> Result<SqliteConnection, Failure> {
    let key = std::fs::read_to_string(&desk.key).map_err(Failure::io("the key file"))?;
    open_encrypted(&desk.data.join("suda.db"), key.trim(), true).await
}

pub async fn open_encrypted(
    file: &Path,
    key: &str,
    read_only: bool,
) -> Result<SqliteConnection, Failure> {
    suda_sqlite::options()
        .filename(file)
        .pragma("key", format!("\"x'{key}'\""))
        .pragma("cipher_page_size", "4096")
        .pragma("cipher_hmac_algorithm", "HMAC_SHA512")
        .read_only(read_only)
        .create_if_missing(!read_only)
        .connect()
        .await
        .map_err(sql)
}

pub async fn open_hub(data: &Path) -> Result<SqliteConnection, Failure> {
    suda_sqlite::options()
        .filename(data.join("hub.db"))
        .read_only(true)
        .connect()
        .await
        .map_err(sql)
}

/// The ids in a raw database of the power rig's control.
pub async fn raw_ids(file: &Path, key: &str) -> Result<BTreeSet<Uuid>, Failure> {
    let mut conn = open_encrypted(file, key, false).await?;
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from raw")
        .fetch_all(&mut conn)
        .await
        .map_err(sql)?;
    conn.close().await.map_err(sql)?;
    Ok(ids.into_iter().collect())
}

impl DeskBooks {
    /// After opening for work, as a start of the program does, and verifying.
    pub async fn reopened(desk: &DeskDir) -> Result<Self, Failure> {
        let said = |error: &dyn std::fmt::Display| Failure::Said(error.to_string());
        let opened = Desk::open(&desk.data, KeySource::File(desk.key.clone())).await;
        let opened = opened.map_err(|error| said(&error))?;
        let verified = opened.verify().await.map_err(|error| said(&error))?;
        if let Some(bad) = verified.first_bad {
            return Err(said(&format!("{}: {}", bad.row, bad.fault.describe())));
        }
        drop(opened);
        Self::read(desk).await
    }

    pub async fn read(desk: &DeskDir) -> Result<Self, Failure> {
        let mut conn = open_desk(desk).await?;
        check_integrity(&mut conn).await?;
        let rows: Vec<(Uuid, String)> = sqlx::query_as("select id, body from complaint")
            .fetch_all(&mut conn)
            .await
            .map_err(sql)?;
        let mut complaints = BTreeMap::new();
        for (id, body) in rows {
            let body: Value = serde_json::from_str(&body)?;
            let text = body["intake"]["description"].as_str().unwrap_or_default();
            complaints.insert(id, text.to_owned());
        }
        let own: Vec<EventMark> = sqlx::query_as(
            "select device, incarnation, lane, n, hash from event \
             where device = (select device from device)",
        )
        .fetch_all(&mut conn)
        .await
        .map_err(sql)?;
        let acked: Vec<(i64, i64)> = sqlx::query_as("select lane, acked_n from lane_ack")
            .fetch_all(&mut conn)
            .await
            .map_err(sql)?;
        conn.close().await.map_err(sql)?;
        Ok(Self {
            complaints,
            own: own.into_iter().collect(),
            acked: acked.into_iter().collect(),
        })
    }

    /// Complaints with a description that another one has too. Every row and
    /// form of the rigs has a description of its own.
    pub fn doubled(&self) -> u64 {
        let distinct: BTreeSet<_> = self.complaints.values().collect();
        (self.complaints.len() - distinct.len()) as u64
    }

    /// How many of these are not here.
    pub fn missing(&self, acknowledged: &BTreeSet<Uuid>) -> u64 {
        let gone = |id: &&Uuid| !self.complaints.contains_key(id);
        acknowledged.iter().filter(gone).count() as u64
    }
}

/// The same questions to either kind of connection; only how a part of the
/// JSON is named differs.
macro_rules! hub_books {
    ($conn:expr, $kind:literal) => {{
        let complaints: Vec<Uuid> = sqlx::query_scalar("select id from complaint")
            .fetch_all(&mut $conn)
            .await
            .map_err(sql)?;
        let log: Vec<EventMark> =
            sqlx::query_as("select device, incarnation, lane, n, hash from log")
                .fetch_all(&mut $conn)
                .await
                .map_err(sql)?;
        let queued: Vec<(Uuid, i64)> = sqlx::query_as(concat!(
            "select complaint, count(*) from log where ",
            $kind,
            " = 'queued' group by complaint"
        ))
        .fetch_all(&mut $conn)
        .await
        .map_err(sql)?;
        let set_aside: i64 = sqlx::query_scalar("select count(*) from quarantine")
            .fetch_one(&mut $conn)
            .await
            .map_err(sql)?;
        $conn.close().await.map_err(sql)?;
        let queued = queued.into_iter().map(|(id, n)| (id, n.unsigned_abs()));
        HubBooks {
            complaints: complaints.into_iter().collect(),
            log,
            queued: queued.collect(),
            set_aside,
        }
    }};
}

impl HubBooks {
    /// Of the hub of a city, wherever its data are.
    pub async fn of(city: &City) -> Result<Self, Failure> {
        let Some(url) = city.database() else {
            return Self::read(&city.hub_data()).await;
        };
        let mut conn = PgConnection::connect(url).await.map_err(sql)?;
        Ok(hub_books!(conn, "body::jsonb -> 'fact' ->> 'kind'"))
    }

    pub async fn read(data: &Path) -> Result<Self, Failure> {
        let mut conn = open_hub(data).await?;
        check_integrity(&mut conn).await?;
        Ok(hub_books!(conn, "json_extract(body, '$.fact.kind')"))
    }

    /// Events of a desk that are not here.
    pub fn missing<'e>(&self, events: impl IntoIterator<Item = &'e EventMark>) -> u64 {
        let here: BTreeSet<&EventMark> = self.log.iter().collect();
        let gone = |event: &&EventMark| !here.contains(*event);
        events.into_iter().filter(gone).count() as u64
    }

    /// Events stored twice, and handoffs taken into the queue twice.
    pub fn doubled(&self) -> u64 {
        doubled(&self.log)
            + self
                .queued
                .values()
                .map(|n| n.saturating_sub(1))
                .sum::<u64>()
    }
}

/// How many entries repeat the contents or the place of one before them.
pub fn doubled(log: &[EventMark]) -> u64 {
    let mut places = BTreeSet::new();
    let mut contents = BTreeSet::new();
    let repeats = |(device, incarnation, lane, n, hash): &&EventMark| {
        let new_place = places.insert((*device, *incarnation, *lane, *n));
        let new_contents = contents.insert(hash.clone());
        !(new_place && new_contents)
    };
    log.iter().filter(repeats).count() as u64
}

/// SQLite's own check of its file; the error says what it found.
pub async fn check_integrity(conn: &mut SqliteConnection) -> Result<(), Failure> {
    let found: Vec<String> = sqlx::query_scalar("pragma integrity_check(3)")
        .fetch_all(conn)
        .await
        .map_err(sql)?;
    match found.as_slice() {
        [only] if only == "ok" => Ok(()),
        found => Err(Failure::Said(format!(
            "integrity check: {}",
            found.join("; ")
        ))),
    }
}
