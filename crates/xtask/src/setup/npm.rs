//! The UI's packages, installed exactly as its lock file says. Whether they
//! are is read from a copy of the lock file that the last installation left
//! among them: file times mean nothing in a fresh clone.

use std::fs;
use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::{Workspace, quiet_output, run_aside, say};

/// A version by its first two numbers.
type Version = (u32, u32);

/// The UI's build tool asks for no less.
const OLDEST_NODE: Version = (20, 19);
const OLDEST_NPM: Version = (10, 0);

pub fn ensure(workspace: &Workspace) -> anyhow::Result<()> {
    check_version(
        "Node.js",
        workspace.command("node").arg("--version"),
        OLDEST_NODE,
    )?;
    let lock_file = workspace.ui().join("package-lock.json");
    let wanted =
        fs::read(&lock_file).with_context(|| format!("cannot read {}", lock_file.display()))?;
    let installed = workspace
        .ui()
        .join("node_modules")
        .join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    check_version("npm", &mut workspace.npm("npm", &["--version"]), OLDEST_NPM)?;
    say("installing the UI's npm packages");
    run_aside(&mut workspace.npm("npm", &["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}

fn check_version(what: &str, command: &mut Command, oldest: Version) -> anyhow::Result<()> {
    let (major, minor) = oldest;
    let Some(printed) = quiet_output(command) else {
        bail!("{what} is missing: install {what} {major}.{minor} or newer (https://nodejs.org)");
    };
    match version(&printed) {
        Some(found) if found >= oldest => Ok(()),
        Some(_) => bail!(
            "{what} {} is too old: {major}.{minor} or newer is needed (https://nodejs.org)",
            printed.trim()
        ),
        None => bail!("{what} printed no version: {}", printed.trim()),
    }
}

fn version(printed: &str) -> Option<Version> {
    let mut numbers = printed.trim().trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST_NODE, version};

    #[test]
    fn a_version_is_read_with_and_without_the_v() {
        assert_eq!(version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(version("11.19.1\n"), Some((11, 19)));
        assert_eq!(version("not a version"), None);
    }

    #[test]
    fn an_older_minor_version_is_too_old() {
        assert!(version("v20.9.0").unwrap() < OLDEST_NODE);
        assert!(version("v22.0.0").unwrap() >= OLDEST_NODE);
    }
}
