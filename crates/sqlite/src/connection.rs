//! A connection that is closed when it is dropped. The library's own is closed
//! some time later, on a thread of its own; a program that ends meanwhile pulls
//! SQLCipher's memory from under that thread and crashes.

use std::ops::{Deref, DerefMut};

use futures_executor::block_on;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

/// What every connection begins with.
///
/// SQLCipher starts OpenSSL, which by itself cleans up as the program exits.
/// A connection's thread that is just ending cleans up its own part, and both
/// free the same memory. Whoever starts OpenSSL first decides: here it is told
/// to leave the memory to the operating system.
pub fn options() -> SqliteConnectOptions {
    openssl::init();
    SqliteConnectOptions::new()
}

/// A connection whose end is waited for.
pub struct Connection {
    /// Empty only while it is dropped.
    conn: Option<SqliteConnection>,
}

impl Connection {
    pub fn new(conn: SqliteConnection) -> Self {
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
