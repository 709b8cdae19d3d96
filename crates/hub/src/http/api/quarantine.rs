//! Records the hub has set aside: somebody looks at each and decides.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, ComplaintId, DeviceId, Fact, LedgerEvent, Role, StaffId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::complaints::visible;
use super::lists::ColleagueChoice;
use super::mask;
use crate::http::body::{Asked, At, Body, LINE, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::steps;
use crate::set_aside::suitable;
use crate::store::Quarantined;
use crate::store::set_aside::RecordHolder;
use crate::store::waiting::waits;

const ROWS: u32 = 100;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuarantineAsked {
    /// The last id of the page before.
    pub after: Option<i64>,
    /// Only my own, and those of nobody.
    #[serde(default)]
    pub mine: bool,
}

/// A page of records, the oldest first.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct QuarantinePage {
    pub records: Vec<QuarantineRow>,
    /// There are more behind the last of these.
    pub more: bool,
}

/// A record set aside.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct QuarantineRow {
    pub id: i64,
    pub device: DeviceId,
    pub incarnation: u32,
    pub lane: u8,
    pub n: u64,
    pub branch: BranchCode,
    pub complaint: Option<ComplaintId>,
    /// Whether the hub has that complaint.
    pub is_known: bool,
    /// The fact's kind, where it could be read.
    pub kind: Option<String>,
    /// Why, as the receipt told the desk: a name, or a name with what the rules said.
    #[schema(value_type = Object)]
    pub reason: serde_json::Value,
    /// It waits for what another desk has yet to send, and leaves the list by
    /// itself when that arrives.
    pub waits: bool,
    pub at: DateTime<Utc>,
    /// Whose it is; absent where nobody is suitable.
    pub holder: Option<HolderView>,
    /// The record as it came; for the administrator with the customer masked.
    pub body: String,
}

/// Whose a record is.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct HolderView {
    pub id: StaffId,
    pub name: String,
    /// When it was entrusted to them.
    pub since: DateTime<Utc>,
}

/// To whom a record is handed.
#[derive(Deserialize, ToSchema)]
pub struct EntrustTo {
    pub to: StaffId,
}

/// What is done with it.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Resolution {
    /// What it says goes to its complaint as a note; to the one named, where
    /// the hub does not have its own.
    Note {
        text: String,
        /// A reference number.
        #[serde(default)]
        reference: Option<String>,
    },
    /// It takes its effect after all, under the name of who did it: as it came,
    /// or with `fact` in the place of what it said. The rules judge it anew, and
    /// the reason stands beside it as a note of who decided.
    Accept {
        #[serde(default)]
        #[schema(value_type = Option<Fact>)]
        fact: Option<Box<Fact>>,
        reason: String,
    },
    /// It has no consequence.
    Discard { reason: String },
}

/// Records that wait for a decision, oldest first.
#[utoipa::path(
    get, path = "/api/quarantine", tag = "quarantine", params(QuarantineAsked),
    responses((status = 200, body = QuarantinePage), (status = "4XX", body = ApiError))
)]
pub async fn quarantine(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<QuarantineAsked>,
) -> ApiResult<Json<QuarantinePage>> {
    let found = hub
        .store
        .quarantined(
            hub.clock.now(),
            asked.mine.then_some(who.staff.id),
            asked.after.unwrap_or_default(),
            ROWS + 1,
            who.reader(),
        )
        .await?;
    let masked = who.role() == Role::Administrator;
    let more = found.len() > ROWS as usize;
    let records = found.into_iter().take(ROWS as usize);
    Ok(Json(QuarantinePage {
        records: records.map(|record| row(record, masked)).collect(),
        more,
    }))
}

/// The record for somebody who keeps the hub in order and handles no complaint.
/// Empty when it cannot be read, as then it cannot be masked either.
fn masked_body(body: &str) -> String {
    let Ok(mut event) = serde_json::from_str::<LedgerEvent>(body) else {
        return String::new();
    };
    event.fact = mask::fact(&event.fact);
    serde_json::to_string(&event).unwrap_or_default()
}

fn row(record: Quarantined, masked: bool) -> QuarantineRow {
    QuarantineRow {
        id: record.id,
        device: record.device,
        incarnation: record.incarnation,
        lane: record.lane.number(),
        n: record.n,
        branch: record.branch,
        complaint: record.complaint,
        is_known: record.is_known,
        kind: record.kind,
        waits: waits(&record.reason),
        reason: serde_json::from_str(&record.reason)
            .unwrap_or(serde_json::Value::String(record.reason)),
        at: record.at,
        holder: record
            .holder
            .map(|RecordHolder { id, name, since }| HolderView { id, name, since }),
        body: if masked {
            masked_body(&record.body)
        } else {
            record.body
        },
    }
}

/// Whom a record can be handed to: who may decide about it and is not barred
/// from its complaint.
#[utoipa::path(
    get, path = "/api/quarantine/{id}/holders", tag = "quarantine",
    params(("id" = i64, Path)),
    responses((status = 200, body = Vec<ColleagueChoice>), (status = "4XX", body = ApiError))
)]
pub async fn holders(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<i64>,
) -> ApiResult<Json<Vec<ColleagueChoice>>> {
    let record = open_record(&hub, &who, id).await?;
    let staff = suitable(&hub, record.complaint).await?;
    let choices = staff.into_iter().map(|one| ColleagueChoice {
        id: one.id,
        name: one.name,
        role: one.role,
    });
    Ok(Json(choices.collect()))
}

/// Hands a record to another person, or takes it over.
#[utoipa::path(
    post, path = "/api/quarantine/{id}/entrust", tag = "quarantine", request_body = EntrustTo,
    params(("id" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn entrust(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<i64>,
    Body(EntrustTo { to }): Body<EntrustTo>,
) -> ApiResult<axum::http::StatusCode> {
    let record = open_record(&hub, &who, id).await?;
    // Somebody who could have it when the page was looked at.
    let outdated = || ApiError::of_field(ErrorCode::Outdated, "to");
    let staff = suitable(&hub, record.complaint).await?;
    if !staff.iter().any(|one| one.id == to) {
        return Err(outdated());
    }
    let from = record.holder.map(|holder| holder.id);
    let given = hub.store.entrust(id, from, Some(to), hub.clock.now());
    match given.await? {
        true => Ok(axum::http::StatusCode::NO_CONTENT),
        false => Err(outdated()),
    }
}

async fn open_record(hub: &Hub, who: &SignedIn, id: i64) -> ApiResult<Quarantined> {
    let record = hub.store.quarantined_record(id, who.reader()).await?;
    record.ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}

/// Decides about a record.
#[utoipa::path(
    post, path = "/api/quarantine/{id}/resolve", tag = "quarantine", request_body = Resolution,
    params(("id" = i64, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn resolve(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<i64>,
    Body(resolution): Body<Resolution>,
) -> ApiResult<axum::http::StatusCode> {
    let missing = || ApiError::new(ErrorCode::NotFound);
    let record = open_record(&hub, &who, id).await?;
    let told = match resolution {
        Resolution::Discard { reason } => {
            format!("discard: {}", required("reason", &reason, TEXT)?)
        }
        Resolution::Note { text, reference } => {
            let text = required("text", &text, TEXT)?;
            let complaint = noted_at(&hub, &who, &record, reference.as_deref()).await?;
            // The record's own key: resolving it again writes no second note.
            let key = Uuid::from_u64_pair(u64::MAX, id.unsigned_abs());
            let note = steps::plain(Fact::Noted { text: text.clone() });
            hub.step(complaint, who.actor(), Some(key), note).await?;
            format!("note to {complaint}: {text}")
        }
        Resolution::Accept { fact, reason } => {
            let reason = required("reason", &reason, TEXT)?;
            let told = match fact {
                Some(_) => format!("mended: {reason}"),
                None => format!("accepted: {reason}"),
            };
            accept(&hub, &who, &record, fact, reason).await?;
            told
        }
    };
    if hub
        .store
        .resolve(id, who.staff.id, &told, hub.clock.now())
        .await?
    {
        Ok(axum::http::StatusCode::NO_CONTENT)
    } else {
        Err(missing())
    }
}

/// The complaint a note goes to: the one named, else the record's own.
async fn noted_at(
    hub: &Hub,
    who: &SignedIn,
    record: &Quarantined,
    reference: Option<&str>,
) -> ApiResult<ComplaintId> {
    let reference = optional("reference", reference.unwrap_or_default(), LINE)?;
    let named = match (reference.is_empty(), record.complaint) {
        (false, _) => reference,
        (true, Some(own)) if record.is_known => own.to_string(),
        (true, _) => return Err(ApiError::of_field(ErrorCode::Required, "reference")),
    };
    let found = visible(hub, who, &named).await;
    let found = found.map_err(|error| match error.code {
        ErrorCode::NotFound => ApiError::of_field(ErrorCode::NotFound, "reference"),
        _ => error,
    });
    Ok(found?.complaint.id)
}

/// Writes what a record says, and why it counts, each once however often asked.
async fn accept(
    hub: &Hub,
    who: &SignedIn,
    record: &Quarantined,
    mended: Option<Box<Fact>>,
    reason: String,
) -> ApiResult<()> {
    let event: LedgerEvent = serde_json::from_str(&record.body)
        .map_err(|_| ApiError::of_field(ErrorCode::Malformed, "body"))?;
    let held = visible(hub, who, &event.complaint.to_string()).await?;
    let lines = hub.lines_of([held.complaint.id]).await?;
    let author = event.actor.staff;
    // What somebody wrote whom it is about takes no effect, whoever accepts it.
    if author.is_some_and(|staff| lines.bar(&held.complaint, staff)) {
        return Err(ApiError::new(ErrorCode::Recused));
    }
    let key = |step: u64| Uuid::from_u64_pair(u64::MAX - step, record.id.unsigned_abs());
    let fact = mended.map_or(event.fact, |fact| *fact);
    hub.step(
        event.complaint,
        event.actor,
        Some(key(1)),
        steps::plain(fact),
    )
    .await?;
    let note = steps::plain(Fact::Noted { text: reason });
    hub.step(event.complaint, who.actor(), Some(key(2)), note)
        .await?;
    Ok(())
}
