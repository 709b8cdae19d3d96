//! Sends what waits: one text after the other, each taken from the store under
//! a lease and noted as soon as it is sent, so that a crash between the two
//! repeats that one at most. Every process of the hub may run this at once.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::texts::{
    Parameters, RenderError, Template, clock_words, date, moment, where_to_ask,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::full_jitter;
use super::file::{FILE, FileAdapter};
use super::settings::{SmsBy, SmsSettings};
use super::smpp::SmppAdapter;
use super::{Adapter, Heard, Outgoing, SendError, Sent, incoming};
use crate::hub::Hub;
use crate::store::sms::{Sms, SmsDone, SmsNote, SmsReceipt};
use crate::store::{Reader, Result, Settings, StoreError};

/// Looks again at the latest after this long: quiet hours end by the clock.
const LOOK: Duration = Duration::from_secs(1);
/// What is written one after the other is looked at together.
const TOGETHER: Duration = Duration::from_millis(50);
/// Longer than all parts of a text can take to be confirmed.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// Before the next try of the same text, doubled each time.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(600);
/// Before the next try of a closed way, doubled each time.
const WAY: Duration = Duration::from_millis(250);
const WAY_AT_MOST: Duration = Duration::from_secs(30);
/// Nobody is told the same more often than this because nobody confirmed it:
/// then a person decides.
const UNCONFIRMED_AT_MOST: u32 = 3;
/// A receipt can overtake the note of its message by another process.
const RECEIPT_TRIES: u32 = 3;

/// Sends texts and answers until `stop`, or until the store closes. A text that
/// is under way then is noted first: dropped, it would be sent again.
pub async fn run(hub: &Hub, stop: &CancellationToken) {
    let mut feed = hub.store.feed();
    let mut sender = Sender::default();
    while !stop.is_cancelled() {
        let wait = match sender.work(hub).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "texts to customers could not be sent; tried again");
                LOOK
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
            news = feed.recv(), if wait >= LOOK => {
                if matches!(news, Err(RecvError::Closed)) {
                    return;
                }
                tokio::time::sleep(TOGETHER).await;
            }
            heard = sender.heard() => sender.take(hub, heard).await,
        }
    }
}

#[derive(Default)]
struct Sender {
    /// The open way, and what it was opened by.
    way: Option<(SmsBy, Box<dyn Adapter>)>,
    /// The way failed so often, and is not tried before.
    failures: u32,
    closed_until: Option<Instant>,
    /// The rate allows the next text from then on.
    next: Option<Instant>,
    receipt_tries: u32,
}

impl Sender {
    /// Sends one text if one is due. Gives how long there is nothing to do.
    async fn work(&mut self, hub: &Hub) -> Result<Duration> {
        let now = Instant::now();
        let until = self
            .closed_until
            .max(self.next)
            .filter(|until| *until > now);
        if let Some(until) = until {
            return Ok((until - now).min(LOOK));
        }
        let set = hub.store.sms_settings().await?;
        let opened = self.open(hub, &set.by).await;
        let settings = hub.store.settings().await?;
        let moment = hub.clock.now();
        let quiet = set.is_quiet(moment, &settings.time);
        let due = hub.store.next_sms(quiet).await?;
        if due.is_none_or(|due| due > moment) {
            return Ok(LOOK);
        }
        let lease = moment + LEASE;
        let Some(text) = hub.store.claim_sms(moment, lease, quiet).await? else {
            return Ok(LOOK);
        };
        let note = match opened {
            Ok(()) => {
                let until = put_off_until(hub, &text, &settings).await?;
                self.send(&text, &settings, &set, moment, until).await
            }
            Err(error) => SmsNote {
                at: moment,
                text: None,
                done: failed(&text, &error, moment),
                of_way: error.is_of_way(),
            },
        };
        let note = SmsNote {
            at: hub.clock.now(),
            ..note
        };
        write_down(hub, &text, &note).await?;
        Ok(Duration::ZERO)
    }

    /// Opens the way that is set, if another or none is open.
    async fn open(&mut self, hub: &Hub, by: &SmsBy) -> Result<(), SendError> {
        if self.way.as_ref().is_some_and(|(open, _)| open == by) {
            return Ok(());
        }
        self.way = None;
        let opened: Result<Box<dyn Adapter>, SendError> = match by {
            SmsBy::File { path } => match file(hub, path.as_ref()) {
                Some(path) => Ok(Box::new(FileAdapter::new(path))),
                None => Err(SendError::Way("no_directory".into())),
            },
            SmsBy::Smpp(smpp) => match SmppAdapter::open(smpp).await {
                Ok(adapter) => Ok(Box::new(adapter)),
                Err(error) => Err(error),
            },
        };
        match opened {
            Ok(adapter) => {
                tracing::info!("the way for texts to customers is open");
                self.way = Some((by.clone(), adapter));
                Ok(())
            }
            Err(error) => {
                self.way_failed(&error);
                Err(error)
            }
        }
    }

    async fn send(
        &mut self,
        text: &Sms,
        settings: &Settings,
        set: &SmsSettings,
        now: DateTime<Utc>,
        until: Option<String>,
    ) -> SmsNote {
        let words = match words(text, settings, until) {
            Ok(words) => words,
            Err(error) => {
                tracing::error!(sms = %text.id, %error, "a text cannot be put into words");
                let RenderError::Missing(parameter) = error;
                let error = format!("parameter_missing_{}", parameter.name());
                return SmsNote {
                    at: now,
                    text: None,
                    done: SmsDone::Failed { error },
                    of_way: false,
                };
            }
        };
        let outgoing = Outgoing {
            id: text.id,
            to: &text.to,
            text: &words,
        };
        let mut of_way = text.of_way;
        let done = if text.give_up_at <= now {
            SmsDone::GivenUp {
                error: text.error.clone().unwrap_or_else(|| "too_late".into()),
            }
        } else if let Some((_, adapter)) = &mut self.way {
            let sent = adapter.send(&outgoing).await;
            self.next = Some(Instant::now() + set.pace());
            match sent {
                Ok(Sent { smsc_id, delivered }) => {
                    self.failures = 0;
                    SmsDone::Sent { smsc_id, delivered }
                }
                Err(error) => {
                    of_way = error.is_of_way();
                    self.not_sent(text, &error, now)
                }
            }
        } else {
            of_way = true;
            failed(text, &SendError::Way("closed".into()), now)
        };
        SmsNote {
            at: now,
            text: Some(words),
            done,
            of_way,
        }
    }

    fn not_sent(&mut self, text: &Sms, error: &SendError, now: DateTime<Utc>) -> SmsDone {
        tracing::warn!(sms = %text.id, %error, "a text was not sent");
        match error {
            SendError::Way(_) | SendError::Unconfirmed(_) => {
                self.way_failed(error);
            }
            SendError::Later(_) | SendError::Refused(_) => self.failures = 0,
        }
        failed(text, error, now)
    }

    /// Nothing is sent for a while. A throttled link stays open.
    fn way_failed(&mut self, error: &SendError) {
        if self.failures == 0 {
            tracing::warn!(%error, "the way for texts to customers is closed for now");
        }
        if !is_throttled(error) {
            self.way = None;
        }
        let wait = full_jitter(WAY, WAY_AT_MOST, self.failures);
        self.failures = self.failures.saturating_add(1);
        self.closed_until = Some(Instant::now() + wait);
    }

    /// What comes in; never, without an open way.
    async fn heard(&mut self) -> Heard {
        match &mut self.way {
            Some((_, adapter)) => adapter.heard().await,
            None => std::future::pending().await,
        }
    }

    async fn take(&mut self, hub: &Hub, heard: Heard) {
        let (token, done) = match heard {
            Heard::Closed => {
                self.way_failed(&SendError::Way("closed_by_centre".into()));
                return;
            }
            Heard::Receipt {
                token,
                smsc_ids,
                error,
            } => (token, self.receipt(hub, &smsc_ids, error).await),
            Heard::Text { token, from, text } => {
                (token, answer(hub, &from, &text).await.map(|_| true))
            }
        };
        let is_done = done.unwrap_or_else(|error| {
            tracing::warn!(%error, "what came in by SMS is to be told again");
            false
        });
        if let Some((_, adapter)) = &mut self.way {
            adapter.answer(token, is_done).await;
        }
    }

    /// False when it is to be told again: its message may be noted by then.
    async fn receipt(
        &mut self,
        hub: &Hub,
        smsc_ids: &[String],
        error: Option<String>,
    ) -> Result<bool, StoreError> {
        let receipt = SmsReceipt {
            at: hub.clock.now(),
            error,
        };
        if hub.store.note_receipt(smsc_ids, &receipt).await? {
            self.receipt_tries = 0;
            return Ok(true);
        }
        self.receipt_tries += 1;
        let is_given_up = self.receipt_tries >= RECEIPT_TRIES;
        if is_given_up {
            self.receipt_tries = 0;
            tracing::info!("a delivery receipt fits no text");
        }
        Ok(is_given_up)
    }
}

/// Noted again and again for a while: a text that was sent and not noted
/// is sent twice.
async fn write_down(hub: &Hub, text: &Sms, note: &SmsNote) -> Result<()> {
    let mut tries = 0;
    loop {
        match hub.store.note_sms(text.id, text.attempts, note).await {
            Err(error) if error.is_passing() && tries < 10 => {
                tries += 1;
                tokio::time::sleep(full_jitter(WAY, WAY_AT_MOST, tries)).await;
            }
            Err(error) => return Err(error),
            Ok(true) => return Ok(()),
            Ok(false) => {
                tracing::warn!(sms = %text.id, "a text was taken over by another sender");
                return Ok(());
            }
        }
    }
}

/// What becomes of a text that was not sent.
fn failed(text: &Sms, error: &SendError, now: DateTime<Utc>) -> SmsDone {
    let (code, is_over) = match error {
        SendError::Way(code) | SendError::Later(code) => (code, false),
        SendError::Unconfirmed(code) => (code, text.attempts >= UNCONFIRMED_AT_MOST),
        SendError::Refused(code) => (code, true),
    };
    let error = code.clone();
    if is_over {
        return SmsDone::Failed { error };
    }
    let wait = full_jitter(AGAIN, AGAIN_AT_MOST, text.attempts);
    let next_at = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(10));
    if text.give_up_at <= next_at {
        return SmsDone::GivenUp { error };
    }
    SmsDone::Later {
        next_at,
        error: Some(error),
    }
}

async fn answer(hub: &Hub, from: &str, text: &str) -> Result<bool> {
    let set = hub.store.sms_settings().await?;
    incoming::answer(hub, &set, from, text).await
}

fn is_throttled(error: &SendError) -> bool {
    matches!(error, SendError::Way(code) if code == super::smpp::THROTTLED)
}

fn file(hub: &Hub, path: Option<&PathBuf>) -> Option<PathBuf> {
    path.cloned()
        .or_else(|| hub.dir.as_ref().map(|dir| dir.join(FILE)))
}

/// Until when the answer was put off, for the text that says so.
async fn put_off_until(hub: &Hub, text: &Sms, settings: &Settings) -> Result<Option<String>> {
    let (Template::Extended, Some(id)) = (text.template, text.complaint) else {
        return Ok(None);
    };
    let held = hub.store.complaint(id, Reader::Program).await?;
    let complaint = held.map(|held| held.complaint);
    let until = complaint.and_then(|complaint| Some(complaint.extension_granted(None)?.until));
    Ok(until.map(|until| {
        let zone = settings.time.zone_at(until);
        date(text.language, zone.local(until).date())
    }))
}

/// The text in words: as it was put before, or now for the first time.
fn words(text: &Sms, settings: &Settings, until: Option<String>) -> Result<String, RenderError> {
    if let Some(words) = &text.text {
        return Ok(words.clone());
    }
    let deadline = text.duty.map(|duty| duty.deadline);
    let parameters = Parameters {
        organisation: Some(settings.organisation.clone()),
        reference: text.reference.clone(),
        ask: Some(where_to_ask(text.language, settings.status_url.as_deref())),
        progress: None,
        until,
        clock: deadline.map(|of| clock_words(of.clock, text.language).to_owned()),
        due: deadline.map(|of| {
            let zone = settings.time.zone_at(of.due);
            moment(text.language, zone.local(of.due))
        }),
    };
    text.template.render(text.language, &parameters)
}
