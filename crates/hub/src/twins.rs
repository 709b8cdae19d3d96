//! What every complaint tells, kept in memory so that those of the same matter
//! are found while somebody waits: fed from the ledger as it grows, never
//! recomputed for a question. Holds no text, only what is compared.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::text::phone_digits;
use suda_domain::{Complaint, ComplaintId, Intake};
use suda_judge::similar::Similar;
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;

use crate::hub::Hub;
use crate::store::{Result, Store, StoreError};

/// Complaints kept in mind, the newest; one more fourth of them before the
/// oldest are forgotten. About 4 KB each.
const MOST: usize = 100_000;
/// Complaints older than this are not looked back to at a start.
pub const LOOKS_BACK: TimeDelta = TimeDelta::days(400);
/// It looks at the latest after this long, and not at once after every commit.
const LOOK: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
/// How long somebody waits for it.
const PATIENCE: Duration = Duration::from_millis(300);

/// What of a complaint is compared: what happened, and where.
pub fn told(intake: &Intake) -> String {
    format!("{}\n{}", intake.description, intake.place)
}

/// The complaints known to this process.
#[derive(Clone, Default)]
pub struct Twins {
    known: Arc<RwLock<Known>>,
    /// Of those who catch up: one reads the ledger, the others find it read.
    turn: Arc<Mutex<()>>,
}

#[derive(Default)]
struct Known {
    index: Similar,
    /// By number in the index.
    cases: Vec<(u64, ComplaintId)>,
    numbers: HashMap<ComplaintId, usize>,
    /// By the digits of their customer's telephone number.
    by_phone: HashMap<String, Vec<ComplaintId>>,
    /// Up to which line of the ledger.
    cursor: u64,
}

/// A complaint that tells of something alike.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Twin {
    pub id: ComplaintId,
    /// 0 to 1; 1 is the same text.
    pub score: f32,
}

impl Known {
    fn add(&mut self, cases: Vec<(u64, Complaint)>) {
        for (seq, complaint) in cases {
            if self.numbers.contains_key(&complaint.id) {
                continue;
            }
            let number = self.index.add(&[&told(&complaint.intake)]);
            self.cases.push((seq, complaint.id));
            self.numbers.insert(complaint.id, number);
            if let Some(phone) = phone_digits(&complaint.intake.phone) {
                self.by_phone.entry(phone).or_default().push(complaint.id);
            }
        }
    }

    fn twins(&self, hits: Vec<suda_judge::similar::Hit>) -> Vec<Twin> {
        let twin = |hit: suda_judge::similar::Hit| {
            let &(_, id) = self.cases.get(hit.number)?;
            Some(Twin {
                id,
                score: hit.score,
            })
        };
        hits.into_iter().filter_map(twin).collect()
    }
}

impl Twins {
    /// The nearest to a text, the same text first.
    pub fn find(&self, text: &str, top: usize) -> Vec<Twin> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.twins(known.index.find(&[text], top))
    }

    /// The nearest to a complaint that is known, itself left out.
    pub fn beside(&self, id: ComplaintId, top: usize) -> Vec<Twin> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let number = known.numbers.get(&id);
        let hits = number.map(|number| known.index.find_for(*number, top));
        known.twins(hits.unwrap_or_default())
    }

    /// The newest of whose customer has this telephone number.
    pub fn of_phone(&self, phone: &str, top: usize) -> Vec<ComplaintId> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let all = phone_digits(phone).and_then(|digits| known.by_phone.get(&digits));
        let newest = all.into_iter().flatten().rev().take(top);
        newest.copied().collect()
    }

    /// How many complaints are known.
    pub fn len(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.cases.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over what the ledger has told since.
    ///
    /// # Errors
    /// When the store cannot be read; what was taken stays.
    pub async fn catch_up(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let mut cursor = self.cursor();
        if cursor == 0 {
            cursor = line_of(store, now - LOOKS_BACK).await?;
        }
        loop {
            let page = store.first_told(cursor).await?;
            cursor = page.cursor;
            let this = self.clone();
            let taking = move || {
                let mut known = this.known.write().unwrap_or_else(PoisonError::into_inner);
                known.add(page.cases);
                known.cursor = page.cursor;
            };
            blocking(taking).await?;
            if !page.more {
                break;
            }
        }
        if self.len() > MOST + MOST / 4 {
            self.forget_oldest(store).await?;
        }
        Ok(())
    }

    /// Like [`catch_up`](Self::catch_up) for somebody who waits: after a start,
    /// while much is still being read, they get what is known by then.
    pub async fn catch_up_shortly(&self, store: &dyn Store, now: DateTime<Utc>) {
        match tokio::time::timeout(PATIENCE, self.catch_up(store, now)).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what complaints tell is known later"),
        }
    }

    /// Up to which line of the ledger complaints are known.
    pub(crate) fn cursor(&self) -> u64 {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .cursor
    }

    /// Made anew from the newest; the whole is asked until that is done.
    async fn forget_oldest(&self, store: &dyn Store) -> Result<()> {
        let from = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let oldest = known.cases.get(known.cases.len().saturating_sub(MOST));
            oldest.map_or(known.cursor, |(seq, _)| seq.saturating_sub(1))
        };
        let mut known = Known {
            cursor: from,
            ..Known::default()
        };
        loop {
            let page = store.first_told(known.cursor).await?;
            let taking = move || {
                known.add(page.cases);
                known.cursor = page.cursor;
                known
            };
            known = blocking(taking).await?;
            if !page.more {
                break;
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }
}

/// Work that would hold up others on this thread.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Failed(Box::new(error)))
}

/// The line of the ledger behind which everything came in since a moment. The
/// lines came in one after the other, so few have to be looked at.
pub async fn line_of(store: &dyn Store, since: DateTime<Utc>) -> Result<u64> {
    let (mut before, mut behind) = (0, store.counts().await?.events + 1);
    while behind - before > 1 {
        let middle = before + (behind - before) / 2;
        match store.received_at(middle).await? {
            Some(at) if at < since => before = middle,
            _ => behind = middle,
        }
    }
    Ok(before)
}

/// Keeps what is known close behind the ledger.
pub async fn run(hub: &Hub) {
    let mut feed = hub.store.feed();
    loop {
        if let Err(error) = hub
            .twins
            .catch_up(hub.store.as_ref(), hub.clock.now())
            .await
        {
            tracing::warn!(%error, "what complaints tell is known later");
        }
        let answers = hub.answers.catch_up(hub.store.as_ref(), hub.clock.now());
        if let Err(error) = answers.await {
            tracing::warn!(%error, "what answers gave is known later");
        }
        tokio::time::sleep(PAUSE).await;
        if let Ok(Err(RecvError::Closed)) = tokio::time::timeout(LOOK, feed.recv()).await {
            return;
        }
    }
}
