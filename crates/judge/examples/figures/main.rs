//! The figures of judging, one JSON line each: measured on the development
//! files, by cross-validation where something is learned. Run by
//! `cargo xtask bench judge`; takes the data's directory and, if wanted, the
//! names of the parts to run.

mod alarms;
mod category;
mod data;
mod grade;
mod line;
mod similar;
mod speed;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Part = fn(&Path) -> Result<(), Failure>;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("the data's directory is needed")?);
    let wanted: Vec<String> = arguments.collect();
    let parts: [(&str, Part); 6] = [
        ("category", category::measure),
        ("grade", grade::measure),
        ("similar", similar::measure),
        ("bursts", alarms::bursts),
        ("surge", alarms::surge),
        ("speed", speed::measure),
    ];
    for (name, measure) in parts {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            measure(&dir)?;
        }
    }
    Ok(())
}
