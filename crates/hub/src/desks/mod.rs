//! How the desks work: their counts of today and of seven days, how each stood
//! at its last word, and what of it needs somebody (`attention`).

pub mod attention;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, DeviceId};
use suda_sync::statistics::{Counts, DeskStanding};
use utoipa::ToSchema;

use self::attention::{Attention, Seen, attention, usual_version};
use crate::store::statistics::DayHeld;
use crate::store::{Device, Result, Store};

/// Days that count together, today included.
const WEEK: i64 = 7;

/// One desk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeskRow {
    pub id: DeviceId,
    pub branch: BranchCode,
    pub branch_name: String,
    pub letter: String,
    /// What the computer calls itself.
    pub name: String,
    /// When the hub last heard of it.
    pub last_contact: Option<DateTime<Utc>>,
    /// How it stood when it last told. Absent for one that never has.
    pub standing: Option<DeskStanding>,
    /// The day that was of.
    pub standing_of: Option<NaiveDate>,
    pub today: Counts,
    /// Of seven days, today included.
    pub week: Counts,
    /// What needs somebody, the weightiest first.
    pub attention: Vec<Attention>,
}

/// All desks, those that need somebody first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DesksReport {
    pub desks: Vec<DeskRow>,
    /// The civil day the counts of today are of.
    pub today: NaiveDate,
    /// The version most desks have. Absent while none has told.
    pub usual_version: Option<String>,
    pub now: DateTime<Utc>,
}

/// How all desks work, as of `now`.
pub async fn report(store: &dyn Store, now: DateTime<Utc>) -> Result<DesksReport> {
    let today = store.settings().await?.time.zone_at(now).local(now).date();
    let since = today - TimeDelta::days(WEEK - 1);
    let mut days: HashMap<DeviceId, Vec<DayHeld>> = HashMap::new();
    for day in store.days_since(since).await? {
        days.entry(day.device).or_default().push(day);
    }
    let branches = store.branches().await?.into_iter();
    let names: HashMap<_, _> = branches.map(|one| (one.code, one.name)).collect();
    let mut desks: Vec<DeskRow> = Vec::new();
    let mut enrolled = Vec::new();
    for device in store.devices().await? {
        enrolled.push(device.enrolled_at);
        let own = days.remove(&device.id).unwrap_or_default();
        let branch_name = names.get(&device.branch).cloned().unwrap_or_default();
        desks.push(row(device, branch_name, &own, (since, today)));
    }
    let told = desks.iter().filter_map(|desk| desk.standing.as_ref());
    let usual_version = usual_version(told.map(|standing| standing.version.as_str()));
    for (desk, enrolled_at) in desks.iter_mut().zip(enrolled) {
        desk.attention = attention(&Seen {
            now,
            enrolled_at,
            last_contact: desk.last_contact,
            standing: desk.standing.as_ref(),
            week: &desk.week,
            usual_version: usual_version.as_deref(),
        });
    }
    desks.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(DesksReport {
        desks,
        today,
        usual_version,
        now,
    })
}

/// Those with the weightiest reason first, then by branch and letter.
fn order(desk: &DeskRow) -> (bool, Option<Attention>, usize, &BranchCode, &str) {
    let first = desk.attention.first().copied();
    let fewer = usize::MAX - desk.attention.len();
    (first.is_none(), first, fewer, &desk.branch, &desk.letter)
}

fn row(
    device: Device,
    branch_name: String,
    days: &[DayHeld],
    (since, today): (NaiveDate, NaiveDate),
) -> DeskRow {
    let (mut week, mut of_today) = (Counts::default(), Counts::default());
    for day in days {
        let of = day.totals.name.day;
        // A desk whose clock was ahead may have told of days to come.
        if (since..=today).contains(&of) {
            week.add(&day.totals.counts);
        }
        if of == today {
            of_today.add(&day.totals.counts);
        }
    }
    let last = days
        .iter()
        .max_by_key(|day| (day.received_at, day.totals.name.day));
    let heard = days.iter().map(|day| day.received_at).max();
    DeskRow {
        id: device.id,
        branch: device.branch,
        branch_name,
        letter: device.letter,
        name: device.name,
        last_contact: device.last_seen.max(heard),
        standing: last.map(|day| day.totals.standing.clone()),
        standing_of: last.map(|day| day.totals.name.day),
        today: of_today,
        week,
        attention: Vec::new(),
    }
}
