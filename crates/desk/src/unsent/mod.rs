//! The journal of unsent events: a second place, beside the database, that
//! holds every event written here which no receipt of the hub covers. It is
//! written before a save is confirmed, and brings back what a damaged or old
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

use entry::{Covered, End, Entry, Group, ImportedFrom, Reached};
pub(crate) use files::{Found, OldFile, key_in, read};
use suda_domain::{EventKey, Lane};
use suda_sync::{Hash, SealedEvent};
use writer::{Writer, Written};

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

/// Events that belong together, by name, and as they are written.
pub(crate) struct Named {
    pub(crate) names: Vec<(EventKey, Hash)>,
    pub(crate) group: Group,
}

/// Events in the journal whose transaction is not committed yet.
pub(crate) struct Pending {
    names: Vec<(EventKey, Hash)>,
    written: io::Result<Written>,
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

    /// A group of the next transaction, ready to be written.
    pub(crate) fn group(
        &self,
        names: Vec<(EventKey, Hash)>,
        events: Vec<SealedEvent>,
        row: Option<ImportedFrom>,
    ) -> Named {
        let turn = self.turn;
        let group = Group { events, row, turn };
        Named { names, group }
    }

    /// Writes ahead of the commit; [`settle`](Self::settle) notes what became of it.
    pub(crate) fn begin(&mut self, groups: Vec<Named>) -> Option<Pending> {
        if groups.is_empty() {
            return None;
        }
        self.turn += 1;
        let mut names = Vec::new();
        let mut entries = Vec::with_capacity(groups.len());
        for named in groups {
            names.extend(named.names);
            entries.push(Entry::Group(named.group));
        }
        self.under_way = names.iter().map(|(_, hash)| *hash).collect();
        if self.writer.has_failed() {
            self.covered.forget();
        }
        let written = self.writer.write(&entries, self.committed);
        Some(Pending { names, written })
    }

    /// Notes what became of it. A failure costs the second copy alone: it is
    /// shown, and what is missing is written again in an idle moment.
    pub(crate) fn settle(&mut self, pending: Option<Pending>) {
        let Some(Pending { names, written }) = pending else {
            return;
        };
        let Some(written) = self.noted(written) else {
            return;
        };
        self.in_file(&written);
        for (key, hash) in names {
            let (incarnation, lane, n) = (key.incarnation, key.lane, key.n);
            self.covered.add(incarnation, lane, n, n);
            if let Some(current) = &mut self.current {
                let end = current.ends.entry((incarnation, lane)).or_default();
                *end = n.max(*end);
            }
            let end = &mut self.committed.ends[lane.index()];
            if incarnation == self.committed.incarnation && n > end.n {
                *end = End { n, hash };
            }
        }
    }

    fn noted(&mut self, written: io::Result<Written>) -> Option<Written> {
        self.failing.store(written.is_err(), Ordering::Relaxed);
        written
            .inspect_err(|error| tracing::warn!(%error, "the journal was not written"))
            .ok()
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
        let written = self.writer.write(&[Entry::Void(void)], self.committed);
        if let Some(written) = self.noted(written) {
            self.in_file(&written);
        }
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
    pub(crate) fn write_again(&mut self, events: Vec<SealedEvent>) -> bool {
        let named = |event: Option<&SealedEvent>| event.and_then(|e| key_in(e.body.get()));
        let Some((first, last)) = named(events.first()).zip(named(events.last())) else {
            return false;
        };
        let one_each = events.into_iter().filter_map(|event| {
            let names = vec![(key_in(event.body.get())?, event.hash)];
            Some(self.group(names, vec![event], None))
        });
        let groups: Vec<Named> = one_each.collect();
        let before = self.covered.clone();
        let pending = self.begin(groups);
        self.under_way.clear();
        self.settle(pending);
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
    pub(crate) fn leave_behind(&mut self, done: impl Fn(u32, Lane, u64) -> bool) {
        let is_done = |ends: &BTreeMap<(u32, Lane), u64>| {
            ends.iter().all(|((inc, lane), n)| done(*inc, *lane, *n))
        };
        let leave = match &self.current {
            Some(current) => current.place > WORTH_LEAVING && is_done(&current.ends),
            None => !self.old.is_empty(),
        };
        if leave {
            let written = self.writer.begin_file(self.committed);
            match self.noted(written) {
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
