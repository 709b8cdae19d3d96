//! The herd's hub: a door that reads one question after the other, what waits to be
//! written, and one writer that shares a transaction among those who wait, urgent
//! packets first, as `crates/hub/src/store/requests.rs` does. What it tells the
//! desks to send, and when, is the real hub's word.

use std::collections::VecDeque;

use suda_domain::{DeviceId, Lane};
use suda_sync::hub::allowance::{Load, Slots};
use suda_sync::message::Allowance;
use suda_sync::{Ask, Page, Receipt, Reply, Verdict, Welcome};

use crate::city;

/// What an event that waits takes of the hub's memory: its message, and the
/// event as it was read from it.
pub const EVENT_BYTES: u64 = 2_048;
/// The door's work on a question: its signature, and the answer's.
const DOOR_MICROS: u64 = 150;
/// Of a transaction, whatever is in it.
const FLUSH_MS: u64 = 4;
/// Requests and events in one transaction at most.
const REQUESTS: usize = 256;
const EVENTS: u64 = 2_000;

/// Which command of which desk is to be answered.
type Tag = (usize, u64);

struct Waiting {
    tag: Tag,
    lane: Lane,
    first_n: u64,
    count: u64,
}

pub struct Hub {
    heads: Vec<[u64; 4]>,
    slots: Option<Slots>,
    per_s: u64,
    load: Load,
    door_free_micros: u64,
    urgent: VecDeque<Waiting>,
    ordinary: VecDeque<Waiting>,
    writing: Vec<Waiting>,
    began: u64,
    pub known_again: u64,
}

impl Hub {
    pub fn new(desks: usize, per_s: u64, slots: bool) -> Self {
        Self {
            heads: vec![[0; 4]; desks],
            slots: slots.then(Slots::default),
            per_s: per_s.max(1),
            load: Load::default(),
            door_free_micros: 0,
            urgent: VecDeque::new(),
            ordinary: VecDeque::new(),
            writing: Vec::new(),
            began: 0,
            known_again: 0,
        }
    }

    pub fn heads(&self, desk: usize) -> [u64; 4] {
        self.heads.get(desk).copied().unwrap_or_default()
    }

    pub fn waiting(&self) -> u64 {
        self.load.waiting
    }

    /// When a question that has come is read.
    pub fn door(&mut self, now: u64) -> u64 {
        self.door_free_micros = self.door_free_micros.max(now * 1_000) + DOOR_MICROS;
        self.door_free_micros.div_ceil(1_000)
    }

    /// The answer, unless it has to wait for the writer.
    pub fn take(&mut self, now: u64, tag: Tag, ask: Ask) -> Option<Reply> {
        match ask {
            Ask::Hello(_) => Some(Reply::Welcome(Welcome {
                session: "1.1".to_owned(),
                epoch: "1".to_owned(),
                watermarks: self.heads(tag.0),
                hashes: [None; 4],
                earlier: Vec::new(),
                allowance: self.allowance(now),
                now: city::wall(now, 0),
            })),
            Ask::Batch {
                lane,
                first_n,
                events,
                ..
            } => {
                let count = events.len() as u64;
                self.load.waiting += count;
                let queue = match lane {
                    Lane::Urgent => &mut self.urgent,
                    _ => &mut self.ordinary,
                };
                queue.push_back(Waiting {
                    tag,
                    lane,
                    first_n,
                    count,
                });
                None
            }
            Ask::Pull { cursor, .. } => Some(Reply::Page(Page {
                epoch: "1".to_owned(),
                entries: Vec::new(),
                cursor,
                more: false,
                directory: None,
                set_aside: None,
                placed: Vec::new(),
                now: city::wall(now, 0),
            })),
            _ => None,
        }
    }

    fn allowance(&mut self, now: u64) -> Option<Allowance> {
        let load = self.load;
        self.slots.as_mut().map(|slots| slots.allow(now, load))
    }

    /// Begins a transaction if there is something to write and none is under way.
    /// Gives when it is over.
    pub fn write_next(&mut self, now: u64) -> Option<u64> {
        if !self.writing.is_empty() {
            return None;
        }
        let mut events = 0;
        while self.writing.len() < REQUESTS {
            let queue = match self.urgent.is_empty() {
                false => &mut self.urgent,
                true => &mut self.ordinary,
            };
            let fits = |next: &mut Waiting| events == 0 || events + next.count <= EVENTS;
            let Some(next) = queue.pop_front_if(fits) else {
                break;
            };
            events += next.count;
            self.writing.push(next);
        }
        self.began = now;
        (events > 0).then(|| now + FLUSH_MS + (events * 1_000).div_ceil(self.per_s))
    }

    /// The transaction is over: the receipts.
    pub fn written(&mut self, now: u64) -> Vec<(Tag, Reply)> {
        let group = std::mem::take(&mut self.writing);
        let events: u64 = group.iter().map(|one| one.count).sum();
        self.load.waiting -= events;
        self.load.commit_ms = now - self.began;
        // As the real hub measures itself.
        let measured = events * 1_000 / self.load.commit_ms.max(1);
        if events >= 50 {
            let before = match self.load.per_s {
                0 => measured,
                known => known,
            };
            self.load.per_s = (3 * before + measured) / 4;
        }
        let answers = group
            .into_iter()
            .map(|one| (one.tag, self.receipt(now, &one)));
        answers.collect::<Vec<_>>()
    }

    fn receipt(&mut self, now: u64, of: &Waiting) -> Reply {
        let lane = of.lane.index();
        let last = of.first_n + of.count - 1;
        let mut verdict = Verdict::Gap;
        if let Some(heads) = self.heads.get_mut(of.tag.0)
            && of.first_n <= heads[lane] + 1
        {
            let again = (heads[lane] + 1).saturating_sub(of.first_n).min(of.count);
            self.known_again += again;
            heads[lane] = heads[lane].max(last);
            verdict = Verdict::Applied;
        }
        let count = usize::try_from(of.count).unwrap_or_default();
        Reply::Receipt(Receipt {
            device: DeviceId(uuid::Uuid::nil()),
            incarnation: 1,
            epoch: "1".to_owned(),
            watermarks: self.heads(of.tag.0),
            lane: of.lane,
            first_n: of.first_n,
            verdicts: vec![verdict; count],
            // For urgent packets there is always room; what was told holds on.
            allowance: match of.lane {
                Lane::Urgent => None,
                _ => self.allowance(now),
            },
            level: None,
            at: city::wall(now, 0),
        })
    }
}
