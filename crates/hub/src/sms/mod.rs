//! Telling customers and duty staff by SMS. Which texts there are to be told is decided with
//! the events (`suda_domain::texts`) and kept in the store; here they are put
//! into words and sent, and what customers text is answered. No SQL, and
//! nothing of what a text says or whom it goes to reaches a log.

mod backoff;
pub mod file;
pub mod incoming;
pub mod receipt;
pub mod report;
mod sender;
pub mod settings;
pub mod smpp;

pub use sender::run;

use async_trait::async_trait;
use suda_domain::texts::Mobile;
use uuid::Uuid;

/// A way out for texts, and in.
#[async_trait]
pub trait Adapter: Send {
    /// Sends one text.
    ///
    /// # Errors
    /// [`SendError`] says whether it is the text or the way that failed.
    async fn send(&mut self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError>;

    /// Waits for what comes in, for ever where nothing can. Nothing is lost
    /// when it is given up and called again.
    async fn heard(&mut self) -> Heard;

    /// Says that what was heard has been dealt with, or that it is to be told
    /// again.
    async fn answer(&mut self, token: u32, is_done: bool);
}

/// A text on its way.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'t> {
    pub id: Uuid,
    pub to: &'t Mobile,
    pub text: &'t str,
}

/// A text that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// What a receipt will name it by.
    pub smsc_id: Option<String>,
    /// It needs no receipt.
    pub delivered: bool,
}

/// Why a text was not sent. Each code is kept with the text and shown at the
/// desk of failures; none holds personal data.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SendError {
    /// The way is closed or overloaded; all texts wait.
    #[error("the way for texts is closed: {0}")]
    Way(String),
    /// Nobody knows whether the text was taken: sent again, it may arrive
    /// twice.
    #[error("a text was not confirmed: {0}")]
    Unconfirmed(String),
    /// This text is refused now and may be taken later.
    #[error("a text was refused for now: {0}")]
    Later(String),
    /// This text is refused for good.
    #[error("a text was refused: {0}")]
    Refused(String),
}

impl SendError {
    /// Whether it is the way that failed, not this text.
    pub fn is_of_way(&self) -> bool {
        matches!(self, Self::Way(_) | Self::Unconfirmed(_))
    }
}

/// What came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    Receipt {
        token: u32,
        /// Names that the text may have, the likeliest first.
        smsc_ids: Vec<String>,
        /// Absent when the phone has it.
        error: Option<String>,
    },
    Text {
        token: u32,
        from: String,
        text: String,
    },
    /// Nothing more comes in this way.
    Closed,
}
