//! The simulated hub's database and its door: what the real one does with SQL
//! and HTTP, over maps. The judgement is the real one.

mod grounds;
mod parcel;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, Complaint, ComplaintId, DeviceId, EventKey, Fact, Lane, LedgerEvent, Origin,
    ReferenceNumber, StaffId,
};
use suda_sync::hub::contact::{Contact, Greeting};
use suda_sync::hub::judge::{Arrival, Batch, Changes, HeldRecord, Situation, judge};
use suda_sync::hub::pen::Pen;
use suda_sync::lan;
use suda_sync::message::{
    Known, Level, LogEntry, PAGE_ENTRIES, Placed, QuarantineReason, Refused, Watermarks,
};
use suda_sync::place::LaneHead;
use suda_sync::{
    Ask, Hash, Page, Position, PublicKey, Receipt, Reply, Request, SealedEvent, SecretKey, Verdict,
    Welcome,
};

use crate::past::Grounds;
use crate::plant::Plant;
use crate::states::States;
pub use parcel::Way;

#[derive(Clone, Debug)]
pub struct Line {
    pub seq: u64,
    pub branch: BranchCode,
    pub event: Rc<LedgerEvent>,
    pub sealed: SealedEvent,
}

/// A record kept apart.
#[derive(Clone, Debug)]
pub struct Aside {
    pub id: i64,
    pub branch: BranchCode,
    pub key: EventKey,
    pub sealed: SealedEvent,
    pub event: Option<Rc<LedgerEvent>>,
    pub reason: QuarantineReason,
    pub open: bool,
    pub grounds: Grounds,
}

#[derive(Clone, Debug)]
pub struct DeviceAt {
    pub branch: BranchCode,
    pub incarnation: u32,
    key: PublicKey,
    contacts: BTreeMap<u32, Contact>,
}

#[derive(Clone, Debug)]
pub struct HubDisk {
    pub epoch: String,
    secret: SecretKey,
    pub device: DeviceId,
    pub incarnation: u32,
    pub devices: BTreeMap<DeviceId, DeviceAt>,
    letters: BTreeMap<BranchCode, u32>,
    pub staff: HashMap<StaffId, StaffRecord>,
    pub log: Vec<Line>,
    known: HashMap<EventKey, Hash>,
    origins: HashSet<Origin>,
    heads: HashMap<(DeviceId, u32, Lane), LaneHead>,
    pub complaints: States,
    references: HashMap<ReferenceNumber, ComplaintId>,
    pub aside: Vec<Aside>,
    /// Of forwarded batches those that need not come again.
    judged: HashSet<lan::Batch>,
}

/// Who is asked, and which mistake is planted in them.
#[derive(Clone, Copy, Debug)]
pub struct Answering {
    pub now: DateTime<Utc>,
    pub plant: Option<Plant>,
}

impl HubDisk {
    pub fn new(device: DeviceId, secret: SecretKey, staff: Vec<StaffRecord>) -> Self {
        Self {
            secret,
            epoch: "1".to_owned(),
            device,
            incarnation: 1,
            devices: BTreeMap::new(),
            letters: BTreeMap::new(),
            staff: staff.into_iter().map(|one| (one.id, one)).collect(),
            log: Vec::new(),
            known: HashMap::new(),
            origins: HashSet::new(),
            heads: HashMap::new(),
            complaints: States::default(),
            references: HashMap::new(),
            aside: Vec::new(),
            judged: HashSet::new(),
        }
    }

    /// Gives a new desk of `branch` its letter.
    pub fn enrol(&mut self, device: DeviceId, key: PublicKey, branch: BranchCode) -> String {
        let at = DeviceAt {
            key,
            branch: branch.clone(),
            incarnation: 1,
            contacts: BTreeMap::new(),
        };
        self.devices.insert(device, at);
        self.next_letter(&branch)
    }

    fn next_letter(&mut self, branch: &BranchCode) -> String {
        let given = self.letters.entry(branch.clone()).or_insert(0);
        let index = *given;
        *given += 1;
        let letter = |index: u32| char::from(b'A' + u8::try_from(index % 26).unwrap_or_default());
        match index / 26 {
            0 => letter(index).to_string(),
            tens => format!("{}{}", letter(tens - 1), letter(index)),
        }
    }

    /// Put back from a backup: another epoch, and numbers of its own that were
    /// never given.
    pub fn put_back(&mut self, epoch: String, incarnation: u32, plant: Option<Plant>) {
        if plant != Some(Plant::EpochKept) {
            self.epoch = epoch;
        }
        self.incarnation = incarnation;
    }

    pub fn answer(&mut self, request: &Request, at: Answering) -> Reply {
        match self.admitted(request, at) {
            Ok(reply) => reply,
            Err(refused) => Reply::Refused(refused),
        }
    }

    fn admitted(&mut self, request: &Request, at: Answering) -> Result<Reply, Refused> {
        let id = request.device;
        let device = self.devices.get_mut(&id).ok_or(Refused::UnknownDevice)?;
        if let Ask::Hello(position) = &request.ask {
            return self.hello(id, request.incarnation, position, at);
        }
        let contact = device.contacts.entry(request.incarnation).or_default();
        let session = request
            .session
            .as_deref()
            .and_then(|token| session_number(token, &self.epoch));
        match session {
            Some(number) if contact.holds(number) => contact.used = true,
            _ => return Err(Refused::SessionExpired),
        }
        let branch = device.branch.clone();
        match &request.ask {
            Ask::Batch {
                lane,
                first_n,
                events,
                incarnation,
                rekeys,
                known,
            } => Ok(self.batch(
                Batch {
                    device: id,
                    incarnation: incarnation.unwrap_or(request.incarnation),
                    branch,
                    lane: *lane,
                    first_n: *first_n,
                    arrivals: events.iter().cloned().map(Arrival::read).collect(),
                    rekeys: *rekeys,
                    again: Vec::new(),
                    now: at.now,
                    mono_ms: 0,
                },
                *known,
                at,
            )),
            Ask::Look { cursor, .. } => Ok(Reply::changed(self.has_after(&branch, *cursor))),
            Ask::Pull {
                cursor, limit, own, ..
            } => Ok(self.page(
                &branch,
                (id, request.incarnation),
                *cursor,
                *limit as usize,
                own.unwrap_or_default(),
                at,
            )),
            Ask::Forward { parcel } => {
                let parcel = STANDARD.decode(parcel).map_err(|_| Refused::Malformed)?;
                let taken = self.take_parcel(&parcel, Way::Forwarded(&branch), at);
                let judged = taken.map_err(|_| Refused::NotTaken)?;
                self.judged.extend(judged.batches);
                Ok(Reply::Forwarded {
                    receipts: STANDARD.encode(judged.words),
                })
            }
            Ask::Hello(_)
            | Ask::Watch { .. }
            | Ask::Evidence { .. }
            | Ask::Statistics { .. }
            | Ask::Model { .. }
            | Ask::Compare { .. }
            | Ask::Twins { .. } => Err(Refused::Malformed),
        }
    }

    fn hello(
        &mut self,
        id: DeviceId,
        incarnation: u32,
        position: &Position,
        at: Answering,
    ) -> Result<Reply, Refused> {
        let same_epoch = position.epoch.as_ref() == Some(&self.epoch);
        let device = self.devices.get_mut(&id).ok_or(Refused::UnknownDevice)?;
        device.incarnation = incarnation.max(device.incarnation);
        let contact = device.contacts.entry(incarnation).or_default();
        let shown = position
            .contact
            .as_deref()
            .and_then(|token| session_number(token, &self.epoch))
            .unwrap_or_default();
        match contact.greet(position.renewal, shown, same_epoch) {
            Greeting::Renew => {
                device.incarnation += 1;
                let incarnation = device.incarnation;
                let branch = device.branch.clone();
                let letter = self.next_letter(&branch);
                Err(Refused::Renew {
                    incarnation,
                    letter,
                })
            }
            Greeting::Welcome {
                session,
                contact: next,
            } => {
                *contact = next;
                let heads = |incarnation| Lane::ALL.map(|lane| self.head(id, incarnation, lane));
                let watermarks = |incarnation| heads(incarnation).map(|head| head.n);
                let hashes = |incarnation, acked: [u64; 4]| {
                    Lane::ALL.map(|lane| {
                        let key = EventKey {
                            device: id,
                            incarnation,
                            lane,
                            n: acked[lane.index()].min(self.head(id, incarnation, lane).n),
                        };
                        self.known.get(&key).copied()
                    })
                };
                Ok(Reply::Welcome(Welcome {
                    session: format!("{}.{session}", self.epoch),
                    epoch: self.epoch.clone(),
                    watermarks: watermarks(incarnation),
                    hashes: hashes(incarnation, position.acked),
                    earlier: position
                        .earlier
                        .iter()
                        .map(|earlier| Watermarks {
                            incarnation: earlier.incarnation,
                            watermarks: watermarks(earlier.incarnation),
                            hashes: hashes(earlier.incarnation, earlier.acked),
                        })
                        .collect(),
                    allowance: None,
                    now: at.now,
                }))
            }
        }
    }

    pub fn key(&self) -> PublicKey {
        self.secret.public()
    }

    pub fn has_judged(&self, batch: &lan::Batch) -> bool {
        self.judged.contains(batch)
    }

    /// The hash of what is stored under a key, in the ledger or set aside.
    pub fn known(&self, key: &EventKey) -> Option<Hash> {
        self.known.get(key).copied()
    }

    pub fn head(&self, device: DeviceId, incarnation: u32, lane: Lane) -> LaneHead {
        self.heads
            .get(&(device, incarnation, lane))
            .copied()
            .unwrap_or(LaneHead::EMPTY)
    }

    fn batch(&mut self, batch: Batch, known: Option<Known>, at: Answering) -> Reply {
        let verdicts = self.ingest(&batch, at);
        let watermarks = Lane::ALL.map(|lane| self.head(batch.device, batch.incarnation, lane).n);
        let all_taken = verdicts
            .iter()
            .all(|verdict| matches!(verdict, Verdict::Applied | Verdict::Duplicate));
        let level = known.filter(|_| all_taken).and_then(|known| {
            let own = (batch.device, batch.incarnation);
            let limit = PAGE_ENTRIES as usize;
            let reply = self.page(&batch.branch, own, known.cursor, limit, known.own, at);
            let Reply::Page(page) = reply else {
                return None;
            };
            (page.entries.is_empty() && !page.more).then_some(Level {
                cursor: page.cursor,
                placed: page.placed,
            })
        });
        Reply::Receipt(Receipt {
            device: batch.device,
            incarnation: batch.incarnation,
            epoch: self.epoch.clone(),
            watermarks,
            lane: batch.lane,
            first_n: batch.first_n,
            verdicts,
            allowance: None,
            level,
            at: at.now,
        })
    }

    fn ingest(&mut self, batch: &Batch, at: Answering) -> Vec<Verdict> {
        let mut batch = batch.clone();
        let situation = self.situation(&mut batch, at.plant);
        let mut pen = self.pen(at.now);
        let Ok(judgement) = judge(&batch, situation, &mut pen) else {
            return Vec::new();
        };
        let blocks = at.plant == Some(Plant::BadRecordBlocks)
            && judgement
                .verdicts
                .iter()
                .any(|verdict| matches!(verdict, Verdict::Quarantined { .. }));
        if !blocks {
            let grounds = self.grounds(&batch, &judgement);
            let read = batch
                .arrivals
                .into_iter()
                .filter_map(|arrival| Some((arrival.sealed.hash, arrival.event?)));
            self.store(&judgement.changes, read.collect(), grounds);
        }
        judgement.verdicts
    }

    fn situation(&self, batch: &mut Batch, plant: Option<Plant>) -> Situation {
        let ids = batch.complaints();
        let mut head = self.head(batch.device, batch.incarnation, batch.lane);
        let key = |n| EventKey {
            device: batch.device,
            incarnation: batch.incarnation,
            lane: batch.lane,
            n,
        };
        let numbers = batch.first_n..=batch.last_n();
        let mut known: HashMap<u64, Hash> = numbers
            .filter_map(|n| Some((n, *self.known.get(&key(n))?)))
            .collect();
        if plant == Some(Plant::NoDedupe) && batch.first_n <= head.n {
            known.clear();
            head = LaneHead {
                n: batch.first_n - 1,
                hash: batch.arrivals.first().map_or(head.hash, |a| a.sealed.prev),
            };
        }
        let complaints: HashMap<ComplaintId, Arc<Complaint>> = ids
            .iter()
            .filter_map(|id| Some((*id, Arc::new(self.complaints.get(id)?.clone()))))
            .collect();
        if plant == Some(Plant::NoFence) {
            for event in batch.arrivals.iter_mut().filter_map(|a| a.event.as_mut()) {
                if let Some(known) = complaints.get(&event.complaint) {
                    event.owner_no = known.owner_no;
                }
            }
        }
        if plant == Some(Plant::GoodRefused) {
            let few = |arrival: &&mut Arrival| arrival.sealed.hash.0[0] < 16;
            for arrival in batch.arrivals.iter_mut().filter(few) {
                if let Some(event) = &mut arrival.event {
                    event.actor.staff = None;
                }
            }
        }
        let references = batch
            .references()
            .into_iter()
            .filter_map(|reference| Some((reference.clone(), *self.references.get(&reference)?)))
            .collect();
        let held: Vec<HeldRecord> = self
            .aside
            .iter()
            .filter(|aside| aside.open && aside.reason.waits())
            .filter_map(|aside| {
                let event = aside.event.as_ref()?;
                ids.contains(&event.complaint).then(|| HeldRecord {
                    id: aside.id,
                    branch: aside.branch.clone(),
                    event: (**event).clone(),
                    sealed: aside.sealed.clone(),
                })
            })
            .filter(|_| plant != Some(Plant::HeldForEver))
            .collect();
        let arrived = batch
            .origins()
            .into_iter()
            .filter(|origin| {
                let first = self.known.get(&origin.key);
                first.is_some_and(|hash| hash.to_string() == origin.hash)
                    || self.origins.contains(origin)
            })
            .collect();
        let held_by = held.iter().filter_map(|record| record.event.actor.staff);
        let staff = batch
            .staff()
            .into_iter()
            .chain(held_by)
            .filter_map(|id| Some((id, self.staff.get(&id)?.clone())))
            .collect();
        Situation {
            lines: Arc::default(),
            head,
            known,
            complaints,
            references,
            staff,
            held,
            arrived,
        }
    }

    fn pen(&self, now: DateTime<Utc>) -> Pen {
        Pen {
            device: self.device,
            incarnation: self.incarnation,
            head: self.head(self.device, self.incarnation, Pen::LANE),
            now,
            mono_ms: 0,
        }
    }

    /// `read` holds events of the changes by their hashes, as they were read, and
    /// `grounds` what was known when records were refused.
    fn store(
        &mut self,
        changes: &Changes,
        mut read: HashMap<Hash, LedgerEvent>,
        mut grounds: HashMap<EventKey, Grounds>,
    ) {
        for entry in &changes.entries {
            let event = read.remove(&entry.sealed.hash);
            let Some(event) = event.or_else(|| entry.sealed.open().ok()) else {
                continue;
            };
            let seq = self.log.len() as u64 + 1;
            self.known.insert(entry.key, entry.sealed.hash);
            self.log.push(Line {
                seq,
                branch: entry.branch.clone(),
                event: Rc::new(event),
                sealed: entry.sealed.clone(),
            });
        }
        self.origins.extend(changes.origins.iter().cloned());
        for case in &changes.cases {
            let complaint = &case.complaint;
            self.references
                .insert(complaint.reference.clone(), complaint.id);
            self.complaints
                .insert(complaint.id, complaint.as_ref().clone());
        }
        for record in &changes.set_aside {
            self.known.insert(record.key, record.sealed.hash);
            let event: Option<LedgerEvent> = serde_json::from_str(record.sealed.body.get()).ok();
            self.aside.push(Aside {
                id: self.aside.len() as i64,
                branch: record.branch.clone(),
                key: record.key,
                sealed: record.sealed.clone(),
                event: event.map(Rc::new),
                reason: record.reason,
                open: record.reason != QuarantineReason::Repeated,
                grounds: grounds.remove(&record.key).unwrap_or_default(),
            });
        }
        for head in &changes.heads {
            self.heads
                .insert((head.device, head.incarnation, head.lane), head.head);
        }
        for id in &changes.released {
            if let Some(aside) = self.aside.iter_mut().find(|aside| aside.id == *id) {
                aside.open = false;
            }
        }
    }

    fn page(
        &self,
        branch: &BranchCode,
        (device, incarnation): (DeviceId, u32),
        cursor: u64,
        limit: usize,
        own: [u64; 4],
        at: Answering,
    ) -> Reply {
        let begin = usize::try_from(cursor)
            .unwrap_or(usize::MAX)
            .min(self.log.len());
        let mut entries = Vec::new();
        let mut held = Vec::new();
        let mut last = cursor;
        let mut more = false;
        for line in self.log.iter().skip(begin) {
            if line.branch != *branch {
                continue;
            }
            if entries.len() + held.len() == limit {
                more = true;
                break;
            }
            last = line.seq;
            let key = line.event.key;
            let is_held = (key.device, key.incarnation) == (device, incarnation)
                && key.n <= own[key.lane.index()];
            if is_held {
                held.push((key.lane, key.n, line.seq));
            } else {
                entries.push(LogEntry {
                    seq: line.seq,
                    event: line.sealed.clone(),
                });
            }
        }
        if at.plant == Some(Plant::CursorAhead) {
            last = self.log.len() as u64;
            more = false;
        }
        Reply::Page(Page {
            epoch: self.epoch.clone(),
            entries,
            cursor: last,
            more,
            directory: None,
            set_aside: None,
            placed: Placed::runs(held),
            now: at.now,
        })
    }

    pub fn has_after(&self, branch: &BranchCode, cursor: u64) -> bool {
        let begin = usize::try_from(cursor)
            .unwrap_or(usize::MAX)
            .min(self.log.len());
        self.log
            .iter()
            .skip(begin)
            .any(|line| line.branch == *branch)
    }

    /// A step of somebody at the centre, if the rules allow it.
    pub fn write(
        &mut self,
        id: ComplaintId,
        actor: &Actor,
        fact: Fact,
        mark: u64,
        now: DateTime<Utc>,
    ) -> bool {
        let Some(complaint) = self.complaints.get(&id) else {
            return false;
        };
        let mut after = complaint.clone();
        let mut pen = self.pen(now);
        pen.mono_ms = mark;
        let Ok(entry) = pen.write(&mut after, actor, fact) else {
            return false;
        };
        let changes = Changes {
            entries: vec![entry],
            cases: vec![suda_sync::hub::judge::Case::new(None, Arc::new(after))],
            heads: vec![suda_sync::hub::judge::Head {
                device: pen.device,
                incarnation: pen.incarnation,
                lane: Pen::LANE,
                head: pen.head,
            }],
            ..Changes::default()
        };
        self.store(&changes, HashMap::new(), HashMap::new());
        true
    }
}

/// The number of a session of this epoch.
fn session_number(token: &str, epoch: &str) -> Option<u64> {
    let (of, number) = token.split_once('.')?;
    (of == epoch).then(|| number.parse().ok())?
}
