//! Putting another file in the database's place. Each step can be interrupted
//! and is taken up again by the next start; nothing is ever deleted but what
//! was half made here.
//!
//! 1. The new file is made and checked in `restoring/` as `suda.db.part`.
//! 2. `desk.json` notes that a restore is under way.
//! 3. The new file is renamed to `restoring/suda.db`. From here on it counts.
//! 4. The files in its place are moved into `quarantine/`.
//! 5. The new file is moved into its place.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use suda_domain::DeviceId;

use super::{second, seed};
use crate::desk::OpenError;
use crate::key::DatabaseKey;
use crate::place::{IdentityFile, Place, PlaceError, sync_directory};
use crate::store::copy::{self, ExamineError};
use crate::store::{FileError, Store, directory};

const READY: &str = "suda.db";
const PART: &str = "suda.db.part";
/// The log before the file it belongs to: a file without its log is read as it
/// was at the last checkpoint, a log beside another file would be read into it.
const SUFFIXES: [&str; 3] = ["-wal", "-shm", ""];

/// Takes up a restore that was interrupted, and clears away one that had not
/// got far enough. To be called by whoever holds the lock, before anything else.
pub(crate) fn finish(place: &Place) -> Result<(), PlaceError> {
    let restoring = place.restoring();
    let done = || -> io::Result<()> {
        if !restoring.exists() {
            return Ok(());
        }
        let ready = restoring.join(READY);
        if ready.exists() {
            set_aside(place)?;
            fs::rename(&ready, place.database())?;
            sync_directory(place.dir())?;
        }
        fs::remove_dir_all(&restoring)
    };
    done().map_err(|error| PlaceError::of(&restoring, error))
}

/// Moves the database's files into a folder of their own in the quarantine.
fn set_aside(place: &Place) -> io::Result<()> {
    let database = place.database();
    let quarantine = place.quarantine();
    let mut number = 1;
    while quarantine.join(format!("{number:04}")).join(READY).exists() {
        number += 1;
    }
    let folder = quarantine.join(format!("{number:04}"));
    fs::create_dir_all(&folder)?;
    for suffix in SUFFIXES {
        let part = beside(&database, suffix);
        if part.exists() {
            fs::rename(part, beside(&folder.join(READY), suffix))?;
        }
    }
    sync_directory(&folder)?;
    sync_directory(place.dir())
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Puts the newest sound backup in the database's place; where there is none,
/// a new database with what the enrolment gave.
///
/// # Errors
/// `none` when there is nothing to begin with.
pub(crate) async fn from_best(
    place: &Place,
    key: &DatabaseKey,
    identity: &IdentityFile,
    none: OpenError,
) -> Result<(), OpenError> {
    let part = begin(place)?;
    let mut shelves = vec![place.shelf().list().unwrap_or_default()];
    shelves.extend(second::shelf(identity).map(|shelf| shelf.list().unwrap_or_default()));
    // The first disk may have been full for long.
    shelves.sort_by_key(|listed| Reverse(listed.last().map(|newest| newest.taken.at)));
    for listed in shelves {
        for backup in listed.into_iter().rev() {
            match take(&backup.path, &part, key, identity.device).await {
                Ok(()) => return commit(place, identity, &part),
                Err(error) => tracing::warn!(%error, "a backup cannot be used"),
            }
        }
    }
    let Some(seed) = seed::read(place, key) else {
        return Err(none);
    };
    clear(&part)?;
    seed.plant(&part, key).await?;
    commit(place, identity, &part)
}

/// Puts `backup` in the database's place, after checking it.
pub(crate) async fn from_file(
    place: &Place,
    key: &DatabaseKey,
    identity: &IdentityFile,
    backup: &Path,
) -> Result<(), OpenError> {
    let part = begin(place)?;
    take(backup, &part, key, identity.device).await?;
    commit(place, identity, &part)
}

fn begin(place: &Place) -> Result<PathBuf, PlaceError> {
    finish(place)?;
    let restoring = place.restoring();
    fs::create_dir_all(&restoring).map_err(|error| PlaceError::of(&restoring, error))?;
    Ok(restoring.join(PART))
}

fn clear(part: &Path) -> Result<(), PlaceError> {
    for suffix in SUFFIXES {
        let file = beside(part, suffix);
        if file.exists() {
            fs::remove_file(&file).map_err(|error| PlaceError::of(&file, error))?;
        }
    }
    Ok(())
}

async fn take(
    backup: &Path,
    part: &Path,
    key: &DatabaseKey,
    device: Option<DeviceId>,
) -> Result<(), OpenError> {
    clear(part)?;
    let copied = fs::copy(backup, part).and_then(|_| File::open(part)?.sync_all());
    copied.map_err(|error| PlaceError::of(backup, error))?;
    let contents = copy::examine(part, key).await.map_err(of_backup)?;
    let theirs = contents.device.map(|(device, _)| device);
    if device.is_some() && theirs != device {
        return Err(OpenError::OtherDevice);
    }
    Ok(())
}

fn of_backup(error: ExamineError) -> OpenError {
    match error {
        ExamineError::File(FileError::Newer) => OpenError::Newer,
        ExamineError::File(FileError::Store(error)) => OpenError::Store(error),
        ExamineError::File(_) | ExamineError::Unsound(_) => OpenError::BackupUnsound,
    }
}

fn commit(place: &Place, identity: &IdentityFile, part: &Path) -> Result<(), OpenError> {
    place.save_identity(&IdentityFile {
        restored: true,
        ..identity.clone()
    })?;
    let ready = part.with_file_name(READY);
    let renamed = fs::rename(part, &ready).and_then(|()| sync_directory(&place.restoring()));
    renamed.map_err(|error| PlaceError::of(&ready, error))?;
    place.unmark_damaged();
    Ok(finish(place)?)
}

/// Opens the database; what is damaged or gone is put back first.
pub(crate) async fn open_or_restore(
    place: &Place,
    key: &DatabaseKey,
    identity: &IdentityFile,
    care: &crate::store::Care<'_>,
) -> Result<Store, OpenError> {
    let database = place.database();
    let there = database.exists();
    let none = if there || identity.device.is_none() {
        match Store::open_sound(&database, key, care).await {
            Ok(store) if identity.device.is_none() || is_enrolled(&store).await? => {
                place.unmark_damaged();
                return Ok(store);
            }
            // What is left of it is from before the enrolment.
            Ok(store) => {
                store.close().await?;
                tracing::error!("the data file lacks the enrolment");
                OpenError::Damaged
            }
            Err(error) if is_damage(&error) && identity.device.is_some() => {
                tracing::error!(%error, "the data file is damaged");
                OpenError::Damaged
            }
            Err(error) => return Err(crate::desk::undecipherable(error, true)),
        }
    } else {
        tracing::error!("the data file is gone");
        OpenError::DatabaseMissing
    };
    from_best(place, key, identity, none).await?;
    let opened = Store::open_sound(&database, key, care).await;
    opened.map_err(|error| crate::desk::undecipherable(error, true))
}

async fn is_enrolled(store: &Store) -> Result<bool, crate::StoreError> {
    let mut conn = store.read().await?;
    Ok(directory::device(&mut conn).await?.is_some())
}

fn is_damage(error: &FileError) -> bool {
    matches!(
        error,
        FileError::Undecipherable
            | FileError::Unsound(_)
            | FileError::Store(crate::StoreError::Damaged(_))
    )
}
