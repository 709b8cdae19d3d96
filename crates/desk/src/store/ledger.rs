//! The ledger: appending events, and reading them back by complaint, by lane
//! and in order.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};
use suda_domain::{ComplaintId, DeviceId, EventKey, Lane, LedgerEvent};
use suda_sync::desk::Stream;
use suda_sync::fold::behind_the_hub;
use suda_sync::place::LaneHead;
use suda_sync::rekey::Rekeyed;
use suda_sync::{Hash, SealedEvent};

use super::hub_order::place_sql;
use super::{StoreError, lan};
use crate::fold::Standing;

/// An event on its way into the store.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    pub(crate) key: EventKey,
    pub(crate) complaint: ComplaintId,
    pub(crate) at_ms: i64,
    pub(crate) sealed: SealedEvent,
    /// Written on this computer.
    pub(crate) own: bool,
    /// Its number in the hub's log, where the hub has told.
    pub(crate) hub_seq: Option<u64>,
}

/// The place of what the hub has forgotten.
const FORGOTTEN: i64 = -1;

/// An event as stored.
pub(crate) struct StoredEvent {
    pub(crate) seq: i64,
    pub(crate) key: EventKey,
    pub(crate) complaint: ComplaintId,
    pub(crate) own: bool,
    /// In the hub's log; -1 when the hub has forgotten it.
    place: Option<i64>,
    /// In the log of the branch's mailbox.
    lan_seq: Option<i64>,
    pub(crate) body: String,
    pub(crate) prev: Hash,
    pub(crate) hash: Hash,
}

impl StoredEvent {
    /// The event where it counts: this version can read it, and the hub has not
    /// forgotten it.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let forgotten = self.place == Some(FORGOTTEN);
        let event = serde_json::from_str(&self.body).ok()?;
        (!forgotten).then_some(Standing {
            seq: self.seq(),
            own: self.own,
            event,
        })
    }
}

impl StoredEvent {
    /// Of another desk, over the branch's network alone: the hub has not told
    /// of it.
    pub(crate) fn is_of_branch_alone(&self) -> bool {
        !self.own && self.place.is_none()
    }

    /// Its place in the order that holds.
    fn seq(&self) -> Option<u64> {
        let in_mailbox = self.lan_seq.map(|seq| behind_the_hub(unsigned(seq)));
        self.place.map(unsigned).or(in_mailbox)
    }
}

impl FromRow<'_, SqliteRow> for StoredEvent {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            key: EventKey {
                device: DeviceId(row.try_get("device")?),
                incarnation: row.try_get("incarnation")?,
                lane: lane(row.try_get("lane")?)?,
                n: unsigned(row.try_get("n")?),
            },
            complaint: ComplaintId(row.try_get("complaint")?),
            own: row.try_get("own")?,
            place: match row.try_get("place") {
                // Asked for only where complaints are folded.
                Err(sqlx::Error::ColumnNotFound(_)) => None,
                place => place?,
            },
            lan_seq: match row.try_get("lan_seq") {
                // A copy made by an earlier version is read as it is.
                Err(sqlx::Error::ColumnNotFound(_)) => None,
                seq => seq?,
            },
            body: row.try_get("body")?,
            prev: hash(row.try_get("prev")?)?,
            hash: hash(row.try_get("hash")?)?,
        })
    }
}

fn lane(number: i64) -> Result<Lane, sqlx::Error> {
    u8::try_from(number)
        .ok()
        .and_then(|number| Lane::try_from(number).ok())
        .ok_or_else(|| sqlx::Error::Decode("no such lane".into()))
}

fn hash(bytes: Vec<u8>) -> Result<Hash, sqlx::Error> {
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}

/// SQLite's integers are signed; counters here never reach the sign.
pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

macro_rules! insert_sql {
    ($($row:literal),+) => {
        concat!(
            "insert into event (device, incarnation, lane, n, complaint, at, body, prev, hash, own, \
             hub_seq) values ", $($row),+
        )
    };
}

const INSERT: [&str; 4] = [
    insert_sql!("(?,?,?,?,?,?,?,?,?,?,?)"),
    insert_sql!("(?,?,?,?,?,?,?,?,?,?,?),", "(?,?,?,?,?,?,?,?,?,?,?)"),
    insert_sql!(
        "(?,?,?,?,?,?,?,?,?,?,?),",
        "(?,?,?,?,?,?,?,?,?,?,?),",
        "(?,?,?,?,?,?,?,?,?,?,?)"
    ),
    insert_sql!(
        "(?,?,?,?,?,?,?,?,?,?,?),",
        "(?,?,?,?,?,?,?,?,?,?,?),",
        "(?,?,?,?,?,?,?,?,?,?,?),",
        "(?,?,?,?,?,?,?,?,?,?,?)"
    ),
];

/// Appends events in the order given.
pub(crate) async fn append(
    conn: &mut SqliteConnection,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    for group in events.chunks(INSERT.len()) {
        let insert = bind(sqlx::query(INSERT[group.len() - 1]), group);
        insert.execute(&mut *conn).await?;
    }
    Ok(())
}

pub(super) type Insert<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// The values of the rows, in the order of the columns.
pub(super) fn bind<'q>(mut insert: Insert<'q>, events: &[NewEvent]) -> Insert<'q> {
    for event in events {
        insert = insert
            .bind(event.key.device.0)
            .bind(event.key.incarnation)
            .bind(event.key.lane.number())
            .bind(signed(event.key.n))
            .bind(event.complaint.0)
            .bind(event.at_ms)
            .bind(event.sealed.body.get().to_owned())
            .bind(event.sealed.prev.0.to_vec())
            .bind(event.sealed.hash.0.to_vec())
            .bind(event.own)
            .bind(event.hub_seq.map(signed));
    }
    insert
}

/// The last event of each lane of a device.
pub(crate) async fn heads(
    conn: &mut SqliteConnection,
    device: DeviceId,
    incarnation: u32,
) -> Result<[LaneHead; 4], StoreError> {
    let mut heads = [LaneHead::EMPTY; 4];
    for (lane, head) in Lane::ALL.into_iter().zip(&mut heads) {
        let last: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "select n, hash from event where device = ? and incarnation = ? and lane = ? \
             order by n desc limit 1",
        )
        .bind(device.0)
        .bind(incarnation)
        .bind(lane.number())
        .fetch_optional(&mut *conn)
        .await?;
        if let Some((n, bytes)) = last {
            *head = LaneHead {
                n: unsigned(n),
                hash: hash(bytes)?,
            };
        }
    }
    Ok(heads)
}

/// The hash stored under a key.
pub(crate) async fn known(
    conn: &mut SqliteConnection,
    key: EventKey,
) -> Result<Option<Hash>, StoreError> {
    let found: Option<Vec<u8>> = sqlx::query_scalar(
        "select hash from event where device = ? and incarnation = ? and lane = ? and n = ?",
    )
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .fetch_optional(conn)
    .await?;
    Ok(found.map(hash).transpose()?)
}

/// Whether an event with this hash is stored. Looks through the end of the
/// ledger alone: it is asked about what was written last.
pub(crate) async fn has_hash(conn: &mut SqliteConnection, hash: Hash) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "select exists (select 1 from (select hash from event order by seq desc limit 2000) \
         where hash = ?)",
    )
    .bind(hash.0.to_vec())
    .fetch_one(conn)
    .await?)
}

/// The own events of a stream from a number on, in their order, with their hashes.
pub(crate) async fn own_from(
    conn: &mut SqliteConnection,
    (device, stream): (DeviceId, Stream),
    from_n: u64,
) -> Result<Vec<(LedgerEvent, Hash)>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "select body, hash from event where device = ? and incarnation = ? and lane = ? \
         and n >= ? and own order by n",
    )
    .bind(device.0)
    .bind(stream.incarnation)
    .bind(stream.lane.number())
    .bind(signed(from_n))
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(body, bytes)| Ok((serde_json::from_str(&body)?, hash(bytes)?)))
        .collect()
}

/// Puts an event under its new number. It has never been received under the old one.
pub(crate) async fn renumber(conn: &mut SqliteConnection, new: &Rekeyed) -> Result<(), StoreError> {
    let key = new.event.key;
    sqlx::query(
        "update event set incarnation = ?1, n = ?2, body = ?3, prev = ?4, hash = ?5, \
         hub_seq = null where device = ?6 and incarnation = ?7 and lane = ?8 and n = ?9",
    )
    .bind(key.incarnation)
    .bind(signed(key.n))
    .bind(new.sealed.body.get())
    .bind(new.sealed.prev.0.to_vec())
    .bind(new.sealed.hash.0.to_vec())
    .bind(new.was.device.0)
    .bind(new.was.incarnation)
    .bind(new.was.lane.number())
    .bind(signed(new.was.n))
    .execute(&mut *conn)
    .await?;
    lan::tell_again(conn, key).await?;
    if let Some(origin) = &new.event.origin {
        sqlx::query(
            "insert or replace into renumbered (origin, incarnation, lane, n) values (?, ?, ?, ?)",
        )
        .bind(&origin.hash)
        .bind(key.incarnation)
        .bind(key.lane.number())
        .bind(signed(key.n))
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Whether an event is kept here under another number than the one it names.
pub(crate) async fn has_new_number(
    conn: &mut SqliteConnection,
    event: &LedgerEvent,
    hash: Hash,
) -> Result<bool, StoreError> {
    let first = match &event.origin {
        Some(origin) => origin.hash.clone(),
        None => hash.to_string(),
    };
    Ok(sqlx::query_scalar(
        "select exists (select 1 from renumbered where origin = ? \
         and (incarnation, lane, n) <> (?, ?, ?))",
    )
    .bind(first)
    .bind(event.key.incarnation)
    .bind(event.key.lane.number())
    .bind(signed(event.key.n))
    .fetch_one(conn)
    .await?)
}

/// Everything that happened to a complaint, in the order it was applied here.
pub(crate) async fn of_complaint(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(sqlx::query_as(concat!(
        "select e.*, ",
        place_sql!(),
        " as place from event e where e.complaint = ? order by e.seq"
    ))
    .bind(complaint.0)
    .fetch_all(conn)
    .await?)
}

/// Up to `limit` events after a place in the order of devices, lanes and
/// numbers: for checking the chains without holding everything in memory.
pub(crate) async fn by_lane(
    conn: &mut SqliteConnection,
    after: Option<EventKey>,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let select = match after {
        None => sqlx::query_as("select * from event order by device, incarnation, lane, n limit ?"),
        Some(key) => sqlx::query_as(
            "select * from event where (device, incarnation, lane, n) > (?, ?, ?, ?) \
             order by device, incarnation, lane, n limit ?",
        )
        .bind(key.device.0)
        .bind(key.incarnation)
        .bind(key.lane.number())
        .bind(signed(key.n)),
    };
    Ok(select.bind(limit).fetch_all(conn).await?)
}

/// The own events of a lane after number `after`, at most a few thousand.
pub(crate) async fn own_after(
    conn: &mut SqliteConnection,
    (device, incarnation): (DeviceId, u32),
    lane: Lane,
    after: u64,
) -> Result<Vec<StoredEvent>, StoreError> {
    Ok(sqlx::query_as(
        "select * from event where device = ? and incarnation = ? and lane = ? and n > ? \
         order by n limit 2000",
    )
    .bind(device.0)
    .bind(incarnation)
    .bind(lane.number())
    .bind(signed(after))
    .fetch_all(conn)
    .await?)
}

/// Complaints that have events but no row.
pub(crate) async fn orphans(conn: &mut SqliteConnection) -> Result<Vec<ComplaintId>, StoreError> {
    let found: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select distinct complaint from event where not exists \
         (select 1 from complaint where complaint.id = event.complaint)",
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(ComplaintId).collect())
}

/// Whether a device wrote any event of a complaint.
pub(crate) async fn is_of_device(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
    device: DeviceId,
) -> Result<bool, StoreError> {
    Ok(
        sqlx::query_scalar(
            "select exists (select 1 from event where complaint = ? and device = ?)",
        )
        .bind(complaint.0)
        .bind(device.0)
        .fetch_one(conn)
        .await?,
    )
}

/// When an event of a device's ordinary lane was written last, as far as is
/// known here.
pub(crate) async fn last_at(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "select at from event where device = ? order by incarnation desc, lane desc, n desc limit 1",
    )
    .bind(device.0)
    .fetch_optional(conn)
    .await?)
}

/// The reference number a device gave last, as far as is known here.
pub(crate) async fn last_reference(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "select body ->> '$.fact.reference' from event where device = ? \
         and body ->> '$.fact.kind' = 'recorded' \
         order by incarnation desc, lane desc, n desc limit 1",
    )
    .bind(device.0)
    .fetch_optional(conn)
    .await?)
}
