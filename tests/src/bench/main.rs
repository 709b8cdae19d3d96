//! The figures of `cargo xtask bench`: one JSON line a figure, the raw bounds
//! of this machine measured in the same run. `suda-bench [PART]...` runs some of them.
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

use clap::{Parser, ValueEnum};
use suda_tests::Failure;

#[derive(Parser)]
#[command(about = "Measures the programs and this machine, one JSON line a figure")]
struct Options {
    /// Measure only these; all but the curve, which takes long, where none is named
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// For callers that ask every program so: the figures are JSON anyway
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Save,
    Import,
    Sync,
    Ingest,
    Peers,
    Curve,
    Clocks,
    Status,
    Search,
    Visible,
    Start,
}

impl Part {
    /// Its name on the command line.
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    async fn measure(self) -> Result<(), Failure> {
        match self {
            Self::Save => desk::save().await,
            Self::Import => desk::import().await,
            Self::Sync => hub::sync().await,
            Self::Ingest => ingest::ingest().await,
            Self::Peers => peers::peers().await,
            Self::Curve => curve::curve().await,
            Self::Clocks => clocks::clocks().await,
            Self::Status => status::status().await,
            Self::Search => desk::search().await,
            Self::Visible => window::visible().await,
            Self::Start => window::start().await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Options { parts, json: _ } = Options::parse();
    let is_wanted =
        |part: &Part| parts.contains(part) || (parts.is_empty() && *part != Part::Curve);
    let mut failed = false;
    for part in Part::value_variants().iter().copied().filter(is_wanted) {
        if let Err(error) = part.measure().await {
            eprintln!("{}: {error}", part.name());
            failed = true;
        }
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
