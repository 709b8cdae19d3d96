//! The outbox of texts to customers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::http::body::{Asked, At};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::sms::report::{SmsOutbox, outbox, read_place};

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

/// Texts to customers, the newest first, with how many fail and whether one
/// has for too long.
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
