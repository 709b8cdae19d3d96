//! The rules of time: the policy of the clocks and the calendar.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::Policy;
use suda_domain::clocks::Clock;
use suda_domain::time::DayKind;
use utoipa::ToSchema;

use crate::http::body::Body;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::TimeChanged;
use crate::timing::{self, ChangeError, TimeDraft, TimePreview};

/// The rules as they are.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TimeView {
    /// Names what is shown here, for the change that is made of it.
    pub revision: String,
    /// The version that was set last.
    pub policy: Policy,
    /// Clocks that a pause may stop.
    pub can_pause: Vec<Clock>,
    pub days: Vec<CalendarDay>,
    /// The covered years, in order.
    pub years: Vec<i32>,
    /// Every change, the newest first.
    pub changes: Vec<TimeChangeRow>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct CalendarDay {
    pub date: NaiveDate,
    pub kind: DayKind,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct TimeChangeRow {
    pub at: DateTime<Utc>,
    /// The name of who made it.
    pub by: String,
    pub what: TimeChanged,
}

/// The policy, the calendar, and who changed them.
#[utoipa::path(
    get, path = "/api/admin/time", tag = "admin",
    responses((status = 200, body = TimeView), (status = "4XX", body = ApiError))
)]
pub async fn rules(State(hub): State<Arc<Hub>>) -> ApiResult<Json<TimeView>> {
    let keep = hub.store.settings().await?.time;
    let staff = hub.store.staff().await?;
    let name = |id| staff.iter().find(|one| one.id == id);
    let changes = hub.store.time_changes().await?.into_iter().rev();
    let changes = changes.map(|change| TimeChangeRow {
        at: change.at,
        by: name(change.by).map_or_else(String::new, |one| one.name.clone()),
        what: change.what,
    });
    let can_pause = Clock::ALL.into_iter().filter(|clock| clock.can_pause());
    let days = keep.calendar().days();
    Ok(Json(TimeView {
        revision: timing::revision(&keep.rules()),
        policy: keep.latest().clone(),
        can_pause: can_pause.collect(),
        days: days
            .map(|(date, kind)| CalendarDay { date, kind })
            .collect(),
        years: keep.calendar().years(),
        changes: changes.collect(),
    }))
}

/// What a change would do. Nothing is changed.
#[utoipa::path(
    post, path = "/api/admin/time/preview", tag = "admin", request_body = TimeDraft,
    responses((status = 200, body = TimePreview), (status = "4XX", body = ApiError))
)]
pub async fn preview(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(draft): Body<TimeDraft>,
) -> ApiResult<Json<TimePreview>> {
    let (store, now) = (hub.store.as_ref(), hub.clock.now());
    let preview = timing::preview(store, &draft, now, who.staff.id).await?;
    Ok(Json(preview))
}

/// Makes a change. Desks learn of it by themselves.
#[utoipa::path(
    put, path = "/api/admin/time", tag = "admin", request_body = TimeDraft,
    responses((status = 200, body = TimeView), (status = "4XX", body = ApiError))
)]
pub async fn change(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(draft): Body<TimeDraft>,
) -> ApiResult<Json<TimeView>> {
    timing::change(hub.store.as_ref(), &draft, who.staff.id, hub.clock.now()).await?;
    rules(State(hub)).await
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Problem(_) => Self::new(ErrorCode::RulesUnusable),
            ChangeError::Outdated => Self::new(ErrorCode::Outdated),
            ChangeError::Store(error) => error.into(),
        }
    }
}
