//! `cargo xtask test`: every check and test, in the order in which they are
//! cheap to fail. What a step does is here; how steps are counted, timed and
//! reported is in `steps`.

mod steps;

use std::path::Path;

use anyhow::bail;

use self::steps::{Outcome, Steps};
use crate::workspace::{Profile, Workspace, quiet_output, run, say};
use crate::{bindings, edges, setup, sim};

pub fn run_all(workspace: &Workspace, quick: bool) -> anyhow::Result<()> {
    say(&format!("building in {}", workspace.target.display()));
    let mut steps = Steps::default();
    let ready = steps.run("set-up", || {
        if quick {
            setup::for_quick_test(workspace)
        } else {
            setup::for_test(workspace)
        }
    });
    if ready == Outcome::Failed {
        return steps.finish();
    }

    steps.run("formatting", || {
        run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
    });
    steps.run("crate edges", || edges::run(workspace));
    if !quick {
        // Without `advisories`: that check fetches a database from outside the
        // package registry, which a closed network does not reach, and its
        // findings change without a change here.
        steps.run("licences and sources", || {
            run(&mut workspace.cargo(&["deny", "check", "licenses", "sources", "bans"]))
        });
    }
    if !quick {
        steps.run("simulator, 1,000 seeds", || sim::thousand_seeds(workspace));
        steps.run("simulator, planted bugs", || sim::planted_bugs(workspace));
    }
    steps.run("UI types", || {
        run(&mut workspace.npm("npm", &["run", "check"]))
    });
    steps.run(
        "UI unit tests",
        || run(&mut workspace.npm("npm", &["test"])),
    );
    // The programs hold the built UI, so nothing of them compiles without it.
    let ui = steps.run("UI build", || {
        run(&mut workspace.npm("npm", &["run", "build"]))
    });
    if ui == Outcome::Failed {
        steps.skip("clippy, build and tests: they need the UI's build");
        return steps.finish();
    }

    steps.run("clippy", || {
        let arguments = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        run(&mut workspace.cargo(&arguments))
    });
    // Programs and tests in one go: cargo unites the features of what it
    // builds at once, and two selections would compile large dependencies twice.
    let built = steps.run("build", || {
        run(&mut workspace.cargo(&["build", "--workspace", "--bins", "--tests"]))
    });
    if built == Outcome::Failed {
        steps.skip("generated bindings and tests: they need the build");
        return steps.finish();
    }
    steps.run("generated bindings", || bindings::check_hub(workspace));
    steps.run("tests", || tests(workspace, quick));
    steps.finish()
}

/// The comparison of the desk's bindings is one of these tests.
fn tests(workspace: &Workspace, quick: bool) -> anyhow::Result<()> {
    let mut arguments = vec!["nextest", "run", "--workspace", "--no-fail-fast"];
    if quick {
        arguments.extend(["--exclude", "suda-tests"]);
    }
    let bus = "dbus-run-session";
    let mut command = if cfg!(target_os = "linux") && !quick {
        // A session bus of its own: notifications and the keyring are tested
        // for real, and must not be those of the person at this machine.
        if quiet_output(workspace.command(bus).arg("--version")).is_none() {
            bail!("{bus} is missing; `cargo xtask setup` installs it");
        }
        let mut command = workspace.command(bus);
        command.args(["--", "cargo"]);
        command
    } else {
        workspace.command("cargo")
    };
    let bin_dir: &Path = &workspace.bin_dir(Profile::Debug);
    run(command.args(arguments).env("SUDA_BIN_DIR", bin_dir))
}
