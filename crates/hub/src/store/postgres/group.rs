//! The one writer of this process: takes what waits, judges it in one
//! transaction under the ledger's lock, and answers each when it is durable.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};
use suda_domain::calendar::Calendar;
use suda_domain::{Complaint, Lane};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::apply::apply;
use super::load::{self, Loaded};
use super::{failed, listen};
use crate::group::Concerned;
use crate::ingest::Batch;
use crate::store::{Ingested, Result, Step, StepError, StoreError, Touched};

/// Requests judged in one transaction at most, and events among them. An
/// urgent packet that just missed a transaction waits for the whole of it, so
/// this bounds that wait to a few hundred milliseconds.
const REQUESTS: usize = 256;
const EVENTS: usize = 2_000;
const RETRY: Duration = Duration::from_millis(200);

/// What somebody waits for. The answer is dropped when they no longer do.
pub enum Request {
    Ingest(Batch, oneshot::Sender<Result<Ingested>>),
    Step(Step, oneshot::Sender<Result<Complaint, StepError>>),
}

enum Outcome {
    Ingested(Result<Ingested>),
    Stepped(Result<Box<Complaint>, StepError>),
}

impl Request {
    fn events(&self) -> usize {
        match self {
            Self::Ingest(batch, _) => batch.arrivals.len(),
            Self::Step(..) => 1,
        }
    }

    /// People and urgent packets first.
    fn place(&self) -> u8 {
        match self {
            Self::Step(..) => 0,
            Self::Ingest(batch, _) if batch.lane == Lane::Urgent => 0,
            Self::Ingest(batch, _) => batch.lane.number(),
        }
    }

    fn answer(self, outcome: Outcome) {
        // Who no longer waits for the answer needs none.
        match (self, outcome) {
            (Self::Ingest(_, reply), Outcome::Ingested(result)) => {
                let _gone = reply.send(result);
            }
            (Self::Step(_, reply), Outcome::Stepped(result)) => {
                let _gone = reply.send(result.map(|complaint| *complaint));
            }
            // An outcome is made from its request, so the two agree.
            (Self::Ingest(..), Outcome::Stepped(_)) | (Self::Step(..), Outcome::Ingested(_)) => {}
        }
    }

    fn fail(self, error: StoreError) {
        match self {
            Self::Ingest(_, reply) => {
                let _gone = reply.send(Err(error));
            }
            Self::Step(_, reply) => {
                let _gone = reply.send(Err(error.into()));
            }
        }
    }
}

/// Until the store is dropped or closed.
pub async fn run(
    pool: PgPool,
    mut requests: mpsc::Receiver<Request>,
    feed: broadcast::Sender<Arc<Touched>>,
    sender: Uuid,
    stop: CancellationToken,
) {
    let mut writer = Writer {
        pool,
        connection: None,
        calendar: Calendar::china(),
        feed,
        sender,
    };
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = requests.recv_many(&mut waiting, REQUESTS) => received,
            };
            if received == 0 {
                return;
            }
        }
        while waiting.len() < 2 * REQUESTS
            && let Ok(more) = requests.try_recv()
        {
            waiting.push(more);
        }
        // Stable: of one device, the order in which it asked.
        waiting.sort_by_key(Request::place);
        let rest = waiting.split_off(fitting(&waiting));
        let group = std::mem::replace(&mut waiting, rest);
        writer.write(group).await;
    }
}

/// How many of those waiting go into one transaction: at least one.
fn fitting(waiting: &[Request]) -> usize {
    let mut events = 0;
    let fits = waiting.iter().take(REQUESTS).take_while(|request| {
        events += request.events();
        events <= EVENTS
    });
    fits.count().max(1)
}

struct Writer {
    pool: PgPool,
    connection: Option<PoolConnection<Postgres>>,
    calendar: Calendar,
    feed: broadcast::Sender<Arc<Touched>>,
    sender: Uuid,
}

impl Writer {
    /// Writes the group. When it fails for a reason that will not pass, each
    /// request is tried alone, so that a bad one fails nobody else.
    async fn write(&mut self, group: Vec<Request>) {
        match self.attempt(&group).await {
            Ok(outcomes) => {
                for (request, outcome) in group.into_iter().zip(outcomes) {
                    request.answer(outcome);
                }
            }
            Err(error) if group.len() == 1 || error.is_passing() => {
                tracing::warn!(%error, requests = group.len(), "a group was not written");
                for request in group {
                    request.fail(same(&error));
                }
                if error.is_passing() {
                    tokio::time::sleep(RETRY).await;
                }
            }
            Err(_) => {
                for request in group {
                    match self.attempt_alone(&request).await {
                        Ok(outcome) => request.answer(outcome),
                        Err(error) => request.fail(error),
                    }
                }
            }
        }
    }

    async fn attempt_alone(&mut self, request: &Request) -> Result<Outcome> {
        let mut outcomes = self.attempt(std::slice::from_ref(request)).await?;
        // One request has one outcome.
        outcomes.pop().ok_or(StoreError::Busy)
    }

    async fn attempt(&mut self, group: &[Request]) -> Result<Vec<Outcome>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await.map_err(failed)?,
        };
        let written = self.transact(&mut connection, group).await;
        // A connection that failed is not used again: the pool looks at it.
        if written.is_ok() {
            self.connection = Some(connection);
        }
        let (outcomes, touched) = written?;
        if !touched.is_empty() {
            let _onlookers = self.feed.send(Arc::new(touched));
        }
        Ok(outcomes)
    }

    async fn transact(
        &self,
        connection: &mut PoolConnection<Postgres>,
        group: &[Request],
    ) -> Result<(Vec<Outcome>, Touched)> {
        let mut concerned = Concerned::default();
        for request in group {
            match request {
                Request::Ingest(batch, _) => concerned.add_batch(batch),
                Request::Step(step, _) => concerned.add_step(step),
            }
        }
        let batches = group.iter().filter_map(|request| match request {
            Request::Ingest(batch, _) => Some(batch),
            Request::Step(..) => None,
        });
        let mut tx = connection.begin().await.map_err(failed)?;
        let Loaded {
            mut world,
            end,
            policy,
        } = load::world(&mut tx, &concerned, batches).await?;
        let outcomes = group
            .iter()
            .map(|request| match request {
                Request::Ingest(batch, _) => Outcome::Ingested(
                    world
                        .batch(batch)
                        .map_err(|error| StoreError::Failed(Box::new(error))),
                ),
                Request::Step(step, _) => Outcome::Stepped(world.step(step).map(Box::new)),
            })
            .collect();
        let written = world.finish();
        if written.is_empty() {
            // In words, because a dropped transaction would keep its lock
            // until the connection is used again.
            tx.rollback().await.map_err(failed)?;
            return Ok((outcomes, Touched::default()));
        }
        let touched = apply(&mut tx, written, end, &policy, &self.calendar).await?;
        listen::announce(&mut tx, self.sender, &touched).await?;
        tx.commit().await.map_err(failed)?;
        Ok((outcomes, touched))
    }
}

/// The same for each of a group.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Full => StoreError::Full,
        StoreError::ReadOnly => StoreError::ReadOnly,
        StoreError::Damaged(what) => StoreError::Damaged(what.clone()),
        StoreError::Failed(cause) => StoreError::Failed(cause.to_string().into()),
    }
}
