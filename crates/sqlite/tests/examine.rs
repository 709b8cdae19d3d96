//! What is lost in a log is told apart from what was never committed to it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use suda_sqlite::wal::{Damage, beside, examine, examine_open};

const FRAME: usize = 24 + 4096;

/// A database with commits in its log, as a killed process leaves it.
struct Left {
    dir: tempfile::TempDir,
}

impl Left {
    /// `rounds` times written and carried over, then `commits` left in the log.
    async fn new(rounds: u32, commits: u32) -> Self {
        let work = tempfile::tempdir().unwrap();
        let file = work.path().join("a.db");
        let mut conn = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await
            .unwrap();
        run(&mut conn, "create table t (x blob)").await;
        for _ in 0..rounds {
            for _ in 0..12 {
                run(&mut conn, "insert into t values (randomblob(3000))").await;
            }
            run(&mut conn, "pragma wal_checkpoint(restart)").await;
        }
        for _ in 0..commits {
            run(&mut conn, "insert into t values (randomblob(9000))").await;
        }
        let left = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for suffix in ["", "-wal", "-shm"] {
            std::fs::copy(beside(&file, suffix), beside(&left.file(), suffix)).unwrap();
        }
        conn.close().await.unwrap();
        left
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("a.db")
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(beside(&self.file(), "-wal")).unwrap()
    }

    fn examine_with(&self, log: &[u8]) -> Option<Damage> {
        std::fs::write(beside(&self.file(), "-wal"), log).unwrap();
        examine(&self.file()).unwrap()
    }

    fn forget_index(&self) {
        std::fs::remove_file(beside(&self.file(), "-shm")).unwrap();
    }

    /// Rows that SQLite itself finds.
    async fn rows(&self) -> i64 {
        let mut conn = SqliteConnectOptions::new()
            .filename(self.file())
            .connect()
            .await
            .unwrap();
        let rows = sqlx::query_scalar("select count(*) from t").fetch_one(&mut conn);
        let rows = rows.await.unwrap();
        conn.close().await.unwrap();
        rows
    }
}

async fn run(conn: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(conn).await.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[tokio::test]
async fn sqlite_is_silent_about_a_changed_byte_and_the_examination_is_not() {
    let left = Left::new(0, 8).await;
    assert_eq!(examine(&left.file()).unwrap(), None);
    let mut log = left.log();
    log[32 + 5 * FRAME + 100] ^= 1;
    left.forget_index();
    assert_eq!(left.examine_with(&log), Some(Damage { frame: 6 }));
    assert!(left.rows().await < 8);
}

#[tokio::test]
async fn a_log_that_is_not_there_or_not_begun_has_lost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.db");
    assert_eq!(examine(&file).unwrap(), None);
    for bytes in [0, 32, 32 + FRAME] {
        std::fs::write(beside(&file, "-wal"), vec![0; bytes]).unwrap();
        assert_eq!(examine(&file).unwrap(), None, "{bytes}");
    }
}

#[test]
fn any_changed_byte_of_a_committed_frame_is_found() {
    let left = runtime().block_on(Left::new(0, 6));
    let log = left.log();
    proptest!(|(at in 0..log.len(), bit in 0..8_u32)| {
        let mut changed = log.clone();
        changed[at] ^= 1 << bit;
        prop_assert!(left.examine_with(&changed).is_some());
    });
}

#[test]
fn what_an_earlier_round_has_left_is_no_loss() {
    let left = runtime().block_on(Left::new(1, 1));
    let log = left.log();
    // 9,000 bytes and their place take at most 5 pages.
    let behind = 32 + 5 * FRAME;
    assert!(log.len() > behind + 2 * FRAME);
    proptest!(|(at in behind..log.len(), bit in 0..8_u32)| {
        let mut changed = log.clone();
        changed[at] ^= 1 << bit;
        prop_assert_eq!(left.examine_with(&changed), None);
    });
}

/// A power cut leaves the last transaction in any state, and an index that
/// knows nothing of it.
#[test]
fn a_transaction_torn_by_a_power_cut_is_no_loss() {
    let left = runtime().block_on(Left::new(0, 6));
    left.forget_index();
    let log = left.log();
    let commits: Vec<usize> = (0..(log.len() - 32) / FRAME)
        .filter(|frame| log[32 + frame * FRAME + 4..][..4] != [0; 4])
        .collect();
    let [.., before_last, last] = commits[..] else {
        panic!("a log of several commits");
    };
    proptest!(|(torn in proptest::collection::vec(any::<bool>(), last - before_last), cut in any::<bool>())| {
        let mut changed = log.clone();
        for (n, torn) in torn.iter().enumerate() {
            if *torn {
                let begin = 32 + (before_last + 1 + n) * FRAME;
                changed[begin..begin + FRAME].fill(0);
            }
        }
        if cut {
            changed.truncate(changed.len() - FRAME / 2);
        }
        prop_assert_eq!(left.examine_with(&changed), None);
    });
}

#[tokio::test]
async fn beside_a_process_that_writes_nothing_is_called_lost() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.db");
    let looked = file.clone();
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let until = std::sync::Arc::clone(&done);
    let looking = std::thread::spawn(move || look_until(&looked, &until));
    let mut conn = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap();
    run(&mut conn, "pragma wal_autocheckpoint = 40").await;
    run(&mut conn, "create table t (x blob)").await;
    for _ in 0..400 {
        run(&mut conn, "insert into t values (randomblob(20000))").await;
    }
    conn.close().await.unwrap();
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    let (looks, found) = looking.join().unwrap();
    assert_eq!(found, None);
    assert!(looks > 10, "{looks}");
}

fn look_until(file: &Path, done: &std::sync::atomic::AtomicBool) -> (u32, Option<Damage>) {
    let mut looks = 0;
    while !done.load(std::sync::atomic::Ordering::Relaxed) {
        looks += 1;
        if let Some(found) = examine_open(file).unwrap() {
            return (looks, Some(found));
        }
    }
    (looks, None)
}

/// The locks of this process on a file, by the system's own list. That is given
/// page by page: while others take and leave locks, one line may come twice or
/// not at all, so it is read until it says the same twice.
#[cfg(target_os = "linux")]
fn locks(file: &Path) -> usize {
    let mut before = listed_locks(file);
    for _ in 0..1_000 {
        let now = listed_locks(file);
        if now == before {
            return now.len();
        }
        before = now;
    }
    panic!("the list of locks does not hold still");
}

#[cfg(target_os = "linux")]
fn listed_locks(file: &Path) -> std::collections::BTreeSet<String> {
    use std::os::unix::fs::MetadataExt as _;
    let inode = format!(":{}", std::fs::metadata(file).unwrap().ino());
    let own = std::process::id().to_string();
    let listed = std::fs::read_to_string("/proc/locks").unwrap();
    let ours = |line: &&str| {
        let mut words = line.split_whitespace().skip(4);
        words.next() == Some(&own) && words.next().is_some_and(|place| place.ends_with(&inode))
    };
    // Without the number of the line, which changes with what others hold.
    let lock = |line: &str| {
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    listed.lines().filter(ours).map(lock).collect()
}

/// Without them another process would take the database for nobody's and cut
/// its index off under its readers.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn looking_at_an_open_database_takes_none_of_its_locks_away() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.db");
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut conn = options.connect().await.unwrap();
    run(&mut conn, "create table t (x blob)").await;
    let held = || ["", "-shm"].map(|suffix| locks(&beside(&file, suffix)));
    let before = held();
    assert!(before.iter().all(|&locks| locks > 0), "{before:?}");
    assert_eq!(examine_open(&file).unwrap(), None);
    assert_eq!(held(), before);
    // The control: the look that is for databases not open here.
    assert_eq!(examine(&file).unwrap(), None);
    assert_ne!(held(), before);
    conn.close().await.unwrap();
}
