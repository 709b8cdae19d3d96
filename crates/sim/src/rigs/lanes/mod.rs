//! `suda-sim lanes`: all four lanes of a desk over a line of 256 kbit/s that is cut
//! again and again. Evidence goes on at the byte after every cut and never keeps a
//! handoff waiting for more than two seconds; day totals arrive, and count once.
//! The controls send whole chunks at a time, keep no part of a slice, and add up
//! what a day's later writing was to replace.

mod hub;
mod line;
mod node;
mod world;

use std::time::Instant;

use serde_json::{Value, json};

use self::world::World;
use super::Report;
use crate::cores::on_all_cores;

/// What lane 2 may cost lane 0 (issue and README: 2 s at 256 kbit/s).
const BEHIND_EVIDENCE_MS: u64 = 2_000;

/// Which mistake is planted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    Sound,
    /// A chunk goes out as one slice.
    WholeChunks,
    /// The hub keeps nothing of a slice that broke off.
    NothingOfABrokenSlice,
    /// The hub adds a day's writings up.
    TotalsAddedUp,
}

/// What came of some schedules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub handoffs: u64,
    pub files: u64,
    pub cuts: u64,
    pub kills: u64,
    /// Slices dropped because another lane had something.
    pub dropped: u64,
    /// The longest a handoff waited behind bytes of lanes 2 and 3.
    pub behind_ms: u64,
    /// Bytes of evidence that came to the hub a second time, or not at their place.
    pub misplaced: u64,
    /// Bytes that were sent again although they had gone through the line.
    pub sent_again: u64,
    pub incomplete: u64,
    pub days: u64,
    /// Days of which the hub has other totals than the desk.
    pub days_unlike: u64,
    /// Bytes of lanes 2 and 3 begun while a lane before them had something.
    pub out_of_turn: u64,
    pub unsent: u64,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.handoffs += other.handoffs;
        self.files += other.files;
        self.cuts += other.cuts;
        self.kills += other.kills;
        self.dropped += other.dropped;
        self.behind_ms = self.behind_ms.max(other.behind_ms);
        self.misplaced += other.misplaced;
        self.sent_again += other.sent_again;
        self.incomplete += other.incomplete;
        self.days += other.days;
        self.days_unlike += other.days_unlike;
        self.out_of_turn += other.out_of_turn;
        self.unsent += other.unsent;
    }

    /// The bars that do not hold.
    fn broken(&self) -> Vec<&'static str> {
        let bars = [
            (
                self.behind_ms <= BEHIND_EVIDENCE_MS,
                "no handoff waits more than 2 s behind evidence",
            ),
            (
                self.misplaced == 0 && self.sent_again == 0,
                "evidence goes on at the byte",
            ),
            (self.incomplete == 0, "every file is complete at the hub"),
            (self.days_unlike == 0, "every day's totals count once"),
            (
                self.out_of_turn == 0,
                "lanes 2 and 3 wait for the lanes before them",
            ),
            (self.unsent == 0, "every event has its receipt"),
        ];
        let broken = bars.into_iter().filter(|(holds, _)| !holds);
        broken.map(|(_, bar)| bar).collect()
    }

    fn line(&self) -> Value {
        json!({
            "handoffs": self.handoffs,
            "files": self.files,
            "cuts": self.cuts,
            "kills": self.kills,
            "slices_dropped_for_another_lane": self.dropped,
            "handoff_behind_evidence_ms_max": self.behind_ms,
            "evidence_bytes_misplaced": self.misplaced,
            "evidence_bytes_sent_again": self.sent_again,
            "files_incomplete": self.incomplete,
            "days": self.days,
            "days_unlike": self.days_unlike,
            "out_of_turn": self.out_of_turn,
            "events_unsent": self.unsent,
            "broken": self.broken(),
        })
    }
}

fn outcome(first: u64, schedules: u64, variant: Variant) -> anyhow::Result<Outcome> {
    let seeds: Vec<u64> = (first..first + schedules).collect();
    let all = on_all_cores(&seeds, |&seed| Ok(World::new(seed, variant)?.run()))?;
    let mut sum = Outcome::default();
    for one in all {
        sum.add(one);
    }
    Ok(sum)
}

/// Runs `schedules` schedules from seed `first` on, and a few of each control.
///
/// # Errors
/// When a world cannot be made.
pub fn share_the_line(first: u64, schedules: u64) -> anyhow::Result<Report> {
    let began = Instant::now();
    let sound = outcome(first, schedules, Variant::Sound)?;
    let few = schedules.min(10);
    let control = |variant| outcome(first, few, variant).map(|of| of.broken());
    let whole_chunks = control(Variant::WholeChunks)?;
    let broken_slices = control(Variant::NothingOfABrokenSlice)?;
    let added_up = control(Variant::TotalsAddedUp)?;
    let has_gone_wrong = sound.cuts > 0 && sound.kills > 0 && sound.dropped > 0;
    let is_busy = sound.handoffs > 0 && sound.files > 0 && sound.days > 0;
    let controls_fail =
        !whole_chunks.is_empty() && !broken_slices.is_empty() && !added_up.is_empty();
    let passed = has_gone_wrong && is_busy && sound.broken().is_empty() && controls_fail;
    let line = json!({
        "rig": "lanes",
        "seed": first,
        "schedules": schedules,
        "bits_per_s": line::BYTES_PER_MS * 8_000,
        "all_lanes": sound.line(),
        "controls": {
            "schedules": few,
            "whole chunks at a time": whole_chunks,
            "nothing kept of a broken slice": broken_slices,
            "totals added up": added_up,
        },
        "seconds": began.elapsed().as_secs_f64(),
        "passed": passed,
    });
    Ok(Report { line, passed })
}
