//! Early warnings: what is unusual, which complaints it is made of, and what
//! people did about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::alarm::{AlarmKind, AlarmState, AlarmStep};
use suda_domain::permission::{Right, has};
use suda_domain::time::Zone;
use suda_domain::{BranchCode, ComplaintId, ReferenceNumber, State as CaseState};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::view;
use crate::alarms::look_for_surges;
use crate::http::body::{Asked, At, Body, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::alarms::{AlarmHeld, AlarmsAsked, Member, StepTaken, Stepped, SurgeFigures};

const ROWS: u32 = 50;
const MOST_ROWS: u32 = 200;
/// Days of a growth that are shown, the last ones.
const DAYS: i64 = 30;
/// Members listed, the first captured first.
const MEMBERS: usize = 300;
/// Characters of what the counters are to say: it is read while the customer waits.
const SAY: usize = 500;

/// An early warning as lists show it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AlarmRow {
    pub id: Uuid,
    pub kind: AlarmKind,
    pub state: AlarmState,
    pub raised_at: DateTime<Utc>,
    /// Of what the members have in common; empty when that cannot be said.
    pub title: String,
    /// The category of most members.
    pub category: String,
    /// What the counters are to say.
    pub say: String,
    /// Of a surge.
    pub surge: Option<SurgeFigures>,
    /// Complaints and branches of it, as far as the reader may see them.
    pub reports: usize,
    pub branches: usize,
    /// Captured within the last hour and the last day.
    pub last_hour: usize,
    pub last_day: usize,
    /// When the first and the last were captured.
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    /// By local day of capture, without gaps, up to today.
    pub growth: Vec<DayGrowth>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DayGrowth {
    pub day: NaiveDate,
    pub count: usize,
}

/// A complaint of an alarm.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AlarmMember {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub state: CaseState,
    pub captured_at: DateTime<Utc>,
    pub excerpt: String,
}

/// What somebody did.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AlarmStepView {
    pub at: DateTime<Utc>,
    pub name: String,
    pub step: AlarmStep,
    pub text: String,
}

/// An early warning, whole.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AlarmView {
    pub row: AlarmRow,
    /// The first captured first.
    pub members: Vec<AlarmMember>,
    /// The first first.
    pub steps: Vec<AlarmStepView>,
    /// What the reader may do now.
    pub allowed: Vec<AlarmStep>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AlarmsOf {
    /// Those that are closed, instead of those that are open.
    #[serde(default)]
    pub closed: bool,
    /// The last row of the page before: its `raised_at` and `id`.
    pub before_at: Option<DateTime<Utc>>,
    pub before: Option<Uuid>,
    pub limit: Option<u32>,
}

/// Early warnings that concern the reader, the newest first: a branch manager's
/// are those with a complaint of their branch.
#[utoipa::path(
    get, path = "/api/alarms", tag = "alarms", params(AlarmsOf),
    responses((status = 200, body = Vec<AlarmRow>), (status = "4XX", body = ApiError))
)]
pub async fn alarms(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Asked(asked): Asked<AlarmsOf>,
) -> ApiResult<Json<Vec<AlarmRow>>> {
    let asked = AlarmsAsked {
        closed: asked.closed,
        branch: own_branch(&who)?,
        before: asked.before_at.zip(asked.before),
        limit: asked.limit.unwrap_or(ROWS).clamp(1, MOST_ROWS),
    };
    let held = hub.store.alarms(&asked, who.reader()).await?;
    let zone = hub.store.settings().await?.time.zone_at(hub.clock.now());
    let now = hub.clock.now();
    let rows = held.iter().filter_map(|alarm| row(alarm, zone, now));
    Ok(Json(rows.collect()))
}

/// An early warning with its complaints. A branch manager is shown those of
/// their branch.
#[utoipa::path(
    get, path = "/api/alarms/{id}", tag = "alarms",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = AlarmView), (status = "4XX", body = ApiError))
)]
pub async fn alarm(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
) -> ApiResult<Json<AlarmView>> {
    Ok(Json(viewed(&hub, &who, id).await?))
}

/// A remark, where one is wanted.
#[derive(Deserialize, ToSchema)]
pub struct AlarmNote {
    #[serde(default)]
    pub note: String,
}

#[derive(Deserialize, ToSchema)]
pub struct AlarmExplained {
    /// What the counters are to tell customers who come with it.
    pub say: String,
}

#[derive(Deserialize, ToSchema)]
pub struct AlarmClosed {
    /// Why.
    pub note: String,
}

/// Somebody looks after it.
#[utoipa::path(
    post, path = "/api/alarms/{id}/acknowledge", tag = "alarms", request_body = AlarmNote,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = AlarmView), (status = "4XX", body = ApiError))
)]
pub async fn acknowledge_alarm(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<AlarmNote>,
) -> ApiResult<Json<AlarmView>> {
    let note = optional("note", &body.note, TEXT)?;
    step(&hub, &who, id, AlarmStep::Acknowledge, note).await
}

/// It is known what it is: every counter is told what to say.
#[utoipa::path(
    post, path = "/api/alarms/{id}/explain", tag = "alarms", request_body = AlarmExplained,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = AlarmView), (status = "4XX", body = ApiError))
)]
pub async fn explain_alarm(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<AlarmExplained>,
) -> ApiResult<Json<AlarmView>> {
    let say = required("say", &body.say, SAY)?;
    step(&hub, &who, id, AlarmStep::Explain, say).await
}

/// It is over, or was none.
#[utoipa::path(
    post, path = "/api/alarms/{id}/close", tag = "alarms", request_body = AlarmClosed,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = AlarmView), (status = "4XX", body = ApiError))
)]
pub async fn close_alarm(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<AlarmClosed>,
) -> ApiResult<Json<AlarmView>> {
    let note = required("note", &body.note, TEXT)?;
    step(&hub, &who, id, AlarmStep::Close, note).await
}

/// How many warnings are new.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AlarmsFound {
    pub new: usize,
}

/// Counts the days now instead of at the next full hour.
#[utoipa::path(
    post, path = "/api/alarms/look", tag = "alarms",
    responses((status = 200, body = AlarmsFound), (status = "4XX", body = ApiError))
)]
pub async fn look_for_alarms(State(hub): State<Arc<Hub>>) -> ApiResult<Json<AlarmsFound>> {
    let new = look_for_surges(&hub).await?;
    Ok(Json(AlarmsFound { new }))
}

async fn step(
    hub: &Hub,
    who: &SignedIn,
    id: Uuid,
    step: AlarmStep,
    text: String,
) -> ApiResult<Json<AlarmView>> {
    // What is not for them does not exist for them.
    held(hub, who, id).await?;
    let taken = StepTaken {
        at: hub.clock.now(),
        staff: who.staff.id,
        step,
        text,
    };
    match hub.store.step_alarm(id, &taken).await? {
        Stepped::Done => {}
        Stepped::NotInThisState => return Err(ApiError::new(ErrorCode::NotInThisState)),
        Stepped::Unknown => return Err(ApiError::new(ErrorCode::NotFound)),
    }
    tracing::info!(alarm = %id, step = step.name(), by = %who.staff.id, "an early warning was seen to");
    Ok(Json(viewed(hub, who, id).await?))
}

/// Whose alarms alone somebody sees; nothing for those who see everybody's.
fn own_branch(who: &SignedIn) -> ApiResult<Option<BranchCode>> {
    if has(who.role(), Right::SeeAll) {
        return Ok(None);
    }
    let own = who.staff.branch.clone();
    own.map(Some).ok_or(ApiError::new(ErrorCode::NotAllowed))
}

async fn held(hub: &Hub, who: &SignedIn, id: Uuid) -> ApiResult<AlarmHeld> {
    let own = own_branch(who)?;
    let held = hub.store.alarm(id, who.reader()).await?;
    let theirs = held.filter(|alarm| {
        let of_own = |member: &Member| own.as_ref().is_none_or(|own| *own == member.branch);
        alarm.members.iter().any(of_own)
    });
    theirs.ok_or(ApiError::new(ErrorCode::NotFound))
}

async fn viewed(hub: &Hub, who: &SignedIn, id: Uuid) -> ApiResult<AlarmView> {
    let alarm = held(hub, who, id).await?;
    let (own, now) = (own_branch(who)?, hub.clock.now());
    let zone = hub.store.settings().await?.time.zone_at(now);
    let row = row(&alarm, zone, now).ok_or(ApiError::new(ErrorCode::NotFound))?;
    let of_own = |member: &&Member| own.as_ref().is_none_or(|own| *own == member.branch);
    let members = alarm.members.iter().filter(of_own).take(MEMBERS);
    let ids: Vec<ComplaintId> = members.map(|member| member.complaint).collect();
    let mut cases = hub.store.cases(&ids, who.reader()).await?;
    cases.sort_by_key(|case| (case.arrived_at, case.id));
    let members = cases.into_iter().map(|case| AlarmMember {
        id: case.id,
        excerpt: view::excerpt(&case.intake.description),
        reference: case.reference,
        branch: case.branch,
        state: case.state,
        captured_at: case.arrived_at,
    });
    let staff = hub.store.staff().await?;
    let steps = hub.store.alarm_steps(id).await?.into_iter().map(|taken| {
        let by = staff.iter().find(|one| one.id == taken.staff);
        AlarmStepView {
            at: taken.at,
            name: by.map(|one| one.name.clone()).unwrap_or_default(),
            step: taken.step,
            text: taken.text,
        }
    });
    let may = has(who.role(), Right::AnswerAlarms);
    let open = AlarmStep::ALL.into_iter();
    let open = open.filter(|&step| may && alarm.state.after(step).is_some());
    Ok(AlarmView {
        row,
        members: members.collect(),
        steps: steps.collect(),
        allowed: open.collect(),
    })
}

/// None when the reader may see no member.
fn row(alarm: &AlarmHeld, zone: Zone, now: DateTime<Utc>) -> Option<AlarmRow> {
    let (first, last) = (alarm.members.first()?, alarm.members.last()?);
    let since = |time: TimeDelta| {
        let recent = alarm.members.iter();
        recent
            .filter(|member| member.captured_at > now - time)
            .count()
    };
    let branches: std::collections::BTreeSet<&BranchCode> =
        alarm.members.iter().map(|member| &member.branch).collect();
    let body = &alarm.body;
    Some(AlarmRow {
        id: alarm.id,
        kind: alarm.kind,
        state: alarm.state,
        raised_at: alarm.raised_at,
        title: body.title.clone(),
        category: body.category.clone(),
        say: body.say.clone(),
        surge: body.surge.clone(),
        reports: alarm.members.len(),
        branches: branches.len(),
        last_hour: since(TimeDelta::hours(1)),
        last_day: since(TimeDelta::hours(24)),
        first_at: first.captured_at,
        last_at: last.captured_at,
        growth: growth(&alarm.members, zone, now),
    })
}

fn growth(members: &[Member], zone: Zone, now: DateTime<Utc>) -> Vec<DayGrowth> {
    let days: Vec<NaiveDate> = members
        .iter()
        .map(|member| zone.local(member.captured_at).date())
        .collect();
    let (Some(&first), Some(&last)) = (days.first(), days.last()) else {
        return Vec::new();
    };
    let until = zone.local(now).date().max(last);
    let from = first.max(until - TimeDelta::days(DAYS - 1));
    from.iter_days()
        .take_while(|day| *day <= until)
        .map(|day| DayGrowth {
            day,
            count: days.iter().filter(|one| **one == day).count(),
        })
        .collect()
}
