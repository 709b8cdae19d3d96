//! `suda-sim`: runs seeds and prints one JSON line.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use serde_json::json;
use suda_sim::plant::Plant;
use suda_sim::world::Plan;
use suda_sim::{Outcome, run};

/// Simulates desks and a hub through loss, crashes, wrong clocks, copies and restores
#[derive(Parser)]
#[command(name = "suda-sim", version)]
struct Cli {
    /// How many seeds to run
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Plant the known bugs, one after the other, and count those found
    #[arg(long)]
    planted: bool,
    /// Plant only this bug
    #[arg(long, requires = "planted")]
    bug: Option<String>,
    /// Print a line for each seed
    #[arg(long)]
    each: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = if cli.planted {
        planted(&cli)
    } else {
        sound(&cli)
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does `work` for every item, spread over all cores; the results in the items' order.
fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let parts = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(at) else {
                            return Ok(done);
                        };
                        done.push((at, work(item)?));
                    }
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| {
                let joined: anyhow::Result<Vec<(usize, R)>> = handle
                    .join()
                    .map_err(|_| anyhow::anyhow!("a run panicked"))?;
                joined
            })
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut all: Vec<(usize, R)> = parts.into_iter().flatten().collect();
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

fn outcomes(first: u64, seeds: u64, plan: Plan) -> anyhow::Result<Vec<Outcome>> {
    let seeds: Vec<u64> = (first..first + seeds).collect();
    on_all_cores(&seeds, |&seed| run(seed, plan))
}

fn sound(cli: &Cli) -> anyhow::Result<bool> {
    let began = Instant::now();
    let all = outcomes(cli.seed, cli.seeds, Plan::full())?;
    if cli.each {
        for one in &all {
            println!(
                "{} {:?} {:?} {}",
                one.seed, one.counts, one.violations, one.trace
            );
        }
    }
    let sum = |of: fn(&Outcome) -> u64| all.iter().map(of).sum::<u64>();
    let bad: Vec<u64> = all
        .iter()
        .filter(|o| o.violations.total() > 0)
        .map(|o| o.seed)
        .collect();
    let line = json!({
        "rig": "sim",
        "seeds": cli.seeds,
        "first_seed": cli.seed,
        "steps_confirmed": sum(|o| o.promises),
        "lost": sum(|o| o.violations.lost),
        "doubled": sum(|o| o.violations.doubled),
        "two_owners": sum(|o| o.violations.two_owners),
        "out_of_order": sum(|o| o.violations.out_of_order),
        "apart": sum(|o| o.violations.apart),
        "held": sum(|o| o.violations.held),
        "stuck": sum(|o| o.violations.stuck),
        "messages": sum(|o| o.counts.messages),
        "crashes": sum(|o| o.counts.crashes),
        "hub_restores": sum(|o| o.counts.hub_restores),
        "rollbacks": sum(|o| o.counts.rollbacks),
        "copies": sum(|o| o.counts.copies),
        "renewals": sum(|o| o.counts.renewals),
        "destroyed_with_their_file": sum(|o| o.destroyed),
        "level_after_ms_max": all.iter().filter_map(|o| o.level_after_ms).max(),
        "bad_seeds": bad.iter().take(10).collect::<Vec<_>>(),
        "first_violation": all.iter().find_map(|o| o.violations.first.clone()),
        "trace": all.last().map(|o| o.trace.clone()),
        "seconds": began.elapsed().as_secs_f64(),
    });
    println!("{line}");
    Ok(bad.is_empty())
}

/// Seeds tried for each planted bug.
const TRIES: u64 = 40;

fn planted(cli: &Cli) -> anyhow::Result<bool> {
    let began = Instant::now();
    let wanted = |plant: &Plant| cli.bug.as_ref().is_none_or(|bug| bug == plant.name());
    let plants: Vec<Plant> = Plant::ALL.iter().copied().filter(wanted).collect();
    let hunts = on_all_cores(&plants, |&plant| {
        let hunt = || -> anyhow::Result<_> {
            // Some bugs need a longer day to show.
            let small = (cli.seed..cli.seed + TRIES).map(|seed| (seed, Plan::small()));
            let full = (cli.seed..cli.seed + TRIES).map(|seed| (seed, Plan::full()));
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
        };
        hunt().map(|caught| (plant, caught))
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
    let clean = outcomes(cli.seed, TRIES, Plan::small())?;
    let false_alarms = clean.iter().filter(|o| o.violations.total() > 0).count();
    let line = json!({
        "rig": "sim planted",
        "planted": plants.len(),
        "found": found.len(),
        "missed": missed,
        "false_alarms": false_alarms,
        "how": found,
        "seconds": began.elapsed().as_secs_f64(),
    });
    println!("{line}");
    Ok(missed.is_empty() && false_alarms == 0)
}
