//! What the database can refuse, by what a person can do about it.

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the disk is full: nothing of this step was saved; free some space and try again")]
    DiskFull,
    #[error(
        "the disk fails: nothing of this step was saved; try again, and have the disk looked at"
    )]
    DiskFailing(#[source] sqlx::Error),
    #[error("the data directory cannot be written: check its permissions")]
    ReadOnly,
    #[error("the database file is damaged")]
    Damaged(#[source] sqlx::Error),
    #[error("the database is busy; try again")]
    Busy(#[source] sqlx::Error),
    #[error("the database file was changed by another program")]
    Changed,
    #[error("the database is already closed")]
    Closed,
    #[error("the database could not carry out the step")]
    Other(#[source] sqlx::Error),
    #[error("this computer has written another record under the number of one from the hub")]
    Conflict,
    /// Where, but not what stands there: the reader's own message quotes it.
    #[error("a stored record is damaged and cannot be read ({0})")]
    Unreadable(String),
    #[error("a value does not fit into the store")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html).
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
pub(super) const NOTADB: i32 = 26;
/// The file that readers and writer share could not grow: the volume is full.
const IOERR_SHMSIZE: i32 = IOERR | (19 << 8);

fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The primary result code; the extended one has more in its upper bytes.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    code(error).map(|code| code & 0xff)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if code(&error) == Some(IOERR_SHMSIZE) {
            return Self::DiskFull;
        }
        match primary_code(&error) {
            Some(FULL) => Self::DiskFull,
            Some(IOERR) => Self::DiskFailing(error),
            Some(READONLY) => Self::ReadOnly,
            Some(CORRUPT | NOTADB) => Self::Damaged(error),
            Some(BUSY | LOCKED) => Self::Busy(error),
            _ => Self::Other(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        let (kind, column) = (error.classify(), error.column());
        Self::Unreadable(format!("{kind:?} at column {column}"))
    }
}
