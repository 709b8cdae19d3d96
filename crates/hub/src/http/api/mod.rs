//! The console's API: thin handlers that ask the store or write a step, and
//! the shapes they answer with.
#![allow(
    unused_qualifications,
    reason = "the path macro writes query types out in full"
)]

pub mod admin;
pub mod alarms;
pub mod board;
pub mod complaints;
pub mod course;
pub mod desks;
pub mod duties;
pub mod escalations;
pub mod evidence;
pub mod learning;
pub mod letters;
pub mod links;
pub mod lists;
pub mod mask;
pub mod quarantine;
pub mod recusal;
pub mod same_answer;
pub mod similar;
pub mod sms;
pub mod steps;
pub mod stubs;
pub mod tasks;
pub mod time;
pub mod view;
