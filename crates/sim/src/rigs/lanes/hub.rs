//! What the hub has of lanes 2 and 3.

use std::collections::{BTreeMap, HashMap};

use suda_domain::{DeviceId, EvidenceId};
use suda_sync::evidence::{FileName, Slice, Standing, Standings};
use suda_sync::statistics::{DayName, DayTaken, DayTotals, Taken};

use super::Variant;
use crate::city;

pub struct Aside {
    variant: Variant,
    /// The bytes each file has here.
    files: HashMap<EvidenceId, u64>,
    days: BTreeMap<(DeviceId, DayName), DayTotals>,
    /// Bytes that were here already, or that left a gap.
    pub misplaced: u64,
}

impl Aside {
    pub fn new(variant: Variant) -> Self {
        Self {
            variant,
            files: HashMap::new(),
            days: BTreeMap::new(),
            misplaced: 0,
        }
    }

    pub fn received(&self, file: EvidenceId) -> u64 {
        self.files.get(&file).copied().unwrap_or_default()
    }

    /// So many bytes of a slice came.
    pub fn take(&mut self, slice: Slice, came: u64) {
        if came < slice.bytes && self.variant == Variant::NothingOfABrokenSlice {
            return;
        }
        let here = self.files.entry(slice.name.file).or_default();
        if slice.offset == *here {
            *here += came;
        } else {
            self.misplaced += came;
        }
    }

    /// `bytes` are how large the files are; what the hub has no event of is unknown.
    pub fn standings(
        &self,
        (device, now): (DeviceId, u64),
        asked: impl IntoIterator<Item = (FileName, u64, bool)>,
    ) -> Standings {
        let files = asked.into_iter().map(|(name, bytes, is_known)| {
            let received = self.received(name.file);
            Standing {
                complete: is_known && received == bytes,
                unknown: !is_known,
                ..Standing::partial(name, received)
            }
        });
        Standings {
            device,
            epoch: "1".to_owned(),
            files: files.collect(),
            at: city::wall(now, 0),
        }
    }

    /// The higher revision of a day holds.
    pub fn take_days(&mut self, (device, now): (DeviceId, u64), days: &[DayTotals]) -> Taken {
        let mut taken = Vec::new();
        for day in days {
            let held = self.days.entry((device, day.name));
            let held = held.and_modify(|held| {
                if self.variant == Variant::TotalsAddedUp {
                    held.counts.add(&day.counts);
                    held.revision = held.revision.max(day.revision);
                } else if day.revision > held.revision {
                    held.clone_from(day);
                }
            });
            let held = held.or_insert_with(|| day.clone());
            taken.push(DayTaken {
                name: day.name,
                revision: held.revision,
            });
        }
        Taken {
            device,
            epoch: "1".to_owned(),
            days: taken,
            at: city::wall(now, 0),
        }
    }

    pub fn is_like(&self, device: DeviceId, day: &DayTotals) -> bool {
        self.days.get(&(device, day.name)) == Some(day)
    }
}
