//! Telling customers by SMS, through the default way out: a file. And the
//! questions they text, the outbox, and the commands.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use suda_domain::{ComplaintId, Complexity, Grade, Intake, Lane};
use suda_hub::sms::incoming;
use suda_hub::sms::settings::{SmsBy, SmsChange, SmsSettings};
use suda_hub::store::Reader;
use suda_hub::store::sms::{Sms, SmsState};
use support::{FakeDesk, Person, TestClock, TestHub, eventually, intake};

fn file(hub: &TestHub) -> PathBuf {
    hub.dir.join("sms.jsonl")
}

fn sent(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn wait_for(file: &Path, count: usize) -> Vec<Value> {
    eventually("texts are sent", async || sent(file).len() >= count).await;
    let texts = sent(file);
    assert_eq!(texts.len(), count);
    texts
}

fn words(line: &Value) -> &str {
    line["text"].as_str().unwrap()
}

async fn texts(hub: &TestHub) -> Vec<Sms> {
    hub.hub
        .store
        .sms_page(false, None, 100, Reader::Program)
        .await
        .unwrap()
}

async fn reference(hub: &TestHub, id: ComplaintId) -> String {
    let held = hub
        .hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    held.complaint.reference.to_string()
}

/// Records a simple complaint with another form.
async fn record(desk: &mut FakeDesk, hub: &TestHub, intake: Intake) -> ComplaintId {
    let now = hub.clock.now();
    let (id, _, events) = desk
        .pen
        .record(now, intake, Grade::Three, Complexity::Simple);
    desk.hello().await;
    let first = desk.pen.heads[Lane::Ordinary.index()].0 - 1;
    desk.batch(Lane::Ordinary, first, events).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_is_told_each_state_in_the_words_of_the_receipt() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网三天", Grade::Two).await;
    let reference = reference(&hub, id).await;
    let [first] = wait_for(&file(&hub), 1).await.try_into().unwrap();
    assert_eq!(first["to"], "8613800138000");
    assert_eq!(
        words(&first),
        format!("【测试通信】您的投诉已受理，编号{reference}。回复TS查询进度。")
    );
    let expert = hub.sign_in("expert").await;
    let department = hub.staff("department").await;
    let post = async |step: &str, body: Value| {
        expert
            .post(&format!("/api/complaints/{id}/{step}"), body)
            .await
    };
    post("claim", json!({})).await;
    let due = hub.clock.now() + TimeDelta::hours(20);
    let dispatch = json!({"department": department.id, "question": "查线路", "due_at": due});
    post("dispatch", dispatch).await;
    let told = wait_for(&file(&hub), 2).await;
    assert!(words(&told[1]).contains("已派专业部门查证处理"), "{told:?}");
    post("ask", json!({ "of": "customer", "text": "几点断的？" })).await;
    let told = wait_for(&file(&hub), 3).await;
    assert!(words(&told[2]).contains("需要您补充情况"), "{told:?}");
    let until = hub.clock.now() + TimeDelta::days(20);
    let more = json!({ "until": until, "reason": "第三方检测" });
    post("request-extension", more.clone()).await;
    let manager = hub.sign_in("management").await;
    manager
        .post(&format!("/api/complaints/{id}/extend"), more)
        .await;
    let told = wait_for(&file(&hub), 4).await;
    let china = chrono::FixedOffset::east_opt(8 * 3600).unwrap();
    let day = until.with_timezone(&china).format("%Y年%-m月%-d日");
    assert!(
        words(&told[3]).contains(&format!("最迟{day}答复您")),
        "{told:?}"
    );
    let everything = std::fs::read_to_string(file(&hub)).unwrap();
    for secret in [
        "几点",
        "第三方",
        "张",
        "断网",
        "500101199001011234",
        "查线路",
    ] {
        assert!(!everything.contains(secret), "{secret}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file(&hub)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The same events again tell nothing again.
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_sleep_from_nine_to_eight_whatever_the_grade() {
    let hub = TestHub::start().await;
    // No pause between two texts in which the next answer could be first.
    let settings = SmsSettings::default().with(SmsChange {
        per_minute: Some(60_000_000),
        ..SmsChange::default()
    });
    hub.hub.store.put_sms_settings(&settings).await.unwrap();
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    // From ten in the morning to a minute past nine in the evening.
    hub.clock.advance(TimeDelta::minutes(11 * 60 + 1));
    let id = desk.hand_off(hub.clock.now(), "断网", Grade::One).await;
    let reference = reference(&hub, id).await;
    ask(&hub, "13800138000", &reference).await;
    let answer = wait_for(&file(&hub), 1).await;
    assert!(
        words(&answer[0]).contains(&format!("{reference}：已受理")),
        "who asks is awake"
    );
    hub.clock.advance(TimeDelta::minutes(10 * 60 + 58));
    // Each answer shows that the sender has looked again, a minute to eight.
    for number in 2..=12 {
        ask(&hub, &format!("138001380{number:02}"), "TS").await;
        let told = wait_for(&file(&hub), number).await;
        assert!(words(&told[number - 1]).contains("没有查到"), "{told:?}");
    }
    hub.clock.advance(TimeDelta::minutes(1));
    let told = wait_for(&file(&hub), 13).await;
    assert!(words(&told[12]).contains("您的投诉已受理"));
    hub.stop().await;
}

async fn ask(hub: &TestHub, from: &str, text: &str) -> bool {
    let settings = hub.hub.store.sms_settings().await.unwrap();
    incoming::answer(&hub.hub, &settings, from, text)
        .await
        .unwrap()
}

/// A hub whose organisation has no name.
async fn without_organisation() -> (tempfile::TempDir, TestHub) {
    let hub = TestHub::start().await;
    let dir = hub.stop().await.unwrap();
    let file = SqliteConnectOptions::new().filename(dir.path().join("hub.db"));
    let mut raw = file.connect().await.unwrap();
    name_organisation(&mut raw, "").await;
    raw.close().await.unwrap();
    let hub = TestHub::start_in(dir.path(), TestClock::new()).await;
    (dir, hub)
}

async fn name_organisation(raw: &mut sqlx::SqliteConnection, name: &str) {
    sqlx::query("UPDATE setting SET value = ? WHERE name = 'organisation'")
        .bind(json!(name).to_string())
        .execute(raw)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_without_a_parameter_fails_at_the_desk_and_is_sent_again_by_hand() {
    let (dir, hub) = without_organisation().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    eventually("it fails", async || {
        let texts = texts(&hub).await;
        texts
            .first()
            .is_some_and(|text| text.state == SmsState::Failed)
    })
    .await;
    let administrator = hub.sign_in("administrator").await;
    let outbox = administrator.get("/api/sms").await;
    let row = &outbox["rows"][0];
    assert_eq!(row["error"], "parameter_missing_organisation");
    assert_eq!((&row["text"], &row["alarm"]), (&Value::Null, &json!(false)));
    assert_eq!(outbox["failing"]["count"], 1);
    hub.clock.advance(TimeDelta::minutes(31));
    let outbox = administrator.get("/api/sms?failing=true").await;
    assert_eq!(outbox["failing"]["alarm"], true);
    assert_eq!(outbox["rows"][0]["alarm"], true);
    let id = outbox["rows"][0]["id"].as_str().unwrap().to_owned();
    hub.stop().await;

    let options = SqliteConnectOptions::new().filename(dir.path().join("hub.db"));
    let mut raw = options.connect().await.unwrap();
    name_organisation(&mut raw, "某某通信").await;
    raw.close().await.unwrap();
    let hub = TestHub::start_in(dir.path(), TestClock::new()).await;
    let expert = hub.sign_in("expert").await;
    let path = format!("/api/sms/{id}/retry");
    let (status, _) = expert.ask(Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let told = wait_for(&file(&hub), 1).await;
    assert!(words(&told[0]).starts_with("【某某通信】"));
    let (status, _) = expert.ask(Method::POST, &path, None).await;
    assert_ne!(status, StatusCode::NO_CONTENT, "once");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_is_closed_holds_texts_back_until_it_opens_or_they_are_old() {
    let hub = TestHub::start().await;
    let store = &hub.hub.store;
    let away = |by| SmsChange {
        by: Some(by),
        ..SmsChange::default()
    };
    let nowhere = hub.dir.join("absent").join("sms.jsonl");
    let path = Some(nowhere.clone());
    let settings = SmsSettings::default().with(away(SmsBy::File { path }));
    store.put_sms_settings(&settings).await.unwrap();
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    eventually("it fails", async || {
        store.sms_failing().await.unwrap().way.count == 1
    })
    .await;
    let [text] = texts(&hub).await.try_into().unwrap();
    assert_eq!(text.error.as_deref(), Some("file_unwritable"));
    assert_eq!(text.state, SmsState::Waiting);
    hub.clock.advance(TimeDelta::hours(48));
    eventually("it is given up", async || {
        texts(&hub).await[0].state == SmsState::GivenUp
    })
    .await;
    desk.hand_off(hub.clock.now(), "慢", Grade::Two).await;
    std::fs::create_dir(hub.dir.join("absent")).unwrap();
    eventually("the next is sent by itself", async || {
        hub.clock.advance(TimeDelta::seconds(1));
        sent(&nowhere).len() == 1
    })
    .await;
    assert!(sent(&file(&hub)).is_empty());
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_to_whose_complaint_it_is_and_to_nobody_else() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut references = Vec::new();
    for text in ["断网", "多扣费", "慢", "又断网"] {
        hub.clock.advance(TimeDelta::minutes(1));
        let id = desk.hand_off(hub.clock.now(), text, Grade::Two).await;
        references.push(reference(&hub, id).await);
    }
    let other = Intake {
        phone: "13900139000".into(),
        // Somebody else's complaint that mentions the number.
        description: "请联系 13800138000".into(),
        ..intake("x")
    };
    let other = record(&mut desk, &hub, other).await;
    let other = reference(&hub, other).await;
    wait_for(&file(&hub), 5).await;
    while hub.hub.store.index_texts(100).await.unwrap() > 0 {}

    let mut seen = 5;
    let mut answer = async |from: &str, text: &str| {
        assert!(ask(&hub, from, text).await, "{text}");
        seen += 1;
        let told = wait_for(&file(&hub), seen).await;
        words(&told[seen - 1]).to_owned()
    };
    let own = answer("8613800138000", &references[0]).await;
    assert_eq!(own, format!("【测试通信】{}：已受理。", references[0]));
    let latest = answer("13800138000", "ｔｓ").await;
    for reference in &references[1..] {
        assert!(latest.contains(reference), "{latest}");
    }
    assert!(!latest.contains(&references[0]), "three at most: {latest}");
    assert!(!latest.contains(&other), "{latest}");
    let unknown = answer("13800138000", "你好").await;
    assert!(unknown.contains("没有查到"));
    assert_eq!(answer("13800138000", &other).await, unknown, "another's");
    assert_eq!(answer("13700137000", &references[0]).await, unknown);
    assert_eq!(answer("13700137000", "TS").await, unknown);
    // The fifth of the hour, and then nothing.
    answer("13800138000", "TS").await;
    assert!(!ask(&hub, "13800138000", "TS").await);
    assert!(!ask(&hub, "8613800138000", &references[0]).await);
    assert!(!ask(&hub, "10086", "TS").await, "no telephone");
    hub.clock.advance(TimeDelta::minutes(61));
    answer("13800138000", "TS").await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_shows_no_number_and_not_to_branches_or_departments() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    for text in ["断网", "慢", "多扣费"] {
        hub.clock.advance(TimeDelta::seconds(1));
        desk.hand_off(hub.clock.now(), text, Grade::Two).await;
    }
    wait_for(&file(&hub), 3).await;
    let expert = hub.sign_in("expert").await;
    let first = expert.get("/api/sms?limit=2").await;
    assert_eq!(first["rows"].as_array().unwrap().len(), 2);
    assert_eq!(first["rows"][0]["to"], "138****8000");
    assert_eq!(
        first["failing"],
        json!({"count": 0, "since": null, "alarm": false})
    );
    let next = first["next"].as_str().unwrap();
    let rest = expert.get(&format!("/api/sms?limit=2&after={next}")).await;
    assert_eq!(rest["rows"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next"], Value::Null);
    assert!(!format!("{first}{rest}").contains("13800138000"));
    let refused = async |person: &Person, path: &str| person.ask(Method::GET, path, None).await.0;
    assert_eq!(
        refused(&expert, "/api/sms?after=x").await,
        StatusCode::BAD_REQUEST
    );
    for login in ["clerk", "branch_manager", "department"] {
        let person = hub.sign_in(login).await;
        assert_eq!(refused(&person, "/api/sms").await, StatusCode::FORBIDDEN);
    }
    hub.stop().await;
}

fn program(arguments: &[&str], data: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_suda-hub"))
        .arg("sms")
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_beside_a_hub_and_without_one() {
    let hub = TestHub::start().await;
    let data = hub.dir.clone();
    let shown = lines(&program(&["show", "--json"], &data));
    assert_eq!(shown[0]["by"], json!({"by": "file", "path": null}));
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    wait_for(&file(&hub), 1).await;
    eventually("noted", async || {
        texts(&hub).await[0].state == SmsState::Delivered
    })
    .await;
    let outbox = lines(&program(&["outbox", "--json"], &data));
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0]["state"], "delivered");
    assert_eq!(outbox[0]["to"], "138****8000");
    let table = program(&["outbox"], &data);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("0 failing\n0 wait"), "{table}");
    let id = outbox[0]["id"].as_str().unwrap();
    let retried = program(&["retry", id, "--json"], &data);
    let error = String::from_utf8(retried.stderr).unwrap();
    assert!(!retried.status.success() && error.trim().lines().count() == 1);
    assert!(error.contains("has failed"), "{error}");
    let dir = hub.stop().await.unwrap();

    // Without one, and kept.
    let secret = dir.path().join("password");
    std::fs::write(&secret, "geheim").unwrap();
    let smpp = [
        "use-smpp",
        "--host",
        "smsc.example",
        "--system-id",
        "suda",
        "--password-file",
        secret.to_str().unwrap(),
        "--json",
    ];
    let set = lines(&program(&smpp, &data));
    assert_eq!(set[0]["by"]["host"], "smsc.example");
    assert_eq!(set[0]["by"]["port"], 2775);
    lines(&program(
        &[
            "set",
            "--quiet-from",
            "22:30",
            "--per-minute",
            "30",
            "--json",
        ],
        &data,
    ));
    let shown = program(&["show"], &data);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(
        text.contains("22:30 to 08:00") && text.contains("30 a minute"),
        "{text}"
    );
    assert!(text.contains("smsc.example:2775"), "{text}");
    assert!(!text.contains("geheim"));
    let zero = program(&["set", "--per-minute", "0"], &data);
    assert!(!zero.status.success());
    let back = lines(&program(&["use-file", "--json"], &data));
    assert_eq!(back[0]["by"], json!({"by": "file", "path": null}));
    assert_eq!(back[0]["per_minute"], 30, "the rest stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_desks_send_again_to_a_restored_hub_waits_for_a_persons_word() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    wait_for(&file(&hub), 1).await;
    eventually("noted", async || {
        texts(&hub).await[0].state == SmsState::Delivered
    })
    .await;
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("hub.backup");
    hub.hub.store.backup(&copy).await.unwrap();
    // Told after the backup: the restored hub does not know of it.
    let now = hub.clock.now();
    let (_, _, again) = desk
        .pen
        .record(now, intake("多扣费"), Grade::Three, Complexity::Simple);
    let first = desk.pen.heads[Lane::Ordinary.index()].0 - 1;
    desk.hello().await;
    desk.batch(Lane::Ordinary, first, again.clone()).await;
    wait_for(&file(&hub), 2).await;
    let dir = hub.stop().await.unwrap();
    let restored = now + TimeDelta::hours(1);
    suda_hub::store::sqlite::restore(&copy, dir.path(), "second".into(), restored)
        .await
        .unwrap();

    let hub = TestHub::start_in(dir.path(), TestClock::new()).await;
    hub.clock.advance(TimeDelta::hours(2));
    desk.at(&hub);
    desk.hello().await;
    desk.batch(Lane::Ordinary, first, again).await;
    desk.hand_off(hub.clock.now(), "换卡", Grade::Two).await;
    let told = wait_for(&file(&hub), 3).await;
    let administrator = hub.sign_in("administrator").await;
    let outbox = administrator.get("/api/sms").await;
    assert_eq!(outbox["held"], 1, "{outbox}");
    assert_eq!(outbox["failing"]["count"], 0);
    let held = outbox["rows"].as_array().unwrap().iter();
    let [held] = held
        .filter(|row| row["state"] == "held")
        .collect::<Vec<_>>()[..]
    else {
        panic!("{outbox}")
    };
    assert!(
        !words(&told[2]).contains(held["reference"].as_str().unwrap()),
        "what is new is told"
    );

    let expert = hub.sign_in("expert").await;
    let refused = expert.refused("/api/sms/held/release", json!({})).await;
    assert_eq!(refused.0, StatusCode::FORBIDDEN);
    let why = json!({ "reason": "备份前已发送" });
    let discarded = administrator.post("/api/sms/held/discard", why).await;
    assert_eq!(discarded["count"], 1);
    let outbox = administrator.get("/api/sms").await;
    assert_eq!(outbox["held"], 0);
    let released = administrator.post("/api/sms/held/release", json!({})).await;
    assert_eq!(released["count"], 0, "it is decided");
    assert_eq!(sent(&file(&hub)).len(), 3);
    hub.stop().await;
}
