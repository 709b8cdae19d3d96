//! What the facts are made of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{EvidenceId, MeasureId, StaffId};
use crate::state::{Complexity, Grade};

/// Where a record came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Form,
    Import,
}

/// What the rules had proposed, kept beside what was decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuggestionTrace {
    pub category: Option<String>,
    pub grade: Grade,
    pub complexity: Complexity,
    /// Ids of the rules that decided.
    pub rules: Vec<String>,
    /// Version of the rule file.
    pub version: u32,
    /// Version of the learned model, where the category comes from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<u32>,
    /// Version of what was learned of handoffs, where simple or complex comes
    /// from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<u32>,
}

/// Why a complaint was handed off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HandoffCause {
    /// A person judged it complex.
    Manual,
    /// The hour was running out.
    Automatic,
    Import,
}

/// How a claim ended without work.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseCause {
    GivenBack,
    LeaseExpired,
    /// It proved to be about the expert, or about somebody below them.
    Recused,
}

/// Whether the customer was right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Upheld,
    PartlyUpheld,
    NotUpheld,
}

/// One measure of a solution plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measure {
    /// Absent from plans of older versions; folding gives them one.
    #[serde(default = "MeasureId::nil")]
    pub id: MeasureId,
    pub what: String,
    pub responsible: String,
    /// The account of the responsible person, who then tells the progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    pub due_at: DateTime<Utc>,
    /// People, money, materials.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resources: String,
}

/// The initial analysis report (初步分析报告); all three parts are required.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    pub root_cause: String,
    pub impact: String,
    pub proposal: String,
    /// What the proposal gives the customer, in the smallest unit of the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation_minor: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interviews: Vec<Interview>,
    /// Files of the complaint that it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<EvidenceId>,
    /// Records of other systems: bills, logs, measurements.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub related: String,
}

/// Whom somebody spoke to for a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interview {
    pub who: String,
    pub at: DateTime<Utc>,
    pub said: String,
}

impl Report {
    /// Whether all three parts are there.
    pub fn is_complete(&self) -> bool {
        [&self.root_cause, &self.impact, &self.proposal]
            .into_iter()
            .all(|part| !part.trim().is_empty())
    }
}

/// Who of the branch is to see to a complaint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignee {
    pub staff: StaffId,
    pub name: String,
}

/// A time as it stood and as it counts now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Corrected {
    pub was: DateTime<Utc>,
    pub is: DateTime<Utc>,
}

/// The corrected time of one step of the same device and incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CorrectedStep {
    /// The lane's number.
    pub lane: u8,
    /// The step's number in that lane.
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub n: u64,
    pub was: DateTime<Utc>,
    pub is: DateTime<Utc>,
}

/// Which guidance was in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GuidanceUsed {
    pub category: String,
    pub version: u32,
}

/// Who is asked for more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AskedOf {
    Branch,
    Customer,
}

/// What a comment on an approval says of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    For,
    Against,
    /// Neither.
    Remark,
}

/// Why a call-back did not reach the customer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TryOutcome {
    NoAnswer,
    Busy,
    SwitchedOff,
    WrongNumber,
    /// Reached, but the customer asks to be called another time.
    AnotherTime,
}

/// What a customer is dissatisfied with, as the call-back asks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dissatisfaction {
    Decision,
    Remedy,
    Slow,
    Attitude,
    NotDone,
    Unexplained,
    Other,
}
