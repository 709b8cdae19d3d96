//! What is asked of PostgreSQL again and again reads what it needs and not
//! every complaint; and what several processes count together.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use direct::{Desk, claim, member};
use sqlx::{Connection as _, PgConnection};
use suda_domain::duty::Holder;
use suda_domain::{Grade, ReferenceNumber};
use suda_hub::status::limits::{Brake, Limits};
use suda_hub::status::way::Way;
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::tries::Tries;
use suda_hub::store::{Ledger as _, Lists as _, Reader, Upkeep as _};
use suda_sync::SecretKey;
use suda_test_postgres::PrivatePostgres;
use support::{fill, morning};

/// As many as a city has in some years; the texts are as long as real ones.
const COMPLAINTS: i64 = 200_000;

async fn reads(operator: &mut PgConnection, table: &str) -> (i64, i64) {
    sqlx::query_as(
        "SELECT seq_tup_read, coalesce(idx_scan, 0) + seq_scan FROM pg_stat_user_tables \
         WHERE relname = $1",
    )
    .bind(table)
    .fetch_one(operator)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_again_and_again_does_not_read_every_complaint() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("plans").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    let mut desk = Desk::enrol(&store, "clerk", 1).await;
    let held = desk.queue(morning(), "held", Grade::Two).await;
    let expert = member(&store, "expert").await;
    let expert_id = expert.staff.unwrap();
    claim(&store, held, &expert, morning() + TimeDelta::minutes(30)).await;
    let mut operator = PgConnection::connect(&url).await.unwrap();
    // Copies of the one that is claimed, each with a lease; no statistics yet,
    // as after a move or a restore.
    sqlx::query("ALTER TABLE lease DROP CONSTRAINT IF EXISTS lease_complaint_fkey")
        .execute(&mut operator)
        .await
        .unwrap();
    let columns: String = sqlx::query_scalar(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns \
         WHERE table_name = 'complaint' AND column_name NOT IN ('id', 'reference', 'state')",
    )
    .fetch_one(&mut operator)
    .await
    .unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO complaint (id, reference, state, {columns}) SELECT gen_random_uuid(), \
         'X' || n, 'closed', {columns} FROM complaint, generate_series(1, {COMPLAINTS}) AS n"
    )))
    .execute(&mut operator)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO lease (complaint, lease, expert, until) SELECT id, gen_random_uuid(), $1, \
         $2 + 3600000 FROM complaint WHERE state = 'closed' LIMIT 300",
    )
    .bind(expert_id.0)
    .bind(morning().timestamp_millis())
    .execute(&mut operator)
    .await
    .unwrap();
    sqlx::query("INSERT INTO duty SELECT id, 'question', id, 'staff:' || $1, $2 FROM complaint")
        .bind(expert_id.to_string())
        .bind(morning().timestamp_millis())
        .execute(&mut operator)
        .await
        .unwrap();
    let reference: ReferenceNumber = {
        let held = store.complaint(held, Reader::Program).await.unwrap();
        held.unwrap().complaint.reference.clone()
    };
    for analysed in [false, true] {
        if analysed {
            sqlx::raw_sql("ANALYZE")
                .execute(&mut operator)
                .await
                .unwrap();
        }
        let (before, _) = reads(&mut operator, "complaint").await;
        let began = Instant::now();
        let (_, of_leases) = reads(&mut operator, "lease").await;
        let (_, of_duties) = reads(&mut operator, "duty").await;
        let later = morning() + TimeDelta::hours(2);
        let mut longest = Duration::ZERO;
        // Until the server tells what it has counted.
        loop {
            let asked = Instant::now();
            store.lapsed(later, 200).await.unwrap();
            longest = longest.max(asked.elapsed());
            let mine = [Holder::Staff(expert_id)];
            let duties = store.duties(&mine, 50, Reader::Program).await;
            assert_eq!(duties.unwrap().len(), 50);
            let found = store.find_reference(&reference, Reader::Program).await;
            assert_eq!(found.unwrap(), Some(held));
            store.complaint(held, Reader::Program).await.unwrap();
            let (_, leases) = reads(&mut operator, "lease").await;
            let (_, duties) = reads(&mut operator, "duty").await;
            if leases > of_leases && duties > of_duties {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(40),
                "nothing is counted"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!("analysed {analysed}: lapsed claims took {longest:?} at most");
        let (after, _) = reads(&mut operator, "complaint").await;
        assert_eq!(after - before, 0, "analysed: {analysed}");
    }
}

fn number(running: u32) -> ReferenceNumber {
    let date = chrono::NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
    ReferenceNumber::compose(&"CQ0123".parse().unwrap(), date, "A", running).unwrap()
}

fn address(n: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(n))
}

async fn brake(
    limits: &Limits,
    store: &impl Tries,
    from: IpAddr,
    number: &ReferenceNumber,
    now: DateTime<Utc>,
) -> Option<Brake> {
    let way = Way::Digits("0000".into());
    let begun = limits.begin(store, from, Some(number), &way, now).await;
    begun.unwrap().err().map(|wait| wait.brake)
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_database_allow_together_what_one_allows() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("tries").unwrap();
    let first = PostgresStore::open(&url).await.unwrap();
    fill(&first).await;
    let second = PostgresStore::open(&url).await.unwrap();
    let stores = [&first, &second];
    let key = SecretKey::from_seed([7; 32]);
    let limits = [Limits::new(&key), Limits::new(&key)];
    // Twenty at once, from twenty addresses, at both: five are let through.
    let tries = (0..20).map(|n: u32| {
        let which = n as usize % 2;
        let (limits, store) = (&limits[which], stores[which]);
        async move { brake(limits, store, address(n), &number(1), morning()).await }
    });
    let brakes = futures::future::join_all(tries).await;
    let through = brakes.iter().filter(|brake| brake.is_none()).count();
    assert_eq!(through, 5, "{brakes:?}");
    // What the database keeps of it names nobody.
    let mut operator = PgConnection::connect(&url).await.unwrap();
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM tally")
        .fetch_all(&mut operator)
        .await
        .unwrap();
    // Everybody's, the number's, and of five addresses.
    assert_eq!(names.len(), 7);
    assert!(
        names
            .iter()
            .all(|name| !name.contains('.') && !name.contains("CQ"))
    );
    // A process begun anew forgives nothing.
    let third = PostgresStore::open(&url).await.unwrap();
    let held = brake(
        &Limits::new(&key),
        &third,
        address(90),
        &number(1),
        morning(),
    )
    .await;
    assert_eq!(held, Some(Brake::Reference));
    // Who is right, at any of them, clears the number for all.
    let later = morning() + TimeDelta::hours(1);
    let way = Way::Digits("0000".into());
    let number_one = number(1);
    let own = limits[0].begin(&first, address(91), Some(&number_one), &way, later);
    own.await
        .unwrap()
        .ok()
        .unwrap()
        .was_right(&first)
        .await
        .unwrap();
    for n in 92..97 {
        let held = brake(&limits[1], &second, address(n), &number(1), later).await;
        assert_eq!(held, None);
    }
    // Tallies nobody needs any more are swept away.
    first.sweep(later + TimeDelta::hours(25)).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM tally")
        .fetch_one(&mut operator)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_a_look_up_costs_little() {
    let server = PrivatePostgres::start().unwrap();
    let url = server.database("cost").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    let limits = Limits::new(&SecretKey::from_seed([7; 32]));
    let way = Way::Digits("0000".into());
    let mut took = Vec::new();
    for n in 1..=200 {
        let began = Instant::now();
        let number = number(n);
        let begun = limits.begin(&store, address(n), Some(&number), &way, morning());
        begun
            .await
            .unwrap()
            .ok()
            .unwrap()
            .was_right(&store)
            .await
            .unwrap();
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!(
        "both countings of a right look-up: {:?} in the middle, {:?} at p99",
        took[100], took[198]
    );
    assert!(took[100] < Duration::from_millis(50), "{:?}", took[100]);
}
