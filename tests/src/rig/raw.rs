//! A database with the desk's settings and no desk: for the control of the
//! power rig, which needs one that flushes too little.

use std::io::Write as _;
use std::path::Path;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::books::open_encrypted;
use crate::Failure;

fn sql(error: sqlx::Error) -> Failure {
    Failure::Said(format!("the raw database: {error}"))
}

/// Commits a row after another until killed, and prints each id once its
/// commit has returned.
pub async fn run(file: &Path, key: &str, normal: bool) -> Result<(), Failure> {
    let mut conn = open_encrypted(file, key, false).await?;
    let synchronous = match normal {
        true => "normal",
        false => "full",
    };
    let prepare = format!(
        "pragma journal_mode = wal; pragma synchronous = {synchronous}; \
         create table if not exists raw (id blob primary key, body text not null)"
    );
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut conn)
        .await
        .map_err(sql)?;
    let body = "x".repeat(1024);
    loop {
        let id = Uuid::now_v7();
        sqlx::query("insert into raw (id, body) values (?, ?)")
            .bind(id)
            .bind(&body)
            .execute(&mut conn)
            .await
            .map_err(sql)?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{{\"id\":\"{id}\"}}")
            .and_then(|()| out.flush())
            .map_err(Failure::io("the acknowledgement"))?;
    }
}
