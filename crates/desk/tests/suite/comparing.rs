//! The copy of the hub's log is compared with the hub's, once a day.

use suda_desk::view::LinkTrouble;
use suda_domain::{Actor, ComplaintId, Fact, FactKind};

use crate::support::{Bench, form};

const A_DAY: i64 = 24 * 60;

/// A complaint of this desk with a note of another, at the third place of the log.
async fn noted_by_another(bench: &Bench) -> ComplaintId {
    let id = bench.record(form("断网")).await;
    bench.contact().await;
    let places = bench.hub.state.lock().unwrap().log.len() as u64;
    bench.hub.state.lock().unwrap().left_out = Some(places + 1);
    let text = "客户来电补充".to_owned();
    bench
        .hub
        .write(id, 1, Actor::system(None), Fact::Noted { text });
    // What follows takes the cursor beyond the place that is left out.
    let text = "已转告".to_owned();
    bench
        .hub
        .write(id, 1, Actor::system(None), Fact::Noted { text });
    bench.contact().await;
    id
}

async fn notes(bench: &Bench, id: ComplaintId) -> usize {
    let case = bench.desk.case(&bench.session, id).await.unwrap();
    let lines = case.timeline.iter();
    lines.filter(|line| line.kind == FactKind::Noted).count()
}

async fn trouble(bench: &Bench) -> Option<LinkTrouble> {
    bench.desk.status().await.unwrap().trouble
}

#[tokio::test]
async fn what_the_copy_of_the_log_lacks_is_found_and_read_again() {
    let bench = Bench::new().await;
    let id = noted_by_another(&bench).await;
    assert_eq!(notes(&bench, id).await, 1, "one was left out");
    bench.hub.state.lock().unwrap().left_out = None;
    // The first comparison was today; it looks again tomorrow.
    bench.contact().await;
    assert_eq!(notes(&bench, id).await, 1);
    bench.clock.pass(A_DAY);
    bench.contact().await;
    bench.contact().await;
    assert_eq!(notes(&bench, id).await, 2);
    assert_eq!(trouble(&bench).await, None);
    let asked = bench.hub.state.lock().unwrap().compared.0;
    bench.contact().await;
    let again = bench.hub.state.lock().unwrap().compared.0;
    assert_eq!(asked, again, "once a day");
    assert_eq!(bench.desk.verify().await.unwrap().bad, 0);
}

#[tokio::test]
async fn what_stays_different_is_told_here_and_at_the_hub_until_it_is_the_same() {
    let bench = Bench::new().await;
    let id = noted_by_another(&bench).await;
    bench.clock.pass(A_DAY);
    for _ in 0..3 {
        bench.contact().await;
    }
    assert_eq!(trouble(&bench).await, Some(LinkTrouble::LogDiffers));
    assert_eq!(bench.hub.state.lock().unwrap().compared.1, 0);
    bench.hub.state.lock().unwrap().left_out = None;
    bench.clock.pass(A_DAY);
    for _ in 0..3 {
        bench.contact().await;
    }
    assert_eq!(bench.hub.state.lock().unwrap().compared.1, 1);
    assert_eq!(trouble(&bench).await, None);
    assert_eq!(notes(&bench, id).await, 2);
}
