//! What a desk does: records complaints in an encrypted store, keeps the hour,
//! and brings everything to the hub. Knows no window; the rules are in the
//! domain crate, the steps of the sync in the sync crate.

mod advise;
mod answers;
mod arrival;
mod backlog;
mod bundle;
pub mod cli;
mod clock;
mod compare;
mod correct;
mod csv_read;
mod desk;
mod enrol;
mod evidence;
mod fold;
mod import;
mod journal;
mod key;
mod lan;
mod mask;
mod model;
mod pen;
mod place;
mod record;
mod report;
mod runner;
mod safety;
mod session;
mod spare;
mod standing;
mod statistics;
mod steps;
mod store;
mod sweep;
mod take_over;
mod time;
mod transport;
mod twins;
mod unsent;
mod verify;
pub mod view;

pub use backlog::ReadError;
pub use bundle::{BundleError, BundleReport, ReceiptsReport};
pub use clock::{Clock, SystemClock};
pub use desk::{Change, Desk, EnrolmentView, OpenError};
pub use enrol::EnrolError;
pub use evidence::{
    AddEvidenceError, ContentsError, EvidenceSource, GivenUp, Incoming, ReadEvidenceError,
    TakeInError,
};
#[cfg(feature = "fuzzing")]
pub use import::read_through;
pub use import::{
    BadImportRow, Columns, HandoffChoice, ImportError, ImportEvent, ImportOptions, ImportReport,
    ImportedRow, RowError, TableError,
};
pub use journal::DraftError;
pub use key::{KeyError, KeySource};
pub use lan::{LanDesk, LanError, LanFound, LanRole, LanTrouble, LanView};
pub use model::ModelStatus;
pub use place::PlaceError;
pub use record::RecordError;
pub use report::{StatusReport, Unsent};
pub use runner::{SyncError, SyncSummary};
pub use safety::{
    BackupError, BackupKept, BackupReport, BackupsView, RenewError, SafetyTrouble, SafetyView,
    SecondPlaceError, StartNotice,
};
pub use session::{Session, SessionError, SignInError};
pub use steps::StepError;
pub use store::StoreError;
pub use suda_sync::bundle::OpenError as BundleFault;
pub use sweep::SweepError;
pub use take_over::TakenOver;
pub use transport::TransportError;
pub use verify::{BadRow, Fault, VerifyReport};
