//! To whoever a complaint is about, and to everybody above them, it does not
//! exist: by any route of the console, and in the stores themselves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use chrono::TimeDelta;
use direct::{Desk, claim, member, step};
use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use suda_domain::fact::{Assignee, ReleaseCause};
use suda_domain::text::shingles;
use suda_domain::{
    ComplaintId, Fact, FactKind, Grade, Lane, Refusal, Role, StaffId, State, TaskId,
};
use suda_hub::admin::{NewStaff, add_staff};
use suda_hub::escalate::tell_due;
use suda_hub::http::access::TABLE;
use suda_hub::http::openapi;
use suda_hub::leases::return_lapsed;
use suda_hub::queue::steps;
use suda_hub::store::Ledger as _;
use suda_hub::store::evidence::EvidenceRead;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{
    PhoneNote, PhoneStub, Reader, Scope, StepError, StepRefused, Store, Told, View,
};
use suda_sync::Verdict;
use suda_sync::phone::PhoneCode;
use suda_test_postgres::PrivatePostgres;
use support::{PASSWORD, Person, TestHub, fill, morning};
use tempfile::TempDir;
use uuid::Uuid;

fn about(staff: StaffId) -> Fact {
    Fact::Recused {
        staff,
        name: "姓名".into(),
        reason: "顾客投诉此人".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_shows_nothing_of_it() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    fill(&store).await;
    barrier(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_shows_nothing_of_it() {
    let server = PrivatePostgres::start().unwrap();
    let store = PostgresStore::open(&server.database("recusal").unwrap())
        .await
        .unwrap();
    fill(&store).await;
    barrier(&store).await;
}

/// Which of the store's readings give the reader something of the complaint.
async fn seen(store: &impl Store, id: ComplaintId, reader: Reader) -> Vec<&'static str> {
    let held = store.complaint(id, Reader::Program).await.unwrap().unwrap();
    let complaint = held.complaint;
    let words = shingles("断网");
    let later = morning() + TimeDelta::days(30);
    let file = suda_domain::EvidenceId(Uuid::from_u128(5));
    let stub = store.stub(Uuid::from_u128(6), reader).await.unwrap();
    let quarantined = store.quarantined(later, None, 0, 9, reader).await.unwrap();
    let record = store
        .quarantined(later, None, 0, 9, Reader::Program)
        .await
        .unwrap()[0]
        .id;
    let mut seen = vec![
        (
            "complaint",
            store.complaint(id, reader).await.unwrap().is_some(),
        ),
        (
            "reference",
            store
                .find_reference(&complaint.reference, reader)
                .await
                .unwrap()
                .is_some(),
        ),
        (
            "timeline",
            !store.timeline(id, reader).await.unwrap().is_empty(),
        ),
        (
            "team",
            !store
                .work_orders(View::Team, None, 9, reader)
                .await
                .unwrap()
                .is_empty(),
        ),
        (
            "all",
            !store
                .work_orders(View::All(None), None, 9, reader)
                .await
                .unwrap()
                .is_empty(),
        ),
        (
            "branch",
            !store
                .work_orders(View::All(Some(complaint.branch.clone())), None, 9, reader)
                .await
                .unwrap()
                .is_empty(),
        ),
        (
            "search",
            !store
                .search(&words, &Scope::Everything, 9, reader)
                .await
                .unwrap()
                .is_empty(),
        ),
        (
            "overdue",
            !store.overdue(later, 9, reader).await.unwrap().1.is_empty(),
        ),
        ("alerts", !store.alerts(9, reader).await.unwrap().is_empty()),
        (
            "escalated",
            !store
                .escalated(&Told::Management, 9, reader)
                .await
                .unwrap()
                .is_empty(),
        ),
        ("stub", stub.is_some()),
        ("quarantined", !quarantined.is_empty()),
        (
            "record",
            store
                .quarantined_record(record, reader)
                .await
                .unwrap()
                .is_some(),
        ),
        (
            "sms",
            !store
                .sms_page(false, None, 9, reader)
                .await
                .unwrap()
                .is_empty(),
        ),
        (
            "reads",
            !store.evidence_reads(id, reader).await.unwrap().is_empty(),
        ),
        (
            "linking",
            !store
                .linking(ComplaintId(Uuid::from_u128(8)), reader)
                .await
                .unwrap()
                .is_empty(),
        ),
    ];
    if let Reader::Person(staff) = reader {
        let open = store.tasks(staff, true, None, 9).await.unwrap();
        let done = store.tasks(staff, false, None, 9).await.unwrap();
        let of = store
            .complaint_of_task(TaskId(Uuid::from_u128(7)), staff)
            .await
            .unwrap();
        seen.push((
            "tasks",
            !open.is_empty() || !done.is_empty() || of.is_some(),
        ));
    }
    assert!(
        store
            .evidence_slice(file, 0, reader)
            .await
            .unwrap()
            .is_none()
    );
    seen.into_iter()
        .filter(|(_, it)| *it)
        .map(|(name, _)| name)
        .collect()
}

/// As many as a reader sees who may.
const READINGS: usize = 16;

async fn barrier(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let id = desk.queue(morning(), "宽带断网", Grade::One).await;
    let person = async |login: &str| Reader::Person(member(store, login).await.staff.unwrap());
    let staff = async |login: &str| member(store, login).await.staff.unwrap();
    let expert = member(store, "expert").await;
    let write = async |who: &str, fact: Fact| {
        let who = member(store, who).await;
        store.step(step(id, who, steps::plain(fact))).await
    };
    claim(store, id, &expert, morning() + TimeDelta::hours(1)).await;
    write(
        "expert",
        Fact::Dispatched {
            task: TaskId(Uuid::from_u128(7)),
            department: staff("department").await,
            department_name: "x".into(),
            question: "x".into(),
            due_at: morning() + TimeDelta::days(1),
        },
    )
    .await
    .unwrap();
    write(
        "expert",
        Fact::Linked {
            to: ComplaintId(Uuid::from_u128(8)),
            reference: desk.pen.reference(morning()),
            relation: suda_domain::Relation::Related,
            note: String::new(),
        },
    )
    .await
    .unwrap();
    let escalated = Fact::Escalated {
        clock: suda_domain::clocks::Clock::Cycle,
        task: None,
        level: suda_domain::escalation::Level::Copy,
        due: cycle_due(store, id).await,
        texted: false,
    };
    let system = suda_domain::Actor::system(None);
    store
        .step(step(id, system, steps::plain(escalated)))
        .await
        .unwrap();
    // The branch has handed it off and keeps it all the same: set aside.
    let event = desk
        .pen
        .write(Lane::Ordinary, id, 2, morning(), Fact::KeptInBranch);
    let verdicts = desk
        .send(Lane::Ordinary, desk.pen.heads[1].0, vec![event])
        .await;
    assert!(
        matches!(verdicts[0], Verdict::Quarantined { .. }),
        "{verdicts:?}"
    );
    let read = EvidenceRead {
        at: morning(),
        staff: staff("auditor").await,
        complaint: id,
        file: suda_domain::EvidenceId(Uuid::from_u128(5)),
    };
    store.note_evidence_read(read).await.unwrap();
    let note = PhoneNote {
        id: Uuid::from_u128(9),
        at: morning(),
        by: expert.staff.unwrap(),
        text: "x".into(),
    };
    let stub = PhoneStub {
        id: Uuid::from_u128(6),
        code: PhoneCode::of(id),
        branch: desk.pen.branch(),
        arrived_at: morning(),
        grade: Grade::One,
        opened_by: expert.staff.unwrap(),
        opened_at: morning(),
        held_by: expert.staff.unwrap(),
        joined: None,
        closed_at: None,
        notes: vec![note],
    };
    store.open_stub(&stub).await.unwrap();
    assert!(store.join_stub(stub.id, id, 1, morning()).await.unwrap());
    while store.index_texts(9).await.unwrap() > 0 {}

    // The controls: everybody sees it, the department its task besides.
    assert_eq!(seen(store, id, Reader::Program).await.len(), READINGS);
    for login in ["expert", "expert2", "management", "auditor"] {
        assert_eq!(
            seen(store, id, person(login).await).await.len(),
            READINGS,
            "{login}"
        );
    }
    assert_eq!(
        seen(store, id, person("department").await).await.len(),
        READINGS + 1
    );

    // It is about the expert who has it: the claim ends in the same step.
    store
        .set_superior(staff("expert").await, Some(staff("auditor").await))
        .await
        .unwrap();
    let after = write("expert2", about(staff("expert").await))
        .await
        .unwrap();
    assert_eq!((after.claim, after.state), (None, State::Dispatched));
    let timeline = store.timeline(id, Reader::Program).await.unwrap();
    let last = timeline.last().unwrap().sealed.open().unwrap();
    assert!(
        matches!(
            last.fact,
            Fact::Released {
                cause: ReleaseCause::Recused,
                ..
            }
        ),
        "{:?}",
        last.fact
    );
    write("expert2", about(staff("department").await))
        .await
        .unwrap();
    for login in ["expert", "auditor", "department"] {
        assert_eq!(
            seen(store, id, person(login).await).await,
            [""; 0],
            "{login}"
        );
    }
    assert_eq!(
        seen(store, id, person("expert2").await).await.len(),
        READINGS
    );
    assert_eq!(store.verify().await.unwrap().fault, None);

    // Neither do they handle it, nor is it given to them or their line.
    let note = || Fact::Noted { text: "x".into() };
    for login in ["expert", "auditor", "department"] {
        let done = write(login, note()).await;
        assert!(
            matches!(done, Err(StepError::Refused(StepRefused::Barred))),
            "{login}: {done:?}"
        );
    }
    claim(store, id, &member(store, "expert2").await, morning()).await;
    for login in ["department", "auditor"] {
        let give = Fact::CallBackAssigned {
            to: Assignee {
                staff: staff(login).await,
                name: "x".into(),
            },
        };
        let done = write("expert2", give).await;
        let Err(StepError::Refused(StepRefused::Rule(refusal))) = done else {
            panic!("{login}: {done:?}");
        };
        assert_eq!(refusal, Refusal::Recused);
    }

    // The barrier moves with the line, also for who holds the claim by then.
    let (auditor, expert2) = (staff("auditor").await, staff("expert2").await);
    store
        .set_superior(staff("expert").await, None)
        .await
        .unwrap();
    assert_eq!(
        seen(store, id, Reader::Person(auditor)).await.len(),
        READINGS
    );
    store
        .set_superior(staff("department").await, Some(expert2))
        .await
        .unwrap();
    assert_eq!(seen(store, id, Reader::Person(expert2)).await, [""; 0]);
    assert_eq!(store.lapsed(morning(), 9).await.unwrap(), [id]);
    assert_eq!(store.verify().await.unwrap().fault, None);

    // Management takes it back.
    for login in ["expert", "department"] {
        let staff = staff(login).await;
        write(
            "management",
            Fact::RecusalLifted {
                staff,
                reason: "x".into(),
            },
        )
        .await
        .unwrap();
    }
    for login in ["expert", "expert2", "auditor"] {
        assert_eq!(
            seen(store, id, person(login).await).await.len(),
            READINGS,
            "{login}"
        );
    }
    assert_eq!(store.verify().await.unwrap().fault, None);
    store.close().await;
}

async fn cycle_due(store: &impl Store, id: ComplaintId) -> chrono::DateTime<chrono::Utc> {
    let held = store.complaint(id, Reader::Program).await.unwrap().unwrap();
    let keep = store.settings().await.unwrap().time;
    let clocks = suda_domain::clocks::deadlines(&held.complaint, &keep);
    let cycle = clocks
        .iter()
        .find(|one| one.clock == suda_domain::clocks::Clock::Cycle);
    cycle.unwrap().due
}

#[tokio::test]
async fn a_barrier_that_is_not_what_the_ledger_gives_is_named() {
    use sqlx::{Connection as _, Executor as _};
    for change in [
        "DELETE FROM barred",
        "INSERT INTO link (complaint, other) VALUES (x'01020304050607080910111213141516', x'01020304050607080910111213141516')",
    ] {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::open(dir.path(), true).await.unwrap();
        fill(&store).await;
        let mut desk = Desk::enrol(&store, "clerk", 1).await;
        let id = desk.queue(morning(), "宽带断网", Grade::Two).await;
        let named = member(&store, "expert").await.staff.unwrap();
        let by = member(&store, "expert2").await;
        store
            .step(step(id, by, steps::plain(about(named))))
            .await
            .unwrap();
        suda_hub::store::Upkeep::close(&store).await;
        let file = suda_sqlite::options().filename(dir.path().join("hub.db"));
        let mut conn = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
        conn.execute(change).await.unwrap();
        conn.close().await.unwrap();
        let store = SqliteStore::open(dir.path(), false).await.unwrap();
        let fault = suda_hub::store::Upkeep::verify(&store).await.unwrap().fault;
        assert!(fault.is_some(), "{change}");
    }
}

/// A case of which every list has something, with whom it is about and their
/// lines: `clerk3` under `branch_manager` under `department2`, `expert2` under
/// `management` under `administrator`, and `department`.
struct Case {
    hub: TestHub,
    id: ComplaintId,
    reference: String,
}

const BARRED: [&str; 7] = [
    "clerk3",
    "branch_manager",
    "department2",
    "expert2",
    "management",
    "administrator",
    "department",
];

impl Case {
    async fn begin() -> Self {
        let hub = TestHub::start().await;
        let new = NewStaff {
            login: "clerk3".into(),
            name: "姓名 clerk3".into(),
            role: Role::Clerk,
            branch: Some("CQ0101".parse().unwrap()),
            password: Some(PASSWORD.into()),
        };
        add_staff(hub.hub.store.as_ref(), new).await.unwrap();
        let administrator = hub.sign_in("administrator").await;
        for (login, above) in [
            ("clerk3", "branch_manager"),
            ("branch_manager", "department2"),
            ("expert2", "management"),
            ("management", "administrator"),
        ] {
            let id = hub.staff(login).await.id;
            let body = json!({ "superior": hub.staff(above).await.id });
            administrator
                .post(&format!("/api/admin/staff/{id}/superior"), body)
                .await;
        }
        let mut desk = hub.enrol("CQ0101", "clerk").await;
        let id = desk
            .hand_off(hub.clock.now(), "宽带断网三天", Grade::One)
            .await;
        let held = hub
            .hub
            .store
            .complaint(id, Reader::Program)
            .await
            .unwrap()
            .unwrap();
        let reference = held.complaint.reference.to_string();
        let expert = hub.sign_in("expert2").await;
        expert
            .post(&format!("/api/complaints/{id}/claim"), json!({}))
            .await;
        for department in ["department", "department2"] {
            let body =
                json!({ "department": hub.staff(department).await.id, "question": "请查证" });
            expert
                .post(&format!("/api/complaints/{id}/dispatch"), body)
                .await;
        }
        let code = PhoneCode::of(id).grouped();
        let stub = json!({
            "code": code, "branch": "CQ0101", "arrived_at": hub.clock.now(), "grade": "one", "note": "电话",
        });
        expert.post("/api/phone-stubs", stub).await;
        let kept = desk
            .pen
            .write(Lane::Ordinary, id, 2, hub.clock.now(), Fact::KeptInBranch);
        desk.batch(Lane::Ordinary, desk.pen.heads[1].0, vec![kept])
            .await;
        while hub.hub.store.index_texts(9).await.unwrap() > 0 {}
        hub.clock.advance(TimeDelta::days(20));
        tell_due(&hub.hub).await.unwrap();
        Self { hub, id, reference }
    }

    async fn recuse(&self) {
        let expert = self.hub.sign_in("expert").await;
        for login in ["clerk3", "expert2", "department"] {
            let body = json!({ "staff": self.hub.staff(login).await.id, "reason": "顾客投诉此人" });
            expert
                .post(&format!("/api/complaints/{}/recuse", self.id), body)
                .await;
        }
    }

    /// Whether an answer names the complaint.
    fn is_told(&self, body: &Value) -> bool {
        let text = body.to_string();
        text.contains(&self.id.to_string()) || text.contains(&self.reference)
    }

    /// Every described route, asked as far as it can be by who knows the case;
    /// with it what each answered.
    async fn walk(
        &self,
        person: &Person,
        role: Role,
        writes: bool,
    ) -> Vec<(String, StatusCode, Value)> {
        let described = serde_json::to_value(openapi()).unwrap();
        let mut answers = Vec::new();
        for (route, methods) in described["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                let method = method.to_uppercase();
                let access = TABLE.iter().find(|(m, r, _)| *m == method && r == route);
                let admitted = access.unwrap().2.admits(role);
                let ends = ["/api/login", "/api/logout", "/api/live"].contains(&route.as_str());
                let reads = method == "GET" || route == "/api/search";
                if !admitted || ends || !(writes || reads) {
                    continue;
                }
                for (path, body) in self.asked(&method, route) {
                    let verb: Method = method.parse().unwrap();
                    let (status, answer) = person.ask(verb, &path, body).await;
                    answers.push((format!("{method} {path}"), status, answer));
                }
            }
        }
        answers
    }

    /// By its id and by its number; lists in each of their views.
    fn asked(&self, method: &str, route: &str) -> Vec<(String, Option<Value>)> {
        let body = (method != "GET").then(|| json!({}));
        if route.contains("/complaints/{id}") {
            let names = [self.id.to_string(), self.reference.clone()];
            let nil = Uuid::nil().to_string();
            return names
                .into_iter()
                .map(|name| {
                    (
                        route.replace("{id}", &name).replace("{file}", &nil),
                        body.clone(),
                    )
                })
                .collect();
        }
        let route = route.replace("{id}", &Uuid::nil().to_string());
        let views: &[&str] = match route.as_str() {
            "/api/work-orders" => &["?view=queue", "?view=mine", "?view=team", "?view=all"],
            "/api/tasks" => &["?view=open", "?view=done"],
            "/api/sms" => &["", "?failing=true"],
            _ => &[""],
        };
        match route.as_str() {
            "/api/search" => ["断网", "三天", self.reference.as_str(), "13800138000"]
                .map(|q| (route.clone(), Some(json!({ "q": q }))))
                .to_vec(),
            "/api/phone-stubs" if method == "POST" => vec![(
                route,
                Some(json!({
                    "code": PhoneCode::of(self.id).grouped(), "branch": "CQ0101",
                    "arrived_at": self.hub.clock.now(), "grade": "one",
                })),
            )],
            _ => views
                .iter()
                .map(|view| (format!("{route}{view}"), body.clone()))
                .collect(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_shows_or_does_anything_to_whom_it_is_about_or_above_them() {
    let case = Case::begin().await;
    let role = async |login: &str| case.hub.staff(login).await.role;
    // The control: all of them have met it somewhere, and in many places.
    let mut told = std::collections::BTreeSet::new();
    for login in BARRED {
        let person = case.hub.sign_in(login).await;
        let answers = case.walk(&person, role(login).await, false).await;
        let here: Vec<_> = answers
            .iter()
            .filter(|(_, _, body)| case.is_told(body))
            .collect();
        assert!(
            login == "administrator" || !here.is_empty(),
            "{login} has seen nothing"
        );
        told.extend(here.into_iter().map(|(path, _, _)| path.clone()));
    }
    assert!(told.len() >= 11, "{told:?}");

    case.recuse().await;
    let mut tried = 0;
    for login in BARRED {
        let person = case.hub.sign_in(login).await;
        for (path, status, body) in case.walk(&person, role(login).await, true).await {
            assert!(!case.is_told(&body), "{login}: {path} tells {body}");
            if path.contains("/complaints/") {
                assert_eq!(
                    (status, &body["code"]),
                    (StatusCode::NOT_FOUND, &json!("not_found")),
                    "{login}: {path}"
                );
            }
            tried += 1;
        }
    }
    println!(
        "{tried} calls of {} routes as {} barred people",
        TABLE.len(),
        BARRED.len()
    );

    // Those who are not go on, and are told the truth.
    let expert = case.hub.sign_in("expert").await;
    let seen = expert.get(&format!("/api/complaints/{}", case.id)).await;
    assert_eq!(seen["recused"].as_array().unwrap().len(), 3);
    assert_eq!(seen["claim"], Value::Null, "given back by the program");
    let auditor = case.hub.sign_in("auditor").await;
    let board = auditor.get("/api/board").await;
    assert!(case.is_told(&board));
    // Counts may include it; nothing of it is shown.
    let barred = case.hub.sign_in("management").await.get("/api/board").await;
    assert_eq!(barred["overdue"], board["overdue"]);
    assert_eq!(barred["breaches"], json!([]));
    case.hub.stop().await;
}

async fn hear<B: AsRef<[u8]>>(
    heard: &mut String,
    word: &str,
    stream: &mut (impl futures::Stream<Item = reqwest::Result<B>> + Unpin),
) {
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while !heard.contains(word) {
            let bytes = stream.next().await.unwrap().unwrap();
            heard.push_str(std::str::from_utf8(bytes.as_ref()).unwrap());
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_looks_on_hears_nothing_of_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let other = desk
        .hand_off(hub.clock.now(), "合同看不清", Grade::Two)
        .await;
    let expert = hub.sign_in("expert").await;
    let body = json!({ "staff": hub.staff("expert2").await.id, "reason": "x" });
    expert
        .post(&format!("/api/complaints/{id}/recuse"), body)
        .await;
    let mut stream = hub.sign_in("expert2").await.live().await.bytes_stream();
    let mut heard = String::new();
    let note = json!({ "text": "x" });
    hear(&mut heard, "event: ready", &mut stream).await;
    expert
        .post(&format!("/api/complaints/{id}/note"), note.clone())
        .await;
    expert
        .post(&format!("/api/complaints/{other}/note"), note)
        .await;
    hear(&mut heard, &other.to_string(), &mut stream).await;
    // What is told together is told in any order: everything of before has
    // come when the next change is heard of.
    let before = std::mem::take(&mut heard);
    let note = json!({ "text": "y" });
    expert
        .post(&format!("/api/complaints/{other}/note"), note)
        .await;
    hear(&mut heard, &other.to_string(), &mut stream).await;
    heard.push_str(&before);
    assert!(!heard.contains(&id.to_string()), "{heard}");
    drop(stream);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_barred_clerk_writes_later_is_set_aside_and_nobody_can_accept_it() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    let body = json!({ "staff": hub.staff("clerk").await.id, "reason": "x" });
    expert
        .post(&format!("/api/complaints/{id}/recuse"), body)
        .await;
    let note = desk.pen.write(
        Lane::Ordinary,
        id,
        2,
        hub.clock.now(),
        Fact::Noted { text: "x".into() },
    );
    let receipt = desk
        .batch(Lane::Ordinary, desk.pen.heads[1].0, vec![note])
        .await;
    assert!(matches!(receipt.verdicts[0], Verdict::Quarantined { .. }));
    let row = expert.get("/api/quarantine").await["records"][0]["id"].clone();
    let accept = json!({ "action": "accept", "reason": "x" });
    let path = format!("/api/quarantine/{row}/resolve");
    assert_eq!(expert.refused(&path, accept).await.1, "recused");
    let discard = json!({ "action": "discard", "reason": "x" });
    expert.post(&path, discard).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_of_superiors_is_refused_and_a_claim_above_ends_by_itself() {
    let hub = TestHub::start().await;
    let administrator = hub.sign_in("administrator").await;
    let id_of = async |login: &str| hub.staff(login).await.id;
    let set = async |login: &str, above: &str| {
        let path = format!("/api/admin/staff/{}/superior", id_of(login).await);
        let body = json!({ "superior": id_of(above).await });
        administrator.ask(Method::POST, &path, Some(body)).await.0
    };
    assert_eq!(set("clerk", "branch_manager").await, StatusCode::NO_CONTENT);
    assert_eq!(
        set("branch_manager", "clerk").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(set("clerk", "clerk").await, StatusCode::BAD_REQUEST);
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let expert = hub.sign_in("expert").await;
    expert
        .post(&format!("/api/complaints/{id}/claim"), json!({}))
        .await;
    let about = json!({ "staff": id_of("branch_manager").await, "reason": "x" });
    expert
        .post(&format!("/api/complaints/{id}/recuse"), about)
        .await;
    assert_eq!(
        set("branch_manager", "expert").await,
        StatusCode::NO_CONTENT
    );
    return_lapsed(&hub.hub).await.unwrap();
    let held = hub
        .hub
        .store
        .complaint(id, Reader::Program)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(held.complaint.claim, None);
    let last = hub.hub.store.timeline(id, Reader::Program).await.unwrap();
    let last = last.last().unwrap().sealed.open().unwrap();
    assert_eq!(last.fact.kind(), FactKind::Released);
    hub.stop().await;
}
