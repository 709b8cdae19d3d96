//! A newer program over the data of older ones: every schema the hub ever had
//! is brought up with its data, a copy of before is kept, and without room for
//! one nothing is changed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use suda_domain::{ComplaintId, Fact, Grade, Lane};
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Ledger as _, Lists as _, Reader, Upkeep as _};
use support::{TestHub, morning};
use tempfile::TempDir;

/// A stopped hub with a claimed complaint, one that waits, a record set aside
/// and one held.
async fn lived_in() -> (TempDir, ComplaintId) {
    let hub = TestHub::start().await;
    let mut desk = hub.enrol("CQ0101", "clerk").await;
    let id = desk.hand_off(morning(), "宽带断了", Grade::Two).await;
    desk.hand_off(morning(), "多扣话费", Grade::Three).await;
    let stranger = ComplaintId(uuid::Uuid::now_v7());
    let noted = Fact::Noted { text: "x".into() };
    let n = desk.pen.heads[1].0 + 1;
    let events = vec![
        desk.pen
            .write(Lane::Ordinary, id, 2, morning(), Fact::Closed),
        desk.pen
            .write(Lane::Ordinary, stranger, 1, morning(), noted),
    ];
    assert_eq!(
        desk.batch(Lane::Ordinary, n, events).await.verdicts.len(),
        2
    );
    let expert = hub.sign_in("expert").await;
    let path = format!("/api/complaints/{id}/claim");
    expert.post(&path, json!({})).await;
    (hub.stop().await.unwrap(), id)
}

/// The statements of every migration, the first first.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|end| end == "sql"))
        .collect();
    files.sort();
    let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    files.iter().map(text).collect()
}

async fn run(connection: &mut SqliteConnection, sql: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone()));
    let done = done.execute(connection).await;
    assert!(done.is_ok(), "{sql}: {done:?}");
}

async fn names(connection: &mut SqliteConnection, sql: String) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await;
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn open(file: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// The hub's data as the program with the first `schema` migrations had them:
/// its tables, with the rows kept twice as that program kept them.
async fn as_it_was(lived_in: &Path, schema: usize, dir: &Path) {
    let mut old = open(&dir.join("hub.db")).await;
    for sql in &migrations()[..schema] {
        run(&mut old, sql.clone()).await;
    }
    run(&mut old, format!("PRAGMA user_version = {schema}")).await;
    let from = lived_in.join("hub.db").display().to_string();
    run(&mut old, format!("ATTACH '{from}' AS today")).await;
    let of = |database: &str| {
        format!(
            "SELECT name FROM pragma_table_list WHERE schema = '{database}' AND type = 'table' \
             AND name NOT LIKE 'sqlite_%'"
        )
    };
    let today = names(&mut old, of("today")).await;
    for table in names(&mut old, of("main")).await {
        let columns = |database: &str| {
            format!("SELECT name FROM pragma_table_info('{table}', '{database}') ORDER BY cid")
        };
        let mine = names(&mut old, columns("main")).await;
        let theirs = names(&mut old, columns("today")).await;
        assert!(mine.iter().all(|one| theirs.contains(one)), "{table}");
        let all = mine.join(", ");
        let copy = format!("INSERT INTO main.{table} ({all}) SELECT {all} FROM today.{table}");
        run(&mut old, copy).await;
        if today.contains(&format!("{table}_copy")) {
            keep_twice(&mut old, &table, &mine).await;
        }
    }
    // What the program notes of the copies and derived rows it has made.
    run(
        &mut old,
        "DELETE FROM setting WHERE name IN ('schema', 'derived')".into(),
    )
    .await;
    run(&mut old, "DETACH today".into()).await;
    old.close().await.unwrap();
}

/// The triggers of before: a migration has to pass beside them.
async fn keep_twice(old: &mut SqliteConnection, table: &str, columns: &[String]) {
    let key = format!("SELECT name FROM pragma_table_info('{table}', 'main') WHERE pk > 0");
    let key = names(&mut *old, key).await;
    let each = |names: &[String], by: &dyn Fn(&String) -> String, between: &str| {
        names.iter().map(by).collect::<Vec<_>>().join(between)
    };
    let all = columns.join(", ");
    let new = each(columns, &|name| format!("new.{name}"), ", ");
    let set = each(columns, &|name| format!("{name} = new.{name}"), ", ");
    let same = each(&key, &|name| format!("{name} = old.{name}"), " AND ");
    let sql = format!(
        "CREATE TABLE {table}_copy AS SELECT {all} FROM {table}; \
         CREATE TRIGGER {table}_copy_insert AFTER INSERT ON {table} BEGIN \
           INSERT INTO {table}_copy ({all}) VALUES ({new}); END; \
         CREATE TRIGGER {table}_copy_update AFTER UPDATE ON {table} BEGIN \
           UPDATE {table}_copy SET {set} WHERE {same}; END; \
         CREATE TRIGGER {table}_copy_delete AFTER DELETE ON {table} BEGIN \
           DELETE FROM {table}_copy WHERE {same}; END;"
    );
    run(old, sql).await;
}

async fn schema_of(file: &Path) -> i64 {
    let mut connection = open(file).await;
    let found = sqlx::query_scalar("PRAGMA user_version");
    let found = found.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    found
}

fn beside(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("before-schema"))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_every_schema_are_brought_up_and_kept_as_they_were() {
    let (today, id) = lived_in().await;
    let store = SqliteStore::open(today.path(), false).await.unwrap();
    let expected = store.counts().await.unwrap();
    let complaint = store.complaint(id, Reader::Program).await.unwrap().unwrap();
    store.close().await;
    drop(store);
    assert_eq!(beside(today.path()), [""; 0], "nothing was changed here");
    let newest = migrations().len();
    for schema in 1..newest {
        let dir = TempDir::new().unwrap();
        as_it_was(today.path(), schema, dir.path()).await;
        let older = dir.path().join("hub.db.before-schema1");
        std::fs::write(&older, "of the change before").unwrap();
        let store = SqliteStore::open(dir.path(), false).await.unwrap();
        assert_eq!(store.verify().await.unwrap().fault, None, "{schema}");
        assert_eq!(store.counts().await.unwrap(), expected, "{schema}");
        let after = store.complaint(id, Reader::Program).await.unwrap().unwrap();
        assert_eq!(after.complaint, complaint.complaint, "{schema}");
        store.close().await;
        let kept = format!("hub.db.before-schema{newest}");
        assert_eq!(beside(dir.path()).join(" "), kept, "only the newest");
        assert_eq!(schema_of(&dir.path().join(kept)).await, schema as i64);
    }
}

/// The program, allowed to write files up to so many blocks of 512 bytes.
fn status(dir: &Path, blocks: &str) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" status --data \"$1\"");
    let program = env!("CARGO_BIN_EXE_suda-hub");
    let mut shell = Command::new("sh");
    let command = shell.args(["-c", &script, program]).arg(dir);
    command.output().unwrap()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn without_room_for_a_copy_nothing_is_changed_and_one_line_says_so() {
    let (today, _) = lived_in().await;
    let dir = TempDir::new().unwrap();
    let before = migrations().len() - 1;
    as_it_was(today.path(), before, dir.path()).await;
    let database = dir.path().join("hub.db");
    let refused = status(dir.path(), "200");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.contains("no copy of the database could be kept"),
        "{told}"
    );
    assert_eq!(schema_of(&database).await, before as i64);
    assert_eq!(beside(dir.path()), [""; 0]);
    let done = status(dir.path(), "unlimited");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(schema_of(&database).await, before as i64 + 1);
    assert_eq!(beside(dir.path()).len(), 1);
}
