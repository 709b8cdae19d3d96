//! The branch's network: desks give their mailbox what has no receipt and take
//! its log and the hub's words for them, over a link with faults of its own.

use suda_sync::desk::batch;
use suda_sync::lan::{
    self, Ask as LanAsk, Given, Log, Mark, Refused as LanRefused, Reply as LanReply,
};
use suda_sync::message::BATCH_EVENTS;
use suda_sync::{PublicKey, Signed};

use super::*;

const ANSWER_MS: u64 = 10_000;
const NEWS_MS: u64 = 75_000;
/// How long a mailbox keeps a question for news waiting.
const HOLD_MS: u64 = 60_000;
/// Without anything happening, what waits is looked at again after this long.
const LOOK_MS: u64 = 60_000;
const PAUSE_MS: (u64, u64) = (500, 15_000);
const LAN_LATENCY_MS: (u64, u64) = (1, 200);

/// What a desk is in its branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Alone,
    Mailbox,
    /// Of the mailbox that is this desk.
    Member(usize),
}

/// A desk's two connections with its mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    Give,
    Take,
}

/// A connection. Whatever belongs to an earlier turn is not heard any more.
#[derive(Clone, Copy, Debug, Default)]
struct Talk {
    turn: u64,
    busy: bool,
}

/// What a member knows while its program runs.
#[derive(Debug, Default)]
pub(super) struct Member {
    give: Talk,
    take: Talk,
    /// Absent until the mailbox has told what it holds.
    given: Option<Given>,
    /// The hub's epoch as this desk knew it when it asked for that.
    of: Option<String>,
    put: Option<(Stream, u64)>,
    words: u64,
    /// Behind which mark the log was asked for, and the epoch this desk knew.
    asked: (Option<Mark>, Option<String>),
    /// The hub's epoch as the mailbox told it last.
    epoch: Option<String>,
}

/// Who asks the mailbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    desk: usize,
    boot: u32,
    line: Line,
    turn: u64,
}

/// A question for news that waits at the mailbox.
#[derive(Debug)]
pub(super) struct Held {
    asker: Asker,
    after: Option<Mark>,
    words: u64,
}

pub(super) enum LanEv {
    Look(Asker),
    /// The question is given up.
    Late(Asker),
    Arrive(Asker, Box<LanAsk>),
    /// The mailbox stores a batch.
    Keep {
        mailbox: usize,
        boot: u32,
        asker: Asker,
        batch: Rc<Signed>,
    },
    /// There was no news for long enough.
    Release {
        mailbox: usize,
        boot: u32,
        asker: Asker,
    },
    Answer(Asker, Box<LanReply>),
    Store(Asker, Box<Log>),
}

impl LanEv {
    /// For the trace: which kind, which desk, which turn.
    pub(super) fn name(&self) -> (&'static [u8], usize, u64) {
        let (name, asker): (&[u8], &Asker) = match self {
            Self::Look(asker) => (b"lan look", asker),
            Self::Late(asker) => (b"lan late", asker),
            Self::Arrive(asker, _) => (b"lan arrive", asker),
            Self::Keep { asker, .. } => (b"lan keep", asker),
            Self::Release { asker, .. } => (b"lan release", asker),
            Self::Answer(asker, _) => (b"lan answer", asker),
            Self::Store(asker, _) => (b"lan store", asker),
        };
        (name, asker.desk, asker.turn)
    }
}

/// A batch a mailbox has said it keeps.
pub(crate) struct Kept {
    pub mailbox: usize,
    pub batch: lan::Batch,
    pub last: Hash,
}

impl World {
    pub(super) fn lan(&mut self, event: LanEv) {
        match event {
            LanEv::Look(asker) if self.is_turn(asker) && !self.is_busy(asker) => self.look(asker),
            LanEv::Late(asker) if self.is_turn(asker) && self.is_busy(asker) => self.hang_up(asker),
            LanEv::Arrive(asker, ask) => self.at_mailbox(asker, *ask),
            LanEv::Keep {
                mailbox,
                boot,
                asker,
                batch,
            } if self.runs(mailbox, boot) => self.keep(mailbox, asker, &batch),
            LanEv::Release {
                mailbox,
                boot,
                asker,
            } if self.runs(mailbox, boot) => self.release(mailbox, asker),
            LanEv::Answer(asker, reply) if self.is_turn(asker) && self.is_busy(asker) => {
                self.told(asker, *reply);
            }
            LanEv::Store(asker, log) if self.is_turn(asker) => self.store_log(asker, &log),
            _ => {}
        }
    }

    /// A member's program begins, or something was written.
    pub(super) fn look_soon(&mut self, desk: usize, line: Line) {
        let Some(node) = self.desks.get(desk) else {
            return;
        };
        if !matches!(node.part, Part::Member(_)) {
            return;
        }
        let asker = Asker {
            desk,
            boot: node.boot,
            line,
            turn: node.member.talk(line).turn,
        };
        let at = self.now + self.dice.between(1, 100);
        self.queue.put(at, Ev::Lan(LanEv::Look(asker)));
    }

    fn is_turn(&self, asker: Asker) -> bool {
        let turn = |node: &DeskNode| node.member.talk(asker.line).turn == asker.turn;
        self.runs(asker.desk, asker.boot) && self.desks.get(asker.desk).is_some_and(turn)
    }

    fn is_busy(&self, asker: Asker) -> bool {
        let node = self.desks.get(asker.desk);
        node.is_some_and(|node| node.member.talk(asker.line).busy)
    }

    /// The next turn of a line; `busy` while a question or a commit is under way.
    fn turn_of(&mut self, mut asker: Asker, busy: bool) -> Asker {
        if let Some(node) = self.desks.get_mut(asker.desk) {
            let talk = node.member.talk_mut(asker.line);
            talk.turn += 1;
            talk.busy = busy;
            asker.turn = talk.turn;
        }
        asker
    }

    fn look_at(&mut self, asker: Asker, at: u64) {
        let asker = self.turn_of(asker, false);
        self.queue.put(at, Ev::Lan(LanEv::Look(asker)));
    }

    fn look(&mut self, asker: Asker) {
        let Some(ask) = self.question(asker) else {
            return self.look_at(asker, self.now + LOOK_MS);
        };
        let asker = self.turn_of(asker, true);
        let patience = match asker.line {
            Line::Give => ANSWER_MS,
            Line::Take => NEWS_MS,
        };
        self.queue
            .put(self.now + patience, Ev::Lan(LanEv::Late(asker)));
        let is_down = self
            .desks
            .get(asker.desk)
            .is_none_or(|node| node.lan == Link::Down);
        if is_down {
            return self.may_notice(asker);
        }
        if self.is_lost_in_branch() {
            return;
        }
        self.counts.lan_messages += 1;
        if !self.calm && self.dice.chance(30) {
            let at = self.now + self.lan_latency() * 5;
            self.queue
                .put(at, Ev::Lan(LanEv::Arrive(asker, Box::new(ask.clone()))));
        }
        let at = self.now + self.lan_latency();
        self.queue
            .put(at, Ev::Lan(LanEv::Arrive(asker, Box::new(ask))));
    }

    /// Sometimes the system says that nobody answers, sometimes nothing is heard.
    fn may_notice(&mut self, asker: Asker) {
        if self.dice.chance(700) {
            let at = self.now + self.dice.between(1, 3_000);
            self.queue.put(at, Ev::Lan(LanEv::Late(asker)));
        }
    }

    fn question(&mut self, asker: Asker) -> Option<LanAsk> {
        let node = self.desks.get_mut(asker.desk)?;
        let disk = &node.disk;
        let given = match (asker.line, &mut node.member.given) {
            (Line::Take, _) => {
                node.member.asked = (disk.mark, disk.epoch().map(str::to_owned));
                return Some(LanAsk::Take {
                    after: disk.mark,
                    words: node.member.words,
                });
            }
            (Line::Give, given) if given.is_none() || node.member.of.as_deref() != disk.epoch() => {
                *given = None;
                node.member.of = disk.epoch().map(str::to_owned);
                return Some(LanAsk::Held);
            }
            (Line::Give, None) => return Some(LanAsk::Held),
            (Line::Give, Some(given)) => given,
        };
        for (stream, acked) in disk.standing().unreceipted() {
            let after = given.after(stream, acked);
            let events = disk.load(stream, after, BATCH_EVENTS);
            if !events.is_empty() {
                node.member.put = Some((stream, after + events.len() as u64));
                let identity = (disk.device, disk.incarnation);
                let request = batch(identity, stream, after + 1, events);
                let batch = Signed::seal(&request, &node.secret).ok()?;
                return Some(LanAsk::Put { batch });
            }
        }
        None
    }

    fn hang_up(&mut self, asker: Asker) {
        if let Some(node) = self.desks.get_mut(asker.desk) {
            match asker.line {
                Line::Give => node.member.given = None,
                Line::Take => node.member.words = 0,
            }
        }
        let pause = self.dice.between(PAUSE_MS.0, PAUSE_MS.1);
        self.look_at(asker, self.now + pause);
    }

    fn at_mailbox(&mut self, asker: Asker, ask: LanAsk) {
        let Some((device, part)) = self
            .desks
            .get(asker.desk)
            .map(|node| (node.disk.device, node.part))
        else {
            return;
        };
        let Part::Member(mailbox) = part else { return };
        let Some(node) = self.desks.get_mut(mailbox) else {
            return;
        };
        let boot = node.boot;
        if node.machine.is_none() {
            return self.may_notice(asker);
        }
        match ask {
            LanAsk::Held => {
                let held = node.disk.custody.held(device);
                self.reply(asker, LanReply::Held(held));
            }
            LanAsk::Put { batch } => {
                let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                let batch = Rc::new(batch);
                let keep = LanEv::Keep {
                    mailbox,
                    boot,
                    asker,
                    batch,
                };
                self.queue.put(at, Ev::Lan(keep));
            }
            LanAsk::Take { after, words } => {
                node.disk.custody.drop_words(device, words);
                let held = Held {
                    asker,
                    after,
                    words,
                };
                node.held.push(held);
                let at = self.now + HOLD_MS;
                let release = LanEv::Release {
                    mailbox,
                    boot,
                    asker,
                };
                self.queue.put(at, Ev::Lan(release));
                self.news(mailbox);
            }
            LanAsk::Pair { .. } | LanAsk::Prove { .. } | LanAsk::Code => {}
        }
    }

    fn key_of(&self, desk: usize) -> Option<(DeviceId, PublicKey)> {
        let node = self.desks.get(desk)?;
        Some((node.disk.device, node.secret.public()))
    }

    fn keep(&mut self, mailbox: usize, asker: Asker, batch: &Rc<Signed>) {
        let crash = !self.calm && self.dice.chance(CRASHES);
        if crash && self.dice.chance(500) {
            return self.crash(mailbox);
        }
        let Some((device, key)) = self.key_of(asker.desk) else {
            return;
        };
        let Some(node) = self.desks.get_mut(mailbox) else {
            return;
        };
        let kept = node.disk.keep_batch((device, &key), batch);
        if crash {
            return self.crash(mailbox);
        }
        match kept {
            Ok(new) => {
                self.kept.extend(new.map(|(batch, last)| Kept {
                    mailbox,
                    batch,
                    last,
                }));
                self.counts.kept += 1;
                self.reply(asker, LanReply::Kept);
            }
            Err(_) => self.reply(asker, LanReply::Refused(LanRefused::Malformed)),
        }
        self.news(mailbox);
        self.forward(mailbox, lan::Input::Stored);
    }

    /// Answers every question for news that there is news for.
    pub(super) fn news(&mut self, mailbox: usize) {
        let plant = self.plan.plant;
        let Some(node) = self.desks.get_mut(mailbox) else {
            return;
        };
        if node.held.is_empty() {
            return;
        }
        let held = std::mem::take(&mut node.held);
        for one in held {
            let Some((device, _)) = self.key_of(one.asker.desk) else {
                continue;
            };
            let Some(node) = self.desks.get_mut(mailbox) else {
                return;
            };
            let log = node.disk.log_after(device, one.after, one.words, plant);
            if !log.anew && log.words.is_empty() && log.mark == one.after {
                node.held.push(one);
            } else {
                self.reply(one.asker, LanReply::Log(Box::new(log)));
            }
        }
    }

    fn release(&mut self, mailbox: usize, asker: Asker) {
        let Some(node) = self.desks.get_mut(mailbox) else {
            return;
        };
        let is_it = |one: &Held| (one.asker.desk, one.asker.turn) == (asker.desk, asker.turn);
        let Some(at) = node.held.iter().position(is_it) else {
            return;
        };
        let one = node.held.swap_remove(at);
        let log = Log {
            mark: one.after,
            ..Log::default()
        };
        self.reply(asker, LanReply::Log(Box::new(log)));
    }

    fn reply(&mut self, asker: Asker, reply: LanReply) {
        let is_cut = self
            .desks
            .get(asker.desk)
            .is_none_or(|node| node.lan != Link::Good);
        if is_cut || self.is_lost_in_branch() {
            return;
        }
        let at = self.now + self.lan_latency();
        self.queue
            .put(at, Ev::Lan(LanEv::Answer(asker, Box::new(reply))));
    }

    fn told(&mut self, asker: Asker, reply: LanReply) {
        let plant = self.plan.plant;
        let Some(node) = self.desks.get_mut(asker.desk) else {
            return;
        };
        match reply {
            LanReply::Held(held) => {
                let disk = &node.disk;
                let here = held.into_iter().map(|one| (one, disk.own_held(&one)));
                node.member.given = Some(Given::told(here));
                self.look_at(asker, self.now);
            }
            LanReply::Kept => {
                if let (Some(given), Some((stream, last))) =
                    (&mut node.member.given, node.member.put.take())
                {
                    given.kept(stream, last);
                    if plant == Some(Plant::MailboxReceipts) {
                        node.disk.mark_acked(stream, last);
                    }
                }
                self.look_at(asker, self.now);
            }
            LanReply::Log(log) => {
                // Its storing is not given up half-way.
                let asker = self.turn_of(asker, true);
                let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                self.queue.put(at, Ev::Lan(LanEv::Store(asker, log)));
            }
            _ => self.hang_up(asker),
        }
    }

    fn store_log(&mut self, asker: Asker, log: &Log) {
        for word in &log.words {
            if let Ok(parcel) = STANDARD.decode(&word.parcel)
                && !self.take_words(asker.desk, &parcel, None)
            {
                return;
            }
            if let Some(node) = self.desks.get_mut(asker.desk) {
                node.member.words = node.member.words.max(word.n);
            }
        }
        let crash = !self.calm && self.dice.chance(CRASHES);
        if !(crash && self.dice.chance(500))
            && let Some(node) = self.desks.get_mut(asker.desk)
        {
            let read = std::cell::RefCell::new(&mut self.read);
            let parse =
                |sealed: &suda_sync::SealedEvent| store::parse(&mut read.borrow_mut(), sealed);
            node.disk.save_log(&node.member.asked, log, parse);
            if node.member.epoch != log.epoch {
                // It has let go of what a hub before it had.
                node.member.epoch.clone_from(&log.epoch);
                node.member.given = None;
                self.look_soon(asker.desk, Line::Give);
            }
        }
        if crash {
            return self.crash(asker.desk);
        }
        self.look_at(asker, self.now);
    }

    /// The hub's signed words for a desk, by whatever way they came. `meant_for`
    /// is whose parcel it is when a planted bug has anybody's taken. False when
    /// the desk crashed over them.
    pub(super) fn take_words(
        &mut self,
        desk: usize,
        parcel: &[u8],
        meant_for: Option<usize>,
    ) -> bool {
        let plant = self.plan.plant;
        let Some((device, key)) = self.key_of(meant_for.unwrap_or(desk)) else {
            return true;
        };
        let hub = self.hub.key();
        let Some(words) = store::words(&mut self.words, (device, &key), &hub, parcel) else {
            self.counts.parcels_refused += 1;
            return true;
        };
        let crash = !self.calm && self.dice.chance(CRASHES);
        let Some(node) = self.desks.get_mut(desk) else {
            return true;
        };
        if crash {
            // Between what the words say and what follows from it.
            node.disk.take_words(&words, plant);
            self.crash(desk);
            return false;
        }
        let besides = node.disk.take_words(&words, plant);
        let renewed = besides
            .renewal
            .is_some_and(|renewal| node.disk.take_renewal(&renewal));
        for (stream, from_n) in &besides.forks {
            node.disk.take_fork(*stream, *from_n, plant);
        }
        self.counts.renewals += u64::from(renewed);
        if renewed {
            // By words; its next hello is already another's.
            self.not_to_be_found(desk);
        }
        if renewed || !besides.forks.is_empty() {
            self.look_soon(desk, Line::Give);
            self.feed(desk, None, Input::LocalWrite);
        }
        true
    }

    fn lan_latency(&mut self) -> u64 {
        let slow = if self.calm { 20 } else { LAN_LATENCY_MS.1 };
        self.dice.between(LAN_LATENCY_MS.0, slow)
    }

    fn is_lost_in_branch(&mut self) -> bool {
        !self.calm && self.dice.chance(self.lan_loss)
    }
}

impl Member {
    fn talk(&self, line: Line) -> Talk {
        match line {
            Line::Give => self.give,
            Line::Take => self.take,
        }
    }

    fn talk_mut(&mut self, line: Line) -> &mut Talk {
        match line {
            Line::Give => &mut self.give,
            Line::Take => &mut self.take,
        }
    }

    /// After the program was started again: nothing of before is heard any more.
    pub(super) fn anew(&mut self) {
        let next = |talk: Talk| Talk {
            turn: talk.turn + 1,
            busy: false,
        };
        *self = Self {
            give: next(self.give),
            take: next(self.take),
            ..Self::default()
        };
    }
}
