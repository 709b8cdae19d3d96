//! The rules of time as the stores keep them: one setting, compiled once and
//! kept until its text changes. The same for every store; no SQL here.

use std::sync::{Arc, Mutex, PoisonError};

use suda_domain::Policy;
use suda_domain::time::{TimeRules, Timekeeping};

use super::value::parsed;
use super::{Result, StoreError};

/// The setting's name.
pub const TIME: &str = "time";
/// What a hub of before there was more than one policy has instead.
pub const POLICY: &str = "policy";

/// What was compiled last, with the text it was compiled from.
#[derive(Debug, Default)]
pub struct CompiledTime(Mutex<Option<(String, Arc<Timekeeping>)>>);

impl CompiledTime {
    /// Compiles the settings of these two names, at least one of which is there.
    pub fn of(&self, time: Option<String>, policy: Option<String>) -> Result<Arc<Timekeeping>> {
        let is_time = time.is_some();
        let missing = || StoreError::Damaged(format!("the setting {TIME} is missing"));
        let text = time.or(policy).ok_or_else(missing)?;
        // What is there is whole: it is only ever replaced.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
