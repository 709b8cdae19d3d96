//! `cargo xtask fuzz`: builds the fuzz targets with coverage counters and runs
//! one. libFuzzer's counters are put in by the compiler's own pass, which a
//! stable compiler has too; the sanitizers, which it has not, are left out:
//! the crates have no unsafe code of their own.

use std::fs;
use std::process::Command;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::workspace::{Workspace, run, run_aside};

/// As the counters of libFuzzer want them.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Target {
    /// What a desk, its branch's mailbox and a hub read from the network
    Wire,
    /// A sealed bundle
    Bundle,
    /// A CSV file
    Import,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Bundle => "bundle",
            Self::Import => "import",
        }
    }
}

#[derive(Args)]
pub struct Fuzz {
    target: Target,
    /// Processor seconds
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Put what reached new places into the corpus of the repository
    #[arg(long)]
    keep: bool,
}

pub fn fuzz(workspace: &Workspace, options: &Fuzz) -> anyhow::Result<()> {
    let name = options.target.name();
    let crate_dir = workspace.root.join("tests").join("fuzz");
    let target_dir = workspace.target.join("fuzz");
    let host = host()?;
    let mut build = workspace.cargo(&["build", "--release", "--bin", name]);
    build
        .arg("--manifest-path")
        .arg(crate_dir.join("Cargo.toml"))
        // Named, so that build scripts are built without the counters.
        .args(["--target", &host])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("RUSTFLAGS", FLAGS.join(" "));
    run_aside(&mut build)?;
    let program = target_dir.join(&host).join("release").join(name);
    let corpus = crate_dir.join("corpus").join(name);
    let found = target_dir.join("found").join(name);
    for dir in [&corpus, &found] {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    }
    // libFuzzer counts seconds of the clock: on a busy machine it is run again for
    // the rest.
    let before = children_processor_s();
    let mut spent = 0;
    while spent + LEAST_S <= options.seconds {
        let seconds = options.seconds - spent;
        let mut fuzzing = workspace.command(&program);
        fuzzing
            .current_dir(&target_dir)
            .args([&found, &corpus])
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536"])
            .args(["-print_final_stats=1", "-verbosity=1"]);
        run(&mut fuzzing)?;
        spent = match (before, children_processor_s()) {
            (Some(before), Some(now)) => (now - before).max(spent + 1),
            _ => spent + seconds,
        };
        eprintln!("{spent} of {} processor seconds", options.seconds);
    }
    if options.keep {
        let mut merge = workspace.command(&program);
        merge.arg("-merge=1").args([&corpus, &found]);
        run(&mut merge)?;
    }
    Ok(())
}

/// A rest shorter than this is not worth another start.
const LEAST_S: u64 = 5;

/// Processor seconds of the programs started from here that have ended. Told by
/// Linux alone; elsewhere seconds of the clock have to do.
fn children_processor_s() -> Option<u64> {
    const TICKS_PER_S: u64 = 100;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold blanks: proc(5), cutime and cstime.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

/// The machine's own target triple.
fn host() -> anyhow::Result<String> {
    let told = Command::new("rustc").arg("-vV").output();
    let told = told.context("asking rustc for its host")?;
    let text = String::from_utf8(told.stdout).context("rustc's answer")?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not name its host")
}
