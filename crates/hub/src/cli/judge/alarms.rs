//! `judge bursts` and `judge surge`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::NaiveDate;
use serde::Serialize;
use suda_judge::bursts::{BurstPolicy, Bursts};
use suda_judge::surge::{DayCount, DayKind, Surge, SurgePolicy, surges};

use super::table::Table;
use super::{Input, JudgeError, Lines};

#[derive(Serialize)]
struct Alert<'t> {
    at: &'t str,
    members: Vec<String>,
    title: &'t str,
}

pub(super) fn bursts(input: &Input, time: &str) -> Result<(), JudgeError> {
    let table = input.read()?;
    let columns = table.columns(&input.text)?;
    let time = table.column(time)?;
    let mut order = Vec::with_capacity(table.rows.len());
    for (number, row) in table.rows.iter().enumerate() {
        order.push((table.time(row, time)?.and_utc().timestamp(), number));
    }
    order.sort_unstable();
    let mut bursts = Bursts::new(BurstPolicy::default());
    let mut lines = Lines::new(input.json);
    for &(at, number) in &order {
        let Some(row) = table.rows.get(number) else {
            continue;
        };
        let Some(burst) = bursts.report(at, &Table::cells(row, &columns)) else {
            continue;
        };
        let row_of = |report: usize| order.get(report).map_or(number, |&(_, number)| number);
        let middle = table.rows.get(row_of(burst.middle)).unwrap_or(row);
        let alert = Alert {
            at: row.get(time).unwrap_or_default(),
            members: burst
                .members
                .iter()
                .map(|&one| table.id(row_of(one), &input.id))
                .collect(),
            title: columns
                .first()
                .and_then(|&title| middle.get(title))
                .unwrap_or_default(),
        };
        lines.print(&alert, || {
            format!(
                "{}  {} reports: {}",
                alert.at,
                alert.members.len(),
                alert.title
            )
        })?;
    }
    lines.end()
}

#[derive(Serialize)]
struct Told<'t> {
    day: NaiveDate,
    key: &'t str,
    count: u64,
    expected: f64,
    p: f64,
}

pub(super) fn surge(
    input: &Path,
    time: &str,
    by: Option<&str>,
    calendar: Option<&Path>,
    json: bool,
) -> Result<(), JudgeError> {
    let table = Table::read(input)?;
    let time = table.column(time)?;
    let by = by.map(|name| table.column(name)).transpose()?;
    let kinds = calendar.map_or_else(|| Ok(HashMap::new()), day_kinds)?;
    let mut counts: BTreeMap<&str, BTreeMap<NaiveDate, u64>> = BTreeMap::new();
    let mut range: Option<(NaiveDate, NaiveDate)> = None;
    for row in &table.rows {
        let day = table.time(row, time)?.date();
        let key = by.and_then(|column| row.get(column)).unwrap_or_default();
        *counts.entry(key).or_default().entry(day).or_default() += 1;
        range = Some(range.map_or((day, day), |(first, last)| (first.min(day), last.max(day))));
    }
    let Some((first, last)) = range else {
        return Ok(());
    };
    let keys = counts.len();
    let mut told: Vec<(&str, Surge)> = Vec::new();
    for (key, counts) in &counts {
        let days = first
            .iter_days()
            .take_while(|day| *day <= last)
            .map(|day| DayCount {
                day,
                kind: kinds
                    .get(&day)
                    .copied()
                    .unwrap_or_else(|| DayKind::of_weekday(day)),
                count: counts.get(&day).copied().unwrap_or_default(),
            });
        let days: Vec<DayCount> = days.collect();
        let found = surges(&days, keys, &SurgePolicy::default());
        told.extend(found.into_iter().map(|surge| (*key, surge)));
    }
    told.sort_by_key(|(key, surge)| (surge.day, *key));
    let mut lines = Lines::new(json);
    for (
        key,
        Surge {
            day,
            count,
            expected,
            p,
        },
    ) in told
    {
        let line = Told {
            day,
            key,
            count,
            expected,
            p,
        };
        lines.print(&line, || {
            format!("{day}  {key}  {count}, expected {expected:.1}, p {p:.1e}")
        })?;
    }
    lines.end()
}

/// Days that are not what their weekday says.
fn day_kinds(file: &Path) -> Result<HashMap<NaiveDate, DayKind>, JudgeError> {
    let table = Table::read(file)?;
    let (date, kind) = (table.column("date")?, table.column("kind")?);
    let mut kinds = HashMap::new();
    for row in &table.rows {
        let kind = match row.get(kind) {
            Some("holiday") => DayKind::DayOff,
            _ => DayKind::Workday,
        };
        kinds.insert(table.time(row, date)?.date(), kind);
    }
    Ok(kinds)
}
