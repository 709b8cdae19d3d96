//! The store on PostgreSQL 15 or later, for several hub processes at once.
//!
//! Who writes the ledger locks the one row of `log_head` first and holds it to
//! the end of the transaction. With that, `seq` becomes visible in its order
//! (a reader with a cursor never passes a number that is committed later),
//! every process continues the one chain of the hub's own lane, a claim has
//! one winner, and no transaction can wait for another in a circle. What the
//! lock costs is paid once for many: each process gathers what waits and
//! writes it in one transaction (`group`).
//!
//! All SQL for PostgreSQL is in this folder.

mod alarms;
mod apply;
mod barred;
mod derive;
mod devices;
mod directory;
mod evidence;
mod group;
mod learning;
mod ledger;
mod letters;
mod listen;
mod lists;
mod load;
pub mod moving;
mod renew;
mod same_answer;
mod set_aside;
mod sms;
mod statistics;
mod stubs;
mod tries;
mod upkeep;
mod verify;

use crate::store::time::CompiledTime;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres, Transaction};
use suda_sync::hub::allowance::Load;
use tokio::sync::{Mutex, broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{Result, Store, StoreError, Touched, time, value};
use crate::store::requests::{Burden, Request};
use listen::Listening;

/// Each raises `schema_version` by one; only ever added to.
const MIGRATIONS: [&str; 18] = [
    include_str!("0001_beginning.sql"),
    include_str!("0002_device_clock.sql"),
    include_str!("0003_incarnation.sql"),
    include_str!("0004_phone_stub.sql"),
    include_str!("0005_evidence.sql"),
    include_str!("0006_waiting.sql"),
    include_str!("0007_desk_day.sql"),
    include_str!("0008_escalation.sql"),
    include_str!("0009_sms.sql"),
    include_str!("0010_letter.sql"),
    include_str!("0011_recusal.sql"),
    include_str!("0012_duty.sql"),
    include_str!("0013_duty_phone.sql"),
    include_str!("0014_tally.sql"),
    include_str!("0015_along.sql"),
    include_str!("0016_learning.sql"),
    include_str!("0017_alarm.sql"),
    include_str!("0018_set_aside.sql"),
];
/// The oldest server that is tried by the tests.
const OLDEST_SERVER: i32 = 150_000;
const CONNECTIONS: u32 = 12;
/// Changes a slow onlooker may be behind before it has to look anew.
const FEED: usize = 1024;
/// Requests that may wait to be written before senders wait.
const WAITING: usize = 1024;
/// Keys of the advisory locks, in one space of the database: `SUDA` in ASCII,
/// then what is locked.
const LOCK_SPACE: i32 = 0x5355_4441;
const LOCK_SCHEMA: i32 = 1;
/// Held shared by every process that serves, exclusively by who moves a store.
const LOCK_SERVING: i32 = 2;
/// Another space: held while the tallies of a name are counted.
const LOCK_TALLY: i32 = 0x5355_4442;
/// Held while answers to customers are counted.
const LOCK_ANSWERS: i32 = 3;
/// Held while an early warning is raised.
const LOCK_ALARMS: i32 = 4;
/// Held by the process that watches for what is unusual, as long as it runs.
const LOCK_WATCH: i32 = 5;

/// What holds for every connection. A process that is stopped or cut off in
/// the middle of a transaction loses it after a while, and its lock with it.
const SETTINGS: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("lock_timeout", "20s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

type Tx<'t> = Transaction<'t, Postgres>;

/// The store on PostgreSQL. Needs the runtime it was opened on.
pub struct PostgresStore {
    pool: PgPool,
    requests: mpsc::Sender<Request>,
    burden: Arc<Burden>,
    time: Arc<CompiledTime>,
    feed: broadcast::Sender<Arc<Touched>>,
    /// Tells this process's changes from those of others.
    sender: Uuid,
    /// The connection that holds the lock of who watches for what is unusual.
    watching: Mutex<Option<PgConnection>>,
    stop: CancellationToken,
    /// Ends the writing and the listening when the store is dropped.
    _tasks: DropGuard,
}

/// Why the database could not be opened. None of the texts holds the address,
/// which may contain a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("--database is not a postgres:// address that can be used")]
    Address(#[source] sqlx::Error),
    #[error("there is no hub in this database; make one with `suda-hub init`")]
    Missing,
    #[error("PostgreSQL 15 or later is needed; this server says {0}")]
    OldServer(String),
    #[error(
        "this server runs with {0} off: what it confirms may be lost in a power cut, and the hub has confirmed it by then"
    )]
    NotDurable(&'static str),
    #[error("the database must be in UTF8; this one is in {0}")]
    Encoding(String),
    #[error(
        "the database was made by a newer suda-hub (version {found}, this program knows {known})"
    )]
    Newer { found: i64, known: i64 },
    #[error("a suda-hub is serving from this database; stop it first")]
    Serving,
    #[error("another suda-hub is moving or renewing this database")]
    Taken,
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
}

impl PostgresStore {
    /// Connects and brings the schema up. `postgres://user@host:port/name`
    /// with the parameters of libpq that sqlx knows, `sslmode` among them.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let options = options(url)?;
        let mut first = PgConnection::connect_with(&options).await.map_err(failed)?;
        check_server(&mut first).await?;
        migrate(&mut first).await?;
        let mut tx = first.begin().await.map_err(failed)?;
        time::made_anew(derive::after_upgrade(&mut tx).await?);
        tx.commit().await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await
            .map_err(failed)?;
        let feed = broadcast::channel(FEED).0;
        let sender = Uuid::now_v7();
        let stop = CancellationToken::new();
        let burden = Arc::<Burden>::default();
        let time = Arc::<CompiledTime>::default();
        let (requests, waiting) = mpsc::channel(WAITING);
        tokio::spawn(group::run(
            pool.clone(),
            waiting,
            feed.clone(),
            sender,
            Arc::clone(&burden),
            Arc::clone(&time),
            stop.clone(),
        ));
        Ok(Self {
            pool,
            requests,
            burden,
            time,
            feed,
            sender,
            watching: Mutex::default(),
            _tasks: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Joins the processes that serve from this database: hears what the
    /// others change, and keeps the database from being moved or renewed.
    pub async fn join(&self) -> Result<(), OpenError> {
        let listening = Listening::begin(&self.pool, self.feed.clone(), self.sender).await?;
        let listening = listening.ok_or(OpenError::Taken)?;
        tokio::spawn(listening.run(self.stop.clone()));
        Ok(())
    }

    async fn connection(&self) -> Result<PoolConnection<Postgres>> {
        self.pool.acquire().await.map_err(failed)
    }

    async fn begin_tx(&self) -> Result<Tx<'static>> {
        self.pool.begin().await.map_err(failed)
    }

    /// Commits and tells the onlookers of this process and of the others.
    async fn commit_telling(&self, mut tx: Tx<'_>, touched: Touched) -> Result<()> {
        listen::announce(&mut tx, self.sender, &touched).await?;
        tx.commit().await.map_err(failed)?;
        // Nobody may be looking on; then there is nobody to tell.
        let _onlookers = self.feed.send(Arc::new(touched));
        Ok(())
    }
}

impl Store for PostgresStore {
    fn feed(&self) -> broadcast::Receiver<Arc<Touched>> {
        self.feed.subscribe()
    }

    fn load(&self) -> Load {
        self.burden.load()
    }
}

/// How the hub connects: the address, and what holds for each connection.
pub fn options(url: &str) -> Result<PgConnectOptions, OpenError> {
    Ok(PgConnectOptions::from_str(url)
        .map_err(OpenError::Address)?
        .application_name("suda-hub")
        .options(SETTINGS))
}

/// A server on which a confirmed complaint could be lost is not used.
async fn check_server(connection: &mut PgConnection) -> Result<(), OpenError> {
    let (number, name, encoding, fsync, pages): (i32, String, String, bool, bool) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
         current_setting('server_encoding'), current_setting('fsync')::bool, \
         current_setting('full_page_writes')::bool",
    )
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    if number < OLDEST_SERVER {
        return Err(OpenError::OldServer(name));
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding(encoding));
    }
    if !fsync {
        return Err(OpenError::NotDurable("fsync"));
    }
    if !pages {
        return Err(OpenError::NotDurable("full_page_writes"));
    }
    Ok(())
}

/// Brings the schema up, one process at a time.
async fn migrate(connection: &mut PgConnection) -> Result<(), OpenError> {
    let mut tx = connection.begin().await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(LOCK_SPACE)
        .bind(LOCK_SCHEMA)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_version (version bigint NOT NULL)")
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM schema_version")
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
    let (found, known) = (found.unwrap_or_default(), MIGRATIONS.len() as i64);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    let missing = MIGRATIONS
        .iter()
        .zip(1i64..)
        .skip(usize::try_from(found).unwrap_or_default());
    for (sql, version) in missing {
        sqlx::raw_sql(*sql)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    Ok(())
}

/// What PostgreSQL's SQLSTATE codes mean for the hub
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>). A server that
/// is away comes back: its clients keep what they have and try again.
fn failed(error: sqlx::Error) -> StoreError {
    let code = match &error {
        sqlx::Error::Database(inner) => inner.code().map(|code| code.into_owned()),
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
            return StoreError::Busy;
        }
        _ => None,
    };
    match code.as_deref() {
        Some("53100") => StoreError::Full,
        Some("25006") => StoreError::ReadOnly,
        Some("XX001" | "XX002") => StoreError::Damaged(error.to_string()),
        // Too many connections, out of memory; rolled back for another's sake;
        // waited too long; shutting down or starting; idle for too long.
        Some("53200" | "53300" | "40001" | "40P01" | "55P03" | "25P03") => StoreError::Busy,
        Some(code) if code.starts_with("57P") || code.starts_with("08") => StoreError::Busy,
        _ => StoreError::Failed(Box::new(error)),
    }
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.is_unique_violation())
}

fn is_foreign_key_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(inner) if inner.is_foreign_key_violation())
}
