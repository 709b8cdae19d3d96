//! `suda-hub bundle`: takes desks' parcels in and writes the receipts that go
//! back the same way.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf, absolute};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use suda_domain::DeviceId;
use uuid::Uuid;

use super::{CommandError, Output, unexpected};
use crate::bundle::ImportReport;
use crate::place::Place;
use crate::running::{LocalAsk, LocalReply};

#[derive(Subcommand)]
pub enum BundleCommand {
    /// Take in what a desk wrote with `suda-desk bundle export`. Taken in twice
    /// it changes nothing. Exits with 10 when it is no bundle, 11 cut short, 12
    /// altered, 13 for another hub, 14 of a newer version, 15 a bundle of
    /// receipts, 16 not readable, 17 of a desk not enrolled here, 18 not signed
    /// by the desk.
    Import {
        file: PathBuf,
        /// Write the receipts for the desk to this new file.
        #[arg(long, value_name = "FILE")]
        receipts: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Write the receipts for everything a desk has sent, by whatever way.
    Export {
        /// A file that does not exist yet.
        file: PathBuf,
        /// The desk's id, as `suda-desk status --json` and the import name it.
        #[arg(long, value_name = "ID")]
        device: Uuid,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
}

impl BundleCommand {
    pub(super) async fn run(self) -> Result<(), CommandError> {
        match self {
            Self::Import {
                file,
                receipts,
                place,
                output,
            } => import(&place, &file, receipts.as_deref(), &output).await,
            Self::Export {
                file,
                device,
                place,
                output,
            } => export(&place, &file, DeviceId(device), &output).await,
        }
    }
}

async fn import(
    place: &Place,
    file: &Path,
    receipts: Option<&Path>,
    output: &Output,
) -> Result<(), CommandError> {
    if let Some(taken) = receipts.filter(|file| file.exists()) {
        return Err(CommandError::Exists(taken.to_owned()));
    }
    let file = absolute(file)?;
    let reply = place.ask(LocalAsk::ImportBundle { file }).await?;
    let LocalReply::Bundle {
        report: Some(report),
        receipts: parcel,
    } = reply
    else {
        return unexpected();
    };
    if let Some(to) = receipts {
        write(to, &parcel)?;
    }
    if report.missing > 0 {
        let missing = report.missing;
        eprintln!("suda-hub: {missing} events wait for an earlier bundle of the same desk");
    }
    if report.forked > 0 {
        let forked = report.forked;
        eprintln!("suda-hub: {forked} events get new numbers once the desk has these receipts");
    }
    output.print(&report, || told(&report))
}

fn told(report: &ImportReport) -> String {
    format!(
        "desk {} of {}: {} events, {} new, {} known, {} set aside",
        report.device,
        report.branch,
        report.events,
        report.applied,
        report.duplicate,
        report.quarantined
    )
}

async fn export(
    place: &Place,
    file: &Path,
    device: DeviceId,
    output: &Output,
) -> Result<(), CommandError> {
    let reply = place.ask(LocalAsk::BundleReceipts { device }).await?;
    let LocalReply::Bundle { receipts, .. } = reply else {
        return unexpected();
    };
    write(file, &receipts)?;
    let written = serde_json::json!({ "file": file, "device": device });
    output.print(&written, || format!("wrote {}", file.display()))
}

fn write(file: &Path, parcel: &str) -> Result<(), CommandError> {
    let Ok(parcel) = STANDARD.decode(parcel) else {
        return unexpected();
    };
    let made = OpenOptions::new().write(true).create_new(true).open(file);
    let mut made = made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => CommandError::Exists(file.to_owned()),
        _ => error.into(),
    })?;
    made.write_all(&parcel)?;
    Ok(made.sync_all()?)
}
