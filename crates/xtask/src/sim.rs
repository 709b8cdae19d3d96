//! `cargo xtask sim`, and the rigs that are simulated, built with a
//! profile of their own: quick to run and, unlike the release, quick to build.
//! What is simulated, and which bars are set, is in `crates/sim`.

use clap::Args;

use crate::workspace::{Workspace, run, run_aside};

/// The folder cargo builds the profile `sim` in.
const PROFILE: &str = "sim";

#[derive(Args)]
pub struct Sim {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Plant the known bugs instead, and count those found
    #[arg(long)]
    planted: bool,
}

pub fn simulate(workspace: &Workspace, options: &Sim) -> anyhow::Result<()> {
    let seed = options.seed.to_string();
    if options.planted {
        return run_rig(workspace, &["planted", "--seed", &seed]);
    }
    let seeds = options.seeds.to_string();
    run_rig(workspace, &["run", "--seeds", &seeds, "--seed", &seed])
}

/// What every change has to pass: a thousand seeds, and the planted bugs, all found.
pub fn thousand_seeds(workspace: &Workspace) -> anyhow::Result<()> {
    run_rig(workspace, &["run", "--seeds", "1000"])
}

pub fn planted_bugs(workspace: &Workspace) -> anyhow::Result<()> {
    run_rig(workspace, &["planted"])
}

/// Runs a rig of the simulator.
pub fn run_rig(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<()> {
    // Standard output is the rig's line alone.
    let build = ["build", "--profile", PROFILE, "--package", "suda-sim"];
    run_aside(&mut workspace.cargo(&build))?;
    let program = workspace
        .target
        .join(PROFILE)
        .join("suda-sim")
        .with_extension(std::env::consts::EXE_EXTENSION);
    run(workspace.command(program).args(arguments))
}
