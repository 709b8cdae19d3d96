//! Whether a SQLite database's write-ahead log has lost what was committed to
//! it.
//!
//! SQLite reads the log up to the first frame whose checksum does not fit and
//! takes the rest for what a crash left half written. That is right after a
//! power cut, and silent when a byte of a frame has changed since: what was
//! committed behind it is gone, and nobody is told. Two things show the
//! difference when the database is written with `synchronous = full`, where
//! each commit is on the disk before the next one begins:
//!
//! - a later transaction's frames stand behind the frame that does not fit;
//! - the index beside the log (`-shm`), which a process that was killed leaves
//!   behind, knows of more committed frames than can be read.
//!
//! The layout of both files is SQLite's, documented in its "WAL-mode File
//! Format". Nothing is written here.

mod format;
mod scan;

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use format::{Header, INDEX_HEADER, Index};
use scan::Scan;

/// A place in a log that cannot be read, with commits behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Counted from 1; 0 is the log's header.
    pub frame: u64,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frame {
            0 => f.write_str("the header of the write-ahead log does not give its checksum"),
            frame => write!(
                f,
                "frame {frame} of the write-ahead log does not give its checksum, and commits \
                 stand behind it"
            ),
        }
    }
}

/// Looks through the log of `database` before this process opens it; another
/// one may have it open. Never in a process that has it open itself:
/// [`examine_open`] is for that.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn examine(database: &Path) -> io::Result<Option<Damage>> {
    // The index first: it may only know less than the log read after it.
    until_it_stays(|| look(database, read_index(database)?))
}

/// Looks through the log of a database that this process has open, without the
/// index beside it. The system takes all of a process's locks on a file away
/// when the process closes any of its handles on that file ("How To Corrupt An
/// SQLite Database File", 2.2), and SQLite keeps its locks on the index: who
/// opened the database next would believe itself alone and cut the index off
/// under those who read it. What only the index could show, a last transaction
/// that has changed since, is seen at the next commit or the next opening.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn examine_open(database: &Path) -> io::Result<Option<Damage>> {
    until_it_stays(|| look(database, None))
}

/// Beside a process that writes, a frame may be read before and the next one
/// after they were written. Only a place that stays is damaged.
fn until_it_stays(look: impl Fn() -> io::Result<Option<Damage>>) -> io::Result<Option<Damage>> {
    let mut before = None;
    for _ in 0..LOOKS {
        let found = look()?;
        if found.is_none() || found == before {
            return Ok(found);
        }
        before = found;
    }
    Ok(None)
}

const LOOKS: u32 = 20;

fn look(database: &Path, index: Option<Index>) -> io::Result<Option<Damage>> {
    // SQLite keeps no lock on the log itself: closing it takes none away.
    let log = match File::open(beside(database, "-wal")) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut log = io::BufReader::with_capacity(1 << 18, log);
    let Some(header) = scan::start(&mut log)? else {
        return Ok(None);
    };
    let Some(header) = Header::parse(&header) else {
        return Ok(Some(Damage { frame: 0 }));
    };
    Scan::new(header).run(&mut log, index)
}

fn read_index(database: &Path) -> io::Result<Option<Index>> {
    let index = read_start(&beside(database, "-shm"), INDEX_HEADER)?;
    Ok(index.as_deref().and_then(Index::parse))
}

fn read_start(file: &Path, bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut start = vec![0; bytes];
    Ok(scan::fill(&mut file, &mut start)?.then_some(start))
}

/// The path of a file that SQLite keeps beside a database.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    PathBuf::from(name)
}
