//! How the hub writes events of its own: the next number of its lane, the
//! chain, the rules asked first. Pure; the store says where the lane stands
//! and keeps what is written.

use chrono::{DateTime, Utc};
use suda_domain::{
    Actor, BranchCode, Complaint, ComplaintId, DeviceId, EventKey, Fact, Lane, LedgerEvent,
    Refusal, Stamp,
};

use crate::chain::SealedEvent;
use crate::place::LaneHead;

/// An event with its place, ready for the log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The branch whose desks are told.
    pub branch: BranchCode,
    pub complaint: ComplaintId,
    pub key: EventKey,
    pub sealed: SealedEvent,
}

/// The hub's own lane during one transaction.
#[derive(Clone, Debug)]
pub struct Pen {
    pub device: DeviceId,
    pub incarnation: u32,
    pub head: LaneHead,
    pub now: DateTime<Utc>,
    pub mono_ms: u64,
}

/// Why an event was not written.
#[derive(Debug, thiserror::Error)]
pub enum PenError {
    #[error("the rules do not allow the step")]
    Refused(#[from] Refusal),
    #[error("the event cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Pen {
    /// The lane the hub writes in.
    pub const LANE: Lane = Lane::Ordinary;

    /// Writes `fact` about `complaint` and folds it in, if the rules allow it.
    pub fn write(
        &mut self,
        complaint: &mut Complaint,
        actor: &Actor,
        fact: Fact,
    ) -> Result<Entry, PenError> {
        complaint.admit(actor, &fact)?;
        let n = self.head.n + 1;
        let key = EventKey {
            device: self.device,
            incarnation: self.incarnation,
            lane: Self::LANE,
            n,
        };
        let event = LedgerEvent {
            key,
            complaint: complaint.id,
            owner_no: complaint.owner_no,
            at: Stamp {
                wall: self.now,
                mono_ms: self.mono_ms,
                hub_offset_ms: Some(0),
                offset_age_s: Some(0),
            },
            actor: actor.clone(),
            fact,
            origin: None,
        };
        complaint.apply(&event)?;
        let sealed = SealedEvent::seal(&event, self.head.hash)?;
        self.head = LaneHead {
            n,
            hash: sealed.hash,
        };
        Ok(Entry {
            branch: complaint.branch.clone(),
            complaint: complaint.id,
            key,
            sealed,
        })
    }
}
