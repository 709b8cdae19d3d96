//! Connections that are closed when they are dropped. The library's own are
//! closed some time later, on a thread of their own; a program that ends
//! meanwhile pulls SQLCipher's memory from under that thread and crashes.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use futures_executor::block_on;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::StoreError;
use super::open::{self, FileError};

/// A connection whose end is waited for.
pub(crate) struct Connection {
    /// Empty only while it is dropped.
    conn: Option<SqliteConnection>,
}

impl Connection {
    pub(super) fn new(conn: SqliteConnection) -> Self {
        Self { conn: Some(conn) }
    }
}

const DROPPED: &str = "the connection is there until it is dropped";

impl Deref for Connection {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "only drop takes the connection out")]
    fn deref(&self) -> &SqliteConnection {
        self.conn.as_ref().expect(DROPPED)
    }
}

impl DerefMut for Connection {
    #[expect(clippy::expect_used, reason = "only drop takes the connection out")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.conn.as_mut().expect(DROPPED)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Waits for the connection's own thread alone, so that it needs no
        // runtime and cannot wait for this one.
        if let Some(conn) = self.conn.take()
            && let Err(error) = block_on(conn.close())
        {
            tracing::warn!(%error, "a connection was not closed in good order");
        }
    }
}

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
