//! The texts to customers and to duty staff as a store keeps them: made in the transaction of
//! the event that asks for them, taken one at a time by whoever sends.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use suda_domain::clocks::Clock;
use suda_domain::intake::Language;
use suda_domain::texts::{Asked, Mobile, Template};
use suda_domain::{
    BranchCode, Complaint, ComplaintId, EventKey, Grade, ReferenceNumber, Role, StaffId,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Reader, Result};
use crate::sms::settings::SmsSettings;

/// When a store is put back: what waited then may have been sent since. A
/// person decides whether it is sent after all.
pub const HELD_BACK: &str = "UPDATE sms SET state = 'held', error = 'restored', \
    failing_since = NULL WHERE state IN ('waiting', 'sending')";

/// The setting's name.
pub const SMS: &str = "sms";
/// From its making on a text may wait this long to be sent: over a night and
/// a day without the SMS centre. Then it is no news any more.
pub const GIVE_UP: TimeDelta = TimeDelta::hours(48);
/// A text that somebody has sent again may wait this long.
pub const GIVE_UP_AGAIN: TimeDelta = TimeDelta::hours(24);
/// Made before this they are forgotten, and with them the numbers they went to.
pub const SMS_KEPT: TimeDelta = TimeDelta::days(180);

/// How far a text has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmsState {
    Waiting,
    /// Taken by a process, until its lease ends.
    Sending,
    /// The SMS centre has taken it.
    Sent,
    /// The phone has it.
    Delivered,
    /// It cannot be sent, or could not be delivered.
    Failed,
    /// It has waited too long.
    GivenUp,
    /// It may have been sent before the hub was put back: somebody decides.
    Held,
    /// Somebody has seen to it otherwise.
    Dismissed,
}

impl SmsState {
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::GivenUp,
        Self::Held,
        Self::Dismissed,
    ];

    /// The name in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
            Self::Held => "held",
            Self::Dismissed => "dismissed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A text to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSms {
    pub id: Uuid,
    /// The complaint and the event that asks for it; absent for an answer.
    pub cause: Option<(ComplaintId, EventKey)>,
    pub template: Template,
    pub language: Language,
    pub reference: Option<ReferenceNumber>,
    pub to: Mobile,
    /// Of an answer; the others are put into words when they are sent.
    pub text: Option<String>,
    pub made_at: DateTime<Utc>,
    /// Of whom and of what a member of the duty staff is told.
    pub duty: Option<Duty>,
    /// Quiet hours do not hold it back.
    pub is_urgent: bool,
    /// It may have been sent before the hub was put back: somebody decides.
    pub is_held: bool,
}

/// Which member of staff is texted, and of which deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duty {
    pub staff: StaffId,
    pub deadline: DutyDeadline,
}

/// The deadline a text to duty staff tells of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DutyDeadline {
    pub clock: Clock,
    pub due: DateTime<Utc>,
}

/// A telephone that is texted when its owner is told of a deadline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DutyPhone {
    pub to: Mobile,
    pub language: Language,
}

/// An active member of staff who may have to be texted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnDuty {
    pub staff: StaffId,
    pub role: Role,
    pub branch: Option<BranchCode>,
    /// Absent for a branch manager without one, who counts all the same when
    /// it is asked whether a branch has anybody whom the complaint is not about.
    pub phone: Option<DutyPhone>,
}

impl OnDuty {
    /// The branch of which they are the manager.
    pub fn manages(&self) -> Option<(StaffId, BranchCode)> {
        let branch = self.branch.clone()?;
        (self.role == Role::BranchManager).then_some((self.staff, branch))
    }
}

/// Why a text is not sent after all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Dismissal {
    /// Absent for a command.
    pub by: Option<StaffId>,
    pub name: String,
    pub at: DateTime<Utc>,
    /// In their words.
    pub reason: String,
}

impl NewSms {
    /// What an event asks for. The id follows from the key, so that the same
    /// event asks for the same text however often it is judged.
    pub fn of(complaint: ComplaintId, event: EventKey, asked: Asked, now: DateTime<Utc>) -> Self {
        Self {
            id: id(complaint, event, asked.template, None),
            cause: Some((complaint, event)),
            template: asked.template,
            language: asked.language,
            reference: Some(asked.reference),
            to: asked.to,
            text: None,
            made_at: now,
            duty: None,
            is_urgent: false,
            is_held: false,
        }
    }

    /// What a member of the duty staff is told by an event. Of grade 1 they are
    /// told at any hour.
    pub fn to_duty(
        complaint: &Complaint,
        event: EventKey,
        duty: Duty,
        phone: &DutyPhone,
        now: DateTime<Utc>,
    ) -> Self {
        let template = Template::Duty;
        Self {
            id: id(complaint.id, event, template, Some(duty.staff)),
            cause: Some((complaint.id, event)),
            template,
            language: phone.language,
            reference: Some(complaint.reference.clone()),
            to: phone.to.clone(),
            text: None,
            made_at: now,
            duty: Some(duty),
            is_urgent: complaint.grade == Some(Grade::One),
            is_held: false,
        }
    }

    /// How it is taken in.
    pub fn state(&self) -> SmsState {
        match self.is_held {
            true => SmsState::Held,
            false => SmsState::Waiting,
        }
    }

    pub fn is_answer(&self) -> bool {
        self.cause.is_none()
    }
}

fn id(complaint: ComplaintId, event: EventKey, template: Template, staff: Option<StaffId>) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(complaint.0);
    hasher.update(event.device.0);
    hasher.update(event.incarnation.to_be_bytes());
    hasher.update([event.lane.number()]);
    hasher.update(event.n.to_be_bytes());
    hasher.update(template.name());
    if let Some(staff) = staff {
        hasher.update(staff.0);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    Uuid::from_bytes(digest.first_chunk().copied().unwrap_or_default())
}

/// A text as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sms {
    pub id: Uuid,
    pub complaint: Option<ComplaintId>,
    pub is_answer: bool,
    pub template: Template,
    pub language: Language,
    pub reference: Option<ReferenceNumber>,
    pub to: Mobile,
    pub text: Option<String>,
    pub state: SmsState,
    pub attempts: u32,
    pub next_at: DateTime<Utc>,
    pub give_up_at: DateTime<Utc>,
    /// The last failure, as a code without personal data.
    pub error: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    /// The SMS centre's name for it.
    pub smsc_id: Option<String>,
    pub made_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    /// Which member of staff it goes to, and of which deadline it tells.
    pub duty: Option<Duty>,
    pub is_urgent: bool,
    /// It was the way that failed last, not this text.
    pub of_way: bool,
    pub dismissal: Option<Dismissal>,
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmsNote {
    pub at: DateTime<Utc>,
    /// The text as it was put into words.
    pub text: Option<String>,
    pub done: SmsDone,
    /// It is the way that failed, not this text.
    pub of_way: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SmsDone {
    Sent {
        smsc_id: Option<String>,
        /// Known at once, without a receipt.
        delivered: bool,
    },
    /// To be tried again.
    Later {
        next_at: DateTime<Utc>,
        /// Absent when nothing has failed.
        error: Option<String>,
    },
    /// Not to be tried again.
    Failed { error: String },
    /// It has waited too long.
    GivenUp { error: String },
}

/// A note as the columns that every store writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoteColumns<'n> {
    pub state: SmsState,
    /// The failure, or that of before where there is none now.
    pub error: Option<&'n str>,
    /// Whether failures of before are over.
    pub is_well: bool,
    pub smsc_id: Option<&'n str>,
    pub next_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

impl SmsNote {
    pub fn columns(&self) -> NoteColumns<'_> {
        let columns = NoteColumns {
            state: SmsState::Failed,
            error: None,
            is_well: false,
            smsc_id: None,
            next_at: None,
            sent_at: None,
            delivered_at: None,
        };
        match &self.done {
            SmsDone::Sent { smsc_id, delivered } => NoteColumns {
                state: match delivered {
                    true => SmsState::Delivered,
                    false => SmsState::Sent,
                },
                is_well: true,
                smsc_id: smsc_id.as_deref(),
                sent_at: Some(self.at),
                delivered_at: delivered.then_some(self.at),
                ..columns
            },
            SmsDone::Later { next_at, error } => NoteColumns {
                state: SmsState::Waiting,
                error: error.as_deref(),
                next_at: Some(*next_at),
                ..columns
            },
            SmsDone::Failed { error } => NoteColumns {
                error: Some(error),
                ..columns
            },
            SmsDone::GivenUp { error } => NoteColumns {
                state: SmsState::GivenUp,
                error: Some(error),
                ..columns
            },
        }
    }
}

/// What an SMS centre reports of a text it had taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmsReceipt {
    pub at: DateTime<Utc>,
    /// Absent when the phone has it.
    pub error: Option<String>,
}

/// What keeps texts from those they are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SmsTrouble {
    /// Texts that wait because their way fails.
    pub way: SmsFailing,
    /// Texts that fail by themselves: a number that is refused, a phone that
    /// does not answer. And those that have waited too long.
    pub texts: SmsFailing,
    /// Texts that somebody has to release or to discard.
    pub held: u64,
}

/// Texts that fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SmsFailing {
    pub count: u64,
    /// Since when the oldest does.
    pub since: Option<DateTime<Utc>>,
}

/// How many answers there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerLimits {
    /// To one number within an hour.
    pub hourly: u32,
    /// To one number within a day.
    pub daily: u32,
    /// To all within an hour.
    pub hourly_in_all: u32,
}

#[async_trait]
pub trait SmsStore {
    /// How texts are sent; the default where nothing was set.
    async fn sms_settings(&self) -> Result<SmsSettings>;
    async fn put_sms_settings(&self, settings: &SmsSettings) -> Result<()>;
    /// Takes the most urgent text that is due: answers first. It is the
    /// caller's until `lease`; a text whose sender has not said by then what
    /// became of it is due again. `quiet` leaves all but answers.
    async fn claim_sms(
        &self,
        now: DateTime<Utc>,
        lease: DateTime<Utc>,
        quiet: bool,
    ) -> Result<Option<Sms>>;
    /// False when the text is no longer the caller's: another has taken it
    /// over since that attempt.
    async fn note_sms(&self, id: Uuid, attempt: u32, note: &SmsNote) -> Result<bool>;
    /// Finds the text the centre has by the first of these names that is
    /// known. False when there is none.
    async fn note_receipt(&self, smsc_ids: &[String], receipt: &SmsReceipt) -> Result<bool>;
    /// When the next text is due.
    async fn next_sms(&self, quiet: bool) -> Result<Option<DateTime<Utc>>>;
    /// The newest first, those before a moment and id; only those that fail
    /// where asked for.
    async fn sms_page(
        &self,
        failing: bool,
        before: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Sms>>;
    async fn sms_failing(&self) -> Result<SmsTrouble>;
    /// Notes that somebody has seen otherwise to a text that failed or was
    /// given up. False when there is no such.
    async fn dismiss_sms(&self, id: Uuid, why: &Dismissal, reader: Reader) -> Result<bool>;
    /// Has every text that is held sent; gives how many.
    async fn release_held(&self, now: DateTime<Utc>, reader: Reader) -> Result<u64>;
    /// Discards every text that is held; gives how many.
    async fn dismiss_held(&self, why: &Dismissal, reader: Reader) -> Result<u64>;
    /// The duty telephones.
    async fn duty_phones(&self) -> Result<Vec<(StaffId, DutyPhone)>>;
    /// False when there is no such member of staff.
    async fn set_duty_phone(&self, id: StaffId, phone: Option<&DutyPhone>) -> Result<bool>;
    /// Has a text that failed or was given up sent after all. False when
    /// there is no such.
    async fn retry_sms(&self, id: Uuid, now: DateTime<Utc>, reader: Reader) -> Result<bool>;
    /// Takes in an answer. False when it would be one too many.
    async fn answer_sms(&self, answer: &NewSms, limits: AnswerLimits) -> Result<bool>;
}
