//! Simple or complex at the form, by what branches could settle before: told
//! with its reasons, never against a rule that hands off, and put into the
//! ledger beside what the person decides.

use suda_domain::intake::Channel;
use suda_domain::{Complexity, Fact, Grade, Intake};
use suda_judge::Suggestion;
use suda_judge::handoff::{Ground, Past, Traits, learn};

use crate::support::{BRANCH, Bench, form};

/// By rule simple, and by rule complex.
const BILL: &str = "A.01.01";
const SIGNAL: &str = "B.02.01";

/// Learned from 400 bills of this branch, of which every one above its limit
/// of 100 yuan needed the centre; of one in eight nothing tells why.
fn model() -> serde_json::Value {
    let past: Vec<Past<'_>> = (0..400)
        .map(|at| {
            let amount: i64 = if at % 4 == 0 { 15_000 } else { 3_000 };
            Past {
                traits: Traits {
                    category: if at % 2 == 0 { BILL } else { "A.01.02" },
                    grade: Grade::Three,
                    amount_minor: Some(amount),
                    limit_minor: 10_000,
                    earlier: 0,
                    group_size: 0,
                    channel: Some(Channel::WalkIn),
                    branch: BRANCH,
                },
                by_rules: Complexity::Simple,
                needed: amount > 10_000 || at % 8 == 1,
            }
        })
        .collect();
    let mut model = learn(&past).unwrap().model;
    model.version = 7;
    model.to_value().unwrap()
}

fn give(bench: &Bench, handoffs: Option<serde_json::Value>, costs: u32) {
    let mut hub = bench.hub.state.lock().unwrap();
    hub.directory.version += 1;
    hub.directory.handoffs = handoffs;
    hub.directory.policy.missed_handoff_costs = costs;
    hub.directory.guidance = vec![suda_domain::guidance::Guidance {
        category: "A".into(),
        version: 1,
        title: "账单".into(),
        text: "先核对账单".into(),
        limit_minor: Some(10_000),
    }];
}

fn bill(amount_minor: i64) -> Intake {
    Intake {
        description: "账单看不懂".into(),
        remedy_sought: "说明一下".into(),
        category: BILL.into(),
        amount_minor: Some(amount_minor),
        ..form("x")
    }
}

async fn said(bench: &Bench, intake: Intake) -> Suggestion {
    let advice = bench.desk.advise(&bench.session, intake).await.unwrap();
    advice.suggestion
}

#[tokio::test(flavor = "multi_thread")]
async fn what_branches_could_not_settle_is_proposed_complex_with_its_reasons_and_kept() {
    let bench = Bench::new().await;
    let by_rule = said(&bench, bill(15_000)).await;
    assert_eq!(
        (by_rule.complexity, &by_rule.handoff),
        (Complexity::Simple, &None)
    );

    give(&bench, Some(model()), 4);
    bench.desk.sync_once().await.unwrap();
    let raised = said(&bench, bill(15_000)).await;
    assert_eq!(
        (raised.complexity, &raised.complexity_reason),
        (Complexity::Complex, &None)
    );
    let weighed = raised.handoff.clone().unwrap();
    assert!(
        weighed.p > 0.8 && (weighed.threshold - 0.2).abs() < 1e-6,
        "{weighed:?}"
    );
    let grounds: Vec<Ground> = weighed.because.iter().map(|one| one.ground).collect();
    assert!(
        grounds.contains(&Ground::Limit) || grounds.contains(&Ground::Amount),
        "{grounds:?}"
    );
    assert!(weighed.because.iter().all(|one| one.raises));
    // Below the limit a branch settles it; the rule says so and is named.
    let kept = said(&bench, bill(3_000)).await;
    assert_eq!(kept.complexity, Complexity::Simple);
    assert!(kept.complexity_reason.is_some());
    // A rule that hands off is not asked about.
    let signal = Intake {
        category: SIGNAL.into(),
        ..bill(100)
    };
    let signal = said(&bench, signal).await;
    assert_eq!(
        (signal.complexity, signal.handoff),
        (Complexity::Complex, None)
    );
    // The dearer a missed one, the more goes to the centre.
    give(&bench, Some(model()), 100);
    bench.desk.sync_once().await.unwrap();
    let careful = said(&bench, bill(3_000)).await;
    assert_eq!(careful.complexity, Complexity::Complex);

    // A person decides otherwise: the ledger has both, and the reason.
    let (three, simple) = (Grade::Three, Complexity::Simple);
    let id = bench.record_as(bill(15_000), three, simple).await;
    bench.desk.sync_once().await.unwrap();
    let log = bench.hub.state.lock().unwrap().log.clone();
    let facts = log.iter().map(|event| event.open().unwrap());
    let mut assessed = facts
        .filter(|event| event.complaint == id)
        .filter_map(|event| match event.fact {
            Fact::Assessed {
                complexity,
                suggestion,
                override_reason,
                ..
            } => Some((complexity, suggestion.unwrap(), override_reason.unwrap())),
            _ => None,
        });
    let (complexity, trace, reason) = assessed.next().unwrap();
    assert_eq!(
        (complexity, trace.complexity),
        (Complexity::Simple, Complexity::Complex)
    );
    assert_eq!((trace.handoff, reason.as_str()), (Some(7), "按流程"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_of_a_later_program_is_refused_and_the_rules_stand() {
    let bench = Bench::new().await;
    let mut later = model();
    later["format"] = 2.into();
    let mut damaged = model();
    damaged["slope"] = (-1).into();
    for (name, handoffs) in [("later", later), ("damaged", damaged)] {
        give(&bench, Some(handoffs), 4);
        bench.desk.sync_once().await.unwrap();
        let said = said(&bench, bill(15_000)).await;
        assert_eq!(
            (said.complexity, said.handoff),
            (Complexity::Simple, None),
            "{name}"
        );
        assert!(said.complexity_reason.is_some());
    }
    // The control: the sound one is used, also after a restart.
    give(&bench, Some(model()), 4);
    bench.desk.sync_once().await.unwrap();
    assert!(said(&bench, bill(15_000)).await.handoff.is_some());
    let bench = bench.reopen().await;
    assert!(said(&bench, bill(15_000)).await.handoff.is_some());
}
