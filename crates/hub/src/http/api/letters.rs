//! Written answers in the console: which there are, making one, and its file.
//! For those who may see the whole complaint; a department, which sees its own
//! task, has no part in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::intake::Language;
use suda_domain::letter::LetterHeld;
use suda_domain::personal::{Found, found};
use suda_domain::{LetterId, LetterKind, Role};
use utoipa::ToSchema;

use super::complaints::visible;
use super::steps::Doing;
use crate::http::body::{At, Body, TEXT};
use crate::http::error::{ApiError, ApiResult, ErrorCode};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::letters::settings::LetterSettings;
use crate::letters::{LetterError, contents, make};

/// Days that a customer may at most be given for the next level.
const MOST_DAYS: u32 = 3_650;
/// Texts an answer consists of.
const MOST_TEXTS: usize = 5;

/// A letter that was made.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct LetterView {
    pub id: LetterId,
    pub kind: LetterKind,
    pub language: Language,
    /// Of the answer it says, from 1.
    pub cycle: u32,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    pub bytes: u64,
    pub made_by: String,
    pub made_at: DateTime<Utc>,
}

/// Which letter of the present answer.
#[derive(Deserialize, ToSchema)]
pub struct LetterAsked {
    pub kind: LetterKind,
    pub language: Language,
}

impl From<&LetterHeld> for LetterView {
    fn from(held: &LetterHeld) -> Self {
        Self {
            id: held.letter.id,
            kind: held.letter.kind,
            language: held.letter.language,
            cycle: held.cycle,
            sha256: held.letter.sha256.clone(),
            bytes: held.letter.bytes,
            made_by: held.made_by.clone(),
            made_at: held.made_at,
        }
    }
}

impl From<LetterError> for ApiError {
    fn from(error: LetterError) -> Self {
        match error {
            LetterError::NotAnswered => Self::new(ErrorCode::NotInThisState),
            LetterError::NoFonts => Self::new(ErrorCode::NoFonts),
            LetterError::Altered => Self::new(ErrorCode::LetterAltered),
            LetterError::Incomplete(problems) => {
                let name = |part| serde_json::to_value(part).ok();
                let parts: Vec<String> = problems
                    .iter()
                    .filter_map(|problem| Some(name(problem.part)?.as_str()?.to_owned()))
                    .collect();
                Self::new(ErrorCode::LetterIncomplete).with("parts", parts.join(","))
            }
            LetterError::Step(error) => error.into(),
            LetterError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

/// The letters of a complaint, of all its cycles, in the order they were made.
#[utoipa::path(
    get, path = "/api/complaints/{id}/letters", tag = "letters",
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<LetterView>), (status = "4XX", body = ApiError))
)]
pub async fn letters(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<String>,
) -> ApiResult<Json<Vec<LetterView>>> {
    let held = visible(&hub, &who, &id).await?;
    Ok(Json(
        held.complaint.letters.iter().map(Into::into).collect(),
    ))
}

/// Makes a letter of the present answer, or gives the one that was made.
#[utoipa::path(
    post, path = "/api/complaints/{id}/letters", tag = "letters", request_body = LetterAsked,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = LetterView), (status = "4XX", body = ApiError))
)]
pub async fn make_letter(
    doing: Doing,
    Body(asked): Body<LetterAsked>,
) -> ApiResult<Json<LetterView>> {
    let complaint = &doing.held.complaint;
    let actor = doing.who.actor();
    let made = make(&doing.hub, complaint, actor, asked.kind, asked.language).await?;
    Ok(Json((&made).into()))
}

/// The file of a letter, as it was made.
#[utoipa::path(
    get, path = "/api/letters/{id}", tag = "letters",
    params(("id" = LetterId, Path)),
    responses(
        (status = 200, content_type = "application/pdf"),
        (status = "4XX", body = ApiError)
    )
)]
pub async fn letter_file(
    State(hub): State<Arc<Hub>>,
    Extension(who): Extension<SignedIn>,
    At(id): At<LetterId>,
) -> ApiResult<Response> {
    let missing = || ApiError::new(ErrorCode::NotFound);
    let (complaint, _) = hub.store.letter_file(id).await?.ok_or_else(missing)?;
    let held = visible(&hub, &who, &complaint.to_string()).await?;
    let mut letters = held.complaint.letters.iter();
    // One the ledger does not name was never given to anybody.
    let named = letters.find(|held| held.letter.id == id);
    let named = named.ok_or_else(missing)?;
    let data = contents(&hub, &named.letter).await?;
    tracing::info!(letter = %id, by = %who.staff.id, "a letter was read");
    let name = format!(
        "inline; filename=\"{}-{}.pdf\"",
        held.complaint.reference,
        named.letter.kind.name()
    );
    let mut response = data.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/pdf"),
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Texts of an answer before it is sent.
#[derive(Deserialize, ToSchema)]
pub struct AnswerTexts {
    pub texts: Vec<String>,
}

/// What in an answer names a person: numbers by their form, and names of staff,
/// who are named on no page of a customer. Nothing is kept or logged of it.
#[utoipa::path(
    post, path = "/api/complaints/{id}/look-over", tag = "letters", request_body = AnswerTexts,
    params(("id" = String, Path, description = "Id or reference number")),
    responses((status = 200, body = Vec<Found>), (status = "4XX", body = ApiError))
)]
pub async fn look_over(
    doing: Doing,
    Body(answer): Body<AnswerTexts>,
) -> ApiResult<Json<Vec<Found>>> {
    let length: usize = answer.texts.iter().map(|text| text.chars().count()).sum();
    if length > MOST_TEXTS * TEXT {
        return Err(ApiError::of_field(ErrorCode::TooLong, "texts"));
    }
    let staff = doing.hub.store.staff().await?;
    // A department's name is the organisation's own.
    let people = staff.iter().filter(|one| one.role != Role::Department);
    let names = people.map(|one| one.name.as_str());
    Ok(Json(found(&answer.texts.join("\n"), names)))
}

/// What letters say beside the answer.
#[utoipa::path(
    get, path = "/api/letter-settings", tag = "letters",
    responses((status = 200, body = LetterSettings), (status = "4XX", body = ApiError))
)]
pub async fn letter_settings(State(hub): State<Arc<Hub>>) -> ApiResult<Json<LetterSettings>> {
    Ok(Json(hub.store.letter_settings().await?))
}

/// Changes it for letters made from now on.
#[utoipa::path(
    put, path = "/api/letter-settings", tag = "letters", request_body = LetterSettings,
    responses((status = 200, body = LetterSettings), (status = "4XX", body = ApiError))
)]
pub async fn put_letter_settings(
    State(hub): State<Arc<Hub>>,
    Body(new): Body<LetterSettings>,
) -> ApiResult<Json<LetterSettings>> {
    let texts = [
        ("next_level", &new.next_level, TEXT),
        ("contact", &new.contact, suda_letter::LONGEST_CONTACT),
    ];
    for (field, text, longest) in texts {
        let each = [&text.zh_cn, &text.zh_tw, &text.en];
        if each.iter().any(|text| text.chars().count() > longest) {
            let error = ApiError::of_field(ErrorCode::TooLong, field);
            return Err(error.with("limit", longest));
        }
    }
    if new.next_level_days > MOST_DAYS {
        return Err(ApiError::of_field(ErrorCode::Malformed, "next_level_days"));
    }
    hub.store.put_letter_settings(&new).await?;
    Ok(Json(new))
}
