//! Readers of the desk's database, opened when first needed and kept.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use suda_sqlite::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::StoreError;
use super::open::{self, FileError};

/// Connections that can neither write nor checkpoint, opened when first needed.
pub(super) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<Connection>>,
    free: Semaphore,
}

impl Readers {
    /// At most `limit` at a time. The file is first touched by [`get`](Self::get).
    pub(super) fn new(options: SqliteConnectOptions, limit: usize) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            free: Semaphore::new(limit),
        }
    }

    pub(super) async fn get(&self) -> Result<Reader<'_>, FileError> {
        let permit = self.free.acquire().await.map_err(|_| StoreError::Closed)?;
        let idle = self.take_idle();
        let conn = match idle {
            Some(conn) => conn,
            None => open::reader(&self.options).await?,
        };
        Ok(Reader {
            conn: Some(conn),
            home: self,
            _permit: permit,
        })
    }

    /// Closes them; one in use is closed by whoever gives it back. None is
    /// given out afterwards.
    pub(super) fn close(&self) {
        self.free.close();
        while self.take_idle().is_some() {}
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }
}

const DROPPED: &str = "the connection is there until it is dropped";

/// A reading connection; dropped, it goes back to the others.
pub(crate) struct Reader<'a> {
    /// Empty only while it is dropped.
    conn: Option<Connection>,
    home: &'a Readers,
    _permit: SemaphorePermit<'a>,
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "only drop takes the connection out")]
    fn deref(&self) -> &SqliteConnection {
        self.conn.as_ref().expect(DROPPED)
    }
}

impl DerefMut for Reader<'_> {
    #[expect(clippy::expect_used, reason = "only drop takes the connection out")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.conn.as_mut().expect(DROPPED)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut idle = self
            .home
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // After the store was closed nobody asks for it again.
        if !self.home.free.is_closed() {
            idle.extend(self.conn.take());
        }
    }
}
