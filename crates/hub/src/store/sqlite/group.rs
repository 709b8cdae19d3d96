//! The one writer of the ledger: takes what waits, judges it in one
//! transaction, and answers each when it is durable. While one group is
//! written, the next gathers.

use crate::store::time::CompiledTime;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::SqliteConnection;
use suda_sqlite::Connection;
use tokio::sync::broadcast;

use super::apply::apply;
use super::load::{self, Loaded};
use super::{begin, failed};
use crate::store::requests::{
    Burden, Outcome, Request, WriteGroup, batches, concerned, decide, next_group, write,
};
use crate::store::{Result, Touched};

/// The writing connection and who waits for it.
pub struct Writing {
    pub connection: tokio::sync::Mutex<Connection>,
    pub time: CompiledTime,
    pub feed: broadcast::Sender<Arc<Touched>>,
    pub burden: Burden,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Request>,
    /// Somebody writes one group after the other until none waits.
    is_drained: bool,
}

impl Writing {
    pub fn new(connection: Connection, feed: broadcast::Sender<Arc<Touched>>) -> Self {
        Self {
            connection: tokio::sync::Mutex::new(connection),
            time: CompiledTime::default(),
            feed,
            burden: Burden::default(),
            queue: Mutex::default(),
        }
    }

    /// Has it written with the next group. A writer begins when none is under
    /// way; it is a task of its own, because the others of a group go on
    /// waiting when one of them gives up.
    pub fn request(self: &Arc<Self>, request: Request) {
        self.burden.came(&request);
        let mut queue = self.queue();
        queue.waiting.push(request);
        if !queue.is_drained {
            queue.is_drained = true;
            tokio::spawn(Draining(Arc::clone(self)).run());
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A request more or less is all that a panic could leave unfinished.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_group(&self) -> Option<Vec<Request>> {
        let mut queue = self.queue();
        if queue.waiting.is_empty() {
            queue.is_drained = false;
            return None;
        }
        Some(next_group(&mut queue.waiting, self.burden.load()))
    }
}

/// Writes until nothing waits.
struct Draining(Arc<Writing>);

impl Draining {
    async fn run(self) {
        loop {
            // First the connection, then the group: what arrives while others
            // hold the connection comes along.
            let mut connection = self.0.connection.lock().await;
            let Some(group) = self.0.next_group() else {
                return;
            };
            let mut writer = Writer {
                connection: &mut connection,
                time: &self.0.time,
                feed: &self.0.feed,
            };
            // Each has been told; the next may have more luck.
            let _told = write(&mut writer, &self.0.burden, group).await;
        }
    }
}

impl Drop for Draining {
    /// After a panic the queue would wait for nobody: those in it are sent
    /// away, and the next begins anew.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut queue = self.0.queue();
            let left = queue.waiting.drain(..).map(|request| request.events());
            self.0.burden.left(left.sum());
            queue.is_drained = false;
        }
    }
}

struct Writer<'a> {
    connection: &'a mut SqliteConnection,
    time: &'a CompiledTime,
    feed: &'a broadcast::Sender<Arc<Touched>>,
}

impl WriteGroup for Writer<'_> {
    async fn attempt(&mut self, group: &[Request]) -> Result<Vec<Outcome>> {
        let mut tx = begin(self.connection).await?;
        let Loaded {
            mut world,
            end,
            time,
        } = load::world(&mut tx, self.time, &concerned(group), batches(group)).await?;
        let outcomes = decide(&mut world, group);
        let written = world.finish();
        if written.is_empty() {
            tx.rollback().await.map_err(failed)?;
            return Ok(outcomes);
        }
        let touched = apply(&mut tx, written, end, &time).await?;
        tx.commit().await.map_err(failed)?;
        if !touched.is_empty() {
            // Nobody may be looking on; then there is nobody to tell.
            let _onlookers = self.feed.send(Arc::new(touched));
        }
        Ok(outcomes)
    }
}
