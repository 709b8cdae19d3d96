//! `suda-sim herd`: after an outage of eight hours thousands of desks come back in
//! the same second, more than there is room for as programs on one machine. The
//! desks are the real state machine and the slots are the real ones; the hub
//! writes as fast as it was measured to. The urgent lane must be through in half
//! a minute, all in five, and what waits must fit into the hub's memory. The
//! control is the same hub without slots. How quick the console is meanwhile
//! only the real hub can tell (`rig herd` of the tests package).

mod desk;
mod hub;

use std::time::Instant;

use serde_json::{Value, json};

use self::desk::Desk;
use self::hub::Hub;
use super::Report;
use crate::dice::Dice;
use crate::queue::Queue;
use suda_sync::desk::{Command, Input};
use suda_sync::{Ask, Reply};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub desks: usize,
    /// Of each desk: 30 a branch and day are 10 in 8 hours.
    pub complaints: u64,
    /// Of each complaint.
    pub events: u64,
    /// Events the hub writes a second, as `cargo xtask bench` measures it.
    pub per_s: u64,
    pub seed: u64,
}

const URGENT_WITHIN_MS: u64 = 30_000;
const ALL_WITHIN_MS: u64 = 300_000;
const HUB_MIB: u64 = 1_024;
/// Simulated time after which it is not waited for any longer.
const PATIENCE_MS: u64 = 10 * 60_000;
/// All come within this time.
const SAME_SECOND_MS: u64 = 1_000;
const LATENCY_MS: (u64, u64) = (5, 100);
const COMMIT_MS: (u64, u64) = (1, 30);

enum Ev {
    Wake {
        desk: usize,
        at: u64,
    },
    Commit(usize, u64, Box<Command>),
    Arrive(usize, u64, Box<Ask>),
    /// The door has read a question.
    Enter(usize, u64, Box<Ask>),
    Answer(usize, u64, Box<Reply>),
    /// The hub's transaction is over.
    Written,
}

/// What came of one herd. Times are of the simulation, from the first hello on.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    urgent_done_ms: Option<u64>,
    all_done_ms: Option<u64>,
    given_up: u64,
    known_again: u64,
    messages: u64,
    most_waiting: u64,
    lost: u64,
}

impl Outcome {
    fn memory_mib(&self) -> u64 {
        self.most_waiting * hub::EVENT_BYTES / (1 << 20)
    }

    /// The bars that do not hold.
    fn broken(&self) -> Vec<&'static str> {
        let within = |done: Option<u64>, bar| done.is_some_and(|ms| ms <= bar);
        let bars = [
            (
                within(self.urgent_done_ms, URGENT_WITHIN_MS),
                "the urgent lane is through in 30 s",
            ),
            (
                within(self.all_done_ms, ALL_WITHIN_MS),
                "all is through in 5 min",
            ),
            (
                self.memory_mib() <= HUB_MIB,
                "what waits fits into the hub's 1 GiB",
            ),
            (
                self.given_up == 0,
                "no question waits so long that its desk gives it up",
            ),
            (self.lost == 0, "nothing is lost"),
        ];
        let broken = bars.into_iter().filter(|(holds, _)| !holds);
        broken.map(|(_, bar)| bar).collect()
    }

    fn line(&self) -> Value {
        let seconds = |ms: Option<u64>| ms.map(|ms| ms as f64 / 1_000.0);
        json!({
            "urgent_done_s": seconds(self.urgent_done_ms),
            "all_done_s": seconds(self.all_done_ms),
            "questions": self.messages,
            "given_up": self.given_up,
            "events_sent_again": self.known_again,
            "most_events_waiting": self.most_waiting,
            "waiting_mib": self.memory_mib(),
            "lost": self.lost,
            "broken": self.broken(),
        })
    }
}

struct Herd {
    desks: Vec<Desk>,
    hub: Hub,
    queue: Queue<Ev>,
    dice: Dice,
    now: u64,
    outcome: Outcome,
    urgent_left: usize,
    left: usize,
}

impl Herd {
    fn new(options: &Options, slots: bool) -> Self {
        let mut dice = Dice::new(options.seed);
        let mut queue = Queue::new();
        let mut desks = Vec::with_capacity(options.desks);
        for desk in 0..options.desks {
            // Every third complaint is handed off.
            let urgent = options.complaints.div_ceil(3);
            let ordinary = options.complaints * options.events - urgent;
            let mut one = Desk::new(dice.next(), [urgent, ordinary, 0, 0]);
            let at = dice.below(SAME_SECOND_MS);
            one.wake_at = at;
            queue.put(at, Ev::Wake { desk, at });
            desks.push(one);
        }
        Self {
            hub: Hub::new(options.desks, options.per_s, slots),
            urgent_left: desks.len(),
            left: desks.len(),
            desks,
            queue,
            dice,
            now: 0,
            outcome: Outcome::default(),
        }
    }

    fn run(mut self) -> Outcome {
        while self.left > 0 && self.now < PATIENCE_MS {
            let Some((at, event)) = self.queue.take() else {
                break;
            };
            self.now = at;
            self.happen(event);
            self.outcome.most_waiting = self.outcome.most_waiting.max(self.hub.waiting());
        }
        let receipted = self.desks.iter().enumerate();
        self.outcome.lost = receipted
            .map(|(at, desk)| desk.receipted_beyond(self.hub.heads(at)))
            .sum();
        self.outcome.known_again = self.hub.known_again;
        self.outcome
    }

    fn happen(&mut self, event: Ev) {
        match event {
            Ev::Wake { desk, at } => {
                if self.desks.get(desk).is_some_and(|one| one.wake_at == at) {
                    self.feed(desk, None, Input::Tick);
                }
            }
            Ev::Commit(desk, number, command) => {
                let Some(one) = self.desks.get_mut(desk) else {
                    return;
                };
                let input = one.perform(*command);
                self.note(desk);
                self.feed(desk, Some(number), input);
            }
            Ev::Arrive(desk, number, ask) => {
                let at = self.hub.door(self.now);
                self.queue.put(at, Ev::Enter(desk, number, ask));
            }
            Ev::Enter(desk, number, ask) => {
                if let Some(reply) = self.hub.take(self.now, (desk, number), *ask) {
                    self.answer(desk, number, reply);
                }
                self.write_next();
            }
            Ev::Written => {
                for ((desk, number), reply) in self.hub.written(self.now) {
                    self.answer(desk, number, reply);
                }
                self.write_next();
            }
            Ev::Answer(desk, number, reply) => {
                self.feed(desk, Some(number), Input::Reply(reply));
            }
        }
    }

    fn write_next(&mut self) {
        if let Some(at) = self.hub.write_next(self.now) {
            self.queue.put(at, Ev::Written);
        }
    }

    fn answer(&mut self, desk: usize, number: u64, reply: Reply) {
        let at = self.now + self.latency();
        let reply = Box::new(reply);
        self.queue.put(at, Ev::Answer(desk, number, reply));
    }

    fn latency(&mut self) -> u64 {
        self.dice.between(LATENCY_MS.0, LATENCY_MS.1)
    }

    fn feed(&mut self, desk: usize, number: Option<u64>, input: Input) {
        let Some(one) = self.desks.get_mut(desk) else {
            return;
        };
        let failures = one.machine.failures();
        let step = one.machine.step(self.now, number, input);
        self.outcome.given_up += u64::from(one.machine.failures() > failures);
        let at = step.wake_at_ms.max(self.now + 1);
        if one.wake_at != at {
            one.wake_at = at;
            self.queue.put(at, Ev::Wake { desk, at });
        }
        let Some((number, command)) = step.command else {
            return;
        };
        match command {
            Command::Send { ask, .. } => {
                self.outcome.messages += 1;
                let at = self.now + self.latency();
                self.queue.put(at, Ev::Arrive(desk, number, Box::new(ask)));
            }
            command => {
                let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                let command = Box::new(command);
                self.queue.put(at, Ev::Commit(desk, number, command));
            }
        }
    }

    /// A lane counts as done at its last receipt.
    fn note(&mut self, desk: usize) {
        let Some(one) = self.desks.get_mut(desk) else {
            return;
        };
        if !one.urgent_noted && one.has_receipts(0) {
            one.urgent_noted = true;
            self.urgent_left -= 1;
            if self.urgent_left == 0 {
                self.outcome.urgent_done_ms = Some(self.now);
            }
        }
        if !one.noted && (0..4).all(|lane| one.has_receipts(lane)) {
            one.noted = true;
            self.left -= 1;
            if self.left == 0 {
                self.outcome.all_done_ms = Some(self.now);
            }
        }
    }
}

/// Lets the herd come to a hub with slots and, as the control, to one without.
///
/// # Errors
/// When there is no herd.
pub fn stampede(options: &Options) -> anyhow::Result<Report> {
    let began = Instant::now();
    if options.desks == 0 || options.complaints == 0 || options.events == 0 {
        anyhow::bail!("a herd has desks, complaints and events");
    }
    let herd = Herd::new(options, true).run();
    let control = Herd::new(options, false).run();
    let line = json!({
        "rig": "herd simulated",
        "seed": options.seed,
        "desks": options.desks,
        "events": options.desks as u64 * options.complaints * options.events,
        "hub_writes_per_s": options.per_s,
        "with_slots": herd.line(),
        "control": { "without_slots": control.line() },
        "seconds": began.elapsed().as_secs_f64(),
    });
    let passed = herd.broken().is_empty() && !control.broken().is_empty();
    Ok(Report { line, passed })
}
