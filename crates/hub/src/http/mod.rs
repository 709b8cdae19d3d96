//! The hub's doors: the desks' (`/v1`), the console's (`/api`), the customer's
//! (`/s`), the pages' files, and what operators look at. Handlers are thin; rules are behind them.

pub mod access;
pub mod api;
pub mod body;
mod compare;
pub mod device;
pub mod error;
pub mod evidence;
mod hello;
pub mod live;
mod news;
pub mod session;
mod statistics;
pub mod status;
mod twins;
pub mod ui;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::hub::Hub;
use crate::store::StoreError;

const API_BODY: usize = 256 * 1024;
/// A batch of 512 KB of texts, with its signature, and what may come beside.
const SYNC_BODY: usize = 4 * 1024 * 1024;
const ENROL_BODY: usize = 16 * 1024;
const API_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than a watch is kept waiting.
const SYNC_TIMEOUT: Duration = Duration::from_secs(40);
/// No inline script, nothing from elsewhere. Element Plus sets style attributes.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Suda hub",
    description = "The console's API. Sign in with /api/login; a cookie carries the session. \
                   Under /s/api the customer's status page; /s/api/look-up gives its token. \
                   Errors are codes; the pages have the sentences."
))]
struct Described;

/// The address of a short question (see [`news`]).
fn short(question: &str) -> String {
    format!("/v1/{question}/{{device}}/{{incarnation}}/{{session}}/{{cursor}}/{{directory}}")
}

/// The console's routes with their description, from the same list.
fn described() -> (Router<Arc<Hub>>, OpenApi) {
    use api::{
        admin, alarms, board, complaints, course, desks, duties, escalations, evidence, learning,
        letters, links, lists, quarantine, recusal, same_answer, similar, sms, steps, stubs, tasks,
        time,
    };
    let timed = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(session::me))
        .routes(routes!(lists::categories))
        .routes(routes!(lists::departments))
        .routes(routes!(lists::colleagues))
        .routes(routes!(lists::pauses))
        .routes(routes!(complaints::work_orders))
        .routes(routes!(complaints::complaint))
        .routes(routes!(complaints::search))
        .routes(routes!(steps::claim))
        .routes(routes!(steps::renew))
        .routes(routes!(steps::release))
        .routes(routes!(steps::return_to_branch))
        .routes(routes!(steps::dispatch))
        .routes(routes!(steps::report))
        .routes(routes!(steps::request_approval))
        .routes(routes!(steps::approve))
        .routes(routes!(steps::disapprove))
        .routes(routes!(steps::start_solving))
        .routes(routes!(steps::implement))
        .routes(routes!(steps::answer))
        .routes(routes!(steps::call_back))
        .routes(routes!(steps::note))
        .routes(routes!(steps::close))
        .routes(routes!(steps::pause))
        .routes(routes!(steps::resume))
        .routes(routes!(steps::grade))
        .routes(routes!(course::ask))
        .routes(routes!(course::reply))
        .routes(routes!(course::recall_task))
        .routes(routes!(course::request_extension))
        .routes(routes!(course::extend))
        .routes(routes!(course::refuse_extension))
        .routes(routes!(course::ask_comments))
        .routes(routes!(course::comment))
        .routes(routes!(course::progress))
        .routes(routes!(course::call_back_tried))
        .routes(routes!(course::assign_call_back))
        .routes(routes!(course::decide_finally))
        .routes(routes!(duties::duties))
        .routes(routes!(steps::withdraw))
        .routes(routes!(steps::reopen))
        .routes(routes!(steps::acknowledge))
        .routes(routes!(recusal::people))
        .routes(routes!(recusal::recuse))
        .routes(routes!(recusal::lift_recusal))
        .routes(routes!(links::links))
        .routes(routes!(links::link))
        .routes(routes!(similar::similar))
        .routes(routes!(same_answer::same_answer))
        .routes(routes!(same_answer::outcome_pairs))
        .routes(routes!(same_answer::answer_suggestions))
        .routes(routes!(alarms::alarms))
        .routes(routes!(alarms::alarm))
        .routes(routes!(alarms::acknowledge_alarm))
        .routes(routes!(alarms::explain_alarm))
        .routes(routes!(alarms::close_alarm))
        .routes(routes!(alarms::look_for_alarms))
        .routes(routes!(links::unlink))
        .routes(routes!(links::answer_linked))
        .routes(routes!(stubs::phone_stubs, stubs::open_stub))
        .routes(routes!(stubs::note_stub))
        .routes(routes!(stubs::take_stub))
        .routes(routes!(stubs::move_stub))
        .routes(routes!(stubs::close_stub))
        .routes(routes!(sms::sms))
        .routes(routes!(sms::retry_sms))
        .routes(routes!(sms::dismiss_sms))
        .routes(routes!(sms::release_held))
        .routes(routes!(sms::discard_held))
        .routes(routes!(evidence::list))
        .routes(routes!(evidence::file))
        .routes(routes!(evidence::reads))
        .routes(routes!(letters::letters, letters::make_letter))
        .routes(routes!(letters::letter_file))
        .routes(routes!(letters::look_over))
        .routes(routes!(
            letters::letter_settings,
            letters::put_letter_settings
        ))
        .routes(routes!(tasks::tasks))
        .routes(routes!(tasks::accept))
        .routes(routes!(tasks::reject))
        .routes(routes!(tasks::report))
        .routes(routes!(board::board))
        .routes(routes!(escalations::escalations))
        .routes(routes!(escalations::seen))
        .routes(routes!(desks::desks))
        .routes(routes!(admin::branches, admin::add_branch))
        .routes(routes!(admin::staff, admin::add_staff))
        .routes(routes!(admin::set_active))
        .routes(routes!(admin::set_password))
        .routes(routes!(admin::set_superior))
        .routes(routes!(admin::set_duty_phone))
        .routes(routes!(admin::devices))
        .routes(routes!(admin::make_code))
        .routes(routes!(admin::guidance, admin::put_guidance))
        .routes(routes!(time::rules, time::change))
        .routes(routes!(time::preview))
        .routes(routes!(learning::learning))
        .routes(routes!(learning::train))
        .routes(routes!(learning::use_version))
        .routes(routes!(learning::forget))
        .routes(routes!(learning::set_costs))
        .routes(routes!(learning::export))
        .routes(routes!(quarantine::quarantine))
        .routes(routes!(quarantine::resolve))
        .routes(routes!(quarantine::holders))
        .routes(routes!(quarantine::entrust))
        .routes(routes!(status::look_up))
        .routes(routes!(status::case))
        .routes(routes!(status::steps::rate))
        .routes(routes!(status::steps::reopen))
        .routes(routes!(status::steps::reply))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            API_TIMEOUT,
        ));
    // The stream of changes goes on for hours, and a large file takes a while.
    let untimed = OpenApiRouter::new()
        .routes(routes!(live::live))
        .routes(routes!(evidence::add))
        .routes(routes!(status::steps::evidence));
    let (router, mut openapi) = timed.merge(untimed).split_for_parts();
    openapi.info.version = env!("CARGO_PKG_VERSION").to_owned();
    openapi.info.license = None;
    (router, openapi)
}

/// The description of the console's API.
pub fn openapi() -> OpenApi {
    described().1
}

/// Everything the hub serves to the outside.
pub fn router(hub: Arc<Hub>) -> Router {
    let (api, openapi) = described();
    let api = api
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(&hub),
            session::gate,
        ))
        .layer(DefaultBodyLimit::max(API_BODY))
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    let desks = Router::new()
        .route(
            "/v1/sync",
            post(device::sync).layer(DefaultBodyLimit::max(SYNC_BODY)),
        )
        .route(
            "/v1/enrol",
            post(device::enrol).layer(DefaultBodyLimit::max(ENROL_BODY)),
        )
        .route("/v1/evidence/{file}/{offset}", put(evidence::slice))
        // Desks pack what they send; the bounds hold for what comes out of it.
        .layer(RequestDecompressionLayer::new())
        .layer(fixed("accept-encoding", "gzip"))
        .route(&short("look"), get(news::look))
        .route(&short("watch"), get(news::wait))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            SYNC_TIMEOUT,
        ));
    let described = Arc::new(openapi);
    let probes = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route(
            "/openapi.json",
            get(async move || axum::Json(described.as_ref().clone())),
        );
    let files = Router::new()
        .route("/", get(ui::root))
        .route("/console", get(ui::console))
        .route("/console/", get(ui::console))
        .route("/console/{*path}", get(ui::console))
        .route("/s", get(ui::status))
        .route("/s/", get(ui::status))
        .route("/s/{*path}", get(ui::status))
        .route("/suda.svg", get(ui::mark))
        .route("/assets/{*path}", get(ui::asset));
    // Streams are told at once, never gathered by a compressor; a batch's
    // receipt is small and a desk waits for it.
    let compress = CompressionLayer::new().compress_when(
        SizeAbove::new(1024)
            .and(NotForContentType::SSE)
            .and(NotForContentType::IMAGES)
            .and(NotForContentType::const_new("audio/"))
            .and(NotForContentType::const_new("video/"))
            .and(NotForContentType::const_new("application/pdf")),
    );
    // For browsers; a desk on a narrow line is not sent what it has no use for.
    let people = api
        .merge(probes)
        .merge(files)
        .fallback(async || error::ApiError::new(error::ErrorCode::NoSuchRoute))
        .layer(fixed("content-security-policy", POLICY))
        .layer(fixed("x-content-type-options", "nosniff"))
        .layer(fixed("referrer-policy", "no-referrer"))
        .layer(fixed("x-frame-options", "DENY"))
        .layer(fixed("cross-origin-opener-policy", "same-origin"));
    people
        .merge(desks)
        .layer(middleware::from_fn_with_state(Arc::clone(&hub), counted))
        .layer(middleware::from_fn(close_unread))
        .layer(compress)
        .with_state(hub)
}

fn fixed(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    )
}

/// Bodies up to this size are read even of a request that is refused.
const READ_ANYWAY: u64 = 16 * 1024;

/// A large request may be refused before its body was read, and the connection
/// then ends with the answer. Who asked is told so, and does not send the next
/// question into it.
async fn close_unread(request: Request, next: Next) -> Response {
    let told = request.headers().get(header::CONTENT_LENGTH);
    let length = told.and_then(|told| told.to_str().ok()?.parse().ok());
    let large = request.headers().contains_key(header::TRANSFER_ENCODING)
        || length.is_some_and(|length: u64| length > READ_ANYWAY);
    let mut response = next.run(request).await;
    let status = response.status();
    if large && (status.is_client_error() || status.is_server_error()) {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Counts answers by route, never by address: addresses hold ids.
async fn counted(
    State(hub): State<Arc<Hub>>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    hub.metrics
        .answered(method.as_str(), route, response.status().as_u16());
    response
}

async fn ready(State(hub): State<Arc<Hub>>) -> Response {
    match hub.store.ready().await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::warn!(%error, "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer").into_response()
        }
    }
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    let counted = async {
        let set_aside = hub.store.set_aside_counts(hub.clock.now()).await?;
        Ok::<_, StoreError>((hub.store.counts().await?, set_aside))
    };
    match counted.await {
        Ok((counts, set_aside)) => {
            let kind = [(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )];
            (kind, hub.metrics.text(&counts, &set_aside)).into_response()
        }
        Err(error) => error::ApiError::from(error).into_response(),
    }
}
