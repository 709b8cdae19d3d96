//! The process rigs: the real programs, killed, cut off, starved and answered
//! badly, and what they must still hold afterwards. One file a rig; each gives
//! a [`Report`] with counts, a seed that replays its choices, and a control
//! that has to fail. `suda-rig` runs them one by one, the tests in small sizes.

pub mod acks;
pub mod books;
pub mod disk;
pub mod driver;
pub mod flip;
pub mod herd;
pub mod kill;
pub mod light;
pub mod native;
pub mod old;
pub mod pen;
pub mod power;
pub mod prey;
pub mod proxy;
pub mod raw;
mod report;
pub mod restore;
pub mod world;

pub use report::{Dice, Report};
