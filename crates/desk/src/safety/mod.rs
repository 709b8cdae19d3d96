//! The desk's safety net: copies of the database that prove themselves, and
//! what is done when the file is damaged, old or gone. What happens to single
//! complaints is elsewhere; no SQL here.

pub(crate) mod backup;
mod catch_up;
mod replay;
pub(crate) mod restore;
mod retention;
pub(crate) mod second;
pub(crate) mod seed;
pub(crate) mod shelf;

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::desk::Inner;
pub use backup::{BackupError, BackupKept, BackupReport};
pub use catch_up::RenewError;
pub use second::{BackupsView, SecondPlaceError};

/// What keeps the copies of the data from being as good as they should be.
/// Recording goes on in each of these cases.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum SafetyTrouble {
    /// No room on the disk for another backup.
    NoRoom,
    /// The backup could not be written or did not pass its check.
    BackupFailed,
    /// The second place cannot be written.
    SecondPlace,
    /// The journal of unsent events cannot be written.
    Journal,
    /// The data file has damaged places: the next start puts them right.
    Damaged,
}

/// What was done to the data when the program started, for one sentence to
/// whoever sits there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum StartNotice {
    /// The file lacked what had been written last; it was put back.
    PutBack,
    /// A place in the log beside the file was damaged. What was saved after it
    /// was put back; what a form held that was not saved yet may be older.
    LogDamaged,
    /// The file was damaged or gone; a backup is in its place, and all that
    /// was written after it was put back.
    Restored,
    /// As before, but some of it is only at the hub and comes with the next sync.
    AwaitsHub,
}

impl StartNotice {
    pub fn sentence(self) -> &'static str {
        match self {
            Self::PutBack => {
                "the data file lacked what was written last; it was put back from the journal"
            }
            Self::LogDamaged => {
                "a damaged place in the data was set aside and what was saved was put back; look \
                 again at forms that were not saved yet"
            }
            Self::Restored => {
                "the data file was damaged and is set aside; everything was put back from the \
                 last backup and the journal"
            }
            Self::AwaitsHub => {
                "the data file was damaged or old; what is here was put back, and the rest comes \
                 from the hub with the next sync"
            }
        }
    }
}

/// How the safety net stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SafetyView {
    /// When the newest good backup was taken.
    pub last_backup_at: Option<DateTime<Utc>>,
    pub trouble: Option<SafetyTrouble>,
    /// Since the program started.
    pub notice: Option<StartNotice>,
}

/// The view, shared by those who change it and those who show it.
#[derive(Debug, Default)]
pub(crate) struct Safety {
    view: Mutex<SafetyView>,
}

impl Safety {
    pub(crate) fn view(&self) -> SafetyView {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the view; tells whether it is another than before.
    pub(crate) fn change(&self, change: impl FnOnce(&mut SafetyView)) -> bool {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *view;
        change(&mut view);
        *view != before
    }
}

impl Inner {
    pub(crate) fn safety_view(&self) -> SafetyView {
        let mut view = self.safety.view();
        if self.store.journal_fails() {
            view.trouble.get_or_insert(SafetyTrouble::Journal);
        }
        view
    }
}

#[cfg(test)]
mod tests;
