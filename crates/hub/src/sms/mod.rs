//! Telling customers by SMS. Which texts there are to be told is decided with
//! the events (`suda_domain::texts`) and kept in the store; here they are sent.

pub mod settings;
