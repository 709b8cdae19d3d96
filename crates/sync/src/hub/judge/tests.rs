//! The judgement on batches, with a store of a few maps behind it.

use chrono::NaiveDate;
use suda_domain::fact::HandoffCause;
use suda_domain::fact::Source;
use suda_domain::{Complexity, Grade, HandoffPacket, State};
use uuid::Uuid;

use super::*;
use crate::rekey::rekey;

struct Desk {
    device: DeviceId,
    incarnation: u32,
    head: LaneHead,
    written: Vec<(LedgerEvent, SealedEvent)>,
}

impl Desk {
    fn new(number: u128) -> Self {
        Self {
            device: DeviceId(Uuid::from_u128(number)),
            incarnation: 1,
            head: LaneHead::EMPTY,
            written: Vec::new(),
        }
    }

    fn write(&mut self, complaint: ComplaintId, owner_no: u32, fact: Fact) {
        let n = self.head.n + 1;
        let event = LedgerEvent {
            key: EventKey {
                device: self.device,
                incarnation: self.incarnation,
                lane: Lane::Ordinary,
                n,
            },
            complaint,
            owner_no,
            at: suda_domain::Stamp {
                wall: now(),
                mono_ms: 0,
                hub_offset_ms: None,
                offset_age_s: None,
            },
            actor: clerk(),
            fact,
            origin: None,
        };
        let sealed = SealedEvent::seal(&event, self.head.hash).unwrap();
        self.head = LaneHead {
            n,
            hash: sealed.hash,
        };
        self.written.push((event, sealed));
    }

    /// What it has written from number `first_n` on.
    fn batch(&self, first_n: u64) -> Batch {
        let from = self.written.iter().skip(first_n as usize - 1);
        Batch {
            device: self.device,
            incarnation: self.incarnation,
            branch: branch(),
            lane: Lane::Ordinary,
            first_n,
            arrivals: from
                .map(|(_, sealed)| Arrival::read(sealed.clone()))
                .collect(),
            rekeys: true,
            again: Vec::new(),
            now: now(),
            mono_ms: 0,
        }
    }

    /// This database, gone on as incarnation 2 with all it has written.
    fn renewed(&self) -> Self {
        let mut head = LaneHead::EMPTY;
        let events = self.written.iter();
        let events = events.map(|(event, sealed)| (event.clone(), sealed.hash));
        let rekeyed = rekey(events.collect(), 2, &mut head).unwrap();
        Self {
            device: self.device,
            incarnation: 2,
            head,
            written: rekeyed
                .into_iter()
                .map(|new| (new.event, new.sealed))
                .collect(),
        }
    }
}

#[derive(Default)]
struct Hub {
    heads: HashMap<(DeviceId, u32), LaneHead>,
    known: HashMap<EventKey, Hash>,
    complaints: HashMap<ComplaintId, Arc<Complaint>>,
    log: Vec<LedgerEvent>,
    aside: Vec<(SetAside, bool)>,
}

impl Hub {
    fn take(&mut self, batch: &Batch) -> Judgement {
        let head = self.heads.get(&(batch.device, batch.incarnation)).copied();
        let arrived = batch.origins().into_iter().filter(|origin| {
            let same = |event: &LedgerEvent| event.origin.as_ref() == Some(origin);
            let first = self.known.get(&origin.key);
            first.is_some_and(|hash| hash.to_string() == origin.hash) || self.log.iter().any(same)
        });
        let held = self.aside.iter().enumerate().filter_map(|(id, held)| {
            let (record, open) = held;
            (*open && record.reason.waits()).then(|| HeldRecord {
                id: id as i64,
                branch: record.branch.clone(),
                event: record.sealed.open().unwrap(),
                sealed: record.sealed.clone(),
            })
        });
        let known = (batch.first_n..=batch.last_n()).filter_map(|n| {
            let key = EventKey {
                device: batch.device,
                incarnation: batch.incarnation,
                lane: batch.lane,
                n,
            };
            Some((n, *self.known.get(&key)?))
        });
        let situation = Situation {
            lines: Arc::default(),
            head: head.unwrap_or(LaneHead::EMPTY),
            known: known.collect(),
            complaints: self.complaints.clone(),
            references: HashMap::new(),
            staff: HashMap::from([(clerk().staff.unwrap(), record_of_clerk())]),
            held: held.collect(),
            arrived: arrived.collect(),
        };
        let mut pen = Pen {
            device: DeviceId(Uuid::nil()),
            incarnation: 1,
            head: LaneHead::EMPTY,
            now: now(),
            mono_ms: 0,
        };
        let judgement = judge(batch, situation, &mut pen).unwrap();
        self.store(&judgement.changes);
        judgement
    }

    fn store(&mut self, changes: &Changes) {
        for entry in &changes.entries {
            self.known.insert(entry.key, entry.sealed.hash);
            self.log.push(entry.sealed.open().unwrap());
        }
        for case in &changes.cases {
            self.complaints
                .insert(case.complaint.id, case.complaint.clone());
        }
        for record in &changes.set_aside {
            self.known.insert(record.key, record.sealed.hash);
            self.aside.push((record.clone(), true));
        }
        for head in &changes.heads {
            self.heads
                .insert((head.device, head.incarnation), head.head);
        }
        for id in &changes.released {
            self.aside[*id as usize].1 = false;
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.log
            .iter()
            .map(|event| event.fact.kind().name())
            .collect()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

fn clerk() -> Actor {
    Actor {
        staff: Some(StaffId(Uuid::from_u128(500))),
        name: "clerk".into(),
        role: Role::Clerk,
        branch: Some(branch()),
    }
}

fn record_of_clerk() -> StaffRecord {
    StaffRecord {
        id: clerk().staff.unwrap(),
        login: "clerk".into(),
        name: "clerk".into(),
        role: Role::Clerk,
        branch: Some(branch()),
        password_hash: String::new(),
        active: true,
        superior: None,
    }
}

fn complaint() -> ComplaintId {
    ComplaintId(Uuid::from_u128(7))
}

fn recorded() -> Fact {
    let day = NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
    Fact::Recorded {
        reference: ReferenceNumber::compose(&branch(), day, "A", 42).unwrap(),
        intake: Box::default(),
        arrived_at: now(),
        late: false,
        source: Source::Form,
    }
}

fn handed_off() -> Fact {
    let day = NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
    Fact::HandedOff {
        packet: Box::new(HandoffPacket {
            reference: ReferenceNumber::compose(&branch(), day, "A", 42).unwrap(),
            branch: branch(),
            arrived_at: now(),
            recorded_at: now(),
            late: false,
            intake: suda_domain::Intake::default(),
            cut: false,
            grade: Grade::Two,
            complexity: Complexity::Complex,
            cycle: 1,
            recused: Vec::new(),
            upto_n: 1,
        }),
        cause: HandoffCause::Manual,
    }
}

fn noted() -> Fact {
    Fact::Noted {
        text: "note".into(),
    }
}

fn withdrawn() -> Fact {
    Fact::Withdrawn {
        reason: "reason".into(),
    }
}

#[test]
fn what_waits_for_another_desks_record_is_released_by_the_batch_that_brings_it() {
    let mut hub = Hub::default();
    let mut first = Desk::new(1);
    first.write(complaint(), 1, noted());
    assert_eq!(hub.take(&first.batch(1)).verdicts, [Verdict::Held]);
    assert!(hub.log.is_empty());

    let mut second = Desk::new(2);
    second.write(complaint(), 1, recorded());
    let judgement = hub.take(&second.batch(1));
    assert_eq!(judgement.verdicts, [Verdict::Applied]);
    assert_eq!(judgement.changes.released, [0]);
    assert_eq!(hub.kinds(), ["recorded", "noted"]);

    // Released once: the next batch of the complaint does not bring it again.
    second.write(complaint(), 1, noted());
    assert!(hub.take(&second.batch(2)).changes.released.is_empty());
    assert_eq!(hub.kinds(), ["recorded", "noted", "noted"]);
}

#[test]
fn what_waits_for_a_record_behind_it_in_the_same_batch_is_applied() {
    let mut hub = Hub::default();
    let mut desk = Desk::new(1);
    desk.write(complaint(), 1, noted());
    desk.write(complaint(), 1, recorded());
    let judgement = hub.take(&desk.batch(1));
    assert_eq!(judgement.verdicts, [Verdict::Applied, Verdict::Applied]);
    assert!(hub.aside.is_empty(), "nothing is left set aside");
    assert_eq!(hub.kinds(), ["recorded", "noted"]);
    let again = hub.take(&desk.batch(1));
    assert_eq!(again.verdicts, [Verdict::Duplicate, Verdict::Duplicate]);
}

#[test]
fn what_is_ahead_of_its_owner_number_is_released_when_that_is_reached() {
    let mut hub = Hub::default();
    let mut late = Desk::new(1);
    late.write(complaint(), 2, withdrawn());
    assert_eq!(hub.take(&late.batch(1)).verdicts, [Verdict::Held]);
    let mut desk = Desk::new(2);
    desk.write(complaint(), 1, recorded());
    hub.take(&desk.batch(1));
    let open = |hub: &Hub| hub.aside.iter().filter(|(_, open)| *open).count();
    assert_eq!(open(&hub), 1, "its owner number is not reached");

    let known = Arc::make_mut(hub.complaints.get_mut(&complaint()).unwrap());
    known.owner_no = 2;
    desk.write(complaint(), 2, noted());
    assert_eq!(hub.take(&desk.batch(2)).changes.released, [0]);
    assert_eq!(hub.complaints[&complaint()].state, State::Withdrawn);
    assert_eq!(open(&hub), 0);
}

#[test]
fn a_handoff_ahead_of_its_owner_number_is_queued_at_once() {
    let mut hub = Hub::default();
    let mut desk = Desk::new(1);
    desk.write(complaint(), 1, recorded());
    hub.take(&desk.batch(1));
    // The hub has forgotten, put back from a backup, what gave it back to the branch.
    desk.write(complaint(), 3, handed_off());
    assert_eq!(hub.take(&desk.batch(2)).verdicts, [Verdict::Applied]);
    assert_eq!(hub.kinds(), ["recorded", "handed_off", "queued"]);
    let known = &hub.complaints[&complaint()];
    assert_eq!((known.state, known.owner_no), (State::Queued, 4));
}

#[test]
fn nothing_behind_a_fork_is_stored_when_the_desk_can_number_it_anew() {
    let mut hub = Hub::default();
    let mut desk = Desk::new(1);
    desk.write(complaint(), 1, recorded());
    let mut copy = Desk {
        written: desk.written.clone(),
        ..Desk::new(1)
    };
    copy.head = desk.head;
    desk.write(complaint(), 1, noted());
    hub.take(&desk.batch(1));

    copy.write(complaint(), 1, withdrawn());
    copy.write(complaint(), 1, noted());
    let judgement = hub.take(&copy.batch(1));
    assert_eq!(
        judgement.verdicts,
        [Verdict::Duplicate, Verdict::Forked, Verdict::Forked]
    );
    assert!(hub.aside.is_empty());
    assert_eq!(
        hub.heads[&(desk.device, 1)].n,
        2,
        "the hub's own past stays"
    );
}

/// A desk of an earlier version keeps its numbers, so a person has to look.
#[test]
fn a_fork_of_a_desk_that_cannot_number_anew_is_set_aside() {
    let mut hub = Hub::default();
    let mut desk = Desk::new(1);
    desk.write(complaint(), 1, recorded());
    hub.take(&desk.batch(1));
    let mut copy = Desk::new(1);
    copy.write(complaint(), 1, noted());
    let judgement = hub.take(&Batch {
        rekeys: false,
        ..copy.batch(1)
    });
    let reason = QuarantineReason::Forked;
    assert_eq!(judgement.verdicts, [Verdict::Quarantined { reason }]);
    assert_eq!(hub.aside.len(), 1);
}

#[test]
fn what_another_copy_has_brought_under_a_new_number_is_not_taken_twice() {
    let mut hub = Hub::default();
    let mut desk = Desk::new(1);
    desk.write(complaint(), 1, recorded());
    desk.write(complaint(), 1, noted());
    let renewed = desk.renewed();

    // First under the new numbers, then, from the other copy, under the old.
    let applied = hub.take(&renewed.batch(1)).verdicts;
    assert_eq!(applied, [Verdict::Applied, Verdict::Applied]);
    let repeated = hub.take(&desk.batch(1)).verdicts;
    assert_eq!(repeated, [Verdict::Duplicate, Verdict::Duplicate]);
    assert_eq!(hub.kinds(), ["recorded", "noted"]);
    assert_eq!(hub.heads[&(desk.device, 1)].n, 2, "the lane goes on");

    // And the other way round.
    let mut hub = Hub::default();
    hub.take(&desk.batch(1));
    let repeated = hub.take(&renewed.batch(1)).verdicts;
    assert_eq!(repeated, [Verdict::Duplicate, Verdict::Duplicate]);
    assert_eq!(hub.kinds(), ["recorded", "noted"]);
}
