//! What is learned from and what came of it, as a store keeps it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::{BranchCode, ComplaintId, LedgerEvent, StaffId};
use uuid::Uuid;

use super::{Reader, Result, StoreError};
use crate::learning::report::TrainingReport;

/// Characters of each text that are learned from; a model looks at fewer.
const LONGEST: usize = 2_000;

/// A case that was answered: its category has stood to the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfirmedCase {
    pub id: ComplaintId,
    /// As it was assessed last.
    pub category: String,
    pub remedy_sought: String,
    pub description: String,
    /// When it was answered last.
    pub confirmed_at: DateTime<Utc>,
    /// It was answered before and taken up again.
    pub again: bool,
    /// The customer's name, to be left out wherever a text is shown; never
    /// learned from by itself.
    pub customer: String,
}

impl ConfirmedCase {
    /// From what the tables hold.
    pub fn of(
        id: Uuid,
        category: String,
        texts: [String; 2],
        confirmed_at: &str,
        (cycle, customer): (i64, String),
    ) -> Result<Self> {
        let confirmed_at = confirmed_at
            .parse()
            .map_err(|_| StoreError::Damaged(format!("complaint {id}: when it was answered")))?;
        let [remedy_sought, description] =
            texts.map(|text| match text.char_indices().nth(LONGEST) {
                Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
                None => text,
            });
        Ok(Self {
            id: ComplaintId(id),
            category,
            remedy_sought,
            description,
            confirmed_at,
            again: cycle > 1,
            customer,
        })
    }

    /// Its texts in the order of [`suda_judge::COLUMNS`].
    pub fn texts(&self) -> [&str; 2] {
        [&self.remedy_sought, &self.description]
    }

    #[cfg(test)]
    pub fn sample(category: &str, description: &str) -> Self {
        Self {
            id: ComplaintId(Uuid::new_v4()),
            category: category.to_owned(),
            remedy_sought: "处理".to_owned(),
            description: description.to_owned(),
            confirmed_at: DateTime::UNIX_EPOCH,
            again: false,
            customer: String::new(),
        }
    }
}

/// How learning stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LearningState {
    /// The training whose model the desks use.
    pub in_force: Option<u32>,
    /// A training runs, until it ends or this moment has passed.
    pub busy_until: Option<DateTime<Utc>>,
    /// When the last one ended that was no preview.
    pub last_at: Option<DateTime<Utc>>,
    /// Texts were to be forgotten since.
    pub to_retrain: bool,
}

/// A training that was kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Training {
    /// Also its model's.
    pub version: u32,
    pub at: DateTime<Utc>,
    /// Who asked for it; nobody at night.
    pub asked_by: Option<StaffId>,
    pub report: TrainingReport,
    /// Its model is kept, so that it can be put in force.
    pub has_model: bool,
}

/// A training to be kept.
#[derive(Clone, PartialEq, Debug)]
pub struct NewTraining {
    pub at: DateTime<Utc>,
    pub asked_by: Option<StaffId>,
    pub report: TrainingReport,
    /// When the cases were read: what is to be forgotten since is still in it.
    pub read_at: DateTime<Utc>,
    pub effect: Effect,
}

/// What a training changes for the desks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    Nothing,
    /// This model is in force from now on.
    RollOut(Vec<u8>),
    /// No model is: the one there was knew texts that are to be forgotten, and
    /// there is none without them.
    Withdraw,
}

/// Trainings whose report is kept.
pub const REPORTS_KEPT: u32 = 400;
/// Models kept to go back to.
pub const MODELS_KEPT: u32 = 10;

#[async_trait]
pub trait LearningStore {
    /// The newest answered cases whose texts are not to be forgotten, the
    /// newest first, but those the reader is barred from.
    async fn confirmed_cases(&self, limit: u32, reader: Reader) -> Result<Vec<ConfirmedCase>>;
    /// The assessments among the newest so many lines of the ledger.
    async fn assessments(&self, lines: u32) -> Result<Vec<(BranchCode, LedgerEvent)>>;
    async fn learning(&self) -> Result<LearningState>;
    /// Begins a training for `holder`; false when another one runs.
    async fn begin_training(
        &self,
        holder: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool>;
    /// Ends it: keeps the report, does what it changes, and tells the desks.
    /// Gives its version; nothing when `holder` lost it meanwhile, and then
    /// nothing is kept.
    async fn end_training(&self, holder: Uuid, training: &NewTraining) -> Result<Option<u32>>;
    /// The newest first.
    async fn trainings(&self, limit: u32) -> Result<Vec<Training>>;
    /// A model that is kept.
    async fn model(&self, version: u32) -> Result<Option<Vec<u8>>>;
    /// Puts a kept model in force, or none, and tells the desks; false when it
    /// is not kept.
    async fn use_model(&self, version: Option<u32>) -> Result<bool>;
    /// Never learns from this case again, and wants a new model. False when
    /// there is no such case.
    async fn forget_case(&self, id: ComplaintId, at: DateTime<Utc>) -> Result<bool>;
    /// Cases that are not to be learned from.
    async fn forgotten(&self) -> Result<u64>;
}
