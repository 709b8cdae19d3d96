//! The desk's side of lane 3 as a state machine: looks which days the hub
//! lacks, sends a few, keeps what the hub holds. One message at a time. It runs
//! only while every other lane rests; whoever runs it drops what is under way
//! when one does not, and says [`Input::Cut`].

use super::{DayName, DayTaken, DayTotals, MOST_DAYS, Taken};

/// What waits is looked at again at the latest after this.
const TICK_MS: u64 = 60_000;
/// Between two writings of the running day that are sent.
pub const RUNNING_MS: u64 = 60 * 60_000;
/// After the hub proved to know nothing of lane 3.
const OLD_HUB_MS: u64 = 30 * 60_000;
const BACKOFF_BASE_MS: u64 = 5_000;
/// Nobody waits for a figure: a hub in trouble is asked seldom.
const BACKOFF_CAP_MS: u64 = 10 * 60_000;

/// A day whose last writing the hub has not confirmed in its present epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub totals: DayTotals,
    /// More will be counted of it.
    pub running: bool,
    /// Milliseconds since the hub last confirmed a writing of it, in its
    /// present epoch. Absent when it has none, and when the clock was set.
    pub taken_before_ms: Option<u64>,
}

impl Waiting {
    fn is_due(&self) -> bool {
        !self.running || self.taken_before_ms.is_none_or(|ms| ms >= RUNNING_MS)
    }
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A moment to look. `free`: nothing waits in the lanes before this one,
    /// nothing of them is under way, and the hub has given no later slot.
    Tick { free: bool },
    /// Answer to [`Command::Read`].
    Days(Vec<Waiting>),
    /// Answer to [`Command::Send`].
    Taken(Taken),
    /// Answer to [`Command::Save`].
    Saved,
    /// What was sent had no answer, or the store refused.
    Failed,
    /// What was under way was dropped for a lane before this one.
    Cut,
    /// The hub wants to be asked later.
    Busy { retry_ms: u64 },
    /// The hub does not know what it is sent.
    OldHub,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read which days wait, the oldest first.
    Read,
    Send(Vec<DayTotals>),
    /// Keep that the hub holds these revisions, in this epoch.
    Save {
        epoch: String,
        days: Vec<DayTaken>,
    },
}

/// What the machine wants after an input.
#[derive(Debug)]
pub struct Step {
    pub command: Option<Command>,
    /// Call again with [`Input::Tick`] when the lanes before are free, at this
    /// time at the latest.
    pub wake_at_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Phase {
    Resting,
    Reading,
    Sending(Vec<(DayName, u64)>),
    Saving,
}

/// The machine. Times are milliseconds of a clock that never goes back.
#[derive(Debug)]
pub struct Sender {
    phase: Phase,
    until_ms: u64,
    failures: u32,
    old_hub: bool,
    dice: u64,
}

impl Sender {
    /// `seed` spreads the retries of many desks; any number.
    pub fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Resting,
            until_ms: 0,
            failures: 0,
            old_hub: false,
            dice: seed | 1,
        }
    }

    /// Whether nothing is under way.
    pub fn is_resting(&self) -> bool {
        self.phase == Phase::Resting
    }

    /// Failed tries since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the hub proved to know nothing of lane 3.
    pub fn met_old_hub(&self) -> bool {
        self.old_hub
    }

    /// Takes one input.
    pub fn step(&mut self, now_ms: u64, input: Input) -> Step {
        let command = self.react(now_ms, input);
        Step {
            command,
            wake_at_ms: self.until_ms,
        }
    }

    fn react(&mut self, now_ms: u64, input: Input) -> Option<Command> {
        let phase = std::mem::replace(&mut self.phase, Phase::Resting);
        match (phase, input) {
            (Phase::Resting, Input::Tick { free: true }) if now_ms >= self.until_ms => {
                self.phase = Phase::Reading;
                Some(Command::Read)
            }
            (Phase::Resting, Input::Tick { .. }) => None,
            (Phase::Reading, Input::Days(waiting)) => self.send(now_ms, waiting),
            (Phase::Sending(sent), Input::Taken(taken)) => self.take(now_ms, &sent, taken),
            // There may be more than one message's worth.
            (Phase::Saving, Input::Saved) => {
                self.failures = 0;
                self.phase = Phase::Reading;
                Some(Command::Read)
            }
            (_, Input::Cut) => None,
            (_, Input::Busy { retry_ms }) => self.fail(now_ms, retry_ms),
            (_, Input::OldHub) => {
                self.old_hub = true;
                self.failures = 0;
                self.rest(now_ms, OLD_HUB_MS)
            }
            // A tick while something is under way.
            (phase, Input::Tick { .. }) => {
                self.phase = phase;
                None
            }
            _ => self.fail(now_ms, 0),
        }
    }

    fn send(&mut self, now_ms: u64, waiting: Vec<Waiting>) -> Option<Command> {
        let due = waiting.into_iter().filter(Waiting::is_due);
        let days: Vec<_> = due.take(MOST_DAYS).map(|waiting| waiting.totals).collect();
        if days.is_empty() {
            self.failures = 0;
            return self.rest(now_ms, TICK_MS);
        }
        let sent = days.iter().map(|day| (day.name, day.revision)).collect();
        self.phase = Phase::Sending(sent);
        Some(Command::Send(days))
    }

    /// The hub may hold a later writing than was sent, from before this
    /// database was put back. That is kept too, so that the next one here gets
    /// a revision above it.
    fn take(&mut self, now_ms: u64, sent: &[(DayName, u64)], taken: Taken) -> Option<Command> {
        self.old_hub = false;
        let held = |name: DayName| taken.days.iter().find(|day| day.name == name);
        let days: Vec<_> = sent
            .iter()
            .filter_map(|(name, revision)| held(*name).filter(|day| day.revision >= *revision))
            .copied()
            .collect();
        if days.is_empty() {
            // It kept nothing: pause instead of running hot.
            return self.fail(now_ms, 0);
        }
        self.phase = Phase::Saving;
        let epoch = taken.epoch;
        Some(Command::Save { epoch, days })
    }

    fn rest(&mut self, now_ms: u64, pause_ms: u64) -> Option<Command> {
        self.until_ms = now_ms + pause_ms;
        None
    }

    /// Full jitter: a pause drawn evenly from nothing to the present bound.
    fn fail(&mut self, now_ms: u64, at_least_ms: u64) -> Option<Command> {
        self.failures = self.failures.saturating_add(1);
        let bound = (BACKOFF_BASE_MS << self.failures.min(10)).min(BACKOFF_CAP_MS);
        let pause = at_least_ms.saturating_add(self.roll(bound));
        self.rest(now_ms, pause)
    }

    /// A number below `bound` (xorshift64*; spreads retries, guards no secret).
    fn roll(&mut self, bound: u64) -> u64 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound.max(1)
    }
}
