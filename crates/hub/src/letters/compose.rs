//! What a letter says, from the complaint and what is set beside it.

use chrono::{DateTime, Utc};
use suda_domain::complaint::Complaint;
use suda_domain::intake::Language;
use suda_domain::{Intake, LetterId};
use suda_letter::{Letter, Money};

use super::LetterError;
use crate::hub::Hub;

/// Characters of an id that tell a complaint's documents apart.
const SHORT_ID: usize = 8;

pub async fn compose(
    hub: &Hub,
    complaint: &Complaint,
    language: Language,
    id: LetterId,
    made_at: DateTime<Utc>,
) -> Result<Letter, LetterError> {
    let answer = complaint.answer.as_ref().ok_or(LetterError::NotAnswered)?;
    let settings = hub.store.settings().await?;
    let set = hub.store.letter_settings().await?;
    let branches = hub.store.branches().await?;
    let branch = branches
        .into_iter()
        .find(|known| known.code == complaint.branch)
        .map_or_else(|| complaint.branch.to_string(), |known| known.name);
    let answered_at = complaint.marks.answered_at.unwrap_or(made_at);
    let day = |at| settings.time.zone_at(at).local(at).date();
    let answered = day(answered_at);
    let next_level = match answer.next_level.trim() {
        "" => set.next_level(language, &settings.organisation),
        told => told.to_owned(),
    };
    let until = answer.next_level_until.map(day);
    let done = complaint
        .plan
        .iter()
        .filter(|planned| planned.done_at.is_some())
        .map(|planned| planned.measure.what.clone());
    Ok(Letter {
        language,
        reference: complaint.reference.to_string(),
        cycle: complaint.cycle,
        document: document(id),
        dated: answered,
        made_at,
        customer: customer(&complaint.intake),
        decision: answer.decision,
        reasons: answer.reasons.clone(),
        text: answer.text.clone(),
        remedy: answer.remedy.clone(),
        amount: answer
            .amount_minor
            .filter(|minor| *minor != 0)
            .map(|minor| Money {
                minor,
                currency: set.currency,
            }),
        measures: done.collect(),
        next_level,
        next_level_until: Some(until.unwrap_or_else(|| set.until(answered))),
        contact: set.contact(language, &branch),
        // As on the receipt of the recording: the page, or the bare number.
        link: match &settings.status_url {
            Some(base) => format!("{}/{}", base.trim_end_matches('/'), complaint.reference),
            None => complaint.reference.to_string(),
        },
        organisation: settings.organisation,
        branch,
    })
}

fn customer(intake: &Intake) -> Option<String> {
    let name = intake.name.trim();
    (!name.is_empty() && !intake.anonymous).then(|| name.to_owned())
}

/// The end of the id, which is drawn by chance, in two groups.
fn document(id: LetterId) -> String {
    let digits = id.0.simple().to_string().to_uppercase();
    let from = digits.len().saturating_sub(SHORT_ID);
    let (first, second) = digits
        .get(from..)
        .and_then(|end| end.split_at_checked(SHORT_ID / 2))
        .unwrap_or_default();
    format!("{first}-{second}")
}
