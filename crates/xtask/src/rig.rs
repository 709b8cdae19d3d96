//! `cargo xtask rig NAME`: builds the programs and lets a rig of the tests
//! package try them. What is tried, and what must hold, is there.

use clap::Args;

use crate::setup;
use crate::workspace::{Profile, Workspace, run, run_aside};

#[derive(Args)]
pub struct Options {
    /// Try debug builds: quicker to build, slower to run
    #[arg(long)]
    debug: bool,
    /// Which rig, and its sizes; `--help` after the name tells them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "NAME [ARGS]"
    )]
    rig: Vec<String>,
}

pub fn run_rig(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    let profile = match options.debug {
        true => Profile::Debug,
        false => Profile::Release,
    };
    setup::for_bench(workspace)?;
    run_aside(&mut workspace.npm("npm", &["run", "build"]))?;
    workspace.build_programs(profile)?;
    let mut rig = workspace.command(workspace.program(profile, "suda-rig"));
    rig.env("SUDA_BIN_DIR", workspace.bin_dir(profile));
    run(rig.args(&options.rig))
}
