//! What forms choose from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use suda_domain::category::CategoryTree;
use suda_domain::clocks::Clock;
use suda_domain::{Role, StaffId};
use utoipa::ToSchema;

use crate::http::error::{ApiError, ApiResult};
use crate::hub::Hub;

/// A department that can be asked.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct DepartmentChoice {
    pub id: StaffId,
    pub name: String,
}

/// Departments a task can be sent to.
#[utoipa::path(
    get, path = "/api/departments", tag = "lists",
    responses((status = 200, body = Vec<DepartmentChoice>), (status = "4XX", body = ApiError))
)]
pub async fn departments(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<DepartmentChoice>>> {
    let staff = hub.store.staff_with_role(Role::Department).await?;
    let active = staff.into_iter().filter(|one| one.active);
    Ok(Json(
        active
            .map(|one| DepartmentChoice {
                id: one.id,
                name: one.name,
            })
            .collect(),
    ))
}

/// Somebody a measure can be given to.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ColleagueChoice {
    pub id: StaffId,
    pub name: String,
    pub role: Role,
}

/// Who of the centre and the departments can be responsible for a measure.
#[utoipa::path(
    get, path = "/api/colleagues", tag = "lists",
    responses((status = 200, body = Vec<ColleagueChoice>), (status = "4XX", body = ApiError))
)]
pub async fn colleagues(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<ColleagueChoice>>> {
    let mut all = Vec::new();
    for role in [Role::Department, Role::Expert, Role::Management] {
        let staff = hub.store.staff_with_role(role).await?;
        let active = staff.into_iter().filter(|one| one.active);
        all.extend(active.map(|one| ColleagueChoice {
            id: one.id,
            name: one.name,
            role,
        }));
    }
    Ok(Json(all))
}

/// A reason for which clocks may stand still.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PauseChoice {
    pub reason: String,
    pub name: String,
    pub clocks: Vec<Clock>,
    /// Minutes after which the clocks go on by themselves.
    pub most: Option<u32>,
}

/// Reasons for a pause.
#[utoipa::path(
    get, path = "/api/pauses", tag = "lists",
    responses((status = 200, body = Vec<PauseChoice>), (status = "4XX", body = ApiError))
)]
pub async fn pauses(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<PauseChoice>>> {
    let time = hub.store.settings().await?.time;
    let rules = time.at(hub.clock.now()).pauses.iter();
    Ok(Json(
        rules
            .map(|rule| PauseChoice {
                reason: rule.reason.clone(),
                name: rule.name.clone(),
                clocks: rule.clocks.iter().copied().collect(),
                most: rule.most,
            })
            .collect(),
    ))
}

/// The category tree.
#[utoipa::path(
    get, path = "/api/categories", tag = "lists",
    responses((status = 200, body = CategoryTree), (status = "4XX", body = ApiError))
)]
pub async fn categories(State(hub): State<Arc<Hub>>) -> Json<CategoryTree> {
    Json(hub.rules.tree.clone())
}
