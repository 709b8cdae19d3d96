//! Many experts claim the same work orders at once, and some of them die: no
//! order is claimed twice, none is lost, and what the dead held comes back in
//! time. On the embedded store, and across three hub processes on one
//! PostgreSQL. The control claims by reading and then writing, without a lock;
//! the same count has to catch it.

mod city;
mod control;
mod crowd;
mod ledger;

use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Store, Upkeep as _};
use suda_test_postgres::PrivatePostgres;
use suda_tests::{Running, bin};

use self::city::City;
use self::crowd::Done;

/// How many.
#[derive(Clone, Copy)]
pub struct Size {
    pub claimers: usize,
    pub orders: usize,
}

impl Default for Size {
    /// What the bar asks.
    fn default() -> Self {
        Self {
            claimers: 1_000,
            orders: 10_000,
        }
    }
}

/// A lapsed lease is looked for every second; this is when its return counts
/// as late.
const RETURN_WITHIN: Duration = Duration::from_secs(5);
const PROCESSES: usize = 3;
const WORTH_TIMING: usize = 1_000;

/// The whole rig: `{"rig":"claims","passed":…,"sqlite":{…},"postgresql":{…},"control":{…}}`.
pub async fn claims(size: Size) -> anyhow::Result<Value> {
    let server = PrivatePostgres::start()?;
    let sqlite = async { on_sqlite(size).await.context("on SQLite") };
    let postgresql = async { on_postgresql(size, &server).await.context("on PostgreSQL") };
    let (sqlite, postgresql) = if size.orders < WORTH_TIMING {
        // Nobody reads the figures of so few: both wait for their leases at once.
        tokio::try_join!(sqlite, postgresql)?
    } else {
        (sqlite.await?, postgresql.await?)
    };
    let control = control::read_then_write(size, &server.database("control")?)
        .await
        .context("the control")?;
    let ok = sqlite.1 && postgresql.1 && control > 0;
    Ok(json!({
        "rig": "claims",
        "passed": ok,
        "claimers": size.claimers,
        "work_orders": size.orders,
        "sqlite": sqlite.0,
        "postgresql": postgresql.0,
        "control": { "how": "read, then write, without a lock", "claimed_twice": control },
    }))
}

async fn on_sqlite(size: Size) -> anyhow::Result<(Value, bool)> {
    let dir = tempfile::tempdir()?;
    let store = SqliteStore::open(dir.path(), true).await?;
    let city = City::fill(&store, size).await?;
    store.close().await;
    drop(store);
    let mut serve = Command::new(bin("suda-hub"));
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    serve.arg(dir.path());
    let process = started(serve)?;
    let done = crowd::claim_everything(&city, std::slice::from_ref(&process.1)).await?;
    drop(process);
    let store = SqliteStore::open(dir.path(), false).await?;
    let report = report(&store, &city, &done, 1).await;
    store.close().await;
    report
}

async fn on_postgresql(size: Size, server: &PrivatePostgres) -> anyhow::Result<(Value, bool)> {
    let url = server.database("claims")?;
    let store = PostgresStore::open(&url).await?;
    let city = City::fill(&store, size).await?;
    let (mut processes, mut urls) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let mut serve = Command::new(bin("suda-hub"));
        serve.args(["serve", "--listen", "127.0.0.1:0", "--database", &url]);
        let (process, address) = started(serve)?;
        processes.push(process);
        urls.push(address);
    }
    let done = crowd::claim_everything(&city, &urls).await?;
    drop(processes);
    let report = report(&store, &city, &done, PROCESSES).await;
    store.close().await;
    report
}

fn started(mut serve: Command) -> anyhow::Result<(Running, String)> {
    let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
    serve.env("RUST_LOG", "error");
    let (process, address) = Running::start_until(&mut serve, Duration::from_secs(30), ready)?;
    Ok((process, format!("http://{address}")))
}

async fn report(
    store: &dyn Store,
    city: &City,
    done: &Done,
    processes: usize,
) -> anyhow::Result<(Value, bool)> {
    let found = ledger::read(store, city, done).await?;
    let late = found.latest_return > RETURN_WITHIN;
    let ok = found.claimed_twice == 0
        && found.lost == 0
        && found.unknown_to_the_ledger == 0
        && found.returned_early == 0
        && found.lapsed > 0
        && !late
        && found.fault.is_none();
    let p = |percent| done.percentile_ms(percent);
    let report = json!({
        "processes": processes,
        "attempts": done.latencies.len(),
        "won": done.won.len(),
        "refused": done.refused,
        "experts_died": city.dying(),
        "claimed_twice": found.claimed_twice,
        "lost": found.lost,
        "unknown_to_the_ledger": found.unknown_to_the_ledger,
        "lapsed": found.lapsed,
        "returned_early": found.returned_early,
        "latest_return_ms": found.latest_return.as_millis() as u64,
        "fault": found.fault,
        "events": found.events,
        "first_round_s": (done.first_round.as_secs_f64() * 10.0).round() / 10.0,
        "claims_per_s": done.claims_per_s().round(),
        "attempts_per_s": done.attempts_per_s().round(),
        "attempt_p50_ms": p(50),
        "attempt_p99_ms": p(99),
    });
    Ok((report, ok))
}
