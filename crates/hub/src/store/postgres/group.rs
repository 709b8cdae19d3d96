//! The one writer of this process: takes what waits, judges it in one
//! transaction under the ledger's lock, and answers each when it is durable.

use crate::store::time::CompiledTime;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::apply::apply;
use super::load::{self, Loaded};
use super::{failed, listen};
use crate::store::requests::{
    Burden, Outcome, REQUESTS, Request, WriteGroup, batches, concerned, decide, next_group, write,
};
use crate::store::{Result, Touched};

/// Before the next try after the database could not be reached.
const RETRY: Duration = Duration::from_millis(200);

/// Until the store is dropped or closed.
pub async fn run(
    pool: PgPool,
    mut requests: mpsc::Receiver<Request>,
    feed: broadcast::Sender<Arc<Touched>>,
    sender: Uuid,
    burden: Arc<Burden>,
    time: Arc<CompiledTime>,
    stop: CancellationToken,
) {
    let mut writer = Writer {
        pool,
        connection: None,
        time,
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
        let group = next_group(&mut waiting, burden.load());
        if write(&mut writer, &burden, group).await.is_err() {
            tokio::time::sleep(RETRY).await;
        }
    }
}

struct Writer {
    pool: PgPool,
    connection: Option<PoolConnection<Postgres>>,
    time: Arc<CompiledTime>,
    feed: broadcast::Sender<Arc<Touched>>,
    sender: Uuid,
}

impl WriteGroup for Writer {
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
}

impl Writer {
    async fn transact(
        &self,
        connection: &mut PoolConnection<Postgres>,
        group: &[Request],
    ) -> Result<(Vec<Outcome>, Touched)> {
        let mut tx = connection.begin().await.map_err(failed)?;
        let Loaded {
            mut world,
            end,
            time,
        } = load::world(&mut tx, &self.time, &concerned(group), batches(group)).await?;
        let outcomes = decide(&mut world, group);
        let written = world.finish();
        if written.is_empty() {
            // In words, because a dropped transaction would keep its lock
            // until the connection is used again.
            tx.rollback().await.map_err(failed)?;
            return Ok((outcomes, Touched::default()));
        }
        let touched = apply(&mut tx, written, end, &time).await?;
        listen::announce(&mut tx, self.sender, &touched).await?;
        tx.commit().await.map_err(failed)?;
        Ok((outcomes, touched))
    }
}
