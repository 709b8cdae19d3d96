//! What was known of a complaint when a step was written, and when it was judged.
//! A record that the hub refuses although both are the same is refused wrongly.

use suda_domain::{EventKey, LedgerEvent};

/// An event, whatever numbers it has been given since.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Name {
    /// By the mark it was written with.
    Step(u64),
    /// What the hub adds by itself has no mark.
    Hub(EventKey),
}

impl Name {
    pub fn of(event: &LedgerEvent) -> Self {
        match event.at.mono_ms {
            0 => Self::Hub(event.key),
            mark => Self::Step(mark),
        }
    }
}

/// What the hub had when it refused a record.
#[derive(Clone, Debug, Default)]
pub struct Grounds {
    /// The complaint's events before it.
    pub met: Vec<Name>,
    /// Another complaint had its reference number.
    pub reference_taken: bool,
    /// The rules alone would have taken it there.
    pub would_fit: bool,
}
