//! Where a command finds the hub: in a data directory, where a running hub is
//! asked so that there is still one writer, or in a PostgreSQL database, which
//! any number of processes may use at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::CommandError;
use crate::clock::Clock;
use crate::running::{LocalAsk, LocalReply, Lock, ask_running, perform};
use crate::store::postgres::{self, PostgresStore};
use crate::store::sqlite::{self, OpenError, SqliteStore};
use crate::store::{Directory as _, Store, Upkeep as _};

/// Where the hub's data are.
#[derive(Args)]
pub struct Place {
    /// The data directory.
    #[arg(long, env = "SUDA_HUB_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// A PostgreSQL database instead of the embedded store:
    /// postgres://user@host/name?sslmode=verify-full. A password is better kept
    /// in the environment variable or in ~/.pgpass than on the command line.
    #[arg(
        long,
        env = "SUDA_HUB_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<String>,
}

/// The one of the two that counts.
pub enum Target<'p> {
    Directory(&'p Path),
    Database(&'p str),
}

impl Place {
    /// The database where one is named, else the directory.
    pub fn target(&self) -> Result<Target<'_>, CommandError> {
        match (&self.database, &self.data) {
            (Some(url), _) if is_postgres(url) => Ok(Target::Database(url)),
            (Some(_), _) => Err(CommandError::Database),
            (None, Some(dir)) => Ok(Target::Directory(dir)),
            (None, None) => Err(CommandError::NoDirectory),
        }
    }

    /// The data directory where one is named, also beside a database.
    pub fn directory(&self) -> Option<PathBuf> {
        self.data.clone()
    }

    /// Opens the store for a new hub, and keeps others from it where only one
    /// process may write.
    pub async fn make(&self) -> Result<(Arc<dyn Store>, Option<Lock>), CommandError> {
        match self.target()? {
            Target::Directory(dir) => {
                let store = SqliteStore::open(dir, true).await;
                // Opened first, because it makes the directory the lock lies in.
                let lock = Lock::take(dir)?;
                Ok((Arc::new(store?), Some(lock)))
            }
            Target::Database(url) => Ok((Arc::new(PostgresStore::open(url).await?), None)),
        }
    }

    /// Asks the running hub, or does it here when none runs.
    pub async fn ask(&self, ask: LocalAsk) -> Result<LocalReply, CommandError> {
        let reply = match self.target()? {
            Target::Directory(dir) => match ask_running(dir, &ask).await {
                Some(reply) => reply,
                None => ask_here(dir, ask).await?,
            },
            Target::Database(url) => {
                let store = open_database(url).await?;
                let reply = perform(&store, &Clock::system(), ask).await;
                store.close().await;
                reply
            }
        };
        match reply {
            LocalReply::Failed { message, exit_code } => {
                Err(CommandError::Refused { message, exit_code })
            }
            reply => Ok(reply),
        }
    }
}

/// Whether an address is one of a PostgreSQL database.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The store of a database that has a hub in it.
pub async fn open_database(url: &str) -> Result<PostgresStore, CommandError> {
    let store = PostgresStore::open(url).await?;
    if store.is_initialised().await? {
        return Ok(store);
    }
    store.close().await;
    Err(postgres::OpenError::Missing.into())
}

async fn ask_here(dir: &Path, ask: LocalAsk) -> Result<LocalReply, CommandError> {
    if !dir.join(sqlite::FILE).exists() {
        return Err(OpenError::Missing.into());
    }
    let _lock = Lock::take(dir)?;
    let store = SqliteStore::open(dir, false).await?;
    if !store.is_initialised().await? {
        return Err(OpenError::Missing.into());
    }
    let reply = perform(&store, &Clock::system(), ask).await;
    store.close().await;
    Ok(reply)
}
