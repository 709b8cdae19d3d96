//! Branches, staff, desks, enrolment codes and guidance.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::guidance::Guidance;
use suda_domain::intake::Language;
use suda_domain::staff::StaffRecord;
use suda_domain::texts::Mobile;
use suda_domain::{BranchCode, DeviceId, Role, StaffId};
use utoipa::ToSchema;

use super::mask;
use crate::admin::{self, AddStaffError, NewStaff, SuperiorError};
use crate::closing;
use crate::http::body::{At, Body, LINE, TEXT, required};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::store::Branch;
use crate::store::sms::DutyPhone;

#[derive(Serialize, Deserialize, ToSchema)]
pub struct BranchRow {
    pub code: BranchCode,
    pub name: String,
    pub active: bool,
}

#[derive(Deserialize, ToSchema)]
pub struct NewBranch {
    /// 2 to 10 capital letters and digits, beginning with a letter.
    pub code: String,
    pub name: String,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct StaffRow {
    pub id: StaffId,
    pub login: String,
    pub name: String,
    pub role: Role,
    pub branch: Option<BranchCode>,
    pub active: bool,
    /// Who stands directly above them.
    pub superior: Option<StaffId>,
    /// Masked.
    pub duty_phone: Option<String>,
    /// In which language it is texted.
    pub duty_language: Option<Language>,
}

#[derive(Deserialize, ToSchema)]
pub struct NewStaffBody {
    pub login: String,
    pub name: String,
    pub role: Role,
    /// Of clerks and branch managers.
    pub branch: Option<BranchCode>,
    /// Without it one is made.
    pub password: Option<String>,
}

/// A new member and, when it was made here, their password: shown once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AddedStaff {
    pub staff: StaffRow,
    pub password: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct Active {
    pub active: bool,
}

#[derive(Deserialize, ToSchema)]
pub struct Superior {
    /// Absent for nobody.
    pub superior: Option<StaffId>,
}

#[derive(Deserialize, ToSchema)]
pub struct NewDutyPhone {
    /// A mobile number; empty for none. Absent, the number stays and only the
    /// language changes: the console knows the number masked and cannot say
    /// it again.
    pub phone: Option<String>,
    #[serde(default)]
    pub language: Language,
}

#[derive(Deserialize, ToSchema)]
pub struct NewPassword {
    /// Without it one is made.
    pub password: Option<String>,
}

/// The password when it was made here: shown once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PasswordSet {
    pub password: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct DeviceRow {
    pub id: DeviceId,
    pub incarnation: u32,
    pub branch: BranchCode,
    pub letter: String,
    pub name: String,
    pub enrolled_at: DateTime<Utc>,
    pub last_seen: Option<DateTime<Utc>>,
    /// Hub's time minus the device's at the last hello, in milliseconds.
    pub offset_ms: Option<i64>,
    /// How often the device's clock was noticed to have been set.
    pub clock_jumps: u32,
    pub last_jump_at: Option<DateTime<Utc>>,
    /// How far, in milliseconds: forward when positive, back when negative.
    pub last_jump_by_ms: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
pub struct CodeFor {
    pub branch: BranchCode,
}

/// A one-time code: single use, ten minutes.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EnrolmentCode {
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

#[derive(Deserialize, ToSchema)]
pub struct NewGuidance {
    pub category: String,
    pub title: String,
    pub text: String,
    /// What a branch may give without asking, in minor units.
    pub limit_minor: Option<i64>,
}

/// All branches.
#[utoipa::path(
    get, path = "/api/admin/branches", tag = "admin",
    responses((status = 200, body = Vec<BranchRow>), (status = "4XX", body = ApiError))
)]
pub async fn branches(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<BranchRow>>> {
    let rows = hub.store.branches().await?.into_iter();
    Ok(Json(
        rows.map(|b| BranchRow {
            code: b.code,
            name: b.name,
            active: b.active,
        })
        .collect(),
    ))
}

/// Adds a branch.
#[utoipa::path(
    post, path = "/api/admin/branches", tag = "admin", request_body = NewBranch,
    responses((status = 200, body = BranchRow), (status = "4XX", body = ApiError))
)]
pub async fn add_branch(
    State(hub): State<Arc<Hub>>,
    Body(body): Body<NewBranch>,
) -> ApiResult<Json<BranchRow>> {
    let code = body.code.trim().parse();
    let code: BranchCode =
        code.map_err(|_| ApiError::of_field(ErrorCode::BadBranchCode, "code"))?;
    let name = required("name", &body.name, LINE)?;
    hub.store
        .add_branch(&Branch {
            code: code.clone(),
            name: name.clone(),
            active: true,
        })
        .await?;
    Ok(Json(BranchRow {
        code,
        name,
        active: true,
    }))
}

fn staff_row(record: StaffRecord, phone: Option<&DutyPhone>) -> StaffRow {
    StaffRow {
        duty_phone: phone.map(|phone| mask::number(&phone.to.as_recorded())),
        duty_language: phone.map(|phone| phone.language),
        id: record.id,
        login: record.login,
        name: record.name,
        role: record.role,
        branch: record.branch,
        active: record.active,
        superior: record.superior,
    }
}

/// All staff.
#[utoipa::path(
    get, path = "/api/admin/staff", tag = "admin",
    responses((status = 200, body = Vec<StaffRow>), (status = "4XX", body = ApiError))
)]
pub async fn staff(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<StaffRow>>> {
    let phones = hub.store.duty_phones().await?;
    let phones: HashMap<StaffId, DutyPhone> = phones.into_iter().collect();
    let staff = hub.store.staff().await?.into_iter();
    Ok(Json(
        staff
            .map(|record| {
                let phone = phones.get(&record.id);
                staff_row(record, phone)
            })
            .collect(),
    ))
}

/// Adds a member of staff.
#[utoipa::path(
    post, path = "/api/admin/staff", tag = "admin", request_body = NewStaffBody,
    responses((status = 200, body = AddedStaff), (status = "4XX", body = ApiError))
)]
pub async fn add_staff(
    State(hub): State<Arc<Hub>>,
    Body(body): Body<NewStaffBody>,
) -> ApiResult<Json<AddedStaff>> {
    let new = NewStaff {
        login: required("login", &body.login, LINE)?,
        name: required("name", &body.name, LINE)?,
        role: body.role,
        branch: body.branch,
        password: body.password,
    };
    let added = admin::add_staff(hub.store.as_ref(), new).await?;
    Ok(Json(AddedStaff {
        staff: staff_row(added.record, None),
        password: added.made_password,
    }))
}

impl From<AddStaffError> for ApiError {
    fn from(error: AddStaffError) -> Self {
        match error {
            AddStaffError::Login => Self::of_field(ErrorCode::BadLogin, "login"),
            AddStaffError::Password => Self::of_field(ErrorCode::WeakPassword, "password")
                .with("least", admin::SHORTEST_PASSWORD),
            AddStaffError::Branch => Self::of_field(ErrorCode::BranchRequired, "branch"),
            AddStaffError::Role => Self::of_field(ErrorCode::Malformed, "role"),
            AddStaffError::Hash(error) => Self::internal(&error),
            AddStaffError::Add(error) => error.into(),
        }
    }
}

/// Lets a member sign in, or not any more.
#[utoipa::path(
    post, path = "/api/admin/staff/{id}/active", tag = "admin", request_body = Active,
    params(("id" = StaffId, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn set_active(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<StaffId>,
    Body(body): Body<Active>,
) -> ApiResult<StatusCode> {
    if id == who.staff.id && !body.active {
        return Err(ApiError::new(ErrorCode::OwnAccount));
    }
    let is_known = hub.store.set_active(id, body.active).await?;
    if is_known && !body.active {
        closing::take_back_tasks(&hub, id).await?;
        closing::give_back_cases(&hub, id).await?;
    }
    found(is_known)
}

/// Says who stands directly above a member. Whom a complaint is about, and
/// everybody above them, can neither see nor handle it.
#[utoipa::path(
    post, path = "/api/admin/staff/{id}/superior", tag = "admin", request_body = Superior,
    params(("id" = StaffId, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn set_superior(
    State(hub): State<Arc<Hub>>,
    At(id): At<StaffId>,
    Body(body): Body<Superior>,
) -> ApiResult<StatusCode> {
    let malformed = || ApiError::of_field(ErrorCode::Malformed, "superior");
    match admin::set_superior(hub.store.as_ref(), id, body.superior).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(SuperiorError::Unknown) if body.superior.is_none() => found(false),
        Err(SuperiorError::Unknown | SuperiorError::Circle) => Err(malformed()),
        Err(SuperiorError::Store(error)) => Err(error.into()),
    }
}

/// Says under which mobile number a member is texted when they are told of a
/// deadline. The number is shown masked from then on.
#[utoipa::path(
    post, path = "/api/admin/staff/{id}/duty-phone", tag = "admin", request_body = NewDutyPhone,
    params(("id" = StaffId, Path)),
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn set_duty_phone(
    State(hub): State<Arc<Hub>>,
    At(id): At<StaffId>,
    Body(body): Body<NewDutyPhone>,
) -> ApiResult<StatusCode> {
    let not_mobile = || ApiError::of_field(ErrorCode::NotMobile, "phone");
    let to = match body.phone.as_deref().map(str::trim) {
        None => {
            let mut phones = hub.store.duty_phones().await?.into_iter();
            phones.find(|(of, _)| *of == id).map(|(_, phone)| phone.to)
        }
        Some("") => None,
        Some(given) => Some(Mobile::read(given).ok_or_else(not_mobile)?),
    };
    let phone = to.map(|to| DutyPhone {
        to,
        language: body.language,
    });
    found(hub.store.set_duty_phone(id, phone.as_ref()).await?)
}

/// Gives a member a new password and ends their sign-ins.
#[utoipa::path(
    post, path = "/api/admin/staff/{id}/password", tag = "admin", request_body = NewPassword,
    params(("id" = StaffId, Path)),
    responses((status = 200, body = PasswordSet), (status = "4XX", body = ApiError))
)]
pub async fn set_password(
    State(hub): State<Arc<Hub>>,
    At(id): At<StaffId>,
    Body(body): Body<NewPassword>,
) -> ApiResult<Json<PasswordSet>> {
    let (hash, made) = admin::password_hash(body.password).await?;
    found(hub.store.set_password(id, &hash).await?)?;
    Ok(Json(PasswordSet { password: made }))
}

fn found(found: bool) -> ApiResult<StatusCode> {
    if found {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::new(ErrorCode::NotFound))
    }
}

/// All desks.
#[utoipa::path(
    get, path = "/api/admin/devices", tag = "admin",
    responses((status = 200, body = Vec<DeviceRow>), (status = "4XX", body = ApiError))
)]
pub async fn devices(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<DeviceRow>>> {
    let rows = hub
        .store
        .devices()
        .await?
        .into_iter()
        .map(|device| DeviceRow {
            id: device.id,
            incarnation: device.incarnation,
            branch: device.branch,
            letter: device.letter,
            name: device.name,
            enrolled_at: device.enrolled_at,
            last_seen: device.last_seen,
            offset_ms: device.offset_ms,
            clock_jumps: device.clock.jumps,
            last_jump_at: device.clock.last_at,
            last_jump_by_ms: device.clock.last_by_ms,
        });
    Ok(Json(rows.collect()))
}

/// Makes a one-time code for a new desk.
#[utoipa::path(
    post, path = "/api/admin/enrolment-codes", tag = "admin", request_body = CodeFor,
    responses((status = 200, body = EnrolmentCode), (status = "4XX", body = ApiError))
)]
pub async fn make_code(
    State(hub): State<Arc<Hub>>,
    Body(body): Body<CodeFor>,
) -> ApiResult<Json<EnrolmentCode>> {
    let made = admin::make_code(hub.store.as_ref(), body.branch, hub.clock.now()).await?;
    Ok(Json(EnrolmentCode {
        code: made.code,
        expires_at: made.expires_at,
    }))
}

/// The guidance in force.
#[utoipa::path(
    get, path = "/api/admin/guidance", tag = "admin",
    responses((status = 200, body = Vec<Guidance>), (status = "4XX", body = ApiError))
)]
pub async fn guidance(State(hub): State<Arc<Hub>>) -> ApiResult<Json<Vec<Guidance>>> {
    Ok(Json(hub.store.guidance().await?))
}

/// Puts a new version of a category's guidance in force.
#[utoipa::path(
    post, path = "/api/admin/guidance", tag = "admin", request_body = NewGuidance,
    responses((status = 200, body = Guidance), (status = "4XX", body = ApiError))
)]
pub async fn put_guidance(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    Body(body): Body<NewGuidance>,
) -> ApiResult<Json<Guidance>> {
    if hub.rules.tree.get(&body.category).is_none() {
        return Err(ApiError::of_field(ErrorCode::UnknownCategory, "category"));
    }
    let mut guidance = Guidance {
        category: body.category,
        version: 0,
        title: required("title", &body.title, LINE)?,
        text: required("text", &body.text, TEXT)?,
        limit_minor: body.limit_minor.filter(|limit| *limit >= 0),
    };
    guidance.version = hub
        .store
        .put_guidance(&guidance, Some(who.staff.id), hub.clock.now())
        .await?;
    Ok(Json(guidance))
}
