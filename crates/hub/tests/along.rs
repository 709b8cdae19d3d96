//! What holds between linked cases and between people and their line: whoever
//! may not read of a matter reads of it in no case that is answered with it, and
//! keeps nothing of it; what cannot be answered along says why; what may belong
//! together is shown and nothing is linked by itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use chrono::TimeDelta;
use direct::{Desk, claim, member, step};
use serde_json::{Value, json};
use suda_domain::fact::{Assignee, Measure};
use suda_domain::{
    Actor, Complaint, ComplaintId, Fact, FactKind, Grade, Intake, MeasureId, Refusal, Relation,
    Role, StaffId,
};
use suda_hub::closing::take_back_barred;
use suda_hub::queue::steps;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Reader, StepError, StepRefused, Store, View};
use suda_test_postgres::PrivatePostgres;
use support::{Person, TestHub, actor, add_member, fill, intake, morning};
use tempfile::TempDir;

fn about(staff: StaffId) -> Fact {
    Fact::Recused {
        staff,
        name: "姓名".into(),
        reason: "顾客投诉此人".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recusal_holds_along_links_in_the_embedded_store() {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), true).await.unwrap();
    fill(&store).await;
    along(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recusal_holds_along_links_on_postgresql() {
    let server = PrivatePostgres::start().unwrap();
    let store = PostgresStore::open(&server.database("along").unwrap())
        .await
        .unwrap();
    fill(&store).await;
    along(&store).await;
}

/// Which of these cases the reader meets: alone, in a list, in its ledger.
async fn met(store: &impl Store, cases: &[ComplaintId], reader: Reader) -> Vec<usize> {
    let all = store
        .work_orders(View::All(None), None, 99, reader)
        .await
        .unwrap();
    let mut met = Vec::new();
    for (place, id) in cases.iter().enumerate() {
        let alone = store.complaint(*id, reader).await.unwrap().is_some();
        let listed = all.iter().any(|held| held.complaint.id == *id);
        let told = !store.timeline(*id, reader).await.unwrap().is_empty();
        assert_eq!((alone, alone), (listed, told), "case {place}");
        if alone {
            met.push(place);
        }
    }
    met
}

async fn along(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let mut cases = Vec::new();
    for text in ["营业员态度恶劣", "又遇到他", "第三次说", "合同看不清"] {
        cases.push(desk.queue(morning(), text, Grade::Two).await);
    }
    let [lead, in_group, twice, apart] = cases[..] else {
        unreachable!()
    };
    let staff = async |login: &str| member(store, login).await.staff.unwrap();
    let write = async |who: &str, id: ComplaintId, fact: Fact| {
        let who = member(store, who).await;
        store.step(step(id, who, steps::plain(fact))).await
    };
    let link = async |id: ComplaintId, relation: Relation| {
        let of = store.complaint(lead, Reader::Program).await.unwrap();
        let fact = Fact::Linked {
            to: lead,
            reference: of.unwrap().into_complaint().reference,
            relation,
            note: String::new(),
        };
        write("expert", id, fact).await.unwrap();
    };
    let lift = async |id: ComplaintId, login: &str| {
        let fact = Fact::RecusalLifted {
            staff: staff(login).await,
            reason: "x".into(),
        };
        write("management", id, fact).await.unwrap();
    };
    let sees = async |login: &str| met(store, &cases, Reader::Person(staff(login).await)).await;
    let all = [0, 1, 2, 3];
    link(in_group, Relation::Group).await;
    link(apart, Relation::Related).await;
    let (expert2, auditor) = (staff("expert2").await, staff("auditor").await);
    store.set_superior(expert2, Some(auditor)).await.unwrap();
    claim(
        store,
        in_group,
        &member(store, "expert2").await,
        morning() + TimeDelta::hours(9),
    )
    .await;
    assert_eq!(sees("expert2").await, all, "the control");

    // Said of the case that leads later, it holds for what follows at once, for
    // their line as well, and ends their claim there.
    write("expert", lead, about(expert2)).await.unwrap();
    for login in ["expert2", "auditor"] {
        assert_eq!(sees(login).await, [2, 3], "{login}");
    }
    assert_eq!(sees("expert").await, all);
    assert_eq!(store.lapsed(morning(), 9).await.unwrap(), [in_group]);
    let nothing = Box::new(|_: &_| Ok(Vec::new()));
    let system = Actor::system(None);
    let after = store.step(step(in_group, system, nothing)).await.unwrap();
    assert_eq!(after.claim, None);

    // Linked later, it holds from then on.
    link(twice, Relation::Duplicate).await;
    assert_eq!(sees("expert2").await, [3]);
    // Neither do they handle it, nor is it given to them or their line.
    let note = Fact::Noted { text: "x".into() };
    let done = write("expert2", twice, note).await;
    assert!(
        matches!(done, Err(StepError::Refused(StepRefused::Barred))),
        "{done:?}"
    );
    claim(store, in_group, &member(store, "expert").await, morning()).await;
    let give = Fact::Dispatched {
        task: suda_domain::TaskId(uuid::Uuid::from_u128(7)),
        department: auditor,
        department_name: "x".into(),
        question: "x".into(),
        due_at: morning() + TimeDelta::days(1),
    };
    let done = write("expert", in_group, give).await;
    assert!(
        matches!(
            done,
            Err(StepError::Refused(StepRefused::Rule(Refusal::Recused)))
        ),
        "{done:?}"
    );

    // What is said of a duplicate is of the matter of the case that leads.
    let department = staff("department").await;
    write("expert", twice, about(department)).await.unwrap();
    assert_eq!(sees("department").await, [3]);
    // What is said of one of a group is not of the others.
    let department2 = staff("department2").await;
    write("expert", in_group, about(department2)).await.unwrap();
    assert_eq!(sees("department2").await, [0, 2, 3]);
    assert_eq!(store.verify().await.unwrap().fault, None);

    // It goes with the link, and with the recusal.
    let part = Fact::Unlinked {
        to: lead,
        note: "两件事".into(),
    };
    write("expert", twice, part).await.unwrap();
    assert_eq!(sees("expert2").await, [2, 3]);
    assert_eq!(sees("department").await, [0, 1, 3]);
    lift(lead, "expert2").await;
    assert_eq!(sees("expert2").await, all);
    assert_eq!(store.verify().await.unwrap().fault, None);
    store.close().await;
}

/// A hub with a case, and who writes what about it.
struct Held {
    hub: TestHub,
    id: ComplaintId,
}

impl Held {
    async fn write(&self, login: &str, fact: Fact) -> Complaint {
        let who = actor(&self.hub.staff(login).await);
        let decide = steps::plain(fact);
        self.hub.hub.step(self.id, who, None, decide).await.unwrap()
    }

    async fn case(&self) -> Complaint {
        let held = self.hub.hub.store.complaint(self.id, Reader::Program).await;
        held.unwrap().unwrap().into_complaint()
    }

    /// The case is about a clerk, and this one stands above.
    async fn bar(&self, login: &str) {
        let clerk = self.hub.staff("clerk2").await.id;
        let above = self.hub.staff(login).await.id;
        let set = self.hub.hub.store.set_superior(clerk, Some(above)).await;
        assert!(set.unwrap());
        self.write("management", about(clerk)).await;
    }

    async fn facts(&self) -> Vec<Fact> {
        let lines = self.hub.hub.store.timeline(self.id, Reader::Program).await;
        let lines = lines.unwrap();
        let facts = lines.iter().map(|line| line.sealed.open().unwrap().fact);
        facts.collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_line_holds_goes_to_others_and_the_ledger_says_why() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "多扣话费", Grade::Two).await;
    let case = Held { hub, id };
    let due = case.hub.clock.now() + TimeDelta::days(2);
    let expert = case.hub.sign_in("expert").await;
    let path = |step: &str| format!("/api/complaints/{id}/{step}");
    expert.post(&path("claim"), json!({})).await;
    let department = case.hub.staff("department").await;
    let order = |task: u128| Fact::Dispatched {
        task: suda_domain::TaskId(uuid::Uuid::from_u128(task)),
        department: department.id,
        department_name: department.name.clone(),
        question: "请查".into(),
        due_at: due,
    };
    case.write("expert", order(7)).await;
    assert!(case.case().await.tasks[0].is_open(), "the control");
    assert_eq!(take_back_barred(&case.hub.hub).await.unwrap(), 0);
    case.bar("department").await;
    take_back_barred(&case.hub.hub).await.unwrap();
    let task = case.case().await.tasks[0].clone();
    assert!(!task.is_open(), "{task:?}");
    let last = case.facts().await.pop().unwrap();
    assert!(
        matches!(&last, Fact::TaskRecalled { reason, .. } if reason.contains("回避")),
        "{last:?}"
    );
    let once = case.facts().await.len();
    take_back_barred(&case.hub.hub).await.unwrap();
    assert_eq!(case.facts().await.len(), once);

    // A measure goes to the expert, with what was done of it.
    let report = json!({ "root_cause": "a", "impact": "b", "proposal": "c" });
    expert.post(&path("report"), report).await;
    let owner = case.hub.staff("department2").await;
    let measure = |staff: StaffId, place: u128| Measure {
        id: MeasureId(uuid::Uuid::from_u128(place)),
        what: "退费".into(),
        responsible: "某某".into(),
        staff: Some(staff),
        due_at: due,
        resources: String::new(),
    };
    let other = case.hub.staff("management").await.id;
    let plan = vec![measure(owner.id, 1), measure(other, 2)];
    case.write("expert", Fact::SolvingStarted { plan }).await;
    let half = Fact::MeasureProgressed {
        measure: MeasureId(uuid::Uuid::from_u128(1)),
        percent: 50,
        note: "一半".into(),
    };
    case.write("department2", half).await;
    let clerk2 = case.hub.staff("clerk2").await.id;
    let store = &case.hub.hub.store;
    store.set_superior(clerk2, Some(owner.id)).await.unwrap();
    take_back_barred(&case.hub.hub).await.unwrap();
    let after = case.case().await;
    let (theirs, others) = (&after.plan[0], &after.plan[1]);
    assert_eq!((theirs.measure.staff, theirs.percent), (None, 50));
    assert_eq!(theirs.measure.responsible, "姓名 expert");
    assert_eq!(others.measure.staff, Some(other));
    let facts = case.facts().await;
    let why = &facts[facts.len() - 2];
    assert!(
        matches!(why, Fact::Noted { text } if text.contains("回避")),
        "{why:?}"
    );

    // A call-back goes to somebody else who did not answer.
    add_member(&case.hub, "expert3", Role::Expert).await;
    for percent in [1, 2] {
        let done = Fact::MeasureProgressed {
            measure: MeasureId(uuid::Uuid::from_u128(percent)),
            percent: 100,
            note: String::new(),
        };
        case.write(if percent == 1 { "expert" } else { "management" }, done)
            .await;
    }
    expert
        .post(&path("implement"), json!({ "summary": "已退" }))
        .await;
    let answer = json!({ "decision": "upheld", "text": "已退" });
    expert.post(&path("answer"), answer).await;
    let expert2 = case.hub.staff("expert2").await;
    let to = Assignee {
        staff: expert2.id,
        name: expert2.name.clone(),
    };
    case.write("expert", Fact::CallBackAssigned { to }).await;
    store.set_superior(clerk2, Some(expert2.id)).await.unwrap();
    take_back_barred(&case.hub.hub).await.unwrap();
    let to = case.case().await.call_back.assigned.unwrap();
    assert_eq!(to.name, "expert3");
    let facts = case.facts().await;
    assert_eq!(facts.last().unwrap().kind(), FactKind::CallBackAssigned);
    assert_eq!(facts[facts.len() - 2].kind(), FactKind::Noted);
    assert_eq!(store.verify().await.unwrap().fault, None);
    case.hub.stop().await;
}

fn of(name: &str, phone: &str, text: &str) -> Intake {
    Intake {
        name: name.into(),
        phone: phone.into(),
        ..intake(text)
    }
}

async fn link(person: &Person, id: ComplaintId, to: ComplaintId, relation: &str) {
    let body = json!({ "to": to, "relation": relation });
    person
        .post(&format!("/api/complaints/{id}/link"), body)
        .await;
}

async fn answer(person: &Person, id: ComplaintId, text: &str) {
    let post = async |step: &str, body: Value| {
        person
            .post(&format!("/api/complaints/{id}/{step}"), body)
            .await
    };
    post("claim", json!({})).await;
    let report = json!({ "root_cause": "光缆被挖断", "impact": "一片", "proposal": "抢修" });
    post("report", report).await;
    post("start-solving", json!({ "plan": [] })).await;
    post("implement", json!({ "summary": "已接好" })).await;
    post("answer", json!({ "decision": "upheld", "text": text })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_names_a_customer_is_given_to_no_other_and_each_case_says_why() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let now = hub.clock.now();
    let mut cases = Vec::new();
    for (name, phone) in [
        ("张小明", "13800138000"),
        ("王芳芳", "13900139001"),
        ("李建国", "13900139002"),
        ("张小明", "13800138000"),
    ] {
        let intake = of(name, phone, "小区断网");
        cases.push(desk.hand_off_of(now, intake, Grade::Two).await);
    }
    let [lead, wang, li, twice] = cases[..] else {
        unreachable!()
    };
    let expert = hub.sign_in("expert").await;
    link(&expert, wang, lead, "group").await;
    link(&expert, li, lead, "group").await;
    link(&expert, twice, lead, "duplicate").await;
    answer(&expert, lead, "光缆已接好").await;
    let reference = async |id: ComplaintId| {
        let seen = expert.get(&format!("/api/complaints/{id}")).await;
        seen["reference"].clone()
    };
    let ask = async |summary: &str| {
        let path = format!("/api/complaints/{lead}/answer-linked");
        let told = expert.post(&path, json!({ "summary": summary })).await;
        let rows = told.as_array().unwrap().clone();
        move |id: ComplaintId| {
            let row = rows.iter().find(|row| row["id"] == json!(id)).unwrap();
            json!([row["outcome"], row["code"], row["params"]["reference"]])
        }
    };

    // A member's own customer may read their own name; nobody else may.
    let told = ask("王芳芳家已上门接好").await;
    let named = reference(wang).await;
    assert_eq!(told(wang), json!(["done", null, null]));
    let why = json!(["refused", "summary_names_customer", named]);
    assert_eq!((told(li), told(twice)), (why.clone(), why));
    let told = ask("已接好").await;
    assert_eq!(told(wang), json!(["already", null, null]));
    assert_eq!(told(li), json!(["done", null, null]));
    assert_eq!(told(twice), json!(["done", null, null]));

    // What was written to the customer of the case that leads is for them, and
    // for what they told twice.
    let mut again = Vec::new();
    for (name, phone) in [
        ("赵小丽", "13700137001"),
        ("钱大友", "13700137002"),
        ("赵小丽", "13700137001"),
    ] {
        let intake = of(name, phone, "账单看不懂");
        again.push(desk.hand_off_of(now, intake, Grade::Two).await);
    }
    let [lead, qian, twice] = again[..] else {
        unreachable!()
    };
    link(&expert, qian, lead, "group").await;
    link(&expert, twice, lead, "duplicate").await;
    answer(&expert, lead, "赵小丽女士：账单已改").await;
    let path = format!("/api/complaints/{lead}/answer-linked");
    let told = expert.post(&path, json!({ "summary": "已改" })).await;
    let of = |id: ComplaintId| {
        let rows = told.as_array().unwrap();
        let row = rows.iter().find(|row| row["id"] == json!(id)).unwrap();
        json!([row["outcome"], row["code"], row["params"]["reference"]])
    };
    let named = reference(lead).await;
    let why = json!(["refused", "answer_names_customer", named]);
    assert_eq!(of(qian), why);
    assert_eq!(of(twice), json!(["done", null, null]));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_belong_together_is_offered_and_links_nothing_by_itself() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let now = hub.clock.now();
    let outage = "昨晚起整个小区的宽带都断了，打电话没人管，孩子上不了网课";
    let mut cases = Vec::new();
    for (phone, text) in [
        ("13800138000", outage),
        (
            "13800138000",
            "昨晚起整个小区的宽带都断了，孩子上不了网课，没人管",
        ),
        (
            "13900139001",
            "从昨晚起我们整个小区的宽带都断了，打电话没人管",
        ),
        ("13900139002", "营业员办理套餐时没有说明合约期两年"),
        ("13900139003", "昨晚起整个小区的宽带都断了，营业员态度恶劣"),
    ] {
        let intake = of("客户", phone, text);
        cases.push(desk.hand_off_of(now, intake, Grade::Two).await);
    }
    let [this, own, neighbour, other, about_one] = cases[..] else {
        unreachable!()
    };
    while hub.hub.store.index_texts(9).await.unwrap() > 0 {}
    let expert = hub.sign_in("expert").await;
    let similar = async |person: &Person, id: ComplaintId| {
        let path = format!("/api/complaints/{id}/similar");
        let found = person.get(&path).await;
        found.as_array().unwrap().clone()
    };
    let ids =
        |found: &[Value]| -> Vec<Value> { found.iter().map(|one| one["id"].clone()).collect() };
    let found = similar(&expert, this).await;
    assert_eq!(found[0]["id"], json!(own));
    assert_eq!(found[0]["same_customer"], true);
    assert_eq!(found[0]["offered"], json!(["duplicate", "repeat"]));
    let near = found
        .iter()
        .find(|one| one["id"] == json!(neighbour))
        .unwrap();
    assert_eq!(near["offered"], json!(["group"]));
    assert!(!ids(&found).contains(&json!(other)), "{found:?}");
    assert!(ids(&found).contains(&json!(about_one)), "the control");

    // Looking links nothing; what is linked is no longer offered.
    let links = format!("/api/complaints/{this}/links");
    assert_eq!(expert.get(&links).await, json!([]));
    link(&expert, this, own, "duplicate").await;
    let found = similar(&expert, this).await;
    assert!(!ids(&found).contains(&json!(own)));
    let near = found
        .iter()
        .find(|one| one["id"] == json!(neighbour))
        .unwrap();
    assert_eq!(near["offered"], json!([]), "it follows another already");

    // To whom it is about it does not exist here either.
    let expert2 = hub.staff("expert2").await.id;
    let body = json!({ "staff": expert2, "reason": "x" });
    expert
        .post(&format!("/api/complaints/{about_one}/recuse"), body)
        .await;
    let expert2 = hub.sign_in("expert2").await;
    let found = similar(&expert2, neighbour).await;
    assert!(ids(&found).contains(&json!(own)), "the control");
    assert!(!ids(&found).contains(&json!(about_one)));
    hub.stop().await;
}
