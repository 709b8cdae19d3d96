//! Early warnings from end to end: bursts over branches by capture time, once
//! whoever sees them; what people do about them; what counters are told.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use suda_domain::Grade;
use suda_hub::store::Upkeep as _;
use suda_hub::store::postgres::PostgresStore;
use suda_test_postgres::PrivatePostgres;
use support::{FakeDesk, Person, TestClock, TestHub, eventually, fill};

const OTHERS: [&str; 6] = [
    "今天在营业厅排队两个小时，只有一个窗口叫号",
    "上个月话费比平时多扣了八十元，客服说不清楚原因",
    "地下车库里电话打不出去，希望增加信号",
    "我要转到别家，柜台说合约没有到期不给办",
    "账单上有彩铃费用，我从来没有开通过",
    "希望柜台能帮老人查询余额和流量",
];

const MATTER: [&str; 5] = [
    "翠屏苑楼顶新装的基站离住户太近，担心辐射",
    "没有征求业主同意就在翠屏苑楼顶装基站，要求拆除",
    "基站就在翠屏苑楼顶我家头上，孩子睡不好，请拆掉",
    "翠屏苑楼顶的基站夜里嗡嗡响，还有辐射",
    "翠屏苑楼顶基站问题什么时候给说法",
];

fn days_ago(hub: &TestHub, days: i64) -> DateTime<Utc> {
    hub.clock.now() - TimeDelta::days(days)
}

/// The usual complaints of a month, then four of one matter at two branches.
async fn a_matter(hub: &TestHub, one: &mut FakeDesk, other: &mut FakeDesk) {
    for (text, n) in OTHERS.iter().zip(0..) {
        one.hand_off(days_ago(hub, 30 - n), text, Grade::Two).await;
    }
    for (text, n) in MATTER.iter().take(4).zip(0..) {
        let desk = if n % 2 == 0 { &mut *one } else { &mut *other };
        desk.hand_off(days_ago(hub, 8 - n), text, Grade::Two).await;
    }
}

async fn rows(person: &Person) -> Vec<Value> {
    person.get("/api/alarms").await.as_array().unwrap().clone()
}

async fn raised(person: &Person) -> Value {
    eventually("the burst is raised", async || {
        !rows(person).await.is_empty()
    })
    .await;
    let all = rows(person).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matter_of_two_branches_is_raised_with_its_members_and_named_by_what_they_share() {
    let hub = TestHub::start().await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    a_matter(&hub, &mut one, &mut other).await;
    let expert = hub.sign_in("expert").await;
    let row = raised(&expert).await;
    assert_eq!(
        (&row["kind"], &row["state"]),
        (&json!("burst"), &json!("raised"))
    );
    assert_eq!(
        (&row["reports"], &row["branches"]),
        (&json!(4), &json!(2)),
        "{row}"
    );
    let title = row["title"].as_str().unwrap();
    assert!(
        title.contains("翠屏苑楼顶") && title.contains("基站"),
        "{title}"
    );
    let growth = row["growth"].as_array().unwrap();
    assert_eq!(growth.len(), 9, "each day since the first, without gaps");
    assert_eq!(growth[0]["count"], 1);
    let id = row["id"].as_str().unwrap();
    let whole = expert.get(&format!("/api/alarms/{id}")).await;
    assert_eq!(whole["members"].as_array().unwrap().len(), 4);
    assert_eq!(whole["allowed"], json!(["acknowledge", "explain", "close"]));

    // A branch manager is shown those of their branch, and may do nothing.
    let manager = hub.sign_in("branch_manager").await;
    let theirs = manager.get(&format!("/api/alarms/{id}")).await;
    assert_eq!(theirs["members"].as_array().unwrap().len(), 2);
    assert_eq!(theirs["allowed"], json!([]));

    // A fifth makes the alarm grow; it does not make another.
    one.hand_off(hub.clock.now(), MATTER[4], Grade::Two).await;
    eventually("it grows", async || {
        let all = rows(&expert).await;
        all.len() == 1 && all[0]["reports"] == 5
    })
    .await;
    assert_eq!(rows(&expert).await[0]["last_hour"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_acknowledged_explained_to_the_counters_and_closed_with_person_and_time() {
    let hub = TestHub::start().await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    a_matter(&hub, &mut one, &mut other).await;
    let expert = hub.sign_in("expert").await;
    let management = hub.sign_in("management").await;
    let id = raised(&expert).await["id"].as_str().unwrap().to_owned();
    let path = |step: &str| format!("/api/alarms/{id}/{step}");
    one.hello().await;
    let known = |page: &suda_sync::Page| page.directory.clone().unwrap().known_matters;
    assert!(
        known(&one.pull(0).await).is_empty(),
        "nobody has explained it yet"
    );

    expert.post(&path("acknowledge"), json!({})).await;
    let again = expert.refused(&path("acknowledge"), json!({})).await;
    assert_eq!(again.1, "not_in_this_state");
    let empty = expert
        .refused(&path("explain"), json!({ "say": " " }))
        .await;
    assert_eq!(empty.1, "required");
    let say = "基站由街道批准，辐射检测合格，检测报告可在前台查看";
    expert.post(&path("explain"), json!({ "say": say })).await;
    let matters = known(&one.pull(0).await);
    assert_eq!(matters.len(), 1);
    assert_eq!((matters[0].say.as_str(), matters[0].reports), (say, 4));
    assert!(
        matters[0]
            .pieces
            .iter()
            .any(|piece| piece.contains("翠屏苑"))
    );
    assert_eq!(matters[0].members.len(), 2, "those of the own branch alone");

    let closed = management
        .post(&path("close"), json!({ "note": "基站已移走" }))
        .await;
    let steps: Vec<_> = closed["steps"].as_array().unwrap().iter().collect();
    let did: Vec<_> = steps
        .iter()
        .map(|step| (&step["step"], &step["name"]))
        .collect();
    assert_eq!(
        did,
        [
            (&json!("acknowledge"), &json!("姓名 expert")),
            (&json!("explain"), &json!("姓名 expert")),
            (&json!("close"), &json!("姓名 management")),
        ]
    );
    assert!(
        known(&one.pull(0).await).is_empty(),
        "what is over is told no more"
    );
    assert!(rows(&expert).await.is_empty());
    let past = expert.get("/api/alarms?closed=true").await;
    assert_eq!(past.as_array().unwrap().len(), 1);
    let late = expert
        .refused(&path("explain"), json!({ "say": say }))
        .await;
    assert_eq!(late.1, "not_in_this_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_same_burst_is_not_raised_again() {
    let hub = TestHub::start().await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    a_matter(&hub, &mut one, &mut other).await;
    let id = raised(&hub.sign_in("expert").await).await["id"].clone();
    let clock = hub.clock.clone();
    let dir = hub.stop().await.unwrap();
    let hub = TestHub::start_in(dir.path(), clock).await;
    one.at(&hub);
    // What is added behind the restart joins the alarm of before: by then
    // everything before it has been judged again.
    one.hand_off(hub.clock.now(), MATTER[4], Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    eventually("the fifth joins", async || {
        rows(&expert)
            .await
            .first()
            .is_some_and(|row| row["reports"] == 5)
    })
    .await;
    let all = rows(&expert).await;
    assert_eq!((all.len(), &all[0]["id"]), (1, &id));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_raise_one_alarm() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("alarms").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    store.close().await;
    let clock = TestClock::new();
    let hubs = [
        TestHub::over(&url, clock.clone()).await,
        TestHub::over(&url, clock).await,
    ];
    let mut one = hubs[0].enrol("CQ0101", "clerk").await;
    let mut other = hubs[1].enrol("CQ0102", "clerk2").await;
    a_matter(&hubs[0], &mut one, &mut other).await;
    let expert = hubs[0].sign_in("expert").await;
    let id = raised(&expert).await["id"].clone();
    let [first, second] = hubs;
    // Whichever watched, the one that is left does.
    first.stop().await;
    other
        .hand_off(second.clock.now(), MATTER[4], Grade::Two)
        .await;
    let expert = second.sign_in("expert").await;
    eventually("the fifth joins", async || {
        rows(&expert)
            .await
            .first()
            .is_some_and(|row| row["reports"] == 5)
    })
    .await;
    let all = rows(&expert).await;
    assert_eq!((all.len(), &all[0]["id"]), (1, &id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_late_raises_nothing_that_its_days_would_not_have() {
    let hub = TestHub::start().await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut cut_off = hub.enrol("CQ0102", "clerk2").await;
    let expert = hub.sign_in("expert").await;
    for (text, n) in OTHERS.iter().zip(0..) {
        one.hand_off(days_ago(&hub, 6 - n), text, Grade::Two).await;
    }
    // One matter, told once in half a year: no burst, however they come in.
    for (text, n) in MATTER.iter().zip(0..) {
        let at = days_ago(&hub, 20 + 200 * n);
        cut_off.hand_off(at, text, Grade::Two).await;
    }
    one.hand_off(hub.clock.now(), "手机开不了机，要求换新", Grade::Two)
        .await;
    let path = "/api/alarms/look";
    assert_eq!(expert.post(path, json!({})).await["new"], 0);
    // The control: as many within days are one, and come in as late.
    for (text, n) in MATTER.iter().zip(0..) {
        let text = text
            .replace("翠屏苑楼顶", "锦绣花园北门")
            .replace("基站", "垃圾站");
        cut_off
            .hand_off(days_ago(&hub, 12 - n), &text, Grade::Two)
            .await;
    }
    let row = raised(&expert).await;
    assert!(
        row["title"].as_str().unwrap().contains("锦绣花园北门"),
        "{row}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_barred_from_a_member_does_not_see_it_in_the_alarm() {
    let hub = TestHub::start().await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    a_matter(&hub, &mut one, &mut other).await;
    let expert = hub.sign_in("expert").await;
    let row = raised(&expert).await;
    let whole = expert
        .get(&format!("/api/alarms/{}", row["id"].as_str().unwrap()))
        .await;
    let first = whole["members"][0]["id"].as_str().unwrap().to_owned();
    let about = hub.staff("expert2").await.id;
    let body = json!({ "staff": about, "reason": "当事人" });
    expert
        .post(&format!("/api/complaints/{first}/recuse"), body)
        .await;
    let barred = hub.sign_in("expert2").await;
    assert_eq!(rows(&barred).await[0]["reports"], 3);
    let (status, _) = expert.ask(Method::GET, "/api/alarms/nothing", None).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_is_told_of_other_branches_without_a_word_of_their_customers() {
    let hub = TestHub::start().await;
    let mut one = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    let mut own = support::intake(MATTER[0]);
    own.phone = "13900000001".into();
    one.hand_off_of(hub.clock.now(), own, Grade::Two).await;
    let mut theirs = support::intake(MATTER[0]);
    theirs.phone = "13900000002".into();
    let same_text = other.hand_off_of(hub.clock.now(), theirs, Grade::Two).await;
    let mut theirs = support::intake(OTHERS[0]);
    theirs.phone = "13900000001".into();
    other.hand_off_of(hub.clock.now(), theirs, Grade::Two).await;
    other.hand_off(hub.clock.now(), OTHERS[1], Grade::Two).await;
    let ask = async || {
        let ask = suda_sync::Ask::Twins {
            text: MATTER[0].into(),
            phone: "139 0000 0001".into(),
        };
        match one.ask(ask).await {
            suda_sync::Reply::Twins(twins) => twins,
            other => panic!("{other:?}"),
        }
    };
    let found = ask().await;
    let told: Vec<_> = found
        .iter()
        .map(|twin| (twin.percent == 100, twin.same_phone))
        .collect();
    assert_eq!(told, [(true, false), (false, true)], "{found:?}");
    assert!(found.iter().all(|twin| twin.branch.as_str() == "CQ0102"));
    let said = serde_json::to_string(&found).unwrap();
    for word in ["张小明", "1390000", "辐射", "排队"] {
        assert!(!said.contains(word), "{said}");
    }
    // What is about somebody is told to no desk.
    let expert = hub.sign_in("expert").await;
    let about = hub.staff("clerk").await.id;
    let body = json!({ "staff": about, "reason": "当事人" });
    expert
        .post(&format!("/api/complaints/{same_text}/recuse"), body)
        .await;
    assert_eq!(ask().await.len(), 1);
}
