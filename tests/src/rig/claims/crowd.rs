//! The experts: in the first round each order is wanted by three of them at
//! about the same moment; then those who live take what came back until every
//! order is in the hands of somebody who works on it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use futures::StreamExt as _;
use futures::stream;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use suda_domain::ComplaintId;

use super::city::{City, LEASE};

/// Experts who want the same order.
const RIVALS: usize = 3;
/// Orders an expert claims before they die.
const BEFORE_DEATH: usize = 2;
const AT_ONCE: usize = 50;
const POLL: Duration = Duration::from_millis(200);

/// What the experts were told.
#[derive(Default)]
pub struct Done {
    /// Order and expert, of those told that it is theirs.
    pub won: Vec<(ComplaintId, usize)>,
    pub refused: usize,
    pub latencies: Vec<Duration>,
    pub first_round: Duration,
    first_attempts: usize,
    first_won: usize,
}

impl Done {
    pub fn claims_per_s(&self) -> f64 {
        self.first_won as f64 / self.first_round.as_secs_f64()
    }

    pub fn attempts_per_s(&self) -> f64 {
        self.first_attempts as f64 / self.first_round.as_secs_f64()
    }

    /// The nearest-rank percentile.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        let ms = sorted
            .get(rank)
            .map_or(0.0, |time| time.as_secs_f64() * 1e3);
        (ms * 10.0).round() / 10.0
    }

    fn add(&mut self, other: Self) {
        self.won.extend(other.won);
        self.refused += other.refused;
        self.latencies.extend(other.latencies);
    }
}

/// Asks the processes in turn, as a load balancer would.
struct Door {
    client: Client,
    urls: Vec<String>,
    cookies: Vec<(String, bool)>,
}

impl Door {
    fn url(&self, turn: usize, path: &str) -> String {
        let base = self.urls.get(turn % self.urls.len().max(1));
        format!("{}{path}", base.map_or("", String::as_str))
    }

    fn cookie(&self, expert: usize) -> &str {
        self.cookies
            .get(expert)
            .map_or("", |(cookie, _)| cookie.as_str())
    }

    fn dies(&self, expert: usize) -> bool {
        self.cookies.get(expert).is_some_and(|(_, dies)| *dies)
    }

    /// Whether the order is the expert's now.
    async fn claim(
        &self,
        expert: usize,
        order: ComplaintId,
        turn: usize,
        done: &mut Done,
    ) -> anyhow::Result<bool> {
        let url = self.url(turn, &format!("/api/complaints/{order}/claim"));
        let begun = Instant::now();
        let answer = self.post(&url, expert, &json!({})).await?;
        done.latencies.push(begun.elapsed());
        match answer {
            StatusCode::OK => {
                done.won.push((order, expert));
                Ok(true)
            }
            StatusCode::CONFLICT => {
                done.refused += 1;
                Ok(false)
            }
            other => bail!("a claim was answered {other}"),
        }
    }

    /// The first step, which binds the order to its expert.
    async fn begin_work(
        &self,
        expert: usize,
        order: ComplaintId,
        turn: usize,
    ) -> anyhow::Result<()> {
        let url = self.url(turn, &format!("/api/complaints/{order}/report"));
        let report = json!({ "root_cause": "计费错误", "impact": "一位客户", "proposal": "退还" });
        let answer = self.post(&url, expert, &report).await?;
        ensure!(answer == StatusCode::OK, "a report was answered {answer}");
        Ok(())
    }

    async fn post(&self, url: &str, expert: usize, body: &Value) -> anyhow::Result<StatusCode> {
        let request = self.client.post(url).json(body);
        let answer = request.header("cookie", self.cookie(expert)).send().await?;
        let status = answer.status();
        answer.bytes().await?;
        Ok(status)
    }

    async fn queue(&self, expert: usize, turn: usize) -> anyhow::Result<Vec<ComplaintId>> {
        let url = self.url(turn, "/api/work-orders?view=queue&limit=200");
        let request = self.client.get(url).header("cookie", self.cookie(expert));
        let page: Value = request.send().await?.error_for_status()?.json().await?;
        let rows = page["rows"].as_array().cloned().unwrap_or_default();
        let ids = rows
            .iter()
            .filter_map(|row| row["id"].as_str()?.parse().ok())
            .map(ComplaintId);
        Ok(ids.collect())
    }
}

pub async fn claim_everything(city: &City, urls: &[String]) -> anyhow::Result<Done> {
    let door = Arc::new(Door {
        client: Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(120))
            .build()?,
        urls: urls.to_vec(),
        cookies: city
            .experts
            .iter()
            .map(|expert| (expert.cookie.clone(), expert.dies))
            .collect(),
    });
    let begun = Instant::now();
    let mut done = first_round(&door, city).await?;
    done.first_round = begun.elapsed();
    done.first_attempts = done.latencies.len();
    done.first_won = done.won.len();
    second_round(&door, city, &mut done).await?;
    Ok(done)
}

async fn first_round(door: &Arc<Door>, city: &City) -> anyhow::Result<Done> {
    let count = city.experts.len();
    let mut wanted: Vec<Vec<ComplaintId>> = vec![Vec::new(); count];
    for (number, order) in city.orders.iter().enumerate() {
        for rival in 0..RIVALS {
            let expert = (number * RIVALS + rival) % count;
            if let Some(list) = wanted.get_mut(expert) {
                list.push(*order);
            }
        }
    }
    let experts = wanted.into_iter().enumerate().map(|(expert, orders)| {
        let door = Arc::clone(door);
        tokio::spawn(async move { one_expert(&door, expert, orders).await })
    });
    let mut done = Done::default();
    for told in futures::future::join_all(experts).await {
        done.add(told??);
    }
    Ok(done)
}

async fn one_expert(door: &Door, expert: usize, orders: Vec<ComplaintId>) -> anyhow::Result<Done> {
    let mut done = Done::default();
    for (turn, order) in orders.into_iter().enumerate() {
        let won = door.claim(expert, order, expert + turn, &mut done).await?;
        if won && !door.dies(expert) {
            door.begin_work(expert, order, turn).await?;
        }
        if door.dies(expert) && done.won.len() >= BEFORE_DEATH {
            break;
        }
    }
    Ok(done)
}

/// Until nothing is in the queue and no lease of the dead can still run.
async fn second_round(door: &Arc<Door>, city: &City, done: &mut Done) -> anyhow::Result<()> {
    let living: Vec<usize> = (0..city.experts.len()).filter(|e| !door.dies(*e)).collect();
    let lease = Duration::from_secs(u64::from(LEASE) * 60);
    let until = Instant::now() + lease + Duration::from_secs(15);
    let mut turn = 0;
    let mut bound: BTreeSet<ComplaintId> = done
        .won
        .iter()
        .filter(|(_, expert)| !door.dies(*expert))
        .map(|(order, _)| *order)
        .collect();
    while Instant::now() < until && bound.len() < city.orders.len() {
        turn += 1;
        let expert = |offset: usize| living.get((turn + offset) % living.len().max(1)).copied();
        let free = door.queue(expert(0).unwrap_or_default(), turn).await?;
        if free.is_empty() {
            tokio::time::sleep(POLL).await;
            continue;
        }
        let tries = free.into_iter().enumerate().flat_map(|(offset, order)| {
            let rivals = [expert(2 * offset), expert(2 * offset + 1)];
            rivals
                .into_iter()
                .flatten()
                .map(move |expert| (expert, order))
        });
        let tries: Vec<_> = tries.collect();
        let results: Vec<anyhow::Result<Done>> = stream::iter(tries)
            .map(|(expert, order)| async move {
                let mut done = Done::default();
                if door.claim(expert, order, expert, &mut done).await? {
                    door.begin_work(expert, order, expert + 1).await?;
                }
                Ok(done)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for result in results {
            let more = result?;
            bound.extend(more.won.iter().map(|(order, _)| *order));
            done.add(more);
        }
    }
    Ok(())
}
