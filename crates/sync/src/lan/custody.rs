//! What a mailbox keeps for the others: which batches it takes, what of them it
//! shows, which desk's it forwards next, and which are settled by the hub's
//! words.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use suda_domain::{DeviceId, Fact, Lane, LedgerEvent};

use super::Held;
use crate::bundle::Word;
use crate::chain::{Hash, SealedEvent};
use crate::message::{self, BATCH_EVENTS, Receipt, Request, Verdict};
use crate::place::{LaneHead, Place, place};
use crate::sign::{PublicKey, Signed};

/// A batch by its contents: the same batch sent again has the same name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Batch {
    pub device: DeviceId,
    pub incarnation: u32,
    pub lane: Lane,
    pub first_n: u64,
    pub last_n: u64,
}

/// A batch that is to be stored as it was signed.
#[derive(Debug)]
pub struct Kept {
    pub batch: Batch,
    /// The hash of its last event.
    pub last: Hash,
    /// What the branch is shown of it, in the desk's order. Nothing when it
    /// contradicts what is known: the hub decides about copied databases.
    pub shown: Vec<(LedgerEvent, SealedEvent)>,
    /// Whether the mailbox may say that it holds the stream up to here.
    pub adjoins: bool,
}

/// Why a batch is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TakeError {
    #[error("not signed by the desk it came from")]
    Signature,
    #[error("written by a newer version")]
    Version,
    #[error("not a batch of the desk it came from")]
    Malformed,
}

/// A batch whose signature and form are checked.
#[derive(Debug)]
pub struct Named {
    pub batch: Batch,
    events: Vec<SealedEvent>,
}

/// Which batch this is that came over the connection of `desk`, whose key is
/// pinned.
pub fn named(desk: (DeviceId, &PublicKey), signed: &Signed) -> Result<Named, TakeError> {
    read(desk, signed).map(|(batch, events)| Named { batch, events })
}

/// Judges a batch. `known` are the hashes of that stream's events that are here,
/// from the one before the batch to its last.
pub fn take(named: Named, known: &BTreeMap<u64, Hash>) -> Result<Kept, TakeError> {
    let Named { batch, events } = named;
    let last = events.last().ok_or(TakeError::Malformed)?.hash;
    let mut shown = Vec::with_capacity(events.len());
    let mut forked = false;
    let before = batch.first_n - 1;
    let mut head = LaneHead {
        n: before,
        // What stands before the batch may be at the hub alone.
        hash: match known.get(&before) {
            Some(hash) => *hash,
            None => events.first().map_or(Hash::START, |event| event.prev),
        },
    };
    for (n, event) in (batch.first_n..).zip(events) {
        let arrived = event.open().map_err(|_| TakeError::Malformed)?;
        let key = arrived.key;
        let named = (key.device, key.incarnation, key.lane, key.n);
        if named != (batch.device, batch.incarnation, batch.lane, n) {
            return Err(TakeError::Malformed);
        }
        let here = known.get(&n);
        forked |= here.is_some_and(|hash| *hash != event.hash)
            || place(&head, n, &event, None) != Place::Next;
        head = LaneHead {
            n,
            hash: event.hash,
        };
        if here.is_none() {
            shown.push((arrived, event));
        }
    }
    if forked {
        shown.clear();
    }
    Ok(Kept {
        batch,
        last,
        shown,
        adjoins: !forked,
    })
}

fn read(
    (desk, key): (DeviceId, &PublicKey),
    signed: &Signed,
) -> Result<(Batch, Vec<SealedEvent>), TakeError> {
    if !signed.is_from(key) {
        return Err(TakeError::Signature);
    }
    let request: Request = signed.peek().map_err(|_| TakeError::Malformed)?;
    if request.v != message::VERSION {
        return Err(TakeError::Version);
    }
    let message::Ask::Batch {
        lane,
        first_n,
        events,
        incarnation,
        ..
    } = request.ask
    else {
        return Err(TakeError::Malformed);
    };
    let incarnation = incarnation.unwrap_or(request.incarnation);
    let within = (1..=request.incarnation).contains(&incarnation)
        && (1..=BATCH_EVENTS).contains(&events.len())
        && (1..=u64::from(u32::MAX)).contains(&first_n);
    if request.device != desk || !within {
        return Err(TakeError::Malformed);
    }
    let batch = Batch {
        device: desk,
        incarnation,
        lane,
        first_n,
        last_n: first_n + events.len() as u64 - 1,
    };
    Ok((batch, events))
}

/// What a mailbox holds of a stream with an adjoining batch, whose last event has
/// this hash, besides what it held `before`. Nothing when that is no more: a
/// batch that came again. What is not of one piece with it is not held: the
/// mailbox may have let go of what is between, and the desk gives it again.
pub fn held_on(before: Option<Held>, (batch, last): (&Batch, Hash)) -> Option<Held> {
    let alone = Held {
        incarnation: batch.incarnation,
        lane: batch.lane,
        first_n: batch.first_n,
        n: batch.last_n,
        hash: last,
    };
    let Some(before) = before else {
        return Some(alone);
    };
    let touches = batch.first_n <= before.n + 1 && before.first_n <= batch.last_n + 1;
    if !touches {
        return Some(alone);
    }
    let first_n = before.first_n.min(batch.first_n);
    let joined = match batch.last_n > before.n {
        true => Held { first_n, ..alone },
        false => Held { first_n, ..before },
    };
    (joined != before).then_some(joined)
}

/// A batch that waits at the mailbox, as its store lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// The order in which it came.
    pub row: u64,
    pub batch: Batch,
    /// As [`came`] says.
    pub came: Option<DateTime<Utc>>,
}

/// Of the handoffs in an urgent batch, when the customer came whose hour ends
/// first. None where there is no handoff: an alert, which has minutes.
pub fn came(lane: Lane, signed: &Signed) -> Option<DateTime<Utc>> {
    if lane != Lane::Urgent {
        return None;
    }
    let request: Request = signed.peek().ok()?;
    let message::Ask::Batch { events, .. } = request.ask else {
        return None;
    };
    let packets = events.iter().filter_map(|sealed| {
        let event: LedgerEvent = serde_json::from_str(sealed.body.get()).ok()?;
        match event.fact {
            Fact::HandedOff { packet, .. } => Some(packet.arrived_at),
            _ => None,
        }
    });
    packets.min()
}

/// Whose batches go to the hub next: of a desk that has something urgent
/// before all others, among these of the one whose hour ends first, then of the
/// one that has waited longest. The rows in `later`, which the hub has just not
/// moved on with, do not count. Within a desk's lane the order is that of its
/// numbers, which have no gaps, whatever the deadlines.
pub fn next_desk(waiting: &[Waiting], later: &[u64]) -> Option<DeviceId> {
    waiting
        .iter()
        .filter(|one| !later.contains(&one.row))
        .min_by_key(|one| (one.batch.lane != Lane::Urgent, one.came, one.row))
        .map(|one| one.batch.device)
}

/// What the hub has judged of a parcel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// The batches that need not be forwarded again.
    pub rows: Vec<u64>,
    /// Streams of which the hub has another past. Their events are in no keeping
    /// any more: a desk that could not use the hub's words gives them again.
    pub forked: BTreeSet<(u32, Lane)>,
}

/// Which of the forwarded batches need not be forwarded again, by the hub's
/// words about them: among them one receipt for each batch, in the parcel's
/// order. A batch behind a gap comes again, behind what is missing.
pub fn settled(sent: &[Waiting], words: &[Word]) -> Settled {
    let receipts = words.iter().filter_map(|word| match word {
        Word::Receipt(receipt) => Some(receipt),
        Word::Standing(_) | Word::Renewal(_) => None,
    });
    let is_settled = |(one, receipt): &(&Waiting, &Receipt)| {
        let count = receipt.verdicts.len() as u64;
        let about = Batch {
            device: receipt.device,
            incarnation: receipt.incarnation,
            lane: receipt.lane,
            first_n: receipt.first_n,
            last_n: (receipt.first_n + count).saturating_sub(1),
        };
        about == one.batch && !receipt.verdicts.contains(&Verdict::Gap)
    };
    let mut settled = Settled::default();
    for (one, receipt) in sent.iter().zip(receipts).filter(is_settled) {
        settled.rows.push(one.row);
        if receipt.verdicts.contains(&Verdict::Forked) {
            settled
                .forked
                .insert((one.batch.incarnation, one.batch.lane));
        }
    }
    settled
}
