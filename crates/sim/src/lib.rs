//! A deterministic simulation of desks, the mailboxes of their branches, and a
//! hub. It runs the sync core and the rules that the programs run; disks,
//! networks, files carried about, clocks and people are simulated, and do their
//! worst. One seed replays any failure.

pub mod check;
mod city;
pub mod cores;
mod desk_disk;
mod dice;
mod hub_disk;
mod past;
pub mod plant;
mod queue;
pub mod rigs;
mod states;
mod store;
pub mod world;

use check::Violations;
use world::{Counts, Plan, World};

/// Simulated time in which everything must be level after the last fault.
pub const PATIENCE_MS: u64 = 10 * 60_000;

/// What came out of one seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub seed: u64,
    pub trace: String,
    pub counts: Counts,
    pub violations: Violations,
    /// Simulated time from the last fault until every queue was empty.
    pub level_after_ms: Option<u64>,
    pub promises: u64,
    pub destroyed: u64,
    /// Records the hub has set aside, by reason.
    pub refused: check::refused::Refused,
}

/// Runs one seed.
///
/// # Errors
/// When the simulated city cannot be made.
pub fn run(seed: u64, plan: Plan) -> anyhow::Result<Outcome> {
    let mut world = World::new(seed, plan)?;
    let level_after_ms = world.run(PATIENCE_MS);
    world.let_go += check::branch::let_go(&mut world);
    let violations = check::at_the_end(&world, level_after_ms.is_some());
    Ok(Outcome {
        seed,
        trace: world.trace(),
        counts: world.counts,
        violations,
        level_after_ms,
        promises: world.promises.len() as u64,
        destroyed: world
            .promises
            .values()
            .filter(|promise| promise.destroyed)
            .count() as u64,
        refused: check::refused::by_reason(&world),
    })
}
