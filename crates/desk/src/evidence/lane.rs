//! Performs what the machine of lane 2 asks for: reads the sealed contents,
//! sends slices, keeps receipts. It runs only while the lanes before it are
//! empty; whoever runs it drops it in the middle when they are not.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_domain::{EvidenceId, evidence::MOST_FILES};
use suda_sync::evidence::{
    CHUNK, Command, FileName, FileState, Head, Input, MOST_ASKED, Sender, Slice, Standings,
    Waiting, path, sha256,
};
use suda_sync::message::{Refused, VERSION};
use suda_sync::{Ask, Hash, Reply, Signed};
use tokio::sync::{Notify, watch};

use crate::desk::{Change, Desk};
use crate::runner::{SyncError, exchange};
use crate::spare::Spare;
use crate::store::{StoreError, evidence};
use crate::transport::{Transport, TransportError};

/// A wait for the next look that is longer is not waited for by a single sync.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Tries after which a single sync gives up.
const TRIES: u32 = 3;

/// Lane 2 of one desk.
pub(crate) struct EvidenceLane {
    desk: Desk,
    transport: Transport,
    session: watch::Sender<Option<String>>,
    sender: Sender,
    wake_at_ms: u64,
    /// The hub's last answer as signed.
    answer: Option<(Signed, Standings)>,
    chunk: Option<Chunk>,
    failure: Option<SyncError>,
    completed: u64,
}

/// The chunk under way, opened.
struct Chunk {
    file: EvidenceId,
    n: u64,
    bytes: Arc<Vec<u8>>,
    sha256: Hash,
}

/// Why a slice has no answer that could be used.
enum Unsent {
    Unreadable,
    Failed(SyncError),
}

impl From<SyncError> for Unsent {
    fn from(error: SyncError) -> Self {
        Self::Failed(error)
    }
}

impl EvidenceLane {
    pub(crate) fn new(
        desk: &Desk,
        transport: Transport,
        session: watch::Sender<Option<String>>,
    ) -> Self {
        Self {
            desk: desk.clone(),
            transport,
            session,
            sender: Sender::new(rand::random()),
            wake_at_ms: 0,
            answer: None,
            chunk: None,
            failure: None,
            completed: 0,
        }
    }

    /// Files completed so far.
    pub(crate) fn completed(&self) -> u64 {
        self.completed
    }

    /// Sends what waits, for as long as nobody drops it, and when nothing of
    /// it does, what can wait for all of it. `nudge` calls for a round of the other lanes.
    pub(crate) async fn run(
        &mut self,
        mut spare: Option<&mut Spare>,
        nudge: &Notify,
    ) -> Infallible {
        self.begin().await;
        loop {
            if self.session.borrow().is_none() {
                nudge.notify_one();
                // The round that gives a new session drops this.
                std::future::pending::<()>().await;
            }
            if let Some(spare) = &mut spare
                && self.sender.failures() == 0
            {
                spare.do_due().await;
                if self.session.borrow().is_none() {
                    continue;
                }
            }
            self.sleep().await;
            self.feed(Input::Tick).await;
        }
    }

    /// Sends what waits until nothing does, or it cannot be helped now.
    pub(crate) async fn run_once(&mut self) -> Result<(), SyncError> {
        let mut before = None;
        loop {
            self.begin().await;
            let mut conn = self.desk.inner.store.read().await?;
            let waiting = evidence::count_waiting(&mut conn).await?;
            drop(conn);
            let is_stuck = self.sender.failures() == 0 && before == Some(waiting);
            if waiting.0 == 0 || self.sender.met_old_hub() || is_stuck {
                return Ok(());
            }
            if self.sender.failures() >= TRIES || self.session.borrow().is_none() {
                return Err(self.failure.take().unwrap_or(SyncError::NoProgress));
            }
            before = Some(waiting);
            if self.sender.failures() > 0 {
                self.sleep().await;
            }
        }
    }

    async fn begin(&mut self) {
        if !self.sender.is_resting() {
            self.feed(Input::Cut).await;
        }
        self.feed(Input::News).await;
    }

    async fn sleep(&self) {
        let pause = self.wake_at_ms.saturating_sub(self.now_ms());
        let pause = Duration::from_millis(pause.max(1)).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
    }

    fn now_ms(&self) -> u64 {
        self.desk.inner.time.clock.mono_ms()
    }

    /// Gives the machine an input and does what it asks until it rests.
    async fn feed(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let step = self.sender.step(self.now_ms(), input);
            self.wake_at_ms = step.wake_at_ms;
            if let Some(command) = step.command {
                next = Some(self.perform(command).await);
            }
        }
        let inner = &self.desk.inner;
        let is_old = self.sender.met_old_hub();
        if inner.hub_takes_no_evidence.swap(is_old, Ordering::Relaxed) != is_old {
            inner.tell(Change::Status);
        }
    }

    async fn perform(&mut self, command: Command) -> Input {
        match command {
            Command::Read => self
                .read()
                .await
                .map_or_else(|error| self.refused_by_store(error), Input::Files),
            Command::Ask(files) => {
                let asked = self.ask(Ask::Evidence { files }).await;
                self.answered(asked)
            }
            Command::Send(slice) => match self.send(slice).await {
                Ok(answer) => self.answered(Ok(answer)),
                Err(Unsent::Unreadable) => {
                    tracing::error!(file = %slice.name.file, "evidence cannot be read here");
                    Input::Unreadable(slice.name.file)
                }
                Err(Unsent::Failed(error)) => self.answered(Err(error)),
            },
            Command::Save(states) => match self.save(&states).await {
                Ok(()) => Input::Saved,
                Err(error) => self.refused_by_store(error),
            },
        }
    }

    fn refused_by_store(&mut self, error: StoreError) -> Input {
        tracing::error!(%error, "the store refused a step of lane 2");
        self.failure = Some(error.into());
        Input::Failed
    }

    async fn read(&self) -> Result<Vec<Waiting>, StoreError> {
        self.desk.adopt_left_behind().await?;
        let mut conn = self.desk.inner.store.read().await?;
        // More than are asked for at once, as some may be given up for now.
        let most = u32::try_from(MOST_ASKED + MOST_FILES).unwrap_or(u32::MAX);
        let rows = evidence::waiting(&mut conn, most).await?;
        let waiting = rows.into_iter().map(|row| Waiting {
            name: FileName {
                complaint: row.complaint,
                file: row.file.id,
            },
            bytes: row.file.bytes,
        });
        Ok(waiting.collect())
    }

    async fn ask(&self, ask: Ask) -> Result<(Signed, Reply), SyncError> {
        let device = self.desk.inner.enrolled()?.device.clone();
        let session = self.session.borrow().clone();
        exchange(&self.transport, &device, session, ask, false).await
    }

    fn answered(&mut self, answer: Result<(Signed, Reply), SyncError>) -> Input {
        match answer {
            Ok((signed, Reply::Evidence(standings))) => {
                self.answer = Some((signed, standings.clone()));
                Input::Standings(standings)
            }
            Ok((_, Reply::Refused(Refused::Malformed | Refused::Version))) => Input::OldHub,
            Ok((_, Reply::Refused(Refused::Busy { retry_ms }))) => {
                self.failure = Some(SyncError::HubBusy);
                Input::Busy { retry_ms }
            }
            Ok((_, Reply::Refused(Refused::SessionExpired))) => {
                self.session.send_replace(None);
                Input::Cut
            }
            Ok((_, Reply::Refused(refused))) => {
                self.failure = Some(SyncError::Refused(refused));
                Input::Failed
            }
            Ok(_) => Input::Failed,
            Err(error) => {
                tracing::info!(%error, "no answer from the hub about evidence");
                self.failure = Some(error);
                Input::Failed
            }
        }
    }

    async fn send(&mut self, slice: Slice) -> Result<(Signed, Reply), Unsent> {
        let (bytes, chunk) = self.slice(slice).await?;
        let device = self.desk.inner.enrolled().map_err(SyncError::from)?;
        let device = &device.device;
        let head = Head {
            v: VERSION,
            device: device.device,
            incarnation: device.incarnation,
            session: self.session.borrow().clone(),
            name: slice.name,
            offset: slice.offset,
            bytes: slice.bytes,
            sha256: sha256(&bytes),
            chunk,
        };
        let json = |error| SyncError::from(TransportError::Json(error));
        let signed = Signed::seal(&head, &device.secret).map_err(json)?;
        let head = STANDARD.encode(serde_json::to_vec(&signed).map_err(json)?);
        let path = path(slice.name.file, slice.offset);
        let answer = self.transport.put_slice(&path, head, bytes).await;
        let answer = answer.map_err(SyncError::from)?;
        let signed: Signed = answer.json().map_err(SyncError::from)?;
        if !signed.is_from(&device.hub_key) {
            return Err(SyncError::ForeignHub.into());
        }
        let reply = signed.peek().map_err(|_| TransportError::NotSuda);
        Ok((signed, reply.map_err(SyncError::from)?))
    }

    /// The bytes of a slice, and the hash of its chunk.
    async fn slice(&mut self, slice: Slice) -> Result<(Vec<u8>, Hash), Unsent> {
        let n = slice.offset / CHUNK;
        let file = slice.name.file;
        let held = self.chunk.take();
        let chunk = match held.filter(|chunk| (chunk.file, chunk.n) == (file, n)) {
            Some(chunk) => chunk,
            None => self.open(slice.name, n).await?,
        };
        // Within a chunk, which fits into memory.
        let from = usize::try_from(slice.offset - n * CHUNK).unwrap_or(usize::MAX);
        let upto = from.saturating_add(usize::try_from(slice.bytes).unwrap_or(usize::MAX));
        let bytes = chunk.bytes.get(from..upto).map(<[u8]>::to_vec);
        let hash = chunk.sha256;
        self.chunk = Some(chunk);
        Ok((bytes.ok_or(Unsent::Unreadable)?, hash))
    }

    async fn open(&self, name: FileName, n: u64) -> Result<Chunk, Unsent> {
        let file = name.file;
        let inner = &self.desk.inner;
        let found = inner.evidence_file(name.complaint, file).await;
        let (whole, bytes) = found.map_err(|_| Unsent::Unreadable)?;
        let vault = inner.vault();
        let read = tokio::task::spawn_blocking(move || vault.chunk(whole, bytes, n));
        let chunk = read.await.ok().and_then(Result::ok);
        let bytes = chunk.ok_or(Unsent::Unreadable)?;
        Ok(Chunk {
            file,
            n,
            sha256: sha256(&bytes),
            bytes: Arc::new(bytes),
        })
    }

    async fn save(&mut self, states: &[(FileName, FileState)]) -> Result<(), StoreError> {
        let Some((receipt, standings)) = &self.answer else {
            return Ok(());
        };
        // Within a chunk nothing is kept: asked again, the hub tells the byte.
        let is_kept = |state: &FileState| match state {
            FileState::Complete => true,
            FileState::Partial { received } => received.is_multiple_of(CHUNK),
        };
        if !states.iter().any(|(_, state)| is_kept(state)) {
            return Ok(());
        }
        let inner = &self.desk.inner;
        let mut tx = inner.store.begin().await?;
        for (name, state) in states {
            match state {
                FileState::Complete => {
                    let epoch = &standings.epoch;
                    evidence::set_complete(tx.conn(), name.file, epoch, receipt).await?;
                    self.completed += 1;
                }
                FileState::Partial { received } => {
                    evidence::set_received(tx.conn(), name.file, *received).await?;
                }
            }
        }
        tx.commit().await?;
        inner.tell(Change::Status);
        inner.tell(Change::Cases);
        Ok(())
    }
}
