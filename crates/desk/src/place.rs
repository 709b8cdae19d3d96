//! The data directory: its lock, and the small file beside the database that
//! says which key and which device the database belongs to. No SQL here.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use suda_domain::DeviceId;
use uuid::Uuid;

use crate::safety::shelf::Shelf;

const LOCK_FILE: &str = "desk.lock";
const IDENTITY_FILE: &str = "desk.json";
const IDENTITY_COPY: &str = "desk.json.copy";
const DATABASE_FILE: &str = "suda.db";
/// Present when damage was found while the program ran.
const DAMAGED_MARK: &str = "damaged";
const JOURNAL: &str = "journal";
const SEED: &str = "enrolment.sealed";
const RESTORING: &str = "restoring";
const MODEL: &str = "model.suda";
const EVIDENCE: &str = "evidence";
const QUARANTINE: &str = "quarantine";
const BACKUPS: &str = "backups";
/// The format of the data directory this program writes.
const FORMAT: u32 = 1;

/// What is kept outside the database: enough to tell a wrong key from a
/// damaged file, and a copied or restored database from the real one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct IdentityFile {
    pub(crate) format: u32,
    /// Names this store in the keyring.
    pub(crate) store: Uuid,
    pub(crate) key_check: String,
    /// Absent before the enrolment.
    pub(crate) device: Option<DeviceId>,
    pub(crate) incarnation: Option<u32>,
    /// A folder on another disk that gets a copy of each backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) second_place: Option<PathBuf>,
    /// A backup was put in the place of the database, and what came after it
    /// is not yet looked into.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) restored: bool,
}

impl IdentityFile {
    pub(crate) fn new(store: Uuid, key_check: String) -> Self {
        Self {
            format: FORMAT,
            store,
            key_check,
            device: None,
            incarnation: None,
            second_place: None,
            restored: false,
        }
    }

    /// None when the text cannot be read or does not give its own check. A file
    /// of before there was one has none.
    fn parse(json: &[u8]) -> Option<Self> {
        let mut fields: Fields = serde_json::from_slice(json).ok()?;
        let said = fields.remove(CHECK);
        let fits = said.is_none_or(|said| said == check(&fields));
        let value = Value::Object(fields.into_iter().collect());
        fits.then(|| serde_json::from_value(value).ok()).flatten()
    }

    fn with_check(&self) -> serde_json::Result<Vec<u8>> {
        let mut fields: Fields = serde_json::from_value(serde_json::to_value(self)?)?;
        let check = check(&fields);
        fields.insert(CHECK.to_owned(), check.into());
        serde_json::to_vec_pretty(&fields)
    }

    pub(crate) fn is_newer_than_known(&self) -> bool {
        self.format > FORMAT
    }
}

/// In the order of their names, whichever map the JSON reader was built with.
type Fields = BTreeMap<String, Value>;

const CHECK: &str = "check";

fn check(fields: &Fields) -> String {
    let text: String = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("another window or program is using {}; close it first", .0.display())]
    InUse(PathBuf),
    #[error("{} cannot be written; check the folder's permissions", .0.display())]
    ReadOnly(PathBuf),
    #[error("the disk is full")]
    DiskFull,
    #[error("{} is damaged", .0.display())]
    Damaged(PathBuf),
    #[error("{} cannot be used", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl PlaceError {
    pub(crate) fn of(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{
            PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
        };
        match source.kind() {
            PermissionDenied | ReadOnlyFilesystem => Self::ReadOnly(path.to_owned()),
            StorageFull | QuotaExceeded => Self::DiskFull,
            _ => Self::Io {
                path: path.to_owned(),
                source,
            },
        }
    }
}

/// A data directory.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    dir: PathBuf,
}

/// Held while this program is the one that writes. The operating system lets
/// go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Place {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join(DATABASE_FILE)
    }

    /// The backups beside the database.
    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::new(self.dir.join(BACKUPS))
    }

    /// Notes that the database file has damaged places, for the next start.
    pub(crate) fn mark_damaged(&self) -> Result<(), PlaceError> {
        let path = self.dir.join(DAMAGED_MARK);
        let made = File::create(&path).and_then(|file| file.sync_all());
        made.map_err(|error| PlaceError::of(&path, error))
    }

    pub(crate) fn is_marked_damaged(&self) -> bool {
        self.dir.join(DAMAGED_MARK).exists()
    }

    pub(crate) fn unmark_damaged(&self) {
        fs::remove_file(self.dir.join(DAMAGED_MARK)).ok();
    }

    /// The journal of unsent events.
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join(JOURNAL)
    }

    /// The sealed file with what the enrolment gave.
    pub(crate) fn seed(&self) -> PathBuf {
        self.dir.join(SEED)
    }

    /// The sealed contents of evidence files.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.dir.join(EVIDENCE)
    }

    /// The learned model, as the hub has signed it.
    pub(crate) fn model(&self) -> PathBuf {
        self.dir.join(MODEL)
    }

    /// Where a file that takes the database's place is made ready.
    pub(crate) fn restoring(&self) -> PathBuf {
        self.dir.join(RESTORING)
    }

    /// Where files that were in the database's place are kept for good.
    pub(crate) fn quarantine(&self) -> PathBuf {
        self.dir.join(QUARANTINE)
    }

    /// Makes the directory, closed to others, when it is not there.
    pub(crate) fn create(&self) -> Result<(), PlaceError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.dir)
            .map_err(|error| PlaceError::of(&self.dir, error))
    }

    /// Becomes the one that writes.
    pub(crate) fn lock(&self) -> Result<Lock, PlaceError> {
        let path = self.dir.join(LOCK_FILE);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| PlaceError::of(&self.dir, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(PlaceError::InUse(self.dir.clone())),
            Err(TryLockError::Error(error)) => Err(PlaceError::of(&self.dir, error)),
        }
    }

    /// The file beside the database; `None` when there is none. A damaged one
    /// is read from its copy: without it the key would not be found.
    pub(crate) fn identity(&self) -> Result<Option<IdentityFile>, PlaceError> {
        match self.identity_in(IDENTITY_FILE) {
            Err(PlaceError::Damaged(path)) => match self.identity_in(IDENTITY_COPY) {
                Ok(Some(copy)) => {
                    tracing::error!("desk.json is damaged; its copy is used");
                    Ok(Some(copy))
                }
                _ => Err(PlaceError::Damaged(path)),
            },
            read => read,
        }
    }

    /// Writes a damaged file anew from its copy. To be called by whoever holds
    /// the lock.
    pub(crate) fn heal_identity(&self) -> Result<(), PlaceError> {
        match self.identity_in(IDENTITY_FILE) {
            Err(PlaceError::Damaged(_)) => match self.identity()? {
                Some(copy) => self.save_identity(&copy),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn identity_in(&self, name: &str) -> Result<Option<IdentityFile>, PlaceError> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(json) => IdentityFile::parse(&json)
                .map(Some)
                .ok_or(PlaceError::Damaged(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PlaceError::of(&path, error)),
        }
    }

    /// Replaces the file as a whole, then its copy: after a power cut each is
    /// the old or the new.
    pub(crate) fn save_identity(&self, identity: &IdentityFile) -> Result<(), PlaceError> {
        for name in [IDENTITY_FILE, IDENTITY_COPY] {
            let path = self.dir.join(name);
            let new = self.dir.join("desk.json.new");
            let write = || -> std::io::Result<()> {
                let mut file = File::create(&new)?;
                file.write_all(&identity.with_check()?)?;
                file.sync_all()?;
                fs::rename(&new, &path)?;
                sync_directory(&self.dir)
            };
            write().map_err(|error| PlaceError::of(&path, error))?;
        }
        Ok(())
    }
}

#[cfg(unix)]
pub(crate) fn sync_directory(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Elsewhere a rename is made durable by the file system itself.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}
