//! The demo's directory: where its parts lie, what is remembered between
//! runs, and that nothing but a demo's directory is ever removed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::record::Demo;
use crate::workspace::{home, say};

/// Its presence makes a directory a demo's. Holds the accounts' passwords, so
/// only its owner may read it.
const RECORD: &str = "suda-demo.json";

pub struct Place {
    root: PathBuf,
}

impl Place {
    /// Makes the directory, or takes the one of an earlier run.
    pub fn open(chosen: Option<PathBuf>, fresh: bool) -> anyhow::Result<Place> {
        let root = match chosen {
            Some(dir) => std::path::absolute(&dir)
                .with_context(|| format!("{} is not a usable path", dir.display()))?,
            None => data_home()?.join("suda-demo"),
        };
        let place = Place { root };
        place.refuse_a_stranger()?;
        if fresh || place.was_cut_short()? {
            place.clear()?;
        }
        fs::create_dir_all(&place.root)
            .with_context(|| format!("cannot make {}", place.root.display()))?;
        Ok(place)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn hub(&self) -> PathBuf {
        self.root.join("hub")
    }

    pub fn desk(&self) -> PathBuf {
        self.root.join("desk")
    }

    pub fn desk_key(&self) -> PathBuf {
        self.root.join("desk.key")
    }

    pub fn hub_log(&self) -> PathBuf {
        self.root.join("hub.log")
    }

    pub fn desk_log(&self) -> PathBuf {
        self.root.join("desk.log")
    }

    /// The demo that an earlier run completed.
    pub fn demo(&self) -> anyhow::Result<Option<Demo>> {
        let record = self.record();
        let text = match fs::read_to_string(&record) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", record.display()));
            }
        };
        serde_json::from_str(&text).map(Some).with_context(|| {
            format!(
                "{} is damaged; `cargo xtask run --fresh` starts over",
                record.display()
            )
        })
    }

    /// Written beside and renamed, so that a cut leaves the old record whole.
    pub fn keep(&self, demo: &Demo) -> anyhow::Result<()> {
        let record = self.record();
        let beside = self.root.join("suda-demo.json.new");
        let text = serde_json::to_string_pretty(demo).context("the demo cannot be written")?;
        write_private(&beside, &text)
            .and_then(|()| fs::rename(&beside, &record))
            .with_context(|| format!("cannot write {}", record.display()))
    }

    fn record(&self) -> PathBuf {
        self.root.join(RECORD)
    }

    fn refuse_a_stranger(&self) -> anyhow::Result<()> {
        let Ok(mut entries) = fs::read_dir(&self.root) else {
            return Ok(());
        };
        if entries.next().is_some() && !self.record().exists() {
            bail!(
                "{} holds something else than a demo; choose an empty or new directory",
                self.root.display()
            );
        }
        Ok(())
    }

    fn was_cut_short(&self) -> anyhow::Result<bool> {
        // A damaged record is reported by `demo`, and `--fresh` passes it by.
        let cut_short = matches!(self.demo(), Ok(Some(demo)) if !demo.complete);
        if cut_short {
            say("the last first run was cut short; starting over");
        }
        Ok(cut_short)
    }

    fn clear(&self) -> anyhow::Result<()> {
        if !self.record().exists() {
            return Ok(());
        }
        say(&format!("removing the demo in {}", self.root.display()));
        // The record goes last: as long as anything is left, the directory is
        // known as a demo's.
        let entries = fs::read_dir(&self.root)
            .with_context(|| format!("cannot list {}", self.root.display()))?;
        for entry in entries {
            let path = entry
                .with_context(|| format!("cannot list {}", self.root.display()))?
                .path();
            if path != self.record() {
                remove(&path)?;
            }
        }
        remove(&self.record())
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.with_context(|| format!("cannot remove {}", path.display()))
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// A user's data directory is closed to other users there.
#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}

fn data_home() -> anyhow::Result<PathBuf> {
    if let Some(dir) = env::var_os("XDG_DATA_HOME").map(PathBuf::from)
        && dir.is_absolute()
    {
        return Ok(dir);
    }
    Ok(home()?.join(".local").join("share"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(complete: bool) -> Demo {
        Demo {
            port: 8460,
            complete,
            accounts: Vec::new(),
        }
    }

    #[test]
    fn a_completed_demo_is_found_again_and_fresh_removes_only_it() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("demo");
        let place = Place::open(Some(dir.clone()), false).unwrap();
        assert!(place.demo().unwrap().is_none());
        place.keep(&demo(true)).unwrap();
        fs::create_dir(place.hub()).unwrap();
        assert_eq!(
            Place::open(Some(dir.clone()), false)
                .unwrap()
                .demo()
                .unwrap()
                .unwrap()
                .port,
            8460
        );

        let place = Place::open(Some(dir), true).unwrap();
        assert!(place.demo().unwrap().is_none());
        assert!(!place.hub().exists());
        assert!(parent.path().exists());
    }

    #[test]
    fn a_demo_that_was_cut_short_starts_over() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::open(Some(dir.path().into()), false).unwrap();
        place.keep(&demo(false)).unwrap();
        assert!(
            Place::open(Some(dir.path().into()), false)
                .unwrap()
                .demo()
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_directory_that_is_no_demo_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
        assert!(Place::open(Some(dir.path().into()), true).is_err());
        assert!(dir.path().join("thesis.txt").exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_passwords() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let place = Place::open(Some(dir.path().into()), false).unwrap();
        place.keep(&demo(true)).unwrap();
        let mode = fs::metadata(place.record()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
