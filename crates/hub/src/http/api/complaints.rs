//! Lists of complaints, one complaint, and search.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use suda_domain::text::shingles;
use suda_domain::{ComplaintId, ReferenceNumber, Role};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::mask;
use super::view::{self, ComplaintView, Names, WorkOrder};
use crate::http::body::{Asked, At, Body};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::{After, Held, Scope, View};

const MOST_ROWS: u32 = 200;
const USUAL_ROWS: u32 = 50;
const SEARCH_ROWS: u32 = 50;

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewName {
    /// To be claimed.
    Queue,
    /// Claimed by me.
    Mine,
    /// All that the expert team holds.
    Team,
    #[default]
    All,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkOrdersAsked {
    #[serde(default)]
    #[param(inline)]
    pub view: ViewName,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// A page of a list.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct WorkOrders {
    /// By grade, then by the nearest deadline.
    pub rows: Vec<WorkOrder>,
    /// Where the next page begins; absent at the end.
    pub next: Option<String>,
}

/// Complaints in the order they should be worked on.
#[utoipa::path(
    get, path = "/api/work-orders", tag = "complaints", params(WorkOrdersAsked),
    responses((status = 200, body = WorkOrders), (status = "4XX", body = ApiError))
)]
pub async fn work_orders(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<WorkOrdersAsked>,
) -> ApiResult<Json<WorkOrders>> {
    let view = match (asked.view, who.role()) {
        (ViewName::Queue, Role::Expert) => View::Queue,
        (ViewName::Mine, Role::Expert) => View::Mine(who.staff.id),
        (ViewName::Queue | ViewName::Mine, _) => return Err(ApiError::new(ErrorCode::NotAllowed)),
        (ViewName::Team, role) if role.is_of_branch() => {
            return Err(ApiError::new(ErrorCode::NotAllowed));
        }
        (ViewName::Team, _) => View::Team,
        (ViewName::All, role) if role.is_of_branch() => {
            let branch = who.staff.branch.clone();
            View::All(Some(
                branch.ok_or_else(|| ApiError::new(ErrorCode::NotAllowed))?,
            ))
        }
        (ViewName::All, _) => View::All(None),
    };
    let after = asked.after.as_deref().map(read_after).transpose()?;
    let limit = asked.limit.unwrap_or(USUAL_ROWS).clamp(1, MOST_ROWS);
    let mut found = hub
        .store
        .work_orders(view, after, limit + 1, who.reader())
        .await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let names = Names::read(&hub).await?;
    let next = found
        .last()
        .filter(|_| more)
        .map(|held| write_after(&names, held));
    let rows = found
        .iter()
        .map(|held| view::work_order(&hub, &names, held))
        .collect();
    Ok(Json(WorkOrders { rows, next }))
}

fn write_after(names: &Names, held: &Held) -> String {
    let after = After::of(&held.complaint, names.time());
    format!("{}.{}.{}", after.rank, after.due, after.id)
}

fn read_after(text: &str) -> ApiResult<After> {
    let wrong = || ApiError::of_field(ErrorCode::Malformed, "after");
    let mut parts = text.splitn(3, '.');
    let mut part = || parts.next().ok_or_else(wrong);
    Ok(After {
        rank: part()?.parse().map_err(|_| wrong())?,
        due: part()?.parse().map_err(|_| wrong())?,
        id: part()?.parse::<Uuid>().map_err(|_| wrong())?,
    })
}

/// One complaint, by its id or its reference number.
#[utoipa::path(
    get, path = "/api/complaints/{id}", tag = "complaints",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn complaint(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<ComplaintView>> {
    let held = visible(&hub, &who, &id).await?;
    view::complaint(&hub, &who, held).await.map(Json)
}

/// The complaint if there is one the reader may see. What is not for them
/// answers like what is not there.
pub async fn visible(hub: &Hub, who: &SignedIn, text: &str) -> ApiResult<Held> {
    let missing = || ApiError::new(ErrorCode::NotFound);
    let id = match text.parse::<ComplaintId>() {
        Ok(id) => id,
        Err(_) => {
            let reference: ReferenceNumber = text.parse().map_err(|_| missing())?;
            hub.store
                .find_reference(&reference, who.reader())
                .await?
                .ok_or_else(missing)?
        }
    };
    let held = hub
        .store
        .complaint(id, who.reader())
        .await?
        .ok_or_else(missing)?;
    if view::may_see(who, &held.complaint) {
        Ok(held)
    } else {
        Err(missing())
    }
}

/// In the body, as names and numbers do not belong into an address.
#[derive(Deserialize, ToSchema)]
pub struct SearchAsked {
    pub q: String,
}

/// Complaints found by number, name, phone or words of their texts, newest first.
#[utoipa::path(
    post, path = "/api/search", tag = "complaints", request_body = SearchAsked,
    responses((status = 200, body = WorkOrders), (status = "4XX", body = ApiError))
)]
pub async fn search(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(asked): Body<SearchAsked>,
) -> ApiResult<Json<WorkOrders>> {
    if asked.q.chars().count() > crate::http::body::LINE {
        return Err(ApiError::of_field(ErrorCode::TooLong, "q"));
    }
    let names = Names::read(&hub).await?;
    let row = |held: &Held| view::work_order(&hub, &names, held);
    if let Ok(reference) = asked.q.trim().parse::<ReferenceNumber>() {
        let rows = match visible(&hub, &who, reference.as_str()).await {
            Ok(held) => vec![row(&held)],
            Err(error) if error.code == ErrorCode::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        return Ok(Json(WorkOrders { rows, next: None }));
    }
    let scope = match (who.role(), &who.staff.branch) {
        (Role::Department, _) => Scope::Department(who.staff.id),
        (role, Some(branch)) if role.is_of_branch() => Scope::Branch(branch.clone()),
        (role, None) if role.is_of_branch() => return Err(ApiError::new(ErrorCode::NotAllowed)),
        _ => Scope::Everything,
    };
    let wanted = shingles(&asked.q);
    let found = hub
        .store
        .search(&wanted, &scope, SEARCH_ROWS, who.reader())
        .await?;
    let mut rows: Vec<_> = found
        .iter()
        .filter(|held| view::may_see(&who, &held.complaint))
        .filter(|held| who.role() != Role::Department || stands_open(held, &wanted))
        .map(row)
        .collect();
    // Finished ones last, as in the other lists.
    rows.sort_by_key(|row: &WorkOrder| row.state.is_finished());
    Ok(Json(WorkOrders { rows, next: None }))
}

/// Whether what was looked for stands in what a department may read. Names and
/// numbers are shown to it masked, and must not be found out word by word.
fn stands_open(held: &Held, wanted: &[String]) -> bool {
    let intake = &held.complaint.intake;
    let open: Vec<String> = [
        &intake.description,
        &intake.remedy_sought,
        &intake.business,
        &intake.cause,
        &intake.place,
    ]
    .into_iter()
    .flat_map(|text| shingles(text))
    .collect();
    let whole = shingles(&mask::intake(intake).account);
    wanted
        .iter()
        .all(|word| open.iter().any(|one| one.starts_with(word)) || whole.contains(word))
}
