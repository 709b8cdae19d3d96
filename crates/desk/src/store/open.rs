//! Opening the database file: key, settings, migrations.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection};

use crate::key::DatabaseKey;
use crate::store::connection::{Connection, Readers};
use crate::store::error::{NOTADB, StoreError, primary_code};

/// In order; the database's `user_version` says how many have been carried out.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_base.sql"),
    include_str!("migrations/0002_import.sql"),
    include_str!("migrations/0003_search_upto.sql"),
    include_str!("migrations/0004_one_index.sql"),
    include_str!("migrations/0005_set_aside.sql"),
];

/// The schema this program writes.
pub(super) const SCHEMA: usize = MIGRATIONS.len();

const READERS: usize = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages in the write-ahead log after which a commit carries them over. The
/// idle checkpoint usually comes first; see `Store::tidy`.
const CHECKPOINT_PAGES: &str = "pragma wal_autocheckpoint = 8000";
/// Kilobytes of decrypted pages that each connection keeps at most: a page costs
/// more to decrypt than to read.
const CACHE: &str = "pragma cache_size = -16000";

/// Why the database file was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The key does not fit or the file is no database: both look the same.
    #[error("the file cannot be decrypted")]
    Undecipherable,
    #[error("written by a newer version of this program")]
    Newer,
    #[error("written by an older version of this program, not yet brought up to date")]
    Older,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for FileError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(NOTADB) => Self::Undecipherable,
            _ => Self::Store(error.into()),
        }
    }
}

/// Only settings that do not touch the file: what touches it may fail, and
/// then the connection must be closed as [`Connection`] does.
pub(super) fn options(file: &Path, key: &DatabaseKey) -> SqliteConnectOptions {
    // OpenSSL, whose ciphers SQLCipher uses, would otherwise tear itself down
    // when the program ends, also under a query still running on its own
    // thread. This first call leaves the tearing down to the system.
    openssl::init();
    SqliteConnectOptions::new()
        .filename(file)
        .pragma("key", key.pragma())
        .pragma("cipher_page_size", "4096")
        .pragma("cipher_hmac_algorithm", "HMAC_SHA512")
        .pragma("mmap_size", "0")
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// The one connection that writes and checkpoints.
pub(super) async fn writer(file: &Path, key: &DatabaseKey) -> Result<Connection, FileError> {
    let options = options(file, key).create_if_missing(true);
    let mut conn = Connection::new(options.connect().await?);
    for pragma in [
        "pragma journal_mode = wal",
        "pragma synchronous = full",
        "pragma secure_delete = on",
        CHECKPOINT_PAGES,
        CACHE,
    ] {
        sqlx::query(pragma).execute(&mut *conn).await?;
    }
    migrate(&mut conn).await?;
    Ok(conn)
}

/// Connections that can neither write nor checkpoint: the database file itself
/// is opened read-only.
pub(super) async fn readers(file: &Path, key: &DatabaseKey) -> Result<Readers, FileError> {
    let readers = Readers::new(options(file, key).read_only(true), READERS);
    let found = version(&mut *readers.get().await?).await?;
    match found {
        found if found > MIGRATIONS.len() => Err(FileError::Newer),
        found if found < MIGRATIONS.len() => Err(FileError::Older),
        _ => Ok(readers),
    }
}

pub(super) async fn reader(options: &SqliteConnectOptions) -> Result<Connection, FileError> {
    let mut conn = Connection::new(options.connect().await?);
    for pragma in ["pragma query_only = on", CACHE] {
        sqlx::query(pragma).execute(&mut *conn).await?;
    }
    Ok(conn)
}

pub(super) async fn version(conn: &mut SqliteConnection) -> Result<usize, FileError> {
    let found: i64 = sqlx::query_scalar("pragma user_version")
        .fetch_one(conn)
        .await?;
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

/// Each missing migration in a transaction of its own.
async fn migrate(conn: &mut SqliteConnection) -> Result<(), FileError> {
    let done = version(conn).await?;
    if done > MIGRATIONS.len() {
        return Err(FileError::Newer);
    }
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let number = index + 1;
        let step = format!("begin immediate;\n{sql}\npragma user_version = {number};\ncommit;");
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(step)).execute(&mut *conn).await {
            // The transaction may be open; closing the connection ends it.
            return Err(error.into());
        }
    }
    Ok(())
}
