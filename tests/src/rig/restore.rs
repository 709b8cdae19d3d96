//! `rig restore`: the hub is put back to a backup an hour old while hundreds
//! of desks are at work. Each of them finds the new epoch and the lower
//! watermarks at its next hello and sends again what the hub has forgotten. Then
//! each desk is put back and copied.

mod copies;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

use super::books::{DeskBooks, EventMark, HubBooks};
use super::light::{LightDesk, Pace};
use super::prey::rows;
use super::{Dice, Report, world};
use crate::{City, DeskDir, Failure, bin, output};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Desks without a disk, each of a branch of its own.
    pub desks: u32,
    /// The real program.
    pub real: u32,
    /// Complaints of each desk before the backup.
    pub before: u32,
    /// Complaints of each desk in the hour that is lost.
    pub later: u32,
    pub seed: u64,
}

const BACK_WITHIN: Duration = Duration::from_secs(600);
const EVENTS: u32 = 6;

pub async fn run(options: Options) -> Result<Report, Failure> {
    let mut report = Report::new("restore", options.seed);
    let mut dice = Dice::new(options.seed);
    let mut city = City::start()?;
    city.kill_hub();
    let mut desks = world::enrol(&city, options.desks, &mut dice).await?;
    city.start_hub()?;
    let mut real = Vec::new();
    for n in 0..options.real {
        real.push(city.desk(&city.branch()?, &format!("real{n}"))?);
    }
    let backup = city.dir.path().join("hour-ago.db");
    let now = Utc::now();
    let hour_ago = now - TimeDelta::hours(1);
    desks = work(&city, desks, &real, options.before, hour_ago, &mut dice).await?;
    hub(&city, "backup", &backup)?;
    desks = work(&city, desks, &real, options.later, now, &mut dice).await?;
    let written = written(&desks, &real).await?;

    city.kill_hub();
    hub(&city, "restore", &backup)?;
    // The control: before any desk has come, the same books must show a loss.
    let forgotten = HubBooks::read(&city.hub_data()).await?.missing(&written);
    report.figure("control_lost_before_the_desks_come", forgotten);
    report.bar(
        forgotten > 0,
        "the control, a restored hub before its desks come, is found to have lost",
    );
    city.start_hub()?;
    let begin = Instant::now();
    let (desks, back) = all(&city, desks, Pace::Real).await?;
    for desk in &real {
        desk.sync()?;
    }
    let took = begin.elapsed();
    let books = HubBooks::read(&city.hub_data()).await?;
    let lost = books.missing(&written);
    let seconds = (took.as_secs_f64() * 100.0).round() / 100.0;
    report.figure("desks", options.desks);
    report.figure("real_desks", options.real);
    report.figure("events", written.len());
    report.figure("back", back);
    report.figure("back_after_s", seconds);
    report.figure("lost", lost);
    report.figure("doubled", books.doubled());
    report.figure("set_aside", books.set_aside);
    let errors: u64 = desks.iter().map(|desk| desk.met.server_errors).sum();
    report.figure("server_errors", errors);
    report.bar(back == desks.len(), "every desk is in step again");
    report.bar(took <= BACK_WITHIN, "all are back within 10 minutes");
    report.bar(lost == 0, "nothing is lost");
    report.bar(
        books.doubled() == 0 && books.set_aside == 0,
        "nothing is doubled or set aside",
    );
    copies::run(&city, desks, &mut dice, &mut report).await?;
    for desk in &real {
        let verified = output(&mut desk.command("verify"));
        report.bar(verified.is_ok(), "a real desk verifies");
        let unsent = desk.status()?["unsent"]["lane1"].as_u64();
        report.bar(unsent == Some(0), "a real desk has nothing unsent");
    }
    let mut verify = Command::new(bin("suda-hub"));
    let verified = output(verify.arg("verify").arg("--data").arg(city.hub_data()));
    report.bar(verified.is_ok(), "the hub verifies");
    Ok(report)
}

/// `suda-hub backup FILE` and `suda-hub restore FILE`.
fn hub(city: &City, command: &str, file: &std::path::Path) -> Result<(), Failure> {
    let mut hub = Command::new(bin("suda-hub"));
    hub.arg(command)
        .arg(file)
        .arg("--data")
        .arg(city.hub_data());
    output(&mut hub).map(drop)
}

/// Every desk records some complaints and brings them to the hub.
async fn work(
    city: &City,
    mut desks: Vec<LightDesk>,
    real: &[DeskDir],
    complaints: u32,
    at: DateTime<Utc>,
    dice: &mut Dice,
) -> Result<Vec<LightDesk>, Failure> {
    for desk in &mut desks {
        for _ in 0..complaints {
            desk.pen.complaint(at, EVENTS, dice.is_one_in(3))?;
        }
    }
    let file = rows(
        city,
        &format!("at-{}", at.timestamp()),
        u64::from(complaints),
    )?;
    for desk in real {
        output(desk.command("import").arg(&file).arg("--json"))?;
        desk.sync()?;
    }
    let (desks, done) = all(city, desks, Pace::Skipped).await?;
    match done == desks.len() {
        true => Ok(desks),
        false => Err(Failure::Said(format!("only {done} desks were receipted"))),
    }
}

/// All at once. Gives the desks and how many are level with the hub.
async fn all(
    city: &City,
    desks: Vec<LightDesk>,
    pace: Pace,
) -> Result<(Vec<LightDesk>, usize), Failure> {
    let mut syncing = JoinSet::new();
    for mut desk in desks {
        desk.url = city.url();
        syncing.spawn(async move {
            let done = desk.sync(pace, BACK_WITHIN).await;
            (desk, done)
        });
    }
    let (mut back, mut level) = (Vec::new(), 0);
    while let Some(ended) = syncing.join_next().await {
        let (desk, done) = ended.map_err(|error| Failure::Said(error.to_string()))?;
        level += usize::from(done);
        back.push(desk);
    }
    back.sort_by_key(|desk| desk.pen.branch.to_string());
    Ok((back, level))
}

async fn written(desks: &[LightDesk], real: &[DeskDir]) -> Result<BTreeSet<EventMark>, Failure> {
    let mut written: BTreeSet<_> = desks.iter().flat_map(LightDesk::marks).collect();
    for desk in real {
        written.extend(DeskBooks::read(desk).await?.own);
    }
    Ok(written)
}
