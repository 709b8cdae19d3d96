//! The developer's one door: `cargo xtask <command>`.
//!
//! Only the command line and the choice of module live here; each command has
//! its own module. Nothing in this crate may be needed by the programs
//! themselves, and it depends on none of the workspace's crates, so that it
//! builds in seconds on a fresh machine.

mod bench;
mod bindings;
mod bundle;
mod demo;
mod edges;
mod fuzz;
mod judge;
mod rig;
mod setup;
mod sim;
mod test;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands of Suda", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what building and testing need: system packages, cargo tools, npm packages
    Setup,
    /// Run a demo: a hub, an enrolled desk with sample complaints, and the desk's window
    Run(demo::Options),
    /// Run every check and test
    Test {
        /// Leave out the whole-system tests, the licence check and the tools only they need
        #[arg(long)]
        quick: bool,
    },
    /// Write the TypeScript that the UI shares with the desk and the hub
    Bindings {
        /// Change nothing; fail if a committed file differs from what would be written
        #[arg(long)]
        check: bool,
    },
    /// Check which crate sees which against the architecture's table
    Edges,
    /// Measure speed and size on a release build; prints JSON lines
    Bench(bench::Options),
    /// Simulate desks and a hub, one seed a day; prints a JSON line
    Sim(sim::Sim),
    /// Run a rig: kill, power, disk, acks, flip, herd, restore, claims, live or hour
    Rig(rig::Options),
    /// Fuzz what comes from outside: the wire, a bundle or an imported file
    Fuzz(fuzz::Fuzz),
    /// Build the installers: .deb and .rpm of the desk, .deb of the hub
    Bundle {
        /// Where to copy the installers [default: the target directory's `installers`]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match Workspace::find().and_then(|workspace| dispatch(&workspace, cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(workspace: &Workspace, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Setup => setup::everything(workspace),
        Command::Run(options) => demo::run(workspace, &options),
        Command::Test { quick } => test::run_all(workspace, quick),
        Command::Bindings { check } => bindings::write_or_check(workspace, check),
        Command::Edges => edges::run(workspace),
        Command::Bench(options) => bench::run_benches(workspace, &options),
        Command::Sim(options) => sim::simulate(workspace, &options),
        Command::Rig(options) => rig::run_rig(workspace, &options),
        Command::Fuzz(options) => fuzz::fuzz(workspace, &options),
        Command::Bundle { out } => bundle::run(workspace, out),
    }
}
