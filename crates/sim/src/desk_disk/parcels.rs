//! What goes and comes by file: the batches without a receipt, and the hub's
//! words about them.

use suda_domain::{EventKey, Lane};
use suda_sync::bundle::{LaneStanding, Renewal, Standing, Word};
use suda_sync::desk::{Stream, batch};
use suda_sync::message::BATCH_EVENTS;
use suda_sync::{Hash, SecretKey, Signed};

use super::DeskDisk;
use crate::plant::Plant;

impl DeskDisk {
    /// Everything without a receipt, urgent first, as signed batches.
    pub fn gather(&self, secret: &SecretKey) -> Vec<Signed> {
        let mut batches = Vec::new();
        for (stream, mut after) in self.standing().unreceipted() {
            loop {
                let events = self.load(stream, after, BATCH_EVENTS);
                if events.is_empty() {
                    break;
                }
                let first_n = after + 1;
                after += events.len() as u64;
                let request = batch((self.device, self.incarnation), stream, first_n, events);
                batches.extend(Signed::seal(&request, secret).ok());
            }
        }
        batches
    }

    /// How far the hub is, by the words that are of the hub as this desk knows
    /// it. Gives what is to be done besides, each a transaction of its own.
    pub fn take_words(&mut self, words: &[Word], plant: Option<Plant>) -> Besides {
        let mut besides = Besides::default();
        for word in words {
            let is_of_this_hub = Some(word.epoch()) == self.epoch.as_deref();
            if !is_of_this_hub && plant != Some(Plant::OldWordsTaken) {
                continue;
            }
            match word {
                // A receipt does not say whose events it speaks of; the standing
                // beside it does.
                Word::Receipt(_) => {}
                Word::Standing(standing) => self.stand(standing, plant),
                Word::Renewal(renewal) => besides.renewal = Some(renewal.clone()),
            }
            besides.forks.extend(word.fork());
        }
        besides
    }

    /// The hub names its last event of each lane: if that is this desk's too,
    /// the hub has all before it.
    fn stand(&mut self, standing: &Standing, plant: Option<Plant>) {
        let of = standing.incarnation;
        for LaneStanding { lane, n, hash } in &standing.lanes {
            let is_same =
                self.own_at(of, *lane, *n) == Some(*hash) || plant == Some(Plant::ForeignWords);
            if is_same && !self.reaches(of, *lane, *n) {
                self.confirm(of, *lane, *n);
            }
        }
    }

    pub fn is_receipted(&self, key: &EventKey) -> bool {
        self.reaches(key.incarnation, key.lane, key.n)
    }

    fn reaches(&self, incarnation: u32, lane: Lane, n: u64) -> bool {
        let acked = self.acked.get(&incarnation);
        n <= acked.map_or(0, |acked| acked[lane.index()])
    }

    fn confirm(&mut self, incarnation: u32, lane: Lane, n: u64) {
        let head = self.head(incarnation, lane).n;
        let acked = self.acked.entry(incarnation).or_default();
        let acked = &mut acked[lane.index()];
        let n = if incarnation < self.incarnation {
            n.min(head)
        } else {
            n
        };
        *acked = n.max(*acked);
    }

    /// Goes on as the incarnation a word gives, when it is about this one.
    pub fn take_renewal(&mut self, renewal: &Renewal) -> bool {
        let is_about_this = renewal.from == self.incarnation;
        if is_about_this {
            self.renew(renewal.incarnation, &renewal.letter);
        }
        is_about_this
    }

    /// New numbers for an earlier incarnation's events, and only for those that
    /// still wait: the same words may come a second time.
    pub fn take_fork(&mut self, stream: Stream, from_n: u64, plant: Option<Plant>) {
        let head = self.head(stream.incarnation, stream.lane).n;
        let waits = !self.reaches(stream.incarnation, stream.lane, from_n) && from_n <= head;
        if stream.incarnation < self.incarnation && waits {
            self.rekey(stream, from_n, plant);
        }
    }

    /// The hash of the own event up to which a lane counts as received.
    pub fn acked_hash(&self, incarnation: u32, lane: Lane) -> Option<(EventKey, Hash)> {
        let n = self.acked.get(&incarnation)?[lane.index()];
        let key = EventKey {
            device: self.device,
            incarnation,
            lane,
            n,
        };
        Some((key, self.own_at(incarnation, lane, n)?))
    }
}

/// What words ask for beside receipts.
#[derive(Default)]
pub struct Besides {
    pub renewal: Option<Renewal>,
    pub forks: Vec<(Stream, u64)>,
}
