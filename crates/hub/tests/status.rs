//! The customer's status page over HTTP: every way in and every wrong one,
//! what is shown and what never is, and what the customer does there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::intake::Representative;
use suda_domain::{
    Actor, Complaint, ComplaintId, Complexity, Fact, Grade, Intake, Lane, QuestionId, Role, State,
};
use suda_hub::queue::steps::plain;
use suda_hub::store::Reader;
use suda_sync::receipt_key::receipt_key;
use support::{FakeDesk, TestHub, actor, eventually, intake};
use uuid::Uuid;

/// A PNG of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

struct Page<'h> {
    hub: &'h TestHub,
    token: String,
}

async fn look_up(hub: &TestHub, body: Value) -> (StatusCode, Value) {
    let asked = hub.client.post(hub.url("/s/api/look-up")).json(&body);
    let answer = asked.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn complaint(hub: &TestHub, id: ComplaintId) -> Complaint {
    hub.hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap()
        .into_complaint()
}

async fn open(hub: &TestHub, id: ComplaintId) -> Page<'_> {
    let reference = complaint(hub, id).await.reference;
    let body = json!({ "reference": reference, "key": receipt_key(id) });
    let (status, opened) = look_up(hub, body).await;
    assert_eq!(status, StatusCode::OK, "{opened}");
    let token = opened["token"].as_str().unwrap().to_owned();
    Page { hub, token }
}

impl Page<'_> {
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.ask_once(method, path, body, Uuid::now_v7()).await
    }

    async fn ask_once(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Uuid,
    ) -> (StatusCode, Value) {
        let url = self.hub.url(&format!("/s/api/case{path}"));
        let mut asked = self.hub.client.request(method, url);
        asked = asked.header("authorization", format!("Bearer {}", self.token));
        asked = asked.header("idempotency-key", key.to_string());
        if let Some(body) = body {
            asked = asked.json(&body);
        }
        let answer = asked.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn case(&self) -> Value {
        let (status, case) = self.ask(Method::GET, "", None).await;
        assert_eq!(status, StatusCode::OK, "{case}");
        case
    }

    async fn post(&self, step: &str, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, &format!("/{step}"), Some(body))
            .await
    }

    async fn file(&self, name: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        let url = self.hub.url(&format!("/s/api/case/evidence?name={name}"));
        let asked = self.hub.client.post(url).body(bytes);
        let asked = asked.header("authorization", format!("Bearer {}", self.token));
        let answer = asked.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

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

/// Writes what a person decides, through the same rules as every step.
async fn step(hub: &TestHub, id: ComplaintId, who: &Actor, fact: Fact) {
    let kind = fact.kind();
    let done = hub.hub.step(id, who.clone(), None, plain(fact)).await;
    assert!(done.is_ok(), "{kind:?}: {:?}", done.err());
}

fn fact(json: Value) -> Fact {
    serde_json::from_value(json).unwrap()
}

async fn who(hub: &TestHub, login: &str) -> Actor {
    actor(&hub.staff(login).await)
}

const ANSWER: &str = "张小明先生：线路已修复，电话 13800138000 已恢复。经办 姓名 expert";

/// A complaint that went the whole way to its answer.
async fn answered(hub: &TestHub, desk: &mut FakeDesk) -> ComplaintId {
    let id = desk.hand_off(hub.clock.now(), "断网三天", Grade::Two).await;
    let expert = who(hub, "expert").await;
    let department = who(hub, "department").await;
    let now = hub.clock.now();
    let lease = Uuid::now_v7();
    let task = Uuid::now_v7();
    let report = json!({"root_cause": "内部原因", "impact": "内部影响", "proposal": "内部建议"});
    let steps = [
        (
            &expert,
            json!({"kind": "claimed", "lease": lease, "until": now + TimeDelta::hours(1)}),
        ),
        (
            &expert,
            json!({"kind": "dispatched", "task": task, "department": department.staff,
                   "department_name": department.name, "question": "内部问题",
                   "due_at": now + TimeDelta::hours(20)}),
        ),
        (&department, json!({"kind": "noted", "text": "内部备注"})),
        (
            &department,
            json!({"kind": "reported", "task": task, "report": report}),
        ),
        (&expert, json!({"kind": "solving_started", "plan": []})),
        (
            &expert,
            json!({"kind": "implemented", "summary": "内部小结"}),
        ),
        (
            &expert,
            json!({"kind": "answered", "decision": "upheld", "text": ANSWER,
                   "remedy": "减免一个月月租", "next_level": "省通信管理局"}),
        ),
    ];
    for (by, of) in steps {
        hub.clock.advance(TimeDelta::minutes(10));
        step(hub, id, by, fact(of)).await;
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn digits_and_the_receipts_key_open_the_case() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网三天", Grade::Two).await;
    let reference = complaint(&hub, id).await.reference.to_string();
    let spoken = reference.replace('-', " ").to_lowercase();
    for (reference, shown) in [
        (&reference, ("last4", "8000".to_owned())),
        (&spoken, ("last4", "８０００".to_owned())),
        (&reference, ("key", receipt_key(id))),
        (&reference, ("key", receipt_key(id).to_lowercase())),
    ] {
        let (status, opened) =
            look_up(&hub, json!({"reference": reference, shown.0: shown.1})).await;
        assert_eq!(status, StatusCode::OK, "{shown:?} {opened}");
        assert_eq!(opened["case"]["state"], "accepted");
        assert_eq!(
            opened["case"]["steps"][0]["at"],
            "2026-07-21T10:00:00+08:00"
        );
        assert_eq!(opened["case"]["next"]["stage"], "with_experts");
    }
    let represented = Intake {
        representative: Some(Representative {
            name: "王大力".into(),
            phone: "13911112222".into(),
            proof: "委托书".into(),
        }),
        ..intake("代办")
    };
    let id = record(&mut desk, &hub, represented).await;
    let reference = complaint(&hub, id).await.reference;
    let (status, _) = look_up(&hub, json!({"reference": reference, "last4": "2222"})).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_question_gets_the_same_answer_after_the_same_time() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网三天", Grade::Two).await;
    let nameless = Intake {
        anonymous: true,
        ..intake("匿名")
    };
    let anonymous = record(&mut desk, &hub, nameless).await;
    let unreached = Intake {
        phone: String::new(),
        email: "a@example.cn".into(),
        ..intake("没有电话")
    };
    let phoneless = record(&mut desk, &hub, unreached).await;
    let reference = async |id| complaint(&hub, id).await.reference.to_string();
    let known = reference(id).await;
    let none = desk.pen.reference(hub.clock.now()).to_string();
    let asked = [
        json!({"reference": known, "last4": "8001"}),
        json!({"reference": known, "last4": "138000"}),
        json!({"reference": known, "last4": ""}),
        json!({"reference": known, "key": receipt_key(anonymous)}),
        json!({"reference": none, "last4": "8000"}),
        json!({"reference": "CQ0101", "last4": "8000"}),
        json!({"reference": reference(anonymous).await, "last4": "8000"}),
        json!({"reference": reference(phoneless).await, "last4": "0000"}),
        json!({"reference": reference(phoneless).await, "last4": ""}),
    ];
    for body in asked {
        let began = Instant::now();
        let (status, mut answer) = look_up(&hub, body.clone()).await;
        let took = began.elapsed();
        answer["trace"] = Value::Null;
        let same = json!({"code": "wrong_credentials", "params": {}, "field": null,
                          "tone": "denied", "trace": null});
        assert_eq!(
            (status, &answer),
            (StatusCode::UNAUTHORIZED, &same),
            "{body}"
        );
        assert!(took >= Duration::from_millis(300), "{body} after {took:?}");
    }
    // The controls: the paper of the anonymous one opens it.
    let page = open(&hub, anonymous).await;
    assert_eq!(page.case().await["state"], "accepted");
}

/// Everything the hub logs while a test runs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_held_up_logged_and_counted_without_personal_data() {
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || to.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网三天", Grade::Two).await;
    let reference = complaint(&hub, id).await.reference;
    // All at once: what is in flight counts too.
    let guesses = (0..12).map(|n| {
        let body = json!({"reference": reference, "last4": format!("{n:04}")});
        look_up(&hub, body)
    });
    let answers = futures::future::join_all(guesses).await;
    let looked_at = |(status, _): &&(StatusCode, Value)| *status == StatusCode::UNAUTHORIZED;
    assert_eq!(answers.iter().filter(looked_at).count(), 5);
    let (_, held) = answers
        .iter()
        .find(|(status, _)| *status == StatusCode::TOO_MANY_REQUESTS)
        .unwrap();
    assert_eq!(held["params"]["retry_s"], "2");
    // The right digits have to wait as well, the paper has not.
    let right = json!({"reference": reference, "last4": "8000"});
    assert_eq!(
        look_up(&hub, right.clone()).await.0,
        StatusCode::TOO_MANY_REQUESTS
    );
    let page = open(&hub, id).await;
    assert_eq!(page.case().await["state"], "accepted");
    hub.clock.advance(TimeDelta::seconds(2));
    assert_eq!(look_up(&hub, right).await.0, StatusCode::OK);

    let metrics = hub.client.get(hub.url("/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        "suda_status_look_ups_total{result=\"opened\"} 2",
        "suda_status_look_ups_total{result=\"refused\"} 5",
        "suda_status_look_ups_total{result=\"held_up\"} 8",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let text = || String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert_eq!(text().matches("a look-up failed").count(), 5);
    assert_eq!(text().matches("a look-up was held up").count(), 8);
    let lines = text();
    let told = lines.lines().filter(|line| line.contains("a look-up"));
    for line in told {
        for secret in [
            reference.as_str(),
            "8000",
            "127.0.0.1",
            "张",
            &receipt_key(id),
        ] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_counts_as_the_proxy_says_only_where_it_is_trusted() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let guess = async |from: u32, desk: &mut FakeDesk| {
        let number = desk.pen.reference(hub.clock.now());
        let asked = hub.client.post(hub.url("/s/api/look-up"));
        let asked = asked.header("x-forwarded-for", format!("203.0.113.{from}"));
        let body = json!({"reference": number, "last4": "8000"});
        asked.json(&body).send().await.unwrap().status()
    };
    let mut held = 0;
    for n in 0..13 {
        // Nobody has named a proxy: the header is the client's own invention.
        held += u32::from(guess(n, &mut desk).await == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(held, 1);
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let proxy = "127.0.0.0/8".parse().unwrap();
    hub.hub.status.trust(std::iter::once(proxy).collect());
    for n in 0..13 {
        let number = desk.pen.reference(hub.clock.now());
        let asked = hub.client.post(hub.url("/s/api/look-up"));
        let asked = asked.header("x-forwarded-for", format!("1.1.1.1, 203.0.113.{n}"));
        let body = json!({"reference": number, "last4": "8000"});
        let status = asked.json(&body).send().await.unwrap().status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_its_own_case_for_half_an_hour() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let one = desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
    let other = desk.hand_off(hub.clock.now(), "多扣", Grade::Two).await;
    let (page, of_other) = (open(&hub, one).await, open(&hub, other).await);
    let reference = complaint(&hub, one).await.reference.to_string();
    assert_eq!(page.case().await["reference"], reference);
    assert_ne!(of_other.case().await["reference"], reference);
    // A question of the one case is not answered with the token of the other.
    let expert = who(&hub, "expert").await;
    let claim = json!({"kind": "claimed", "lease": Uuid::now_v7(), "until": hub.clock.now()});
    step(&hub, one, &expert, fact(claim)).await;
    let question = QuestionId(Uuid::now_v7());
    let ask = json!({"kind": "asked", "question": question, "of": "customer", "task": null,
                     "text": "哪一天开始的？"});
    step(&hub, one, &expert, fact(ask)).await;
    let reply = json!({"question": question, "text": "星期一"});
    let (status, _) = of_other.post("reply", reply.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(complaint(&hub, one).await.questions[0].replies.is_empty());
    assert_eq!(page.post("reply", reply).await.0, StatusCode::OK);
    hub.clock.advance(TimeDelta::minutes(30));
    for (method, path) in [(Method::GET, ""), (Method::POST, "/rate")] {
        let body = (method == Method::POST).then(|| json!({"score": 5}));
        let (status, error) = page.ask(method, path, body).await;
        assert_eq!(
            (status, &error["code"]),
            (StatusCode::UNAUTHORIZED, &json!("not_signed_in"))
        );
    }
    let nobody = Page {
        hub: &hub,
        token: String::new(),
    };
    assert_eq!(
        nobody.ask(Method::GET, "", None).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_and_nothing_internal_is_shown() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = answered(&hub, &mut desk).await;
    let page = open(&hub, id).await;
    let answered_case = page.case().await;
    let (_, reopened) = page
        .post("reopen", json!({"reason": "没有修好，我是张小明"}))
        .await;
    assert_eq!(reopened["cycle"], 2);
    let expert = who(&hub, "expert2").await;
    let claim = json!({"kind": "claimed", "lease": Uuid::now_v7(), "until": hub.clock.now()});
    step(&hub, id, &expert, fact(claim)).await;
    let asked = json!({"kind": "asked", "question": Uuid::now_v7(), "of": "branch", "task": null,
                       "text": "内部问营业厅"});
    step(&hub, id, &expert, fact(asked)).await;
    let asked = json!({"kind": "asked", "question": Uuid::now_v7(), "of": "customer", "task": null,
                       "text": "张小明先生，请补充。姓名 expert2"});
    step(&hub, id, &expert, fact(asked)).await;
    let case = page.case().await;
    for shown in [&answered_case, &reopened, &case] {
        let bytes = shown.to_string();
        for secret in [
            "张小明",
            "13800138000",
            "500101199001011234",
            "姓名",
            "clerk",
            "department",
            "内部",
            "解放碑",
            "CQ0101\"",
            "断网三天",
            &id.to_string(),
            &receipt_key(id),
        ] {
            assert!(!bytes.contains(secret), "{secret} in {bytes}");
        }
    }
    // The control: what is for the customer is there.
    let earlier = &case["earlier"][0];
    assert!(
        earlier["text"].as_str().unwrap().contains("线路已修复"),
        "{case}"
    );
    assert_eq!(earlier["remedy"], "减免一个月月租");
    assert_eq!(case["questions"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_states_come_with_their_times_and_what_is_next() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = answered(&hub, &mut desk).await;
    let page = open(&hub, id).await;
    let case = page.case().await;
    let at = |n: usize| case["steps"][n]["at"].as_str().unwrap().to_owned();
    assert_eq!(
        [at(0), at(1), at(2), at(3)],
        ["10:00", "10:20", "10:40", "11:10"].map(|t| format!("2026-07-21T{t}:00+08:00"))
    );
    assert_eq!(case["next"]["stage"], "call_back");
    assert_eq!(case["next"]["by"], "2026-07-28T11:10:00+08:00");
    assert_eq!(case["next"]["late"], false);
    assert_eq!(case["answer"]["decision"], "upheld");
    hub.clock.advance(TimeDelta::days(8));
    let page = open(&hub, id).await;
    assert_eq!(page.case().await["next"]["late"], true);
    // One settled at the counter skips the middle.
    let simple = record(&mut desk, &hub, intake("多扣话费")).await;
    let page = open(&hub, simple).await;
    let case = page.case().await;
    assert_eq!(case["next"]["stage"], "in_branch");
    assert_eq!(case["steps"][1]["at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_judges_once_a_click_and_has_it_taken_up_again() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = answered(&hub, &mut desk).await;
    let page = open(&hub, id).await;
    let rating = json!({"score": 2, "comment": "还是慢"});
    let key = Uuid::now_v7();
    for _ in 0..2 {
        let asked = page
            .ask_once(Method::POST, "/rate", Some(rating.clone()), key)
            .await;
        assert_eq!(asked.0, StatusCode::OK);
        assert_eq!(asked.1["rating"]["score"], 2);
    }
    let lines = hub.hub.store.timeline(id, Reader::Program).await.unwrap();
    let events: Vec<_> = lines
        .iter()
        .map(|line| line.sealed.open().unwrap())
        .collect();
    let rated: Vec<_> = events
        .iter()
        .filter(|e| matches!(e.fact, Fact::Rated { .. }))
        .collect();
    assert_eq!(rated.len(), 1, "a second click does nothing");
    assert_eq!(rated[0].actor.role, Role::Customer);
    for score in [0, 6] {
        let (status, _) = page.post("rate", json!({"score": score})).await;
        assert_ne!(status, StatusCode::OK);
    }
    let (status, error) = page.post("reopen", json!({"reason": "  "})).await;
    assert_eq!(
        (status, &error["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("reason"))
    );
    let (status, case) = page.post("reopen", json!({"reason": "又断了"})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&case["state"], &case["cycle"]),
        (&json!("accepted"), &json!(2))
    );
    assert_eq!(case["rating"], Value::Null);
    assert_eq!(
        complaint(&hub, id).await.past[0]
            .rating
            .as_ref()
            .unwrap()
            .score,
        2
    );
    let (status, error) = page.post("reopen", json!({"reason": "又断了"})).await;
    assert_eq!(
        (status, &error["code"]),
        (StatusCode::CONFLICT, &json!("not_in_this_state"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_for_good_names_the_next_level_instead() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = answered(&hub, &mut desk).await;
    let manager = who(&hub, "management").await;
    step(
        &hub,
        id,
        &manager,
        fact(json!({"kind": "finally_decided", "reason": "已穷尽"})),
    )
    .await;
    let page = open(&hub, id).await;
    let case = page.case().await;
    assert_eq!(case["may"]["reopen"], false);
    assert_eq!(case["may"]["finally_decided"], true);
    assert_eq!(case["answer"]["next_level"], "省通信管理局");
    let (status, error) = page.post("reopen", json!({"reason": "不服"})).await;
    assert_eq!(
        (status, &error["code"]),
        (StatusCode::CONFLICT, &json!("finally_decided"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reopening_and_archiving_at_the_same_moment_end_in_one_state() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut seen = BTreeSet::new();
    for round in 0..12 {
        let id = answered(&hub, &mut desk).await;
        let expert = who(&hub, "expert").await;
        let page = open(&hub, id).await;
        assert_eq!(
            page.post("rate", json!({"score": 4})).await.0,
            StatusCode::OK
        );
        step(&hub, id, &expert, Fact::Closed).await;
        let system = Actor {
            staff: None,
            name: "hub".into(),
            role: Role::System,
            branch: None,
        };
        let archive = hub.hub.step(id, system, None, plain(Fact::Archived));
        let reopen = page.post("reopen", json!({"reason": "又断了"}));
        // First the one, first the other, and then at once.
        let (archived, (status, answer)) = match round {
            0 => {
                let archived = archive.await;
                (archived, reopen.await)
            }
            1 => {
                let reopened = reopen.await;
                (archive.await, reopened)
            }
            _ => tokio::join!(archive, reopen),
        };
        let after = complaint(&hub, id).await;
        match after.state {
            State::Archived => {
                assert!(archived.is_ok());
                assert_eq!(
                    (status, &answer["code"]),
                    (StatusCode::CONFLICT, &json!("not_in_this_state"))
                );
                assert_eq!(after.cycle, 1);
                let case = page.case().await;
                assert_eq!(case["next"]["stage"], "closed");
                assert_eq!(case["may"]["reopen"], false);
            }
            State::Reopened => {
                assert!(archived.is_err());
                assert_eq!((status, &answer["cycle"]), (StatusCode::OK, &json!(2)));
            }
            other => panic!("{other:?}"),
        }
        seen.insert(after.state);
    }
    assert_eq!(seen.len(), 2, "both ends are met");
    assert!(hub.hub.store.verify().await.unwrap().fault.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_and_pdf_are_taken_within_limits() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = answered(&hub, &mut desk).await;
    let page = open(&hub, id).await;
    let (status, case) = page.file("photo.png", PNG.to_vec()).await;
    assert_eq!(
        (status, &case["files"]),
        (StatusCode::OK, &json!(1)),
        "{case}"
    );
    assert_eq!(
        page.file("scan.pdf", b"%PDF-1.7 x".to_vec()).await.0,
        StatusCode::OK
    );
    let refused = [
        ("note.txt", b"plain text".to_vec(), "file_type_not_taken"),
        (
            "sound.wav",
            b"RIFF\x24\0\0\0WAVEfmt ".to_vec(),
            "file_type_not_taken",
        ),
        ("empty.png", Vec::new(), "required"),
        (
            "large.png",
            [PNG, &vec![0; 20 * 1024 * 1024][..]].concat(),
            "too_large",
        ),
    ];
    for (name, bytes, code) in refused {
        let (_, error) = page.file(name, bytes).await;
        assert_eq!(error["code"], code, "{name}");
    }
    let many = (0..12).map(|n| page.file(if n % 2 == 0 { "a.png" } else { "b.png" }, PNG.to_vec()));
    futures::future::join_all(many).await;
    let held = complaint(&hub, id).await;
    assert_eq!(held.evidence.len(), 10, "also when they come at once");
    assert!(
        held.evidence
            .iter()
            .all(|file| file.added_by.role == Role::Customer)
    );
    assert_eq!(page.case().await["may"]["evidence"], false);
    // The expert sees them.
    let expert = hub.sign_in("expert").await;
    let files = expert.get(&format!("/api/complaints/{id}/evidence")).await;
    assert_eq!(files[0]["complete"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_address_reaches_desks_and_receipts() {
    let hub = TestHub::start().await;
    let branch = "CQ0101".parse().unwrap();
    let before = hub.hub.directory(&branch).await.unwrap();
    assert_eq!(before.status_url, None);
    let store = &hub.hub.store;
    store
        .use_status_url(Some("https://c.example.com/s"))
        .await
        .unwrap();
    store
        .use_status_url(Some("https://c.example.com/s"))
        .await
        .unwrap();
    let after = hub.hub.directory(&branch).await.unwrap();
    assert_eq!(after.status_url.as_deref(), Some("https://c.example.com/s"));
    assert_eq!(after.version, before.version + 1, "told once");
    eventually("the page is served", async || {
        let page = hub.client.get(hub.url("/s")).send().await.unwrap();
        // Without the built files a sentence says what is missing.
        page.status() == StatusCode::OK || page.status() == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
}
