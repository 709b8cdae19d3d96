//! The departments' side: their tasks and what they find.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, FromRequestParts, State};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::complaint::Task;
use suda_domain::{BranchCode, ComplaintId, Fact, Grade, ReferenceNumber, TaskId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::steps::{ClickKey, Reason, ReportText};
use super::view::{self, Names};
use crate::http::body::{Asked, At, Body, TEXT, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::steps;
use crate::store::TaskHeld;

const MOST_ROWS: u32 = 200;
const USUAL_ROWS: u32 = 50;

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TasksView {
    #[default]
    Open,
    Done,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TasksAsked {
    #[serde(default)]
    #[param(inline)]
    pub view: TasksView,
    /// `next` of the page before.
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// One task with what a list shows of its complaint.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TaskRow {
    #[serde(flatten)]
    pub task: Task,
    pub complaint: ComplaintId,
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub branch_name: String,
    pub grade: Option<Grade>,
    pub category_zh: String,
    pub category_en: String,
    pub excerpt: String,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Tasks {
    /// By due time.
    pub rows: Vec<TaskRow>,
    pub next: Option<String>,
}

/// The department's own tasks.
#[utoipa::path(
    get, path = "/api/tasks", tag = "tasks", params(TasksAsked),
    responses((status = 200, body = Tasks), (status = "4XX", body = ApiError))
)]
pub async fn tasks(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<TasksAsked>,
) -> ApiResult<Json<Tasks>> {
    let after = asked.after.as_deref().map(read_after).transpose()?;
    let limit = asked.limit.unwrap_or(USUAL_ROWS).clamp(1, MOST_ROWS);
    let open = asked.view == TasksView::Open;
    let mut found = hub
        .store
        .tasks(who.staff.id, open, after, limit + 1)
        .await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| format!("{}.{}", last.task.due_at.timestamp_millis(), last.task.id));
    let names = Names::read(&hub).await?;
    let rows = found
        .into_iter()
        .map(|held| row(&hub, &names, held))
        .collect();
    Ok(Json(Tasks { rows, next }))
}

fn row(hub: &Hub, names: &Names, held: TaskHeld) -> TaskRow {
    let TaskHeld { task, complaint } = held;
    let (category_zh, category_en) = view::category(hub, &complaint.intake.category);
    TaskRow {
        task,
        complaint: complaint.id,
        reference: complaint.reference,
        branch_name: names.branch(&complaint.branch),
        branch: complaint.branch,
        grade: complaint.grade,
        category_zh,
        category_en,
        excerpt: view::excerpt(&complaint.intake.description),
    }
}

fn read_after(text: &str) -> ApiResult<(DateTime<Utc>, Uuid)> {
    text.split_once('.')
        .and_then(|(due, id)| {
            let due = DateTime::from_timestamp_millis(due.parse().ok()?)?;
            Some((due, id.parse().ok()?))
        })
        .ok_or_else(|| ApiError::of_field(ErrorCode::Malformed, "after"))
}

/// A department doing something with one of its tasks.
pub struct Working {
    hub: Arc<Hub>,
    who: SignedIn,
    task: TaskId,
    key: Option<Uuid>,
}

impl FromRequestParts<Arc<Hub>> for Working {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> ApiResult<Self> {
        let ClickKey(key) = ClickKey::from_request_parts(parts, hub).await?;
        let At(task) = At::from_request_parts(parts, hub).await?;
        let who = parts.extensions.get::<SignedIn>().cloned();
        let who = who.ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn))?;
        Ok(Self {
            hub: Arc::clone(hub),
            who,
            task,
            key,
        })
    }
}

impl Working {
    async fn write(self, fact: Fact) -> ApiResult<Json<Task>> {
        let (department, task) = (self.who.staff.id, self.task);
        let missing = || ApiError::new(ErrorCode::NotFound);
        let complaint = self.hub.store.complaint_of_task(task, department).await?;
        let complaint = complaint.ok_or_else(missing)?;
        let done = self
            .hub
            .step(complaint, self.who.actor(), self.key, steps::plain(fact))
            .await?;
        done.tasks
            .into_iter()
            .find(|sent| sent.id == task)
            .map(Json)
            .ok_or_else(missing)
    }
}

/// The department takes the task.
#[utoipa::path(
    post, path = "/api/tasks/{id}/accept", tag = "tasks",
    params(("id" = TaskId, Path)),
    responses((status = 200, body = Task), (status = "4XX", body = ApiError))
)]
pub async fn accept(working: Working) -> ApiResult<Json<Task>> {
    let task = working.task;
    working.write(Fact::TaskAccepted { task }).await
}

/// The department sends the task back to the expert.
#[utoipa::path(
    post, path = "/api/tasks/{id}/reject", tag = "tasks", request_body = Reason,
    params(("id" = TaskId, Path)),
    responses((status = 200, body = Task), (status = "4XX", body = ApiError))
)]
pub async fn reject(working: Working, Body(body): Body<Reason>) -> ApiResult<Json<Task>> {
    let task = working.task;
    let reason = required("reason", &body.reason, TEXT)?;
    working.write(Fact::TaskRejected { task, reason }).await
}

/// The department's initial analysis report.
#[utoipa::path(
    post, path = "/api/tasks/{id}/report", operation_id = "report_task", tag = "tasks", request_body = ReportText,
    params(("id" = TaskId, Path)),
    responses((status = 200, body = Task), (status = "4XX", body = ApiError))
)]
pub async fn report(working: Working, Body(body): Body<ReportText>) -> ApiResult<Json<Task>> {
    let task = Some(working.task);
    let report = body.checked()?;
    working.write(Fact::Reported { task, report }).await
}
