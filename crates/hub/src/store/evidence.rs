//! The contents of evidence files, as a store keeps them: in the database, as
//! the slices they came in. There one place holds for both stores and for
//! several hub processes, and backups, moves and restores take them along.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::{ComplaintId, EvidenceId, StaffId};

use super::{Reader, Result};

/// How far the bytes of a file are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    pub received: u64,
    pub complete_at: Option<DateTime<Utc>>,
}

/// Bytes of a file from a place on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SliceOf {
    pub file: EvidenceId,
    pub complaint: ComplaintId,
    pub at: u64,
    pub data: Vec<u8>,
    /// The file's event is still to be written.
    pub staged: bool,
}

/// Somebody has read a file's contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EvidenceRead {
    pub at: DateTime<Utc>,
    pub staff: StaffId,
    pub complaint: ComplaintId,
    pub file: EvidenceId,
}

#[async_trait]
pub trait EvidenceStore {
    /// How far a file is; nothing of one that was never begun.
    async fn evidence_stored(&self, file: EvidenceId) -> Result<Stored>;
    /// Stores a slice if it is the next one, else nothing. Gives how far the
    /// file is afterwards.
    async fn add_slice(&self, slice: SliceOf, now: DateTime<Utc>) -> Result<Stored>;
    /// The slice that holds the byte at this place, with the place of its
    /// first byte. Nothing behind the last.
    async fn evidence_slice(
        &self,
        file: EvidenceId,
        at: u64,
        reader: Reader,
    ) -> Result<Option<(u64, Vec<u8>)>>;
    /// Forgets the bytes from this place on, unless the file is complete.
    async fn cut_evidence(&self, file: EvidenceId, from: u64) -> Result<()>;
    /// All bytes are there, and the hash of the whole fits.
    async fn complete_evidence(&self, file: EvidenceId, at: DateTime<Utc>) -> Result<()>;
    /// The event of a staged file is written.
    async fn unstage_evidence(&self, file: EvidenceId) -> Result<()>;
    /// Forgets a staged file.
    async fn drop_staged(&self, file: EvidenceId) -> Result<()>;
    /// Staged files begun before this moment.
    async fn staged_before(&self, before: DateTime<Utc>) -> Result<Vec<(EvidenceId, ComplaintId)>>;
    /// Writes down that somebody has read a file.
    async fn note_evidence_read(&self, read: EvidenceRead) -> Result<()>;
    /// Who has read files of a complaint, the earliest first.
    async fn evidence_reads(
        &self,
        complaint: ComplaintId,
        reader: Reader,
    ) -> Result<Vec<EvidenceRead>>;
}
