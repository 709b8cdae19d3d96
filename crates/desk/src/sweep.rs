//! What the desk does by itself as the hour runs: reminders, and the handoff
//! ten minutes before its end. Called every few seconds.

use suda_domain::clocks::{self, Prompt, deadlines};
use suda_domain::duty::{self, DutyKind};
use suda_domain::escalation::{self, Addressee, Escalation};
use suda_domain::fact::HandoffCause;
use suda_domain::{Actor, Complaint, ComplaintId, FactKind};

use crate::clock::to_ms;
use crate::desk::{Change, Desk, Enrolled, heads};
use crate::fold;
use crate::pen::Pen;
use crate::session::SessionError;
use crate::steps::StepError;
use crate::store::barrier::Reader;
use crate::store::{StoreError, complaints};
use crate::view::PromptView;

/// Why the desk could not look after its complaints.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Desk {
    /// Does what is due now and tells what a person should be shown. Each
    /// reminder is given once.
    pub async fn sweep(&self) -> Result<Vec<PromptView>, SweepError> {
        let enrolled = self.inner.enrolled()?;
        self.inner.keep_time().await;
        self.keep_statistics().await;
        let mut conn = self.inner.store.read().await?;
        let due = complaints::prompts_due(&mut conn, to_ms(self.inner.now())).await?;
        drop(conn);
        let mut prompts = self.told(&enrolled).await?;
        for id in due {
            match self.prompt(&enrolled, id).await {
                Ok(prompt) => prompts.extend(prompt),
                // One that cannot be handed off must not keep the others waiting.
                Err(StepError::Refused(refusal)) => {
                    tracing::error!(complaint = %id, %refusal, "not handed off by itself");
                }
                Err(StepError::NotFound | StepError::TextTooLong { .. }) => {}
                Err(StepError::Session(error)) => return Err(error.into()),
                // What was already marked as shown has to be shown.
                Err(StepError::Store(error)) if !prompts.is_empty() => {
                    tracing::error!(%error, "the rest of the reminders wait for the next look");
                    break;
                }
                Err(StepError::Store(error)) => return Err(error.into()),
            }
        }
        if !prompts.is_empty() {
            self.count_prompts(&prompts);
            self.inner.tell(Change::Cases);
        }
        if prompts.iter().any(|prompt| prompt.handed_off) {
            self.inner.tell_written();
        }
        Ok(prompts)
    }

    fn count_prompts(&self, prompts: &[PromptView]) {
        let own = || {
            prompts
                .iter()
                .filter(|prompt| prompt.escalation.is_none() && !prompt.question)
        };
        let handed_off = own().filter(|prompt| prompt.handed_off).count() as u64;
        let all = own().count() as u64;
        self.inner.tally.count(|counts| {
            counts.automatic_handoffs += handed_off;
            counts.reminders += all - handed_off;
        });
    }

    async fn prompt(
        &self,
        enrolled: &Enrolled,
        id: ComplaintId,
    ) -> Result<Option<PromptView>, StepError> {
        let mut tx = self.inner.store.begin().await?;
        let stored = complaints::get(tx.conn(), id, &Reader::program())
            .await?
            .ok_or(StepError::NotFound)?;
        let now = self.inner.now();
        let mut reminded = stored.reminded;
        let mut state = Some(stored.complaint);
        let prompt = state
            .as_ref()
            .and_then(|c| clocks::prompt(c, &enrolled.keep, now, reminded));
        let events = match prompt {
            Some(Prompt::Remind(minute)) => {
                reminded = Some(minute);
                complaints::set_reminded(tx.conn(), id, minute).await?;
                Vec::new()
            }
            Some(Prompt::HandOff) => {
                let actor = Actor::system(Some(enrolled.directory.branch.clone()));
                let mut pen = Pen {
                    device: &enrolled.device,
                    heads: heads(&mut tx, enrolled).await?,
                    actor: &actor,
                    at: self.inner.stamp(),
                    events: Vec::with_capacity(1),
                };
                pen.hand_off(&mut state, HandoffCause::Automatic)?;
                pen.events
            }
            None => Vec::new(),
        };
        let complaint: Complaint = state.ok_or(StepError::NotFound)?;
        let row = fold::state_row(complaint, &enrolled.keep, reminded);
        complaints::update(tx.conn(), &row).await?;
        tx.append(&events).await?;
        tx.commit().await?;
        // A notification is read by whoever stands there.
        let shown = prompt.filter(|_| row.complaint.recused.is_empty());
        let minutes = (now - row.complaint.arrived_at).num_minutes();
        Ok(shown.map(|prompt| PromptView {
            id,
            reference: row.complaint.reference,
            minutes: match prompt {
                Prompt::Remind(minute) => minute,
                Prompt::HandOff => u32::try_from(minutes).unwrap_or_default(),
            },
            handed_off: prompt == Prompt::HandOff,
            escalation: None,
            question: false,
        }))
    }

    /// What the hub has told this branch of since the last look and still holds.
    async fn told(&self, enrolled: &Enrolled) -> Result<Vec<PromptView>, StoreError> {
        let mut prompts = Vec::new();
        for (id, told) in self.inner.take_told() {
            let mut conn = self.inner.store.read().await?;
            let Some(stored) = complaints::get(&mut conn, id, &Reader::anybody()).await? else {
                continue;
            };
            let complaint = stored.complaint;
            let (escalation, question) = match told {
                Told::Escalated => (of_branch(&complaint, enrolled), false),
                Told::Asked => (None, is_asked(&complaint)),
            };
            if escalation.is_none() && !question {
                continue;
            }
            let minutes = (self.inner.now() - complaint.arrived_at).num_minutes();
            prompts.push(PromptView {
                id,
                reference: complaint.reference,
                minutes: u32::try_from(minutes).unwrap_or_default(),
                handed_off: false,
                escalation,
                question,
            });
        }
        Ok(prompts)
    }
}

/// What the hub tells a branch that a person should be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Told {
    /// A deadline came near or was missed.
    Escalated,
    /// The experts or a department ask something.
    Asked,
}

impl Told {
    pub(crate) fn by(kind: FactKind) -> Option<Self> {
        match kind {
            FactKind::Escalated => Some(Self::Escalated),
            FactKind::Asked => Some(Self::Asked),
            _ => None,
        }
    }
}

/// The highest that was told of its deadlines and addresses the branch.
fn of_branch(complaint: &Complaint, enrolled: &Enrolled) -> Option<Escalation> {
    let clocks = deadlines(complaint, &enrolled.keep);
    let mut standing = escalation::standing(complaint, &clocks).into_iter();
    standing.find(|one| {
        matches!(
            escalation::addressee(complaint, one),
            Addressee::Branch(_) | Addressee::BranchManager(_)
        )
    })
}

/// Whether a question to the branch is open.
fn is_asked(complaint: &Complaint) -> bool {
    let duties = duty::duties(complaint);
    duties.iter().any(|duty| duty.kind == DutyKind::Question)
}
