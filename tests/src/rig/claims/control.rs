//! Claims as a program would make them that looks first and writes then: the
//! count of the claimed twice has to find them.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream;
use sqlx::postgres::PgPoolOptions;

use super::Size;

const RIVALS: usize = 3;
const CONNECTIONS: u32 = 20;

/// How many orders more than one expert was told to have.
pub async fn read_then_write(size: Size, url: &str) -> anyhow::Result<usize> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect(url)
        .await?;
    sqlx::raw_sql("CREATE TABLE work_order (id bigint PRIMARY KEY, claimed_by bigint)")
        .execute(&pool)
        .await?;
    let orders = i64::try_from(size.orders.min(2_000))?;
    sqlx::query("INSERT INTO work_order (id) SELECT generate_series(1, $1)")
        .bind(orders)
        .execute(&pool)
        .await?;
    let rivals = i64::try_from(RIVALS)?;
    let tries = (1..=orders).flat_map(|order| (0..rivals).map(move |expert| (order, expert)));
    let outcomes: Vec<anyhow::Result<(i64, bool)>> = stream::iter(tries)
        .map(|(order, expert)| {
            let pool = pool.clone();
            async move {
                let holder: Option<i64> =
                    sqlx::query_scalar("SELECT claimed_by FROM work_order WHERE id = $1")
                        .bind(order)
                        .fetch_one(&pool)
                        .await?;
                if holder.is_some() {
                    return Ok((order, false));
                }
                sqlx::query("UPDATE work_order SET claimed_by = $2 WHERE id = $1")
                    .bind(order)
                    .bind(expert)
                    .execute(&pool)
                    .await?;
                Ok((order, true))
            }
        })
        .buffer_unordered(CONNECTIONS as usize)
        .collect()
        .await;
    pool.close().await;
    let mut won: BTreeMap<i64, usize> = BTreeMap::new();
    for outcome in outcomes {
        let (order, was_won) = outcome?;
        *won.entry(order).or_default() += usize::from(was_won);
    }
    Ok(won.values().filter(|count| **count > 1).count())
}
