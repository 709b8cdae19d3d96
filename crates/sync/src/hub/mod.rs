//! The hub's side of the sync: the judgement on what desks send and the hub's
//! own pen. Pure: the store reads what they need and keeps what they decide.

pub mod allowance;
pub mod contact;
pub mod judge;
pub mod pen;
