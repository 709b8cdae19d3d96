//! What only a store with several processes has to do: here two stores on one
//! private PostgreSQL stand for two hub processes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/direct.rs"]
mod direct;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use direct::{Desk, claim, code, ids, member, step};
use futures::future::join_all;
use sqlx::{Connection as _, PgConnection};
use suda_domain::guidance::Guidance;
use suda_domain::{Complexity, Fact, Grade, Lane};
use suda_hub::queue::steps;
use suda_hub::store::postgres::{OpenError, PostgresStore};
use suda_hub::store::{
    Devices as _, Directory as _, EnrolError, Ledger as _, Lists as _, Reader, Scope, StepError,
    StepRefused, Store as _, StoreError, Touched, Upkeep as _,
};
use suda_sync::SecretKey;
use suda_test_postgres::PrivatePostgres;
use support::{fill, intake, morning};

/// Two processes on one database that holds the usual branches and staff.
async fn two(server: &PrivatePostgres, name: &str) -> (String, [Arc<PostgresStore>; 2]) {
    let url = server.database(name).unwrap();
    let first = PostgresStore::open(&url).await.unwrap();
    fill(&first).await;
    let second = PostgresStore::open(&url).await.unwrap();
    for store in [&first, &second] {
        store.join().await.unwrap();
    }
    (url, [Arc::new(first), Arc::new(second)])
}

async fn raw(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn verified(store: &PostgresStore) -> u64 {
    let verified = store.verify().await.unwrap();
    assert_eq!(verified.fault, None);
    verified.events
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_log_misses_nothing_that_two_processes_write() {
    const DESKS: u8 = 6;
    const EACH: u32 = 25;
    let server = PrivatePostgres::start().unwrap();
    let (_, stores) = two(&server, "follow").await;
    let done = Arc::new(AtomicBool::new(false));
    let branch = "CQ0101".parse().unwrap();
    let follower = {
        let (store, done) = (Arc::clone(&stores[1]), Arc::clone(&done));
        tokio::spawn(async move {
            let (mut cursor, mut seen) = (0, Vec::new());
            loop {
                let last_look = done.load(Ordering::SeqCst);
                let page = store.log_after(&branch, cursor, 7, usize::MAX, None).await;
                let page = page.unwrap();
                seen.extend(page.entries.iter().map(|entry| entry.seq));
                cursor = page.cursor;
                if last_look && !page.more {
                    return seen;
                }
            }
        })
    };
    let writers = (0..DESKS).map(|number| {
        let store = Arc::clone(&stores[usize::from(number % 2)]);
        tokio::spawn(async move {
            let mut desk = Desk::enrol(store.as_ref(), "clerk", number).await;
            for n in 0..EACH {
                desk.queue(morning(), &format!("{number}/{n}"), Grade::Three)
                    .await;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen = follower.await.unwrap();
    // Recorded, assessed, handed off, and the hub's own receipt.
    let expected = u64::from(DESKS) * u64::from(EACH) * 4;
    assert_eq!(seen, (1..=expected).collect::<Vec<_>>());
    assert_eq!(verified(&stores[0]).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_has_one_winner_over_two_processes() {
    let server = PrivatePostgres::start().unwrap();
    let (_, stores) = two(&server, "claims").await;
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    for round in 0..10 {
        let id = desk.queue(morning(), &format!("{round}"), Grade::Two).await;
        let tries = (0..20).map(|number| {
            let store = Arc::clone(&stores[number % 2]);
            tokio::spawn(async move {
                let login = if number < 10 { "expert" } else { "expert2" };
                let expert = member(store.as_ref(), login).await;
                let until = morning() + TimeDelta::minutes(30);
                let decide = steps::claim(expert.staff.unwrap(), until);
                let claimed = store.step(step(id, expert, decide)).await;
                claimed.map(|complaint| complaint.claim.unwrap().lease)
            })
        });
        let outcomes = join_all(tries).await;
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        let leases: BTreeSet<_> = outcomes.iter().flatten().collect();
        assert_eq!(leases.len(), 1);
        let refused = outcomes.iter().filter(|outcome| {
            matches!(outcome, Err(StepError::Refused(StepRefused::ClaimedBy(_))))
        });
        assert_eq!(refused.count(), 10);
    }
    // Both processes continued the one chain of the hub's own lane.
    verified(&stores[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_commits_the_other_hears_also_after_a_break() {
    let server = PrivatePostgres::start().unwrap();
    let (url, stores) = two(&server, "hears").await;
    let mut here = stores[0].feed();
    let mut there = stores[1].feed();
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    let id = desk.queue(morning(), "x", Grade::Two).await;
    let heard = hear(&mut there, |touched| !touched.complaints.is_empty()).await;
    assert_eq!(heard.complaints[0].id, id);
    assert!(
        stores[1]
            .complaint(id, Reader::Program)
            .await
            .unwrap()
            .is_some()
    );
    // One's own comes once, although the database tells it to all.
    hear(&mut here, |touched| !touched.complaints.is_empty()).await;
    let hash = suda_hub::secret::hash_password("another password").unwrap();
    let expert = stores[0].staff_by_login("expert").await.unwrap().unwrap();
    assert!(stores[0].set_password(expert.id, &hash).await.unwrap());
    hear(&mut there, |touched| touched.directory).await;

    let mut operator = raw(&url).await;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE query LIKE '%pg_try_advisory_lock_shared%' AND pid <> pg_backend_pid()",
    )
    .execute(&mut operator)
    .await
    .unwrap();
    hear(&mut there, |touched| touched.everything).await;
    hear(&mut here, |touched| touched.everything).await;
    let id = desk.queue(morning(), "y", Grade::Two).await;
    let again = hear(&mut there, |touched| !touched.complaints.is_empty()).await;
    assert!(again.complaints.iter().any(|one| one.id == id));
    // A thousand complaints in one transaction are told as well.
    let mut told = BTreeSet::new();
    let mut events = Vec::new();
    let first = desk.pen.heads[1].0 + 1;
    for n in 0..60 {
        let (id, _, two) = desk.pen.record(
            morning(),
            intake(&format!("{n}")),
            Grade::Three,
            Complexity::Simple,
        );
        told.insert(id);
        events.extend(two);
    }
    desk.send(Lane::Ordinary, first, events).await;
    while !told.is_empty() {
        let touched = hear(&mut there, |touched| !touched.complaints.is_empty()).await;
        for one in &touched.complaints {
            told.remove(&one.id);
        }
    }
}

async fn hear(
    feed: &mut tokio::sync::broadcast::Receiver<Arc<Touched>>,
    wanted: impl Fn(&Touched) -> bool,
) -> Arc<Touched> {
    let heard = async {
        loop {
            let touched = feed.recv().await.unwrap();
            if wanted(&touched) {
                return touched;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_enrols_one_desk_and_each_desk_gets_a_letter_of_its_own() {
    let server = PrivatePostgres::start().unwrap();
    let (_, stores) = two(&server, "enrol").await;
    let branch = "CQ0101".parse().unwrap();
    for number in 1..=8 {
        stores[0].add_code(&code(number, &branch)).await.unwrap();
    }
    let tries = (0..32).map(|n| {
        let store = Arc::clone(&stores[n % 2]);
        let number = u8::try_from(n / 4).unwrap() + 1;
        tokio::spawn(async move {
            let key = SecretKey::from_seed([number; 32]).public();
            store.enrol([number; 32], &key, "x", morning()).await
        })
    });
    let (mut letters, mut used) = (BTreeSet::new(), 0);
    for outcome in join_all(tries).await {
        match outcome.unwrap() {
            Ok(device) => assert!(letters.insert(device.letter)),
            Err(EnrolError::UsedCode) => used += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(
        letters.into_iter().collect::<String>(),
        "ABCDEFGH",
        "eight codes, eight desks"
    );
    assert_eq!(used, 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_directory_by_two_processes_all_count() {
    let server = PrivatePostgres::start().unwrap();
    let (_, stores) = two(&server, "directory").await;
    let before = stores[0].settings().await.unwrap().directory;
    let puts = (0..20).map(|n| {
        let store = Arc::clone(&stores[n % 2]);
        tokio::spawn(async move {
            let guidance = Guidance {
                category: "A".into(),
                version: 0,
                title: "资费".into(),
                text: format!("{n}"),
                limit_minor: None,
            };
            store.put_guidance(&guidance, None, morning()).await
        })
    });
    let versions = join_all(puts).await;
    let versions: BTreeSet<u32> = versions.into_iter().map(|v| v.unwrap().unwrap()).collect();
    assert_eq!(versions, (1..=20).collect());
    assert_eq!(stores[1].settings().await.unwrap().directory, before + 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_indexed_by_whoever_comes_and_the_last_text_stays() {
    let server = PrivatePostgres::start().unwrap();
    let (url, stores) = two(&server, "texts").await;
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    for n in 0..40 {
        desk.queue(morning(), &format!("宽带断了 号{n:03}尾"), Grade::Three)
            .await;
    }
    // As if it had changed after another process read it: this one waits.
    sqlx::query("UPDATE to_index SET seq = seq + 1000 WHERE seq = 1")
        .execute(&mut raw(&url).await)
        .await
        .unwrap();
    let indexers = (0..4).map(|n| {
        let store = Arc::clone(&stores[n % 2]);
        tokio::spawn(async move {
            let mut taken = 0;
            for _ in 0..40 {
                taken += store.index_texts(3).await.unwrap();
            }
            taken
        })
    });
    let taken: u64 = join_all(indexers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    assert_eq!(taken, 40, "each is taken once");
    for n in 0..40 {
        let words = suda_domain::text::shingles(&format!("号{n:03}尾"));
        let found = stores[0]
            .search(&words, &Scope::Everything, 10, Reader::Program)
            .await;
        assert_eq!(found.unwrap().len(), 1, "{n}");
    }
    let words = suda_domain::text::shingles("宽带");
    let found = stores[1]
        .search(&words, &Scope::Everything, 100, Reader::Program)
        .await;
    assert_eq!(ids(&found.unwrap()).len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_written_fails_nobody_else() {
    let server = PrivatePostgres::start().unwrap();
    let (url, stores) = two(&server, "alone").await;
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    let mut all = Vec::new();
    for n in 0..12 {
        all.push(desk.queue(morning(), &format!("{n}"), Grade::Three).await);
    }
    sqlx::query("UPDATE complaint SET body = '{' WHERE id = $1")
        .bind(all[5].0)
        .execute(&mut raw(&url).await)
        .await
        .unwrap();
    let expert = member(stores[0].as_ref(), "expert").await;
    let steps = all.iter().map(|id| {
        let note = Fact::Noted {
            text: "已致电".into(),
        };
        stores[0].step(step(*id, expert.clone(), steps::plain(note)))
    });
    for (n, outcome) in join_all(steps).await.into_iter().enumerate() {
        match outcome {
            Ok(_) => assert_ne!(n, 5),
            Err(StepError::Store(StoreError::Damaged(_))) => assert_eq!(n, 5),
            Err(other) => panic!("{n}: {other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_in_a_transaction_stops_the_others_for_seconds_only() {
    let server = PrivatePostgres::start().unwrap();
    let (url, stores) = two(&server, "stalled").await;
    let mut desk = Desk::enrol(stores[1].as_ref(), "clerk", 1).await;
    let options = suda_hub::store::postgres::options(&url).unwrap();
    let mut stalled = PgConnection::connect_with(&options).await.unwrap();
    let mut tx = stalled.begin().await.unwrap();
    sqlx::query("SELECT * FROM log_head FOR UPDATE")
        .execute(&mut *tx)
        .await
        .unwrap();
    let queued = desk.queue(morning(), "x", Grade::Two);
    let queued = tokio::time::timeout(Duration::from_secs(40), queued).await;
    assert!(queued.is_ok(), "still waiting for the stopped one");
    assert!(tx.commit().await.is_err(), "what it began is undone");
    verified(&stores[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_used_again_and_nothing_is_doubled() {
    let mut server = PrivatePostgres::start().unwrap();
    let (_, stores) = two(&server, "restart").await;
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    let id = desk.queue(morning(), "x", Grade::Two).await;
    let mut feed = stores[0].feed();
    server.restart().unwrap();
    hear(&mut feed, |touched| touched.everything).await;
    let expert = member(stores[1].as_ref(), "expert").await;
    let until = morning() + TimeDelta::minutes(30);
    support::eventually("the store writes again", || async {
        let decide = steps::claim(expert.staff.unwrap(), until);
        match stores[0].step(step(id, expert.clone(), decide)).await {
            Ok(_) => true,
            Err(StepError::Store(error)) => {
                assert!(error.is_passing(), "{error:?}");
                false
            }
            Err(other) => panic!("{other}"),
        }
    })
    .await;
    claim(stores[1].as_ref(), id, &expert, until).await;
    assert_eq!(verified(&stores[1]).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_may_lose_what_it_confirmed_is_refused() {
    let careless = PrivatePostgres::start_with(&["fsync=off"]).unwrap();
    let url = careless.database("careless").unwrap();
    let refused = PostgresStore::open(&url).await.err().unwrap();
    assert!(
        matches!(refused, OpenError::NotDurable("fsync")),
        "{refused}"
    );
    let server = PrivatePostgres::start_with(&["synchronous_commit=off"]).unwrap();
    let url = server.database("asynchronous").unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    fill(&store).await;
    let options = suda_hub::store::postgres::options(&url).unwrap();
    let mut own = PgConnection::connect_with(&options).await.unwrap();
    let commit: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&mut own)
        .await
        .unwrap();
    assert_eq!(commit, "on", "whatever the server's default");
    sqlx::query("INSERT INTO schema_version VALUES (99)")
        .execute(&mut own)
        .await
        .unwrap();
    let refused = PostgresStore::open(&url).await.err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_first_row_that_was_altered_here_too() {
    let server = PrivatePostgres::start().unwrap();
    let (url, stores) = two(&server, "altered").await;
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    desk.queue(morning(), "宽带断了", Grade::Two).await;
    verified(&stores[0]).await;
    let mut operator = raw(&url).await;
    for (sql, expected) in [
        (
            "UPDATE log SET body = replace(body, '宽带', '宽帯') WHERE seq = 3",
            "log seq 3: the contents do not give the hash",
        ),
        (
            "DELETE FROM log WHERE seq = 2",
            "log seq 3: line 2 is missing",
        ),
        (
            "DELETE FROM log WHERE seq = 4",
            "the head of the log: it says 4",
        ),
        (
            "UPDATE complaint SET state = 'closed'",
            "complaint CQ0101-260721-A-0001",
        ),
        (
            "UPDATE lane_head SET n = 9 WHERE lane = 0",
            "lane 0 of device",
        ),
        (
            "INSERT INTO duty SELECT id, 'question', id, 'branch:CQ0101', 0 FROM complaint",
            "duty ",
        ),
        ("DELETE FROM complaint", "complaint "),
    ] {
        // Altered for the one who looks, put back for the next.
        sqlx::raw_sql("CREATE TABLE kept_log AS TABLE log; CREATE TABLE kept_complaint AS TABLE complaint; CREATE TABLE kept_head AS TABLE lane_head")
            .execute(&mut operator).await.unwrap();
        sqlx::query(sql).execute(&mut operator).await.unwrap();
        let fault = stores[0].verify().await.unwrap().fault.unwrap();
        let found = format!("{}: {}", fault.row, fault.reason);
        assert!(found.starts_with(expected), "{sql}: {found}");
        sqlx::raw_sql("TRUNCATE log, complaint, lane_head, duty; INSERT INTO log TABLE kept_log; INSERT INTO complaint TABLE kept_complaint; INSERT INTO lane_head TABLE kept_head; DROP TABLE kept_log, kept_complaint, kept_head")
            .execute(&mut operator).await.unwrap();
    }
    verified(&stores[0]).await;
}

/// The page for operators gives these statements to be copied.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_partitioned_as_the_operators_page_says_is_written_and_verified() {
    let page = include_str!("../OPERATING.md");
    let (_, from) = page.split_once("```sql\n").unwrap();
    let (statements, _) = from.split_once("```").unwrap();
    let server = PrivatePostgres::start().unwrap();
    let (url, stores) = two(&server, "partitioned").await;
    let mut desk = Desk::enrol(stores[0].as_ref(), "clerk", 1).await;
    desk.queue(morning(), "before", Grade::Two).await;
    let mut operator = raw(&url).await;
    sqlx::raw_sql(statements)
        .execute(&mut operator)
        .await
        .unwrap();
    desk.queue(morning(), "after", Grade::Two).await;
    // The next partition is used as well.
    sqlx::raw_sql(
        "ALTER TABLE log DETACH PARTITION log_until_now; DROP TABLE log_next; \
         ALTER TABLE log ATTACH PARTITION log_until_now FOR VALUES FROM (1) TO (9); \
         CREATE TABLE log_next PARTITION OF log FOR VALUES FROM (9) TO (MAXVALUE)",
    )
    .execute(&mut operator)
    .await
    .unwrap();
    desk.queue(morning(), "later", Grade::Two).await;
    let next: i64 = sqlx::query_scalar("SELECT count(*) FROM log_next")
        .fetch_one(&mut operator)
        .await
        .unwrap();
    assert_eq!(next, 4);
    assert_eq!(verified(&stores[1]).await, 12);
}
