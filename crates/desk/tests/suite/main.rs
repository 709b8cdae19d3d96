//! The desk as its callers see it, each test on a data directory of its own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod backups;
mod bundles;
mod commands;
mod comparing;
mod disk;
mod evidence;
mod handoffs;
mod hour;
mod importing;
mod learning;
mod places;
mod recording;
mod recusal;
mod restoring;
mod safety_commands;
mod statistics;
mod stored;
mod support;
mod syncing;
mod time;
mod twins;
mod verifying;
mod withheld;
