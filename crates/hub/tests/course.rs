//! The course of a case at the centre, over HTTP: questions, more time, votes
//! and dissent, the plan's progress, the call-back and the cycles.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

use chrono::{SecondsFormat, TimeDelta};
use reqwest::StatusCode;
use serde_json::{Value, json};
use suda_domain::{ComplaintId, Fact, Grade, Lane, Role};
use suda_hub::ending::end_due;
use suda_sync::Verdict;
use suda_sync::compare::LogSum;
use support::{Person, TestHub, add_member};
use uuid::Uuid;

/// A complaint of the experts' with somebody at work on it.
struct Work {
    hub: TestHub,
    id: ComplaintId,
    expert: Person,
}

impl Work {
    async fn claimed(grade: Grade) -> Self {
        let hub = TestHub::start().await;
        let mut desk = hub.enrol("CQ0101", "clerk").await;
        let id = desk.hand_off(hub.clock.now(), "断网三天", grade).await;
        let expert = hub.sign_in("expert").await;
        let work = Self { hub, id, expert };
        work.do_("claim", json!({})).await;
        work
    }

    /// Reported on, with what the customer is to get.
    async fn analysed(grade: Grade, compensation_minor: Option<u32>) -> Self {
        let work = Self::claimed(grade).await;
        let report = json!({
            "root_cause": "光缆被挖断", "impact": "一个小区", "proposal": "抢修并减免",
            "compensation_minor": compensation_minor,
        });
        work.do_("report", report).await;
        work
    }

    /// Answered by the expert.
    async fn answered() -> Self {
        let work = Self::analysed(Grade::Two, None).await;
        work.answer().await;
        work
    }

    async fn answer(&self) -> Value {
        self.do_("start-solving", json!({ "plan": [] })).await;
        self.do_("implement", json!({ "summary": "已修复" })).await;
        let answer = json!({ "decision": "upheld", "text": "已修复" });
        self.do_("answer", answer).await
    }

    fn path(&self, step: &str) -> String {
        format!("/api/complaints/{}/{step}", self.id)
    }

    async fn do_(&self, step: &str, body: Value) -> Value {
        self.expert.post(&self.path(step), body).await
    }

    async fn by(&self, login: &str) -> Person {
        self.hub.sign_in(login).await
    }

    async fn refused(&self, who: &Person, step: &str, body: Value) -> (StatusCode, String) {
        who.refused(&self.path(step), body).await
    }

    fn in_days(&self, days: i64) -> String {
        let at = self.hub.clock.now() + TimeDelta::days(days);
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

fn conflict(code: &str) -> (StatusCode, String) {
    (StatusCode::CONFLICT, code.to_owned())
}

async fn duties_of(who: &Person) -> Vec<String> {
    let rows = who.get("/api/duties").await["rows"].clone();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["duty"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_to_the_branch_is_its_duty_until_it_is_answered() {
    let work = Work::claimed(Grade::Two).await;
    let clerk = work.by("clerk").await;
    let elsewhere = work.by("clerk2").await;
    let question = Uuid::now_v7();
    let ask = json!({ "of": "branch", "text": "当时的受理单号？", "question": question });
    work.do_("ask", ask).await;
    assert_eq!(duties_of(&clerk).await, ["question"]);
    assert!(duties_of(&elsewhere).await.is_empty());
    let reply = json!({ "question": question, "text": "单号 0042" });
    let seen = clerk.post(&work.path("reply"), reply).await;
    assert_eq!(seen["questions"][0]["replies"][0]["text"], "单号 0042");
    assert!(duties_of(&clerk).await.is_empty());
    let unknown = json!({ "question": Uuid::now_v7(), "text": "x" });
    let refused = work.refused(&clerk, "reply", unknown).await;
    assert_eq!(refused, conflict("not_in_this_state"));
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_asks_only_for_its_own_task_and_sees_only_its_own_questions() {
    let work = Work::claimed(Grade::Two).await;
    let department = work.hub.staff("department").await.id;
    let task = Uuid::now_v7();
    let order = json!({ "department": department, "question": "查原因", "task": task });
    work.do_("dispatch", order).await;
    work.do_("ask", json!({ "of": "branch", "text": "只有坐席看" }))
        .await;
    let network = work.by("department").await;
    let bare = json!({ "of": "customer", "text": "几点断的？" });
    let refused = work.refused(&network, "ask", bare).await;
    assert_eq!(refused, conflict("task_not_open"));
    let own = json!({ "of": "customer", "text": "几点断的？", "task": task });
    let seen = network.post(&work.path("ask"), own).await;
    let questions = seen["questions"].as_array().unwrap();
    assert_eq!(questions.len(), 1);
    assert!(!seen.to_string().contains("只有坐席看"));
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_time_is_granted_once_before_the_deadline_by_who_may() {
    let work = Work::claimed(Grade::Two).await;
    let manager = work.by("management").await;
    let too_far = json!({ "until": work.in_days(40), "reason": "等待第三方检测" });
    let refused = work
        .refused(&work.expert, "request-extension", too_far)
        .await;
    assert_eq!(refused, conflict("too_late"));
    let wanted = json!({ "until": work.in_days(20), "reason": "等待第三方检测" });
    work.do_("request-extension", wanted.clone()).await;
    assert_eq!(duties_of(&manager).await, ["extension"]);
    let (status, _) = work.refused(&work.expert, "extend", wanted.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "nobody grants their own");
    let seen = manager.post(&work.path("extend"), wanted.clone()).await;
    let limit = seen["deadlines"].as_array().unwrap().iter();
    let limit: Vec<_> = limit.filter(|one| one["clock"] == "outer_limit").collect();
    assert_eq!(limit[0]["due"], work.in_days(20).as_str());
    let again = work
        .refused(&work.expert, "request-extension", wanted)
        .await;
    assert_eq!(again, conflict("extended_already"));

    let late = Work::claimed(Grade::Two).await;
    late.hub.clock.advance(TimeDelta::days(16));
    let expert = late.by("expert").await;
    let wanted = json!({ "until": late.in_days(3), "reason": "忘了申请" });
    let refused = late.refused(&expert, "request-extension", wanted).await;
    assert_eq!(refused, conflict("too_late"));
    work.hub.stop().await;
    late.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_compensation_needs_two_votes_of_two_members_and_keeps_dissent() {
    let work = Work::analysed(Grade::Two, Some(2_000_000)).await;
    let refused = work
        .refused(&work.expert, "start-solving", json!({ "plan": [] }))
        .await;
    assert_eq!(refused, conflict("needs_approval"));
    work.do_("request-approval", json!({ "reason": "赔偿两万元" }))
        .await;
    let first = work.by("management").await;
    add_member(&work.hub, "management2", Role::Management).await;
    let added = work.hub.staff("management2").await.id;
    let second = work.by("management2").await;
    first
        .post(
            &work.path("ask-comments"),
            json!({ "text": "请网络部与坐席说明" }),
        )
        .await;
    let dissent = json!({ "text": "金额过高", "stance": "against" });
    second.post(&work.path("comment"), dissent).await;
    let seen = first
        .post(&work.path("approve"), json!({ "changes": "分两期" }))
        .await;
    assert_eq!(seen["state"], "awaiting_approval", "one of two");
    assert!(duties_of(&first).await.is_empty(), "theirs is given");
    assert_eq!(duties_of(&second).await, ["approval"]);
    let twice = work.refused(&first, "approve", json!({})).await;
    assert_eq!(twice, conflict("same_person"));
    let seen = second
        .post(&work.path("approve"), json!({ "comment": "同意" }))
        .await;
    assert_eq!(seen["state"], "solving");
    let approval = &seen["approvals"][0];
    assert_eq!(approval["votes"][1]["staff"], json!(added));
    assert_eq!(approval["comments"][0]["stance"], "against");
    assert_eq!(approval["votes"][0]["changes"], "分两期");

    work.do_("implement", json!({ "summary": "已赔付" })).await;
    let more = json!({ "decision": "upheld", "text": "赔付", "amount_minor": 2_000_001 });
    let refused = work.refused(&work.expert, "answer", more).await;
    assert_eq!(
        refused,
        conflict("above_approved"),
        "no more than was approved"
    );
    let as_approved = json!({ "decision": "upheld", "text": "赔付", "amount_minor": 2_000_000 });
    work.do_("answer", as_approved).await;
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sum_approved_with_changes_is_the_most_that_is_given() {
    let work = Work::analysed(Grade::Two, Some(60_000)).await;
    let seen = work
        .do_("request-approval", json!({ "reason": "赔偿六百元" }))
        .await;
    let limits = |view: &Value| view["limits"].clone();
    assert_eq!(
        limits(&seen),
        json!({ "without_approval": 50_000, "two_votes_from": 1_000_000, "approved": null,
                "most": 50_000 })
    );
    let manager = work.by("management").await;
    let too_large = json!({ "compensation_minor": 1_000_000 });
    let refused = work.refused(&manager, "approve", too_large).await;
    assert_eq!(refused, conflict("more_votes"));
    let less = json!({ "changes": "减半", "compensation_minor": 30_000 });
    let seen = manager.post(&work.path("approve"), less).await;
    assert_eq!(
        (&limits(&seen)["approved"], &limits(&seen)["most"]),
        (&json!(30_000), &json!(30_000))
    );
    assert_eq!(
        seen["approvals"][0]["votes"][0]["compensation_minor"],
        30_000
    );
    work.do_("start-solving", json!({ "plan": [] })).await;
    work.do_("implement", json!({ "summary": "已赔付" })).await;
    let answer =
        |amount: u32| json!({ "decision": "upheld", "text": "赔付", "amount_minor": amount });
    let refused = work.refused(&work.expert, "answer", answer(30_001)).await;
    assert_eq!(refused, conflict("above_approved"), "also below the limit");
    work.do_("answer", answer(30_000)).await;
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_offered_is_exactly_what_would_be_admitted() {
    let offers = |view: &Value, kind: &str| {
        let allowed = view["allowed"].as_array().unwrap();
        allowed.iter().any(|one| one == kind)
    };
    let work = Work::analysed(Grade::Two, Some(60_000)).await;
    let path = format!("/api/complaints/{}", work.id);
    let seen = work.expert.get(&path).await;
    assert!(!offers(&seen, "solving_started"), "the sum is not approved");
    assert!(offers(&seen, "released"));
    let report = json!({ "root_cause": "a", "impact": "b", "proposal": "c",
                         "compensation_minor": 50_000 });
    let seen = work.do_("report", report).await;
    assert!(offers(&seen, "solving_started"));
    let seen = work.answer().await;
    assert!(!offers(&seen, "released"), "nothing of it goes back");
    let refused = work.refused(&work.expert, "release", json!({})).await;
    assert_eq!(refused, conflict("not_in_this_state"));
    work.hub.stop().await;
}

/// What a branch's desk gets of a case that was decided, word by word.
#[tokio::test(flavor = "multi_thread")]
async fn a_branchs_desk_gets_what_was_decided_without_the_words_and_the_voters() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(hub.clock.now(), "断网三天", Grade::One).await;
    let expert = hub.sign_in("expert").await;
    let work = Work { hub, id, expert };
    work.do_("claim", json!({})).await;
    let report = json!({ "root_cause": "a", "impact": "b", "proposal": "c",
                         "compensation_minor": 60_000 });
    work.do_("report", report).await;
    let manager = work.by("management").await;
    let ask = json!({ "reason": "机密理由" });
    work.do_("request-approval", ask.clone()).await;
    for (step, words) in [
        ("ask-comments", json!({ "text": "机密征求" })),
        (
            "comment",
            json!({ "text": "机密异议", "stance": "against" }),
        ),
        ("disapprove", json!({ "reason": "机密否决" })),
    ] {
        manager.post(&work.path(step), words).await;
    }
    work.do_("request-approval", ask).await;
    let yes = json!({ "comment": "机密意见", "changes": "机密改动", "compensation_minor": 30_000 });
    manager.post(&work.path("approve"), yes).await;
    work.do_("implement", json!({ "summary": "已赔付" })).await;

    let entries = desk.pull_all().await;
    let voter = work.hub.staff("management").await;
    let mut last: Option<suda_domain::EventKey> = None;
    for entry in &entries {
        let body = entry.event.body.get();
        for secret in ["机密", &voter.name, &voter.id.0.to_string()] {
            assert!(!body.contains(secret), "{body}");
        }
        assert!(entry.event.hash_fits());
        let key = entry.event.open().unwrap().key;
        assert!(last.is_none_or(|last| key != last));
        last = Some(key);
    }
    // What it was told adds up to what the hub says it should.
    let mut sum = LogSum::default();
    for entry in &entries {
        sum.add(entry.seq, entry.event.hash);
    }
    assert_eq!(desk.compare(0, u64::MAX).await.sum, sum);
    // The branch has the state and what may be given, as the centre has.
    let at_desk = support::fold(&entries, id);
    assert_eq!(at_desk.state, suda_domain::State::Implemented);
    assert_eq!(at_desk.approved_sum(), Some(30_000));
    let whole = work.expert.get(&format!("/api/complaints/{id}")).await;
    assert!(
        whole.to_string().contains("机密异议"),
        "the centre has it all"
    );
    let clerk = work.by("clerk").await;
    let seen = clerk.get(&format!("/api/complaints/{id}")).await;
    assert!(!seen.to_string().contains("机密"));
    assert_eq!(seen["limits"], Value::Null);
    let checked = work.hub.hub.store.verify().await.unwrap();
    assert_eq!(checked.fault, None);
    work.hub.stop().await;
}

/// Its desk refuses a sum above the limit before it is given. What arrives is
/// given, by a desk that knew another limit, an older program, or a wrong clock.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_branch_has_given_is_taken_whatever_the_limit_is_now() {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let expert = hub.sign_in("expert").await;
    for amount in [50_000, 50_001] {
        let id = desk
            .hand_off(hub.clock.now(), "断网三天", Grade::Three)
            .await;
        for (step, body) in [
            ("claim", json!({})),
            ("return", json!({ "reason": "营业厅可按口径办理" })),
        ] {
            expert
                .post(&format!("/api/complaints/{id}/{step}"), body)
                .await;
        }
        let settled = Fact::Settled {
            summary: "已赔付".into(),
            remedy: String::new(),
            amount_minor: Some(amount),
            guidance: None,
            deviation: String::new(),
        };
        let n = desk.pen.heads[1].0 + 1;
        let at = hub.clock.now();
        let event = desk.pen.write(Lane::Ordinary, id, 3, at, settled);
        let receipt = desk.batch(Lane::Ordinary, n, vec![event]).await;
        assert_eq!(receipt.verdicts, [Verdict::Applied]);
        let seen = expert.get(&format!("/api/complaints/{id}")).await;
        assert_eq!(seen["answer"]["amount_minor"], amount);
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measure_is_its_responsible_persons_duty_and_only_they_tell_its_progress() {
    let work = Work::analysed(Grade::Two, None).await;
    let responsible = work.hub.staff("department").await.id;
    let plan = json!({ "plan": [{
        "what": "更换光缆", "responsible": "网络部", "staff": responsible,
        "due_at": work.in_days(2), "resources": "两人一车",
    }] });
    let seen = work.do_("start-solving", plan).await;
    let measure = seen["plan"][0]["id"].clone();
    let clocks = seen["deadlines"].as_array().unwrap().iter();
    let own: Vec<_> = clocks.filter(|one| one["clock"] == "measure").collect();
    assert_eq!((own.len(), &own[0]["task"]), (1, &measure));
    let network = work.by("department").await;
    let other = work.by("department2").await;
    assert_eq!(duties_of(&network).await, ["measure"]);
    let half = json!({ "measure": measure, "percent": 50, "note": "已开挖" });
    let (status, _) = work.refused(&other, "progress", half.clone()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    network.post(&work.path("progress"), half).await;
    let done = json!({ "measure": measure, "percent": 100 });
    let seen = network.post(&work.path("progress"), done).await;
    assert!(seen["plan"][0]["done_at"].is_string());
    assert!(duties_of(&network).await.is_empty());
    work.do_("implement", json!({ "summary": "已更换" })).await;
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_satisfied_begins_a_new_cycle_and_the_figures_of_the_old_one_stay() {
    let work = Work::answered().await;
    let second = work.by("expert2").await;
    assert!(
        duties_of(&work.expert).await.is_empty(),
        "not the handler's"
    );
    assert_eq!(duties_of(&second).await, ["call_back"]);
    let unhappy = json!({
        "satisfied": false, "score": 2, "causes": ["slow"], "comment": "又断了", "reopen": true,
    });
    let seen = second.post(&work.path("call-back"), unhappy).await;
    assert_eq!(
        (&seen["state"], &seen["cycle"]),
        (&json!("reopened"), &json!(2))
    );
    let past = &seen["past"][0];
    assert_eq!(past["call_back"]["score"], 2);
    assert!(past["marks"]["answered_at"].is_string());
    assert_eq!(past["reason"], "又断了");
    let cycle = seen["deadlines"].as_array().unwrap().iter();
    let cycle: Vec<_> = cycle.filter(|one| one["clock"] == "cycle").collect();
    assert_eq!(
        cycle[0]["from"], seen["reopened_at"],
        "counted from the reopening"
    );

    work.do_("claim", json!({})).await;
    let report = json!({ "root_cause": "接头", "impact": "一户", "proposal": "重熔" });
    work.do_("report", report).await;
    work.answer().await;
    let manager = work.by("management").await;
    manager
        .post(
            &work.path("decide-finally"),
            json!({ "reason": "已尽所能" }),
        )
        .await;
    let refused = work
        .refused(&second, "reopen", json!({ "reason": "还不满意" }))
        .await;
    assert_eq!(refused, conflict("finally_decided"));
    work.do_("close", json!({})).await;
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_tries_hours_apart_end_the_call_back() {
    let work = Work::answered().await;
    let tried = json!({ "outcome": "no_answer" });
    for _ in 0..3 {
        let second = work.by("expert2").await;
        second
            .post(&work.path("call-back-tried"), tried.clone())
            .await;
        second
            .post(&work.path("call-back-tried"), tried.clone())
            .await;
        let expert = work.by("expert").await;
        let last = work.hub.clock.now();
        let closed = expert
            .ask(reqwest::Method::POST, &work.path("close"), Some(json!({})))
            .await;
        if closed.0.is_success() {
            let tries = closed.1["call_back"]["tries"].as_array().unwrap().len();
            assert_eq!(tries, 6, "two at once count as one");
            work.hub.stop().await;
            return;
        }
        assert_eq!(closed.1["code"], "not_called_back");
        work.hub.clock.advance(TimeDelta::hours(5));
        assert!(work.hub.clock.now() > last);
    }
    panic!("it could not be closed after three tries");
}

#[tokio::test(flavor = "multi_thread")]
async fn call_backs_are_spread_over_the_others() {
    let hub = TestHub::start().await;
    add_member(&hub, "expert3", Role::Expert).await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let expert = hub.sign_in("expert").await;
    let mut to = Vec::new();
    for _ in 0..4 {
        let id = desk.hand_off(hub.clock.now(), "断网", Grade::Two).await;
        let step = async |step: &str, body| {
            expert
                .post(&format!("/api/complaints/{id}/{step}"), body)
                .await
        };
        step("claim", json!({})).await;
        let report = json!({ "root_cause": "a", "impact": "b", "proposal": "c" });
        step("report", report).await;
        step("start-solving", json!({ "plan": [] })).await;
        step("implement", json!({ "summary": "d" })).await;
        let answered = step("answer", json!({ "decision": "upheld", "text": "e" })).await;
        to.push(answered["call_back"]["assigned"]["name"].to_string());
    }
    to.sort();
    assert_eq!(to[0], to[1]);
    assert_eq!(to[2], to[3]);
    assert_ne!(to[1], to[2]);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_departments_open_tasks_go_back_to_the_expert() {
    let work = Work::claimed(Grade::Two).await;
    let department = work.hub.staff("department").await.id;
    work.do_(
        "dispatch",
        json!({ "department": department, "question": "查原因" }),
    )
    .await;
    let administrator = work.by("administrator").await;
    administrator
        .post(
            &format!("/api/admin/staff/{department}/active"),
            json!({ "active": false }),
        )
        .await;
    let seen = work
        .expert
        .get(&format!("/api/complaints/{}", work.id))
        .await;
    assert_eq!(seen["tasks"][0]["state"], "recalled");
    let report = json!({ "root_cause": "a", "impact": "b", "proposal": "c" });
    let seen = work.do_("report", report).await;
    assert_eq!(seen["state"], "analysed", "the expert goes on alone");
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_experts_cases_and_call_backs_go_to_the_others() {
    let work = Work::analysed(Grade::Two, None).await;
    let expert = work.hub.staff("expert").await.id;
    let administrator = work.by("administrator").await;
    let close = |id| format!("/api/admin/staff/{id}/active");
    administrator
        .post(&close(expert), json!({ "active": false }))
        .await;
    let second = work.by("expert2").await;
    let seen = second.post(&work.path("claim"), json!({})).await;
    assert_eq!(seen["state"], "analysed", "it goes on where it was");
    second
        .post(&work.path("start-solving"), json!({ "plan": [] }))
        .await;
    let done = json!({ "summary": "已修复" });
    second.post(&work.path("implement"), done).await;
    add_member(&work.hub, "expert3", Role::Expert).await;
    add_member(&work.hub, "expert4", Role::Expert).await;
    let answer = json!({ "decision": "upheld", "text": "已修复" });
    let seen = second.post(&work.path("answer"), answer).await;
    let first = seen["call_back"]["assigned"].clone();
    let id = first["staff"].as_str().unwrap().to_owned();
    administrator
        .post(&close(id.parse().unwrap()), json!({ "active": false }))
        .await;
    let seen = second.get(&format!("/api/complaints/{}", work.id)).await;
    let now = &seen["call_back"]["assigned"];
    assert_ne!(now["staff"], first["staff"]);
    assert_ne!(
        now["staff"],
        json!(work.hub.staff("expert2").await.id),
        "not who answered"
    );
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_content_is_forgotten_only_when_it_is_decided_for_good() {
    let work = Work::answered().await;
    let second = work.by("expert2").await;
    let unhappy = json!({ "satisfied": false, "comment": "不认可" });
    second.post(&work.path("call-back"), unhappy).await;
    assert_eq!(
        duties_of(&second).await,
        ["call_back"],
        "it stays to be done"
    );
    let manager = work.by("management").await;
    manager
        .post(
            &work.path("decide-finally"),
            json!({ "reason": "已尽所能" }),
        )
        .await;
    assert!(duties_of(&second).await.is_empty());
    work.hub.clock.advance(TimeDelta::hours(25));
    assert_eq!(end_due(&work.hub.hub).await.unwrap(), 1);
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_management_refused_last_is_not_solved_on_an_earlier_yes() {
    let work = Work::analysed(Grade::One, None).await;
    let manager = work.by("management").await;
    work.do_("request-approval", json!({ "reason": "一级投诉" }))
        .await;
    manager.post(&work.path("approve"), json!({})).await;
    let department = work.hub.staff("department").await.id;
    let task = Uuid::now_v7();
    let more = json!({ "department": department, "question": "复查", "task": task });
    work.do_("dispatch", more).await;
    let recall = json!({ "task": task, "reason": "不必了" });
    work.do_("recall-task", recall).await;
    let report = json!({ "root_cause": "a", "impact": "b", "proposal": "另一方案" });
    work.do_("report", report).await;
    work.do_("request-approval", json!({ "reason": "另一方案" }))
        .await;
    manager
        .post(&work.path("disapprove"), json!({ "reason": "不妥" }))
        .await;
    let refused = work
        .refused(&work.expert, "start-solving", json!({ "plan": [] }))
        .await;
    assert_eq!(refused, conflict("needs_approval"));
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_reads_nothing_of_what_management_says_or_the_customer_is_asked() {
    let work = Work::claimed(Grade::One).await;
    let department = work.hub.staff("department").await.id;
    let task = Uuid::now_v7();
    let order = json!({ "department": department, "question": "查原因", "task": task });
    work.do_("dispatch", order).await;
    let network = work.by("department").await;
    let report = json!({ "root_cause": "a", "impact": "b", "proposal": "c" });
    network
        .post(&format!("/api/tasks/{task}/report"), report)
        .await;
    work.do_("request-approval", json!({ "reason": "机密理由" }))
        .await;
    let manager = work.by("management").await;
    let dissent = json!({ "text": "机密异议", "stance": "against" });
    manager.post(&work.path("comment"), dissent).await;
    let path = format!("/api/complaints/{}", work.id);
    let clerk = work.by("clerk").await;
    for reader in [&network, &clerk] {
        assert!(!reader.get(&path).await.to_string().contains("机密"));
    }
    assert!(
        work.expert
            .get(&path)
            .await
            .to_string()
            .contains("机密异议")
    );
    work.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_closes_what_is_settled_and_archives_what_is_closed_unless_it_is_reopened() {
    let work = Work::answered().await;
    let second = work.by("expert2").await;
    let content = json!({ "satisfied": true, "score": 4 });
    second.post(&work.path("call-back"), content).await;
    assert_eq!(end_due(&work.hub.hub).await.unwrap(), 0, "not yet");
    work.hub.clock.advance(TimeDelta::hours(25));
    assert_eq!(end_due(&work.hub.hub).await.unwrap(), 1);
    work.hub.clock.advance(TimeDelta::days(31));

    // The customer comes back at the very moment it would be put away.
    let manager = work.by("management").await;
    let reopen = work.path("reopen");
    let reason = Some(json!({ "reason": "又断了" }));
    let (reopened, ended) = tokio::join!(
        manager.ask(reqwest::Method::POST, &reopen, reason),
        end_due(&work.hub.hub)
    );
    let ended = ended.unwrap();
    let state = manager.get(&format!("/api/complaints/{}", work.id)).await["state"].clone();
    match reopened.0 {
        StatusCode::OK => assert_eq!((state, ended), (json!("reopened"), 0)),
        StatusCode::CONFLICT => {
            assert_eq!(reopened.1["code"], "not_in_this_state");
            assert_eq!((state, ended), (json!("archived"), 1));
        }
        other => panic!("{other}: {}", reopened.1),
    }
    let verified = work.hub.hub.store.verify().await.unwrap();
    assert_eq!(verified.fault, None);
    work.hub.stop().await;
}
