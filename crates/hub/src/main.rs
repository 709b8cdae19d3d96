//! The program `suda-hub`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use suda_hub::cli::Cli;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Much of the work is small strings made by one thread and freed by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // What the SMS library writes down holds passwords, numbers and texts.
    let wire = filter_fn(|what| !what.target().starts_with("rusmpp"));
    // Standard output belongs to results.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(filter)
        .with(wire)
        .with(lines)
        .init();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("suda-hub: {}", error.line());
            ExitCode::from(error.exit_code())
        }
    }
}
