//! `cargo xtask setup`, and the part of it that each other command needs.
//! A second run finds everything in place in well under a second. What is
//! needed, and how it is found and installed, is in the modules below.

mod cache;
mod npm;
mod packages;
mod system;
mod tools;

use self::packages::Need;
use self::tools::Tool;
use crate::workspace::{Workspace, say};

pub fn everything(workspace: &Workspace) -> anyhow::Result<()> {
    system::ensure(
        workspace,
        &[Need::Build, Need::Window, Need::Test, Need::Bundle],
    )?;
    tools::ensure(workspace, &[Tool::NEXTEST, Tool::TAURI_DRIVER, Tool::DENY])?;
    npm::ensure(workspace)?;
    say("everything needed is in place");
    Ok(())
}

/// What it takes to build the programs.
pub fn for_build(workspace: &Workspace) -> anyhow::Result<()> {
    cache::claim(workspace)?;
    system::ensure(workspace, &[Need::Build])?;
    npm::ensure(workspace)
}

/// What it takes to build the programs and open their windows.
pub fn for_run(workspace: &Workspace) -> anyhow::Result<()> {
    cache::claim(workspace)?;
    system::ensure(workspace, &[Need::Build, Need::Window])?;
    npm::ensure(workspace)
}

/// What it takes to run all tests.
pub fn for_test(workspace: &Workspace) -> anyhow::Result<()> {
    cache::claim(workspace)?;
    system::ensure(workspace, &[Need::Build, Need::Window, Need::Test])?;
    tools::ensure(workspace, &[Tool::NEXTEST, Tool::TAURI_DRIVER, Tool::DENY])?;
    npm::ensure(workspace)
}

/// What it takes to run the tests of single crates and of the UI.
pub fn for_quick_test(workspace: &Workspace) -> anyhow::Result<()> {
    cache::claim(workspace)?;
    system::ensure(workspace, &[Need::Build])?;
    tools::ensure(workspace, &[Tool::NEXTEST])?;
    npm::ensure(workspace)
}

/// What it takes to measure the window and the browser beside the programs.
pub fn for_bench(workspace: &Workspace) -> anyhow::Result<()> {
    cache::claim(workspace)?;
    system::ensure(workspace, &[Need::Build, Need::Window, Need::Test])?;
    tools::ensure(workspace, &[Tool::TAURI_DRIVER])?;
    npm::ensure(workspace)
}

/// What it takes to make installers.
pub fn for_bundle(workspace: &Workspace) -> anyhow::Result<()> {
    cache::claim(workspace)?;
    system::ensure(workspace, &[Need::Build, Need::Bundle])?;
    npm::ensure(workspace)
}
