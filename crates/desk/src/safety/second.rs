//! The second place: a folder on another disk that gets each backup too, also
//! when the first disk takes none.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::SafetyTrouble;
use super::backup::{BackupError, BackupReport, EVERY, file_error, unsound};
use super::shelf::Shelf;
use crate::desk::Desk;
use crate::place::{IdentityFile, PlaceError};
use crate::store::StoreError;
use crate::store::copy::{Contents, CopyError};

/// Why a folder was not taken as the second place. The setting is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SecondPlaceError {
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    #[error("the folder holds the data themselves; choose one on another disk")]
    OwnFolder,
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How the copies of the data stand, for the window's settings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct BackupsView {
    /// When the newest good backup was taken, in either place.
    pub last_at: Option<DateTime<Utc>>,
    pub trouble: Option<SafetyTrouble>,
    pub second_place: Option<String>,
    /// When the newest backup there was taken.
    pub second_at: Option<DateTime<Utc>>,
    /// It is on the disk the data are on, and is lost with it; not known on
    /// every system.
    pub same_disk: bool,
    /// Evidence files of which the hub has not all: no backup holds them.
    pub evidence_here_alone: u32,
}

/// The desk's own folder in the second place.
pub(super) fn shelf(identity: &IdentityFile) -> Option<Shelf> {
    let place = identity.second_place.as_ref()?;
    Some(Shelf::new(place.join(format!("suda-{}", identity.store))))
}

impl Desk {
    /// Puts a backup into the second place, where one is set: the one just
    /// taken `here`, or without that a copy of the database itself, no oftener
    /// than one is due. Gives when the newest there was taken.
    pub(super) async fn to_second_place(
        &self,
        here: Option<&(BackupReport, Contents)>,
        at: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, BackupError> {
        let Some(shelf) = self.inner.place.identity()?.as_ref().and_then(shelf) else {
            return Ok(None);
        };
        let Some((report, contents)) = here else {
            let listed = shelf.list().map_err(file_error(shelf.dir()))?;
            let newest = listed.last().map(|kept| kept.taken.at);
            let is_new =
                |taken: &DateTime<Utc>| (TimeDelta::zero()..EVERY).contains(&(at - *taken));
            if let Some(taken) = newest.filter(is_new) {
                return Ok(Some(taken));
            }
            let part = shelf.begin(at, None).map_err(file_error(shelf.dir()))?;
            self.copy(&part).await?;
            shelf.finish(&part).map_err(file_error(&part))?;
            return Ok(Some(at));
        };
        let (from, to) = (report.file.clone(), shelf.clone());
        let copied = tokio::task::spawn_blocking(move || {
            let part = to.begin(at, None)?;
            std::fs::copy(&from, &part)?;
            std::fs::File::open(&part)?.sync_all()?;
            Ok(part)
        });
        let copied = copied.await.map_err(io::Error::other).and_then(|done| done);
        let part = copied.map_err(file_error(shelf.dir()))?;
        let there = self.inner.store.examine(&part).await.map_err(unsound)?;
        if there != *contents {
            return Err(unsound(CopyError::Unlike));
        }
        shelf.finish(&part).map_err(file_error(&part))?;
        Ok(Some(at))
    }

    /// Names a folder on another disk that gets a copy of each backup, or none.
    pub fn set_second_place(&self, folder: Option<PathBuf>) -> Result<(), PlaceError> {
        let Some(mut identity) = self.inner.place.identity()? else {
            return Ok(());
        };
        identity.second_place = folder;
        self.inner.place.save_identity(&identity)
    }

    /// The same for a folder that somebody types in: it has to be there. A
    /// backup is taken at once, so that what is shown afterwards is proven.
    ///
    /// # Errors
    /// There is no such folder, or it is that of the data. A backup that does
    /// not succeed is no error: the view tells it.
    pub async fn choose_second_place(
        &self,
        folder: Option<&str>,
    ) -> Result<BackupsView, SecondPlaceError> {
        let folder = folder.map(str::trim).filter(|folder| !folder.is_empty());
        let folder = folder.map(PathBuf::from);
        if let Some(folder) = &folder {
            let missing = || SecondPlaceError::NoFolder(folder.clone());
            if !folder.is_absolute() || !folder.is_dir() {
                return Err(missing());
            }
            let real = folder.canonicalize().map_err(|_| missing())?;
            let own = self.inner.place.dir().canonicalize();
            if own.is_ok_and(|own| real.starts_with(own)) {
                return Err(SecondPlaceError::OwnFolder);
            }
        }
        self.set_second_place(folder)?;
        if let Err(error) = self.back_up_now().await {
            self.note_failure(&error);
        }
        self.backups_view().await
    }

    /// How the copies of the data stand.
    ///
    /// # Errors
    /// The data directory or the store cannot be read.
    pub async fn backups_view(&self) -> Result<BackupsView, SecondPlaceError> {
        let identity = self.inner.place.identity()?;
        let shelf = identity.as_ref().and_then(shelf);
        let listed = shelf
            .and_then(|shelf| shelf.list().ok())
            .unwrap_or_default();
        let second = identity.and_then(|identity| identity.second_place);
        let here_alone = self.evidence_here_alone().await?;
        let safety = self.inner.safety_view();
        Ok(BackupsView {
            last_at: safety.last_backup_at,
            trouble: safety.trouble,
            second_at: listed.last().map(|kept| kept.taken.at),
            same_disk: second
                .as_ref()
                .is_some_and(|second| same_disk(second, self.inner.place.dir())),
            second_place: second.map(|second| second.display().to_string()),
            evidence_here_alone: u32::try_from(here_alone).unwrap_or(u32::MAX),
        })
    }
}

/// Whether the system says that both are on one disk.
#[cfg(unix)]
fn same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let disk = |path: &Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    disk(one).is_some_and(|device| disk(other) == Some(device))
}

#[cfg(not(unix))]
fn same_disk(_: &Path, _: &Path) -> bool {
    false
}
