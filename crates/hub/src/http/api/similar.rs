//! Cases that may belong with this one: of the same customer, or telling of the
//! same matter. They are only shown; a link is made by a person.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::text::{phone_digits, shingles};
use suda_domain::{
    Complaint, ComplaintId, CustomerState, ReferenceNumber, Relation, State as CaseState,
};
use suda_judge::pieces::{self, Readied};
use utoipa::ToSchema;

use super::complaints::visible;
use super::view;
use crate::http::body::At;
use crate::http::error::{ApiError, ApiResult};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::Held;
use crate::twins::{blocking, told};

/// Cases shown.
const SHOWN: usize = 6;
/// Nearest texts and equal numbers that are looked at.
const NEAREST: usize = 40;
const SAME_NUMBER: usize = 40;
/// How near a text has to be, where 100 is the same text: by what it says in
/// all, or by what it says that others do not.
const NEAR: u8 = 40;
const RARELY_NEAR: u8 = 25;
/// Pieces shown of what two texts share.
const PIECES: usize = 4;
/// How near it has to be to be taken for the very same matter.
const SAME: u8 = 60;

/// A case that may belong with this one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SimilarCase {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    /// Their telephone number is the same.
    pub same_customer: bool,
    /// It is the same text.
    pub same_text: bool,
    /// How near the text is, in hundredths.
    pub near: u8,
    /// What both texts say, the longest first.
    pub shared: Vec<String>,
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
    let text = told(&this.intake);
    let now = hub.clock.now();
    hub.twins.catch_up_shortly(hub.store.as_ref(), now).await;
    let (twins, asked) = (hub.twins.clone(), text.clone());
    let nearest = blocking(move || twins.find(&asked, NEAREST)).await?;
    let scores: BTreeMap<ComplaintId, f32> =
        nearest.iter().map(|twin| (twin.id, twin.score)).collect();
    let of_phone = hub.twins.of_phone(&this.intake.phone, SAME_NUMBER);
    let ids: Vec<ComplaintId> = scores.keys().copied().chain(of_phone).collect();
    let cases = hub.store.cases(&ids, who.reader()).await?;
    let mut found: BTreeMap<ComplaintId, Complaint> =
        cases.into_iter().map(|case| (case.id, case)).collect();
    found.remove(&this.id);
    for link in &this.links {
        found.remove(&link.to);
    }
    for held in &leads {
        found.remove(&held.complaint.id);
    }
    let is_leading = leads.iter().any(|held| follows(held, this.id));
    let others: Vec<Complaint> = found.into_values().collect();
    Ok(Json(ranked(&this, &others, &scores, is_leading)))
}

fn follows(held: &Held, lead: ComplaintId) -> bool {
    held.complaint.leading().is_some_and(|link| link.to == lead)
}

fn ranked(
    this: &Complaint,
    others: &[Complaint],
    scores: &BTreeMap<ComplaintId, f32>,
    is_leading: bool,
) -> Vec<SimilarCase> {
    let text = Readied::new(&told(&this.intake));
    let own: BTreeSet<String> = pairs(this);
    let phone = phone_digits(&this.intake.phone);
    let mut cases: Vec<SimilarCase> = others
        .iter()
        .filter_map(|other| {
            let score = scores.get(&other.id).copied().unwrap_or_default();
            let rarely = (score * 100.0).round() as u8;
            let same_text = rarely == 100;
            let in_all = near(&own, &pairs(other));
            let is_near = in_all >= NEAR || rarely >= RARELY_NEAR;
            let near = in_all.max(rarely);
            let same_customer = phone.is_some() && phone_digits(&other.intake.phone) == phone;
            (same_customer || is_near).then(|| SimilarCase {
                id: other.id,
                reference: other.reference.clone(),
                same_customer,
                same_text,
                near,
                shared: match is_near {
                    true => pieces::shared(
                        &[text.clone(), Readied::new(&told(&other.intake))],
                        2,
                        PIECES,
                        |_| false,
                    ),
                    false => Vec::new(),
                },
                state: other.state,
                customer_state: other.state.customer_state(),
                arrived_at: other.arrived_at,
                excerpt: view::excerpt(&other.intake.description),
                offered: offered(this, other, same_customer, near, is_leading),
            })
        })
        .collect();
    cases.sort_by_key(|one| Reverse((one.same_text, one.same_customer, one.near, one.arrived_at)));
    cases.truncate(SHOWN);
    cases
}

fn pairs(of: &Complaint) -> BTreeSet<String> {
    shingles(&of.intake.description).into_iter().collect()
}

/// How much of two texts is the same pairs of characters, in hundredths (the
/// coefficient of Dice). Beside the judge's measure, which weighs by how rare a
/// pair is among all texts: in a small city hardly any pair is rare.
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
