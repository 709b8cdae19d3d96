//! Cargo tools: found wherever they are, else compiled into a directory of
//! their own outside the clone. Versions are bounded here, because the newest
//! published one is not always a released one.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::workspace::{Workspace, home, quiet_output, run, say};

#[derive(Clone, Copy)]
pub struct Tool {
    package: &'static str,
    /// A caret requirement; the version found must begin with the same numbers.
    requirement: &'static str,
    /// How to ask one that was not installed by cargo for its version.
    version_command: Option<[&'static str; 2]>,
    minutes: u32,
}

impl Tool {
    pub const NEXTEST: Tool = Tool {
        package: "cargo-nextest",
        requirement: "^0.9",
        version_command: Some(["nextest", "--version"]),
        minutes: 6,
    };
    /// Bounded below 3, which is an alpha that does not drive Tauri 2.
    pub const TAURI_DRIVER: Tool = Tool {
        package: "tauri-driver",
        requirement: "^2",
        version_command: None,
        minutes: 1,
    };
    pub const DENY: Tool = Tool {
        package: "cargo-deny",
        requirement: "^0.20",
        version_command: Some(["deny", "--version"]),
        minutes: 4,
    };
}

pub fn ensure(workspace: &Workspace, tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<&Tool> = tools
        .iter()
        .filter(|tool| usable_here(tool) && !is_there(workspace, tool))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    // Beside the tools and not in the shared build directory: nothing that is
    // compiled for a tool is of use to the workspace.
    let scratch = workspace.tools.join("build");
    for tool in missing {
        say(&format!(
            "installing {} into {} (about {} min)",
            tool.package,
            workspace.tools.display(),
            tool.minutes
        ));
        let mut install = workspace.cargo(&["install", tool.package, "--locked", "--version"]);
        install
            .arg(tool.requirement)
            .arg("--root")
            .arg(&workspace.tools);
        run(install.env("CARGO_TARGET_DIR", &scratch))?;
    }
    fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))
}

/// macOS has no WebDriver for its web view, so the driver is of no use there.
fn usable_here(tool: &Tool) -> bool {
    !(cfg!(target_os = "macos") && tool.package == Tool::TAURI_DRIVER.package)
}

fn is_there(workspace: &Workspace, tool: &Tool) -> bool {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(Into::into)
        .or_else(|| home().ok().map(|home| home.join(".cargo")));
    let recorded = [Some(workspace.tools.clone()), cargo_home]
        .into_iter()
        .flatten()
        .any(|root| is_recorded(&root, tool));
    recorded || answers(workspace, tool)
}

fn is_recorded(root: &Path, tool: &Tool) -> bool {
    fs::read_to_string(root.join(".crates.toml")).is_ok_and(|record| {
        recorded_versions(&record, tool.package).any(|version| fits(version, tool.requirement))
    })
}

fn answers(workspace: &Workspace, tool: &Tool) -> bool {
    let Some(arguments) = tool.version_command else {
        return false;
    };
    quiet_output(&mut workspace.cargo(&arguments))
        .and_then(|printed| {
            let version = printed.split_whitespace().nth(1)?;
            Some(fits(version, tool.requirement))
        })
        .unwrap_or(false)
}

/// The versions of a package in cargo's record of what `cargo install` put
/// under a root: one line `"NAME VERSION (SOURCE)" = [PROGRAMS]` a package.
fn recorded_versions<'a>(record: &'a str, package: &'a str) -> impl Iterator<Item = &'a str> {
    record.lines().filter_map(move |line| {
        let mut words = line.strip_prefix('"')?.split(' ');
        (words.next()? == package).then(|| words.next())?
    })
}

fn fits(version: &str, requirement: &str) -> bool {
    let wanted = requirement.trim_start_matches('^').split('.');
    let mut found = version.split(['.', '-', '+']);
    !version.contains('-')
        && wanted
            .into_iter()
            .all(|number| found.next() == Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"[v1]
"cargo-deny 0.20.2 (registry+https://github.com/rust-lang/crates.io-index)" = ["cargo-deny"]
"tauri-driver 2.1.0 (registry+https://github.com/rust-lang/crates.io-index)" = ["tauri-driver"]
"#;

    #[test]
    fn a_version_is_read_from_cargos_record() {
        let found: Vec<_> = recorded_versions(RECORD, "tauri-driver").collect();
        assert_eq!(found, ["2.1.0"]);
        assert_eq!(recorded_versions(RECORD, "tauri").count(), 0);
    }

    #[test]
    fn only_released_versions_within_the_bound_fit() {
        assert!(fits("2.1.0", "^2"));
        assert!(fits("0.20.2", "^0.20"));
        assert!(!fits("3.0.0", "^2"));
        assert!(!fits("2.2.0-alpha.1", "^2"));
        assert!(!fits("0.2.0", "^0.20"));
    }
}
