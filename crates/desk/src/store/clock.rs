//! The working clock between two runs of the program, and the stretches of
//! time that the hub has not yet confirmed.

use sqlx::SqliteConnection;
use suda_domain::trusted::{Jump, Kept};
use suda_domain::{ComplaintId, DeviceId};

use super::StoreError;
use super::ledger::{signed, unsigned};
use crate::clock::{from_ms, to_ms};

/// How often the computer's clock was set, as far as was noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Jumps {
    pub(crate) count: u32,
    pub(crate) last: Option<Jump>,
}

impl Jumps {
    pub(crate) fn add(&mut self, jump: Jump) {
        self.count = self.count.saturating_add(1);
        self.last = Some(jump);
    }
}

/// A stretch of unconfirmed time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StretchRow {
    pub(crate) stretch: i64,
    pub(crate) begun_ms: i64,
    pub(crate) mono_ms: u64,
    pub(crate) seen_ms: i64,
    pub(crate) first_seq: i64,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) jump_by_ms: Option<i64>,
}

type ClockColumns = (
    Option<String>,
    i64,
    i64,
    i64,
    Option<i64>,
    i64,
    u32,
    Option<i64>,
    Option<i64>,
);

/// What was kept, with the latest time the ledger has since.
pub(crate) async fn kept(conn: &mut SqliteConnection) -> Result<Option<(Kept, Jumps)>, StoreError> {
    let row: Option<ClockColumns> = sqlx::query_as(
        "select boot, mono_ms, wall, at, contact, seq, jumps, jump_at, jump_by_ms from clock",
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some((boot, mono_ms, wall, at, contact, seq, count, jump_at, by_ms)) = row else {
        return Ok(None);
    };
    let newest: Option<i64> = sqlx::query_scalar("select max(at) from event where seq > ? and own")
        .bind(seq)
        .fetch_one(conn)
        .await?;
    let kept = Kept {
        boot,
        mono_ms: unsigned(mono_ms),
        wall: from_ms(wall),
        at: from_ms(at),
        contact: contact.map(from_ms),
        newest: newest.map(from_ms),
    };
    let last = jump_at.zip(by_ms).map(|(at, by_ms)| Jump {
        at: from_ms(at),
        by_ms,
    });
    Ok(Some((kept, Jumps { count, last })))
}

pub(crate) async fn keep(
    conn: &mut SqliteConnection,
    kept: &Kept,
    jumps: Jumps,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert or replace into clock (one, boot, mono_ms, wall, at, contact, seq, jumps, \
         jump_at, jump_by_ms) values (1, ?, ?, ?, ?, ?, (select coalesce(max(seq), 0) from event), \
         ?, ?, ?)",
    )
    .bind(kept.boot.clone())
    .bind(signed(kept.mono_ms))
    .bind(to_ms(kept.wall))
    .bind(to_ms(kept.at))
    .bind(kept.contact.map(to_ms))
    .bind(jumps.count)
    .bind(jumps.last.map(|jump| to_ms(jump.at)))
    .bind(jumps.last.map(|jump| jump.by_ms))
    .execute(conn)
    .await?;
    Ok(())
}

/// The last event's number in this desk's order.
pub(crate) async fn last_seq(conn: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(
        sqlx::query_scalar("select coalesce(max(seq), 0) from event")
            .fetch_one(conn)
            .await?,
    )
}

/// The stretches since the last contact, the oldest first.
pub(crate) async fn unconfirmed(
    conn: &mut SqliteConnection,
) -> Result<Vec<StretchRow>, StoreError> {
    type Columns = (i64, i64, i64, i64, i64, Option<i64>, Option<i64>);
    let rows: Vec<Columns> = sqlx::query_as(
        "select stretch, begun, mono_ms, seen, first_seq, ended, jump_by_ms from unconfirmed \
         order by stretch",
    )
    .fetch_all(conn)
    .await?;
    let row = |(stretch, begun_ms, mono_ms, seen_ms, first_seq, ended_ms, jump_by_ms): Columns| {
        StretchRow {
            stretch,
            begun_ms,
            mono_ms: unsigned(mono_ms),
            seen_ms,
            first_seq,
            ended_ms,
            jump_by_ms,
        }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Ends the stretch before, where it was last seen, and begins another.
pub(crate) async fn begin_stretch(
    conn: &mut SqliteConnection,
    new: &StretchRow,
) -> Result<(), StoreError> {
    sqlx::query("update unconfirmed set ended = max(begun, ?) where ended is null")
        .bind(new.seen_ms)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "insert into unconfirmed (stretch, begun, mono_ms, seen, first_seq, jump_by_ms) \
         values (?, ?, ?, ?, ?, ?)",
    )
    .bind(new.stretch)
    .bind(new.begun_ms)
    .bind(signed(new.mono_ms))
    .bind(new.seen_ms)
    .bind(new.first_seq)
    .bind(new.jump_by_ms)
    .execute(conn)
    .await?;
    Ok(())
}

/// Everything is confirmed.
pub(crate) async fn confirm(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    for sql in [
        "delete from unconfirmed",
        "delete from unconfirmed_arrival",
        "update draft set stretch = null where stretch is not null",
    ] {
        sqlx::query(sql).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Notes that a complaint's arrival was taken from the clock in a stretch.
pub(crate) async fn note_arrival(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
    stretch: i64,
) -> Result<(), StoreError> {
    sqlx::query("insert or ignore into unconfirmed_arrival (complaint, stretch) values (?, ?)")
        .bind(complaint.0)
        .bind(stretch)
        .execute(conn)
        .await?;
    Ok(())
}

/// The stretch in which a complaint's arrival was taken from the clock.
pub(crate) async fn arrival_stretch(
    conn: &mut SqliteConnection,
    complaint: ComplaintId,
) -> Result<Option<i64>, StoreError> {
    Ok(
        sqlx::query_scalar("select stretch from unconfirmed_arrival where complaint = ?")
            .bind(complaint.0)
            .fetch_optional(conn)
            .await?,
    )
}

/// Moves the opening of the forms opened in a stretch.
pub(crate) async fn shift_drafts(
    conn: &mut SqliteConnection,
    stretch: i64,
    by_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query("update draft set opened_at = opened_at + ? where stretch = ?")
        .bind(by_ms)
        .bind(stretch)
        .execute(conn)
        .await?;
    Ok(())
}

/// A step this device wrote, with its time as it stood.
pub(crate) struct OwnStep {
    pub(crate) seq: i64,
    pub(crate) complaint: ComplaintId,
    pub(crate) lane: u8,
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    /// It is the recording.
    pub(crate) records: bool,
}

/// The steps written after `seq`, in this desk's order.
pub(crate) async fn steps_after(
    conn: &mut SqliteConnection,
    (device, incarnation): (DeviceId, u32),
    seq: i64,
) -> Result<Vec<OwnStep>, StoreError> {
    let rows: Vec<(i64, uuid::Uuid, u8, i64, i64, bool)> = sqlx::query_as(
        "select seq, complaint, lane, n, at, json_extract(body, '$.fact.kind') = 'recorded' \
         from event where seq > ? and own and device = ? and incarnation = ? order by seq",
    )
    .bind(seq)
    .bind(device.0)
    .bind(incarnation)
    .fetch_all(conn)
    .await?;
    let step = |(seq, complaint, lane, n, at_ms, records)| OwnStep {
        seq,
        complaint: ComplaintId(complaint),
        lane,
        n: unsigned(n),
        at_ms,
        records,
    };
    Ok(rows.into_iter().map(step).collect())
}
