//! Learning from confirmed cases: at the console's doors, at the desks' door,
//! and the rules of a store on both stores.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use direct::Desk;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::{ComplaintId, Complexity, Fact, Grade, Intake, Lane};
use suda_hub::learning::report::{TrainingDecision, TrainingReport};
use suda_hub::learning::{Asked, Outcome, run};
use suda_hub::store::learning::{Effect, HandoffEffect, NewTraining};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Reader, Store};
use suda_judge::learn::Model;
use suda_judge::{COLUMNS, RuleSet};
use suda_sync::model::{Fetch, Fetched, ModelNotice, open};
use suda_sync::{Ask, Reply, SealedEvent};
use suda_test_postgres::PrivatePostgres;
use support::{FakeDesk, Pen, Person, TestClock, TestHub, eventually, fill, intake, morning};
use tempfile::TempDir;
use uuid::Uuid;

const TEXTS: [&str; 2] = ["话费账单被多扣了要求退费", "家里上网速度很慢经常掉线"];

fn leaves() -> [String; 2] {
    let rules = RuleSet::parse(suda_judge::TELECOM).unwrap();
    let codes = rules.tree.nodes.iter().map(|node| node.code.clone());
    let leaves: Vec<String> = codes.filter(|code| rules.tree.is_leaf(code)).collect();
    [leaves[0].clone(), leaves[1].clone()]
}

/// A case settled at the counter, as its desk writes it. Each of another text.
fn settled(pen: &mut Pen, number: usize) -> (ComplaintId, Vec<SealedEvent>) {
    let at = morning() + TimeDelta::seconds(number as i64);
    let of = Intake {
        category: leaves()[number % 2].clone(),
        ..intake(&format!(
            "{}，已是第{number}次，张小明，电话13800138000",
            TEXTS[number % 2]
        ))
    };
    let (id, _, mut events) = pen.record(at, of, Grade::Three, Complexity::Simple);
    let facts = [
        Fact::KeptInBranch,
        Fact::Settled {
            summary: "已办理".into(),
            remedy: "已处理".into(),
            amount_minor: None,
            guidance: None,
            deviation: String::new(),
        },
    ];
    for fact in facts {
        events.push(pen.write(Lane::Ordinary, id, 1, at, fact));
    }
    (id, events)
}

async fn confirmed(desk: &mut FakeDesk, cases: usize) -> Vec<ComplaintId> {
    let mut ids = Vec::new();
    for number in 0..cases {
        let first_n = desk.pen.heads[1].0 + 1;
        let (id, events) = settled(&mut desk.pen, number);
        let receipt = desk.batch(Lane::Ordinary, first_n, events).await;
        assert!(
            receipt
                .verdicts
                .iter()
                .all(|one| *one == suda_sync::Verdict::Applied),
            "{receipt:?}"
        );
        ids.push(id);
    }
    ids
}

const PATH: &str = "/api/admin/learning";

async fn trained(admin: &Person, preview: bool) -> Value {
    admin
        .post(&format!("{PATH}/train"), json!({ "preview": preview }))
        .await;
    eventually("the training ends", async || {
        admin.get(PATH).await["running"] == false
    })
    .await;
    admin.get(PATH).await
}

/// Fetches the model the directory names, as a desk does.
async fn fetched(desk: &FakeDesk) -> Option<(ModelNotice, Vec<u8>)> {
    let directory = desk.pull(0).await.directory.unwrap();
    let notice = directory.model?;
    let mut fetch = Fetch::begin(notice).unwrap();
    loop {
        let (version, offset) = (notice.version, fetch.offset());
        let Reply::Model(piece) = desk.ask(Ask::Model { version, offset }).await else {
            panic!("no piece");
        };
        let data = STANDARD.decode(&piece.data).unwrap();
        match fetch.take(piece.version, piece.offset, &data) {
            Fetched::More => {}
            Fetched::Whole(package) => return Some((notice, package)),
            Fetched::Failed => panic!("not what was announced"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_learned_reaches_the_desks_signed_and_can_be_gone_back_from() {
    let hub = TestHub::start().await;
    let admin = hub.sign_in("administrator").await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    confirmed(&mut desk, 30).await;
    let view = trained(&admin, false).await;
    assert_eq!(view["trainings"][0]["report"]["decision"], "too_few_cases");
    assert_eq!(view["in_force"], Value::Null);
    assert_eq!(fetched(&desk).await, None);

    confirmed(&mut desk, 70).await;
    // Only tried: nothing changes for the desks.
    let view = trained(&admin, true).await;
    assert_eq!(view["trainings"][0]["report"]["preview"], true);
    assert_eq!(view["in_force"], Value::Null);
    let view = trained(&admin, false).await;
    let report = &view["trainings"][0]["report"];
    assert_eq!(report["decision"], "rolled_out", "{report}");
    assert_eq!(
        (&report["cases"], &report["held_out"]),
        (&json!(100), &json!(20))
    );
    assert_eq!(view["in_force"], 3);

    let (notice, package) = fetched(&desk).await.unwrap();
    assert_eq!(notice.version, 3);
    let (head, bytes) = open(&package, &desk.enrolled.hub_key).unwrap();
    assert_eq!(head.version, 3);
    let model = Model::parse(bytes).unwrap();
    assert_eq!(model.fields(), COLUMNS);
    let said = model.classify(&["尽快修好", TEXTS[1]]);
    assert_eq!(said.ranked[0].0, leaves()[1]);

    // A model that is not in force is given to nobody.
    let asked = Ask::Model {
        version: 2,
        offset: 0,
    };
    let Reply::Model(piece) = desk.ask(asked).await else {
        panic!("no answer");
    };
    assert!(piece.data.is_empty());
    let view = admin
        .post(&format!("{PATH}/version"), json!({ "version": null }))
        .await;
    assert_eq!(view["in_force"], Value::Null);
    assert_eq!(fetched(&desk).await, None);
    let view = admin
        .post(&format!("{PATH}/version"), json!({ "version": 3 }))
        .await;
    assert_eq!(view["in_force"], 3);
    let (status, code) = admin
        .refused(&format!("{PATH}/version"), json!({ "version": 1 }))
        .await;
    assert_eq!(
        (status, code.as_str()),
        (StatusCode::NOT_FOUND, "not_found")
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_case_is_learned_from_no_more_and_its_models_go() {
    let hub = TestHub::start().await;
    let admin = hub.sign_in("administrator").await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    let ids = confirmed(&mut desk, 60).await;
    assert_eq!(trained(&admin, false).await["in_force"], 1);
    let export = async || {
        let path = format!("{PATH}/export");
        let request = hub
            .client
            .get(hub.url(&path))
            .header("cookie", &admin.cookie);
        request.send().await.unwrap().text().await.unwrap()
    };
    let before = export().await;
    assert_eq!(before.lines().count(), 60);
    // Neither names nor numbers leave the hub this way.
    assert!(
        !before.contains("张小明") && !before.contains("13800138000"),
        "{before}"
    );

    let forgotten = json!({ "complaint": ids[0].to_string() });
    let view = admin.post(&format!("{PATH}/forget"), forgotten).await;
    assert_eq!(
        (&view["to_retrain"], &view["forgotten"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(export().await.lines().count(), 59);
    hub.clock.advance(TimeDelta::seconds(1));
    let view = trained(&admin, false).await;
    assert_eq!(view["to_retrain"], false);
    assert_eq!(view["in_force"], 2);
    assert_eq!(view["trainings"][0]["report"]["cases"], 59);
    // The model that knew it cannot be gone back to.
    assert_eq!(view["trainings"][1]["can_be_used"], false);
    let unknown = json!({ "complaint": Uuid::new_v4().to_string() });
    let (status, _) = admin.refused(&format!("{PATH}/forget"), unknown).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // With too few left there is no model rather than one that knew them.
    for id in &ids[1..15] {
        let asked = json!({ "complaint": id.to_string() });
        admin.post(&format!("{PATH}/forget"), asked).await;
    }
    hub.clock.advance(TimeDelta::seconds(1));
    let view = trained(&admin, false).await;
    assert_eq!(view["trainings"][0]["report"]["decision"], "too_few_cases");
    assert_eq!(
        (&view["in_force"], &view["to_retrain"]),
        (&Value::Null, &json!(false))
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_administrators_learns_what_is_learned() {
    let hub = TestHub::start().await;
    for login in ["clerk", "expert", "management", "auditor", "department"] {
        let person = hub.sign_in(login).await;
        let (status, _) = person.ask(Method::GET, PATH, None).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{login}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_what_was_learned() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    fill(&store).await;
    keeps_what_was_learned(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_keeps_what_was_learned() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("learning").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    keeps_what_was_learned(&store).await;
}

fn training(decision: TrainingDecision, effect: Effect) -> NewTraining {
    NewTraining {
        at: morning(),
        asked_by: None,
        report: TrainingReport::without(decision, 7),
        read_at: morning(),
        effect,
        handoffs: HandoffEffect::Nothing,
    }
}

async fn keeps_what_was_learned(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let mut ids = Vec::new();
    for number in 0..60 {
        let first_n = desk.pen.heads[1].0 + 1;
        let (id, events) = settled(&mut desk.pen, number);
        desk.send(Lane::Ordinary, first_n, events).await;
        ids.push(id);
    }
    // An open case is not confirmed.
    let first_n = desk.pen.heads[1].0 + 1;
    let (_, _, events) = desk.pen.record(
        morning(),
        intake("还没办"),
        Grade::Three,
        Complexity::Simple,
    );
    desk.send(Lane::Ordinary, first_n, events).await;
    let cases = store.confirmed_cases(100, Reader::Program).await.unwrap();
    assert_eq!(cases.len(), 60);
    assert!(cases.is_sorted_by(|a, b| a.confirmed_at >= b.confirmed_at));
    assert_eq!(cases[0].id, ids[59]);
    assert_eq!(cases[0].category, leaves()[1]);
    assert_eq!(
        store
            .confirmed_cases(5, Reader::Program)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(store.assessments(1_000).await.unwrap().len(), 61);
    assert!(store.assessments(10).await.unwrap().len() < 10);

    // One trains at a time; who has lost it keeps nothing.
    let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
    let soon = morning() + TimeDelta::minutes(30);
    assert!(store.begin_training(one, morning(), soon).await.unwrap());
    assert!(!store.begin_training(other, morning(), soon).await.unwrap());
    assert!(
        store
            .begin_training(other, soon, soon + TimeDelta::minutes(30))
            .await
            .unwrap()
    );
    let lost = training(TrainingDecision::RolledOut, Effect::RollOut(vec![1]));
    assert_eq!(store.end_training(one, &lost).await.unwrap(), None);
    let directory = store.settings().await.unwrap().directory;
    let first = training(TrainingDecision::RolledOut, Effect::RollOut(vec![1, 2, 3]));
    assert_eq!(store.end_training(other, &first).await.unwrap(), Some(1));
    assert_eq!(store.learning().await.unwrap().in_force, Some(1));
    assert_eq!(store.model(1).await.unwrap(), Some(vec![1, 2, 3]));
    assert_eq!(store.settings().await.unwrap().directory, directory + 1);

    // What changes nothing tells no desk.
    assert!(
        store
            .begin_training(one, soon, soon + TimeDelta::hours(1))
            .await
            .unwrap()
    );
    let worse = training(TrainingDecision::Worse, Effect::Nothing);
    assert_eq!(store.end_training(one, &worse).await.unwrap(), Some(2));
    assert_eq!(store.settings().await.unwrap().directory, directory + 1);
    let kept = store.trainings(10).await.unwrap();
    let kept: Vec<_> = kept
        .iter()
        .map(|one| (one.version, one.report.decision, one.has_model))
        .collect();
    assert_eq!(
        kept,
        [
            (2, TrainingDecision::Worse, false),
            (1, TrainingDecision::RolledOut, true)
        ]
    );
    assert!(!store.use_model(Some(2)).await.unwrap());
    assert!(store.use_model(None).await.unwrap());
    assert!(store.use_model(Some(1)).await.unwrap());

    // What is forgotten while a training reads is still to be forgotten after it.
    assert!(
        store
            .forget_case(ids[0], morning() - TimeDelta::hours(1))
            .await
            .unwrap()
    );
    assert!(store.learning().await.unwrap().to_retrain);
    assert!(
        store
            .begin_training(one, soon, soon + TimeDelta::hours(1))
            .await
            .unwrap()
    );
    assert!(
        store
            .forget_case(ids[1], morning() + TimeDelta::seconds(1))
            .await
            .unwrap()
    );
    assert!(
        !store
            .forget_case(ComplaintId(Uuid::new_v4()), morning())
            .await
            .unwrap()
    );
    let next = training(TrainingDecision::RolledOut, Effect::RollOut(vec![4]));
    assert_eq!(store.end_training(one, &next).await.unwrap(), Some(3));
    let state = store.learning().await.unwrap();
    assert_eq!((state.in_force, state.to_retrain), (Some(3), true));
    assert_eq!(store.model(1).await.unwrap(), None);
    assert_eq!(store.forgotten().await.unwrap(), 2);
    assert_eq!(
        store
            .confirmed_cases(100, Reader::Program)
            .await
            .unwrap()
            .len(),
        58
    );

    // And the whole way, as at night.
    let clock = TestClock::new().clock();
    let rules = RuleSet::parse(suda_judge::TELECOM).unwrap();
    let asked = Asked {
        by: None,
        preview: false,
    };
    let Outcome::Done(version, report) = run(store, &clock, rules, asked).await.unwrap() else {
        panic!("busy");
    };
    assert_eq!((version, report.cases), (4, 58));
    // The bytes that were in force are no model, and so are no measure.
    assert_eq!(report.decision, TrainingDecision::RolledOut);
    assert_eq!(store.verify().await.unwrap().fault, None);
}
