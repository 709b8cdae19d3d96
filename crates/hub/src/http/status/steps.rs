//! What the customer does on the page: judges the answer, asks for the case to
//! be taken up again, answers a question, adds a file. Each answers with the
//! complaint as it is afterwards.

use std::sync::Arc;

use axum::Json;
use axum::body::Body as Contents;
use serde::Deserialize;
use suda_domain::{Actor, Fact, QuestionId, Refusal};
use utoipa::ToSchema;

use super::Customer;
use crate::http::api::evidence::{NewEvidence, Taken, take};
use crate::http::body::{Asked, Body, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::queue::steps::plain;
use crate::status::view::{StatusCase, may_add_file};
use crate::store::{Decide, Reader};

/// A photo of a telephone or a scan of some pages.
const FILE_BYTES: u64 = 20 * 1024 * 1024;

/// What customers may send: pictures and PDF.
const TAKEN: Taken = Taken {
    most_bytes: FILE_BYTES,
    takes: |media_type| media_type.starts_with("image/") || media_type == "application/pdf",
};

#[derive(Deserialize, ToSchema)]
pub struct RatingGiven {
    /// 1, not satisfied at all, to 5, very satisfied.
    pub score: u8,
    #[serde(default)]
    pub comment: String,
}

#[derive(Deserialize, ToSchema)]
pub struct NotSatisfied {
    pub reason: String,
}

#[derive(Deserialize, ToSchema)]
pub struct ReplyGiven {
    pub question: QuestionId,
    pub text: String,
}

impl Customer {
    async fn step(mut self, decide: Decide) -> ApiResult<Json<StatusCase>> {
        let id = self.held.complaint.id;
        self.hub
            .step(id, Actor::customer(), self.key, decide)
            .await?;
        let held = self.hub.store.complaint(id, Reader::Program).await?;
        self.held = held.ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn))?;
        self.show().await
    }
}

/// The customer's own judgement of the answer.
#[utoipa::path(
    post, path = "/s/api/case/rate", tag = "status", operation_id = "customer_rates",
    request_body = RatingGiven,
    responses((status = 200, body = StatusCase), (status = "4XX", body = ApiError))
)]
pub async fn rate(
    customer: Customer,
    Body(body): Body<RatingGiven>,
) -> ApiResult<Json<StatusCase>> {
    let comment = optional("comment", &body.comment, TEXT)?;
    let score = body.score;
    customer.step(plain(Fact::Rated { score, comment })).await
}

/// The answer does not satisfy: a new cycle begins under the same number.
#[utoipa::path(
    post, path = "/s/api/case/reopen", tag = "status", operation_id = "customer_reopens",
    request_body = NotSatisfied,
    responses((status = 200, body = StatusCase), (status = "4XX", body = ApiError))
)]
pub async fn reopen(
    customer: Customer,
    Body(body): Body<NotSatisfied>,
) -> ApiResult<Json<StatusCase>> {
    let reason = required("reason", &body.reason, TEXT)?;
    customer.step(plain(Fact::Reopened { reason })).await
}

/// Answers a question that was asked of the customer.
#[utoipa::path(
    post, path = "/s/api/case/reply", tag = "status", operation_id = "customer_replies",
    request_body = ReplyGiven,
    responses((status = 200, body = StatusCase), (status = "4XX", body = ApiError))
)]
pub async fn reply(
    customer: Customer,
    Body(body): Body<ReplyGiven>,
) -> ApiResult<Json<StatusCase>> {
    let text = required("text", &body.text, TEXT)?;
    let question = body.question;
    customer.step(plain(Fact::Replied { question, text })).await
}

/// Adds a picture or a PDF. The body is the file; what it is, is found in its
/// contents.
#[utoipa::path(
    post, path = "/s/api/case/evidence", tag = "status",
    operation_id = "customer_adds_file", params(NewEvidence),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = StatusCase), (status = "4XX", body = ApiError))
)]
pub async fn evidence(
    customer: Customer,
    Asked(asked): Asked<NewEvidence>,
    body: Contents,
) -> ApiResult<Json<StatusCase>> {
    let complaint = &customer.held.complaint;
    if !may_add_file(complaint) {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    let (hub, id) = (Arc::clone(&customer.hub), complaint.id);
    let write = async |file: suda_domain::Evidence| {
        // Asked again with the complaint locked: several may come at once.
        let decide: Decide = Box::new(move |held| {
            if may_add_file(&held.complaint) {
                let file = file.clone();
                Ok(vec![Fact::EvidenceAdded { file }])
            } else {
                Err(Refusal::State.into())
            }
        });
        customer.step(decide).await
    };
    take(&hub, id, &asked, body, &TAKEN, write).await
}
