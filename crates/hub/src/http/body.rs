//! JSON bodies and queries whose faults are told by the API's own errors.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use suda_domain::text::clean;

use super::error::{ApiError, ApiResult, ErrorCode};

/// A JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// The query of the address.
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let Query(asked) = Query::from_request_parts(parts, state).await?;
        Ok(Self(asked))
    }
}

/// A part of the address. What is no such id belongs to nothing.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let part = Path::from_request_parts(parts, state).await;
        let Path(part) = part.map_err(|_| ApiError::new(ErrorCode::NotFound))?;
        Ok(Self(part))
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let too_large = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(if too_large {
            ErrorCode::TooLarge
        } else {
            ErrorCode::Malformed
        })
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        Self::new(ErrorCode::Malformed)
    }
}

/// Characters a text of several lines may have.
pub const TEXT: usize = 5_000;
/// Characters a name or title may have.
pub const LINE: usize = 200;

/// A text that has to be there, cleaned.
pub fn required(field: &str, raw: &str, limit: usize) -> ApiResult<String> {
    let text = optional(field, raw, limit)?;
    if text.is_empty() {
        Err(ApiError::of_field(ErrorCode::Required, field))
    } else {
        Ok(text)
    }
}

/// A text that may be empty, cleaned.
pub fn optional(field: &str, raw: &str, limit: usize) -> ApiResult<String> {
    let text = clean(raw);
    if text.chars().count() > limit {
        return Err(ApiError::of_field(ErrorCode::TooLong, field).with("limit", limit));
    }
    Ok(text)
}
