//! Bursts in the stream, each alert printed to be read; the surge of June
//! 2015, over all and per topic.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{NaiveDate, NaiveDateTime};
use suda_judge::bursts::{BurstPolicy, Bursts};
use suda_judge::surge::{DayCount, DayKind, SurgePolicy, surges};

use crate::Failure;
use crate::data::Table;
use crate::line::figure;

/// An issue with fewer reports is not hot.
const HOT: usize = 5;

pub fn bursts(dir: &Path) -> Result<(), Failure> {
    let stream = Table::read(dir, "zh_gov_stream_dev.csv")?;
    let (title, text, issue) = (
        stream.column("title")?,
        stream.column("text")?,
        stream.column("issue")?,
    );
    let mut bursts = Bursts::new(BurstPolicy::default());
    let mut by_fourth = BTreeSet::new();
    let mut found = BTreeSet::new();
    let mut others = 0.0;
    for (number, time) in stream.column("time")?.iter().enumerate() {
        let at = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S")?
            .and_utc()
            .timestamp();
        let Some(burst) = bursts.report(at, &[title[number], text[number]]) else {
            continue;
        };
        let of = commonest(burst.members.iter().map(|&member| issue[member]));
        let reports = issue[..=number].iter().filter(|one| **one == of).count();
        let is_hot = issue.iter().filter(|one| **one == of).count() >= HOT;
        let titles: Vec<&str> = burst.members.iter().map(|&member| title[member]).collect();
        let share = burst.share;
        eprintln!("{time} issue {of:?} at its report {reports}: share {share:.1}: {titles:#?}");
        if of.is_empty() || !is_hot || !found.insert(of) {
            others += 1.0;
        } else if reports <= 4 {
            by_fourth.insert(of);
        }
    }
    let task = "zh_gov_stream bursts";
    let how = "hot issues (5 reports or more, 6 of them) most of an alert's members are of; control: no alert";
    figure(task, "found", found.len() as f64, "6", 0.0, how);
    figure(
        task,
        "found by the 4th report",
        by_fourth.len() as f64,
        "6",
        0.0,
        how,
    );
    figure(task, "other alerts", others, "≤ 7", 0.0, how);
    Ok(())
}

/// What more than half of the members are of; nothing otherwise.
fn commonest<'a>(issues: impl Iterator<Item = &'a str>) -> &'a str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for issue in issues {
        *counts.entry(issue).or_default() += 1;
        all += 1;
    }
    let most = counts.into_iter().find(|(_, count)| count * 2 > all);
    most.map_or("", |(issue, _)| issue)
}

pub fn surge(dir: &Path) -> Result<(), Failure> {
    let table = Table::read(dir, "en_comcast_fcc_dev.csv")?;
    let first_day = NaiveDate::from_ymd_opt(2015, 6, 23).ok_or("no such day")?;
    let mut all: BTreeMap<&str, BTreeMap<NaiveDate, u64>> = BTreeMap::new();
    for (time, topic) in table
        .column("time")?
        .iter()
        .zip(table.column("weak_topic")?)
    {
        let day: NaiveDate = time.get(..10).unwrap_or_default().parse()?;
        *all.entry("").or_default().entry(day).or_default() += 1;
        *all.entry(topic).or_default().entry(day).or_default() += 1;
    }
    let topics = all.len() - 1;
    for (by, keys) in [("all", 1), ("per topic", topics)] {
        let mut told = 0.0;
        let mut early = 0.0;
        for (key, counts) in all.iter().filter(|(key, _)| key.is_empty() == (keys == 1)) {
            for surge in surges(&days(counts, &all[""]), keys, &SurgePolicy::default()) {
                eprintln!("{by} {key:?} {surge:?}");
                early += f64::from(u8::from(surge.day < first_day));
                told += f64::from(u8::from(surge.day == first_day));
            }
        }
        let task = format!("en_comcast_fcc surge {by}");
        let (target, how) = ("≥ 1", "keys told of on 2015-06-23; control: no alarm");
        figure(&task, "told on the first day", told, target, 0.0, how);
        let how = "days of keys told of before; control: no alarm";
        figure(&task, "told before", early, "0", 0.0, how);
    }
    Ok(())
}

fn days(counts: &BTreeMap<NaiveDate, u64>, all: &BTreeMap<NaiveDate, u64>) -> Vec<DayCount> {
    let (Some(first), Some(last)) = (all.keys().next(), all.keys().next_back()) else {
        return Vec::new();
    };
    let days = first.iter_days().take_while(|day| day <= last);
    days.map(|day| DayCount {
        day,
        kind: DayKind::of_weekday(day),
        count: counts.get(&day).copied().unwrap_or_default(),
    })
    .collect()
}
