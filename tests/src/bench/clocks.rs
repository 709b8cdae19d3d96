//! Deadlines: what a clock costs to count, and what it costs to find the few
//! of a million that somebody has to be told of.

use std::hint::black_box;
use std::time::Instant;

use chrono::Utc;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use suda_domain::Complaint;
use suda_domain::clocks::deadlines;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Directory as _, Lists as _, Reader, Upkeep as _, View};
use suda_tests::{City, Failure};

use crate::desk::import_rows;
use crate::line::Goal::AtMost;
use crate::line::{Times, print, print_against};

const COMPLAINTS: usize = 500;
const ROUNDS: usize = 40;
const OPEN: i64 = 1_000_000;
const DUE: i64 = 100;
const LOOKS: usize = 20;

pub async fn clocks() -> Result<(), Failure> {
    let mut city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    import_rows(&city, &desk, COMPLAINTS, "all")?;
    desk.sync()?;
    city.stop_hub()?;
    let data = city.hub_data();
    let store = SqliteStore::open(&data, false).await.map_err(said)?;
    let keep = store.settings().await.map_err(said)?.time;
    let held = store.work_orders(View::All(None), None, COMPLAINTS as u32, Reader::Program);
    let held = held.await.map_err(said)?;
    let complaints: Vec<Complaint> = held.into_iter().map(|held| held.into_complaint()).collect();
    let mut counted = 0;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        for complaint in &complaints {
            counted += black_box(deadlines(black_box(complaint), &keep)).len();
        }
    }
    let micros = begin.elapsed().as_secs_f64() * 1e6 / counted as f64;
    print_against(("clocks", "deadline"), micros, "us", counted, AtMost(5.0));
    store.close().await;
    drop(store);
    sweep(&data).await
}

/// A million open complaints, of which a hundred are due.
async fn sweep(data: &std::path::Path) -> Result<(), Failure> {
    let mut connection: SqliteConnection = suda_sqlite::options()
        .filename(data.join("hub.db"))
        .connect()
        .await
        .map_err(said)?;
    let now = Utc::now();
    sqlx::query(
        "INSERT INTO complaint (id, reference, branch, state, rank, due, in_queue, with_team, \
         alert_pending, arrived_at, tell_at, told, updated_seq, body) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
         SELECT randomblob(16), 'R' || i, 'CQ0101', 'claimed', 2, ?2 + i * 1000, 0, 1, 0, ?2, \
         iif(i <= ?3, ?2 - i, ?2 + i * 1000), 0, 0, '{}' FROM n",
    )
    .bind(OPEN)
    .bind(now.timestamp_millis())
    .bind(DUE)
    .execute(&mut connection)
    .await
    .map_err(said)?;
    // The control: the same question without the index.
    let begin = Instant::now();
    let found: i64 =
        sqlx::query_scalar("SELECT count(*) FROM complaint NOT INDEXED WHERE tell_at <= ?")
            .bind(now.timestamp_millis())
            .fetch_one(&mut connection)
            .await
            .map_err(said)?;
    let without = begin.elapsed().as_secs_f64() * 1000.0;
    connection.close().await.map_err(said)?;
    let store = SqliteStore::open(data, false).await.map_err(said)?;
    let mut times = Times::default();
    for _ in 0..LOOKS {
        let begin = Instant::now();
        let due = store.to_escalate(now, None, u32::MAX).await.map_err(said)?;
        times.add(begin.elapsed());
        if due.len() as i64 != found {
            return Err(Failure::Said(format!("{} of {found} due", due.len())));
        }
    }
    print(
        "clocks",
        "sweep_without_index",
        without,
        "ms",
        OPEN as usize,
    );
    let p99 = times.percentile_ms(99);
    print_against(("clocks", "sweep_p99"), p99, "ms", LOOKS, AtMost(1_000.0));
    store.close().await;
    Ok(())
}

fn said(error: impl std::fmt::Display) -> Failure {
    Failure::Said(error.to_string())
}
