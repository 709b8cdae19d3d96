//! The commands that write: enrol, import, sync.

use std::convert::Infallible;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, Place};
use crate::desk::Desk;
use crate::import::{ImportEvent, ImportOptions};

/// Between two looks at what the hour asks for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn open(place: &Place) -> Result<Desk, Failure> {
    let desk = Desk::open(&place.data, place.key()).await?;
    if let Some(notice) = desk.start_notice() {
        eprintln!("suda-desk: {}", notice.sentence());
    }
    Ok(desk)
}

pub(super) async fn enrol(
    place: &Place,
    hub: &str,
    code: &str,
    name: Option<&str>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let desk = open(place).await?;
    let view = match name {
        Some(name) => desk.enrol_as(hub, code, name).await?,
        None => desk.enrol(hub, code).await?,
    };
    desk.close().await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&view)?)?;
    } else {
        let (branch, letter) = (&view.branch, &view.desk_letter);
        writeln!(
            out,
            "enrolled as desk {letter} of {branch} {}",
            view.branch_name
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn import(
    place: &Place,
    file: &Path,
    options: &ImportOptions,
    json: bool,
) -> Result<ExitCode, Failure> {
    let desk = open(place).await?;
    let bar = progress_bar();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed: Option<std::io::Error> = None;
    let report = desk
        .import(file, options, |event| {
            let told = tell(&mut out, &bar, event, json);
            failed = failed.take().or(told.err());
        })
        .await;
    bar.finish_and_clear();
    desk.close().await?;
    let report = report?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let known = match report.known {
        0 => String::new(),
        n => format!(", {n} recorded before"),
    };
    eprintln!(
        "{} recorded{known}, {} not recorded",
        report.recorded, report.bad
    );
    let any = report.recorded + report.known > 0;
    Ok(if any {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(
    out: &mut impl std::io::Write,
    bar: &ProgressBar,
    event: ImportEvent,
    json: bool,
) -> std::io::Result<()> {
    match event {
        ImportEvent::Recorded(row) if json => writeln!(out, "{}", serde_json::to_string(&row)?),
        ImportEvent::Recorded(row) => writeln!(out, "{}", row.reference),
        ImportEvent::Bad(bad) => {
            bar.suspend(|| eprintln!("line {} (row {}): {}", bad.line, bad.row, bad.reason));
            Ok(())
        }
        ImportEvent::Committed { bytes, of } => {
            bar.set_length(of);
            bar.set_position(bytes);
            out.flush()
        }
    }
}

/// On a terminal only, so that a file of messages holds messages.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% {eta}");
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

pub(super) async fn sync_once(place: &Place, json: bool) -> Result<ExitCode, Failure> {
    let desk = open(place).await?;
    desk.sweep().await?;
    let done = desk.sync_once().await;
    let waits = desk.inner.hub_takes_no_evidence.load(Ordering::Relaxed);
    desk.close().await?;
    let summary = done?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&summary)?)?;
    } else {
        writeln!(out, "{} sent, {} received", summary.sent, summary.received)?;
    }
    if waits {
        eprintln!("evidence files wait: the hub is of a version that does not take any");
    }
    if summary.quarantined > 0 {
        eprintln!(
            "{} set aside by the hub for a person to mend",
            summary.quarantined
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn sync_forever(place: &Place) -> Result<ExitCode, Failure> {
    let desk = open(place).await?;
    eprintln!("syncing; Ctrl-C ends it");
    sync_until_interrupted(&desk).await
}

pub(super) async fn sync_until_interrupted(desk: &Desk) -> Result<ExitCode, Failure> {
    let ended = tokio::select! {
        ended = desk.sync_forever(interrupted()) => ended.map_err(Failure::from),
        never = sweep_forever(desk) => match never {},
        never = desk.keep_backups() => match never {},
    };
    desk.close().await?;
    ended.map(|()| ExitCode::SUCCESS)
}

async fn sweep_forever(desk: &Desk) -> Infallible {
    loop {
        match desk.sweep().await {
            Ok(prompts) => {
                for prompt in prompts {
                    let what = if prompt.handed_off {
                        "handed off by itself"
                    } else {
                        "waiting"
                    };
                    eprintln!("{} {what} after {} min", prompt.reference, prompt.minutes);
                }
            }
            Err(crate::SweepError::Session(_)) => {}
            // A full disk for one may be free again at the next look.
            Err(error) => eprintln!("suda-desk: the reminders wait: {error}"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Ends with Ctrl-C or a request of the system to stop.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut stop) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = stop.recv() => {}
            }
            return;
        }
    }
    tokio::signal::ctrl_c().await.ok();
}
