//! Once a day, when nothing else is to be sent: is what this computer has of the
//! hub's log what the hub has? What differs is read again; what differs then
//! still is told to people, here and at the hub.

use chrono::TimeDelta;
use suda_sync::compare::{Compared, Next, next};
use suda_sync::message::Refused;
use suda_sync::{Ask, Reply};

use crate::clock::to_ms;
use crate::desk::{Change, Desk};
use crate::runner::SyncError;
use crate::store::compared::{ComparedRow, Found, compared, set_compared, set_cursor, sum};
use crate::store::{StoreError, outbox};

/// Between two comparisons that found the end of the log.
const EVERY: TimeDelta = TimeDelta::hours(20);

/// What is to be asked, and how far the comparison was then.
pub(crate) struct Due {
    pub(crate) ask: Ask,
    before: ComparedRow,
}

impl Desk {
    /// What is to be compared now; nothing when it was not long ago.
    pub(crate) async fn comparison_due(&self) -> Result<Option<Due>, StoreError> {
        let mut conn = self.inner.store.read().await?;
        let cursor = outbox::link(&mut conn).await?.cursor;
        let mut before = compared(&mut conn).await?;
        // The hub was put back, or the log is being read again.
        before.upto = before.upto.min(cursor);
        let long_ago = before
            .at
            .is_none_or(|at| to_ms(self.inner.now()) - at >= EVERY.num_milliseconds());
        let is_due = long_ago || before.found == Found::ToReadAgain;
        Ok((is_due && before.upto < cursor).then_some(Due {
            ask: Ask::Compare {
                after: before.upto,
                upto: cursor,
                differs: before.found == Found::Differs,
            },
            before,
        }))
    }

    /// Takes the hub's answer. True when more is to be compared at once.
    pub(crate) async fn take_comparison(
        &self,
        due: &Due,
        reply: Result<Reply, SyncError>,
    ) -> Result<bool, StoreError> {
        let told = match reply {
            Ok(Reply::Compared(told)) => told,
            Ok(Reply::Refused(Refused::Malformed | Refused::Version)) => {
                // An older hub: tomorrow it may be a newer one.
                let row = ComparedRow {
                    at: Some(to_ms(self.inner.now())),
                    ..due.before
                };
                return self.keep_comparison(row, None).await.map(|()| false);
            }
            Ok(_) => return Ok(false),
            Err(error) => {
                tracing::info!(%error, "no answer from the hub about its log");
                return Ok(false);
            }
        };
        self.settle_comparison(due, &told).await
    }

    async fn settle_comparison(&self, due: &Due, told: &Compared) -> Result<bool, StoreError> {
        let Ok(enrolled) = self.inner.enrolled() else {
            return Ok(false);
        };
        let mut conn = self.inner.store.read().await?;
        let link = outbox::link(&mut conn).await?;
        let is_of_now = link.epoch.as_ref() == Some(&told.epoch)
            && told.after == due.before.upto
            && told.upto <= link.cursor;
        if !is_of_now {
            return Ok(false);
        }
        let here = sum(&mut conn, enrolled.identity().0, (told.after, told.upto)).await?;
        drop(conn);
        let before = due.before;
        let now = Some(to_ms(self.inner.now()));
        let was_read_again = before.found == Found::ToReadAgain;
        let (row, read_again) = match next(told, here, was_read_again) {
            Next::Same { upto } => {
                // The rest is compared at once, not tomorrow.
                let at = if upto < link.cursor { before.at } else { now };
                let found = Found::Nothing;
                (ComparedRow { upto, at, found }, None)
            }
            Next::ReadAgain { after } => {
                tracing::warn!(after, upto = told.upto, "the copy of the hub's log differs");
                let found = Found::ToReadAgain;
                (ComparedRow { found, ..before }, Some(after))
            }
            Next::Differs => {
                let (after, upto) = (told.after, told.upto);
                tracing::error!(after, upto, "the hub's log differs, also read again");
                // Tomorrow anew: a newer program may read what this one cannot.
                let found = Found::Differs;
                (
                    ComparedRow {
                        at: now,
                        found,
                        ..before
                    },
                    None,
                )
            }
        };
        self.keep_comparison(row, read_again).await?;
        Ok(row.found == Found::Nothing && row.upto < link.cursor)
    }

    /// With a place, the log is read again from behind it.
    async fn keep_comparison(
        &self,
        row: ComparedRow,
        read_again: Option<u64>,
    ) -> Result<(), StoreError> {
        let mut tx = self.inner.store.begin().await?;
        set_compared(tx.conn(), row).await?;
        if let Some(after) = read_again {
            set_cursor(tx.conn(), after).await?;
        }
        tx.commit().await?;
        self.inner.tell(Change::Status);
        Ok(())
    }
}
