//! Evidence in the console: the list, the contents, and adding a file. Each
//! reading of contents is written down.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use http_range_header::parse_range_header;
use serde::{Deserialize, Serialize};
use suda_domain::evidence::{MOST_BYTES, clean_name};
use suda_domain::{ComplaintId, Evidence, EvidenceId, EvidenceKind, Fact, Role, StaffId};
use suda_sync::evidence::{CHUNK, Hashing, media_type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::complaints::visible;
use super::steps::Doing;
use super::view::ComplaintView;
use crate::evidence::contents;
use crate::http::body::{Asked, At};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::steps;
use crate::store::evidence::{EvidenceRead, SliceOf};

/// A browser that sends nothing for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Whatever a file holds, it can neither run nor load anything.
const SANDBOX: &str = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; \
    style-src 'unsafe-inline'; frame-ancestors 'none'";

/// A file of a complaint.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    pub file: Evidence,
    pub added_by: String,
    pub role: Role,
    pub added_at: DateTime<Utc>,
    /// Its first so many bytes are here.
    pub received: u64,
    /// All of it is here, and is what was added.
    pub complete: bool,
    /// A browser can show or play it without a program of its own.
    pub inline: bool,
}

/// Somebody has read a file's contents.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EvidenceReadView {
    pub at: DateTime<Utc>,
    pub staff: StaffId,
    pub name: String,
    pub file: EvidenceId,
}

/// The files of a complaint.
#[utoipa::path(
    get, path = "/api/complaints/{id}/evidence", tag = "evidence",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<EvidenceView>), (status = "4XX", body = ApiError))
)]
pub async fn list(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<Vec<EvidenceView>>> {
    let held = visible(&hub, &who, &id).await?;
    let mut files = Vec::with_capacity(held.complaint.evidence.len());
    for one in held.into_complaint().evidence {
        let stored = hub.store.evidence_stored(one.file.id).await?;
        files.push(EvidenceView {
            inline: is_inline(&one.file.media_type),
            file: one.file,
            added_by: one.added_by.name,
            role: one.added_by.role,
            added_at: one.added_at,
            received: stored.received,
            complete: stored.complete_at.is_some(),
        });
    }
    Ok(Json(files))
}

/// Who has read the contents of a complaint's files.
#[utoipa::path(
    get, path = "/api/complaints/{id}/evidence-reads", tag = "evidence",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<EvidenceReadView>), (status = "4XX", body = ApiError))
)]
pub async fn reads(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<Vec<EvidenceReadView>>> {
    let held = visible(&hub, &who, &id).await?;
    let staff = hub.store.staff().await?;
    let name = |id: StaffId| staff.iter().find(|one| one.id == id).map(|one| &one.name);
    let reads = hub
        .store
        .evidence_reads(held.complaint.id, who.reader())
        .await?;
    let views = reads.into_iter().map(|read| EvidenceReadView {
        at: read.at,
        staff: read.staff,
        name: name(read.staff).cloned().unwrap_or_default(),
        file: read.file,
    });
    Ok(Json(views.collect()))
}

/// Pictures and recordings may be shown in the page. A PDF is not: its viewer
/// does not run inside the sandbox.
fn is_inline(media_type: &str) -> bool {
    let shown = [
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
    ];
    shown.contains(&media_type) || media_type.starts_with("audio/")
}

/// The contents of a file, or the part of them that the `Range` header names.
#[utoipa::path(
    get, path = "/api/complaints/{id}/evidence/{file}", tag = "evidence",
    params(
        ("id" = String, Path, description = "Id or reference number"),
        ("file" = EvidenceId, Path)
    ),
    responses(
        (status = 200, content_type = "application/octet-stream"),
        (status = 206, content_type = "application/octet-stream"),
        (status = "4XX", body = ApiError)
    )
)]
pub async fn file(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At((id, file)): At<(String, EvidenceId)>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let held = visible(&hub, &who, &id).await?;
    let missing = || ApiError::new(ErrorCode::NotFound);
    let of = held.complaint.evidence_file(file).ok_or_else(missing)?;
    let of = of.file.clone();
    let stored = hub.store.evidence_stored(file).await?;
    if stored.complete_at.is_none() {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    let range = match range_of(&headers, of.bytes) {
        Asks::Whole => None,
        Asks::Part(from, upto) => Some((from, upto)),
        Asks::Nothing => return Ok(unsatisfiable(of.bytes)),
    };
    let read = EvidenceRead {
        at: hub.clock.now(),
        staff: who.staff.id,
        complaint: held.complaint.id,
        file,
    };
    hub.store.note_evidence_read(read).await?;
    let (from, upto) = range.unwrap_or((0, of.bytes));
    let body = Body::from_stream(contents(Arc::clone(&hub), file, from, upto, who.reader()));
    let mut response = body.into_response();
    describe(response.headers_mut(), &of, upto - from);
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = upto - 1;
        let part = format!("bytes {from}-{last}/{}", of.bytes);
        put(response.headers_mut(), header::CONTENT_RANGE, &part);
    }
    Ok(response)
}

/// The bytes a request asks for, the end exclusive.
enum Asks {
    Whole,
    Part(u64, u64),
    /// None that there are.
    Nothing,
}

/// Several ranges at once, which nobody needs here, get the whole file.
fn range_of(headers: &HeaderMap, bytes: u64) -> Asks {
    let asked = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| parse_range_header(text).ok());
    let Some(asked) = asked else {
        return Asks::Whole;
    };
    match asked.validate(bytes) {
        Err(_) => Asks::Nothing,
        Ok(ranges) => match ranges.as_slice() {
            [one] => Asks::Part(*one.start(), *one.end() + 1),
            _ => Asks::Whole,
        },
    }
}

fn unsatisfiable(bytes: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    let all = format!("bytes */{bytes}");
    put(response.headers_mut(), header::CONTENT_RANGE, &all);
    response
}

fn describe(headers: &mut HeaderMap, of: &Evidence, length: u64) {
    let how = match is_inline(&of.media_type) {
        true => "inline",
        false => "attachment",
    };
    // RFC 6266: the name in UTF-8, every byte but the plainest escaped.
    let name: String = of.name.bytes().map(escaped).collect();
    put(
        headers,
        header::CONTENT_DISPOSITION,
        &format!("{how}; filename*=UTF-8''{name}"),
    );
    put(headers, header::CONTENT_TYPE, &of.media_type);
    put(headers, header::CONTENT_LENGTH, &length.to_string());
    put(headers, header::ACCEPT_RANGES, "bytes");
    put(headers, header::CONTENT_SECURITY_POLICY, SANDBOX);
    put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
}

fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    }
}

fn put(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewEvidence {
    /// The file's name; folders before it are dropped.
    #[serde(default)]
    pub name: String,
    /// Without it, what the contents look like.
    pub kind: Option<EvidenceKind>,
}

/// Adds a file to a complaint. The body is the file; what it is, is found in
/// its contents.
#[utoipa::path(
    post, path = "/api/complaints/{id}/evidence", tag = "evidence",
    params(NewEvidence, ("id" = String, Path, description = "Id or reference number")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn add(
    doing: Doing,
    Asked(asked): Asked<NewEvidence>,
    body: Body,
) -> ApiResult<Json<ComplaintView>> {
    let hub = Arc::clone(&doing.hub);
    let complaint = doing.held.complaint.id;
    let write = async |file| doing.add_evidence(file).await;
    take(&hub, complaint, &asked, body, &Taken::ANYTHING, write).await
}

/// What is taken of whom.
pub(in crate::http) struct Taken {
    pub most_bytes: u64,
    /// By media type, of those that are evidence at all.
    pub takes: fn(&str) -> bool,
}

impl Taken {
    const ANYTHING: Self = Self {
        most_bytes: MOST_BYTES,
        takes: |_| true,
    };
}

/// Receives a file and has its fact written; without the fact nothing of it
/// stays.
pub(in crate::http) async fn take<T>(
    hub: &Hub,
    complaint: ComplaintId,
    asked: &NewEvidence,
    body: Body,
    taken: &Taken,
    write: impl AsyncFnOnce(Evidence) -> ApiResult<T>,
) -> ApiResult<T> {
    let id = EvidenceId(Uuid::now_v7());
    let staging = Staging {
        hub,
        complaint,
        id,
        taken,
    };
    let added = match staging.receive(asked, body).await {
        Ok(file) => write(file).await,
        Err(error) => Err(error),
    };
    let settled = match &added {
        Ok(_) => hub.store.unstage_evidence(id).await,
        Err(_) => hub.store.drop_staged(id).await,
    };
    if let Err(error) = settled {
        tracing::warn!(%error, file = %id, "a staged file is settled later");
    }
    added
}

/// A file on its way in.
struct Staging<'a> {
    hub: &'a Hub,
    complaint: ComplaintId,
    id: EvidenceId,
    taken: &'a Taken,
}

impl Staging<'_> {
    /// Stores the body in pieces and tells what file it is.
    async fn receive(&self, asked: &NewEvidence, body: Body) -> ApiResult<Evidence> {
        let mut body = body.into_data_stream();
        let (mut hashing, mut bytes, mut buffer) = (Hashing::default(), 0u64, Vec::new());
        let mut found = None;
        loop {
            let part = tokio::time::timeout(SILENCE, body.next()).await;
            let part = part.map_err(|_| ApiError::new(ErrorCode::Malformed))?;
            let ended = part.is_none();
            if let Some(part) = part {
                let part = part.map_err(|_| ApiError::new(ErrorCode::Malformed))?;
                buffer.extend_from_slice(&part);
            }
            let is_full = buffer.len() as u64 >= CHUNK;
            if !(is_full || ended && !buffer.is_empty()) {
                if ended {
                    break;
                }
                continue;
            }
            if found.is_none() {
                let known = media_type(&buffer).filter(|known| (self.taken.takes)(known));
                let known = known.ok_or_else(not_taken)?;
                found = Some(known);
            }
            let data = std::mem::take(&mut buffer);
            hashing.take(&data);
            let at = bytes;
            bytes += data.len() as u64;
            if bytes > self.taken.most_bytes {
                return Err(ApiError::new(ErrorCode::TooLarge));
            }
            self.store(at, data).await?;
            if ended {
                break;
            }
        }
        let media_type = found.ok_or_else(|| ApiError::of_field(ErrorCode::Required, "file"))?;
        let kind = asked.kind.unwrap_or(EvidenceKind::of(media_type));
        if !kind.fits(media_type) {
            return Err(ApiError::of_field(ErrorCode::Malformed, "kind"));
        }
        self.hub
            .store
            .complete_evidence(self.id, self.hub.clock.now())
            .await?;
        Ok(Evidence {
            id: self.id,
            name: clean_name(&asked.name),
            kind,
            media_type: media_type.to_owned(),
            bytes,
            sha256: hashing.end().to_string(),
        })
    }

    async fn store(&self, at: u64, data: Vec<u8>) -> ApiResult<()> {
        let slice = SliceOf {
            file: self.id,
            complaint: self.complaint,
            at,
            data,
            staged: true,
        };
        self.hub
            .store
            .add_slice(slice, self.hub.clock.now())
            .await?;
        Ok(())
    }
}

fn not_taken() -> ApiError {
    ApiError::of_field(ErrorCode::FileTypeNotTaken, "file")
}

impl Doing {
    async fn add_evidence(self, file: Evidence) -> ApiResult<Json<ComplaintView>> {
        self.step(steps::plain(Fact::EvidenceAdded { file })).await
    }
}
