//! Written answers at the hub's doors: made once, kept as made, and checked
//! against the ledger.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::complaint::Complaint;
use suda_domain::{ComplaintId, Fact, Grade, Lane, LetterId};
use suda_hub::store::Upkeep as _;
use suda_hub::store::sqlite::SqliteStore;
use suda_sync::evidence::sha256;
use support::{Person, TestHub};

/// A complaint that was handed off, solved and answered.
async fn answered(hub: &TestHub, expert: &Person, answer: Value) -> ComplaintId {
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    expert.post(&path("claim"), json!({})).await;
    let report = json!({ "root_cause": "重复计费", "impact": "一人", "proposal": "退费" });
    expert.post(&path("report"), report).await;
    expert
        .post(&path("start-solving"), json!({ "plan": [] }))
        .await;
    expert
        .post(&path("implement"), json!({ "summary": "已退费" }))
        .await;
    expert.post(&path("answer"), answer).await;
    id
}

fn usual() -> Value {
    json!({
        "decision": "partly_upheld",
        "text": "多扣的话费已退回您的账户。",
        "reasons": "系统重复计费一次，其余扣费有您的书面确认。",
        "remedy": "退还话费 58.50 元。",
        "amount_minor": 5850,
    })
}

fn letters(id: ComplaintId) -> String {
    format!("/api/complaints/{id}/letters")
}

/// The file of a letter with its headers.
async fn file(
    hub: &TestHub,
    who: &Person,
    letter: &Value,
) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let path = format!("/api/letters/{}", letter["id"].as_str().unwrap());
    let request = hub.client.get(hub.url(&path)).header("cookie", &who.cookie);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers().clone();
    (headers, answer.bytes().await.unwrap().to_vec())
}

async fn complaint(hub: &TestHub, id: ComplaintId) -> Complaint {
    hub.hub
        .store
        .complaint(id, suda_hub::store::Reader::Program)
        .await
        .unwrap()
        .unwrap()
        .into_complaint()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_made_once_kept_as_it_was_made_and_named_in_the_ledger() {
    let hub = TestHub::start().await;
    let expert = hub.sign_in("expert").await;
    let id = answered(&hub, &expert, usual()).await;
    assert_eq!(expert.get(&letters(id)).await, json!([]));
    let a4 = json!({ "kind": "letter", "language": "zh-CN" });
    // Two clicks at once are one letter.
    let path = letters(id);
    let (one, other) = tokio::join!(
        expert.post(&path, a4.clone()),
        expert.post(&path, a4.clone())
    );
    assert_eq!(one, other);
    let (headers, bytes) = file(&hub, &expert, &one).await;
    assert!(bytes.starts_with(b"%PDF-"));
    assert_eq!(one["sha256"], sha256(&bytes).to_string());
    assert_eq!(one["bytes"], bytes.len());
    assert_eq!(headers["content-type"], "application/pdf");
    let named = headers["content-disposition"].to_str().unwrap();
    let reference = complaint(&hub, id).await.reference;
    assert_eq!(
        named,
        format!("inline; filename=\"{reference}-letter.pdf\"")
    );

    // What is set anew later changes no letter that was made.
    let admin = hub.sign_in("administrator").await;
    let set = json!({ "contact": { "zh_cn": "客服专线 10086" }, "next_level_days": 10 });
    let (status, _) = admin
        .ask(Method::PUT, "/api/letter-settings", Some(set))
        .await;
    assert_eq!(status, StatusCode::OK);
    hub.clock.advance(chrono::TimeDelta::minutes(10));
    assert_eq!(expert.post(&letters(id), a4).await, one);
    assert_eq!(file(&hub, &expert, &one).await.1, bytes);

    let receipt = json!({ "kind": "receipt", "language": "en" });
    expert.post(&letters(id), receipt).await;
    let listed = expert.get(&letters(id)).await;
    let kinds: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["letter", "receipt"]);
    let ledger = hub
        .hub
        .store
        .timeline(id, suda_hub::store::Reader::Program)
        .await
        .unwrap();
    let made: Vec<String> = ledger
        .iter()
        .filter_map(|stored| match stored.sealed.open().unwrap().fact {
            Fact::LetterMade { letter } => Some(letter.sha256),
            _ => None,
        })
        .collect();
    assert_eq!(made[0], one["sha256"].as_str().unwrap());
    assert_eq!(made.len(), 2, "the ledger names each once");
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_read_the_whole_complaint_read_its_letters() {
    let hub = TestHub::start().await;
    let expert = hub.sign_in("expert").await;
    let id = answered(&hub, &expert, usual()).await;
    let asked = json!({ "kind": "letter", "language": "zh-CN" });
    let manager = hub.sign_in("branch_manager").await;
    let made = manager.post(&letters(id), asked.clone()).await;
    let path = format!("/api/letters/{}", made["id"].as_str().unwrap());
    for (who, list, read) in [
        ("management", StatusCode::OK, StatusCode::OK),
        ("auditor", StatusCode::OK, StatusCode::OK),
        ("clerk2", StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
        ("department", StatusCode::FORBIDDEN, StatusCode::FORBIDDEN),
        (
            "administrator",
            StatusCode::FORBIDDEN,
            StatusCode::FORBIDDEN,
        ),
    ] {
        let who_is = hub.sign_in(who).await;
        let (status, _) = who_is.ask(Method::GET, &letters(id), None).await;
        assert_eq!(status, list, "{who} lists");
        let (status, _) = who_is.ask(Method::GET, &path, None).await;
        assert_eq!(status, read, "{who} reads");
    }
    for who in ["auditor", "clerk"] {
        let person = hub.sign_in(who).await;
        let (status, _) = person.refused(&letters(id), asked.clone()).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{who} makes none");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_or_lacks_a_part_gets_no_letter() {
    let hub = TestHub::start().await;
    let expert = hub.sign_in("expert").await;
    let asked = json!({ "kind": "letter", "language": "zh-CN" });
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let open = desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    assert_eq!(
        expert.refused(&letters(open), asked.clone()).await,
        (StatusCode::CONFLICT, "not_in_this_state".into())
    );
    let mut answer = usual();
    answer["remedy"] = json!(" ");
    let id = answered(&hub, &expert, answer).await;
    let (status, error) = expert.ask(Method::POST, &letters(id), Some(asked)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(error["code"], "letter_incomplete");
    assert_eq!(error["params"]["parts"], "remedy");
    assert_eq!(expert.get(&letters(id)).await, json!([]));
    assert!(complaint(&hub, id).await.letters.is_empty());
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_looked_over_for_numbers_and_names_of_people_before_it_is_sent() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    let path = format!("/api/complaints/{id}/look-over");
    let name = hub.staff("expert2").await.name;
    let department = hub.staff("department").await;
    let text = format!("{name}已转{}处理，请拨13800138000。", department.name);
    let found = expert.post(&path, json!({ "texts": [text, ""] })).await;
    let expected = json!([
        { "kind": "staff_name", "piece": name },
        { "kind": "phone", "piece": "13800138000" },
    ]);
    assert_eq!(found, expected);
    let clean = json!({ "texts": ["多扣的话费已退回您的账户。"] });
    assert_eq!(expert.post(&path, clean).await, json!([]));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_says_its_sum_in_the_currency_of_the_installation() {
    let hub = TestHub::start().await;
    let administrator = hub.sign_in("administrator").await;
    let path = "/api/letter-settings";
    let mut settings = administrator.get(path).await;
    assert_eq!(settings["currency"], "cny");
    settings["currency"] = "hkd".into();
    let kept = administrator.ask(Method::PUT, path, Some(settings)).await;
    assert_eq!(kept.0, StatusCode::OK);
    assert_eq!(administrator.get(path).await["currency"], "hkd");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simple_complaint_gets_its_short_summary() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网", Grade::Three).await;
    let expert = hub.sign_in("expert").await;
    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    expert.post(&path("claim"), json!({})).await;
    expert
        .post(&path("return"), json!({ "reason": "营业厅可当场处理" }))
        .await;
    let entries = desk.pull_all().await;
    let owner_no = support::fold(&entries, id).owner_no;
    let n = desk.pen.heads[1].0 + 1;
    let settled = Fact::Settled {
        summary: "已重启光猫，当场恢复。".into(),
        remedy: String::new(),
        amount_minor: None,
        guidance: None,
        deviation: String::new(),
    };
    let event = desk
        .pen
        .write(Lane::Ordinary, id, owner_no, hub.clock.now(), settled);
    desk.batch(Lane::Ordinary, n, vec![event]).await;
    let manager = hub.sign_in("branch_manager").await;
    let receipt = json!({ "kind": "receipt", "language": "zh-CN" });
    let made = manager.post(&letters(id), receipt).await;
    assert!(file(&hub, &manager, &made).await.1.starts_with(b"%PDF-"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_chinese_font_letters_answer_with_a_code_and_all_else_goes_on() {
    let hub = TestHub::start().await;
    hub.hub
        .letters
        .take_fonts_from(hub.dir.join("no fonts here"));
    let expert = hub.sign_in("expert").await;
    let id = answered(&hub, &expert, usual()).await;
    let asked = json!({ "kind": "letter", "language": "zh-CN" });
    assert_eq!(
        expert.refused(&letters(id), asked).await,
        (StatusCode::SERVICE_UNAVAILABLE, "no_fonts".into())
    );
    assert_eq!(expert.get(&letters(id)).await, json!([]));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_letter_is_not_given_out_and_verify_names_it() {
    let hub = TestHub::start().await;
    let expert = hub.sign_in("expert").await;
    let id = answered(&hub, &expert, usual()).await;
    let asked = json!({ "kind": "letter", "language": "zh-CN" });
    let made = expert.post(&letters(id), asked).await;
    let letter: LetterId = made["id"].as_str().unwrap().parse().unwrap();
    let reference = complaint(&hub, id).await.reference;
    // Somebody with the disk puts another amount into the file.
    let database = hub.dir.join("hub.db");
    let altered = "UPDATE letter SET data = CAST(data || x'00' AS BLOB)";
    run(&database, altered).await;
    let (status, error) = expert
        .ask(Method::GET, &format!("/api/letters/{letter}"), None)
        .await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(error["code"], "letter_altered");
    let dir = hub.stop().await.unwrap();
    let fault = async || {
        let store = SqliteStore::open(dir.path(), false).await.unwrap();
        let fault = store.verify().await.unwrap().fault.unwrap();
        store.close().await;
        fault
    };
    let bad = fault().await;
    assert_eq!(bad.row, format!("letter {letter} of complaint {reference}"));
    assert_eq!(bad.reason, "its bytes do not give the hash in the ledger");
    run(&dir.path().join("hub.db"), "DELETE FROM letter").await;
    assert_eq!(fault().await.reason, "its file is missing");
}

async fn run(file: &std::path::Path, sql: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    let done = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}
