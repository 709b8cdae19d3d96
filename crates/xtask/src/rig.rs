//! `cargo xtask rig NAME`: builds the programs and lets a rig of the tests
//! package try them. What is tried, and what must hold, is there.

use clap::Args;

use crate::workspace::{Profile, Workspace, run, run_aside};
use crate::{setup, sim};

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

/// Rigs that are simulated instead of tried with the programs.
const SIMULATED: [&str; 3] = ["live", "hour", "lanes"];
/// The herd of more desks than there is room for as programs.
const HERD: &str = "herd";
const AS_SIMULATION: &str = "--simulated";
/// The one rig with a program of its own: it needs a database server.
const CLAIMS: &str = "claims";

pub fn run_rig(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    let named: Vec<&str> = options.rig.iter().map(String::as_str).collect();
    if named.first().is_some_and(|name| SIMULATED.contains(name)) {
        return sim::run_rig(workspace, &named);
    }
    if named.first() == Some(&HERD) && named.contains(&AS_SIMULATION) {
        let sizes = named.into_iter().filter(|word| *word != AS_SIMULATION);
        return sim::run_rig(workspace, &sizes.collect::<Vec<_>>());
    }
    let profile = match options.debug {
        true => Profile::Debug,
        false => Profile::Release,
    };
    setup::for_bench(workspace)?;
    run_aside(&mut workspace.npm("npm", &["run", "build"]))?;
    workspace.build_programs(profile)?;
    let (program, arguments) = match named.split_first() {
        Some((&CLAIMS, sizes)) => ("suda-rig-claims", sizes),
        _ => ("suda-rig", named.as_slice()),
    };
    let mut rig = workspace.command(workspace.program(profile, program));
    rig.env("SUDA_BIN_DIR", workspace.bin_dir(profile));
    run(rig.args(arguments))
}
