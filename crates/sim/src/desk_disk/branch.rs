//! The branch's network in the simulated store: what a mailbox keeps for others,
//! its ledger as their log, and how far this desk has read its mailbox's.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_domain::{ComplaintId, DeviceId, EventKey, Lane, LedgerEvent};
use suda_sync::lan::{
    self, Batch, Entry, Held, LOG_BYTES, LOG_ENTRIES, Log, Mark, Placed, Settled, TakeError, Told,
    Waiting, Words, held_on, named, take,
};
use suda_sync::{Hash, PublicKey, SealedEvent, Signed};

use super::{DeskDisk, Kept, Place};
use crate::hub_disk::HubDisk;
use crate::plant::Plant;

/// What a mailbox keeps for others.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    rows: u64,
    batches: BTreeMap<u64, KeptBatch>,
    streams: BTreeMap<(DeviceId, u32, Lane), Held>,
    words: BTreeMap<u64, (DeviceId, Rc<[u8]>)>,
    told: u64,
}

#[derive(Clone, Debug)]
struct KeptBatch {
    batch: Batch,
    last: Hash,
    signed: Rc<Signed>,
    came: Option<DateTime<Utc>>,
}

/// An event that came over the branch's network, and its place in the mailbox's
/// log; none at the mailbox itself, whose own order of arrival is that log.
struct Arriving {
    event: Rc<LedgerEvent>,
    sealed: SealedEvent,
    lan_seq: Option<u64>,
    told: Told,
}

impl Custody {
    /// All batches that wait for the hub, in the order they came.
    pub fn waiting(&self) -> Vec<Waiting> {
        let waiting = self.batches.iter();
        let waiting = waiting.map(|(row, kept)| Waiting {
            row: *row,
            batch: kept.batch,
            came: kept.came,
        });
        waiting.collect()
    }

    /// Batches that the hub would take.
    pub fn has_to_bring(&self, hub: &HubDisk) -> bool {
        self.batches.values().any(|kept| {
            let batch = &kept.batch;
            batch.first_n <= hub.head(batch.device, batch.incarnation, batch.lane).n + 1
        })
    }

    pub fn batch(&self, row: u64) -> Option<Rc<Signed>> {
        self.batches.get(&row).map(|kept| Rc::clone(&kept.signed))
    }

    /// Whether the batch that ends with this event is here.
    pub fn has(&self, batch: &Batch, last: Hash) -> bool {
        let mut kept = self.batches.values();
        kept.any(|kept| (kept.batch, kept.last) == (*batch, last))
    }

    pub fn let_go(&mut self, rows: &[u64]) {
        self.batches.retain(|row, _| !rows.contains(row));
    }

    /// Keeps the hub's words for a desk, and lets go of the batches they settle.
    pub fn settle(&mut self, device: DeviceId, parcel: Vec<u8>, settled: &Settled) {
        self.told += 1;
        self.words.insert(self.told, (device, parcel.into()));
        self.let_go(&settled.rows);
        for (incarnation, lane) in &settled.forked {
            self.streams.remove(&(device, *incarnation, *lane));
        }
    }

    pub fn drop_words(&mut self, device: DeviceId, upto: u64) {
        self.words.retain(|n, (to, _)| *to != device || *n > upto);
    }

    fn words(&self, device: DeviceId, after: u64) -> Vec<Words> {
        let behind = self.words.range(after + 1..);
        let to = behind.filter(|(_, (to, _))| *to == device).take(16);
        to.map(|(n, (_, parcel))| Words {
            n: *n,
            parcel: STANDARD.encode(parcel),
        })
        .collect()
    }

    pub fn held(&self, device: DeviceId) -> Vec<Held> {
        let streams = self.streams.iter();
        let of_it = streams.filter(|((of, _, _), _)| *of == device);
        of_it.map(|(_, held)| *held).collect()
    }

    /// The hub is another than it was.
    pub(super) fn forget_streams(&mut self) {
        self.streams.clear();
    }
}

impl DeskDisk {
    /// Stores a batch and shows what is in it. Gives what it was, by its last event;
    /// nothing when it is in keeping already.
    pub fn keep_batch(
        &mut self,
        from: (DeviceId, &PublicKey),
        signed: &Rc<Signed>,
    ) -> Result<Option<(Batch, Hash)>, TakeError> {
        let named = named(from, signed)?;
        let known = self.known(&named.batch);
        let kept = take(named, &known)?;
        let (batch, last) = (kept.batch, kept.last);
        let custody = &mut self.custody;
        let first_and_last =
            |batch: &Batch| (batch.device, batch.incarnation, batch.lane, batch.first_n);
        let again = |one: &KeptBatch| {
            first_and_last(&one.batch) == first_and_last(&batch) && one.last == last
        };
        let is_new = !custody.batches.values().any(again);
        if is_new {
            custody.rows += 1;
            let signed = Rc::clone(signed);
            let one = KeptBatch {
                batch,
                last,
                came: lan::came(batch.lane, &signed),
                signed,
            };
            custody.batches.insert(custody.rows, one);
        }
        if kept.adjoins {
            let stream = (batch.device, batch.incarnation, batch.lane);
            let before = custody.streams.get(&stream).copied();
            if let Some(held) = held_on(before, (&batch, last)) {
                custody.streams.insert(stream, held);
            }
        }
        let arriving = kept.shown.into_iter().map(|(event, sealed)| Arriving {
            event: Rc::new(event),
            sealed,
            lan_seq: None,
            told: Told::InBranch,
        });
        self.show(arriving.collect(), BTreeSet::new());
        Ok(is_new.then_some((batch, last)))
    }

    /// The hashes of a stream's events that are here, from the one before a batch
    /// to its last. Not of those the hub has forgotten or replaced.
    fn known(&self, batch: &Batch) -> BTreeMap<u64, Hash> {
        let numbers = batch.first_n - 1..=batch.last_n;
        numbers
            .filter_map(|n| {
                let kept = self.kept(&EventKey {
                    device: batch.device,
                    incarnation: batch.incarnation,
                    lane: batch.lane,
                    n,
                })?;
                (kept.place != Place::Forgotten).then_some((n, kept.sealed.hash))
            })
            .collect()
    }

    /// The hash of the own event that the mailbox says it holds.
    pub fn own_held(&self, held: &Held) -> Option<Hash> {
        self.own_at(held.incarnation, held.lane, held.n)
    }

    /// This desk's ledger as the mailbox's log for another, and the hub's words
    /// for it behind number `words`.
    pub fn log_after(
        &self,
        asker: DeviceId,
        after: Option<Mark>,
        words: u64,
        plant: Option<Plant>,
    ) -> Log {
        let is_same = |mark: &Mark| {
            let at = place_of(mark.seq);
            let there = self.events.get(at).filter(|_| self.is_there(at));
            plant == Some(Plant::MarkWithoutHash)
                || (there.is_some_and(|kept| kept.sealed.hash == mark.hash)
                    && mark.again <= self.again.len() as u64)
        };
        let known = after.filter(is_same);
        let mut log = Log {
            anew: known != after,
            mark: known,
            words: self.custody.words(asker, words),
            epoch: self.epoch.clone(),
            ..Log::default()
        };
        let again = known.map_or(self.again.len(), |mark| place_of(mark.again));
        let moved = self.again.get(again..).unwrap_or_default();
        let moved = moved.iter().take(LOG_ENTRIES);
        let again = (again + moved.len()) as u64;
        for at in moved.copied().filter(|at| self.is_there(*at)) {
            self.tell(asker, at, &mut log);
        }
        if let Some(mark) = &mut log.mark {
            mark.again = again;
        }
        let first = known.map_or(0, |mark| place_of(mark.seq) + 1);
        let mut bytes = 0;
        let rows = self.events.iter().enumerate().skip(first);
        let rows = rows.filter(|(at, _)| self.is_there(*at));
        for (count, (at, kept)) in rows.enumerate() {
            bytes += kept.sealed.body.get().len();
            if count == LOG_ENTRIES || (bytes > LOG_BYTES && !log.entries.is_empty()) {
                log.more = true;
                break;
            }
            log.mark = Some(Mark {
                seq: at as u64,
                hash: kept.sealed.hash,
                again,
            });
            self.tell(asker, at, &mut log);
        }
        log
    }

    fn tell(&self, asker: DeviceId, at: usize, log: &mut Log) {
        let Some(kept) = self.events.get(at) else {
            return;
        };
        let (seq, key) = (at as u64, kept.event.key);
        let hub = match kept.place {
            Place::Forgotten => return,
            Place::Log(seq) => Some(seq),
            Place::Waiting => None,
        };
        if key.device == asker {
            log.own.push(Placed {
                incarnation: key.incarnation,
                lane: key.lane,
                n: key.n,
                seq,
                hash: Some(kept.sealed.hash),
                hub,
            });
        } else {
            let event = kept.sealed.clone();
            log.entries.push(Entry { seq, event, hub });
        }
    }

    /// An event that is in the branch's log already has another place at the hub.
    pub(super) fn tell_again(&mut self, at: usize) {
        if self.serves {
            self.again.push(at);
        }
    }

    /// Stores a page of the mailbox's log, asked for behind a mark and under an
    /// epoch, and how far it reaches. Not when the log is to be heard from
    /// elsewhere on by now, or the hub is another.
    pub fn save_log(
        &mut self,
        asked: &(Option<Mark>, Option<String>),
        log: &Log,
        read: impl Fn(&SealedEvent) -> Option<Rc<LedgerEvent>>,
    ) {
        let Some(mark) = log.mark.filter(|mark| self.mark != Some(*mark)) else {
            return;
        };
        if (&self.mark, &self.epoch) != (&asked.0, &asked.1) {
            return;
        }
        let epoch = self.epoch.clone();
        let arriving = log.entries.iter().filter_map(|entry| {
            Some(Arriving {
                event: read(&entry.event)?,
                sealed: entry.event.clone(),
                lan_seq: Some(entry.seq),
                told: log.told(entry.hub, epoch.as_deref()),
            })
        });
        let arriving = arriving.collect();
        let mut moved = BTreeSet::new();
        for one in &log.own {
            let key = EventKey {
                device: self.device,
                incarnation: one.incarnation,
                lane: one.lane,
                n: one.n,
            };
            let at = self.by_key.get(&key);
            if let Some(kept) = at.and_then(|at| self.events.get_mut(*at))
                && Some(kept.sealed.hash) == one.hash
                && settle_place(kept, Some(one.seq), log.told(one.hub, epoch.as_deref()))
            {
                moved.insert(kept.event.complaint);
            }
        }
        self.show(arriving, moved);
        self.mark = Some(mark);
    }

    fn show(&mut self, arriving: Vec<Arriving>, moved: BTreeSet<ComplaintId>) {
        let mut concerned = moved;
        for one in arriving {
            let id = one.event.complaint;
            if one.told == Told::Elsewhere {
                continue;
            }
            if matches!(one.told, Told::AtHub(_))
                && self.first_name_holds(&one.event, one.sealed.hash)
            {
                concerned.insert(id);
            }
            if self.is_to_be_added(&one) {
                concerned.insert(id);
                let (event, sealed) = (Rc::clone(&one.event), one.sealed.clone());
                self.keep(event, sealed, false, Place::Waiting);
                self.settle_known(&one);
            } else if self.settle_known(&one) {
                concerned.insert(id);
            }
        }
        for id in concerned {
            self.refold(id);
        }
    }

    /// Whether the event is not here yet. Another under its name gives way only
    /// when the hub has not placed it and nobody here wrote it.
    fn is_to_be_added(&mut self, one: &Arriving) -> bool {
        let key = one.event.key;
        if self.kept(&key).is_none() && self.is_replaced(one) {
            return false;
        }
        match self.kept(&key) {
            Some(here) if here.sealed.hash == one.sealed.hash => return false,
            Some(here) if here.own || matches!(here.place, Place::Log(_)) => return false,
            Some(_) => self.drop_other(&key, one.sealed.hash),
            // Only the hub gives back what this desk itself has lost.
            None if key.device == self.device => return false,
            None => {}
        }
        self.give_way(&one.event);
        true
    }

    /// Notes the place of the very event that is here. What a hub put back has
    /// forgotten counts again when its desk, or the branch, brings it anew, unless
    /// it has come back under another number.
    fn settle_known(&mut self, one: &Arriving) -> bool {
        let Some(at) = self.by_key.get(&one.event.key).copied() else {
            return false;
        };
        let is_replaced = self.is_replaced(one);
        let Some(kept) = self.events.get_mut(at) else {
            return false;
        };
        if kept.sealed.hash != one.sealed.hash {
            return false;
        }
        let revived = kept.place == Place::Forgotten && !is_replaced;
        if revived {
            kept.place = Place::Waiting;
        }
        let moved = settle_place(kept, one.lan_seq, one.told) || revived;
        if revived {
            self.tell_again(at);
        }
        moved
    }

    /// Whether the event counts under another number: one it was given since, or,
    /// placed by the hub, its first or one that a copy has given it.
    fn is_replaced(&self, one: &Arriving) -> bool {
        let (key, hash) = (one.event.key, one.sealed.hash.to_string());
        let renamed = |kept: &Kept| {
            let origin = kept.event.origin.as_ref();
            origin.is_some_and(|origin| origin.key == key && origin.hash == hash)
        };
        if self.kept_of(one.event.complaint).any(renamed) {
            return true;
        }
        let first = one
            .event
            .origin
            .as_ref()
            .filter(|_| one.told == Told::InBranch);
        first.is_some_and(|first| {
            let is_first = |kept: &Kept| {
                kept.event.key == first.key && kept.sealed.hash.to_string() == first.hash
            };
            let is_other =
                |kept: &Kept| kept.event.key != key && kept.event.origin.as_ref() == Some(first);
            self.kept_of(one.event.complaint).any(|kept| {
                matches!(kept.place, Place::Log(_)) && (is_first(kept) || is_other(kept))
            })
        })
    }

    /// What another holds the name of is no more in the store.
    fn is_there(&self, at: usize) -> bool {
        let kept = self.events.get(at);
        kept.is_some_and(|kept| self.by_key.get(&kept.event.key) == Some(&at))
    }

    /// What counts of what is here, by its hash.
    pub fn counted(&self) -> impl Iterator<Item = &Kept> {
        self.events
            .iter()
            .filter(|kept| kept.place != Place::Forgotten)
    }
}

/// Notes a place in the mailbox's log and the one in the hub's it tells of.
/// Whether anything is new.
fn settle_place(kept: &mut Kept, lan_seq: Option<u64>, told: Told) -> bool {
    let before = (kept.lan_seq, kept.place);
    kept.lan_seq = lan_seq.or(kept.lan_seq);
    if let (Told::AtHub(seq), Place::Waiting) = (told, kept.place) {
        kept.place = Place::Log(seq);
    }
    before != (kept.lan_seq, kept.place)
}

fn place_of(seq: u64) -> usize {
    usize::try_from(seq).unwrap_or(usize::MAX - 1)
}
