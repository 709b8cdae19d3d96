//! What a desk's parcel holds, as the hub reads it: all of it is checked before
//! any of it is judged.

use suda_domain::{DeviceId, Lane};

use super::OpenError;
use crate::chain::SealedEvent;
use crate::message::{Ask, Request, VERSION, is_read};
use crate::sign::{PublicKey, Signed};

/// Events taken in one batch, as at the desks' door; desks send at most
/// [`BATCH_EVENTS`](crate::message::BATCH_EVENTS).
const MOST_EVENTS: usize = 1000;

/// A batch of a parcel, its signature checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Any of the device's: a desk put back from a backup goes on under a new
    /// one before the hub has heard of it, and its earlier one may have events
    /// that nobody has yet.
    pub incarnation: u32,
    pub lane: Lane,
    pub first_n: u64,
    pub events: Vec<SealedEvent>,
    pub rekeys: bool,
}

/// Why nothing of a parcel is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BatchesError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the bundle is not signed by the desk it claims to be of")]
    Forged,
}

/// The one device a parcel claims to be of.
pub fn sender(messages: &[Signed]) -> Result<DeviceId, OpenError> {
    let first = messages.first().ok_or(OpenError::Unreadable)?;
    let request: Request = first.peek().map_err(|_| OpenError::Unreadable)?;
    Ok(request.device)
}

/// The incarnation the desk goes under, and its batches in their order.
pub fn batches_of(
    (device, key): (DeviceId, &PublicKey),
    messages: &[Signed],
) -> Result<(u32, Vec<Checked>), BatchesError> {
    let mut batches = Vec::with_capacity(messages.len());
    let mut present = 0;
    for message in messages {
        if !message.is_from(key) {
            return Err(BatchesError::Forged);
        }
        let request: Request = message.peek().map_err(|_| OpenError::Unreadable)?;
        if request.v > VERSION {
            return Err(OpenError::Newer.into());
        }
        let Ask::Batch {
            lane,
            first_n,
            events,
            incarnation: written,
            rekeys,
            known: _,
        } = request.ask
        else {
            return Err(OpenError::Unreadable.into());
        };
        present = present.max(request.incarnation);
        let incarnation = written.unwrap_or(request.incarnation);
        let within = first_n >= 1
            && i64::try_from(first_n).is_ok()
            && (1..=request.incarnation).contains(&incarnation);
        let fits = (1..=MOST_EVENTS).contains(&events.len());
        if request.device != device || !is_read(request.v) || !within || !fits {
            return Err(OpenError::Unreadable.into());
        }
        batches.push(Checked {
            incarnation,
            lane,
            first_n,
            events,
            rekeys,
        });
    }
    Ok((present, batches))
}
