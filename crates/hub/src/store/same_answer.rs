//! What answers gave and by which guidance, as a store tells it: from the
//! ledger and the guidance's versions. No table of its own.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use suda_domain::guidance::Guidance;
use suda_domain::{Complaint, ComplaintId, LedgerEvent};

use super::{Reader, Result};

/// Answers in the order of the ledger.
#[derive(Clone, Debug)]
pub struct AnswersTold {
    /// The line that settled or answered, and the complaint as it is now.
    pub answers: Vec<(LedgerEvent, Complaint)>,
    /// Up to which line of the ledger was looked.
    pub cursor: u64,
    pub more: bool,
}

/// A version of a category's guidance and since when it is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuidanceVersion {
    pub guidance: Guidance,
    pub since: DateTime<Utc>,
}

#[async_trait]
pub trait SameAnswerStore {
    /// What was settled or answered behind a line of the ledger, a part at a time.
    async fn answers_after(&self, after: u64) -> Result<AnswersTold>;
    /// Every version of all guidance there has been, by category and version.
    async fn guidance_versions(&self) -> Result<Vec<GuidanceVersion>>;
    /// The complaints somebody is barred from.
    async fn barred_from(&self, reader: Reader) -> Result<BTreeSet<ComplaintId>>;
}
