//! A desk's database as the second version of the program would have left it:
//! made with that version's own migrations, filled with what a desk of today
//! holds.

use std::path::Path;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::books::open_encrypted;
use crate::{DeskDir, Failure};

const VERSION_2: [&str; 2] = [
    include_str!("../../../crates/desk/src/store/migrations/0001_base.sql"),
    include_str!("../../../crates/desk/src/store/migrations/0002_import.sql"),
];

/// What a desk of that version kept, the search index apart.
const TABLES: [&str; 9] = [
    "device",
    "event",
    "lane_ack",
    "receipt",
    "complaint",
    "directory",
    "import_run",
    "import_row",
    "link",
];

/// Copies the data directory of `from` to `to`, with a database of version 2.
pub async fn copy_as_version_2(from: &DeskDir, to: &DeskDir) -> Result<(), Failure> {
    std::fs::create_dir_all(&to.data).map_err(Failure::io("a data directory"))?;
    let identity = |dir: &Path| dir.join("desk.json");
    std::fs::copy(identity(&from.data), identity(&to.data)).map_err(Failure::io("desk.json"))?;
    let key = std::fs::read_to_string(&from.key).map_err(Failure::io("the key file"))?;
    let file = to.data.join("suda.db");
    let mut conn = open_encrypted(&file, key.trim(), false).await?;
    fill(&mut conn, &from.data.join("suda.db"), key.trim())
        .await
        .map_err(|error| Failure::Said(format!("making an old database: {error}")))
}

async fn fill(conn: &mut SqliteConnection, today: &Path, key: &str) -> Result<(), sqlx::Error> {
    let run = async |conn: &mut SqliteConnection, sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(conn)
            .await
            .map(drop)
    };
    run(conn, "pragma journal_mode = wal".to_owned()).await?;
    for sql in VERSION_2 {
        run(conn, sql.to_owned()).await?;
    }
    let today = today.display();
    run(conn, format!("attach '{today}' as today key \"x'{key}'\"")).await?;
    let mut copy = String::from("begin;");
    for table in TABLES {
        let columns: Vec<String> = sqlx::query_scalar("select name from pragma_table_info(?)")
            .bind(table)
            .fetch_all(&mut *conn)
            .await?;
        let columns = columns.join(", ");
        copy.push_str(&format!(
            "delete from main.{table}; \
             insert into main.{table} ({columns}) select {columns} from today.{table};"
        ));
    }
    copy.push_str("commit; pragma user_version = 2; detach today");
    run(conn, copy).await?;
    sqlx::query("pragma wal_checkpoint(truncate)")
        .execute(conn)
        .await
        .map(drop)
}
