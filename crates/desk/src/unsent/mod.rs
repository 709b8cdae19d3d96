//! The journal of unsent events: a second place, beside the database, that
//! holds every event written here which no receipt of the hub covers. It is on
//! the disk before a save is confirmed, and brings back what a damaged or old
//! database has lost. What is done with it at the start is in `safety`.

pub(crate) mod entry;
mod files;
mod frame;
pub(crate) mod seal;
mod writer;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use suda_domain::Lane;
use suda_sync::{Hash, SealedEvent};
use tokio::sync::oneshot;

use entry::{Covered, End, Entry, Group, ImportedFrom, Reached};
pub(crate) use files::{Found, OldFile, key_in, read};
use writer::{Order, Writer, Written};

use crate::key::DatabaseKey;

/// A file this full is given up for a new one once all of it is receipted.
const WORTH_LEAVING: u64 = 64 * 1024;
/// More files of earlier runs than these are taken together into one.
const MOST_FILES: usize = 8;

/// The journal of a database that is written to.
pub(crate) struct Journal {
    writer: Writer,
    committed: Reached,
    covered: Covered,
    /// Files no more written to.
    old: Vec<OldFile>,
    current: Option<InUse>,
    turn: u64,
    /// What was written for the transaction under way.
    under_way: Vec<Hash>,
    failing: Arc<AtomicBool>,
}

struct InUse {
    path: PathBuf,
    place: u64,
    ends: BTreeMap<(u32, Lane), u64>,
}

/// Events on their way into the journal.
pub(crate) struct Pending {
    groups: Vec<Group>,
    answer: oneshot::Receiver<io::Result<Written>>,
}

impl Pending {
    /// Waits until it is written, whatever becomes of it.
    pub(crate) async fn written(self) {
        self.answer.await.ok();
    }
}

impl Journal {
    /// Goes on behind what was `found`. `reached` is how far the database is.
    pub(crate) fn start(
        dir: &Path,
        key: &DatabaseKey,
        found: Found,
        reached: Reached,
    ) -> io::Result<Self> {
        let (mut covered, mut old) = (found.covered, found.files);
        if old.len() > MOST_FILES {
            covered.forget();
            old.iter_mut().for_each(OldFile::supersede);
        }
        Ok(Self {
            writer: Writer::start(dir.to_owned(), key.clone())?,
            committed: reached,
            covered,
            old,
            current: None,
            turn: 0,
            under_way: Vec::new(),
            failing: Arc::default(),
        })
    }

    /// Whether the last try to write failed.
    pub(crate) fn failing(&self) -> Arc<AtomicBool> {
        self.failing.clone()
    }

    /// How far everything committed reaches.
    pub(crate) fn committed(&self) -> Reached {
        self.committed
    }

    /// From here on the device writes under another incarnation.
    pub(crate) fn set_committed(&mut self, reached: Reached) {
        self.committed = reached;
    }

    /// The next transaction's groups, ready to be written.
    pub(crate) fn group(&self, events: Vec<SealedEvent>, row: Option<ImportedFrom>) -> Group {
        let turn = self.turn;
        Group { events, row, turn }
    }

    /// Begins to write; [`settle`](Self::settle) tells when it is on the disk.
    pub(crate) fn begin(&mut self, groups: Vec<Group>) -> Option<Pending> {
        if groups.is_empty() {
            return None;
        }
        self.turn += 1;
        let events = groups.iter().flat_map(|group| &group.events);
        self.under_way = events.map(|event| event.hash).collect();
        let entries = groups.iter().cloned().map(Entry::Group).collect();
        let answer = self.tell(entries, false);
        Some(Pending { groups, answer })
    }

    fn tell(
        &mut self,
        entries: Vec<Entry>,
        fresh_file: bool,
    ) -> oneshot::Receiver<io::Result<Written>> {
        let (done, answer) = oneshot::channel();
        self.writer.tell(Order {
            entries,
            reached: self.committed,
            fresh_file,
            done,
        });
        answer
    }

    /// Notes what became of it. A failure costs the second copy alone: it is
    /// shown, and what is missing is written again in an idle moment.
    pub(crate) async fn settle(&mut self, pending: Option<Pending>) {
        let Some(Pending { groups, answer }) = pending else {
            return;
        };
        let Some(written) = self.answer(answer).await else {
            return;
        };
        self.in_file(&written);
        for event in groups.iter().flat_map(|group| &group.events) {
            let Some(key) = key_in(event.body.get()) else {
                continue;
            };
            let (incarnation, lane, n) = (key.incarnation, key.lane, key.n);
            self.covered.add(incarnation, lane, n, n);
            if let Some(current) = &mut self.current {
                let end = current.ends.entry((incarnation, lane)).or_default();
                *end = n.max(*end);
            }
            let end = &mut self.committed.ends[lane.index()];
            if incarnation == self.committed.incarnation && n > end.n {
                *end = End {
                    n,
                    hash: event.hash,
                };
            }
        }
    }

    async fn answer(&mut self, answer: oneshot::Receiver<io::Result<Written>>) -> Option<Written> {
        let error = match answer.await {
            Ok(Ok(written)) => {
                self.failing.store(false, Ordering::Relaxed);
                return Some(written);
            }
            Ok(Err(error)) => error,
            Err(_) => io::Error::other("the journal's thread has ended"),
        };
        tracing::warn!(%error, "the journal was not written");
        self.failing.store(true, Ordering::Relaxed);
        None
    }

    fn in_file(&mut self, written: &Written) {
        match &mut self.current {
            Some(current) if current.path == written.path => current.place = written.place,
            current => {
                let next = InUse {
                    path: written.path.clone(),
                    place: written.place,
                    ends: BTreeMap::new(),
                };
                let full = current.replace(next);
                self.old
                    .extend(full.map(|full| OldFile::new(full.path, full.ends)));
            }
        }
    }

    /// The transaction is committed.
    pub(crate) fn is_committed(&mut self, running: Option<(chrono::NaiveDate, u32)>) {
        self.under_way.clear();
        self.committed.running = self.committed.running.max(running);
    }

    /// What was written for a transaction not known to be committed.
    pub(crate) fn under_way(&self) -> Option<Hash> {
        self.under_way.first().copied()
    }

    /// The transaction under way was given up: its events never were.
    pub(crate) fn is_void(&mut self, reached: Reached) {
        let void = std::mem::take(&mut self.under_way);
        self.covered.forget();
        self.committed = Reached {
            running: self.committed.running,
            ..reached
        };
        // Need not be waited for: it is on the disk with the next event at the latest.
        drop(self.tell(vec![Entry::Void(void)], false));
    }

    /// What has to be written again, as incarnation, lane, after and last.
    /// `unreceipted` are receipt and end of each lane, by incarnation.
    pub(crate) fn missing(
        &self,
        unreceipted: &[(u32, Lane, u64, u64)],
    ) -> Option<(u32, Lane, u64, u64)> {
        unreceipted
            .iter()
            .find_map(|(incarnation, lane, acked, head)| {
                let (after, last) = self.covered.missing(*incarnation, *lane, *acked, *head)?;
                Some((*incarnation, *lane, after, last))
            })
    }

    /// Writes events again that are committed: a run of one lane.
    pub(crate) async fn write_again(&mut self, events: Vec<SealedEvent>) -> bool {
        let named = |event: Option<&SealedEvent>| event.and_then(|e| key_in(e.body.get()));
        let Some((first, last)) = named(events.first()).zip(named(events.last())) else {
            return false;
        };
        let one_each = events
            .into_iter()
            .map(|event| self.group(vec![event], None));
        let groups: Vec<Group> = one_each.collect();
        let before = self.covered.clone();
        let pending = self.begin(groups);
        self.under_way.clear();
        self.settle(pending).await;
        let written = !self.failing.load(Ordering::Relaxed);
        if written {
            // One run, and not each for itself, joins what it reaches up to.
            self.covered = before;
            self.covered
                .add(first.incarnation, first.lane, first.n, last.n);
        }
        written
    }

    /// Removes files all of whose events are receipted, once a later file
    /// tells how far the database reached. `done` says what is receipted. To be
    /// called when nothing is [`missing`](Self::missing).
    pub(crate) async fn leave_behind(&mut self, done: impl Fn(u32, Lane, u64) -> bool) {
        let is_done = |ends: &BTreeMap<(u32, Lane), u64>| {
            ends.iter().all(|((inc, lane), n)| done(*inc, *lane, *n))
        };
        let leave = match &self.current {
            Some(current) => current.place > WORTH_LEAVING && is_done(&current.ends),
            None => !self.old.is_empty(),
        };
        if leave {
            let answer = self.tell(Vec::new(), true);
            match self.answer(answer).await {
                Some(written) => self.in_file(&written),
                None => return,
            }
        }
        if self.current.is_none() {
            return;
        }
        self.old.retain(|old| {
            let gone = old.is_done(&done) && old.remove().is_ok();
            !gone
        });
    }
}
