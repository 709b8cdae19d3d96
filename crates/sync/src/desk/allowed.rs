//! What the hub takes of this desk for now, as it was last told.

use suda_domain::Lane;

use crate::hub::allowance::MOST_SLOT_MS;
use crate::message::{Allowance, BATCH_BYTES, BATCH_EVENTS};

/// Times are of the machine's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    events: usize,
    bytes: usize,
    slot_ms: u64,
}

impl Default for Allowed {
    /// What a hub takes that says nothing of it.
    fn default() -> Self {
        Self {
            events: BATCH_EVENTS,
            bytes: BATCH_BYTES,
            slot_ms: 0,
        }
    }
}

impl Allowed {
    /// What the hub told at `now_ms`. It can ask for less than the usual, and
    /// for patience, but never for so much of it that nothing is sent.
    pub fn until_told(now_ms: u64, allowance: Option<Allowance>) -> Self {
        let usual = Self::default();
        let Some(told) = allowance else {
            return usual;
        };
        let number = |told: u32| usize::try_from(told).unwrap_or(usize::MAX);
        Self {
            events: number(told.events).clamp(1, usual.events),
            bytes: number(told.bytes).clamp(1, usual.bytes),
            slot_ms: now_ms + told.slot_ms.min(MOST_SLOT_MS),
        }
    }

    /// Urgent packets go out whatever else may.
    pub fn events(self, lane: Lane) -> usize {
        match lane {
            Lane::Urgent => BATCH_EVENTS,
            _ => self.events,
        }
    }

    pub fn bytes(self, lane: Lane) -> usize {
        match lane {
            Lane::Urgent => BATCH_BYTES,
            _ => self.bytes,
        }
    }

    /// Whether this lane may be sent at `now_ms`.
    pub fn has_come(self, now_ms: u64, lane: Lane) -> bool {
        lane == Lane::Urgent || now_ms >= self.slot_ms
    }

    /// When everything may be sent.
    pub fn slot_ms(self) -> u64 {
        self.slot_ms
    }
}
