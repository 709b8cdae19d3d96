//! Recusal, the second person of the call-back, and links, by the domain's rules.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use chrono::{DateTime, Utc};
use suda_domain::complaint::{Applied, Claim, Complaint, Refusal, TaskState};
use suda_domain::fact::{Assignee, Decision, Fact, HandoffCause, Source};
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, DeviceId, EventKey, FactKind, Grade, HandoffPacket,
    Lane, LeaseId, LedgerEvent, Lines, Recusal, ReferenceNumber, Relation, Role, StaffId, Stamp,
    State, TaskId,
};
use uuid::Uuid;

fn staff(n: u128) -> StaffId {
    StaffId(Uuid::from_u128(n))
}

fn case(n: u128) -> ComplaintId {
    ComplaintId(Uuid::from_u128(n))
}

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn actor(n: u128, role: Role) -> Actor {
    Actor {
        staff: (role != Role::System).then(|| staff(n)),
        name: "姓名".into(),
        role,
        branch: role.is_of_branch().then(branch),
    }
}

fn reference(n: u32) -> ReferenceNumber {
    ReferenceNumber::compose(&branch(), start().date_naive(), "A", n).unwrap()
}

fn event(n: u64, lane: Lane, owner_no: u32, actor: Actor, fact: Fact) -> LedgerEvent {
    LedgerEvent {
        key: EventKey {
            device: DeviceId(Uuid::from_u128(99)),
            incarnation: 1,
            lane,
            n,
        },
        complaint: case(7),
        owner_no,
        at: Stamp {
            wall: start(),
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor,
        fact,
        origin: None,
    }
}

fn recorded() -> Complaint {
    let fact = Fact::Recorded {
        reference: reference(1),
        intake: Box::default(),
        arrived_at: start(),
        late: false,
        source: Source::Form,
    };
    Complaint::open(&event(1, Lane::Ordinary, 1, actor(1, Role::Clerk), fact)).unwrap()
}

fn about(n: u128) -> Fact {
    Fact::Recused {
        staff: staff(n),
        name: "姓名".into(),
        reason: "顾客投诉其态度".into(),
    }
}

fn write(c: &mut Complaint, who: &Actor, fact: Fact) -> Result<Applied, Refusal> {
    c.admit(who, &fact)?;
    c.apply(&event(90, Lane::Ordinary, c.owner_no, who.clone(), fact))
}

/// The same complaint in each of the states, as far as admission looks at it.
fn in_every_state() -> impl Iterator<Item = Complaint> {
    State::ALL.into_iter().map(|state| Complaint {
        state,
        ..recorded()
    })
}

#[test]
fn whoever_it_is_about_writes_nothing_in_any_state() {
    let note = Fact::Noted { text: "x".into() };
    let mut tried = 0;
    for mut c in in_every_state() {
        let named = actor(5, Role::Clerk);
        assert!(c.admit(&named, &note).is_ok(), "the control: {:?}", c.state);
        write(&mut c, &actor(1, Role::Clerk), about(5)).unwrap();
        for role in [
            Role::Clerk,
            Role::BranchManager,
            Role::Expert,
            Role::Department,
            Role::Management,
        ] {
            let named = actor(5, role);
            for fact in [
                note.clone(),
                Fact::KeptInBranch,
                Fact::Claimed {
                    lease: LeaseId(Uuid::nil()),
                    until: start(),
                },
                Fact::TaskAccepted {
                    task: TaskId(Uuid::nil()),
                },
                Fact::Approved {
                    comment: String::new(),
                    changes: String::new(),
                    compensation_minor: None,
                },
                Fact::CalledBack {
                    satisfied: true,
                    comment: String::new(),
                    score: None,
                    causes: Vec::new(),
                },
                Fact::RecusalLifted {
                    staff: staff(5),
                    reason: "x".into(),
                },
            ] {
                if suda_domain::permission::may_write(role, fact.kind()) {
                    assert_eq!(
                        c.admit(&named, &fact),
                        Err(Refusal::Recused),
                        "{role:?} {fact:?}"
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn nothing_is_given_to_whom_it_is_about_or_to_their_line() {
    let mut c = recorded();
    write(&mut c, &actor(1, Role::Clerk), about(5)).unwrap();
    let lines: Lines = [(staff(5), staff(6)), (staff(6), staff(7))]
        .into_iter()
        .collect();
    let give = |to: u128| Fact::Assigned {
        to: Assignee {
            staff: staff(to),
            name: "姓名".into(),
        },
    };
    let manager = actor(2, Role::BranchManager);
    assert_eq!(c.admit(&manager, &give(5)), Err(Refusal::Recused));
    for (to, refused) in [(5, true), (6, true), (7, true), (8, false)] {
        let said = lines.admit(&c, &manager, &give(to));
        assert_eq!(said.is_err(), refused, "given to {to}");
        let note = Fact::Noted { text: "x".into() };
        let said = lines.admit(&c, &actor(to, Role::Expert), &note);
        assert_eq!(said.is_err(), refused, "written by {to}");
    }
    let ask = Fact::Dispatched {
        task: TaskId(Uuid::nil()),
        department: staff(5),
        department_name: "x".into(),
        question: "x".into(),
        due_at: start(),
    };
    c.state = State::Claimed;
    c.owner = suda_domain::Owner::Team("experts".into());
    assert_eq!(
        c.admit(&actor(3, Role::Expert), &ask),
        Err(Refusal::Recused)
    );
}

#[test]
fn a_line_goes_up_to_the_top_and_never_down() {
    let record = |n: u128, above: Option<u128>| StaffRecord {
        id: staff(n),
        login: n.to_string(),
        name: n.to_string(),
        role: Role::Expert,
        branch: None,
        password_hash: String::new(),
        active: true,
        superior: above.map(staff),
    };
    let all = [
        record(1, Some(2)),
        record(2, Some(3)),
        record(3, None),
        record(4, Some(2)),
    ];
    let lines = Lines::of(&all);
    let mut c = recorded();
    assert!(lines.barred(&c).is_empty());
    write(&mut c, &actor(9, Role::Clerk), about(2)).unwrap();
    assert_eq!(
        lines.barred(&c).into_iter().collect::<Vec<_>>(),
        [staff(2), staff(3)]
    );
    assert!(!lines.bar(&c, staff(1)), "who reports to them");
    // A circle is a mistake of the directory, and no endless loop.
    let circle: Lines = [(staff(1), staff(2)), (staff(2), staff(1))]
        .into_iter()
        .collect();
    assert_eq!(circle.barred(&c).len(), 2);
}

#[test]
fn only_management_lifts_a_recusal_and_a_new_cycle_keeps_it() {
    let mut c = recorded();
    let clerk = actor(1, Role::Clerk);
    write(&mut c, &clerk, about(5)).unwrap();
    assert_eq!(
        write(&mut c, &clerk, about(5)),
        Err(Refusal::State),
        "twice"
    );
    c.state = State::Closed;
    let again = Fact::Reopened { reason: "x".into() };
    write(&mut c, &actor(3, Role::Expert), again).unwrap();
    assert!(c.is_about(staff(5)));
    let lift = |n| Fact::RecusalLifted {
        staff: staff(n),
        reason: "查证为他人".into(),
    };
    for role in [
        Role::Clerk,
        Role::BranchManager,
        Role::Expert,
        Role::Department,
    ] {
        assert_eq!(c.admit(&actor(8, role), &lift(5)), Err(Refusal::Role));
    }
    let management = actor(8, Role::Management);
    assert_eq!(c.admit(&management, &lift(6)), Err(Refusal::State));
    write(&mut c, &management, lift(5)).unwrap();
    assert!(!c.is_about(staff(5)));
}

#[test]
fn a_recused_department_gives_its_task_back() {
    let mut c = recorded();
    c.state = State::Claimed;
    c.owner = suda_domain::Owner::Team("experts".into());
    let expert = actor(3, Role::Expert);
    c.claim = Some(Claim {
        lease: LeaseId(Uuid::nil()),
        expert: staff(3),
        expert_name: "姓名".into(),
        until: start(),
    });
    let ask = Fact::Dispatched {
        task: TaskId(Uuid::nil()),
        department: staff(5),
        department_name: "x".into(),
        question: "x".into(),
        due_at: start(),
    };
    write(&mut c, &expert, ask).unwrap();
    write(&mut c, &expert, about(5)).unwrap();
    assert_eq!(c.tasks[0].state, TaskState::Rejected);
    assert!(c.tasks[0].reject_reason.is_some() && c.tasks[0].ended_at.is_some());
}

#[test]
fn the_packet_bars_before_the_ordinary_lane_has_come() {
    let packet = HandoffPacket {
        reference: reference(1),
        branch: branch(),
        arrived_at: start(),
        recorded_at: start(),
        late: false,
        intake: suda_domain::Intake::default(),
        cut: false,
        grade: Grade::Two,
        complexity: Complexity::Complex,
        cycle: 1,
        recused: vec![Recusal {
            staff: staff(5),
            name: "姓".into(),
            reason: "顾客".into(),
            at: start(),
        }],
        upto_n: 3,
    };
    let fact = Fact::HandedOff {
        packet: Box::new(packet),
        cause: HandoffCause::Manual,
    };
    let clerk = actor(1, Role::Clerk);
    let mut c = Complaint::open(&event(1, Lane::Urgent, 1, clerk.clone(), fact)).unwrap();
    assert!(c.is_about(staff(5)));
    // The desk's own event behind it is history, and brings the texts whole.
    let applied = c.apply(&event(2, Lane::Ordinary, 1, clerk, about(5)));
    assert_eq!(applied, Ok(Applied::History));
    assert_eq!(
        (c.recused.len(), c.recused[0].reason.as_str()),
        (1, "顾客投诉其态度")
    );
}

#[test]
fn whoever_answered_does_not_call_back_in_that_cycle() {
    let mut c = recorded();
    c.state = State::Implemented;
    c.owner = suda_domain::Owner::Team("experts".into());
    let expert = actor(3, Role::Expert);
    c.claim = Some(Claim {
        lease: LeaseId(Uuid::nil()),
        expert: staff(3),
        expert_name: "姓名".into(),
        until: start(),
    });
    let answer = Fact::Answered {
        decision: Decision::Upheld,
        text: "x".into(),
        remedy: String::new(),
        reasons: String::new(),
        amount_minor: None,
        next_level: String::new(),
        next_level_until: None,
        guidance: None,
        deviation: String::new(),
    };
    write(&mut c, &expert, answer).unwrap();
    let call = Fact::CalledBack {
        satisfied: true,
        comment: String::new(),
        score: None,
        causes: Vec::new(),
    };
    assert_eq!(c.admit(&expert, &call), Err(Refusal::Handler));
    assert_eq!(c.admit(&actor(4, Role::Expert), &call), Ok(()));
    // What was released in between does not free the handler.
    c.claim = None;
    assert_eq!(c.admit(&expert, &call), Err(Refusal::Handler));
}

fn link(to: u128, relation: Relation) -> Fact {
    Fact::Linked {
        to: case(to),
        reference: reference(2),
        relation,
        note: String::new(),
    }
}

#[test]
fn a_merge_is_a_link_that_can_be_undone_until_the_answer() {
    let expert = actor(3, Role::Expert);
    let undo = || Fact::Unlinked {
        to: case(8),
        note: "两件事".into(),
    };
    let mut tried = 0;
    for mut c in in_every_state() {
        let finished = c.state.is_finished();
        let merged = write(&mut c, &expert, link(8, Relation::Duplicate));
        assert_eq!(merged.is_err(), finished, "{:?}", c.state);
        assert_eq!(c.admit(&expert, &undo()).is_err(), finished);
        let state = c.state;
        if !finished {
            assert_eq!(c.leading().unwrap().to, case(8));
            // One leading case, and no second link to the same.
            for second in [link(9, Relation::Group), link(8, Relation::Related)] {
                assert_eq!(c.admit(&expert, &second), Err(Refusal::Link));
            }
            write(&mut c, &expert, link(9, Relation::Repeat)).unwrap();
            c.state = State::Answered;
            assert_eq!(
                c.admit(&expert, &undo()),
                Err(Refusal::Link),
                "answered with it"
            );
            c.state = state;
            write(&mut c, &expert, undo()).unwrap();
            assert_eq!(c.leading(), None);
            tried += 1;
        }
        assert_eq!(c.state, state, "a link changes no state");
    }
    assert_eq!(tried, 14);
    let itself = link(7, Relation::Related);
    assert_eq!(recorded().admit(&expert, &itself), Err(Refusal::Link));
    assert_eq!(FactKind::Linked.name(), "linked");
}

#[test]
fn a_withdrawal_ends_it_from_every_state_the_table_names() {
    let withdraw = Fact::Withdrawn {
        reason: "顾客撤回".into(),
    };
    let mut ended = Vec::new();
    for mut c in in_every_state() {
        let state = c.state;
        let who = match state.is_open_in_branch() {
            true => actor(1, Role::Clerk),
            false => {
                c.owner = suda_domain::Owner::Team("experts".into());
                c.claim = Some(Claim {
                    lease: LeaseId(Uuid::nil()),
                    expert: staff(3),
                    expert_name: "姓名".into(),
                    until: start(),
                });
                actor(3, Role::Expert)
            }
        };
        let blank = Fact::Withdrawn { reason: " ".into() };
        if c.admit(&who, &withdraw).is_ok() {
            assert_eq!(c.admit(&who, &blank), Err(Refusal::Incomplete));
            write(&mut c, &who, withdraw.clone()).unwrap();
            assert_eq!((c.state, c.claim), (State::Withdrawn, None));
            assert_eq!(c.marks.ended_at, Some(start()));
            ended.push(state);
        }
    }
    let all: Vec<State> = State::ALL
        .into_iter()
        .filter(|state| {
            !state.is_finished() && !matches!(state, State::Draft | State::HandoffPending)
        })
        .collect();
    assert_eq!(
        ended, all,
        "a draft is dropped, and a handoff under way is nobody's to end"
    );
}
