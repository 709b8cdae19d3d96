//! What the whole-system tests start and drive: the built programs, a display,
//! the real window through tauri-driver, a real browser through chromedriver.
//! Everything is stopped by its own process id when the test ends, servers
//! listen on loopback on free ports, and waiting is polling with a bound.

mod browser;
mod city;
mod desktop;
mod line;
mod process;
pub mod rig;
mod sms_centre;

pub use browser::{Display, Screen};
pub use city::{Account, City, DeskDir};
pub use desktop::{Desktop, Notice};
pub use line::Line;
pub use process::{
    Failure, Running, age_of, bin, descendants, eventually, kill_below, named_below, output,
    output_raw,
};
pub use sms_centre::{SmsCentre, Text};
