//! What this machine can do at most: flushes, encrypted durable commits, POSTs.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use suda_tests::Failure;

use crate::line::Times;

/// `fdatasync` after each 4 KB written.
pub fn flushes(dir: &Path, count: usize) -> Result<Times, Failure> {
    let mut file = File::create(dir.join("flush")).map_err(Failure::io("the flush file"))?;
    let mut times = Times::default();
    for _ in 0..count {
        let begin = Instant::now();
        file.write_all(&[7; 4096]).map_err(Failure::io("writing"))?;
        file.sync_data().map_err(Failure::io("flushing"))?;
        times.add(begin.elapsed());
    }
    Ok(times)
}

/// Commits of one row of 1 KB each into SQLCipher with the desk's settings.
pub async fn commits(dir: &Path, count: usize) -> Result<Times, Failure> {
    let sql = |error: sqlx::Error| Failure::Said(format!("raw commits: {error}"));
    let mut connection = suda_sqlite::options()
        .filename(dir.join("raw.db"))
        .create_if_missing(true)
        .pragma(
            "key",
            "\"x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'\"",
        )
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .map_err(sql)?;
    sqlx::query("create table if not exists raw (id integer primary key, body text not null)")
        .execute(&mut connection)
        .await
        .map_err(sql)?;
    let body = "x".repeat(1024);
    let mut times = Times::default();
    for _ in 0..count {
        let begin = Instant::now();
        sqlx::query("insert into raw (body) values (?)")
            .bind(&body)
            .execute(&mut connection)
            .await
            .map_err(sql)?;
        times.add(begin.elapsed());
    }
    connection.close().await.map_err(sql)?;
    Ok(times)
}

/// POSTs over loopback to a hub's cheapest refusal, on one kept connection.
pub async fn posts(url: &str, count: usize) -> Result<Times, Failure> {
    let client = reqwest::Client::new();
    let target = format!("{url}/v1/sync");
    let mut times = Times::default();
    for _ in 0..count {
        let begin = Instant::now();
        let answer = client.post(&target).body("{}").send().await?;
        answer.bytes().await?;
        times.add(begin.elapsed());
    }
    Ok(times)
}
