//! The same work as programs of other kinds were measured doing on a machine
//! like this one: a document database that syncs (PouchDB) and a job queue
//! (graphile-worker). Their figures stand here as what is to be beaten, by the
//! factor the project asks for; ours are measured now.

use std::time::{Duration, Instant};

use suda_desk::{Desk, KeySource};
use suda_tests::rig::herd::{self, StoreKind};
use suda_tests::{City, DeskDir, Failure, Line};

use crate::desk::{self, import_rows, record};
use crate::line::Goal::{AtLeast, AtMost};
use crate::line::{Times, print, print_against};

/// A counter of the hub's processor time: ticks of a hundredth of a second.
const TICKS_PER_S: f64 = 100.0;
/// What the other program did, and how many times better this is to be.
const CATCH_UP: [(usize, f64); 2] = [(1_000, 1_392.0), (10_000, 2_191.0)];
const FASTER: f64 = 5.0;
const WIRE_BYTES: f64 = 1_217.0;
const NO_CHANGE_BYTES: f64 = 2_552.0;
const ONE_BYTES: f64 = 6_280.0;
const ONE_MS: f64 = 25.0;
const CPU_MS: f64 = 0.05;
const CLIENTS: u32 = 50;
const RECONNECT_S: f64 = 3.98;
/// 17 complaints of 12 events are the 200 documents of a client.
const COMPLAINTS: u32 = 17;
const EVENTS: u32 = 12;
/// Single saves, one after the other.
const ONES: usize = 100;
/// Long enough for some rounds in which nothing happens.
const IDLE: Duration = Duration::from_secs(100);
/// Nothing under way any more.
const SETTLED: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn peers() -> Result<(), Failure> {
    for (documents, theirs) in CATCH_UP {
        catch_up(documents, theirs).await?;
    }
    line().await?;
    reconnect().await
}

fn said(error: impl std::fmt::Display) -> Failure {
    Failure::Said(error.to_string())
}

async fn opened(dir: &DeskDir) -> Result<Desk, Failure> {
    let key = KeySource::File(dir.key.clone());
    Desk::open(&dir.data, key).await.map_err(said)
}

/// A backlog of so many records of the ledger, about 1 KB each, from the desk
/// to the hub: their receipts are stored when it ends.
async fn catch_up(documents: usize, theirs: f64) -> Result<(), Failure> {
    let bench = format!("catch_up_{documents}");
    let city = City::start()?;
    let dir = city.desk(&city.branch()?, "desk")?;
    // Recorded and assessed, and some handed off: two records a complaint at least.
    import_rows(&city, &dir, documents / 2, "none")?;
    let desk = opened(&dir).await?;
    let cpu = hub_cpu_s(&city)?;
    let begin = Instant::now();
    let summary = desk.sync_once().await.map_err(said)?;
    let seconds = begin.elapsed().as_secs_f64();
    let cpu = hub_cpu_s(&city)? - cpu;
    let sent = usize::try_from(summary.sent).map_err(said)?;
    if sent < documents {
        return Err(said(format!("{bench}: {sent} of {documents} sent")));
    }
    let rate = sent as f64 / seconds;
    print_against(
        (&bench, "records"),
        rate,
        "1/s",
        sent,
        AtLeast(FASTER * theirs),
    );
    let cpu_ms = 1000.0 * cpu / sent as f64;
    print_against(
        (&bench, "hub_cpu"),
        cpu_ms,
        "ms a record",
        sent,
        AtMost(CPU_MS),
    );
    Ok(())
}

/// What goes over the line: a backlog, one new complaint, and nothing new.
async fn line() -> Result<(), Failure> {
    let city = City::start()?;
    let line = Line::start(&city.url(), 0, 0, 1).await?;
    let dir = city.desk_by(&line.url, &city.branch()?, "desk")?;
    let (documents, _) = CATCH_UP[0];
    import_rows(&city, &dir, documents / 2, "none")?;
    let (desk, session) = desk::open(&city, &dir).await?;
    let before = line.carried();
    desk.sync_once().await.map_err(said)?;
    let each = (line.carried() - before) as f64 / documents as f64;
    let bound = 0.25 * WIRE_BYTES;
    print_against(
        ("wire", "backlog"),
        each,
        "bytes a record",
        documents,
        AtMost(bound),
    );

    let syncing = {
        let desk = desk.clone();
        tokio::spawn(async move { desk.sync_forever(std::future::pending()).await })
    };
    quiet(&desk, &line).await?;
    let (mut times, before) = (Times::default(), line.carried());
    for n in 0..ONES {
        let begin = Instant::now();
        record(&desk, &session, n, false).await?;
        let saved = begin.elapsed();
        receipted(&desk).await?;
        times.add(begin.elapsed().saturating_sub(saved));
        quiet(&desk, &line).await?;
    }
    let each = (line.carried() - before) as f64 / ONES as f64;
    print_against(
        ("wire", "one_complaint"),
        each,
        "bytes",
        ONES,
        AtMost(0.25 * ONE_BYTES),
    );
    let median = times.percentile_ms(50);
    print_against(
        ("wire", "saved_to_receipt_p50"),
        median,
        "ms",
        ONES,
        AtMost(0.2 * ONE_MS),
    );
    print(
        "wire",
        "saved_to_receipt_p99",
        times.percentile_ms(99),
        "ms",
        ONES,
    );

    // What a desk asks while nothing happens: a watch ends after 25 s, and once a
    // minute it looks. Every ten minutes it asks for the signed page instead.
    let (before, asked) = (line.carried(), line.asked());
    tokio::time::sleep(IDLE).await;
    let (bytes, rounds) = (line.carried() - before, line.asked() - asked);
    syncing.abort();
    print_against(
        ("wire", "no_change"),
        bytes as f64 / rounds.max(1) as f64,
        "bytes a round",
        usize::try_from(rounds).map_err(said)?,
        AtMost(0.1 * NO_CHANGE_BYTES),
    );
    Ok(())
}

/// Until everything written has a receipt.
async fn receipted(desk: &Desk) -> Result<(), Failure> {
    let begin = Instant::now();
    while desk.status().await.map_err(said)?.unsent > 0 {
        if begin.elapsed() > PATIENCE {
            return Err(said("no receipt came"));
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    Ok(())
}

/// Until the line has carried nothing for a while.
async fn quiet(desk: &Desk, line: &Line) -> Result<(), Failure> {
    receipted(desk).await?;
    let begin = Instant::now();
    loop {
        let before = line.carried();
        tokio::time::sleep(SETTLED).await;
        if line.carried() == before {
            return Ok(());
        }
        if begin.elapsed() > PATIENCE {
            return Err(said("the line does not get quiet"));
        }
    }
}

/// Many come back at once, each with what it has written.
async fn reconnect() -> Result<(), Failure> {
    let report = herd::run(herd::Options {
        desks: CLIENTS,
        complaints: COMPLAINTS,
        events: EVENTS,
        within: Duration::ZERO,
        store: StoreKind::Sqlite,
        seed: 1,
    })
    .await?;
    let figure = |name: &str| {
        let found = report.number(name);
        found.ok_or_else(|| said(format!("the herd told no {name}")))
    };
    let n = figure("events")? as usize;
    let all = figure("all_done_s")?;
    print_against(
        ("reconnect", "all_done"),
        all,
        "s",
        n,
        AtMost(RECONNECT_S / 4.0),
    );
    let urgent = figure("urgent_done_s")?;
    print_against(("reconnect", "urgent_done"), urgent, "s", n, AtMost(all));
    match report.holds() {
        true => Ok(()),
        false => Err(said(report.line())),
    }
}

/// Processor time the hub has had so far, in seconds.
fn hub_cpu_s(city: &City) -> Result<f64, Failure> {
    let path = format!("/proc/{}/stat", city.hub_id()?);
    let stat = std::fs::read_to_string(path).map_err(Failure::io("the hub's time"))?;
    // Behind the name in brackets, which may hold anything: fields 14 and 15 of
    // proc(5).
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_S),
        _ => Err(said("the hub's time is not told")),
    }
}
