//! Performs what the sync core asks for: reads and writes the store, speaks to
//! the hub, waits. Decides nothing itself. A second connection watches the
//! hub's log, so that an expert's step is seen at once.

use std::time::{Duration, Instant};

use suda_sync::desk::{Command, DeskSync, Input, Link, Standing, Step, Stream};
use suda_sync::message::{BATCH_BYTES, BATCH_EVENTS, Refused, VERSION};
use suda_sync::{Ask, Receipt, Reply, Request, SealedEvent, Signed, Verdict};
use tokio::sync::{Notify, watch};

use crate::clock::HubTime;
use crate::desk::{Change, Desk};
use crate::evidence::lane::EvidenceLane;
use crate::lan::HubSide;
use crate::model::lane::ModelLane;
use crate::session::SessionError;
use crate::spare::Spare;
use crate::statistics::lane::StatisticsLane;
use crate::store::directory::DeviceRow;
use crate::store::{StoreError, outbox};
use crate::transport::{Transport, TransportError};
use crate::view::{LinkTrouble, LinkView};

const SYNC_PATH: &str = "/v1/sync";
/// Tries after which a single sync gives up.
const TRIES: u32 = 3;
/// Between two idle checkpoints.
const TIDY_MS: u64 = 30_000;
/// Between two tries of the watch while the hub does not answer: from, and span of the jitter.
const WATCH_PAUSE_MS: (u64, u64) = (2_000, 4_000);
/// A hub keeps a watch waiting. What says at once that there is nothing is none,
/// and is not asked again at once.
const TOO_SOON: Duration = Duration::from_secs(1);
/// How long the watch waits for the round it has called for.
const ROUND_PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_SLEEP_MS: u64 = 60_000;

/// Why the desk could not be brought level with the hub. Everything is still
/// on this computer and will be sent.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the answer was not signed by the hub this computer is enrolled at")]
    ForeignHub,
    #[error("the hub is failing (HTTP {0}); everything is kept here and will be sent")]
    HubFailing(u16),
    #[error("the hub is busy; everything is kept here and will be sent")]
    HubBusy,
    #[error("the hub refuses this computer ({}); tell the administrator", refusal_name(.0))]
    Refused(Refused),
    #[error("the hub does not take what is sent; tell the administrator")]
    NoProgress,
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn refusal_name(refused: &Refused) -> &'static str {
    match refused {
        Refused::SessionExpired => "session expired",
        Refused::UnknownDevice => "unknown device",
        Refused::BadSignature => "signature does not fit",
        Refused::OldIncarnation | Refused::Renew { .. } => "an older copy of its data",
        Refused::Version => "its version is too old or too new",
        Refused::Malformed => "question not understood",
        Refused::NotTaken => "forwarded batches not taken",
        Refused::Busy { .. } => "busy",
    }
}

impl SyncError {
    /// What a person is told; nothing when the network alone is away.
    fn trouble(&self) -> Option<LinkTrouble> {
        Some(match self {
            Self::ForeignHub => LinkTrouble::ForeignHub,
            Self::Transport(TransportError::NotSuda | TransportError::TooLarge) => {
                LinkTrouble::NotAHub
            }
            Self::Refused(Refused::UnknownDevice | Refused::BadSignature) => LinkTrouble::NotKnown,
            Self::Refused(Refused::OldIncarnation) => LinkTrouble::OldCopy,
            Self::Refused(Refused::Version) => LinkTrouble::Version,
            Self::HubFailing(_) | Self::NoProgress | Self::Refused(_) => LinkTrouble::Failing,
            Self::HubBusy | Self::Transport(_) | Self::Session(_) | Self::Store(_) => return None,
        })
    }

    /// Trying again cannot help.
    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused(
                Refused::UnknownDevice
                    | Refused::BadSignature
                    | Refused::OldIncarnation
                    | Refused::Version
            ) | Self::ForeignHub
        )
    }
}

/// What a sync did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct SyncSummary {
    /// Events in signed receipts.
    pub sent: u64,
    /// Events read from the hub's log.
    pub received: u64,
    /// Events the hub has set aside for a person to mend.
    pub quarantined: u64,
    /// Evidence files that a signed receipt calls complete.
    pub evidence: u64,
}

impl Desk {
    /// Syncs until the queues are empty, or gives up after a few tries.
    pub async fn sync_once(&self) -> Result<SyncSummary, SyncError> {
        let mut runner = Runner::new(self)?;
        runner.feed(None, Input::Tick).await;
        while !runner.machine.is_at_rest() {
            let given_up = runner.machine.failures() >= TRIES
                || runner.failure.as_ref().is_some_and(SyncError::is_final);
            if given_up {
                return Err(runner.failure.unwrap_or(SyncError::NoProgress));
            }
            runner.sleep().await;
            runner.feed(None, Input::Tick).await;
        }
        let mut lane = runner.evidence_lane();
        let sent = lane.run_once().await;
        runner.summary.evidence = lane.completed();
        if sent.is_ok() && runner.machine.is_free(runner.now_ms()) {
            runner.spare().do_due().await;
        }
        sent.map(|()| runner.summary)
    }

    /// Syncs until `shutdown` ends: at every local write, at the hub's news,
    /// and once a minute. Waits for the enrolment first.
    pub async fn sync_forever(&self, shutdown: impl Future<Output = ()>) -> Result<(), SyncError> {
        tokio::select! {
            () = shutdown => Ok(()),
            ended = self.sync_endlessly() => ended,
        }
    }

    async fn sync_endlessly(&self) -> Result<(), SyncError> {
        self.until_enrolled().await;
        let mut runner = Runner::new(self)?;
        let watcher = Watcher {
            desk: self.clone(),
            transport: runner.transport.clone(),
            session: runner.session.clone(),
            rounds: runner.rounds.subscribe(),
        };
        let hub = HubSide {
            transport: runner.transport.clone(),
            session: runner.session.subscribe(),
        };
        let nudge = Notify::new();
        tokio::select! {
            never = self.take_part(hub) => match never {},
            () = watcher.run(&nudge) => Ok(()),
            () = runner.run(&nudge) => Ok(()),
        }
    }
}

struct Runner {
    desk: Desk,
    device: DeviceRow,
    transport: Transport,
    machine: DeskSync,
    wake_at_ms: u64,
    tidied_at_ms: u64,
    /// The last answer as signed, and the clock as it showed.
    answer: Option<(Signed, Option<HubTime>)>,
    /// Read while the hub was busy with the batch before.
    ahead: Option<Ahead>,
    /// Events and bytes asked for last.
    asked_for: (usize, usize),
    failure: Option<SyncError>,
    summary: SyncSummary,
    /// The hub's session, for the watch.
    session: watch::Sender<Option<String>>,
    /// How many rounds have ended.
    rounds: watch::Sender<u64>,
}

/// The events of a stream that follow a batch under way.
struct Ahead {
    stream: Stream,
    after: u64,
    events: Vec<SealedEvent>,
}

impl Runner {
    fn new(desk: &Desk) -> Result<Self, SyncError> {
        let enrolled = desk.inner.enrolled()?;
        Ok(Self {
            transport: Transport::new(&enrolled.device.hub_url)?,
            device: enrolled.device.clone(),
            desk: desk.clone(),
            machine: DeskSync::new(rand::random()),
            wake_at_ms: 0,
            tidied_at_ms: 0,
            answer: None,
            ahead: None,
            asked_for: (BATCH_EVENTS, BATCH_BYTES),
            failure: None,
            summary: SyncSummary::default(),
            session: watch::channel(None).0,
            rounds: watch::channel(0).0,
        })
    }

    fn evidence_lane(&self) -> EvidenceLane {
        EvidenceLane::new(&self.desk, self.transport.clone(), self.session.clone())
    }

    fn spare(&self) -> Spare {
        let parts = || (self.transport.clone(), self.session.clone());
        let (transport, session) = parts();
        let statistics = StatisticsLane::new(&self.desk, transport, session);
        let (transport, session) = parts();
        Spare {
            statistics,
            model: ModelLane::new(&self.desk, transport, session),
        }
    }

    async fn run(&mut self, nudge: &Notify) {
        let mut input = Input::Tick;
        let mut evidence = self.evidence_lane();
        let mut spare = self.spare();
        loop {
            self.feed(None, input).await;
            let is_free = self.machine.is_at_rest() && self.machine.link() == Link::Up;
            let spare = self.machine.is_free(self.now_ms()).then_some(&mut spare);
            // Whatever the other lanes have to do drops the slice under way.
            input = tokio::select! {
                never = evidence.run(spare, nudge), if is_free => match never {},
                () = self.desk.inner.written.notified() => Input::LocalWrite,
                () = nudge.notified() => Input::Nudge,
                () = self.sleep() => Input::Tick,
            };
        }
    }

    async fn sleep(&self) {
        let pause = self
            .wake_at_ms
            .saturating_sub(self.now_ms())
            .clamp(1, LONGEST_SLEEP_MS);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    fn now_ms(&self) -> u64 {
        self.desk.inner.time.clock.mono_ms()
    }

    /// Gives the machine an input and does what it asks until it asks nothing.
    async fn feed(&mut self, number: Option<u64>, input: Input) {
        let failures = self.machine.failures();
        let mut asked = false;
        let mut next = Some((number, input));
        while let Some((number, input)) = next.take() {
            let Step {
                command,
                wake_at_ms,
            } = self.machine.step(self.now_ms(), number, input);
            self.wake_at_ms = wake_at_ms;
            if let Some((number, command)) = command {
                asked = true;
                next = Some((Some(number), self.perform(command).await));
            }
        }
        let failed = self.machine.failures() > failures;
        let went_through = asked && self.machine.is_at_rest();
        self.desk.inner.tally.count(|counts| {
            counts.sync_failures += u64::from(failed);
            counts.sync_rounds += u64::from(went_through);
        });
        self.tell_link();
        if self.machine.is_at_rest() {
            self.rounds.send_modify(|rounds| *rounds += 1);
            self.tidy().await;
        }
    }

    fn tell_link(&self) {
        let trouble = match self.machine.link() {
            Link::Down => self.failure.as_ref().and_then(SyncError::trouble),
            Link::Up | Link::Unknown => None,
        };
        self.desk.inner.set_trouble(trouble);
        self.desk.inner.set_link(match self.machine.link() {
            Link::Up => LinkView::Up,
            Link::Down => LinkView::Down,
            Link::Unknown => LinkView::Unknown,
        });
    }

    async fn tidy(&mut self) {
        let now = self.now_ms();
        if now < self.tidied_at_ms + TIDY_MS {
            return;
        }
        self.tidied_at_ms = now;
        if let Err(error) = self.desk.inner.store.tidy().await {
            tracing::warn!(%error, "no checkpoint");
        }
    }

    async fn perform(&mut self, command: Command) -> Input {
        let done = match command {
            Command::ReadStanding => {
                self.look_who_i_am();
                self.desk
                    .standing()
                    .await
                    .map(|standing| Input::Standing(Box::new(standing)))
            }
            Command::Load {
                stream,
                after,
                max_events,
                max_bytes,
            } => self
                .load(stream, after, max_events, max_bytes)
                .await
                .map(Input::Loaded),
            Command::Send { session, ask } => return self.send(session, ask).await,
            Command::SaveWelcome { welcome, cursor } => self
                .save_welcome(welcome, cursor)
                .await
                .map(|standing| Input::Standing(Box::new(standing))),
            Command::Renew {
                incarnation,
                letter,
            } => self
                .renew(incarnation, letter)
                .await
                .map(|standing| Input::Standing(Box::new(standing))),
            Command::Rekey { stream, from_n } => self
                .rekey(stream, from_n)
                .await
                .map(|standing| Input::Standing(Box::new(standing))),
            Command::SaveReceipt(receipt) => {
                self.save_receipt(&receipt).await.map(|()| Input::Saved)
            }
            Command::SavePage(page) => {
                self.summary.received += page.entries.len() as u64;
                let seen = self.hub_time();
                self.desk
                    .save_page(&page, seen)
                    .await
                    .map(|()| Input::Saved)
            }
        };
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "the store refused a step of the sync");
            self.failure = Some(error.into());
            Input::StoreFailed
        })
    }

    async fn load(
        &mut self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<SealedEvent>, StoreError> {
        self.asked_for = (max_events, max_bytes);
        if let Some(ahead) = &mut self.ahead
            && (ahead.stream, ahead.after) == (stream, after)
            && !ahead.events.is_empty()
        {
            return Ok(std::mem::take(&mut ahead.events));
        }
        self.read(stream, after, max_events, max_bytes).await
    }

    async fn read(
        &self,
        stream: Stream,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<SealedEvent>, StoreError> {
        let mut conn = self.desk.inner.store.read().await?;
        let identity = (self.device.device, stream.incarnation);
        outbox::load(
            &mut conn,
            identity,
            stream.lane,
            after,
            max_events,
            max_bytes,
        )
        .await
    }

    /// What follows a batch, read while the hub works on it. A lane that is
    /// behind is then never waited for twice.
    async fn read_ahead(&self, ask: Option<(Stream, u64)>) -> Option<Ahead> {
        let (stream, after) = ask?;
        // A failure is met again, and told, when it is this batch's turn.
        let (max_events, max_bytes) = self.asked_for;
        let events = self.read(stream, after, max_events, max_bytes).await;
        Some(Ahead {
            stream,
            after,
            events: events.ok()?,
        })
    }

    async fn renew(&mut self, incarnation: u32, letter: String) -> Result<Standing, StoreError> {
        self.ahead = None;
        self.desk.go_on_as(incarnation, letter).await?;
        self.look_who_i_am();
        self.desk.inner.set_hub_session(None);
        self.session.send_replace(None);
        self.desk.inner.tell(Change::Status);
        self.desk.standing().await
    }

    /// Receipts that came by file may have given the desk another incarnation.
    fn look_who_i_am(&mut self) {
        if let Ok(enrolled) = self.desk.inner.enrolled() {
            self.device = enrolled.device.clone();
        }
    }

    async fn rekey(&mut self, stream: Stream, from_n: u64) -> Result<Standing, StoreError> {
        self.ahead = None;
        self.desk.renumber(stream, from_n).await?;
        self.desk.standing().await
    }

    async fn send(&mut self, session: Option<String>, ask: Ask) -> Input {
        if let (Some(session), Ask::Look { cursor, directory }) = (&session, &ask) {
            return self.look(session, (*cursor, *directory)).await;
        }
        let asked_ms = self.now_ms();
        let next = match &ask {
            Ask::Batch {
                lane,
                first_n,
                events,
                incarnation,
                ..
            } => {
                let stream = Stream {
                    incarnation: incarnation.unwrap_or(self.device.incarnation),
                    lane: *lane,
                };
                Some((stream, first_n + events.len() as u64 - 1))
            }
            _ => None,
        };
        let exchanged = exchange(&self.transport, &self.device, session, ask, false);
        let (exchanged, ahead) = tokio::join!(exchanged, self.read_ahead(next));
        if next.is_some() {
            self.ahead = ahead;
        }
        match exchanged {
            Ok((signed, reply)) => {
                let hub_now = match &reply {
                    Reply::Welcome(welcome) => Some(welcome.now),
                    Reply::Page(page) => Some(page.now),
                    _ => None,
                };
                let time = &self.desk.inner.time;
                let seen = hub_now.map(|now| time.hub_time(now, asked_ms));
                self.failure = match &reply {
                    Reply::Refused(Refused::Busy { .. }) => Some(SyncError::HubBusy),
                    Reply::Refused(Refused::SessionExpired) => None,
                    Reply::Refused(refused) => Some(SyncError::Refused(refused.clone())),
                    _ => None,
                };
                self.answer = Some((signed, seen));
                Input::Reply(Box::new(reply))
            }
            Err(error) => {
                tracing::info!(%error, "no answer from the hub");
                self.failure = Some(error);
                Input::SendFailed
            }
        }
    }

    async fn look(&mut self, session: &str, known: (u64, u32)) -> Input {
        let told = short(&self.transport, &self.device, "look", session, known).await;
        self.failure = None;
        match told {
            // An older hub is asked as it always was.
            Ok(told) => Input::Reply(Box::new(told.unwrap_or(Reply::changed(true)))),
            Err(error) => {
                tracing::info!(%error, "no answer from the hub");
                self.failure = Some(error);
                Input::SendFailed
            }
        }
    }

    /// The hub's clock as the last answer showed it.
    fn hub_time(&self) -> Option<HubTime> {
        self.answer.as_ref().and_then(|(_, seen)| *seen)
    }

    async fn save_welcome(
        &mut self,
        welcome: suda_sync::Welcome,
        cursor: u64,
    ) -> Result<Standing, StoreError> {
        let seen = self.hub_time();
        self.desk.save_welcome(&welcome, cursor, seen).await?;
        self.desk
            .inner
            .set_hub_session(Some(welcome.session.clone()));
        self.session.send_replace(Some(welcome.session));
        self.desk.inner.tell(Change::Status);
        self.desk.standing().await
    }

    async fn save_receipt(&mut self, receipt: &Receipt) -> Result<(), StoreError> {
        let Some((signed, _)) = &self.answer else {
            return Ok(());
        };
        let tx = self.desk.inner.store.begin().await?;
        // Receipts by file may have ended the incarnation this one speaks of.
        let enrolled = self.desk.inner.enrolled();
        let present = enrolled.map_or(self.device.incarnation, |known| known.identity().1);
        if receipt.incarnation == present {
            tx.commit_receipt(receipt, signed).await?;
        } else {
            tx.commit_earlier_receipt(receipt).await?;
        }
        for (n, verdict) in (receipt.first_n..).zip(&receipt.verdicts) {
            match verdict {
                Verdict::Applied | Verdict::Duplicate => self.summary.sent += 1,
                Verdict::Held => self.summary.sent += 1,
                // They come again: behind what is missing, or under a new number.
                Verdict::Gap | Verdict::Forked => {}
                Verdict::Quarantined { reason } => {
                    self.summary.quarantined += 1;
                    let lane = receipt.lane.number();
                    tracing::warn!(lane, n, ?reason, "set aside by the hub");
                }
            }
        }
        self.desk.inner.tell(Change::Status);
        self.desk.inner.tell(Change::Cases);
        Ok(())
    }
}

/// Asks the hub and checks who answers.
pub(crate) async fn exchange(
    transport: &Transport,
    device: &DeviceRow,
    session: Option<String>,
    ask: Ask,
    patient: bool,
) -> Result<(Signed, Reply), SyncError> {
    let request = Request {
        v: VERSION,
        device: device.device,
        incarnation: device.incarnation,
        session,
        ask,
    };
    let question = Signed::seal(&request, &device.secret).map_err(TransportError::Json)?;
    let answer = if patient {
        transport.watch(SYNC_PATH, &question).await?
    } else {
        transport.post(SYNC_PATH, &question).await?
    };
    let signed: Signed = match answer.json() {
        Ok(signed) => signed,
        Err(_) if answer.status.is_server_error() => {
            return Err(SyncError::HubFailing(answer.status.as_u16()));
        }
        Err(error) => return Err(error.into()),
    };
    if !signed.is_from(&device.hub_key) {
        return Err(SyncError::ForeignHub);
    }
    let reply = signed.peek().map_err(|_| TransportError::NotSuda)?;
    Ok((signed, reply))
}

/// Asks a short question: whether there is news. `None` from a hub that does not
/// know it. The answer is not signed; the sync core says what it may be used for.
async fn short(
    transport: &Transport,
    device: &DeviceRow,
    question: &str,
    session: &str,
    (cursor, directory): (u64, u32),
) -> Result<Option<Reply>, SyncError> {
    let DeviceRow {
        device: id,
        incarnation,
        ..
    } = device;
    let id = id.0.simple();
    let path = format!("/v1/{question}/{id}/{incarnation}/{session}/{cursor}/{directory}");
    let status = transport.short(&path).await?;
    match status.as_u16() {
        200 => Ok(Some(Reply::changed(true))),
        204 => Ok(Some(Reply::changed(false))),
        403 => Ok(Some(Reply::Refused(Refused::SessionExpired))),
        503 => Err(SyncError::HubBusy),
        500..=599 => Err(SyncError::HubFailing(status.as_u16())),
        _ => Ok(None),
    }
}

/// The second connection: asks for news, and calls for a round when there is some.
struct Watcher {
    desk: Desk,
    transport: Transport,
    session: watch::Sender<Option<String>>,
    rounds: watch::Receiver<u64>,
}

impl Watcher {
    async fn run(mut self, nudge: &Notify) {
        let mut session = self.session.subscribe();
        let mut before = None;
        loop {
            let Ok(token) = session
                .wait_for(Option::is_some)
                .await
                .map(|token| token.clone())
            else {
                return;
            };
            let place = self.place().await;
            // The last round brought nothing nearer, as with a directory this
            // version cannot take: the hub would answer at once again.
            if place.is_some() && place == before {
                self.pause().await;
            }
            before = None;
            let asked = Instant::now();
            match self.watch(token, place.unwrap_or_default()).await {
                Ok(Reply::Changed { changed: false }) => {
                    if asked.elapsed() < TOO_SOON {
                        self.pause().await;
                    }
                }
                Ok(Reply::Changed { changed: true }) => {
                    before = place;
                    self.rounds.mark_unchanged();
                    nudge.notify_one();
                    tokio::time::timeout(ROUND_PATIENCE, self.rounds.changed())
                        .await
                        .ok();
                }
                Ok(Reply::Refused(Refused::SessionExpired)) => {
                    self.session.send_replace(None);
                    nudge.notify_one();
                }
                Ok(_) => self.pause().await,
                Err(error) => {
                    tracing::debug!(%error, "the watch had no answer");
                    self.pause().await;
                    // If the hub is there again, the runner need not wait for its own next try.
                    if self.probe().await {
                        nudge.notify_one();
                    }
                }
            }
        }
    }

    /// What this desk has: the place in the hub's log, and the directory's version.
    async fn place(&self) -> Option<(u64, u32)> {
        let mut conn = self.desk.inner.store.read().await.ok()?;
        let cursor = outbox::link(&mut conn).await.ok()?.cursor;
        let directory = self.desk.inner.enrolled().ok()?.directory.version;
        Some((cursor, directory))
    }

    async fn watch(
        &self,
        session: Option<String>,
        (cursor, directory): (u64, u32),
    ) -> Result<Reply, SyncError> {
        // It may go on as another incarnation meanwhile.
        let device = self.desk.inner.enrolled()?.device.clone();
        if let Some(session) = &session {
            let known = (cursor, directory);
            let told = short(&self.transport, &device, "watch", session, known).await?;
            if let Some(reply) = told {
                return Ok(reply);
            }
        }
        let ask = Ask::Watch { cursor, directory };
        exchange(&self.transport, &device, session, ask, true)
            .await
            .map(|(_, reply)| reply)
    }

    /// Whether something answers at the hub's address.
    async fn probe(&self) -> bool {
        self.transport.is_listening().await
    }

    async fn pause(&self) {
        let (least, span) = WATCH_PAUSE_MS;
        let pause = least + rand::random::<u64>() % span;
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}
