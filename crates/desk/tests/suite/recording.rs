//! Forms, drafts, steps and search.

use suda_desk::view::{Assessment, Chosen, Delivery, Scope, Settlement};
use suda_desk::{RecordError, SignInError, StepError};
use suda_domain::fact::HandoffCause;
use suda_domain::intake::{Field, ProblemCode};
use suda_domain::{
    ComplaintId, Complexity, FactKind, Grade, Intake, ReferenceNumber, Refusal, State,
};

use crate::support::{Bench, LOGIN, PASSWORD, form};

#[tokio::test]
async fn what_is_recorded_is_there_after_a_restart_with_receipt_and_ledger() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("宽带断了三天"), Grade::Three, Complexity::Simple)
        .await;
    let receipt = bench.desk.receipt(&bench.session, id).await.unwrap();
    assert!(receipt.reference.as_str().starts_with("CQ0123-"));
    assert!(receipt.reference.as_str().contains("-A-0001-"));
    let key = suda_sync::receipt_key::receipt_key(id);
    assert_eq!(
        receipt.qr,
        format!("https://status.example/s#{}.{key}", receipt.reference)
    );
    assert_eq!(receipt.clerk_name, "王芳");

    let bench = bench.reopen().await;
    assert_eq!(
        bench.desk.receipt(&bench.session, id).await.unwrap(),
        receipt
    );
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.state, State::InBranch);
    assert_eq!(case.row.delivery, Delivery::SavedHere);
    assert_eq!(case.row.customer, "张＊");
    let kinds: Vec<FactKind> = case.timeline.iter().map(|entry| entry.kind).collect();
    assert_eq!(
        kinds,
        [
            FactKind::Recorded,
            FactKind::Assessed,
            FactKind::KeptInBranch
        ]
    );
    assert!(case.can_settle && case.can_hand_off && case.can_note && case.can_withdraw);

    // The day's numbers go on after the restart.
    let next = bench.record(form("第二件")).await;
    let next = bench.desk.receipt(&bench.session, next).await.unwrap();
    assert!(next.reference.as_str().contains("-A-0002-"));
}

#[tokio::test]
async fn a_second_click_on_save_gives_the_same_receipt_and_records_once() {
    let bench = Bench::new().await;
    let draft = bench.desk.draft_open(&bench.session).await.unwrap();
    let suggested = bench.suggested(&form("一次")).await;
    let click = || {
        bench.desk.record(
            &bench.session,
            draft.id,
            form("一次"),
            suggested.clone(),
            None,
        )
    };
    let (first, second) = tokio::join!(click(), click());
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(bench.desk.report().await.unwrap().complaints, 1);
    // A keystroke that comes late does not bring the draft back.
    bench
        .desk
        .draft_save(&bench.session, draft.id, form("一次。"), Chosen::default())
        .await
        .unwrap();
    assert!(bench.desk.drafts(&bench.session).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_draft_survives_a_restart_to_the_last_keystroke() {
    let bench = Bench::new().await;
    let blank = bench.desk.draft_open(&bench.session).await.unwrap();
    let draft = bench.desk.draft_open(&bench.session).await.unwrap();
    assert_ne!(blank.id, draft.id);
    let chosen = Chosen {
        grade: Some(Grade::Two),
        override_reason: "看过现场".into(),
        arrived_at: Some(draft.opened_at - chrono::TimeDelta::minutes(3)),
        ..Chosen::default()
    };
    for text in ["宽", "宽带", "宽带断"] {
        let intake = Intake {
            description: text.into(),
            ..Intake::default()
        };
        bench
            .desk
            .draft_save(&bench.session, draft.id, intake, chosen.clone())
            .await
            .unwrap();
    }
    let bench = bench.reopen().await;
    let drafts = bench.desk.drafts(&bench.session).await.unwrap();
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0].id, draft.id);
    assert_eq!(drafts[0].intake.description, "宽带断");
    assert_eq!(drafts[0].chosen, chosen);
    assert_eq!(drafts[0].opened_at, draft.opened_at);
    // Another clerk does not see it.
    let chen = bench.desk.sign_in("chen", PASSWORD).await.unwrap();
    assert!(bench.desk.drafts(&chen).await.unwrap().is_empty());
    bench.desk.draft_discard(&chen, draft.id).await.unwrap();
    assert_eq!(bench.desk.drafts(&bench.session).await.unwrap().len(), 1);
    bench
        .desk
        .draft_discard(&bench.session, draft.id)
        .await
        .unwrap();
    assert!(bench.desk.drafts(&bench.session).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_incomplete_form_names_its_fields_and_stays_a_draft() {
    let bench = Bench::new().await;
    let draft = bench.desk.draft_open(&bench.session).await.unwrap();
    let huge = Intake {
        description: "诉".repeat(350_000),
        phone: "123".into(),
        ..form("")
    };
    bench
        .desk
        .draft_save(&bench.session, draft.id, huge.clone(), Chosen::default())
        .await
        .unwrap();
    let assessment = bench.suggested(&huge).await;
    let ahead = chrono::Utc::now() + chrono::TimeDelta::hours(2);
    let refused = bench
        .desk
        .record(&bench.session, draft.id, huge, assessment, Some(ahead))
        .await;
    let Err(RecordError::Problems(problems)) = refused else {
        panic!("{refused:?}")
    };
    let found: Vec<_> = problems.iter().map(|p| (p.field, p.code)).collect();
    assert_eq!(
        found,
        [
            (Field::Description, ProblemCode::TooLong),
            (Field::Phone, ProblemCode::NotAPhone),
            (Field::ArrivedAt, ProblemCode::InTheFuture),
        ]
    );
    assert_eq!(bench.desk.drafts(&bench.session).await.unwrap().len(), 1);
    assert_eq!(bench.desk.report().await.unwrap().complaints, 0);
}

#[tokio::test]
async fn deciding_otherwise_than_suggested_needs_a_reason() {
    let bench = Bench::new().await;
    let draft = bench.desk.draft_open(&bench.session).await.unwrap();
    let suggested = bench.suggested(&form("咨询")).await;
    let other = match suggested.complexity {
        Complexity::Simple => Complexity::Complex,
        Complexity::Complex => Complexity::Simple,
    };
    let mut assessment = Assessment {
        complexity: other,
        override_reason: Some("  ".into()),
        ..suggested
    };
    let record = |assessment| {
        bench
            .desk
            .record(&bench.session, draft.id, form("咨询"), assessment, None)
    };
    let refused = record(assessment.clone()).await;
    assert!(
        matches!(refused, Err(RecordError::OverrideReasonMissing)),
        "{refused:?}"
    );
    assessment.override_reason = Some("当面已核实".into());
    assert!(record(assessment).await.is_ok());
}

#[tokio::test]
async fn grade_one_goes_to_the_experts_whatever_was_ticked() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("群体投诉"), Grade::One, Complexity::Simple)
        .await;
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    assert_eq!(case.row.state, State::HandoffPending);
    assert_eq!(case.handoff_cause, Some(HandoffCause::Manual));
    assert!(!case.can_settle && !case.can_withdraw && case.can_note);
    let report = bench.desk.report().await.unwrap();
    assert_eq!((report.unsent.lane0, report.unsent.lane1), (1, 2));
    assert!(report.oldest_unsent_at.is_some() && report.next_deadline.is_some());
}

#[tokio::test]
async fn a_simple_one_is_settled_and_a_finished_one_is_not_handed_off() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("多扣五元"), Grade::Three, Complexity::Simple)
        .await;
    let settle = |summary: &str| {
        let settlement = Settlement {
            summary: summary.into(),
            remedy: "退五元".into(),
            amount_minor: Some(500),
            deviation: String::new(),
        };
        bench.desk.settle(&bench.session, id, settlement)
    };
    let refused = settle("  ").await;
    assert!(
        matches!(refused, Err(StepError::Refused(Refusal::Incomplete))),
        "{refused:?}"
    );
    let case = settle("核实后退费").await.unwrap();
    assert_eq!(case.row.state, State::Answered);
    assert_eq!(case.answer_remedy.as_deref(), Some("退五元"));
    let refused = bench.desk.hand_off(&bench.session, id, None).await;
    assert!(
        matches!(refused, Err(StepError::Refused(Refusal::State))),
        "{refused:?}"
    );
    // The refused steps left no gap in the ledger.
    bench
        .desk
        .note(&bench.session, id, "客户满意".into())
        .await
        .unwrap();
    assert!(bench.desk.verify().await.unwrap().is_clean());
    let done = bench
        .desk
        .cases(&bench.session, Scope::Done, None, 10)
        .await
        .unwrap();
    assert_eq!((done.total, done.rows.len()), (1, 1));
}

#[tokio::test]
async fn handing_off_with_a_note_and_withdrawing() {
    let bench = Bench::new().await;
    let first = bench
        .record_as(form("信号差"), Grade::Three, Complexity::Simple)
        .await;
    let case = bench
        .desk
        .hand_off(&bench.session, first, Some("需现场测试".into()))
        .await
        .unwrap();
    let kinds: Vec<FactKind> = case.timeline.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds[3..], [FactKind::Noted, FactKind::HandedOff]);
    assert_eq!(case.row.complexity, Some(Complexity::Complex));
    let second = bench
        .record_as(form("误会"), Grade::Three, Complexity::Simple)
        .await;
    let case = bench
        .desk
        .withdraw(&bench.session, second, "客户撤回".into())
        .await
        .unwrap();
    assert_eq!(case.row.state, State::Withdrawn);
    let with_experts = bench
        .desk
        .cases(&bench.session, Scope::WithExperts, None, 10)
        .await
        .unwrap();
    assert_eq!(with_experts.rows[0].id, first);
}

#[tokio::test]
async fn search_finds_two_character_words_numbers_and_beginnings() {
    let bench = Bench::new().await;
    let broadband = bench
        .record(form("家里宽带断网三天，WiFi6路由器换了也不行"))
        .await;
    let bill = bench
        .record(Intake {
            phone: "13987654321".into(),
            ..form("话费突然多了一百元")
        })
        .await;
    let reference = bench
        .desk
        .receipt(&bench.session, bill)
        .await
        .unwrap()
        .reference;
    // While they wait for the index, and after it has taken them over.
    let bench = finds(bench, &reference, broadband, bill)
        .await
        .reopen()
        .await;
    finds(bench, &reference, broadband, bill).await;
}

async fn finds(
    bench: Bench,
    reference: &ReferenceNumber,
    broadband: ComplaintId,
    bill: ComplaintId,
) -> Bench {
    let find = async |text: &str| {
        let rows = bench.desk.search(&bench.session, text, 10).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(find("宽带").await, [broadband]);
    assert_eq!(find("断网").await, [broadband]);
    assert_eq!(find("宽带断网").await, [broadband]);
    assert_eq!(find("带断三").await, []);
    assert_eq!(find("wif").await, [broadband]);
    assert_eq!(find("8765").await, [bill]);
    assert_eq!(find("13987654321").await, [bill]);
    assert_eq!(find(reference.as_str()).await, [bill]);
    assert_eq!(
        find(&reference.as_str().replace('-', " ").to_lowercase()).await,
        [bill]
    );
    assert_eq!(find("张三").await, [bill, broadband]);
    assert_eq!(find("宽带 话费").await, []);
    assert_eq!(find("\" OR *").await, []);
    bench
}

#[tokio::test]
async fn a_text_too_long_for_one_event_is_refused_and_nothing_is_written() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("断网"), Grade::Three, Complexity::Simple)
        .await;
    let events = bench.desk.verify().await.unwrap().events;
    let (fits, long) = ("记".repeat(10_000), "记".repeat(10_001));
    let settlement = Settlement {
        summary: "已办".into(),
        remedy: long.clone(),
        amount_minor: None,
        deviation: String::new(),
    };
    let (desk, session) = (&bench.desk, &bench.session);
    for refused in [
        desk.note(session, id, long.clone()).await,
        desk.settle(session, id, settlement).await,
        desk.hand_off(session, id, Some(long.clone())).await,
        desk.withdraw(session, id, long.clone()).await,
    ] {
        assert!(
            matches!(refused, Err(StepError::TextTooLong { limit: 10_000 })),
            "{refused:?}"
        );
    }
    assert_eq!(desk.verify().await.unwrap().events, events);
    desk.note(session, id, fits).await.unwrap();
    assert_eq!(desk.verify().await.unwrap().events, events + 1);
}

#[tokio::test]
async fn many_saves_in_a_row_are_all_found() {
    let bench = Bench::new().await;
    for number in 0..230 {
        bench.record(form(&format!("第{number}件断网"))).await;
    }
    let rows = bench
        .desk
        .search(&bench.session, "断网", 500)
        .await
        .unwrap();
    assert_eq!(rows.len(), 230);
    for text in ["第0件", "第199件", "第200件", "第229件"] {
        let rows = bench.desk.search(&bench.session, text, 500).await.unwrap();
        assert_eq!(rows.len(), 1, "{text}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let bench = Bench::new().await;
    for number in 0..7 {
        bench.clock.pass(1);
        let text = form(&format!("第{number}件"));
        bench
            .record_as(text, Grade::Three, Complexity::Simple)
            .await;
    }
    for scope in [Scope::Open, Scope::All] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = bench
                .desk
                .cases(&bench.session, scope, after, 3)
                .await
                .unwrap();
            assert_eq!(page.total, 7);
            seen.extend(page.rows.into_iter().map(|row| row.reference));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut ordered = seen.clone();
        ordered.sort();
        if scope == Scope::All {
            ordered.reverse();
        }
        assert_eq!(seen, ordered);
        assert_eq!(seen.len(), 7);
    }
}

#[tokio::test]
async fn signing_in_tells_nothing_and_slows_guessing() {
    let bench = Bench::new().await;
    let try_with = |login: &'static str, password: &'static str| {
        let desk = bench.desk.clone();
        async move { desk.sign_in(login, password).await.map(|_| ()) }
    };
    assert_eq!(try_with("nobody", PASSWORD).await, Err(SignInError::Failed));
    for _ in 0..3 {
        assert_eq!(try_with(LOGIN, "wrong").await, Err(SignInError::Failed));
    }
    assert_eq!(
        try_with(LOGIN, PASSWORD).await,
        Err(SignInError::Wait { seconds: 1 })
    );
    bench.clock.pass(1);
    assert_eq!(try_with(" WANG ", PASSWORD).await, Ok(()));
    let view = bench.desk.session_view(&bench.session).unwrap();
    assert_eq!((view.staff.name.as_str(), view.idle_lock), ("王芳", 10));
    assert_eq!(bench.desk.staff().len(), 2);
}

/// Without a link: the desk judges by the policy it has.
#[tokio::test]
async fn no_more_than_the_limit_is_given_at_the_counter() {
    let bench = Bench::new().await;
    let id = bench
        .record_as(form("多扣话费"), Grade::Three, Complexity::Simple)
        .await;
    let limit = bench.desk.case(&bench.session, id).await.unwrap();
    let limit = limit.most_to_give;
    assert_eq!(limit, suda_domain::Policy::default().compensation_limit);
    let settle = |amount: u32| Settlement {
        summary: "已赔付".into(),
        remedy: String::new(),
        amount_minor: Some(i64::from(amount)),
        deviation: String::new(),
    };
    let refused = bench
        .desk
        .settle(&bench.session, id, settle(limit + 1))
        .await;
    assert!(
        matches!(refused, Err(StepError::Refused(Refusal::NeedsApproval))),
        "{refused:?}"
    );
    let unchanged = bench.desk.case(&bench.session, id).await.unwrap();
    assert!(unchanged.can_settle && unchanged.can_hand_off);
    let settled = bench.desk.settle(&bench.session, id, settle(limit)).await;
    assert_eq!(settled.unwrap().row.state, State::Answered);
}
