//! The program `suda-hub`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use suda_hub::cli::Cli;
use tracing_subscriber::EnvFilter;

/// Much of the work is small strings made by one thread and freed by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Standard output belongs to results.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("suda-hub: {}", error.line());
            ExitCode::from(error.exit_code())
        }
    }
}
