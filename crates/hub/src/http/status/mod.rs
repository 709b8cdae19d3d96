//! The customer's doors: the look-up, and behind it the one complaint it
//! opened. The token travels in a header, not in a cookie, so no other site
//! can use it. What the customer does there is in `steps`.

pub mod steps;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use suda_domain::{ComplaintId, ReferenceNumber};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::api::steps::ClickKey;
use super::body::Body;
use super::error::{ApiError, ApiResult, ErrorCode};
use crate::hub::Hub;
use crate::metrics::LookUp as Counted;
use crate::status::token::LASTS;
use crate::status::view::{StatusCase, Viewing, answered_by};
use crate::status::way::Way;
use crate::store::{Held, Reader};

/// Every look-up that fails takes this long: longer than any of the questions
/// it asks the store, so that its time tells nothing, and a brake in itself.
const FAILS_AFTER: Duration = Duration::from_millis(300);
/// Characters a reference number may be typed with.
const TYPED: usize = 100;

/// Who asks: the address that tries are counted under.
pub struct From(pub IpAddr);

impl FromRequestParts<Arc<Hub>> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let lines = parts.headers.get_all("x-forwarded-for");
        let lines = lines.iter().filter_map(|line| line.to_str().ok());
        Ok(Self(hub.status.proxies().client(peer, lines)))
    }
}

/// A number and what shows that it is one's own: the digits or the key.
#[derive(Deserialize, ToSchema)]
pub struct LookUp {
    pub reference: String,
    /// The last four digits of the telephone number given with the complaint.
    pub last4: Option<String>,
    /// From the receipt's code.
    pub key: Option<String>,
}

/// The complaint, and what opens it again for half an hour.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Opened {
    /// For the header `Authorization: Bearer …`.
    pub token: String,
    /// Seconds it lasts.
    pub lasts_s: i64,
    pub case: StatusCase,
}

/// Opens a complaint. A wrong number, wrong digits, an anonymous complaint and
/// none at all are answered alike and after the same time.
#[utoipa::path(
    post, path = "/s/api/look-up", tag = "status", operation_id = "customer_looks_up",
    request_body = LookUp,
    responses((status = 200, body = Opened), (status = "4XX", body = ApiError))
)]
pub async fn look_up(
    State(hub): State<Arc<Hub>>,
    From(from): From,
    Body(asked): Body<LookUp>,
) -> ApiResult<Json<Opened>> {
    let began = Instant::now();
    let way = match (&asked.key, &asked.last4) {
        (Some(key), _) => Way::key(key),
        (None, Some(last4)) => Way::digits(last4),
        (None, None) => return Err(ApiError::of_field(ErrorCode::Required, "last4")),
    };
    let short = asked.reference.len() <= TYPED;
    let reference: Option<ReferenceNumber> = short.then(|| asked.reference.parse().ok()).flatten();
    let now = hub.clock.now();
    let limits = &hub.status.limits;
    let begun = limits.begin(&*hub.store, from, reference.as_ref(), &way, now);
    let tried = match begun.await? {
        Ok(tried) => tried,
        Err(wait) => {
            let brake = wait.brake.name();
            let address = hub.status.limits.name_of(from);
            tracing::warn!(brake, address, ?way, "a look-up was held up");
            hub.metrics.looked_up(Counted::HeldUp);
            let error = ApiError::new(ErrorCode::TooManyTries);
            return Err(error.with("retry_s", wait.seconds));
        }
    };
    let found = match &reference {
        Some(reference) => find(&hub, reference, &way).await?,
        None => None,
    };
    let case = match &found {
        Some(held) => show(&hub, held).await?,
        None => None,
    };
    let Some((held, case)) = found.zip(case) else {
        let address = hub.status.limits.name_of(from);
        tracing::info!(address, ?way, "a look-up failed");
        hub.metrics.looked_up(Counted::Refused);
        tokio::time::sleep_until(began + FAILS_AFTER).await;
        return Err(ApiError::new(ErrorCode::WrongCredentials));
    };
    tried.was_right(&*hub.store).await?;
    hub.metrics.looked_up(Counted::Opened);
    Ok(Json(Opened {
        token: hub.status.tokens.make(held.complaint.id, now),
        lasts_s: LASTS.num_seconds(),
        case,
    }))
}

async fn find(hub: &Hub, reference: &ReferenceNumber, way: &Way) -> ApiResult<Option<Held>> {
    let Some(id) = hub.store.find_reference(reference, Reader::Program).await? else {
        return Ok(None);
    };
    let held = hub.store.complaint(id, Reader::Program).await?;
    Ok(held.filter(|held| way.opens(&held.complaint)))
}

/// The complaint as its customer sees it.
async fn show(hub: &Hub, held: &Held) -> ApiResult<Option<StatusCase>> {
    let settings = hub.store.settings().await?;
    let mut staff = Vec::new();
    for id in answered_by(&held.complaint) {
        let member = hub.store.staff_member(id).await?;
        staff.extend(member.map(|member| member.name));
    }
    let viewing = Viewing {
        complaint: &held.complaint,
        settings: &settings,
        now: hub.clock.now(),
        staff: &staff,
    };
    Ok(viewing.view())
}

/// The customer of the complaint that the token names.
pub struct Customer {
    pub hub: Arc<Hub>,
    pub held: Held,
    key: Option<Uuid>,
}

impl FromRequestParts<Arc<Hub>> for Customer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> ApiResult<Self> {
        let ClickKey(key) = ClickKey::from_request_parts(parts, hub).await?;
        let not_known = || ApiError::new(ErrorCode::NotSignedIn);
        let header = parts.headers.get(header::AUTHORIZATION);
        let token = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let id: Option<ComplaintId> =
            token.and_then(|token| hub.status.tokens.read(token, hub.clock.now()));
        let id = id.ok_or_else(not_known)?;
        let held = hub
            .store
            .complaint(id, Reader::Program)
            .await?
            .ok_or_else(not_known)?;
        Ok(Self {
            hub: Arc::clone(hub),
            held,
            key,
        })
    }
}

impl Customer {
    async fn show(self) -> ApiResult<Json<StatusCase>> {
        let case = show(&self.hub, &self.held).await?;
        case.map(Json)
            .ok_or_else(|| ApiError::new(ErrorCode::NotSignedIn))
    }
}

/// The complaint as it is now.
#[utoipa::path(
    get, path = "/s/api/case", tag = "status", operation_id = "customer_case",
    responses((status = 200, body = StatusCase), (status = "4XX", body = ApiError))
)]
pub async fn case(customer: Customer) -> ApiResult<Json<StatusCase>> {
    customer.show().await
}
