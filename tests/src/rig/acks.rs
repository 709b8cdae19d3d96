//! `rig acks`: the hub's receipt is lost on its way after the hub has stored
//! the batch, thousands of times. The desks send again; the hub must hold
//! every event once, and everything must have arrived in the end.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::Utc;
use suda_domain::staff::StaffRecord;
use suda_domain::{Lane, Role};
use suda_hub::ingest::{Arrival, Batch, Changes, Situation, judge};
use suda_hub::pen::Pen as HubPen;
use suda_sync::place::LaneHead;
use tokio::task::JoinSet;

use super::books::{DeskBooks, EventMark, HubBooks, doubled};
use super::light::{LightDesk, Pace};
use super::prey::rows;
use super::proxy::Proxy;
use super::{Dice, Report, world};
use crate::{City, Failure, output_raw};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Receipts to be lost.
    pub drops: u64,
    /// Of them at a real desk, whose pauses are real too.
    pub real_drops: u64,
    pub desks: u32,
    pub seed: u64,
}

const ROUND_WITHIN: Duration = Duration::from_secs(60);
/// Runs of the real desk's sync, each of which gives up after three losses.
const REAL_TRIES: u32 = 200;

pub async fn run(options: Options) -> Result<Report, Failure> {
    let mut report = Report::new("acks", options.seed);
    let mut dice = Dice::new(options.seed);
    let mut city = City::start()?;
    city.kill_hub();
    let mut desks = world::enrol(&city, options.desks, &mut dice).await?;
    city.start_hub()?;
    let proxy = Proxy::start(city.url(), 0).await?;
    let real_lost = lose_at_real_desk(&city, &proxy, options.real_drops).await?;
    proxy.lose(options.drops.saturating_sub(real_lost.lost));
    while proxy.lost() < options.drops {
        desks = round(desks, &proxy.url, &mut dice).await?;
    }
    let arrived = desks.iter().all(LightDesk::is_receipted);
    let hub = HubBooks::read(&city.hub_data()).await?;
    let mut written = real_lost.own;
    written.extend(desks.iter().flat_map(LightDesk::marks));
    let (lost, foreign) = (hub.missing(&written), foreign(&hub, &written));
    let duplicates: u64 = desks.iter().map(|desk| desk.met.duplicates).sum();
    report.figure("dropped", proxy.lost());
    report.figure("dropped_at_real_desk", real_lost.lost);
    report.figure("desks", options.desks);
    report.figure("events", written.len());
    report.figure("sent_again_and_known", duplicates);
    report.figure("doubled", hub.doubled() + foreign);
    report.figure("lost", lost);
    report.figure("set_aside", hub.set_aside);
    report.bar(
        proxy.lost() >= options.drops,
        "as many receipts lost as asked",
    );
    report.bar(hub.doubled() + foreign == 0, "nothing is doubled");
    report.bar(lost == 0 && arrived, "everything arrives in the end");
    report.bar(hub.set_aside == 0, "nothing is set aside");
    report.bar(duplicates > 0, "the hub was sent what it held");
    control(&desks, &mut report)?;
    Ok(report)
}

/// Entries of desks in the hub's log that no desk has written.
fn foreign(hub: &HubBooks, written: &BTreeSet<EventMark>) -> u64 {
    let devices: BTreeSet<_> = written.iter().map(|mark| mark.0).collect();
    let unknown = |mark: &&EventMark| devices.contains(&mark.0) && !written.contains(*mark);
    hub.log.iter().filter(unknown).count() as u64
}

/// Every desk writes a little and syncs until it is receipted.
async fn round(
    desks: Vec<LightDesk>,
    url: &str,
    dice: &mut Dice,
) -> Result<Vec<LightDesk>, Failure> {
    let mut syncing = JoinSet::new();
    for mut desk in desks {
        for _ in 0..=dice.below(3) {
            let complex = dice.is_one_in(3);
            desk.pen.complaint(Utc::now(), 3, complex)?;
        }
        url.clone_into(&mut desk.url);
        syncing.spawn(async move {
            desk.sync(Pace::Skipped, ROUND_WITHIN).await;
            desk
        });
    }
    let mut back = Vec::new();
    while let Some(desk) = syncing.join_next().await {
        back.push(desk.map_err(|error| Failure::Said(error.to_string()))?);
    }
    // As they were, so that a seed gives each the same to do.
    back.sort_by_key(|desk| desk.pen.branch.to_string());
    Ok(back)
}

struct RealDesk {
    lost: u64,
    own: BTreeSet<EventMark>,
}

/// The real program through the proxy, until its queues are empty.
async fn lose_at_real_desk(city: &City, proxy: &Proxy, lose: u64) -> Result<RealDesk, Failure> {
    let desk = city.desk_by(&proxy.url, &city.branch()?, "real")?;
    proxy.lose(lose);
    for n in 0..REAL_TRIES {
        if proxy.lost() >= lose {
            break;
        }
        let file = rows(city, &format!("acks{n}"), 2)?;
        output_raw(desk.command("import").arg(file).arg("--json"))?;
        output_raw(desk.command("sync").arg("--once"))?;
    }
    proxy.lose(0);
    desk.sync()?;
    Ok(RealDesk {
        lost: proxy.lost(),
        own: DeskBooks::read(&desk).await?.own,
    })
}

/// The same judgement on a hub that remembers no numbers: the batch it is
/// given twice it takes twice, and the count must say so.
fn control(desks: &[LightDesk], report: &mut Report) -> Result<(), Failure> {
    let Some(desk) = desks.first() else {
        return Ok(());
    };
    let events = desk.pen.lane(Lane::Ordinary);
    let mut log = Vec::new();
    for _ in 0..2 {
        log.extend(marks(&forgetful(desk)?));
    }
    let found = doubled(&log);
    report.figure("control_doubled", found);
    report.bar(
        found == events.len() as u64 && found > 0,
        "the control, a hub without memory of numbers, is found to double",
    );
    Ok(())
}

/// What a hub without any memory would store of the desk's ordinary lane.
fn forgetful(desk: &LightDesk) -> Result<Changes, Failure> {
    let arrivals = desk.pen.lane(Lane::Ordinary).iter().cloned();
    let batch = Batch {
        device: desk.pen.device,
        incarnation: desk.pen.incarnation,
        branch: desk.pen.branch.clone(),
        lane: Lane::Ordinary,
        first_n: 1,
        arrivals: arrivals.map(Arrival::read).collect(),
        rekeys: false,
        again: Vec::new(),
        now: Utc::now(),
        mono_ms: 1,
    };
    let staff = desk.pen.actor.staff.map(|id| {
        let record = StaffRecord {
            id,
            login: String::new(),
            name: desk.pen.actor.name.clone(),
            role: Role::Clerk,
            branch: Some(desk.pen.branch.clone()),
            password_hash: String::new(),
            active: true,
            superior: None,
        };
        (id, record)
    });
    let situation = Situation {
        lines: std::sync::Arc::default(),
        head: LaneHead::EMPTY,
        known: HashMap::new(),
        complaints: HashMap::new(),
        references: HashMap::new(),
        staff: staff.into_iter().collect(),
        held: Vec::new(),
        arrived: HashSet::new(),
    };
    let mut pen = HubPen {
        device: suda_domain::DeviceId(uuid::Uuid::nil()),
        incarnation: 1,
        head: LaneHead::EMPTY,
        now: Utc::now(),
        mono_ms: 1,
    };
    let judged = judge(&batch, situation, &mut pen);
    Ok(judged
        .map_err(|error| Failure::Said(error.to_string()))?
        .changes)
}

fn marks(changes: &Changes) -> Vec<EventMark> {
    let mark = |entry: &suda_hub::pen::Entry| {
        (
            entry.key.device.0,
            i64::from(entry.key.incarnation),
            i64::from(entry.key.lane.number()),
            i64::try_from(entry.key.n).unwrap_or(i64::MAX),
            entry.sealed.hash.0.to_vec(),
        )
    };
    changes.entries.iter().map(mark).collect()
}
