//! Who is written first, and how much at once.

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::fact::HandoffCause;
use suda_domain::{
    Actor, ComplaintId, Complexity, DeviceId, EventKey, Grade, Intake, LedgerEvent,
    ReferenceNumber, Stamp,
};
use suda_sync::{Hash, SealedEvent};
use uuid::Uuid;

use super::*;

const AT_EASE: Load = Load {
    waiting: 0,
    per_s: 10_000,
    commit_ms: 5,
};
const OVERLOADED: Load = Load {
    waiting: 100_000,
    ..AT_EASE
};

fn morning() -> DateTime<Utc> {
    "2026-07-21T02:00:00Z".parse().unwrap()
}

/// A batch of so many events; of device `number`, by which it is known again.
fn batch(number: u128, lane: Lane, arrivals: Vec<Arrival>) -> Request {
    let batch = Batch {
        device: DeviceId(Uuid::from_u128(number)),
        incarnation: 1,
        branch: "CQ0101".parse().unwrap(),
        lane,
        first_n: 1,
        arrivals,
        rekeys: true,
        again: Vec::new(),
        now: morning(),
        mono_ms: 1,
    };
    Request::Ingest(batch, oneshot::channel().0)
}

fn events(number: u128, count: usize) -> Request {
    let sealed = SealedEvent::from_parts("1".into(), Hash::START, Hash::START).unwrap();
    batch(number, Lane::Ordinary, vec![Arrival::read(sealed); count])
}

fn packet_of(number: u128, grade: Grade, minutes_ago: i64) -> Request {
    let arrived_at = morning() - TimeDelta::minutes(minutes_ago);
    let reference =
        ReferenceNumber::compose(&"CQ0101".parse().unwrap(), morning().date_naive(), "A", 1);
    let packet = HandoffPacket {
        reference: reference.unwrap(),
        branch: "CQ0101".parse().unwrap(),
        arrived_at,
        recorded_at: arrived_at,
        late: false,
        intake: Intake::default(),
        cut: false,
        grade,
        complexity: Complexity::Complex,
        cycle: 1,
        recused: Vec::new(),
        upto_n: 0,
    };
    let event = LedgerEvent {
        key: EventKey {
            device: DeviceId(Uuid::from_u128(number)),
            incarnation: 1,
            lane: Lane::Urgent,
            n: 1,
        },
        complaint: ComplaintId(Uuid::from_u128(number)),
        owner_no: 1,
        at: Stamp {
            wall: morning(),
            mono_ms: 1,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor: Actor::system(None),
        fact: Fact::HandedOff {
            packet: Box::new(packet),
            cause: HandoffCause::Manual,
        },
        origin: None,
    };
    let sealed = SealedEvent::seal(&event, Hash::START).unwrap();
    batch(number, Lane::Urgent, vec![Arrival::read(sealed)])
}

fn devices(group: &[Request]) -> Vec<u128> {
    let batches = batches(group);
    batches.map(|batch| batch.device.0.as_u128()).collect()
}

#[test]
fn a_packet_overtakes_every_batch_that_waits() {
    let mut waiting: Vec<_> = (1..=40).map(|number| events(number, 100)).collect();
    waiting.push(packet_of(99, Grade::Three, 5));
    let group = next_group(&mut waiting, OVERLOADED);
    assert_eq!(devices(&group)[..3], [99, 1, 2]);
    assert_eq!(group.len(), 20, "a transaction has its bound");
    assert_eq!(devices(&next_group(&mut waiting, OVERLOADED))[0], 20);
}

#[test]
fn of_packets_the_nearest_deadline_goes_first_and_under_overload_the_grade() {
    let some = || {
        vec![
            packet_of(1, Grade::Two, 10),
            packet_of(2, Grade::Three, 50),
            packet_of(3, Grade::One, 1),
            packet_of(4, Grade::Two, 40),
        ]
    };
    let at_ease = next_group(&mut some(), AT_EASE);
    assert_eq!(devices(&at_ease), [2, 4, 1, 3]);
    let overloaded = next_group(&mut some(), OVERLOADED);
    assert_eq!(devices(&overloaded), [3, 4, 1, 2]);
}

#[test]
fn a_batch_larger_than_a_transaction_goes_alone() {
    let mut waiting = vec![events(1, 5_000), events(2, 1)];
    assert_eq!(next_group(&mut waiting, AT_EASE).len(), 1);
    assert_eq!(next_group(&mut waiting, AT_EASE).len(), 1);
}

#[test]
fn the_burden_is_what_came_and_is_not_written() {
    let burden = Burden::default();
    for request in [events(1, 100), events(2, 60)] {
        burden.came(&request);
    }
    burden.left(100);
    burden.wrote(100, Duration::from_millis(10));
    burden.wrote(3, Duration::from_millis(7));
    let load = burden.load();
    assert_eq!(
        (load.waiting, load.per_s, load.commit_ms),
        (60, 10_000, 7),
        "three events say nothing of the pace"
    );
}
