//! Records that wait for a predecessor, as both stores keep them: among those
//! set aside, with the reason that says so.

use std::collections::BTreeSet;

use suda_domain::{ComplaintId, LedgerEvent};
use suda_sync::message::QuarantineReason;
use uuid::Uuid;

use super::Result;
use super::value::{branch, parsed, sealed};
use crate::ingest::HeldRecord;

/// Name, branch, complaint, body, hash before, hash and reason of a record
/// that nobody has resolved.
pub type WaitingRow = (i64, String, Option<Uuid>, String, Vec<u8>, Vec<u8>, String);

/// Those that wait for a predecessor and concern one of the complaints.
///
/// # Errors
/// When a stored value is not what it should be.
pub fn waiting(
    rows: Vec<WaitingRow>,
    complaints: &BTreeSet<ComplaintId>,
) -> Result<Vec<HeldRecord>> {
    let mut held = Vec::new();
    for (id, of, complaint, body, prev, hash, reason) in rows {
        let concerned = complaint.is_some_and(|id| complaints.contains(&ComplaintId(id)));
        if !concerned || !waits(&reason) {
            continue;
        }
        let event: LedgerEvent = parsed(&body)?;
        held.push(HeldRecord {
            id,
            branch: branch(of)?,
            event,
            sealed: sealed(body, &prev, &hash)?,
        });
    }
    Ok(held)
}

/// Whether a record with this reason may find its place by itself.
pub fn waits(reason: &str) -> bool {
    serde_json::from_str(reason).is_ok_and(QuarantineReason::waits)
}
