//! Which texts a complaint's life asks for, step by step with the real rules.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use suda_domain::complaint::Complaint;
use suda_domain::fact::{Decision, Fact, HandoffCause, Report, Source};
use suda_domain::intake::Language;
use suda_domain::texts::{Template, asked};
use suda_domain::{
    Actor, ComplaintId, Complexity, DeviceId, EventKey, Grade, HandoffPacket, Intake, Lane,
    LeaseId, LedgerEvent, ReferenceNumber, Role, StaffId, Stamp, State, TaskId,
};
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn reference() -> ReferenceNumber {
    let date = start().date_naive();
    ReferenceNumber::compose(&"CQ0123".parse().unwrap(), date, "A", 42).unwrap()
}

fn intake() -> Intake {
    Intake {
        name: "张小明".into(),
        phone: "13800138000".into(),
        description: "宽带断了".into(),
        ..Intake::default()
    }
}

fn event(n: u64, role: Role, owner_no: u32, fact: Fact) -> LedgerEvent {
    LedgerEvent {
        key: EventKey {
            device: DeviceId(id(99)),
            incarnation: 1,
            lane: Lane::Ordinary,
            n,
        },
        complaint: ComplaintId(id(7)),
        owner_no,
        at: Stamp {
            wall: start() + TimeDelta::minutes(n.cast_signed()),
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor: Actor {
            staff: Some(StaffId(id(role as u128 + 1))),
            name: "x".into(),
            role,
            branch: role.is_of_branch().then(|| "CQ0123".parse().unwrap()),
        },
        fact,
        origin: None,
    }
}

fn recorded(intake: Intake, arrived_at: DateTime<Utc>, late: bool) -> Fact {
    Fact::Recorded {
        reference: reference(),
        intake: Box::new(intake),
        arrived_at,
        late,
        source: Source::Form,
    }
}

fn opened(fact: Fact) -> Complaint {
    Complaint::open(&event(0, Role::Clerk, 1, fact)).unwrap()
}

fn assessed(complexity: Complexity) -> Fact {
    Fact::Assessed {
        category: "A.01.01".into(),
        grade: Grade::Two,
        complexity,
        suggestion: None,
        override_reason: None,
    }
}

fn settled() -> Fact {
    Fact::Settled {
        summary: "修好".into(),
        remedy: String::new(),
        amount_minor: None,
        guidance: None,
        deviation: String::new(),
    }
}

fn dispatched(task: u128) -> Fact {
    Fact::Dispatched {
        task: TaskId(id(task)),
        department: StaffId(id(5)),
        department_name: "网络部".into(),
        question: "查".into(),
        due_at: start(),
    }
}

fn reported(task: Option<u128>) -> Fact {
    Fact::Reported {
        task: task.map(|n| TaskId(id(n))),
        report: Report {
            root_cause: "a".into(),
            impact: "b".into(),
            proposal: "c".into(),
            ..Default::default()
        },
    }
}

fn handed_off(intake: Intake) -> Fact {
    Fact::HandedOff {
        packet: Box::new(HandoffPacket {
            reference: reference(),
            branch: "CQ0123".parse().unwrap(),
            arrived_at: start(),
            recorded_at: start(),
            late: false,
            intake,
            cut: false,
            grade: Grade::Two,
            complexity: Complexity::Complex,
            cycle: 1,
            recused: Vec::new(),
            upto_n: 0,
        }),
        cause: HandoffCause::Manual,
    }
}

fn claimed() -> Fact {
    Fact::Claimed {
        lease: LeaseId(id(5)),
        until: start(),
    }
}

fn answered() -> Fact {
    Fact::Answered {
        decision: Decision::Upheld,
        text: "已修".into(),
        remedy: String::new(),
        reasons: String::new(),
        amount_minor: None,
        next_level: String::new(),
        next_level_until: None,
        guidance: None,
        deviation: String::new(),
    }
}

/// Applies the steps and gives what each asked for.
fn walk(complaint: &mut Complaint, steps: Vec<(Role, Fact)>) -> Vec<Option<Template>> {
    let mut told = Vec::new();
    for ((role, fact), n) in steps.into_iter().zip(1..) {
        let before = complaint.clone();
        let event = event(n, role, complaint.owner_no, fact);
        complaint.apply(&event).unwrap();
        let asked = asked(Some(&before), complaint, event.at.wall);
        told.push(asked.map(|asked| asked.template));
    }
    told
}

#[test]
fn each_state_is_told_once_a_cycle_however_often_it_is_dispatched() {
    let mut complaint = opened(recorded(intake(), start(), false));
    let first = asked(None, &complaint, start()).unwrap();
    assert_eq!(first.template.name(), "accepted");
    assert_eq!(first.reference, reference());
    assert_eq!(first.to.digits(), "8613800138000");
    let told = walk(
        &mut complaint,
        vec![
            (Role::Clerk, assessed(Complexity::Complex)),
            (Role::Clerk, handed_off(intake())),
            (Role::System, Fact::Queued),
            (Role::Expert, claimed()),
            (Role::Expert, dispatched(1)),
            (Role::Department, reported(Some(1))),
            (Role::Expert, dispatched(2)),
            (Role::Department, reported(Some(2))),
            (Role::Expert, Fact::SolvingStarted { plan: Vec::new() }),
            (
                Role::Expert,
                Fact::Implemented {
                    summary: "x".into(),
                },
            ),
            (Role::Expert, answered()),
            (Role::Expert, Fact::Closed),
            (Role::Expert, Fact::Reopened { reason: "x".into() }),
            (Role::Expert, claimed()),
            (Role::Expert, dispatched(3)),
            (Role::Expert, Fact::Withdrawn { reason: "x".into() }),
        ],
    );
    use Template::*;
    let expected = [
        None,
        None,
        None,
        None,
        Some(Dispatched),
        Some(Investigated),
        None,
        None,
        None,
        None,
        Some(Completed),
        None,
        Some(Accepted),
        None,
        Some(Dispatched),
        Some(Withdrawn),
    ];
    assert_eq!(told, expected);
    assert_eq!(complaint.state, State::Withdrawn);
}

#[test]
fn several_steps_at_once_tell_the_last_state_alone() {
    let mut complaint = opened(recorded(intake(), start(), false));
    walk(
        &mut complaint,
        vec![
            (Role::Clerk, assessed(Complexity::Simple)),
            (Role::Clerk, settled()),
        ],
    );
    let told = asked(None, &complaint, start()).unwrap();
    assert_eq!(told.template, Template::Completed);
}

#[test]
fn who_cannot_or_must_not_be_told_is_not() {
    let ask = |change: fn(&mut Intake)| {
        let mut intake = intake();
        change(&mut intake);
        asked(None, &opened(recorded(intake, start(), false)), start())
    };
    assert!(ask(|_| ()).is_some(), "the control");
    assert!(ask(|intake| intake.anonymous = true).is_none());
    assert!(ask(|intake| intake.phone = String::new()).is_none());
    assert!(ask(|intake| intake.phone = "02367890123".into()).is_none());
    let english = ask(|intake| intake.language = Language::En).unwrap();
    assert_eq!(english.language, Language::En);
}

#[test]
fn rows_of_the_past_are_not_told_until_they_are_reopened() {
    let long_ago = start() - TimeDelta::days(200);
    let mut past = opened(recorded(intake(), long_ago, true));
    assert_eq!(asked(None, &past, start()), None);
    let steps = vec![
        (Role::Clerk, assessed(Complexity::Simple)),
        (Role::Clerk, settled()),
        (Role::Expert, Fact::Reopened { reason: "x".into() }),
    ];
    let told = walk(&mut past, steps);
    assert_eq!(told, [None, None, Some(Template::Accepted)]);
    // Typed up on Monday after a weekend without power.
    let outage = opened(recorded(intake(), start() - TimeDelta::days(2), true));
    assert!(asked(None, &outage, start()).is_some());
}

#[test]
fn what_a_desk_brings_long_after_is_no_news() {
    let complaint = opened(recorded(intake(), start(), false));
    let within = start() + TimeDelta::days(3);
    assert!(asked(None, &complaint, within).is_some());
    let after = within + TimeDelta::milliseconds(1);
    assert_eq!(asked(None, &complaint, after), None);
}

proptest! {
    /// A change from any state to any other tells the state reached or
    /// nothing, and never one that the customer has left behind.
    #[test]
    fn no_change_tells_another_state_than_is_reached(from in 0usize..18, to in 0usize..18) {
        let mut before = opened(recorded(intake(), start(), false));
        before.state = State::ALL[from];
        let mut after = before.clone();
        after.state = State::ALL[to];
        let told = asked(Some(&before), &after, start());
        let (was, is) = (before.state.customer_state(), after.state.customer_state());
        prop_assert_eq!(told.is_some(), is.is_some() && is > was);
        if let Some(told) = told {
            let step = match told.template {
                Template::Accepted => 1,
                Template::Dispatched => 2,
                Template::Investigated => 3,
                Template::Completed | Template::Withdrawn => 4,
                Template::Extended
                | Template::Asked
                | Template::Progress
                | Template::UnknownNumber
                | Template::Duty => 0,
            };
            prop_assert_eq!(Some(step), is.map(|is| is.step()));
        }
    }
}
