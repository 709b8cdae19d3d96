//! The hub's Debian package: its program, with the console inside, and the
//! files of `crates/hub/packaging` laid out as they will be installed. Made
//! with dpkg's own programs: eleven files need no further tool.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::workspace::{Profile, Workspace, output, quiet_output, run_aside, say};

/// From `crates/hub/packaging`, to where it is installed, with which mode.
const FILES: [(&str, &str, u32); 8] = [
    (
        "suda-hub.service",
        "usr/lib/systemd/system/suda-hub.service",
        0o644,
    ),
    (
        "suda-hub.sysusers",
        "usr/lib/sysusers.d/suda-hub.conf",
        0o644,
    ),
    ("suda-hub.default", "etc/default/suda-hub", 0o644),
    (
        "README.Debian",
        "usr/share/doc/suda-hub/README.Debian",
        0o644,
    ),
    ("copyright", "usr/share/doc/suda-hub/copyright", 0o644),
    ("postinst", "DEBIAN/postinst", 0o755),
    ("prerm", "DEBIAN/prerm", 0o755),
    ("postrm", "DEBIAN/postrm", 0o755),
];

/// What an administrator edits: an upgrade keeps their version.
const CONFIGURATION: &str = "/etc/default/suda-hub\n";

pub fn can_be_made(workspace: &Workspace) -> bool {
    quiet_output(workspace.command("dpkg-shlibdeps").arg("--version")).is_some()
}

/// Packs the program that a release build has made.
pub fn installer(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    say("packing the hub");
    let program = &workspace.program(Profile::Release, "suda-hub");
    let architecture = output(workspace.command("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let version = env!("CARGO_PKG_VERSION");

    let scratch = workspace.target.join("debian");
    let stage = scratch.join("stage");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)
            .with_context(|| format!("cannot remove {}", scratch.display()))?;
    }
    let packaging = workspace.root.join("crates/hub/packaging");
    let packed = stage.join("usr/bin/suda-hub");
    place(program, &packed, 0o755)?;
    for (from, to, mode) in FILES {
        place(&packaging.join(from), &stage.join(to), mode)?;
    }
    write(&stage.join("DEBIAN/conffiles"), CONFIGURATION)?;
    let template = packaging.join("control");
    let template = fs::read_to_string(&template)
        .with_context(|| format!("cannot read {}", template.display()))?;
    let control = filled(
        &template,
        &[
            ("VERSION", version),
            ("ARCHITECTURE", architecture),
            ("DEPENDS", &libraries(workspace, &scratch, &packed)?),
            ("INSTALLED_SIZE", &kibibytes(&stage)?.to_string()),
        ],
    )?;
    write(&stage.join("DEBIAN/control"), &control)?;

    let package = scratch.join(format!("suda-hub_{version}_{architecture}.deb"));
    let mut build = workspace.command("dpkg-deb");
    build
        .args(["--root-owner-group", "-Zxz", "--build"])
        .arg(&stage)
        .arg(&package);
    run_aside(&mut build)?;
    Ok(package)
}

/// The packages that bring the libraries the program is linked to, with the
/// oldest versions that do.
fn libraries(workspace: &Workspace, scratch: &Path, program: &Path) -> anyhow::Result<String> {
    // It insists on standing in a source package.
    write(
        &scratch.join("debian/control"),
        "Source: suda-hub\n\nPackage: suda-hub\nArchitecture: any\n",
    )?;
    let mut query = workspace.command("dpkg-shlibdeps");
    let printed = output(query.current_dir(scratch).arg("-O").arg(program))?;
    printed
        .lines()
        .find_map(|line| line.strip_prefix("shlibs:Depends="))
        .map(str::to_owned)
        .context("dpkg-shlibdeps named no libraries")
}

/// Replaces each `@NAME@`; a name left over is a mistake in the template.
fn filled(template: &str, values: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    if let Some(line) = text.lines().find(|line| line.matches('@').count() > 1) {
        bail!("the package's control file has an unknown field value: {line}");
    }
    Ok(text)
}

fn place(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    write(to, bytes)?;
    set_mode(to, mode).with_context(|| format!("cannot set the mode of {}", to.display()))
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let folder = path.parent().context("a packaged file lies in no folder")?;
    // dpkg packs folders with the modes they have here, whatever the umask.
    for missing in folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect::<Vec<_>>()
        .iter()
        .rev()
    {
        fs::create_dir(missing)
            .and_then(|()| set_mode(missing, 0o755))
            .with_context(|| format!("cannot make {}", missing.display()))?;
    }
    fs::write(path, bytes)
        .and_then(|()| set_mode(path, 0o644))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// There is no dpkg on such a system, so nothing is packed there.
#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

fn kibibytes(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        if path.is_dir() {
            sum += kibibytes(&path)?;
        } else {
            let meta =
                fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
            sum += meta.len().div_ceil(1024);
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn a_control_file_with_a_value_missing_is_refused() {
        let template = "Version: @VERSION@\nDepends: @DEPENDS@\n";
        let whole = filled(template, &[("VERSION", "1"), ("DEPENDS", "libc6")]).unwrap();
        assert_eq!(whole, "Version: 1\nDepends: libc6\n");
        assert!(filled(template, &[("VERSION", "1")]).is_err());
    }
}
