//! The contents of evidence files, sealed beside the database: one file each,
//! named by a keyed hash of the contents, so that the same contents are kept
//! once and the name tells nothing. Inside: a salt, then the chunks, each
//! sealed under its number. Beside the database and not in it, as backups are
//! made every quarter of an hour and would carry the contents each time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use suda_domain::evidence::MOST_BYTES;
use suda_sync::Hash;
use suda_sync::evidence::{CHUNK, Hashing, media_type};

use crate::key::DatabaseKey;
use crate::place::sync_directory;
use crate::unsent::seal::{SealKey, TAG};

const CONTENTS: &[u8] = b"suda desk evidence contents";
const NAME: &[u8] = b"suda desk evidence name";
const SALT: usize = 16;
/// What is being written.
const PART: &str = "part";
/// Contents that nothing refers to are kept this long: a restored database
/// may yet learn of them.
const UNKNOWN_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why a file was not taken in. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum TakeInError {
    #[error("the file cannot be read; is its disk or stick still there?")]
    Unreadable(#[source] io::Error),
    #[error("the file was changed while it was read; try again")]
    Changed,
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than {} MB", .limit / 1024 / 1024)]
    TooLarge { limit: u64 },
    #[error("only pictures, PDF scans and recordings are taken as evidence")]
    TypeNotTaken,
    #[error("the disk is full: the file was not added; free some space and try again")]
    DiskFull,
    #[error("the file could not be stored on this computer; nothing was added")]
    Disk(#[source] io::Error),
}

impl TakeInError {
    fn storing(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Disk(error),
        }
    }
}

/// Why contents cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    #[error("the contents of this file are not on this computer")]
    Missing,
    #[error("the stored contents of this file are damaged")]
    Damaged,
    #[error("the stored contents of this file cannot be read")]
    Disk(#[source] io::Error),
}

/// What was taken in.
pub(crate) struct TakenIn {
    pub(crate) sha256: Hash,
    pub(crate) bytes: u64,
    pub(crate) media_type: &'static str,
}

/// The sealed contents in one directory.
#[derive(Clone)]
pub(crate) struct Vault {
    dir: PathBuf,
    key: DatabaseKey,
}

fn sealing(error: openssl::error::ErrorStack) -> io::Error {
    io::Error::other(error)
}

impl Vault {
    pub(crate) fn new(dir: PathBuf, key: DatabaseKey) -> Self {
        Self { dir, key }
    }

    /// Reads a file once, in chunks, and seals it. When this returns it is on
    /// the disk.
    pub(crate) fn take_in(&self, from: &mut impl Read) -> Result<TakenIn, TakeInError> {
        self.make_directory().map_err(TakeInError::storing)?;
        let part = self.dir.join(format!("{}.{PART}", uuid::Uuid::new_v4()));
        let taken = self.write(from, &part);
        let placed = taken.and_then(|taken| {
            let place = self.place(taken.sha256).map_err(TakeInError::storing)?;
            let moved = fs::rename(&part, place).and_then(|()| sync_directory(&self.dir));
            moved.map(|()| taken).map_err(TakeInError::storing)
        });
        if placed.is_err() {
            fs::remove_file(&part).ok();
        }
        placed
    }

    fn write(&self, from: &mut impl Read, part: &Path) -> Result<TakenIn, TakeInError> {
        let mut chunk = Vec::new();
        next_chunk(from, &mut chunk).map_err(TakeInError::Unreadable)?;
        if chunk.is_empty() {
            return Err(TakeInError::Empty);
        }
        let media_type = media_type(&chunk).ok_or(TakeInError::TypeNotTaken)?;
        let salt: [u8; SALT] = rand::random();
        let key = self.contents_key(&salt).map_err(TakeInError::storing)?;
        let mut file = create(part).map_err(TakeInError::storing)?;
        file.write_all(&salt).map_err(TakeInError::storing)?;
        let (mut hashing, mut bytes) = (Hashing::default(), 0u64);
        for n in 0.. {
            bytes += chunk.len() as u64;
            if bytes > MOST_BYTES {
                return Err(TakeInError::TooLarge { limit: MOST_BYTES });
            }
            hashing.take(&chunk);
            let sealed = key.seal(n, &chunk).map_err(sealing);
            let sealed = sealed.map_err(TakeInError::storing)?;
            file.write_all(&sealed).map_err(TakeInError::storing)?;
            next_chunk(from, &mut chunk).map_err(TakeInError::Unreadable)?;
            if chunk.is_empty() {
                break;
            }
        }
        file.sync_all().map_err(TakeInError::storing)?;
        Ok(TakenIn {
            sha256: hashing.end(),
            bytes,
            media_type,
        })
    }

    /// A chunk of contents of so many bytes, by its number.
    pub(crate) fn chunk(&self, sha256: Hash, bytes: u64, n: u64) -> Result<Vec<u8>, ContentsError> {
        let left = bytes.saturating_sub(n * CHUNK).min(CHUNK);
        let mut file = self.open(sha256)?;
        let mut salt = [0; SALT];
        file.read_exact(&mut salt).map_err(reading)?;
        let frame = CHUNK + TAG as u64;
        file.seek(SeekFrom::Start(SALT as u64 + n * frame))
            .map_err(ContentsError::Disk)?;
        // A chunk's length fits into memory: it is bounded by CHUNK.
        let mut sealed = vec![0; usize::try_from(left).unwrap_or_default() + TAG];
        file.read_exact(&mut sealed).map_err(reading)?;
        let key = self.contents_key(&salt).map_err(ContentsError::Disk)?;
        key.open(n, &sealed).ok_or(ContentsError::Damaged)
    }

    /// Writes the contents to a new file, after checking them against their hash.
    pub(crate) fn give_out(
        &self,
        sha256: Hash,
        bytes: u64,
        to: &Path,
    ) -> Result<(), ContentsError> {
        let mut file = create(to).map_err(ContentsError::Disk)?;
        let given = self.copy(sha256, bytes, &mut file);
        if given.is_err() {
            fs::remove_file(to).ok();
        }
        given
    }

    fn copy(&self, sha256: Hash, bytes: u64, to: &mut File) -> Result<(), ContentsError> {
        let mut hashing = Hashing::default();
        for n in 0..bytes.div_ceil(CHUNK) {
            let chunk = self.chunk(sha256, bytes, n)?;
            hashing.take(&chunk);
            to.write_all(&chunk).map_err(ContentsError::Disk)?;
        }
        if hashing.end() != sha256 {
            return Err(ContentsError::Damaged);
        }
        to.sync_all().map_err(ContentsError::Disk)
    }

    pub(crate) fn is_there(&self) -> bool {
        self.dir.exists()
    }

    pub(crate) fn has(&self, sha256: Hash) -> bool {
        self.place(sha256).is_ok_and(|place| place.exists())
    }

    /// Removes contents that nothing refers to.
    pub(crate) fn forget(&self, sha256: Hash) {
        if let Ok(place) = self.place(sha256) {
            fs::remove_file(place).ok();
        }
    }

    /// Removes what a crash left half-written, and contents long unknown.
    pub(crate) fn sweep(&self, is_known: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.dir) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_part = name.ends_with(&format!(".{PART}"));
            if is_part || !is_known(&name) && is_old(&entry) {
                fs::remove_file(entry.path()).ok();
            }
        }
    }

    /// The name of the sealed file that holds these contents.
    pub(crate) fn name(&self, sha256: Hash) -> io::Result<String> {
        let name = self.key.derive(&sha256.0, NAME).map_err(sealing)?;
        Ok(Hash(name.0).to_string())
    }

    fn place(&self, sha256: Hash) -> io::Result<PathBuf> {
        Ok(self.dir.join(self.name(sha256)?))
    }

    fn open(&self, sha256: Hash) -> Result<File, ContentsError> {
        let place = self.place(sha256).map_err(ContentsError::Disk)?;
        File::open(place).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ContentsError::Missing,
            _ => ContentsError::Disk(error),
        })
    }

    fn contents_key(&self, salt: &[u8]) -> io::Result<SealKey> {
        self.key.derive(salt, CONTENTS).map_err(sealing)
    }

    fn make_directory(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir)
    }
}

fn reading(error: io::Error) -> ContentsError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ContentsError::Damaged,
        _ => ContentsError::Disk(error),
    }
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|about| about.modified());
    let age = changed
        .ok()
        .and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age > UNKNOWN_KEPT)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The next chunk, shorter only at the end.
fn next_chunk(from: &mut impl Read, chunk: &mut Vec<u8>) -> io::Result<()> {
    chunk.clear();
    from.take(CHUNK).read_to_end(chunk).map(drop)
}
