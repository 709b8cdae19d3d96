//! `cargo xtask run`: a whole Suda on this machine, to look at and to work
//! with. The order of the steps is here; the demo's directory is in `place`
//! and what it remembers in `record`, the first run in `prepare`, the running
//! programs in `children`, the UI's build in `build`.

mod build;
mod children;
mod place;
mod prepare;
mod record;

use std::env;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use self::children::{Child, Interrupt, wait_for_the_end};
use self::place::Place;
use crate::setup;
use crate::workspace::{Profile, Workspace, say};

#[derive(Args)]
pub struct Options {
    /// Remove the demo's data and start over
    #[arg(long)]
    fresh: bool,
    /// Run the hub and the desk's sync without a window
    #[arg(long)]
    headless: bool,
    /// The demo's directory [default: suda-demo in the user's data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The hub's port, chosen at the first run and kept [default: 8460, or a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Build and run optimised programs
    #[arg(long)]
    release: bool,
}

pub fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    if !options.headless && !has_display() {
        bail!(
            "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open; \
             `cargo xtask run --headless` runs the hub, its console and the desk's sync without one"
        );
    }
    let profile = if options.release {
        Profile::Release
    } else {
        Profile::Debug
    };
    setup::for_run(workspace)?;
    build::ui(workspace)?;
    workspace.build_programs(profile)?;

    let interrupt = Interrupt::catch()?;
    let place = Place::open(options.data.clone(), options.fresh)?;
    let demo = match place.demo()? {
        Some(demo) => demo.with_port(options.port)?,
        None => prepare::demo(workspace, profile, &place, options.port, &interrupt)?,
    };
    let mut hub = prepare::start_hub(workspace, profile, &place, demo.port, &interrupt)?;
    let mut desk = start_desk(workspace, profile, &place, options.headless)?;
    println!("{}", demo.welcome(place.root()));
    if options.headless {
        say("running without a window; Ctrl-C stops the hub and the desk's sync");
    } else {
        say("the desk's window opens; closing it, or Ctrl-C, stops everything");
    }
    wait_for_the_end(&mut desk, &mut hub, &interrupt)
}

fn start_desk(
    workspace: &Workspace,
    profile: Profile,
    place: &Place,
    headless: bool,
) -> anyhow::Result<Child> {
    let (program, name) = if headless {
        ("suda-desk", "the desk's sync")
    } else {
        ("suda", "the desk's window")
    };
    let mut command = workspace.command(workspace.program(profile, program));
    if headless {
        command.arg("sync");
    }
    command
        .arg("--data")
        .arg(place.desk())
        .arg("--key-file")
        .arg(place.desk_key());
    Child::start(name, &mut command, &place.desk_log())
}

fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
