//! The hour: reminders, the handoff ten minutes before its end, rows of the past.

use chrono::TimeDelta;
use suda_desk::Clock as _;
use suda_desk::ImportOptions;
use suda_desk::view::Scope;
use suda_domain::clocks::Clock;
use suda_domain::escalation::Level;
use suda_domain::fact::{AskedOf, HandoffCause};
use suda_domain::{Actor, Complexity, Fact, Grade, LeaseId, QuestionId, Role, StaffId, State};

use crate::support::{Bench, form};

async fn prompts(bench: &Bench) -> Vec<(u32, bool)> {
    let prompts = bench.desk.sweep().await.unwrap();
    prompts
        .into_iter()
        .map(|prompt| (prompt.minutes, prompt.handed_off))
        .collect()
}

#[tokio::test]
async fn reminds_once_at_each_minute_and_hands_off_before_the_end() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("断网"), Grade::Three, Complexity::Simple)
        .await;
    assert_eq!(prompts(&bench).await, []);
    for (pass, due) in [
        (14, vec![]),
        (1, vec![(15, false)]),
        (0, vec![]),
        (15, vec![(30, false)]),
    ] {
        bench.clock.pass(pass);
        assert_eq!(prompts(&bench).await, due);
    }
    // Also over a restart nothing is said twice.
    let bench = bench.reopen().await;
    assert_eq!(prompts(&bench).await, []);
    bench.clock.pass(15);
    assert_eq!(prompts(&bench).await, [(45, false)]);
    bench.clock.pass(5);
    assert_eq!(prompts(&bench).await, [(50, true)]);
    assert_eq!(prompts(&bench).await, []);
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.state, State::HandoffPending);
    assert_eq!(case.handoff_cause, Some(HandoffCause::Automatic));
    assert_eq!(bench.desk.report().await.unwrap().unsent.lane0, 1);
    assert!(bench.desk.verify().await.unwrap().is_clean());
}

#[tokio::test]
async fn a_desk_switched_on_late_reminds_once_and_a_settled_one_is_left_alone() {
    let bench = Bench::new().await;
    bench
        .record_as(form("一"), Grade::Three, Complexity::Simple)
        .await;
    let settled = bench
        .record_as(form("二"), Grade::Three, Complexity::Simple)
        .await;
    bench
        .desk
        .withdraw(&bench.session, settled, "撤回".into())
        .await
        .unwrap();
    bench.clock.pass(47);
    assert_eq!(prompts(&bench).await, [(45, false)]);
    bench.clock.pass(40);
    assert_eq!(prompts(&bench).await, [(87, true)]);
}

#[tokio::test]
async fn rows_of_the_past_never_prompt_and_young_ones_do() {
    let bench = Bench::new().await;
    let young = bench.clock.wall() - TimeDelta::minutes(20);
    let old = bench.clock.wall() - TimeDelta::minutes(70);
    let csv = format!(
        "text,time\n老的,{}\n新的,{}\n",
        old.to_rfc3339(),
        young.to_rfc3339()
    );
    let file = bench.dir.path().join("rows.csv");
    std::fs::write(&file, csv).unwrap();
    let options = ImportOptions {
        handoff: suda_desk::HandoffChoice::None,
        ..Default::default()
    };
    bench.desk.import(&file, &options, |_| {}).await.unwrap();
    assert_eq!(prompts(&bench).await, [(15, false)]);
    bench.clock.pass(600);
    assert_eq!(prompts(&bench).await, [(620, true)]);
    let all = bench
        .desk
        .cases(&bench.session, Scope::Open, None, 9)
        .await
        .unwrap();
    assert_eq!(all.rows.len(), 1);
    assert_eq!(all.rows[0].excerpt, "老的");
}

#[tokio::test]
async fn the_branch_is_shown_what_the_hub_tells_it_of_a_deadline() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("断网"), Grade::Two, Complexity::Complex)
        .await;
    bench.contact().await;
    bench.clock.pass(70);
    assert_eq!(prompts(&bench).await, []);
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    let due = case.row.arrived_at + TimeDelta::minutes(60);
    let told = |level, due| Fact::Escalated {
        clock: Clock::Handoff,
        task: None,
        level,
        due,
        texted: false,
    };
    let earlier = due - TimeDelta::minutes(1);
    let system = || Actor::system(None);
    bench.hub.write(id, 1, system(), told(Level::Copy, earlier));
    bench.contact().await;
    assert_eq!(prompts(&bench).await, [], "of a deadline that has moved");
    bench.hub.write(id, 1, system(), told(Level::Copy, due));
    bench.contact().await;
    let shown = bench.desk.sweep().await.unwrap();
    let levels: Vec<_> = shown
        .iter()
        .filter_map(|prompt| prompt.escalation.map(|one| one.level))
        .collect();
    assert_eq!(levels, [Level::Copy]);
    assert_eq!(prompts(&bench).await, [], "once");
}

#[tokio::test]
async fn a_question_to_the_branch_is_shown_once_and_answered_without_a_link() {
    let bench = Bench::new().await;
    let earlier = bench
        .record_as(form("合同看不清"), Grade::Two, Complexity::Complex)
        .await;
    let id = bench
        .record_as(form("断网"), Grade::Two, Complexity::Complex)
        .await;
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert!(!case.can_reply, "nothing is asked");
    bench.contact().await;
    let question = QuestionId(uuid::Uuid::now_v7());
    let expert = || Actor {
        staff: Some(StaffId(uuid::Uuid::from_u128(77))),
        name: "周雪".into(),
        role: Role::Expert,
        branch: None,
    };
    bench.hub.write(id, 1, Actor::system(None), Fact::Queued);
    let claim = Fact::Claimed {
        lease: LeaseId(uuid::Uuid::now_v7()),
        until: case.row.arrived_at + TimeDelta::hours(9),
    };
    let asked = Fact::Asked {
        question,
        of: AskedOf::Branch,
        task: None,
        text: "受理单号？".into(),
    };
    bench.hub.write(id, 2, expert(), claim);
    bench.hub.write(id, 2, expert(), asked);
    bench.contact().await;
    let shown = bench.desk.sweep().await.unwrap();
    let questions: Vec<_> = shown.iter().map(|prompt| prompt.question).collect();
    assert_eq!(questions, [true]);
    assert_eq!(bench.desk.sweep().await.unwrap(), [], "once");

    // It stands before all that wait for their deadline alone, and is marked.
    let page = bench
        .desk
        .cases(&bench.session, Scope::WithExperts, None, 9)
        .await;
    let rows = page.unwrap().rows;
    assert_eq!([rows[0].id, rows[1].id], [id, earlier]);
    assert!(rows[0].asked_at.is_some() && rows[1].asked_at.is_none());
    let due = bench.desk.status().await.unwrap().next_deadline;
    assert!(due.is_none_or(|due| due > rows[0].arrived_at), "{due:?}");

    let text = "单号 0042".to_owned();
    let case = bench.desk.reply(&bench.session, id, question, text).await;
    let case = case.unwrap();
    assert_eq!(case.questions[0].replies[0].text, "单号 0042");
    assert_eq!(
        bench.desk.status().await.unwrap().unsent,
        1,
        "it waits for a link"
    );
    bench.contact().await;
    assert_eq!(bench.desk.status().await.unwrap().unsent, 0);
}
