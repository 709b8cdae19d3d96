//! The hub's order of events: where what is here stands in its log, and what
//! it has forgotten or replaced since.

use sqlx::SqliteConnection;
use suda_domain::complaint::Covered;
use suda_domain::{ComplaintId, DeviceId, EventKey, Lane, LedgerEvent};
use suda_sync::message::Placed;
use suda_sync::{Hash, SealedEvent, withheld};

use super::ledger::{self, signed};
use super::{StoreError, lan};

/// An event's place in the hub's log, as SQL over `event e`: null when there
/// is none yet, -1 when the hub has forgotten it.
macro_rules! place_sql {
    () => {
        "case when e.hub_seq is not null then e.hub_seq when e.own then (select case when e.n < \
         p.first_n + p.count then p.first_seq + e.n - p.first_n end from placed p \
         where p.incarnation = e.incarnation and p.lane = e.lane and p.first_n <= e.n \
         order by p.first_n desc limit 1) end"
    };
}
pub(super) use place_sql;

/// Keeps where own events stand. Gives the complaints that the branch's network
/// may have had in another order: they are to be made anew.
pub(crate) async fn keep_places(
    conn: &mut SqliteConnection,
    incarnation: u32,
    runs: &[Placed],
) -> Result<Vec<ComplaintId>, StoreError> {
    let mut moved = Vec::new();
    for run in runs {
        // A run told again may begin elsewhere.
        sqlx::query(
            "delete from placed where incarnation = ? and lane = ? and first_n > ? and first_n < ?",
        )
        .bind(incarnation)
        .bind(run.lane.number())
        .bind(signed(run.first_n))
        .bind(signed(run.first_n.saturating_add(run.count)))
        .execute(&mut *conn)
        .await?;
        sqlx::query(
            "insert or replace into placed (incarnation, lane, first_n, count, first_seq) \
             values (?, ?, ?, ?, ?)",
        )
        .bind(incarnation)
        .bind(run.lane.number())
        .bind(signed(run.first_n))
        .bind(signed(run.count))
        .bind(signed(run.first_seq))
        .execute(&mut *conn)
        .await?;
        moved.extend(lan::placed_in_branch(conn, incarnation, run).await?);
    }
    Ok(moved)
}

/// Whether something of the complaint that is here stands behind `seq` in the
/// hub's order, or has no place there. What the handoff packet covers makes no
/// difference wherever it stands.
pub(crate) async fn has_later(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
    covered: Option<Covered>,
    seq: u64,
) -> Result<bool, StoreError> {
    let covered = covered.unwrap_or(Covered {
        device: DeviceId(uuid::Uuid::nil()),
        incarnation: 0,
        upto_n: 0,
    });
    Ok(sqlx::query_scalar(concat!(
        "select exists (select 1 from event e where e.complaint = ?1 and not (e.lane = 1 \
         and e.device = ?2 and e.incarnation = ?3 and e.n <= ?4) and coalesce(",
        place_sql!(),
        ", -1) not between 0 and ?5)"
    ))
    .bind(complaint.0)
    .bind(covered.device.0)
    .bind(covered.incarnation)
    .bind(signed(covered.upto_n))
    .bind(signed(seq))
    .fetch_one(conn)
    .await?)
}

/// What is known of the event with this name.
#[derive(Clone, Copy)]
pub(crate) struct Here {
    pub(crate) own: bool,
    pub(crate) hash: [u8; 32],
    pub(crate) hub_seq: Option<i64>,
}

pub(crate) async fn here(
    conn: &mut SqliteConnection,
    key: EventKey,
) -> Result<Option<Here>, StoreError> {
    let row: Option<(bool, Vec<u8>, Option<i64>)> = sqlx::query_as(
        "select own, hash, hub_seq from event \
         where device = ? and incarnation = ? and lane = ? and n = ?",
    )
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .fetch_optional(conn)
    .await?;
    row.map(|(own, hash, hub_seq)| {
        let hash = hash
            .try_into()
            .map_err(|_| StoreError::from(sqlx::Error::Decode("a hash has 32 bytes".into())))?;
        Ok(Here { own, hash, hub_seq })
    })
    .transpose()
}

/// Gives an event its place in the hub's log.
pub(crate) async fn set_place(
    conn: &mut SqliteConnection,
    key: EventKey,
    seq: Option<u64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "update event set hub_seq = ? where device = ? and incarnation = ? and lane = ? and n = ?",
    )
    .bind(seq.map_or(-1, signed))
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .execute(&mut *conn)
    .await?;
    lan::tell_again(conn, key).await
}

/// Another desk's event that the hub, put back, has since heard otherwise. Gives
/// the complaint it was of, which is to be made anew.
pub(crate) async fn drop_other(
    conn: &mut SqliteConnection,
    key: EventKey,
) -> Result<Option<ComplaintId>, StoreError> {
    let was = lan::complaint_of(conn, key).await?;
    sqlx::query(
        "delete from event where device = ? and incarnation = ? and lane = ? and n = ? and not own",
    )
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .execute(conn)
    .await?;
    Ok(was)
}

/// What another copy of these data has brought under a new number is here
/// under the first, or under a number of this one's own: that one has no effect
/// any more.
pub(crate) async fn give_way(
    conn: &mut SqliteConnection,
    event: &LedgerEvent,
) -> Result<(), StoreError> {
    let Some(origin) = &event.origin else {
        return Ok(());
    };
    sqlx::query(
        "update event set hub_seq = -1 where device = ?1 and incarnation = ?2 and lane = ?3 \
         and n = ?4 and lower(hex(hash)) = ?5",
    )
    .bind(origin.key.device.0)
    .bind(origin.key.incarnation)
    .bind(origin.key.lane.number())
    .bind(signed(origin.key.n))
    .bind(&origin.hash)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "update event set hub_seq = -1 where device = ?1 and own and (incarnation, lane, n) = \
         (select incarnation, lane, n from renumbered where origin = ?2) \
         and (incarnation, lane, n) <> (?3, ?4, ?5)",
    )
    .bind(origin.key.device.0)
    .bind(&origin.hash)
    .bind(event.key.incarnation)
    .bind(event.key.lane.number())
    .bind(signed(event.key.n))
    .execute(conn)
    .await?;
    Ok(())
}

/// The hub has an event under its first number: the one it was given since, here
/// or at its desk, has no effect any more. Whether there was one.
pub(crate) async fn first_name_holds(
    conn: &mut SqliteConnection,
    event: &LedgerEvent,
    hash: Hash,
) -> Result<bool, StoreError> {
    let mut gave_way = false;
    for key in lan::renamed(conn, event, hash).await? {
        let done = sqlx::query(
            "update event set hub_seq = -1 where device = ? and incarnation = ? and lane = ? \
             and n = ? and hub_seq is null",
        )
        .bind(key.device.0)
        .bind(key.incarnation)
        .bind(key.lane.number())
        .bind(signed(key.n))
        .execute(&mut *conn)
        .await?;
        gave_way |= done.rows_affected() > 0;
    }
    Ok(gave_way)
}

/// The latest incarnation of a device of which anything is here; 0 when nothing is.
pub(crate) async fn newest_incarnation(
    conn: &mut SqliteConnection,
    device: DeviceId,
) -> Result<u32, StoreError> {
    let newest = "select coalesce(max(incarnation), 0) from event where device = ?";
    let newest = sqlx::query_scalar(newest).bind(device.0);
    Ok(newest.fetch_one(conn).await?)
}

/// An event of this incarnation that was not here: written before a roll-back.
/// The hub has it and all before it.
pub(crate) async fn take_back(
    conn: &mut SqliteConnection,
    lane: Lane,
    n: u64,
) -> Result<(), StoreError> {
    sqlx::query("update lane_ack set acked_n = max(acked_n, ?) where lane = ?")
        .bind(signed(n))
        .bind(lane.number())
        .execute(conn)
        .await?;
    Ok(())
}

/// The hub is another than it was: its whole log is read again, and only what
/// stands there counts, beside what is still to be sent. A mailbox has let go of
/// what the hub had: it no more says that it holds it, so that it is given again.
/// What the branch still tells of is heard again, and told again.
pub(crate) async fn forget(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    lan::tell_own_again(conn).await?;
    sqlx::query(
        "update event set hub_seq = case when own then null else -1 end where hub_seq is not null; \
         delete from placed; delete from mailbox_stream; \
         update lan_role set seq = null, hash = null, again = 0; update link set forgot = 1",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Complaints that hold something the hub has forgotten, after its log has
/// been read again; none otherwise.
pub(crate) async fn forgotten(conn: &mut SqliteConnection) -> Result<Vec<ComplaintId>, StoreError> {
    let forgot: bool = sqlx::query_scalar("select forgot from link")
        .fetch_one(&mut *conn)
        .await?;
    if !forgot {
        return Ok(Vec::new());
    }
    sqlx::query("update link set forgot = 0")
        .execute(&mut *conn)
        .await?;
    let found: Vec<uuid::Uuid> =
        sqlx::query_scalar("select distinct complaint from event where hub_seq = -1")
            .fetch_all(conn)
            .await?;
    Ok(found.into_iter().map(ComplaintId).collect())
}

/// What an earlier version kept whole of the management group's deliberation
/// gives way to what a branch may have of it, at the same places.
pub(crate) async fn withhold(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
) -> Result<(), StoreError> {
    for stored in ledger::of_complaint(conn, complaint).await? {
        if stored.own {
            continue;
        }
        let (seq, was) = (stored.seq, stored.hash);
        let whole = SealedEvent::from_parts(stored.body, stored.prev, was)?;
        // One that was altered here is for verify to name, not to be cleared away.
        if !whole.hash_fits() {
            continue;
        }
        let told = withheld::for_branch(whole);
        if told.as_ref().is_some_and(|told| told.hash == was) {
            continue;
        }
        let told = told.and_then(|sealed| Some((sealed.open().ok()?.key, sealed)));
        let Some((key, sealed)) = told else {
            forget_row(conn, seq).await?;
            continue;
        };
        if here(conn, key).await?.is_some() {
            // It has come without the words as well.
            forget_row(conn, seq).await?;
            continue;
        }
        sqlx::query("update event set n = ?, body = ?, prev = ?, hash = ? where seq = ?")
            .bind(signed(key.n))
            .bind(sealed.body.get())
            .bind(sealed.prev.0.to_vec())
            .bind(sealed.hash.0.to_vec())
            .bind(seq)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn forget_row(conn: &mut SqliteConnection, seq: i64) -> Result<(), StoreError> {
    sqlx::query("delete from event where seq = ?")
        .bind(seq)
        .execute(conn)
        .await?;
    Ok(())
}

/// Complaints whose rows a change of version has left to be made anew.
pub(crate) async fn to_fold_again(
    conn: &mut SqliteConnection,
) -> Result<Vec<ComplaintId>, StoreError> {
    let found: Vec<uuid::Uuid> = sqlx::query_scalar("select complaint from fold_again")
        .fetch_all(conn)
        .await?;
    Ok(found.into_iter().map(ComplaintId).collect())
}

pub(crate) async fn folded_again(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("delete from fold_again").execute(conn).await?;
    Ok(())
}
