//! The learning loop for administrators: what was learned and how well, what
//! people decide otherwise, versions to go back to, and what is to be
//! forgotten. Shares, counts and categories; texts only in the export, without
//! the customer's name and without numbers that name a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::Policy;
use suda_domain::category::Category;
use suda_domain::personal::found;
use suda_domain::policy::MOST_MISSED_COSTS;
use suda_domain::text::clean;
use utoipa::ToSchema;

use crate::http::body::Body;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::learning::report::{HandoffReport, TrainingReport};
use crate::learning::{self, Asked, handoffs, local};
use crate::store::learning::{ConfirmedCase, Training};
use crate::timing::{self, TimeDraft};

/// Trainings shown.
const SHOWN: u32 = 60;
/// Cases a file of them holds at most, the newest.
const EXPORTED: u32 = 50_000;

/// How learning stands.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct LearningView {
    /// The version desks use.
    pub in_force: Option<u32>,
    /// A training runs.
    pub running: bool,
    /// Texts were to be forgotten since the model in force was learned.
    pub to_retrain: bool,
    /// Cases that are not learned from any more.
    pub forgotten: u64,
    /// The newest first.
    pub trainings: Vec<TrainingView>,
    /// The category tree, for the names.
    pub categories: Vec<Category>,
    /// From which likelihood on a handoff is proposed, and why.
    pub handoffs: HandoffView,
}

/// What is learned of handoffs, and what its mistakes are taken to cost.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct HandoffView {
    /// Names the policy that was looked at, for the change that is made of it.
    pub revision: String,
    /// A missed handoff costs so many times a wrong one, at most `most`.
    pub costs: u32,
    pub most: u32,
    /// The training whose word counts; absent where the rules' alone does.
    pub in_use: Option<u32>,
    /// The newest training that tells of handoffs, tried or not, and what it
    /// tells; it stands here alone and not among the trainings.
    pub version: Option<u32>,
    pub report: Option<HandoffReport>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct TrainingView {
    pub version: u32,
    pub at: DateTime<Utc>,
    /// The name of who asked for it; absent at night.
    pub by: Option<String>,
    /// Its model is kept and can be put in force.
    pub can_be_used: bool,
    pub report: TrainingReport,
}

/// The last trainings and what is in force.
#[utoipa::path(
    get, path = "/api/admin/learning", tag = "admin",
    responses((status = 200, body = LearningView), (status = "4XX", body = ApiError))
)]
pub async fn learning(State(hub): State<Arc<Hub>>) -> ApiResult<Json<LearningView>> {
    let state = hub.store.learning().await?;
    let staff = hub.store.staff().await?;
    let name = |id| staff.iter().find(|one| one.id == id);
    let mut trainings = hub.store.trainings(SHOWN).await?;
    let told = |one: &mut Training| Some((one.version, one.report.handoffs.take()?));
    // Every training's is taken out: together they would be long.
    let told: Vec<(u32, HandoffReport)> = trainings.iter_mut().filter_map(told).collect();
    let (version, report) = told.into_iter().next().unzip();
    let time = hub.store.settings().await?.time;
    let handoffs = HandoffView {
        revision: timing::revision(&time.rules()),
        costs: time.latest().missed_handoff_costs,
        most: MOST_MISSED_COSTS,
        in_use: handoffs::version(&hub).await?,
        version,
        report,
    };
    let trainings = trainings.into_iter().map(|one| TrainingView {
        version: one.version,
        at: one.at,
        by: one
            .asked_by
            .map(|id| name(id).map_or_else(String::new, |staff| staff.name.clone())),
        can_be_used: one.has_model,
        report: one.report,
    });
    Ok(Json(LearningView {
        in_force: state.in_force,
        running: state
            .busy_until
            .is_some_and(|until| until > hub.clock.now()),
        to_retrain: state.to_retrain,
        forgotten: hub.store.forgotten().await?,
        trainings: trainings.collect(),
        categories: hub.rules.tree.nodes.clone(),
        handoffs,
    }))
}

#[derive(Deserialize, ToSchema)]
pub struct TrainingAsked {
    /// Only to see what it would change.
    pub preview: bool,
}

/// Begins a training; it is done when `running` is false again.
#[utoipa::path(
    post, path = "/api/admin/learning/train", tag = "admin", request_body = TrainingAsked,
    responses((status = 200, body = LearningView), (status = "4XX", body = ApiError))
)]
pub async fn train(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(asked): Body<TrainingAsked>,
) -> ApiResult<Json<LearningView>> {
    let begun = learning::begin(hub.store.as_ref(), &hub.clock).await?;
    let begun = begun.ok_or(ApiError::new(ErrorCode::NotInThisState))?;
    let asked = Asked {
        by: Some(who.staff.id),
        preview: asked.preview,
    };
    let own = Arc::clone(&hub);
    tokio::spawn(async move {
        let (store, rules) = (own.store.as_ref(), own.rules.clone());
        let done = learning::finish(store, &own.clock, rules, asked, begun).await;
        if let Err(error) = done {
            tracing::error!(%error, "a training could not be ended");
        }
    });
    learning(State(hub)).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionAsked {
    /// Of a training whose model is kept; null for no model.
    pub version: Option<u32>,
}

/// Goes back to an earlier model, or to none. Desks learn of it by themselves.
#[utoipa::path(
    post, path = "/api/admin/learning/version", tag = "admin", request_body = VersionAsked,
    responses((status = 200, body = LearningView), (status = "4XX", body = ApiError))
)]
pub async fn use_version(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(asked): Body<VersionAsked>,
) -> ApiResult<Json<LearningView>> {
    if !hub.store.use_model(asked.version).await? {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    tracing::info!(version = ?asked.version, by = %who.staff.id, "another model was put in force");
    learning(State(hub)).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CostsAsked {
    /// Of the policy that was looked at.
    pub revision: String,
    /// A missed handoff costs so many times a wrong one, from 1 to 100.
    pub costs: u32,
}

/// Sets what a missed handoff costs against a wrong one: the next version of
/// the policy, kept with who made it. Desks learn of it by themselves.
#[utoipa::path(
    put, path = "/api/admin/learning/handoffs", tag = "admin", request_body = CostsAsked,
    responses((status = 200, body = LearningView), (status = "4XX", body = ApiError))
)]
pub async fn set_costs(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(asked): Body<CostsAsked>,
) -> ApiResult<Json<LearningView>> {
    let policy = Policy {
        missed_handoff_costs: asked.costs,
        ..hub.store.settings().await?.time.latest().clone()
    };
    let draft = TimeDraft {
        revision: asked.revision,
        policy: Some(policy),
        calendar: None,
        branch: None,
    };
    timing::change(hub.store.as_ref(), &draft, who.staff.id, hub.clock.now()).await?;
    tracing::info!(costs = asked.costs, by = %who.staff.id, "the cost of a missed handoff was set");
    learning(State(hub)).await
}

#[derive(Deserialize, ToSchema)]
pub struct ForgetAsked {
    /// Id or reference number.
    pub complaint: String,
}

/// Never learns from a case again. The next training replaces the model, and
/// no earlier one can be gone back to.
#[utoipa::path(
    post, path = "/api/admin/learning/forget", tag = "admin", request_body = ForgetAsked,
    responses((status = 200, body = LearningView), (status = "4XX", body = ApiError))
)]
pub async fn forget(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(asked): Body<ForgetAsked>,
) -> ApiResult<Json<LearningView>> {
    let missing = || ApiError::of_field(ErrorCode::NotFound, "complaint");
    let text = clean(&asked.complaint);
    let id = local::find(hub.store.as_ref(), &text).await?;
    let id = id.ok_or_else(missing)?;
    if !hub.store.forget_case(id, hub.clock.now()).await? {
        return Err(missing());
    }
    tracing::info!(complaint = %id, by = %who.staff.id, "a case is not learned from any more");
    learning(State(hub)).await
}

/// A line of the export.
#[derive(Serialize, ToSchema)]
pub struct ExportedCase {
    pub category: String,
    pub remedy_sought: String,
    pub description: String,
    pub confirmed_at: DateTime<Utc>,
}

/// What is learned from, one JSON object a line: without the customer's name,
/// and without numbers that name a person.
#[utoipa::path(
    get, path = "/api/admin/learning/export", tag = "admin",
    responses(
        (status = 200, content_type = "application/x-ndjson", body = ExportedCase),
        (status = "4XX", body = ApiError)
    )
)]
pub async fn export(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> ApiResult<Response> {
    let cases = hub.store.confirmed_cases(EXPORTED, who.reader()).await?;
    tracing::info!(cases = cases.len(), by = %who.staff.id, "what is learned from was read");
    let mut lines = String::new();
    for case in &cases {
        let line = serde_json::to_string(&ExportedCase {
            category: case.category.clone(),
            remedy_sought: without_names(&case.remedy_sought, case),
            description: without_names(&case.description, case),
            confirmed_at: case.confirmed_at,
        });
        lines.push_str(&line.map_err(|error| ApiError::internal(&error))?);
        lines.push('\n');
    }
    let mut response = lines.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"training-data.jsonl\""),
    );
    Ok(response)
}

fn without_names(text: &str, case: &ConfirmedCase) -> String {
    let pieces = found(text, [case.customer.as_str()]);
    pieces
        .iter()
        .fold(text.to_owned(), |text, one| text.replace(&one.piece, "***"))
}
