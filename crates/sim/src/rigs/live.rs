//! `suda-sim live`: random schedules of cuts and kills in a small branch, then
//! everything heals, and nobody touches anything: does every queue empty?

use std::time::Instant;

use serde_json::json;

use super::Report;
use crate::cores::on_all_cores;
use crate::plant::Plant;
use crate::world::{Plan, World};

/// Simulated time in which every queue must be empty after the links are back.
const BAR_MS: u64 = 90_000;
/// Schedules of the control, in which retries wait for somebody to write.
const CONTROL: u64 = 200;

fn plan(plant: Option<Plant>) -> Plan {
    Plan {
        branches: 1,
        desks_each: 3,
        mailboxes: 0,
        operations: 40,
        day_ms: 15 * 60_000,
        disasters: false,
        plant,
    }
}

/// Time from the heal until all is level, by schedule; `None` where it is not
/// within the bar.
fn healed(first: u64, schedules: u64, plant: Option<Plant>) -> anyhow::Result<Vec<Option<u64>>> {
    let seeds: Vec<u64> = (first..first + schedules).collect();
    on_all_cores(&seeds, |&seed| {
        Ok(World::new(seed, plan(plant))?.run(BAR_MS))
    })
}

/// Runs `schedules` schedules from seed `first` on.
///
/// # Errors
/// When a world cannot be made.
pub fn heal_all(first: u64, schedules: u64) -> anyhow::Result<Report> {
    let began = Instant::now();
    let sound = healed(first, schedules, None)?;
    let mut times: Vec<u64> = sound.iter().copied().flatten().collect();
    times.sort_unstable();
    let stuck: Vec<u64> = (first..)
        .zip(&sound)
        .filter_map(|(seed, time)| time.is_none().then_some(seed))
        .collect();
    let control = healed(first, CONTROL.min(schedules), Some(Plant::RetryOnlyOnWrite))?;
    let control_stuck = control.iter().filter(|time| time.is_none()).count();
    let line = json!({
        "rig": "live",
        "schedules": schedules,
        "first_seed": first,
        "empty_within_90_s": times.len(),
        "stuck_seeds": stuck.iter().take(10).collect::<Vec<_>>(),
        "level_after_ms_p50": times.get(times.len() / 2),
        "level_after_ms_p99": times.get(times.len() * 99 / 100),
        "level_after_ms_max": times.last(),
        "control": {
            "bug": Plant::RetryOnlyOnWrite.name(),
            "schedules": control.len(),
            "stuck": control_stuck,
        },
        "seconds": began.elapsed().as_secs_f64(),
    });
    Ok(Report {
        line,
        passed: stuck.is_empty() && control_stuck > 0,
    })
}
