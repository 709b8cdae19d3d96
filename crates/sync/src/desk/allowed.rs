//! What the hub takes of this desk for now, as it was last told.

use suda_domain::Lane;

use super::pace::Pace;
use crate::hub::allowance::MOST_SLOT_MS;
use crate::message::{Allowance, BATCH_BYTES, BATCH_EVENTS, WIDE_BYTES, WIDE_EVENTS};

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
    /// What the hub told at `now_ms`. It can ask for less than the usual or allow
    /// more, and ask for patience, but never for so much of it that nothing is
    /// sent.
    pub fn until_told(now_ms: u64, allowance: Option<Allowance>) -> Self {
        let Some(told) = allowance else {
            return Self::default();
        };
        let number = |told: u32| usize::try_from(told).unwrap_or(usize::MAX);
        Self {
            events: number(told.events).clamp(1, WIDE_EVENTS),
            bytes: number(told.bytes).clamp(1, WIDE_BYTES),
            slot_ms: now_ms + told.slot_ms.min(MOST_SLOT_MS),
        }
    }

    /// Urgent packets go out whatever else may.
    pub fn events(self, lane: Lane, pace: Pace) -> usize {
        match lane {
            Lane::Urgent => BATCH_EVENTS,
            _ => self.events.min(pace.events),
        }
    }

    pub fn bytes(self, lane: Lane, pace: Pace) -> usize {
        match lane {
            Lane::Urgent => BATCH_BYTES,
            _ => self.bytes.min(pace.bytes),
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
