//! The same answer everywhere: what guidance an answer is recorded with, the
//! share off guidance by branch, category and person, similar complaints that
//! came to different ends, and answers to suggest.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use chrono::TimeDelta;
use direct::Desk;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::fact::GuidanceUsed;
use suda_domain::guidance::Guidance;
use suda_domain::{ComplaintId, Complexity, Fact, Grade, Intake, Lane};
use suda_hub::same_answer::{Period, SameAnswers};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Reader, Store};
use suda_hub::twins::Twins;
use suda_sync::SealedEvent;
use suda_test_postgres::PrivatePostgres;
use support::{FakeDesk, Pen, Person, TestHub, eventually, fill, intake, morning};

const CATEGORY: &str = "B.01.01";
/// Names repair and money, and lets a branch give 60 yuan.
const GUIDANCE: &str = "远程检测，上门修复；逾期按中断天数减免月费";
const BROKEN: &str = "家里宽带断了三天没人来修，报了三次都说在排队";
const SAME: &str = "/api/same-answer";
const PAIRS: &str = "/api/same-answer/pairs";

struct Given<'a> {
    text: &'a str,
    remedy: &'a str,
    amount: Option<i64>,
    version: Option<u32>,
    deviation: &'a str,
}

const REPAIRED: Given<'_> = Given {
    text: "师傅上门更换光猫，网络已恢复",
    remedy: "修复，减免三天月费",
    amount: Some(900),
    version: Some(1),
    deviation: "",
};

/// A complaint settled at the counter, as its desk writes it.
fn settled(pen: &mut Pen, of: Intake, given: &Given<'_>) -> (ComplaintId, Vec<SealedEvent>) {
    let at = morning();
    let (id, _, mut events) = pen.record(at, of, Grade::Three, Complexity::Simple);
    let settled = Fact::Settled {
        summary: given.text.into(),
        remedy: given.remedy.into(),
        amount_minor: given.amount,
        guidance: given.version.map(|version| GuidanceUsed {
            category: CATEGORY.into(),
            version,
        }),
        deviation: given.deviation.into(),
    };
    for fact in [Fact::KeptInBranch, settled] {
        events.push(pen.write(Lane::Ordinary, id, 1, at, fact));
    }
    (id, events)
}

async fn settle(desk: &mut FakeDesk, of: Intake, given: &Given<'_>) -> ComplaintId {
    desk.hello().await;
    let first_n = desk.pen.heads[1].0 + 1;
    let (id, events) = settled(&mut desk.pen, of, given);
    let receipt = desk.batch(Lane::Ordinary, first_n, events).await;
    assert!(
        receipt
            .verdicts
            .iter()
            .all(|one| *one == suda_sync::Verdict::Applied),
        "{receipt:?}"
    );
    id
}

async fn put_guidance(hub: &TestHub) {
    let admin = hub.sign_in("administrator").await;
    let body =
        json!({ "category": CATEGORY, "title": "宽带断网", "text": GUIDANCE, "limit_minor": 6000 });
    admin.post("/api/admin/guidance", body).await;
}

async fn shares(person: &Person, answers: u64) -> Value {
    eventually("the answers are known", async || {
        person.get(SAME).await["all"]["answers"] == answers
    })
    .await;
    person.get(SAME).await
}

fn row<'v>(view: &'v Value, list: &str, key: &str, value: &Value) -> &'v Value {
    let rows = view[list].as_array().unwrap();
    let found = rows.iter().find(|row| row[key] == *value);
    &found.unwrap_or_else(|| panic!("{value} in {view}"))["share"]
}

/// Two branches, five answers: three by the first, of which one gives too much
/// with its reason, one gives something else, one is right; at the second one
/// without guidance and one with a version that was replaced.
async fn a_city(hub: &TestHub) -> (FakeDesk, FakeDesk, Vec<ComplaintId>) {
    put_guidance(hub).await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    let mut ids = Vec::new();
    ids.push(settle(&mut one, intake("宽带断了"), &REPAIRED).await);
    let more = Given {
        amount: Some(6_001),
        deviation: "第二次断网，店长同意",
        ..REPAIRED
    };
    ids.push(settle(&mut one, intake("网断了一周"), &more).await);
    let another = Given {
        remedy: "赠送流量10GB",
        amount: None,
        ..REPAIRED
    };
    ids.push(settle(&mut one, intake("光猫红灯"), &another).await);
    let without = Given {
        version: None,
        ..REPAIRED
    };
    ids.push(settle(&mut other, intake("上网慢"), &without).await);
    hub.clock.advance(TimeDelta::minutes(-1));
    put_guidance(hub).await;
    hub.clock.advance(TimeDelta::minutes(1));
    ids.push(settle(&mut other, intake("断网两天"), &REPAIRED).await);
    (one, other, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_off_guidance_are_told_by_branch_and_category_and_by_person_to_management_alone() {
    let hub = TestHub::start().await;
    let (_, _, ids) = a_city(&hub).await;
    let expert = hub.sign_in("expert").await;
    let seen = shares(&expert, 5).await;
    assert_eq!(
        seen["all"],
        json!({ "answers": 5, "guided": 4, "off": 2, "above_limit": 1, "other_remedy": 1,
                "declared": 1, "outdated": seen["all"]["outdated"] })
    );
    assert!(seen["all"]["outdated"].as_u64().unwrap() >= 1, "{seen}");
    let first = row(&seen, "branches", "branch", &json!("CQ0101"));
    assert_eq!((&first["guided"], &first["off"]), (&json!(3), &json!(2)));
    let second = row(&seen, "branches", "branch", &json!("CQ0102"));
    assert_eq!(
        (&second["answers"], &second["guided"], &second["off"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(
        row(&seen, "categories", "category", &json!(CATEGORY))["off"],
        2
    );
    assert_eq!(
        seen["people"],
        Value::Null,
        "an expert is shown no person's figures"
    );

    let management = hub.sign_in("management").await;
    let people = management.get(SAME).await;
    let clerk = json!(hub.staff("clerk").await.id);
    assert_eq!(row(&people, "people", "staff", &clerk)["off"], 2);
    assert!(hub.sign_in("auditor").await.get(SAME).await["people"].is_array());

    // Neither branch, department nor administrator is told any of it.
    for login in ["clerk", "branch_manager", "department", "administrator"] {
        let person = hub.sign_in(login).await;
        for path in [SAME, PAIRS] {
            let (status, _) = person.ask(Method::GET, path, None).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{login}");
        }
    }

    // Of another time there are none, and days that are none are refused.
    let none = expert
        .get(&format!("{SAME}?from=2020-01-01&to=2020-01-31"))
        .await;
    assert_eq!(none["all"]["answers"], 0);
    for days in [
        "from=2020-02-01&to=2020-01-01",
        "from=1990-01-01&to=2020-01-01",
        "to=9999-99-99",
    ] {
        let (status, body) = expert
            .ask(Method::GET, &format!("{SAME}?{days}"), None)
            .await;
        assert_eq!(body["code"], "malformed", "{days}: {status}");
    }

    // Who is barred from one is not told of it in any figure.
    let about = json!({ "staff": hub.staff("expert2").await.id, "reason": "投诉此人" });
    expert
        .post(&format!("/api/complaints/{}/recuse", ids[1]), about)
        .await;
    let barred = hub.sign_in("expert2").await.get(SAME).await;
    assert_eq!(
        (&barred["all"]["answers"], &barred["all"]["off"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(expert.get(SAME).await["all"]["answers"], 5);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn similar_complaints_with_different_outcomes_are_listed_with_why_and_not_to_who_is_barred() {
    let hub = TestHub::start().await;
    put_guidance(&hub).await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    let paid = Given {
        amount: Some(5_800),
        ..REPAIRED
    };
    let told = Given {
        remedy: "已向客户解释，不予减免",
        amount: None,
        ..REPAIRED
    };
    let first = settle(&mut one, intake(BROKEN), &paid).await;
    let second = settle(&mut other, intake(&format!("{BROKEN}，很着急")), &told).await;
    // The same outcome, and another matter: neither makes a pair.
    settle(&mut one, intake(&format!("{BROKEN}，请尽快")), &paid).await;
    settle(&mut other, intake("营业厅排队两个小时只开一个窗口"), &told).await;
    let expert = hub.sign_in("expert").await;
    shares(&expert, 4).await;
    eventually("all are compared", async || {
        let seen = expert.get(PAIRS).await;
        seen["compared"] == 4 && seen["to_compare"] == 4
    })
    .await;
    let seen = expert.get(PAIRS).await;
    let pairs = seen["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 2, "{seen}");
    let of_both = |pair: &&Value| {
        let sides = [&pair["one"]["id"], &pair["other"]["id"]];
        sides.contains(&&json!(first)) && sides.contains(&&json!(second))
    };
    let pair = pairs.iter().find(of_both).unwrap();
    assert_eq!(pair["differs"], json!(["remedy", "amount"]));
    assert!(pair["near"].as_u64().unwrap() >= 60, "{pair}");
    let shared = pair["shared"].to_string();
    assert!(shared.contains("宽带断了三天"), "{shared}");
    let side = |id: ComplaintId| match pair["one"]["id"] == json!(id) {
        true => &pair["one"],
        false => &pair["other"],
    };
    assert_eq!(side(first)["amount_minor"], 5_800);
    assert_eq!(side(first)["band"], "up_to200");
    assert_eq!(side(first)["branch_name"], "解放碑营业厅");
    assert_eq!(side(second)["remedies"], json!(["explanation"]));
    assert!(!seen.to_string().contains("张小明"), "no customer is named");

    let about = json!({ "staff": hub.staff("expert2").await.id, "reason": "投诉此人" });
    expert
        .post(&format!("/api/complaints/{second}/recuse"), about)
        .await;
    let barred = hub.sign_in("expert2").await.get(PAIRS).await;
    assert_eq!(
        barred["pairs"],
        json!([]),
        "both pairs had the one that is barred"
    );
    assert_eq!(
        expert.get(PAIRS).await["pairs"].as_array().unwrap().len(),
        2
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expert_is_suggested_answers_with_their_source_and_records_the_guidance_and_why_not() {
    let hub = TestHub::start().await;
    put_guidance(&hub).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let named = Given {
        text: "张小明您好，经办人姓名 clerk 已安排师傅上门更换光猫，回电13800138000",
        ..REPAIRED
    };
    let model = settle(&mut desk, intake(BROKEN), &named).await;
    let this = desk
        .hand_off(hub.clock.now(), &format!("{BROKEN}，很着急"), Grade::Two)
        .await;
    let expert = hub.sign_in("expert").await;
    let path = |step: &str| format!("/api/complaints/{this}/{step}");
    let suggestions = path("answer-suggestions");
    eventually("the similar case is known", async || {
        expert.get(&suggestions).await.as_array().unwrap().len() == 2
    })
    .await;
    let found = expert.get(&suggestions).await;
    assert_eq!(
        found[0]["source"],
        json!({ "kind": "guidance", "category": CATEGORY, "version": 1, "title": "宽带断网" })
    );
    let reference = expert.get(&format!("/api/complaints/{model}")).await["reference"].clone();
    assert_eq!(
        (
            &found[1]["source"]["kind"],
            &found[1]["source"]["reference"]
        ),
        (&json!("case"), &reference)
    );
    assert!(found[1]["text"].as_str().unwrap().contains("上门更换光猫"));
    for secret in ["张小明", "13800138000", "姓名 clerk", "500101199001011234"] {
        assert!(!found.to_string().contains(secret), "{secret}: {found}");
    }
    // Nothing was answered by asking.
    let seen = expert.get(&format!("/api/complaints/{this}")).await;
    assert_eq!(
        (&seen["state"], &seen["answer"]),
        (&json!("queued"), &Value::Null)
    );
    for login in ["clerk", "management", "auditor"] {
        let (status, _) = hub
            .sign_in(login)
            .await
            .ask(Method::GET, &suggestions, None)
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{login}");
    }

    expert.post(&path("claim"), json!({})).await;
    let report = json!({ "root_cause": "光猫坏了", "impact": "一户", "proposal": "更换" });
    expert.post(&path("report"), report).await;
    expert
        .post(&path("start-solving"), json!({ "plan": [] }))
        .await;
    expert
        .post(&path("implement"), json!({ "summary": "已更换" }))
        .await;
    let answer = json!({ "decision": "upheld", "text": "已为您更换光猫", "remedy": "更换光猫",
                         "deviation": "口径的时限已过，另行致电" });
    let seen = expert.post(&path("answer"), answer).await;
    let mut facts = seen["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["fact"]);
    let answered = facts.rfind(|fact| fact["kind"] == "answered").unwrap();
    assert_eq!(
        answered["guidance"],
        json!({ "category": CATEGORY, "version": 1 })
    );
    assert_eq!(answered["deviation"], "口径的时限已过，另行致电");
    let seen = shares(&expert, 2).await;
    let centre = row(&seen, "branches", "branch", &Value::Null);
    assert_eq!(
        (&centre["guided"], &centre["declared"], &centre["off"]),
        (&json!(1), &json!(1), &json!(1))
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_tells_answers_once_whatever_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let store: SqliteStore = support::initialised(dir.path()).await;
    tells_answers(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_tells_answers_once_whatever_is_read_again() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("same_answer").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    tells_answers(&store).await;
}

async fn tells_answers(store: &impl Store) {
    for limit in [6_000, 7_000] {
        let guidance = Guidance {
            category: CATEGORY.into(),
            version: 0,
            title: String::new(),
            text: GUIDANCE.into(),
            limit_minor: Some(limit),
        };
        let at = morning() + TimeDelta::days(i64::from(limit != 6_000));
        store.put_guidance(&guidance, None, at).await.unwrap();
    }
    let versions = store.guidance_versions().await.unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|one| (one.guidance.version, one.guidance.limit_minor))
        .collect();
    assert_eq!(told, [(1, Some(6_000)), (2, Some(7_000))]);

    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let mut ids = Vec::new();
    let more = Given {
        amount: Some(6_001),
        ..REPAIRED
    };
    for given in [&REPAIRED, &more] {
        let first_n = desk.pen.heads[1].0 + 1;
        let (id, events) = settled(&mut desk.pen, intake(BROKEN), given);
        desk.send(Lane::Ordinary, first_n, events).await;
        ids.push(id);
    }
    let answers = SameAnswers::default();
    let period = Period {
        from: morning() - TimeDelta::days(1),
        to: morning() + TimeDelta::days(1),
        without: store.barred_from(Reader::Program).await.unwrap(),
    };
    for _ in 0..2 {
        answers.catch_up(store, morning()).await.unwrap();
        let all = answers.shares(&period).all;
        assert_eq!(
            (all.answers, all.guided, all.off, all.outdated),
            (2, 2, 1, 0)
        );
    }
    // By an index that is not as far, nothing is taken for compared.
    let twins = Twins::default();
    let compared = answers.compare(&twins, &period).await.unwrap();
    assert_eq!(compared, (0, 2));
    twins.catch_up(store, morning()).await.unwrap();
    let compared = answers.compare(&twins, &period).await.unwrap();
    assert_eq!(compared, (2, 2));
    assert!(
        answers
            .shares(&Period {
                from: morning() + TimeDelta::seconds(1),
                ..period.clone()
            })
            .all
            .answers
            == 0
    );

    // What somebody is barred from is named, and left out.
    let expert = store.staff_by_login("expert").await.unwrap().unwrap();
    let about = Fact::Recused {
        staff: expert.id,
        name: expert.name.clone(),
        reason: "投诉此人".into(),
    };
    let n = desk.pen.heads[1].0 + 1;
    let event = desk.pen.write(Lane::Ordinary, ids[1], 1, morning(), about);
    assert_eq!(
        desk.send(Lane::Ordinary, n, vec![event]).await,
        [suda_sync::Verdict::Applied]
    );
    let without = store.barred_from(Reader::Person(expert.id)).await.unwrap();
    assert_eq!(without, [ids[1]].into());
    assert_eq!(answers.shares(&Period { without, ..period }).all.off, 0);
}
