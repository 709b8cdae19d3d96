//! Bugs planted on purpose, one at a time, to see that the simulator would
//! find them. Each is a mistake that programs of this kind have really made.

macro_rules! plants {
    ($($(#[$doc:meta])* $plant:ident => $name:literal),+ $(,)?) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Plant { $($(#[$doc])* $plant),+ }

        impl Plant {
            pub const ALL: &[Self] = &[$(Self::$plant),+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$plant => $name),+ }
            }
        }
    };
}

plants! {
    /// The place in the hub's log is stored before what was read.
    CursorBeforeData => "cursor before data",
    /// Events count as received when they are sent.
    AckOnSend => "acknowledged on send",
    /// A step is confirmed to the person before it is stored.
    ConfirmBeforeCommit => "confirmed before commit",
    /// A hub put back from a backup is taken for the hub as it was.
    NoEpoch => "no epoch",
    /// Of two watermarks the higher is believed.
    HigherWatermark => "higher watermark",
    /// Failed sends are tried again only when somebody writes.
    RetryOnlyOnWrite => "retry only on write",
    /// A question without an answer is waited for for ever.
    NoStall => "no stall time-out",
    /// What the hub has confirmed is deleted at once.
    SentDeleted => "sent events deleted",
    /// What is known already is stored again.
    NoKnownCheck => "no check for known events",
    /// Steps are folded in the order in which this desk heard of them.
    LocalOrder => "local order",
    /// Forked events are dropped instead of numbered anew.
    RekeyDrops => "forked events dropped",
    /// A copied database goes on under the old incarnation.
    RenewIgnored => "renewal ignored",
    /// What the old incarnation had still to send is not sent.
    EarlierForgotten => "earlier incarnation forgotten",
    /// The hub stores a batch that it has already.
    NoDedupe => "no dedupe",
    /// The hub's receipt leaves before the commit.
    ReceiptBeforeCommit => "receipt before commit",
    /// A hub put back from a backup goes on as if nothing had happened.
    EpochKept => "epoch kept after a restore",
    /// A record the hub cannot take stops its lane.
    BadRecordBlocks => "bad record blocks",
    /// Steps under a passed owner number change the state.
    NoFence => "no fencing number",
    /// What waits for a predecessor is never tried again.
    HeldForEver => "held for ever",
    /// A page's cursor stands behind entries that were left out of it.
    CursorAhead => "cursor ahead of the page",
    /// What the mailbox keeps counts as received by the hub.
    MailboxReceipts => "final receipt from the mailbox",
    /// The mailbox lets go of a batch when it forwards it.
    CustodyDropped => "custody dropped before the receipt",
    /// The hub stores a forwarded batch that it has already.
    ForwardNoDedupe => "forwarded batch without dedupe",
    /// The mailbox's log is read on after the mailbox was rolled back.
    MarkWithoutHash => "place in the mailbox's log without its hash",
    /// The hub stores a file's batch that it has already.
    ImportNoDedupe => "file imported twice",
    /// Receipts by file count for whoever reads them.
    ForeignWords => "receipts of another desk taken",
    /// Receipts by file count although the hub was put back since.
    OldWordsTaken => "receipts of a passed epoch taken",
    /// The hub sets records aside that nothing is wrong with.
    GoodRefused => "good records refused",
}
