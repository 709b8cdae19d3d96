//! What the console is told when something does not go: a code, never prose.
//! The console has a sentence for each code in each language.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use suda_domain::Refusal;
use utoipa::ToSchema;

use crate::store::{AddError, AlongRefused, StepError, StepRefused, StoreError};

/// How it is said: something broke, it is not possible now, or not for you.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Fault,
    State,
    Denied,
}

/// Every reason the console's API can give.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    NotSignedIn,
    WrongCredentials,
    /// `retry_s`: seconds to wait.
    TooManyTries,
    NotAllowed,
    /// The request comes from another site.
    ForeignOrigin,
    NotFound,
    NoSuchRoute,
    Malformed,
    TooLarge,
    /// Not a picture, scan or recording that is taken as evidence.
    FileTypeNotTaken,
    /// `limit`: characters.
    TooLong,
    Required,
    InThePast,
    NotInThisState,
    NotOwner,
    /// `name`: who has it.
    ClaimedByOther,
    NotClaimed,
    TaskNotOpen,
    Incomplete,
    NeedsApproval,
    /// More than the management group has approved.
    AboveApproved,
    /// So large a sum needs more votes than were asked for.
    MoreVotes,
    /// Who asked may not decide, and nobody votes twice.
    SamePerson,
    /// Who handled the case may not call back.
    Handler,
    /// The customer has to be asked before it is closed.
    NotCalledBack,
    /// Measures of the plan are not done.
    MeasuresOpen,
    /// The deadline has passed, or the new one is not later, or is too late.
    TooLate,
    ExtendedAlready,
    FinallyDecided,
    /// `parts`: what the letter lacks or cannot hold, with commas between.
    LetterIncomplete,
    /// No font with Chinese characters is installed.
    NoFonts,
    /// A letter's file is not the one whose hash is in the ledger.
    LetterAltered,
    /// It is about them, or about somebody below them.
    Recused,
    /// Not possible between these complaints.
    NotLinkable,
    /// It follows the other case no more.
    NoLongerLinked,
    /// Its customer was not content with this very answer.
    NotContent,
    /// The case that leads has no report or no decision to give on.
    NothingToGive,
    /// `reference`: whose customer the summary names.
    SummaryNamesCustomer,
    /// `reference`: whose customer the answer or the report names.
    AnswerNamesCustomer,
    AlreadyExists,
    UnknownBranch,
    UnknownDepartment,
    UnknownCategory,
    BadBranchCode,
    /// The policy knows no such reason for a pause.
    UnknownPause,
    /// A telephone code that was misheard or mistyped.
    BadPhoneCode,
    BadLogin,
    /// `least`: characters.
    WeakPassword,
    /// Not a number that can take an SMS.
    NotMobile,
    BranchRequired,
    /// Somebody has changed it since it was looked at.
    Outdated,
    /// Rules of time that cannot hold; their preview says why.
    RulesUnusable,
    /// An administrator cannot lock themselves out.
    OwnAccount,
    Busy,
    DiskFull,
    Internal,
}

/// The body of every answer that is not a success.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiError {
    pub code: ErrorCode,
    pub params: BTreeMap<String, String>,
    /// The field of the request it concerns.
    pub field: Option<String>,
    pub tone: Tone,
    /// For finding it in the hub's log.
    pub trace: String,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(code: ErrorCode) -> Self {
        let random: u64 = rand::random();
        Self {
            code,
            params: BTreeMap::new(),
            field: None,
            tone: code.tone(),
            trace: format!("{random:016x}"),
        }
    }

    pub fn of_field(code: ErrorCode, field: &str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(code)
        }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    /// A fault whose cause goes to the log, not to the browser.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        let error = Self::new(ErrorCode::Internal);
        tracing::error!(trace = error.trace, cause = %Chain(cause), "a request failed");
        error
    }
}

/// An error with its sources in one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

impl ErrorCode {
    fn tone(self) -> Tone {
        use ErrorCode::*;
        match self {
            NotSignedIn | WrongCredentials | TooManyTries | NotAllowed | ForeignOrigin => {
                Tone::Denied
            }
            Busy | DiskFull | NoFonts | LetterAltered | Internal => Tone::Fault,
            _ => Tone::State,
        }
    }

    fn status(self) -> StatusCode {
        use ErrorCode::*;
        match self {
            NotSignedIn | WrongCredentials => StatusCode::UNAUTHORIZED,
            TooManyTries => StatusCode::TOO_MANY_REQUESTS,
            NotAllowed | ForeignOrigin => StatusCode::FORBIDDEN,
            NotFound | NoSuchRoute => StatusCode::NOT_FOUND,
            Malformed => StatusCode::BAD_REQUEST,
            TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            TooLong | Required | InThePast | Incomplete | UnknownBranch | UnknownDepartment
            | UnknownCategory | UnknownPause | BadBranchCode | BadPhoneCode | BadLogin
            | WeakPassword | NotMobile | BranchRequired | FileTypeNotTaken | RulesUnusable
            | LetterIncomplete => StatusCode::UNPROCESSABLE_ENTITY,
            NotInThisState | NotOwner | ClaimedByOther | NotClaimed | TaskNotOpen
            | NeedsApproval | AboveApproved | MoreVotes | SamePerson | Handler | NotCalledBack
            | MeasuresOpen | TooLate | ExtendedAlready | FinallyDecided | Recused | NotLinkable
            | NoLongerLinked | NotContent | NothingToGive | SummaryNamesCustomer
            | AnswerNamesCustomer | AlreadyExists | OwnAccount | Outdated => StatusCode::CONFLICT,
            Busy | DiskFull | NoFonts => StatusCode::SERVICE_UNAVAILABLE,
            Internal | LetterAltered => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.code.status(), Json(self)).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::new(ErrorCode::Busy),
            StoreError::Full => {
                tracing::error!("the disk is full");
                Self::new(ErrorCode::DiskFull)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<AddError> for ApiError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Exists | AddError::AlreadyInitialised => Self::new(ErrorCode::AlreadyExists),
            AddError::UnknownBranch => Self::of_field(ErrorCode::UnknownBranch, "branch"),
            AddError::Store(error) => error.into(),
        }
    }
}

impl From<StepError> for ApiError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Unknown => Self::new(ErrorCode::NotFound),
            StepError::Refused(StepRefused::ClaimedBy(name)) => {
                Self::new(ErrorCode::ClaimedByOther).with("name", name)
            }
            StepError::Refused(StepRefused::Barred) => Self::new(ErrorCode::NotFound),
            StepError::Refused(StepRefused::Along(refused)) => not_along(refused),
            StepError::Refused(StepRefused::Rule(refusal)) => Self::new(refused(refusal)),
            StepError::Store(error) => error.into(),
        }
    }
}

fn not_along(refused: AlongRefused) -> ApiError {
    let (code, named) = match refused {
        AlongRefused::Parted => (ErrorCode::NoLongerLinked, None),
        AlongRefused::NotContent => (ErrorCode::NotContent, None),
        AlongRefused::NothingToGive => (ErrorCode::NothingToGive, None),
        AlongRefused::SummaryNames(of) => (ErrorCode::SummaryNamesCustomer, Some(of)),
        AlongRefused::AnswerNames(of) => (ErrorCode::AnswerNamesCustomer, Some(of)),
    };
    let error = ApiError::new(code);
    match named {
        Some(of) => error.with("reference", of),
        None => error,
    }
}

fn refused(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotABeginning
        | Refusal::AlreadyRecorded
        | Refusal::State
        | Refusal::OwnerAhead => ErrorCode::NotInThisState,
        Refusal::Role | Refusal::OtherBranch => ErrorCode::NotAllowed,
        Refusal::NotOwner => ErrorCode::NotOwner,
        Refusal::ClaimedByOther => ErrorCode::ClaimedByOther,
        Refusal::NotClaimed => ErrorCode::NotClaimed,
        Refusal::Task => ErrorCode::TaskNotOpen,
        Refusal::Incomplete => ErrorCode::Incomplete,
        Refusal::NeedsApproval => ErrorCode::NeedsApproval,
        Refusal::AboveApproved => ErrorCode::AboveApproved,
        Refusal::MoreVotes => ErrorCode::MoreVotes,
        Refusal::SamePerson => ErrorCode::SamePerson,
        Refusal::Handler => ErrorCode::Handler,
        Refusal::NotCalledBack => ErrorCode::NotCalledBack,
        Refusal::MeasuresOpen => ErrorCode::MeasuresOpen,
        Refusal::TooLate => ErrorCode::TooLate,
        Refusal::ExtendedAlready => ErrorCode::ExtendedAlready,
        Refusal::FinallyDecided => ErrorCode::FinallyDecided,
        Refusal::Recused => ErrorCode::Recused,
        Refusal::Link => ErrorCode::NotLinkable,
    }
}
