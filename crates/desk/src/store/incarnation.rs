//! Incarnations: under which one this desk writes, and what the earlier ones
//! still have to deliver.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::SqliteConnection;
use suda_domain::{EventKey, Lane};
use suda_sync::place::LaneHead;

use super::StoreError;
use super::ledger::{signed, unsigned};

/// Why an incarnation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// A backup was put in the place of the file.
    Restored,
    /// The file turned out older than what had been written.
    RolledBack,
    /// The hub knows another copy that has gone on.
    Copied,
}

impl Cause {
    fn name(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::RolledBack => "rolled_back",
            Self::Copied => "copied",
        }
    }
}

/// Ends the incarnation `old`, whose lanes reach to `heads`, and begins `new`
/// with empty lanes and the desk's letter.
pub(crate) async fn renew(
    conn: &mut SqliteConnection,
    (old, new): (u32, u32),
    letter: &str,
    heads: &[LaneHead; 4],
    cause: Cause,
    at_ms: i64,
) -> Result<(), StoreError> {
    for lane in Lane::ALL {
        sqlx::query(
            "insert or replace into past_incarnation (incarnation, lane, acked_n, head_n, \
             ended_at, cause) values (?1, ?2, coalesce((select acked_n from lane_ack \
             where lane = ?2), 0), ?3, ?4, ?5)",
        )
        .bind(old)
        .bind(lane.number())
        .bind(signed(heads[lane.index()].n))
        .bind(at_ms)
        .bind(cause.name())
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query("update lane_ack set acked_n = 0")
        .execute(&mut *conn)
        .await?;
    sqlx::query("update device set incarnation = ?, desk_letter = ?")
        .bind(new)
        .bind(letter)
        .execute(conn)
        .await?;
    Ok(())
}

/// An earlier incarnation: receipt and end of each lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Past {
    pub(crate) acked: [u64; 4],
    pub(crate) heads: [u64; 4],
}

/// The earlier incarnations, by number.
pub(crate) async fn past(conn: &mut SqliteConnection) -> Result<BTreeMap<u32, Past>, StoreError> {
    let rows: Vec<(u32, i64, i64, i64)> =
        sqlx::query_as("select incarnation, lane, acked_n, head_n from past_incarnation")
            .fetch_all(conn)
            .await?;
    let mut past: BTreeMap<u32, Past> = BTreeMap::new();
    for (incarnation, lane, acked, head) in rows {
        let known = past.entry(incarnation).or_default();
        let lane = usize::try_from(lane).unwrap_or(usize::MAX);
        if let Some((to_ack, to_head)) = known.acked.get_mut(lane).zip(known.heads.get_mut(lane)) {
            (*to_ack, *to_head) = (unsigned(acked), unsigned(head));
        }
    }
    Ok(past)
}

/// How far the hub has received what an earlier incarnation wrote.
pub(crate) async fn set_acked(
    conn: &mut SqliteConnection,
    incarnation: u32,
    acked: [u64; 4],
) -> Result<(), StoreError> {
    for lane in Lane::ALL {
        sqlx::query("update past_incarnation set acked_n = ? where incarnation = ? and lane = ?")
            .bind(signed(acked[lane.index()]))
            .bind(incarnation)
            .bind(lane.number())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// An earlier incarnation's lane ends here: what followed has new numbers.
pub(crate) async fn set_head(
    conn: &mut SqliteConnection,
    incarnation: u32,
    lane: Lane,
    n: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "update past_incarnation set head_n = ?1, acked_n = min(acked_n, ?1) \
         where incarnation = ?2 and lane = ?3",
    )
    .bind(signed(n))
    .bind(incarnation)
    .bind(lane.number())
    .execute(conn)
    .await?;
    Ok(())
}

/// What the hub has receipted of what was written here.
#[derive(Clone, Debug)]
pub(crate) struct Receipted {
    pub(crate) incarnation: u32,
    pub(crate) acked: [u64; 4],
    pub(crate) past: BTreeMap<u32, Past>,
}

impl Receipted {
    pub(crate) fn covers(&self, key: &EventKey) -> bool {
        self.reaches(key.incarnation, key.lane, key.n)
    }

    pub(crate) fn reaches(&self, incarnation: u32, lane: Lane, n: u64) -> bool {
        let acked = match self.past.get(&incarnation) {
            _ if incarnation == self.incarnation => self.acked[lane.index()],
            Some(past) => past.acked[lane.index()],
            None => 0,
        };
        n <= acked
    }

    /// How many events of earlier incarnations wait, by lane.
    pub(crate) fn past_unsent(&self) -> [u64; 4] {
        let mut unsent = [0; 4];
        for past in self.past.values() {
            for (lane, sum) in unsent.iter_mut().enumerate() {
                *sum += past.heads[lane].saturating_sub(past.acked[lane]);
            }
        }
        unsent
    }
}

pub(crate) async fn receipted(
    conn: &mut SqliteConnection,
    incarnation: u32,
) -> Result<Receipted, StoreError> {
    Ok(Receipted {
        incarnation,
        acked: super::outbox::acked(conn).await?,
        past: past(conn).await?,
    })
}

/// When the oldest event of an earlier incarnation without receipt was written.
pub(crate) async fn oldest_unsent(conn: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "select min(e.at) from past_incarnation p join event e on e.device = (select device \
         from device) and e.incarnation = p.incarnation and e.lane = p.lane \
         and e.n > p.acked_n and e.own where p.head_n > p.acked_n",
    )
    .fetch_one(conn)
    .await?)
}

/// The running number below which none may be given on `day`.
pub(crate) async fn reference_floor(
    conn: &mut SqliteConnection,
    day: NaiveDate,
) -> Result<u32, StoreError> {
    let n: Option<u32> = sqlx::query_scalar("select n from reference_floor where day = ?")
        .bind(day.to_string())
        .fetch_optional(conn)
        .await?;
    Ok(n.unwrap_or_default())
}

pub(crate) async fn set_reference_floor(
    conn: &mut SqliteConnection,
    day: NaiveDate,
    n: u32,
) -> Result<(), StoreError> {
    sqlx::query("insert or replace into reference_floor (one, day, n) values (1, ?, ?)")
        .bind(day.to_string())
        .bind(n)
        .execute(conn)
        .await?;
    Ok(())
}
