//! The mailbox's errand: others' batches go to the hub over the mailbox's own
//! connection, and the hub's words for them are kept until they are fetched.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use suda_sync::Signed;
use suda_sync::bundle::seal_events;
use suda_sync::lan::{Forwarder, Input as FromHub, Order, Waiting, next_desk, settled};

use super::*;

const PARCEL_BYTES: usize = 512 * 1024;

/// A parcel on its way.
#[derive(Debug)]
pub(super) struct Parcel {
    device: DeviceId,
    sent: Vec<Waiting>,
    batches: Vec<Rc<Signed>>,
    /// Once there was a link to send it over.
    sealed: Option<String>,
}

/// What a mailbox knows while its program runs.
#[derive(Debug)]
pub(super) struct Errand {
    machine: Forwarder,
    parcel: Option<Parcel>,
    number: u64,
    wake_at: u64,
}

pub(super) enum ForwardEv {
    Tick {
        at: u64,
    },
    Unsent {
        number: u64,
    },
    Answer {
        number: u64,
        reply: Box<Reply>,
    },
    /// The hub's words are stored.
    Settle {
        number: u64,
        parcel: Vec<u8>,
    },
}

impl ForwardEv {
    pub(super) fn name(&self) -> (&'static [u8], u64) {
        match self {
            Self::Tick { at } => (b"forward tick", *at),
            Self::Unsent { number } => (b"forward unsent", *number),
            Self::Answer { number, .. } => (b"forward answer", *number),
            Self::Settle { number, .. } => (b"forward settle", *number),
        }
    }
}

impl Errand {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            machine: Forwarder::new(seed),
            parcel: None,
            number: 0,
            wake_at: 0,
        }
    }
}

impl World {
    pub(super) fn forward_event(&mut self, desk: usize, event: ForwardEv) {
        let node = self.desks.get(desk);
        let Some(errand) = node.and_then(|node| node.errand.as_ref()) else {
            return;
        };
        let (number, wake_at) = (errand.number, errand.wake_at);
        match event {
            ForwardEv::Tick { at } if at == wake_at => self.forward(desk, FromHub::Tick),
            ForwardEv::Unsent { number: of } if of == number => self.forward(desk, FromHub::Failed),
            ForwardEv::Answer { number: of, reply } if of == number => {
                self.forward_answered(desk, number, *reply);
            }
            ForwardEv::Settle { number: of, parcel } if of == number => self.settle(desk, parcel),
            _ => {}
        }
    }

    /// Gives the machine an input and has done what it asks.
    pub(super) fn forward(&mut self, desk: usize, input: FromHub) {
        let mut input = input;
        loop {
            let now = self.now;
            let Some((errand, boot)) = self.errand(desk) else {
                return;
            };
            let step = errand.machine.step(now, input);
            let at = step.wake_at_ms.max(now + 1);
            if errand.wake_at != at {
                errand.wake_at = at;
                self.put_forward(desk, boot, at, ForwardEv::Tick { at });
            }
            input = match step.order {
                None => return,
                Some(Order::Make { later }) => self.make(desk, &later),
                Some(Order::Send) => return self.send_parcel(desk),
            };
        }
    }

    fn errand(&mut self, desk: usize) -> Option<(&mut Errand, u32)> {
        let node = self.desks.get_mut(desk)?;
        node.machine.as_ref()?;
        Some((node.errand.as_mut()?, node.boot))
    }

    fn put_forward(&mut self, desk: usize, boot: u32, at: u64, event: ForwardEv) {
        self.queue.put(at, Ev::Forward { desk, boot, event });
    }

    fn make(&mut self, desk: usize, later: &[u64]) -> FromHub {
        let Some(node) = self.desks.get_mut(desk) else {
            return FromHub::Nothing;
        };
        let custody = &node.disk.custody;
        let mut waiting = custody.waiting();
        let Some(device) = next_desk(&waiting, later) else {
            return FromHub::Nothing;
        };
        waiting.retain(|one| one.batch.device == device && !later.contains(&one.row));
        waiting.sort_by_key(|one| (one.batch.lane != Lane::Urgent, one.row));
        let is_made = |parcel: &Parcel| parcel.sent == waiting;
        if node
            .errand
            .as_ref()
            .and_then(|errand| errand.parcel.as_ref())
            .is_some_and(is_made)
        {
            return FromHub::Made(device, rows_of(&waiting));
        }
        let (mut sent, mut batches, mut bytes) = (Vec::new(), Vec::new(), 0);
        for one in waiting {
            let Some(batch) = custody.batch(one.row) else {
                continue;
            };
            bytes += batch.body.get().len();
            if bytes > PARCEL_BYTES && !sent.is_empty() {
                break;
            }
            sent.push(one);
            batches.push(batch);
        }
        let Some(errand) = &mut node.errand else {
            return FromHub::StoreFailed;
        };
        let rows = rows_of(&sent);
        errand.parcel = Some(Parcel {
            device,
            sent,
            batches,
            sealed: None,
        });
        FromHub::Made(device, rows)
    }

    fn send_parcel(&mut self, desk: usize) {
        self.counts.forwards += 1;
        let plant = self.plan.plant;
        let (seed, hub) = (self.dice.next(), self.hub.key());
        let Some(node) = self.desks.get_mut(desk) else {
            return;
        };
        let Some(errand) = &mut node.errand else {
            return;
        };
        errand.number += 1;
        let number = errand.number;
        let Some(parcel) = &mut errand.parcel else {
            return;
        };
        if node.link != Link::Down && parcel.sealed.is_none() {
            let batches: Vec<Signed> = parcel.batches.iter().map(|one| (**one).clone()).collect();
            let sealed = seal_events(&batches, &hub, &mut StdRng::seed_from_u64(seed));
            parcel.sealed = sealed.ok().map(|sealed| STANDARD.encode(sealed));
        }
        if plant == Some(Plant::CustodyDropped) {
            let rows: Vec<u64> = parcel.sent.iter().map(|one| one.row).collect();
            node.disk.custody.let_go(&rows);
        }
        let request = Request {
            v: VERSION,
            device: node.disk.device,
            incarnation: node.speaks_as,
            session: node.session.clone(),
            ask: Ask::Forward {
                parcel: parcel.sealed.clone().unwrap_or_default(),
            },
        };
        let boot = node.boot;
        self.carry(desk, boot, number, request);
    }

    fn forward_answered(&mut self, desk: usize, number: u64, reply: Reply) {
        let input = match reply {
            Reply::Forwarded { receipts } => match STANDARD.decode(receipts) {
                Ok(parcel) => {
                    let boot = self.desks.get(desk).map_or(0, |node| node.boot);
                    let at = self.now + self.dice.between(COMMIT_MS.0, COMMIT_MS.1);
                    return self.put_forward(desk, boot, at, ForwardEv::Settle { number, parcel });
                }
                Err(_) => FromHub::Failed,
            },
            Reply::Refused(Refused::NotTaken) => FromHub::Refused,
            Reply::Refused(Refused::Malformed) => FromHub::NotUnderstood,
            _ => FromHub::Failed,
        };
        self.forward(desk, input);
    }

    fn settle(&mut self, desk: usize, words: Vec<u8>) {
        let crash = !self.calm && self.dice.chance(CRASHES);
        if crash && self.dice.chance(500) {
            return self.crash(desk);
        }
        let Some((errand, _)) = self.errand(desk) else {
            return;
        };
        let Some(parcel) = errand.parcel.take() else {
            return;
        };
        let of = |node: &&DeskNode| node.disk.device == parcel.device;
        let Some(key) = self.desks.iter().find(of).map(|node| node.secret.public()) else {
            return;
        };
        let (hub, to) = (self.hub.key(), (parcel.device, &key));
        let Some(read) = store::words(&mut self.words, to, &hub, &words) else {
            return self.forward(desk, FromHub::Failed);
        };
        let settled = settled(&parcel.sent, &read);
        if let Some(node) = self.desks.get_mut(desk) {
            node.disk.custody.settle(parcel.device, words, &settled);
        }
        if crash {
            return self.crash(desk);
        }
        self.news(desk);
        self.forward(desk, FromHub::Settled(settled.rows.len()));
    }
}

fn rows_of(batches: &[Waiting]) -> Vec<u64> {
    batches.iter().map(|one| one.row).collect()
}
