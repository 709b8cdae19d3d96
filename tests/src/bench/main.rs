//! The figures of `cargo xtask bench`: one JSON line a figure, the raw bounds
//! of this machine measured in the same run. `suda-bench [NAME]` runs one part.
//! Fails when a figure that has a goal did not reach it.

mod clocks;
mod curve;
mod desk;
mod hub;
mod ingest;
mod line;
mod peers;
mod raw;
mod status;
mod window;

use std::process::ExitCode;

use suda_tests::Failure;

#[tokio::main]
async fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let mut failed = false;
    let mut note = |name: &str, result: Result<(), Failure>| {
        if let Err(error) = result {
            eprintln!("{name}: {error}");
            failed = true;
        }
    };
    if is_wanted("save") {
        note("save", desk::save().await);
    }
    if is_wanted("import") {
        note("import", desk::import().await);
    }
    if is_wanted("sync") {
        note("sync", hub::sync().await);
    }
    if is_wanted("ingest") {
        note("ingest", ingest::ingest().await);
    }
    if is_wanted("peers") {
        note("peers", peers::peers().await);
    }
    if wanted.iter().any(|name| name == "curve") {
        note("curve", curve::curve().await);
    }
    if is_wanted("clocks") {
        note("clocks", clocks::clocks().await);
    }
    if is_wanted("status") {
        note("status", status::status().await);
    }
    if is_wanted("search") {
        note("search", desk::search().await);
    }
    if is_wanted("visible") {
        note("visible", window::visible().await);
    }
    if is_wanted("start") {
        note("start", window::start().await);
    }
    let missed = line::missed();
    if !missed.is_empty() {
        eprintln!("not reached: {}", missed.join(", "));
    }
    if failed || !missed.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
