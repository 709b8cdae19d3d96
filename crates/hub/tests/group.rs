//! Requests judged together: each as if it came alone behind those before it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use suda_domain::staff::StaffRecord;
use suda_domain::time::{Calendar, Timekeeping};
use suda_domain::{
    BranchCode, Complexity, DeviceId, EventKey, Fact, Grade, Lane, LedgerEvent, Origin, Role,
    StaffId,
};
use suda_hub::group::{Concerned, World};
use suda_hub::ingest::{Arrival, Batch};
use suda_sync::{Hash, SealedEvent, Verdict};
use support::{Pen, actor, intake, morning};
use uuid::Uuid;

fn clerk() -> StaffRecord {
    StaffRecord {
        id: StaffId(Uuid::from_u128(7)),
        login: "clerk".into(),
        name: "姓名".into(),
        role: Role::Clerk,
        branch: Some("CQ0101".parse().unwrap()),
        password_hash: String::new(),
        active: true,
        superior: None,
    }
}

fn batch(pen: &Pen, incarnation: u32, first_n: u64, events: Vec<SealedEvent>) -> Batch {
    let branch: BranchCode = pen.branch();
    Batch {
        device: pen.device,
        incarnation,
        branch,
        lane: Lane::Ordinary,
        first_n,
        arrivals: events.into_iter().map(Arrival::read).collect(),
        rekeys: true,
        again: Vec::new(),
        now: morning(),
        mono_ms: 1,
    }
}

/// A desk with a recorded complaint and a note on it, and the same note as its
/// copied database sends it: as the first event of the next incarnation.
fn note_and_its_copy() -> (Batch, Batch) {
    let mut pen = Pen::new(DeviceId(Uuid::from_u128(1)), actor(&clerk()), "A");
    let (id, _, mut events) =
        pen.record(morning(), intake("断网"), Grade::Three, Complexity::Simple);
    let text = "问过了".to_owned();
    let note = pen.write(Lane::Ordinary, id, 1, morning(), Fact::Noted { text });
    let mut renamed: LedgerEvent = note.open().unwrap();
    renamed.origin = Some(Origin {
        key: renamed.key,
        hash: note.hash.to_string(),
    });
    renamed.key = EventKey {
        incarnation: 2,
        n: 1,
        ..renamed.key
    };
    let renamed = SealedEvent::seal(&renamed, Hash::START).unwrap();
    events.push(note);
    (batch(&pen, 1, 1, events), batch(&pen, 2, 1, vec![renamed]))
}

fn time() -> Arc<Timekeeping> {
    Arc::new(Timekeeping::new([], Calendar::china()))
}

fn world(batches: &[&Batch]) -> World {
    let mut concerned = Concerned::default();
    for batch in batches {
        concerned.add_batch(batch);
    }
    let mut world = World::new(DeviceId(Uuid::from_u128(99)), 1, time());
    world.staff.insert(clerk().id, clerk());
    world.renamed = concerned.renamed;
    world
}

/// The copy's event is looked up before the group is judged, when the first
/// was not there yet.
#[test]
fn two_copies_of_an_event_in_one_group_take_effect_once() {
    let (first, copy) = note_and_its_copy();
    let mut both = world(&[&first, &copy]);
    let verdicts = both.batch(&first).unwrap().verdicts;
    assert_eq!(verdicts, vec![Verdict::Applied; 3]);
    assert_eq!(both.batch(&copy).unwrap().verdicts, [Verdict::Duplicate]);
    assert_eq!(both.finish().entries.len(), 3);
}

/// The control: alone, behind its complaint, the copy takes effect.
#[test]
fn a_copy_whose_first_never_came_takes_effect() {
    let (first, copy) = note_and_its_copy();
    let mut alone = world(&[&copy]);
    let recorded = Batch {
        arrivals: first.arrivals[..2].to_vec(),
        ..first
    };
    alone.batch(&recorded).unwrap();
    assert_eq!(alone.batch(&copy).unwrap().verdicts, [Verdict::Applied]);
}
