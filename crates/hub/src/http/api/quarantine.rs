//! Records the hub has set aside: somebody looks at each and decides.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, ComplaintId, DeviceId, Fact, LedgerEvent, Role};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::complaints::visible;
use super::mask;
use crate::http::body::{Asked, At, Body, TEXT, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::steps;
use crate::store::Quarantined;
use crate::store::waiting::waits;

const ROWS: u32 = 100;
/// How long a record may wait for its predecessor before somebody is told.
const HELD_QUIETLY: TimeDelta = TimeDelta::minutes(5);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QuarantineAsked {
    /// The last id of the page before.
    pub after: Option<i64>,
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
    /// The fact's kind, where it could be read.
    pub kind: Option<String>,
    /// Why, as the receipt told the desk: a name, or a name with what the rules said.
    #[schema(value_type = Object)]
    pub reason: serde_json::Value,
    pub at: DateTime<Utc>,
    /// The record as it came; for the administrator with the customer masked.
    pub body: String,
}

/// What is done with it.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Resolution {
    /// What it says goes to its complaint as a note.
    Note { text: String },
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
    responses((status = 200, body = Vec<QuarantineRow>), (status = "4XX", body = ApiError))
)]
pub async fn quarantine(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<QuarantineAsked>,
) -> ApiResult<Json<Vec<QuarantineRow>>> {
    let found = hub
        .store
        .quarantined(asked.after.unwrap_or_default(), ROWS, who.reader())
        .await?;
    let masked = who.role() == Role::Administrator;
    let now = hub.clock.now();
    // What waits for another desk's record finds its place by itself, mostly.
    let needs_somebody =
        |record: &Quarantined| !waits(&record.reason) || record.at + HELD_QUIETLY <= now;
    Ok(Json(
        found
            .into_iter()
            .filter(needs_somebody)
            .map(|record| row(record, masked))
            .collect(),
    ))
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
        kind: record.kind,
        reason: serde_json::from_str(&record.reason)
            .unwrap_or(serde_json::Value::String(record.reason)),
        at: record.at,
        body: if masked {
            masked_body(&record.body)
        } else {
            record.body
        },
    }
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
    let record = hub
        .store
        .quarantined_record(id, who.reader())
        .await?
        .ok_or_else(missing)?;
    let told = match resolution {
        Resolution::Discard { reason } => {
            format!("discard: {}", required("reason", &reason, TEXT)?)
        }
        Resolution::Note { text } => {
            let text = required("text", &text, TEXT)?;
            let complaint = record.complaint.ok_or_else(missing)?;
            visible(&hub, &who, &complaint.to_string()).await?;
            // The record's own key: resolving it again writes no second note.
            let key = Uuid::from_u64_pair(u64::MAX, id.unsigned_abs());
            let note = steps::plain(Fact::Noted { text: text.clone() });
            hub.step(complaint, who.actor(), Some(key), note).await?;
            format!("note: {text}")
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
