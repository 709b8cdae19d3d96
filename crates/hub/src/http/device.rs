//! The desks' door: enrolment and the sync. Everything but enrolment is
//! signed both ways; an answer that nothing could be read from is not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_domain::text::{clean, cut_bytes};
use suda_domain::{BranchCode, DeviceId, Lane};
use suda_sync::message::{
    EnrolRefused, EnrolReply, EnrolRequest, Known, Level, LogEntry, PAGE_ENTRIES, Placed, Refused,
    is_read,
};
use suda_sync::withheld;
use suda_sync::{Ask, Page, Receipt, Reply, Request, SealedEvent, Signed, Verdict};
use tokio::sync::broadcast::error::RecvError;

use super::compare::compare;
use super::hello::{admit, hello};
use crate::bundle::{self, ImportError};
use crate::hub::Hub;
use crate::ingest::{Arrival, Batch};
use crate::learning;
use crate::secret;
use crate::store::{Device, EnrolError, Own, Result, StoreError, Touched};

/// How long a watch is kept waiting.
const WATCH: Duration = Duration::from_secs(25);
/// Events taken in one batch; desks send at most 100.
const MOST_EVENTS: usize = 1000;
/// Bytes of event bodies in one page.
pub(super) const PAGE_BYTES: usize = 256 * 1024;
/// When to come back after the store could not take a batch.
const BUSY_MS: u64 = 5_000;
const NAME_BYTES: usize = 120;

/// `POST /v1/enrol`.
pub async fn enrol(State(hub): State<Arc<Hub>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<EnrolRequest>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match enrolled(&hub, request).await {
        Ok(reply) => Json(reply).into_response(),
        Err(Denied::Code(refused)) => (StatusCode::FORBIDDEN, Json(refused)).into_response(),
        Err(Denied::TooMany) => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Err(Denied::Store(error)) => {
            tracing::error!(%error, "an enrolment failed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

enum Denied {
    Code(EnrolRefused),
    TooMany,
    Store(StoreError),
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn enrolled(hub: &Hub, request: EnrolRequest) -> Result<EnrolReply, Denied> {
    if !is_read(request.v) {
        return Err(Denied::Code(EnrolRefused::Version));
    }
    let now = hub.clock.now();
    if !hub.enrolments.admit(now) {
        return Err(Denied::TooMany);
    }
    let name = clean(&request.device_name);
    let name = cut_bytes(&name, NAME_BYTES);
    let code = secret::code_digest(&request.code);
    let device = hub
        .store
        .enrol(code, &request.key, name, now)
        .await
        .map_err(|error| match error {
            EnrolError::UnknownCode => Denied::Code(EnrolRefused::UnknownCode),
            EnrolError::UsedCode => Denied::Code(EnrolRefused::UsedCode),
            EnrolError::ExpiredCode => Denied::Code(EnrolRefused::ExpiredCode),
            EnrolError::Store(error) => Denied::Store(error),
        })?;
    tracing::info!(device = %device.id, branch = %device.branch, "a desk was enrolled");
    Ok(EnrolReply {
        device: device.id,
        incarnation: device.incarnation,
        desk_letter: device.letter,
        hub_key: hub.identity.key.public(),
        epoch: hub.identity.epoch.clone(),
        now,
        directory: hub.directory(&device.branch).await?,
    })
}

/// `POST /v1/sync`.
pub async fn sync(State(hub): State<Arc<Hub>>, body: Bytes) -> Response {
    let reply = match hub.turns.take(|| read(&body)).await {
        Err(refused) => Err(refused),
        Ok((signed, request)) => answer(&hub, signed, request).await,
    };
    hub.turns.take(|| signed_answer(&hub, reply)).await
}

/// A message and what it claims to be; whether it is, only the key of the device
/// it names can tell.
fn read(body: &[u8]) -> Result<(Signed, Request), Refused> {
    let signed: Signed = serde_json::from_slice(body).map_err(|_| Refused::Malformed)?;
    let request: Request = signed.peek().map_err(|_| Refused::Malformed)?;
    if !is_read(request.v) {
        return Err(Refused::Version);
    }
    Ok((signed, request))
}

/// The answer as it goes out, signed.
pub(super) fn signed_answer(hub: &Hub, reply: Result<Reply, Refused>) -> Response {
    let status = match &reply {
        Err(Refused::Malformed) => StatusCode::BAD_REQUEST,
        Err(Refused::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    let reply = reply.unwrap_or_else(Reply::Refused);
    match Signed::seal(&reply, &hub.identity.key) {
        Ok(signed) => (status, Json(signed)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a reply could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn answer(hub: &Hub, signed: Signed, request: Request) -> Result<Reply, Refused> {
    let device = hub.turns.read(hub.store.device(request.device)).await;
    let device = device.map_err(busy)?.ok_or(Refused::UnknownDevice)?;
    if !hub.turns.take(|| signed.is_from(&device.key)).await {
        return Err(Refused::BadSignature);
    }
    if let Ask::Hello(position) = request.ask {
        return hello(hub, &device, request.incarnation, position).await;
    }
    let incarnation = request.incarnation;
    if incarnation > device.incarnation {
        return Err(Refused::SessionExpired);
    }
    admit(hub, device.id, incarnation, request.session.as_deref()).await?;
    match request.ask {
        Ask::Hello(_) => Err(Refused::Malformed),
        Ask::Batch {
            lane,
            first_n,
            events,
            incarnation: written,
            rekeys,
            known,
        } => {
            let written = written.unwrap_or(incarnation);
            if written == 0 || written > device.incarnation {
                return Err(Refused::Malformed);
            }
            let device = Device {
                incarnation: written,
                ..device
            };
            batch(hub, device, (lane, first_n, events), rekeys, known).await
        }
        Ask::Pull {
            cursor,
            limit,
            directory,
            own,
        } => {
            let held = own.map(|upto| Own {
                device: device.id,
                incarnation,
                upto,
            });
            let device = Device {
                incarnation,
                ..device
            };
            let page = pull(hub, &device, cursor, limit, directory, held);
            hub.turns.read(page).await.map_err(busy)
        }
        Ask::Forward { parcel } => forward(hub, &device, &parcel).await,
        Ask::Watch { cursor, directory } => {
            let changed = watch(hub, &device, cursor, directory).await;
            changed.map(Reply::changed).map_err(busy)
        }
        Ask::Look { cursor, directory } => {
            let news = is_news(hub, &device, (cursor, directory), None);
            let changed = hub.turns.read(news).await;
            changed.map(Reply::changed).map_err(busy)
        }
        Ask::Evidence { files } => super::evidence::standings(hub, &device, files).await,
        Ask::Twins { text, phone } => super::twins::twins(hub, &device, &text, &phone).await,
        Ask::Statistics { days } => super::statistics::take(hub, &device, days).await,
        Ask::Model { version, offset } => {
            let piece = learning::piece(hub, version, offset);
            let piece = hub.turns.read(piece).await.map_err(busy)?;
            Ok(Reply::Model(piece))
        }
        Ask::Compare {
            after,
            upto,
            differs,
        } => compare(hub, &device, (after, upto), differs).await,
    }
}

/// A desk keeps what it has and comes back.
pub(super) fn busy(error: StoreError) -> Refused {
    tracing::error!(%error, "the store could not serve a desk");
    Refused::Busy { retry_ms: BUSY_MS }
}

async fn batch(
    hub: &Hub,
    device: Device,
    (lane, first_n, events): (Lane, u64, Vec<SealedEvent>),
    rekeys: bool,
    known: Option<Known>,
) -> Result<Reply, Refused> {
    let within = first_n >= 1 && i64::try_from(first_n).is_ok() && events.len() <= MOST_EVENTS;
    if !within || events.is_empty() {
        return Err(Refused::Malformed);
    }
    let began = Instant::now();
    let now = hub.clock.now();
    let read = || events.into_iter().map(Arrival::read).collect();
    let arrivals = hub.turns.take(read).await;
    let (id, incarnation) = (device.id, device.incarnation);
    let branch = device.branch.clone();
    let ingested = hub
        .store
        .ingest(Batch {
            device: device.id,
            incarnation: device.incarnation,
            branch: device.branch,
            lane,
            first_n,
            arrivals,
            rekeys,
            again: Vec::new(),
            now,
            mono_ms: hub.clock.mono_ms(),
        })
        .await
        .map_err(busy)?;
    hub.metrics.ingested(&ingested.verdicts, began.elapsed());
    let level = match known {
        Some(known) if ingested.verdicts.iter().all(is_taken) => {
            let own = Own {
                device: id,
                incarnation,
                upto: known.own,
            };
            hub.turns
                .read(level(hub, &branch, known, own))
                .await
                .map_err(busy)?
        }
        _ => None,
    };
    Ok(Reply::Receipt(Receipt {
        device: id,
        incarnation,
        epoch: hub.identity.epoch.clone(),
        watermarks: ingested.watermarks,
        lane,
        first_n,
        verdicts: ingested.verdicts,
        // For urgent packets there is always room; what was told holds on.
        allowance: (lane != Lane::Urgent).then(|| hub.allowance()),
        level,
        at: now,
    }))
}

fn is_taken(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Applied | Verdict::Duplicate)
}

/// Where a desk is level with the hub, if behind the place it knows there is
/// nothing but what it wrote itself.
async fn level(hub: &Hub, branch: &BranchCode, known: Known, own: Own) -> Result<Option<Level>> {
    let log = hub
        .store
        .log_after(branch, known.cursor, PAGE_ENTRIES, PAGE_BYTES, Some(own))
        .await?;
    let is_level = log.entries.is_empty()
        && !log.more
        && hub.store.settings().await?.directory == known.directory;
    Ok(is_level.then(|| Level {
        cursor: log.cursor,
        placed: Placed::runs(log.held),
    }))
}

/// What a branch's mailbox brings of another desk of the branch.
async fn forward(hub: &Hub, mailbox: &Device, parcel: &str) -> Result<Reply, Refused> {
    let parcel = STANDARD.decode(parcel).map_err(|_| Refused::Malformed)?;
    let taken = bundle::forwarded(hub.store.as_ref(), &hub.clock, &parcel, &mailbox.branch);
    match taken.await {
        Ok(receipts) => Ok(Reply::Forwarded {
            receipts: STANDARD.encode(receipts),
        }),
        Err(ImportError::Store(error)) => Err(busy(error)),
        Err(error) => {
            tracing::warn!(device = %mailbox.id, %error, "a forwarded parcel is not taken");
            Err(Refused::NotTaken)
        }
    }
}

async fn pull(
    hub: &Hub,
    device: &Device,
    cursor: u64,
    limit: u32,
    known: u32,
    held: Option<Own>,
) -> Result<Reply> {
    let entries = limit.clamp(1, PAGE_ENTRIES);
    let page = hub
        .store
        .log_after(&device.branch, cursor, entries, PAGE_BYTES, held)
        .await?;
    let directory = if hub.store.settings().await?.directory == known {
        None
    } else {
        Some(Box::new(hub.directory(&device.branch).await?))
    };
    let entries = page.entries.into_iter().filter_map(|entry| {
        let event = withheld::for_branch(entry.event)?;
        Some(LogEntry { event, ..entry })
    });
    Ok(Reply::Page(Page {
        epoch: hub.identity.epoch.clone(),
        entries: entries.collect(),
        placed: Placed::runs(page.held),
        cursor: page.cursor,
        more: page.more,
        directory,
        set_aside: Some(
            hub.store
                .set_aside_of(device.id, device.incarnation)
                .await?,
        ),
        now: hub.clock.now(),
    }))
}

/// Whether a desk has something to ask for: an event behind the place it knows,
/// but for those of `but`, or another directory.
pub(super) async fn is_news(
    hub: &Hub,
    device: &Device,
    (cursor, directory): (u64, u32),
    but: Option<(DeviceId, u32)>,
) -> Result<bool> {
    let branch = &device.branch;
    Ok(hub.store.has_after(branch, cursor, but).await?
        || hub.store.settings().await?.directory != directory)
}

/// Waits for news, and says whether there is any. What the desk wrote itself is
/// none: its receipt tells of that, and what was set aside and taken in later it
/// finds when it looks, within a minute.
pub(super) async fn watch(hub: &Hub, device: &Device, cursor: u64, directory: u32) -> Result<bool> {
    // Listening begins before looking, so that nothing falls between.
    let mut feed = hub.store.feed();
    let own = Some((device.id, device.incarnation));
    let waiting = async {
        loop {
            if hub
                .turns
                .read(is_news(hub, device, (cursor, directory), own))
                .await?
            {
                return Ok(true);
            }
            loop {
                match feed.recv().await {
                    Ok(touched) if concerns(&touched, device) => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return Ok(false),
                }
            }
        }
    };
    tokio::select! {
        () = hub.stopping.cancelled() => Ok(false),
        () = tokio::time::sleep(WATCH) => Ok(false),
        changed = waiting => changed,
    }
}

fn concerns(touched: &Touched, device: &Device) -> bool {
    touched.directory
        || touched.everything
        || touched
            .complaints
            .iter()
            .any(|one| one.branch == device.branch)
}
