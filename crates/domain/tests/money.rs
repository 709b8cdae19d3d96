//! What a customer may be given: the policy's limit, what the management group
//! has approved, and that the branch is held to both.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

use suda_domain::complaint::{Complaint, Refusal};
use suda_domain::fact::{Decision, Fact, FactKind};
use suda_domain::{Complexity, Grade, LedgerEvent, Policy, Role, State};
use support::{apply, assessed, fact, recorded, start};

const LIMIT: u32 = 50_000;

/// Waiting for the management group, with what was asked for.
fn asked(sum: Option<u32>, votes: u8) -> Complaint {
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let grave = assessed(Grade::Two, Complexity::Complex);
    apply(&mut c, Role::Clerk, grave, 2).unwrap();
    for (n, (role, kind)) in (3..).zip([
        (Role::Clerk, FactKind::HandedOff),
        (Role::System, FactKind::Queued),
        (Role::Expert, FactKind::Claimed),
        (Role::Expert, FactKind::Reported),
    ]) {
        let fact = fact(kind, &c, n);
        apply(&mut c, role, fact, n).unwrap();
    }
    ask(&mut c, sum, votes);
    c
}

fn ask(c: &mut Complaint, compensation_minor: Option<u32>, votes: u8) {
    let fact = Fact::ApprovalRequested {
        reason: "赔付".into(),
        compensation_minor,
        votes,
    };
    apply(c, Role::Expert, fact, 20).unwrap();
}

fn vote(c: &mut Complaint, compensation_minor: Option<u32>) {
    let fact = Fact::Approved {
        comment: String::new(),
        changes: "改一次付清".into(),
        compensation_minor,
    };
    // The rule of two persons is another test's; what votes add up to is meant here.
    let n = 30 + c.approval().map_or(0, |asked| asked.votes.len() as u64);
    let who = suda_domain::Actor {
        staff: Some(suda_domain::StaffId(support::id(900 + u128::from(n)))),
        ..support::actor(Role::Management)
    };
    c.admit(&who, &fact).unwrap();
    let event = support::event(n, suda_domain::Lane::Ordinary, 30, c.owner_no, who, fact);
    c.apply(&event).unwrap();
}

fn answer(amount_minor: Option<u32>) -> Fact {
    Fact::Answered {
        decision: Decision::Upheld,
        text: "赔付".into(),
        remedy: String::new(),
        reasons: String::new(),
        amount_minor,
        next_level: String::new(),
        next_level_until: None,
        guidance: None,
        deviation: String::new(),
    }
}

fn settle(amount_minor: Option<i64>) -> Fact {
    Fact::Settled {
        summary: "已赔".into(),
        remedy: String::new(),
        amount_minor,
        guidance: None,
        deviation: String::new(),
    }
}

#[test]
fn another_sum_approved_binds_also_below_the_limit() {
    let mut c = asked(Some(60_000), 1);
    vote(&mut c, Some(30_000));
    assert_eq!((c.state, c.approved_sum()), (State::Solving, Some(30_000)));
    let judged = |amount| c.admit_amount(&answer(Some(amount)), LIMIT);
    assert_eq!(judged(30_000), Ok(()));
    assert_eq!(judged(30_001), Err(Refusal::AboveApproved));
    assert_eq!(c.admit_amount(&answer(None), LIMIT), Ok(()));
}

#[test]
fn a_plan_is_made_after_another_sum_was_approved_than_was_reported() {
    let mut c = asked(Some(60_000), 1);
    if let Some(report) = &mut c.report {
        report.compensation_minor = Some(60_000);
    }
    let plan = Fact::SolvingStarted { plan: Vec::new() };
    vote(&mut c, Some(30_000));
    assert_eq!(c.admit_amount(&plan, LIMIT), Ok(()));
    // A new report after it needs a new approval.
    c.state = State::Analysed;
    let judged = c.admit_amount(&plan, LIMIT);
    assert_eq!(judged, Err(Refusal::AboveApproved));
}

#[test]
fn approved_as_asked_no_more_than_was_asked_is_given() {
    let mut c = asked(Some(60_000), 1);
    let before = c.admit_amount(&answer(Some(50_001)), LIMIT);
    assert_eq!(before, Err(Refusal::NeedsApproval));
    vote(&mut c, None);
    assert_eq!(c.admit_amount(&answer(Some(60_000)), LIMIT), Ok(()));
    let more = c.admit_amount(&answer(Some(60_001)), LIMIT);
    assert_eq!(more, Err(Refusal::AboveApproved));
}

#[test]
fn of_two_votes_the_lower_sum_holds_in_either_order() {
    for sums in [
        [Some(700_000), None],
        [None, Some(700_000)],
        [Some(700_000), Some(900_000)],
    ] {
        let mut c = asked(Some(2_000_000), 2);
        for sum in sums {
            assert_eq!(c.approved_sum(), None, "not yet");
            vote(&mut c, sum);
        }
        assert_eq!(c.approved_sum(), Some(700_000));
    }
}

#[test]
fn where_nobody_spoke_of_money_the_limit_holds() {
    let mut c = asked(None, 1);
    vote(&mut c, None);
    assert_eq!((c.approved_sum(), c.most_to_give(LIMIT)), (None, LIMIT));
}

#[test]
fn a_refusal_gives_back_no_more_than_was_approved_before() {
    let mut c = asked(Some(60_000), 1);
    vote(&mut c, Some(30_000));
    c.state = State::Analysed;
    ask(&mut c, Some(90_000), 1);
    let no = fact(FactKind::Disapproved, &c, 40);
    apply(&mut c, Role::Management, no, 40).unwrap();
    assert_eq!((c.approved_sum(), c.most_to_give(LIMIT)), (None, 30_000));
}

#[test]
fn a_sum_for_two_votes_is_not_approved_with_one() {
    let c = asked(Some(60_000), 1);
    let vote = |compensation_minor| Fact::Approved {
        comment: String::new(),
        changes: String::new(),
        compensation_minor,
    };
    let policy = Policy::default();
    let judged = |sum| c.admit_money(&vote(sum), &policy);
    assert_eq!(judged(Some(policy.two_votes_from)), Err(Refusal::MoreVotes));
    assert_eq!(judged(Some(policy.two_votes_from - 1)), Ok(()));
    assert_eq!(judged(None), Ok(()));
}

#[test]
fn a_branch_settles_up_to_the_limit_and_hands_off_above_it() {
    let c = Complaint::open(&recorded(start(), false)).unwrap();
    let judged = |amount| c.admit_amount(&settle(amount), LIMIT);
    assert_eq!(judged(None), Ok(()));
    assert_eq!(judged(Some(50_000)), Ok(()));
    assert_eq!(judged(Some(50_001)), Err(Refusal::NeedsApproval));
    assert_eq!(judged(Some(i64::MAX)), Err(Refusal::NeedsApproval));
}

/// What the ledgers hold from before sums were stated.
#[test]
fn steps_recorded_without_sums_read_as_they_were() {
    let c = asked(Some(60_000), 1);
    let wrap = |fact: &str| {
        let event = support::event(
            50,
            suda_domain::Lane::Ordinary,
            50,
            c.owner_no,
            support::actor(Role::Management),
            fact_of(fact),
        );
        serde_json::from_str::<LedgerEvent>(&serde_json::to_string(&event).unwrap()).unwrap()
    };
    let mut approved = c.clone();
    let event = wrap(r#"{"kind":"approved","comment":"同意"}"#);
    approved.apply(&event).unwrap();
    assert_eq!(approved.approved_sum(), Some(60_000));
    let row = serde_json::to_value(&approved).unwrap();
    assert_eq!(
        row["approvals"][0]["votes"][0].get("compensation_minor"),
        None
    );
    assert_eq!(serde_json::from_value::<Complaint>(row).unwrap(), approved);
    let settled = fact_of(r#"{"kind":"settled","summary":"已办","remedy":"","guidance":null}"#);
    assert_eq!(c.admit_amount(&settled, 0), Ok(()));
}

fn fact_of(json: &str) -> Fact {
    serde_json::from_str(json).unwrap()
}
