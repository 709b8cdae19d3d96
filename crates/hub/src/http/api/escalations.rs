//! Deadlines that somebody has been told of, for who is addressed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};
use suda_domain::clocks::deadlines;
use suda_domain::escalation::{self, Addressee, Escalation};
use suda_domain::staff::StaffRecord;
use suda_domain::{Complaint, Lines, Role};
use utoipa::ToSchema;

use super::view::{self, Names, WorkOrder};
use crate::http::error::{ApiError, ApiResult};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::{Held, Told};

/// Complaints that are looked through for what addresses the reader.
const LOOKED_THROUGH: u32 = 500;
const ROWS: usize = 100;

/// A complaint and what of it addresses the reader.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EscalationRow {
    pub escalation: Escalation,
    pub order: WorkOrder,
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
            escalation: mine,
            order: view::work_order(&hub, &names, held),
        })
    });
    Ok(Json(rows.take(ROWS).collect()))
}

/// Who is passed over: the persons complaints are about, and their lines.
struct PassedOver {
    lines: Arc<Lines>,
    /// Read where it matters alone.
    managers: Vec<StaffRecord>,
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
        Ok(Self { lines, managers })
    }

    fn addresses(&self, who: &SignedIn, complaint: &Complaint, one: &Escalation) -> bool {
        let barred = self.lines.barred(complaint);
        let is_barred = |addressee: &Addressee| match addressee {
            Addressee::Staff(id) => barred.contains(id),
            Addressee::BranchManager(branch) => {
                let of_branch = |manager: &&StaffRecord| {
                    manager.active && manager.branch.as_ref() == Some(branch)
                };
                let mut managers = self.managers.iter().filter(of_branch).peekable();
                managers.peek().is_some() && managers.all(|one| barred.contains(&one.id))
            }
            Addressee::Branch(_) | Addressee::Team | Addressee::Management => false,
        };
        addresses(who, escalation::addressee_of(complaint, one, is_barred))
    }
}

fn addresses(who: &SignedIn, addressee: Addressee) -> bool {
    let staff = &who.staff;
    match addressee {
        Addressee::Branch(branch) => {
            who.role().is_of_branch() && staff.branch.as_ref() == Some(&branch)
        }
        Addressee::BranchManager(branch) => {
            who.role() == Role::BranchManager && staff.branch.as_ref() == Some(&branch)
        }
        Addressee::Staff(id) => staff.id == id,
        Addressee::Team => who.role() == Role::Expert,
        // Auditors see what the management group was told.
        Addressee::Management => matches!(who.role(), Role::Management | Role::Auditor),
    }
}
