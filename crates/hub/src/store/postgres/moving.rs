//! Moves a hub from the embedded store to an empty database, in one
//! transaction, and verifies it there. Which tables and columns there are is
//! read from both schemas: what one has and the other lacks refuses the move,
//! so that nothing is left behind in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Postgres, Row as _};
use uuid::Uuid;

use super::renew::have_alone;
use super::{OpenError, PostgresStore, Tx, failed};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::value::count;
use crate::store::{Directory as _, Fault, Lists as _, StoreError, Upkeep as _};

/// Made anew where they are needed, not moved.
const DERIVED: [&str; 6] = [
    "complaint_text",
    "indexed",
    "log_head",
    "schema_version",
    // Tries at guessing: kept for a day at most, and here alone.
    "tally",
    "to_index",
];
/// Complaints the text index takes in one transaction.
const INDEX_AT_ONCE: u32 = 200;
/// Rows in one statement.
const ROWS: usize = 500;
/// Of the table whose rows are pieces of files.
const ROWS_OF_FILES: usize = 32;

/// What was moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Moved {
    /// By table.
    pub rows: BTreeMap<String, u64>,
    pub events: u64,
    pub complaints: u64,
    /// The embedded store, under its new name: nobody serves from it any more.
    pub kept: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error(transparent)]
    From(#[from] sqlite::OpenError),
    #[error(transparent)]
    To(#[from] OpenError),
    #[error("there is no hub in the directory")]
    Nothing,
    #[error("the database to move to is not empty")]
    NotEmpty,
    #[error("the store to move from is damaged: {}: {}", .0.row, .0.reason)]
    DamagedBefore(Fault),
    #[error("what was moved does not verify: {}: {}; drop that database, the hub is as it was", .0.row, .0.reason)]
    DamagedAfter(Fault),
    #[error("the two stores differ in {0}: this program cannot move it")]
    Schema(String),
    #[error("{table}: {there} of {here} rows arrived")]
    Lost {
        table: String,
        here: u64,
        there: u64,
    },
    #[error("the store moved from cannot be renamed")]
    Rename(#[source] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Moves the hub of `dir`, which nobody else uses meanwhile, to the database.
pub async fn move_here(dir: &Path, to: &str, now: DateTime<Utc>) -> Result<Moved, MoveError> {
    let from = SqliteStore::open(dir, false).await?;
    let to = PostgresStore::open(to).await?;
    let moved = move_between(&from, &to).await;
    to.close().await;
    from.close().await;
    drop(from);
    let mut moved = moved?;
    let name = format!("{}.moved-{}", sqlite::FILE, now.format("%Y%m%dT%H%M%S"));
    moved.kept = dir.join(name);
    std::fs::rename(dir.join(sqlite::FILE), &moved.kept).map_err(MoveError::Rename)?;
    Ok(moved)
}

async fn move_between(from: &SqliteStore, to: &PostgresStore) -> Result<Moved, MoveError> {
    if !from.is_initialised().await? {
        return Err(MoveError::Nothing);
    }
    let before = from.verify().await?;
    if let Some(fault) = before.fault {
        return Err(MoveError::DamagedBefore(fault));
    }
    let mut alone = to.begin_tx().await?;
    // This transaction only keeps others away, for as long as the rest takes.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0")
        .execute(&mut *alone)
        .await
        .map_err(failed)?;
    if !have_alone(&mut alone).await? {
        return Err(OpenError::Serving.into());
    }
    let mut source = from.read().await?;
    let mut tx = to.begin_tx().await?;
    let rows = copy_all(&mut source, &mut tx).await?;
    finish(&mut tx).await?;
    tx.commit().await.map_err(failed)?;
    let after = to.verify().await?;
    if let Some(fault) = after.fault {
        return Err(MoveError::DamagedAfter(fault));
    }
    let counted = [
        ("events", before.events, after.events),
        ("complaints", before.complaints, after.complaints),
        ("lanes", before.lanes, after.lanes),
    ];
    for (what, here, there) in counted {
        lost(what, here, there)?;
    }
    while to.index_texts(INDEX_AT_ONCE).await? > 0 {}
    alone.rollback().await.map_err(failed)?;
    Ok(Moved {
        rows,
        events: after.events,
        complaints: after.complaints,
        kept: PathBuf::new(),
    })
}

fn lost(table: &str, here: u64, there: u64) -> Result<(), MoveError> {
    if here == there {
        return Ok(());
    }
    Err(MoveError::Lost {
        table: table.to_owned(),
        here,
        there,
    })
}

async fn copy_all(
    source: &mut SqliteConnection,
    tx: &mut Tx<'_>,
) -> Result<BTreeMap<String, u64>, MoveError> {
    let here = sqlite_columns(source).await?;
    let there = postgres_columns(tx).await?;
    if let Some(difference) = difference(&here, &there) {
        return Err(MoveError::Schema(difference));
    }
    for table in there.keys() {
        if rows_in(tx, table).await? > 0 {
            return Err(MoveError::NotEmpty);
        }
    }
    let mut rows = BTreeMap::new();
    for table in parents_first(tx, there.keys().cloned().collect()).await? {
        let columns = there.get(&table).map(Vec::as_slice).unwrap_or_default();
        let here = copy(source, tx, &table, columns).await?;
        lost(&table, here, rows_in(tx, &table).await?)?;
        tracing::info!(table, rows = here, "moved");
        rows.insert(table, here);
    }
    Ok(rows)
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Column {
    name: String,
    kind: String,
}

async fn sqlite_columns(
    source: &mut SqliteConnection,
) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
         WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' \
         AND t.name NOT LIKE '%!_copy' ESCAPE '!' AND c.name NOT LIKE '%!_again' ESCAPE '!'",
    )
    .fetch_all(source)
    .await
    .map_err(failed)?;
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (table, column) in rows {
        if !DERIVED.contains(&table.as_str()) {
            tables.entry(table).or_default().insert(column);
        }
    }
    Ok(tables)
}

async fn postgres_columns(tx: &mut Tx<'_>) -> Result<BTreeMap<String, Vec<Column>>, StoreError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        // Views hold nothing that could be moved.
        "SELECT table_name::text, column_name::text, data_type::text \
         FROM information_schema.columns JOIN information_schema.tables \
         USING (table_schema, table_name) \
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' \
         ORDER BY table_name, ordinal_position",
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (table, name, kind) in rows {
        if !DERIVED.contains(&table.as_str()) {
            tables.entry(table).or_default().push(Column { name, kind });
        }
    }
    Ok(tables)
}

/// The first table or column that only one of the two has.
fn difference(
    here: &BTreeMap<String, BTreeSet<String>>,
    there: &BTreeMap<String, Vec<Column>>,
) -> Option<String> {
    let flat: BTreeSet<String> = here
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |name| format!("{table}.{name}")))
        .collect();
    let other: BTreeSet<String> = there
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |c| format!("{table}.{}", c.name)))
        .collect();
    flat.symmetric_difference(&other).next().cloned()
}

/// Tables that others refer to come before them.
async fn parents_first(
    tx: &mut Tx<'_>,
    mut left: BTreeSet<String>,
) -> Result<Vec<String>, MoveError> {
    let edges: Vec<(String, String)> = sqlx::query_as(
        "SELECT child.relname::text, parent.relname::text FROM pg_constraint \
         JOIN pg_class AS child ON child.oid = conrelid \
         JOIN pg_class AS parent ON parent.oid = confrelid \
         WHERE contype = 'f' AND connamespace = current_schema()::regnamespace",
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |table: &String| {
            edges
                .iter()
                .any(|(child, parent)| child == table && parent != table && left.contains(parent))
        };
        let free: Vec<String> = left.iter().filter(|table| !waits(table)).cloned().collect();
        if free.is_empty() {
            return Err(MoveError::Schema("a circle of references".to_owned()));
        }
        left.retain(|table| !free.contains(table));
        ordered.extend(free);
    }
    Ok(ordered)
}

/// The names come from the database's own catalogue; quoted all the same.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn rows_in(connection: &mut PgConnection, table: &str) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM {}", quoted(table));
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(count(rows))
}

async fn copy(
    source: &mut SqliteConnection,
    tx: &mut Tx<'_>,
    table: &str,
    columns: &[Column],
) -> Result<u64, MoveError> {
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let names = names.join(", ");
    let arrays: Vec<String> = columns
        .iter()
        .zip(1..)
        .map(|(column, n)| format!("${n}::{}[]", column.kind))
        .collect();
    let at_once = match table {
        "evidence_slice" | "letter" | "model" => ROWS_OF_FILES,
        _ => ROWS,
    };
    let table = quoted(table);
    let read = format!("SELECT {names} FROM {table}");
    let write = format!(
        "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
        arrays.join(", ")
    );
    let mut rows = sqlx::query(AssertSqlSafe(read)).fetch(source);
    let (mut part, mut copied) = (Vec::with_capacity(at_once), 0);
    loop {
        let row = rows.try_next().await.map_err(failed)?;
        let ended = row.is_none();
        part.extend(row);
        if part.len() < at_once && !ended {
            continue;
        }
        if !part.is_empty() {
            copied += part.len() as u64;
            let mut insert = sqlx::query(AssertSqlSafe(write.clone()));
            for (index, column) in columns.iter().enumerate() {
                insert = bind(insert, &part, index, column)?;
            }
            insert.execute(&mut **tx).await.map_err(failed)?;
            part.clear();
        }
        if ended {
            return Ok(copied);
        }
    }
}

type Insert = Query<'static, Postgres, PgArguments>;

/// One column of the rows, as an array of the type that it has there.
fn bind(
    insert: Insert,
    rows: &[SqliteRow],
    index: usize,
    column: &Column,
) -> Result<Insert, MoveError> {
    fn all<'r, T>(rows: &'r [SqliteRow], index: usize) -> Result<Vec<Option<T>>, StoreError>
    where
        Option<T>: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        rows.iter()
            .map(|row| row.try_get(index).map_err(failed))
            .collect()
    }
    Ok(match column.kind.as_str() {
        "uuid" => insert.bind(all::<Uuid>(rows, index)?),
        "bigint" => insert.bind(all::<i64>(rows, index)?),
        "boolean" => insert.bind(all::<bool>(rows, index)?),
        "bytea" => insert.bind(all::<Vec<u8>>(rows, index)?),
        "text" => insert.bind(all::<String>(rows, index)?),
        other => {
            let what = format!("{}, which is of type {other}", column.name);
            return Err(MoveError::Schema(what));
        }
    })
}

/// What is derived there: the head of the log, what is to be indexed, the next
/// numbers.
async fn finish(tx: &mut Tx<'_>) -> Result<(), MoveError> {
    for sql in [
        "UPDATE log_head SET seq = log.seq, chain = log.chain FROM log \
         WHERE log.seq = (SELECT max(seq) FROM log)",
        "INSERT INTO to_index (complaint, seq) SELECT id, updated_seq FROM complaint",
    ] {
        sqlx::query(sql).execute(&mut **tx).await.map_err(failed)?;
    }
    let numbered: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND is_identity = 'YES'",
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    for (table, column) in numbered {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{0}', '{column}'), max({1})) FROM {0} \
             HAVING max({1}) IS NOT NULL",
            quoted(&table),
            quoted(&column)
        );
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut **tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}
