//! `cargo xtask bindings`: the TypeScript that the UI shares with the desk's
//! commands and the hub's API, generated from the Rust types and committed.
//! With `--check`, and in `cargo xtask test`, the committed files are compared
//! with what would be written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::setup;
use crate::workspace::{Profile, Workspace, output, run, say};

/// How many lines of each side a difference shows.
const SHOWN_LINES: usize = 8;

pub fn write_or_check(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    setup::for_build(workspace)?;
    run_desk(workspace, check)?;
    workspace.build_programs(Profile::Debug)?;
    if check {
        return check_hub(workspace);
    }
    let fresh = generate_hub(workspace)?;
    let committed = hub_file(workspace);
    fs::write(&committed, fresh)
        .with_context(|| format!("cannot write {}", committed.display()))?;
    say("the bindings are written");
    Ok(())
}

/// Compares the hub's file with what the built hub describes.
pub fn check_hub(workspace: &Workspace) -> anyhow::Result<()> {
    let committed = hub_file(workspace);
    let text = fs::read_to_string(&committed)
        .with_context(|| format!("cannot read {}", committed.display()))?;
    if let Some(difference) = first_difference(&text, &generate_hub(workspace)?) {
        bail!(
            "{} is not what the hub describes now; `cargo xtask bindings` writes it\n{difference}",
            committed.display()
        );
    }
    Ok(())
}

/// The shell's own test compares its file, or writes it when told to. Built
/// with the whole workspace, as the tests are: see `Workspace::build_programs`.
fn run_desk(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    let mut test = workspace.cargo(&["test", "--workspace", "--test", "bindings"]);
    if !check {
        test.env("SUDA_WRITE_BINDINGS", "1");
    }
    run(&mut test)
}

fn hub_file(workspace: &Workspace) -> PathBuf {
    workspace.ui().join("src").join("bindings").join("hub.ts")
}

fn generate_hub(workspace: &Workspace) -> anyhow::Result<String> {
    let described = output(
        workspace
            .command(workspace.program(Profile::Debug, "suda-hub"))
            .arg("openapi"),
    )?;
    let scratch = workspace.target.join("bindings");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let description = scratch.join("openapi.json");
    let generated = scratch.join("hub.ts");
    fs::write(&description, described)
        .with_context(|| format!("cannot write {}", description.display()))?;
    // `--no` keeps npx from fetching a generator that the lock file does not name.
    let mut generator = workspace.npm("npx", &["--no", "openapi-typescript", "--"]);
    run(generator.arg(&description).arg("--output").arg(&generated))?;
    read(&generated)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The first lines in which two texts differ, with the line number. None when
/// they are equal but for how lines end, which a checkout may change.
fn first_difference(committed: &str, fresh: &str) -> Option<String> {
    let old: Vec<&str> = committed.lines().collect();
    let new: Vec<&str> = fresh.lines().collect();
    if old == new {
        return None;
    }
    let same = old
        .iter()
        .zip(&new)
        .take_while(|(old, new)| old == new)
        .count();
    let side = |mark: &str, lines: &[&str]| -> Vec<String> {
        lines
            .iter()
            .skip(same)
            .take(SHOWN_LINES)
            .map(|line| format!("{mark} {line}"))
            .collect()
    };
    let mut shown = vec![format!(
        "from line {}, committed (-) and generated (+):",
        same + 1
    )];
    shown.extend(side("-", &old));
    shown.extend(side("+", &new));
    Some(shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn equal_texts_do_not_differ_whatever_ends_their_lines() {
        assert_eq!(first_difference("a\nb\n", "a\r\nb\r\n"), None);
    }

    #[test]
    fn a_difference_is_shown_from_its_line_on() {
        let shown = first_difference("a\nb\nc\n", "a\nx\nc\n").unwrap();
        assert_eq!(
            shown,
            "from line 2, committed (-) and generated (+):\n- b\n- c\n+ x\n+ c"
        );
    }

    #[test]
    fn a_missing_end_is_a_difference() {
        let shown = first_difference("a\n", "a\nb\n").unwrap();
        assert_eq!(shown, "from line 2, committed (-) and generated (+):\n+ b");
    }
}
