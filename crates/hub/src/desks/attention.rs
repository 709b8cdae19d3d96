//! What of a desk needs somebody, by fixed bounds. Pure.

use std::cmp::Ordering;
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_sync::statistics::{Counts, DeskStanding};
use utoipa::ToSchema;

/// Free bytes below which a disk is nearly full: 1 GiB.
pub const LEAST_FREE: u64 = 1 << 30;
/// A backup older than this is too old.
pub const BACKUP_AGE: TimeDelta = TimeDelta::hours(24);
/// A desk is heard of at least so often: it says hello twice a day while it runs.
pub const SILENCE: TimeDelta = TimeDelta::hours(24);
/// More seconds without the hub in seven days than this are too many.
pub const MOST_OFFLINE_S: u64 = 4 * 3600;

/// Why somebody should look at a desk, the weightiest first.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// A save was refused by a full or failing disk, in seven days.
    SavesFailed,
    /// Damage was put right at a start, in seven days.
    Repaired,
    /// Less than 1 GiB is free on its disk.
    DiskNearlyFull,
    /// No backup that passed its check in the last 24 hours before it told.
    NoBackup,
    /// Not heard of for more than 24 hours.
    Silent,
    /// More than 4 hours without the hub in seven days.
    Offline,
    /// The program ended otherwise than in good order, in seven days.
    UncleanEnds,
    /// The computer's clock was set, in seven days.
    ClockJumps,
    /// An older version than most desks have.
    OldVersion,
    /// It is heard of and tells no counts: a version from before they were.
    NoCounts,
}

impl Attention {
    pub const ALL: [Self; 10] = [
        Self::SavesFailed,
        Self::Repaired,
        Self::DiskNearlyFull,
        Self::NoBackup,
        Self::Silent,
        Self::Offline,
        Self::UncleanEnds,
        Self::ClockJumps,
        Self::OldVersion,
        Self::NoCounts,
    ];

    /// As other programs and the table of `suda-hub desks` name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SavesFailed => "saves_failed",
            Self::Repaired => "repaired",
            Self::DiskNearlyFull => "disk_nearly_full",
            Self::NoBackup => "no_backup",
            Self::Silent => "silent",
            Self::Offline => "offline",
            Self::UncleanEnds => "unclean_ends",
            Self::ClockJumps => "clock_jumps",
            Self::OldVersion => "old_version",
            Self::NoCounts => "no_counts",
        }
    }
}

/// What is known of a desk.
pub struct Seen<'a> {
    pub now: DateTime<Utc>,
    pub enrolled_at: DateTime<Utc>,
    pub last_contact: Option<DateTime<Utc>>,
    pub standing: Option<&'a DeskStanding>,
    pub week: &'a Counts,
    pub usual_version: Option<&'a str>,
}

/// Why somebody should look at it, the weightiest first; empty when nobody need.
pub fn attention(seen: &Seen<'_>) -> Vec<Attention> {
    let all = Attention::ALL.into_iter();
    all.filter(|reason| holds(*reason, seen)).collect()
}

fn holds(reason: Attention, seen: &Seen<'_>) -> bool {
    let standing = seen.standing;
    let silent = seen.now - seen.last_contact.unwrap_or(seen.enrolled_at) > SILENCE;
    match reason {
        Attention::SavesFailed => seen.week.saves_failed > 0,
        Attention::Repaired => seen.week.repairs > 0,
        Attention::DiskNearlyFull => {
            let free = standing.and_then(|standing| standing.free_bytes);
            free.is_some_and(|free| free < LEAST_FREE)
        }
        Attention::NoBackup => standing.is_some_and(|standing| backup_is_old(standing, seen)),
        Attention::Silent => silent,
        Attention::Offline => seen.week.offline_s > MOST_OFFLINE_S,
        Attention::UncleanEnds => seen.week.unclean_ends > 0,
        Attention::ClockJumps => seen.week.clock_jumps > 0,
        Attention::OldVersion => standing
            .zip(seen.usual_version)
            .is_some_and(|(standing, usual)| compare(&standing.version, usual) == Ordering::Less),
        Attention::NoCounts => {
            standing.is_none() && !silent && seen.now - seen.enrolled_at > SILENCE
        }
    }
}

/// A desk enrolled a day ago at most need not have one yet.
fn backup_is_old(standing: &DeskStanding, seen: &Seen<'_>) -> bool {
    match standing.backup_age_min {
        Some(minutes) => i64::try_from(minutes).is_ok_and(|age| age > BACKUP_AGE.num_minutes()),
        None => seen.now - seen.enrolled_at > BACKUP_AGE,
    }
}

/// The version most have; of several, the newest.
pub fn usual_version<'a>(versions: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut desks: HashMap<&str, u32> = HashMap::new();
    for version in versions {
        *desks.entry(version).or_default() += 1;
    }
    let most = desks
        .into_iter()
        .max_by(|(a, many), (b, more)| many.cmp(more).then_with(|| compare(a, b)));
    most.map(|(version, _)| version.to_owned())
}

/// By the numbers between the dots; what follows them (`-rc.1`) is older than
/// without (<https://semver.org>, rule 9), and otherwise not looked at.
fn compare(a: &str, b: &str) -> Ordering {
    let read = |text: &str| {
        let (numbers, rest) = text.split_once('-').unwrap_or((text, ""));
        let numbers: Vec<u64> = numbers
            .split('.')
            .map(|number| number.parse().unwrap_or_default())
            .collect();
        (numbers, rest.is_empty())
    };
    read(a).cmp(&read(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn standing() -> DeskStanding {
        DeskStanding {
            version: "0.2.0".into(),
            free_bytes: Some(GIB),
            backup_age_min: Some(24 * 60),
            ..DeskStanding::default()
        }
    }

    fn found(standing: Option<&DeskStanding>, week: &Counts, silent_h: i64) -> Vec<Attention> {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(100);
        attention(&Seen {
            now,
            enrolled_at: now - TimeDelta::days(10),
            last_contact: Some(now - TimeDelta::hours(silent_h)),
            standing,
            week,
            usual_version: Some("0.2.0"),
        })
    }

    /// At each bound nothing, beyond it that reason and no other.
    #[test]
    fn each_reason_holds_beyond_its_bound_and_not_at_it() {
        let at_the_bounds = Counts {
            offline_s: MOST_OFFLINE_S,
            ..Counts::default()
        };
        assert_eq!(found(Some(&standing()), &at_the_bounds, 24), []);
        let counted = |change: fn(&mut Counts)| {
            let mut week = at_the_bounds;
            change(&mut week);
            found(Some(&standing()), &week, 24)
        };
        assert_eq!(counted(|c| c.saves_failed = 1), [Attention::SavesFailed]);
        assert_eq!(counted(|c| c.repairs = 1), [Attention::Repaired]);
        assert_eq!(counted(|c| c.offline_s += 1), [Attention::Offline]);
        assert_eq!(counted(|c| c.unclean_ends = 1), [Attention::UncleanEnds]);
        assert_eq!(counted(|c| c.clock_jumps = 1), [Attention::ClockJumps]);
        let stood = |change: fn(&mut DeskStanding)| {
            let mut standing = standing();
            change(&mut standing);
            found(Some(&standing), &at_the_bounds, 24)
        };
        assert_eq!(
            stood(|s| s.free_bytes = Some(GIB - 1)),
            [Attention::DiskNearlyFull]
        );
        assert_eq!(stood(|s| s.free_bytes = None), []);
        assert_eq!(
            stood(|s| s.backup_age_min = Some(24 * 60 + 1)),
            [Attention::NoBackup]
        );
        assert_eq!(stood(|s| s.backup_age_min = None), [Attention::NoBackup]);
        assert_eq!(
            stood(|s| s.version = "0.1.12".into()),
            [Attention::OldVersion]
        );
        assert_eq!(stood(|s| s.version = "0.10.0".into()), []);
        assert_eq!(
            found(Some(&standing()), &at_the_bounds, 25),
            [Attention::Silent]
        );
        assert_eq!(found(None, &at_the_bounds, 24), [Attention::NoCounts]);
        assert_eq!(found(None, &at_the_bounds, 25), [Attention::Silent]);
    }

    #[test]
    fn the_usual_version_is_the_one_most_have_and_of_several_the_newest() {
        let usual = |versions: &[&str]| usual_version(versions.iter().copied());
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&["0.3.0", "0.2.0", "0.2.0"]).unwrap(), "0.2.0");
        assert_eq!(usual(&["0.9.0", "0.10.0"]).unwrap(), "0.10.0");
        assert_eq!(usual(&["0.9.0-rc.1", "0.9.0"]).unwrap(), "0.9.0");
    }

    #[test]
    fn a_reason_is_named_as_it_is_written() {
        for reason in Attention::ALL {
            let written = serde_json::to_value(reason).unwrap();
            assert_eq!(written, reason.name());
        }
    }
}
