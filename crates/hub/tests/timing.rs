//! An administrator changes the rules of time: looks first, then does it, and
//! the desks count by the new ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::time::{Calendar, TimeRules};
use suda_domain::{Grade, Policy};
use suda_hub::store::Upkeep as _;
use support::{Person, TestClock, TestHub, initialised};

const TIME: &str = "/api/admin/time";
const PREVIEW: &str = "/api/admin/time/preview";

async fn put(admin: &Person, draft: Value) -> (StatusCode, Value) {
    admin.ask(Method::PUT, TIME, Some(draft)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_policy_holds_for_clocks_that_begin_after_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let admin = hub.sign_in("administrator").await;
    let old = desk
        .hand_off(hub.clock.now(), "合同照片看不清", Grade::Two)
        .await;
    hub.clock.advance(TimeDelta::minutes(1));
    let rules = admin.get(TIME).await;
    assert_eq!(rules["policy"]["cycle_working_days"], 7);
    let mut policy = rules["policy"].clone();
    policy["cycle_working_days"] = json!(5);
    let draft = json!({ "revision": rules["revision"], "policy": policy, "calendar": null });

    let preview = admin.post(PREVIEW, draft.clone()).await;
    assert_eq!(preview["problem"], Value::Null);
    assert_eq!(
        (&preview["running"], &preview["moved"]),
        (&json!(1), &json!(0))
    );
    let differs = |one: &&Value| one["before"] != one["after"];
    let examples: Vec<&Value> = preview["examples"].as_array().unwrap().iter().collect();
    assert_eq!(examples.len(), 9);
    let other: Vec<&Value> = examples.into_iter().filter(differs).collect();
    assert_eq!(other.len(), 1);
    assert_eq!(other[0]["clock"], "cycle");
    assert_eq!(other[0]["after"], "2026-07-28T02:01:00Z");
    assert_eq!(
        admin.get(TIME).await["policy"]["version"],
        1,
        "only looked at"
    );

    let (status, changed) = put(&admin, draft.clone()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(changed["policy"]["version"], 2);
    assert_eq!(changed["changes"][0]["by"], "姓名 administrator");
    let again = put(&admin, draft).await;
    assert_eq!(
        (again.0, again.1["code"].as_str()),
        (StatusCode::CONFLICT, Some("outdated"))
    );

    hub.clock.advance(TimeDelta::minutes(1));
    let new = desk
        .hand_off(hub.clock.now(), "多收一个月", Grade::Two)
        .await;
    let expert = hub.sign_in("expert").await;
    let cycle = async |id| {
        let view = expert.get(&format!("/api/complaints/{id}")).await;
        let clocks = view["deadlines"].as_array().unwrap().clone();
        let cycle = clocks.into_iter().find(|one| one["clock"] == "cycle");
        let cycle = cycle.unwrap();
        (cycle["due"].clone(), cycle["policy"].clone())
    };
    assert_eq!(cycle(old).await, (json!("2026-07-30T02:00:00Z"), json!(1)));
    assert_eq!(cycle(new).await, (json!("2026-07-28T02:02:00Z"), json!(2)));
    desk.hello().await;
    let told = desk.pull(0).await.directory.unwrap();
    assert_eq!(told.timekeeping().latest().cycle_working_days, 5);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_becomes_known_moves_what_runs_into_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    // Monday 28 December 2026: seven working days go on into 2027.
    hub.clock.advance(TimeDelta::days(160));
    let id = desk.hand_off(hub.clock.now(), "年底断网", Grade::Two).await;
    let admin = hub.sign_in("administrator").await;
    let expert = hub.sign_in("expert").await;
    let cycle = async || {
        let view = expert.get(&format!("/api/complaints/{id}")).await;
        let clocks = view["deadlines"].as_array().unwrap().clone();
        let found = clocks.into_iter().find(|one| one["clock"] == "cycle");
        found.unwrap()
    };
    assert_eq!(
        cycle().await["calendar_covered"],
        false,
        "told, not guessed"
    );
    let rules = admin.get(TIME).await;
    assert_eq!(rules["years"], json!([2024, 2025, 2026]));
    let draft = |file: &str| json!({ "revision": rules["revision"], "calendar": file });

    let bad = admin
        .post(PREVIEW, draft("date,kind\n2027-01-01,feast"))
        .await;
    assert_eq!(
        bad["problem"],
        json!({ "part": "calendar_line", "line": 2 })
    );
    let refused = put(&admin, draft("date,kind\n")).await;
    assert_eq!(
        (refused.0, refused.1["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("rules_unusable"))
    );

    let good = draft("date,kind\n2027-01-01,holiday\n2027-01-02,makeup_workday\n");
    let preview = admin.post(PREVIEW, good.clone()).await;
    let year = json!({
        "year": 2027, "is_new": true, "holidays": 1, "makeup_workdays": 1, "half_days": 0,
        "changed": 0
    });
    assert_eq!(preview["years"], json!([year]));
    assert_eq!(
        (&preview["moved"], &preview["overdue"]),
        (&json!(0), &json!(0))
    );
    let holiday = draft("date,kind\n2027-01-01,holiday\n");
    let preview = admin.post(PREVIEW, holiday.clone()).await;
    assert_eq!(preview["moved"], 1);
    let first = preview["first_moved"][0].clone();
    assert_eq!(first["clock"], "cycle");

    assert_eq!(put(&admin, holiday).await.0, StatusCode::OK);
    let after = cycle().await;
    assert_eq!(
        (&after["due"], &after["calendar_covered"]),
        (&first["after"], &json!(true))
    );
    let orders = expert.get("/api/work-orders?view=queue").await;
    assert_eq!(orders["rows"].as_array().unwrap().len(), 1);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    desk.hello().await;
    let told = desk.pull(0).await.directory.unwrap();
    assert!(told.timekeeping().calendar().covers_year(2027));
    for login in ["expert", "management", "auditor"] {
        let somebody = hub.sign_in(login).await;
        assert_eq!(
            somebody.refused(PREVIEW, good.clone()).await.0,
            StatusCode::FORBIDDEN
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_without_a_ladder_gets_one_for_what_begins_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let store = initialised(dir.path()).await;
    store.close().await;
    drop(store);
    let hub = TestHub::start_in(dir.path(), clock.clone()).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(clock.now(), "光猫无法联网", Grade::Two).await;
    // As a program left it that knew of no ladder: the setting has no such part.
    let mut older = serde_json::to_value(Policy::default()).unwrap();
    older.as_object_mut().unwrap().remove("ladder");
    let older: Policy = serde_json::from_value(older).unwrap();
    assert_eq!(older.ladder, []);
    let store = &hub.hub.store;
    let before = store.settings().await.unwrap().time.rules();
    let rules = TimeRules {
        versions: vec![older],
        calendar: Calendar::china(),
    };
    assert!(
        store
            .replace_time(&before, &rules, Vec::new())
            .await
            .unwrap()
    );
    hub.stop().await;

    clock.advance(TimeDelta::days(30));
    let hub = TestHub::start_in(dir.path(), clock.clone()).await;
    let keep = hub.hub.store.settings().await.unwrap().time;
    assert_eq!(keep.latest().version, 2);
    assert!(!keep.latest().ladder.is_empty());
    let told = suda_hub::escalate::tell_due(&hub.hub).await.unwrap();
    assert_eq!(told, 0, "nobody is flooded with what is past");
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;
    let hub = TestHub::start_in(dir.path(), clock).await;
    let keep = hub.hub.store.settings().await.unwrap().time;
    assert_eq!(keep.latest().version, 2, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_previews_examples_are_of_the_branch_that_is_asked_for() {
    let hub = TestHub::start().await;
    let admin = hub.sign_in("administrator").await;
    let rules = admin.get("/api/admin/time").await;
    let mut policy = rules["policy"].clone();
    let mut hours = policy["hours"].clone();
    for day in hours["week"].as_array_mut().unwrap().iter_mut().take(3) {
        *day = json!([]);
    }
    policy["branch_hours"] = json!({ "CQ0102": hours });
    let due = async |branch: Value| {
        let draft = json!({
            "revision": rules["revision"],
            "policy": policy,
            "calendar": null,
            "branch": branch,
        });
        let preview = admin.post(PREVIEW, draft).await;
        let examples = preview["examples"].as_array().unwrap().clone();
        let cycle = examples.into_iter().find(|one| one["clock"] == "cycle");
        let cycle = cycle.unwrap();
        (preview["branch"].clone(), cycle["before"] != cycle["after"])
    };
    assert_eq!(
        due(Value::Null).await,
        (json!("CQ0101"), false),
        "the first"
    );
    assert_eq!(due(json!("CQ0102")).await, (json!("CQ0102"), true));
    assert_eq!(
        due(json!("CQ9999")).await,
        (json!("CQ0101"), false),
        "unknown"
    );
    hub.stop().await;
}
