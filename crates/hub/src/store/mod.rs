//! What the hub needs to have kept, in the hub's words. No SQL and no type of
//! a database: `sqlite` is the embedded store, another can follow behind the
//! same traits. Every implementation has to pass the same conformance suite.

pub mod alarms;
pub mod barred;
pub mod checks;
pub mod evidence;
pub mod learning;
pub mod letters;
mod notice;
pub mod postgres;
mod requests;
pub mod row;
pub mod same_answer;
pub mod set_aside;
pub mod sms;
pub mod sqlite;
pub mod statistics;
mod stubs;
mod time;
pub mod tries;
pub mod value;
pub mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use suda_domain::time::{TimeRules, Timekeeping};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::complaint::Task;
use suda_domain::duty::{DutyKind, Holder};
use suda_domain::guidance::Guidance;
use suda_domain::staff::StaffRecord;
use suda_domain::{
    BranchCode, Complaint, ComplaintId, DeviceId, EventKey, Fact, Lane, Lines, Policy,
    ReferenceNumber, Refusal, Role, StaffId, State, TaskId,
};
use suda_sync::hub::allowance::Load;
use suda_sync::hub::contact::Contact;
use suda_sync::message::ClockNotice;
use suda_sync::message::Renewal;
use suda_sync::place::LaneHead;
use suda_sync::{Hash, LogEntry, PublicKey, SealedEvent, SecretKey, SetAside, Verdict};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::ingest::Batch;

pub use barred::Reader;
pub use notice::{Touched, TouchedComplaint};
pub use set_aside::Quarantined;
pub use stubs::{PhoneNote, PhoneStub, PhoneStubs};
pub use time::{TimeChange, TimeChanged};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something else is writing; try again.
    #[error("the store is busy")]
    Busy,
    #[error("the disk is full")]
    Full,
    #[error("the store cannot be written: it is read-only")]
    ReadOnly,
    /// A stored value is not what it should be.
    #[error("damaged: {0}")]
    Damaged(String),
    #[error("the store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Full)
    }
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Who this hub is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub device: DeviceId,
    /// Rises when the hub is restored, so that its numbers are never given twice.
    pub incarnation: u32,
    pub key: SecretKey,
    /// Drawn anew when the hub is restored.
    pub epoch: String,
}

/// What holds for the whole installation.
#[derive(Clone, Debug)]
pub struct Settings {
    pub organisation: String,
    pub status_url: Option<String>,
    pub time: Arc<Timekeeping>,
    /// Rises with every change of what desks are told.
    pub directory: u32,
}

/// What a new hub begins with.
#[derive(Clone, Debug)]
pub struct Beginning {
    pub identity: Identity,
    pub organisation: String,
    pub policy: Policy,
    /// Version of the rule file this program ships.
    pub rules: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Branch {
    pub code: BranchCode,
    pub name: String,
    pub active: bool,
}

/// An enrolled counter PC.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: DeviceId,
    pub incarnation: u32,
    pub branch: BranchCode,
    pub letter: String,
    pub key: PublicKey,
    pub name: String,
    pub enrolled_at: DateTime<Utc>,
    pub last_seen: Option<DateTime<Utc>>,
    /// Hub's time minus the device's at the last hello, in milliseconds.
    pub offset_ms: Option<i64>,
    /// How often the device's clock was set.
    pub clock: ClockNotice,
}

/// A one-time code as it is kept: only its hash.
#[derive(Clone, Debug)]
pub struct EnrolCode {
    pub hash: [u8; 32],
    pub branch: BranchCode,
    pub made_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("no such code")]
    UnknownCode,
    #[error("the code has been used")]
    UsedCode,
    #[error("the code has expired")]
    ExpiredCode,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("it exists already")]
    Exists,
    #[error("no such branch")]
    UnknownBranch,
    #[error("a hub lives here already")]
    AlreadyInitialised,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A hello, as far as the store has to judge it.
#[derive(Clone, Copy, Debug)]
pub struct Hello {
    pub device: DeviceId,
    pub incarnation: u32,
    pub renewal: Renewal,
    /// The session shown, 0 for none.
    pub shown: u64,
    /// Whether that session was given in the present epoch.
    pub same_epoch: bool,
}

/// How a hello was answered, and that is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Greeted {
    Welcome { session: u64 },
    Renew { incarnation: u32, letter: String },
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Ingested {
    pub verdicts: Vec<Verdict>,
    pub watermarks: [u64; 4],
}

/// Decides the facts of a step, with the complaint locked against others. An
/// empty list means it was done already. Asked again when the transaction has to
/// be repeated.
pub type Decide = Box<dyn Fn(&Held) -> Result<Vec<Fact>, StepRefused> + Send + Sync>;

/// A step of a person, or of the hub by rule.
pub struct Step {
    pub complaint: ComplaintId,
    pub actor: suda_domain::Actor,
    pub now: DateTime<Utc>,
    pub mono_ms: u64,
    /// Made by the person's browser; the same key a second time does nothing.
    pub key: Option<Uuid>,
    pub decide: Decide,
}

/// Why a step was refused, beside what the rules of the complaint say.
#[derive(Debug, thiserror::Error)]
pub enum StepRefused {
    #[error(transparent)]
    Rule(#[from] Refusal),
    #[error("another expert has claimed it")]
    ClaimedBy(String),
    /// To whom it is about, and to their line, it does not exist.
    #[error("the complaint is not for them")]
    Barred,
    #[error("it cannot be answered along: {0:?}")]
    Along(AlongRefused),
}

/// Why one case cannot be answered with the one it follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AlongRefused {
    /// They were parted meanwhile.
    Parted,
    /// Its customer was not content with this very answer.
    NotContent,
    /// What the case that leads has to give is missing.
    NothingToGive,
    /// What was done, as just written, tells who the customer of this case is.
    SummaryNames(ReferenceNumber),
    /// The answer or the report tells who the customer of this case is.
    AnswerNames(ReferenceNumber),
}

#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("no such complaint")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] StepRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A complaint with what the store keeps beside it.
#[derive(Clone, Debug)]
pub struct Held {
    pub complaint: Arc<Complaint>,
    pub lease_until: Option<DateTime<Utc>>,
}

impl Held {
    /// The complaint for somebody who takes it apart.
    pub fn into_complaint(self) -> Complaint {
        Arc::unwrap_or_clone(self.complaint)
    }
}

/// One line of a complaint's ledger as the hub keeps it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub seq: u64,
    pub received_at: DateTime<Utc>,
    pub sealed: SealedEvent,
}

/// A part of the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    pub entries: Vec<LogEntry>,
    /// Those the device holds: lane, number, place in the log.
    pub held: Vec<(Lane, u64, u64)>,
    pub cursor: u64,
    pub more: bool,
}

/// Which work orders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum View {
    /// To be claimed.
    Queue,
    /// Claimed by this expert.
    Mine(StaffId),
    /// All that the expert team holds.
    Team,
    /// Everything, or everything of one branch.
    All(Option<BranchCode>),
}

/// Where a page of work orders begins: after this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    pub rank: i64,
    pub due: i64,
    pub id: Uuid,
}

impl After {
    pub fn of(complaint: &Complaint, keep: &Timekeeping) -> Self {
        let row = row::Row::of(complaint, keep);
        Self {
            rank: row.rank,
            due: row.due,
            id: complaint.id.0,
        }
    }
}

/// A complaint of which somebody is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToEscalate {
    /// Since when, in milliseconds UTC.
    pub at_ms: i64,
    pub complaint: ComplaintId,
}

/// Who may have been told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    Management,
    /// With what nobody has claimed.
    Expert(StaffId),
    Branch(BranchCode),
    Department(StaffId),
}

/// What somebody has to do, with its complaint.
#[derive(Clone, Debug)]
pub struct DutyHeld {
    pub kind: DutyKind,
    pub item: Uuid,
    pub at: DateTime<Utc>,
    pub complaint: Complaint,
}

/// A dispatched task with its complaint.
#[derive(Clone, Debug)]
pub struct TaskHeld {
    pub task: Task,
    pub complaint: Complaint,
}

/// Whom a search may find complaints of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    Everything,
    Branch(BranchCode),
    Department(StaffId),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub by_state: BTreeMap<State, u64>,
    /// By branch, those not finished.
    pub open_by_branch: BTreeMap<String, u64>,
    pub devices: u64,
    /// Lines of the ledger.
    pub events: u64,
    pub quarantined: u64,
}

impl Counts {
    pub fn complaints(&self) -> u64 {
        self.by_state.values().sum()
    }

    pub fn of(&self, state: State) -> u64 {
        self.by_state.get(&state).copied().unwrap_or_default()
    }
}

/// Handoffs received since a moment, against the hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Handoffs {
    pub in_time: u64,
    pub late: u64,
    /// Rows of the past, which have no hour.
    pub of_the_past: u64,
}

/// The resolution of a record that another copy of its database had brought already.
pub const REPEATED: &str = "repeated";
/// The resolution of a held record whose predecessor has arrived.
pub const ARRIVED: &str = "arrived";

/// What `verify` found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    pub events: u64,
    pub complaints: u64,
    pub lanes: u64,
    /// The first bad row, in the order of the checks.
    pub fault: Option<Fault>,
}

/// A row that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// For example `log seq 17` or `complaint CQ0101-…`.
    pub row: String,
    pub reason: String,
}

/// Own events that a device holds: left out of its pages.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub device: DeviceId,
    pub incarnation: u32,
    /// The highest number held, by lane.
    pub upto: [u64; 4],
}

/// Events, complaints and the work on them.
#[async_trait]
pub trait Ledger {
    /// Judges and stores a batch in one transaction.
    async fn ingest(&self, batch: Batch) -> Result<Ingested>;
    /// Decides and writes a step in one transaction.
    async fn step(&self, step: Step) -> Result<Complaint, StepError>;
    async fn log_after(
        &self,
        branch: &BranchCode,
        cursor: u64,
        max_entries: u32,
        max_bytes: usize,
        held: Option<Own>,
    ) -> Result<LogPage>;
    /// Whether a branch's log has anything behind a place, but for what one
    /// incarnation of a device wrote.
    async fn has_after(
        &self,
        branch: &BranchCode,
        cursor: u64,
        but: Option<(DeviceId, u32)>,
    ) -> Result<bool>;
    async fn timeline(&self, complaint: ComplaintId, reader: Reader) -> Result<Vec<Stored>>;
    async fn complaint(&self, id: ComplaintId, reader: Reader) -> Result<Option<Held>>;
    async fn find_reference(
        &self,
        reference: &ReferenceNumber,
        reader: Reader,
    ) -> Result<Option<ComplaintId>>;
    /// The complaints that refer to this one, the first recorded first.
    async fn linking(&self, to: ComplaintId, reader: Reader) -> Result<Vec<Held>>;
    /// Whom these complaints bar through those they are answered with, of
    /// those that bar anybody so; for [`Lines::with_along`].
    async fn barred_along(
        &self,
        of: &[ComplaintId],
    ) -> Result<BTreeMap<ComplaintId, BTreeSet<StaffId>>>;
    /// Lengthens the expert's lease; false when they hold none.
    async fn renew(
        &self,
        complaint: ComplaintId,
        expert: StaffId,
        until: DateTime<Utc>,
    ) -> Result<bool>;
    /// Claims not yet worked on whose lease has run out, and those of experts
    /// who are barred by now.
    async fn lapsed(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<ComplaintId>>;
}

/// Lists and figures.
#[async_trait]
pub trait Lists {
    async fn work_orders(
        &self,
        view: View,
        after: Option<After>,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Held>>;
    /// A department's own tasks, but of what it is barred from.
    async fn tasks(
        &self,
        department: StaffId,
        open: bool,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
    ) -> Result<Vec<TaskHeld>>;
    /// What any of these holders has to do, by its time.
    async fn duties(&self, holders: &[Holder], limit: u32, reader: Reader)
    -> Result<Vec<DutyHeld>>;
    /// How many call-backs each expert has to make, of those who have any.
    async fn call_backs(&self) -> Result<Vec<(StaffId, u64)>>;
    /// Open tasks and duties that are with somebody who is barred from the
    /// complaint: the complaint and who it is, each pair once.
    async fn with_barred(&self, limit: u32) -> Result<Vec<(ComplaintId, StaffId)>>;
    /// The complaint that has this task of this department, unless it is barred.
    async fn complaint_of_task(
        &self,
        task: TaskId,
        department: StaffId,
    ) -> Result<Option<ComplaintId>>;
    async fn search(
        &self,
        words: &[String],
        scope: &Scope,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Held>>;
    async fn counts(&self) -> Result<Counts>;
    /// Unfinished complaints whose nearest deadline has passed, and how many
    /// there are: the figure counts what the reader is barred from as well.
    async fn overdue(
        &self,
        now: DateTime<Utc>,
        limit: u32,
        reader: Reader,
    ) -> Result<(u64, Vec<Held>)>;
    /// Grade-1 complaints no manager has acknowledged.
    async fn alerts(&self, limit: u32, reader: Reader) -> Result<Vec<Held>>;
    /// Complaints of which somebody is to be told of a deadline by `now`, the
    /// longest waiting first, behind `after`.
    async fn to_escalate(
        &self,
        now: DateTime<Utc>,
        after: Option<ToEscalate>,
        limit: u32,
    ) -> Result<Vec<ToEscalate>>;
    /// Complaints of which somebody was told that still holds, the highest
    /// level first: those that can address these people.
    async fn escalated(&self, told: &Told, limit: u32, reader: Reader) -> Result<Vec<Held>>;
    async fn handoffs_since(&self, since: DateTime<Utc>) -> Result<Handoffs>;
    /// Brings the full-text index up to the log, at most so many complaints.
    /// Gives how many it took.
    async fn index_texts(&self, limit: u32) -> Result<u64>;
}

/// People, branches, guidance and sign-ins.
#[async_trait]
pub trait Directory {
    async fn begin(&self, beginning: &Beginning) -> Result<(), AddError>;
    async fn is_initialised(&self) -> Result<bool>;
    async fn identity(&self) -> Result<Identity>;
    async fn settings(&self) -> Result<Settings>;
    /// Tells the desks of a new rule file when its version changed.
    async fn use_rules(&self, version: u32) -> Result<()>;
    /// Where customers find the status page; tells the desks when it changed.
    async fn use_status_url(&self, url: Option<&str>) -> Result<()>;
    /// Replaces the rules of time, counts every running deadline by the new
    /// ones, and tells the desks. False when they are no longer those of
    /// `before`; then nothing has changed.
    async fn replace_time(
        &self,
        before: &TimeRules,
        after: &TimeRules,
        changes: Vec<TimeChange>,
    ) -> Result<bool>;
    /// Who has replaced the rules of time and when, the oldest first.
    async fn time_changes(&self) -> Result<Vec<TimeChange>>;
    async fn branches(&self) -> Result<Vec<Branch>>;
    async fn add_branch(&self, branch: &Branch) -> Result<(), AddError>;
    async fn staff(&self) -> Result<Vec<StaffRecord>>;
    async fn staff_of_branch(&self, branch: &BranchCode) -> Result<Vec<StaffRecord>>;
    async fn staff_with_role(&self, role: Role) -> Result<Vec<StaffRecord>>;
    async fn staff_member(&self, id: StaffId) -> Result<Option<StaffRecord>>;
    async fn staff_by_login(&self, login: &str) -> Result<Option<StaffRecord>>;
    async fn add_staff(&self, record: &StaffRecord) -> Result<(), AddError>;
    /// False when there is no such member. Ends their sign-ins when not active.
    async fn set_active(&self, id: StaffId, active: bool) -> Result<bool>;
    /// Who stands above the member; the barrier moves with it. False when
    /// there is no such member.
    async fn set_superior(&self, id: StaffId, superior: Option<StaffId>) -> Result<bool>;
    /// Who stands above whom.
    async fn lines(&self) -> Result<Arc<Lines>>;
    /// False when there is no such member. Ends their sign-ins.
    async fn set_password(&self, id: StaffId, hash: &str) -> Result<bool>;
    /// The newest version of each category's guidance.
    async fn guidance(&self) -> Result<Vec<Guidance>>;
    /// Adds the next version and gives its number.
    async fn put_guidance(
        &self,
        guidance: &Guidance,
        by: Option<StaffId>,
        at: DateTime<Utc>,
    ) -> Result<u32>;
    async fn open_session(
        &self,
        token: [u8; 32],
        staff: StaffId,
        until: DateTime<Utc>,
    ) -> Result<()>;
    /// Who signed in with this token, if that still holds.
    async fn session(&self, token: [u8; 32], now: DateTime<Utc>) -> Result<Option<StaffRecord>>;
    async fn close_session(&self, token: [u8; 32]) -> Result<()>;
}

/// Desks.
#[async_trait]
pub trait Devices {
    async fn add_code(&self, code: &EnrolCode) -> Result<(), AddError>;
    /// Uses up the code and makes the device in one transaction.
    async fn enrol(
        &self,
        code: [u8; 32],
        key: &PublicKey,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Device, EnrolError>;
    async fn device(&self, id: DeviceId) -> Result<Option<Device>>;
    async fn devices(&self) -> Result<Vec<Device>>;
    async fn seen(
        &self,
        id: DeviceId,
        at: DateTime<Utc>,
        offset_ms: Option<i64>,
        clock: &ClockNotice,
    ) -> Result<()>;
    async fn watermarks(&self, id: DeviceId, incarnation: u32) -> Result<[u64; 4]>;
    /// Judges a hello and stores what follows: a new session, or a new
    /// incarnation with its letter. An incarnation the hub has not met is the
    /// device's own, of a restore without the hub.
    async fn greet(&self, hello: Hello) -> Result<Greeted>;
    async fn contact(&self, id: DeviceId, incarnation: u32) -> Result<Contact>;
    /// The first question of a session has come.
    async fn use_session(&self, id: DeviceId, incarnation: u32, session: u64) -> Result<()>;
    /// The hash stored under a name, in the ledger or set aside.
    async fn hash_of(&self, key: EventKey) -> Result<Option<Hash>>;
    /// An incarnation of the device's own was met by another way than a hello.
    async fn met(&self, id: DeviceId, incarnation: u32) -> Result<()>;
    /// The last event of each lane that has one, by lane.
    async fn heads(&self, id: DeviceId, incarnation: u32) -> Result<Vec<(Lane, LaneHead)>>;
    /// The incarnations under which it has sent something, the first first.
    async fn incarnations(&self, id: DeviceId) -> Result<Vec<u32>>;
}

/// Keeping the store in order.
#[async_trait]
pub trait Upkeep {
    async fn ready(&self) -> Result<()>;
    /// The places of a device's records that wait for a decision.
    async fn set_aside_of(&self, device: DeviceId, incarnation: u32) -> Result<Vec<SetAside>>;
    /// Complaints with records that wait for a predecessor, and that exist:
    /// each once, by their ids, behind `after`.
    async fn waited_for(&self, after: Option<ComplaintId>, limit: u32) -> Result<Vec<ComplaintId>>;
    /// Forgets what has lost its use: old codes, sign-ins and step keys.
    async fn sweep(&self, now: DateTime<Utc>) -> Result<()>;
    async fn verify(&self) -> Result<Verified>;
    /// Writes a consistent copy to a file that does not exist yet.
    async fn backup(&self, file: &Path) -> Result<(), BackupError>;
    /// Ends the connections in order.
    async fn close(&self);
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the file exists already")]
    Exists,
    #[error("the file cannot be written")]
    File(#[source] std::io::Error),
    /// The store is copied by its own server's tools.
    #[error("a hub on PostgreSQL is copied by PostgreSQL's own tools; see OPERATING.md")]
    Elsewhere,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All of it.
pub trait Store:
    Ledger
    + Lists
    + Directory
    + Devices
    + PhoneStubs
    + Upkeep
    + evidence::EvidenceStore
    + learning::LearningStore
    + letters::LetterStore
    + same_answer::SameAnswerStore
    + set_aside::SetAsideStore
    + statistics::StatisticsStore
    + sms::SmsStore
    + alarms::AlarmStore
    + tries::Tries
    + Send
    + Sync
    + 'static
{
    /// What is committed from now on, in order.
    fn feed(&self) -> broadcast::Receiver<Arc<Touched>>;
    /// What waits to be written into the ledger by this process.
    fn load(&self) -> Load;
}
