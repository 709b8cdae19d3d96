//! Early warnings as a store keeps them: once each, with the complaints they
//! are made of and the steps that people took, which are only ever added to.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::alarm::{AlarmKind, AlarmState, AlarmStep};
use suda_domain::{BranchCode, Complaint, ComplaintId, StaffId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Reader, Result};

/// What is said of an alarm beside what lists are sorted by. Holds nothing
/// that names a person.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct AlarmBody {
    /// Of what the members have in common; empty when that cannot be said.
    pub title: String,
    /// By which a text is known to tell of it.
    #[serde(default)]
    pub pieces: Vec<String>,
    /// The category of most members.
    #[serde(default)]
    pub category: String,
    /// What the counters are to say.
    #[serde(default)]
    pub say: String,
    #[serde(default)]
    pub surge: Option<SurgeFigures>,
}

/// What is counted apart.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SurgeBy {
    City,
    Branch,
    Category,
    Product,
}

impl SurgeBy {
    pub fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Branch => "branch",
            Self::Category => "category",
            Self::Product => "product",
        }
    }
}

/// The last day of a surge.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SurgeFigures {
    pub by: SurgeBy,
    /// The branch, category or product; empty for the whole city.
    pub key: String,
    pub day: chrono::NaiveDate,
    pub count: u64,
    pub expected: f64,
    /// Probability of so many or more by chance.
    pub p: f64,
}

/// A complaint of an alarm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub complaint: ComplaintId,
    pub branch: BranchCode,
    pub captured_at: DateTime<Utc>,
}

/// An alarm to be raised, unless it has been.
#[derive(Clone, PartialEq, Debug)]
pub struct NewAlarm {
    pub id: Uuid,
    pub kind: AlarmKind,
    pub name: String,
    pub series: String,
    pub raised_at: DateTime<Utc>,
    pub body: AlarmBody,
    pub members: Vec<Member>,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Raised {
    New,
    /// It was raised before; an open one has taken the new members over.
    Known(Uuid),
}

/// An alarm with those members the reader may see, the first captured first.
#[derive(Clone, PartialEq, Debug)]
pub struct AlarmHeld {
    pub id: Uuid,
    pub kind: AlarmKind,
    pub state: AlarmState,
    pub raised_at: DateTime<Utc>,
    pub body: AlarmBody,
    pub members: Vec<Member>,
}

/// Which alarms.
#[derive(Clone, Debug, Default)]
pub struct AlarmsAsked {
    pub closed: bool,
    /// One with a member of this branch.
    pub branch: Option<BranchCode>,
    /// The last of the page before.
    pub before: Option<(DateTime<Utc>, Uuid)>,
    pub limit: u32,
}

/// What somebody did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepTaken {
    pub at: DateTime<Utc>,
    pub staff: StaffId,
    pub step: AlarmStep,
    /// What the counters are to say, why it is closed, or a remark.
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stepped {
    Done,
    NotInThisState,
    Unknown,
}

/// Complaints in the order the hub came to know them.
#[derive(Clone, Debug)]
pub struct FirstTold {
    /// With the number of its first line in the ledger.
    pub cases: Vec<(u64, Complaint)>,
    /// Up to which line of the ledger was looked.
    pub cursor: u64,
    pub more: bool,
}

/// How many complaints were captured on a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayCell {
    /// Days since 1970, in local time.
    pub day: i64,
    pub branch: String,
    pub category: String,
    pub product: String,
    pub count: u64,
}

#[async_trait]
pub trait AlarmStore {
    /// Whether this process is the one that watches for bursts and surges.
    async fn watches_alarms(&self) -> Result<bool>;
    /// When a line of the ledger came in.
    async fn received_at(&self, seq: u64) -> Result<Option<DateTime<Utc>>>;
    /// The complaints whose first line stands behind `after`, a part at a time.
    async fn first_told(&self, after: u64) -> Result<FirstTold>;
    /// Raises an alarm. A burst that shares a member with one raised before is
    /// that one, and so is a surge of a series that is open or of a day told of.
    async fn raise_alarm(&self, alarm: &NewAlarm) -> Result<Raised>;
    /// Adds members to an open alarm.
    async fn join_alarm(&self, alarm: Uuid, members: &[Member]) -> Result<()>;
    /// Alarms with a member the reader may see, the newest first.
    async fn alarms(&self, asked: &AlarmsAsked, reader: Reader) -> Result<Vec<AlarmHeld>>;
    async fn alarm(&self, id: Uuid, reader: Reader) -> Result<Option<AlarmHeld>>;
    /// Of these complaints those the reader may see.
    async fn cases(&self, ids: &[ComplaintId], reader: Reader) -> Result<Vec<Complaint>>;
    async fn step_alarm(&self, alarm: Uuid, taken: &StepTaken) -> Result<Stepped>;
    /// The first first.
    async fn alarm_steps(&self, alarm: Uuid) -> Result<Vec<StepTaken>>;
    /// By the local day of capture, `offset_ms` ahead of UTC.
    async fn day_cells(&self, since: DateTime<Utc>, offset_ms: i64) -> Result<Vec<DayCell>>;
    /// Complaints captured in a time, the last first.
    async fn captured_within(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Complaint>>;
}

/// Lines of the ledger looked through at once.
pub const LINES_AT_ONCE: u64 = 2_000;
