//! What the journal's records say.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use suda_domain::{DeviceId, Lane};
use suda_sync::place::LaneHead;
use suda_sync::{Hash, SealedEvent};

/// One record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// Begins each file: how far everything committed reaches.
    Reached(Reached),
    Group(Group),
    /// Groups with these events were journaled but not committed.
    Void(Vec<Hash>),
}

/// The ends of a device's lanes under one incarnation, and the last running
/// number given to a complaint: kept outside the database, they show when it
/// is older than it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Reached {
    pub(crate) device: DeviceId,
    pub(crate) incarnation: u32,
    pub(crate) ends: [End; 4],
    pub(crate) running: Option<(NaiveDate, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) n: u64,
    pub(crate) hash: Hash,
}

impl From<LaneHead> for End {
    fn from(LaneHead { n, hash }: LaneHead) -> Self {
        Self { n, hash }
    }
}

impl Reached {
    pub(crate) fn new(device: DeviceId, incarnation: u32, heads: [LaneHead; 4]) -> Self {
        Self {
            device,
            incarnation,
            ends: heads.map(End::from),
            running: None,
        }
    }
}

/// Events that belong together: all of them come back, or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) events: Vec<SealedEvent>,
    /// The row of an imported file they were made from, so that the import
    /// goes on without doubling it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<ImportedFrom>,
    /// Counts the transactions since the program started.
    pub(crate) turn: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ImportedFrom {
    /// SHA-256 of the file.
    pub(crate) file: Hash,
    pub(crate) line: u64,
}

/// Which numbers of each lane stand in the journal, by incarnation: one run
/// each, the newest.
#[derive(Clone, Default, Debug)]
pub(crate) struct Covered(BTreeMap<(u32, Lane), (u64, u64)>);

impl Covered {
    /// The numbers `first` to `last` were written.
    pub(crate) fn add(&mut self, incarnation: u32, lane: Lane, first: u64, last: u64) {
        let run = self.0.entry((incarnation, lane)).or_insert((first, last));
        if first < run.0 && last + 1 >= run.0 {
            *run = (first, last.max(run.1));
        } else if first >= run.0 && first <= run.1 + 1 {
            run.1 = last;
        } else {
            *run = (first, last);
        }
    }

    /// The first numbers after `acked` up to `head` that are missing, as after
    /// and last.
    pub(crate) fn missing(
        &self,
        incarnation: u32,
        lane: Lane,
        acked: u64,
        head: u64,
    ) -> Option<(u64, u64)> {
        if head <= acked {
            return None;
        }
        match self.0.get(&(incarnation, lane)) {
            Some((first, _)) if *first > acked + 1 => Some((acked, head.min(first - 1))),
            Some((_, last)) if *last < head => Some((acked.max(*last), head)),
            Some(_) => None,
            None => Some((acked, head)),
        }
    }

    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_until_all_is_covered() {
        let mut covered = Covered::default();
        let lane = Lane::Ordinary;
        let missing = |covered: &Covered, acked, head| covered.missing(1, lane, acked, head);
        assert_eq!(missing(&covered, 3, 3), None);
        assert_eq!(missing(&covered, 3, 9), Some((3, 9)));
        covered.add(1, lane, 7, 9);
        assert_eq!(missing(&covered, 3, 9), Some((3, 6)));
        covered.add(1, lane, 4, 6);
        assert_eq!(missing(&covered, 3, 9), None);
        assert_eq!(missing(&covered, 3, 10), Some((9, 10)));
        // Voided and written anew under the same number.
        covered.add(1, lane, 9, 9);
        assert_eq!(missing(&covered, 3, 9), None);
        assert_eq!(missing(&covered, 2, 9), Some((2, 3)));
        // The hub forgot: what it had receipted is needed again.
        assert_eq!(covered.missing(2, lane, 0, 1), Some((0, 1)));
    }
}
