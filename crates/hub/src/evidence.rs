//! Putting the contents of evidence files together, from desks slice by slice
//! and from the console as one stream, and giving them out again.

use std::sync::Arc;

use axum::body::Bytes;
use chrono::TimeDelta;
use futures::stream::{self, Stream};
use suda_domain::{ComplaintId, Evidence, EvidenceId};
use suda_sync::Hash;
use suda_sync::evidence::{After, Border, FileName, Hashing, Standing, border};

use crate::hub::Hub;
use crate::store::evidence::{SliceOf, Stored};
use crate::store::{Reader, Result, StoreError};

/// What the console began to send and never ended is forgotten after this.
const STAGED: TimeDelta = TimeDelta::hours(24);

/// A slice of a desk, as much of it as came.
pub struct Arrived {
    pub at: u64,
    pub data: Vec<u8>,
    /// What the chunk it lies in has to be.
    pub chunk: Hash,
}

/// Stores what came of a slice of `file`, and checks what it completes.
pub async fn take(
    hub: &Hub,
    complaint: ComplaintId,
    file: &Evidence,
    arrived: Arrived,
) -> Result<Standing> {
    let name = FileName {
        complaint,
        file: file.id,
    };
    let before = hub.store.evidence_stored(file.id).await?;
    let end = arrived.at + arrived.data.len() as u64;
    let is_next = before.complete_at.is_none() && before.received == arrived.at;
    if !is_next || end > file.bytes {
        return Ok(standing(name, before));
    }
    let slice = SliceOf {
        file: file.id,
        complaint,
        at: arrived.at,
        data: arrived.data,
        staged: false,
    };
    let stored = hub.store.add_slice(slice, hub.clock.now()).await?;
    let (after, unlike) = check(hub, file, stored, arrived.chunk).await?;
    match after {
        After::Keep => Ok(standing(name, stored)),
        After::CutBack(to) => {
            tracing::warn!(file = %file.id, to, "evidence did not fit and is asked for again");
            hub.store.cut_evidence(file.id, to).await?;
            Ok(Standing {
                unlike,
                ..Standing::partial(name, to)
            })
        }
        After::Complete => {
            let at = hub.clock.now();
            hub.store.complete_evidence(file.id, at).await?;
            let complete_at = Some(at);
            Ok(standing(
                name,
                Stored {
                    complete_at,
                    ..stored
                },
            ))
        }
    }
}

/// How far a file is, in the words of the sync.
pub fn standing(name: FileName, stored: Stored) -> Standing {
    Standing {
        complete: stored.complete_at.is_some(),
        ..Standing::partial(name, stored.received)
    }
}

/// What follows for the bytes stored, and whether the whole file is there and
/// not what its event says although its chunks were.
async fn check(hub: &Hub, file: &Evidence, stored: Stored, chunk: Hash) -> Result<(After, bool)> {
    let border = border(stored.received, file.bytes);
    let from = match border {
        _ if stored.complete_at.is_some() => return Ok((After::Keep, false)),
        Border::None => return Ok((After::Keep, false)),
        Border::Chunk { from } | Border::File { from } => from,
    };
    let chunk_fits = hash_of(hub, file.id, from, stored.received).await? == chunk;
    let is_whole = matches!(border, Border::File { .. });
    let file_fits = chunk_fits
        && is_whole
        && hash_of(hub, file.id, 0, stored.received).await?.to_string() == file.sha256;
    let unlike = is_whole && chunk_fits && !file_fits;
    Ok((border.judge(chunk_fits, || file_fits), unlike))
}

/// The hash of the stored bytes from `from` up to `upto`.
async fn hash_of(hub: &Hub, file: EvidenceId, from: u64, upto: u64) -> Result<Hash> {
    let mut hashing = Hashing::default();
    let mut at = from;
    while at < upto {
        let bytes = part(hub, file, at, upto, Reader::Program).await?;
        at += bytes.len() as u64;
        hashing.take(&bytes);
    }
    Ok(hashing.end())
}

/// Stored bytes from `at` on: the rest of one slice, up to `upto` at most.
async fn part(hub: &Hub, file: EvidenceId, at: u64, upto: u64, reader: Reader) -> Result<Bytes> {
    let found = hub.store.evidence_slice(file, at, reader).await?;
    let (from, data) = found.ok_or_else(|| missing(file, at))?;
    let skip = usize::try_from(at - from).unwrap_or(usize::MAX);
    let most = usize::try_from(upto - at).unwrap_or(usize::MAX);
    let rest = data.get(skip..).unwrap_or_default();
    let bytes = rest.get(..most).unwrap_or(rest);
    if bytes.is_empty() {
        return Err(missing(file, at));
    }
    Ok(Bytes::copy_from_slice(bytes))
}

fn missing(file: EvidenceId, at: u64) -> StoreError {
    StoreError::Damaged(format!("evidence {file} lacks byte {at}"))
}

/// The stored bytes from `from` up to `upto`, read as they are sent. Who is
/// barred meanwhile gets no more of them.
pub fn contents(
    hub: Arc<Hub>,
    file: EvidenceId,
    from: u64,
    upto: u64,
    reader: Reader,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::try_unfold(from, move |at| {
        let hub = Arc::clone(&hub);
        async move {
            if at >= upto {
                return Ok(None);
            }
            let bytes = part(&hub, file, at, upto, reader).await?;
            let next = at + bytes.len() as u64;
            Ok(Some((bytes, next)))
        }
    })
}

/// Forgets what the console began to send and never ended. A file whose event
/// was written, and whose note of that was lost with the process, is kept.
pub async fn forget_staged(hub: &Hub) -> Result<()> {
    let before = hub.clock.now() - STAGED;
    for (file, complaint) in hub.store.staged_before(before).await? {
        let held = hub.store.complaint(complaint, Reader::Program).await?;
        let is_known = held.is_some_and(|held| held.complaint.evidence_file(file).is_some());
        if is_known {
            hub.store.unstage_evidence(file).await?;
        } else {
            hub.store.drop_staged(file).await?;
        }
    }
    Ok(())
}
