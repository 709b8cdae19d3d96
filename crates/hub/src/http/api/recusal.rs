//! Whom a complaint is about. What follows for them and their line is the
//! stores' and the domain's; here it is said and taken back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use suda_domain::{Fact, Role, StaffId};
use utoipa::ToSchema;

use super::complaints::visible;
use super::steps::Doing;
use super::view::ComplaintView;
use crate::http::body::{At, Body, TEXT, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::steps;

/// Somebody a complaint may be about, by name alone.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PersonChoice {
    pub id: StaffId,
    pub name: String,
    pub role: Role,
}

#[derive(Deserialize, ToSchema)]
pub struct About {
    /// From `/api/complaints/{id}/people`.
    pub staff: StaffId,
    pub reason: String,
}

/// The staff of the complaint's branch, and of the centre.
#[utoipa::path(
    get, path = "/api/complaints/{id}/people", tag = "recusal",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<PersonChoice>), (status = "4XX", body = ApiError))
)]
pub async fn people(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<Vec<PersonChoice>>> {
    let complaint = visible(&hub, &who, &id).await?.complaint;
    let staff = hub.store.staff().await?.into_iter();
    let near = staff.filter(|one| one.branch.as_ref().is_none_or(|at| *at == complaint.branch));
    let mut people: Vec<PersonChoice> = near
        .filter(|one| !complaint.is_about(one.id))
        .map(|one| PersonChoice {
            id: one.id,
            name: one.name,
            role: one.role,
        })
        .collect();
    people.sort_by_key(|one| !one.role.is_of_branch());
    Ok(Json(people))
}

/// The complaint is about this member of staff: to them and their line it no
/// longer exists. Answers with nothing, as that may be the caller.
#[utoipa::path(
    post, path = "/api/complaints/{id}/recuse", tag = "recusal", request_body = About,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn recuse(doing: Doing, Body(body): Body<About>) -> ApiResult<StatusCode> {
    let reason = required("reason", &body.reason, TEXT)?;
    let staff = doing.hub.store.staff_member(body.staff).await?;
    let staff = staff.ok_or_else(|| ApiError::of_field(ErrorCode::NotFound, "staff"))?;
    let fact = Fact::Recused {
        staff: staff.id,
        name: staff.name,
        reason,
    };
    let id = doing.held.complaint.id;
    doing
        .hub
        .step(id, doing.who.actor(), doing.key, steps::plain(fact))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// It proved not to be about them.
#[utoipa::path(
    post, path = "/api/complaints/{id}/lift-recusal", tag = "recusal", request_body = About,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn lift_recusal(doing: Doing, Body(body): Body<About>) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    let staff = body.staff;
    doing.write(Fact::RecusalLifted { staff, reason }).await
}
