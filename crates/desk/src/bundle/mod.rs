//! The way to the hub without a network: what waits is written into a sealed
//! file, and the hub's receipts come back in another. The outbox stays as it
//! is until a receipt says otherwise, so that a file that is lost loses nothing.

mod export;
mod import;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use suda_sync::bundle::{OpenError, SealError};

use crate::session::SessionError;
use crate::store::StoreError;

/// Why no bundle was written or taken in. The desk is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the receipts are not signed by the hub this computer is enrolled at")]
    ForeignHub,
    #[error("the hub was put back from a backup since; let it take in a new bundle")]
    OtherEpoch,
    #[error("the bundle cannot be made")]
    Seal(#[from] SealError),
    #[error("there is a file {} already", .0.display())]
    Exists(PathBuf),
    #[error("{} cannot be read", .path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the bundle cannot be written to {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<serde_json::Error> for BundleError {
    fn from(error: serde_json::Error) -> Self {
        Self::Seal(error.into())
    }
}

impl BundleError {
    /// What the command exits with, so that scripts can tell.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Open(error) => error.exit_code(),
            Self::ForeignHub => 18,
            Self::OtherEpoch => 19,
            _ => 1,
        }
    }
}

/// A bundle that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct BundleReport {
    /// Absent when nothing waited to be sent.
    pub file: Option<PathBuf>,
    #[cfg_attr(feature = "specta", specta(type = u32))]
    pub bytes: u64,
    pub batches: u32,
    pub events: u32,
    /// Those of the urgent lane among them.
    pub urgent: u32,
    /// Events that did not fit; the next bundle takes them, once the receipts
    /// for this one are in.
    pub left: u32,
}

/// Receipts that were taken in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ReceiptsReport {
    pub receipts: u32,
    /// Events that the hub is now known to have.
    pub confirmed: u32,
    /// Events still without a receipt.
    pub left: u32,
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> BundleError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::AlreadyExists => BundleError::Exists(path),
        _ => BundleError::File { path, source },
    }
}
