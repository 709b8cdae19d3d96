//! Fetches the model the directory names, piece by piece, while every other
//! lane rests; whoever runs it drops it in the middle when one does not, and it
//! goes on from the last piece.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_sync::message::Refused;
use suda_sync::model::{Fetch, Fetched, ModelNotice, ModelPiece};
use suda_sync::{Ask, Reply};
use tokio::sync::watch;

use crate::desk::{Change, Desk};
use crate::runner::{SyncError, exchange};
use crate::transport::Transport;

/// Between two tries when the hub could not give it.
const PAUSE_MS: u64 = 300_000;

/// What fetches the model of one desk.
pub(crate) struct ModelLane {
    desk: Desk,
    transport: Transport,
    session: watch::Sender<Option<String>>,
    fetch: Option<Fetch>,
    not_before_ms: u64,
}

/// Why a piece was not got.
enum Missed {
    /// Not given, or not what was announced.
    Unusable,
    /// Later perhaps.
    Later,
}

impl ModelLane {
    pub(crate) fn new(
        desk: &Desk,
        transport: Transport,
        session: watch::Sender<Option<String>>,
    ) -> Self {
        Self {
            desk: desk.clone(),
            transport,
            session,
            fetch: None,
            not_before_ms: 0,
        }
    }

    /// Fetches what is due; to be called while all other lanes rest. Nothing
    /// depends on it.
    pub(crate) async fn fetch_due(&mut self) {
        let now_ms = self.desk.inner.time.clock.mono_ms();
        let Ok(enrolled) = self.desk.inner.enrolled() else {
            return;
        };
        let (models, path) = (&self.desk.inner.models, self.desk.inner.place.model());
        let Some(notice) = enrolled.directory.model else {
            return models.forget(&path);
        };
        if now_ms < self.not_before_ms || models.holds(&notice) || models.is_unusable(&notice) {
            return;
        }
        match self.whole(notice).await {
            Ok(package) => self.take(notice, package).await,
            Err(Missed::Unusable) => self.give_up(notice),
            Err(Missed::Later) => self.not_before_ms = now_ms + PAUSE_MS,
        }
    }

    async fn whole(&mut self, notice: ModelNotice) -> Result<Vec<u8>, Missed> {
        if self.fetch.as_ref().map(Fetch::notice) != Some(notice) {
            self.fetch = Some(Fetch::begin(notice).ok_or(Missed::Unusable)?);
        }
        loop {
            let offset = self.fetch.as_ref().map_or(0, Fetch::offset);
            let piece = self.piece(notice.version, offset).await?;
            let data = STANDARD.decode(&piece.data).unwrap_or_default();
            let fetch = self.fetch.as_mut().ok_or(Missed::Later)?;
            match fetch.take(piece.version, piece.offset, &data) {
                Fetched::More => {}
                Fetched::Whole(package) => {
                    self.fetch = None;
                    return Ok(package);
                }
                // The directory may name another one by now.
                Fetched::Failed => {
                    self.fetch = None;
                    return Err(Missed::Later);
                }
            }
        }
    }

    async fn piece(&self, version: u32, offset: u64) -> Result<ModelPiece, Missed> {
        match self.ask(Ask::Model { version, offset }).await {
            Ok(Reply::Model(piece)) => Ok(piece),
            Ok(Reply::Refused(Refused::SessionExpired)) => {
                self.session.send_replace(None);
                Err(Missed::Later)
            }
            Ok(Reply::Refused(Refused::Malformed | Refused::Version)) => Err(Missed::Unusable),
            Ok(_) => Err(Missed::Later),
            Err(error) => {
                tracing::info!(%error, "no answer from the hub about the model");
                Err(Missed::Later)
            }
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Reply, SyncError> {
        let device = self.desk.inner.enrolled()?.device.clone();
        let session = self.session.borrow().clone();
        let answer = exchange(&self.transport, &device, session, ask, false).await;
        answer.map(|(_, reply)| reply)
    }

    async fn take(&mut self, notice: ModelNotice, package: Vec<u8>) {
        let Ok(enrolled) = self.desk.inner.enrolled() else {
            return;
        };
        let inner = Arc::clone(&self.desk.inner);
        // Reading a model takes a moment, and keeping it waits for the disk.
        let taken = tokio::task::spawn_blocking(move || {
            let path = inner.place.model();
            inner.models.take(&package, &enrolled.device.hub_key, &path)
        });
        match taken.await {
            Ok(Ok(())) => {
                tracing::info!(version = notice.version, "another model is in use");
                self.desk.inner.tell(Change::Directory);
            }
            Ok(Err(error)) => {
                tracing::warn!(version = notice.version, %error, "the hub's model is not used");
                self.give_up(notice);
            }
            Err(error) => tracing::error!(%error, "the model was not read"),
        }
    }

    fn give_up(&self, notice: ModelNotice) {
        self.desk.inner.models.give_up(notice);
        self.desk.inner.tell(Change::Directory);
    }
}
