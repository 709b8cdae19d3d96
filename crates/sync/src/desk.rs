//! The desk's side of the sync as a state machine: what to do next after each
//! thing that happens. Single flight: one question to the hub or one storage
//! command at a time, each with a number, so that a late answer to a question
//! already given up is ignored.
//!
//! A round is: say hello if there is no session, send the urgent lane until it
//! is empty, send the ordinary lane batch by batch (looking at the urgent lane
//! again before each), then pull the hub's log. Between rounds the machine
//! rests until a local write, a nudge from the watch, or the tick.

use suda_domain::Lane;

use crate::chain::SealedEvent;
use crate::message::{
    Ask, BATCH_BYTES, BATCH_EVENTS, PAGE_ENTRIES, Page, Position, Receipt, Refused, Reply, Welcome,
};

/// A round begins at the latest this long after the last.
pub const TICK_MS: u64 = 60_000;
/// A question unanswered this long is given up.
pub const STALL_MS: u64 = 30_000;
const BACKOFF_BASE_MS: u64 = 1_000;
/// Longest pause after failures when nothing urgent waits.
const BACKOFF_CAP_MS: u64 = 60_000;
/// Longest pause while a handoff waits: product.md promises the queue within
/// 30 s of the link's return.
const URGENT_CAP_MS: u64 = 15_000;

/// Something that happened. Numbers echo the command they answer.
#[derive(Debug)]
pub enum Input {
    /// The wake-up asked for has come, or any other moment to look.
    Tick,
    /// The store has new events.
    LocalWrite,
    /// The hub's log has something new, or the network came back.
    Nudge,
    /// Answer to [`Command::ReadPosition`].
    Position(Position),
    /// Answer to [`Command::Load`].
    Loaded(Vec<SealedEvent>),
    /// Answer to a save command.
    Saved,
    /// The hub's answer to [`Command::Send`].
    Reply(Box<Reply>),
    /// The question did not reach the hub, or no readable answer came back.
    SendFailed,
    /// The local store refused; try again later.
    StoreFailed,
}

/// Something to do. Exactly one is under way at a time.
#[derive(Debug)]
pub enum Command {
    ReadPosition,
    /// Read the events of `lane` after number `after`, at most so many.
    Load {
        lane: Lane,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    },
    Send {
        session: Option<String>,
        ask: Ask,
    },
    /// Store epoch and clock offset; the cursor becomes `cursor`.
    SaveWelcome {
        welcome: Welcome,
        cursor: u64,
    },
    SaveReceipt(Box<Receipt>),
    /// Store entries, directory and cursor in one transaction.
    SavePage(Box<Page>),
}

/// What the machine wants after an input.
#[derive(Debug, Default)]
pub struct Step {
    /// The command and its number.
    pub command: Option<(u64, Command)>,
    /// Call again with [`Input::Tick`] at this time at the latest.
    pub wake_at_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Resting,
    /// After a failure, until this time.
    Waiting {
        until_ms: u64,
    },
    Reading,
    Greeting,
    SavingWelcome,
    Loading(Lane),
    Sending {
        lane: Lane,
        first_n: u64,
    },
    SavingReceipt {
        progress: bool,
    },
    Pulling,
    SavingPage {
        more: bool,
    },
}

/// The machine. Times are milliseconds of a clock that never goes back.
#[derive(Debug)]
pub struct DeskSync {
    phase: Phase,
    number: u64,
    since_ms: u64,
    session: Option<String>,
    position: Position,
    failures: u32,
    /// Something was written or nudged while a round was under way.
    again: bool,
    next_tick_ms: u64,
    dice: u64,
}

/// What a person may be told about the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// The last round went through.
    Up,
    /// Not yet known.
    Unknown,
    /// The last try failed.
    Down,
}

impl DeskSync {
    /// `seed` spreads the retries of many desks; any number.
    pub fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Resting,
            number: 0,
            since_ms: 0,
            session: None,
            position: Position::default(),
            failures: 0,
            again: true,
            next_tick_ms: 0,
            dice: seed | 1,
        }
    }

    pub fn link(&self) -> Link {
        match (self.failures, &self.session) {
            (0, Some(_)) => Link::Up,
            (0, None) => Link::Unknown,
            _ => Link::Down,
        }
    }

    /// Whether nothing is under way and nothing asked for: the last round
    /// went through with empty queues.
    pub fn is_at_rest(&self) -> bool {
        self.phase == Phase::Resting && !self.again
    }

    /// Failed tries since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes one input. `number` is that of the command answered, or `None`
    /// for tick, write and nudge.
    pub fn step(&mut self, now_ms: u64, number: Option<u64>, input: Input) -> Step {
        let command = if number.is_some_and(|n| n != self.number) {
            None
        } else {
            self.react(now_ms, input)
        };
        let command = command.map(|command| {
            self.number += 1;
            self.since_ms = now_ms;
            (self.number, command)
        });
        Step {
            command,
            wake_at_ms: self.wake_at_ms(),
        }
    }

    fn wake_at_ms(&self) -> u64 {
        match self.phase {
            Phase::Resting => self.next_tick_ms,
            Phase::Waiting { until_ms } => until_ms,
            _ => self.since_ms + STALL_MS,
        }
    }

    fn react(&mut self, now_ms: u64, input: Input) -> Option<Command> {
        match (self.phase, input) {
            (Phase::Resting, Input::LocalWrite | Input::Nudge) => self.begin(),
            (Phase::Resting, Input::Tick) if self.again || now_ms >= self.next_tick_ms => {
                self.begin()
            }
            (Phase::Waiting { until_ms }, Input::Tick) if now_ms >= until_ms => self.begin(),
            // The network says it is back: try at once.
            (Phase::Waiting { .. }, Input::Nudge) => self.begin(),
            (Phase::Resting | Phase::Waiting { .. }, Input::Tick | Input::LocalWrite) => None,
            (_, Input::LocalWrite | Input::Nudge) => {
                self.again = true;
                None
            }
            (_, Input::Tick) if now_ms >= self.since_ms + STALL_MS => self.fail(now_ms, None),
            (_, Input::Tick) => None,
            (_, Input::SendFailed | Input::StoreFailed) => self.fail(now_ms, None),
            (Phase::Reading, Input::Position(position)) => {
                self.position = position;
                match self.session {
                    Some(_) => self.load(Lane::Urgent),
                    None => self.greet(),
                }
            }
            (Phase::SavingWelcome, Input::Saved) => self.load(Lane::Urgent),
            (Phase::Loading(lane), Input::Loaded(events)) => self.send(lane, events),
            (Phase::SavingReceipt { progress }, Input::Saved) => {
                if progress {
                    self.load(Lane::Urgent)
                } else {
                    // The hub stored nothing of it: pause instead of running hot.
                    self.fail(now_ms, None)
                }
            }
            (Phase::SavingPage { more }, Input::Saved) => {
                if more {
                    self.pull()
                } else {
                    self.finish(now_ms)
                }
            }
            (_, Input::Reply(reply)) => self.react_to_reply(now_ms, *reply),
            // An answer that does not belong to what is under way.
            _ => self.fail(now_ms, None),
        }
    }

    fn react_to_reply(&mut self, now_ms: u64, reply: Reply) -> Option<Command> {
        match (self.phase, reply) {
            (Phase::Greeting, Reply::Welcome(welcome)) => self.take_welcome(welcome),
            (Phase::Sending { lane, first_n }, Reply::Receipt(receipt)) => {
                self.take_receipt(now_ms, lane, first_n, receipt)
            }
            (Phase::Pulling, Reply::Page(page)) => {
                let more = page.more;
                self.position.cursor = page.cursor;
                if let Some(directory) = &page.directory {
                    self.position.directory = directory.version;
                }
                self.phase = Phase::SavingPage { more };
                Some(Command::SavePage(Box::new(page)))
            }
            (_, Reply::Refused(Refused::SessionExpired)) if self.phase != Phase::Greeting => {
                self.session = None;
                self.greet()
            }
            (_, Reply::Refused(Refused::Busy { retry_ms })) => self.fail(now_ms, Some(retry_ms)),
            _ => self.fail(now_ms, None),
        }
    }

    fn begin(&mut self) -> Option<Command> {
        self.again = false;
        self.phase = Phase::Reading;
        Some(Command::ReadPosition)
    }

    fn greet(&mut self) -> Option<Command> {
        self.phase = Phase::Greeting;
        Some(Command::Send {
            session: None,
            ask: Ask::Hello(self.position.clone()),
        })
    }

    /// The lower watermark wins: a hub restored from a backup gets again what
    /// it forgot, and after a new epoch the log is read from its beginning.
    ///
    /// A desk put back from a backup may have written other events under
    /// numbers the hub holds already: those are sent, and the hub tells.
    fn take_welcome(&mut self, mut welcome: Welcome) -> Option<Command> {
        for (mine, theirs) in self.position.acked.iter_mut().zip(welcome.watermarks) {
            *mine = theirs.min(*mine);
        }
        welcome.watermarks = self.position.acked;
        if self.position.epoch.as_ref() != Some(&welcome.epoch) {
            self.position.cursor = 0;
            self.position.epoch = Some(welcome.epoch.clone());
        }
        self.session = Some(welcome.session.clone());
        self.phase = Phase::SavingWelcome;
        Some(Command::SaveWelcome {
            welcome,
            cursor: self.position.cursor,
        })
    }

    fn load(&mut self, lane: Lane) -> Option<Command> {
        self.phase = Phase::Loading(lane);
        Some(Command::Load {
            lane,
            after: self.position.acked[lane.index()],
            max_events: BATCH_EVENTS,
            max_bytes: BATCH_BYTES,
        })
    }

    fn send(&mut self, lane: Lane, events: Vec<SealedEvent>) -> Option<Command> {
        if events.is_empty() {
            return match lane {
                Lane::Urgent => self.load(Lane::Ordinary),
                _ => self.pull(),
            };
        }
        let first_n = self.position.acked[lane.index()] + 1;
        self.phase = Phase::Sending { lane, first_n };
        self.ask(Ask::Batch {
            lane,
            first_n,
            events,
        })
    }

    fn take_receipt(
        &mut self,
        now_ms: u64,
        lane: Lane,
        first_n: u64,
        mut receipt: Receipt,
    ) -> Option<Command> {
        if receipt.lane != lane || receipt.first_n != first_n {
            return self.fail(now_ms, None);
        }
        let progress = receipt.watermarks[lane.index()] >= first_n;
        // It speaks of what was sent, not of what the hub has besides.
        let sent = (first_n + receipt.verdicts.len() as u64).saturating_sub(1);
        for (mine, theirs) in self.position.acked.iter_mut().zip(receipt.watermarks) {
            *mine = theirs.min(*mine);
        }
        self.position.acked[lane.index()] = receipt.watermarks[lane.index()].min(sent);
        receipt.watermarks = self.position.acked;
        self.phase = Phase::SavingReceipt { progress };
        Some(Command::SaveReceipt(Box::new(receipt)))
    }

    fn pull(&mut self) -> Option<Command> {
        self.phase = Phase::Pulling;
        self.ask(Ask::Pull {
            cursor: self.position.cursor,
            limit: PAGE_ENTRIES,
            directory: self.position.directory,
            own: Some(self.position.written),
        })
    }

    fn ask(&self, ask: Ask) -> Option<Command> {
        Some(Command::Send {
            session: self.session.clone(),
            ask,
        })
    }

    fn finish(&mut self, now_ms: u64) -> Option<Command> {
        self.failures = 0;
        self.next_tick_ms = now_ms + TICK_MS;
        self.phase = Phase::Resting;
        if self.again { self.begin() } else { None }
    }

    /// Full jitter: a pause drawn evenly from nothing to the present bound.
    fn fail(&mut self, now_ms: u64, at_least_ms: Option<u64>) -> Option<Command> {
        self.failures = self.failures.saturating_add(1);
        self.session = None;
        self.again = true;
        let urgent =
            self.position.written[Lane::Urgent.index()] > self.position.acked[Lane::Urgent.index()];
        let cap = if urgent {
            URGENT_CAP_MS
        } else {
            BACKOFF_CAP_MS
        };
        let bound = (BACKOFF_BASE_MS << self.failures.min(10)).min(cap);
        let pause = at_least_ms.unwrap_or(0) + self.roll(bound);
        self.phase = Phase::Waiting {
            until_ms: now_ms + pause,
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
mod tests;
