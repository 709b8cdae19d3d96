//! A hub running: its doors, its timers, and its orderly end.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::http;
use crate::hub::{Hub, StartError};
use crate::leases;
use crate::running::{LocalDoor, Lock, LockError};
use crate::store::Store;
use crate::store::sqlite::{OpenError, SqliteStore};

/// How long answers under way may take once the hub is asked to stop.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("there is no hub in this directory; make one with `suda-hub init`")]
    NotInitialised,
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the hub cannot leave its address for commands")]
    Door(#[source] io::Error),
    #[error("the hub's door broke")]
    Broke(#[source] io::Error),
}

/// A hub that listens. Dropping it without [`Self::run`] stops it.
pub struct Serving {
    pub address: SocketAddr,
    pub hub: Arc<Hub>,
    listener: TcpListener,
    /// What a data directory has and a database does not need: an address for
    /// commands, because only one process writes, and the lock that says so.
    directory: Option<(LocalDoor, Lock)>,
}

impl Serving {
    /// Opens the store and the doors. From now on connections wait to be
    /// served.
    pub async fn prepare(
        dir: &Path,
        listen: SocketAddr,
        ui: Option<PathBuf>,
        clock: Clock,
    ) -> Result<Self, ServeError> {
        if !dir.exists() {
            return Err(ServeError::NotInitialised);
        }
        let lock = Lock::take(dir)?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir, false).await?);
        if !store.is_initialised().await.map_err(StartError::Store)? {
            return Err(ServeError::NotInitialised);
        }
        let place = Some(dir.to_owned());
        let mut serving = Self::over(Arc::clone(&store), listen, ui, clock.clone(), place).await?;
        let door = LocalDoor::open(dir, store, clock)
            .await
            .map_err(ServeError::Door)?;
        serving.directory = Some((door, lock));
        Ok(serving)
    }

    /// Serves from a store that is open already, perhaps beside other processes.
    /// `dir` is for what is written beside the store.
    pub async fn over(
        store: Arc<dyn Store>,
        listen: SocketAddr,
        ui: Option<PathBuf>,
        clock: Clock,
        dir: Option<PathBuf>,
    ) -> Result<Self, ServeError> {
        let listening = |source| ServeError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let hub = Arc::new(Hub::start(store, clock, ui, dir).await?);
        Ok(Self {
            address,
            hub,
            listener,
            directory: None,
        })
    }

    /// Serves until `stop`, then ends in order: answers under way are
    /// finished, the store is closed.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServeError> {
        let Self {
            hub,
            listener,
            directory,
            ..
        } = self;
        let timers = tokio::spawn(leases::run(Arc::clone(&hub), stop.clone()));
        let router = http::router(Arc::clone(&hub));
        let asked = {
            let (stop, hub) = (stop.clone(), Arc::clone(&hub));
            async move {
                stop.cancelled().await;
                // Streams and watches end, so that they hold nobody up.
                hub.stopping.cancel();
            }
        };
        let serving = axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(asked);
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let ended = tokio::select! {
            ended = serving => ended.map_err(ServeError::Broke),
            () = late => {
                tracing::warn!("answers under way took too long and were cut off");
                Ok(())
            }
        };
        stop.cancel();
        if let Err(error) = timers.await {
            tracing::error!(%error, "the timers broke");
        }
        // No command comes in any more, but the store stays taken until it is
        // closed.
        let lock = directory.map(|(_, lock)| lock);
        hub.store.close().await;
        drop(lock);
        ended
    }
}

/// Ctrl-C, or the service manager's request to stop.
#[cfg(unix)]
pub async fn asked_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
pub async fn asked_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
