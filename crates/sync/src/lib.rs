//! The sync core without I/O: what desk and hub say to each other, how events
//! are chained and batches signed, and the state machines that decide the next
//! step. No socket, no database, no clock: the applications perform what the
//! machines ask for, and a simulator can do the same.

pub mod bundle;
pub mod chain;
pub mod compare;
pub mod desk;
pub mod evidence;
pub mod fold;
pub mod hub;
pub mod lan;
pub mod message;
pub mod phone;
pub mod place;
pub mod receipt_key;
pub mod rekey;
pub mod sign;
pub mod statistics;
pub mod withheld;

pub use chain::{Hash, SealedEvent};
pub use message::{
    Ask, Directory, LogEntry, Page, Position, Receipt, Reply, Request, SetAside, Verdict, Welcome,
};
pub use sign::{PublicKey, SecretKey, Signed};
