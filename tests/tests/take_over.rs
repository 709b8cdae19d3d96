//! A counter PC dies and the branch's manager takes over what it kept, with a
//! real hub and two desks: the work goes on, also without a network, and what
//! the dead one still brings when it is repaired is kept and changes nothing.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use serde_json::json;
use suda_desk::view::{CaseView, Delivery, Settlement};
use suda_desk::{Desk, Session, StepError, TakenOver};
use suda_domain::{ComplaintId, FactKind, Refusal, State};
use suda_tests::rig::driver::{form, open};
use suda_tests::{City, DeskDir, Failure, output};

async fn counter(city: &City, dir: &DeskDir, role: &str) -> Result<(Desk, Session), Failure> {
    let who = city.account(role, Some(&city.branch()?))?;
    open(&dir.data, &dir.key, &who.login, &who.password).await
}

/// A simple complaint, recorded at this desk.
async fn record(desk: &Desk, session: &Session, n: u64) -> ComplaintId {
    let draft = desk.draft_open(session).await.unwrap();
    let (intake, assessment) = form("接管", n);
    let recorded = desk.record(session, draft.id, intake, assessment, None);
    recorded.await.unwrap();
    draft.id
}

fn settlement(summary: &str) -> Settlement {
    Settlement {
        summary: summary.into(),
        remedy: "已退费".into(),
        amount_minor: None,
        deviation: String::new(),
    }
}

fn late_notes(case: &CaseView) -> Vec<FactKind> {
    let late = case.timeline.iter().filter(|entry| entry.late_note);
    late.map(|entry| entry.kind).collect()
}

#[tokio::test]
async fn a_dead_computers_cases_go_on_and_what_it_still_brings_is_kept() -> Result<(), Failure> {
    let mut city = City::start()?;
    let branch = city.branch()?;
    let (here, there) = (city.desk(&branch, "dying")?, city.desk(&branch, "other")?);

    let (dying, clerk) = counter(&city, &here, "clerk").await?;
    let settled = record(&dying, &clerk, 1).await;
    let noted = record(&dying, &clerk, 2).await;
    dying.sync_once().await.unwrap();
    // What has not left it when it dies.
    dying
        .settle(&clerk, settled, settlement("当场退费"))
        .await
        .unwrap();
    dying.note(&clerk, noted, "客户回电".into()).await.unwrap();
    let unknown = record(&dying, &clerk, 4).await;
    dying.close().await.unwrap();
    drop(dying);

    let (other, manager) = counter(&city, &there, "branch_manager").await?;
    other.sync_once().await.unwrap();
    let kept = other.other_desks(&manager).await.unwrap();
    let [dead] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    assert_eq!((dead.letter.as_deref(), dead.open), (Some("A"), 2));
    assert!(other.case(&manager, settled).await.unwrap().can_take_over);

    // It is the manager's step, and it needs no network.
    city.stop_hub()?;
    let who = city.account("clerk", Some(&branch))?;
    let colleague = other.sign_in(&who.login, &who.password).await.unwrap();
    let refused = other.take_over(&colleague, settled, "电脑坏了").await;
    assert!(matches!(refused, Err(StepError::Refused(Refusal::Role))));
    let refused = other
        .take_over_all(&colleague, dead.device, "电脑坏了")
        .await;
    assert!(matches!(refused, Err(StepError::Refused(Refusal::Role))));
    let case = other
        .take_over(&manager, settled, "电脑坏了")
        .await
        .unwrap();
    assert_eq!((case.owner_no, case.can_take_over), (2, false));
    let rest = other.take_over_all(&manager, dead.device, "电脑坏了").await;
    assert_eq!(rest.unwrap(), TakenOver { taken: 1, gone: 0 });
    assert_eq!(other.other_desks(&manager).await.unwrap(), []);
    other
        .settle(&manager, settled, settlement("改由店长退费"))
        .await
        .unwrap();
    city.start_hub()?;
    other.sync_once().await.unwrap();

    // Repaired, it brings what it had not sent.
    let (dying, clerk) = counter(&city, &here, "clerk").await?;
    for desk in [&dying, &other, &dying] {
        desk.sync_once().await.unwrap();
    }
    for (desk, session) in [(&dying, &clerk), (&other, &manager)] {
        let case = desk.case(session, settled).await.unwrap();
        assert_eq!((case.row.state, case.owner_no), (State::Answered, 2));
        assert_eq!(case.answer_text.as_deref(), Some("改由店长退费"));
        assert_eq!(late_notes(&case), [FactKind::Settled], "kept as a note");
        let case = desk.case(session, noted).await.unwrap();
        let notes = case.timeline.iter().filter(|e| e.kind == FactKind::Noted);
        assert_eq!((notes.count(), late_notes(&case)), (1, vec![]));
        assert_eq!((case.row.state, case.owner_no), (State::InBranch, 2));
        // What it alone knew has arrived as it was written, once.
        let case = desk.case(session, unknown).await.unwrap();
        assert_eq!((case.row.state, case.owner_no), (State::InBranch, 1));
        assert_eq!(case.row.delivery, Delivery::AtHub);
    }
    for desk in [dying, other] {
        desk.close().await.unwrap();
    }
    let hub = city.hub_status()?;
    assert_eq!(
        (&hub["complaints"], &hub["quarantined"]),
        (&json!(3), &json!(0)),
        "{hub}"
    );
    for desk in [&here, &there] {
        let nothing = json!({"lane0": 0, "lane1": 0, "lane2": 0, "lane3": 0});
        assert_eq!(desk.status()?["unsent"], nothing);
        output(&mut desk.command("verify"))?;
    }
    city.verify()
}
