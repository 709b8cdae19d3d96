//! A simulated desk's database: what survives a crash. Each method is one
//! transaction, as in the real store.

mod branch;
mod parcels;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use suda_domain::{
    Actor, BranchCode, ComplaintId, DeviceId, EventKey, Fact, Lane, LedgerEvent, Origin,
    ReferenceNumber, Stamp,
};
use suda_sync::desk::{Standing, Stream, agreed};
use suda_sync::lan::Mark;
use suda_sync::message::{Earlier, Renewal, Watermarks};
use suda_sync::place::LaneHead;
use suda_sync::rekey::rekey;
use suda_sync::{Hash, Page, Position, Receipt, SealedEvent, Welcome, fold};

use crate::past::Name;
use crate::plant::Plant;
use crate::states::States;
pub use branch::Custody;

/// Where an event stands in the hub's order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Not heard of from the hub.
    Waiting,
    Log(u64),
    /// The hub had it, and was put back to before it.
    Forgotten,
}

#[derive(Clone, Debug)]
pub struct Kept {
    pub event: Rc<LedgerEvent>,
    pub sealed: SealedEvent,
    pub own: bool,
    pub place: Place,
    /// In the log of the branch's mailbox.
    lan_seq: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct DeskDisk {
    pub device: DeviceId,
    pub branch: BranchCode,
    pub incarnation: u32,
    pub letter: String,
    running: u32,
    pub events: Vec<Kept>,
    by_key: HashMap<EventKey, usize>,
    of_complaint: HashMap<ComplaintId, Vec<usize>>,
    heads: HashMap<(u32, Lane), LaneHead>,
    acked: BTreeMap<u32, [u64; 4]>,
    epoch: Option<String>,
    contact: Option<String>,
    pub cursor: u64,
    /// The hub was put back, and its log is being read again.
    forgot: bool,
    pub states: States,
    /// As the mailbox of its branch: what it keeps for the others.
    pub custody: Custody,
    /// How far the mailbox's log is stored here.
    pub mark: Option<Mark>,
    /// This desk is the mailbox of its branch.
    pub serves: bool,
    /// Of the mailbox's log what got another place at the hub since it came.
    again: Vec<usize>,
}

/// An entry of a page has the number of another event written here.
#[derive(Debug)]
pub struct Conflict;

/// When and by whom something is written. `mark` is unique in a run: it names
/// the event whatever numbers it gets later.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub wall: DateTime<Utc>,
    pub mark: u64,
    pub actor: &'a Actor,
}

impl DeskDisk {
    pub fn new(device: DeviceId, branch: BranchCode, letter: String) -> Self {
        Self {
            device,
            branch,
            incarnation: 1,
            letter,
            running: 0,
            events: Vec::new(),
            by_key: HashMap::new(),
            of_complaint: HashMap::new(),
            heads: HashMap::new(),
            acked: BTreeMap::new(),
            epoch: None,
            contact: None,
            cursor: 0,
            forgot: false,
            states: States::default(),
            custody: Custody::default(),
            mark: None,
            serves: false,
            again: Vec::new(),
        }
    }

    pub fn next_reference(&mut self, wall: DateTime<Utc>) -> Option<ReferenceNumber> {
        self.running += 1;
        let day = wall.date_naive();
        ReferenceNumber::compose(&self.branch, day, &self.letter, self.running).ok()
    }

    fn head(&self, incarnation: u32, lane: Lane) -> LaneHead {
        self.heads
            .get(&(incarnation, lane))
            .copied()
            .unwrap_or(LaneHead::EMPTY)
    }

    /// The events that make this desk's view of a complaint.
    pub fn past(&self, id: ComplaintId) -> Vec<Name> {
        let counts = |kept: &&Kept| kept.place != Place::Forgotten;
        let counted = self.kept_of(id).filter(counts);
        counted.map(|kept| Name::of(&kept.event)).collect()
    }

    pub fn ordinary_n(&self) -> u64 {
        self.head(self.incarnation, Lane::Ordinary).n
    }

    /// Writes one fact, if the rules allow it.
    pub fn write(
        &mut self,
        complaint: ComplaintId,
        lane: Lane,
        fact: Fact,
        moment: Moment<'_>,
    ) -> bool {
        let mut state = self.states.get(&complaint).cloned();
        let allowed = match &state {
            Some(known) => known.admit(moment.actor, &fact).is_ok(),
            None => matches!(fact, Fact::Recorded { .. }),
        };
        if !allowed {
            return false;
        }
        let head = self.head(self.incarnation, lane);
        let event = LedgerEvent {
            key: EventKey {
                device: self.device,
                incarnation: self.incarnation,
                lane,
                n: head.n + 1,
            },
            complaint,
            owner_no: state.as_ref().map_or(1, |known| known.owner_no),
            at: Stamp {
                wall: moment.wall,
                mono_ms: moment.mark,
                hub_offset_ms: None,
                offset_age_s: None,
            },
            actor: moment.actor.clone(),
            fact,
            origin: None,
        };
        let Ok(sealed) = SealedEvent::seal(&event, head.hash) else {
            return false;
        };
        if fold::apply(&mut state, &event).is_err() {
            return false;
        }
        self.keep(Rc::new(event), sealed, true, Place::Waiting);
        if let Some(state) = state {
            self.states.insert(complaint, state);
        }
        true
    }

    fn keep(&mut self, event: Rc<LedgerEvent>, sealed: SealedEvent, own: bool, place: Place) {
        let at = self.events.len();
        let key = event.key;
        self.by_key.insert(key, at);
        self.of_complaint
            .entry(event.complaint)
            .or_default()
            .push(at);
        if own {
            let head = self
                .heads
                .entry((key.incarnation, key.lane))
                .or_insert(LaneHead::EMPTY);
            if key.n > head.n {
                *head = LaneHead {
                    n: key.n,
                    hash: sealed.hash,
                };
            }
        }
        self.events.push(Kept {
            event,
            sealed,
            own,
            place,
            lan_seq: None,
        });
    }

    pub fn standing(&self) -> Standing {
        let written = |incarnation| Lane::ALL.map(|lane| self.head(incarnation, lane).n);
        let acked = |incarnation| self.acked.get(&incarnation).copied().unwrap_or_default();
        Standing {
            incarnation: self.incarnation,
            position: Position {
                written: written(self.incarnation),
                acked: acked(self.incarnation),
                cursor: self.cursor,
                epoch: self.epoch.clone(),
                contact: self.contact.clone(),
                letter: Some(self.letter.clone()),
                earlier: (1..self.incarnation)
                    .map(|incarnation| Earlier {
                        incarnation,
                        written: written(incarnation),
                        acked: acked(incarnation),
                    })
                    .filter(|earlier| earlier.written != [0; 4])
                    .collect(),
                renewal: Renewal::Ready,
                ..Position::default()
            },
        }
    }

    pub fn load(&self, stream: Stream, after: u64, max_events: usize) -> Vec<SealedEvent> {
        let last = self.head(stream.incarnation, stream.lane).n;
        let key = |n| EventKey {
            device: self.device,
            incarnation: stream.incarnation,
            lane: stream.lane,
            n,
        };
        (after + 1..=last)
            .take(max_events)
            .map_while(|n| self.by_key.get(&key(n)))
            .filter_map(|at| self.events.get(*at))
            .map(|kept| kept.sealed.clone())
            .collect()
    }

    pub fn save_welcome(&mut self, welcome: &Welcome, cursor: u64, plant: Option<Plant>) {
        if self.epoch.as_ref() != Some(&welcome.epoch) {
            self.forgot = true;
            self.custody.forget_streams();
            // What the branch still tells of is heard again.
            self.mark = None;
            for at in 0..self.events.len() {
                let Some(kept) = self.events.get_mut(at) else {
                    continue;
                };
                let before = kept.place;
                kept.place = match before {
                    Place::Log(_) | Place::Forgotten if !kept.own => Place::Forgotten,
                    _ => Place::Waiting,
                };
                if kept.own && before != kept.place {
                    self.tell_again(at);
                }
            }
        }
        self.epoch = Some(welcome.epoch.clone());
        self.contact = Some(welcome.session.clone());
        self.cursor = cursor;
        let told = welcome.earlier.iter().copied().chain([Watermarks {
            incarnation: self.incarnation,
            watermarks: welcome.watermarks,
            hashes: welcome.hashes,
        }]);
        for told in told {
            let acked = Lane::ALL.map(|lane| {
                let n = told.watermarks[lane.index()];
                let mine = self
                    .acked
                    .get(&told.incarnation)
                    .copied()
                    .unwrap_or_default();
                let mine = match plant {
                    Some(Plant::HigherWatermark) => mine[lane.index()].max(n),
                    _ => mine[lane.index()],
                };
                let theirs = match plant {
                    Some(Plant::HigherWatermark) => mine,
                    _ => n,
                };
                let here = self.own_at(told.incarnation, lane, mine.min(theirs));
                agreed(mine, (theirs, told.hashes[lane.index()]), here, 0)
            });
            self.acked.insert(told.incarnation, acked);
        }
    }

    pub fn save_receipt(&mut self, receipt: &Receipt, plant: Option<Plant>) {
        self.acked.insert(receipt.incarnation, receipt.watermarks);
        if plant == Some(Plant::SentDeleted) {
            let upto = receipt.watermarks[receipt.lane.index()];
            self.by_key.retain(|key, _| {
                key.device != self.device
                    || (key.incarnation, key.lane) != (receipt.incarnation, receipt.lane)
                    || key.n > upto
            });
        }
    }

    fn kept(&self, key: &EventKey) -> Option<&Kept> {
        self.events.get(*self.by_key.get(key)?)
    }

    fn own_at(&self, incarnation: u32, lane: Lane, n: u64) -> Option<Hash> {
        let key = EventKey {
            device: self.device,
            incarnation,
            lane,
            n,
        };
        let kept = self.kept(&key)?;
        kept.own.then_some(kept.sealed.hash)
    }

    pub fn mark_acked(&mut self, stream: Stream, upto: u64) {
        self.acked.entry(stream.incarnation).or_default()[stream.lane.index()] = upto;
    }

    pub fn save_cursor(&mut self, cursor: u64) {
        self.cursor = cursor;
    }

    pub fn save_page(
        &mut self,
        page: &Page,
        read: impl Fn(&SealedEvent) -> Option<Rc<LedgerEvent>>,
        plant: Option<Plant>,
    ) -> Result<(), Conflict> {
        let entries: Vec<_> = page
            .entries
            .iter()
            .filter_map(|entry| Some((entry.seq, read(&entry.event)?, &entry.event)))
            .collect();
        let meets = |(_, event, sealed): &(u64, Rc<LedgerEvent>, &SealedEvent)| {
            let here = self.kept(&event.key);
            let before = EventKey {
                n: event.key.n.saturating_sub(1),
                ..event.key
            };
            // Behind another past: the event before it was set aside at the hub.
            let behind = here.is_none()
                && self
                    .kept(&before)
                    .is_some_and(|kept| kept.own && kept.sealed.hash != sealed.prev);
            behind || here.is_some_and(|kept| kept.own && kept.sealed.hash != sealed.hash)
        };
        if entries.iter().any(meets) || self.leaves_a_gap(entries.iter().map(|(_, event, _)| event))
        {
            return Err(Conflict);
        }
        for run in &page.placed {
            for step in 0..run.count {
                let key = EventKey {
                    device: self.device,
                    incarnation: self.incarnation,
                    lane: run.lane,
                    n: run.first_n + step,
                };
                self.place_own(key, run.first_seq + step);
            }
        }
        for (seq, event, sealed) in entries {
            let id = event.complaint;
            if (event.key.device, event.key.incarnation) == (self.device, self.incarnation) {
                self.take_back(&event.key);
            }
            self.give_way(&event);
            self.first_name_holds(&event, sealed.hash);
            self.drop_other(&event.key, sealed.hash);
            let known = self.by_key.contains_key(&event.key) && plant != Some(Plant::NoKnownCheck);
            let waits = self.has_later(id, seq);
            if known {
                self.place(event.key, seq);
            } else {
                // Those of an earlier incarnation that are not here were written
                // by a copy, or before a roll-back: the hub has them.
                let own =
                    (event.key.device, event.key.incarnation) == (self.device, self.incarnation);
                self.keep(Rc::clone(&event), sealed.clone(), own, Place::Log(seq));
            }
            if plant != Some(Plant::LocalOrder) && (known || waits) {
                self.refold(id);
            } else {
                let mut state = self.states.remove(&id);
                fold::apply(&mut state, &event).ok();
                if let Some(state) = state {
                    self.states.insert(id, state);
                }
            }
        }
        if self.forgot && !page.more {
            self.forgot = false;
            self.refold_forgotten();
        }
        self.cursor = page.cursor;
        self.epoch = Some(page.epoch.clone());
        Ok(())
    }

    /// Whether events of this incarnation come whose predecessor is not here: the
    /// hub has it set aside, and tells of it no more.
    fn leaves_a_gap<'a>(&self, events: impl Iterator<Item = &'a Rc<LedgerEvent>>) -> bool {
        let mut heads = Lane::ALL.map(|lane| self.head(self.incarnation, lane).n);
        for key in events.map(|event| event.key) {
            let head = &mut heads[key.lane.index()];
            if (key.device, key.incarnation) == (self.device, self.incarnation) {
                if key.n > *head + 1 {
                    return true;
                }
                *head = key.n.max(*head);
            }
        }
        false
    }

    /// One of this incarnation that is not here: written before a roll-back.
    /// The hub has it and all before it.
    fn take_back(&mut self, key: &EventKey) {
        if !self.by_key.contains_key(key) {
            let acked = self.acked.entry(key.incarnation).or_default();
            let acked = &mut acked[key.lane.index()];
            *acked = key.n.max(*acked);
        }
    }

    /// What another copy of this database has brought under a new number is
    /// here already, under the first or a number of this one's own.
    fn give_way(&mut self, event: &LedgerEvent) {
        let Some(origin) = &event.origin else { return };
        let same = |kept: &&mut Kept| {
            let here = &kept.event;
            here.key != event.key
                && (here.origin.as_ref() == Some(origin)
                    || (here.key == origin.key && kept.sealed.hash.to_string() == origin.hash))
        };
        for kept in self.events.iter_mut().filter(same) {
            kept.place = Place::Forgotten;
        }
    }

    /// The hub has an event under its first number: the one it was given since, here
    /// or at its desk, has no effect any more.
    fn first_name_holds(&mut self, event: &LedgerEvent, hash: Hash) -> bool {
        let mut gave_way = false;
        let places = self.of_complaint.get(&event.complaint);
        for at in places.into_iter().flatten() {
            let Some(kept) = self.events.get_mut(*at) else {
                continue;
            };
            let origin = kept.event.origin.as_ref();
            let is_it = |first: &Origin| first.key == event.key && first.hash == hash.to_string();
            if origin.is_some_and(is_it) && kept.place == Place::Waiting {
                kept.place = Place::Forgotten;
                gave_way = true;
            }
        }
        gave_way
    }

    /// Another desk's event that a hub put back from a backup has since heard
    /// otherwise is no more.
    fn drop_other(&mut self, key: &EventKey, hash: Hash) {
        let Some(at) = self.by_key.get(key).copied() else {
            return;
        };
        let Some(kept) = self.events.get_mut(at) else {
            return;
        };
        if kept.sealed.hash == hash {
            return;
        }
        kept.place = Place::Forgotten;
        let id = kept.event.complaint;
        self.by_key.remove(key);
        self.refold(id);
    }

    /// The branch may have had another order than the one in which it was written,
    /// or others' steps that the hub has not placed.
    fn place_own(&mut self, key: EventKey, seq: u64) {
        self.place(key, seq);
        let Some(kept) = self.kept(&key) else {
            return;
        };
        let id = kept.event.complaint;
        let of_branch = |other: &Kept| !other.own && other.place == Place::Waiting;
        if kept.lan_seq.is_some() || self.kept_of(id).any(of_branch) {
            self.refold(id);
        }
    }

    fn place(&mut self, key: EventKey, seq: u64) {
        let Some(at) = self.by_key.get(&key).copied() else {
            return;
        };
        if let Some(kept) = self.events.get_mut(at)
            && kept.place != Place::Log(seq)
        {
            kept.place = Place::Log(seq);
            self.tell_again(at);
        }
    }

    /// Whether something of the complaint that is here stands behind `seq` in
    /// the hub's order, or has no place there yet. What the packet covers makes
    /// no difference wherever it stands.
    fn has_later(&self, id: ComplaintId, seq: u64) -> bool {
        let covered = self.states.get(&id).and_then(|state| state.covered);
        self.kept_of(id).any(|kept| {
            let key = kept.event.key;
            let is_covered = covered.is_some_and(|covered| {
                key.lane == Lane::Ordinary
                    && (covered.device, covered.incarnation) == (key.device, key.incarnation)
                    && key.n <= covered.upto_n
            });
            !is_covered && !matches!(kept.place, Place::Log(at) if at < seq)
        })
    }

    fn kept_of(&self, id: ComplaintId) -> impl Iterator<Item = &Kept> {
        let places = self.of_complaint.get(&id).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.events.get(*at))
    }

    fn refold_forgotten(&mut self) {
        let forgotten = |kept: &&Kept| kept.place == Place::Forgotten;
        let ids: BTreeSet<ComplaintId> = self
            .events
            .iter()
            .filter(forgotten)
            .map(|kept| kept.event.complaint)
            .collect();
        for id in ids {
            self.refold(id);
        }
    }

    fn refold(&mut self, id: ComplaintId) {
        let events: Vec<fold::Standing<Rc<LedgerEvent>>> = self
            .kept_of(id)
            .filter(|kept| kept.place != Place::Forgotten)
            .map(|kept| {
                let seq = match kept.place {
                    Place::Log(seq) => Some(seq),
                    Place::Waiting | Place::Forgotten => kept.lan_seq.map(fold::behind_the_hub),
                };
                fold::Standing {
                    seq,
                    own: kept.own,
                    event: Rc::clone(&kept.event),
                }
            })
            .collect();
        match fold::refold(&events) {
            Some(state) => self.states.insert(id, state),
            None => drop(self.states.remove(&id)),
        }
    }

    pub fn renew(&mut self, incarnation: u32, letter: &str) {
        self.incarnation = incarnation;
        // The hub has not spoken to this incarnation yet.
        self.contact = None;
        letter.clone_into(&mut self.letter);
    }

    pub fn rekey(&mut self, stream: Stream, from_n: u64, plant: Option<Plant>) {
        let last = self.head(stream.incarnation, stream.lane).n;
        let device = self.device;
        let key = |n| EventKey {
            device,
            incarnation: stream.incarnation,
            lane: stream.lane,
            n,
        };
        let places: Vec<usize> = (from_n..=last)
            .filter_map(|n| self.by_key.get(&key(n)).copied())
            .collect();
        let events: Vec<(LedgerEvent, Hash)> = places
            .iter()
            .filter_map(|at| self.events.get(*at))
            .map(|kept| ((*kept.event).clone(), kept.sealed.hash))
            .collect();
        let mut head = self.head(self.incarnation, stream.lane);
        let Ok(rekeyed) = rekey(events, self.incarnation, &mut head) else {
            return;
        };
        for (at, new) in places.into_iter().zip(rekeyed) {
            self.by_key.remove(&new.was);
            if plant == Some(Plant::RekeyDrops) {
                continue;
            }
            self.by_key.insert(new.event.key, at);
            if let Some(kept) = self.events.get_mut(at) {
                kept.event = Rc::new(new.event);
                kept.sealed = new.sealed;
                kept.place = Place::Waiting;
            }
            self.tell_again(at);
        }
        if plant != Some(Plant::RekeyDrops) {
            self.heads.insert((self.incarnation, stream.lane), head);
        }
        let before = self.by_key.get(&key(from_n - 1));
        let hash = before
            .and_then(|at| self.events.get(*at))
            .map_or(LaneHead::EMPTY.hash, |kept| kept.sealed.hash);
        let head = LaneHead {
            n: from_n - 1,
            hash,
        };
        self.heads.insert((stream.incarnation, stream.lane), head);
        let touched: Vec<ComplaintId> = self.states.keys().copied().collect();
        for id in touched {
            if self.has_later(id, u64::MAX) {
                self.refold(id);
            }
        }
    }

    /// How far each incarnation counts as received, by lane.
    pub fn acked(&self) -> impl Iterator<Item = (u32, [u64; 4])> {
        self.acked.iter().map(|(of, acked)| (*of, *acked))
    }

    /// The hub was put back, and what it has forgotten is not settled yet.
    pub fn reads_again(&self) -> bool {
        self.forgot
    }

    pub fn epoch(&self) -> Option<&str> {
        self.epoch.as_deref()
    }
}
