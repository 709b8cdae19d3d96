//! The figures of the whole installation.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::breach::{BreachCause, cause};
use suda_domain::clocks::{Clock, deadlines, nearest};
use suda_domain::{BranchCode, State as CaseState};
use utoipa::ToSchema;

use super::view::{self, Names, WorkOrder};
use crate::http::error::{ApiError, ApiResult};
use crate::http::session::SignedIn;
use crate::hub::Hub;

const ROWS: u32 = 100;

#[derive(Serialize, Deserialize, ToSchema)]
pub struct StateCount {
    pub state: CaseState,
    pub complaints: u64,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct BranchCount {
    pub branch: BranchCode,
    pub name: String,
    /// Not finished.
    pub open: u64,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Breach {
    pub clock: Option<Clock>,
    pub due: Option<DateTime<Utc>>,
    pub cause: BreachCause,
    pub order: WorkOrder,
}

/// Handoffs received today.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct HandoffFigures {
    pub in_time: u64,
    pub late: u64,
    pub of_the_past: u64,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Board {
    pub complaints: u64,
    pub by_state: Vec<StateCount>,
    pub by_branch: Vec<BranchCount>,
    pub handoffs_today: HandoffFigures,
    /// Complaints whose nearest deadline has passed.
    pub overdue: u64,
    /// The first of them.
    pub breaches: Vec<Breach>,
    /// Grade 1, not acknowledged by a manager.
    pub alerts: Vec<WorkOrder>,
    pub quarantined: u64,
    pub now: DateTime<Utc>,
}

/// How the installation stands.
#[utoipa::path(
    get, path = "/api/board", tag = "board",
    responses((status = 200, body = Board), (status = "4XX", body = ApiError))
)]
pub async fn board(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> ApiResult<Json<Board>> {
    let now = hub.clock.now();
    let names = Names::read(&hub).await?;
    let counts = hub.store.counts().await?;
    let handoffs = hub.store.handoffs_since(today(&names, now)).await?;
    let (overdue, late) = hub.store.overdue(now, ROWS, who.reader()).await?;
    let breaches = late
        .iter()
        .map(|held| {
            let clocks = deadlines(&held.complaint, names.time());
            let next = nearest(&clocks);
            Breach {
                clock: next.map(|deadline| deadline.clock),
                due: next.map(|deadline| deadline.due),
                // Without a clock that runs there is nothing it is late for.
                cause: cause(&held.complaint, next.map_or(now, |deadline| deadline.due)),
                order: view::work_order(&hub, &names, held),
            }
        })
        .collect();
    let alerts = hub.store.alerts(ROWS, who.reader()).await?;
    let mut open: BTreeMap<String, u64> = counts.open_by_branch.clone();
    let branches = hub.store.branches().await?;
    Ok(Json(Board {
        complaints: counts.complaints(),
        by_branch: branches
            .into_iter()
            .map(|branch| BranchCount {
                open: open.remove(branch.code.as_str()).unwrap_or_default(),
                branch: branch.code,
                name: branch.name,
            })
            .collect(),
        by_state: counts
            .by_state
            .into_iter()
            .map(|(state, complaints)| StateCount { state, complaints })
            .collect(),
        handoffs_today: HandoffFigures {
            in_time: handoffs.in_time,
            late: handoffs.late,
            of_the_past: handoffs.of_the_past,
        },
        overdue,
        breaches,
        alerts: alerts
            .iter()
            .map(|held| view::work_order(&hub, &names, held))
            .collect(),
        quarantined: counts.quarantined,
        now,
    }))
}

/// The beginning of the installation's civil day.
fn today(names: &Names, now: DateTime<Utc>) -> DateTime<Utc> {
    let zone = names.time().zone_at(now);
    zone.midnight(zone.local(now).date())
}
