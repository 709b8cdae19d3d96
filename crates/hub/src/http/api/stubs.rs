//! Complaints told by telephone: an expert types the code the clerk reads out,
//! and works from what was told until the record arrives.

use std::sync::Arc;
use suda_domain::time::Timekeeping;

use axum::Json;
use axum::extract::{Extension, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, ComplaintId, Grade, StaffId};
use suda_sync::phone::PhoneCode;
use utoipa::ToSchema;
use uuid::Uuid;

use super::steps::{NoteText, Reason};
use crate::http::body::{At, Body, TEXT, optional, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::phone;
use crate::store::{AddError, PhoneNote, PhoneStub};

/// A record that has not arrived so long after the telephone call needs
/// somebody to ask the branch.
const ALARM: TimeDelta = TimeDelta::minutes(60);
/// How far the clocks of branch and hub may be apart, told in minutes.
const AHEAD: TimeDelta = TimeDelta::minutes(10);

/// What the clerk tells.
#[derive(Deserialize, ToSchema)]
pub struct NewStub {
    /// Eight characters, with or without spaces.
    pub code: String,
    pub branch: String,
    /// When the customer arrived.
    pub arrived_at: DateTime<Utc>,
    pub grade: Grade,
    #[serde(default)]
    pub note: String,
    /// Made by the browser when the form opens; the same a second time writes
    /// no second note.
    pub key: Option<Uuid>,
}

/// The branch it was meant for.
#[derive(Deserialize, ToSchema)]
pub struct RightBranch {
    pub branch: String,
}

/// A complaint known by telephone alone.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StubView {
    pub id: Uuid,
    /// In groups, as it is read aloud.
    pub code: String,
    pub branch: BranchCode,
    pub branch_name: String,
    pub arrived_at: DateTime<Utc>,
    /// When the hour ends.
    pub due_at: DateTime<Utc>,
    pub grade: Grade,
    pub opened_at: DateTime<Utc>,
    pub held_by: StaffId,
    pub held_by_name: String,
    pub notes: Vec<StubNote>,
    /// The record is missing for so long that the branch should be asked.
    pub alarm: bool,
    /// The record it has found.
    pub complaint: Option<ComplaintId>,
    /// When an expert closed it without a record.
    pub closed_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct StubNote {
    pub at: DateTime<Utc>,
    pub by_name: String,
    pub text: String,
}

/// Complaints known by telephone alone, the earliest arrival first.
#[utoipa::path(
    get, path = "/api/phone-stubs", tag = "phone",
    responses((status = 200, body = Vec<StubView>), (status = "4XX", body = ApiError))
)]
pub async fn phone_stubs(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<StubView>>> {
    let known = Known::read(&hub).await?;
    let open = hub.store.open_stubs().await?;
    Ok(Json(
        open.into_iter().map(|stub| known.show(stub)).collect(),
    ))
}

/// Opens one. A second call with the same code leads to the first, and a code
/// whose record is there leads to the record.
#[utoipa::path(
    post, path = "/api/phone-stubs", tag = "phone", request_body = NewStub,
    responses((status = 200, body = StubView), (status = "4XX", body = ApiError))
)]
pub async fn open_stub(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(told): Body<NewStub>,
) -> ApiResult<Json<StubView>> {
    let code: PhoneCode = told
        .code
        .parse()
        .map_err(|_| ApiError::of_field(ErrorCode::BadPhoneCode, "code"))?;
    let branch = branch_of(&told.branch)?;
    let note = optional("note", &told.note, TEXT)?;
    let now = hub.clock.now();
    if told.arrived_at > now + AHEAD {
        return Err(ApiError::of_field(ErrorCode::Malformed, "arrived_at"));
    }
    let id = told.key.unwrap_or_else(Uuid::now_v7);
    let note = (!note.is_empty()).then(|| PhoneNote {
        id: told.key.map_or_else(Uuid::now_v7, note_key),
        at: now,
        by: who.staff.id,
        text: format!("[{}] {note}", code.grouped()),
    });
    let stub = PhoneStub {
        id,
        code,
        branch,
        arrived_at: told.arrived_at,
        grade: told.grade,
        opened_by: who.staff.id,
        opened_at: now,
        held_by: who.staff.id,
        joined: None,
        closed_at: None,
        notes: note.into_iter().collect(),
    };
    let opened = hub.store.open_stub(&stub).await.map_err(refused)?;
    let opened = found(&hub, &who, opened).await?;
    let id = opened.id;
    if let Err(error) = phone::join(&hub, opened).await {
        tracing::warn!(stub = %id, %error, "not joined with its record yet; tried again");
    }
    show(&hub, &who, id).await
}

/// Writes down more of what was told.
#[utoipa::path(
    post, path = "/api/phone-stubs/{id}/note", tag = "phone", request_body = NoteText,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = StubView), (status = "4XX", body = ApiError))
)]
pub async fn note_stub(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<NoteText>,
) -> ApiResult<Json<StubView>> {
    let stub = found(&hub, &who, id).await?;
    let text = required("text", &body.text, TEXT)?;
    let note = note(&hub, &who, &stub, &text);
    if !hub.store.add_stub_note(id, &note).await? {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    show(&hub, &who, id).await
}

/// Takes it over from the expert who has looked after it.
#[utoipa::path(
    post, path = "/api/phone-stubs/{id}/take", tag = "phone",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = StubView), (status = "4XX", body = ApiError))
)]
pub async fn take_stub(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
) -> ApiResult<Json<StubView>> {
    found(&hub, &who, id).await?;
    if !hub.store.hold_stub(id, who.staff.id).await? {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    show(&hub, &who, id).await
}

/// The branch was told or written down wrong: under the right one the stub
/// finds its record.
#[utoipa::path(
    post, path = "/api/phone-stubs/{id}/branch", tag = "phone", request_body = RightBranch,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = StubView), (status = "4XX", body = ApiError))
)]
pub async fn move_stub(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<RightBranch>,
) -> ApiResult<Json<StubView>> {
    let stub = found(&hub, &who, id).await?;
    let branch = branch_of(&body.branch)?;
    if branch == stub.branch {
        return show(&hub, &who, id).await;
    }
    let said = format!("{} → {branch}", stub.branch);
    let note = note(&hub, &who, &stub, &said);
    let moved = hub.store.move_stub(id, &branch, &note).await;
    if !moved.map_err(refused)? {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    let stub = found(&hub, &who, id).await?;
    if let Err(error) = phone::join(&hub, stub).await {
        tracing::warn!(stub = %id, %error, "not joined with its record yet; tried again");
    }
    show(&hub, &who, id).await
}

/// Closes one whose record will not come, with the reason.
#[utoipa::path(
    post, path = "/api/phone-stubs/{id}/close", tag = "phone", request_body = Reason,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = StubView), (status = "4XX", body = ApiError))
)]
pub async fn close_stub(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<Uuid>,
    Body(body): Body<Reason>,
) -> ApiResult<Json<StubView>> {
    let stub = found(&hub, &who, id).await?;
    let reason = required("reason", &body.reason, TEXT)?;
    let note = note(&hub, &who, &stub, &reason);
    if !hub.store.close_stub(id, &note).await? {
        return Err(ApiError::new(ErrorCode::NotInThisState));
    }
    tracing::info!(stub = %id, "what was told by telephone was closed without a record");
    show(&hub, &who, id).await
}

/// What somebody writes down with a stub now, under its code: the complaint's
/// ledger tells from it which call a note is of.
fn note(hub: &Hub, who: &SignedIn, stub: &PhoneStub, text: &str) -> PhoneNote {
    PhoneNote {
        id: Uuid::now_v7(),
        at: hub.clock.now(),
        by: who.staff.id,
        text: format!("[{}] {text}", stub.code.grouped()),
    }
}

fn branch_of(text: &str) -> ApiResult<BranchCode> {
    let branch = BranchCode::try_from(text.trim().to_ascii_uppercase());
    branch.map_err(|_| ApiError::of_field(ErrorCode::UnknownBranch, "branch"))
}

fn refused(error: AddError) -> ApiError {
    match error {
        AddError::UnknownBranch => ApiError::of_field(ErrorCode::UnknownBranch, "branch"),
        AddError::Store(error) => error.into(),
        AddError::Exists | AddError::AlreadyInitialised => ApiError::new(ErrorCode::AlreadyExists),
    }
}

/// The first note's key, made from the stub's and of the same time.
fn note_key(stub: Uuid) -> Uuid {
    Uuid::from_u128(stub.as_u128() ^ 1)
}

async fn found(hub: &Hub, who: &SignedIn, id: Uuid) -> ApiResult<PhoneStub> {
    let stub = hub.store.stub(id, who.reader()).await?;
    stub.ok_or_else(|| ApiError::new(ErrorCode::NotFound))
}

async fn show(hub: &Hub, who: &SignedIn, id: Uuid) -> ApiResult<Json<StubView>> {
    let stub = found(hub, who, id).await?;
    Ok(Json(Known::read(hub).await?.show(stub)))
}

/// What a view needs beside the stub.
struct Known {
    time: Arc<Timekeeping>,
    now: DateTime<Utc>,
    branches: Vec<crate::store::Branch>,
    staff: Vec<suda_domain::staff::StaffRecord>,
}

impl Known {
    async fn read(hub: &Hub) -> ApiResult<Self> {
        Ok(Self {
            time: hub.store.settings().await?.time,
            now: hub.clock.now(),
            branches: hub.store.branches().await?,
            staff: hub.store.staff_with_role(suda_domain::Role::Expert).await?,
        })
    }

    fn name(&self, id: StaffId) -> String {
        let member = self.staff.iter().find(|member| member.id == id);
        member.map(|member| member.name.clone()).unwrap_or_default()
    }

    fn show(&self, stub: PhoneStub) -> StubView {
        let branch = self.branches.iter().find(|known| known.code == stub.branch);
        let hour = TimeDelta::minutes(i64::from(self.time.latest().handoff));
        StubView {
            id: stub.id,
            code: stub.code.grouped(),
            branch_name: branch.map(|known| known.name.clone()).unwrap_or_default(),
            branch: stub.branch,
            arrived_at: stub.arrived_at,
            due_at: stub.arrived_at + hour,
            grade: stub.grade,
            opened_at: stub.opened_at,
            held_by: stub.held_by,
            held_by_name: self.name(stub.held_by),
            closed_at: stub.closed_at,
            alarm: stub.joined.is_none()
                && stub.closed_at.is_none()
                && self.now >= stub.opened_at + ALARM,
            complaint: stub.joined.map(|(id, _)| id),
            notes: stub
                .notes
                .into_iter()
                .map(|note| StubNote {
                    at: note.at,
                    by_name: self.name(note.by),
                    text: note.text,
                })
                .collect(),
        }
    }
}
