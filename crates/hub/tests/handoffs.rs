//! Learning which complaints need the centre: from past complaints to what the
//! desks are told, with the cost of a missed handoff set by an administrator.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::{ComplaintId, Complexity, Fact, Grade, Intake, Lane};
use suda_hub::learning::report::{TrainingDecision, TrainingReport};
use suda_hub::store::Store;
use suda_hub::store::learning::{Effect, HandoffEffect, NewTraining};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_judge::handoff::{HandoffModel, Traits};
use suda_test_postgres::PrivatePostgres;
use support::{FakeDesk, Person, TestHub, eventually, fill, intake, morning};
use tempfile::TempDir;
use uuid::Uuid;

const PATH: &str = "/api/admin/learning";
const COSTS: &str = "/api/admin/learning/handoffs";
/// What branches settle, and what comes back to them; no rule hands off either.
const EASY: &str = "A.01.01";
const HARD: &str = "D.01.01";

/// Cases settled at the counter, each of another customer.
async fn settled(desk: &mut FakeDesk, category: &str, cases: usize) -> Vec<ComplaintId> {
    let mut ids = Vec::new();
    for number in 0..cases {
        let at = morning() + TimeDelta::seconds(number as i64);
        let network = if category == EASY { 138 } else { 139 };
        let of = Intake {
            category: category.into(),
            phone: format!("{network}{number:08}"),
            remedy_sought: "说明一下".into(),
            amount_minor: Some(1_000 + number as i64),
            ..intake("来问一下")
        };
        let first_n = desk.pen.heads[1].0 + 1;
        let (id, _, mut events) = desk.pen.record(at, of, Grade::Three, Complexity::Simple);
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
            events.push(desk.pen.write(Lane::Ordinary, id, 1, at, fact));
        }
        let receipt = desk.batch(Lane::Ordinary, first_n, events).await;
        let applied = suda_sync::Verdict::Applied;
        assert!(
            receipt.verdicts.iter().all(|one| *one == applied),
            "{receipt:?}"
        );
        ids.push(id);
    }
    ids
}

async fn trained(admin: &Person, preview: bool) -> Value {
    let body = json!({ "preview": preview });
    admin.post(&format!("{PATH}/train"), body).await;
    eventually("the training ends", async || {
        admin.get(PATH).await["running"] == false
    })
    .await;
    admin.get(PATH).await["handoffs"].clone()
}

async fn told(desk: &FakeDesk) -> (Option<HandoffModel>, u32) {
    let directory = desk.pull(0).await.directory.unwrap();
    let model = directory.handoffs.as_ref();
    let model = model.map(|model| HandoffModel::from_value(model).unwrap());
    let costs = directory.timekeeping().latest().missed_handoff_costs;
    (model, costs)
}

fn traits(category: &str) -> Traits<'_> {
    Traits {
        category,
        grade: Grade::Three,
        amount_minor: Some(1_000),
        limit_minor: 50_000,
        earlier: 0,
        group_size: 0,
        channel: Some(suda_domain::intake::Channel::WalkIn),
        branch: "CQ0101",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_to_branches_is_learned_told_to_desks_and_its_cost_is_set() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    settled(&mut desk, EASY, 160).await;
    let hard = settled(&mut desk, HARD, 120).await;
    let expert = hub.sign_in("expert").await;
    for id in hard.iter().take(60) {
        let path = format!("/api/complaints/{id}/reopen");
        expert.post(&path, json!({ "reason": "客户又来了" })).await;
    }
    // While a customer may still come back, nobody can tell.
    let admin = hub.sign_in("administrator").await;
    let view = trained(&admin, false).await;
    let report = &view["report"];
    assert_eq!(
        (&report["decision"], &report["cases"]),
        (&json!("too_few"), &json!(60))
    );
    assert_eq!(
        (&report["untold"], &view["in_use"]),
        (&json!(220), &Value::Null)
    );
    assert_eq!(told(&desk).await, (None, 4));

    hub.clock.advance(TimeDelta::days(8));
    let admin = hub.sign_in("administrator").await;
    // Only tried: nothing changes for the desks.
    let view = trained(&admin, true).await;
    assert_eq!(view["report"]["decision"], "in_use");
    assert_eq!(view["in_use"], Value::Null);
    desk.hello().await;
    assert_eq!(told(&desk).await.0, None);

    let view = trained(&admin, false).await;
    let report = &view["report"];
    assert_eq!(
        (&report["cases"], &report["needed"]),
        (&json!(280), &json!(60))
    );
    assert_eq!(view["in_use"], 3);
    assert_eq!(
        report["by_people"],
        json!({ "handed_off": 0, "wrong": 0, "missed": 60 })
    );
    let curve = report["curve"].as_array().unwrap();
    assert_eq!(curve.len(), 100);
    assert_eq!(
        curve[3],
        json!({ "handed_off": 120, "wrong": 60, "missed": 0 })
    );
    let trainings = admin.get(PATH).await["trainings"].clone();
    assert!(
        trainings[0]["report"].get("handoffs").is_none(),
        "told once"
    );

    let (model, costs) = told(&desk).await;
    let model = model.unwrap();
    assert_eq!((model.version, costs), (3, 4));
    let (easy, hard) = (
        model.likelihood(&traits(EASY)),
        model.likelihood(&traits(HARD)),
    );
    assert!(easy < 0.1 && (hard - 0.5).abs() < 0.1, "{easy} {hard}");

    // What a missed handoff costs is a version of the policy, with who set it.
    let revision = view["revision"].clone();
    let draft = json!({ "revision": revision, "costs": 9 });
    let put = async |draft: &Value| admin.ask(Method::PUT, COSTS, Some(draft.clone())).await;
    let (status, changed) = put(&draft).await;
    assert_eq!(
        (status, &changed["handoffs"]["costs"]),
        (StatusCode::OK, &json!(9))
    );
    assert_eq!(told(&desk).await.1, 9);
    let time = admin.get("/api/admin/time").await;
    assert_eq!(time["policy"]["version"], 2);
    assert_eq!(time["changes"][0]["by"], "姓名 administrator");
    let (status, body) = put(&draft).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("outdated"))
    );
    let revision = changed["handoffs"]["revision"].clone();
    let (status, body) = put(&json!({ "revision": revision, "costs": 0 })).await;
    let refused = (StatusCode::UNPROCESSABLE_ENTITY, &json!("rules_unusable"));
    assert_eq!((status, &body["code"]), refused);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_what_is_learned_of_handoffs() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    fill(&store).await;
    keeps(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_keeps_what_is_learned_of_handoffs() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("handoffs").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    keeps(&store).await;
}

async fn keeps(store: &impl Store) {
    let ended = async |handoffs: HandoffEffect| {
        let holder = Uuid::new_v4();
        let until = morning() + TimeDelta::minutes(30);
        assert!(
            store
                .begin_training(holder, morning(), until)
                .await
                .unwrap()
        );
        let training = NewTraining {
            at: morning(),
            asked_by: None,
            report: TrainingReport::without(TrainingDecision::TooFewCases, 0),
            read_at: morning(),
            effect: Effect::Nothing,
            handoffs,
        };
        store
            .end_training(holder, &training)
            .await
            .unwrap()
            .unwrap();
        let directory = store.settings().await.unwrap().directory;
        (store.handoff_model().await.unwrap(), directory)
    };
    let (kept, before) = ended(HandoffEffect::Nothing).await;
    assert_eq!(kept, None);
    let (kept, directory) = ended(HandoffEffect::Use(json!({ "version": 0, "x": 1 }))).await;
    assert_eq!(kept, Some(json!({ "version": 2, "x": 1 })));
    assert_eq!(directory, before + 1, "the desks are told");
    let (kept, directory) = ended(HandoffEffect::Nothing).await;
    assert_eq!(
        (kept.unwrap()["version"].clone(), directory),
        (json!(2), before + 1)
    );
    let (kept, directory) = ended(HandoffEffect::Withdraw).await;
    assert_eq!((kept, directory), (None, before + 2));
}
