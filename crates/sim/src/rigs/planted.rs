//! `suda-sim planted`: is the simulator able to find what it is there for?

use std::time::Instant;

use serde_json::json;

use super::Report;
use super::seeds::outcomes;
use crate::cores::on_all_cores;
use crate::plant::Plant;
use crate::run;
use crate::world::Plan;

/// Seeds tried for each planted bug.
const TRIES: u64 = 200;

/// The first seed from `first` on at which this bug shows, and what shows.
pub(super) fn find(plant: Plant, first: u64) -> anyhow::Result<Option<(u64, Option<String>)>> {
    // Some bugs need a longer day to show.
    let small = (first..first + TRIES).map(|seed| (seed, Plan::small()));
    let full = (first..first + TRIES).map(|seed| (seed, Plan::full()));
    for (seed, plan) in small.chain(full) {
        let plan = Plan {
            plant: Some(plant),
            ..plan
        };
        let outcome = run(seed, plan)?;
        if outcome.violations.total() > 0 {
            return Ok(Some((seed, outcome.violations.first)));
        }
    }
    Ok(None)
}

/// Plants each bug, or only the one of this name, and looks for it from seed
/// `first` on; the control is that the same seeds without a bug find nothing.
///
/// # Errors
/// When a world cannot be made.
pub fn hunt(first: u64, bug: Option<&str>) -> anyhow::Result<Report> {
    let began = Instant::now();
    let wanted = |plant: &Plant| bug.is_none_or(|bug| bug == plant.name());
    let plants: Vec<Plant> = Plant::ALL.iter().copied().filter(wanted).collect();
    let hunts = on_all_cores(&plants, |&plant| {
        find(plant, first).map(|caught| (plant, caught))
    })?;
    let mut found = Vec::new();
    let mut missed = Vec::new();
    for (plant, caught) in hunts {
        match caught {
            Some((seed, first)) => {
                found.push(json!({ "bug": plant.name(), "seed": seed, "as": first }));
            }
            None => missed.push(plant.name()),
        }
    }
    // The control: the same seeds without a bug find nothing.
    let clean = outcomes(first, TRIES, Plan::small())?;
    let false_alarms = clean.iter().filter(|o| o.violations.total() > 0).count();
    let line = json!({
        "rig": "sim planted",
        "planted": plants.len(),
        "found": found.len(),
        "missed": missed,
        "false_alarms": false_alarms,
        "first_false_alarm": clean
            .iter()
            .find_map(|o| Some((o.seed, o.violations.first.clone()?))),
        "how": found,
        "seconds": began.elapsed().as_secs_f64(),
    });
    Ok(Report {
        line,
        passed: missed.is_empty() && false_alarms == 0,
    })
}
