//! `suda-sim`: runs a rig and prints one JSON line.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use suda_sim::rigs::{Report, herd, hour, lanes, live, planted, seeds};
use suda_sim::world::Plan;

/// A quarter of a run is allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Simulates desks and a hub through loss, crashes, wrong clocks, copies and restores
#[derive(Parser)]
#[command(name = "suda-sim", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    rig: Option<Rig>,
    #[command(flatten)]
    run: Run,
    /// As the command `planted`
    #[arg(long)]
    planted: bool,
}

#[derive(Subcommand)]
enum Rig {
    /// Full days with everything that can go wrong
    Run(Run),
    /// Plant the known bugs, one after the other, and count those found
    Planted {
        /// The first seed tried
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Plant only this bug
        #[arg(long)]
        bug: Option<String>,
    },
    /// Random schedules of cuts and kills, then heal: every queue empties by itself
    Live {
        #[arg(long, default_value_t = 5_000)]
        schedules: u64,
        /// The first schedule's seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// All four lanes over a slow line that is cut again and again
    Lanes {
        #[arg(long, default_value_t = 1_000)]
        schedules: u64,
        /// The first schedule's seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Days of outages: is every complex complaint in the queue within the hour?
    Hour(Hour),
    /// Thousands of desks with a backlog in the same second, and a hub that gives slots
    Herd(Herd),
}

#[derive(Args)]
struct Herd {
    #[arg(long, default_value_t = 10_000)]
    desks: usize,
    /// Complaints of each desk
    #[arg(long, default_value_t = 10)]
    complaints: u64,
    /// Events of each complaint
    #[arg(long, default_value_t = 12)]
    events: u64,
    /// Events the hub writes a second, as measured by `cargo xtask bench`
    #[arg(long, default_value_t = 15_000)]
    per_s: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct Run {
    /// How many seeds to run
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print a line for each seed
    #[arg(long)]
    each: bool,
    /// Shorter days of fewer desks, as the planted bugs are looked for in
    #[arg(long)]
    small: bool,
}

#[derive(Args)]
struct Hour {
    #[arg(long, default_value_t = 600)]
    branches: usize,
    #[arg(long, default_value_t = 7)]
    days: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    match report(&Cli::parse()) {
        Ok(report) => {
            println!("{}", report.line);
            if report.passed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn report(cli: &Cli) -> anyhow::Result<Report> {
    match &cli.rig {
        None if cli.planted => planted::hunt(cli.run.seed, None),
        None => run(&cli.run),
        Some(Rig::Run(options)) => run(options),
        Some(Rig::Planted { seed, bug }) => planted::hunt(*seed, bug.as_deref()),
        Some(Rig::Live { schedules, seed }) => live::heal_all(*seed, *schedules),
        Some(Rig::Lanes { schedules, seed }) => lanes::share_the_line(*seed, *schedules),
        Some(Rig::Hour(of)) => hour::measure(of.branches, of.days, of.seed),
        Some(Rig::Herd(of)) => herd::stampede(&herd::Options {
            desks: of.desks,
            complaints: of.complaints,
            events: of.events,
            per_s: of.per_s,
            seed: of.seed,
        }),
    }
}

fn run(options: &Run) -> anyhow::Result<Report> {
    let plan = if options.small {
        Plan::small()
    } else {
        Plan::full()
    };
    seeds::run_seeds(options.seed, options.seeds, plan, options.each)
}
