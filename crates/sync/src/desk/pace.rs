//! How large a batch may be on this line: what it carries in a moment. A large
//! one saves both sides a commit for every hundred events; but a handoff that is
//! written meanwhile waits behind it.

use crate::message::{BATCH_BYTES, BATCH_EVENTS, WIDE_BYTES, WIDE_EVENTS};

/// Batches answered within this are made larger.
const QUICK_MS: u64 = 150;
/// Batches that take longer are made smaller.
const SLOW_MS: u64 = 1_000;
const LEAST_EVENTS: usize = 10;
const LEAST_BYTES: usize = 8 * 1024;

/// What a batch outside the urgent lane may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace {
    pub events: usize,
    pub bytes: usize,
}

impl Default for Pace {
    /// What is right for a line that nothing is known of.
    fn default() -> Self {
        Self {
            events: BATCH_EVENTS,
            bytes: BATCH_BYTES,
        }
    }
}

impl Pace {
    /// A batch of so many events and bytes was answered after `took_ms`. One that
    /// was quick because it was small says nothing of larger ones.
    pub fn took(&mut self, took_ms: u64, events: usize, bytes: usize) {
        let is_telling = events * 2 > self.events || bytes * 2 > self.bytes;
        if took_ms > SLOW_MS {
            self.events = (self.events / 2).max(LEAST_EVENTS);
            self.bytes = (self.bytes / 2).max(LEAST_BYTES);
        } else if took_ms <= QUICK_MS && is_telling {
            self.events = (self.events * 2).min(WIDE_EVENTS);
            self.bytes = (self.bytes * 2).min(WIDE_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_batches_say_nothing_of_large_ones() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.took(5, 2, 900);
        }
        assert_eq!(pace, Pace::default());
    }

    #[test]
    fn a_quick_line_gets_large_batches_and_a_slow_one_small_ones() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.took(QUICK_MS, pace.events, 1);
        }
        assert_eq!((pace.events, pace.bytes), (WIDE_EVENTS, WIDE_BYTES));
        pace.took(SLOW_MS, pace.events, 1);
        assert_eq!(pace.events, WIDE_EVENTS, "bearable");
        for _ in 0..10 {
            pace.took(SLOW_MS + 1, 1, 1);
        }
        assert_eq!((pace.events, pace.bytes), (LEAST_EVENTS, LEAST_BYTES));
    }
}
