//! System packages: which of them are missing, and how they come. Installed
//! on Debian and its relatives; elsewhere the exact command is named, because
//! only there is this file tried by the tests.

use std::fs;
use std::process::Command;

use anyhow::bail;

use super::packages::{self, Family, Need};
use crate::workspace::{Workspace, quiet_output, run_aside, say};

pub fn ensure(workspace: &Workspace, needs: &[Need]) -> anyhow::Result<()> {
    if cfg!(target_os = "macos") {
        return ensure_on_macos();
    }
    if cfg!(windows) {
        return ensure_on_windows(workspace);
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(family) = Family::of(&release) else {
        bail!(
            "this system's package manager is not known here; install what Debian calls: {}\n\
             (Debian, Ubuntu, Fedora, Arch, openSUSE and their relatives are known)",
            packages::wanted(Family::Debian, needs).join(" ")
        );
    };
    let wanted = packages::wanted(family, needs);
    let missing: Vec<&str> = match family {
        Family::Debian | Family::Ubuntu => missing_in_dpkg(workspace, &wanted),
        Family::Fedora | Family::Suse => {
            absent(workspace, &["rpm", "-q", "--whatprovides"], &wanted)
        }
        Family::Arch => absent(workspace, &["pacman", "-Q"], &wanted),
    };
    if missing.is_empty() {
        return Ok(());
    }
    match family {
        Family::Debian | Family::Ubuntu => install_with_apt(workspace, &missing),
        _ => bail!(
            "system packages are missing; run:\n  {}",
            family.install_command(&missing)
        ),
    }
}

fn missing_in_dpkg<'a>(workspace: &Workspace, wanted: &[&'a str]) -> Vec<&'a str> {
    let mut query = workspace.command("dpkg-query");
    query
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\\n"])
        .args(wanted);
    // It fails when a package is unknown, but has printed the others by then.
    let printed = query
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    packages::missing_in(wanted, &printed)
}

/// What the query, a program and its first arguments, does not find.
fn absent<'a>(workspace: &Workspace, query: &[&str], wanted: &[&'a str]) -> Vec<&'a str> {
    let is_there = |name: &str| {
        let mut command = workspace.command("env");
        quiet_output(command.args(query).arg(name)).is_some()
    };
    wanted
        .iter()
        .copied()
        .filter(|name| !is_there(name))
        .collect()
}

fn install_with_apt(workspace: &Workspace, missing: &[&str]) -> anyhow::Result<()> {
    let command_line = Family::Debian.install_command(missing);
    let as_root = is_root();
    if !as_root && quiet_output(workspace.command("sudo").arg("--version")).is_none() {
        bail!("system packages are missing and there is no sudo; as root, run:\n  {command_line}");
    }
    say(&format!(
        "installing system packages: {}",
        missing.join(" ")
    ));
    let apt = |arguments: &[&str]| {
        let mut command = workspace.command(if as_root { "env" } else { "sudo" });
        if !as_root {
            command.arg("env");
        }
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"])
            .args(arguments);
        command
    };
    // A stale third-party source must not stop what the others can deliver;
    // the installation itself decides.
    if let Err(error) = run_aside(&mut apt(&["update"])) {
        say(&format!("{error:#}; trying with the package lists at hand"));
    }
    let mut install = apt(&["install", "--yes", "--no-install-recommends"]);
    run_aside(install.args(missing)).map_err(|error| {
        error.context(format!(
            "system packages could not be installed; try:\n  {command_line}"
        ))
    })
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// macOS brings its own web view; the compiler is what may be missing.
fn ensure_on_macos() -> anyhow::Result<()> {
    if quiet_output(Command::new("xcode-select").arg("-p")).is_none() {
        bail!("the compiler is missing; run:\n  xcode-select --install");
    }
    Ok(())
}

/// Windows 10 and 11 bring WebView2; OpenSSL, which SQLCipher is built with,
/// needs Perl.
fn ensure_on_windows(workspace: &Workspace) -> anyhow::Result<()> {
    if quiet_output(workspace.command("perl").arg("-v")).is_none() {
        bail!("Perl is missing; run:\n  winget install StrawberryPerl.StrawberryPerl");
    }
    Ok(())
}
