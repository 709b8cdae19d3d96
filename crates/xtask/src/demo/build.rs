//! The UI's build for a run, skipped when nothing that it is made from is
//! younger than its result.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;

use crate::workspace::{Workspace, run, say};

/// What a build of the UI leaves or fills and does not read.
const NOT_SOURCES: [&str; 2] = ["dist", "node_modules"];

pub fn ui(workspace: &Workspace) -> anyhow::Result<()> {
    // Not in the result, all of which goes into the programs.
    let stamp = workspace.ui().join("node_modules").join(".ui-built");
    let built = fs::metadata(&stamp).and_then(|meta| meta.modified()).ok();
    let is_fresh = |built| newest(&workspace.ui()).is_some_and(|newest| newest < built);
    if workspace.ui().join("dist").is_dir() && built.is_some_and(is_fresh) {
        return Ok(());
    }
    say("building the UI");
    run(&mut workspace.npm("npm", &["run", "build"]))?;
    fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))
}

/// The youngest file or folder below; folders too, since removing a file
/// touches only its folder. None when anything cannot be read.
fn newest(folder: &Path) -> Option<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        if NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let meta = entry.metadata().ok()?;
        newest = newest.max(meta.modified().ok()?);
        if meta.is_dir() {
            newest = newest.max(self::newest(&entry.path())?);
        }
    }
    Some(newest)
}
