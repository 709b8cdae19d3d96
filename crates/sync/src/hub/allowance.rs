//! How much the hub takes of each desk for now. When more has come than it
//! writes at once, every desk gets a slot of its own for what is not urgent, so
//! that they come one after the other as fast as the hub can write, instead of
//! all at once again. Urgent packets are never given a slot.

use crate::message::{Allowance, BATCH_EVENTS, WIDE_BYTES, WIDE_EVENTS};

/// The hub is overloaded when what waits to be written takes longer, or one
/// transaction did.
pub const OVERLOADED_MS: u64 = 1_000;
/// No slot is further away: a desk looks again once a minute anyway.
pub const MOST_SLOT_MS: u64 = 60_000;
/// Events that may wait in the hub's memory before desks get less than a
/// whole batch to send.
const ROOM: u64 = 20_000;
/// The least a batch may hold, so that everything goes on.
const LEAST_EVENTS: u32 = 10;
/// What the hub is taken to write until it has been measured.
const UNMEASURED_PER_S: u64 = 1_000;

/// What the hub measures of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Events received and not yet written.
    pub waiting: u64,
    /// Events written a second while writing; 0 before the first.
    pub per_s: u64,
    /// What the last transaction took, in milliseconds.
    pub commit_ms: u64,
}

impl Load {
    /// Milliseconds until what waits is written.
    pub fn backlog_ms(self) -> u64 {
        self.waiting.saturating_mul(1_000) / self.rate()
    }

    pub fn is_overloaded(self) -> bool {
        self.backlog_ms() > OVERLOADED_MS || self.commit_ms > OVERLOADED_MS
    }

    fn rate(self) -> u64 {
        match self.per_s {
            0 => UNMEASURED_PER_S,
            measured => measured,
        }
    }

    fn credit(self) -> u32 {
        let free = ROOM.saturating_sub(self.waiting);
        // A tenth of the room is kept for the batches of everybody else.
        let share = u32::try_from(free / 10).unwrap_or(u32::MAX);
        // A slot is as long as what is sent in it: wide batches are for quiet hours.
        let most = match self.is_overloaded() {
            true => BATCH_EVENTS,
            false => WIDE_EVENTS,
        };
        share.clamp(LEAST_EVENTS, most as u32)
    }
}

/// Gives the slots, one behind the other.
#[derive(Debug, Default)]
pub struct Slots {
    /// Up to here they are given, on the clock of the calls.
    given_ms: u64,
}

impl Slots {
    /// What a desk may send after the answer that is being written. `now_ms` is of
    /// a clock that never goes back.
    pub fn allow(&mut self, now_ms: u64, load: Load) -> Allowance {
        let events = load.credit();
        let bytes = u32::try_from(WIDE_BYTES).unwrap_or(u32::MAX);
        if !load.is_overloaded() {
            self.given_ms = 0;
            return Allowance {
                events,
                bytes,
                slot_ms: 0,
            };
        }
        let takes_ms = (u64::from(events) * 1_000 / load.rate()).max(1);
        let first = now_ms + load.backlog_ms();
        let last = now_ms + MOST_SLOT_MS;
        self.given_ms = (self.given_ms.max(first) + takes_ms).min(last);
        Allowance {
            events,
            bytes,
            slot_ms: self.given_ms - now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUSY: Load = Load {
        waiting: 15_000,
        per_s: 10_000,
        commit_ms: 200,
    };

    #[test]
    fn a_hub_at_ease_gives_a_whole_batch_at_once() {
        let allowance = Slots::default().allow(
            5,
            Load {
                waiting: 500,
                per_s: 10_000,
                commit_ms: 20,
            },
        );
        assert_eq!(
            allowance,
            Allowance {
                events: WIDE_EVENTS as u32,
                bytes: WIDE_BYTES as u32,
                slot_ms: 0,
            }
        );
    }

    #[test]
    fn an_overloaded_hub_gives_one_slot_behind_the_other() {
        let mut slots = Slots::default();
        let given = [(); 3].map(|()| slots.allow(1_000, BUSY));
        assert_eq!(given.map(|one| one.slot_ms), [1_510, 1_520, 1_530]);
    }

    #[test]
    fn a_slow_disk_is_overload_with_an_empty_queue() {
        let slow = Load {
            waiting: 0,
            per_s: 100,
            commit_ms: 1_001,
        };
        assert!(Slots::default().allow(0, slow).slot_ms > 0);
        let bearable = Load {
            commit_ms: 1_000,
            ..slow
        };
        assert_eq!(Slots::default().allow(0, bearable).slot_ms, 0);
    }

    #[test]
    fn a_full_memory_gives_smaller_batches() {
        let full = Load {
            waiting: 1_000_000,
            ..BUSY
        };
        assert_eq!(Slots::default().allow(0, full).events, LEAST_EVENTS);
    }

    proptest! {
        /// As many desks as may be: they come no faster than the hub writes,
        /// none later than a minute, and none of them starves.
        #[test]
        fn slots_are_spaced_by_what_the_hub_can_write(
            desks in 2_usize..2_000,
            waiting in 0_u64..200_000,
            per_s in 1_u64..50_000,
            commit_ms in 0_u64..5_000,
            pauses in prop::collection::vec(0_u64..50, 2_000),
        ) {
            let load = Load { waiting, per_s, commit_ms };
            let mut slots = Slots::default();
            let mut now = 0;
            let mut before = 0;
            for pause in pauses.into_iter().take(desks) {
                now += pause;
                let given = slots.allow(now, load);
                prop_assert!(given.slot_ms <= MOST_SLOT_MS);
                prop_assert!((1..=WIDE_EVENTS as u32).contains(&given.events));
                prop_assert_eq!(given.slot_ms > 0, load.is_overloaded());
                if load.is_overloaded() {
                    let at = now + given.slot_ms;
                    let takes = u64::from(given.events) * 1_000 / per_s;
                    prop_assert!(at >= before + takes || given.slot_ms == MOST_SLOT_MS);
                    before = at;
                }
            }
        }
    }
}
