//! The rules of time as the stores keep them: one setting, compiled once and
//! kept until its text changes. The same for every store; no SQL here.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::time::{TimeRules, Timekeeping};
use suda_domain::{Policy, StaffId};
use utoipa::ToSchema;

use super::barred::KnownLines;
use super::value::parsed;
use super::{Result, StoreError};

/// The setting's name.
pub const TIME: &str = "time";
/// What a hub of before there was more than one policy has instead.
pub const POLICY: &str = "policy";

/// The setting that lists who changed the rules of time.
pub const TIME_CHANGES: &str = "time_changes";
/// The setting that says by which [`DERIVATION`] the rows were made.
pub const DERIVED: &str = "derived";
/// Raised whenever the same ledger gives other rows than before: rows that an
/// older program has made are then made anew.
pub const DERIVATION: u32 = 3;

/// Says in the log that rows were made anew.
pub fn made_anew(rows: u64) {
    if rows > 0 {
        tracing::info!(
            rows,
            "rows of an older program were made anew from the ledger"
        );
    }
}

/// A change of the rules of time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimeChange {
    pub at: DateTime<Utc>,
    #[schema(value_type = String)]
    pub by: StaffId,
    pub what: TimeChanged,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimeChanged {
    Policy {
        version: u32,
    },
    Calendar {
        /// The years that the file listed.
        years: Vec<i32>,
    },
}

/// What was compiled last, with the text it was compiled from; and, kept the
/// same way, who stands above whom.
#[derive(Debug, Default)]
pub struct CompiledTime {
    compiled: Mutex<Option<(String, Arc<Timekeeping>)>>,
    pub lines: KnownLines,
}

impl CompiledTime {
    /// Compiles the settings of these two names, at least one of which is there.
    pub fn of(&self, time: Option<String>, policy: Option<String>) -> Result<Arc<Timekeeping>> {
        let is_time = time.is_some();
        let missing = || StoreError::Damaged(format!("the setting {TIME} is missing"));
        let text = time.or(policy).ok_or_else(missing)?;
        // What is there is whole: it is only ever replaced.
        let mut last = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, compiled)) = &*last
            && *known == text
        {
            return Ok(Arc::clone(compiled));
        }
        let rules: TimeRules = if is_time {
            parsed(&text)?
        } else {
            TimeRules::beginning(parsed::<Policy>(&text)?)
        };
        let compiled = Arc::new(Timekeeping::from(rules));
        *last = Some((text, Arc::clone(&compiled)));
        Ok(compiled)
    }
}
