//! Day totals of this desk, and how far the hub has them.

use chrono::NaiveDate;
use sqlx::SqliteConnection;
use suda_sync::statistics::{Counts, DayName, DayTaken, DayTotals, DeskStanding, KEPT_DAYS};

use super::StoreError;
use super::ledger::{signed, unsigned};

/// A day the hub lacks in its present epoch.
pub(crate) struct WaitingRow {
    pub(crate) totals: DayTotals,
    /// When it last confirmed a writing of it, in its present epoch.
    pub(crate) taken_at: Option<i64>,
}

/// How lane 3 stands.
pub(crate) struct Standing {
    pub(crate) days: u64,
    /// Days before `today` whose last writing the hub lacks.
    pub(crate) waiting: u64,
    pub(crate) taken_at: Option<i64>,
}

/// Adds to a day and gives it the next revision. The oldest days beyond those
/// kept go: by their number, not their age, as a clock may be ahead by years.
pub(crate) async fn add(
    conn: &mut SqliteConnection,
    name: DayName,
    counts: &Counts,
    standing: DeskStanding,
) -> Result<(), StoreError> {
    let before: Option<(i64, i64, String)> = sqlx::query_as(
        "select revision, taken, body from statistics where incarnation = ? and day = ?",
    )
    .bind(name.incarnation)
    .bind(name.day)
    .fetch_optional(&mut *conn)
    .await?;
    let (held, mut all) = match before {
        // A row that cannot be read is begun anew: it is a figure, no record.
        Some((revision, taken, body)) => {
            let read = serde_json::from_str::<DayTotals>(&body);
            let counts = read.map(|totals| totals.counts).unwrap_or_default();
            (unsigned(revision.max(taken)), counts)
        }
        None => (0, Counts::default()),
    };
    all.add(counts);
    let totals = DayTotals {
        name,
        revision: held + 1,
        counts: all,
        standing,
    };
    sqlx::query(
        "insert into statistics (incarnation, day, revision, body) values (?, ?, ?, ?) \
         on conflict (incarnation, day) do update set revision = excluded.revision, \
         body = excluded.body",
    )
    .bind(name.incarnation)
    .bind(name.day)
    .bind(signed(totals.revision))
    .bind(serde_json::to_string(&totals)?)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "delete from statistics where day not in \
         (select distinct day from statistics order by day desc limit ?)",
    )
    .bind(signed(KEPT_DAYS))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes whether the data are open for work; tells whether they were so before.
pub(crate) async fn set_running(
    conn: &mut SqliteConnection,
    running: bool,
) -> Result<bool, StoreError> {
    let before: Option<bool> = sqlx::query_scalar("select running from statistics_run")
        .fetch_optional(&mut *conn)
        .await?;
    sqlx::query("insert or replace into statistics_run (one, running) values (1, ?)")
        .bind(running)
        .execute(conn)
        .await?;
    Ok(before.unwrap_or_default())
}

/// Days whose last writing the hub has not confirmed, the oldest first.
pub(crate) async fn waiting(
    conn: &mut SqliteConnection,
    limit: u32,
) -> Result<Vec<WaitingRow>, StoreError> {
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
        "select body, iif(epoch is (select epoch from link), taken_at, null) from statistics \
         where revision > taken or epoch is null or epoch is not (select epoch from link) \
         order by day, incarnation limit ?",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let row = |(body, taken_at): (String, Option<i64>)| {
        Ok(WaitingRow {
            totals: serde_json::from_str(&body)?,
            taken_at,
        })
    };
    rows.into_iter().map(row).collect()
}

/// Keeps what the hub holds.
pub(crate) async fn set_taken(
    conn: &mut SqliteConnection,
    epoch: &str,
    days: &[DayTaken],
    at_ms: i64,
) -> Result<(), StoreError> {
    for day in days {
        sqlx::query(
            "update statistics set taken = ?, epoch = ?, taken_at = ? \
             where incarnation = ? and day = ?",
        )
        .bind(signed(day.revision))
        .bind(epoch.to_owned())
        .bind(at_ms)
        .bind(day.name.incarnation)
        .bind(day.name.day)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub(crate) async fn standing(
    conn: &mut SqliteConnection,
    today: NaiveDate,
) -> Result<Standing, StoreError> {
    let (days, waiting, taken_at): (i64, i64, Option<i64>) = sqlx::query_as(
        "select count(*), count(*) filter (where day < ? and \
         (revision > taken or epoch is null or epoch is not (select epoch from link))), \
         max(taken_at) from statistics",
    )
    .bind(today)
    .fetch_one(conn)
    .await?;
    Ok(Standing {
        days: unsigned(days),
        waiting: unsigned(waiting),
        taken_at,
    })
}
