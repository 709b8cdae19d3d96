//! The desk's installers, made by Tauri's bundler from its own configuration.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::workspace::{Profile, Workspace, run_aside, say};

/// The release that bundles for the `tauri` of Cargo.lock.
const BUNDLER: &str = "2.12.5";

pub fn installers(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let bundles = workspace.bin_dir(Profile::Release).join("bundle");
    // What an earlier version left must not be taken for this one's.
    if bundles.exists() {
        fs::remove_dir_all(&bundles)
            .with_context(|| format!("cannot remove {}", bundles.display()))?;
    }
    say("bundling the desk");
    // From the root, because the bundler looks for `src-tauri` downwards; by
    // its script, because a program of npm's is a shell script on some systems.
    let bundler = bundler(workspace)?;
    let mut bundle = workspace.command("node");
    bundle.arg(bundler).arg("bundle");
    if cfg!(target_os = "linux") {
        bundle.args(["--bundles", "deb,rpm"]);
        bundle
            .arg("--config")
            .arg(with_command_line(workspace).to_string());
    }
    run_aside(&mut bundle)?;

    let mut made = Vec::new();
    for kind in folder(&bundles)? {
        if kind.is_dir() {
            // Beside the installers lie the folders they were packed from.
            made.extend(folder(&kind)?.into_iter().filter(|path| path.is_file()));
        }
    }
    if made.is_empty() {
        bail!("the bundler left no installer in {}", bundles.display());
    }
    Ok(made)
}

/// The bundler's script, installed into the tools' folder. It is none of the
/// UI's packages: it comes as one package a system, and `npm ci` wants every
/// one of them in the lock file, also where a registry holds only some.
fn bundler(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.tools.join("bundler");
    let package = folder.join("node_modules/@tauri-apps/cli");
    let wanted = format!("\"version\": \"{BUNDLER}\"");
    let present = fs::read_to_string(package.join("package.json"));
    if !present.is_ok_and(|manifest| manifest.contains(&wanted)) {
        say(&format!(
            "installing the bundler, @tauri-apps/cli {BUNDLER}"
        ));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut install = workspace.npm(
            "npm",
            &[
                "install",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--prefix",
            ],
        );
        install
            .arg(&folder)
            .arg(format!("@tauri-apps/cli@{BUNDLER}"));
        run_aside(&mut install)?;
    }
    Ok(package.join("tauri.js"))
}

/// The window's installer brings the desk's command line too: enrolment by
/// script, import, verification and backup are done with it. Where it was
/// built is known only now.
fn with_command_line(workspace: &Workspace) -> Value {
    let program = workspace.program(Profile::Release, "suda-desk");
    let files = json!({ "/usr/bin/suda-desk": program });
    json!({ "bundle": { "linux": { "deb": { "files": files }, "rpm": { "files": files } } } })
}

fn folder(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("cannot list {}", path.display()))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}
