//! What this desk counts of each day for those who keep the desks running, and
//! how it comes into the store: collected in memory (`tally`), written once a
//! minute, at a start and at the end, into the row of the running day. A crash
//! loses a minute's counts at most; it never loses a complaint over them, and
//! no save waits for them. The lane that carries them is `lane`.

pub(crate) mod lane;
pub(crate) mod tally;

use std::path::Path;

use suda_domain::text::cut_bytes;
use suda_sync::statistics::{Counts, DayName, DeskStanding, NAME_BYTES};

use crate::clock::to_ms;
use crate::desk::{Desk, Enrolled};
use crate::record::civil_day;
use crate::report::unsent;
use crate::store::{StoreError, WriteTx, evidence, statistics};

/// Between two writings.
const WRITE_MS: u64 = 60_000;

impl Desk {
    /// Counts that the data were opened for work.
    pub(crate) async fn count_start(&self) {
        let repaired = self.start_notice().is_some();
        self.inner.tally.count(|counts| {
            counts.starts += 1;
            counts.repairs += u64::from(repaired);
        });
        self.write_statistics(true).await;
    }

    /// Writes what was counted, when the last writing is a minute old.
    pub(crate) async fn keep_statistics(&self) {
        let now_ms = self.inner.time.clock.mono_ms();
        self.inner.tally.look(now_ms);
        if self.inner.tally.is_old(now_ms, WRITE_MS) {
            self.write_statistics(true).await;
        }
    }

    /// Writes what was counted; `running` is false at the end in good order.
    /// What cannot be written is kept in memory for the next time: figures are
    /// no reason to stop anything.
    pub(crate) async fn write_statistics(&self, running: bool) {
        let Ok(enrolled) = self.inner.enrolled() else {
            return;
        };
        if let Err(error) = self.try_write(&enrolled, running).await {
            tracing::warn!(%error, "the day's counts are written later");
        }
    }

    async fn try_write(&self, enrolled: &Enrolled, running: bool) -> Result<(), StoreError> {
        let inner = &self.inner;
        let standing = self.desk_standing(enrolled).await?;
        let jumps = inner.time.notice().jumps;
        let tx = inner.store.begin().await?;
        let name = DayName {
            incarnation: enrolled.identity().1,
            day: civil_day(enrolled, inner.now()),
        };
        let counts = inner.tally.take(inner.time.clock.mono_ms(), jumps);
        let day = Day {
            name,
            counts,
            standing,
        };
        let written = write(tx, day, running, inner.tally.is_first()).await;
        match written {
            Ok(()) => inner.tally.has_written(),
            Err(_) => inner.tally.put_back(&counts),
        }
        written
    }

    async fn desk_standing(&self, enrolled: &Enrolled) -> Result<DeskStanding, StoreError> {
        let inner = &self.inner;
        let mut conn = inner.store.read().await?;
        let unsent = unsent(&mut conn, enrolled.identity()).await?;
        let (_, evidence_bytes) = evidence::count_waiting(&mut conn).await?;
        drop(conn);
        let name = |text: &str| cut_bytes(text, NAME_BYTES).to_owned();
        Ok(DeskStanding {
            version: name(env!("CARGO_PKG_VERSION")),
            system: name(std::env::consts::OS),
            database_bytes: self.database_bytes(),
            free_bytes: fs4::available_space(inner.place.dir()).ok(),
            unsent_events: unsent.events(),
            evidence_bytes,
            backup_age_min: self.backup_age_min(),
        })
    }

    fn database_bytes(&self) -> u64 {
        let database = self.inner.place.database();
        let log = suda_sqlite::wal::beside(&database, "-wal");
        let bytes = |file: &Path| std::fs::metadata(file).map_or(0, |found| found.len());
        bytes(&database) + bytes(&log)
    }

    /// Of the newest backup that passed its check, also one of an earlier start.
    fn backup_age_min(&self) -> Option<u64> {
        let listed = self.inner.place.shelf().list().ok()?;
        let newest = listed
            .into_iter()
            .rfind(|kept| !kept.taken.before_migration)?;
        let age_ms = to_ms(self.inner.now()) - to_ms(newest.taken.at);
        Some(u64::try_from(age_ms / 60_000).unwrap_or_default())
    }
}

/// What is added to a day.
struct Day {
    name: DayName,
    counts: Counts,
    standing: DeskStanding,
}

/// Found open at the first writing of a start, the data were not closed in
/// good order by the one before.
async fn write(
    mut tx: WriteTx<'_>,
    mut day: Day,
    running: bool,
    is_first: bool,
) -> Result<(), StoreError> {
    let was_running = statistics::set_running(tx.conn(), running).await?;
    day.counts.unclean_ends += u64::from(was_running && is_first);
    statistics::add(tx.conn(), day.name, &day.counts, day.standing).await?;
    tx.commit().await
}
