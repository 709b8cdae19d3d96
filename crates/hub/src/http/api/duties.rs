//! What somebody has to do besides the work orders and tasks they hold:
//! call-backs, measures, questions, requests for more time, approvals.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::Role;
use suda_domain::duty::{DutyKind, Holder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::{self, Names, WorkOrder};
use crate::http::error::{ApiError, ApiResult};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::{DutyHeld, Held};

const MOST_ROWS: u32 = 200;

/// One thing to do, with what a list shows of its complaint.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DutyRow {
    pub duty: DutyKind,
    /// The question, the measure or the dispatch.
    pub item: Uuid,
    /// What it says: the question's, the measure's or the request's text.
    pub text: String,
    /// By when, for a measure; else since when.
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub work_order: WorkOrder,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Duties {
    /// By time, at most 200.
    pub rows: Vec<DutyRow>,
}

/// What the reader has to do.
#[utoipa::path(
    get, path = "/api/duties", tag = "duties",
    responses((status = 200, body = Duties), (status = "4XX", body = ApiError))
)]
pub async fn duties(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> ApiResult<Json<Duties>> {
    let mut holders = vec![Holder::Staff(who.staff.id), Holder::Everybody(who.role())];
    if let Some(branch) = who
        .staff
        .branch
        .clone()
        .filter(|_| who.role().is_of_branch())
    {
        holders.push(Holder::Branch(branch));
    }
    let found = hub.store.duties(&holders, MOST_ROWS, who.reader()).await?;
    let names = Names::read(&hub).await?;
    let rows = found
        .into_iter()
        .filter(|held| view::may_see(&who, &held.complaint))
        .filter(|held| may_do(&who, held));
    let rows = rows.map(|held| row(&hub, &names, held)).collect();
    Ok(Json(Duties { rows }))
}

/// Who answered does not call back, and who has voted leaves it to the others.
fn may_do(who: &SignedIn, held: &DutyHeld) -> bool {
    let own = Some(who.staff.id);
    match held.kind {
        DutyKind::CallBack => {
            let answered = held.complaint.answer.as_ref().and_then(|answer| answer.by);
            who.role() != Role::Expert || answered != own
        }
        DutyKind::Approval => {
            let asked = held.complaint.approval();
            asked.is_none_or(|asked| asked.votes.iter().all(|vote| vote.staff != own))
        }
        _ => true,
    }
}

fn row(hub: &Hub, names: &Names, duty: DutyHeld) -> DutyRow {
    let complaint = &duty.complaint;
    let text = match duty.kind {
        DutyKind::Question => {
            let mut asked = complaint.questions.iter();
            asked
                .find(|asked| asked.id.0 == duty.item)
                .map(|asked| asked.text.clone())
        }
        DutyKind::Measure => {
            let mut plan = complaint.plan.iter();
            plan.find(|planned| planned.measure.id.0 == duty.item)
                .map(|planned| planned.measure.what.clone())
        }
        DutyKind::Extension => {
            let mut asked = complaint.extensions.iter();
            asked
                .find(|one| {
                    one.outcome.is_none() && one.task.map_or_else(Uuid::nil, |t| t.0) == duty.item
                })
                .map(|one| one.reason.clone())
        }
        DutyKind::Approval => complaint.approval().map(|asked| asked.reason.clone()),
        DutyKind::CallBack | DutyKind::Close | DutyKind::Archive => None,
    };
    let held = Held {
        complaint: Arc::new(duty.complaint.clone()),
        lease_until: None,
    };
    DutyRow {
        duty: duty.kind,
        item: duty.item,
        text: view::excerpt(&text.unwrap_or_default()),
        at: duty.at,
        work_order: view::work_order(hub, names, &held),
    }
}
