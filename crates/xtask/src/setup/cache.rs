//! One build cache serves several clones of the repository, but what is built
//! from the clone's own files holds the clone's folder, and cargo takes one
//! clone's for another's. So the cache belongs to the clone that built last;
//! another one builds the workspace's own crates anew and keeps the rest.

use std::fs;

use anyhow::Context;
use serde::Deserialize;

use crate::workspace::{Workspace, output, run_aside, say};

/// Names the clone that built last, in the target directory.
const OWNER: &str = ".clone";

/// Makes the cache this clone's own.
pub fn claim(workspace: &Workspace) -> anyhow::Result<()> {
    let file = workspace.target.join(OWNER);
    let here = workspace.root.to_string_lossy().into_owned();
    if fs::read_to_string(&file).is_ok_and(|owner| owner == here) {
        return Ok(());
    }
    if file.exists() {
        say("the build cache was another clone's; the workspace's own crates are built anew");
    }
    for profile in [&[] as &[&str], &["--release"]] {
        let mut clean = workspace.cargo(&["clean", "--quiet"]);
        clean.args(profile);
        for name in members(workspace)? {
            clean.args(["--package", &name]);
        }
        run_aside(&mut clean)?;
    }
    fs::create_dir_all(&workspace.target)
        .and_then(|()| fs::write(&file, here))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// The workspace's packages but this one, which is running and finds its
/// folder when it starts.
fn members(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let metadata = output(&mut workspace.cargo(&["metadata", "--no-deps", "--format-version=1"]))?;
    let Metadata { packages } = serde_json::from_str(&metadata)
        .context("cargo's metadata is not as this program expects it")?;
    let names = packages.into_iter().map(|package| package.name);
    Ok(names
        .filter(|name| name != env!("CARGO_PKG_NAME"))
        .collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}
