//! Links between complaints: a merge that can be undone, a group answered
//! together, each case by events of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::TimeDelta;
use serde_json::{Value, json};
use suda_domain::{ComplaintId, FactKind, Grade, State};
use suda_hub::store::Reader;
use support::{Person, TestHub};

fn path(id: ComplaintId, step: &str) -> String {
    format!("/api/complaints/{id}/{step}")
}

async fn link(person: &Person, id: ComplaintId, to: ComplaintId, relation: &str) -> Value {
    let body = json!({ "to": to, "relation": relation, "note": "同一故障" });
    person.post(&path(id, "link"), body).await
}

async fn answer(person: &Person, id: ComplaintId) {
    person.post(&path(id, "claim"), json!({})).await;
    let report = json!({ "root_cause": "光缆被挖断", "impact": "一片小区", "proposal": "抢修" });
    person.post(&path(id, "report"), report).await;
    person
        .post(&path(id, "start-solving"), json!({ "plan": [] }))
        .await;
    person
        .post(&path(id, "implement"), json!({ "summary": "光缆已接好" }))
        .await;
    let answer =
        json!({ "decision": "upheld", "text": "网络已恢复，减免三天费用", "remedy": "减免三天" });
    person.post(&path(id, "answer"), answer).await;
}

async fn state(hub: &TestHub, id: ComplaintId) -> State {
    let held = hub.hub.store.complaint(id, Reader::Program).await.unwrap();
    held.unwrap().complaint.state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_answered_together_and_each_case_by_its_own_events() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let now = hub.clock.now();
    let lead = desk.hand_off(now, "小区断网", Grade::Two).await;
    let member = desk.hand_off(now, "断网两天", Grade::Two).await;
    let twice = desk.hand_off(now, "又来问断网", Grade::Two).await;
    let others = desk.hand_off(now, "也断网", Grade::Two).await;
    let grave = desk.hand_off(now, "断网，要曝光", Grade::One).await;
    let apart = desk.hand_off(now, "合同看不清", Grade::Two).await;
    let (expert, expert2) = (hub.sign_in("expert").await, hub.sign_in("expert2").await);
    for (id, relation) in [
        (member, "group"),
        (twice, "duplicate"),
        (others, "group"),
        (grave, "group"),
        (apart, "related"),
    ] {
        link(&expert, id, lead, relation).await;
    }
    let early = json!({ "summary": "光缆已接好" });
    let refused = expert
        .refused(&path(lead, "answer-linked"), early.clone())
        .await;
    assert_eq!(refused.1, "not_in_this_state", "nothing to give them yet");
    expert2.post(&path(others, "claim"), json!({})).await;
    answer(&expert, lead).await;

    let told = expert
        .post(&path(lead, "answer-linked"), early.clone())
        .await;
    let of = |told: &Value, id: ComplaintId| {
        let row = told
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == json!(id))
            .cloned();
        row.map(|row| (row["outcome"].clone(), row["code"].clone()))
    };
    let done = |word: &str| Some((json!(word), Value::Null));
    assert_eq!(of(&told, member), done("done"));
    assert_eq!(of(&told, twice), done("done"));
    let why = |code: &str| Some((json!("refused"), json!(code)));
    assert_eq!(of(&told, others), why("claimed_by_other"));
    assert_eq!(of(&told, grave), why("needs_approval"));
    assert_eq!(
        of(&told, apart),
        None,
        "what is only related follows nothing"
    );
    for (id, is) in [
        (member, State::Answered),
        (twice, State::Answered),
        (others, State::Claimed),
        (grave, State::Queued),
        (apart, State::Queued),
    ] {
        assert_eq!(state(&hub, id).await, is);
    }
    // In the ledger of each stands how it came to its answer.
    let kinds: Vec<FactKind> = hub
        .hub
        .store
        .timeline(member, Reader::Program)
        .await
        .unwrap()
        .iter()
        .map(|line| line.sealed.open().unwrap().fact.kind())
        .collect();
    for kind in [
        FactKind::Claimed,
        FactKind::Reported,
        FactKind::SolvingStarted,
        FactKind::Implemented,
        FactKind::Answered,
        FactKind::CallBackAssigned,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} is missing in {kinds:?}");
    }
    // Their customers are told, each for themselves.
    let texts = hub
        .hub
        .store
        .sms_page(false, None, 99, Reader::Program)
        .await
        .unwrap();
    for id in [lead, member, twice] {
        let mut own = texts.iter().filter(|sms| sms.complaint == Some(id));
        assert!(own.next_back().is_some(), "{id} is told nothing");
    }

    // Asked again it does what has become possible, and nothing twice.
    let lines = hub
        .hub
        .store
        .timeline(member, Reader::Program)
        .await
        .unwrap()
        .len();
    expert2.post(&path(others, "release"), json!({})).await;
    let told = expert.post(&path(lead, "answer-linked"), early).await;
    assert_eq!(of(&told, member), done("already"));
    assert_eq!(of(&told, others), done("done"));
    let after = hub
        .hub
        .store
        .timeline(member, Reader::Program)
        .await
        .unwrap()
        .len();
    assert_eq!(after, lines);

    // Who was not content with it is not given the same answer again.
    hub.clock.advance(TimeDelta::hours(1));
    expert2
        .post(&path(member, "reopen"), json!({ "reason": "仍然断网" }))
        .await;
    let again = json!({ "summary": "x" });
    let told = expert.post(&path(lead, "answer-linked"), again).await;
    assert_eq!(of(&told, member), why("not_content"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_seen_from_both_sides_and_undone_until_the_answer() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let lead = desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    let twice = desk.hand_off(hub.clock.now(), "断网又来", Grade::Two).await;
    let third = desk.hand_off(hub.clock.now(), "还是断网", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    let after = link(&expert, twice, lead, "duplicate").await;
    assert_eq!(after["follows"], "duplicate");
    assert!(
        after["deadlines"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["running"] == true)
    );
    let here = expert.get(&path(twice, "links")).await;
    let there = expert.get(&path(lead, "links")).await;
    assert_eq!(
        (&here[0]["id"], &here[0]["incoming"]),
        (&json!(lead), &json!(false))
    );
    assert_eq!(
        (&there[0]["id"], &there[0]["incoming"]),
        (&json!(twice), &json!(true))
    );
    assert_eq!(there[0]["relation"], "duplicate");

    // One leading case, no chains and no circles, and never itself.
    for (from, to) in [(lead, third), (third, twice), (lead, twice), (lead, lead)] {
        let body = json!({ "to": to, "relation": "group" });
        let refused = expert.refused(&path(from, "link"), body).await;
        assert_eq!(refused.1, "not_linkable", "{from} to {to}");
    }
    let nothing = json!({ "to": "CQ0101-260721-Z-9999-XX", "relation": "related" });
    assert_eq!(
        expert.refused(&path(third, "link"), nothing).await.1,
        "not_found"
    );

    let undo = json!({ "to": lead, "note": "两件事" });
    let after = expert.post(&path(twice, "unlink"), undo.clone()).await;
    assert_eq!(after["follows"], Value::Null);
    assert_eq!(expert.get(&path(lead, "links")).await, json!([]));
    link(&expert, twice, lead, "duplicate").await;
    answer(&expert, lead).await;
    expert
        .post(&path(lead, "answer-linked"), json!({ "summary": "x" }))
        .await;
    assert_eq!(
        expert.refused(&path(twice, "unlink"), undo).await.1,
        "not_linkable"
    );
    assert_eq!(
        suda_hub::store::Upkeep::verify(hub.hub.store.as_ref())
            .await
            .unwrap()
            .fault,
        None
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_tells_nothing_of_a_case_that_is_not_for_the_reader() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let about = desk.hand_off(hub.clock.now(), "态度恶劣", Grade::Two).await;
    let other = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let (expert, expert2) = (hub.sign_in("expert").await, hub.sign_in("expert2").await);
    link(&expert, other, about, "related").await;
    let held = hub
        .hub
        .store
        .complaint(about, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    let reference = held.complaint.reference.to_string();
    let seen = async || {
        let case = expert2.get(&format!("/api/complaints/{other}")).await;
        let links = expert2.get(&path(other, "links")).await;
        format!("{case}{links}")
    };
    assert!(seen().await.contains(&reference), "the control");
    let body = json!({ "staff": hub.staff("expert2").await.id, "reason": "x" });
    expert.post(&path(about, "recuse"), body).await;
    let told = seen().await;
    assert!(
        !told.contains(&reference) && !told.contains(&about.to_string()),
        "{told}"
    );
    let to = json!({ "to": reference, "relation": "repeat" });
    assert_eq!(
        expert2.refused(&path(other, "link"), to).await.1,
        "not_found"
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_at_the_centre_ends_it_the_same_day_and_the_customer_is_told() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    let before = hub
        .hub
        .store
        .sms_page(false, None, 99, Reader::Program)
        .await
        .unwrap()
        .len();
    let why = json!({ "reason": "顾客撤回" });
    assert_eq!(
        expert.refused(&path(id, "withdraw"), why.clone()).await.1,
        "not_claimed"
    );
    expert.post(&path(id, "claim"), json!({})).await;
    assert_eq!(
        expert
            .refused(&path(id, "withdraw"), json!({ "reason": " " }))
            .await
            .1,
        "required"
    );
    hub.clock.advance(TimeDelta::minutes(5));
    let after = expert.post(&path(id, "withdraw"), why).await;
    assert_eq!(
        (&after["state"], &after["customer_state"]),
        (&json!("withdrawn"), &json!("completed"))
    );
    assert_eq!(after["claim"], Value::Null);
    let running = after["deadlines"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one["running"] == true);
    assert!(!running, "no clock runs on");
    let texts = hub
        .hub
        .store
        .sms_page(false, None, 99, Reader::Program)
        .await
        .unwrap();
    assert_eq!(texts.len(), before + 1);
    assert_eq!(texts[0].complaint, Some(id));
    hub.stop().await;
}
