//! `cargo xtask bench judge`: the figures of judging, measured on the
//! development data. What is measured, and how, is in the judging crate's
//! example `figures`.

use std::path::PathBuf;

use anyhow::bail;

use crate::workspace::{Workspace, run};

pub fn run_figures(workspace: &Workspace) -> anyhow::Result<()> {
    let data = data(workspace)?;
    let arguments = [
        "run",
        "--quiet",
        "--profile",
        "sim",
        "--package",
        "suda-judge",
        "--example",
        "figures",
        "--",
    ];
    run(workspace.cargo(&arguments).arg(data))
}

/// `SUDA_DATA`, or the folder beside the repository.
fn data(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("SUDA_DATA").map(PathBuf::from);
    let beside = workspace.root.join("../shared/data");
    let dir = named.unwrap_or(beside);
    if !dir.join("zh_gov_labelled_dev.csv").is_file() {
        bail!(
            "the development data is not there: {} has no zh_gov_labelled_dev.csv; SUDA_DATA names its directory",
            dir.display()
        );
    }
    Ok(dir)
}
