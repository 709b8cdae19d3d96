//! The steps of experts, management and all who may add a note. Each answers
//! with the complaint as it is afterwards.

use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::Grade;
use suda_domain::fact::{Decision, Dissatisfaction, Interview, Measure, Report};
use suda_domain::guidance;
use suda_domain::{EvidenceId, Fact, MeasureId, Role, StaffId, TaskId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::complaints::visible;
use super::view::{self, ComplaintView};
use crate::http::body::{At, Body, LINE, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::{call_back, steps};
use crate::store::{Decide, Held};

/// Measures a plan may have.
const MEASURES: usize = 30;
/// Interviews a report may tell.
const INTERVIEWS: usize = 20;

/// The key a browser gives to one click, so that sending it twice does it
/// once. Optional; header `Idempotency-Key`, a UUID.
pub struct ClickKey(pub Option<Uuid>);

impl<S: Send + Sync> FromRequestParts<S> for ClickKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let key = value.to_str().ok().and_then(|text| text.parse().ok());
        key.map(|key| Self(Some(key)))
            .ok_or_else(|| ApiError::of_field(ErrorCode::Malformed, "idempotency-key"))
    }
}

/// Who does something to which complaint. It is looked up first, so that what
/// is not for somebody answers like what is not there.
pub struct Doing {
    pub hub: Arc<Hub>,
    pub who: SignedIn,
    pub held: Held,
    pub key: Option<Uuid>,
}

impl FromRequestParts<Arc<Hub>> for Doing {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> ApiResult<Self> {
        let ClickKey(key) = ClickKey::from_request_parts(parts, hub).await?;
        let At(id) = At::<String>::from_request_parts(parts, hub).await?;
        let who = parts.extensions.get::<SignedIn>().cloned();
        let who = who.ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn))?;
        let held = visible(hub, &who, &id).await?;
        Ok(Self {
            hub: Arc::clone(hub),
            who,
            held,
            key,
        })
    }
}

impl Doing {
    /// Writes what is decided and shows the complaint as it is afterwards.
    pub(super) async fn step(self, decide: Decide) -> ApiResult<Json<ComplaintView>> {
        let id = self.held.complaint.id;
        self.hub
            .step(id, self.who.actor(), self.key, decide)
            .await?;
        self.show().await
    }

    pub(super) async fn write(self, fact: Fact) -> ApiResult<Json<ComplaintView>> {
        self.step(steps::plain(fact)).await
    }

    async fn show(self) -> ApiResult<Json<ComplaintView>> {
        let held = self
            .hub
            .store
            .complaint(self.held.complaint.id, self.who.reader())
            .await?;
        let held = held.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        view::complaint(&self.hub, &self.who, held).await.map(Json)
    }
}

#[derive(Deserialize, ToSchema)]
pub struct Reason {
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
pub struct NewGrade {
    pub grade: Grade,
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
pub struct PauseFor {
    /// From `/api/pauses`.
    pub reason: String,
    /// What is waited for.
    pub note: String,
}

#[derive(Deserialize, ToSchema)]
pub struct NoteText {
    pub text: String,
}

#[derive(Deserialize, ToSchema)]
pub struct DispatchTo {
    /// The department's account, from `/api/departments`.
    pub department: StaffId,
    pub question: String,
    /// Without it, the budget of the initial analysis from now.
    pub due_at: Option<DateTime<Utc>>,
    /// Made by the browser when the form opens; the same a second time does nothing.
    pub task: Option<TaskId>,
}

/// The initial analysis report; its first three parts are required.
#[derive(Deserialize, ToSchema)]
pub struct ReportText {
    pub root_cause: String,
    pub impact: String,
    pub proposal: String,
    /// In the smallest unit of the currency.
    pub compensation_minor: Option<u32>,
    #[serde(default)]
    pub interviews: Vec<Interview>,
    /// Evidence files of the complaint.
    #[serde(default)]
    pub attachments: Vec<EvidenceId>,
    #[serde(default)]
    pub related: String,
}

/// One measure of a plan.
#[derive(Deserialize, ToSchema)]
pub struct MeasureText {
    /// Of a measure that stays when the plan is changed.
    pub id: Option<MeasureId>,
    pub what: String,
    pub responsible: String,
    pub staff: Option<StaffId>,
    pub due_at: DateTime<Utc>,
    #[serde(default)]
    pub resources: String,
}

/// What the management group is asked.
#[derive(Deserialize, ToSchema)]
pub struct ApprovalAsked {
    pub reason: String,
    /// What the customer is to get; without it, what the report proposes.
    pub compensation_minor: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
pub struct Approving {
    #[serde(default)]
    pub comment: String,
    /// What is to be done otherwise than proposed.
    #[serde(default)]
    pub changes: String,
    /// The most the customer may get, where it is another sum than was asked for.
    pub compensation_minor: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
pub struct Plan {
    /// May be empty when there is nothing to organise.
    pub plan: Vec<MeasureText>,
}

#[derive(Deserialize, ToSchema)]
pub struct Summary {
    pub summary: String,
}

#[derive(Deserialize, ToSchema)]
pub struct AnswerText {
    pub decision: Decision,
    pub text: String,
    #[serde(default)]
    pub remedy: String,
    /// Required unless it is upheld.
    #[serde(default)]
    pub reasons: String,
    pub amount_minor: Option<u32>,
    /// Where the customer may turn to who does not agree.
    #[serde(default)]
    pub next_level: String,
    pub next_level_until: Option<DateTime<Utc>>,
    /// Why it is answered otherwise than the guidance says; empty where it is
    /// not.
    #[serde(default)]
    pub deviation: String,
}

#[derive(Deserialize, ToSchema)]
pub struct CallBackResult {
    pub satisfied: bool,
    #[serde(default)]
    pub comment: String,
    /// 1 to 5.
    pub score: Option<u8>,
    #[serde(default)]
    pub causes: Vec<Dissatisfaction>,
    /// Who is not satisfied has the complaint reopened with it.
    #[serde(default)]
    pub reopen: bool,
}

/// How long a claim lasts now.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Lease {
    pub until: DateTime<Utc>,
}

impl ReportText {
    pub fn checked(self) -> ApiResult<Report> {
        if self.interviews.len() > INTERVIEWS {
            return Err(
                ApiError::of_field(ErrorCode::TooLong, "interviews").with("limit", INTERVIEWS)
            );
        }
        let mut interviews = Vec::with_capacity(self.interviews.len());
        for interview in self.interviews {
            interviews.push(Interview {
                who: required("interviews.who", &interview.who, LINE)?,
                at: interview.at,
                said: required("interviews.said", &interview.said, TEXT)?,
            });
        }
        Ok(Report {
            root_cause: required("root_cause", &self.root_cause, TEXT)?,
            impact: required("impact", &self.impact, TEXT)?,
            proposal: required("proposal", &self.proposal, TEXT)?,
            compensation_minor: self.compensation_minor,
            interviews,
            attachments: self.attachments,
            related: optional("related", &self.related, TEXT)?,
        })
    }
}

/// Claims it under a lease. Exactly one of those who try wins.
#[utoipa::path(
    post, path = "/api/complaints/{id}/claim", tag = "steps",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn claim(doing: Doing) -> ApiResult<Json<ComplaintView>> {
    let time = doing.hub.store.settings().await?.time;
    let until = steps::lease_end(time.latest(), doing.hub.clock.now());
    let expert = doing.who.staff.id;
    doing.step(steps::claim(expert, until)).await
}

/// Lengthens one's own lease.
#[utoipa::path(
    post, path = "/api/complaints/{id}/renew", tag = "steps",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Lease), (status = "4XX", body = ApiError))
)]
pub async fn renew(doing: Doing) -> ApiResult<Json<Lease>> {
    let time = doing.hub.store.settings().await?.time;
    let until = steps::lease_end(time.latest(), doing.hub.clock.now());
    let id = doing.held.complaint.id;
    if doing.hub.store.renew(id, doing.who.staff.id, until).await? {
        Ok(Json(Lease { until }))
    } else {
        Err(ApiError::new(ErrorCode::NotClaimed))
    }
}

/// Lets the clocks stand still that the reason lets stand still.
#[utoipa::path(
    post, path = "/api/complaints/{id}/pause", tag = "steps", request_body = PauseFor,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn pause(doing: Doing, Body(body): Body<PauseFor>) -> ApiResult<Json<ComplaintView>> {
    let note = required("note", &body.note, TEXT)?;
    let time = doing.hub.store.settings().await?.time;
    let rule = time.at(doing.hub.clock.now()).pause(&body.reason);
    let rule = rule.ok_or_else(|| ApiError::of_field(ErrorCode::UnknownPause, "reason"))?;
    let fact = Fact::Paused {
        reason: rule.reason.clone(),
        name: rule.name.clone(),
        note,
    };
    doing.write(fact).await
}

/// Lets them go on.
#[utoipa::path(
    post, path = "/api/complaints/{id}/resume", tag = "steps",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn resume(doing: Doing) -> ApiResult<Json<ComplaintView>> {
    doing.write(Fact::Resumed).await
}

/// Judges the grade anew; grade 1 alerts the management group at once.
#[utoipa::path(
    post, path = "/api/complaints/{id}/grade", tag = "steps", request_body = NewGrade,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn grade(doing: Doing, Body(body): Body<NewGrade>) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    let grade = body.grade;
    doing.write(Fact::Graded { grade, reason }).await
}

/// Gives a claim back.
#[utoipa::path(
    post, path = "/api/complaints/{id}/release", tag = "steps",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn release(doing: Doing) -> ApiResult<Json<ComplaintView>> {
    doing.step(steps::release()).await
}

/// Returns the complaint to its branch.
#[utoipa::path(
    post, path = "/api/complaints/{id}/return", tag = "steps", request_body = Reason,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn return_to_branch(
    doing: Doing,
    Body(body): Body<Reason>,
) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::ReturnedToBranch { reason }).await
}

/// Sends a task to a department.
#[utoipa::path(
    post, path = "/api/complaints/{id}/dispatch", tag = "steps", request_body = DispatchTo,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn dispatch(
    doing: Doing,
    Body(body): Body<DispatchTo>,
) -> ApiResult<Json<ComplaintView>> {
    let question = required("question", &body.question, TEXT)?;
    let department = doing.hub.store.staff_member(body.department).await?;
    let department = department
        .filter(|staff| staff.active && staff.role == Role::Department)
        .ok_or_else(|| ApiError::of_field(ErrorCode::UnknownDepartment, "department"))?;
    let now = doing.hub.clock.now();
    let time = doing.hub.store.settings().await?.time;
    let usual = now + TimeDelta::minutes(i64::from(time.at(now).initial_analysis));
    let due_at = body.due_at.unwrap_or(usual);
    if due_at <= now {
        return Err(ApiError::of_field(ErrorCode::InThePast, "due_at"));
    }
    let task = body.task.unwrap_or_else(|| TaskId(Uuid::now_v7()));
    let fact = Fact::Dispatched {
        task,
        department: department.id,
        department_name: department.name,
        question,
        due_at,
    };
    doing.step(steps::dispatch(task, fact)).await
}

/// The expert's own initial analysis report.
#[utoipa::path(
    post, path = "/api/complaints/{id}/report", tag = "steps", request_body = ReportText,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn report(doing: Doing, Body(body): Body<ReportText>) -> ApiResult<Json<ComplaintView>> {
    let report = body.checked()?;
    doing.write(Fact::Reported { task: None, report }).await
}

/// Asks the management group to approve.
#[utoipa::path(
    post, path = "/api/complaints/{id}/request-approval", tag = "steps", request_body = ApprovalAsked,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn request_approval(
    doing: Doing,
    Body(body): Body<ApprovalAsked>,
) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    let report = doing.held.complaint.report.as_ref();
    let proposed = report.and_then(|report| report.compensation_minor);
    let compensation_minor = body.compensation_minor.or(proposed);
    let time = doing.hub.store.settings().await?.time;
    let fact = Fact::ApprovalRequested {
        reason,
        compensation_minor,
        votes: time.latest().votes_needed(compensation_minor),
    };
    doing.write(fact).await
}

/// A member of the management group approves.
#[utoipa::path(
    post, path = "/api/complaints/{id}/approve", tag = "steps", request_body = Approving,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn approve(doing: Doing, Body(body): Body<Approving>) -> ApiResult<Json<ComplaintView>> {
    let comment = optional("comment", &body.comment, TEXT)?;
    let changes = optional("changes", &body.changes, TEXT)?;
    let fact = Fact::Approved {
        comment,
        changes,
        compensation_minor: body.compensation_minor,
    };
    doing.write(fact).await
}

/// The management group does not approve.
#[utoipa::path(
    post, path = "/api/complaints/{id}/disapprove", tag = "steps", request_body = Reason,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn disapprove(doing: Doing, Body(body): Body<Reason>) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::Disapproved { reason }).await
}

/// Begins to solve, with the measures of the plan.
#[utoipa::path(
    post, path = "/api/complaints/{id}/start-solving", tag = "steps", request_body = Plan,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn start_solving(doing: Doing, Body(body): Body<Plan>) -> ApiResult<Json<ComplaintView>> {
    if body.plan.len() > MEASURES {
        return Err(ApiError::of_field(ErrorCode::TooLong, "plan").with("limit", MEASURES));
    }
    let mut plan = Vec::with_capacity(body.plan.len());
    for measure in body.plan {
        plan.push(Measure {
            id: measure.id.unwrap_or_else(|| MeasureId(Uuid::now_v7())),
            what: required("plan.what", &measure.what, TEXT)?,
            responsible: required("plan.responsible", &measure.responsible, LINE)?,
            staff: measure.staff,
            due_at: measure.due_at,
            resources: optional("plan.resources", &measure.resources, TEXT)?,
        });
    }
    doing.write(Fact::SolvingStarted { plan }).await
}

/// The solution is carried out.
#[utoipa::path(
    post, path = "/api/complaints/{id}/implement", tag = "steps", request_body = Summary,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn implement(doing: Doing, Body(body): Body<Summary>) -> ApiResult<Json<ComplaintView>> {
    let summary = required("summary", &body.summary, TEXT)?;
    doing.write(Fact::Implemented { summary }).await
}

/// The answer to the customer.
#[utoipa::path(
    post, path = "/api/complaints/{id}/answer", tag = "steps", request_body = AnswerText,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn answer(doing: Doing, Body(body): Body<AnswerText>) -> ApiResult<Json<ComplaintView>> {
    let text = required("text", &body.text, TEXT)?;
    let remedy = optional("remedy", &body.remedy, TEXT)?;
    let reasons = match body.decision {
        Decision::Upheld => optional("reasons", &body.reasons, TEXT)?,
        Decision::PartlyUpheld | Decision::NotUpheld => required("reasons", &body.reasons, TEXT)?,
    };
    let category = &doing.held.complaint.intake.category;
    let guidance = guidance::used_for(&doing.hub.store.guidance().await?, category);
    let fact = Fact::Answered {
        guidance,
        deviation: optional("deviation", &body.deviation, TEXT)?,
        decision: body.decision,
        text,
        remedy,
        reasons,
        amount_minor: body.amount_minor,
        next_level: optional("next_level", &body.next_level, TEXT)?,
        next_level_until: body.next_level_until,
    };
    let to = call_back::next(&doing.hub, &doing.held.complaint, doing.who.staff.id).await?;
    doing
        .step(steps::with_call_back(steps::plain(fact), to))
        .await
}

/// The customer was asked afterwards.
#[utoipa::path(
    post, path = "/api/complaints/{id}/call-back", tag = "steps", request_body = CallBackResult,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn call_back(
    doing: Doing,
    Body(body): Body<CallBackResult>,
) -> ApiResult<Json<ComplaintView>> {
    let reopens = body.reopen && !body.satisfied;
    let comment = if reopens {
        required("comment", &body.comment, TEXT)?
    } else {
        optional("comment", &body.comment, TEXT)?
    };
    let reopening = reopens.then(|| comment.clone());
    let fact = Fact::CalledBack {
        satisfied: body.satisfied,
        comment,
        score: body.score,
        causes: body.causes,
    };
    doing.step(steps::call_back(fact, reopening)).await
}

/// Adds a note.
#[utoipa::path(
    post, path = "/api/complaints/{id}/note", tag = "steps", request_body = NoteText,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn note(doing: Doing, Body(body): Body<NoteText>) -> ApiResult<Json<ComplaintView>> {
    let text = required("text", &body.text, TEXT)?;
    doing.write(Fact::Noted { text }).await
}

/// Closes an answered complaint.
#[utoipa::path(
    post, path = "/api/complaints/{id}/close", tag = "steps",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn close(doing: Doing) -> ApiResult<Json<ComplaintView>> {
    doing.write(Fact::Closed).await
}

/// The customer withdraws it.
#[utoipa::path(
    post, path = "/api/complaints/{id}/withdraw", tag = "steps", request_body = Reason,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn withdraw(doing: Doing, Body(body): Body<Reason>) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::Withdrawn { reason }).await
}

/// Begins a new cycle under the same number.
#[utoipa::path(
    post, path = "/api/complaints/{id}/reopen", tag = "steps", request_body = Reason,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn reopen(doing: Doing, Body(body): Body<Reason>) -> ApiResult<Json<ComplaintView>> {
    let reason = required("reason", &body.reason, TEXT)?;
    doing.write(Fact::Reopened { reason }).await
}

/// A manager has seen the grade-1 alert.
#[utoipa::path(
    post, path = "/api/complaints/{id}/acknowledge", tag = "steps",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn acknowledge(doing: Doing) -> ApiResult<Json<ComplaintView>> {
    doing.step(steps::acknowledge()).await
}
