//! The commands about copies of the data: backup, backups.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Failure, Place};
use crate::desk::Desk;
use crate::safety::StartNotice;

pub(super) async fn backup(place: &Place, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let report = desk.back_up_to(file).await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        let (events, file) = (report.events, report.file.display());
        writeln!(out, "{events} events are in {file}")?;
        if report.evidence_not_in_it > 0 {
            let n = report.evidence_not_in_it;
            writeln!(
                out,
                "{n} evidence files the hub has not all of are on this disk alone: no backup \
                 holds them"
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a restore did, for other programs.
#[derive(serde::Serialize)]
struct Restored<'a> {
    file: &'a Path,
    complaints: u64,
    events: u64,
    incarnation: Option<u32>,
    /// Some of what was recorded is only at the hub; the next sync brings it.
    awaits_hub: bool,
}

pub(super) async fn restore(place: &Place, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::restore(&place.data, place.key(), file).await?;
    let verified = desk.verify().await?;
    let incarnation = desk.report().await?.incarnation;
    desk.close().await?;
    let notice = desk.start_notice();
    if let Some(bad) = verified.first_bad {
        let fault = bad.fault.describe();
        return Err(format!("restored, but {} is not right: {fault}", bad.row).into());
    }
    let restored = Restored {
        file,
        complaints: verified.complaints,
        events: verified.events,
        incarnation,
        awaits_hub: notice == Some(StartNotice::AwaitsHub),
    };
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&restored)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (complaints, events) = (restored.complaints, restored.events);
    writeln!(out, "{complaints} complaints and {events} events are back")?;
    if restored.awaits_hub {
        writeln!(out, "the rest comes from the hub with the next sync")?;
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
