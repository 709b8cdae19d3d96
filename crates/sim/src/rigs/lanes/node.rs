//! A desk with its four lanes: the machines, and what their stores hold.

use std::collections::BTreeMap;

use chrono::Days;
use suda_domain::ComplaintId;
use suda_sync::desk::DeskSync;
use suda_sync::evidence::{self, FileName, FileState};
use suda_sync::statistics::{self, Counts, DayName, DayTaken, DayTotals, DeskStanding, KEPT_DAYS};

use super::line::Line;
use crate::city;
use crate::desk_disk::DeskDisk;

/// A day is as short as this here, so that many pass.
pub const DAY_MS: u64 = 20 * 60_000;

pub struct File {
    pub name: FileName,
    pub bytes: u64,
    pub complete: bool,
}

struct Day {
    totals: DayTotals,
    taken: u64,
    taken_ms: Option<u64>,
}

pub struct Node {
    pub disk: DeskDisk,
    pub machine: DeskSync,
    pub boot: u32,
    pub wake_at: u64,
    pub line: Line,
    pub evidence: evidence::Sender,
    pub statistics: statistics::Sender,
    /// Lanes 2 and 3 may run; each time they do has a number.
    pub is_aside_on: bool,
    pub aside: u64,
    /// A question or slice of theirs is under way.
    pub is_asking: bool,
    pub evidence_wake: u64,
    pub statistics_wake: u64,
    pub files: Vec<File>,
    days: BTreeMap<DayName, Day>,
    pub complaints: Vec<ComplaintId>,
}

impl Node {
    pub fn new(disk: DeskDisk, seed: u64) -> Self {
        Self {
            disk,
            machine: DeskSync::new(seed),
            boot: 0,
            wake_at: 0,
            line: Line::new(),
            evidence: evidence::Sender::new(seed),
            statistics: statistics::Sender::new(seed),
            is_aside_on: false,
            aside: 0,
            is_asking: false,
            evidence_wake: 0,
            statistics_wake: 0,
            files: Vec::new(),
            days: BTreeMap::new(),
            complaints: Vec::new(),
        }
    }

    /// The program ends and starts: only what is stored is left.
    pub fn restart(&mut self, seed: u64) {
        self.boot += 1;
        self.wake_at = 0;
        self.machine = DeskSync::new(seed);
        self.evidence = evidence::Sender::new(seed);
        self.statistics = statistics::Sender::new(seed);
        self.is_aside_on = false;
        self.aside += 1;
        self.is_asking = false;
    }

    pub fn waiting_files(&self) -> Vec<evidence::Waiting> {
        let waiting = self.files.iter().filter(|file| !file.complete);
        let waiting = waiting.map(|file| evidence::Waiting {
            name: file.name,
            bytes: file.bytes,
        });
        waiting.collect()
    }

    pub fn keep_states(&mut self, states: &[(FileName, FileState)]) {
        for (name, state) in states {
            let file = self.files.iter_mut().find(|file| file.name == *name);
            if let Some(file) = file {
                file.complete |= *state == FileState::Complete;
            }
        }
    }

    fn today(now: u64) -> DayName {
        DayName {
            incarnation: 1,
            day: city::start().date_naive() + Days::new(now / DAY_MS % KEPT_DAYS),
        }
    }

    pub fn count_saved(&mut self, now: u64) {
        let name = Self::today(now);
        let day = self.days.entry(name).or_insert_with(|| Day {
            totals: DayTotals {
                name,
                revision: 0,
                counts: Counts::default(),
                standing: DeskStanding::default(),
            },
            taken: 0,
            taken_ms: None,
        });
        day.totals.revision += 1;
        day.totals.counts.forms_saved += 1;
    }

    pub fn waiting_days(&self, now: u64) -> Vec<statistics::Waiting> {
        let today = Self::today(now);
        let behind = self
            .days
            .values()
            .filter(|day| day.taken < day.totals.revision);
        let waiting = behind.map(|day| statistics::Waiting {
            totals: day.totals.clone(),
            running: day.totals.name == today,
            taken_before_ms: day.taken_ms.map(|at| now.saturating_sub(at)),
        });
        waiting.collect()
    }

    pub fn keep_taken(&mut self, now: u64, taken: &[DayTaken]) {
        for one in taken {
            if let Some(day) = self.days.get_mut(&one.name) {
                day.taken = day.taken.max(one.revision);
                day.taken_ms = Some(now);
            }
        }
    }

    pub fn days(&self) -> impl Iterator<Item = &DayTotals> {
        self.days.values().map(|day| &day.totals)
    }
}
