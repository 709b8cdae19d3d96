//! Edges that cargo does not know: pure crates that would read the clock or
//! the disk through the standard library, and views that would reach past the
//! UI's host module. Judged line by line; judging a line is pure.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Crates that are given time, chance and input, and never fetch them.
const PURE_CRATES: [&str; 3] = ["crates/domain/src", "crates/judge/src", "crates/sync/src"];

const NOT_IN_PURE_CRATES: [&str; 9] = [
    "Utc::now",
    "Local::now",
    "SystemTime::now",
    "Instant::now",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
];

/// The only part of the UI that may know what it runs in, and the generated
/// commands below it.
const HOST_MODULE: &str = "ui/src/desk/host";
const GENERATED: &str = "ui/src/bindings/";
const NOT_IN_VIEWS: &str = "@tauri-apps/";

pub fn breaches(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in PURE_CRATES {
        visit(root, &root.join(folder), &mut |path, text| {
            if path.ends_with(".rs") {
                found.extend(impure_lines(text).map(|(line, what)| {
                    format!("{path}:{line} must not use {what}: it is passed in")
                }));
            }
        })?;
    }
    visit(root, &root.join("ui/src"), &mut |path, text| {
        // The UI's own check of this rule has to name what it looks for.
        let is_door = path.starts_with(HOST_MODULE) || path.starts_with(GENERATED);
        if !is_door && !path.ends_with(".test.ts") {
            found.extend(numbered_lines_with(text, NOT_IN_VIEWS).map(|line| {
                format!("{path}:{line} must not import {NOT_IN_VIEWS}…: only {HOST_MODULE} may")
            }));
        }
    })?;
    Ok(found)
}

/// Lines of a pure crate that reach outside. Unit tests stand last in a file
/// and may.
fn impure_lines(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter_map(|(index, line)| {
            let what = NOT_IN_PURE_CRATES
                .into_iter()
                .find(|barred| line.contains(barred))?;
            Some((index + 1, what))
        })
}

fn numbered_lines_with(text: &str, barred: &str) -> impl Iterator<Item = usize> {
    text.lines()
        .enumerate()
        .filter(move |(_, line)| line.contains(barred))
        .map(|(index, _)| index + 1)
}

/// Calls `see` with the path from the root, in slashes, and the text of every
/// file below a folder. Files that are not text are passed over.
fn visit(root: &Path, folder: &Path, see: &mut dyn FnMut(&str, &str)) -> anyhow::Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        if path.is_dir() {
            visit(root, &path, see)?;
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let from_root = path.strip_prefix(root).unwrap_or(&path);
            see(&from_root.to_string_lossy().replace('\\', "/"), text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_the_clock_is_found_outside_comments_and_tests() {
        let text = "//! never Utc::now\nfn due() {\n    let now = Utc::now();\n}\n\
                    #[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(impure_lines(text).collect::<Vec<_>>(), [(3, "Utc::now")]);
    }

    #[test]
    fn a_view_that_imports_the_host_itself_is_found() {
        let root = tempfile::tempdir().unwrap();
        for folder in PURE_CRATES.iter().chain(&["ui/src/desk", HOST_MODULE]) {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let import = "import { invoke } from '@tauri-apps/api/core'\n";
        fs::write(root.path().join(HOST_MODULE).join("index.ts"), import).unwrap();
        assert_eq!(breaches(root.path()).unwrap(), Vec::<String>::new());

        fs::write(root.path().join("ui/src/desk/Intake.vue"), import).unwrap();
        let found = breaches(root.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("ui/src/desk/Intake.vue:1 "),
            "{found:?}"
        );
    }
}
