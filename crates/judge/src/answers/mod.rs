//! The same answer everywhere: what an answer gave, whether it is what the
//! guidance says, how two answers differ, and answers to suggest. Pure, and
//! the same at the desk and at the hub.

mod anonymous;
mod deviation;
mod outcome;
mod remedy;
mod suggest;

pub use anonymous::Anonymous;
pub use deviation::{Deviation, Given, above_limit, deviations};
pub use outcome::{AmountBand, Difference, Outcome};
pub use remedy::{RemedyKind, remedies};
pub use suggest::{AnswerSource, AnswerSuggestion, Past, near, suggest_answers};

#[cfg(test)]
mod tests;
