//! What every store has to do with the texts to customers, as one suite over
//! the trait, run on the embedded store and on a private PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use direct::{Desk, claim, member, step};
use suda_domain::clocks::Clock;
use suda_domain::escalation::Level;
use suda_domain::intake::Language;
use suda_domain::staff::StaffRecord;
use suda_domain::texts::{Mobile, Template};
use suda_domain::{Actor, ComplaintId, Complexity, Fact, Grade, Lane, StaffId};
use suda_hub::queue::steps;
use suda_hub::sms::settings::{SmsBy, SmsSettings};
use suda_hub::store::Reader;
use suda_hub::store::Store;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sms::{
    AnswerLimits, Dismissal, DutyPhone, GIVE_UP, NewSms, Sms, SmsDone, SmsFailing, SmsNote,
    SmsReceipt, SmsState,
};
use suda_hub::store::sqlite::SqliteStore;
use suda_sync::Verdict;
use suda_test_postgres::PrivatePostgres;
use support::{fill, intake, morning};
use tempfile::TempDir;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_keeps_texts() {
    let dirs = std::sync::Mutex::new(Vec::new());
    suite(async || {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::open(dir.path(), true).await.unwrap();
        dirs.lock().unwrap().push(dir);
        fill(&store).await;
        store
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_postgresql_keeps_texts() {
    let server = PrivatePostgres::start().unwrap();
    let made = AtomicU32::new(0);
    suite(async || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        let url = server.database(&format!("sms_{number}")).unwrap();
        let store = PostgresStore::open(&url).await.unwrap();
        fill(&store).await;
        store
    })
    .await;
}

async fn suite<S: Store>(make: impl AsyncFn() -> S) {
    a_text_comes_with_the_event_that_asks_for_it_and_only_once(&make().await).await;
    nothing_is_asked_for_by_a_refused_step(&make().await).await;
    one_sender_has_a_text_and_another_after_its_lease(&make().await).await;
    many_senders_take_each_text_once(&make().await).await;
    failures_are_kept_and_tried_again(&make().await).await;
    receipts_find_their_text(&make().await).await;
    answers_go_first_and_within_limits(&make().await).await;
    settings_and_old_texts(&make().await).await;
    duty_staff_are_texted_each_once(&make().await).await;
    what_the_complaint_is_about_is_not_texted(&make().await).await;
    a_failure_that_somebody_saw_to_fails_no_longer(&make().await).await;
}

async fn all(store: &impl Store) -> Vec<Sms> {
    store
        .sms_page(false, None, 100, Reader::Program)
        .await
        .unwrap()
}

fn later(minutes: i64) -> DateTime<Utc> {
    morning() + TimeDelta::minutes(minutes)
}

async fn a_text_comes_with_the_event_that_asks_for_it_and_only_once(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let (id, reference, events) =
        desk.pen
            .record(morning(), intake("断网"), Grade::Two, Complexity::Complex);
    let sent = desk.send(Lane::Ordinary, 1, events.clone()).await;
    assert_eq!(sent, [Verdict::Applied, Verdict::Applied]);
    let again = desk.send(Lane::Ordinary, 1, events).await;
    assert_eq!(again, [Verdict::Duplicate, Verdict::Duplicate]);
    let texts = all(store).await;
    let [text] = texts.as_slice() else {
        panic!("{texts:?}")
    };
    assert_eq!(text.complaint, Some(id));
    assert_eq!(text.template, Template::Accepted);
    assert_eq!(text.language, Language::ZhCn);
    assert_eq!(text.reference.as_ref(), Some(&reference));
    assert_eq!(text.to, Mobile::read("13800138000").unwrap());
    assert_eq!((text.state, text.attempts), (SmsState::Waiting, 0));
    assert_eq!((text.made_at, text.next_at), (morning(), morning()));
    assert_eq!(text.give_up_at, morning() + GIVE_UP);

    let packet = desk
        .pen
        .hand_off(id, &reference, morning(), intake("断网"), Grade::Two);
    desk.send(Lane::Urgent, 1, vec![packet]).await;
    let expert = member(store, "expert").await;
    claim(store, id, &expert, later(30)).await;
    assert_eq!(all(store).await.len(), 1, "still accepted");
    withdraw(store, id).await.unwrap();
    let templates: Vec<_> = all(store).await.iter().map(|text| text.template).collect();
    assert_eq!(templates.len(), 2);
    assert!(templates.contains(&Template::Withdrawn));
    assert_eq!(store.verify().await.unwrap().fault, None);
}

async fn withdraw(
    store: &impl Store,
    id: ComplaintId,
) -> Result<suda_domain::Complaint, suda_hub::store::StepError> {
    let expert = member(store, "expert").await;
    let reason = "客户要求".to_owned();
    let decide = steps::plain(Fact::Withdrawn { reason });
    store.step(step(id, expert, decide)).await
}

async fn nothing_is_asked_for_by_a_refused_step(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let id = desk.queue(morning(), "断网", Grade::Two).await;
    let before = all(store).await;
    assert_eq!(before.len(), 1);
    assert!(withdraw(store, id).await.is_err(), "nobody has claimed it");
    assert_eq!(all(store).await, before);
}

fn sent(smsc_id: &str, at: DateTime<Utc>) -> SmsNote {
    SmsNote {
        at,
        text: Some("文".into()),
        done: SmsDone::Sent {
            smsc_id: Some(smsc_id.into()),
            delivered: false,
        },
        of_way: false,
    }
}

async fn one_sender_has_a_text_and_another_after_its_lease(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    desk.queue(morning(), "断网", Grade::Two).await;
    desk.queue(morning(), "多扣费", Grade::Two).await;
    assert_eq!(store.next_sms(false).await.unwrap(), Some(morning()));
    assert_eq!(store.next_sms(true).await.unwrap(), None, "no answer waits");
    assert_eq!(take(store, 0, true).await, None);
    let (one, other) = tokio::join!(take(store, 0, false), take(store, 0, false));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.id, other.id);
    assert_eq!((one.state, one.attempts), (SmsState::Sending, 1));
    assert_eq!(take(store, 1, false).await, None, "both are taken");
    assert!(
        store
            .note_sms(one.id, 1, &sent("a", later(1)))
            .await
            .unwrap()
    );
    assert!(
        !store
            .note_sms(one.id, 1, &sent("a", later(1)))
            .await
            .unwrap(),
        "it was noted"
    );
    // The other's sender has crashed between sending and noting.
    let again = take(store, 2, false).await.unwrap();
    assert_eq!((again.id, again.attempts), (other.id, 2));
    let late = store.note_sms(other.id, 1, &sent("b", later(3))).await;
    assert!(!late.unwrap(), "the first sender comes too late");
    assert!(
        store
            .note_sms(other.id, 2, &sent("c", later(3)))
            .await
            .unwrap()
    );
    assert_eq!(
        take(store, 60, false).await,
        None,
        "and it is sent once more"
    );
    assert_eq!(store.next_sms(false).await.unwrap(), None);
}

async fn many_senders_take_each_text_once(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    for _ in 0..24 {
        desk.queue(morning(), "断网", Grade::Two).await;
    }
    let senders = (0..24).map(|_| take(store, 0, false));
    let taken = futures::future::join_all(senders).await;
    let ids: BTreeSet<_> = taken.into_iter().map(|text| text.unwrap().id).collect();
    assert_eq!(ids.len(), 24);
    assert_eq!(take(store, 1, false).await, None);
}

/// Two minutes are the lease.
async fn take(store: &impl Store, minute: i64, quiet: bool) -> Option<Sms> {
    let (now, lease) = (later(minute), later(minute + 2));
    store.claim_sms(now, lease, quiet).await.unwrap()
}

async fn failures_are_kept_and_tried_again(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    desk.queue(morning(), "断网", Grade::Two).await;
    let note = async |text: &Sms, minute, done| {
        let note = SmsNote {
            at: later(minute),
            text: None,
            done,
            of_way: true,
        };
        assert!(store.note_sms(text.id, text.attempts, &note).await.unwrap());
    };
    let again = |minute, error: Option<&str>| SmsDone::Later {
        next_at: later(minute),
        error: error.map(str::to_owned),
    };
    let text = take(store, 0, false).await.unwrap();
    note(&text, 1, again(5, Some("throttled"))).await;
    assert_eq!(take(store, 4, false).await, None, "not yet");
    let text = take(store, 5, false).await.unwrap();
    note(&text, 6, again(10, Some("timeout"))).await;
    let failing = store.sms_failing().await.unwrap();
    let way = SmsFailing {
        count: 1,
        since: Some(later(1)),
    };
    assert_eq!((failing.way, failing.texts.count), (way, 0));
    let text = take(store, 10, false).await.unwrap();
    assert_eq!(text.error.as_deref(), Some("timeout"));
    note(&text, 11, again(20, None)).await;
    let text = take(store, 20, false).await.unwrap();
    assert_eq!(text.failing_since, Some(later(1)), "still failing");
    let error = "timeout".to_owned();
    note(&text, 21, SmsDone::GivenUp { error }).await;
    assert_eq!(take(store, 60, false).await, None);
    let [given_up] = store
        .sms_page(true, None, 10, Reader::Program)
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(given_up.state, SmsState::GivenUp);
    let trouble = store.sms_failing().await.unwrap();
    assert_eq!((trouble.way.count, trouble.texts.count), (0, 1), "this one");

    assert!(
        store
            .retry_sms(text.id, later(70), Reader::Program)
            .await
            .unwrap()
    );
    assert!(
        !store
            .retry_sms(text.id, later(70), Reader::Program)
            .await
            .unwrap()
    );
    assert!(
        !store
            .retry_sms(Uuid::nil(), later(70), Reader::Program)
            .await
            .unwrap()
    );
    let text = take(store, 70, false).await.unwrap();
    assert_eq!((text.attempts, text.failing_since), (5, None));
    note(
        &text,
        71,
        SmsDone::Sent {
            smsc_id: None,
            delivered: true,
        },
    )
    .await;
    let [delivered] = all(store).await.try_into().unwrap();
    assert_eq!(delivered.state, SmsState::Delivered);
    assert_eq!(delivered.delivered_at, Some(later(71)));
    assert_eq!(store.sms_failing().await.unwrap(), Default::default());
    assert!(
        store
            .sms_page(true, None, 10, Reader::Program)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        !store
            .retry_sms(text.id, later(80), Reader::Program)
            .await
            .unwrap()
    );
}

async fn receipts_find_their_text(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    for text in ["断网", "多扣费"] {
        desk.queue(morning(), text, Grade::Two).await;
    }
    for name in ["1a", "2b"] {
        let text = take(store, 0, false).await.unwrap();
        assert!(
            store
                .note_sms(text.id, 1, &sent(name, later(1)))
                .await
                .unwrap()
        );
    }
    let receipt = async |names: &[&str], error: Option<&str>| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let receipt = SmsReceipt {
            at: later(2),
            error: error.map(str::to_owned),
        };
        store.note_receipt(&names, &receipt).await.unwrap()
    };
    assert!(!receipt(&["26", "0"], None).await);
    assert!(receipt(&["26", "1a"], None).await);
    assert!(receipt(&["1a", "2b"], Some("late")).await, "told before");
    let other = all(store).await.into_iter();
    let mut other = other.filter(|text| text.smsc_id.as_deref() == Some("2b"));
    assert_eq!(other.next().unwrap().state, SmsState::Sent);
    assert!(receipt(&["2b"], Some("undelivered")).await);
    let mut states: Vec<_> = all(store)
        .await
        .into_iter()
        .map(|text| (text.smsc_id.unwrap(), text.state, text.failing_since))
        .collect();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(states[0], ("1a".into(), SmsState::Delivered, None));
    assert_eq!(states[1], ("2b".into(), SmsState::Failed, Some(later(2))));
}

fn answer(to: &str, minute: i64) -> NewSms {
    NewSms {
        id: Uuid::now_v7(),
        cause: None,
        template: Template::Progress,
        language: Language::ZhCn,
        reference: None,
        to: Mobile::read(to).unwrap(),
        text: Some("答".into()),
        made_at: later(minute),
        duty: None,
        is_urgent: false,
        is_held: false,
    }
}

async fn answers_go_first_and_within_limits(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    desk.queue(morning(), "断网", Grade::Two).await;
    let limits = AnswerLimits {
        hourly: 2,
        daily: 3,
        hourly_in_all: 4,
    };
    let put = async |to, minute| store.answer_sms(&answer(to, minute), limits).await.unwrap();
    let (one, other, third) = ("13800138001", "13800138002", "13800138003");
    assert!(put(one, 0).await && put(one, 1).await);
    assert!(!put(one, 2).await, "the hour of a number");
    assert!(put(other, 3).await && put(other, 4).await);
    assert!(!put(third, 5).await, "the hour of all");
    assert!(put(one, 62).await);
    assert!(!put(one, 180).await, "the day of a number");
    assert!(put(one, 24 * 60 + 61).await, "and a day later it may again");
    let taken = take(store, 5, false).await.unwrap();
    assert!(taken.is_answer, "before what waited longer");
    assert!(
        take(store, 5, true)
            .await
            .is_some_and(|text| text.is_answer)
    );
    // Of two at once for the last place one gets it.
    let hundred: Vec<_> = (0..8).map(|_| put(third, 5_000)).collect();
    let kept = futures::future::join_all(hundred).await;
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 2);
}

async fn settings_and_old_texts(store: &impl Store) {
    assert_eq!(store.sms_settings().await.unwrap(), SmsSettings::default());
    let settings = SmsSettings {
        by: SmsBy::File {
            path: Some("/tmp/x".into()),
        },
        per_minute: 7,
        ..SmsSettings::default()
    };
    let mut feed = store.feed();
    store.put_sms_settings(&settings).await.unwrap();
    assert_eq!(store.sms_settings().await.unwrap(), settings);
    assert!(feed.recv().await.unwrap().sms, "the sender hears of it");

    let mut desk = Desk::enrol(store, "clerk", 1).await;
    for text in ["断网", "多扣费", "慢"] {
        desk.queue(morning(), text, Grade::Two).await;
    }
    let whole = all(store).await;
    let first = store
        .sms_page(false, None, 2, Reader::Program)
        .await
        .unwrap();
    let last = first.last().map(|text| (text.made_at, text.id));
    let rest = store
        .sms_page(false, last, 2, Reader::Program)
        .await
        .unwrap();
    assert_eq!([first, rest].concat(), whole);
    store.sweep(morning() + TimeDelta::days(179)).await.unwrap();
    assert_eq!(all(store).await.len(), 3);
    store.sweep(morning() + TimeDelta::days(181)).await.unwrap();
    assert_eq!(all(store).await, []);
    assert_eq!(store.verify().await.unwrap().fault, None);
}

async fn staff(store: &impl Store, login: &str) -> StaffRecord {
    store.staff_by_login(login).await.unwrap().unwrap()
}

/// Another member of the management group.
async fn second_manager(store: &impl Store) -> StaffId {
    let first = staff(store, "management").await;
    let second = StaffRecord {
        id: StaffId(Uuid::now_v7()),
        login: "management2".into(),
        ..first
    };
    store.add_staff(&second).await.unwrap();
    second.id
}

async fn on_duty(store: &impl Store, id: StaffId, phone: &str) {
    let phone = DutyPhone {
        to: Mobile::read(phone).unwrap(),
        language: Language::En,
    };
    assert!(store.set_duty_phone(id, Some(&phone)).await.unwrap());
}

/// The program tells the management group of a deadline.
async fn report(store: &impl Store, id: ComplaintId, clock: Clock, texted: bool) {
    let told = Fact::Escalated {
        clock,
        task: None,
        level: Level::Report,
        due: morning(),
        texted,
    };
    let by = Actor::system(None);
    store.step(step(id, by, steps::plain(told))).await.unwrap();
}

async fn to_duty(store: &impl Store) -> Vec<Sms> {
    let mut texts = all(store).await;
    texts.retain(|text| text.template == Template::Duty);
    texts.sort_by_key(|text| text.to.digits().to_owned());
    texts
}

async fn duty_staff_are_texted_each_once(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let (first, second) = (
        staff(store, "management").await.id,
        second_manager(store).await,
    );
    on_duty(store, first, "13900139001").await;
    on_duty(store, second, "13900139002").await;
    on_duty(store, staff(store, "expert").await.id, "13900139003").await;
    assert!(
        !store
            .set_duty_phone(StaffId(Uuid::nil()), None)
            .await
            .unwrap()
    );
    assert_eq!(store.duty_phones().await.unwrap().len(), 3);
    let id = desk.queue(morning(), "断网", Grade::One).await;
    report(store, id, Clock::Cycle, false).await;
    assert_eq!(to_duty(store).await, [], "the policy says no");
    report(store, id, Clock::Feedback, true).await;
    let [one, other] = to_duty(store).await.try_into().unwrap();
    assert_eq!(one.to, Mobile::read("13900139001").unwrap());
    assert_eq!(other.duty.unwrap().staff, second);
    let deadline = one.duty.unwrap().deadline;
    assert_eq!((deadline.clock, deadline.due), (Clock::Feedback, morning()));
    assert_eq!((one.complaint, one.language), (Some(id), Language::En));
    assert_ne!(one.id, other.id);
    // Of grade 1 at any hour, before answers and what customers are told.
    let taken = take(store, 0, true).await.unwrap();
    assert!(taken.is_urgent && taken.duty.is_some());
    assert_eq!(store.next_sms(true).await.unwrap(), Some(morning()));
    // Nobody is on duty any more, or has an account.
    store.set_duty_phone(first, None).await.unwrap();
    store.set_active(second, false).await.unwrap();
    report(store, id, Clock::FirstResponse, true).await;
    assert_eq!(to_duty(store).await.len(), 2);
    let lower = desk.queue(morning(), "慢", Grade::Two).await;
    store.set_active(second, true).await.unwrap();
    report(store, lower, Clock::Feedback, true).await;
    let texts = to_duty(store).await;
    let [text] = texts
        .iter()
        .filter(|text| text.complaint == Some(lower))
        .collect::<Vec<_>>()[..]
    else {
        panic!("{texts:?}")
    };
    assert!(!text.is_urgent, "others wait for the morning");
    assert_eq!(store.verify().await.unwrap().fault, None);
}

async fn what_the_complaint_is_about_is_not_texted(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    let (about, above) = (
        staff(store, "management").await.id,
        second_manager(store).await,
    );
    on_duty(store, about, "13900139001").await;
    on_duty(store, above, "13900139002").await;
    store.set_superior(about, Some(above)).await.unwrap();
    let id = desk.queue(morning(), "态度差", Grade::One).await;
    let recused = Fact::Recused {
        staff: about,
        name: "某".into(),
        reason: "被投诉人".into(),
    };
    let expert = member(store, "expert").await;
    store
        .step(step(id, expert, steps::plain(recused)))
        .await
        .unwrap();
    report(store, id, Clock::Feedback, true).await;
    assert_eq!(to_duty(store).await, []);
    let other = desk.queue(morning(), "断网", Grade::One).await;
    report(store, other, Clock::Feedback, true).await;
    assert_eq!(to_duty(store).await.len(), 2, "the control");
}

async fn a_failure_that_somebody_saw_to_fails_no_longer(store: &impl Store) {
    let mut desk = Desk::enrol(store, "clerk", 1).await;
    desk.queue(morning(), "断网", Grade::Two).await;
    let why = Dismissal {
        by: Some(staff(store, "expert").await.id),
        name: "专家".into(),
        at: later(2),
        reason: "已电话告知".into(),
    };
    let text = take(store, 0, false).await.unwrap();
    let dismiss = async || {
        store
            .dismiss_sms(text.id, &why, Reader::Program)
            .await
            .unwrap()
    };
    assert!(!dismiss().await, "it is being sent");
    let note = SmsNote {
        at: later(1),
        text: None,
        done: SmsDone::Failed {
            error: "smpp_11".into(),
        },
        of_way: false,
    };
    store.note_sms(text.id, 1, &note).await.unwrap();
    let trouble = store.sms_failing().await.unwrap();
    assert_eq!((trouble.way.count, trouble.texts.count), (0, 1));
    assert!(dismiss().await && !dismiss().await, "once");
    assert_eq!(store.sms_failing().await.unwrap(), Default::default());
    let [text] = all(store).await.try_into().unwrap();
    assert_eq!(
        (text.state, text.dismissal),
        (SmsState::Dismissed, Some(why.clone()))
    );
    assert!(
        !store
            .retry_sms(text.id, later(3), Reader::Program)
            .await
            .unwrap()
    );
    assert_eq!(take(store, 9, false).await, None);
}
