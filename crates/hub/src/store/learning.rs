//! What is learned from and what came of it, as a store keeps it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;
use suda_domain::intake::Channel;
use suda_domain::{BranchCode, Complaint, ComplaintId, LedgerEvent, StaffId};
use suda_judge::handoff::Handling;
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
        let [remedy_sought, description] = texts.map(cut);
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

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// A case that was answered as handoffs are learned from it: what was known when it
/// came in, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandledCase {
    pub branch: BranchCode,
    pub category: String,
    pub remedy_sought: String,
    pub description: String,
    /// To count a customer's complaints; never learned from by itself.
    pub phone: String,
    pub amount_minor: Option<i64>,
    pub group_size: usize,
    pub channel: Channel,
    pub arrived_at: DateTime<Utc>,
    pub answered_at: Option<DateTime<Utc>>,
    pub handling: Handling,
}

impl From<Complaint> for HandledCase {
    fn from(complaint: Complaint) -> Self {
        let handling = Handling::of(&complaint);
        let intake = complaint.intake;
        Self {
            branch: complaint.branch,
            category: intake.category,
            remedy_sought: cut(intake.remedy_sought),
            description: cut(intake.description),
            phone: intake.phone,
            amount_minor: intake.amount_minor,
            group_size: intake.group.len(),
            channel: intake.channel,
            arrived_at: complaint.arrived_at,
            answered_at: complaint.marks.answered_at,
            handling,
        }
    }
}

/// The setting that holds what is learned of handoffs, absent or null where
/// nothing is.
pub const HANDOFFS: &str = "handoffs";

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
    pub handoffs: HandoffEffect,
}

/// What a training changes in what is known of handoffs.
#[derive(Clone, PartialEq, Debug)]
pub enum HandoffEffect {
    Nothing,
    /// This model's word counts from now on; its version is the training's.
    Use(Value),
    /// No model's does.
    Withdraw,
}

impl HandoffEffect {
    /// What is to be kept for a training of this version; nothing when what is
    /// kept stays.
    pub fn to_keep(&self, version: u32) -> Option<Option<Value>> {
        match self {
            Self::Nothing => None,
            Self::Use(model) => {
                let mut model = model.clone();
                if let Some(fields) = model.as_object_mut() {
                    fields.insert("version".into(), version.into());
                }
                Some(Some(model))
            }
            Self::Withdraw => Some(None),
        }
    }
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
    /// The newest cases that were answered at least once, with what became of
    /// them: those that arrived last first, without those to be forgotten and
    /// those the reader is barred from.
    async fn handled_cases(&self, limit: u32, reader: Reader) -> Result<Vec<HandledCase>>;
    /// What is learned of handoffs, as [`suda_judge::handoff::HandoffModel`]
    /// writes it.
    async fn handoff_model(&self) -> Result<Option<Value>>;
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
