//! The check of the ledger, against changes made behind the desk's back.

use sqlx::{AssertSqlSafe, Connection as _};
use suda_desk::Fault;
use suda_domain::{Complexity, Grade};

use crate::support::{Bench, behind_its_back, data_dir, form};

/// Changes the closed database with its own key.
async fn tampered(sql: &str) -> (u64, Option<Fault>) {
    let bench = Bench::new().await;
    for n in 0..5 {
        let text = form(&format!("第{n}件"));
        bench.record_as(text, Grade::Two, Complexity::Complex).await;
    }
    bench.desk.sync_once().await.unwrap();
    assert!(bench.desk.verify().await.unwrap().is_clean());
    bench.desk.close().await.unwrap();
    let mut conn = behind_its_back(bench.dir.path()).await;
    let changed = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut conn)
        .await
        .unwrap();
    assert!(changed.rows_affected() > 0);
    conn.close().await.unwrap();
    // They would not leave the journal, which puts back what is cut off at the end.
    std::fs::remove_dir_all(data_dir(bench.dir.path()).join("journal")).unwrap();
    let report = bench.reopen().await.desk.verify().await.unwrap();
    (report.bad, report.first_bad.map(|bad| bad.fault))
}

#[tokio::test]
async fn the_journal_does_not_hide_what_was_taken_out_of_the_middle() {
    let bench = Bench::new().await;
    for n in 0..3 {
        bench.record(form(&format!("第{n}件"))).await;
    }
    bench.desk.close().await.unwrap();
    let mut conn = behind_its_back(bench.dir.path()).await;
    let sql = "delete from event where seq = 4";
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let report = bench.reopen().await.desk.verify().await.unwrap();
    assert_eq!(report.first_bad.map(|bad| bad.fault), Some(Fault::Missing));
}

#[tokio::test]
async fn every_kind_of_tampering_is_found() {
    let flipped = "update event set body = replace(body, '第2件', '第9件') where seq = 7";
    assert_eq!(tampered(flipped).await.1, Some(Fault::Hash));
    assert_eq!(
        tampered("delete from event where seq = 5").await.1,
        Some(Fault::Missing)
    );
    let last = "delete from event where lane = 1 and n = 10";
    assert_eq!(tampered(last).await.1, Some(Fault::MissingAtEnd));
    let state = "update complaint set state = 'closed' where row = 3";
    assert_eq!(tampered(state).await, (1, Some(Fault::State)));
    let body = "update complaint set body = replace(body, '张三', '李四') where row = 2";
    assert_eq!(tampered(body).await, (1, Some(Fault::State)));
    assert_eq!(
        tampered("delete from complaint where row = 1").await.1,
        Some(Fault::NoState)
    );
    let swapped = "update event set complaint = (select complaint from event where seq = 1) \
                   where seq = 4";
    assert_eq!(tampered(swapped).await.1, Some(Fault::Misnamed));
}
