//! The learned category: n-grams of characters and known words, a linear
//! model calibrated by cross-fitting, in a file small enough for every desk.

mod file;
mod linear;
mod mix;
mod model;
mod rows;
mod train;
mod weighing;

#[cfg(test)]
mod tests;

pub use file::ModelError;
pub use model::{Category, Deciding, Model};
pub use train::{Example, MODEL_BYTES, TrainError, train};
