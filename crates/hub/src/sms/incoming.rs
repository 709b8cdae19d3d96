//! What customers text, answered within limits. Whoever asks by a number that
//! is not one of theirs learns nothing of it, not even that it exists.

use suda_domain::complaint::Complaint;
use suda_domain::state::CustomerState;
use suda_domain::text::shingles;
use suda_domain::texts::{Mobile, Parameters, Query, Template, progress};
use suda_domain::{ReferenceNumber, State};
use uuid::Uuid;

use super::settings::SmsSettings;
use crate::hub::Hub;
use crate::store::sms::NewSms;
use crate::store::{Held, Reader, Result, Scope};

/// Complaints told to who asks for their latest.
const LATEST: usize = 3;
/// Complaints looked through for them: others may mention the number.
const LOOKED_THROUGH: u32 = 100;

/// Answers one text. False when it is answered with nothing: its sender is no
/// number, or has asked too often.
///
/// # Errors
/// When the store fails; then the text is to be told again.
pub async fn answer(hub: &Hub, settings: &SmsSettings, from: &str, text: &str) -> Result<bool> {
    let Some(sender) = Mobile::read_sender(from) else {
        tracing::info!("a text from no telephone number was left unanswered");
        return Ok(false);
    };
    let found = match Query::read(text) {
        Query::Reference(reference) => by_reference(hub, &sender, &reference).await?,
        Query::Latest => latest(hub, &sender).await?,
        Query::Unknown => Vec::new(),
    };
    let language = found.first().map(|complaint| complaint.intake.language);
    let language = language.unwrap_or_default();
    let template = if found.is_empty() {
        Template::UnknownNumber
    } else {
        Template::Progress
    };
    let parameters = Parameters {
        organisation: Some(hub.store.settings().await?.organisation),
        progress: Some(progress(language, found.iter().filter_map(told))),
        ..Parameters::default()
    };
    let text = match template.render(language, &parameters) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "an incoming text cannot be answered");
            return Ok(false);
        }
    };
    let answer = NewSms {
        duty: None,
        is_urgent: false,
        is_held: false,
        id: Uuid::now_v7(),
        cause: None,
        template,
        language,
        reference: None,
        to: sender,
        text: Some(text),
        made_at: hub.clock.now(),
    };
    let is_taken = hub
        .store
        .answer_sms(&answer, settings.answer_limits())
        .await?;
    if !is_taken {
        tracing::info!("a text was left unanswered: too many were asked");
    }
    Ok(is_taken)
}

fn told(complaint: &Complaint) -> Option<(&ReferenceNumber, CustomerState)> {
    let state = complaint.state.customer_state()?;
    Some((&complaint.reference, state))
}

async fn by_reference(
    hub: &Hub,
    sender: &Mobile,
    reference: &ReferenceNumber,
) -> Result<Vec<Complaint>> {
    let Some(id) = hub.store.find_reference(reference, Reader::Program).await? else {
        return Ok(Vec::new());
    };
    let held = hub.store.complaint(id, Reader::Program).await?;
    let complaint = held.map(Held::into_complaint);
    Ok(complaint
        .into_iter()
        .filter(|complaint| is_of(complaint, sender))
        .collect())
}

/// The newest first.
async fn latest(hub: &Hub, sender: &Mobile) -> Result<Vec<Complaint>> {
    let words = shingles(&sender.as_recorded());
    let found = hub
        .store
        .search(&words, &Scope::Everything, LOOKED_THROUGH, Reader::Program)
        .await?;
    let mut own: Vec<Complaint> = found
        .into_iter()
        .map(Held::into_complaint)
        .filter(|complaint| is_of(complaint, sender))
        .collect();
    own.sort_by_key(|complaint| std::cmp::Reverse(complaint.arrived_at));
    own.truncate(LATEST);
    Ok(own)
}

fn is_of(complaint: &Complaint, sender: &Mobile) -> bool {
    complaint.state != State::Draft
        && Mobile::read(&complaint.intake.phone).as_ref() == Some(sender)
}
