//! What the desk counts of its days, and how the hub gets it.

use std::collections::BTreeMap;
use std::time::Duration;

use suda_desk::view::{Assessment, LinkView};
use suda_domain::{Complexity, Grade};
use suda_sync::statistics::{Counts, DayTotals};

use crate::support::{Bench, behind_its_back, form};

/// What the small hub holds, all days together.
fn held(bench: &Bench) -> Counts {
    let mut all = Counts::default();
    for day in days(bench) {
        all.add(&day.counts);
    }
    all
}

fn days(bench: &Bench) -> Vec<DayTotals> {
    let hub = bench.hub.state.lock().unwrap();
    hub.days
        .iter()
        .flatten()
        .map(|(_, day)| day.clone())
        .collect()
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.hub.state.lock().unwrap().days = Some(BTreeMap::new());
    bench
}

/// A minute later the counts are written.
async fn a_minute_on(bench: &Bench) {
    bench.clock.pass(1);
    bench.desk.sweep().await.unwrap();
}

#[tokio::test]
async fn the_hub_gets_what_was_done_at_the_desk_as_plain_counts() {
    let bench = bench().await;
    let session = &bench.session;
    bench.record(form("断网")).await;
    let otherwise = form("合同被改了");
    let draft = bench.desk.draft_open(session).await.unwrap();
    bench.clock.pass(4);
    let suggested = bench.suggested(&otherwise).await;
    let assessment = Assessment {
        grade: match suggested.grade {
            Grade::Two => Grade::Three,
            _ => Grade::Two,
        },
        complexity: Complexity::Simple,
        ..suggested
    };
    let recorded = bench
        .desk
        .record(session, draft.id, otherwise, assessment, None);
    recorded.await.unwrap();
    let thrown = bench.desk.draft_open(session).await.unwrap();
    bench.desk.draft_discard(session, thrown.id).await.unwrap();
    bench.desk.back_up_now().await.unwrap();
    bench.clock.pass(16);
    bench.desk.sweep().await.unwrap();
    a_minute_on(&bench).await;
    bench.desk.sync_once().await.unwrap();

    let held = held(&bench);
    assert_eq!(
        (held.forms_opened, held.forms_saved, held.forms_discarded),
        (3, 2, 1)
    );
    assert_eq!(held.forms_timed, 2);
    assert!((240..300).contains(&held.form_s_most), "{held:?}");
    assert_eq!((held.grade_taken, held.grade_changed), (1, 1));
    assert!(held.reminders >= 1);
    assert_eq!((held.backups, held.saves_failed), (1, 0));
    assert_eq!((held.starts, held.unclean_ends), (1, 0));
    let day = days(&bench).pop().unwrap();
    assert_eq!(day.standing.version, env!("CARGO_PKG_VERSION"));
    assert!(day.standing.database_bytes > 0 && day.standing.free_bytes > Some(0));
    assert!(
        (16..20).contains(&day.standing.backup_age_min.unwrap()),
        "{day:?}"
    );
    let sent = serde_json::to_string(&day).unwrap();
    for personal in ["张三", "13812345678", "断网", "合同"] {
        assert!(!sent.contains(personal), "{sent}");
    }
}

#[tokio::test]
async fn the_running_day_is_sent_once_an_hour() {
    let bench = bench().await;
    for minute in (0..120).step_by(5) {
        bench.record(form("断网")).await;
        bench.clock.pass(4);
        a_minute_on(&bench).await;
        bench.contact().await;
        let messages = bench.hub.state.lock().unwrap().day_messages;
        // A day may end in between: it is sent once more, finished.
        assert!(messages <= 2 + minute / 60, "{messages} at minute {minute}");
    }
    assert!(bench.hub.state.lock().unwrap().day_messages >= 2);
}

#[tokio::test]
async fn a_crash_is_counted_and_loses_a_minute_at_most() {
    let bench = bench().await;
    bench.record(form("一")).await;
    a_minute_on(&bench).await;
    bench.record(form("二")).await;
    let bench = bench.crash(|_| {}).await;
    let bench = bench.restart(|_| {}).await;
    bench.desk.sync_once().await.unwrap();
    let held = held(&bench);
    // Enrolled, crashed, ended in good order, running.
    assert_eq!((held.starts, held.unclean_ends), (3, 1));
    assert_eq!(held.forms_saved, 1, "the second was of the lost minute");
}

#[tokio::test]
async fn what_cannot_be_counted_keeps_nobody_from_working() {
    let bench = bench().await;
    let mut behind = behind_its_back(bench.dir.path()).await;
    for sql in ["drop table statistics", "drop table statistics_run"] {
        sqlx::query(sql).execute(&mut behind).await.unwrap();
    }
    drop(behind);
    bench.record(form("断网")).await;
    a_minute_on(&bench).await;
    bench.desk.sync_once().await.unwrap();
    let hub = bench.hub.state.lock().unwrap().watermarks;
    assert_eq!(hub[0] + hub[1], 3, "what was recorded is at the hub");
    bench.desk.close().await.unwrap();
}

#[tokio::test]
async fn a_hub_of_before_the_statistics_is_no_failure() {
    let bench = Bench::new().await;
    bench.record(form("断网")).await;
    a_minute_on(&bench).await;
    bench.desk.sync_once().await.unwrap();
    let report = bench.desk.report().await.unwrap();
    assert_eq!(report.unsent.total(), 0);
    assert_eq!(
        (report.statistics.days, report.statistics.taken_at),
        (1, None)
    );
}

#[tokio::test]
async fn days_past_are_told_as_waiting_until_the_hub_has_them() {
    let bench = Bench::new().await;
    bench.desk.sync_once().await.unwrap();
    bench.record(form("断网")).await;
    a_minute_on(&bench).await;
    bench.clock.pass(24 * 60);
    a_minute_on(&bench).await;
    let report = bench.desk.report().await.unwrap();
    assert!(report.statistics.days_waiting >= 1);
    assert_eq!(report.unsent.lane3, report.statistics.days_waiting);
    bench.hub.state.lock().unwrap().days = Some(BTreeMap::new());
    bench.hub.state.lock().unwrap().clock_ahead = chrono::TimeDelta::minutes(24 * 60 + 2);
    bench.desk.sync_once().await.unwrap();
    let report = bench.desk.report().await.unwrap();
    assert_eq!(
        (report.statistics.days_waiting, report.unsent.lane3),
        (0, 0)
    );
    assert!(report.statistics.taken_at.is_some());
    assert!(days(&bench).len() >= 2);
}

/// The lane runs in the running program too, once its other lanes rest, and a
/// hub that is away is counted.
#[tokio::test]
async fn the_running_sync_sends_the_days_and_counts_an_outage() {
    let bench = bench().await;
    let failing = axum::http::StatusCode::BAD_GATEWAY;
    bench.hub.state.lock().unwrap().instead = Some((failing, "away"));
    let desk = bench.desk.clone();
    let syncing = tokio::spawn(async move { desk.sync_forever(std::future::pending()).await });
    until(async || bench.desk.status().await.unwrap().link == LinkView::Down).await;
    bench.clock.pass(1);
    bench.desk.sweep().await.unwrap();
    bench.hub.state.lock().unwrap().instead = None;
    until(async || !days(&bench).is_empty()).await;
    syncing.abort();
    let held = held(&bench);
    assert!((60..120).contains(&held.offline_s), "{held:?}");
    assert_eq!(held.offline_s, held.outage_s_most);
    assert!(held.sync_failures >= 1);
}

async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 30 s");
}
