//! Answers to suggest while a complaint is settled at the counter: the guidance
//! and what similar complaints on this computer were answered, without what
//! names their customers. Needs no network; nothing is filled in by itself.

use suda_domain::guidance;
use suda_domain::{Complaint, ComplaintId};
use suda_judge::answers::{AnswerSuggestion, Past, suggest_answers};

use crate::backlog::ReadError;
use crate::desk::Desk;
use crate::session::Session;
use crate::store::complaints;

impl Desk {
    /// Answers that may be given to this complaint, each with its source: the
    /// guidance first, then the nearest, from complaints the person may see.
    ///
    /// # Errors
    /// When there is no such complaint for them, nobody is signed in, or the
    /// store cannot be read.
    pub async fn answer_suggestions(
        &self,
        session: &Session,
        id: ComplaintId,
    ) -> Result<Vec<AnswerSuggestion>, ReadError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let mut conn = self.inner.store.read().await?;
        let this = complaints::get(&mut conn, id, &reader).await?;
        let this = this.ok_or(ReadError::NotFound)?.complaint;
        drop(conn);
        let nearest = self.inner.beside(&this.intake).await?;
        let mut conn = self.inner.store.read().await?;
        let mut cases: Vec<(Complaint, f32)> = Vec::with_capacity(nearest.len());
        for (id, score) in nearest {
            // Not for whom it is about.
            if let Some(stored) = complaints::get(&mut conn, id, &reader).await? {
                cases.push((stored.complaint, score));
            }
        }
        let past: Vec<Past<'_>> = cases
            .iter()
            .map(|(complaint, score)| Past {
                complaint,
                score: *score,
            })
            .collect();
        let staff = enrolled.directory.staff.iter();
        let names: Vec<&str> = staff.map(|one| one.name.as_str()).collect();
        let all = &enrolled.directory.guidance;
        let approved = guidance::for_category(all, &this.intake.category);
        Ok(suggest_answers(&this, approved, &past, &names))
    }
}
