//! A thousand lives, each a walk over the steps that are open at the moment,
//! deep into dispatches, approvals, call-backs and further cycles: replayed from
//! the ledger they give the same complaint, clocks and figures.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use suda_domain::clocks::{Clock, deadlines};
use suda_domain::complaint::Complaint;
use suda_domain::duty::duties;
use suda_domain::fact::FactKind;
use suda_domain::time::{Calendar, Timekeeping};
use suda_domain::{Actor, Lane, LedgerEvent, Policy, Role, StaffId, State};
use support::{actor, event, fact, id, recorded, start};

const LIVES: u32 = 1_000;

/// Somebody of the role. Call-backs are made by a second expert.
fn somebody(role: Role, kind: FactKind, c: &Complaint) -> Actor {
    let of_branch = matches!(c.owner, suda_domain::Owner::Branch(_));
    match role {
        Role::System => Actor::system(of_branch.then(|| c.branch.clone())),
        Role::Customer => Actor::customer(),
        Role::Expert if matches!(kind, FactKind::CalledBack | FactKind::CallBackTried) => Actor {
            staff: Some(StaffId(id(602))),
            ..actor(role)
        },
        _ => actor(role),
    }
}

/// The steps open now, without remarks that lead nowhere.
fn open_steps(c: &Complaint, n: u64) -> Vec<(Role, FactKind)> {
    let all = Role::ALL.into_iter().flat_map(|role| {
        let kinds = FactKind::ALL.iter().copied();
        kinds.map(move |kind| (role, kind))
    });
    let quiet = [
        FactKind::Noted,
        FactKind::EvidenceAdded,
        FactKind::TimeCorrected,
    ];
    let wanted = all.filter(|(_, kind)| !quiet.contains(kind));
    wanted
        .filter(|&(role, kind)| {
            let fact = fact(kind, c, n);
            c.admit(&somebody(role, kind, c), &fact).is_ok()
        })
        .collect()
}

/// A clock and whether it was late.
type Late = (Clock, bool);
/// A cycle and the score of its call-back.
type Scored = (u32, Option<u8>);

/// What a report counts of a complaint: how often each clock was late, and
/// the cycles with their scores.
fn figures(c: &Complaint, keep: &Timekeeping) -> (Vec<Late>, Vec<Scored>) {
    let end = start() + TimeDelta::days(400);
    let late = deadlines(c, keep);
    let late = late.iter().map(|one| (one.clock, one.is_breached(end)));
    let cycles = c
        .past
        .iter()
        .map(|past| (past.number, past.call_back.score));
    (late.collect(), cycles.collect())
}

#[test]
fn a_thousand_lives_replayed_give_the_same_state_clocks_and_figures() {
    let keep = Timekeeping::new([Policy::default()], Calendar::china());
    let config = Config {
        cases: LIVES,
        failure_persistence: None,
        ..Config::default()
    };
    let reached = std::cell::RefCell::new(BTreeMap::<State, u32>::new());
    let most = std::cell::Cell::new((0, 0));
    let choices = prop::collection::vec((any::<u16>(), 1i64..2_000), 20..90);
    TestRunner::new(config)
        .run(&choices, |choices| {
            let first = recorded(start(), false);
            let mut c = Complaint::open(&first).unwrap();
            let mut ledger: Vec<LedgerEvent> = vec![first];
            let mut minute = 0;
            for (n, (choice, gap)) in (2..).zip(choices) {
                if c.state == State::Archived {
                    break;
                }
                let mut steps = open_steps(&c, n);
                // Ends are rare, or few lives would be long.
                let ends = [FactKind::Withdrawn, FactKind::Archived];
                if choice % 8 > 0 && steps.iter().any(|(_, kind)| !ends.contains(kind)) {
                    steps.retain(|(_, kind)| !ends.contains(kind));
                }
                let Some(&(role, kind)) = steps.get(usize::from(choice) % steps.len().max(1))
                else {
                    break;
                };
                minute += gap;
                let who = somebody(role, kind, &c);
                let made = fact(kind, &c, n);
                let event = event(n, Lane::Ordinary, minute, c.owner_no, who, made);
                c.apply(&event).unwrap();
                *reached.borrow_mut().entry(c.state).or_default() += 1;
                ledger.push(event);
            }
            let (steps, cycle) = most.get();
            most.set((steps.max(ledger.len()), cycle.max(c.cycle)));
            // As it comes from the ledger, and as a store keeps it.
            let kept: Vec<LedgerEvent> =
                serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
            let mut again = Complaint::open(&kept[0]).unwrap();
            for event in &kept[1..] {
                again.apply(event).unwrap();
            }
            let stored: Complaint =
                serde_json::from_str(&serde_json::to_string(&c).unwrap()).unwrap();
            for other in [&again, &stored] {
                prop_assert_eq!(other, &c);
                prop_assert_eq!(deadlines(other, &keep), deadlines(&c, &keep));
                prop_assert_eq!(figures(other, &keep), figures(&c, &keep));
                prop_assert_eq!(duties(other), duties(&c));
            }
            Ok(())
        })
        .unwrap();
    let reached = reached.into_inner();
    let (steps, cycle) = most.get();
    println!(
        "{LIVES} lives, at most {steps} steps and {cycle} cycles; states reached: {reached:?}"
    );
    let missing: Vec<_> = State::ALL
        .into_iter()
        .filter(|state| !matches!(state, State::Draft | State::Recorded))
        .filter(|state| !reached.contains_key(state))
        .collect();
    assert!(missing.is_empty(), "never reached: {missing:?}");
    assert!(cycle >= 3, "no life had three cycles");
}
