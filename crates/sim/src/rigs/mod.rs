//! The rigs: each runs many worlds, prints one JSON line with counts, and has a
//! control that must fail.

pub mod herd;
pub mod hour;
pub mod lanes;
pub mod live;
pub mod planted;
pub mod seeds;

/// What a rig has to say.
#[derive(Clone, Debug)]
pub struct Report {
    pub line: serde_json::Value,
    /// Whether every bar was reached, and the control was noticed.
    pub passed: bool,
}
