//! The centre: receives from all branches, holds the experts' queue, tracks
//! every complaint to its end and serves the console. `suda-hub` is its program.

pub mod admin;
pub mod alarms;
pub mod bundle;
pub mod cli;
pub mod clock;
pub mod closing;
pub mod demo;
pub mod desks;
pub mod ending;
pub mod escalate;
pub mod evidence;
pub mod group;
pub mod guard;
pub mod http;
pub mod hub;
pub mod learning;
pub mod leases;
pub mod letters;
pub mod metrics;
pub mod phone;
pub mod place;
pub mod queue;
pub mod running;
pub mod same_answer;
pub mod secret;
pub mod serve;
pub mod set_aside;
pub mod sms;
pub mod staffing;
pub mod status;
pub mod store;
mod timing;
mod turns;
pub mod twins;

pub use clock::Clock;
pub use hub::Hub;
pub use suda_sync::hub::{judge as ingest, pen};
