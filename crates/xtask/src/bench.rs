//! `cargo xtask bench`: builds the programs as they ship and lets the benches
//! of the tests package measure them. What is measured, and how, is there.

use clap::Args;

use crate::judge;
use crate::setup;
use crate::workspace::{Profile, Workspace, run, run_aside};

#[derive(Args)]
pub struct Options {
    /// Run only the bench of this name
    name: Option<String>,
    /// Print nothing but JSON lines on standard output
    #[arg(long)]
    json: bool,
}

pub fn run_benches(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    if options.name.as_deref() == Some("judge") {
        return judge::run_figures(workspace);
    }
    setup::for_bench(workspace)?;
    run_aside(&mut workspace.npm("npm", &["run", "build"]))?;
    workspace.build_programs(Profile::Release)?;
    let mut bench = workspace.command(workspace.program(Profile::Release, "suda-bench"));
    bench.env("SUDA_BIN_DIR", workspace.bin_dir(Profile::Release));
    if let Some(name) = &options.name {
        bench.arg(name);
    }
    if options.json {
        bench.arg("--json");
    }
    run(&mut bench)
}
