//! The desk's side of the sync as a state machine: what to do next after each
//! thing that happens. Single flight: one question to the hub or one storage
//! command at a time, each with a number, so that a late answer to a question
//! already given up is ignored.
//!
//! A round is: say hello if there is no session, send the urgent streams until
//! they are empty, send the ordinary streams batch by batch (looking at the
//! urgent ones again before each), then pull the hub's log. Between rounds the
//! machine rests until a local write, a nudge from the watch, or the tick. An
//! overloaded hub gives a slot: until then only the urgent streams are sent.
//!
//! Two things spare the pull. The last batch says how far the desk is, and the
//! receipt says when nothing else has happened. And who has nothing to send
//! only looks whether there is news, in a few bytes and without a signature:
//! for [`LOOKS_MS`] at most, then the signed page is asked for again.
//!
//! A stream is one lane of one incarnation. A desk whose database was copied or
//! put back goes on as a new incarnation; what the old one has still to send is
//! sent as it is, and what the hub holds otherwise under the same numbers gets
//! new numbers.

mod allowed;
mod pace;
mod step;
mod streams;

use suda_domain::Lane;

use self::allowed::Allowed;
use self::pace::Pace;
use crate::chain::SealedEvent;
use crate::message::{
    Ask, Known, Level, PAGE_ENTRIES, Page, Receipt, Refused, Renewal, Reply, Verdict, Welcome,
};
pub use step::{Command, Input, Link, Step};
pub use streams::{Standing, Stream, agreed, batch};

/// A round begins at the latest this long after the last.
pub const TICK_MS: u64 = 60_000;
/// A question unanswered this long is given up.
pub const STALL_MS: u64 = 30_000;
/// A hello unanswered this long is given up: it is small, and after a failure
/// each try begins with one, so this is what an outage's end has to wait for.
pub const HELLO_STALL_MS: u64 = 10_000;
/// An unsigned "nothing new" is taken so long after the last signed page. Who
/// stands between can hold back news as long, and no longer than by cutting the
/// line, which would be seen.
pub const LOOKS_MS: u64 = 10 * 60_000;
const BACKOFF_BASE_MS: u64 = 1_000;
/// Longest pause after failures when nothing urgent waits. With a stall before
/// it, queues are empty within 90 s of the link's return.
const BACKOFF_CAP_MS: u64 = 45_000;
/// Longest pause while a handoff waits: product.md promises the queue within
/// 30 s of the link's return, and a hello may stall before it.
const URGENT_CAP_MS: u64 = 15_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Resting,
    /// After a failure, until this time.
    Waiting {
        until_ms: u64,
    },
    Reading,
    Greeting,
    Renewing,
    SavingWelcome {
        watermarks: [u64; 4],
    },
    Loading(Stream),
    Sending {
        stream: Stream,
        first_n: u64,
    },
    SavingReceipt(After),
    Rekeying,
    Looking,
    Pulling,
    SavingPage {
        more: bool,
    },
}

/// What follows a stored receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    Next,
    /// The hub stored nothing of the batch.
    Stalled,
    /// The hub holds another event under this number of the stream.
    Forked {
        stream: Stream,
        from_n: u64,
    },
}

/// The machine. Times are milliseconds of a clock that never goes back.
#[derive(Debug)]
pub struct DeskSync {
    phase: Phase,
    number: u64,
    since_ms: u64,
    session: Option<String>,
    standing: Standing,
    failures: u32,
    /// Something was written or nudged while a round was under way.
    again: bool,
    /// The hub's log had something new in this round.
    pulled: bool,
    /// A batch was sent in this round.
    sent: bool,
    /// When the hub last said, signed and in this session, that there is no more.
    level_ms: Option<u64>,
    /// The last receipt said so: as a page without entries.
    level: Option<Box<Page>>,
    /// Somebody said that there is news; what is not known to be is looked for first.
    nudged: bool,
    /// The hub holds other events under this incarnation's numbers.
    renewal_wanted: bool,
    /// What the hub takes for now.
    allowed: Allowed,
    /// What the line carries.
    pace: Pace,
    /// Events and bytes of the batch under way.
    under_way: (usize, usize),
    /// This round has left out what waits for its slot.
    left_out: bool,
    next_tick_ms: u64,
    dice: u64,
}

impl DeskSync {
    /// `seed` spreads the retries of many desks; any number.
    pub fn new(seed: u64) -> Self {
        Self {
            phase: Phase::Resting,
            number: 0,
            since_ms: 0,
            session: None,
            standing: Standing::default(),
            failures: 0,
            again: true,
            pulled: false,
            sent: false,
            level_ms: None,
            level: None,
            nudged: false,
            renewal_wanted: false,
            allowed: Allowed::default(),
            pace: Pace::default(),
            under_way: (0, 0),
            left_out: false,
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
        self.phase == Phase::Resting && !self.again && !self.left_out
    }

    /// Whether lanes that nothing waits for may be sent: no round is under way,
    /// the hub is reached, and it has given no later slot.
    pub fn is_free(&self, now_ms: u64) -> bool {
        self.is_at_rest() && self.link() == Link::Up && now_ms >= self.allowed.slot_ms()
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
            Phase::Greeting => self.since_ms + HELLO_STALL_MS,
            _ => self.since_ms + STALL_MS,
        }
    }

    fn react(&mut self, now_ms: u64, input: Input) -> Option<Command> {
        self.nudged |= matches!(input, Input::Nudge);
        match (self.phase, input) {
            (Phase::Resting, Input::LocalWrite | Input::Nudge) => self.begin(),
            (Phase::Resting, Input::Tick) if self.again || now_ms >= self.next_tick_ms => {
                self.begin()
            }
            (Phase::Waiting { until_ms }, Input::Tick) if now_ms >= until_ms => self.begin(),
            // The network says it is back: try at once.
            (Phase::Waiting { .. }, Input::Nudge) => self.begin(),
            // What was written may be a handoff: its cap holds from now on.
            (Phase::Waiting { until_ms }, Input::LocalWrite) => {
                let until_ms = until_ms.min(now_ms + self.roll(URGENT_CAP_MS));
                self.phase = Phase::Waiting { until_ms };
                None
            }
            (Phase::Resting | Phase::Waiting { .. }, Input::Tick) => None,
            (_, Input::LocalWrite | Input::Nudge) => {
                self.again = true;
                None
            }
            (_, Input::Tick) if now_ms >= self.wake_at_ms() => self.fail(now_ms, None),
            (_, Input::Tick) => None,
            (_, Input::SendFailed | Input::StoreFailed) => self.fail(now_ms, None),
            (Phase::Reading, Input::Standing(standing)) => self.take_standing(*standing),
            (Phase::Renewing, Input::Standing(standing)) => {
                self.standing = *standing;
                self.renewal_wanted = false;
                self.greet()
            }
            (Phase::SavingWelcome { watermarks }, Input::Standing(standing)) => {
                self.standing = *standing;
                self.after_welcome(watermarks)
            }
            (Phase::Loading(stream), Input::Loaded(events)) => self.send(now_ms, stream, events),
            (Phase::SavingReceipt(after), Input::Saved) => self.after_receipt(now_ms, after),
            (Phase::Rekeying, Input::Standing(standing)) => {
                self.standing = *standing;
                self.load_first()
            }
            (Phase::SavingPage { more }, Input::Saved) => {
                if more {
                    self.pull()
                } else {
                    self.level_ms = Some(now_ms);
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
            (Phase::Greeting, Reply::Welcome(welcome)) => self.take_welcome(now_ms, welcome),
            (
                Phase::Greeting,
                Reply::Refused(Refused::Renew {
                    incarnation,
                    letter,
                }),
            ) => {
                self.phase = Phase::Renewing;
                Some(Command::Renew {
                    incarnation,
                    letter,
                })
            }
            (Phase::Sending { stream, first_n }, Reply::Receipt(receipt)) => {
                self.take_receipt(now_ms, stream, first_n, receipt)
            }
            (Phase::Pulling, Reply::Page(page)) => self.save_page(Box::new(page)),
            (Phase::Looking, Reply::Changed { changed: false }) => self.finish(now_ms),
            // News, or a hub that does not know the question.
            (Phase::Looking, Reply::Changed { .. } | Reply::Refused(Refused::Malformed)) => {
                self.pull()
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
        self.left_out = false;
        self.sent = false;
        self.phase = Phase::Reading;
        Some(Command::ReadStanding)
    }

    fn take_standing(&mut self, standing: Standing) -> Option<Command> {
        self.standing = standing;
        match self.session {
            Some(_) => self.load_first(),
            None => self.greet(),
        }
    }

    fn greet(&mut self) -> Option<Command> {
        self.phase = Phase::Greeting;
        let mut position = self.standing.position.clone();
        position.renewal = if self.renewal_wanted {
            Renewal::Wanted
        } else {
            Renewal::Ready
        };
        Some(Command::Send {
            session: None,
            ask: Ask::Hello(position),
        })
    }

    /// After a new epoch the log is read from its beginning.
    fn take_welcome(&mut self, now_ms: u64, welcome: Welcome) -> Option<Command> {
        self.allowed = Allowed::until_told(now_ms, welcome.allowance);
        let position = &mut self.standing.position;
        if position.epoch.as_ref() != Some(&welcome.epoch) {
            position.cursor = 0;
            position.epoch = Some(welcome.epoch.clone());
        }
        self.session = Some(welcome.session.clone());
        self.level_ms = None;
        self.phase = Phase::SavingWelcome {
            watermarks: welcome.watermarks,
        };
        Some(Command::SaveWelcome {
            cursor: position.cursor,
            welcome,
        })
    }

    /// A hub that holds more of this incarnation than is written here has it
    /// from before this database was put back, or from a copy. Its next numbers
    /// are taken; what stands under them may never come back whole, because
    /// records set aside are not in the hub's log.
    fn after_welcome(&mut self, watermarks: [u64; 4]) -> Option<Command> {
        let written = self.standing.position.written;
        if watermarks
            .iter()
            .zip(written)
            .any(|(hub, here)| *hub > here)
        {
            self.renewal_wanted = true;
            self.session = None;
            return self.greet();
        }
        self.load_first()
    }

    fn load_first(&mut self) -> Option<Command> {
        let first = self.standing.first();
        self.load(first)
    }

    fn load(&mut self, stream: Stream) -> Option<Command> {
        self.phase = Phase::Loading(stream);
        Some(Command::Load {
            stream,
            after: self.standing.acked(stream),
            max_events: self.allowed.events(stream.lane, self.pace),
            max_bytes: self.allowed.bytes(stream.lane, self.pace),
        })
    }

    fn send(
        &mut self,
        now_ms: u64,
        stream: Stream,
        mut events: Vec<SealedEvent>,
    ) -> Option<Command> {
        if events.is_empty() {
            return match self.standing.after(stream) {
                Some(next) if self.allowed.has_come(now_ms, next.lane) => self.load(next),
                Some(next) => {
                    self.left_out = self.standing.has_unsent(next.lane);
                    self.pull()
                }
                None => self.look(now_ms),
            };
        }
        events.truncate(self.allowed.events(stream.lane, self.pace));
        let bytes = events.iter().map(|event| event.body.get().len()).sum();
        self.under_way = (events.len(), bytes);
        let first_n = self.standing.acked(stream) + 1;
        let last_n = first_n - 1 + events.len() as u64;
        let position = &self.standing.position;
        let is_last = self.standing.is_last(stream, last_n);
        let known = is_last.then_some(Known {
            cursor: position.cursor,
            directory: position.directory,
            own: position.written,
        });
        self.sent = true;
        self.phase = Phase::Sending { stream, first_n };
        self.ask(Ask::Batch {
            lane: stream.lane,
            first_n,
            events,
            incarnation: (stream.incarnation != self.standing.incarnation)
                .then_some(stream.incarnation),
            rekeys: true,
            known,
        })
    }

    fn take_receipt(
        &mut self,
        now_ms: u64,
        stream: Stream,
        first_n: u64,
        mut receipt: Receipt,
    ) -> Option<Command> {
        let told = (receipt.incarnation, receipt.lane, receipt.first_n);
        if told != (stream.incarnation, stream.lane, first_n) {
            return self.fail(now_ms, None);
        }
        let lane = stream.lane.index();
        let stored = receipt.watermarks[lane];
        let forked = receipt
            .verdicts
            .iter()
            .position(|verdict| *verdict == Verdict::Forked);
        // It speaks of what was sent and stored, not of what the hub has besides.
        let sent = (first_n + forked.unwrap_or(receipt.verdicts.len()) as u64).saturating_sub(1);
        if stream.lane != Lane::Urgent {
            let (events, bytes) = self.under_way;
            let took_ms = now_ms.saturating_sub(self.since_ms);
            self.pace.took(took_ms, events, bytes);
        }
        if receipt.allowance.is_some() {
            self.allowed = Allowed::until_told(now_ms, receipt.allowance);
        }
        let acked = self.standing.acked_mut(stream);
        lower(acked, receipt.watermarks);
        acked[lane] = stored.min(sent);
        receipt.watermarks = *acked;
        self.level = receipt
            .level
            .take()
            .map(|level| level_page(level, &receipt));
        let after = match forked {
            Some(_) => After::Forked {
                stream,
                from_n: sent + 1,
            },
            None if stored >= first_n => After::Next,
            None => After::Stalled,
        };
        self.phase = Phase::SavingReceipt(after);
        Some(Command::SaveReceipt(Box::new(receipt)))
    }

    fn after_receipt(&mut self, now_ms: u64, after: After) -> Option<Command> {
        match (after, self.level.take()) {
            (After::Next, Some(page)) => self.save_page(page),
            (After::Next, None) => self.load_first(),
            // Pause instead of running hot.
            (After::Stalled, _) => self.fail(now_ms, None),
            (After::Forked { stream, from_n }, _)
                if stream.incarnation < self.standing.incarnation =>
            {
                self.phase = Phase::Rekeying;
                Some(Command::Rekey { stream, from_n })
            }
            (After::Forked { .. }, _) => {
                self.renewal_wanted = true;
                self.session = None;
                self.greet()
            }
        }
    }

    fn save_page(&mut self, page: Box<Page>) -> Option<Command> {
        let position = &mut self.standing.position;
        position.cursor = page.cursor;
        if let Some(directory) = &page.directory {
            position.directory = directory.version;
        }
        self.pulled |= !page.entries.is_empty();
        self.phase = Phase::SavingPage { more: page.more };
        Some(Command::SavePage(page))
    }

    /// Asks for the page, or only whether there would be one.
    fn look(&mut self, now_ms: u64) -> Option<Command> {
        let is_level = self
            .level_ms
            .is_some_and(|level_ms| now_ms < level_ms + LOOKS_MS);
        if self.sent || self.nudged || !is_level {
            return self.pull();
        }
        self.phase = Phase::Looking;
        let position = &self.standing.position;
        self.ask(Ask::Look {
            cursor: position.cursor,
            directory: position.directory,
        })
    }

    fn pull(&mut self) -> Option<Command> {
        self.phase = Phase::Pulling;
        self.nudged = false;
        let position = &self.standing.position;
        let ask = Ask::Pull {
            cursor: position.cursor,
            limit: PAGE_ENTRIES,
            directory: position.directory,
            own: Some(position.written),
        };
        self.ask(ask)
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
        if self.left_out {
            self.next_tick_ms = self.allowed.slot_ms();
        }
        self.phase = Phase::Resting;
        // What came may be what a stream lacked: of a database that was put
        // back, the hub has the beginning and only the desk the end.
        let closed_a_gap = std::mem::take(&mut self.pulled) && !self.standing.is_sent();
        if self.again || closed_a_gap {
            return self.begin();
        }
        None
    }

    /// Full jitter: a pause drawn evenly from nothing to the present bound.
    fn fail(&mut self, now_ms: u64, at_least_ms: Option<u64>) -> Option<Command> {
        self.failures = self.failures.saturating_add(1);
        self.session = None;
        self.level = None;
        self.pace = Pace::default();
        // Written since the standing was read, or after: a handoff, for all we know.
        let may_be_urgent = self.again || self.standing.has_unsent(Lane::Urgent);
        self.again = true;
        let cap = if may_be_urgent {
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

fn level_page(level: Level, receipt: &Receipt) -> Box<Page> {
    Box::new(Page {
        epoch: receipt.epoch.clone(),
        entries: Vec::new(),
        cursor: level.cursor,
        more: false,
        directory: None,
        set_aside: None,
        placed: level.placed,
        now: receipt.at,
    })
}

fn lower(mine: &mut [u64; 4], theirs: [u64; 4]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine = theirs.min(*mine);
    }
}

#[cfg(test)]
mod tests;
