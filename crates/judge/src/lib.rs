//! Suggestions: the category, the grade, and simple or complex, each with the
//! reason. A person decides; what was suggested is kept beside the decision.
//!
//! Pure: rules come in as data, no clock, no I/O. The same function serves the
//! form, the import and the hub.

pub mod bursts;
mod features;
mod fold;
pub mod grade;
pub mod learn;
mod rules;
pub mod similar;
mod suggest;
pub mod surge;
mod topics;
mod words;

pub use rules::{Rule, RuleSet, RuleSetError};
pub use suggest::{Case, Reason, Suggestion, suggest};

/// The starter rule file for telecom service halls, with its category tree.
pub const TELECOM: &str = include_str!("../data/telecom.json");

#[cfg(test)]
mod tests;
