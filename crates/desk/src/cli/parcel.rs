//! `suda-desk bundle`: what waits goes to the hub by file, and its receipts
//! come back by file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, Place};
use crate::bundle::BundleError;
use crate::desk::Desk;

#[derive(Subcommand)]
pub(super) enum BundleCommand {
    /// Write everything the hub has not receipted to a new file that only the
    /// hub can read; works beside a running program. The hub takes it in with
    /// `suda-hub bundle import`.
    Export {
        #[command(flatten)]
        place: Place,
        file: PathBuf,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take in the receipts the hub wrote. Exits with 10 when it is no bundle,
    /// 11 cut short, 12 altered, 13 for another desk, 14 of a newer version, 15
    /// a bundle of events, 16 not readable, 18 not signed by this desk's hub,
    /// 19 from before the hub was put back from a backup.
    Import {
        #[command(flatten)]
        place: Place,
        file: PathBuf,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl BundleCommand {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Export { place, file, json } => export(&place, &file, json).await,
            Self::Import { place, file, json } => import(&place, &file, json).await,
        }
    }
}

/// What the program ends with after a failure: 1, or the bundle's own code.
pub(super) fn exit_code(failure: &(dyn std::error::Error + 'static)) -> ExitCode {
    let bundle = failure.downcast_ref::<BundleError>();
    bundle.map_or(ExitCode::FAILURE, |error| ExitCode::from(error.exit_code()))
}

async fn export(place: &Place, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let report = desk.export_bundle(file).await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    match &report.file {
        Some(file) => {
            let (events, urgent) = (report.events, report.urgent);
            writeln!(
                out,
                "{events} events ({urgent} urgent) are in {}",
                file.display()
            )?;
        }
        None => writeln!(out, "nothing waits to be sent; no file was written")?,
    }
    if report.left > 0 {
        writeln!(out, "{} more go into the next bundle", report.left)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(place: &Place, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open(&place.data, place.key()).await?;
    let taken = desk.import_bundle(file).await;
    desk.close().await?;
    let report = taken?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        let (confirmed, left) = (report.confirmed, report.left);
        writeln!(out, "{confirmed} events are at the hub, {left} wait")?;
    }
    Ok(ExitCode::SUCCESS)
}
