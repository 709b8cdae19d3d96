//! Opening the database file: key, settings, migrations.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection};
use suda_sqlite::Connection;
use suda_sqlite::wal::Damage;

use crate::key::DatabaseKey;
use crate::safety::shelf::Shelf;
use crate::store::error::{NOTADB, StoreError, primary_code};
use crate::store::readers::Readers;
use crate::store::{check, copy};

/// In order; the database's `user_version` says how many have been carried out.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_base.sql"),
    include_str!("migrations/0002_import.sql"),
    include_str!("migrations/0003_search_upto.sql"),
    include_str!("migrations/0004_one_index.sql"),
    include_str!("migrations/0005_set_aside.sql"),
    include_str!("migrations/0006_trusted_time.sql"),
    include_str!("migrations/0007_incarnation.sql"),
    include_str!("migrations/0008_hub_order.sql"),
    include_str!("migrations/0009_order_of_old.sql"),
    include_str!("migrations/0010_evidence.sql"),
    include_str!("migrations/0011_mailbox.sql"),
    include_str!("migrations/0012_told_again.sql"),
    include_str!("migrations/0013_statistics.sql"),
    include_str!("migrations/0014_withheld.sql"),
    include_str!("migrations/0015_compared.sql"),
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
    /// Read, and found damaged.
    #[error("the file has a damaged place: {0}")]
    Unsound(String),
    #[error("the copy before the change of version could not be made")]
    NoCopy(#[source] std::io::Error),
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
    suda_sqlite::options()
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
    Ok(conn)
}

/// Opens, checks, copies when the schema is about to change, and migrates.
/// Where the log has lost commits, what comes before them is the database now,
/// and the log as it was is kept.
pub(super) async fn sound_writer(
    file: &Path,
    key: &DatabaseKey,
    care: &Care<'_>,
) -> Result<(Connection, Option<Damage>), FileError> {
    let damage = suda_sqlite::wal::examine(file).map_err(sqlx::Error::Io)?;
    if let Some(damage) = damage {
        tracing::error!(%damage, "the log of the data file is damaged");
        keep_log(file, care.quarantine).map_err(sqlx::Error::Io)?;
    }
    let mut conn = writer(file, key).await?;
    let schema = version(&mut conn).await?;
    if schema > 0 {
        check::at_start(&mut conn, file, care.whole).await?;
    }
    if schema > 0 && schema < SCHEMA {
        let part = care.shelf.begin(care.at, Some(schema));
        let part = part.map_err(FileError::NoCopy)?;
        copy::copy(file, key, &part).await.map_err(no_copy)?;
        care.shelf.finish(&part).map_err(FileError::NoCopy)?;
    }
    migrate(&mut conn).await?;
    if damage.is_some() {
        // The lost frames' remains would be met again behind new ones.
        sqlx::query("pragma wal_checkpoint(truncate)")
            .execute(&mut *conn)
            .await?;
    }
    Ok((conn, damage))
}

/// Copies the log into the quarantine under the next free name.
fn keep_log(file: &Path, quarantine: &Path) -> std::io::Result<()> {
    fs::create_dir_all(quarantine)?;
    let free = (1_u32..)
        .map(|number| quarantine.join(format!("log-{number:04}")))
        .find(|name| !name.exists());
    match free {
        Some(name) => fs::copy(suda_sqlite::wal::beside(file, "-wal"), name).map(drop),
        None => Ok(()),
    }
}

/// How carefully a file is opened.
pub(crate) struct Care<'a> {
    /// Read all of it, as damage is suspected.
    pub(crate) whole: bool,
    /// Where a copy goes before the schema is changed.
    pub(crate) shelf: &'a Shelf,
    /// Where a damaged log is kept.
    pub(crate) quarantine: &'a Path,
    pub(crate) at: DateTime<Utc>,
}

fn no_copy(error: copy::CopyError) -> FileError {
    match error {
        copy::CopyError::File(error) => FileError::NoCopy(error),
        copy::CopyError::Store(error) => FileError::Store(error),
        copy::CopyError::Unlike => FileError::Unsound("the copy is not like it".to_owned()),
        copy::CopyError::Examine(copy::ExamineError::File(error)) => error,
        copy::CopyError::Examine(copy::ExamineError::Unsound(what)) => FileError::Unsound(what),
    }
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
pub(super) async fn migrate(conn: &mut SqliteConnection) -> Result<(), FileError> {
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
