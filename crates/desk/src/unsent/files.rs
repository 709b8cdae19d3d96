//! The journal's files: `000007-<salt>.log`, each with a key of its own from
//! the salt in its name. A file is only ever appended to, by the run of the
//! program that made it, and removed as a whole.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use suda_domain::{DeviceId, EventKey, Lane};
use suda_sync::Hash;
use suda_sync::place::LaneHead;

use super::entry::{Covered, End, Entry, Group, Reached};
use super::frame;
use super::seal::SealKey;
use crate::key::DatabaseKey;
use crate::place::sync_directory;

/// Bytes after which a new file is begun.
pub(super) const SIZE: u64 = 256 * 1024;
const PURPOSE: &[u8] = b"suda desk journal 1";
const SUFFIX: &str = ".log";

/// A file of an earlier run, or one that is full.
#[derive(Clone, Debug)]
pub(crate) struct OldFile {
    path: PathBuf,
    number: u64,
    /// The last number of each lane in it, by incarnation.
    ends: BTreeMap<(u32, Lane), u64>,
    /// What is needed of it is written again elsewhere.
    superseded: bool,
}

impl OldFile {
    pub(super) fn new(path: PathBuf, ends: BTreeMap<(u32, Lane), u64>) -> Self {
        Self {
            path,
            number: 0,
            ends,
            superseded: false,
        }
    }

    pub(super) fn supersede(&mut self) {
        self.superseded = true;
    }

    /// Whether all of it satisfies `done`, which is asked for each lane's end.
    pub(super) fn is_done(&self, done: impl Fn(u32, Lane, u64) -> bool) -> bool {
        let mut ends = self.ends.iter();
        self.superseded || ends.all(|((inc, lane), n)| done(*inc, *lane, *n))
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// All that the journal holds.
#[derive(Default)]
pub(crate) struct Found {
    /// In the order written, without those that were never committed.
    pub(crate) groups: Vec<Group>,
    /// How far each incarnation of the device reached.
    pub(crate) reached: BTreeMap<(DeviceId, u32), Reached>,
    /// Places that cannot be read.
    pub(crate) damaged: usize,
    pub(crate) covered: Covered,
    pub(crate) files: Vec<OldFile>,
}

/// Reads the journal. A folder that is not there is an empty one.
pub(crate) fn read(dir: &Path, key: &DatabaseKey) -> io::Result<Found> {
    let mut found = Found::default();
    let mut void: HashSet<Hash> = HashSet::new();
    for mut file in list(dir)? {
        let Some(sealing) = key_of(&file.path, key) else {
            continue;
        };
        let records = frame::read(&sealing, &fs::read(&file.path)?);
        found.damaged += records.damaged;
        for text in records.texts {
            match serde_json::from_slice(&text) {
                Ok(Entry::Reached(reached)) => found.reach(reached),
                Ok(Entry::Group(group)) => found.take(group, &mut file),
                Ok(Entry::Void(hashes)) => void.extend(hashes),
                Err(_) => found.damaged += 1,
            }
        }
        found.files.push(file);
    }
    found.groups.retain(|group| {
        let is_void = |hash: &Hash| void.contains(hash);
        !group.events.iter().any(|event| is_void(&event.hash))
    });
    found.reach_events();
    Ok(found)
}

impl Found {
    fn reach(&mut self, reached: Reached) {
        let place = (reached.device, reached.incarnation);
        let known = self.reached.entry(place).or_insert(reached);
        for (known, new) in known.ends.iter_mut().zip(reached.ends) {
            if new.n > known.n {
                *known = new;
            }
        }
        known.running = known.running.max(reached.running);
    }

    /// What was committed reaches as far as its events.
    fn reach_events(&mut self) {
        let events = self.groups.iter().flat_map(|group| &group.events);
        for event in events {
            let Some(key) = key_in(event.body.get()) else {
                continue;
            };
            let place = (key.device, key.incarnation);
            let known = self
                .reached
                .entry(place)
                .or_insert_with(|| Reached::new(key.device, key.incarnation, [LaneHead::EMPTY; 4]));
            // Of two under one number the later was committed.
            if key.n >= known.ends[key.lane.index()].n {
                known.ends[key.lane.index()] = End {
                    n: key.n,
                    hash: event.hash,
                };
            }
        }
    }

    fn take(&mut self, group: Group, file: &mut OldFile) {
        for event in &group.events {
            let Some(key) = key_in(event.body.get()) else {
                continue;
            };
            self.covered.add(key.incarnation, key.lane, key.n, key.n);
            let end = file.ends.entry((key.incarnation, key.lane)).or_default();
            *end = key.n.max(*end);
        }
        self.groups.push(group);
    }
}

/// The name of an event, from its contents.
pub(crate) fn key_in(body: &str) -> Option<EventKey> {
    #[derive(serde::Deserialize)]
    struct Named {
        key: EventKey,
    }
    serde_json::from_str::<Named>(body)
        .ok()
        .map(|named| named.key)
}

fn list(dir: &Path) -> io::Result<Vec<OldFile>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some((number, _)) = read_name(&path) {
            let file = OldFile::new(path, BTreeMap::new());
            files.push(OldFile { number, ..file });
        }
    }
    files.sort_unstable_by_key(|file| file.number);
    Ok(files)
}

fn read_name(path: &Path) -> Option<(u64, [u8; 16])> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let (number, salt) = name.split_once('-')?;
    let salt = u128::from_str_radix(salt, 16).ok()?.to_be_bytes();
    Some((number.parse().ok()?, salt))
}

fn key_of(path: &Path, key: &DatabaseKey) -> Option<SealKey> {
    let (_, salt) = read_name(path)?;
    key.derive(&salt, PURPOSE).ok()
}

/// The file that is written to.
pub(super) struct Current {
    file: Arc<OnDisk>,
    pub(super) path: PathBuf,
    key: SealKey,
    place: u64,
}

/// A file, and whether its contents are on their way to the disk.
pub(super) struct OnDisk {
    file: File,
    told: AtomicBool,
    /// The folder knows the file for good.
    named: AtomicBool,
}

impl OnDisk {
    /// Whether whoever flushes has to be told of new contents.
    pub(super) fn needs_telling(&self) -> bool {
        !self.told.swap(true, Ordering::AcqRel)
    }

    pub(super) fn flush(&self, dir: &Path) -> io::Result<()> {
        // Before the flush: what is written meanwhile needs another.
        self.told.store(false, Ordering::Release);
        self.file.sync_data()?;
        if !self.named.load(Ordering::Relaxed) {
            sync_directory(dir)?;
            self.named.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Current {
    /// A new file behind all others.
    pub(super) fn create(dir: &Path, key: &DatabaseKey) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)?;
        let number = list(dir)?.last().map_or(1, |file| file.number + 1);
        let salt = rand::random::<u128>();
        let path = dir.join(format!("{number:06}-{salt:032x}{SUFFIX}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = OnDisk {
            file: options.open(&path)?,
            told: AtomicBool::new(false),
            named: AtomicBool::new(false),
        };
        Ok(Self {
            file: Arc::new(file),
            path,
            key: key.derive(&salt.to_be_bytes(), PURPOSE)?,
            place: 0,
        })
    }

    /// How much of the file is written.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    pub(super) fn on_disk(&self) -> &Arc<OnDisk> {
        &self.file
    }

    /// Appends the records of `texts`. After a failure the file must not be
    /// written to any more: its next place may have been used.
    pub(super) fn append(&mut self, texts: &[Vec<u8>]) -> io::Result<()> {
        let mut records = Vec::new();
        for text in texts {
            let place = self.place + records.len() as u64;
            records.extend(frame::write(&self.key, place, text)?);
        }
        (&self.file.file).write_all(&records)?;
        self.place += records.len() as u64;
        Ok(())
    }
}
