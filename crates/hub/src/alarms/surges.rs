//! Days with more complaints than the days before let expect: in the whole
//! city, a branch, a category, of a product. All of them share one budget of
//! false alarms. Counted by the day of capture, so that what comes in late
//! counts for the day it belongs to.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use suda_domain::Complaint;
use suda_domain::alarm::AlarmKind;
use suda_domain::time::{Calendar, DayKind as Listed, Timekeeping};
use suda_judge::surge::{DayCount, DayKind, Surge, SurgePolicy, surges};
use uuid::Uuid;

use super::title::category_of;
use super::watch::member;
use crate::hub::Hub;
use crate::store::Result;
use crate::store::alarms::{AlarmBody, DayCell, NewAlarm, Raised, SurgeBy, SurgeFigures};
use crate::twins::blocking;

/// Days counted: what is learned from, and what is judged.
const DAYS: i64 = 112;
/// Days told of; an older one is history.
const TOLD: i64 = 2;
/// Complaints of an alarm's day that are named.
const NAMED: usize = 300;
const READ: u32 = 5_000;

type Key = (SurgeBy, String);

/// Counts the days and raises what is unusual. Gives how many alarms are new.
///
/// # Errors
/// When the store cannot be read or written; it is done again later.
pub async fn look(hub: &Hub) -> Result<usize> {
    let keep = hub.store.settings().await?.time;
    let now = hub.clock.now();
    let zone = keep.zone_at(now);
    let today = zone.local(now).date();
    let from = today - TimeDelta::days(DAYS);
    // One offset for all days: where clocks are set, a complaint of that
    // hour may count for the day beside.
    let offset = i64::from(zone.offset_at(now).local_minus_utc()) * 1_000;
    let cells = hub.store.day_cells(zone.midnight(from), offset).await?;
    let calendar = keep.calendar().clone();
    let judging = move || judged(&cells, &calendar, today);
    let mut new = 0;
    for ((by, key), surge) in blocking(judging).await? {
        let raised = raise(hub, &keep, by, key, surge).await?;
        new += usize::from(raised == Some(Raised::New));
    }
    Ok(new)
}

/// What is unusual of the last days.
fn judged(cells: &[DayCell], calendar: &Calendar, today: NaiveDate) -> Vec<(Key, Surge)> {
    let mut counts: BTreeMap<Key, BTreeMap<NaiveDate, u64>> = BTreeMap::new();
    let mut first = today;
    for cell in cells {
        let Some(day) = date(cell.day).filter(|day| *day <= today) else {
            continue;
        };
        first = first.min(day);
        for key in keys(&cell.branch, &cell.category, &cell.product) {
            *counts.entry(key).or_default().entry(day).or_default() += cell.count;
        }
    }
    let all = counts.len();
    let mut found = Vec::new();
    for (key, days) in counts {
        // A branch begins with its first complaint; a category was there before.
        let begin = match key.0 {
            SurgeBy::Branch => days.keys().next().copied().unwrap_or(first),
            _ => first,
        };
        let counted: Vec<DayCount> = begin
            .iter_days()
            .take_while(|day| *day <= today)
            .map(|day| DayCount {
                day,
                kind: kind_of(calendar, day),
                count: days.get(&day).copied().unwrap_or_default(),
            })
            .collect();
        let told = surges(&counted, all, &SurgePolicy::default()).into_iter();
        let recent = told.filter(|surge| today - surge.day < TimeDelta::days(TOLD));
        found.extend(recent.map(|surge| (key.clone(), surge)));
    }
    found.sort_by_key(|(key, surge)| (surge.day, key.clone()));
    found
}

/// Where a complaint counts. A category counts with its second level: below
/// it a city's day brings too few to tell anything from.
fn keys(branch: &str, category: &str, product: &str) -> Vec<Key> {
    let second = category.match_indices('.').nth(1);
    let category = second.map_or(category, |(at, _)| category.get(..at).unwrap_or(category));
    let mut keys = vec![(SurgeBy::City, String::new())];
    let named = [
        (SurgeBy::Branch, branch),
        (SurgeBy::Category, category),
        (SurgeBy::Product, product.trim()),
    ];
    let named = named.into_iter().filter(|(_, key)| !key.is_empty());
    keys.extend(named.map(|(by, key)| (by, key.to_owned())));
    keys
}

fn kind_of(calendar: &Calendar, day: NaiveDate) -> DayKind {
    match calendar.kind_of(day) {
        Some(Listed::Holiday) => DayKind::DayOff,
        Some(Listed::MakeupWorkday | Listed::HalfDay) => DayKind::Workday,
        None => DayKind::of_weekday(day),
    }
}

fn date(days: i64) -> Option<NaiveDate> {
    let days = i32::try_from(days).ok()?;
    NaiveDate::default().checked_add_signed(TimeDelta::days(days.into()))
}

async fn raise(
    hub: &Hub,
    keep: &Timekeeping,
    by: SurgeBy,
    key: String,
    surge: Surge,
) -> Result<Option<Raised>> {
    let now = hub.clock.now();
    let zone = keep.zone_at(now);
    let from = zone.midnight(surge.day);
    let to = zone.midnight(surge.day + TimeDelta::days(1));
    let mut cases = of_day(hub, from, to, &(by, key.clone())).await?;
    cases.truncate(NAMED);
    if cases.is_empty() {
        return Ok(None);
    }
    let series = format!("surge:{}:{key}", by.name());
    let alarm = NewAlarm {
        id: Uuid::now_v7(),
        kind: AlarmKind::Surge,
        name: format!("{series}:{}", surge.day),
        series,
        raised_at: now,
        body: AlarmBody {
            category: category_of(&cases),
            surge: Some(SurgeFigures {
                by,
                key,
                day: surge.day,
                count: surge.count,
                expected: surge.expected,
                p: surge.p,
            }),
            ..AlarmBody::default()
        },
        members: cases.iter().map(member).collect(),
    };
    let raised = hub.store.raise_alarm(&alarm).await?;
    if raised == Raised::New {
        tracing::warn!(alarm = %alarm.id, by = by.name(), count = surge.count, "a surge");
    }
    Ok(Some(raised))
}

async fn of_day(
    hub: &Hub,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    key: &Key,
) -> Result<Vec<Complaint>> {
    let mut cases = hub.store.captured_within(from, to, READ).await?;
    cases.retain(|case| {
        let intake = &case.intake;
        keys(case.branch.as_str(), &intake.category, &intake.business).contains(key)
    });
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> NaiveDate {
        NaiveDate::default() + TimeDelta::days(n)
    }

    /// Ten to fourteen a workday of each of two branches, and `last` on the last.
    fn cells(days: i64, last: u64) -> Vec<DayCell> {
        let cell = |day: i64, branch: &str, count: u64| DayCell {
            day,
            branch: branch.into(),
            category: "A02.03.01".into(),
            product: String::new(),
            count,
        };
        let ordinary = (0..days).flat_map(|n| {
            let count = 10 + u64::try_from(n % 5).unwrap_or_default();
            [cell(n, "CQ0101", count), cell(n, "CQ0102", count)]
        });
        ordinary.chain([cell(days, "CQ0101", last)]).collect()
    }

    #[test]
    fn a_surge_is_told_of_its_branch_and_of_what_it_is_part_of_and_nothing_else() {
        let found = judged(&cells(60, 90), &Calendar::default(), day(60));
        let keys: Vec<_> = found
            .iter()
            .map(|((by, key), _)| (*by, key.as_str()))
            .collect();
        assert_eq!(
            keys,
            [
                (SurgeBy::City, ""),
                (SurgeBy::Branch, "CQ0101"),
                (SurgeBy::Category, "A02.03"),
            ]
        );
        assert!(judged(&cells(60, 12), &Calendar::default(), day(60)).is_empty());
    }

    #[test]
    fn what_comes_in_late_counts_for_its_own_day() {
        // Three hundred of one branch that was cut off for five weeks: ten to a
        // day, as on every other day.
        let mut late = cells(60, 12);
        late.retain(|cell| cell.branch != "CQ0102" || cell.day < 25);
        assert!(judged(&late, &Calendar::default(), day(60)).is_empty());
        late.extend(
            cells(60, 12)
                .into_iter()
                .filter(|c| c.branch == "CQ0102" && c.day >= 25),
        );
        assert!(judged(&late, &Calendar::default(), day(60)).is_empty());
        // The control: all of them on the day they came in.
        late.push(DayCell {
            day: 60,
            count: 300,
            ..late[1].clone()
        });
        assert!(!judged(&late, &Calendar::default(), day(60)).is_empty());
    }

    #[test]
    fn a_surge_of_last_week_is_history() {
        assert!(judged(&cells(60, 90), &Calendar::default(), day(67)).is_empty());
    }
}
