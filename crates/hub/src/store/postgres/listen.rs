//! Changes told from process to process: what a transaction touched goes out
//! with its commit (NOTIFY) and is heard by every other process (LISTEN). A
//! broken connection is opened again, and the onlookers are then told that
//! they may have missed something.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{LOCK_SERVING, LOCK_SPACE, Tx, failed};
use crate::store::value::{json, parsed};
use crate::store::{Result, Touched};

const CHANNEL: &str = "suda_touched";
/// PostgreSQL takes payloads below 8,000 bytes. A complaint with all its
/// departments is told in far less than 400.
const AT_ONCE: usize = 18;
const RECONNECT: Duration = Duration::from_millis(500);

#[derive(Serialize, Deserialize)]
struct Notice {
    from: Uuid,
    touched: Touched,
}

/// Has the transaction tell the other processes once it is committed.
pub async fn announce(tx: &mut Tx<'_>, from: Uuid, touched: &Touched) -> Result<()> {
    let rest = Touched {
        complaints: Vec::new(),
        ..touched.clone()
    };
    let parts = touched.complaints.chunks(AT_ONCE).map(|part| Touched {
        complaints: part.to_vec(),
        ..Touched::default()
    });
    let mut payloads = Vec::new();
    for touched in parts.chain(std::iter::once(rest)) {
        if !touched.is_empty() {
            payloads.push(json(&Notice { from, touched })?);
        }
    }
    if payloads.is_empty() {
        return Ok(());
    }
    sqlx::query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload")
        .bind(CHANNEL)
        .bind(payloads)
        .execute(&mut **tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// One process's ear.
pub struct Listening {
    pool: PgPool,
    listener: PgListener,
    feed: broadcast::Sender<Arc<Touched>>,
    own: Uuid,
}

impl Listening {
    /// None while somebody has the database to themselves.
    pub async fn begin(
        pool: &PgPool,
        feed: broadcast::Sender<Arc<Touched>>,
        own: Uuid,
    ) -> Result<Option<Self>> {
        let listener = listen(pool).await.map_err(failed)?;
        Ok(listener.map(|listener| Self {
            pool: pool.clone(),
            listener,
            feed,
            own,
        }))
    }

    /// Until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = self.listener.try_recv() => heard,
            };
            if let Ok(Some(notification)) = heard {
                self.hear(notification.payload());
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.again() => {}
            }
        }
    }

    fn hear(&self, payload: &str) {
        let touched = match parsed::<Notice>(payload) {
            Ok(notice) if notice.from == self.own => return,
            Ok(notice) => notice.touched,
            // Of another version: what it says is not known, only that
            // something changed.
            Err(_) => Touched::everything(),
        };
        let _onlookers = self.feed.send(Arc::new(touched));
    }

    /// A connection of its own anew, because a broken one is not always seen
    /// as broken; what was missed meanwhile is not known.
    async fn again(&mut self) {
        loop {
            match listen(&self.pool).await {
                Ok(Some(listener)) => {
                    self.listener = listener;
                    let _onlookers = self.feed.send(Arc::new(Touched::everything()));
                    return;
                }
                Ok(None) => {}
                Err(error) => {
                    let error = failed(error);
                    tracing::warn!(%error, "changes of other processes cannot be heard; tried again");
                }
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }
}

/// Hears the others, and shows as long as the connection stands that a process
/// serves from this database. None while somebody has it to themselves.
async fn listen(pool: &PgPool) -> Result<Option<PgListener>, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // A broken connection is for `again` to see.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    let holds: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock_shared($1, $2)")
        .bind(LOCK_SPACE)
        .bind(LOCK_SERVING)
        .fetch_one(&mut listener)
        .await?;
    Ok(holds.then_some(listener))
}
