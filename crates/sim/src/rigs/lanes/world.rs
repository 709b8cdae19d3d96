//! One schedule: a branch's desks at work with evidence, lines that are cut, programs
//! that are killed; then an hour in which nothing goes wrong.

use std::collections::HashMap;

use suda_domain::{ComplaintId, Complexity, DeviceId, EvidenceId, Fact, Lane};
use suda_sync::desk::{Command, Input};
use suda_sync::evidence::{self, CHUNK, FileName, Slice, Standings};
use suda_sync::message::VERSION;
use suda_sync::statistics::{self, DayTotals, Taken};
use suda_sync::{Ask, Reply, Request, SecretKey};

use super::hub::Aside;
use super::node::{DAY_MS, File, Node};
use super::{Outcome, Variant};
use crate::city::{self, City};
use crate::desk_disk::{DeskDisk, Moment};
use crate::dice::Dice;
use crate::hub_disk::{Answering, HubDisk};
use crate::queue::Queue;
use crate::store::{self, Read};

const DESKS: usize = 2;
const DAY_AT_WORK_MS: u64 = 3 * 3_600_000;
/// The running day has ended by then, too.
const CALM_MS: u64 = 3_600_000 + DAY_MS;
const WORK_MS: (u64, u64) = (20_000, 300_000);
const UP_MS: (u64, u64) = (3_000, 240_000);
const DOWN_MS: (u64, u64) = (500, 90_000);
const ANSWER_MS: (u64, u64) = (40, 200);
const COMMIT_MS: (u64, u64) = (1, 30);
/// An answer of lanes 2 and 3 is waited for so long.
const TIME_OUT_MS: u64 = 30_000;
/// A question without contents, signed.
const SMALL: u64 = 500;

enum Ev {
    Wake(usize, u64),
    Commit(Tag, Box<Command>),
    Arrive(Tag, u64, Box<Request>),
    Answer(Tag, Box<Reply>),
    Unsent(Tag),
    /// Lanes 2 and 3 look what there is to do.
    Aside(usize, u64),
    AsideArrives(Aim, u64, Asked),
    AsideAnswer(Aim, Answered),
    AsideTimeOut(Aim),
    Work(usize),
    HandOff(usize),
    Cut(usize),
    Mend(usize),
    Kill(usize),
    Calm,
}

/// Which command of which start of which desk.
#[derive(Clone, Copy)]
struct Tag {
    desk: usize,
    boot: u32,
    number: u64,
}

/// Which question of which run of the lanes 2 and 3 of which desk.
#[derive(Clone, Copy)]
struct Aim {
    desk: usize,
    aside: u64,
    number: u64,
}

enum Asked {
    Files(Vec<FileName>),
    Slice(Slice),
    Days(Vec<DayTotals>),
}

enum Answered {
    Files(Standings),
    Days(Taken),
}

pub struct World {
    variant: Variant,
    now: u64,
    is_calm: bool,
    queue: Queue<Ev>,
    dice: Dice,
    city: City,
    hub: HubDisk,
    aside: Aside,
    nodes: Vec<Node>,
    read: Read,
    next: u64,
    /// The question of lanes 2 and 3 that each desk waits for.
    asked: Vec<(u64, bool)>,
    /// How far each file has gone through the line.
    through: HashMap<EvidenceId, u64>,
    outcome: Outcome,
}

impl World {
    pub fn new(seed: u64, variant: Variant) -> anyhow::Result<Self> {
        let mut dice = Dice::new(seed);
        let city = City::new(&mut dice, 1, 1)?;
        let key = SecretKey::from_seed([0; 32]);
        let mut hub = HubDisk::new(DeviceId(dice.uuid()), key.clone(), city.staff.clone());
        let mut nodes = Vec::new();
        let mut queue = Queue::new();
        for branch in city.branches.iter().take(1) {
            for desk in 0..DESKS {
                let device = DeviceId(dice.uuid());
                let letter = hub.enrol(device, key.public(), branch.code.clone());
                let disk = DeskDisk::new(device, branch.code.clone(), letter);
                nodes.push(Node::new(disk, dice.next()));
                queue.put(dice.between(WORK_MS.0, WORK_MS.1), Ev::Work(desk));
                queue.put(dice.between(UP_MS.0, UP_MS.1), Ev::Cut(desk));
                queue.put(dice.between(600_000, 3_600_000), Ev::Kill(desk));
            }
        }
        queue.put(DAY_AT_WORK_MS, Ev::Calm);
        Ok(Self {
            variant,
            now: 0,
            is_calm: false,
            queue,
            aside: Aside::new(variant),
            asked: vec![(0, false); nodes.len()],
            through: HashMap::new(),
            outcome: Outcome::default(),
            read: Read::new(),
            next: 1,
            dice,
            city,
            hub,
            nodes,
        })
    }

    pub fn run(mut self) -> Outcome {
        for desk in 0..self.nodes.len() {
            self.feed(desk, None, Input::Tick);
        }
        while let Some((at, event)) = self.queue.take() {
            if at > DAY_AT_WORK_MS + CALM_MS {
                break;
            }
            self.now = at;
            self.happen(event);
        }
        for node in &self.nodes {
            let files = node.files.iter();
            let is_here =
                |file: &&File| !file.complete || self.aside.received(file.name.file) != file.bytes;
            self.outcome.incomplete += files.filter(is_here).count() as u64;
            self.outcome.files += node.files.len() as u64;
            self.outcome.unsent += u64::from(!node.disk.standing().is_sent());
            for day in node.days() {
                self.outcome.days += 1;
                let is_like = self.aside.is_like(node.disk.device, day);
                self.outcome.days_unlike += u64::from(!is_like);
            }
        }
        self.outcome.misplaced = self.aside.misplaced;
        self.outcome
    }

    fn happen(&mut self, event: Ev) {
        match event {
            Ev::Wake(desk, at) if self.node(desk).is_some_and(|node| node.wake_at == at) => {
                self.feed(desk, None, Input::Tick);
            }
            Ev::Commit(tag, command) if self.runs(tag) => {
                let input = match self.nodes.get_mut(tag.desk) {
                    Some(node) => store::perform(&mut node.disk, *command, None, &mut self.read),
                    None => Input::StoreFailed,
                };
                self.feed(tag.desk, Some(tag.number), input);
            }
            Ev::Arrive(tag, cuts, request) => self.arrive(tag, cuts, &request),
            Ev::Answer(tag, reply) if self.runs(tag) => {
                self.feed(tag.desk, Some(tag.number), Input::Reply(reply));
            }
            Ev::Unsent(tag) if self.runs(tag) => {
                self.feed(tag.desk, Some(tag.number), Input::SendFailed);
            }
            Ev::Aside(desk, aside) if self.node(desk).is_some_and(|node| node.aside == aside) => {
                self.look_aside(desk);
            }
            Ev::AsideArrives(aim, cuts, asked) => self.aside_arrives(aim, cuts, asked),
            Ev::AsideAnswer(aim, answered) if self.waits_for(aim) => match answered {
                Answered::Files(standings) => {
                    self.feed_evidence(aim.desk, evidence::Input::Standings(standings));
                    self.look_aside(aim.desk);
                }
                Answered::Days(taken) => {
                    self.feed_statistics(aim.desk, statistics::Input::Taken(taken));
                    self.look_aside(aim.desk);
                }
            },
            Ev::AsideTimeOut(aim) if self.waits_for(aim) => {
                if self
                    .asked
                    .get(aim.desk)
                    .is_some_and(|(_, is_days)| *is_days)
                {
                    self.feed_statistics(aim.desk, statistics::Input::Failed);
                } else {
                    self.feed_evidence(aim.desk, evidence::Input::Failed);
                }
                self.look_aside(aim.desk);
            }
            Ev::Work(desk) => self.work(desk),
            Ev::HandOff(desk) => self.hand_off_earlier(desk),
            Ev::Cut(desk) => self.cut(desk),
            Ev::Mend(desk) => self.mend(desk),
            Ev::Kill(desk) => self.kill(desk),
            Ev::Calm => {
                self.is_calm = true;
                for desk in 0..self.nodes.len() {
                    self.mend(desk);
                }
            }
            _ => {}
        }
    }

    fn node(&self, desk: usize) -> Option<&Node> {
        self.nodes.get(desk)
    }

    fn runs(&self, tag: Tag) -> bool {
        self.node(tag.desk)
            .is_some_and(|node| node.boot == tag.boot)
    }

    /// Feeds the machine of lanes 0 and 1, and lets the others run or drops them.
    fn feed(&mut self, desk: usize, number: Option<u64>, input: Input) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(desk) else {
            return;
        };
        let step = node.machine.step(now, number, input);
        let at = step.wake_at_ms.max(now + 1);
        if node.wake_at != at {
            node.wake_at = at;
            self.queue.put(at, Ev::Wake(desk, at));
        }
        let boot = node.boot;
        let is_free = node.machine.is_free(now);
        let was_on = std::mem::replace(&mut node.is_aside_on, is_free);
        if was_on && !is_free {
            // Whoever runs the lanes drops what is under way.
            node.aside += 1;
            self.outcome.dropped += u64::from(node.is_asking);
            node.is_asking = false;
        }
        if let Some((number, command)) = step.command {
            self.perform(Tag { desk, boot, number }, command);
        }
        if is_free && !was_on {
            self.begin_aside(desk);
        }
    }

    fn perform(&mut self, tag: Tag, command: Command) {
        match command {
            Command::Send { session, ask } => self.send(tag, session, ask),
            command => {
                let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                self.queue.put(at, Ev::Commit(tag, Box::new(command)));
            }
        }
    }

    fn send(&mut self, tag: Tag, session: Option<String>, ask: Ask) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(tag.desk) else {
            return;
        };
        if !node.line.is_up {
            return self.fail(tag);
        }
        if let Ask::Batch {
            lane: Lane::Urgent, ..
        } = &ask
        {
            let behind = node.line.behind_ms(now);
            self.outcome.behind_ms = self.outcome.behind_ms.max(behind);
        }
        let request = Request {
            v: VERSION,
            device: node.disk.device,
            incarnation: node.disk.incarnation,
            session,
            ask,
        };
        let bytes = serde_json::to_vec(&request).map_or(0, |json| json.len() as u64);
        let at = node.line.put(now, SMALL + bytes, false);
        let cuts = node.line.cuts;
        self.queue.put(at, Ev::Arrive(tag, cuts, Box::new(request)));
    }

    /// Mostly the system says soon that nobody is there, sometimes never.
    fn fail(&mut self, tag: Tag) {
        if self.dice.chance(700) {
            let at = self.now + self.dice.between(1, 5_000);
            self.queue.put(at, Ev::Unsent(tag));
        }
    }

    fn is_through(&self, desk: usize, cuts: u64) -> bool {
        self.node(desk).is_some_and(|node| node.line.cuts == cuts)
    }

    fn arrive(&mut self, tag: Tag, cuts: u64, request: &Request) {
        if !self.is_through(tag.desk, cuts) {
            return self.fail(tag);
        }
        let at = Answering {
            now: city::wall(self.now, 0),
            plant: None,
        };
        let reply = Box::new(self.hub.answer(request, at));
        // An answer may be lost with nothing else.
        if self.is_calm || !self.dice.chance(20) {
            let at = self.now + self.dice.between(ANSWER_MS.0, ANSWER_MS.1);
            self.queue.put(at, Ev::Answer(tag, reply));
        }
    }

    fn begin_aside(&mut self, desk: usize) {
        let is_resting = |world: &Self| {
            let node = world.node(desk);
            node.map(|node| (node.evidence.is_resting(), node.statistics.is_resting()))
        };
        let Some((evidence, statistics)) = is_resting(self) else {
            return;
        };
        if !evidence {
            self.feed_evidence(desk, evidence::Input::Cut);
        }
        if !statistics {
            self.feed_statistics(desk, statistics::Input::Cut);
        }
        self.feed_evidence(desk, evidence::Input::News);
        self.look_aside(desk);
    }

    /// Lane 2 first; lane 3 when it rests.
    fn look_aside(&mut self, desk: usize) {
        let now = self.now;
        let ready = |world: &Self| {
            let node = world.node(desk)?;
            (node.is_aside_on && !node.is_asking).then_some(())
        };
        if ready(self).is_none() {
            return;
        }
        self.feed_evidence(desk, evidence::Input::Tick);
        let rests = |node: &Node| node.evidence.is_resting() && node.evidence.failures() == 0;
        if ready(self).is_some() && self.node(desk).is_some_and(rests) {
            self.feed_statistics(desk, statistics::Input::Tick { free: true });
        }
        if ready(self).is_some()
            && let Some(node) = self.node(desk)
        {
            let wake = node
                .evidence_wake
                .min(node.statistics_wake.max(now + 1_000));
            let aside = node.aside;
            self.queue.put(wake.max(now + 1), Ev::Aside(desk, aside));
        }
    }

    fn feed_evidence(&mut self, desk: usize, input: evidence::Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let Some(node) = self.nodes.get_mut(desk) else {
                return;
            };
            let step = node.evidence.step(self.now, input);
            node.evidence_wake = step.wake_at_ms;
            node.is_asking = false;
            next = match step.command {
                None => None,
                Some(evidence::Command::Read) => Some(evidence::Input::Files(node.waiting_files())),
                Some(evidence::Command::Save(states)) => {
                    node.keep_states(&states);
                    Some(evidence::Input::Saved)
                }
                Some(evidence::Command::Ask(names)) => {
                    self.ask_aside(desk, Asked::Files(names));
                    None
                }
                Some(evidence::Command::Send(slice)) => {
                    let slice = self.sized(desk, slice);
                    self.ask_aside(desk, Asked::Slice(slice));
                    None
                }
            };
        }
    }

    fn feed_statistics(&mut self, desk: usize, input: statistics::Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let now = self.now;
            let Some(node) = self.nodes.get_mut(desk) else {
                return;
            };
            let step = node.statistics.step(now, input);
            node.statistics_wake = step.wake_at_ms;
            node.is_asking = false;
            next = match step.command {
                None => None,
                Some(statistics::Command::Read) => {
                    Some(statistics::Input::Days(node.waiting_days(now)))
                }
                Some(statistics::Command::Save { days, .. }) => {
                    node.keep_taken(now, &days);
                    Some(statistics::Input::Saved)
                }
                Some(statistics::Command::Send(days)) => {
                    self.ask_aside(desk, Asked::Days(days));
                    None
                }
            };
        }
    }

    /// With that mistake planted, what is left of the chunk.
    fn sized(&self, desk: usize, slice: Slice) -> Slice {
        if self.variant != Variant::WholeChunks {
            return slice;
        }
        let files = self.node(desk).map_or(&[][..], |node| &node.files);
        let file = files.iter().find(|file| file.name == slice.name);
        let left = file.map_or(slice.bytes, |file| file.bytes - slice.offset);
        let bytes = (CHUNK - slice.offset % CHUNK).min(left);
        Slice { bytes, ..slice }
    }

    fn ask_aside(&mut self, desk: usize, asked: Asked) {
        let now = self.now;
        self.next += 1;
        let number = self.next;
        let Some(node) = self.nodes.get_mut(desk) else {
            return;
        };
        node.is_asking = true;
        let is_free = node.is_aside_on && node.machine.is_free(now);
        self.outcome.out_of_turn += u64::from(!is_free);
        let aim = Aim {
            desk,
            aside: node.aside,
            number,
        };
        if let Some(slot) = self.asked.get_mut(desk) {
            *slot = (number, matches!(asked, Asked::Days(_)));
        }
        self.queue.put(now + TIME_OUT_MS, Ev::AsideTimeOut(aim));
        if !node.line.is_up {
            return;
        }
        let bytes = match &asked {
            Asked::Slice(_) => SMALL,
            Asked::Files(names) => SMALL + 100 * names.len() as u64,
            Asked::Days(days) => serde_json::to_vec(days).map_or(0, |json| json.len() as u64),
        };
        let mut at = node.line.put(now, bytes, true);
        if let Asked::Slice(slice) = &asked {
            let through = self.through.get(&slice.name.file).copied();
            let again = through.unwrap_or_default().saturating_sub(slice.offset);
            self.outcome.sent_again += again.min(slice.bytes);
            at = node.line.put_slice(now, *slice);
        }
        let cuts = node.line.cuts;
        self.queue.put(at, Ev::AsideArrives(aim, cuts, asked));
    }

    fn waits_for(&self, aim: Aim) -> bool {
        let is_asked = self
            .asked
            .get(aim.desk)
            .is_some_and(|(of, _)| *of == aim.number);
        let is_of_now = |node: &Node| node.aside == aim.aside && node.is_asking;
        is_asked && self.node(aim.desk).is_some_and(is_of_now)
    }

    fn aside_arrives(&mut self, aim: Aim, cuts: u64, asked: Asked) {
        if !self.is_through(aim.desk, cuts) {
            return;
        }
        let Some(node) = self.nodes.get_mut(aim.desk) else {
            return;
        };
        let from = (node.disk.device, self.now);
        let answered = match asked {
            Asked::Days(days) => Answered::Days(self.aside.take_days(from, &days)),
            Asked::Slice(slice) => {
                node.line.flying = None;
                self.came(slice, slice.bytes);
                Answered::Files(self.standings(aim.desk, from, &[slice.name]))
            }
            Asked::Files(names) => Answered::Files(self.standings(aim.desk, from, &names)),
        };
        if self.is_calm || !self.dice.chance(20) {
            let at = self.now + self.dice.between(ANSWER_MS.0, ANSWER_MS.1);
            self.queue.put(at, Ev::AsideAnswer(aim, answered));
        }
    }

    /// So many bytes of a slice have gone through the line.
    fn came(&mut self, slice: Slice, bytes: u64) {
        let through = self.through.entry(slice.name.file).or_default();
        *through = (*through).max(slice.offset + bytes);
        self.aside.take(slice, bytes);
    }

    fn standings(&self, desk: usize, from: (DeviceId, u64), names: &[FileName]) -> Standings {
        let files = self.node(desk).map_or(&[][..], |node| &node.files);
        let asked = names.iter().filter_map(|name| {
            let file = files.iter().find(|file| file.name == *name)?;
            let is_known = self.hub.complaints.contains_key(&name.complaint);
            Some((*name, file.bytes, is_known))
        });
        self.aside.standings(from, asked)
    }

    fn cut(&mut self, desk: usize) {
        let now = self.now;
        if self.is_calm {
            return;
        }
        self.outcome.cuts += 1;
        let cut = self.nodes.get_mut(desk).and_then(|node| node.line.cut(now));
        if let Some((slice, came)) = cut {
            self.came(slice, came);
        }
        let at = now + self.dice.between(DOWN_MS.0, DOWN_MS.1);
        self.queue.put(at, Ev::Mend(desk));
        let at = at + self.dice.between(UP_MS.0, UP_MS.1);
        self.queue.put(at, Ev::Cut(desk));
    }

    fn mend(&mut self, desk: usize) {
        if let Some(node) = self.nodes.get_mut(desk) {
            node.line.is_up = true;
        }
        self.feed(desk, None, Input::Nudge);
    }

    fn kill(&mut self, desk: usize) {
        if self.is_calm {
            return;
        }
        self.outcome.kills += 1;
        let seed = self.dice.next();
        if let Some(node) = self.nodes.get_mut(desk) {
            node.restart(seed);
        }
        let at = self.now + self.dice.between(600_000, 3_600_000);
        self.queue.put(at, Ev::Kill(desk));
        self.feed(desk, None, Input::Tick);
    }

    /// A complaint with evidence, or a handoff of one there is.
    fn work(&mut self, desk: usize) {
        if self.is_calm {
            return;
        }
        let at = self.now + self.dice.between(WORK_MS.0, WORK_MS.1);
        self.queue.put(at, Ev::Work(desk));
        let id = ComplaintId(uuid::Uuid::from_u64_pair(self.now, self.dice.next()));
        let wall = city::wall(self.now, 0);
        let reference = self
            .nodes
            .get_mut(desk)
            .and_then(|node| node.disk.next_reference(wall));
        let Some(reference) = reference else { return };
        let facts = [
            city::recorded(&mut self.dice, reference, wall),
            city::assessed(&mut self.dice, Complexity::Complex),
        ];
        for fact in facts {
            self.write(desk, id, Lane::Ordinary, fact);
        }
        for _ in 0..self.dice.below(3) {
            let file = EvidenceId(self.dice.uuid());
            let bytes = self.dice.between(10_000, 900_000);
            if let Some(node) = self.nodes.get_mut(desk) {
                let name = FileName {
                    complaint: id,
                    file,
                };
                node.files.push(File {
                    name,
                    bytes,
                    complete: false,
                });
            }
        }
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(desk) {
            node.count_saved(now);
            node.complaints.push(id);
        }
        self.feed(desk, None, Input::LocalWrite);
        let at = self.now + self.dice.between(1_000, WORK_MS.0);
        self.queue.put(at, Ev::HandOff(desk));
    }

    /// Most handoffs come while evidence is on the line.
    fn hand_off_earlier(&mut self, desk: usize) {
        let Some(node) = self.nodes.get_mut(desk) else {
            return;
        };
        if node.complaints.len() < 2 {
            return;
        }
        let id = node.complaints.remove(0);
        let whole = node.disk.states.get(&id);
        let fact = whole.map(|whole| city::handed_off(whole, node.disk.ordinary_n()));
        if let Some(fact) = fact {
            self.outcome.handoffs += 1;
            self.write(desk, id, Lane::Urgent, fact);
            self.feed(desk, None, Input::LocalWrite);
        }
    }

    fn write(&mut self, desk: usize, id: ComplaintId, lane: Lane, fact: Fact) {
        self.next += 1;
        let (Some(node), Some(branch)) = (self.nodes.get_mut(desk), self.city.branches.first())
        else {
            return;
        };
        let moment = Moment {
            wall: city::wall(self.now, 0),
            mark: self.next,
            actor: &branch.clerk,
        };
        node.disk.write(id, lane, fact, moment);
    }
}
