//! A desk's lanes and a hub that may lose questions, lose answers after
//! storing, restart, be restored, ask for a renewal, or hold other events.

use std::collections::BTreeMap;

use chrono::DateTime;
use suda_domain::{DeviceId, Lane};
use uuid::Uuid;

use crate::chain::{Hash, SealedEvent};
use crate::desk::{Command, DeskSync, Input, Standing, Stream, TICK_MS, agreed};
use crate::message::{
    Allowance, Ask, Earlier, Known, Level, Page, Position, Receipt, Refused, Renewal, Reply,
    Verdict, Watermarks, Welcome,
};

pub struct World {
    pub sync: DeskSync,
    pub now: u64,
    /// When the machine wants to be called again.
    pub wake_at: u64,
    /// What the desk's store says.
    pub store: Standing,
    /// What the hub has stored, by incarnation.
    pub hub: BTreeMap<u32, [u64; 4]>,
    pub hub_log: u64,
    pub epoch: u32,
    pub session: Option<String>,
    /// The next hello is answered with a new incarnation.
    pub asks_renewal: bool,
    /// So many wishes for a renewal find the hub busy.
    pub refuses_renewals: u32,
    /// From this number on the hub holds other events.
    pub forked: Option<(Stream, u64)>,
    /// The hub says of every event that one before it is missing.
    pub stores_nothing: bool,
    /// A handoff is written when this many batches have been sent.
    pub handoff_after: Option<usize>,
    /// Events the hub stored in the order of arrival.
    pub arrivals: Vec<(Stream, u64)>,
    /// The batches it was sent, by their first numbers.
    pub batches: Vec<(Stream, u64)>,
    /// What the hellos said of renewal.
    pub hellos: Vec<Renewal>,
    /// What the hub says of itself in welcomes and receipts.
    pub allowance: Option<Allowance>,
    /// How many events each batch had.
    pub sizes: Vec<usize>,
    pub rekeyed: Vec<(Stream, u64)>,
    /// How often it was asked for a page, and only whether there is one.
    pub pulls: u32,
    pub looks: u32,
    /// The hub is of before there were looks and levels.
    pub is_old: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Network {
    Good,
    LosesQuestion,
    LosesAnswer,
}

pub fn stream(incarnation: u32, lane: Lane) -> Stream {
    Stream { incarnation, lane }
}

impl World {
    pub fn new() -> Self {
        Self {
            sync: DeskSync::new(42),
            now: 0,
            wake_at: 0,
            store: Standing {
                incarnation: 1,
                position: Position::default(),
            },
            hub: BTreeMap::new(),
            hub_log: 0,
            epoch: 1,
            session: None,
            asks_renewal: false,
            refuses_renewals: 0,
            forked: None,
            stores_nothing: false,
            handoff_after: None,
            arrivals: Vec::new(),
            batches: Vec::new(),
            hellos: Vec::new(),
            allowance: None,
            sizes: Vec::new(),
            rekeyed: Vec::new(),
            pulls: 0,
            looks: 0,
            is_old: false,
        }
    }

    pub fn write(&mut self, lane: Lane, count: u64) {
        self.store.position.written[lane.index()] += count;
        self.feed(None, Input::LocalWrite, Network::Good);
    }

    fn event() -> SealedEvent {
        SealedEvent::from_parts("1".into(), Hash::START, Hash::START).unwrap()
    }

    pub fn feed(&mut self, number: Option<u64>, input: Input, network: Network) {
        let mut next = Some((number, input));
        let mut commands = 0;
        while let Some((number, input)) = next.take() {
            commands += 1;
            assert!(commands < 10_000, "runs hot: {:?}", self.sync);
            let step = self.sync.step(self.now, number, input);
            self.wake_at = step.wake_at_ms;
            if let Some((number, command)) = step.command {
                self.now += 1;
                next = Some((Some(number), self.perform(command, network)));
            }
        }
    }

    fn perform(&mut self, command: Command, network: Network) -> Input {
        match command {
            Command::ReadStanding => Input::Standing(Box::new(self.store.clone())),
            Command::Load {
                stream,
                after,
                max_events,
                ..
            } => {
                let left = self.written(stream).saturating_sub(after) as usize;
                Input::Loaded(vec![Self::event(); left.min(max_events)])
            }
            Command::Send { session, ask } => match network {
                Network::LosesQuestion => Input::SendFailed,
                Network::Good => Input::Reply(Box::new(self.answer(session, ask))),
                Network::LosesAnswer => {
                    self.answer(session, ask);
                    Input::SendFailed
                }
            },
            Command::SaveWelcome { cursor, welcome } => self.save_welcome(cursor, welcome),
            Command::SaveReceipt(receipt) => {
                let of = stream(receipt.incarnation, receipt.lane);
                *self.store.acked_mut(of) = receipt.watermarks;
                Input::Saved
            }
            Command::SavePage(page) => {
                self.store.position.cursor = page.cursor;
                Input::Saved
            }
            Command::Renew { incarnation, .. } => self.renew(incarnation),
            Command::Rekey { stream, from_n } => self.rekey(stream, from_n),
        }
    }

    fn written(&self, of: Stream) -> u64 {
        let position = &self.store.position;
        let earlier = position
            .earlier
            .iter()
            .find(|earlier| earlier.incarnation == of.incarnation);
        earlier.map_or(position.written, |earlier| earlier.written)[of.lane.index()]
    }

    fn save_welcome(&mut self, cursor: u64, welcome: Welcome) -> Input {
        self.store.position.cursor = cursor;
        self.store.position.epoch = Some(welcome.epoch);
        let present = Watermarks {
            incarnation: self.store.incarnation,
            watermarks: welcome.watermarks,
            hashes: welcome.hashes,
        };
        for told in welcome.earlier.into_iter().chain([present]) {
            let acked = self.store.acked_mut(stream(told.incarnation, Lane::Urgent));
            for (mine, theirs) in acked.iter_mut().zip(told.watermarks) {
                *mine = agreed(*mine, (theirs, None), None, 0);
            }
        }
        Input::Standing(Box::new(self.store.clone()))
    }

    fn renew(&mut self, incarnation: u32) -> Input {
        let Standing {
            incarnation: was,
            position,
        } = &mut self.store;
        position.earlier.push(Earlier {
            incarnation: *was,
            written: std::mem::take(&mut position.written),
            acked: std::mem::take(&mut position.acked),
        });
        *was = incarnation;
        Input::Standing(Box::new(self.store.clone()))
    }

    fn rekey(&mut self, of: Stream, from_n: u64) -> Input {
        self.rekeyed.push((of, from_n));
        let lane = of.lane.index();
        let moved = self.written(of) + 1 - from_n;
        let position = &mut self.store.position;
        position.written[lane] += moved;
        for earlier in &mut position.earlier {
            if earlier.incarnation == of.incarnation {
                earlier.written[lane] = from_n - 1;
            }
        }
        Input::Standing(Box::new(self.store.clone()))
    }

    fn answer(&mut self, session: Option<String>, ask: Ask) -> Reply {
        if !matches!(ask, Ask::Hello(_)) && (session.is_none() || session != self.session) {
            return Reply::Refused(Refused::SessionExpired);
        }
        match ask {
            Ask::Hello(position) => self.hello(&position),
            Ask::Batch {
                lane,
                first_n,
                events,
                incarnation,
                rekeys,
                known,
            } => {
                assert!(rekeys, "the machine can give forked events new numbers");
                let of = stream(incarnation.unwrap_or(self.store.incarnation), lane);
                self.batch(of, first_n, events.len(), known)
            }
            Ask::Pull { cursor, limit, .. } => {
                self.pulls += 1;
                let cursor = (cursor + u64::from(limit)).min(self.hub_log);
                Reply::Page(Page {
                    epoch: self.epoch_name(),
                    entries: Vec::new(),
                    cursor,
                    more: cursor < self.hub_log,
                    set_aside: None,
                    placed: Vec::new(),
                    directory: None,
                    now: now(),
                })
            }
            Ask::Watch { .. } => Reply::changed(false),
            Ask::Look { .. } if self.is_old => Reply::Refused(Refused::Malformed),
            Ask::Look { cursor, .. } => {
                self.looks += 1;
                Reply::changed(cursor < self.hub_log)
            }
            Ask::Evidence { .. }
            | Ask::Statistics { .. }
            | Ask::Model { .. }
            | Ask::Compare { .. }
            | Ask::Twins { .. }
            | Ask::Forward { .. } => Reply::Refused(Refused::Malformed),
        }
    }

    fn hello(&mut self, position: &Position) -> Reply {
        self.hellos.push(position.renewal);
        if position.renewal == Renewal::Wanted && self.refuses_renewals > 0 {
            self.refuses_renewals -= 1;
            return Reply::Refused(Refused::Busy { retry_ms: 1_000 });
        }
        if std::mem::take(&mut self.asks_renewal) || position.renewal == Renewal::Wanted {
            return Reply::Refused(Refused::Renew {
                incarnation: self.store.incarnation + 1,
                letter: "B".to_owned(),
            });
        }
        self.session = Some(format!("s{}", self.now));
        Reply::Welcome(Welcome {
            session: self.session.clone().unwrap(),
            epoch: self.epoch_name(),
            watermarks: self.stored(self.store.incarnation),
            hashes: [None; 4],
            earlier: position
                .earlier
                .iter()
                .map(|earlier| Watermarks {
                    incarnation: earlier.incarnation,
                    watermarks: self.stored(earlier.incarnation),
                    hashes: [None; 4],
                })
                .collect(),
            allowance: self.allowance,
            now: now(),
        })
    }

    fn batch(&mut self, of: Stream, first_n: u64, count: usize, known: Option<Known>) -> Reply {
        let is_level = !self.is_old && known.is_some_and(|known| known.cursor == self.hub_log);
        self.batches.push((of, first_n));
        self.sizes.push(count);
        if self.handoff_after == Some(self.batches.len()) {
            self.store.position.written[Lane::Urgent.index()] += 1;
        }
        let mut head = self.stored(of.incarnation)[of.lane.index()];
        let mut verdicts = Vec::new();
        for n in (first_n..).take(count) {
            let is_forked = self
                .forked
                .is_some_and(|(stream, from)| stream == of && n >= from);
            verdicts.push(if is_forked {
                Verdict::Forked
            } else if n <= head {
                Verdict::Duplicate
            } else if n == head + 1 && !self.stores_nothing {
                head = n;
                self.hub_log += 1;
                self.arrivals.push((of, n));
                Verdict::Applied
            } else {
                Verdict::Gap
            });
        }
        self.hub.entry(of.incarnation).or_default()[of.lane.index()] = head;
        Reply::Receipt(Receipt {
            device: DeviceId(Uuid::nil()),
            incarnation: of.incarnation,
            epoch: self.epoch_name(),
            watermarks: self.stored(of.incarnation),
            lane: of.lane,
            first_n,
            verdicts,
            allowance: self.allowance,
            level: is_level.then(|| Level {
                cursor: self.hub_log,
                placed: Vec::new(),
            }),
            at: now(),
        })
    }

    fn epoch_name(&self) -> String {
        format!("e{}", self.epoch)
    }

    pub fn stored(&self, incarnation: u32) -> [u64; 4] {
        self.hub.get(&incarnation).copied().unwrap_or_default()
    }

    pub fn is_converged(&self) -> bool {
        let position = &self.store.position;
        let earlier = position.earlier.iter();
        self.sync.is_at_rest()
            && self.stored(self.store.incarnation) == position.written
            && earlier
                .clone()
                .all(|earlier| self.stored(earlier.incarnation) == earlier.written)
            && position.cursor == self.hub_log
    }

    /// Lets time pass on a good network and returns the milliseconds it took.
    pub fn heal(&mut self) -> u64 {
        let from = self.now;
        while !self.is_converged() {
            self.now = self.now.max(self.wake_at);
            self.feed(None, Input::Tick, Network::Good);
            assert!(
                self.now < from + 10 * TICK_MS,
                "does not converge: {:?}",
                self.sync
            );
        }
        self.now - from
    }
}

fn now() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(0, 0).unwrap()
}
