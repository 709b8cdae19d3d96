//! Which backups are kept: the newest of each of the last eight hours, seven
//! days and four weeks that have one. No file and no clock here.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

/// One backup as the choice sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Taken {
    /// Rises with each backup, whatever the clock says.
    pub(crate) number: u64,
    pub(crate) at: DateTime<Utc>,
    /// Taken before a migration: kept until a later one is there.
    pub(crate) before_migration: bool,
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// Length of a span in seconds, and how many spans keep their newest backup.
const KEPT: [(i64, usize); 3] = [(HOUR, 8), (DAY, 7), (WEEK, 4)];

/// The numbers of the backups to keep. The newest is always among them.
pub(crate) fn kept(taken: &[Taken]) -> BTreeSet<u64> {
    let newest = taken.iter().map(|backup| backup.number).max();
    let mut kept: BTreeSet<u64> = newest.into_iter().collect();
    let mut regular: Vec<&Taken> = taken.iter().filter(|b| !b.before_migration).collect();
    // By number and not by time: a clock set back must not make an old file the newest.
    regular.sort_unstable_by_key(|backup| std::cmp::Reverse(backup.number));
    for (span, count) in KEPT {
        let mut spans = BTreeSet::new();
        for backup in &regular {
            let of = backup.at.timestamp().div_euclid(span);
            if spans.contains(&of) {
                continue;
            }
            if spans.len() == count {
                break;
            }
            spans.insert(of);
            kept.insert(backup.number);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(number: u64, minute: i64) -> Taken {
        Taken {
            number,
            at: DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap(),
            before_migration: false,
        }
    }

    fn left(taken: &[Taken]) -> Vec<Taken> {
        let kept = kept(taken);
        let mut left = taken.to_vec();
        left.retain(|backup| kept.contains(&backup.number));
        left
    }

    fn some() -> impl Strategy<Value = Vec<Taken>> {
        let one = (0..60_000_i64, prop::bool::weighted(0.1));
        prop::collection::vec(one, 0..120).prop_map(|all| {
            (1..)
                .zip(all)
                .map(|(number, (minute, before_migration))| Taken {
                    before_migration,
                    ..taken(number, minute)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_newest_is_kept_the_count_bounded_and_a_second_choice_changes_nothing(all in some()) {
            let once = left(&all);
            prop_assert_eq!(once.last(), all.last());
            prop_assert!(once.len() <= 8 + 7 + 4 + 1);
            prop_assert_eq!(left(&once), once);
        }

        #[test]
        fn a_copy_before_a_migration_goes_when_a_later_backup_is_there(all in some()) {
            let newest = all.last().copied();
            for backup in left(&all) {
                prop_assert!(!backup.before_migration || Some(backup) == newest);
            }
        }

    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// Taken at any pace and thinned out after each, as the desk does it.
        #[test]
        fn over_weeks_each_span_back_has_a_backup(pace in 15_i64..50) {
            let end = 5 * 7 * 24 * 60;
            let (mut shelf, mut number) = (Vec::new(), 0);
            for minute in (0..end).step_by(usize::try_from(pace).unwrap()) {
                number += 1;
                shelf.push(taken(number, minute));
                shelf = left(&shelf);
            }
            let age = |backup: &Taken| (taken(0, end).at - backup.at).num_minutes();
            for (hours, off) in [(1, 2), (4, 2), (7, 2), (48, 25), (120, 25), (21 * 24, 8 * 24)] {
                let found = shelf.iter().any(|b| (age(b) - hours * 60).abs() <= off * 60);
                prop_assert!(found, "none about {} h old", hours);
            }
        }
    }

    #[test]
    fn a_clock_set_back_a_year_makes_no_old_file_the_newest() {
        let mut all = vec![taken(1, 600_000), taken(2, 600_060)];
        all.extend((3..=12).map(|number| taken(number, i64::try_from(number).unwrap() * 60)));
        let left: Vec<u64> = left(&all).iter().map(|backup| backup.number).collect();
        assert!(left.ends_with(&[5, 6, 7, 8, 9, 10, 11, 12]), "{left:?}");
    }
}
