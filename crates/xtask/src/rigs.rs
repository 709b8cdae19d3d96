//! `cargo xtask sim` and `cargo xtask rig`: the simulator's rigs, built with a
//! profile of their own: quick to run and, unlike the release, quick to build.
//! What is simulated, and which bars are set, is in `crates/sim`.

use clap::{Args, Subcommand};

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

#[derive(Subcommand)]
pub enum Rig {
    /// Random schedules of cuts and kills, then heal: every queue empties by itself
    Live {
        #[arg(long, default_value_t = 5_000)]
        schedules: u64,
        /// The first schedule's seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Days of outages: is every complex complaint in the queue within the hour?
    Hour {
        #[arg(long, default_value_t = 600)]
        branches: u64,
        #[arg(long, default_value_t = 7)]
        days: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

pub fn simulate(workspace: &Workspace, options: &Sim) -> anyhow::Result<()> {
    let seed = options.seed.to_string();
    if options.planted {
        return run_rig(workspace, &["planted", "--seed", &seed]);
    }
    let seeds = options.seeds.to_string();
    run_rig(workspace, &["run", "--seeds", &seeds, "--seed", &seed])
}

pub fn run_one(workspace: &Workspace, rig: &Rig) -> anyhow::Result<()> {
    match rig {
        Rig::Live { schedules, seed } => {
            let (schedules, seed) = (schedules.to_string(), seed.to_string());
            run_rig(
                workspace,
                &["live", "--schedules", &schedules, "--seed", &seed],
            )
        }
        Rig::Hour {
            branches,
            days,
            seed,
        } => {
            let (branches, days) = (branches.to_string(), days.to_string());
            let seed = seed.to_string();
            run_rig(
                workspace,
                &[
                    "hour",
                    "--branches",
                    &branches,
                    "--days",
                    &days,
                    "--seed",
                    &seed,
                ],
            )
        }
    }
}

/// What every change has to pass: a thousand seeds, and the planted bugs, all found.
pub fn thousand_seeds(workspace: &Workspace) -> anyhow::Result<()> {
    run_rig(workspace, &["run", "--seeds", "1000"])
}

pub fn planted_bugs(workspace: &Workspace) -> anyhow::Result<()> {
    run_rig(workspace, &["planted"])
}

fn run_rig(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<()> {
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
