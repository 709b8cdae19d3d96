//! Signing in to the console: a cookie whose hash the store keeps, and the
//! gate every console request passes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use suda_domain::staff::StaffRecord;
use suda_domain::{Actor, BranchCode, Role, StaffId};
use utoipa::ToSchema;

use super::access;
use super::body::Body;
use super::error::{ApiError, ApiResult, ErrorCode};
use crate::hub::Hub;
use crate::secret;
use crate::store::Reader;

const COOKIE: &str = "suda_session";
/// A working day and some; then everybody signs in again.
const SESSION_HOURS: i64 = 12;
const LONGEST_CREDENTIAL: usize = 200;

/// Who makes this request.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub staff: StaffRecord,
    token: [u8; 32],
}

impl SignedIn {
    pub fn actor(&self) -> Actor {
        Actor {
            staff: Some(self.staff.id),
            name: self.staff.name.clone(),
            role: self.staff.role,
            branch: self.staff.branch.clone(),
        }
    }

    /// For whatever is read for this person.
    pub fn reader(&self) -> Reader {
        Reader::Person(self.staff.id)
    }

    pub fn role(&self) -> Role {
        self.staff.role
    }

    /// Whether the sign-in still holds, for answers that go on for long.
    pub async fn still_holds(&self, hub: &Hub) -> bool {
        matches!(
            hub.store.session(self.token, hub.clock.now()).await,
            Ok(Some(_))
        )
    }
}

#[derive(Deserialize, ToSchema)]
pub struct Credentials {
    pub login: String,
    pub password: String,
}

/// The signed-in member of staff.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub id: StaffId,
    pub login: String,
    pub name: String,
    pub role: Role,
    pub branch: Option<BranchCode>,
    pub branch_name: Option<String>,
    pub organisation: String,
}

/// Signs in and sets the cookie.
#[utoipa::path(
    post, path = "/api/login", tag = "session", request_body = Credentials,
    responses((status = 200, body = Me), (status = "4XX", body = ApiError))
)]
pub async fn login(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    Body(credentials): Body<Credentials>,
) -> ApiResult<Response> {
    let Credentials { login, password } = credentials;
    if login.len() > LONGEST_CREDENTIAL || password.len() > LONGEST_CREDENTIAL {
        return Err(ApiError::new(ErrorCode::WrongCredentials));
    }
    let login = login.trim().to_owned();
    if let Some(seconds) = hub.logins.wait_s(&login, hub.clock.now()) {
        return Err(ApiError::new(ErrorCode::TooManyTries).with("retry_s", seconds));
    }
    let found = hub
        .store
        .staff_by_login(&login)
        .await?
        .filter(|staff| staff.active);
    let hash = found.as_ref().map(|staff| staff.password_hash.clone());
    let fits = tokio::task::spawn_blocking(move || match hash {
        Some(hash) => secret::password_fits(&password, &hash),
        // An unknown name takes as long as a wrong password.
        None => {
            let _as_long = secret::hash_password(&password);
            false
        }
    })
    .await
    .map_err(|error| ApiError::internal(&error))?;
    let Some(staff) = found.filter(|_| fits) else {
        hub.logins.failed(&login, hub.clock.now());
        return Err(ApiError::new(ErrorCode::WrongCredentials));
    };
    hub.logins.succeeded(&login);
    let token = secret::token();
    let until = hub.clock.now() + TimeDelta::hours(SESSION_HOURS);
    hub.store
        .open_session(secret::digest(&token), staff.id, until)
        .await?;
    let me = me_of(&hub, &staff).await?;
    let cookie = cookie(&token, SESSION_HOURS * 3600, is_https(&headers))?;
    Ok(([(header::SET_COOKIE, cookie)], Json(me)).into_response())
}

/// Signs out.
#[utoipa::path(
    post, path = "/api/logout", tag = "session",
    responses((status = 204), (status = "4XX", body = ApiError))
)]
pub async fn logout(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    hub.store.close_session(who.token).await?;
    let cookie = cookie("", 0, is_https(&headers))?;
    Ok((
        axum::http::StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, cookie)],
    )
        .into_response())
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/me", tag = "session",
    responses((status = 200, body = Me), (status = "4XX", body = ApiError))
)]
pub async fn me(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
) -> ApiResult<Json<Me>> {
    me_of(&hub, &who.staff).await.map(Json)
}

async fn me_of(hub: &Hub, staff: &StaffRecord) -> ApiResult<Me> {
    let branch_name = match &staff.branch {
        None => None,
        Some(code) => {
            let branches = hub.store.branches().await?;
            branches
                .into_iter()
                .find(|branch| branch.code == *code)
                .map(|branch| branch.name)
        }
    };
    Ok(Me {
        id: staff.id,
        login: staff.login.clone(),
        name: staff.name.clone(),
        role: staff.role,
        branch: staff.branch.clone(),
        branch_name,
        organisation: hub.store.settings().await?.organisation,
    })
}

/// The gate: finds what the route asks and who calls, and lets pass or not.
pub async fn gate(
    State(hub): State<Arc<Hub>>,
    route: MatchedPath,
    mut request: Request,
    next: Next,
) -> ApiResult<Response> {
    let method = request.method().clone();
    let access = access::of(method.as_str(), route.as_str())
        .ok_or_else(|| ApiError::new(ErrorCode::NoSuchRoute))?;
    if method != Method::GET && is_foreign(request.headers()) {
        return Err(ApiError::new(ErrorCode::ForeignOrigin));
    }
    if access == access::Access::Anyone {
        return Ok(next.run(request).await);
    }
    let who = signed_in(&hub, request.headers()).await?;
    if !access.admits(who.role()) {
        return Err(ApiError::new(ErrorCode::NotAllowed));
    }
    request.extensions_mut().insert(who);
    Ok(next.run(request).await)
}

async fn signed_in(hub: &Hub, headers: &HeaderMap) -> ApiResult<SignedIn> {
    let token = presented(headers).ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn))?;
    let token = secret::digest(token);
    let staff = hub.store.session(token, hub.clock.now()).await?;
    let staff = staff.ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn))?;
    Ok(SignedIn { staff, token })
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token)
}

/// A page of another site must not act with this site's cookie. SameSite
/// says it already; this also holds for browsers that do not know it.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let from = origin.split_once("://").map_or(origin, |(_, host)| host);
    // Behind a proxy the outer name stands in the forwarded header.
    let here = headers
        .get("x-forwarded-host")
        .and_then(|value| value.to_str().ok());
    here.or(text(header::HOST)) != Some(from)
}

fn is_https(headers: &HeaderMap) -> bool {
    headers
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https")
}

fn cookie(token: &str, seconds: i64, secure: bool) -> ApiResult<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).map_err(|error| ApiError::internal(&error))
}
