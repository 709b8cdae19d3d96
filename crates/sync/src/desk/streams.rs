//! How far a desk is, stream by stream, and in which order streams are sent:
//! the urgent lanes before the ordinary ones, earlier incarnations first.

use suda_domain::{DeviceId, Lane};

use crate::chain::{Hash, SealedEvent};
use crate::message::{Ask, Earlier, Position, Request, VERSION};

/// One lane of one incarnation of this desk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stream {
    pub incarnation: u32,
    pub lane: Lane,
}

/// Lanes that carry events, in the order they are sent.
const LANES: [Lane; 2] = [Lane::Urgent, Lane::Ordinary];

/// How far a desk is, as its store says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The present incarnation.
    pub incarnation: u32,
    pub position: Position,
}

impl Standing {
    /// The stream to look at first.
    pub(super) fn first(&self) -> Stream {
        self.next_of(None)
    }

    /// The stream to look at when `stream` is empty.
    pub(super) fn after(&self, stream: Stream) -> Option<Stream> {
        match (stream.incarnation == self.incarnation, stream.lane) {
            (true, Lane::Urgent) => Some(self.in_lane(Lane::Ordinary, None)),
            (true, _) => None,
            (false, lane) => Some(self.in_lane(lane, Some(stream.incarnation))),
        }
    }

    fn next_of(&self, after: Option<u32>) -> Stream {
        self.in_lane(Lane::Urgent, after)
    }

    /// The next incarnation's stream of this lane that may have something to
    /// send; the present one always may.
    fn in_lane(&self, lane: Lane, after: Option<u32>) -> Stream {
        let earlier = self.position.earlier.iter().find(|earlier| {
            after.is_none_or(|after| earlier.incarnation > after) && is_behind(earlier, lane)
        });
        Stream {
            incarnation: earlier.map_or(self.incarnation, |earlier| earlier.incarnation),
            lane,
        }
    }

    pub(super) fn has_unsent(&self, lane: Lane) -> bool {
        let position = &self.position;
        position.written[lane.index()] > position.acked[lane.index()]
            || position
                .earlier
                .iter()
                .any(|earlier| is_behind(earlier, lane))
    }

    /// Whether nothing waits in any lane that carries events.
    pub fn is_sent(&self) -> bool {
        !LANES.into_iter().any(|lane| self.has_unsent(lane))
    }

    /// Whether nothing waits behind the event `last_n` of this stream, nor in any
    /// other. Never so for a desk that has gone on as another incarnation: what
    /// it has under two names is told apart by the pages.
    pub(super) fn is_last(&self, stream: Stream, last_n: u64) -> bool {
        let position = &self.position;
        let is_behind = |lane: Lane| {
            let acked = match lane == stream.lane {
                true => last_n,
                false => position.acked[lane.index()],
            };
            position.written[lane.index()] > acked
        };
        stream.incarnation == self.incarnation
            && position.earlier.is_empty()
            && !LANES.into_iter().any(is_behind)
    }

    /// Every stream that may have something without a receipt, in the order it
    /// goes by another way than the network's, each with the number its receipts
    /// reach.
    pub fn unreceipted(&self) -> Vec<(Stream, u64)> {
        let mut streams = Vec::new();
        for lane in LANES {
            let earlier = self.position.earlier.iter();
            let behind = earlier.filter(|earlier| is_behind(earlier, lane));
            let incarnations = behind.map(|earlier| earlier.incarnation);
            for incarnation in incarnations.chain([self.incarnation]) {
                let stream = Stream { incarnation, lane };
                streams.push((stream, self.acked(stream)));
            }
        }
        streams
    }

    pub(super) fn acked(&self, stream: Stream) -> u64 {
        let acked = match self.earlier(stream.incarnation) {
            Some(earlier) => earlier.acked,
            None => self.position.acked,
        };
        acked[stream.lane.index()]
    }

    pub(super) fn acked_mut(&mut self, stream: Stream) -> &mut [u64; 4] {
        let position = &mut self.position;
        let earlier = position
            .earlier
            .iter_mut()
            .find(|earlier| earlier.incarnation == stream.incarnation);
        match earlier {
            Some(earlier) => &mut earlier.acked,
            None => &mut position.acked,
        }
    }

    fn earlier(&self, incarnation: u32) -> Option<&Earlier> {
        self.position
            .earlier
            .iter()
            .find(|earlier| earlier.incarnation == incarnation)
    }
}

/// A batch as it is signed for the mailbox or a file: of no session. `present`
/// is the incarnation the device goes under.
pub fn batch(
    (device, present): (DeviceId, u32),
    stream: Stream,
    first_n: u64,
    events: Vec<SealedEvent>,
) -> Request {
    Request {
        v: VERSION,
        device,
        incarnation: present,
        session: None,
        ask: Ask::Batch {
            lane: stream.lane,
            first_n,
            events,
            incarnation: (stream.incarnation != present).then_some(stream.incarnation),
            rekeys: true,
            known: None,
        },
    }
}

/// How far one lane may count as received after a welcome. The lower watermark
/// wins: a hub put back from a backup gets again what it forgot.
///
/// Hub or desk may have been put back and written other events under the same
/// numbers: when the event `here` at the lower watermark is not the hub's,
/// nothing is certain, and everything kept, from behind `oldest`, is offered
/// again; the hub tells where the two part.
pub fn agreed(
    mine: u64,
    (theirs, hash): (u64, Option<Hash>),
    here: Option<Hash>,
    oldest: u64,
) -> u64 {
    let acked = mine.min(theirs);
    match (hash, here) {
        (Some(hash), Some(here)) if hash != here => acked.min(oldest),
        _ => acked,
    }
}

fn is_behind(earlier: &Earlier, lane: Lane) -> bool {
    earlier.written[lane.index()] > earlier.acked[lane.index()]
}
