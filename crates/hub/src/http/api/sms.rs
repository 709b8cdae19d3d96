//! The outbox of texts to customers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::body::{Asked, At, Body, TEXT, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::sms::report::{SmsOutbox, outbox, read_place};
use crate::store::sms::Dismissal;

const MOST_ROWS: u32 = 200;
const USUAL_ROWS: u32 = 50;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SmsAsked {
    /// Only those that fail.
    #[serde(default)]
    pub failing: bool,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// Texts to customers and duty staff, the newest first, with what keeps how
/// many of them and whether it has for too long.
#[utoipa::path(
    get, path = "/api/sms", tag = "sms", params(SmsAsked),
    responses((status = 200, body = SmsOutbox), (status = "4XX", body = ApiError))
)]
pub async fn sms(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<SmsAsked>,
) -> ApiResult<Json<SmsOutbox>> {
    let malformed = || ApiError::of_field(ErrorCode::Malformed, "after");
    let after = asked.after.as_deref();
    let after = after.map(|after| read_place(after).ok_or_else(malformed));
    let limit = asked.limit.unwrap_or(USUAL_ROWS).clamp(1, MOST_ROWS);
    let (store, now) = (hub.store.as_ref(), hub.clock.now());
    let page = outbox(
        store,
        who.reader(),
        now,
        asked.failing,
        after.transpose()?,
        limit,
    )
    .await?;
    Ok(Json(page))
}

/// Has a text that failed or was given up sent after all.
#[utoipa::path(
    post, path = "/api/sms/{id}/retry", tag = "sms",
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn retry_sms(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
) -> ApiResult<StatusCode> {
    if !hub
        .store
        .retry_sms(id, hub.clock.now(), who.reader())
        .await?
    {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    tracing::info!(sms = %id, by = %who.staff.id, "a text is sent again");
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
pub struct SeenToOtherwise {
    /// How, in a sentence.
    pub reason: String,
}

/// How many texts it was.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SmsCount {
    pub count: u64,
}

fn dismissal(hub: &Hub, who: &SignedIn, body: &SeenToOtherwise) -> ApiResult<Dismissal> {
    Ok(Dismissal {
        by: Some(who.staff.id),
        name: who.staff.name.clone(),
        at: hub.clock.now(),
        reason: required("reason", &body.reason, TEXT)?,
    })
}

/// Notes that a text that failed or was given up was seen to otherwise: it
/// fails no longer.
#[utoipa::path(
    post, path = "/api/sms/{id}/dismiss", tag = "sms", request_body = SeenToOtherwise,
    params(("id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn dismiss_sms(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<SeenToOtherwise>,
) -> ApiResult<StatusCode> {
    let why = dismissal(&hub, &who, &body)?;
    if !hub.store.dismiss_sms(id, &why, who.reader()).await? {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    tracing::info!(sms = %id, by = %who.staff.id, "a failed text was seen to otherwise");
    Ok(StatusCode::NO_CONTENT)
}

/// Has every text sent that was held after the hub was put back.
#[utoipa::path(
    post, path = "/api/sms/held/release", tag = "sms",
    responses((status = 200, body = SmsCount), (status = "4XX", body = ApiError))
)]
pub async fn release_held(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> ApiResult<Json<SmsCount>> {
    let store = &hub.store;
    let count = store.release_held(hub.clock.now(), who.reader()).await?;
    tracing::info!(count, by = %who.staff.id, "held texts are sent");
    Ok(Json(SmsCount { count }))
}

/// Discards every text that was held after the hub was put back.
#[utoipa::path(
    post, path = "/api/sms/held/discard", tag = "sms", request_body = SeenToOtherwise,
    responses((status = 200, body = SmsCount), (status = "4XX", body = ApiError))
)]
pub async fn discard_held(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(body): Body<SeenToOtherwise>,
) -> ApiResult<Json<SmsCount>> {
    let why = dismissal(&hub, &who, &body)?;
    let count = hub.store.dismiss_held(&why, who.reader()).await?;
    tracing::info!(count, by = %who.staff.id, "held texts are discarded");
    Ok(Json(SmsCount { count }))
}
