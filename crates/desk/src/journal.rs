//! Drafts: every keystroke of the form is on the disk before the next.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{ComplaintId, Intake};
use uuid::Uuid;

use crate::clock::{from_ms, to_ms};
use crate::desk::{Desk, Inner};
use crate::session::{Session, SessionError};
use crate::store::{StoreError, drafts, evidence};
use crate::view::{Chosen, DraftView};

/// Why a draft was not kept or found.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<serde_json::Error> for DraftError {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A draft as journaled. Journals of versions that kept the form alone read as
/// such with nothing chosen.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Sheet {
    #[serde(flatten)]
    intake: Intake,
    #[serde(default, skip_serializing_if = "is_default")]
    chosen: Chosen,
}

fn is_default(chosen: &Chosen) -> bool {
    *chosen == Chosen::default()
}

impl Desk {
    /// Opens a form: its id is made now, and the moment kept as the
    /// customer's arrival. It becomes a draft with the first keystroke.
    pub async fn draft_open(&self, session: &Session) -> Result<DraftView, DraftError> {
        self.inner.at_work(session)?;
        let id = ComplaintId(Uuid::now_v7());
        let body = serde_json::to_string(&Sheet::default())?;
        let mut tx = self.inner.store.begin().await?;
        let at = self.inner.opened_now();
        drafts::delete_done(tx.conn(), session.staff_id(), &body).await?;
        drafts::save(tx.conn(), id, session.staff_id(), at, body).await?;
        tx.commit().await?;
        self.inner.tally.count(|counts| counts.forms_opened += 1);
        let opened_at = from_ms(at.at_ms);
        Ok(DraftView {
            id,
            opened_at,
            changed_at: opened_at,
            intake: Intake::default(),
            chosen: Chosen::default(),
        })
    }

    /// Journals the form as it stands and tells when. Changes nothing once the
    /// complaint is recorded.
    pub async fn draft_save(
        &self,
        session: &Session,
        id: ComplaintId,
        intake: Intake,
        chosen: Chosen,
    ) -> Result<DateTime<Utc>, DraftError> {
        self.inner.at_work(session)?;
        let body = serde_json::to_string(&Sheet { intake, chosen })?;
        let mut tx = self.inner.store.begin().await?;
        let at = self.inner.opened_now();
        drafts::save(tx.conn(), id, session.staff_id(), at, body).await?;
        tx.commit().await?;
        Ok(from_ms(at.at_ms))
    }

    /// The person's drafts in which something was typed, the latest first.
    pub async fn drafts(&self, session: &Session) -> Result<Vec<DraftView>, DraftError> {
        self.inner.at_work(session)?;
        let mut conn = self.inner.store.read().await?;
        let mut views = Vec::new();
        for row in drafts::of_staff(&mut conn, session.staff_id()).await? {
            let sheet: Sheet = serde_json::from_str(&row.body)?;
            let id = ComplaintId(row.id);
            if sheet == Sheet::default() && evidence::of_complaint(&mut conn, id).await?.is_empty()
            {
                continue;
            }
            views.push(DraftView {
                id: ComplaintId(row.id),
                opened_at: from_ms(row.opened_at),
                changed_at: from_ms(row.changed_at),
                intake: sheet.intake,
                chosen: sheet.chosen,
            });
        }
        Ok(views)
    }

    /// Throws a draft away, at the person's wish.
    pub async fn draft_discard(
        &self,
        session: &Session,
        id: ComplaintId,
    ) -> Result<(), DraftError> {
        self.inner.at_work(session)?;
        let mut tx = self.inner.store.begin().await?;
        drafts::delete(tx.conn(), id, session.staff_id()).await?;
        tx.commit().await?;
        self.inner.tally.count(|counts| counts.forms_discarded += 1);
        Ok(self.forget_formless().await?)
    }
}

impl Inner {
    /// The present moment for a form.
    fn opened_now(&self) -> drafts::Opened {
        let stretch = self.time.copy().stretch;
        drafts::Opened {
            at_ms: to_ms(self.now()),
            stretch,
        }
    }
}
