//! How the desks work, for those who keep them running.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::desks::{DesksReport, report};
use crate::http::error::{ApiError, ApiResult};
use crate::hub::Hub;

/// Every desk with its counts of today and of seven days, those that need
/// somebody first.
#[utoipa::path(
    get, path = "/api/desks", tag = "desks",
    responses((status = 200, body = DesksReport), (status = "4XX", body = ApiError))
)]
pub async fn desks(State(hub): State<Arc<Hub>>) -> ApiResult<Json<DesksReport>> {
    let now = hub.clock.now();
    Ok(Json(report(hub.store.as_ref(), now).await?))
}
