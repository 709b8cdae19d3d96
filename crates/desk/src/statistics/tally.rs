//! What is counted between two writings, in memory: counting is one short
//! lock, so that a save does not wait for it and cannot fail by it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use suda_domain::Intake;
use suda_judge::Suggestion;
use suda_sync::statistics::Counts;

use crate::view::Assessment;

/// A save that takes longer is counted apart.
const SLOW_MS: u64 = 100;
/// When nobody looked for longer, the computer was asleep.
const ASLEEP_MS: u64 = 120_000;

/// The counts not yet written. Times are of the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    counts: Counts,
    outage: Option<Outage>,
    /// As far as jumps of the clock are counted.
    jumps: u32,
    written_at_ms: u64,
    /// Something was written since the program started.
    has_written: bool,
}

/// The hub is not reached.
#[derive(Clone, Copy, Debug)]
struct Outage {
    since_ms: u64,
    /// Up to here its seconds are counted.
    counted_ms: u64,
}

impl Tally {
    /// `jumps`: how often the clock had been set when the program last looked.
    pub(crate) fn new(jumps: u32) -> Self {
        Self(Mutex::new(Held {
            jumps,
            ..Held::default()
        }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.held().counts);
    }

    /// A form was saved: what was chosen, how long after its opening, and how
    /// long the save took.
    pub(crate) fn saved(&self, chosen: &Counts, open_s: Option<u64>, took_ms: u64) {
        let mut held = self.held();
        held.counts.add(chosen);
        held.counts.add(&Counts {
            forms_saved: 1,
            forms_timed: u64::from(open_s.is_some()),
            form_s: open_s.unwrap_or_default(),
            form_s_most: open_s.unwrap_or_default(),
            save_ms_most: took_ms,
            saves_slow: u64::from(took_ms > SLOW_MS),
            ..Counts::default()
        });
    }

    /// The hub is reached, or not, or that is not known.
    pub(crate) fn link(&self, is_down: bool, now_ms: u64) {
        let mut held = self.held();
        held.look(now_ms);
        if !is_down {
            held.outage = None;
        } else if held.outage.is_none() {
            held.outage = Some(Outage {
                since_ms: now_ms,
                counted_ms: now_ms,
            });
        }
    }

    /// Counts how long the hub has been away. Called every few seconds.
    pub(crate) fn look(&self, now_ms: u64) {
        self.held().look(now_ms);
    }

    /// Whether the last writing is so long ago.
    pub(crate) fn is_old(&self, now_ms: u64, than_ms: u64) -> bool {
        now_ms.saturating_sub(self.held().written_at_ms) >= than_ms
    }

    /// Takes what was counted, to be written. `jumps`: how often the clock has
    /// been set by now.
    pub(crate) fn take(&self, now_ms: u64, jumps: u32) -> Counts {
        let mut held = self.held();
        held.look(now_ms);
        held.written_at_ms = now_ms;
        let before = std::mem::replace(&mut held.jumps, jumps);
        let mut counts = std::mem::take(&mut held.counts);
        counts.clock_jumps += u64::from(jumps.saturating_sub(before));
        counts
    }

    /// Whether nothing has been written since the program started.
    pub(crate) fn is_first(&self) -> bool {
        !self.held().has_written
    }

    /// What was taken is in the store.
    pub(crate) fn has_written(&self) {
        self.held().has_written = true;
    }

    /// What was taken could not be written and waits for the next time.
    pub(crate) fn put_back(&self, counts: &Counts) {
        self.held().counts.add(counts);
    }
}

impl Held {
    fn look(&mut self, now_ms: u64) {
        let Some(outage) = &mut self.outage else {
            return;
        };
        let passed = now_ms.saturating_sub(outage.counted_ms);
        if passed > ASLEEP_MS {
            *outage = Outage {
                since_ms: now_ms,
                counted_ms: now_ms,
            };
            return;
        }
        let seconds = passed / 1000;
        outage.counted_ms += seconds * 1000;
        let length = (outage.counted_ms - outage.since_ms) / 1000;
        self.counts.add(&Counts {
            offline_s: seconds,
            outage_s_most: length,
            ..Counts::default()
        });
    }
}

/// What of a suggestion was taken and what was chosen otherwise. Without a
/// category suggested, neither is counted of it.
pub(crate) fn chosen(suggestion: &Suggestion, intake: &Intake, assessment: &Assessment) -> Counts {
    let category = suggestion.category.as_ref();
    let grade = suggestion.grade == assessment.grade;
    let complexity = suggestion.complexity == assessment.complexity;
    Counts {
        category_taken: category.is_some_and(|code| *code == intake.category).into(),
        category_changed: category.is_some_and(|code| *code != intake.category).into(),
        grade_taken: grade.into(),
        grade_changed: (!grade).into(),
        complexity_taken: complexity.into(),
        complexity_changed: (!complexity).into(),
        ..Counts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seconds_of_an_outage_are_counted_once_and_its_length_kept() {
        let tally = Tally::new(0);
        tally.link(true, 1_000);
        for ms in [3_500, 5_900, 61_900] {
            tally.look(ms);
        }
        tally.link(true, 90_000);
        let first = tally.take(91_000, 0);
        assert_eq!((first.offline_s, first.outage_s_most), (90, 90));
        tally.link(false, 101_000);
        tally.look(200_000);
        let second = tally.take(260_000, 0);
        assert_eq!((second.offline_s, second.outage_s_most), (10, 100));
        assert_eq!(tally.take(320_000, 0), Counts::default());
    }

    #[test]
    fn a_sleeping_computer_is_not_without_the_hub() {
        let tally = Tally::new(0);
        tally.link(true, 0);
        tally.look(60_000);
        tally.look(8 * 3_600_000);
        tally.look(8 * 3_600_000 + 5_000);
        let counts = tally.take(8 * 3_600_000 + 5_000, 0);
        assert_eq!((counts.offline_s, counts.outage_s_most), (65, 60));
    }

    #[test]
    fn only_jumps_of_the_clock_that_are_new_are_counted() {
        let tally = Tally::new(4);
        assert_eq!(tally.take(0, 4).clock_jumps, 0);
        assert_eq!(tally.take(0, 6).clock_jumps, 2);
        assert_eq!(tally.take(0, 6).clock_jumps, 0);
    }
}
