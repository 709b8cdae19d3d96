//! Events that come over the branch's network, folded into the complaints as
//! others' events the hub has not placed. When the hub's own page brings them
//! they get their place (see `crate::arrival`); where it brings something else,
//! the hub's word holds.

use std::collections::{BTreeMap, BTreeSet};

use suda_domain::{ComplaintId, LedgerEvent};
use suda_sync::SealedEvent;
use suda_sync::lan::Told;

use crate::arrival::{Touched, touch};
use crate::clock::to_ms;
use crate::desk::{Desk, Enrolled};
use crate::store::ledger::NewEvent;
use crate::store::{StoreError, WriteTx, hub_order, lan};

/// An event and its place in the mailbox's log; none at the mailbox itself,
/// whose own order of arrival is that log.
pub(super) struct Arriving {
    pub(super) event: LedgerEvent,
    pub(super) sealed: SealedEvent,
    pub(super) lan_seq: Option<u64>,
    pub(super) told: Told,
}

impl Desk {
    /// Adds what is not here, and makes the complaints concerned anew. How many
    /// events were new.
    pub(super) async fn show(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        arriving: Vec<Arriving>,
        moved: BTreeSet<ComplaintId>,
    ) -> Result<usize, StoreError> {
        let mut concerned = moved;
        let mut shown = 0;
        for one in arriving {
            if one.told == Told::Elsewhere {
                continue;
            }
            if matches!(one.told, Told::AtHub(_))
                && hub_order::first_name_holds(tx.conn(), &one.event, one.sealed.hash).await?
            {
                concerned.insert(one.event.complaint);
            }
            if !is_to_be_added(tx, enrolled, &one, &mut concerned).await? {
                if place(tx, &one).await? {
                    concerned.insert(one.event.complaint);
                }
                continue;
            }
            let key = one.event.key;
            concerned.insert(one.event.complaint);
            let new = NewEvent {
                key,
                complaint: one.event.complaint,
                at_ms: to_ms(one.event.at.trusted()),
                sealed: one.sealed.clone(),
                own: false,
                hub_seq: None,
            };
            tx.append(&[new]).await?;
            place(tx, &one).await?;
            shown += 1;
        }
        let mut touched: BTreeMap<ComplaintId, Touched> = BTreeMap::new();
        for id in concerned {
            touch(tx, &mut touched, id).await?.refold = true;
        }
        let device = enrolled.device.device;
        for (id, complaint) in touched {
            self.save_touched(tx, enrolled, device, id, complaint)
                .await?;
        }
        tx.take_over().await?;
        Ok(shown)
    }
}

/// Whether the event is not here yet. Another under its name gives way only
/// when the hub has not placed it and nobody here wrote it.
async fn is_to_be_added(
    tx: &mut WriteTx<'_>,
    enrolled: &Enrolled,
    one: &Arriving,
    concerned: &mut BTreeSet<ComplaintId>,
) -> Result<bool, StoreError> {
    let key = one.event.key;
    match hub_order::here(tx.conn(), key).await? {
        Some(here) if here.hash == one.sealed.hash.0 => return Ok(false),
        Some(here) if here.own || here.hub_seq.is_some_and(|seq| seq >= 0) => return Ok(false),
        Some(_) => concerned.extend(hub_order::drop_other(tx.conn(), key).await?),
        // Only the hub gives back what this desk itself has lost.
        None if key.device == enrolled.device.device => return Ok(false),
        None if is_replaced(tx, one).await? => return Ok(false),
        None => {}
    }
    hub_order::give_way(tx.conn(), &one.event).await?;
    Ok(true)
}

/// Whether the event counts under another number: one it was given since, or its
/// first, which the hub has placed.
async fn is_replaced(tx: &mut WriteTx<'_>, one: &Arriving) -> Result<bool, StoreError> {
    let renamed = lan::renamed(tx.conn(), &one.event, one.sealed.hash).await?;
    let in_branch = one.told == Told::InBranch;
    Ok(!renamed.is_empty()
        || (in_branch && lan::is_placed_otherwise(tx.conn(), &one.event).await?))
}

/// Notes the places of the very event that is here. What a hub put back has
/// forgotten counts again when its desk, or the branch, brings it anew, unless it
/// has come back under another number.
async fn place(tx: &mut WriteTx<'_>, one: &Arriving) -> Result<bool, StoreError> {
    let key = one.event.key;
    let here = hub_order::here(tx.conn(), key).await?;
    let Some(here) = here.filter(|here| here.hash == one.sealed.hash.0) else {
        return Ok(false);
    };
    let is_forgotten = here.hub_seq.is_some_and(|seq| seq < 0);
    let mut is_new = false;
    if is_forgotten && !is_replaced(tx, one).await? {
        lan::revive(tx.conn(), key).await?;
        is_new = true;
    }
    if let Some(seq) = one.lan_seq {
        is_new |= lan::set_lan_seq(tx.conn(), key, seq).await?;
    }
    if let Told::AtHub(seq) = one.told {
        is_new |= lan::place(tx.conn(), key, seq).await?;
    }
    Ok(is_new)
}
