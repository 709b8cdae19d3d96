//! The program `suda`: the desk's window.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use suda_desk::KeySource;

/// The complaint desk: records every walk-in complaint, offline too.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The data directory [default: the user's application data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Read the data key from this file instead of the system's keyring
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SUDA_LOG")
                .unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let key = arguments
        .key_file
        .map_or(KeySource::Keyring, KeySource::File);
    match suda_window::run(suda_window::Options {
        data: arguments.data,
        key,
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}
