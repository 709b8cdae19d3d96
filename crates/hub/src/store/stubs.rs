//! Complaints told by telephone before their record arrived: kept beside the
//! ledger until they are joined with it, and never counted as received.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::{BranchCode, ComplaintId, Grade, StaffId};
use suda_sync::phone::PhoneCode;
use uuid::Uuid;

use super::{AddError, Reader, Result};

/// What an expert was told on the telephone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneStub {
    pub id: Uuid,
    pub code: PhoneCode,
    pub branch: BranchCode,
    /// When the customer arrived, as the clerk told it.
    pub arrived_at: DateTime<Utc>,
    pub grade: Grade,
    pub opened_by: StaffId,
    pub opened_at: DateTime<Utc>,
    /// The expert who looks after it.
    pub held_by: StaffId,
    /// The record it was joined with, and when.
    pub joined: Option<(ComplaintId, DateTime<Utc>)>,
    /// When an expert closed it without a record; its last note says why.
    pub closed_at: Option<DateTime<Utc>>,
    /// Oldest first.
    pub notes: Vec<PhoneNote>,
}

/// What somebody wrote down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneNote {
    /// Also the key of the step that makes it a note of the complaint.
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub by: StaffId,
    pub text: String,
}

#[async_trait]
pub trait PhoneStubs {
    /// Opens a stub with its first notes. When one of this branch and code is
    /// open already, the notes go there and its id is given.
    async fn open_stub(&self, stub: &PhoneStub) -> Result<Uuid, AddError>;
    /// Those neither joined nor closed, the earliest arrival first.
    async fn open_stubs(&self) -> Result<Vec<PhoneStub>>;
    /// None of one that was joined with what the reader is barred from. One
    /// that is not names no complaint yet.
    async fn stub(&self, id: Uuid, reader: Reader) -> Result<Option<PhoneStub>>;
    /// False when there is no such stub, or it is joined or closed. A note that is there
    /// already is not written again.
    async fn add_stub_note(&self, stub: Uuid, note: &PhoneNote) -> Result<bool>;
    /// Gives the stub to another expert; false as above.
    async fn hold_stub(&self, stub: Uuid, expert: StaffId) -> Result<bool>;
    /// Puts the stub under the branch it was meant for, with a note of it; false
    /// as above.
    ///
    /// # Errors
    /// [`AddError::UnknownBranch`], and [`AddError::Exists`] when one of that
    /// branch and code is open already.
    async fn move_stub(
        &self,
        stub: Uuid,
        branch: &BranchCode,
        note: &PhoneNote,
    ) -> Result<bool, AddError>;
    /// Ends a stub that has no record, with the note that says why; false as above.
    async fn close_stub(&self, stub: Uuid, note: &PhoneNote) -> Result<bool>;
    /// Ends a stub whose `notes` notes are with the complaint. False when it
    /// has more by now, or is joined already.
    async fn join_stub(
        &self,
        stub: Uuid,
        complaint: ComplaintId,
        notes: usize,
        at: DateTime<Utc>,
    ) -> Result<bool>;
    /// Complaints of a branch whose customer arrived at that time or later.
    async fn arrived_since(
        &self,
        branch: &BranchCode,
        since: DateTime<Utc>,
    ) -> Result<Vec<ComplaintId>>;
}
