//! The branch's network in the store: whom this desk is paired with, what it
//! keeps for others, and how far it has read its mailbox's log.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;
use suda_domain::{ComplaintId, DeviceId, EventKey, Lane};
use suda_sync::lan::{Batch, Held, Mark, Settled, Waiting, Words, came, held_on};
use suda_sync::{Hash, PublicKey, Signed};

use super::StoreError;
pub(crate) use super::lan_log::{
    is_placed_otherwise, log_after, place, placed_in_branch, renamed, revive, tell_again,
    tell_own_again,
};
use super::ledger::{signed, unsigned};

/// Another desk of the branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Peer {
    pub(crate) device: DeviceId,
    pub(crate) key: PublicKey,
    pub(crate) letter: String,
    /// Where it listens, when it is this desk's mailbox.
    pub(crate) address: Option<String>,
    pub(crate) paired_at: i64,
    pub(crate) gone: bool,
}

pub(crate) async fn peers(conn: &mut SqliteConnection) -> Result<Vec<Peer>, StoreError> {
    type Row = (uuid::Uuid, String, String, Option<String>, i64, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "select device, key, letter, address, paired_at, gone from lan_peer order by paired_at",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(device, key, letter, address, paired_at, gone)| {
            Ok(Peer {
                device: DeviceId(device),
                key: PublicKey::try_from(key).map_err(|error| unreadable(error.to_string()))?,
                letter,
                address,
                paired_at,
                gone,
            })
        })
        .collect()
}

/// Pairs with a desk. A mailbox takes the place of the one before, whose log
/// was another.
pub(crate) async fn add_peer(conn: &mut SqliteConnection, peer: &Peer) -> Result<(), StoreError> {
    if peer.address.is_some() {
        sqlx::query("delete from lan_peer where address is not null")
            .execute(&mut *conn)
            .await?;
        forget_log(conn).await?;
    }
    sqlx::query(
        "insert or replace into lan_peer (device, key, letter, address, paired_at) \
         values (?, ?, ?, ?, ?)",
    )
    .bind(peer.device.0)
    .bind(String::from(peer.key))
    .bind(&peer.letter)
    .bind(&peer.address)
    .bind(peer.paired_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The mailbox has another address.
pub(crate) async fn set_address(
    conn: &mut SqliteConnection,
    device: DeviceId,
    address: &str,
) -> Result<(), StoreError> {
    sqlx::query("update lan_peer set address = ? where device = ? and address is not null")
        .bind(address)
        .bind(device.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends the pairing with a desk, or with this desk's mailbox.
pub(crate) async fn end_pairing(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<(), StoreError> {
    sqlx::query("delete from lan_peer where device = ? and address is not null")
        .bind(device.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query("update lan_peer set gone = 1 where device = ?")
        .bind(device.0)
        .execute(conn)
        .await?;
    Ok(())
}

async fn forget_log(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("update lan_role set seq = null, hash = null, again = 0")
        .execute(&mut *conn)
        .await?;
    sqlx::query("update event set lan_seq = null where lan_seq is not null")
        .execute(conn)
        .await?;
    Ok(())
}

/// Where this desk listens as the mailbox of its branch.
pub(crate) async fn listen(conn: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar("select listen from lan_role")
        .fetch_one(conn)
        .await?)
}

/// Makes this desk the mailbox of its branch, which follows no other.
pub(crate) async fn set_listen(
    conn: &mut SqliteConnection,
    address: Option<&str>,
) -> Result<(), StoreError> {
    if address.is_some() {
        sqlx::query("delete from lan_peer where address is not null")
            .execute(&mut *conn)
            .await?;
        forget_log(conn).await?;
    }
    sqlx::query("update lan_role set listen = ?")
        .bind(address)
        .execute(conn)
        .await?;
    Ok(())
}

/// How far the mailbox's log is stored here.
pub(crate) async fn mark(conn: &mut SqliteConnection) -> Result<Option<Mark>, StoreError> {
    let (seq, bytes, again): (Option<i64>, Option<Vec<u8>>, i64) =
        sqlx::query_as("select seq, hash, again from lan_role")
            .fetch_one(conn)
            .await?;
    let mark = seq.zip(bytes).map(|(seq, bytes)| {
        Ok::<_, StoreError>(Mark {
            seq: unsigned(seq),
            hash: hash(bytes)?,
            again: unsigned(again),
        })
    });
    mark.transpose()
}

pub(crate) async fn set_mark(conn: &mut SqliteConnection, mark: Mark) -> Result<(), StoreError> {
    sqlx::query("update lan_role set seq = ?, hash = ?, again = ?")
        .bind(signed(mark.seq))
        .bind(mark.hash.0.to_vec())
        .bind(signed(mark.again))
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes where an event stands in the mailbox's log; tells whether that is new.
pub(crate) async fn set_lan_seq(
    conn: &mut SqliteConnection,
    key: EventKey,
    seq: u64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "update event set lan_seq = ?1 where device = ?2 and incarnation = ?3 and lane = ?4 \
         and n = ?5 and lan_seq is not ?1",
    )
    .bind(signed(seq))
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Which complaint an event is of.
pub(crate) async fn complaint_of(
    conn: &mut SqliteConnection,
    key: EventKey,
) -> Result<Option<ComplaintId>, StoreError> {
    let found: Option<uuid::Uuid> = sqlx::query_scalar(
        "select complaint from event where device = ? and incarnation = ? and lane = ? and n = ?",
    )
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .fetch_optional(conn)
    .await?;
    Ok(found.map(ComplaintId))
}

/// The hashes of a stream's events that are here, from the one before a batch
/// to its last. Not of those the hub has forgotten or replaced.
pub(crate) async fn known(
    conn: &mut SqliteConnection,
    batch: &Batch,
) -> Result<BTreeMap<u64, Hash>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "select n, hash from event where device = ? and incarnation = ? and lane = ? \
         and n between ? and ? and coalesce(hub_seq, 0) >= 0",
    )
    .bind(batch.device.0)
    .bind(batch.incarnation)
    .bind(batch.lane.number())
    .bind(signed(batch.first_n) - 1)
    .bind(signed(batch.last_n))
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(n, bytes)| Ok((unsigned(n), hash(bytes)?)))
        .collect()
}

/// Keeps a batch as it was signed.
pub(crate) async fn keep_batch(
    conn: &mut SqliteConnection,
    (batch, last): (&Batch, Hash),
    adjoins: bool,
    message: &Signed,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert or ignore into mailbox_batch \
         (device, incarnation, lane, first_n, last_n, last, body, signature) \
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(batch.device.0)
    .bind(batch.incarnation)
    .bind(batch.lane.number())
    .bind(signed(batch.first_n))
    .bind(signed(batch.last_n))
    .bind(last.0.to_vec())
    .bind(message.body.get())
    .bind(&message.signature)
    .execute(&mut *conn)
    .await?;
    if !adjoins {
        return Ok(());
    }
    let before = held(conn, batch.device).await?;
    let stream = |held: &Held| (held.incarnation, held.lane) == (batch.incarnation, batch.lane);
    let before = before.into_iter().find(stream);
    let Some(held) = held_on(before, (batch, last)) else {
        return Ok(());
    };
    sqlx::query(
        "insert or replace into mailbox_stream (device, incarnation, lane, first_n, n, hash) \
         values (?, ?, ?, ?, ?, ?)",
    )
    .bind(batch.device.0)
    .bind(held.incarnation)
    .bind(held.lane.number())
    .bind(signed(held.first_n))
    .bind(signed(held.n))
    .bind(held.hash.0.to_vec())
    .execute(conn)
    .await?;
    Ok(())
}

/// How far a desk's streams have come here.
pub(crate) async fn held(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<Vec<Held>, StoreError> {
    let rows: Vec<(u32, u8, i64, i64, Vec<u8>)> = sqlx::query_as(
        "select incarnation, lane, first_n, n, hash from mailbox_stream where device = ?",
    )
    .bind(device.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(incarnation, number, first_n, n, bytes)| {
            Ok(Held {
                incarnation,
                lane: lane(number)?,
                first_n: unsigned(first_n),
                n: unsigned(n),
                hash: hash(bytes)?,
            })
        })
        .collect()
}

/// All batches that wait for the hub, in the order they came.
pub(crate) async fn waiting(conn: &mut SqliteConnection) -> Result<Vec<Waiting>, StoreError> {
    type Row = (i64, uuid::Uuid, u32, u8, i64, i64, Option<String>);
    // Of the urgent ones it matters whose hour ends first; they are few and small.
    let rows: Vec<Row> = sqlx::query_as(
        "select row, device, incarnation, lane, first_n, last_n, \
         case when lane = ? then body end from mailbox_batch order by row",
    )
    .bind(Lane::Urgent.number())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(
            |(row, device, incarnation, number, first_n, last_n, body)| {
                let lane = lane(number)?;
                let came = match body {
                    Some(body) => came(lane, &kept(body, String::new())?),
                    None => None,
                };
                Ok(Waiting {
                    row: unsigned(row),
                    batch: Batch {
                        device: DeviceId(device),
                        incarnation,
                        lane,
                        first_n: unsigned(first_n),
                        last_n: unsigned(last_n),
                    },
                    came,
                })
            },
        )
        .collect()
}

/// A kept batch as it was signed.
pub(crate) async fn batch(conn: &mut SqliteConnection, row: u64) -> Result<Signed, StoreError> {
    let (body, signature): (String, String) =
        sqlx::query_as("select body, signature from mailbox_batch where row = ?")
            .bind(signed(row))
            .fetch_one(conn)
            .await?;
    kept(body, signature)
}

fn kept(body: String, signature: String) -> Result<Signed, StoreError> {
    Ok(Signed {
        body: serde_json::value::RawValue::from_string(body)?,
        signature,
    })
}

/// Keeps the hub's words for a desk, and lets go of the batches they settle.
pub(crate) async fn settle(
    conn: &mut SqliteConnection,
    device: DeviceId,
    parcel: &[u8],
    settled: &Settled,
) -> Result<(), StoreError> {
    sqlx::query("insert into mailbox_words (device, parcel) values (?, ?)")
        .bind(device.0)
        .bind(parcel)
        .execute(&mut *conn)
        .await?;
    for row in &settled.rows {
        sqlx::query("delete from mailbox_batch where row = ?")
            .bind(signed(*row))
            .execute(&mut *conn)
            .await?;
    }
    for (incarnation, lane) in &settled.forked {
        sqlx::query("delete from mailbox_stream where device = ? and incarnation = ? and lane = ?")
            .bind(device.0)
            .bind(incarnation)
            .bind(lane.number())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// The hub's words for a desk behind number `after`.
pub(crate) async fn words(
    conn: &mut SqliteConnection,
    device: DeviceId,
    after: u64,
) -> Result<Vec<Words>, StoreError> {
    use base64::Engine as _;
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
        "select n, parcel from mailbox_words where device = ? and n > ? order by n limit 16",
    )
    .bind(device.0)
    .bind(signed(after))
    .fetch_all(conn)
    .await?;
    let words = rows.into_iter().map(|(n, parcel)| Words {
        n: unsigned(n),
        parcel: base64::engine::general_purpose::STANDARD.encode(parcel),
    });
    Ok(words.collect())
}

/// The words up to a number have reached the desk. How many there were.
pub(crate) async fn drop_words(
    conn: &mut SqliteConnection,
    device: DeviceId,
    upto: u64,
) -> Result<(), StoreError> {
    sqlx::query("delete from mailbox_words where device = ? and n <= ?")
        .bind(device.0)
        .bind(signed(upto))
        .execute(conn)
        .await?;
    Ok(())
}

fn unreadable(what: String) -> StoreError {
    sqlx::Error::Decode(what.into()).into()
}

pub(super) fn lane(number: u8) -> Result<Lane, StoreError> {
    Lane::try_from(number).map_err(|_| unreadable("no such lane".to_owned()))
}

pub(super) fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| unreadable("a hash has 32 bytes".to_owned()))
}
