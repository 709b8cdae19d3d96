//! The commands about copies of the data: backup, backups.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Failure, Place};
use crate::desk::Desk;

pub(super) async fn backup(place: &Place, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let report = desk.back_up_to(file).await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        let (events, file) = (report.events, report.file.display());
        writeln!(out, "{events} events are in {file}")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn backups(
    place: &Place,
    second: Option<PathBuf>,
    no_second: bool,
    json: bool,
) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    if second.is_some() || no_second {
        let second = second.map(std::path::absolute).transpose()?;
        desk.set_second_place(second)?;
    }
    let mut out = std::io::stdout().lock();
    for kept in desk.backups()? {
        if json {
            writeln!(out, "{}", serde_json::to_string(&kept)?)?;
        } else {
            let (at, bytes) = (kept.at.format("%Y-%m-%d %H:%MZ"), kept.bytes);
            writeln!(out, "{at} {bytes:>12} {}", kept.file.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
