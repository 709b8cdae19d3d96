//! What SQLite leaves to the programs that use it: noticing that its log has
//! lost commits, and ending connections before the program ends.

pub mod connection;
pub mod wal;

pub use connection::{Connection, options};
