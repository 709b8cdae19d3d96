//! What comes in wrong gets a clear answer, and nothing is lost or half done.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use suda_domain::{Complexity, Fact, Grade, Lane, Refusal};
use suda_sync::message::{QuarantineReason, Refused};
use suda_sync::{Ask, Reply, SealedEvent, SecretKey, SetAside, Signed, Verdict};
use support::{PASSWORD, TestHub, actor, intake};

#[tokio::test(flavor = "multi_thread")]
async fn garbage_at_the_desks_door_is_refused_and_a_reply_is_still_signed() {
    let hub = TestHub::start().await;
    let desk = hub.enrol("CQ0101", "clerk").await;
    for garbage in ["", "{", "<html>", "null", r#"{"body":1,"signature":"x"}"#] {
        let answer = hub
            .client
            .post(hub.url("/v1/sync"))
            .body(garbage)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{garbage:?}");
        let signed: Signed = answer.json().await.unwrap();
        let reply: Reply = signed.open(&desk.enrolled.hub_key).unwrap();
        assert!(matches!(reply, Reply::Refused(Refused::Malformed)));
    }
    let huge = "x".repeat(5 * 1024 * 1024);
    // The hub hangs up on it: on a connection of its own, so that nothing else
    // is sent down one that is closing.
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(hub.url("/v1/sync"))
        .body(huge)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let answer = hub
        .client
        .post(hub.url("/v1/enrol"))
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_enrolled_key_in_its_session_is_heard() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let pull = || Ask::Pull {
        cursor: 0,
        limit: 10,
        directory: 0,
        own: None,
    };
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::SessionExpired)
    ));
    desk.hello().await;
    assert!(matches!(desk.ask(pull()).await, Reply::Page(_)));

    // Another desk's session is no good, and a day later neither is one's own.
    let other = hub.enrol("CQ0101", "clerk").await;
    other.hello().await;
    let own = desk.session.lock().unwrap().clone();
    *desk.session.lock().unwrap() = other.session.lock().unwrap().clone();
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::SessionExpired)
    ));
    *desk.session.lock().unwrap() = own;
    hub.clock.advance(TimeDelta::days(1));
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::SessionExpired)
    ));

    desk.enrolled.incarnation = 2;
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::SessionExpired)
    ));
    desk.enrolled.incarnation = 0;
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::SessionExpired)
    ));
    desk.enrolled.incarnation = 1;
    desk.key = SecretKey::from_seed([9; 32]);
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::BadSignature)
    ));
    desk.enrolled.device = suda_domain::DeviceId(uuid::Uuid::nil());
    assert!(matches!(
        desk.ask(pull()).await,
        Reply::Refused(Refused::UnknownDevice)
    ));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_code_works_once_and_for_ten_minutes() {
    let hub = TestHub::start().await;
    let key = SecretKey::from_seed([1; 32]).public();
    let admin = hub.sign_in("administrator").await;
    let code = async || {
        let made = admin
            .post("/api/admin/enrolment-codes", json!({ "branch": "CQ0101" }))
            .await;
        made["code"].as_str().unwrap().to_owned()
    };
    let refusal = async |code: &str| {
        let answer = hub.enrol_with(code, key).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        answer.json::<Value>().await.unwrap()["code"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = code().await;
    assert_eq!(
        hub.enrol_with(&first.to_lowercase(), key).await.status(),
        StatusCode::OK
    );
    assert_eq!(refusal(&first).await, "used_code");
    assert_eq!(refusal("AAAA-AAAA").await, "unknown_code");
    let second = code().await;
    hub.clock.advance(TimeDelta::minutes(10));
    assert_eq!(refusal(&second).await, "expired_code");

    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(hub.enrol_with("AAAA-AAAA", key).await.status());
    }
    assert_eq!(
        statuses.last(),
        Some(&StatusCode::TOO_MANY_REQUESTS),
        "guessing is slowed"
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_record_is_set_aside_and_those_behind_it_pass() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    let at = hub.clock.now();
    let (id, _, mut events) =
        desk.pen
            .record(at, intake("多扣话费"), Grade::Three, Complexity::Simple);
    // Closing is not the clerk's to do; then another's complaint; then a good one.
    events.push(desk.pen.write(Lane::Ordinary, id, 1, at, Fact::Closed));
    let stranger = suda_domain::ComplaintId(uuid::Uuid::now_v7());
    let note = || Fact::Noted {
        text: "已致电".into(),
    };
    events.push(desk.pen.write(Lane::Ordinary, stranger, 1, at, note()));
    events.push(desk.pen.write(Lane::Ordinary, id, 1, at, note()));
    let broken = desk.pen.write(Lane::Ordinary, id, 1, at, note());
    events.push(SealedEvent {
        hash: suda_sync::Hash([7; 32]),
        ..broken
    });
    desk.pen.heads[1].1 = suda_sync::Hash([7; 32]);
    events.push(desk.pen.write(Lane::Ordinary, id, 1, at, note()));

    let receipt = desk.batch(Lane::Ordinary, 1, events.clone()).await;
    let aside = |reason| Verdict::Quarantined { reason };
    assert_eq!(
        receipt.verdicts,
        [
            Verdict::Applied,
            Verdict::Applied,
            aside(QuarantineReason::NotAllowed(Refusal::Role)),
            // Another desk may have recorded it and not been heard yet.
            Verdict::Held,
            Verdict::Applied,
            aside(QuarantineReason::HashMismatch),
            Verdict::Applied,
        ]
    );
    assert_eq!(receipt.watermarks, [0, 7, 0, 0]);
    let again = desk.batch(Lane::Ordinary, 1, events).await;
    assert_eq!(
        again.verdicts,
        vec![Verdict::Duplicate; 7],
        "a lost receipt doubles nothing"
    );
    let verified = hub.hub.store.verify().await.unwrap();
    assert_eq!((verified.fault, verified.events), (None, 4));

    let expert = hub.sign_in("expert").await;
    // What waits for another desk's record is shown when that takes long.
    let early = expert.get("/api/quarantine").await["records"].take();
    assert_eq!(early.as_array().unwrap().len(), 2);
    hub.clock.advance(TimeDelta::minutes(5));
    let waiting = expert.get("/api/quarantine").await["records"].take();
    assert_eq!(waiting.as_array().unwrap().len(), 3);
    let told = |set_aside: Option<Vec<SetAside>>| -> Vec<u64> {
        set_aside.unwrap().iter().map(|place| place.n).collect()
    };
    assert_eq!(
        told(desk.pull(0).await.set_aside),
        [3, 6],
        "the desk is told which; what waits may still find its place"
    );
    let resolve = |row: &Value| format!("/api/quarantine/{}/resolve", row["id"]);
    // What the rules do not allow they do not allow afterwards either.
    let as_it_came = json!({ "action": "accept", "reason": "当时已处理" });
    let (status, body) = expert.refused(&resolve(&waiting[0]), as_it_came).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    let as_note = json!({ "action": "note", "text": "营业员误操作关闭" });
    expert.post(&resolve(&waiting[0]), as_note.clone()).await;
    expert
        .post(
            &resolve(&waiting[1]),
            json!({ "action": "discard", "reason": "测试数据" }),
        )
        .await;
    assert_eq!(
        expert.refused(&resolve(&waiting[0]), as_note).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        expert.get("/api/quarantine").await["records"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(told(desk.pull(0).await.set_aside), [6]);
    assert_eq!(hub.hub.store.counts().await.unwrap().quarantined, 1);
    // Put right, it has its effect under the name of who did it, once.
    let mended = json!({
        "action": "accept",
        "fact": { "kind": "noted", "text": "已致电客户" },
        "reason": "传输中损坏，经核对",
    });
    expert.post(&resolve(&waiting[2]), mended).await;
    assert_eq!(hub.hub.store.counts().await.unwrap().quarantined, 0);
    let case = expert.get(&format!("/api/complaints/{id}")).await;
    let clerk = hub.staff("clerk").await.name;
    let said = |text: &str, by: &str| {
        let events = case["timeline"].as_array().unwrap().iter();
        let fits = |event: &&Value| event["fact"]["text"] == text && event["actor"]["name"] == by;
        events.filter(fits).count()
    };
    assert_eq!(said("已致电客户", &clerk), 1, "{case}");
    assert_eq!(
        said("传输中损坏，经核对", &hub.staff("expert").await.name),
        1
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_branchs_complaint_and_a_fork_are_set_aside() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let mut other = hub.enrol("CQ0102", "clerk2").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    other.hello().await;
    let at = hub.clock.now();
    let note = Fact::Noted {
        text: "不是我的".into(),
    };
    let event = other.pen.write(Lane::Ordinary, id, 1, at, note.clone());
    let scope = [Verdict::Quarantined {
        reason: QuarantineReason::OutOfScope,
    }];
    assert_eq!(
        other.batch(Lane::Ordinary, 1, vec![event]).await.verdicts,
        scope
    );

    // Somebody else's name on one's own paper.
    let clerk = actor(&hub.staff("clerk").await);
    other.pen.actor = clerk;
    let event = other.pen.write(Lane::Ordinary, id, 1, at, note.clone());
    assert_eq!(
        other.batch(Lane::Ordinary, 2, vec![event]).await.verdicts,
        scope
    );

    // A copied database writes other contents under a number already given.
    let (n, prev) = desk.pen.heads[1];
    let copy = desk.pen.write(Lane::Ordinary, id, 2, at, note.clone());
    assert_eq!(
        desk.batch(Lane::Ordinary, n + 1, vec![copy]).await.verdicts,
        [Verdict::Applied]
    );
    desk.pen.heads[1] = (n, prev);
    let fork = desk.pen.write(
        Lane::Ordinary,
        id,
        2,
        at + TimeDelta::seconds(1),
        note.clone(),
    );
    let forked = Verdict::Quarantined {
        reason: QuarantineReason::Forked,
    };
    assert_eq!(
        desk.batch(Lane::Ordinary, n + 1, vec![fork]).await.verdicts,
        [forked]
    );

    // A skipped number is not stored, so that it can come again in order.
    let late = desk.pen.write(Lane::Ordinary, id, 2, at, note);
    let receipt = desk.batch(Lane::Ordinary, n + 5, vec![late]).await;
    assert_eq!(receipt.verdicts, [Verdict::Gap]);
    assert_eq!(receipt.watermarks[1], n + 1);
    assert_eq!(hub.hub.store.verify().await.unwrap().fault, None);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_complaints_cannot_have_one_number() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    let at = hub.clock.now();
    let (_, first, mut events) =
        desk.pen
            .record(at, intake("多扣话费"), Grade::Three, Complexity::Simple);
    desk.pen.running = 0;
    let (_, second, more) =
        desk.pen
            .record(at, intake("信号不好"), Grade::Three, Complexity::Simple);
    assert_eq!(first, second);
    events.extend(more);
    let verdicts = desk.batch(Lane::Ordinary, 1, events).await.verdicts;
    let reason = QuarantineReason::NotAllowed(Refusal::AlreadyRecorded);
    assert_eq!(verdicts[2], Verdict::Quarantined { reason });
    // Who handles complaints reads the record; who keeps the hub in order sees
    // that there is one, and no customer in it.
    let (secret, path) = ("13800138000", "/api/quarantine");
    let expert = hub.sign_in("expert").await.get(path).await["records"].take();
    let administrator = hub.sign_in("administrator").await.get(path).await["records"].take();
    assert!(expert.to_string().contains(secret), "{expert}");
    assert_eq!(
        administrator.as_array().map(Vec::len),
        expert.as_array().map(Vec::len)
    );
    assert!(
        !administrator.to_string().contains(secret),
        "{administrator}"
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_slowed_and_tell_nothing() {
    let hub = TestHub::start().await;
    let attempt = async |login: &str, password: &str| {
        let body = json!({ "login": login, "password": password });
        let answer = hub
            .client
            .post(hub.url("/api/login"))
            .json(&body)
            .send()
            .await
            .unwrap();
        (
            answer.status(),
            answer.json::<Value>().await.unwrap()["code"].clone(),
        )
    };
    let wrong = (StatusCode::UNAUTHORIZED, json!("wrong_credentials"));
    assert_eq!(attempt("nobody", PASSWORD).await, wrong);
    for _ in 0..3 {
        assert_eq!(attempt("expert", "wrong password").await, wrong);
    }
    let slowed = (StatusCode::TOO_MANY_REQUESTS, json!("too_many_tries"));
    assert_eq!(attempt("expert", PASSWORD).await, slowed);
    hub.clock.advance(TimeDelta::seconds(61));
    assert_eq!(attempt("expert", PASSWORD).await.0, StatusCode::OK);

    let person = hub.sign_in("expert").await;
    let admin = hub.sign_in("administrator").await;
    let id = hub.staff("expert").await.id;
    admin
        .post(
            &format!("/api/admin/staff/{id}/active"),
            json!({ "active": false }),
        )
        .await;
    let (status, _) = person.ask(reqwest::Method::GET, "/api/me", None).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "who is deactivated is signed out"
    );
    assert_eq!(attempt("expert", PASSWORD).await, wrong);
    let own = hub.staff("administrator").await.id;
    let out = admin
        .refused(
            &format!("/api/admin/staff/{own}/active"),
            json!({ "active": false }),
        )
        .await;
    assert_eq!(out.1, "own_account");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_of_the_console_name_their_field() {
    let hub = TestHub::start().await;
    let admin = hub.sign_in("administrator").await;
    let staff = |login: &str, password: &str, role: &str| json!({ "login": login, "name": "某某", "role": role, "password": password });
    let (branches, people) = ("/api/admin/branches", "/api/admin/staff");
    for (path, body, code) in [
        (
            branches,
            json!({ "code": "cq1", "name": "x" }),
            "bad_branch_code",
        ),
        (
            branches,
            json!({ "code": "CQ0101", "name": "x" }),
            "already_exists",
        ),
        (
            branches,
            json!({ "code": "CQ0103", "name": " " }),
            "required",
        ),
        (
            branches,
            json!({ "code": "CQ0103", "name": "长".repeat(201) }),
            "too_long",
        ),
        (branches, json!([]), "malformed"),
        (people, staff("a b", "long enough", "expert"), "bad_login"),
        (people, staff("new", "short", "expert"), "weak_password"),
        (
            people,
            staff("new", "long enough", "clerk"),
            "branch_required",
        ),
        (
            people,
            staff("expert", "long enough", "expert"),
            "already_exists",
        ),
        (people, staff("new", "long enough", "system"), "malformed"),
        (
            "/api/admin/enrolment-codes",
            json!({ "branch": "CQ9999" }),
            "unknown_branch",
        ),
        (
            "/api/admin/guidance",
            json!({ "category": "Z", "title": "x", "text": "x" }),
            "unknown_category",
        ),
        (
            "/api/admin/guidance",
            json!("x".repeat(300_000)),
            "too_large",
        ),
    ] {
        assert_eq!(
            admin.refused(path, body.clone()).await.1,
            code,
            "{path} {}",
            body.to_string().len()
        );
    }
    let before = hub.hub.store.settings().await.unwrap().directory;
    let guidance =
        json!({ "category": "B", "title": "网络类", "text": "先致歉", "limit_minor": 5000 });
    assert_eq!(
        admin.post("/api/admin/guidance", guidance.clone()).await["version"],
        1
    );
    assert_eq!(
        admin.post("/api/admin/guidance", guidance).await["version"],
        2
    );
    assert_eq!(
        hub.hub.store.settings().await.unwrap().directory,
        before + 2
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_belongs_to_nothing() {
    let hub = TestHub::start().await;
    let admin = hub.sign_in("administrator").await;
    let expert = hub.sign_in("expert").await;
    let missing = (StatusCode::NOT_FOUND, "not_found".to_owned());
    let active = json!({ "active": true });
    let discard = json!({ "action": "discard", "reason": "x" });
    assert_eq!(
        admin.refused("/api/admin/staff/x/active", active).await,
        missing
    );
    assert_eq!(
        expert.refused("/api/quarantine/x/resolve", discard).await,
        missing
    );
    for id in ["x", "CQ0101-260721-A-0042-ZZ", "%00", "%FF"] {
        let path = format!("/api/complaints/{id}/claim");
        assert_eq!(expert.refused(&path, json!({})).await, missing, "{id}");
    }
    hub.stop().await;
}
