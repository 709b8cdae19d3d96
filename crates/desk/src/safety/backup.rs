//! Taking backups: when one is due and what is told when it cannot be done; the
//! folder on another disk is beside this (`second`). A backup never keeps a save waiting and never takes the
//! room a save needs.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::SafetyTrouble;
use crate::desk::{Change, Desk};
use crate::place::PlaceError;
use crate::store::copy::{self, Contents, CopyError};
use crate::store::{StoreError, evidence};

/// Why there is no new backup. The earlier ones are as they were.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the disk has no room for a backup; free {missing_mb} MB")]
    NoRoom { missing_mb: u64 },
    #[error("there is a file {} already", .0.display())]
    Exists(PathBuf),
    #[error("the copy did not pass its check and was thrown away")]
    Unsound(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the data file has damaged places; close the program and start it again")]
    Damaged,
    #[error("the backup cannot be written to {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A backup that was taken and checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BackupReport {
    pub file: PathBuf,
    pub bytes: u64,
    pub events: u64,
    /// Evidence files of which the hub has not all: their contents are sealed
    /// files beside the database, and no backup holds them.
    pub evidence_not_in_it: u64,
}

/// A backup on the shelf.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BackupKept {
    pub file: PathBuf,
    pub bytes: u64,
    pub at: DateTime<Utc>,
    /// Taken before the data were brought up to a newer version.
    pub before_migration: bool,
}

/// Between two backups while something changes.
pub(super) const EVERY: TimeDelta = TimeDelta::minutes(15);
/// How often is looked whether one is due.
const LOOK: Duration = Duration::from_secs(60);
/// Left free beside a backup, for what is recorded meanwhile.
const RESERVE: u64 = 64 << 20;

impl Desk {
    /// Takes a backup whenever one is due, for as long as it is polled.
    pub async fn keep_backups(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(LOOK).await;
            self.back_up_if_due().await;
        }
    }

    /// Takes a backup when the last is older than 15 minutes and something has
    /// changed since. A failure is shown in the status and tried again; it is
    /// no error of whoever calls.
    pub async fn back_up_if_due(&self) -> Option<BackupReport> {
        match self.due().await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                self.note_failure(&error);
                return None;
            }
        }
        match self.back_up_now().await {
            Ok(report) => Some(report),
            Err(error) => {
                self.note_failure(&error);
                None
            }
        }
    }

    /// Takes a backup into the data directory, and into the second place when
    /// one is set.
    pub async fn back_up_now(&self) -> Result<BackupReport, BackupError> {
        let inner = &self.inner;
        if let Err(error) = inner.store.check_pages().await {
            tracing::error!(%error, "the data file has damaged places");
            inner.place.mark_damaged()?;
            return Err(BackupError::Damaged);
        }
        let at = crate::clock::to_millisecond(inner.time.now().0);
        let here = self.to_own_shelf(at).await;
        // Whatever became of the first: its disk may be full or failing.
        let there = self.to_second_place(here.as_ref().ok(), at).await;
        let there = there.inspect_err(|error| {
            tracing::warn!(%error, "no backup in the second place");
        });
        let last_at = match (&here, &there) {
            (Ok(_), _) => Some(at),
            (Err(_), there) => there.as_ref().ok().copied().flatten(),
        };
        self.show_safety(|view| {
            view.last_backup_at = last_at.or(view.last_backup_at);
            view.trouble = there.is_err().then_some(SafetyTrouble::SecondPlace);
        });
        let (report, _) = here?;
        inner.tally.count(|counts| counts.backups += 1);
        Ok(report)
    }

    async fn to_own_shelf(
        &self,
        at: DateTime<Utc>,
    ) -> Result<(BackupReport, Contents), BackupError> {
        let shelf = self.inner.place.shelf();
        let part = shelf.begin(at, None).map_err(file_error(shelf.dir()))?;
        self.room(shelf.dir())?;
        let contents = self.copy(&part).await?;
        let file = shelf.finish(&part).map_err(file_error(&part))?;
        Ok((self.report_of(file, &contents).await?, contents))
    }

    /// Writes a checked copy to a new file, beside whoever works with the data.
    pub async fn back_up_to(&self, file: &Path) -> Result<BackupReport, BackupError> {
        if file.exists() {
            return Err(BackupError::Exists(file.to_owned()));
        }
        let contents = self.copy(file).await?;
        self.report_of(file.to_owned(), &contents).await
    }

    async fn report_of(
        &self,
        file: PathBuf,
        contents: &Contents,
    ) -> Result<BackupReport, BackupError> {
        let bytes = std::fs::metadata(&file).map_err(file_error(&file))?.len();
        Ok(BackupReport {
            file,
            bytes,
            events: contents.mark.events(),
            evidence_not_in_it: self.evidence_here_alone().await?,
        })
    }

    /// Evidence files that are on this disk alone: the hub has not all of them,
    /// and a backup holds their names, not their contents.
    pub(super) async fn evidence_here_alone(&self) -> Result<u64, StoreError> {
        let mut conn = self.inner.store.read().await?;
        Ok(evidence::count_waiting(&mut conn).await?.0)
    }

    pub(super) async fn copy(&self, to: &Path) -> Result<Contents, BackupError> {
        let copied = self.inner.store.copy_to(to).await;
        copied.map_err(|error| match error {
            CopyError::File(source) => file_error(to)(source),
            CopyError::Store(error @ StoreError::Damaged(_)) => {
                tracing::error!(%error, "the data file cannot be read through");
                match self.inner.place.mark_damaged() {
                    Ok(()) => BackupError::Damaged,
                    Err(error) => error.into(),
                }
            }
            CopyError::Store(StoreError::DiskFull) => BackupError::NoRoom { missing_mb: 1 },
            CopyError::Store(error) => error.into(),
            CopyError::Unlike => BackupError::Unsound(Box::new(error)),
            CopyError::Examine(error) => BackupError::Unsound(Box::new(error)),
        })
    }

    /// Whether the disk has room for a copy and for what is recorded meanwhile.
    fn room(&self, dir: &Path) -> Result<(), BackupError> {
        let database = self.inner.place.database();
        let bytes = std::fs::metadata(&database).map_err(file_error(&database))?;
        let needed = bytes.len().saturating_mul(2).saturating_add(RESERVE);
        let free = fs4::available_space(dir).map_err(file_error(dir))?;
        match needed.checked_sub(free) {
            None | Some(0) => Ok(()),
            Some(missing) => Err(BackupError::NoRoom {
                missing_mb: missing.div_ceil(1 << 20),
            }),
        }
    }

    /// The backups in the data directory, the oldest first.
    pub fn backups(&self) -> Result<Vec<BackupKept>, BackupError> {
        let shelf = self.inner.place.shelf();
        let listed = shelf.list().map_err(file_error(shelf.dir()))?;
        let kept = listed.into_iter().map(|kept| {
            let bytes = std::fs::metadata(&kept.path).map_err(file_error(&kept.path))?;
            Ok(BackupKept {
                bytes: bytes.len(),
                file: kept.path,
                at: kept.taken.at,
                before_migration: kept.taken.before_migration,
            })
        });
        kept.collect()
    }

    async fn due(&self) -> Result<bool, BackupError> {
        let shelf = self.inner.place.shelf();
        // A folder that cannot be read has none that counts, and the second
        // place is to get one all the same.
        let listed = shelf.list().unwrap_or_default();
        let Some(newest) = listed.into_iter().rfind(|b| !b.taken.before_migration) else {
            return Ok(self.inner.enrolled().is_ok());
        };
        let at = newest.taken.at;
        // One in the second place may be newer.
        self.show_safety(|view| view.last_backup_at = view.last_backup_at.max(Some(at)));
        let age = self.inner.time.now().0 - at;
        // Ahead of the clock: the clock was set back, and the age is not known.
        if age >= TimeDelta::zero() && age < EVERY {
            return Ok(false);
        }
        let now = copy::mark(&mut *self.inner.store.read().await?).await?;
        let then = self.inner.store.mark_of(&newest.path).await;
        Ok(then.map_or(true, |then| then != now))
    }

    pub(super) fn note_failure(&self, error: &BackupError) {
        self.inner.tally.count(|counts| counts.backups_failed += 1);
        let trouble = match error {
            BackupError::NoRoom { .. } | BackupError::Place(PlaceError::DiskFull) => {
                SafetyTrouble::NoRoom
            }
            BackupError::File { source, .. } if is_full(source) => SafetyTrouble::NoRoom,
            BackupError::Damaged => SafetyTrouble::Damaged,
            _ => SafetyTrouble::BackupFailed,
        };
        tracing::warn!(%error, ?trouble, "no backup");
        self.show_safety(|view| view.trouble = Some(trouble));
    }

    fn show_safety(&self, change: impl FnOnce(&mut super::SafetyView)) {
        if self.inner.safety.change(change) {
            self.inner.tell(Change::Status);
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}

pub(super) fn unsound(error: impl std::error::Error + Send + Sync + 'static) -> BackupError {
    BackupError::Unsound(Box::new(error))
}
