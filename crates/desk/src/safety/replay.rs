//! Putting back what stands in the journal and not in the database: through
//! the same folding as everything else, so that states and chains go on.

use std::collections::{BTreeMap, BTreeSet};

use suda_domain::{ComplaintId, EventKey, LedgerEvent};
use suda_sync::place::LaneHead;
use suda_sync::{Hash, SealedEvent};

use crate::arrival::{Touched, touch};
use crate::clock::to_ms;
use crate::desk::{Desk, Enrolled};
use crate::evidence::know_file;
use crate::fold;
use crate::store::ledger::NewEvent;
use crate::store::{StoreError, WriteTx, imports, ledger};
use crate::unsent::entry::Group;
use crate::unsent::key_in;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Replayed {
    /// Events put back.
    pub(super) events: u64,
    /// Some were written before the last transaction: an ordinary end of the
    /// program leaves at most that one behind.
    pub(super) earlier: bool,
    /// Another event stands under a number, or an event before one is missing.
    pub(super) apart: bool,
}

/// The last number of each lane, by incarnation.
type Ends = BTreeMap<u32, [u64; 4]>;

fn is_within(ends: &Ends, key: EventKey) -> bool {
    let end = ends
        .get(&key.incarnation)
        .map(|ends| ends[key.lane.index()]);
    end.is_some_and(|end| key.n <= end)
}

/// Groups in one transaction.
const GO: usize = 200;

impl Desk {
    pub(super) async fn replay(&self, groups: &[Group]) -> Result<Replayed, StoreError> {
        let mut replayed = Replayed::default();
        let Ok(enrolled) = self.inner.enrolled() else {
            return Ok(replayed);
        };
        let last = groups.last().map(|group| group.turn);
        let ends = self.ends(groups, &enrolled).await?;
        for go in groups.chunks(GO) {
            let before = replayed;
            match self
                .put_back(go, &enrolled, (&ends, last), &mut replayed)
                .await
            {
                Ok(()) => continue,
                Err(StoreError::Other(error)) => {
                    tracing::warn!(%error, "put back one by one");
                    replayed = before;
                }
                Err(error) => return Err(error),
            }
            for one in go.chunks(1) {
                match self
                    .put_back(one, &enrolled, (&ends, last), &mut replayed)
                    .await
                {
                    Err(StoreError::Other(error)) => {
                        tracing::error!(%error, "an event of the journal does not fit");
                        replayed.apart = true;
                    }
                    done => done?,
                }
            }
        }
        Ok(replayed)
    }

    /// How far the database reached before anything was put back.
    async fn ends(&self, groups: &[Group], enrolled: &Enrolled) -> Result<Ends, StoreError> {
        let mut conn = self.inner.store.read().await?;
        let events = groups.iter().flat_map(|group| &group.events);
        let keys = events.filter_map(|event| key_in(event.body.get()));
        let incarnations: BTreeSet<u32> = keys.map(|key| key.incarnation).collect();
        let mut ends = Ends::new();
        for incarnation in incarnations {
            let device = enrolled.device.device;
            let heads = ledger::heads(&mut conn, device, incarnation).await?;
            ends.insert(incarnation, heads.map(|head| head.n));
        }
        Ok(ends)
    }

    async fn put_back(
        &self,
        groups: &[Group],
        enrolled: &Enrolled,
        (ends, last): (&Ends, Option<u64>),
        replayed: &mut Replayed,
    ) -> Result<(), StoreError> {
        let device = enrolled.device.device;
        let mut tx = self.inner.store.begin().await?;
        let mut touched: BTreeMap<ComplaintId, Touched> = BTreeMap::new();
        let mut found = Vec::new();
        for group in groups {
            let before = found.len();
            for sealed in &group.events {
                // What the database reaches it also has; should something be
                // taken out of its middle, the check of the ledger names it.
                let name = key_in(sealed.body.get());
                if name.is_none_or(|key| is_within(ends, key)) {
                    continue;
                }
                let Ok(event) = sealed.open() else { continue };
                if event.key.device != device {
                    continue;
                }
                if ledger::has_new_number(tx.conn(), &event, sealed.hash).await? {
                    continue;
                }
                match ledger::known(tx.conn(), event.key).await? {
                    Some(hash) if hash == sealed.hash => continue,
                    Some(_) => {
                        replayed.apart = true;
                        continue;
                    }
                    None => {}
                }
                if !follows(&mut tx, event.key, sealed.prev).await? {
                    replayed.apart = true;
                }
                let complaint = touch(&mut tx, &mut touched, event.complaint).await?;
                if fold::apply(&mut complaint.state, &event).is_err() {
                    complaint.refold = true;
                }
                let new = [new_event(sealed, &event)];
                ledger::append(tx.conn(), &new).await?;
                know_file(&mut tx, &event).await?;
                found.extend(new);
            }
            if found.len() > before {
                replayed.earlier |= Some(group.turn) != last;
                mark_row(&mut tx, group).await?;
            }
        }
        for (id, complaint) in touched {
            self.save_touched(&mut tx, enrolled, device, id, complaint)
                .await?;
        }
        *tx.parts().1 = crate::store::Cache::default();
        tx.commit().await?;
        replayed.events += found.len() as u64;
        Ok(())
    }
}

/// Whether an event is the next of its lane.
async fn follows(tx: &mut WriteTx<'_>, key: EventKey, prev: Hash) -> Result<bool, StoreError> {
    let heads = ledger::heads(tx.conn(), key.device, key.incarnation).await?;
    let LaneHead { n, hash } = heads[key.lane.index()];
    Ok(key.n == n + 1 && prev == hash)
}

/// So that the import of the file goes on without doubling the row.
async fn mark_row(tx: &mut WriteTx<'_>, group: &Group) -> Result<(), StoreError> {
    let (Some(row), Some(event)) = (group.row, group.events.first()) else {
        return Ok(());
    };
    let Ok(event) = event.open() else {
        return Ok(());
    };
    let file = row.file.0;
    let run = match imports::latest(tx.conn(), file).await? {
        Some(run) => run,
        None => imports::begin(tx.conn(), file, to_ms(event.at.wall)).await?,
    };
    imports::add_row(tx.conn(), run, row.line, event.complaint).await
}

fn new_event(sealed: &SealedEvent, event: &LedgerEvent) -> NewEvent {
    NewEvent {
        key: event.key,
        complaint: event.complaint,
        at_ms: to_ms(event.at.trusted()),
        sealed: sealed.clone(),
        own: true,
        hub_seq: None,
    }
}
