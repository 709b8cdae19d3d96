//! Learning as commands on the hub's own computer ask for it.

use serde::{Deserialize, Serialize};
use suda_domain::ComplaintId;
use suda_judge::{RuleSet, RuleSetError};

use super::report::TrainingReport;
use super::{Asked, LearningError, Outcome, run};
use crate::clock::Clock;
use crate::store::{Reader, Store, StoreError};

/// A training with its number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trained {
    pub version: u32,
    #[serde(flatten)]
    pub report: Box<TrainingReport>,
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum LocalLearningError {
    #[error("a training runs already")]
    Busy,
    #[error("there is no such complaint")]
    NoSuchComplaint,
    #[error(transparent)]
    Learning(#[from] LearningError),
    #[error("the rule file is not usable")]
    Rules(#[from] RuleSetError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// `judge retrain`.
///
/// # Errors
/// When another training runs, or the store fails.
pub async fn retrain(
    store: &dyn Store,
    clock: &Clock,
    preview: bool,
) -> Result<Trained, LocalLearningError> {
    let rules = RuleSet::parse(suda_judge::TELECOM)?;
    match run(store, clock, rules, Asked { by: None, preview }).await? {
        Outcome::Done(version, report) => Ok(Trained { version, report }),
        Outcome::Busy => Err(LocalLearningError::Busy),
    }
}

/// `judge forget`.
///
/// # Errors
/// When there is no such complaint, or the store fails.
pub async fn forget(
    store: &dyn Store,
    clock: &Clock,
    complaint: &str,
) -> Result<(), LocalLearningError> {
    let missing = || LocalLearningError::NoSuchComplaint;
    let id = find(store, complaint).await?.ok_or_else(missing)?;
    match store.forget_case(id, clock.now()).await? {
        true => Ok(()),
        false => Err(missing()),
    }
}

/// The complaint of a reference number or id.
///
/// # Errors
/// When the store fails.
pub async fn find(store: &dyn Store, text: &str) -> Result<Option<ComplaintId>, StoreError> {
    if let Ok(id) = text.trim().parse() {
        return Ok(Some(id));
    }
    match text.trim().parse() {
        Ok(reference) => store.find_reference(&reference, Reader::Program).await,
        Err(_) => Ok(None),
    }
}
