//! The ladder: who is told of a deadline, when, and never twice.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use suda_domain::clocks::{Clock, deadlines};
use suda_domain::complaint::{Claim, Complaint, EXPERT_TEAM, Owner};
use suda_domain::escalation::{self, Addressee, Escalation, Level};
use suda_domain::fact::{Fact, Source};
use suda_domain::time::{Calendar, Timekeeping};
use suda_domain::{
    Actor, BranchCode, ComplaintId, DeviceId, EventKey, Grade, Lane, LeaseId, LedgerEvent, Policy,
    ReferenceNumber, Role, StaffId, Stamp, State,
};
use uuid::Uuid;

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn keep() -> Timekeeping {
    Timekeeping::new([Policy::default()], Calendar::china())
}

/// Claimed by an expert at the moment of its arrival.
fn claimed(arrived: DateTime<Utc>, grade: Grade) -> Complaint {
    let reference = ReferenceNumber::compose(&branch(), arrived.date_naive(), "A", 1).unwrap();
    let recorded = LedgerEvent {
        key: EventKey {
            device: DeviceId(Uuid::from_u128(1)),
            incarnation: 1,
            lane: Lane::Ordinary,
            n: 1,
        },
        complaint: ComplaintId(Uuid::from_u128(2)),
        owner_no: 1,
        at: Stamp {
            wall: arrived,
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor: Actor {
            staff: Some(StaffId(Uuid::from_u128(3))),
            name: "营业员".into(),
            role: Role::Clerk,
            branch: Some(branch()),
        },
        fact: Fact::Recorded {
            reference,
            intake: Box::default(),
            arrived_at: arrived,
            late: false,
            source: Source::Form,
        },
        origin: None,
    };
    let mut complaint = Complaint::open(&recorded).unwrap();
    complaint.grade = Some(grade);
    complaint.state = State::Claimed;
    complaint.owner = Owner::Team(EXPERT_TEAM.to_owned());
    complaint.claim = Some(Claim {
        lease: LeaseId(Uuid::from_u128(4)),
        expert: StaffId(Uuid::from_u128(5)),
        expert_name: "专家".into(),
        until: arrived,
    });
    let marks = &mut complaint.marks;
    marks.assessed_at = Some(arrived);
    marks.queued_at = Some(arrived);
    marks.claimed_at = Some(arrived);
    if grade == Grade::One {
        marks.grade1_at = Some(arrived);
        marks.alert_acknowledged_at = Some(arrived);
    }
    complaint
}

fn tell(complaint: &mut Complaint, keep: &Timekeeping, now: DateTime<Utc>) -> Vec<Escalation> {
    let reached = escalation::reached(complaint, keep, now);
    for one in &reached {
        complaint.escalations.push(Escalation { at: now, ..*one });
    }
    reached
}

fn next(complaint: &Complaint, keep: &Timekeeping) -> Option<DateTime<Utc>> {
    escalation::next(complaint, keep, &deadlines(complaint, keep))
}

/// What is told when each moment is met, until nothing is ahead or `until`.
fn walk(complaint: &mut Complaint, keep: &Timekeeping, until: DateTime<Utc>) -> Vec<Escalation> {
    let mut all = Vec::new();
    while let Some(now) = next(complaint, keep).filter(|&now| now <= until) {
        let told = tell(complaint, keep, now);
        assert!(!told.is_empty(), "nothing to tell at the moment named");
        all.extend(told);
        assert!(all.len() < 200, "it does not end");
    }
    all
}

#[test]
fn a_rung_waits_for_the_hours_of_work_and_not_for_grade_1() {
    let keep = keep();
    // Monday 20 July 2026, 10:00 in China; the analysis is due a day later.
    let arrived = at("2026-07-20T02:00:00Z");
    let told = walk(
        &mut claimed(arrived, Grade::Two),
        &keep,
        at("2026-07-22T00:00:00Z"),
    );
    let analysis: Vec<_> = told
        .iter()
        .filter(|one| one.clock == Clock::InitialAnalysis)
        .map(|one| (one.level, one.at))
        .collect();
    let expected = [
        // 08:00 is before work: 09:00.
        (Level::Remind, at("2026-07-21T01:00:00Z")),
        (Level::Copy, at("2026-07-21T02:00:00Z")),
        (Level::Report, at("2026-07-21T06:00:00Z")),
    ];
    assert_eq!(analysis, expected);
    let told = walk(
        &mut claimed(arrived, Grade::One),
        &keep,
        at("2026-07-22T00:00:00Z"),
    );
    let analysis: Vec<_> = told
        .iter()
        .filter(|one| one.clock == Clock::InitialAnalysis)
        .map(|one| (one.level, one.at))
        .collect();
    let expected = [
        // 06:00 in the morning.
        (Level::Remind, at("2026-07-20T22:00:00Z")),
        (Level::Copy, at("2026-07-21T01:00:00Z")),
        (Level::Report, at("2026-07-21T02:00:00Z")),
    ];
    assert_eq!(analysis, expected);
}

#[test]
fn after_an_outage_only_the_highest_is_told() {
    let keep = keep();
    let mut complaint = claimed(at("2026-07-20T02:00:00Z"), Grade::Two);
    let now = at("2026-07-21T08:00:00Z");
    let told = tell(&mut complaint, &keep, now);
    let levels: Vec<_> = told.iter().map(|one| (one.clock, one.level)).collect();
    let expected = [
        (Clock::FirstResponse, Level::Report),
        (Clock::InitialAnalysis, Level::Report),
    ];
    assert_eq!(levels, expected);
    assert_eq!(tell(&mut complaint, &keep, now), [], "once");
    assert!(next(&complaint, &keep) > Some(now));
    let standing = escalation::standing(&complaint, &deadlines(&complaint, &keep));
    assert_eq!(standing.len(), 2);
    for one in &standing {
        let addressee = escalation::addressee(&complaint, one);
        assert_eq!(addressee, Addressee::Management);
    }
    complaint.marks.reported_at = Some(now);
    let standing = escalation::standing(&complaint, &deadlines(&complaint, &keep));
    assert_eq!(standing.len(), 1, "what was done is no longer held up");
}

#[test]
fn who_has_the_case_is_reminded() {
    let keep = keep();
    let mut complaint = claimed(at("2026-07-20T02:00:00Z"), Grade::Two);
    let told = tell(&mut complaint, &keep, at("2026-07-21T01:00:00Z"));
    let remind = told
        .iter()
        .find(|one| one.clock == Clock::InitialAnalysis)
        .unwrap();
    assert_eq!(remind.level, Level::Remind);
    let expert = complaint.claim.as_ref().unwrap().expert;
    assert_eq!(
        escalation::addressee(&complaint, remind),
        Addressee::Staff(expert)
    );
    complaint.claim = None;
    assert_eq!(escalation::addressee(&complaint, remind), Addressee::Team);
    complaint.owner = Owner::Branch(branch());
    let copy = Escalation {
        level: Level::Copy,
        ..*remind
    };
    assert_eq!(
        escalation::addressee(&complaint, &copy),
        Addressee::BranchManager(branch())
    );
}

#[test]
fn a_deadline_that_moved_is_told_of_again() {
    let arrived = at("2026-07-20T02:00:00Z");
    let keep = keep();
    let mut complaint = claimed(arrived, Grade::Two);
    let first = walk(&mut complaint, &keep, at("2026-07-21T02:00:00Z"));
    assert!(first.iter().any(|one| one.level == Level::Copy));
    complaint.marks.claimed_at = Some(arrived + TimeDelta::hours(3));
    let again = walk(&mut complaint, &keep, at("2026-07-21T05:00:00Z"));
    let levels: Vec<_> = again
        .iter()
        .filter(|one| one.clock == Clock::InitialAnalysis)
        .map(|one| one.level)
        .collect();
    // Its reminder would have been at 11:00, when the old one was still right.
    assert_eq!(levels, [Level::Remind, Level::Copy]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However seldom the program looks, each level is told at most once for a
    /// deadline, never before its time, and the highest reached is told.
    #[test]
    fn looking_seldom_tells_no_less(
        minutes in 0_i64..60 * 24 * 40,
        looks in prop::collection::vec(1_i64..60 * 24 * 3, 1..40),
        grade in prop::sample::select(vec![Grade::One, Grade::Two, Grade::Three]),
    ) {
        let keep = keep();
        let arrived = at("2026-01-20T02:00:00Z") + TimeDelta::minutes(minutes);
        let mut seldom = claimed(arrived, grade);
        let mut now = arrived;
        for step in looks {
            now += TimeDelta::minutes(step);
            let ahead = next(&seldom, &keep);
            let told = tell(&mut seldom, &keep, now);
            prop_assert_eq!(told.is_empty(), ahead.is_none_or(|at| at > now));
            for one in &told {
                prop_assert!(one.at <= now && one.at >= one.due - TimeDelta::days(3));
            }
        }
        let mut keys: Vec<_> = seldom.escalations.iter().map(|one| (one.clock, one.level)).collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), all, "something was told twice");
        let mut always = claimed(arrived, grade);
        walk(&mut always, &keep, now);
        let highest = |complaint: &Complaint| {
            let standing = escalation::standing(complaint, &deadlines(complaint, &keep));
            let mut list: Vec<_> = standing.iter().map(|one| (one.clock, one.level)).collect();
            list.sort_unstable();
            list
        };
        prop_assert_eq!(highest(&seldom), highest(&always));
    }
}
