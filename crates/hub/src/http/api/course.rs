//! Steps along the course of a case: questions, more time, the round of
//! comments, the plan's progress, the call-back, and the end of it. Each answers
//! with the complaint as it is afterwards.

use axum::Json;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use suda_domain::fact::{AskedOf, Assignee, Stance, TryOutcome};
use suda_domain::{Fact, MeasureId, QuestionId, Role, StaffId, TaskId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::steps::{Doing, Reason};
use super::view::ComplaintView;
use crate::http::body::{Body, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::queue::steps;

#[derive(Deserialize, ToSchema)]
pub struct AskFor {
    pub of: AskedOf,
    /// The department's own task, when a department asks.
    pub task: Option<TaskId>,
    pub text: String,
    /// Made by the browser when the form opens.
    pub question: Option<QuestionId>,
}

#[derive(Deserialize, ToSchema)]
pub struct ReplyText {
    pub question: QuestionId,
    pub text: String,
}

#[derive(Deserialize, ToSchema)]
pub struct Recall {
    pub task: TaskId,
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
pub struct MoreTime {
    /// Of which dispatch; absent for the outer limit.
    pub task: Option<TaskId>,
    pub until: DateTime<Utc>,
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
pub struct NoMoreTime {
    pub task: Option<TaskId>,
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
pub struct CommentsWanted {
    pub text: String,
}

#[derive(Deserialize, ToSchema)]
pub struct CommentText {
    pub text: String,
    pub stance: Stance,
}

#[derive(Deserialize, ToSchema)]
pub struct Progress {
    pub measure: MeasureId,
    /// In hundredths.
    pub percent: u8,
    #[serde(default)]
    pub note: String,
}

#[derive(Deserialize, ToSchema)]
pub struct NotReached {
    pub outcome: TryOutcome,
    #[serde(default)]
    pub comment: String,
}

#[derive(Deserialize, ToSchema)]
pub struct CallBackTo {
    /// An expert; without it, oneself.
    pub staff: Option<StaffId>,
}

/// Asks the branch or the customer for more.
#[utoipa::path(
    post, path = "/api/complaints/{id}/ask", tag = "steps", request_body = AskFor,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn ask(doing: Doing, Body(body): Body<AskFor>) -> ApiResult<Json<ComplaintView>> {
    let fact = Fact::Asked {
        question: body.question.unwrap_or_else(|| QuestionId(Uuid::now_v7())),
        of: body.of,
        task: body.task,
        text: required("text", &body.text, TEXT)?,
    };
    doing.write(fact).await
}

/// Answers a question, or writes down what the customer answered.
#[utoipa::path(
    post, path = "/api/complaints/{id}/reply", tag = "steps", request_body = ReplyText,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn reply(doing: Doing, Body(body): Body<ReplyText>) -> ApiResult<Json<ComplaintView>> {
    let question = body.question;
    let text = required("text", &body.text, TEXT)?;
    doing.write(Fact::Replied { question, text }).await
}

/// Takes a task back before the department has reported.
#[utoipa::path(
    post, path = "/api/complaints/{id}/recall-task", tag = "steps", request_body = Recall,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn recall_task(doing: Doing, Body(body): Body<Recall>) -> ApiResult<Json<ComplaintView>> {
    let task = body.task;
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::TaskRecalled { task, reason }).await
}

/// Asks for more time, before the deadline.
#[utoipa::path(
    post, path = "/api/complaints/{id}/request-extension", tag = "steps", request_body = MoreTime,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn request_extension(
    doing: Doing,
    Body(body): Body<MoreTime>,
) -> ApiResult<Json<ComplaintView>> {
    let fact = Fact::ExtensionRequested {
        task: body.task,
        until: body.until,
        reason: required("reason", &body.reason, TEXT)?,
    };
    doing.extend(fact).await
}

/// Grants more time, before the deadline.
#[utoipa::path(
    post, path = "/api/complaints/{id}/extend", tag = "steps", request_body = MoreTime,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn extend(doing: Doing, Body(body): Body<MoreTime>) -> ApiResult<Json<ComplaintView>> {
    let fact = Fact::Extended {
        task: body.task,
        until: body.until,
        reason: required("reason", &body.reason, TEXT)?,
    };
    doing.extend(fact).await
}

/// Does not grant it.
#[utoipa::path(
    post, path = "/api/complaints/{id}/refuse-extension", tag = "steps", request_body = NoMoreTime,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn refuse_extension(
    doing: Doing,
    Body(body): Body<NoMoreTime>,
) -> ApiResult<Json<ComplaintView>> {
    let task = body.task;
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::ExtensionRefused { task, reason }).await
}

/// Opens a round of comments before the decision.
#[utoipa::path(
    post, path = "/api/complaints/{id}/ask-comments", tag = "steps", request_body = CommentsWanted,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn ask_comments(
    doing: Doing,
    Body(body): Body<CommentsWanted>,
) -> ApiResult<Json<ComplaintView>> {
    let text = required("text", &body.text, TEXT)?;
    doing.write(Fact::CommentsAsked { text }).await
}

/// Says what one thinks of what is to be approved; dissent is kept.
#[utoipa::path(
    post, path = "/api/complaints/{id}/comment", tag = "steps", request_body = CommentText,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn comment(
    doing: Doing,
    Body(body): Body<CommentText>,
) -> ApiResult<Json<ComplaintView>> {
    let stance = body.stance;
    let text = required("text", &body.text, TEXT)?;
    doing.write(Fact::Commented { text, stance }).await
}

/// Tells how far a measure of the plan has come.
#[utoipa::path(
    post, path = "/api/complaints/{id}/progress", tag = "steps", request_body = Progress,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn progress(doing: Doing, Body(body): Body<Progress>) -> ApiResult<Json<ComplaintView>> {
    let fact = Fact::MeasureProgressed {
        measure: body.measure,
        percent: body.percent,
        note: optional("note", &body.note, TEXT)?,
    };
    doing.write(fact).await
}

/// A call-back that did not reach the customer.
#[utoipa::path(
    post, path = "/api/complaints/{id}/call-back-tried", tag = "steps", request_body = NotReached,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn call_back_tried(
    doing: Doing,
    Body(body): Body<NotReached>,
) -> ApiResult<Json<ComplaintView>> {
    let outcome = body.outcome;
    let comment = optional("comment", &body.comment, TEXT)?;
    doing.write(Fact::CallBackTried { outcome, comment }).await
}

/// Gives the call-back to an expert.
#[utoipa::path(
    post, path = "/api/complaints/{id}/assign-call-back", tag = "steps", request_body = CallBackTo,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn assign_call_back(
    doing: Doing,
    Body(body): Body<CallBackTo>,
) -> ApiResult<Json<ComplaintView>> {
    let staff = body.staff.unwrap_or(doing.who.staff.id);
    let expert = doing.hub.store.staff_member(staff).await?;
    let expert = expert
        .filter(|staff| staff.active && staff.role == Role::Expert)
        .ok_or_else(|| ApiError::of_field(ErrorCode::NotFound, "staff"))?;
    let to = Assignee {
        staff: expert.id,
        name: expert.name,
    };
    doing.write(Fact::CallBackAssigned { to }).await
}

/// The management group ends it: it is not reopened again.
#[utoipa::path(
    post, path = "/api/complaints/{id}/decide-finally", tag = "steps", request_body = Reason,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn decide_finally(
    doing: Doing,
    Body(body): Body<Reason>,
) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::FinallyDecided { reason }).await
}

impl Doing {
    async fn extend(self, fact: Fact) -> ApiResult<Json<ComplaintView>> {
        let keep = self.hub.store.settings().await?.time;
        let now = self.hub.clock.now();
        self.step(steps::extend(fact, keep, now)).await
    }
}
