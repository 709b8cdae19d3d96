//! One run: desks, a hub, a network that does its worst, and people at work.

mod clones;
mod evening;
mod faults;
mod forward;
mod lan;
mod network;
mod parcels;
mod people;
mod trace;

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use suda_domain::{Actor, ComplaintId, Complexity, DeviceId, Fact, Lane};
use suda_sync::desk::{Command, DeskSync, Input, Stream};
use suda_sync::message::{Refused, VERSION};
use suda_sync::{Ask, Hash, Reply, Request, SecretKey};

use crate::city::{self, City};
use crate::desk_disk::{DeskDisk, Moment};
use crate::dice::Dice;
use crate::hub_disk::{Answering, HubDisk};
use crate::past::Name;
use crate::plant::Plant;
use crate::queue::Queue;
use crate::store::{self, Read};
use forward::{Errand, ForwardEv};
pub(crate) use lan::Kept;
use lan::{LanEv, Line, Member, Part};
use parcels::ParcelEv;

/// How large a run is and how much goes wrong in it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub branches: usize,
    pub desks_each: usize,
    /// Branches whose first desk is the mailbox of the others.
    pub mailboxes: usize,
    pub operations: u64,
    /// Simulated time in which people work.
    pub day_ms: u64,
    /// Copies, roll-backs, and a hub put back from its backup.
    pub disasters: bool,
    pub plant: Option<Plant>,
}

impl Plan {
    pub fn full() -> Self {
        Self {
            branches: 4,
            desks_each: 5,
            mailboxes: 2,
            operations: 2_000,
            day_ms: 4 * 3_600_000,
            disasters: true,
            plant: None,
        }
    }

    /// Enough for a planted bug to show.
    pub fn small() -> Self {
        Self {
            branches: 2,
            desks_each: 3,
            mailboxes: 1,
            operations: 800,
            day_ms: 2 * 3_600_000,
            ..Self::full()
        }
    }
}

pub(crate) struct DeskNode {
    pub branch: usize,
    pub disk: DeskDisk,
    /// Absent while the program is not running.
    pub machine: Option<DeskSync>,
    boot: u32,
    /// A command is under way.
    pending: bool,
    /// When the machine wants to be called again.
    wake_at: u64,
    link: Link,
    skew_ms: i64,
    backup: Option<DeskDisk>,
    secret: SecretKey,
    /// The incarnation the program goes under, as it last read.
    speaks_as: u32,
    /// The hub's session, as last welcomed.
    session: Option<String>,
    part: Part,
    /// The link to the branch's mailbox.
    lan: Link,
    member: Member,
    /// Questions for news that wait at this mailbox.
    held: Vec<lan::Held>,
    errand: Option<Errand>,
    rolled_back: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Good,
    Down,
    /// Questions arrive, answers do not.
    OneWay,
}

enum Ev {
    /// Only the latest asked for counts.
    Wake {
        desk: usize,
        boot: u32,
        at: u64,
    },
    News {
        desk: usize,
        boot: u32,
    },
    Arrive {
        desk: usize,
        boot: u32,
        number: u64,
        request: Box<Request>,
    },
    Answer {
        desk: usize,
        boot: u32,
        number: u64,
        reply: Box<Reply>,
    },
    Unsent {
        desk: usize,
        boot: u32,
        number: u64,
    },
    Commit {
        desk: usize,
        boot: u32,
        number: u64,
        command: Box<Command>,
    },
    Start {
        desk: usize,
    },
    HubStart,
    Lan(LanEv),
    Forward {
        desk: usize,
        boot: u32,
        event: ForwardEv,
    },
    Parcel(ParcelEv),
    Operation,
    Fault,
}

/// A step somebody was told is stored.
pub(crate) struct Promise {
    pub complaint: ComplaintId,
    /// Destroyed with the only file that held it.
    pub destroyed: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub steps: u64,
    pub messages: u64,
    /// Between desks and their mailboxes.
    pub lan_messages: u64,
    /// Batches a mailbox took in keeping.
    pub kept: u64,
    /// Parcels a mailbox sent to the hub.
    pub forwards: u64,
    /// Files written with what had no receipt.
    pub files: u64,
    pub files_taken: u64,
    /// Files and parcels that hub or desk would not take.
    pub parcels_refused: u64,
    pub crashes: u64,
    pub copies: u64,
    /// Copies that the hub found when the second of two said its first hello.
    pub copies_found: u64,
    /// Copies that it took for the first at that hello.
    pub copies_missed: u64,
    pub rollbacks: u64,
    pub hub_restores: u64,
    pub renewals: u64,
    pub rekeyed: u64,
    pub bad_records: u64,
}

pub struct World {
    pub(crate) plan: Plan,
    pub(crate) city: City,
    pub(crate) desks: Vec<DeskNode>,
    pub(crate) hub: HubDisk,
    hub_up: bool,
    hub_backup: Option<HubDisk>,
    hub_boots: u32,
    dice: Dice,
    now: u64,
    queue: Queue<Ev>,
    calm: bool,
    loss: u64,
    lan_loss: u64,
    left: u64,
    next_mark: u64,
    pub(crate) promises: BTreeMap<u64, Promise>,
    /// What each step's desk knew of its complaint when it was written.
    pub(crate) pasts: BTreeMap<u64, Vec<Name>>,
    read: Read,
    /// The hub's words by the parcel they came in, each read once in a run.
    words: store::Words,
    pairs: Vec<clones::Pair>,
    trace: Sha256,
    pub counts: Counts,
    pub(crate) two_owners: u64,
    pub(crate) unfounded: u64,
    /// What mailboxes have said they keep, as far as nothing was put back since.
    pub(crate) kept: Vec<Kept>,
    pub(crate) let_go: u64,
    pub(crate) damaged_taken: u64,
    pub(crate) branch_apart: Option<String>,
    pub(crate) not_forwarded: Option<String>,
}

/// Which desk of a branch with a mailbox does not follow it.
const UNPAIRED: usize = 4;
const LATENCY_MS: (u64, u64) = (5, 2_000);
const COMMIT_MS: (u64, u64) = (1, 30);
/// Of a thousand commits.
const CRASHES: u64 = 4;

impl World {
    /// # Errors
    /// When the city cannot be made.
    pub fn new(seed: u64, plan: Plan) -> anyhow::Result<Self> {
        let mut dice = Dice::new(seed);
        let city = City::new(&mut dice, plan.branches, 6)?;
        let mut hub = HubDisk::new(DeviceId(dice.uuid()), secret(&mut dice), city.staff.clone());
        let mut desks = Vec::new();
        for (number, branch) in city.branches.iter().enumerate() {
            let mailbox = desks.len();
            for at in 0..plan.desks_each {
                let device = DeviceId(dice.uuid());
                let secret = secret(&mut dice);
                let letter = hub.enrol(device, secret.public(), branch.code.clone());
                let mut disk = DeskDisk::new(device, branch.code.clone(), letter);
                disk.serves = at == 0 && number < plan.mailboxes;
                let part = match at {
                    _ if number >= plan.mailboxes => Part::Alone,
                    0 => Part::Mailbox,
                    // Not every computer of a branch is paired.
                    UNPAIRED => Part::Alone,
                    _ => Part::Member(mailbox),
                };
                let skew = skew(&mut dice);
                desks.push(DeskNode::new(number, disk, skew, (secret, part)));
            }
        }
        let mut world = Self {
            plan,
            city,
            desks,
            hub,
            hub_up: true,
            hub_backup: None,
            hub_boots: 1,
            loss: dice.below(301),
            lan_loss: dice.below(201),
            dice,
            now: 0,
            queue: Queue::new(),
            calm: false,
            left: plan.operations,
            next_mark: 1,
            promises: BTreeMap::new(),
            pasts: BTreeMap::new(),
            read: Read::new(),
            words: store::Words::new(),
            pairs: Vec::new(),
            trace: Sha256::new(),
            counts: Counts::default(),
            two_owners: 0,
            unfounded: 0,
            kept: Vec::new(),
            let_go: 0,
            damaged_taken: 0,
            branch_apart: None,
            not_forwarded: None,
        };
        for desk in 0..world.desks.len() {
            world.start(desk);
        }
        world.queue.put(1_000, Ev::Operation);
        world.queue.put(5_000, Ev::Fault);
        world.queue.put(10_000, Ev::Parcel(ParcelEv::Write));
        Ok(world)
    }

    /// Lets people work through the day, then mends every link, and waits until
    /// nothing moves or `patience_ms` have passed. Gives the time that took;
    /// `None` when something is stuck.
    pub fn run(&mut self, patience_ms: u64) -> Option<u64> {
        while !self.calm {
            if !self.turn() {
                return None;
            }
        }
        if self.has_mailbox() {
            self.evening();
        }
        let from = self.now;
        while self.now < from + patience_ms {
            if self.is_level() {
                return Some(self.now - from);
            }
            if !self.turn() {
                return None;
            }
        }
        None
    }

    fn is_level(&self) -> bool {
        let at_rest = |desk: &DeskNode| desk.machine.as_ref().is_some_and(DeskSync::is_at_rest);
        self.desks.iter().all(at_rest)
            && !self
                .desks
                .iter()
                .any(|desk| desk.disk.custody.has_to_bring(&self.hub))
            && self.desks.iter().all(|desk| {
                let standing = desk.disk.standing();
                standing.is_sent()
                    && standing.position.epoch.as_ref() == Some(&self.hub.epoch)
                    && !self
                        .hub
                        .has_after(&desk.disk.branch, standing.position.cursor)
            })
    }

    /// What keeps the world from being level, for people.
    pub(crate) fn unrest(&self) -> String {
        let told = |desk: &DeskNode| format!("{:?} {:?}", desk.machine, desk.disk.standing());
        let unsent = |desk: &&DeskNode| !desk.disk.standing().is_sent();
        let behind = |desk: &&DeskNode| {
            let position = desk.disk.standing().position;
            position.epoch.as_ref() != Some(&self.hub.epoch)
                || self.hub.has_after(&desk.disk.branch, position.cursor)
        };
        if let Some(desk) = self.desks.iter().find(unsent) {
            return format!("unsent: {}", told(desk));
        }
        let keeping = |desk: &&DeskNode| desk.disk.custody.has_to_bring(&self.hub);
        if let Some(desk) = self.desks.iter().find(keeping) {
            return format!("still in keeping: {:?}", desk.disk.custody.waiting());
        }
        if let Some(desk) = self.desks.iter().find(behind) {
            return format!("behind: {}", told(desk));
        }
        "no desk comes to rest".to_owned()
    }

    /// Lets the next thing happen; false when nothing is ever to happen again.
    fn turn(&mut self) -> bool {
        let Some((at, event)) = self.queue.take() else {
            return false;
        };
        self.now = at;
        self.counts.steps += 1;
        self.note(&event);
        match event {
            Ev::Wake { desk, boot, at } if self.runs(desk, boot) && self.is_due(desk, at) => {
                self.feed(desk, None, Input::Tick);
            }
            Ev::News { desk, boot } if self.runs(desk, boot) => self.feed(desk, None, Input::Nudge),
            Ev::Answer {
                desk,
                boot,
                number,
                reply,
            } if self.runs(desk, boot) => {
                self.hear(desk, number, *reply);
            }
            Ev::Unsent { desk, boot, number } if self.runs(desk, boot) => {
                self.feed(desk, Some(number), Input::SendFailed);
            }
            Ev::Commit {
                desk,
                boot,
                number,
                command,
            } if self.runs(desk, boot) => {
                self.commit(desk, number, *command);
            }
            Ev::Arrive {
                desk,
                boot,
                number,
                request,
            } => self.arrive(desk, boot, number, &request),
            Ev::Start { desk } => self.start(desk),
            Ev::HubStart => self.hub_up = true,
            Ev::Lan(event) => self.lan(event),
            Ev::Forward { desk, boot, event } if self.runs(desk, boot) => {
                self.forward_event(desk, event);
            }
            Ev::Parcel(event) => self.parcel(event),
            Ev::Operation => self.operation(),
            Ev::Fault => self.fault(),
            _ => {}
        }
        if self.counts.steps.is_multiple_of(256) {
            self.unfounded += crate::check::unfounded(self);
            self.let_go += crate::check::branch::let_go(self);
        }
        self.look_at_owners();
        true
    }

    /// At each change: no complaint has two owners, wherever one looks.
    fn look_at_owners(&mut self) {
        let mut changed = self.hub.complaints.take_touched();
        for node in &mut self.desks {
            changed.extend(node.disk.states.take_touched());
        }
        if !changed.is_empty() {
            self.two_owners += crate::check::two_owners(self, Some(&changed));
        }
    }

    fn runs(&self, desk: usize, boot: u32) -> bool {
        self.desks
            .get(desk)
            .is_some_and(|node| node.boot == boot && node.machine.is_some())
    }

    fn is_due(&self, desk: usize, at: u64) -> bool {
        self.desks.get(desk).is_some_and(|node| node.wake_at == at)
    }

    fn start(&mut self, desk: usize) {
        let seed = self.dice.next();
        if let Some(node) = self.desks.get_mut(desk) {
            node.boot += 1;
            node.pending = false;
            node.wake_at = 0;
            node.machine = Some(DeskSync::new(seed));
            node.speaks_as = node.disk.incarnation;
            node.session = None;
            node.member.anew();
            node.errand = (node.part == Part::Mailbox).then(|| Errand::new(seed));
            self.feed(desk, None, Input::Tick);
            self.look_soon(desk, Line::Give);
            self.look_soon(desk, Line::Take);
        }
    }

    fn crash(&mut self, desk: usize) {
        self.counts.crashes += 1;
        if let Some(node) = self.desks.get_mut(desk) {
            node.machine = None;
            node.held.clear();
            node.errand = None;
        }
        let pause = self.dice.between(500, 60_000);
        self.queue.put(self.now + pause, Ev::Start { desk });
    }

    /// Gives the machine an input and has done what it asks.
    fn feed(&mut self, desk: usize, number: Option<u64>, input: Input) {
        let plant = self.plan.plant;
        let now = self.now;
        let Some(node) = self.desks.get_mut(desk) else {
            return;
        };
        let Some(machine) = &mut node.machine else {
            return;
        };
        let is_tick = matches!(input, Input::Tick | Input::Nudge);
        let is_ignored = match plant {
            Some(Plant::RetryOnlyOnWrite) => is_tick && machine.failures() > 0,
            Some(Plant::NoStall) => is_tick && node.pending,
            _ => false,
        };
        if is_ignored {
            return;
        }
        if number.is_some() {
            node.pending = false;
        }
        let step = machine.step(now, number, input);
        let boot = node.boot;
        let wake = step.wake_at_ms.max(now + 1);
        if node.wake_at != wake {
            node.wake_at = wake;
            let at = wake;
            self.queue.put(wake, Ev::Wake { desk, boot, at });
        }
        if let Some((number, command)) = step.command {
            node.pending = true;
            self.perform(desk, boot, number, command);
        }
    }

    fn perform(&mut self, desk: usize, boot: u32, number: u64, command: Command) {
        match command {
            Command::Send { session, ask } => self.send(desk, boot, number, session, ask),
            command => {
                let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                let command = Box::new(command);
                self.queue.put(
                    at,
                    Ev::Commit {
                        desk,
                        boot,
                        number,
                        command,
                    },
                );
            }
        }
    }

    fn commit(&mut self, desk: usize, number: u64, command: Command) {
        let writes = !matches!(command, Command::ReadStanding | Command::Load { .. });
        let crash = writes && !self.calm && self.dice.chance(CRASHES);
        if crash && self.dice.chance(500) {
            // Before anything was stored.
            if self.plan.plant == Some(Plant::CursorBeforeData)
                && let Command::SavePage(page) = &command
                && let Some(node) = self.desks.get_mut(desk)
            {
                node.disk.save_cursor(page.cursor);
            }
            return self.crash(desk);
        }
        let welcomed = match &command {
            Command::SaveWelcome { welcome, .. } => Some(welcome.session.clone()),
            _ => None,
        };
        let input = self.store(desk, command);
        if crash {
            return self.crash(desk);
        }
        self.after_commit(desk, &input, welcomed);
        self.feed(desk, Some(number), input);
    }

    /// What the other parts of the program hear of a commit.
    fn after_commit(&mut self, desk: usize, input: &Input, welcomed: Option<String>) {
        let Some(node) = self.desks.get_mut(desk) else {
            return;
        };
        if welcomed.is_some() {
            // The hub has judged what stands here.
            node.rolled_back = false;
        }
        if matches!(input, Input::Standing(_)) {
            node.speaks_as = node.disk.incarnation;
        }
        let is_met = welcomed.is_some();
        node.session = welcomed.or_else(|| node.session.take());
        self.news(desk);
        if is_met {
            self.forward(desk, suda_sync::lan::Input::HubMet);
        }
    }

    fn store(&mut self, desk: usize, command: Command) -> Input {
        match &command {
            Command::Renew { .. } => self.counts.renewals += 1,
            Command::Rekey { .. } => self.counts.rekeyed += 1,
            _ => {}
        }
        match self.desks.get_mut(desk) {
            Some(node) => store::perform(&mut node.disk, command, self.plan.plant, &mut self.read),
            None => Input::StoreFailed,
        }
    }
}

impl DeskNode {
    fn new(branch: usize, disk: DeskDisk, skew_ms: i64, (secret, part): (SecretKey, Part)) -> Self {
        Self {
            branch,
            speaks_as: disk.incarnation,
            disk,
            secret,
            session: None,
            part,
            lan: Link::Good,
            member: Member::default(),
            held: Vec::new(),
            errand: None,
            rolled_back: false,
            machine: None,
            boot: 0,
            pending: false,
            wake_at: 0,
            link: Link::Good,
            skew_ms,
            backup: None,
        }
    }
}

impl DeskNode {
    pub(crate) fn is_mailbox(&self) -> bool {
        self.part == Part::Mailbox
    }

    /// The desk that is this one's mailbox.
    pub(crate) fn mailbox(&self) -> Option<usize> {
        match self.part {
            Part::Member(mailbox) => Some(mailbox),
            Part::Alone | Part::Mailbox => None,
        }
    }

    pub(crate) fn was_rolled_back(&self) -> bool {
        self.rolled_back
    }
}

fn secret(dice: &mut Dice) -> SecretKey {
    let mut seed = [0; 32];
    for part in seed.chunks_mut(8) {
        part.copy_from_slice(&dice.next().to_le_bytes());
    }
    SecretKey::from_seed(seed)
}

/// Up to thirty days wrong, either way; half of the clocks are right.
fn skew(dice: &mut Dice) -> i64 {
    const MONTH_MS: u64 = 30 * 86_400_000;
    if dice.chance(500) {
        return 0;
    }
    dice.below(2 * MONTH_MS) as i64 - MONTH_MS as i64
}
