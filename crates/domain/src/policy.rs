//! The settings of the clocks: data the hub sends to every desk.

use serde::{Deserialize, Serialize};

/// Budgets in minutes unless a name says otherwise (product.md, "Clocks").
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Policy {
    pub version: u32,
    pub assessment: u32,
    pub handoff: u32,
    pub grade1_alert: u32,
    pub first_response: u32,
    pub initial_analysis: u32,
    pub feedback: u32,
    pub cycle_working_days: u32,
    pub call_back: u32,
    pub outer_limit: u32,
    /// Minutes after arrival at which the desk reminds of an unsettled complaint.
    pub reminders: Vec<u32>,
    /// Minutes before the end of the hour at which the desk hands off by itself.
    pub automatic_handoff_before: u32,
    /// How long an expert's claim lasts without a sign of life.
    pub lease: u32,
    /// Minutes without input after which a desk locks itself.
    pub idle_lock: u32,
    /// Offset of the installation's civil time from UTC, in minutes.
    pub utc_offset: i32,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            assessment: 15,
            handoff: HOUR,
            grade1_alert: 5,
            first_response: DAY,
            initial_analysis: DAY,
            feedback: DAY,
            cycle_working_days: 7,
            call_back: 7 * DAY,
            outer_limit: 15 * DAY,
            reminders: vec![15, 30, 45, 50],
            automatic_handoff_before: 10,
            lease: 30,
            idle_lock: 10,
            utc_offset: 8 * 60,
        }
    }
}
