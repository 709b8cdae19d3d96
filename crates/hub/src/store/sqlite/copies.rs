//! What stands beside the ledger has no chain over it. Its rows are kept twice,
//! by triggers, so that a byte that changes by itself in one of them is told
//! from what was written. Somebody who writes to the file on purpose can write
//! both: only the ledger is proof against that.
//!
//! The copies are made from the tables' columns as they are, so that a column
//! added later is kept twice as well. What can be made anew from the ledger
//! (the search, the rows of complaints) and what has a hash of its own (the
//! bytes of evidence) has no copy.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::directory::{find_setting, find_text, put_setting};
use super::{begin, failed};
use crate::store::checks::fault;
use crate::store::{Fault, Result};

/// The tables whose rows are kept twice, in the order they are compared.
const KEPT_TWICE: [&str; 26] = [
    "setting",
    "branch",
    "staff",
    "guidance",
    "enrol_code",
    "device",
    "incarnation",
    "origin",
    "quarantine",
    "task",
    "duty",
    "lease",
    "phone_stub",
    "phone_note",
    "evidence_file",
    "evidence_read",
    "desk_day",
    "alarm",
    "alarm_member",
    "alarm_step",
    "sms",
    "web_session",
    "done_step",
    "learning",
    "training",
    "forgotten",
];

/// A column of a table: its name and its place in the primary key, from 1; 0
/// outside of it.
type Column = (String, i64);

/// The setting that keeps how the tables were made.
const SCHEMA: &str = "schema";

/// How the tables were made, by which version.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Schema {
    /// Of the migrations and of the list of tables kept twice.
    version: String,
    /// SHA-256 of the text of every table, index and trigger, in hexadecimal.
    digest: String,
}

/// Makes the copies that are missing or have other columns than their table,
/// unless this version has made them before: a column that has another name
/// since has changed by itself.
pub async fn prepare(writer: &mut SqliteConnection) -> Result<()> {
    let mut tx = begin(writer).await?;
    let version = version(&mut tx).await?;
    // One that cannot be read any more is as good as none: it is written anew.
    let known = find_text(&mut tx, SCHEMA).await?;
    let known: Option<Schema> = known.and_then(|text| serde_json::from_str(&text).ok());
    if known.is_some_and(|known| known.version == version) {
        return Ok(());
    }
    for table in KEPT_TWICE {
        let copy = copy_of(table);
        let columns = columns(&mut tx, table).await?;
        let copied = self::columns(&mut tx, &copy).await?;
        if names(&columns) != names(&copied) {
            run(&mut tx, made_anew(table, &columns)).await?;
        }
    }
    let digest = digest(&mut tx).await?;
    put_setting(&mut tx, SCHEMA, &Schema { version, digest }).await?;
    tx.commit().await.map_err(failed)
}

async fn version(connection: &mut SqliteConnection) -> Result<String> {
    let migrations: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    Ok(format!("{migrations} {}", KEPT_TWICE.join(" ")))
}

async fn digest(connection: &mut SqliteConnection) -> Result<String> {
    let made: Vec<String> = sqlx::query_scalar(
        "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') \
         FROM sqlite_schema WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type, name",
    )
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let mut hasher = Sha256::new();
    for text in made {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the tables are still as they were made.
pub async fn schema(connection: &mut SqliteConnection) -> Result<Option<Fault>> {
    let known: Option<Schema> = find_setting(&mut *connection, SCHEMA).await?;
    let digest = digest(connection).await?;
    let is_as_made = known.is_some_and(|known| known.digest == digest);
    Ok((!is_as_made).then(|| fault("database file", "its tables are not as they were made")))
}

/// The first row that does not read as its copy does. Tables of other columns
/// than their copies cannot be compared: [`schema`] says so.
pub async fn differing(connection: &mut SqliteConnection) -> Result<Option<Fault>> {
    for table in KEPT_TWICE {
        let columns = columns(connection, table).await?;
        let copied = self::columns(connection, &copy_of(table)).await?;
        if names(&columns) != names(&copied) {
            break;
        }
        let key = key(&columns);
        // The key as it is told: it names a row and no person.
        let name = key
            .iter()
            .map(|column| format!("iif(typeof({column}) = 'blob', hex({column}), {column})"))
            .collect::<Vec<_>>()
            .join(" || ' ' || ");
        let all = names(&columns).join(", ");
        let copy = copy_of(table);
        let sql = format!(
            "SELECT {name} FROM (SELECT * FROM \
               (SELECT {all} FROM {table} NOT INDEXED EXCEPT SELECT {all} FROM {copy} NOT INDEXED) \
             UNION ALL SELECT * FROM \
               (SELECT {all} FROM {copy} NOT INDEXED EXCEPT SELECT {all} FROM {table} NOT INDEXED)) \
             LIMIT 1"
        );
        let found: Option<Option<String>> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_optional(&mut *connection)
            .await
            .map_err(failed)?;
        if let Some(row) = found {
            let row = row.unwrap_or_default();
            let reason = "it was changed behind the program's back: it is not what was written";
            return Ok(Some(fault(format!("{table} {row}"), reason)));
        }
    }
    Ok(None)
}

/// Moving to another store leaves tables of such a name behind.
fn copy_of(table: &str) -> String {
    format!("{table}_copy")
}

async fn columns(connection: &mut SqliteConnection, table: &str) -> Result<Vec<Column>> {
    sqlx::query_as("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid")
        .bind(table)
        .fetch_all(connection)
        .await
        .map_err(failed)
}

fn names(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(|(name, _)| name.as_str()).collect()
}

fn key(columns: &[Column]) -> Vec<&str> {
    let of_key = columns.iter().filter(|(_, place)| *place > 0);
    of_key.map(|(name, _)| name.as_str()).collect()
}

/// The statements that make a table's copy, with what the table holds now.
fn made_anew(table: &str, columns: &[Column]) -> String {
    let copy = copy_of(table);
    let all = names(columns).join(", ");
    let new = each(&names(columns), |name| format!("new.{name}"), ", ");
    let set = each(&names(columns), |name| format!("{name} = new.{name}"), ", ");
    let is_old = each(
        &key(columns),
        |name| format!("{name} = old.{name}"),
        " AND ",
    );
    let key = key(columns).join(", ");
    format!(
        "DROP TRIGGER IF EXISTS {copy}_insert; DROP TRIGGER IF EXISTS {copy}_update; \
         DROP TRIGGER IF EXISTS {copy}_delete; DROP TABLE IF EXISTS {copy}; \
         CREATE TABLE {copy} AS SELECT {all} FROM {table}; \
         CREATE UNIQUE INDEX {copy}_key ON {copy} ({key}); \
         CREATE TRIGGER {copy}_insert AFTER INSERT ON {table} BEGIN \
           INSERT INTO {copy} ({all}) VALUES ({new}); END; \
         CREATE TRIGGER {copy}_update AFTER UPDATE ON {table} BEGIN \
           UPDATE {copy} SET {set} WHERE {is_old}; END; \
         CREATE TRIGGER {copy}_delete AFTER DELETE ON {table} BEGIN \
           DELETE FROM {copy} WHERE {is_old}; END;"
    )
}

fn each(names: &[&str], say: impl Fn(&str) -> String, between: &str) -> String {
    let said: Vec<String> = names.iter().map(|name| say(name)).collect();
    said.join(between)
}

async fn run(connection: &mut SqliteConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}
