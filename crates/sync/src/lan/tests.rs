//! A branch in small: desks that write, a mailbox that may die at any moment,
//! a hub that comes and goes. Whatever the order, nothing is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use proptest::prelude::*;
use suda_domain::{Actor, ComplaintId, DeviceId, EventKey, Fact, Lane, LedgerEvent, Role, Stamp};
use uuid::Uuid;

use super::*;
use crate::bundle::Word;
use crate::chain::{Hash, SealedEvent};
use crate::message::{self, Receipt, Request, Verdict};
use crate::sign::{SecretKey, Signed};

const DESKS: u8 = 3;
/// Rounds after which everything must be through.
const HEALED: usize = 200;

fn device(desk: u8) -> DeviceId {
    DeviceId(Uuid::from_u128(u128::from(desk) + 1))
}

fn secret(desk: u8) -> SecretKey {
    SecretKey::from_seed([desk + 1; 32])
}

fn event(desk: u8, lane: Lane, n: u64) -> LedgerEvent {
    let now = DateTime::from_timestamp(1_753_000_000, 0).unwrap();
    LedgerEvent {
        key: EventKey {
            device: device(desk),
            incarnation: 1,
            lane,
            n,
        },
        complaint: ComplaintId(Uuid::from_u128(9)),
        owner_no: 1,
        at: Stamp {
            wall: now,
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor: Actor {
            staff: None,
            name: String::new(),
            role: Role::Clerk,
            branch: None,
        },
        fact: Fact::Noted {
            text: n.to_string(),
        },
        origin: None,
    }
}

/// What one desk has written, in one lane each.
#[derive(Default)]
struct Desk {
    written: BTreeMap<Lane, Vec<SealedEvent>>,
    /// What the hub's words have told it.
    acked: BTreeMap<Lane, u64>,
    /// What it believes the mailbox has.
    given: BTreeMap<Lane, u64>,
}

impl Desk {
    fn write(&mut self, desk: u8, lane: Lane) {
        let written = self.written.entry(lane).or_default();
        let prev = written.last().map_or(Hash::START, |last| last.hash);
        let event = event(desk, lane, written.len() as u64 + 1);
        written.push(SealedEvent::seal(&event, prev).unwrap());
    }

    fn batch(&self, desk: u8, lane: Lane, most: usize) -> Option<(Signed, u64)> {
        let after = self.given.get(&lane).max(self.acked.get(&lane)).copied();
        let after = after.unwrap_or_default();
        let written = self.written.get(&lane)?;
        let events: Vec<_> = written
            .iter()
            .skip(usize::try_from(after).unwrap())
            .take(most)
            .cloned()
            .collect();
        let last = after + events.len() as u64;
        (!events.is_empty()).then(|| (sign(desk, lane, after + 1, events), last))
    }
}

fn sign(desk: u8, lane: Lane, first_n: u64, events: Vec<SealedEvent>) -> Signed {
    let request = Request {
        v: message::VERSION,
        device: device(desk),
        incarnation: 1,
        session: None,
        ask: message::Ask::Batch {
            lane,
            first_n,
            events,
            incarnation: None,
            rekeys: true,
            known: None,
        },
    };
    Signed::seal(&request, &secret(desk)).unwrap()
}

/// The mailbox's disk; all of it survives.
#[derive(Default)]
struct Disk {
    kept: Vec<(Waiting, Signed)>,
    rows: u64,
    held: BTreeMap<(DeviceId, Lane), u64>,
    /// Its ledger: the log the others are shown.
    ledger: BTreeMap<EventKey, Hash>,
    log: Vec<EventKey>,
    words: Vec<(DeviceId, Word)>,
}

impl Disk {
    fn keep(&mut self, desk: u8, signed: &Signed) -> Result<(), TakeError> {
        let peer = (device(desk), &secret(desk).public());
        let named = named(peer, signed)?;
        let batch = named.batch;
        let known = self
            .ledger
            .iter()
            .filter(|(key, _)| (key.device, key.lane) == (batch.device, batch.lane))
            .map(|(key, hash)| (key.n, *hash))
            .collect();
        let kept = take(named, &known)?;
        for (event, sealed) in kept.shown {
            self.ledger.insert(event.key, sealed.hash);
            self.log.push(event.key);
        }
        if kept.adjoins {
            let key = (batch.device, batch.lane);
            self.held.insert(key, batch.last_n);
        }
        let again = |(_, one): &(Waiting, Signed)| one.signature == signed.signature;
        if !self.kept.iter().any(again) {
            self.rows += 1;
            let row = self.rows;
            let came = came(batch.lane, signed);
            self.kept
                .push((Waiting { row, batch, came }, signed.clone()));
        }
        Ok(())
    }
}

/// A hub that takes what adjoins and counts how often it stored an event.
#[derive(Default)]
struct Hub {
    stored: BTreeMap<(DeviceId, Lane), Vec<Hash>>,
    doubled: usize,
}

impl Hub {
    fn take(&mut self, signed: &Signed) -> Word {
        let request: Request = signed.peek().unwrap();
        let message::Ask::Batch {
            lane,
            first_n,
            events,
            ..
        } = request.ask
        else {
            panic!("not a batch")
        };
        let stored = self.stored.entry((request.device, lane)).or_default();
        let mut verdicts = Vec::new();
        for (n, event) in (first_n..).zip(events) {
            let have = stored.len() as u64;
            verdicts.push(if n <= have {
                Verdict::Duplicate
            } else if n == have + 1 {
                self.doubled += usize::from(stored.contains(&event.hash));
                stored.push(event.hash);
                Verdict::Applied
            } else {
                Verdict::Gap
            });
        }
        let mut watermarks = [0; 4];
        watermarks[lane.index()] = stored.len() as u64;
        Word::Receipt(Receipt {
            device: request.device,
            incarnation: 1,
            epoch: "e".into(),
            watermarks,
            lane,
            first_n,
            verdicts,
            allowance: None,
            level: None,
            at: DateTime::from_timestamp(0, 0).unwrap(),
        })
    }
}

#[derive(Default)]
struct Branch {
    desks: BTreeMap<u8, Desk>,
    disk: Disk,
    hub: Hub,
    hub_is_up: bool,
    now_ms: u64,
    parcel: Option<(DeviceId, Vec<(Waiting, Signed)>)>,
}

#[derive(Clone, Debug)]
enum Happening {
    Write(u8, bool),
    /// A batch of so many events; the answer may be lost.
    Give(u8, bool, usize, bool),
    /// Straight to the hub; the receipt may be lost.
    Direct(u8, bool),
    Fetch(u8),
    HubUp,
    HubDown,
    /// The mailbox's program dies: only the disk remains.
    MailboxDies,
    /// The hub's answer to a forwarded parcel is lost.
    AnswerLost,
    Pass(u16),
}

fn lane(urgent: bool) -> Lane {
    if urgent { Lane::Urgent } else { Lane::Ordinary }
}

impl Branch {
    fn new() -> Self {
        Self {
            desks: (0..DESKS).map(|desk| (desk, Desk::default())).collect(),
            ..Self::default()
        }
    }

    fn give(&mut self, desk: u8, lane: Lane, most: usize, answered: bool) -> bool {
        let one = self.desks.get_mut(&desk).unwrap();
        let Some((signed, last)) = one.batch(desk, lane, most) else {
            return false;
        };
        self.disk.keep(desk, &signed).unwrap();
        if answered {
            one.given.insert(lane, last);
        }
        true
    }

    fn fetch(&mut self, desk: u8) {
        let mine = device(desk);
        let one = self.desks.get_mut(&desk).unwrap();
        self.disk.words.retain(|(to, word)| {
            if *to != mine {
                return true;
            }
            let Word::Receipt(receipt) = word else {
                return false;
            };
            let sent = receipt.first_n - 1 + receipt.verdicts.len() as u64;
            let n = receipt.watermarks[receipt.lane.index()].min(sent);
            let acked = one.acked.entry(receipt.lane).or_default();
            *acked = n.max(*acked);
            false
        });
    }

    /// Does what the machine asks until it asks nothing.
    fn run(&mut self, machine: &mut Forwarder, input: Input, answer_lost: bool) {
        let mut input = Some(input);
        while let Some(next) = input.take() {
            let step = machine.step(self.now_ms, next);
            input = match step.order {
                None => None,
                Some(Order::Make { later }) => Some(self.make(&later)),
                Some(Order::Send) if !self.hub_is_up => Some(Input::Failed),
                Some(Order::Send) => {
                    let (desk, batches) = self.parcel.take().unwrap();
                    let words: Vec<Word> = batches
                        .iter()
                        .map(|(_, signed)| self.hub.take(signed))
                        .collect();
                    if answer_lost {
                        Some(Input::Failed)
                    } else {
                        let sent: Vec<Waiting> = batches.iter().map(|(one, _)| *one).collect();
                        let rows = settled(&sent, &words).rows;
                        self.disk.kept.retain(|(one, _)| !rows.contains(&one.row));
                        let words = words.into_iter().map(|word| (desk, word));
                        self.disk.words.extend(words);
                        Some(Input::Settled(rows.len()))
                    }
                }
            };
        }
    }

    fn make(&mut self, later: &[u64]) -> Input {
        let waiting: Vec<Waiting> = self.disk.kept.iter().map(|(one, _)| *one).collect();
        let Some(desk) = next_desk(&waiting, later) else {
            return Input::Nothing;
        };
        let mut batches: Vec<_> = self
            .disk
            .kept
            .iter()
            .filter(|(one, _)| one.batch.device == desk && !later.contains(&one.row))
            .cloned()
            .collect();
        batches.sort_by_key(|(one, _)| (one.batch.lane != Lane::Urgent, one.row));
        batches.truncate(2);
        let rows = batches.iter().map(|(one, _)| one.row).collect();
        self.parcel = Some((desk, batches));
        Input::Made(desk, rows)
    }

    fn happen(&mut self, machine: &mut Forwarder, happening: Happening) {
        match happening {
            Happening::Write(desk, urgent) => {
                self.desks.get_mut(&desk).unwrap().write(desk, lane(urgent));
            }
            Happening::Give(desk, urgent, most, answered) => {
                if self.give(desk, lane(urgent), most, answered) {
                    self.run(machine, Input::Stored, false);
                }
            }
            Happening::Direct(desk, urgent) => {
                let batch = self.desks[&desk].batch(desk, lane(urgent), 10);
                if let Some((signed, _)) = batch.filter(|_| self.hub_is_up) {
                    self.hub.take(&signed);
                }
            }
            Happening::Fetch(desk) => self.fetch(desk),
            Happening::HubUp => {
                self.hub_is_up = true;
                self.run(machine, Input::HubMet, false);
            }
            Happening::HubDown => self.hub_is_up = false,
            Happening::MailboxDies => {
                *machine = Forwarder::new(3);
                self.parcel = None;
                // The desks ask anew what it holds.
                for (desk, one) in &mut self.desks {
                    for lane in [Lane::Urgent, Lane::Ordinary] {
                        let held = self.disk.held.get(&(device(*desk), lane));
                        one.given.insert(lane, held.copied().unwrap_or_default());
                    }
                }
                if self.hub_is_up {
                    self.run(machine, Input::HubMet, false);
                }
            }
            Happening::AnswerLost => self.run(machine, Input::HubMet, true),
            Happening::Pass(ms) => {
                self.now_ms += u64::from(ms);
                self.run(machine, Input::Tick, false);
            }
        }
    }

    /// Everything works again: how many rounds it takes until all is receipted.
    fn heal(&mut self, machine: &mut Forwarder) -> Option<usize> {
        self.happen(machine, Happening::MailboxDies);
        self.happen(machine, Happening::HubUp);
        for round in 0..HEALED {
            for desk in 0..DESKS {
                for urgent in [true, false] {
                    self.happen(machine, Happening::Give(desk, urgent, 10, true));
                }
                self.happen(machine, Happening::Fetch(desk));
            }
            self.happen(machine, Happening::Pass(5_000));
            if self.is_receipted() {
                return Some(round);
            }
        }
        None
    }

    fn is_receipted(&self) -> bool {
        self.desks.values().all(|desk| {
            desk.written.iter().all(|(lane, written)| {
                desk.acked.get(lane).copied().unwrap_or_default() == written.len() as u64
            })
        })
    }
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let desk = 0..DESKS;
    let one = prop_oneof![
        4 => (desk.clone(), any::<bool>()).prop_map(|(d, u)| Happening::Write(d, u)),
        4 => (desk.clone(), any::<bool>(), 1..4_usize, any::<bool>())
            .prop_map(|(d, u, most, told)| Happening::Give(d, u, most, told)),
        1 => (desk.clone(), any::<bool>()).prop_map(|(d, u)| Happening::Direct(d, u)),
        2 => desk.prop_map(Happening::Fetch),
        1 => Just(Happening::HubUp),
        1 => Just(Happening::HubDown),
        1 => Just(Happening::MailboxDies),
        1 => Just(Happening::AnswerLost),
        2 => (0..20_000_u16).prop_map(Happening::Pass),
    ];
    prop::collection::vec(one, 1..120)
}

proptest! {
    #[test]
    fn whatever_happens_everything_written_is_at_the_hub_once_and_receipted(
        happenings in happenings()
    ) {
        let mut branch = Branch::new();
        let mut machine = Forwarder::new(7);
        for happening in happenings {
            branch.happen(&mut machine, happening);
        }
        prop_assert!(branch.heal(&mut machine).is_some(), "not through");
        prop_assert_eq!(branch.hub.doubled, 0);
        prop_assert!(branch.disk.kept.is_empty(), "something stays behind");
        for (desk, one) in &branch.desks {
            for (lane, written) in &one.written {
                let written: Vec<Hash> = written.iter().map(|event| event.hash).collect();
                prop_assert_eq!(branch.hub.stored.get(&(device(*desk), *lane)), Some(&written));
            }
        }
        // The branch's log tells each event once.
        let told: BTreeSet<EventKey> = branch.disk.log.iter().copied().collect();
        prop_assert_eq!(told.len(), branch.disk.log.len());
    }
}

fn written(desk: u8, count: usize) -> Desk {
    let mut one = Desk::default();
    for _ in 0..count {
        one.write(desk, Lane::Ordinary);
    }
    one
}

#[test]
fn a_batch_that_is_not_the_desks_own_is_not_kept() {
    let events = written(0, 2).written.remove(&Lane::Ordinary).unwrap();
    let mut disk = Disk::default();
    let of_another = sign(1, Lane::Ordinary, 1, events.clone());
    assert_eq!(disk.keep(1, &of_another), Err(TakeError::Malformed));
    let forged = Signed {
        signature: of_another.signature,
        ..sign(0, Lane::Ordinary, 1, events.clone())
    };
    assert_eq!(disk.keep(0, &forged), Err(TakeError::Signature));
    let misnumbered = sign(0, Lane::Ordinary, 2, events);
    assert_eq!(disk.keep(0, &misnumbered), Err(TakeError::Malformed));
    assert!(disk.kept.is_empty() && disk.log.is_empty());
}

#[test]
fn what_contradicts_the_log_is_kept_for_the_hub_and_not_shown() {
    let mut disk = Disk::default();
    let (first, _) = written(0, 2).batch(0, Lane::Ordinary, 10).unwrap();
    disk.keep(0, &first).unwrap();
    let mut copy = Desk::default();
    copy.write(0, Lane::Ordinary);
    let mut other = event(0, Lane::Ordinary, 2);
    other.fact = Fact::Noted { text: "另".into() };
    let prev = copy.written[&Lane::Ordinary][0].hash;
    let other = SealedEvent::seal(&other, prev).unwrap();
    let hash = other.hash;
    let behind = SealedEvent::seal(&event(0, Lane::Ordinary, 3), hash).unwrap();
    let written = copy.written.get_mut(&Lane::Ordinary).unwrap();
    written.extend([other, behind]);
    let (second, _) = copy.batch(0, Lane::Ordinary, 10).unwrap();
    disk.keep(0, &second).unwrap();
    assert_eq!(disk.log.len(), 2, "shown once, as it first came");
    assert_eq!(disk.kept.len(), 2, "the hub decides");
}

#[test]
fn a_mailbox_holds_one_piece_of_a_stream() {
    let batch = |first_n, last_n| Batch {
        device: device(0),
        incarnation: 1,
        lane: Lane::Ordinary,
        first_n,
        last_n,
    };
    let hash = Hash::START;
    let held = |before, (first_n, last_n)| {
        let held = held_on(before, (&batch(first_n, last_n), hash))?;
        Some((held.first_n, held.n))
    };
    let before = held_on(None, (&batch(5, 8), hash));
    assert_eq!(held(None, (5, 8)), Some((5, 8)));
    assert_eq!(held(before, (9, 10)), Some((5, 10)));
    assert_eq!(held(before, (3, 4)), Some((3, 8)));
    assert_eq!(held(before, (6, 7)), None, "it came again");
    assert_eq!(held(before, (11, 12)), Some((11, 12)), "a gap");
}

#[test]
fn a_batch_behind_a_gap_is_forwarded_again() {
    let mut disk = Disk::default();
    let mut desk = written(0, 2);
    desk.given.insert(Lane::Ordinary, 1);
    let (second, _) = desk.batch(0, Lane::Ordinary, 10).unwrap();
    disk.keep(0, &second).unwrap();
    let sent = [disk.kept[0].0];
    let mut hub = Hub::default();
    assert_eq!(
        settled(&sent, &[hub.take(&second)]).rows,
        [0; 0],
        "the hub lacks the first"
    );
    desk.given.clear();
    let (first, _) = desk.batch(0, Lane::Ordinary, 1).unwrap();
    hub.take(&first);
    assert_eq!(settled(&sent, &[hub.take(&second)]).rows, [sent[0].row]);
}

/// A desk that could not use the hub's words, not having met this hub yet, has to
/// hear that the mailbox holds its events no more.
#[test]
fn a_stream_of_which_the_hub_has_another_past_is_held_no_more() {
    let mut disk = Disk::default();
    let desk = written(0, 2);
    let (batch, _) = desk.batch(0, Lane::Ordinary, 2).unwrap();
    disk.keep(0, &batch).unwrap();
    let sent = [disk.kept[0].0];
    let Word::Receipt(mut receipt) = Hub::default().take(&batch) else {
        panic!("not a receipt")
    };
    let taken = settled(&sent, &[Word::Receipt(receipt.clone())]);
    assert!(taken.forked.is_empty());
    receipt.verdicts = vec![Verdict::Duplicate, Verdict::Forked];
    let forked = settled(&sent, &[Word::Receipt(receipt)]);
    assert_eq!(forked.rows, taken.rows);
    assert_eq!(forked.forked, [(1, Lane::Ordinary)].into());
}

#[test]
fn a_receipt_settles_its_own_batch_alone() {
    let mut disk = Disk::default();
    let mut desk = written(0, 3);
    desk.given.insert(Lane::Ordinary, 1);
    let (short, _) = desk.batch(0, Lane::Ordinary, 1).unwrap();
    disk.keep(0, &short).unwrap();
    desk.given.clear();
    let (first, _) = desk.batch(0, Lane::Ordinary, 1).unwrap();
    desk.given.insert(Lane::Ordinary, 1);
    let (long, _) = desk.batch(0, Lane::Ordinary, 2).unwrap();
    disk.keep(0, &first).unwrap();
    disk.keep(0, &long).unwrap();
    let sent: Vec<Waiting> = disk.kept.iter().map(|(one, _)| *one).collect();
    let mut hub = Hub::default();
    let words = [&short, &first, &long].map(|batch| hub.take(batch));
    // The short one met a gap; that the long one begins with the same number is
    // no word about it.
    assert_eq!(settled(&sent, &words).rows, [sent[1].row, sent[2].row]);
}

#[test]
fn an_urgent_batch_goes_before_older_ones_and_a_stuck_desk_is_passed_over() {
    let one = |desk, lane, row| Waiting {
        row,
        batch: Batch {
            device: device(desk),
            incarnation: 1,
            lane,
            first_n: 1,
            last_n: 1,
        },
        came: None,
    };
    let waiting = [
        one(0, Lane::Ordinary, 1),
        one(1, Lane::Ordinary, 2),
        one(2, Lane::Urgent, 3),
    ];
    assert_eq!(next_desk(&waiting, &[]), Some(device(2)));
    assert_eq!(next_desk(&waiting, &[3]), Some(device(0)));
    assert_eq!(next_desk(&waiting, &[1, 2, 3]), None);
    let mut machine = Forwarder::new(1);
    machine.step(0, Input::HubMet);
    machine.step(0, Input::Made(device(2), vec![3]));
    let step = machine.step(0, Input::Refused);
    let later = vec![3];
    assert_eq!(step.order, Some(Order::Make { later }));
}

#[test]
fn of_urgent_batches_the_one_whose_hour_ends_first_goes_first() {
    let one = |desk, row, minute: i64| Waiting {
        row,
        batch: Batch {
            device: device(desk),
            incarnation: 1,
            lane: Lane::Urgent,
            first_n: 1,
            last_n: 1,
        },
        came: DateTime::from_timestamp(60 * minute, 0),
    };
    let waiting = [one(0, 1, 50), one(1, 2, 10), one(2, 3, 30)];
    assert_eq!(next_desk(&waiting, &[]), Some(device(1)));
    assert_eq!(next_desk(&waiting, &[2]), Some(device(2)));
    let alert = Waiting {
        came: None,
        ..one(3, 4, 0)
    };
    let with_alert = [waiting[1], alert];
    assert_eq!(next_desk(&with_alert, &[]), Some(device(3)));
}
