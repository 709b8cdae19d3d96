//! What goes into the machine and what comes out of it.

use super::{Standing, Stream};
use crate::chain::SealedEvent;
use crate::message::{Ask, Page, Receipt, Reply, Welcome};

/// Something that happened. Numbers echo the command they answer.
#[derive(Debug)]
pub enum Input {
    /// The wake-up asked for has come, or any other moment to look.
    Tick,
    /// The store has new events.
    LocalWrite,
    /// The hub's log has something new, or the network came back.
    Nudge,
    /// Answer to [`Command::ReadStanding`], [`Command::SaveWelcome`],
    /// [`Command::Renew`] and [`Command::Rekey`].
    Standing(Box<Standing>),
    /// Answer to [`Command::Load`].
    Loaded(Vec<SealedEvent>),
    /// Answer to a save command.
    Saved,
    /// The hub's answer to [`Command::Send`].
    Reply(Box<Reply>),
    /// The question did not reach the hub, or no readable answer came back.
    SendFailed,
    /// The local store refused; try again later.
    StoreFailed,
}

/// Something to do. Exactly one is under way at a time.
#[derive(Debug)]
pub enum Command {
    ReadStanding,
    /// Read the events of `stream` after number `after`, at most so many.
    Load {
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    },
    Send {
        session: Option<String>,
        ask: Ask,
    },
    /// Store epoch, session, watermarks and clock offset; the cursor becomes
    /// `cursor`, and each lane counts as received as far as [`super::agreed`] says.
    SaveWelcome {
        welcome: Welcome,
        cursor: u64,
    },
    SaveReceipt(Box<Receipt>),
    /// Store entries, directory and cursor in one transaction. Fails when an
    /// entry has the number of another event written here.
    SavePage(Box<Page>),
    /// Write from now on as this incarnation, from number 1 in each lane.
    Renew {
        incarnation: u32,
        letter: String,
    },
    /// Give the events of `stream` from `from_n` on the next numbers of the
    /// present incarnation (see [`crate::rekey`]).
    Rekey {
        stream: Stream,
        from_n: u64,
    },
}

/// What the machine wants after an input.
#[derive(Debug, Default)]
pub struct Step {
    /// The command and its number.
    pub command: Option<(u64, Command)>,
    /// Call again with [`Input::Tick`] at this time at the latest.
    pub wake_at_ms: u64,
}

/// What a person may be told about the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// The last round went through.
    Up,
    /// Not yet known.
    Unknown,
    /// The last try failed.
    Down,
}
