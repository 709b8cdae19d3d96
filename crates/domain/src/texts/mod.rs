//! What the customer is told by SMS: approved texts with named parameters,
//! which change asks for which of them, and what a text from the customer
//! asks. Pure: no clock, no store, no network.
//!
//! A text shows the reference number and one of the four states in the words
//! of product.md, and nothing else of the complaint: a phone lies open on a
//! table, and its number may belong to somebody else by now.

mod asked;
mod incoming;
mod mobile;
mod segments;
mod templates;

pub use asked::{Asked, OLD_NEWS, asked};
pub use incoming::Query;
pub use mobile::Mobile;
pub use segments::{Alphabet, Segments, segments};
pub use templates::{
    Parameter, Parameters, RenderError, Template, clock_words, date, moment, progress, state_words,
    where_to_ask,
};
