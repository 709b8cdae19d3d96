//! The commands that only look: status, list, search, show, verify. They work
//! beside whoever writes.

use std::io::Write as _;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use suda_domain::ReferenceNumber;

use super::{Failure, Place};
use crate::backlog::ReadError;
use crate::desk::Desk;
use crate::store::barrier::Reader;
use crate::store::complaints;
use crate::view::{CaseRow, CaseView, Delivery, Scope};

/// Lines fetched at a time.
const PAGE: u32 = 200;

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum ScopeChoice {
    Open,
    WithExperts,
    Done,
    All,
}

impl From<ScopeChoice> for Scope {
    fn from(choice: ScopeChoice) -> Self {
        match choice {
            ScopeChoice::Open => Self::Open,
            ScopeChoice::WithExperts => Self::WithExperts,
            ScopeChoice::Done => Self::Done,
            ScopeChoice::All => Self::All,
        }
    }
}

async fn open(place: &Place) -> Result<Desk, Failure> {
    Ok(Desk::open_reading(&place.data, place.key()).await?)
}

pub(super) async fn status(place: &Place, json: bool) -> Result<ExitCode, Failure> {
    let report = open(place).await?.report().await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "complaints    {}", report.complaints)?;
    for (state, count) in &report.by_state {
        writeln!(out, "  {state:<20} {count}")?;
    }
    let unsent = report.unsent;
    writeln!(
        out,
        "unsent        {} ({} urgent)",
        unsent.total(),
        unsent.lane0
    )?;
    writeln!(
        out,
        "evidence      {} files, {} bytes waiting",
        report.evidence_waiting, report.evidence_waiting_bytes
    )?;
    writeln!(out, "oldest unsent {}", time(report.oldest_unsent_at))?;
    writeln!(out, "next deadline {}", time(report.next_deadline))?;
    writeln!(out, "last receipt  {}", time(report.last_receipt_at))?;
    match report.device.zip(report.incarnation) {
        Some((device, incarnation)) => writeln!(out, "device        {device} #{incarnation}")?,
        None => writeln!(out, "device        not enrolled")?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn list(
    place: &Place,
    scope: ScopeChoice,
    json: bool,
) -> Result<ExitCode, Failure> {
    let desk = open(place).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut after: Option<String> = None;
    loop {
        let page = desk
            .inner
            .cases(
                complaints::List::In(scope.into()),
                after.as_deref(),
                PAGE,
                &Reader::anybody(),
            )
            .await?;
        for row in &page.rows {
            write_row(&mut out, row, json)?;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn search(
    place: &Place,
    text: &str,
    limit: u32,
    json: bool,
) -> Result<ExitCode, Failure> {
    let rows = open(place)
        .await?
        .inner
        .search(text, limit, &Reader::anybody())
        .await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for row in &rows {
        write_row(&mut out, row, json)?;
    }
    out.flush()?;
    if rows.is_empty() && !json {
        eprintln!("nothing found");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(place: &Place, reference: &str, json: bool) -> Result<ExitCode, Failure> {
    let number: ReferenceNumber = reference.parse()?;
    let desk = open(place).await?;
    let mut conn = desk.inner.store.read().await?;
    let found = complaints::by_reference(&mut conn, &number, &Reader::anybody()).await?;
    drop(conn);
    let case = desk
        .inner
        .case(found.ok_or(ReadError::NotFound)?, None, &Reader::anybody())
        .await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if json {
        writeln!(out, "{}", serde_json::to_string(&case)?)?;
    } else {
        write_case(&mut out, &case)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn verify(place: &Place, json: bool) -> Result<ExitCode, Failure> {
    let report = open(place).await?.verify().await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else if report.is_clean() {
        let (events, complaints) = (report.events, report.complaints);
        writeln!(
            out,
            "{events} events and {complaints} complaints are as they were written"
        )?;
    }
    match &report.first_bad {
        None => Ok(ExitCode::SUCCESS),
        Some(first) => {
            let (bad, row) = (report.bad, &first.row);
            eprintln!(
                "suda-desk: {bad} bad rows; the first is {row}: {}",
                first.fault.describe()
            );
            Ok(ExitCode::FAILURE)
        }
    }
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "-".to_owned(), minute)
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

fn write_row(out: &mut impl std::io::Write, row: &CaseRow, json: bool) -> Result<(), Failure> {
    if json {
        writeln!(out, "{}", serde_json::to_string(row)?)?;
        return Ok(());
    }
    let grade = row.grade.map_or(0, suda_domain::Grade::number);
    let delivery = match row.delivery {
        Delivery::AtHub => "at hub",
        Delivery::SavedHere => "here",
        Delivery::SetAside => "aside",
    };
    let due = time(row.next.map(|deadline| deadline.due));
    let state = row.state.name();
    writeln!(
        out,
        "{:<26} {state:<18} {grade} {delivery:<6} due {due:<17} {}",
        row.reference.as_str(),
        row.customer
    )?;
    Ok(())
}

fn write_case(out: &mut impl std::io::Write, case: &CaseView) -> Result<(), Failure> {
    write_row(out, &case.row, false)?;
    writeln!(out, "arrived   {}", minute(case.row.arrived_at))?;
    writeln!(out, "recorded  {}", minute(case.recorded_at))?;
    writeln!(
        out,
        "category  {} {}",
        case.row.category_zh, case.row.category_en
    )?;
    writeln!(out, "wants     {}", case.intake.remedy_sought)?;
    writeln!(out, "\n{}\n", case.intake.description)?;
    for deadline in case.deadlines.iter().map(|one| &one.deadline) {
        let how = match deadline.ended {
            Some(at) => format!("ended {}", minute(at)),
            None if deadline.past_at_recording => "past when recorded".to_owned(),
            None => "running".to_owned(),
        };
        writeln!(
            out,
            "{:<18?} due {} {how}",
            deadline.clock,
            minute(deadline.due)
        )?;
    }
    writeln!(out)?;
    for entry in &case.timeline {
        let (kind, role) = (entry.kind.name(), entry.actor_role.name());
        writeln!(
            out,
            "{} {kind:<20} {role:<15} {}",
            minute(entry.at),
            entry.hash
        )?;
    }
    Ok(())
}
