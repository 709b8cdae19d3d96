//! What a clerk or manager does with a recorded complaint: settle, hand off,
//! note, withdraw. Each is one transaction; the rules are the domain's.

use suda_domain::fact::{Assignee, HandoffCause};
use suda_domain::guidance;
use suda_domain::intake::STEP_TEXT_LIMIT;
use suda_domain::text::clean;
use suda_domain::{Complaint, ComplaintId, Fact, QuestionId, Refusal, StaffId};
use suda_judge::answers::above_limit;

use crate::ReadError;
use crate::desk::{Desk, Enrolled, heads};
use crate::fold;
use crate::pen::{Pen, PenError};
use crate::session::{Session, SessionError};
use crate::store::{StoreError, complaints};
use crate::view::{CaseView, Settlement};

/// Why a step was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("there is no such complaint on this computer")]
    NotFound,
    #[error(transparent)]
    Refused(Refusal),
    #[error("the text is longer than {limit} characters")]
    TextTooLong { limit: u32 },
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PenError> for StepError {
    fn from(error: PenError) -> Self {
        match error {
            PenError::Refused(refusal) => Self::Refused(refusal),
            PenError::Json(error) => Self::Store(error.into()),
        }
    }
}

impl From<ReadError> for StepError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::NotFound,
            ReadError::Session(error) => Self::Session(error),
            ReadError::Store(error) => Self::Store(error),
        }
    }
}

impl Desk {
    /// Settles a simple complaint at the counter, with its written summary.
    pub async fn settle(
        &self,
        session: &Session,
        id: ComplaintId,
        settlement: Settlement,
    ) -> Result<CaseView, StepError> {
        let (summary, remedy) = (bounded(&settlement.summary)?, bounded(&settlement.remedy)?);
        let deviation = bounded(&settlement.deviation)?;
        self.step(session, id, |pen, state, enrolled| {
            let all = &enrolled.directory.guidance;
            let category = state.as_ref().map(|held| held.intake.category.as_str());
            let approved = category.and_then(|code| guidance::for_category(all, code));
            // More than the guidance lets a branch give is given with a reason
            // that stands in the ledger, or handed off.
            let above = approved.is_some_and(|one| above_limit(settlement.amount_minor, one));
            if above && deviation.is_empty() {
                return Err(Refusal::Incomplete.into());
            }
            let fact = Fact::Settled {
                summary,
                remedy,
                amount_minor: settlement.amount_minor,
                guidance: category.and_then(|code| guidance::used_for(all, code)),
                deviation,
            };
            if let Some(complaint) = state.as_ref() {
                let limit = enrolled.keep.latest().compensation_limit;
                complaint.admit_amount(&fact, limit)?;
            }
            pen.write(id, state, fact)
        })
        .await
    }

    /// Hands the complaint to the experts; the note, if any, goes before.
    pub async fn hand_off(
        &self,
        session: &Session,
        id: ComplaintId,
        reason_note: Option<String>,
    ) -> Result<CaseView, StepError> {
        let note = reason_note
            .map(|note| bounded(&note))
            .transpose()?
            .filter(|note| !note.is_empty());
        self.step(session, id, |pen, state, _| {
            if let Some(text) = note {
                pen.write(id, state, Fact::Noted { text })?;
            }
            pen.hand_off(state, HandoffCause::Manual)
        })
        .await
    }

    /// Adds a note, whoever owns the complaint.
    pub async fn note(
        &self,
        session: &Session,
        id: ComplaintId,
        text: String,
    ) -> Result<CaseView, StepError> {
        let fact = Fact::Noted {
            text: bounded(&text)?,
        };
        self.step(session, id, |pen, state, _| pen.write(id, state, fact))
            .await
    }

    /// Answers a question of the experts or of a department, or writes down
    /// what the customer answered. It goes on its way when there is a link.
    pub async fn reply(
        &self,
        session: &Session,
        id: ComplaintId,
        question: QuestionId,
        text: String,
    ) -> Result<CaseView, StepError> {
        let fact = Fact::Replied {
            question,
            text: bounded(&text)?,
        };
        self.step(session, id, |pen, state, _| pen.write(id, state, fact))
            .await
    }

    /// Ends the complaint at the customer's wish.
    pub async fn withdraw(
        &self,
        session: &Session,
        id: ComplaintId,
        reason: String,
    ) -> Result<CaseView, StepError> {
        let fact = Fact::Withdrawn {
            reason: bounded(&reason)?,
        };
        self.step(session, id, |pen, state, _| pen.write(id, state, fact))
            .await
    }

    /// Gives the complaint to one of the branch's staff: the manager's step.
    pub async fn assign(
        &self,
        session: &Session,
        id: ComplaintId,
        staff: StaffId,
    ) -> Result<CaseView, StepError> {
        self.step(session, id, |pen, state, enrolled| {
            let to = enrolled.workers().find(|worker| worker.id == staff);
            let to = to.ok_or(Refusal::OtherBranch)?;
            let above = |complaint: &Complaint| enrolled.lines.bar(complaint, to.id);
            if state.as_ref().is_some_and(above) {
                return Err(Refusal::Recused.into());
            }
            let fact = Fact::Assigned {
                to: Assignee {
                    staff: to.id,
                    name: to.name.clone(),
                },
            };
            pen.write(id, state, fact)
        })
        .await
    }

    pub(crate) async fn step(
        &self,
        session: &Session,
        id: ComplaintId,
        write: impl FnOnce(&mut Pen<'_>, &mut Option<Complaint>, &Enrolled) -> Result<(), PenError>,
    ) -> Result<CaseView, StepError> {
        let (enrolled, actor) = self.inner.at_work(session)?;
        let mut tx = self.inner.store.begin().await?;
        let reader = enrolled.reader(session.staff_id())?;
        let stored = complaints::get(tx.conn(), id, &reader)
            .await?
            .ok_or(StepError::NotFound)?;
        let mut state = Some(stored.complaint);
        let mut pen = Pen {
            device: &enrolled.device,
            heads: heads(&mut tx, &enrolled).await?,
            actor: &actor,
            at: self.inner.stamp(),
            events: Vec::with_capacity(2),
        };
        write(&mut pen, &mut state, &enrolled)?;
        let events = pen.events;
        let complaint = state.ok_or(StepError::NotFound)?;
        let row = fold::state_row(complaint, &enrolled.keep, stored.reminded);
        complaints::update(tx.conn(), &row).await?;
        tx.append(&events).await?;
        tx.commit().await?;
        self.inner.tell_written();
        Ok(self.case(session, id).await?)
    }
}

/// Cleaned, and short enough for one event.
pub(crate) fn bounded(text: &str) -> Result<String, StepError> {
    let text = clean(text);
    if text.chars().count() > STEP_TEXT_LIMIT as usize {
        let limit = STEP_TEXT_LIMIT;
        return Err(StepError::TextTooLong { limit });
    }
    Ok(text)
}
