//! The branch's own network: one desk is the mailbox of the others. It keeps
//! their signed batches, shows their events to the whole branch while the hub
//! is away, and forwards for those who cannot reach the hub. Pure, as the rest
//! of this crate: who listens, stores and sends is elsewhere.
//!
//! What a mailbox says is preliminary. It never gives a receipt: "at the hub"
//! is said by the hub's signed words alone, which the mailbox passes on
//! unopened and every desk checks with the hub's key.

mod custody;
mod forward;
mod giving;
mod message;

pub use custody::{
    Batch, Kept, Named, Settled, TakeError, Waiting, came, held_on, named, next_desk, settled, take,
};
pub use forward::{Forwarder, Input, Order, Step};
pub use giving::Given;
pub use message::{
    About, Ask, Entry, Held, LOG_BYTES, LOG_ENTRIES, Log, Mark, Placed, Refused, Reply, Told,
    VERSION, Words,
};

#[cfg(test)]
mod tests;
