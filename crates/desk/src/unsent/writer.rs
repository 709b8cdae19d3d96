//! Writing the journal. A record is with the operating system before the
//! database commits, and on the disk at most [`LAG`] later: flushing it with
//! each save was measured to cost as much again as the save, as a disk carries
//! out one flush after the other. What is saved is on the disk by the
//! database's own flush; the journal is for the case that the database is lost.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::entry::{Entry, Reached};
use super::files::{Current, OnDisk, SIZE};
use crate::key::DatabaseKey;

/// How long a record may be with the operating system alone.
const LAG: Duration = Duration::from_millis(100);

/// Where something was written.
pub(super) struct Written {
    pub(super) path: PathBuf,
    /// How much of that file is used.
    pub(super) place: u64,
}

pub(super) struct Writer {
    dir: PathBuf,
    key: DatabaseKey,
    current: Option<Current>,
    flusher: Flusher,
}

impl Writer {
    pub(super) fn start(dir: PathBuf, key: DatabaseKey) -> io::Result<Self> {
        Ok(Self {
            flusher: Flusher::start(dir.clone())?,
            dir,
            key,
            current: None,
        })
    }

    /// Whether a flush has failed since this was last asked. What was written
    /// before is then not to be relied on.
    pub(super) fn has_failed(&mut self) -> bool {
        let failed = self.flusher.failed.swap(false, Ordering::Relaxed);
        if failed {
            self.current = None;
        }
        failed
    }

    /// Writes records; a new file, where one is needed, begins with `reached`.
    pub(super) fn write(&mut self, entries: &[Entry], reached: Reached) -> io::Result<Written> {
        let written = self.append(entries, reached, false);
        if written.is_err() {
            self.current = None;
        }
        written
    }

    /// Begins a new file and waits until it is on the disk.
    pub(super) fn begin_file(&mut self, reached: Reached) -> io::Result<Written> {
        let written = self.append(&[], reached, true);
        let flushed = match &self.current {
            Some(current) => current.on_disk().flush(&self.dir),
            None => Ok(()),
        };
        if written.is_err() || flushed.is_err() {
            self.current = None;
        }
        flushed.and(written)
    }

    fn append(
        &mut self,
        entries: &[Entry],
        reached: Reached,
        fresh_file: bool,
    ) -> io::Result<Written> {
        let texts: Vec<Vec<u8>> = entries
            .iter()
            .map(serde_json::to_vec)
            .collect::<Result<_, _>>()?;
        let has_room = |current: &&mut Current| !fresh_file && current.place() < SIZE;
        if let Some(current) = self.current.as_mut().filter(has_room) {
            return write_to(current, &texts, &self.flusher);
        }
        let mut current = Current::create(&self.dir, &self.key)?;
        let first = serde_json::to_vec(&Entry::Reached(reached))?;
        let written = write_to(&mut current, &[vec![first], texts].concat(), &self.flusher);
        self.current = Some(current);
        written
    }
}

fn write_to(current: &mut Current, texts: &[Vec<u8>], flusher: &Flusher) -> io::Result<Written> {
    current.append(texts)?;
    flusher.soon(current.on_disk());
    Ok(Written {
        path: current.path.clone(),
        place: current.place(),
    })
}

/// The thread that flushes. Dropped, it flushes what it has been told of and ends.
struct Flusher {
    told: Option<Sender<Arc<OnDisk>>>,
    failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    fn start(dir: PathBuf) -> io::Result<Self> {
        let (told, files) = channel();
        let failed = Arc::new(AtomicBool::new(false));
        let flag = failed.clone();
        let thread = std::thread::Builder::new()
            .name("suda-journal".to_owned())
            .spawn(move || flush_what_comes(&files, &dir, &flag))?;
        Ok(Self {
            told: Some(told),
            failed,
            thread: Some(thread),
        })
    }

    fn soon(&self, file: &Arc<OnDisk>) {
        if file.needs_telling()
            && let Some(told) = &self.told
            && told.send(file.clone()).is_err()
        {
            self.failed.store(true, Ordering::Relaxed);
        }
    }
}

fn flush_what_comes(files: &Receiver<Arc<OnDisk>>, dir: &std::path::Path, failed: &AtomicBool) {
    while let Ok(first) = files.recv() {
        let due = Instant::now() + LAG;
        let mut waiting = vec![first];
        let ended = loop {
            let left = due.saturating_duration_since(Instant::now());
            match files.recv_timeout(left) {
                Ok(file) => waiting.push(file),
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => break true,
            }
        };
        for file in waiting {
            if let Err(error) = file.flush(dir) {
                tracing::warn!(%error, "the journal was not flushed");
                failed.store(true, Ordering::Relaxed);
            }
        }
        if ended {
            return;
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.told = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
