//! Deadlines that somebody has been told of, for who is addressed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::clocks::{Clock, deadlines};
use suda_domain::escalation::{self, Escalation, Level, Seen};
use suda_domain::{BranchCode, Complaint, FactKind, Lines, Role, StaffId, TaskId, permission};
use utoipa::ToSchema;

use super::steps::Doing;
use super::view::{self, Names, WorkOrder};
use crate::http::body::Body;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::steps;
use crate::store::{Held, Told};

/// Complaints that are looked through for what addresses the reader.
const LOOKED_THROUGH: u32 = 500;
const ROWS: usize = 100;

/// A complaint and what of it addresses the reader.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EscalationRow {
    pub escalation: Escalation,
    pub order: WorkOrder,
    /// Who has seen what was told of this deadline, the first first.
    pub seen: Vec<Seen>,
    /// The reader may still say that they have seen it.
    pub to_be_seen: bool,
}

/// What addresses the reader and still holds, the highest level first.
#[utoipa::path(
    get, path = "/api/escalations", tag = "board",
    responses((status = 200, body = Vec<EscalationRow>), (status = "4XX", body = ApiError))
)]
pub async fn escalations(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> ApiResult<Json<Vec<EscalationRow>>> {
    let names = Names::read(&hub).await?;
    let told = match (who.role(), &who.staff.branch) {
        (Role::Clerk | Role::BranchManager, Some(branch)) => Told::Branch(branch.clone()),
        (Role::Department, _) => Told::Department(who.staff.id),
        (Role::Expert, _) => Told::Expert(who.staff.id),
        _ => Told::Management,
    };
    let held = hub
        .store
        .escalated(&told, LOOKED_THROUGH, who.reader())
        .await?;
    let passed = PassedOver::read(&hub, &held).await?;
    let rows = held.iter().filter_map(|held| {
        let complaint = &held.complaint;
        let standing = escalation::standing(complaint, &deadlines(complaint, names.time()));
        let mine = standing
            .into_iter()
            .find(|one| passed.addresses(&who, complaint, one))?;
        Some(EscalationRow {
            seen: seen_of(complaint, &mine),
            to_be_seen: permission::may_write(who.role(), FactKind::EscalationSeen)
                && !complaint.has_seen(who.staff.id, mine.name()),
            escalation: mine,
            order: view::work_order(&hub, &names, held),
        })
    });
    Ok(Json(rows.take(ROWS).collect()))
}

/// Who has seen what was told of the deadline, at this level or a lower one.
fn seen_of(complaint: &Complaint, one: &Escalation) -> Vec<Seen> {
    let same = |seen: &&Seen| (seen.clock, seen.task, seen.due) == (one.clock, one.task, one.due);
    complaint.seen.iter().filter(same).cloned().collect()
}

/// Who is passed over: the persons complaints are about, and their lines.
struct PassedOver {
    lines: Arc<Lines>,
    /// Read where it matters alone.
    managers: Vec<(StaffId, BranchCode)>,
}

impl PassedOver {
    async fn read(hub: &Hub, held: &[Held]) -> ApiResult<Self> {
        let lines = hub
            .lines_of(held.iter().map(|held| held.complaint.id))
            .await?;
        let matters = held
            .iter()
            .any(|held| !lines.barred(&held.complaint).is_empty());
        let managers = match matters {
            true => hub.store.staff_with_role(Role::BranchManager).await?,
            false => Vec::new(),
        };
        let active = managers.into_iter().filter(|manager| manager.active);
        Ok(Self {
            lines,
            managers: active
                .filter_map(|one| Some((one.id, one.branch?)))
                .collect(),
        })
    }

    fn addresses(&self, who: &SignedIn, complaint: &Complaint, one: &Escalation) -> bool {
        let barred = self.lines.barred(complaint);
        let addressee = escalation::addressee_but(complaint, one, &barred, &self.managers);
        // Auditors see what the management group was told.
        let role = match who.role() {
            Role::Auditor => Role::Management,
            role => role,
        };
        escalation::is_addressed(&addressee, who.staff.id, role, who.staff.branch.as_ref())
    }
}

/// An escalation, as the list gives it.
#[derive(Deserialize, ToSchema)]
pub struct EscalationName {
    pub clock: Clock,
    pub task: Option<TaskId>,
    pub level: Level,
    pub due: DateTime<Utc>,
}

/// Says that the reader has seen what they were told. Saying it again changes
/// nothing. Who was not addressed cannot say it.
#[utoipa::path(
    post, path = "/api/complaints/{id}/seen", tag = "steps", request_body = EscalationName,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn seen(doing: Doing, Body(body): Body<EscalationName>) -> ApiResult<StatusCode> {
    let passed = PassedOver::read(&doing.hub, std::slice::from_ref(&doing.held)).await?;
    let complaint = &doing.held.complaint;
    let name = (body.clock, body.task, body.level, body.due);
    let told = complaint.escalations.iter().find(|one| one.name() == name);
    let told = told.ok_or_else(|| ApiError::new(ErrorCode::NotInThisState))?;
    let seen_before = complaint.has_seen(doing.who.staff.id, name);
    if !seen_before && !passed.addresses(&doing.who, complaint, told) {
        return Err(ApiError::new(ErrorCode::NotAllowed));
    }
    let by = doing.who.staff.id;
    let _view = doing.step(steps::seen(by, name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
