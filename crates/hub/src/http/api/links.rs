//! Links between complaints: merging is one of them. What follows another case
//! is answered with it, each by its own events and under its own rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::link::Link;
use suda_domain::{
    Complaint, ComplaintId, CustomerState, Fact, ReferenceNumber, Relation, State as CaseState,
};
use utoipa::ToSchema;

use super::complaints::visible;
use super::steps::Doing;
use super::view::{self, ComplaintView};
use crate::http::body::{At, Body, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::{along, call_back, steps};
use crate::store::Held;

/// A complaint that this one refers to, or that refers to this one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkView {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub relation: Relation,
    /// The other one refers to this one.
    pub incoming: bool,
    pub note: String,
    pub at: DateTime<Utc>,
    pub state: CaseState,
    pub customer_state: Option<CustomerState>,
    pub excerpt: String,
}

#[derive(Deserialize, ToSchema)]
pub struct LinkTo {
    /// Id or reference number. For a duplicate or a member of a group, the
    /// case that leads.
    pub to: String,
    pub relation: Relation,
    #[serde(default)]
    pub note: String,
}

#[derive(Deserialize, ToSchema)]
pub struct UnlinkFrom {
    pub to: ComplaintId,
    /// Why.
    pub note: String,
}

#[derive(Deserialize, ToSchema)]
pub struct AnswerLinked {
    /// What was done for those that are answered along.
    pub summary: String,
}

/// What became of one case that follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlongOutcome {
    Done,
    /// It had been answered, or withdrawn, before.
    Already,
    Refused,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AnsweredAlong {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub outcome: AlongOutcome,
    /// Why it was refused.
    pub code: Option<ErrorCode>,
    /// What the code's sentence needs.
    pub params: BTreeMap<String, String>,
}

/// What the complaint refers to, and what refers to it, as far as the reader
/// may see it.
#[utoipa::path(
    get, path = "/api/complaints/{id}/links", tag = "links",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<LinkView>), (status = "4XX", body = ApiError))
)]
pub async fn links(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<Vec<LinkView>>> {
    let complaint = visible(&hub, &who, &id).await?.complaint;
    let mut views = Vec::new();
    for link in &complaint.links {
        let other = hub.store.complaint(link.to, who.reader()).await?;
        views.extend(other.map(|held| view_of(&held.complaint, link, false)));
    }
    for held in hub.store.linking(complaint.id, who.reader()).await? {
        let back = held
            .complaint
            .links
            .iter()
            .find(|link| link.to == complaint.id);
        views.extend(back.map(|link| view_of(&held.complaint, link, true)));
    }
    Ok(Json(views))
}

fn view_of(other: &Complaint, link: &Link, incoming: bool) -> LinkView {
    LinkView {
        id: other.id,
        reference: other.reference.clone(),
        relation: link.relation,
        incoming,
        note: link.note.clone(),
        at: link.at,
        state: other.state,
        customer_state: other.state.customer_state(),
        excerpt: view::excerpt(&other.intake.description),
    }
}

/// Lets the complaint refer to another. A case that leads follows no other:
/// what is merged into it names it directly.
#[utoipa::path(
    post, path = "/api/complaints/{id}/link", tag = "links", request_body = LinkTo,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn link(doing: Doing, Body(body): Body<LinkTo>) -> ApiResult<Json<ComplaintView>> {
    let note = optional("note", &body.note, TEXT)?;
    let other = visible(&doing.hub, &doing.who, body.to.trim())
        .await?
        .complaint;
    if body.relation.follows() {
        let id = doing.held.complaint.id;
        let leads = followers(&doing.hub, &doing.who, id).await?;
        if other.leading().is_some() || !leads.is_empty() {
            return Err(ApiError::of_field(ErrorCode::NotLinkable, "to"));
        }
    }
    let fact = Fact::Linked {
        to: other.id,
        reference: other.reference.clone(),
        relation: body.relation,
        note,
    };
    doing.write(fact).await
}

/// Takes a link away; a merge can be undone until the answer.
#[utoipa::path(
    post, path = "/api/complaints/{id}/unlink", tag = "links", request_body = UnlinkFrom,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = ComplaintView), (status = "4XX", body = ApiError))
)]
pub async fn unlink(doing: Doing, Body(body): Body<UnlinkFrom>) -> ApiResult<Json<ComplaintView>> {
    let note = required("note", &body.note, TEXT)?;
    doing.write(Fact::Unlinked { to: body.to, note }).await
}

/// Gives the answer of this case to each one that follows it, one by one: each
/// by events of its own, as far as the rules allow the expert. Asked again, it
/// answers those that could not be answered before.
#[utoipa::path(
    post, path = "/api/complaints/{id}/answer-linked", tag = "links", request_body = AnswerLinked,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<AnsweredAlong>), (status = "4XX", body = ApiError))
)]
pub async fn answer_linked(
    doing: Doing,
    Body(body): Body<AnswerLinked>,
) -> ApiResult<Json<Vec<AnsweredAlong>>> {
    let summary = required("summary", &body.summary, TEXT)?;
    let (hub, lead) = (&doing.hub, &doing.held.complaint);
    if lead.state != CaseState::Answered && lead.state != CaseState::Closed {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    let time = hub.store.settings().await?.time;
    let mut along = along::Along {
        lead: lead.as_ref().clone(),
        expert: doing.who.staff.id,
        until: steps::lease_end(time.latest(), hub.clock.now()),
        summary,
        call_back: None,
        told: Vec::new(),
        guidance: hub.store.guidance().await?,
    };
    let following = followers(hub, &doing.who, lead.id).await?;
    let cases = following.iter().map(|held| held.complaint.as_ref());
    along.look_for([lead.as_ref()].into_iter().chain(cases));
    let mut all = Vec::new();
    for held in following {
        let call_back = call_back::next(hub, &held.complaint, along.expert).await?;
        let Complaint {
            id,
            reference,
            state,
            ..
        } = held.into_complaint();
        let done = match state.is_finished() {
            true => Ok(AlongOutcome::Already),
            false => {
                let along = along::Along {
                    call_back,
                    ..along.clone()
                };
                let decide = along.decide();
                let step = hub.step(id, doing.who.actor(), None, decide).await;
                step.map(|_| AlongOutcome::Done).map_err(ApiError::from)
            }
        };
        all.push(AnsweredAlong {
            id,
            reference,
            code: done.as_ref().err().map(|error| error.code),
            params: done
                .as_ref()
                .err()
                .map(|error| error.params.clone())
                .unwrap_or_default(),
            outcome: done.unwrap_or(AlongOutcome::Refused),
        });
    }
    Ok(Json(all))
}

/// The cases that are answered with this one, as far as the reader may see them.
async fn followers(hub: &Hub, who: &SignedIn, lead: ComplaintId) -> ApiResult<Vec<Held>> {
    let mut linking = hub.store.linking(lead, who.reader()).await?;
    linking.retain(|held| held.complaint.leading().is_some_and(|link| link.to == lead));
    Ok(linking)
}
