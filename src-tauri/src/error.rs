//! What a command answers when it cannot do what was asked: a code the window
//! has words for, never a sentence of the program's.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use suda_desk::{
    AddEvidenceError, BundleError, BundleFault as OpenFault, ContentsError, DraftError, EnrolError,
    KeyError, LanError, OpenError, PlaceError, ReadError, ReadEvidenceError, RecordError,
    SecondPlaceError, SessionError, SignInError, StepError, StoreError, TakeInError,
    TransportError,
};
use suda_domain::Refusal;
use suda_domain::intake::{Field, Problem};
use uuid::Uuid;

/// How the window speaks of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Something is broken or cannot be reached.
    Fault,
    /// Not possible now.
    State,
    /// Not allowed for this person.
    Denied,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    NotEnrolled,
    AlreadyEnrolled,
    HubUnreachable,
    /// The hub answers, but is overloaded or failing.
    HubFailing,
    /// Not an address at all.
    AddressInvalid,
    /// What answers at the address is no hub.
    HubNotSuda,
    CodeUnknown,
    CodeUsed,
    CodeExpired,
    VersionMismatch,
    SignInFailed,
    /// `params.seconds` says how long.
    SignInWait,
    SignedOut,
    Locked,
    /// `problems` say what to mend.
    FormIncomplete,
    OverrideReasonMissing,
    /// The complaint is about who records it: a colleague has to go on.
    AboutYou,
    /// It is about that person, or about somebody below them.
    RefusedRecused,
    /// More than the branch may give: the experts have to.
    RefusedAmount,
    /// `params.limit` says how many characters fit.
    TextTooLong,
    NotFound,
    RefusedState,
    RefusedRole,
    RefusedOwner,
    RefusedIncomplete,
    RefusedOther,
    /// Into the folder chosen for a bundle.
    FileNotWritten,
    /// The second place for backups.
    FolderMissing,
    /// It is where the data are.
    FolderOfData,
    /// Cut short or altered.
    BundleDamaged,
    /// For another desk, or of another hub or epoch.
    BundleForeign,
    BundleUnreadable,
    /// No mailbox answers at the address.
    LanUnreachable,
    /// What answers is no mailbox.
    LanNotMailbox,
    LanCodeWrong,
    /// The mailbox shows no code.
    LanCodeNone,
    /// Of another branch or hub, or not the computer it was.
    LanForeign,
    DiskFull,
    DiskFailing,
    ReadOnly,
    Damaged,
    /// The database is gone although this computer is enrolled.
    DataMissing,
    /// The database is another computer's, or an older copy.
    DataOfAnother,
    WrongKey,
    /// The keyring works or the file's place is known, but no key is there.
    KeyMissing,
    InUse,
    KeyringMissing,
    FileUnreadable,
    FileEmpty,
    /// `params.limit` says how many megabytes fit.
    FileTooLarge,
    FileTypeNotTaken,
    /// `params.limit` says how many files a complaint can have.
    FileTooMany,
    Internal,
}

/// An error as the window gets it.
#[derive(Clone, Debug, Serialize, Deserialize, specta::Type)]
pub struct AppError {
    pub tone: Tone,
    pub code: ErrorCode,
    pub field: Option<Field>,
    pub problems: Vec<Problem>,
    pub params: BTreeMap<String, String>,
    /// Stands in the log beside the details.
    pub trace: String,
}

impl AppError {
    fn new(tone: Tone, code: ErrorCode) -> Self {
        Self {
            tone,
            code,
            field: None,
            problems: Vec::new(),
            params: BTreeMap::new(),
            trace: Uuid::new_v4()
                .simple()
                .to_string()
                .chars()
                .take(8)
                .collect(),
        }
    }

    pub fn state(code: ErrorCode) -> Self {
        Self::new(Tone::State, code)
    }

    fn too_long(limit: u32) -> Self {
        Self::limited(ErrorCode::TextTooLong, limit)
    }

    fn limited(code: ErrorCode, limit: impl ToString) -> Self {
        let mut answer = Self::state(code);
        answer.params.insert("limit".to_owned(), limit.to_string());
        answer
    }

    /// A fault, with its causes in the log under the trace.
    pub fn fault(code: ErrorCode, error: &dyn Error) -> Self {
        let answer = Self::new(Tone::Fault, code);
        tracing::error!(trace = %answer.trace, ?code, "{}", with_causes(error));
        answer
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        // Writing to a string does not fail.
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}

// One door for each operation's errors: which code, and whether it is a fault.

impl From<&OpenError> for AppError {
    fn from(error: &OpenError) -> Self {
        let code = match error {
            OpenError::Place(place) => place_code(place),
            OpenError::Key(_) => return Self::from_key(error),
            OpenError::WrongKey => ErrorCode::WrongKey,
            OpenError::Damaged | OpenError::BackupUnsound => ErrorCode::Damaged,
            OpenError::NoCopy(_) => ErrorCode::DiskFull,
            OpenError::DatabaseMissing => ErrorCode::DataMissing,
            OpenError::OtherDevice => ErrorCode::DataOfAnother,
            OpenError::Empty => ErrorCode::NotEnrolled,
            OpenError::Newer => ErrorCode::VersionMismatch,
            OpenError::Rules(_) => ErrorCode::Internal,
            OpenError::Store(store) => store_code(store),
        };
        Self::fault(code, error)
    }
}

impl AppError {
    fn from_key(error: &OpenError) -> Self {
        let code = match error {
            OpenError::Key(KeyError::KeyringUnavailable(_)) => ErrorCode::KeyringMissing,
            OpenError::Key(KeyError::NotInKeyring | KeyError::FileMissing(_)) => {
                ErrorCode::KeyMissing
            }
            _ => ErrorCode::WrongKey,
        };
        Self::fault(code, error)
    }
}

fn place_code(error: &PlaceError) -> ErrorCode {
    match error {
        PlaceError::InUse(_) => ErrorCode::InUse,
        PlaceError::ReadOnly(_) => ErrorCode::ReadOnly,
        PlaceError::DiskFull => ErrorCode::DiskFull,
        PlaceError::Damaged(_) => ErrorCode::Damaged,
        PlaceError::Io { .. } => ErrorCode::Internal,
    }
}

fn store_code(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::DiskFull => ErrorCode::DiskFull,
        StoreError::DiskFailing(_) => ErrorCode::DiskFailing,
        StoreError::ReadOnly => ErrorCode::ReadOnly,
        StoreError::Damaged(_) => ErrorCode::Damaged,
        _ => ErrorCode::Internal,
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::fault(store_code(&error), &error)
    }
}

impl From<SessionError> for AppError {
    fn from(error: SessionError) -> Self {
        Self::state(match error {
            SessionError::NotEnrolled => ErrorCode::NotEnrolled,
            SessionError::SignedOut => ErrorCode::SignedOut,
        })
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        let (tone, code) = match refusal {
            Refusal::State | Refusal::AlreadyRecorded => (Tone::State, ErrorCode::RefusedState),
            Refusal::Role | Refusal::OtherBranch => (Tone::Denied, ErrorCode::RefusedRole),
            Refusal::NotOwner | Refusal::OwnerAhead => (Tone::State, ErrorCode::RefusedOwner),
            Refusal::Incomplete => (Tone::State, ErrorCode::RefusedIncomplete),
            Refusal::Recused => (Tone::Denied, ErrorCode::RefusedRecused),
            Refusal::NeedsApproval => (Tone::State, ErrorCode::RefusedAmount),
            _ => (Tone::State, ErrorCode::RefusedOther),
        };
        Self::new(tone, code)
    }
}

impl From<SignInError> for AppError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Failed => Self::state(ErrorCode::SignInFailed),
            SignInError::Wait { seconds } => {
                let mut answer = Self::state(ErrorCode::SignInWait);
                answer
                    .params
                    .insert("seconds".to_owned(), seconds.to_string());
                answer
            }
            SignInError::Session(error) => error.into(),
        }
    }
}

impl From<EnrolError> for AppError {
    fn from(error: EnrolError) -> Self {
        let code = match &error {
            EnrolError::AlreadyEnrolled => return Self::state(ErrorCode::AlreadyEnrolled),
            EnrolError::CodeUnknown => return Self::state(ErrorCode::CodeUnknown),
            EnrolError::CodeUsed => return Self::state(ErrorCode::CodeUsed),
            EnrolError::CodeExpired => return Self::state(ErrorCode::CodeExpired),
            EnrolError::VersionMismatch => ErrorCode::VersionMismatch,
            EnrolError::Transport(TransportError::NotSuda | TransportError::TooLarge) => {
                ErrorCode::HubNotSuda
            }
            EnrolError::Transport(TransportError::Address) => ErrorCode::AddressInvalid,
            EnrolError::Transport(_) => ErrorCode::HubUnreachable,
            EnrolError::HubFailing(_) => ErrorCode::HubFailing,
            EnrolError::Rules(_) => ErrorCode::Internal,
            EnrolError::Place(place) => place_code(place),
            EnrolError::Store(store) => store_code(store),
        };
        Self::fault(code, &error)
    }
}

impl From<DraftError> for AppError {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Session(error) => error.into(),
            DraftError::Store(error) => error.into(),
        }
    }
}

impl From<RecordError> for AppError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Problems(problems) => Self {
                problems,
                ..Self::state(ErrorCode::FormIncomplete)
            },
            RecordError::OverrideReasonMissing => Self::state(ErrorCode::OverrideReasonMissing),
            RecordError::ReasonTooLong { limit } => Self::too_long(limit),
            RecordError::AboutYou => Self::new(Tone::Denied, ErrorCode::AboutYou),
            RecordError::Refused(refusal) => refusal.into(),
            RecordError::Session(error) => error.into(),
            RecordError::Store(error) => error.into(),
        }
    }
}

impl From<ReadError> for AppError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::state(ErrorCode::NotFound),
            ReadError::Session(error) => error.into(),
            ReadError::Store(error) => error.into(),
        }
    }
}

impl From<BundleError> for AppError {
    fn from(error: BundleError) -> Self {
        let code = match error {
            BundleError::Session(error) => return error.into(),
            BundleError::Store(error) => return error.into(),
            BundleError::Seal(_) => return Self::fault(ErrorCode::Internal, &error),
            BundleError::File { .. } | BundleError::Exists(_) => ErrorCode::FileNotWritten,
            BundleError::Open(OpenFault::Truncated | OpenFault::Altered) => {
                ErrorCode::BundleDamaged
            }
            BundleError::Open(OpenFault::ForAnother)
            | BundleError::ForeignHub
            | BundleError::OtherEpoch => ErrorCode::BundleForeign,
            BundleError::Open(OpenFault::Newer) => ErrorCode::VersionMismatch,
            BundleError::Open(_) | BundleError::Unreadable { .. } => ErrorCode::BundleUnreadable,
        };
        Self::state(code)
    }
}

impl From<SecondPlaceError> for AppError {
    fn from(error: SecondPlaceError) -> Self {
        match error {
            SecondPlaceError::NoFolder(_) => Self::state(ErrorCode::FolderMissing),
            SecondPlaceError::OwnFolder => Self::state(ErrorCode::FolderOfData),
            SecondPlaceError::Place(error) => Self::fault(place_code(&error), &error),
            SecondPlaceError::Store(error) => error.into(),
        }
    }
}

impl From<LanError> for AppError {
    fn from(error: LanError) -> Self {
        let code = match error {
            LanError::Session(error) => return error.into(),
            LanError::Store(error) => return error.into(),
            LanError::Denied => return Self::new(Tone::Denied, ErrorCode::RefusedRole),
            LanError::Tls(_) | LanError::Discovery(_) => {
                return Self::fault(ErrorCode::Internal, &error);
            }
            LanError::Unreachable(_) | LanError::Busy => ErrorCode::LanUnreachable,
            LanError::NotAMailbox => ErrorCode::LanNotMailbox,
            LanError::WrongCode => ErrorCode::LanCodeWrong,
            LanError::NoCode => ErrorCode::LanCodeNone,
            LanError::OtherKey
            | LanError::NotPaired
            | LanError::OtherBranch
            | LanError::OtherHub => ErrorCode::LanForeign,
            LanError::Version => ErrorCode::VersionMismatch,
            LanError::IsMailbox | LanError::NotMailbox => ErrorCode::RefusedState,
            LanError::Address(_) => ErrorCode::AddressInvalid,
        };
        Self::state(code)
    }
}

impl From<AddEvidenceError> for AppError {
    fn from(error: AddEvidenceError) -> Self {
        match error {
            AddEvidenceError::NotFound => Self::state(ErrorCode::NotFound),
            AddEvidenceError::NotAFile => Self::state(ErrorCode::FileUnreadable),
            AddEvidenceError::KindDoesNotFit => Self::state(ErrorCode::FileTypeNotTaken),
            AddEvidenceError::TooMany { limit } => Self::limited(ErrorCode::FileTooMany, limit),
            AddEvidenceError::TakeIn(error) => error.into(),
            AddEvidenceError::Refused(refusal) => refusal.into(),
            AddEvidenceError::Session(error) => error.into(),
            AddEvidenceError::Store(error) => error.into(),
        }
    }
}

impl From<TakeInError> for AppError {
    fn from(error: TakeInError) -> Self {
        let code = match &error {
            TakeInError::Unreadable(_) | TakeInError::Changed => ErrorCode::FileUnreadable,
            TakeInError::Empty => ErrorCode::FileEmpty,
            TakeInError::TooLarge { limit } => {
                let megabytes = limit / 1024 / 1024;
                return Self::limited(ErrorCode::FileTooLarge, megabytes);
            }
            TakeInError::TypeNotTaken => ErrorCode::FileTypeNotTaken,
            TakeInError::DiskFull => return Self::fault(ErrorCode::DiskFull, &error),
            TakeInError::Disk(_) => return Self::fault(ErrorCode::DiskFailing, &error),
        };
        Self::state(code)
    }
}

impl From<ReadEvidenceError> for AppError {
    fn from(error: ReadEvidenceError) -> Self {
        match error {
            ReadEvidenceError::NotFound
            | ReadEvidenceError::Contents(ContentsError::Missing)
            | ReadEvidenceError::TooLarge => Self::state(ErrorCode::NotFound),
            ReadEvidenceError::Recorded => Self::state(ErrorCode::RefusedState),
            ReadEvidenceError::Contents(_) => Self::fault(ErrorCode::FileUnreadable, &error),
            ReadEvidenceError::Session(error) => error.into(),
            ReadEvidenceError::Store(error) => error.into(),
        }
    }
}

impl From<StepError> for AppError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::NotFound => Self::state(ErrorCode::NotFound),
            StepError::Refused(refusal) => refusal.into(),
            StepError::TextTooLong { limit } => Self::too_long(limit),
            StepError::Session(error) => error.into(),
            StepError::Store(error) => error.into(),
        }
    }
}
