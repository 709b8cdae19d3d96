//! When a mailbox forwards: one parcel at a time, at once when something came
//! or the hub was met, with jittered pauses after failures, and never again and
//! again with batches that the hub does not move on with: those that come
//! meanwhile do not wait for them.

use suda_domain::DeviceId;

/// Without anything happening, the mailbox looks again after this long.
const TICK_MS: u64 = 60_000;
/// A parcel unanswered this long is given up.
const STALL_MS: u64 = 30_000;
const BACKOFF_BASE_MS: u64 = 1_000;
/// A forwarded handoff has the hour of any other: as the desk's own cap.
const BACKOFF_CAP_MS: u64 = 15_000;
/// A hub of an earlier version does not know forwarding. Until it is replaced,
/// every desk sends for itself.
const DEAF_MS: u64 = 10 * 60_000;
/// How long batches are passed over after a parcel of them moved nothing.
const LATER_MS: u64 = 60_000;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    Tick,
    /// A batch was stored.
    Stored,
    /// The hub has been spoken with: there is a session.
    HubMet,
    HubGone,
    /// Nothing waits but what is passed over.
    Nothing,
    /// The parcel of this desk's batches in these rows is made; it is to be sent.
    Made(DeviceId, Vec<u64>),
    /// The hub took it, and this many of its batches are settled and stored so.
    Settled(usize),
    /// No answer.
    Failed,
    /// The hub will not take this desk's parcel.
    Refused,
    /// The hub does not know what forwarding is.
    NotUnderstood,
    StoreFailed,
}

/// What to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Choose (see [`super::next_desk`]) and make a parcel, but not of these rows.
    Make { later: Vec<u64> },
    /// Send the parcel made, and store what comes back.
    Send,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub order: Option<Order>,
    /// Call again with [`Input::Tick`] at this time at the latest.
    pub wake_at_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Resting,
    Making,
    Sending(DeviceId),
    Pausing {
        until_ms: u64,
    },
    /// The hub is of an earlier version, and meeting it again changes nothing.
    Deaf {
        until_ms: u64,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Later {
    desk: DeviceId,
    row: u64,
    until_ms: u64,
}

/// The machine. Times are milliseconds of a clock that never goes back.
#[derive(Debug)]
pub struct Forwarder {
    phase: Phase,
    hub_is_met: bool,
    again: bool,
    failures: u32,
    since_ms: u64,
    /// The rows of the parcel under way.
    sent: Vec<u64>,
    /// Batches passed over, and until when.
    later: Vec<Later>,
    dice: u64,
}

impl Forwarder {
    /// `seed` spreads the retries of many mailboxes; any number.
    pub fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Resting,
            hub_is_met: false,
            again: true,
            failures: 0,
            since_ms: 0,
            sent: Vec::new(),
            later: Vec::new(),
            dice: seed | 1,
        }
    }

    pub fn step(&mut self, now_ms: u64, input: Input) -> Step {
        self.later.retain(|later| later.until_ms > now_ms);
        let order = self.react(now_ms, input);
        Step {
            order,
            wake_at_ms: match self.phase {
                Phase::Pausing { until_ms } | Phase::Deaf { until_ms } => until_ms,
                Phase::Resting => now_ms + TICK_MS,
                Phase::Making | Phase::Sending(_) => self.since_ms + STALL_MS,
            },
        }
    }

    fn react(&mut self, now_ms: u64, input: Input) -> Option<Order> {
        match (self.phase, input) {
            (_, Input::HubGone) => {
                self.hub_is_met = false;
                None
            }
            (Phase::Deaf { until_ms }, Input::Tick) if now_ms >= until_ms => self.begin(now_ms),
            (Phase::Deaf { .. }, Input::HubMet) => {
                self.hub_is_met = true;
                None
            }
            (Phase::Deaf { .. }, _) => None,
            (Phase::Sending(_), Input::NotUnderstood) => {
                let until_ms = now_ms + DEAF_MS;
                self.phase = Phase::Deaf { until_ms };
                None
            }
            (Phase::Resting | Phase::Pausing { .. }, Input::HubMet) => {
                self.hub_is_met = true;
                self.begin(now_ms)
            }
            (Phase::Resting, Input::Stored | Input::Tick) => self.begin(now_ms),
            (Phase::Pausing { until_ms }, Input::Tick) if now_ms >= until_ms => self.begin(now_ms),
            (Phase::Pausing { .. }, _) => None,
            (_, Input::HubMet) => {
                self.hub_is_met = true;
                self.again = true;
                None
            }
            (_, Input::Stored) => {
                self.again = true;
                None
            }
            (Phase::Making, Input::Nothing) => self.rest(now_ms),
            (Phase::Making, Input::Made(desk, rows)) => {
                self.phase = Phase::Sending(desk);
                self.sent = rows;
                self.since_ms = now_ms;
                Some(Order::Send)
            }
            (Phase::Sending(desk), Input::Settled(count)) => {
                self.failures = 0;
                match count {
                    0 => self.pass_over(now_ms, desk),
                    // What came may be what others lacked.
                    _ => self.later.retain(|later| later.desk != desk),
                }
                self.begin(now_ms)
            }
            (Phase::Sending(desk), Input::Refused) => {
                self.pass_over(now_ms, desk);
                self.begin(now_ms)
            }
            (_, Input::Failed | Input::StoreFailed) => self.pause(now_ms),
            (Phase::Making | Phase::Sending(_), Input::Tick)
                if now_ms >= self.since_ms + STALL_MS =>
            {
                self.pause(now_ms)
            }
            _ => None,
        }
    }

    fn begin(&mut self, now_ms: u64) -> Option<Order> {
        if !self.hub_is_met {
            self.phase = Phase::Resting;
            return None;
        }
        self.again = false;
        self.phase = Phase::Making;
        self.since_ms = now_ms;
        Some(Order::Make {
            later: self.later.iter().map(|later| later.row).collect(),
        })
    }

    fn pass_over(&mut self, now_ms: u64, desk: DeviceId) {
        let until_ms = now_ms + LATER_MS;
        let rows = self.sent.drain(..);
        self.later.extend(rows.map(|row| Later {
            desk,
            row,
            until_ms,
        }));
    }

    fn rest(&mut self, now_ms: u64) -> Option<Order> {
        self.phase = Phase::Resting;
        self.again.then(|| self.begin(now_ms)).flatten()
    }

    /// Full jitter, as a desk's own pauses have it.
    fn pause(&mut self, now_ms: u64) -> Option<Order> {
        self.failures = self.failures.saturating_add(1);
        let bound = (BACKOFF_BASE_MS << self.failures.min(10)).min(BACKOFF_CAP_MS);
        self.phase = Phase::Pausing {
            until_ms: now_ms + 1 + self.roll(bound),
        };
        None
    }

    /// A number below `bound` (xorshift64*; spreads retries, guards no secret).
    fn roll(&mut self, bound: u64) -> u64 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> DeviceId {
        DeviceId(uuid::Uuid::from_u128(1))
    }

    #[test]
    fn a_hub_that_does_not_know_forwarding_is_left_alone_for_long() {
        let mut machine = Forwarder::new(1);
        machine.step(0, Input::HubMet);
        machine.step(0, Input::Made(desk(), vec![1]));
        let step = machine.step(0, Input::NotUnderstood);
        assert_eq!((step.order, step.wake_at_ms), (None, DEAF_MS));
        for input in [Input::Stored, Input::HubMet, Input::Tick] {
            assert_eq!(machine.step(DEAF_MS - 1, input).order, None);
        }
        let step = machine.step(DEAF_MS, Input::Tick);
        assert_eq!(step.order, Some(Order::Make { later: Vec::new() }));
    }

    fn make(later: &[u64]) -> Option<Order> {
        Some(Order::Make {
            later: later.to_vec(),
        })
    }

    #[test]
    fn what_moved_nothing_keeps_nothing_that_comes_later_waiting() {
        let mut machine = Forwarder::new(1);
        machine.step(0, Input::HubMet);
        machine.step(0, Input::Made(desk(), vec![1, 2]));
        assert_eq!(machine.step(0, Input::Settled(0)).order, make(&[1, 2]));
        machine.step(0, Input::Nothing);
        // A new one goes by itself, and with it may have come what they lacked.
        assert_eq!(machine.step(5, Input::Stored).order, make(&[1, 2]));
        machine.step(5, Input::Made(desk(), vec![3]));
        assert_eq!(machine.step(6, Input::Settled(1)).order, make(&[]));
        machine.step(6, Input::Made(desk(), vec![1, 2]));
        assert_eq!(machine.step(7, Input::Settled(0)).order, make(&[1, 2]));
        machine.step(7, Input::Nothing);
        let step = machine.step(7 + LATER_MS, Input::Tick);
        assert_eq!(step.order, make(&[]));
    }
}
