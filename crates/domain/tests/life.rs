//! Rules of a complaint's life, walked at random: whatever is tried, the state
//! table, the owner number and the clocks keep their promises.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

use chrono::TimeDelta;
use proptest::prelude::*;
use suda_domain::clocks::{self, Clock, Prompt};
use suda_domain::complaint::{Applied, Complaint, EXPERT_TEAM, Owner, Refusal};
use suda_domain::fact::{Fact, FactKind, HandoffCause};
use suda_domain::intake::Language;
use suda_domain::time::{Calendar, Timekeeping};
use suda_domain::{
    Actor, Complexity, DeviceId, EventKey, Evidence, EvidenceKind, Grade, Intake, Lane,
    LedgerEvent, Letter, LetterId, LetterKind, Policy, Role, StaffId, State,
};
use support::{actor, apply, assessed, event, fact, id, packet, photo, recorded, start};

/// The complex path of product.md, step by step.
#[test]
fn the_complex_path_reaches_the_answer() {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let steps = [
        (Role::Clerk, FactKind::Assessed, State::Assessed),
        (Role::Clerk, FactKind::HandedOff, State::HandoffPending),
        (Role::System, FactKind::Queued, State::Queued),
        (Role::Expert, FactKind::Claimed, State::Claimed),
        (Role::Expert, FactKind::Dispatched, State::Dispatched),
        (Role::Department, FactKind::TaskAccepted, State::Dispatched),
        (Role::Department, FactKind::Reported, State::Analysed),
        (Role::Expert, FactKind::SolvingStarted, State::Solving),
        (Role::Expert, FactKind::Implemented, State::Implemented),
        (Role::Expert, FactKind::Answered, State::Answered),
        (Role::Management, FactKind::CalledBack, State::Answered),
        (Role::Expert, FactKind::Closed, State::Closed),
        (Role::Expert, FactKind::Reopened, State::Reopened),
        (Role::Expert, FactKind::Claimed, State::Claimed),
        (
            Role::Expert,
            FactKind::ReturnedToBranch,
            State::ReturnedToBranch,
        ),
        (Role::BranchManager, FactKind::Settled, State::Answered),
    ];
    for (n, (role, kind, state)) in (2..).zip(steps) {
        let fact = fact(kind, &c, n);
        assert_eq!(
            apply(&mut c, role, fact, n),
            if kind.is_remark() {
                Ok(Applied::Remark)
            } else {
                Ok(Applied::Changed)
            },
            "{kind:?}"
        );
        assert_eq!(c.state, state, "{kind:?}");
    }
    assert_eq!(c.cycle, 2);
}

#[test]
fn grade_one_needs_approval_before_solving() {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    apply(
        &mut c,
        Role::Clerk,
        assessed(Grade::One, Complexity::Complex),
        2,
    )
    .unwrap();
    for (n, (role, kind)) in (3..).zip([
        (Role::Clerk, FactKind::HandedOff),
        (Role::System, FactKind::Queued),
        (Role::Expert, FactKind::Claimed),
        (Role::Expert, FactKind::Reported),
    ]) {
        let fact = fact(kind, &c, n);
        apply(&mut c, role, fact, n).unwrap();
    }
    let solve = Fact::SolvingStarted { plan: Vec::new() };
    assert_eq!(
        apply(&mut c, Role::Expert, solve, 9),
        Err(Refusal::NeedsApproval)
    );
    let ask = fact(FactKind::ApprovalRequested, &c, 9);
    apply(&mut c, Role::Expert, ask, 9).unwrap();
    let yes = fact(FactKind::Approved, &c, 10);
    apply(&mut c, Role::Management, yes, 10).unwrap();
    assert_eq!(c.state, State::Solving);
}

#[test]
fn somebody_elses_step_is_refused_by_name() {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let note = fact(FactKind::Noted, &c, 2);
    let stranger = Actor {
        branch: Some("CQ0001".parse().unwrap()),
        ..actor(Role::Clerk)
    };
    assert_eq!(c.admit(&stranger, &note), Err(Refusal::OtherBranch));
    assert_eq!(apply(&mut c, Role::Auditor, note, 2), Err(Refusal::Role));
    for (n, (role, kind)) in (3..).zip([
        (Role::Clerk, FactKind::HandedOff),
        (Role::System, FactKind::Queued),
    ]) {
        let fact = fact(kind, &c, n);
        apply(&mut c, role, fact, n).unwrap();
    }
    let settle = fact(FactKind::Settled, &c, 6);
    assert_eq!(
        apply(&mut c, Role::Clerk, settle, 6),
        Err(Refusal::NotOwner)
    );
    let dispatch = fact(FactKind::Dispatched, &c, 6);
    assert_eq!(
        apply(&mut c, Role::Expert, dispatch, 6),
        Err(Refusal::State)
    );
    let claim = fact(FactKind::Claimed, &c, 6);
    apply(&mut c, Role::Expert, claim, 6).unwrap();
    let other = Actor {
        staff: Some(StaffId(id(500))),
        ..actor(Role::Expert)
    };
    assert_eq!(
        c.admit(&other, &fact(FactKind::Dispatched, &c, 7)),
        Err(Refusal::ClaimedByOther)
    );
}

/// Lane 0 overtakes lane 1: the same complaint either way, with the whole texts.
#[test]
fn a_packet_that_overtakes_its_history_gives_the_same_complaint() {
    let long = "断网".repeat(3000);
    let mut first = recorded(start(), false);
    if let Fact::Recorded { intake, .. } = &mut first.fact {
        **intake = Intake {
            description: long.clone(),
            category: "A.01.01".into(),
            ..Intake::default()
        };
    }
    let second = event(
        2,
        Lane::Ordinary,
        1,
        1,
        actor(Role::Clerk),
        assessed(Grade::Two, Complexity::Complex),
    );
    let mut short = Complaint::open(&first).unwrap();
    short.apply(&second).unwrap();
    let whole = packet(Some(&short), 2).fitted(|p| serde_json::to_vec(p).unwrap().len());
    assert!(whole.cut);
    let handoff = event(
        1,
        Lane::Urgent,
        2,
        1,
        actor(Role::Clerk),
        Fact::HandedOff {
            packet: Box::new(whole),
            cause: HandoffCause::Manual,
        },
    );
    let queued = event(1, Lane::Ordinary, 3, 1, Actor::system(None), Fact::Queued);
    let queued = LedgerEvent {
        key: EventKey {
            device: DeviceId(id(1)),
            ..queued.key
        },
        ..queued
    };

    let fold = |events: &[&LedgerEvent]| {
        let mut c = Complaint::open(events[0]).unwrap();
        for event in &events[1..] {
            c.apply(event).unwrap();
        }
        c
    };
    let in_order = fold(&[&first, &second, &handoff, &queued]);
    let overtaken = fold(&[&handoff, &queued, &first, &second]);
    assert_eq!(overtaken.intake.description, long);
    assert_eq!(in_order.owner, Owner::Team(EXPERT_TEAM.into()));
    for c in [&in_order, &overtaken] {
        assert_eq!((c.state, c.owner_no, c.cut), (State::Queued, 2, false));
        assert_eq!(
            (c.grade, c.intake.clone()),
            (in_order.grade, in_order.intake.clone())
        );
    }
    // What the branch writes afterwards under the old number is kept as a note.
    let mut late = in_order;
    let settle = fact(FactKind::Settled, &late, 3);
    let settle = event(3, Lane::Ordinary, 4, 1, actor(Role::Clerk), settle);
    assert_eq!(late.apply(&settle), Ok(Applied::LateNote));
    assert_eq!(late.state, State::Queued);
}

/// A hub put back from a backup may have forgotten that the branch has the
/// complaint again. A handoff packet is its whole state, so it waits for nothing;
/// any other step of beyond does.
#[test]
fn a_packet_from_beyond_what_is_known_needs_no_predecessor() {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let steps = [
        (Role::Clerk, FactKind::Assessed),
        (Role::Clerk, FactKind::HandedOff),
        (Role::System, FactKind::Queued),
        (Role::Expert, FactKind::Claimed),
    ];
    for (n, (role, kind)) in (2..).zip(steps) {
        let step = fact(kind, &c, n);
        apply(&mut c, role, step, n).unwrap();
    }
    // What the hub was put back to: dispatched, and all that came behind forgotten.
    let step = fact(FactKind::Dispatched, &c, 6);
    apply(&mut c, Role::Expert, step, 6).unwrap();
    let known = c.owner_no;

    let assess = fact(FactKind::Assessed, &c, 9);
    let assess = event(9, Lane::Ordinary, 9, known + 1, actor(Role::Clerk), assess);
    assert_eq!(c.clone().apply(&assess), Err(Refusal::OwnerAhead));

    let mut packet = packet(Some(&c), 9);
    packet.cycle += 1;
    let handoff = Fact::HandedOff {
        packet: Box::new(packet),
        cause: HandoffCause::Manual,
    };
    let handoff = event(1, Lane::Urgent, 10, known + 1, actor(Role::Clerk), handoff);
    assert_eq!(c.apply(&handoff), Ok(Applied::Overtook));
    assert_eq!(
        (c.state, c.owner_no, c.cycle),
        (State::HandoffPending, known + 1, 2)
    );
    assert!(c.claim.is_none() && !c.tasks.iter().any(suda_domain::complaint::Task::is_open));
    apply(&mut c, Role::System, Fact::Queued, 11).unwrap();
    assert_eq!(c.owner_no, known + 2);
    // What it overtook, when it comes at last, is a note.
    let settle = fact(FactKind::Settled, &c, 12);
    let settle = event(12, Lane::Ordinary, 9, known, actor(Role::Clerk), settle);
    assert_eq!(c.apply(&settle), Ok(Applied::LateNote));
}

#[test]
fn the_desk_prompts_at_its_minutes_and_hands_off_at_fifty() {
    let c = Complaint::open(&recorded(start(), false)).unwrap();
    let keep = Timekeeping::new([Policy::default()], Calendar::china());
    let at = |minute, reminded| {
        clocks::prompt(&c, &keep, start() + TimeDelta::minutes(minute), reminded)
    };
    assert_eq!(at(14, None), None);
    assert_eq!(at(15, None), Some(Prompt::Remind(15)));
    assert_eq!(at(16, Some(15)), None);
    assert_eq!(at(46, Some(15)), Some(Prompt::Remind(45)));
    assert_eq!(at(50, Some(45)), Some(Prompt::HandOff));
    assert_eq!(at(500, None), Some(Prompt::HandOff));
}

#[test]
fn a_row_of_the_past_prompts_nothing_and_its_clocks_say_so() {
    let c = Complaint::open(&recorded(start() - TimeDelta::days(400), true)).unwrap();
    let keep = Timekeeping::new([Policy::default()], Calendar::china());
    assert_eq!(
        clocks::prompt(&c, &keep, start() + TimeDelta::minutes(1), None),
        None
    );
    let list = clocks::deadlines(&c, &keep);
    let handoff = list.iter().find(|d| d.clock == Clock::Handoff).unwrap();
    assert!(handoff.past_at_recording && !handoff.is_running());
    // Its recording is of today, so assessing it still is.
    assert_eq!(
        clocks::nearest(&list).map(|d| d.clock),
        Some(Clock::Assessment)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Any steps by anybody: refused ones change nothing, the owner number
    /// never falls and rises exactly with ownership, a finished complaint's
    /// answer clocks have stopped, and replaying the accepted events gives the
    /// same complaint.
    #[test]
    fn random_lives_keep_the_rules(steps in prop::collection::vec((0usize..9, 0usize..FactKind::ALL.len()), 1..120)) {
        let first = recorded(start(), false);
        let mut c = Complaint::open(&first).unwrap();
        let mut ledger = vec![first];
        let keep = Timekeeping::new([Policy::default()], Calendar::china());
        for (n, (role, kind)) in (2..).zip(steps) {
            let (role, kind) = (Role::ALL[role], FactKind::ALL[kind]);
            let fact = fact(kind, &c, n);
            let who = actor(role);
            let before = c.clone();
            if c.admit(&who, &fact).is_err() {
                prop_assert_eq!(&before, &c);
                continue;
            }
            let event = event(n, Lane::Ordinary, n as i64, c.owner_no, who, fact);
            let applied = c.apply(&event).unwrap();
            prop_assert!(matches!(applied, Applied::Changed | Applied::Remark));
            prop_assert_eq!(c.owner_no, before.owner_no + u32::from(kind.moves_ownership()));
            if c.owner != before.owner {
                prop_assert!(kind.moves_ownership());
            }
            let list = clocks::deadlines(&c, &keep);
            if c.state.is_finished() {
                prop_assert!(list.iter().all(|d| d.clock == Clock::CallBack || d.ended.is_some()));
            }
            ledger.push(event);
        }
        let mut again = Complaint::open(&ledger[0]).unwrap();
        for event in &ledger[1..] {
            again.apply(event).unwrap();
        }
        prop_assert_eq!(again, c);
    }
}

#[test]
fn a_file_added_before_the_handoff_and_heard_of_after_it_belongs_to_the_complaint() {
    let handed_off = Fact::HandedOff {
        packet: Box::new(packet(None, 3)),
        cause: HandoffCause::Manual,
    };
    let first = event(1, Lane::Urgent, 1, 1, actor(Role::Clerk), handed_off);
    let mut c = Complaint::open(&first).unwrap();
    let added = |n, number, owner_no| {
        let file = photo(number);
        let fact = Fact::EvidenceAdded { file };
        event(n, Lane::Ordinary, 0, owner_no, actor(Role::Clerk), fact)
    };
    assert_eq!(c.apply(&added(3, 2, 1)), Ok(Applied::History));
    assert_eq!(c.apply(&added(4, 1, 1)), Ok(Applied::Remark));
    let ids: Vec<_> = c.evidence.iter().map(|held| held.file.id).collect();
    assert_eq!(ids, [photo(1).id, photo(2).id], "in the order of their ids");
    let again = Fact::EvidenceAdded { file: photo(1) };
    assert_eq!(c.admit(&actor(Role::Clerk), &again), Err(Refusal::State));
}

#[test]
fn a_file_that_cannot_be_what_it_says_is_refused() {
    let c = Complaint::open(&recorded(start(), false)).unwrap();
    let admits = |change: &dyn Fn(&mut Evidence)| {
        let mut file = photo(1);
        change(&mut file);
        c.admit(&actor(Role::Clerk), &Fact::EvidenceAdded { file })
    };
    assert_eq!(admits(&|_| {}), Ok(()), "the control");
    let wrong: [&dyn Fn(&mut Evidence); 6] = [
        &|file| file.bytes = 0,
        &|file| file.bytes = suda_domain::evidence::MOST_BYTES + 1,
        &|file| file.media_type = "text/html".into(),
        &|file| file.kind = EvidenceKind::Audio,
        &|file| file.name = "../x.jpg".into(),
        &|file| file.sha256 = "AB".repeat(32),
    ];
    for change in wrong {
        assert_eq!(admits(change), Err(Refusal::Incomplete));
    }
}

#[test]
fn a_letter_is_of_an_answer_and_made_once_a_kind_and_language() {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let letter = |kind, language| Fact::LetterMade {
        letter: Letter {
            id: LetterId(id(1)),
            kind,
            language,
            sha256: "a".repeat(64),
            bytes: 60_000,
        },
    };
    let a4 = || letter(LetterKind::Letter, Language::ZhCn);
    apply(
        &mut c,
        Role::Clerk,
        assessed(Grade::Three, Complexity::Simple),
        2,
    )
    .unwrap();
    let manager = actor(Role::BranchManager);
    assert_eq!(
        c.admit(&manager, &a4()),
        Err(Refusal::State),
        "no answer yet"
    );
    let settled = fact(FactKind::Settled, &c, 3);
    apply(&mut c, Role::Clerk, settled, 3).unwrap();
    assert_eq!(c.admit(&actor(Role::Clerk), &a4()), Err(Refusal::Role));
    apply(&mut c, Role::BranchManager, a4(), 4).unwrap();
    assert_eq!(c.state, State::Answered, "a letter changes no state");
    assert_eq!(
        c.admit(&manager, &a4()),
        Err(Refusal::State),
        "made already"
    );
    for other in [
        letter(LetterKind::Receipt, Language::ZhCn),
        letter(LetterKind::Letter, Language::En),
    ] {
        assert_eq!(c.admit(&manager, &other), Ok(()));
    }
    let reopened = fact(FactKind::Reopened, &c, 5);
    apply(&mut c, Role::Expert, reopened, 5).unwrap();
    assert!(c.letter(1, LetterKind::Letter, Language::ZhCn).is_some());
    assert_eq!(c.admit(&actor(Role::Expert), &a4()), Err(Refusal::State));
}
