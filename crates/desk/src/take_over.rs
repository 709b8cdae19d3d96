//! A computer of the branch is dead: at another one the branch's manager takes
//! over the complaints it kept. The owner number rises, so that whatever the
//! dead one still brings under the old number is kept as a note and changes
//! nothing any more; what it alone knows arrives as it was written. Works
//! without a network, as every step does.

use std::collections::BTreeMap;

use suda_domain::permission::may_write;
use suda_domain::{ComplaintId, DeviceId, Fact, FactKind, ReferenceNumber, Refusal};
use suda_sync::fold::{Course, course};

use crate::ReadError;
use crate::clock::from_ms;
use crate::desk::Desk;
use crate::session::Session;
use crate::steps::{StepError, bounded};
use crate::store::StoreError;
use crate::store::barrier::Reader;
use crate::store::complaints::{self, Place};
use crate::store::ledger::{self, StoredEvent};
use crate::view::{CaseView, OtherDesk, Scope};

/// Complaints looked at together.
const PAGE: i64 = 200;

/// What became of the complaints a computer kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TakenOver {
    pub taken: u32,
    /// Somebody was quicker with these: they are not open in the branch any more.
    pub gone: u32,
}

impl Desk {
    /// Takes a complaint over from the computer that kept it: the manager's
    /// step, with a reason.
    ///
    /// # Errors
    /// [`StepError::Refused`] when the rules do not allow it: it is not open in
    /// the branch, or this is not its manager.
    pub async fn take_over(
        &self,
        session: &Session,
        id: ComplaintId,
        reason: &str,
    ) -> Result<CaseView, StepError> {
        let reason = bounded(reason)?;
        self.step(session, id, |pen, state, _| {
            pen.write(id, state, Fact::TakenOver { reason })
        })
        .await
    }

    /// Takes over all that a computer kept and that is open in the branch, each
    /// complaint by a step of its own: when the program ends in the middle, the
    /// rest is still that computer's and is taken over by doing it again.
    ///
    /// # Errors
    /// Like [`take_over`](Self::take_over); what was taken before stays taken.
    pub async fn take_over_all(
        &self,
        session: &Session,
        device: DeviceId,
        reason: &str,
    ) -> Result<TakenOver, StepError> {
        let (enrolled, actor) = self.inner.at_work(session)?;
        if !may_write(actor.role, FactKind::TakenOver) {
            return Err(StepError::Refused(Refusal::Role));
        }
        let reader = enrolled.reader(session.staff_id())?;
        let kept = self.kept(&reader).await?;
        let mut told = TakenOver { taken: 0, gone: 0 };
        for id in kept.get(&device).into_iter().flatten() {
            match self.take_over(session, *id, reason).await {
                Ok(_) => told.taken += 1,
                Err(StepError::Refused(Refusal::State | Refusal::NotOwner)) => told.gone += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }

    /// The other computers of the branch that keep complaints open in it.
    ///
    /// # Errors
    /// Nobody is signed in, or the store fails.
    pub async fn other_desks(&self, session: &Session) -> Result<Vec<OtherDesk>, ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let mut others = Vec::new();
        for (device, kept) in self.kept(&reader).await? {
            if device == enrolled.device.device {
                continue;
            }
            let mut conn = self.inner.store.read().await?;
            let reference = ledger::last_reference(&mut conn, device).await?;
            let reference = reference.and_then(|text| text.parse::<ReferenceNumber>().ok());
            let last_at = ledger::last_at(&mut conn, device).await?;
            others.push(OtherDesk {
                device,
                letter: reference.map(|reference| reference.desk().to_owned()),
                open: u32::try_from(kept.len()).unwrap_or(u32::MAX),
                last_at: last_at.map(from_ms),
            });
        }
        others.sort_by(|one, other| one.letter.cmp(&other.letter));
        Ok(others)
    }

    /// What is open in the branch, by the computer that keeps it.
    async fn kept(
        &self,
        reader: &Reader,
    ) -> Result<BTreeMap<DeviceId, Vec<ComplaintId>>, StoreError> {
        let mut kept: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut conn = self.inner.store.read().await?;
        let mut after = None;
        loop {
            let page = complaints::page(&mut conn, Scope::Open, after, PAGE, reader).await?;
            let Some(last) = page.last() else {
                return Ok(kept);
            };
            after = Some(Place {
                rank: last.rank,
                row: last.row,
            });
            for stored in page {
                let id = stored.complaint.id;
                let events = ledger::of_complaint(&mut conn, id).await?;
                if let Some(device) = course_of(&events).keeper {
                    kept.entry(device).or_default().push(id);
                }
            }
        }
    }
}

/// How the complaint with these events went.
pub(crate) fn course_of(events: &[StoredEvent]) -> Course {
    let standing: Vec<_> = events.iter().filter_map(StoredEvent::standing).collect();
    course(&standing)
}
