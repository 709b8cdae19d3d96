//! `cargo xtask bundle`: the installers, and for each its size and checksum.
//! Here the programs
//! are built; how an installer is made of them is in `desk` and `hub`.

mod desk;
mod hub;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::setup;
use crate::workspace::{Profile, Workspace, run_aside, say};

pub fn run(workspace: &Workspace, out: Option<PathBuf>) -> anyhow::Result<()> {
    setup::for_bundle(workspace)?;
    say("building the UI");
    run_aside(&mut workspace.npm("npm", &["run", "build"]))?;
    // All at once, as the bench builds them: what is measured is what ships.
    workspace.build_programs(Profile::Release)?;
    let mut made = desk::installers(workspace)?;
    if hub::can_be_made(workspace) {
        made.push(hub::installer(workspace)?);
    } else {
        say("the hub's .deb is made with dpkg-deb, which only Debian and its relatives have");
    }
    let out = out.unwrap_or_else(|| workspace.target.join("installers"));
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    for installer in made {
        let name = installer.file_name().context("an installer has no name")?;
        let copy = out.join(name);
        fs::copy(&installer, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
        println!("{}", described(&copy)?);
    }
    Ok(())
}

fn described(installer: &Path) -> anyhow::Result<String> {
    let bytes =
        fs::read(installer).with_context(|| format!("cannot read {}", installer.display()))?;
    let mut checksum = String::new();
    for byte in Sha256::digest(&bytes) {
        checksum.push_str(&format!("{byte:02x}"));
    }
    let mebibytes = bytes.len() as f64 / (1024.0 * 1024.0);
    Ok(format!(
        "{}  {mebibytes:.1} MiB  sha256 {checksum}",
        installer.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_is_described_with_its_checksum() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.deb");
        fs::write(&file, "abc").unwrap();
        let line = described(&file).unwrap();
        assert!(line.ends_with(
            "0.0 MiB  sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ));
    }
}
