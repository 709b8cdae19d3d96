//! New numbers for events that nobody has received: a database that was copied
//! or put back wrote them under numbers that stand for other events at the hub.
//! Fact, actor, stamp and owner number stay as they were written.

use suda_domain::{EventKey, Fact, Lane, LedgerEvent, Origin};

use crate::chain::{Hash, SealedEvent};
use crate::place::LaneHead;

/// The device's events under their new numbers, each with its old one.
#[derive(Debug)]
pub struct Rekeyed {
    pub was: EventKey,
    pub event: LedgerEvent,
    pub sealed: SealedEvent,
}

/// Numbers `events` (of one lane, in their order, each with its hash) on behind `head`, the lane's
/// last event of `incarnation`, and moves it on.
///
/// # Errors
/// Only when an event cannot be written as JSON.
pub fn rekey(
    events: Vec<(LedgerEvent, Hash)>,
    incarnation: u32,
    head: &mut LaneHead,
) -> Result<Vec<Rekeyed>, serde_json::Error> {
    let mut rekeyed = Vec::with_capacity(events.len());
    for (mut event, hash) in events {
        let was = event.key;
        event.origin.get_or_insert_with(|| Origin {
            key: was,
            hash: hash.to_string(),
        });
        event.key.incarnation = incarnation;
        event.key.n = head.n + 1;
        if was.lane == Lane::Urgent
            && let Fact::HandedOff { packet, .. } = &mut event.fact
        {
            // It named numbers of the old ordinary lane. What it covers arrives
            // as notes from before the handoff, which change nothing.
            packet.upto_n = 0;
        }
        let sealed = SealedEvent::seal(&event, head.hash)?;
        *head = LaneHead {
            n: event.key.n,
            hash: sealed.hash,
        };
        rekeyed.push(Rekeyed { was, event, sealed });
    }
    Ok(rekeyed)
}
