//! The status page: what a customer waits for among a million complaints,
//! over HTTP, against its bound.

use std::path::Path;
use std::time::Instant;

use chrono::Utc;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use suda_domain::Complaint;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Lists as _, Reader, Upkeep as _, View};
use suda_sync::receipt_key::receipt_key;
use suda_tests::{City, Failure};

use crate::desk::import_rows;
use crate::line::Goal::AtMost;
use crate::line::{Times, print, print_against};

/// Complaints that customers ask for.
const ASKED: usize = 500;
const ROUNDS: usize = 4;
/// All that there are.
const COMPLAINTS: i64 = 1_000_000;
const BOUND_MS: f64 = 20.0;

pub async fn status() -> Result<(), Failure> {
    let mut city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    import_rows(&city, &desk, ASKED, "all")?;
    desk.sync()?;
    city.stop_hub()?;
    let complaints = fill(&city.hub_data()).await?;
    city.start_hub()?;
    let client = Client::builder().no_proxy().build().map_err(said)?;
    let [mut by_digits, mut by_key, mut case] = [(); 3].map(|()| Times::default());
    for round in 0..=ROUNDS {
        for complaint in &complaints {
            let reference = &complaint.reference;
            let phone = &complaint.intake.phone;
            let last4 = phone
                .get(phone.len().saturating_sub(4)..)
                .unwrap_or_default();
            let digits = json!({"reference": reference, "last4": last4});
            let key = json!({"reference": reference, "key": receipt_key(complaint.id)});
            let (took_digits, token) = look_up(&client, &city, &digits).await?;
            let (took_key, _) = look_up(&client, &city, &key).await?;
            let begin = Instant::now();
            let asked = client.get(format!("{}/s/api/case", city.url()));
            let answer = asked.bearer_auth(token).send().await.map_err(said)?;
            read(answer).await?;
            let took = begin.elapsed();
            // The first round warms the connection and the pages.
            if round > 0 {
                by_digits.add(took_digits);
                by_key.add(took_key);
                case.add(took);
            }
        }
    }
    print("status", "complaints", COMPLAINTS as f64, "", ASKED);
    let n = ROUNDS * complaints.len();
    for (what, times) in [
        ("look_up_by_digits", &by_digits),
        ("look_up_by_key", &by_key),
        ("case", &case),
    ] {
        let metric = |percent| format!("{what}_p{percent}");
        print("status", &metric(50), times.percentile_ms(50), "ms", n);
        let p99 = times.percentile_ms(99);
        print_against(("status", &metric(99)), p99, "ms", n, AtMost(BOUND_MS));
    }
    Ok(())
}

/// Fills the store up to a million with copies of the real ones, each under an
/// id and a number of its own, and gives the real ones.
async fn fill(data: &Path) -> Result<Vec<Complaint>, Failure> {
    let store = SqliteStore::open(data, false).await.map_err(said)?;
    let held = store.work_orders(View::All(None), None, ASKED as u32, Reader::Program);
    let held = held.await.map_err(said)?;
    store.close().await;
    drop(store);
    let mut connection: SqliteConnection = suda_sqlite::options()
        .filename(data.join("hub.db"))
        .connect()
        .await
        .map_err(said)?;
    let now = Utc::now().timestamp_millis();
    sqlx::query(
        "INSERT INTO complaint (id, reference, branch, state, rank, due, in_queue, with_team, \
         alert_pending, arrived_at, tell_at, told, updated_seq, body) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1), \
         real (k, body) AS MATERIALIZED \
           (SELECT row_number() OVER (ORDER BY reference), body FROM complaint) \
         SELECT randomblob(16), 'R' || i, 'CQ0101', 'closed', 2, ?2 + i * 1000, 0, 0, 0, ?2, \
         ?2 + 864000000 + i, 0, 0, real.body FROM n JOIN real ON real.k = 1 + i % ?3",
    )
    .bind(COMPLAINTS - held.len() as i64)
    .bind(now)
    .bind(held.len() as i64)
    .execute(&mut connection)
    .await
    .map_err(said)?;
    connection.close().await.map_err(said)?;
    Ok(held.into_iter().map(|held| held.into_complaint()).collect())
}

async fn look_up(
    client: &Client,
    city: &City,
    body: &Value,
) -> Result<(std::time::Duration, String), Failure> {
    let begin = Instant::now();
    let asked = client.post(format!("{}/s/api/look-up", city.url()));
    let opened = read(asked.json(body).send().await.map_err(said)?).await?;
    let token = opened["token"].as_str().unwrap_or_default().to_owned();
    Ok((begin.elapsed(), token))
}

async fn read(answer: Response) -> Result<Value, Failure> {
    let answer = answer.error_for_status().map_err(said)?;
    answer.json().await.map_err(said)
}

fn said(error: impl std::fmt::Display) -> Failure {
    Failure::Said(error.to_string())
}
