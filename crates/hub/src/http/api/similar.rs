//! Cases that may belong with this one: of the same customer, or telling of the
//! same matter. They are only shown; a link is made by a person.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::text::shingles;
use suda_domain::{
    Complaint, ComplaintId, CustomerState, ReferenceNumber, Relation, State as CaseState,
};
use utoipa::ToSchema;

use super::complaints::visible;
use super::view;
use crate::http::body::At;
use crate::http::error::{ApiError, ApiResult};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::{Held, Scope};

/// Cases shown.
const SHOWN: usize = 6;
/// Cases taken from the text index for each thing it is asked.
const TAKEN: u32 = 40;
/// Places of the text that are looked up.
const PLACES: usize = 8;
/// How near a text has to be, where 100 is the same text.
const NEAR: u8 = 40;
/// How near it has to be to be taken for the very same matter.
const SAME: u8 = 60;

/// A case that may belong with this one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SimilarCase {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    /// Their telephone number is the same.
    pub same_customer: bool,
    /// How near the text is, in hundredths.
    pub near: u8,
    pub state: CaseState,
    pub customer_state: Option<CustomerState>,
    pub arrived_at: DateTime<Utc>,
    pub excerpt: String,
    /// How this case could be linked to it, the likeliest first. The rules
    /// judge it again when it is done.
    pub offered: Vec<Relation>,
}

/// What may belong with the complaint and is not linked with it, the likeliest
/// first, as far as the reader may see it.
#[utoipa::path(
    get, path = "/api/complaints/{id}/similar", tag = "links",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<SimilarCase>), (status = "4XX", body = ApiError))
)]
pub async fn similar(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<Vec<SimilarCase>>> {
    let this = visible(&hub, &who, &id).await?.complaint;
    let leads = hub.store.linking(this.id, who.reader()).await?;
    let mut found = BTreeMap::new();
    for words in looked_up(&this) {
        let cases = hub
            .store
            .search(&words, &Scope::Everything, TAKEN, who.reader())
            .await?;
        found.extend(
            cases
                .into_iter()
                .map(|held| (held.complaint.id, held.complaint)),
        );
    }
    found.remove(&this.id);
    for link in &this.links {
        found.remove(&link.to);
    }
    for held in &leads {
        found.remove(&held.complaint.id);
    }
    let is_leading = leads.iter().any(|held| follows(held, this.id));
    let others: Vec<Complaint> = found.into_values().collect();
    Ok(Json(ranked(&this, &others, is_leading)))
}

fn follows(held: &Held, lead: ComplaintId) -> bool {
    held.complaint.leading().is_some_and(|link| link.to == lead)
}

/// What the text index is asked: the telephone number, and places of the text
/// spread over it.
fn looked_up(this: &Complaint) -> Vec<Vec<String>> {
    let phone = shingles(&this.intake.phone);
    let words = shingles(&this.intake.description);
    let runs: Vec<Vec<String>> = words.windows(2).map(<[String]>::to_vec).collect();
    let apart = runs.len().div_ceil(PLACES).max(1);
    let places = runs.into_iter().step_by(apart);
    std::iter::once(phone)
        .chain(places)
        .filter(|words| !words.is_empty())
        .collect()
}

fn ranked(this: &Complaint, others: &[Complaint], is_leading: bool) -> Vec<SimilarCase> {
    let own: BTreeSet<String> = pairs(this);
    let phone = this.intake.phone.trim();
    let mut cases: Vec<SimilarCase> = others
        .iter()
        .filter_map(|other| {
            let near = near(&own, &pairs(other));
            let same_customer = !phone.is_empty() && other.intake.phone.trim() == phone;
            (same_customer || near >= NEAR).then(|| SimilarCase {
                id: other.id,
                reference: other.reference.clone(),
                same_customer,
                near,
                state: other.state,
                customer_state: other.state.customer_state(),
                arrived_at: other.arrived_at,
                excerpt: view::excerpt(&other.intake.description),
                offered: offered(this, other, same_customer, near, is_leading),
            })
        })
        .collect();
    cases.sort_by_key(|one| Reverse((one.same_customer, one.near, one.arrived_at)));
    cases.truncate(SHOWN);
    cases
}

fn pairs(of: &Complaint) -> BTreeSet<String> {
    shingles(&of.intake.description).into_iter().collect()
}

/// How much of two texts is the same pairs of characters, in hundredths (the
/// coefficient of Dice). Not the judge's measure: that weighs by how rare a pair
/// is among all texts, and all the texts here were found by what they share.
fn near(one: &BTreeSet<String>, other: &BTreeSet<String>) -> u8 {
    let both = one.intersection(other).count();
    let all = (one.len() + other.len()).max(1);
    u8::try_from(200 * both / all).unwrap_or(100)
}

/// A customer's own other case is the same told twice, or what they come again
/// with; that of another customer may be of one group with it. Nothing follows
/// a case that itself follows, or is followed.
fn offered(
    this: &Complaint,
    other: &Complaint,
    same_customer: bool,
    near: u8,
    is_leading: bool,
) -> Vec<Relation> {
    let may_follow = !this.state.is_finished()
        && this.leading().is_none()
        && other.leading().is_none()
        && !is_leading;
    let likely = match (same_customer, other.state.is_finished()) {
        (false, _) => vec![Relation::Group],
        (true, false) if near >= SAME => vec![Relation::Duplicate, Relation::Repeat],
        (true, _) => vec![Relation::Repeat, Relation::Duplicate],
    };
    let possible = likely.into_iter();
    possible
        .filter(|one| may_follow || !one.follows())
        .collect()
}
