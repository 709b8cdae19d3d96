//! Some branches with their desks, their weather and their customers, and the
//! hub. Branches do not meet in the hub's rules, so a city is run in cells.

use std::collections::HashMap;
use std::rc::Rc;

use suda_domain::breach::{self, BreachCause};
use suda_domain::{ComplaintId, Complexity, DeviceId, Fact, Lane};
use suda_sync::desk::{Command, DeskSync, Input};
use suda_sync::message::VERSION;
use suda_sync::{Ask, Reply, Request, SecretKey};

use super::ledger::{Case, Weather};
use super::spans::Spans;
use super::weather::{self, DAY_MS, HOUR_MS, MINUTE_MS};
use crate::city::{self, City};
use crate::desk_disk::{DeskDisk, Moment};
use crate::dice::Dice;
use crate::hub_disk::{Answering, HubDisk};
use crate::queue::Queue;
use crate::store::{self, Read};

/// How the desks hear that the link is back, and which mistake is planted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// The watch notices within [`NOTICE_MS`].
    Nudged,
    /// Nobody tells; the pauses alone must be short enough.
    Alone,
    /// The control: pauses of ten minutes after a failure, whatever waits.
    LongPauses,
}

/// How large a cell is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub branches: usize,
    pub days: u64,
}

const DESKS_EACH: usize = 2;
/// Of a branch and day.
const COMPLAINTS: u64 = 30;
/// Of a thousand complaints.
const COMPLEX: u64 = 300;
/// The watch hears that the link is back within this time.
const NOTICE_MS: u64 = 6_000;
const LATENCY_MS: (u64, u64) = (20, 400);
const COMMIT_MS: (u64, u64) = (1, 30);
/// A handoff nobody made leaves by itself ten minutes before the hour ends.
const AUTO_HANDOFF_MS: u64 = 50 * MINUTE_MS;
const LONG_PAUSE_MS: u64 = 10 * MINUTE_MS;

struct Node {
    branch: usize,
    disk: DeskDisk,
    machine: Option<DeskSync>,
    boot: u32,
    wake_at: u64,
    off: Spans,
    /// Its branch's line, itself or the hub.
    any: Spans,
}

enum Ev {
    Wake { desk: usize, boot: u32 },
    Nudge { desk: usize, boot: u32 },
    Arrive(Box<Question>),
    Answer(Tag, Box<Reply>),
    Unsent(Tag),
    Commit(Tag, Box<Command>),
    Start(usize),
    Stop(usize),
    LineUp(usize),
    HubUp,
    Record { desk: usize, visit: Visit },
    HandOff { desk: usize, visit: Visit },
}

/// Which command of which start of which desk.
#[derive(Clone, Copy)]
struct Tag {
    desk: usize,
    boot: u32,
    number: u64,
}

struct Question {
    tag: Tag,
    request: Request,
}

/// A customer at a counter.
#[derive(Clone, Copy)]
struct Visit {
    id: ComplaintId,
    arrived: u64,
    /// Once it is.
    recorded: u64,
    /// Handed off this long after the arrival, at once if that has passed.
    complex: Option<u64>,
}

pub struct Cell {
    variant: Variant,
    now: u64,
    until: u64,
    queue: Queue<Ev>,
    dice: Dice,
    city: City,
    hub: HubDisk,
    hub_down: Spans,
    lines: Vec<Spans>,
    nodes: Vec<Node>,
    cases: HashMap<ComplaintId, Case>,
    read: Read,
    next_mark: u64,
    pub messages: u64,
}

impl Cell {
    /// `seed` makes customers, weather and chance; `hub_down` is the same in all cells.
    ///
    /// # Errors
    /// When the city cannot be made.
    pub fn new(seed: u64, size: Size, variant: Variant, hub_down: Spans) -> anyhow::Result<Self> {
        let mut dice = Dice::new(seed);
        let until = size.days * DAY_MS;
        let city = City::new(&mut dice, size.branches, 1)?;
        let mut cell = Self {
            variant,
            now: 0,
            until,
            queue: Queue::new(),
            hub: HubDisk::new(DeviceId(dice.uuid()), unused_key(), city.staff.clone()),
            hub_down,
            lines: Vec::new(),
            nodes: Vec::new(),
            cases: HashMap::new(),
            read: Read::new(),
            next_mark: 0,
            messages: 0,
            dice: Dice::new(dice.next()),
            city,
        };
        for branch in 0..size.branches {
            cell.open_branch(&mut dice, branch);
        }
        for span in cell.hub_down.iter() {
            cell.queue.put(span.to, Ev::HubUp);
        }
        Ok(cell)
    }

    fn open_branch(&mut self, dice: &mut Dice, branch: usize) {
        let Some(code) = self.city.branches.get(branch).map(|one| one.code.clone()) else {
            return;
        };
        let line = weather::line(dice, self.until);
        for span in line.iter() {
            self.queue.put(span.to, Ev::LineUp(branch));
        }
        let first = self.nodes.len();
        for desk in first..first + DESKS_EACH {
            let off = weather::power(dice, self.until);
            if !off.holds(0) {
                self.queue.put(0, Ev::Start(desk));
            }
            for span in off.iter() {
                self.queue.put(span.from, Ev::Stop(desk));
                self.queue.put(span.to, Ev::Start(desk));
            }
            let device = DeviceId(dice.uuid());
            let letter = self.hub.enrol(device, unused_key().public(), code.clone());
            self.nodes.push(Node {
                branch,
                disk: DeskDisk::new(device, code.clone(), letter),
                machine: None,
                boot: 0,
                wake_at: 0,
                any: Spans::union(&[&line, &off, &self.hub_down]),
                off,
            });
        }
        self.lines.push(line);
        for day in 0..self.until / DAY_MS {
            for _ in 0..COMPLAINTS {
                let desk = first + dice.index(DESKS_EACH);
                self.expect_customer(dice, desk, day * DAY_MS);
            }
        }
    }

    fn expect_customer(&mut self, dice: &mut Dice, desk: usize, morning: u64) {
        let arrived = morning + dice.between(8 * HOUR_MS, 19 * HOUR_MS);
        let complex = dice.chance(COMPLEX).then(|| {
            let at_once = dice.chance(700);
            if at_once {
                0
            } else {
                dice.below(AUTO_HANDOFF_MS)
            }
        });
        let visit = Visit {
            id: ComplaintId(uuid::Uuid::from_u64_pair(arrived, dice.next())),
            arrived,
            recorded: arrived,
            complex,
        };
        let recorded = arrived + dice.between(MINUTE_MS, 10 * MINUTE_MS);
        self.queue.put(recorded, Ev::Record { desk, visit });
    }

    /// Lets the days pass, and two hours of good weather after them.
    pub fn run(&mut self) {
        while let Some((at, event)) = self.queue.take() {
            if at > self.until + 2 * HOUR_MS {
                return;
            }
            self.now = at;
            self.happen(event);
        }
    }

    /// Every complex complaint that was handed off, with what its desk met, and why
    /// it is late, should it be, as the hub tells people.
    pub fn cases(&self) -> impl Iterator<Item = (&Case, Weather<'_>, Option<BreachCause>)> {
        self.cases.iter().filter_map(|(id, case)| {
            let node = self.nodes.get(case.desk)?;
            let weather = Weather {
                line: self.lines.get(node.branch)?,
                off: &node.off,
                hub: &self.hub_down,
                any: &node.any,
            };
            let due = city::wall(case.deadline(), 0);
            let complaint = self.hub.complaints.get(id);
            let told = complaint.map(|complaint| breach::cause(complaint, due));
            Some((case, weather, told))
        })
    }

    fn happen(&mut self, event: Ev) {
        match event {
            Ev::Wake { desk, boot } if self.is_due(desk, boot) => {
                self.feed(desk, None, Input::Tick);
            }
            Ev::Nudge { desk, boot } if self.runs(desk, boot) => {
                self.feed(desk, None, Input::Nudge);
            }
            Ev::Answer(tag, reply) if self.runs(tag.desk, tag.boot) => {
                self.feed(tag.desk, Some(tag.number), Input::Reply(reply));
            }
            Ev::Unsent(tag) if self.runs(tag.desk, tag.boot) => {
                self.feed(tag.desk, Some(tag.number), Input::SendFailed);
            }
            Ev::Commit(tag, command) if self.runs(tag.desk, tag.boot) => {
                if let Some(node) = self.nodes.get_mut(tag.desk) {
                    let input = store::perform(&mut node.disk, *command, None, &mut self.read);
                    self.feed(tag.desk, Some(tag.number), input);
                }
            }
            Ev::Arrive(question) => self.arrive(*question),
            Ev::Start(desk) => self.start(desk),
            Ev::Stop(desk) => {
                if let Some(node) = self.nodes.get_mut(desk) {
                    node.machine = None;
                }
            }
            Ev::LineUp(branch) => self.notice(|node| node.branch == branch),
            Ev::HubUp => self.notice(|_| true),
            Ev::Record { desk, visit } => self.record(desk, visit),
            Ev::HandOff { desk, visit } => self.hand_off(desk, visit),
            _ => {}
        }
    }

    fn runs(&self, desk: usize, boot: u32) -> bool {
        self.nodes
            .get(desk)
            .is_some_and(|node| node.boot == boot && node.machine.is_some())
    }

    fn is_due(&self, desk: usize, boot: u32) -> bool {
        self.runs(desk, boot)
            && self
                .nodes
                .get(desk)
                .is_some_and(|node| node.wake_at == self.now)
    }

    fn start(&mut self, desk: usize) {
        let seed = self.dice.next();
        let Some(node) = self.nodes.get_mut(desk) else {
            return;
        };
        if node.off.holds(self.now) {
            return;
        }
        node.boot += 1;
        node.wake_at = 0;
        node.machine = Some(DeskSync::new(seed));
        self.feed(desk, None, Input::Tick);
    }

    /// The watch of these desks hears that the link is back.
    fn notice(&mut self, of: impl Fn(&Node) -> bool) {
        if self.variant != Variant::Nudged {
            return;
        }
        for (desk, node) in self.nodes.iter().enumerate() {
            if of(node) {
                let at = self.now + self.dice.below(NOTICE_MS);
                let boot = node.boot;
                self.queue.put(at, Ev::Nudge { desk, boot });
            }
        }
    }

    fn feed(&mut self, desk: usize, number: Option<u64>, input: Input) {
        let Some(node) = self.nodes.get_mut(desk) else {
            return;
        };
        let Some(machine) = &mut node.machine else {
            return;
        };
        let step = machine.step(self.now, number, input);
        let is_long = self.variant == Variant::LongPauses && machine.failures() > 0;
        let pause = if is_long { LONG_PAUSE_MS } else { 1 };
        let wake = step.wake_at_ms.max(self.now + pause);
        let boot = node.boot;
        if node.wake_at != wake {
            node.wake_at = wake;
            self.queue.put(wake, Ev::Wake { desk, boot });
        }
        let Some((number, command)) = step.command else {
            return;
        };
        let tag = Tag { desk, boot, number };
        match command {
            Command::Send { session, ask } => self.send(tag, session, ask),
            command => {
                let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                self.queue.put(at, Ev::Commit(tag, Box::new(command)));
            }
        }
    }

    fn is_cut(&self, desk: usize) -> bool {
        self.nodes
            .get(desk)
            .is_none_or(|node| node.any.holds(self.now))
    }

    fn send(&mut self, tag: Tag, session: Option<String>, ask: Ask) {
        self.messages += 1;
        if self.is_cut(tag.desk) {
            return self.fail(tag);
        }
        let Some(node) = self.nodes.get(tag.desk) else {
            return;
        };
        let request = Request {
            v: VERSION,
            device: node.disk.device,
            incarnation: node.disk.incarnation,
            session,
            ask,
        };
        let at = self.now + self.dice.between(LATENCY_MS.0, LATENCY_MS.1);
        let question = Question { tag, request };
        self.queue.put(at, Ev::Arrive(Box::new(question)));
    }

    /// Mostly the system says soon that nobody is there, sometimes never.
    fn fail(&mut self, tag: Tag) {
        if self.dice.chance(700) {
            let at = self.now + self.dice.between(1, 5_000);
            self.queue.put(at, Ev::Unsent(tag));
        }
    }

    fn arrive(&mut self, question: Question) {
        let Question { tag, request } = question;
        if self.is_cut(tag.desk) {
            return self.fail(tag);
        }
        let before = self.hub.log.len();
        let at = Answering {
            now: city::wall(self.now, 0),
            plant: None,
        };
        let reply = self.hub.answer(&request, at);
        self.note(before);
        let at = self.now + self.dice.between(LATENCY_MS.0, LATENCY_MS.1);
        self.queue.put(at, Ev::Answer(tag, Box::new(reply)));
    }

    /// What is new at the hub: handoffs are in the queue, other desks hear of it.
    fn note(&mut self, before: usize) {
        let mut told = Vec::new();
        for line in self.hub.log.iter().skip(before) {
            self.read.insert(line.sealed.hash, Rc::clone(&line.event));
            if matches!(line.event.fact, Fact::Queued)
                && let Some(case) = self.cases.get_mut(&line.event.complaint)
            {
                case.queued.get_or_insert(self.now);
            }
            if !told.contains(&line.branch) {
                told.push(line.branch.clone());
            }
        }
        if self.variant != Variant::Nudged {
            return;
        }
        for (desk, node) in self.nodes.iter().enumerate() {
            if told.contains(&node.disk.branch) && !node.any.holds(self.now) {
                let at = self.now + self.dice.between(LATENCY_MS.0, LATENCY_MS.1);
                let boot = node.boot;
                self.queue.put(at, Ev::Nudge { desk, boot });
            }
        }
    }

    /// When the PC is off, its clerk does it once it is on again.
    fn postponed(&self, desk: usize) -> Option<u64> {
        let span = self.nodes.get(desk)?.off.at(self.now)?;
        Some(span.to + MINUTE_MS)
    }

    fn record(&mut self, desk: usize, visit: Visit) {
        if let Some(later) = self.postponed(desk) {
            return self.queue.put(later, Ev::Record { desk, visit });
        }
        let Some(node) = self.nodes.get_mut(desk) else {
            return;
        };
        let Some(reference) = node.disk.next_reference(city::wall(self.now, 0)) else {
            return;
        };
        let complexity = match visit.complex {
            Some(_) => Complexity::Complex,
            None => Complexity::Simple,
        };
        let arrived = city::wall(visit.arrived, 0);
        let facts = [
            city::recorded(&mut self.dice, reference, arrived),
            city::assessed(&mut self.dice, complexity),
        ];
        for fact in facts {
            self.write(desk, visit.id, Lane::Ordinary, fact);
        }
        if let Some(wait) = visit.complex {
            let at = self.now.max(visit.arrived + wait);
            let visit = Visit {
                recorded: self.now,
                ..visit
            };
            self.queue.put(at, Ev::HandOff { desk, visit });
        }
        self.feed(desk, None, Input::LocalWrite);
    }

    fn hand_off(&mut self, desk: usize, visit: Visit) {
        if let Some(later) = self.postponed(desk) {
            return self.queue.put(later, Ev::HandOff { desk, visit });
        }
        let fact = self.nodes.get(desk).and_then(|node| {
            let whole = node.disk.states.get(&visit.id)?;
            Some(city::handed_off(whole, node.disk.ordinary_n()))
        });
        let Some(fact) = fact else { return };
        if self.write(desk, visit.id, Lane::Urgent, fact) {
            let case = Case {
                desk,
                arrived: visit.arrived,
                recorded: visit.recorded,
                written: self.now,
                queued: None,
            };
            self.cases.insert(visit.id, case);
            self.feed(desk, None, Input::LocalWrite);
        }
    }

    fn write(&mut self, desk: usize, id: ComplaintId, lane: Lane, fact: Fact) -> bool {
        self.next_mark += 1;
        let Some(node) = self.nodes.get_mut(desk) else {
            return false;
        };
        let Some(branch) = self.city.branches.get(node.branch) else {
            return false;
        };
        let moment = Moment {
            wall: city::wall(self.now, 0),
            mark: self.next_mark,
            actor: &branch.clerk,
        };
        node.disk.write(id, lane, fact, moment)
    }
}

/// Nothing is signed where nothing is forwarded or goes by file.
fn unused_key() -> SecretKey {
    SecretKey::from_seed([0; 32])
}
