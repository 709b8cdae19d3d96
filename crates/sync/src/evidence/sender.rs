//! The desk's side of lane 2 as a state machine: asks how far the hub is with
//! what waits, and sends the next slice. One question or slice at a time. It
//! runs only while nothing waits in the lanes before it; whoever runs it drops
//! what is under way when something does, and says [`Input::Cut`].

use std::collections::VecDeque;

use suda_domain::EvidenceId;

use super::pace::Pace;
use super::{CHUNK, FileName, MOST_ASKED, Standing, Standings};

/// What waits is looked at again at the latest after this.
const TICK_MS: u64 = 60_000;
/// After the hub proved to know nothing of lane 2.
const OLD_HUB_MS: u64 = 30 * 60_000;
const BACKOFF_BASE_MS: u64 = 1_000;
const BACKOFF_CAP_MS: u64 = 45_000;
/// How often a file whose whole does not fit is sent from the beginning.
const MOST_RESTARTS: u32 = 3;

/// A file whose receipt is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub name: FileName,
    pub bytes: u64,
}

/// Bytes to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    pub name: FileName,
    pub offset: u64,
    pub bytes: u64,
}

/// How a file stands, as the hub has signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileState {
    Partial { received: u64 },
    Complete,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A moment to look.
    Tick,
    /// A file was added, or the hub came within reach.
    News,
    /// Answer to [`Command::Read`].
    Files(Vec<Waiting>),
    /// Answer to [`Command::Ask`] and [`Command::Send`].
    Standings(Standings),
    /// Answer to [`Command::Save`].
    Saved,
    /// What was asked or sent had no answer, or the store refused.
    Failed,
    /// What was under way was dropped for a lane before this one.
    Cut,
    /// The bytes of a file cannot be read here.
    Unreadable(EvidenceId),
    /// The hub wants to be asked later.
    Busy { retry_ms: u64 },
    /// The hub does not know what is asked.
    OldHub,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read which files wait, the oldest first.
    Read,
    /// Ask the hub how far these are.
    Ask(Vec<FileName>),
    Send(Slice),
    /// Keep how far the files are; the hub's answer as signed is the receipt
    /// of those complete.
    Save(Vec<(FileName, FileState)>),
}

/// What the machine wants after an input.
#[derive(Debug)]
pub struct Step {
    pub command: Option<Command>,
    /// Call again with [`Input::Tick`] at this time at the latest.
    pub wake_at_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Resting { until_ms: u64 },
    Reading,
    Asking,
    Sending { slice: Slice, since_ms: u64 },
    Saving,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    waiting: Waiting,
    received: u64,
    restarts: u32,
}

/// The machine. Times are milliseconds of a clock that never goes back.
#[derive(Debug)]
pub struct Sender {
    phase: Phase,
    pace: Pace,
    files: VecDeque<Known>,
    /// Files whose whole never fitted.
    given_up: Vec<EvidenceId>,
    failures: u32,
    old_hub: bool,
    dice: u64,
}

impl Sender {
    /// `seed` spreads the retries of many desks; any number.
    pub fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Resting { until_ms: 0 },
            pace: Pace::default(),
            files: VecDeque::new(),
            given_up: Vec::new(),
            failures: 0,
            old_hub: false,
            dice: seed | 1,
        }
    }

    /// Whether nothing is under way.
    pub fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Resting { .. })
    }

    /// Failed tries since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the hub proved to know nothing of lane 2.
    pub fn met_old_hub(&self) -> bool {
        self.old_hub
    }

    /// Takes one input.
    pub fn step(&mut self, now_ms: u64, input: Input) -> Step {
        let command = self.react(now_ms, input);
        let wake_at_ms = match self.phase {
            Phase::Resting { until_ms } => until_ms,
            _ => now_ms + TICK_MS,
        };
        Step {
            command,
            wake_at_ms,
        }
    }

    fn react(&mut self, now_ms: u64, input: Input) -> Option<Command> {
        match (self.phase, input) {
            (Phase::Resting { until_ms }, Input::Tick) if now_ms >= until_ms => self.read(),
            (Phase::Resting { .. }, Input::News) if !self.old_hub => self.read(),
            (_, Input::Tick | Input::News) => None,
            (Phase::Reading, Input::Files(files)) => self.ask(now_ms, files),
            (Phase::Asking, Input::Standings(standings)) => self.take_all(&standings),
            (Phase::Sending { slice, since_ms }, Input::Standings(standings)) => {
                self.pace.took(slice.bytes, now_ms.saturating_sub(since_ms));
                self.take_all(&standings)
            }
            (Phase::Saving, Input::Saved) => self.next(now_ms),
            (Phase::Sending { .. }, Input::Unreadable(file)) => {
                self.files.retain(|known| known.waiting.name.file != file);
                self.next(now_ms)
            }
            (_, Input::Cut) => {
                if matches!(self.phase, Phase::Sending { .. }) {
                    self.pace.broke();
                }
                // How far the hub came with what was dropped is to be asked.
                self.rest(now_ms, 0)
            }
            (_, Input::Busy { retry_ms }) => {
                let pause = retry_ms + self.roll(BACKOFF_BASE_MS);
                self.rest(now_ms, pause)
            }
            (_, Input::OldHub) => {
                self.old_hub = true;
                self.failures = 0;
                self.rest(now_ms, OLD_HUB_MS)
            }
            _ => self.fail(now_ms),
        }
    }

    fn read(&mut self) -> Option<Command> {
        self.phase = Phase::Reading;
        Some(Command::Read)
    }

    fn ask(&mut self, now_ms: u64, waiting: Vec<Waiting>) -> Option<Command> {
        let before = std::mem::take(&mut self.files);
        let restarts = |waiting: &Waiting| {
            let known = before.iter().find(|known| known.waiting == *waiting);
            known.map_or(0, |known| known.restarts)
        };
        self.files = waiting
            .into_iter()
            .map(|waiting| Known {
                restarts: restarts(&waiting),
                waiting,
                received: 0,
            })
            .filter(|known| !self.given_up.contains(&known.waiting.name.file))
            .take(MOST_ASKED)
            .collect();
        if self.files.is_empty() {
            self.failures = 0;
            return self.rest(now_ms, TICK_MS);
        }
        self.phase = Phase::Asking;
        let names = self.files.iter().map(|known| known.waiting.name);
        Some(Command::Ask(names.collect()))
    }

    fn take_all(&mut self, standings: &Standings) -> Option<Command> {
        self.failures = 0;
        self.old_hub = false;
        let mut saved = Vec::new();
        for standing in &standings.files {
            if let Some(state) = self.take(standing) {
                saved.push((standing.name, state));
            }
        }
        self.phase = Phase::Saving;
        Some(Command::Save(saved))
    }

    fn take(&mut self, standing: &Standing) -> Option<FileState> {
        let place = self
            .files
            .iter()
            .position(|known| known.waiting.name == standing.name)?;
        if standing.complete {
            self.files.remove(place);
            return Some(FileState::Complete);
        }
        if standing.unknown {
            // Its event is not at the hub, or was set aside: looked at again later.
            self.files.remove(place);
            return None;
        }
        let known = self.files.get_mut(place)?;
        known.restarts += u32::from(standing.unlike);
        known.received = standing.received;
        if known.restarts >= MOST_RESTARTS {
            self.files.remove(place);
            self.given_up.push(standing.name.file);
        }
        Some(FileState::Partial {
            received: standing.received,
        })
    }

    /// The next slice of the first file, up to the chunk's border at most.
    fn next(&mut self, now_ms: u64) -> Option<Command> {
        let Some(known) = self.files.front() else {
            // There may be more than were asked for.
            return self.rest(now_ms, BACKOFF_BASE_MS);
        };
        let offset = known.received.min(known.waiting.bytes.saturating_sub(1));
        let left = known.waiting.bytes - offset;
        let in_chunk = CHUNK - offset % CHUNK;
        let slice = Slice {
            name: known.waiting.name,
            offset,
            bytes: self.pace.slice().min(in_chunk).min(left),
        };
        self.phase = Phase::Sending {
            slice,
            since_ms: now_ms,
        };
        Some(Command::Send(slice))
    }

    fn rest(&mut self, now_ms: u64, pause_ms: u64) -> Option<Command> {
        self.phase = Phase::Resting {
            until_ms: now_ms + pause_ms,
        };
        None
    }

    /// Full jitter: a pause drawn evenly from nothing to the present bound.
    fn fail(&mut self, now_ms: u64) -> Option<Command> {
        self.failures = self.failures.saturating_add(1);
        self.pace.broke();
        let bound = (BACKOFF_BASE_MS << self.failures.min(10)).min(BACKOFF_CAP_MS);
        let pause = self.roll(bound);
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
