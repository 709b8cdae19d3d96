//! A desk of the herd: the real machine over counts instead of a ledger.

use serde_json::value::RawValue;
use suda_sync::desk::{Command, DeskSync, Input, Standing};
use suda_sync::{Hash, Position, SealedEvent};

pub struct Desk {
    pub machine: DeskSync,
    /// When the machine wants to be called again.
    pub wake_at: u64,
    pub urgent_noted: bool,
    pub noted: bool,
    written: [u64; 4],
    acked: [u64; 4],
    epoch: Option<String>,
    contact: Option<String>,
    cursor: u64,
}

impl Desk {
    pub fn new(seed: u64, written: [u64; 4]) -> Self {
        Self {
            machine: DeskSync::new(seed),
            wake_at: 0,
            urgent_noted: false,
            noted: false,
            written,
            acked: [0; 4],
            epoch: None,
            contact: None,
            cursor: 0,
        }
    }

    pub fn has_receipts(&self, lane: usize) -> bool {
        self.acked.get(lane) == self.written.get(lane)
    }

    /// Events that count as received without being at the hub.
    pub fn receipted_beyond(&self, heads: [u64; 4]) -> u64 {
        let lanes = self.acked.iter().zip(heads);
        lanes.map(|(acked, head)| acked.saturating_sub(head)).sum()
    }

    fn standing(&self) -> Input {
        Input::Standing(Box::new(Standing {
            incarnation: 1,
            position: Position {
                written: self.written,
                acked: self.acked,
                cursor: self.cursor,
                epoch: self.epoch.clone(),
                contact: self.contact.clone(),
                ..Position::default()
            },
        }))
    }

    pub fn perform(&mut self, command: Command) -> Input {
        match command {
            Command::ReadStanding => self.standing(),
            Command::Load {
                stream,
                after,
                max_events,
                max_bytes,
            } => {
                let left = self.written[stream.lane.index()].saturating_sub(after);
                let fits = max_events.min(max_bytes / BODY_BYTES).max(1);
                let count = fits.min(usize::try_from(left).unwrap_or(usize::MAX));
                Input::Loaded(vec![event(); count])
            }
            Command::SaveWelcome { welcome, cursor } => {
                for (mine, theirs) in self.acked.iter_mut().zip(welcome.watermarks) {
                    *mine = theirs.min(*mine);
                }
                self.epoch = Some(welcome.epoch);
                self.contact = Some(welcome.session);
                self.cursor = cursor;
                self.standing()
            }
            Command::SaveReceipt(receipt) => {
                self.acked = receipt.watermarks;
                Input::Saved
            }
            Command::SavePage(page) => {
                self.cursor = page.cursor;
                Input::Saved
            }
            // These desks are never copied.
            Command::Renew { .. } | Command::Rekey { .. } | Command::Send { .. } => {
                Input::StoreFailed
            }
        }
    }
}

/// What an event's body takes in a batch, as the real ones do in the mean.
const BODY_BYTES: usize = 600;

/// What is counted, not read.
fn event() -> SealedEvent {
    SealedEvent {
        body: Box::<RawValue>::default(),
        prev: Hash::START,
        hash: Hash::START,
    }
}
