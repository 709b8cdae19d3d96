//! `rig herd`: after an outage of eight hours every branch comes back in the
//! same second, each over a connection of its own, each with what its counter
//! has written meanwhile. The urgent lane must be through in half a minute,
//! all in five, and an expert at the console must not notice.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::json;
use suda_test_postgres::PrivatePostgres;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, JoinSet};

use super::books::HubBooks;
use super::light::{LightDesk, Pace};
use super::report::percentile;
use super::{Dice, Report, world};
use crate::{City, Failure, output};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub desks: u32,
    /// Of each desk: 30 a branch and day are 10 in 8 hours.
    pub complaints: u32,
    /// Of each complaint.
    pub events: u32,
    /// All come back in a moment of this length.
    pub within: Duration,
    pub store: StoreKind,
    pub seed: u64,
}

/// What the hub keeps its data in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreKind {
    Sqlite,
    Postgresql,
}

const URGENT_WITHIN: Duration = Duration::from_secs(30);
const ALL_WITHIN: Duration = Duration::from_secs(300);
const CONSOLE_WITHIN: Duration = Duration::from_millis(300);
const HUB_KIB: u64 = 1024 * 1024;
/// Between two looks of the expert.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Looks during which the control's hub stands still, and for how long.
const CONTROL_LOOKS: usize = 20;
const FROZEN: Duration = Duration::from_millis(900);

pub async fn run(options: Options) -> Result<Report, Failure> {
    let mut report = Report::new("herd", options.seed);
    let mut dice = Dice::new(options.seed);
    // Until the end of the rig: dropped, the server stops.
    let server = match options.store {
        StoreKind::Sqlite => None,
        StoreKind::Postgresql => Some(PrivatePostgres::start().map_err(|e| said(&e))?),
    };
    let database = server.as_ref().map(|server| server.database("herd"));
    let database = database.transpose().map_err(|e| said(&e))?;
    report.figure("store", format!("{:?}", options.store).to_lowercase());
    let mut city = City::start_in(database)?;
    city.kill_hub();
    let mut desks = world::enrol(&city, options.desks, &mut dice).await?;
    let outage = Utc::now() - TimeDelta::hours(8);
    for desk in &mut desks {
        for n in 0..options.complaints {
            let at = outage + TimeDelta::minutes(i64::from(n) * 48);
            desk.pen.complaint(at, options.events, n % 3 == 0)?;
        }
    }
    let written: BTreeSet<_> = desks.iter().flat_map(LightDesk::marks).collect();
    city.start_hub()?;
    let console = Console::sign_in(&city).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let looking = on_its_own(Console::look_until(
        console.visit.clone(),
        Arc::clone(&stop),
    ));
    let begin = Instant::now();
    let herd = come(&city, desks, options.within, &mut dice).await?;
    stop.store(true, Ordering::SeqCst);
    let looks = looking.await.map_err(|e| said(&e))??;

    let urgent = herd.desks.iter().map(|desk| {
        let done = desk.met.urgent_done;
        done.map_or(Duration::MAX, |at| at.saturating_duration_since(begin))
    });
    let urgent = urgent.max().unwrap_or_default();
    let books = HubBooks::of(&city).await?;
    let seconds = |time: Duration| (time.as_secs_f64() * 100.0).round() / 100.0;
    report.figure("desks", options.desks);
    report.figure("events", written.len());
    report.figure("urgent_done_s", seconds(urgent));
    report.figure("all_done_s", seconds(herd.took));
    report.figure(
        "events_per_s",
        (written.len() as f64 / herd.took.as_secs_f64()).round(),
    );
    let errors: u64 = herd.desks.iter().map(|desk| desk.met.server_errors).sum();
    let unanswered: u64 = herd.desks.iter().map(|desk| desk.met.unanswered).sum();
    report.figure("server_errors", errors + looks.errors);
    report.figure("unanswered", unanswered);
    report.figure("console_looks", looks.times.len());
    report.percentile("console_p50_ms", &looks.times, 50);
    let console_p99 = report.percentile("console_p99_ms", &looks.times, 99);
    report.figure("console_worst_at_s", seconds(looks.worst_after(begin)));
    let memory = peak_kib(&city)?;
    report.figure("hub_peak_mib", memory / 1024);
    report.figure("lost", books.missing(&written));
    report.figure("doubled", books.doubled());
    report.figure("set_aside", books.set_aside);
    report.bar(herd.level == herd.desks.len(), "every desk is done");
    report.bar(
        urgent <= URGENT_WITHIN,
        "the urgent lane is through in 30 s",
    );
    report.bar(herd.took <= ALL_WITHIN, "all is through in 5 min");
    report.bar(is_quick(console_p99), "the console's p99 is within 300 ms");
    report.bar(errors + looks.errors == 0, "no server errors");
    report.bar(memory <= HUB_KIB, "the hub stays within 1 GiB");
    report.bar(
        books.missing(&written) == 0 && books.doubled() == 0 && books.set_aside == 0,
        "nothing is lost, doubled or set aside",
    );
    control(&city, &console, &mut report).await?;
    Ok(report)
}

fn said(error: &dyn std::fmt::Display) -> Failure {
    Failure::Said(error.to_string())
}

fn is_quick(p99: Duration) -> bool {
    p99 <= CONSOLE_WITHIN
}

struct Herd {
    desks: Vec<LightDesk>,
    level: usize,
    took: Duration,
}

/// All desks within the same moment.
async fn come(
    city: &City,
    desks: Vec<LightDesk>,
    within: Duration,
    dice: &mut Dice,
) -> Result<Herd, Failure> {
    let begin = Instant::now();
    let mut coming = JoinSet::new();
    for mut desk in desks {
        desk.url = city.url();
        let moment = dice.within(within);
        coming.spawn(async move {
            tokio::time::sleep(moment).await;
            let done = desk.sync(Pace::Real, ALL_WITHIN).await;
            (desk, done)
        });
    }
    let (mut back, mut level) = (Vec::new(), 0);
    while let Some(ended) = coming.join_next().await {
        let (desk, done) = ended.map_err(|e| said(&e))?;
        level += usize::from(done);
        back.push(desk);
    }
    Ok(Herd {
        desks: back,
        level,
        took: begin.elapsed(),
    })
}

/// Runs `work` on a thread and a runtime of its own. The expert's browser is
/// another program than the desks: its questions must not wait in their queue.
fn on_its_own<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> JoinHandle<Result<T, Failure>> {
    tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.map_err(Failure::io("a runtime"))?.block_on(work)
    })
}

/// An expert's browser, as far as the hub can tell.
struct Console {
    client: reqwest::Client,
    visit: Visit,
}

/// Where a browser is signed in, and as whom.
#[derive(Clone)]
struct Visit {
    url: String,
    cookie: String,
}

#[derive(Default)]
struct Looks {
    times: Vec<Duration>,
    errors: u64,
    /// When the longest began, and how long it was.
    worst: Option<(Instant, Duration)>,
}

impl Looks {
    fn add(&mut self, begin: Instant, is_answered: bool) {
        let took = begin.elapsed();
        self.times.push(took);
        self.errors += u64::from(!is_answered);
        if self.worst.is_none_or(|(_, longest)| took > longest) {
            self.worst = Some((begin, took));
        }
    }

    fn worst_after(&self, begin: Instant) -> Duration {
        self.worst.map_or(Duration::ZERO, |(at, _)| {
            at.saturating_duration_since(begin)
        })
    }
}

impl Console {
    async fn sign_in(city: &City) -> Result<Self, Failure> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let expert = city.account("expert", None)?;
        let answer = client
            .post(format!("{}/api/login", city.url()))
            .json(&json!({ "login": expert.login, "password": expert.password }))
            .send()
            .await?
            .error_for_status()?;
        let cookie = answer
            .headers()
            .get("set-cookie")
            .and_then(|value| value.to_str().ok()?.split(';').next())
            .ok_or_else(|| Failure::Said("the console gave no cookie".to_owned()))?
            .to_owned();
        let url = city.url();
        Self::open(Visit { url, cookie })
    }

    /// A browser with connections of its own.
    fn open(visit: Visit) -> Result<Self, Failure> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { client, visit })
    }

    async fn look(&self, looks: &mut Looks) -> Result<(), Failure> {
        let begin = Instant::now();
        let answer = self
            .client
            .get(format!("{}/api/work-orders?view=queue", self.visit.url))
            .header("cookie", &self.visit.cookie)
            .send()
            .await?;
        let status = answer.status();
        answer.bytes().await?;
        looks.add(begin, status.is_success());
        Ok(())
    }

    async fn look_until(visit: Visit, stop: Arc<AtomicBool>) -> Result<Looks, Failure> {
        let console = Self::open(visit)?;
        let mut looks = Looks::default();
        while !stop.load(Ordering::SeqCst) {
            console.look(&mut looks).await?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(looks)
    }
}

/// The same looks and the same judgement on a hub that stands still for a
/// moment: it must be called too slow.
async fn control(city: &City, console: &Console, report: &mut Report) -> Result<(), Failure> {
    let hub = city.hub_id()?;
    let signal = |name: &str| output(Command::new("kill").args([name, &hub.to_string()])).map(drop);
    let mut looks = Looks::default();
    signal("-STOP")?;
    let thaw = async {
        tokio::time::sleep(FROZEN).await;
        signal("-CONT")
    };
    let look = async {
        for _ in 0..CONTROL_LOOKS {
            console.look(&mut looks).await?;
        }
        Ok::<(), Failure>(())
    };
    let (thawed, looked) = tokio::join!(thaw, look);
    thawed?;
    looked?;
    let p99 = percentile(&looks.times, 99);
    report.percentile("control_console_p99_ms", &looks.times, 99);
    report.bar(
        !is_quick(p99),
        "the control, a hub that stands still, is found too slow",
    );
    Ok(())
}

/// The most memory the hub has had so far.
fn peak_kib(city: &City) -> Result<u64, Failure> {
    let path = format!("/proc/{}/status", city.hub_id()?);
    let status = std::fs::read_to_string(path).map_err(Failure::io("the hub's memory"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| Failure::Said("the hub's memory is not told".to_owned()))
}
