//! The database and its journal of unsent events together: the journal is
//! written ahead of the commit, and the commit's flush confirms the save.

use suda_domain::{DeviceId, Lane};
use suda_sync::SealedEvent;

use super::ledger::{self, NewEvent};
use super::{Store, StoreError, WriteTx, Writer, incarnation};
use crate::unsent::entry::{ImportedFrom, Reached};
use crate::unsent::{Journal, Pending};

/// Events written again in one go; whoever saves meanwhile waits for them.
const GO: usize = 200;

impl WriteTx<'_> {
    /// Appends events to the ledger; those written here go into the journal
    /// with the commit.
    pub(crate) async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        self.keep(events, None);
        ledger::append(self.conn(), events).await
    }

    /// Takes events into the journal with the commit; `row` says which row of
    /// an imported file they were made from.
    pub(crate) fn keep(&mut self, events: &[NewEvent], row: Option<ImportedFrom>) {
        let Some(journal) = &self.writer.journal else {
            return;
        };
        let own = events.iter().filter(|event| event.own);
        let (names, sealed): (Vec<_>, Vec<SealedEvent>) = own
            .map(|event| ((event.key, event.sealed.hash), event.sealed.clone()))
            .unzip();
        if !names.is_empty() {
            let group = journal.group(names, sealed, row);
            self.writer.groups.push(group);
        }
    }

    /// Writes the journal, ahead of the commit that follows.
    pub(super) fn journal(&mut self) -> Option<Pending> {
        let groups = std::mem::take(&mut self.writer.groups);
        self.writer.journal.as_mut()?.begin(groups)
    }

    /// Notes in the journal what became of the commit. What is in the database
    /// is saved, also when the journal could not be written.
    pub(super) fn settle(
        mut self,
        journaling: Option<Pending>,
        done: Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Writer { journal, cache, .. } = &mut *self.writer;
        let running = cache.running;
        if done.is_ok() {
            if let Some(journal) = journal {
                journal.settle(journaling);
                journal.is_committed(running);
            }
            self.writer.open = false;
        }
        done
    }
}

/// After a transaction that failed or was dropped: whether it went through all
/// the same only the database knows.
pub(super) async fn look_back(writer: &mut Writer) -> Result<(), StoreError> {
    let Writer { conn, journal, .. } = writer;
    let Some(journal) = journal else {
        return Ok(());
    };
    let Some(hash) = journal.under_way() else {
        return Ok(());
    };
    let reached = journal.committed();
    let heads = ledger::heads(conn, reached.device, reached.incarnation).await?;
    if ledger::has_hash(conn, hash).await? {
        journal.set_committed(Reached {
            running: reached.running,
            ..Reached::new(reached.device, reached.incarnation, heads)
        });
        journal.is_committed(None);
    } else {
        journal.is_void(Reached::new(reached.device, reached.incarnation, heads));
    }
    Ok(())
}

impl Store {
    /// From here on events written go into this journal too.
    pub(crate) async fn keep_journal(&self, journal: Journal) {
        if let Some(writer) = &self.writer {
            let failing = journal.failing();
            writer.lock().await.journal = Some(journal);
            *self
                .journal_fails
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = failing;
        }
    }

    /// How far everything committed reaches, as the journal knows it.
    pub(crate) async fn journal_reached(&self) -> Option<Reached> {
        let writer = self.writer.as_ref()?.lock().await;
        writer.journal.as_ref().map(Journal::committed)
    }

    /// Events are written under another incarnation from here on.
    pub(crate) async fn journal_from(&self, reached: Reached) {
        if let Some(writer) = &self.writer
            && let Some(journal) = &mut writer.lock().await.journal
        {
            journal.set_committed(reached);
        }
    }

    /// Whether the last try to write the journal failed.
    pub(crate) fn journal_fails(&self) -> bool {
        let flag = self.journal_fails.lock();
        flag.unwrap_or_else(std::sync::PoisonError::into_inner)
            .load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Brings into the journal what is missing there, and removes what the
    /// hub's receipts cover. For idle moments; a file that cannot be written
    /// is no fault of whoever asks.
    pub(super) async fn level_journal(&self) -> Result<(), StoreError> {
        while self.level_some().await? {}
        Ok(())
    }

    async fn level_some(&self) -> Result<bool, StoreError> {
        let Some(writer) = &self.writer else {
            return Ok(false);
        };
        let mut writer = writer.lock().await;
        let Writer {
            conn,
            journal,
            open,
            ..
        } = &mut *writer;
        let Some(journal) = journal else {
            return Ok(false);
        };
        if *open {
            return Ok(false);
        }
        let Reached {
            device,
            incarnation,
            ..
        } = journal.committed();
        let receipted = incarnation::receipted(conn, incarnation).await?;
        let unreceipted = lanes(conn, device, &receipted).await?;
        let Some((incarnation, lane, after, last)) = journal.missing(&unreceipted) else {
            let done = |incarnation, lane, n| receipted.reaches(incarnation, lane, n);
            journal.leave_behind(done);
            return Ok(false);
        };
        let place = (device, incarnation);
        let stored = ledger::own_after(conn, place, lane, after).await?;
        let mut events = Vec::new();
        for event in stored.into_iter().take(GO) {
            if event.key.n <= last {
                events.push(SealedEvent::from_parts(event.body, event.prev, event.hash)?);
            }
        }
        Ok(journal.write_again(events))
    }
}

/// Incarnation, lane, receipt and end of all that is written here.
async fn lanes(
    conn: &mut sqlx::SqliteConnection,
    device: DeviceId,
    receipted: &incarnation::Receipted,
) -> Result<Vec<(u32, Lane, u64, u64)>, StoreError> {
    let heads = ledger::heads(conn, device, receipted.incarnation).await?;
    let present = Lane::ALL.into_iter().map(|lane| {
        let (acked, head) = (receipted.acked[lane.index()], heads[lane.index()].n);
        (receipted.incarnation, lane, acked, head)
    });
    let past = receipted.past.iter().flat_map(|(incarnation, past)| {
        Lane::ALL.map(|lane| {
            let lane_at = lane.index();
            (*incarnation, lane, past.acked[lane_at], past.heads[lane_at])
        })
    });
    Ok(present.chain(past).collect())
}
