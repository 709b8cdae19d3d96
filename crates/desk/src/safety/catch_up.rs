//! The last steps of a start: what the journal has and the database lacks is
//! put back, the ends of the chains are held against those kept outside, and
//! data that have lost something go on under a new incarnation.

use suda_domain::{EventKey, Lane};
use suda_sync::place::LaneHead;

use super::{StartNotice, seed};
use crate::clock::to_ms;
use crate::desk::{Desk, Enrolled, OpenError};
use crate::place::{IdentityFile, PlaceError};
use crate::record::{civil_day, last_running};
use crate::store::incarnation::{self, Cause};
use crate::store::{Cache, StoreError, hub_order, ledger, outbox};
use crate::unsent::entry::Reached;
use crate::unsent::{self, Found, Journal};

/// Why the desk does not go on under a new incarnation.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error("the desk is not enrolled")]
    NotEnrolled,
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RenewError> for OpenError {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::NotEnrolled => Self::Empty,
            RenewError::Place(error) => Self::Place(error),
            RenewError::Store(error) => Self::Store(error),
        }
    }
}

/// Running numbers passed over when it is not known how many were given away.
const BLIND_SKIP: u32 = 500;

impl Desk {
    /// Brings the opened data level with what is kept outside of them.
    pub(crate) async fn catch_up(&self) -> Result<(), OpenError> {
        let Some(file) = self.inner.place.identity()? else {
            return Ok(());
        };
        let Ok(enrolled) = self.inner.enrolled() else {
            return Ok(self.settle_restored(&file)?);
        };
        self.fold_old_again(&enrolled).await?;
        let found = self.read_journal();
        let replayed = self.replay(&found.groups).await?;
        let lost = self.lost(&enrolled, &file, &found).await? || replayed.apart;
        self.start_journal(&enrolled, found).await?;
        if lost {
            let cause = match file.restored {
                true => Cause::Restored,
                false => Cause::RolledBack,
            };
            tracing::warn!(
                ?cause,
                "the data lack something; they go on under a new incarnation"
            );
            self.renew_incarnation(cause).await?;
        }
        if lost || file.restored {
            self.know_evidence_again().await?;
        }
        self.settle_restored(&file)?;
        let torn = self.inner.store.has_lost_log();
        let notice = match (lost, file.restored, torn, replayed.earlier) {
            (true, ..) => Some(StartNotice::AwaitsHub),
            (false, true, ..) => Some(StartNotice::Restored),
            (false, false, true, _) => Some(StartNotice::LogDamaged),
            (false, false, false, true) => Some(StartNotice::PutBack),
            (false, false, false, false) => None,
        };
        self.inner.safety.change(|view| view.notice = notice);
        if (lost || !self.inner.place.seed().exists())
            && let Ok(enrolled) = self.inner.enrolled()
            && let Err(error) = seed::write(&self.inner.place, self.inner.store.key(), &enrolled)
        {
            tracing::warn!(%error, "what the enrolment gave is not kept beside the database");
        }
        Ok(())
    }

    /// Makes rows anew whose events an earlier version folded by other rules.
    async fn fold_old_again(&self, enrolled: &Enrolled) -> Result<(), StoreError> {
        let waiting = hub_order::to_fold_again(&mut *self.inner.store.read().await?).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let mut tx = self.inner.store.begin().await?;
        for id in waiting {
            hub_order::withhold(tx.conn(), id).await?;
            self.fold_again(&mut tx, enrolled, id).await?;
        }
        hub_order::folded_again(tx.conn()).await?;
        tx.commit().await
    }

    /// What followed from a restore is done.
    fn settle_restored(&self, file: &IdentityFile) -> Result<(), PlaceError> {
        if !file.restored {
            return Ok(());
        }
        let now = self.inner.place.identity()?;
        self.inner.place.save_identity(&IdentityFile {
            restored: false,
            ..now.unwrap_or_else(|| file.clone())
        })
    }

    /// A journal that cannot be read at all is one with damage.
    fn read_journal(&self) -> Found {
        let read = unsent::read(&self.inner.place.journal(), self.inner.store.key());
        read.unwrap_or_else(|error| {
            tracing::error!(%error, "the journal cannot be read");
            Found {
                damaged: 1,
                ..Found::default()
            }
        })
    }

    /// Whether the database is behind what is known outside of it to have
    /// been written.
    async fn lost(
        &self,
        enrolled: &Enrolled,
        file: &IdentityFile,
        found: &Found,
    ) -> Result<bool, StoreError> {
        let (device, incarnation) = enrolled.identity();
        if file.incarnation > Some(incarnation) {
            return Ok(true);
        }
        let mut conn = self.inner.store.read().await?;
        let heads = ledger::heads(&mut conn, device, incarnation).await?;
        let put_back = file.restored || self.inner.store.has_lost_log();
        let Some(reached) = found.reached.get(&(device, incarnation)) else {
            return Ok(put_back);
        };
        for lane in Lane::ALL {
            let (here, known) = (heads[lane.index()], reached.ends[lane.index()]);
            let key = EventKey {
                device,
                incarnation,
                lane,
                n: known.n,
            };
            let agree = known.n == 0 || ledger::known(&mut conn, key).await? == Some(known.hash);
            if here.n < known.n || !agree {
                return Ok(true);
            }
        }
        // What cannot be read may have told more.
        Ok(put_back && found.damaged > 0)
    }

    pub(crate) async fn start_journal(
        &self,
        enrolled: &Enrolled,
        found: Found,
    ) -> Result<(), StoreError> {
        let (device, incarnation) = enrolled.identity();
        let mut conn = self.inner.store.read().await?;
        let heads = ledger::heads(&mut conn, device, incarnation).await?;
        drop(conn);
        let of_device = found.reached.values().filter(|r| r.device == device);
        let reached = Reached {
            running: of_device.map(|reached| reached.running).max().flatten(),
            ..Reached::new(device, incarnation, heads)
        };
        let dir = self.inner.place.journal();
        match Journal::start(&dir, self.inner.store.key(), found, reached) {
            Ok(journal) => self.inner.store.keep_journal(journal).await,
            Err(error) => tracing::error!(%error, "no journal beside the database"),
        }
        Ok(())
    }

    /// Goes on under a new incarnation, as the hub knows a copy of these data
    /// that has gone on by itself. Gives the new one.
    pub async fn go_on_as_copy(&self) -> Result<u32, RenewError> {
        self.renew_incarnation(Cause::Copied).await
    }

    /// Ends the present incarnation and begins the next with empty lanes. What
    /// was written under the old one keeps its names and is still to be
    /// delivered; `past_incarnation` says how far it is.
    ///
    /// The file beside the database is written first: interrupted, the next
    /// start finds the database behind it and begins yet another incarnation,
    /// which costs a number and nothing else.
    pub(crate) async fn renew_incarnation(&self, cause: Cause) -> Result<u32, RenewError> {
        self.renew_as(cause, None).await
    }

    /// The same, as the incarnation and with the letter that the hub gave.
    pub(crate) async fn renew_as(
        &self,
        cause: Cause,
        given: Option<(u32, String)>,
    ) -> Result<u32, RenewError> {
        let inner = &self.inner;
        let enrolled = inner.enrolled().map_err(|_| RenewError::NotEnrolled)?;
        let (device, old) = enrolled.identity();
        let file = inner.place.identity()?;
        let file = file.ok_or(RenewError::NotEnrolled)?;
        let (new, letter) = match given {
            Some((new, letter)) => (new, letter),
            None => {
                let next = file.incarnation.unwrap_or(old).max(old) + 1;
                (next, enrolled.device.desk_letter.clone())
            }
        };
        inner.place.save_identity(&IdentityFile {
            device: Some(device),
            incarnation: Some(new),
            ..file
        })?;
        let known = inner.store.journal_reached().await.and_then(|r| r.running);
        let mut tx = inner.store.begin().await?;
        let heads = ledger::heads(tx.conn(), device, old).await?;
        let at = to_ms(inner.time.now().0);
        incarnation::renew(tx.conn(), (old, new), &letter, &heads, cause, at).await?;
        outbox::set_contact(tx.conn(), None).await?;
        let today = civil_day(&enrolled, inner.now());
        let given = last_running(tx.conn(), &enrolled, today).await?;
        let floor = match known {
            Some((day, n)) if day == today => n.max(given),
            // Nothing was given today, as far as the journal goes.
            Some((day, _)) if day < today => given,
            _ => given + BLIND_SKIP,
        };
        incarnation::set_reference_floor(tx.conn(), today, floor).await?;
        *tx.parts().1 = Cache::default();
        tx.commit().await?;
        let mut row = enrolled.device.clone();
        row.incarnation = new;
        row.desk_letter = letter;
        inner.set_enrolled(Enrolled {
            device: row,
            directory: enrolled.directory.clone(),
            rules: enrolled.rules.clone(),
            handoffs: enrolled.handoffs.clone(),
            lines: enrolled.lines.clone(),
            keep: enrolled.keep.clone(),
        });
        let empty = Reached::new(device, new, [LaneHead::EMPTY; 4]);
        let running = Some((today, floor));
        inner.store.journal_from(Reached { running, ..empty }).await;
        Ok(new)
    }
}
