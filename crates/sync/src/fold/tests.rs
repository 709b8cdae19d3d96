use proptest::prelude::*;
use suda_domain::fact::Source;

use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, DeviceId, EventKey, Grade, ReferenceNumber, Role,
    StaffId, Stamp, State,
};
use uuid::Uuid;

use super::*;

fn event(n: u64, fact: Fact) -> LedgerEvent {
    // Who settled it does not call back himself.
    let (staff, role) = match fact {
        Fact::CalledBack { .. } => (4, Role::BranchManager),
        _ => (3, Role::Clerk),
    };
    LedgerEvent {
        key: EventKey {
            device: DeviceId(Uuid::from_u128(5)),
            incarnation: 1,
            lane: Lane::Ordinary,
            n,
        },
        complaint: ComplaintId(Uuid::from_u128(7)),
        owner_no: 1,
        at: Stamp {
            wall: chrono::DateTime::UNIX_EPOCH,
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor: Actor {
            staff: Some(StaffId(Uuid::from_u128(staff))),
            name: "陈晓".into(),
            role,
            branch: Some(branch()),
        },
        fact,
        origin: None,
    }
}

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

/// A simple complaint, settled at the counter: its steps in the order in which
/// they were written.
fn life() -> Vec<LedgerEvent> {
    let day = chrono::DateTime::UNIX_EPOCH.date_naive();
    let facts = [
        Fact::Recorded {
            reference: ReferenceNumber::compose(&branch(), day, "A", 42).unwrap(),
            intake: Box::default(),
            arrived_at: chrono::DateTime::UNIX_EPOCH,
            late: false,
            source: Source::Form,
        },
        Fact::Assessed {
            category: "A.01.01".into(),
            grade: Grade::Three,
            complexity: Complexity::Simple,
            suggestion: None,
            override_reason: None,
        },
        Fact::Settled {
            summary: "已解释并致歉".into(),
            remedy: "无".into(),
            amount_minor: None,
            guidance: None,
            deviation: String::new(),
        },
        Fact::CalledBack {
            satisfied: true,
            comment: String::new(),
            score: Some(5),
            causes: Vec::new(),
        },
    ];
    (1..).zip(facts).map(|(n, fact)| event(n, fact)).collect()
}

/// As a branch's mailbox came to know them.
fn in_branch(order: Vec<LedgerEvent>) -> Vec<Standing> {
    (1..)
        .zip(order)
        .map(|(at, event)| Standing {
            seq: Some(behind_the_hub(at)),
            own: false,
            event,
        })
        .collect()
}

proptest! {
    /// Desks forward each other's batches as they get them: wherever the mailbox
    /// put the beginning, the steps before it were written upon it.
    #[test]
    fn steps_before_the_beginning_take_effect(order in Just(life()).prop_shuffle()) {
        let begun = order.iter().position(|event| event.key.n == 1).unwrap();
        let mut order = order;
        order[begun..].sort_by_key(|event| event.key.n);
        let as_written = refold(&in_branch(life())).unwrap();
        prop_assert_eq!(refold(&in_branch(order)), Some(as_written));
    }
}

#[test]
fn a_settlement_ahead_of_record_and_grade_settles() {
    let [recorded, assessed, settled, _] = life().try_into().unwrap();
    let made = refold(&in_branch(vec![settled, recorded, assessed])).unwrap();
    assert_eq!(made.state, State::Answered);
}

/// What comes behind the beginning and does not fit stays without effect, also
/// when it would fit later: the others have seen it refused.
#[test]
fn a_refused_step_behind_the_beginning_is_not_tried_again() {
    let [recorded, assessed, settled, called_back] = life().try_into().unwrap();
    let made = refold(&in_branch(vec![recorded, assessed, called_back, settled])).unwrap();
    assert_eq!(made.state, State::Answered);
    assert_eq!(made.marks.called_back_at, None);
    let as_written = refold(&in_branch(life())).unwrap();
    assert!(as_written.marks.called_back_at.is_some());
}

#[test]
fn steps_without_a_beginning_make_nothing_and_name_no_keeper() {
    let rest = in_branch(life().split_off(1));
    assert_eq!(refold(&rest), None);
    assert_eq!(course(&rest), Course::default());
}

#[test]
fn the_desk_that_recorded_keeps_also_when_its_record_came_last() {
    let mut order = life();
    order.rotate_left(1);
    order[0].key.device = DeviceId(Uuid::from_u128(6));
    let course = course(&in_branch(order));
    assert_eq!(course.keeper, Some(DeviceId(Uuid::from_u128(5))));
}
