//! What comes from the hub: pages of its log, folded into the complaints, and
//! new versions of the directory. Data and cursor in one transaction.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use suda_domain::{Complaint, ComplaintId, DeviceId, EventKey, LedgerEvent};
use suda_sync::message::{LogEntry, Placed};
use suda_sync::{Directory, Page, withheld};

use crate::clock::{HubTime, to_ms};
use crate::desk::{Change, Desk, Enrolled};
use crate::fold;
use crate::store::barrier::Reader;
use crate::store::directory::save_directory;
use crate::store::ledger::{NewEvent, StoredEvent, signed};
use crate::store::{StoreError, WriteTx, complaints, hub_order, ledger, outbox, search};
use crate::sweep::Told;
use crate::view::Scope;

/// A complaint while a page is folded in.
pub(crate) struct Touched {
    pub(crate) state: Option<Complaint>,
    /// An event did not fit: what was done here meanwhile may have to give way.
    pub(crate) refold: bool,
    /// Whether it has a row, and what that row knows.
    pub(crate) known: Option<Known>,
}

#[derive(Clone, Copy)]
pub(crate) struct Known {
    reminded: Option<u32>,
    cut: bool,
}

impl Desk {
    /// Stores a page of the hub's log, its directory and the cursor. An event
    /// that cannot be applied is kept in the ledger and changes nothing; it
    /// never stops those behind it.
    pub(crate) async fn save_page(
        &self,
        page: &Page,
        seen: Option<HubTime>,
    ) -> Result<(), StoreError> {
        let Ok(enrolled) = self.inner.enrolled() else {
            return Ok(());
        };
        let (device, incarnation) = enrolled.identity();
        let mut tx = self.inner.store.begin().await?;
        let own_n = ledger_heads(&mut tx, &enrolled).await?;
        let is_own = |key: &EventKey| {
            key.device == device
                && key.incarnation == incarnation
                && key.n <= own_n[key.lane.index()]
        };
        let mut moved = hub_order::keep_places(tx.conn(), incarnation, &page.placed).await?;
        // An older hub sends them back whole.
        let sent_back = page.entries.iter().filter_map(|entry| {
            let key = peek(entry).filter(&is_own)?;
            Some((key.lane, key.n, entry.seq))
        });
        let sent_back = Placed::runs(sent_back);
        moved.extend(hub_order::keep_places(tx.conn(), incarnation, &sent_back).await?);
        let mut touched: BTreeMap<ComplaintId, Touched> = BTreeMap::new();
        for id in moved {
            touch(&mut tx, &mut touched, id).await?.refold = true;
        }
        let mut fresh: Vec<NewEvent> = Vec::new();
        let mut told = BTreeSet::new();
        let mut names: BTreeSet<EventKey> = BTreeSet::new();
        let mut incarnations: BTreeMap<DeviceId, u32> = BTreeMap::new();
        for entry in &page.entries {
            // What this desk sent comes back with the log; no need to read it whole.
            if peek(entry).is_some_and(|key| is_own(&key)) {
                continue;
            }
            // A hub of an earlier version tells what the management group says
            // as well; this desk does not keep that.
            let Some(sealed) = withheld::for_branch(entry.event.clone()) else {
                continue;
            };
            let entry = &LogEntry {
                seq: entry.seq,
                event: sealed,
            };
            let Some(event) = read(entry) else { continue };
            if !names.insert(event.key) {
                continue;
            }
            let newest = match incarnations.entry(event.key.device) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => {
                    let newest = hub_order::newest_incarnation(tx.conn(), event.key.device);
                    *place.insert(newest.await?)
                }
            };
            // New numbers are those of a later incarnation.
            if newest > event.key.incarnation
                && hub_order::first_name_holds(tx.conn(), &event, entry.event.hash).await?
            {
                touch(&mut tx, &mut touched, event.complaint).await?.refold = true;
            }
            let known = match meet(&mut tx, entry, &event, (device, incarnation)).await? {
                Met::Known => true,
                Met::New => false,
                Met::Instead(of) => {
                    touch(&mut tx, &mut touched, of).await?.refold = true;
                    false
                }
            };
            let complaint = touch(&mut tx, &mut touched, event.complaint).await?;
            let covered = complaint.state.as_ref().and_then(|state| state.covered);
            if known {
                complaint.refold = true;
                continue;
            }
            complaint.refold |=
                hub_order::has_later(tx.conn(), event.complaint, covered, entry.seq).await?;
            if let Err(refusal) = fold::apply(&mut complaint.state, &event) {
                tracing::warn!(complaint = %event.complaint, seq = entry.seq, %refusal, "does not fit");
                complaint.refold = true;
            }
            if let Some(what) = Told::by(event.fact.kind()) {
                told.insert((event.complaint, what));
            }
            fresh.push(new_event(entry, &event));
        }
        if !page.more {
            for id in hub_order::forgotten(tx.conn()).await? {
                touch(&mut tx, &mut touched, id).await?.refold = true;
            }
        }
        tx.append(&fresh).await?;
        for (id, complaint) in touched {
            self.save_touched(&mut tx, &enrolled, device, id, complaint)
                .await?;
        }
        tx.take_over().await?;
        let renewed = match page.directory.as_deref() {
            Some(directory) => self.renew(&mut tx, &enrolled, directory).await?,
            None => None,
        };
        let set_aside = match &page.set_aside {
            Some(places) => {
                outbox::take_set_aside(tx.conn(), (device, incarnation), places).await?
            }
            None => false,
        };
        outbox::set_link(tx.conn(), &page.epoch, page.cursor).await?;
        match seen {
            Some(seen) => {
                let inner = &self.inner;
                inner.commit_with_hub_time(tx, &enrolled, seen).await?;
            }
            None => tx.commit().await?,
        }
        self.inner.add_told(told);
        if let Some(enrolled) = renewed {
            self.inner.set_enrolled(enrolled);
            self.inner.tell(Change::Directory);
        }
        if !fresh.is_empty() || set_aside {
            self.inner.tell(Change::Cases);
            self.inner.tell(Change::Status);
        }
        Ok(())
    }

    /// Makes a complaint's row anew from its events.
    pub(crate) async fn fold_again(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        id: ComplaintId,
    ) -> Result<(), StoreError> {
        let mut touched = BTreeMap::new();
        touch(tx, &mut touched, id).await?.refold = true;
        for (id, complaint) in touched {
            self.save_touched(tx, enrolled, enrolled.device.device, id, complaint)
                .await?;
        }
        Ok(())
    }

    pub(crate) async fn save_touched(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        device: DeviceId,
        id: ComplaintId,
        touched: Touched,
    ) -> Result<(), StoreError> {
        let mut state = touched.state;
        if touched.refold {
            let events = ledger::of_complaint(tx.conn(), id).await?;
            state = fold::refold(
                &events
                    .iter()
                    .filter_map(StoredEvent::standing)
                    .collect::<Vec<_>>(),
            );
        }
        let Some(complaint) = state else {
            return Ok(());
        };
        let reminded = touched.known.and_then(|known| known.reminded);
        let whole_now = touched.known.is_some_and(|known| known.cut) && !complaint.cut;
        let row = fold::state_row(complaint, &enrolled.keep, reminded);
        if touched.known.is_none() {
            // Of another desk of the branch, or of this one's older copy.
            let mine = ledger::is_of_device(tx.conn(), id, device).await?;
            return complaints::insert(tx.conn(), &row, mine).await;
        }
        complaints::update(tx.conn(), &row).await?;
        if whole_now {
            search::replace(tx.conn(), id, search::words(&row.complaint)).await?;
        }
        Ok(())
    }

    /// Takes a new directory. One whose rules cannot be read is not taken: the
    /// old one goes on, and the hub offers it again.
    async fn renew(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        directory: &Directory,
    ) -> Result<Option<Enrolled>, StoreError> {
        let renewed = match Enrolled::new(enrolled.device.clone(), directory.clone()) {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::error!(version = directory.version, %error, "directory not taken");
                return Ok(None);
            }
        };
        save_directory(tx.conn(), directory).await?;
        // Also when the rules read the same: rows of an older program may have
        // been counted otherwise.
        self.reorder(tx, &renewed).await?;
        Ok(Some(renewed))
    }

    /// Another calendar moves deadlines of what is not done; a further policy may.
    async fn reorder(&self, tx: &mut WriteTx<'_>, enrolled: &Enrolled) -> Result<(), StoreError> {
        for scope in [Scope::Open, Scope::WithExperts] {
            for stored in
                complaints::page(tx.conn(), scope, None, i64::MAX, &Reader::program()).await?
            {
                let row = fold::state_row(stored.complaint, &enrolled.keep, stored.reminded);
                complaints::update(tx.conn(), &row).await?;
            }
        }
        Ok(())
    }
}

/// What was here under the name of an arriving event.
enum Met {
    /// The event itself, which has only got its place in the hub's log.
    Known,
    New,
    /// Another, of this complaint, which is no more.
    Instead(ComplaintId),
}

/// Settles what is here under the name of an arriving event.
///
/// # Errors
/// [`StoreError::Conflict`] when this desk has written another event under that
/// name and not sent it yet: sending it comes first. Also when it is of this
/// incarnation, from before a roll-back, and the one before it is not here: the
/// hub has that set aside and tells of it no more, so only other numbers help.
async fn meet(
    tx: &mut WriteTx<'_>,
    entry: &LogEntry,
    event: &LedgerEvent,
    (device, incarnation): (DeviceId, u32),
) -> Result<Met, StoreError> {
    let key = event.key;
    let mut met = Met::New;
    let here = hub_order::here(tx.conn(), key).await?;
    match here {
        Some(here) if here.hash == entry.event.hash.0 => {
            if here.hub_seq != Some(signed(entry.seq)) {
                hub_order::set_place(tx.conn(), key, Some(entry.seq)).await?;
            }
            return Ok(Met::Known);
        }
        Some(here) if here.own => return Err(StoreError::Conflict),
        Some(_) => {
            let was = hub_order::drop_other(tx.conn(), key).await?;
            met = was.map_or(Met::New, Met::Instead);
        }
        None => {}
    }
    hub_order::give_way(tx.conn(), event).await?;
    if (key.device, key.incarnation) == (device, incarnation) {
        let before = EventKey {
            n: key.n.saturating_sub(1),
            ..key
        };
        let before = hub_order::here(tx.conn(), before).await?;
        if before.is_some_and(|before| before.own && before.hash != entry.event.prev.0) {
            return Err(StoreError::Conflict);
        }
        let heads = ledger::heads(tx.conn(), device, incarnation).await?;
        if key.n > heads[key.lane.index()].n + 1 {
            return Err(StoreError::Conflict);
        }
        hub_order::take_back(tx.conn(), key.lane, key.n).await?;
        // This database is older than what it once sent.
        tx.parts().1.heads = None;
    }
    Ok(met)
}

async fn ledger_heads(tx: &mut WriteTx<'_>, enrolled: &Enrolled) -> Result<[u64; 4], StoreError> {
    Ok(crate::desk::heads(tx, enrolled).await?.map(|head| head.n))
}

/// Only the name of an event.
fn peek(entry: &LogEntry) -> Option<EventKey> {
    #[derive(Deserialize)]
    struct Named {
        key: EventKey,
    }
    serde_json::from_str::<Named>(entry.event.body.get())
        .ok()
        .map(|named| named.key)
}

/// The event, when its hash fits and this version can read it. Others are
/// passed over with the number in the log; the hub still has them.
fn read(entry: &LogEntry) -> Option<LedgerEvent> {
    match entry.event.open() {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::warn!(seq = entry.seq, %error, "passed over");
            None
        }
    }
}

fn new_event(entry: &LogEntry, event: &LedgerEvent) -> NewEvent {
    NewEvent {
        key: event.key,
        complaint: event.complaint,
        at_ms: to_ms(event.at.trusted()),
        sealed: entry.event.clone(),
        own: false,
        hub_seq: Some(entry.seq),
    }
}

pub(crate) async fn touch<'a>(
    tx: &mut WriteTx<'_>,
    touched: &'a mut BTreeMap<ComplaintId, Touched>,
    id: ComplaintId,
) -> Result<&'a mut Touched, StoreError> {
    match touched.entry(id) {
        Entry::Occupied(entry) => Ok(entry.into_mut()),
        Entry::Vacant(entry) => {
            let stored = complaints::get(tx.conn(), id, &Reader::program()).await?;
            let known = stored.as_ref().map(|s| Known {
                reminded: s.reminded,
                cut: s.complaint.cut,
            });
            Ok(entry.insert(Touched {
                refold: false,
                state: stored.map(|s| s.complaint),
                known,
            }))
        }
    }
}
