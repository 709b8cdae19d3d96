//! The outbox of texts to customers and duty staff as people look at it: the console and the
//! command. Numbers are masked; a text itself names nobody.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::ComplaintId;
use suda_domain::intake::Language;
use suda_domain::texts::Template;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::api::mask;
use crate::store::sms::{Dismissal, Sms, SmsFailing, SmsState};
use crate::store::{Reader, Result, Store};

/// A failure this old needs somebody.
const ALARM: TimeDelta = TimeDelta::minutes(30);

/// A page of the outbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SmsOutbox {
    /// The newest first.
    pub rows: Vec<SmsRow>,
    /// Where the next page begins; absent at the end.
    pub next: Option<String>,
    /// Texts that wait because their way fails.
    pub way: SmsFailures,
    /// Texts that fail by themselves, or have waited too long: somebody sends
    /// each again, or sees to it otherwise.
    pub failing: SmsFailures,
    /// Texts that may have been sent before the hub was put back: somebody
    /// releases or discards them all at once.
    pub held: u64,
}

/// Texts that fail, over all pages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SmsFailures {
    pub count: u64,
    /// Since when the oldest does.
    pub since: Option<DateTime<Utc>>,
    /// The oldest fails for so long that somebody has to see to it.
    pub alarm: bool,
}

/// One text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SmsRow {
    pub id: Uuid,
    /// Absent for the answer to a customer's own text.
    pub complaint: Option<ComplaintId>,
    pub reference: Option<String>,
    pub template: Template,
    pub language: Language,
    /// Masked.
    pub to: String,
    /// Absent until it is first sent.
    pub text: Option<String>,
    pub state: SmsState,
    pub attempts: u32,
    /// The last failure, as a code.
    pub error: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    /// It fails for so long that somebody has to see to it.
    pub alarm: bool,
    /// When it is tried next, while it waits.
    pub next_at: Option<DateTime<Utc>>,
    pub made_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    /// It goes to duty staff, not to a customer.
    #[serde(default)]
    pub to_staff: bool,
    /// It was the way that failed last, not this text.
    #[serde(default)]
    pub of_way: bool,
    /// Who saw to it otherwise, when and why.
    #[serde(default)]
    pub dismissal: Option<Dismissal>,
}

impl SmsRow {
    fn of(sms: Sms, now: DateTime<Utc>) -> Self {
        Self {
            id: sms.id,
            complaint: sms.complaint,
            reference: sms.reference.map(String::from),
            template: sms.template,
            language: sms.language,
            to: mask::number(&sms.to.as_recorded()),
            text: sms.text,
            state: sms.state,
            attempts: sms.attempts,
            error: sms.error,
            failing_since: sms.failing_since,
            alarm: is_alarm(sms.failing_since, now),
            next_at: (sms.state == SmsState::Waiting).then_some(sms.next_at),
            made_at: sms.made_at,
            sent_at: sms.sent_at,
            delivered_at: sms.delivered_at,
            to_staff: sms.duty.is_some(),
            of_way: sms.of_way,
            dismissal: sms.dismissal,
        }
    }
}

fn is_alarm(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    since.is_some_and(|since| now - since > ALARM)
}

/// A page of the outbox after `before`, of those that fail alone where asked.
pub async fn outbox(
    store: &dyn Store,
    reader: Reader,
    now: DateTime<Utc>,
    failing: bool,
    before: Option<(DateTime<Utc>, Uuid)>,
    limit: u32,
) -> Result<SmsOutbox> {
    let page = store.sms_page(failing, before, limit, reader).await?;
    let is_full = page.len() == limit as usize;
    let next = page.last().filter(|_| is_full).map(place);
    let trouble = store.sms_failing().await?;
    Ok(SmsOutbox {
        rows: page.into_iter().map(|sms| SmsRow::of(sms, now)).collect(),
        next,
        way: SmsFailures::of(trouble.way, now),
        failing: SmsFailures::of(trouble.texts, now),
        held: trouble.held,
    })
}

impl SmsFailures {
    fn of(SmsFailing { count, since }: SmsFailing, now: DateTime<Utc>) -> Self {
        Self {
            count,
            since,
            alarm: is_alarm(since, now),
        }
    }
}

fn place(sms: &Sms) -> String {
    format!("{}_{}", sms.made_at.timestamp_millis(), sms.id)
}

/// Reads a [`SmsOutbox::next`].
pub fn read_place(text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (ms, id) = text.split_once('_')?;
    let at = DateTime::from_timestamp_millis(ms.parse().ok()?)?;
    Some((at, id.parse().ok()?))
}
