//! Suggestions: the category, the grade, and simple or complex, each with the
//! reason. A person decides; what was suggested is kept beside the decision.
//!
//! Pure: rules come in as data, no clock, no I/O. The same function serves the
//! form, the import and the hub.

pub mod answers;
pub mod bursts;
pub mod dry_run;
mod features;
mod fold;
pub mod handoff;
pub mod learn;
mod matching;
pub mod pieces;
mod propose;
mod read;
mod rules;
pub mod similar;
mod suggest;
pub mod surge;
mod topics;

pub use matching::{Found, Held};
pub use propose::{COLUMNS, Learned, Likely, Versioned, propose};
pub use read::Place;
pub use rules::{Count, REQUIRABLE, Rule, RuleSet, RuleSetError};
pub use suggest::{Case, Decided, Proposed, Reason, Suggestion, Verdict, judge, suggest};

/// The starter rule file for telecom service halls, with its category tree.
pub const TELECOM: &str = include_str!("../data/telecom.json");

/// The same starter set in the file's first format, with the same tree, for
/// desks that refuse a rule with a condition they do not know. It is not
/// changed any more.
pub const TELECOM_1: &str = include_str!("../data/telecom_1.json");

/// The starter rule file for bank branches, with its category tree.
pub const BANK: &str = include_str!("../data/bank.json");

/// Rules for the grade alone, for complaints of any field.
pub const GRADES: &str = include_str!("../data/grades.json");

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;
