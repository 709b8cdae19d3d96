//! The same answer everywhere: how many answers were off guidance, similar
//! complaints that came to different ends, and answers to suggest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::fact::Decision;
use suda_domain::guidance::for_category;
use suda_domain::permission::{Right, has};
use suda_domain::{
    BranchCode, Complaint, ComplaintId, ReferenceNumber, Role, StaffId, State as CaseState,
};
use suda_judge::answers::{
    AmountBand, AnswerSuggestion, Difference, Past, RemedyKind, near, remedies, suggest_answers,
};
use suda_judge::pieces::{self, Readied};
use utoipa::{IntoParams, ToSchema};

use super::steps::Doing;
use super::view;
use crate::http::body::Asked;
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::same_answer::{GuidanceShare, Pair, Period};
use crate::twins::{blocking, told};

/// Days asked for when none are named, and the most.
const DAYS: i64 = 30;
const MOST_DAYS: i64 = 400;
/// People and categories listed, those with the most off guidance first.
const ROWS: usize = 300;
/// Pairs shown.
const PAIRS: usize = 60;
/// How near two texts have to be, in hundredths: of one category, by what is
/// rare in both, and of two categories.
const NEAR: u8 = 40;
const RARELY: f32 = 0.3;
const OF_TWO: u8 = 60;
/// Pieces shown of what two texts share.
const PIECES: usize = 4;
/// Complaints looked through for a suggestion.
const LOOKED_AT: usize = 60;

/// Whole days in the installation's civil time.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DaysAsked {
    /// The first; a month back when it is not named.
    pub from: Option<NaiveDate>,
    /// The last; today when it is not named.
    pub to: Option<NaiveDate>,
}

/// A branch's, a category's or a person's share.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BranchShare {
    /// Absent for what the experts answered.
    pub branch: Option<BranchCode>,
    pub name: String,
    pub share: GuidanceShare,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CategoryShare {
    pub category: String,
    pub category_zh: String,
    pub category_en: String,
    pub share: GuidanceShare,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonShare {
    pub staff: StaffId,
    pub name: String,
    /// Absent for experts.
    pub branch: Option<BranchCode>,
    pub share: GuidanceShare,
}

/// How many answers were off guidance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SameAnswerView {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub all: GuidanceShare,
    pub branches: Vec<BranchShare>,
    pub categories: Vec<CategoryShare>,
    /// Absent for who may not see figures of one person's work.
    pub people: Option<Vec<PersonShare>>,
}

/// One of two similar complaints.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PairSide {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub branch_name: String,
    pub category_zh: String,
    pub category_en: String,
    pub state: CaseState,
    pub answered_at: Option<DateTime<Utc>>,
    /// What happened.
    pub excerpt: String,
    /// Settled by a branch, not answered by an expert.
    pub at_counter: bool,
    pub decision: Option<Decision>,
    pub answer: String,
    pub remedy: String,
    pub remedies: Vec<RemedyKind>,
    pub amount_minor: Option<i64>,
    pub band: AmountBand,
}

/// Two similar complaints with different outcomes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OutcomePair {
    /// The one answered first.
    pub one: PairSide,
    pub other: PairSide,
    /// How near the texts are, in hundredths.
    pub near: u8,
    pub same_category: bool,
    /// What both texts say, the longest first.
    pub shared: Vec<String>,
    pub differs: Vec<Difference>,
}

/// The pairs found so far.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PairsView {
    pub pairs: Vec<OutcomePair>,
    /// Complaints compared with those beside them, of how many; asking again
    /// goes on.
    pub compared: usize,
    pub to_compare: usize,
}

/// How many answers of a time were off guidance, by branch and category, and
/// by person for who may see that. Without the complaints the reader is barred
/// from.
#[utoipa::path(
    get, path = "/api/same-answer", tag = "same answer", params(DaysAsked),
    responses((status = 200, body = SameAnswerView), (status = "4XX", body = ApiError))
)]
pub async fn same_answer(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<DaysAsked>,
) -> ApiResult<Json<SameAnswerView>> {
    let (from, to, period) = period(&hub, &who, &asked).await?;
    let answers = hub.answers.clone();
    let shares = blocking(move || answers.shares(&period)).await?;
    let names = branch_names(&hub).await?;
    let branches = shares
        .branches
        .into_iter()
        .map(|(branch, share)| BranchShare {
            name: branch
                .as_ref()
                .and_then(|code| names.get(code).cloned())
                .unwrap_or_default(),
            branch,
            share,
        });
    let categories = shares.categories.into_iter().map(|(category, share)| {
        let (category_zh, category_en) = view::category(&hub, &category);
        CategoryShare {
            category,
            category_zh,
            category_en,
            share,
        }
    });
    let people = shares.people.into_iter();
    let people = people.map(|(staff, (name, branch, share))| PersonShare {
        staff,
        name,
        branch,
        share,
    });
    let may = has(who.role(), Right::SeePeople);
    Ok(Json(SameAnswerView {
        from,
        to,
        all: shares.all,
        branches: worst(branches.collect(), usize::MAX, |row| row.share),
        categories: worst(categories.collect(), ROWS, |row| row.share),
        people: may.then(|| worst(people.collect(), ROWS, |row| row.share)),
    }))
}

/// Those with the most answers off guidance first.
fn worst<T>(mut rows: Vec<T>, most: usize, share: impl Fn(&T) -> GuidanceShare) -> Vec<T> {
    rows.sort_by_key(|row| {
        let share = share(row);
        Reverse((share.off, share.guided, share.answers))
    });
    rows.truncate(most);
    rows
}

/// Similar complaints with different outcomes, of which one was answered in
/// the time, the nearest first, as far as the reader may see both.
#[utoipa::path(
    get, path = "/api/same-answer/pairs", tag = "same answer", params(DaysAsked),
    responses((status = 200, body = PairsView), (status = "4XX", body = ApiError))
)]
pub async fn outcome_pairs(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<DaysAsked>,
) -> ApiResult<Json<PairsView>> {
    let (_, _, period) = period(&hub, &who, &asked).await?;
    let now = hub.clock.now();
    hub.twins.catch_up_shortly(hub.store.as_ref(), now).await;
    let (compared, to_compare) = hub.answers.compare(&hub.twins, &period).await?;
    let answers = hub.answers.clone();
    let found = blocking(move || answers.pairs(&period)).await?;
    let ids: Vec<ComplaintId> = found.iter().flat_map(|one| [one.one, one.other]).collect();
    let cases = hub.store.cases(&ids, who.reader()).await?;
    let cases: HashMap<ComplaintId, Complaint> =
        cases.into_iter().map(|case| (case.id, case)).collect();
    let names = branch_names(&hub).await?;
    let pairs = found.iter().filter_map(|pair| {
        let (one, other) = (cases.get(&pair.one)?, cases.get(&pair.other)?);
        shown(&hub, &names, pair, one, other)
    });
    let mut pairs: Vec<OutcomePair> = pairs.collect();
    pairs.sort_by_key(|pair| Reverse((pair.near, pair.differs.len(), pair.other.answered_at)));
    pairs.truncate(PAIRS);
    Ok(Json(PairsView {
        pairs,
        compared,
        to_compare,
    }))
}

/// None when they are not that near after all.
fn shown(
    hub: &Hub,
    names: &BTreeMap<BranchCode, String>,
    pair: &Pair,
    one: &Complaint,
    other: &Complaint,
) -> Option<OutcomePair> {
    let near = near(&one.intake, &other.intake, pair.score);
    let same_category = one.intake.category == other.intake.category;
    let is_near = match same_category {
        true => near >= NEAR || pair.score >= RARELY,
        false => near >= OF_TWO,
    };
    if !is_near {
        return None;
    }
    let texts = [one, other].map(|case| Readied::new(&told(&case.intake)));
    let (first, second) = match one.marks.answered_at <= other.marks.answered_at {
        true => (one, other),
        false => (other, one),
    };
    Some(OutcomePair {
        one: side(hub, names, first)?,
        other: side(hub, names, second)?,
        near,
        same_category,
        shared: pieces::shared(&texts, 2, PIECES, |_| false),
        differs: pair.differs.clone(),
    })
}

fn side(hub: &Hub, names: &BTreeMap<BranchCode, String>, case: &Complaint) -> Option<PairSide> {
    let answer = case.answer.as_ref()?;
    let (category_zh, category_en) = view::category(hub, &case.intake.category);
    let told = match answer.remedy.trim() {
        "" => &answer.text,
        _ => &answer.remedy,
    };
    Some(PairSide {
        id: case.id,
        reference: case.reference.clone(),
        branch_name: names.get(&case.branch).cloned().unwrap_or_default(),
        branch: case.branch.clone(),
        category_zh,
        category_en,
        state: case.state,
        answered_at: case.marks.answered_at,
        excerpt: view::excerpt(&case.intake.description),
        at_counter: answer.decision.is_none(),
        decision: answer.decision,
        answer: view::excerpt(&answer.text),
        remedy: view::excerpt(&answer.remedy),
        remedies: remedies(told),
        amount_minor: answer.amount_minor,
        band: AmountBand::of(answer.amount_minor.unwrap_or(0)),
    })
}

/// Answers that may be given: the guidance, and what similar cases the reader
/// may see were answered, without what names their customers.
#[utoipa::path(
    get, path = "/api/complaints/{id}/answer-suggestions", tag = "same answer",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<AnswerSuggestion>), (status = "4XX", body = ApiError))
)]
pub async fn answer_suggestions(doing: Doing) -> ApiResult<Json<Vec<AnswerSuggestion>>> {
    let (hub, this) = (&doing.hub, &doing.held.complaint);
    let now = hub.clock.now();
    hub.twins.catch_up_shortly(hub.store.as_ref(), now).await;
    let (twins, asked) = (hub.twins.clone(), told(&this.intake));
    let nearest = blocking(move || twins.find(&asked, LOOKED_AT)).await?;
    let scores: HashMap<ComplaintId, f32> =
        nearest.iter().map(|twin| (twin.id, twin.score)).collect();
    let ids: Vec<ComplaintId> = nearest.iter().map(|twin| twin.id).collect();
    let cases = hub.store.cases(&ids, doing.who.reader()).await?;
    let past: Vec<Past<'_>> = cases
        .iter()
        .map(|complaint| Past {
            complaint,
            score: scores.get(&complaint.id).copied().unwrap_or_default(),
        })
        .collect();
    let staff = hub.store.staff().await?;
    // A department's name is the organisation's own.
    let people = staff.iter().filter(|one| one.role != Role::Department);
    let names: Vec<&str> = people.map(|one| one.name.as_str()).collect();
    let guidance = hub.store.guidance().await?;
    let guidance = for_category(&guidance, &this.intake.category);
    Ok(Json(suggest_answers(this, guidance, &past, &names)))
}

async fn period(
    hub: &Hub,
    who: &SignedIn,
    asked: &DaysAsked,
) -> ApiResult<(NaiveDate, NaiveDate, Period)> {
    let now = hub.clock.now();
    let zone = hub.store.settings().await?.time.zone_at(now);
    let to = asked.to.unwrap_or_else(|| zone.local(now).date());
    let malformed = |field| ApiError::of_field(ErrorCode::Malformed, field);
    let month = to.checked_sub_signed(TimeDelta::days(DAYS - 1));
    let from = asked.from.or(month).ok_or_else(|| malformed("to"))?;
    let days = (to - from).num_days();
    if !(0..MOST_DAYS).contains(&days) {
        return Err(malformed("from"));
    }
    let after = to.succ_opt().ok_or_else(|| malformed("to"))?;
    hub.answers.catch_up_shortly(hub.store.as_ref(), now).await;
    let period = Period {
        from: zone.midnight(from),
        to: zone.midnight(after),
        without: hub.store.barred_from(who.reader()).await?,
    };
    Ok((from, to, period))
}

async fn branch_names(hub: &Hub) -> ApiResult<BTreeMap<BranchCode, String>> {
    let branches = hub.store.branches().await?.into_iter();
    Ok(branches.map(|branch| (branch.code, branch.name)).collect())
}
