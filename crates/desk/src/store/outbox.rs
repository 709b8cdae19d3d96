//! What is on its way to the hub: the own events above each lane's receipt,
//! the receipts themselves, and the cursor in the hub's log.

use sqlx::SqliteConnection;
use suda_domain::{ComplaintId, DeviceId, Lane};
use suda_sync::{Hash, Receipt, SealedEvent, SetAside, Signed};

use super::StoreError;
use super::ledger::{signed, unsigned};
use crate::clock::to_ms;

/// How far the link to the hub is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkRow {
    pub(crate) epoch: Option<String>,
    pub(crate) cursor: u64,
    /// The session of the last welcome.
    pub(crate) contact: Option<String>,
}

pub(crate) async fn link(conn: &mut SqliteConnection) -> Result<LinkRow, StoreError> {
    let (epoch, cursor, contact): (Option<String>, i64, Option<String>) =
        sqlx::query_as("select epoch, cursor, contact from link")
            .fetch_one(conn)
            .await?;
    Ok(LinkRow {
        epoch,
        cursor: unsigned(cursor),
        contact,
    })
}

pub(crate) async fn set_link(
    conn: &mut SqliteConnection,
    epoch: &str,
    cursor: u64,
) -> Result<(), StoreError> {
    sqlx::query("update link set epoch = ?, cursor = ?")
        .bind(epoch)
        .bind(signed(cursor))
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps the session of the last welcome; none when the hub has not spoken to
/// this incarnation yet.
pub(crate) async fn set_contact(
    conn: &mut SqliteConnection,
    session: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query("update link set contact = ?")
        .bind(session)
        .execute(conn)
        .await?;
    Ok(())
}

/// Highest number in a signed receipt, by lane.
pub(crate) async fn acked(conn: &mut SqliteConnection) -> Result<[u64; 4], StoreError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("select lane, acked_n from lane_ack")
        .fetch_all(conn)
        .await?;
    let mut acked = [0; 4];
    for (lane, n) in rows {
        if let Some(place) = usize::try_from(lane)
            .ok()
            .and_then(|lane| acked.get_mut(lane))
        {
            *place = unsigned(n);
        }
    }
    Ok(acked)
}

/// Takes the hub's watermarks, also lower ones: a hub restored from a backup
/// gets again what it forgot.
pub(crate) async fn set_acked(
    conn: &mut SqliteConnection,
    watermarks: [u64; 4],
) -> Result<(), StoreError> {
    sqlx::query(
        "update lane_ack set acked_n = case lane when 0 then ? when 1 then ? when 2 then ? else ? \
         end",
    )
    .bind(signed(watermarks[0]))
    .bind(signed(watermarks[1]))
    .bind(signed(watermarks[2]))
    .bind(signed(watermarks[3]))
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a receipt as signed, and its watermarks, and commits. In one go: the
/// next batch waits for it.
pub(super) async fn commit_receipt(
    conn: &mut SqliteConnection,
    receipt: &Receipt,
    signed_receipt: &Signed,
) -> Result<(), StoreError> {
    let lane = receipt.lane.number();
    sqlx::query(
        "update lane_ack set acked_n = case lane when 0 then ? when 1 then ? when 2 then ? else ? \
         end; \
         update lane_ack set at = ? where lane = ?; \
         insert or replace into receipt (lane, body, signature) values (?, ?, ?); commit",
    )
    .bind(signed(receipt.watermarks[0]))
    .bind(signed(receipt.watermarks[1]))
    .bind(signed(receipt.watermarks[2]))
    .bind(signed(receipt.watermarks[3]))
    .bind(to_ms(receipt.at))
    .bind(lane)
    .bind(lane)
    .bind(signed_receipt.body.get().to_owned())
    .bind(signed_receipt.signature.clone())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn last_receipt_at(
    conn: &mut SqliteConnection,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar("select max(at) from lane_ack")
        .fetch_one(conn)
        .await?)
}

/// The own events of a lane after number `after`, contiguous, at most so many
/// and so many bytes; a single larger one goes alone.
pub(crate) async fn load(
    conn: &mut SqliteConnection,
    (device, incarnation): (DeviceId, u32),
    lane: Lane,
    after: u64,
    max_events: usize,
    max_bytes: usize,
) -> Result<Vec<SealedEvent>, StoreError> {
    let rows: Vec<(i64, String, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "select n, body, prev, hash from event \
         where device = ? and incarnation = ? and lane = ? and n > ? order by n limit ?",
    )
    .bind(device.0)
    .bind(incarnation)
    .bind(lane.number())
    .bind(signed(after))
    .bind(signed(max_events as u64))
    .fetch_all(conn)
    .await?;
    let mut events = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for ((n, body, prev, hash), expected) in rows.into_iter().zip(after + 1..) {
        // What another copy wrote under this name, and is here from the hub,
        // ends what this one has to send.
        if unsigned(n) != expected {
            break;
        }
        bytes += body.len();
        if bytes > max_bytes && !events.is_empty() {
            break;
        }
        let hash_of = |bytes: Vec<u8>| {
            bytes
                .try_into()
                .map(Hash)
                .map_err(|_| StoreError::from(sqlx::Error::Decode("a hash has 32 bytes".into())))
        };
        events.push(SealedEvent::from_parts(
            body,
            hash_of(prev)?,
            hash_of(hash)?,
        )?);
    }
    Ok(events)
}

/// When the oldest own event without receipt was written. One step in an index
/// for each lane.
pub(crate) async fn oldest_unsent(
    conn: &mut SqliteConnection,
    (device, incarnation): (DeviceId, u32),
) -> Result<Option<i64>, StoreError> {
    let mut oldest = None;
    for lane in Lane::ALL {
        let at: Option<i64> = sqlx::query_scalar(
            "select at from event where device = ?1 and incarnation = ?2 and lane = ?3 \
             and n > (select acked_n from lane_ack where lane = ?3) order by n limit 1",
        )
        .bind(device.0)
        .bind(incarnation)
        .bind(lane.number())
        .fetch_optional(&mut *conn)
        .await?;
        oldest = [oldest, at].into_iter().flatten().min();
    }
    Ok(oldest)
}

/// Takes the hub's list of own events set aside; tells whether it is another
/// than before.
pub(crate) async fn take_set_aside(
    conn: &mut SqliteConnection,
    (device, incarnation): (DeviceId, u32),
    places: &[SetAside],
) -> Result<bool, StoreError> {
    let known: Vec<(i64, i64)> = sqlx::query_as("select lane, n from set_aside order by lane, n")
        .fetch_all(&mut *conn)
        .await?;
    let mut told: Vec<(i64, i64)> = places
        .iter()
        .map(|place| (i64::from(place.lane.number()), signed(place.n)))
        .collect();
    told.sort_unstable();
    told.dedup();
    if told == known {
        return Ok(false);
    }
    sqlx::query("delete from set_aside")
        .execute(&mut *conn)
        .await?;
    for (lane, n) in told {
        sqlx::query(
            "insert into set_aside (lane, n, complaint) values (?3, ?4, (select complaint \
             from event where device = ?1 and incarnation = ?2 and lane = ?3 and n = ?4))",
        )
        .bind(device.0)
        .bind(incarnation)
        .bind(lane)
        .bind(n)
        .execute(&mut *conn)
        .await?;
    }
    Ok(true)
}

/// How many own events the hub has set aside.
pub(crate) async fn count_set_aside(conn: &mut SqliteConnection) -> Result<u64, StoreError> {
    let n: i64 = sqlx::query_scalar("select count(*) from set_aside")
        .fetch_one(conn)
        .await?;
    Ok(unsigned(n))
}

/// Those of a complaint, by lane and number.
pub(crate) async fn set_aside_of(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(
        sqlx::query_as("select lane, n from set_aside where complaint = ?")
            .bind(complaint.0)
            .fetch_all(conn)
            .await?,
    )
}
