//! This desk's ledger as the mailbox's log: what another desk of the branch is
//! told, and told again when its place in the hub's log has changed.

use sqlx::SqliteConnection;
use suda_domain::{ComplaintId, DeviceId, EventKey, LedgerEvent};
use suda_sync::lan::{Entry, LOG_BYTES, LOG_ENTRIES, Log, Mark, Placed};
use suda_sync::message::Placed as Run;
use suda_sync::{Hash, SealedEvent};

use super::hub_order::{Here, place_sql};
use super::lan::{hash, lane};
use super::ledger::{signed, unsigned};
use super::{StoreError, outbox};

/// An event as it is told, with its place in the hub's log; -1 when the hub has
/// forgotten it.
type Row = (
    i64,
    uuid::Uuid,
    u32,
    u8,
    i64,
    String,
    Vec<u8>,
    Vec<u8>,
    Option<i64>,
);

const BEHIND: &str = concat!(
    "select e.seq, e.device, e.incarnation, e.lane, e.n, e.body, e.prev, e.hash, ",
    place_sql!(),
    " from event e where e.seq > ? order by e.seq limit ?"
);
const AGAIN: &str = concat!(
    "select e.seq, e.device, e.incarnation, e.lane, e.n, e.body, e.prev, e.hash, ",
    place_sql!(),
    " from lan_again a join event e on e.seq = a.seq where a.n > ? and a.n <= ? order by a.n"
);

/// Everything in the order in which it came here, but what the hub has
/// forgotten, behind a place told of before.
pub(crate) async fn log_after(
    conn: &mut SqliteConnection,
    asker: DeviceId,
    after: Option<Mark>,
) -> Result<Log, StoreError> {
    let newest: i64 = sqlx::query_scalar("select coalesce(max(n), 0) from lan_again")
        .fetch_one(&mut *conn)
        .await?;
    let is_same = match after {
        None => true,
        Some(mark) => {
            let there: Option<Vec<u8>> = sqlx::query_scalar("select hash from event where seq = ?")
                .bind(signed(mark.seq))
                .fetch_optional(&mut *conn)
                .await?;
            let there = there.as_deref() == Some(mark.hash.0.as_slice());
            there && mark.again <= unsigned(newest)
        }
    };
    let after = after.filter(|_| is_same);
    let mut log = Log {
        anew: !is_same,
        mark: after,
        epoch: outbox::link(&mut *conn).await?.epoch,
        ..Log::default()
    };
    let again = tell_moved(conn, asker, newest, &mut log).await?;
    if let Some(mark) = &mut log.mark {
        mark.again = again;
    }
    let rows: Vec<Row> = sqlx::query_as(BEHIND)
        .bind(after.map_or(-1, |mark| signed(mark.seq)))
        .bind(signed(LOG_ENTRIES as u64))
        .fetch_all(conn)
        .await?;
    let full = rows.len() == LOG_ENTRIES;
    let mut bytes = 0;
    for row in rows {
        bytes += row.5.len();
        if bytes > LOG_BYTES && !log.entries.is_empty() {
            log.more = true;
            return Ok(log);
        }
        log.mark = Some(Mark {
            seq: unsigned(row.0),
            hash: hash(row.7.clone())?,
            again,
        });
        tell(asker, row, &mut log)?;
    }
    log.more = full;
    Ok(log)
}

/// What was told before and has another place since. How far that reaches.
async fn tell_moved(
    conn: &mut SqliteConnection,
    asker: DeviceId,
    newest: i64,
    log: &mut Log,
) -> Result<u64, StoreError> {
    let Some(mark) = log.mark else {
        return Ok(unsigned(newest));
    };
    let upto = newest.min(signed(mark.again.saturating_add(LOG_ENTRIES as u64)));
    let rows: Vec<Row> = sqlx::query_as(AGAIN)
        .bind(signed(mark.again))
        .bind(upto)
        .fetch_all(conn)
        .await?;
    for row in rows {
        tell(asker, row, log)?;
    }
    Ok(unsigned(upto))
}

fn tell(asker: DeviceId, row: Row, log: &mut Log) -> Result<(), StoreError> {
    let (seq, device, incarnation, number, n, body, prev, digest, place) = row;
    let (seq, digest) = (unsigned(seq), hash(digest)?);
    let hub = match place {
        Some(place) if place < 0 => return Ok(()),
        place => place.map(unsigned),
    };
    if device == asker.0 {
        log.own.push(Placed {
            incarnation,
            lane: lane(number)?,
            n: unsigned(n),
            seq,
            hash: Some(digest),
            hub,
        });
        return Ok(());
    }
    let event = SealedEvent::from_parts(body, hash(prev)?, digest)?;
    log.entries.push(Entry { seq, event, hub });
    Ok(())
}

/// As the mailbox of its branch, this desk tells of an event again.
pub(crate) async fn tell_again(
    conn: &mut SqliteConnection,
    key: EventKey,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert or replace into lan_again (seq) select seq from event where device = ? \
         and incarnation = ? and lane = ? and n = ? and (select listen from lan_role) is not null",
    )
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .execute(conn)
    .await?;
    Ok(())
}

/// The hub is another: own events lose the places they were told with.
pub(crate) async fn tell_own_again(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "insert or replace into lan_again (seq) select e.seq from event e where e.own \
         and (select listen from lan_role) is not null and (",
        place_sql!(),
        ") is not null order by e.seq"
    ))
    .execute(conn)
    .await?;
    Ok(())
}

/// The hub has placed own events: as the mailbox, this desk tells of them again.
/// Gives the complaints whose order this may change: these events had a place in
/// the branch's order before, or others' have one alone.
pub(crate) async fn placed_in_branch(
    conn: &mut SqliteConnection,
    incarnation: u32,
    run: &Run,
) -> Result<Vec<ComplaintId>, StoreError> {
    let last = run.first_n.saturating_add(run.count);
    sqlx::query(
        "insert or replace into lan_again (seq) select seq from event where own \
         and device = (select device from device) and incarnation = ? and lane = ? \
         and n >= ? and n < ? and (select listen from lan_role) is not null order by n",
    )
    .bind(incarnation)
    .bind(run.lane.number())
    .bind(signed(run.first_n))
    .bind(signed(last))
    .execute(&mut *conn)
    .await?;
    let moved: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select distinct e.complaint from event e where e.own \
         and e.device = (select device from device) and e.incarnation = ? and e.lane = ? \
         and e.n >= ? and e.n < ? and (e.lan_seq is not null or exists (select 1 from event o \
         where o.complaint = e.complaint and not o.own and o.hub_seq is null))",
    )
    .bind(incarnation)
    .bind(run.lane.number())
    .bind(signed(run.first_n))
    .bind(signed(last))
    .fetch_all(conn)
    .await?;
    Ok(moved.into_iter().map(ComplaintId).collect())
}

/// Notes the place in the hub's log that the mailbox tells of, where the hub
/// itself has told none. Whether that is new.
pub(crate) async fn place(
    conn: &mut SqliteConnection,
    key: EventKey,
    seq: u64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "update event set hub_seq = ? where device = ? and incarnation = ? and lane = ? and n = ? \
         and hub_seq is null",
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

/// What the hub had forgotten counts again: its desk, or the branch, brings it
/// anew.
pub(crate) async fn revive(conn: &mut SqliteConnection, key: EventKey) -> Result<(), StoreError> {
    sqlx::query(
        "update event set hub_seq = null where device = ? and incarnation = ? and lane = ? \
         and n = ?",
    )
    .bind(key.device.0)
    .bind(key.incarnation)
    .bind(key.lane.number())
    .bind(signed(key.n))
    .execute(&mut *conn)
    .await?;
    tell_again(conn, key).await
}

/// The numbers an event has been given since, as its desk or a copy of it wrote
/// it again.
pub(crate) async fn renamed(
    conn: &mut SqliteConnection,
    event: &LedgerEvent,
    hash: Hash,
) -> Result<Vec<EventKey>, StoreError> {
    let hash = hash.to_string();
    named_after(conn, event, (event.key, &hash)).await
}

/// The numbers given since to the event that was first written under this one,
/// with this hash, in the complaint and by the desk of `event`.
async fn named_after(
    conn: &mut SqliteConnection,
    event: &LedgerEvent,
    (first, hash): (EventKey, &str),
) -> Result<Vec<EventKey>, StoreError> {
    // What was given a new number says so in its body.
    let bodies: Vec<String> = sqlx::query_scalar(
        "select body from event where complaint = ? and device = ? and instr(body, '\"origin\"') > 0",
    )
    .bind(event.complaint.0)
    .bind(event.key.device.0)
    .fetch_all(conn)
    .await?;
    // What this version cannot read it cannot have renumbered.
    let events = bodies
        .iter()
        .filter_map(|body| serde_json::from_str::<LedgerEvent>(body).ok());
    let again = events.filter(|again| {
        let origin = again.origin.as_ref();
        origin.is_some_and(|origin| origin.key == first && origin.hash == hash)
    });
    Ok(again.map(|again| again.key).collect())
}

/// Whether an event that the hub has not placed counts under another number, its
/// first or one that a copy has given it, which the hub has placed.
pub(crate) async fn is_placed_otherwise(
    conn: &mut SqliteConnection,
    event: &LedgerEvent,
) -> Result<bool, StoreError> {
    let Some(first) = &event.origin else {
        return Ok(false);
    };
    let is_placed = |here: &Here| here.hub_seq.is_some_and(|seq| seq >= 0);
    let here = super::hub_order::here(conn, first.key).await?;
    let same = here.filter(|here| Hash(here.hash).to_string() == first.hash);
    if same.as_ref().is_some_and(is_placed) {
        return Ok(true);
    }
    for key in named_after(conn, event, (first.key, &first.hash)).await? {
        let other = super::hub_order::here(conn, key).await?;
        if key != event.key && other.as_ref().is_some_and(is_placed) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
