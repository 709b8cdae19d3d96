//! Day totals of desks: who may send what, what is held of them, who sees it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use chrono::{NaiveDate, TimeDelta};
use reqwest::{Method, StatusCode};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use suda_hub::store::Upkeep as _;
use suda_hub::store::sqlite::SqliteStore;
use suda_sync::message::{Refused, Request, VERSION};
use suda_sync::statistics::{Counts, DayName, DayTotals, DeskStanding, MOST_DAYS, Taken};
use suda_sync::{Ask, Reply, SecretKey, Signed};
use support::{FakeDesk, TestHub};

fn today(hub: &TestHub) -> NaiveDate {
    // The demo's branches keep Chinese time.
    (hub.clock.now() + TimeDelta::hours(8)).date_naive()
}

fn day(day: NaiveDate, revision: u64, forms_saved: u64) -> DayTotals {
    DayTotals {
        name: DayName {
            incarnation: 1,
            day,
        },
        revision,
        counts: Counts {
            forms_saved,
            ..Counts::default()
        },
        standing: DeskStanding {
            version: "0.1.0".into(),
            system: "linux".into(),
            free_bytes: Some(5 << 30),
            backup_age_min: Some(3),
            ..DeskStanding::default()
        },
    }
}

/// A desk that has said hello.
async fn greeted(hub: &TestHub) -> FakeDesk {
    let desk = hub.enrol("CQ0101", "clerk").await;
    desk.hello().await;
    desk
}

async fn send(desk: &FakeDesk, days: Vec<DayTotals>) -> Taken {
    match desk.ask(Ask::Statistics { days }).await {
        Reply::Statistics(taken) => taken,
        other => panic!("{other:?}"),
    }
}

async fn refused(desk: &FakeDesk, days: Vec<DayTotals>) -> Refused {
    match desk.ask(Ask::Statistics { days }).await {
        Reply::Refused(refused) => refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_writing_never_replaces_a_newer_one_and_the_answer_tells_what_is_held() {
    let hub = TestHub::start().await;
    let desk = greeted(&hub).await;
    let of = today(&hub);
    let yesterday = of - TimeDelta::days(1);
    let taken = send(&desk, vec![day(of, 2, 7), day(yesterday, 9, 30)]).await;
    let held: Vec<_> = taken.days.iter().map(|day| day.revision).collect();
    assert_eq!(held, [9, 2], "by day");
    assert_eq!(send(&desk, vec![day(of, 1, 3)]).await.days[0].revision, 2);
    let rows = hub.sign_in("administrator").await.get("/api/desks").await;
    let row = &rows["desks"][0];
    assert_eq!(row["today"]["forms_saved"], 7);
    assert_eq!(row["week"]["forms_saved"], 37);
    assert_eq!(row["standing"]["version"], "0.1.0");
    assert_eq!(row["branch"], "CQ0101");
    assert_eq!(row["attention"], serde_json::json!([]));
    send(&desk, vec![day(of, 3, 8)]).await;
    let rows = hub.sign_in("management").await.get("/api/desks").await;
    assert_eq!(rows["desks"][0]["today"]["forms_saved"], 8);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_soundly_named_day_of_the_desk_is_refused_whole() {
    let hub = TestHub::start().await;
    let desk = greeted(&hub).await;
    let of = today(&hub);
    let good = day(of, 1, 1);
    let changed = |change: fn(&mut DayTotals)| {
        let mut day = good.clone();
        change(&mut day);
        vec![good.clone(), day]
    };
    for days in [
        Vec::new(),
        vec![good.clone(); MOST_DAYS + 1],
        changed(|day| day.name.incarnation = 2),
        changed(|day| day.name.incarnation = 0),
        changed(|day| day.revision = 0),
        changed(|day| day.revision = u64::MAX),
        changed(|day| day.standing.version = "张三 13812345678".into()),
        changed(|day| day.standing.system = "x".repeat(33)),
    ] {
        assert_eq!(refused(&desk, days).await, Refused::Malformed);
    }
    let rows = hub.sign_in("auditor").await.get("/api/desks").await;
    assert!(rows["desks"][0]["standing"].is_null(), "nothing was kept");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_desk_itself_in_its_session_may_tell_of_its_days() {
    let hub = TestHub::start().await;
    let desk = greeted(&hub).await;
    let days = vec![day(today(&hub), 1, 1)];
    let request = |session: Option<String>| Request {
        v: VERSION,
        device: desk.enrolled.device,
        incarnation: 1,
        session,
        ask: Ask::Statistics { days: days.clone() },
    };
    let session = desk.hello().await.session;
    let foreign = SecretKey::from_seed([77; 32]);
    let forged = Signed::seal(&request(Some(session)), &foreign).unwrap();
    assert!(matches!(
        desk.send(&forged).await,
        Reply::Refused(Refused::BadSignature)
    ));
    let unadmitted = Signed::seal(&request(None), &desk.key).unwrap();
    assert!(matches!(
        desk.send(&unadmitted).await,
        Reply::Refused(Refused::SessionExpired)
    ));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn desks_that_need_somebody_come_first_and_branch_staff_see_none() {
    let hub = TestHub::start().await;
    let well = greeted(&hub).await;
    let badly = greeted(&hub).await;
    let of = today(&hub);
    send(&well, vec![day(of, 1, 5)]).await;
    let mut of_badly = day(of, 1, 5);
    of_badly.standing.free_bytes = Some(5 << 20);
    of_badly.counts.unclean_ends = 2;
    send(&badly, vec![of_badly]).await;
    let administrator = hub.sign_in("administrator").await;
    let rows = administrator.get("/api/desks").await;
    assert_eq!(rows["desks"][0]["letter"], "B");
    assert_eq!(
        rows["desks"][0]["attention"],
        serde_json::json!(["disk_nearly_full", "unclean_ends"])
    );
    assert_eq!(rows["desks"][1]["attention"], serde_json::json!([]));
    assert_eq!(rows["usual_version"], "0.1.0");
    for login in ["clerk", "branch_manager", "expert", "department"] {
        let (status, _) = hub
            .sign_in(login)
            .await
            .ask(Method::GET, "/api/desks", None)
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{login}");
    }
    // A day on, neither has been heard of for more than a day.
    hub.clock.advance(TimeDelta::hours(25));
    let rows = hub.sign_in("administrator").await.get("/api/desks").await;
    for desk in rows["desks"].as_array().unwrap() {
        let reasons = desk["attention"].as_array().unwrap();
        assert!(reasons.contains(&"silent".into()), "{desk}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_changed_behind_the_programs_back_is_named_by_verify() {
    let hub = TestHub::start().await;
    let desk = greeted(&hub).await;
    send(&desk, vec![day(today(&hub), 1, 5)]).await;
    let dir = hub.stop().await.unwrap();
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    assert_eq!(store.verify().await.unwrap().fault, None, "the control");
    store.close().await;
    let file = SqliteConnectOptions::new().filename(dir.path().join("hub.db"));
    let mut raw = file.connect().await.unwrap();
    for sql in [
        "DROP TRIGGER desk_day_copy_update",
        "UPDATE desk_day SET body = replace(body, '\"forms_saved\":5', '\"forms_saved\":6')",
    ] {
        sqlx::query(sql).execute(&mut raw).await.unwrap();
    }
    raw.close().await.unwrap();
    let store = SqliteStore::open(dir.path(), false).await.unwrap();
    let fault = store.verify().await.unwrap().fault.unwrap();
    assert!(fault.row.starts_with("desk_day "), "{fault:?}");
    store.close().await;
}
