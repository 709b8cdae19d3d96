//! What waits to be written into the ledger, and how much of it goes into one
//! transaction: the cost of a commit is shared by all who wait for it. The same
//! for every store; no SQL here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use suda_domain::{Complaint, Fact, HandoffPacket, Lane};
use suda_sync::hub::allowance::Load;
use tokio::sync::oneshot;

use super::{Ingested, Result, Step, StepError, StoreError};
use crate::group::{Concerned, World};
use crate::ingest::{Arrival, Batch};

/// Requests judged in one transaction at most.
pub const REQUESTS: usize = 256;
/// Events in one transaction at most. An urgent packet that just missed one
/// waits for the whole of it, so this bounds that wait to a few hundred
/// milliseconds.
const EVENTS: u64 = 2_000;

/// Fewer events in a transaction say nothing of how many could be written.
const TELLING: u64 = 50;

/// How much waits to be written, and how fast that goes.
#[derive(Default)]
pub struct Burden {
    waiting: AtomicU64,
    per_s: AtomicU64,
    commit_ms: AtomicU64,
}

impl Burden {
    pub fn load(&self) -> Load {
        Load {
            waiting: self.waiting.load(Ordering::Relaxed),
            per_s: self.per_s.load(Ordering::Relaxed),
            commit_ms: self.commit_ms.load(Ordering::Relaxed),
        }
    }

    pub fn came(&self, request: &Request) {
        self.waiting.fetch_add(request.events(), Ordering::Relaxed);
    }

    /// These are no longer waited for.
    pub fn left(&self, events: u64) {
        self.waiting.fetch_sub(events, Ordering::Relaxed);
    }

    /// A transaction took this long. The pace follows what is measured by a
    /// quarter, so that one slow flush is not taken for the rule.
    fn wrote(&self, events: u64, took: Duration) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.commit_ms.store(ms, Ordering::Relaxed);
        if events < TELLING {
            return;
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let measured = events.saturating_mul(1_000_000) / micros.max(1);
        let before = match self.per_s.load(Ordering::Relaxed) {
            0 => measured,
            known => known,
        };
        self.per_s
            .store((3 * before + measured) / 4, Ordering::Relaxed);
    }
}

/// What somebody waits for. The answer is dropped when they no longer do.
pub enum Request {
    Ingest(Batch, oneshot::Sender<Result<Ingested>>),
    Step(Step, oneshot::Sender<Result<Complaint, StepError>>),
}

/// What was decided of a request.
pub enum Outcome {
    Ingested(Result<Ingested>),
    Stepped(Result<Box<Complaint>, StepError>),
}

/// One that writes a group in one transaction: all of it or nothing.
pub trait WriteGroup: Send {
    /// One outcome a request, in their order.
    fn attempt(&mut self, group: &[Request]) -> impl Future<Output = Result<Vec<Outcome>>> + Send;
}

impl Request {
    pub fn events(&self) -> u64 {
        match self {
            Self::Ingest(batch, _) => batch.arrivals.len() as u64,
            Self::Step(..) => 1,
        }
    }

    /// People first, then urgent packets, then the other lanes. Of urgent packets
    /// the one whose hour ends first; when the hub is overloaded, the highest
    /// grade before that.
    fn place(&self, grade_first: bool) -> (u8, u8, i64) {
        match self {
            Self::Step(..) => (0, 0, 0),
            Self::Ingest(batch, _) if batch.lane == Lane::Urgent => {
                let packets = || batch.arrivals.iter().filter_map(packet);
                let grade = packets().map(|packet| packet.grade.number()).min();
                // The hour of each begins when its customer came.
                let came = packets().map(|packet| packet.arrived_at.timestamp_millis());
                let grade = if grade_first { grade } else { None };
                (1, grade.unwrap_or_default(), came.min().unwrap_or_default())
            }
            Self::Ingest(batch, _) => (1 + batch.lane.number(), 0, 0),
        }
    }

    fn answer(self, outcome: Outcome) {
        // Who no longer waits for the answer needs none.
        match (self, outcome) {
            (Self::Ingest(_, reply), Outcome::Ingested(result)) => {
                let _gone = reply.send(result);
            }
            (Self::Step(_, reply), Outcome::Stepped(result)) => {
                let _gone = reply.send(result.map(|complaint| *complaint));
            }
            // An outcome is made from its request, so the two agree.
            (Self::Ingest(..), Outcome::Stepped(_)) | (Self::Step(..), Outcome::Ingested(_)) => {}
        }
    }

    fn fail(self, error: StoreError) {
        match self {
            Self::Ingest(_, reply) => {
                let _gone = reply.send(Err(error));
            }
            Self::Step(_, reply) => {
                let _gone = reply.send(Err(error.into()));
            }
        }
    }
}

fn packet(arrival: &Arrival) -> Option<&HandoffPacket> {
    match &arrival.event.as_ref()?.fact {
        Fact::HandedOff { packet, .. } => Some(packet),
        _ => None,
    }
}

/// Takes those of `waiting` that go into the next transaction: at least one,
/// people and urgent packets first.
pub fn next_group(waiting: &mut Vec<Request>, load: Load) -> Vec<Request> {
    let grade_first = load.is_overloaded();
    // Stable: of one device and lane, the order in which it asked.
    waiting.sort_by_cached_key(|request| request.place(grade_first));
    let mut events = 0;
    let fits = waiting.iter().take(REQUESTS).take_while(|request| {
        events += request.events();
        events <= EVENTS
    });
    let fits = fits.count().max(1).min(waiting.len());
    let rest = waiting.split_off(fits);
    std::mem::replace(waiting, rest)
}

/// What the requests concern.
pub fn concerned(group: &[Request]) -> Concerned {
    let mut concerned = Concerned::default();
    for request in group {
        match request {
            Request::Ingest(batch, _) => concerned.add_batch(batch),
            Request::Step(step, _) => concerned.add_step(step),
        }
    }
    concerned
}

/// The batches among the requests.
pub fn batches(group: &[Request]) -> impl Iterator<Item = &Batch> + Send {
    group.iter().filter_map(|request| match request {
        Request::Ingest(batch, _) => Some(batch),
        Request::Step(..) => None,
    })
}

/// Decides each request in turn.
pub fn decide(world: &mut World, group: &[Request]) -> Vec<Outcome> {
    let decided = group.iter().map(|request| match request {
        Request::Ingest(batch, _) => Outcome::Ingested(
            world
                .batch(batch)
                .map_err(|error| StoreError::Failed(Box::new(error))),
        ),
        Request::Step(step, _) => Outcome::Stepped(world.step(step).map(Box::new)),
    });
    decided.collect()
}

/// Writes the group and answers each. When it fails for a reason that will not
/// pass, each request is tried alone, so that a bad one fails nobody else.
///
/// # Errors
/// The passing reason for which nothing was written; all have been told.
pub async fn write(
    writer: &mut impl WriteGroup,
    burden: &Burden,
    group: Vec<Request>,
) -> Result<()> {
    let events = group.iter().map(Request::events).sum();
    let began = Instant::now();
    let outcome = answer_all(writer, group).await;
    burden.left(events);
    burden.wrote(events, began.elapsed());
    outcome
}

async fn answer_all(writer: &mut impl WriteGroup, group: Vec<Request>) -> Result<()> {
    match writer.attempt(&group).await {
        Ok(outcomes) => {
            for (request, outcome) in group.into_iter().zip(outcomes) {
                request.answer(outcome);
            }
            Ok(())
        }
        Err(error) if group.len() == 1 || error.is_passing() => {
            tracing::warn!(%error, requests = group.len(), "a group was not written");
            for request in group {
                request.fail(same(&error));
            }
            if error.is_passing() {
                Err(error)
            } else {
                Ok(())
            }
        }
        Err(_) => {
            for request in group {
                match alone(writer, &request).await {
                    Ok(outcome) => request.answer(outcome),
                    Err(error) => request.fail(error),
                }
            }
            Ok(())
        }
    }
}

async fn alone(writer: &mut impl WriteGroup, request: &Request) -> Result<Outcome> {
    let mut outcomes = writer.attempt(std::slice::from_ref(request)).await?;
    // One request has one outcome.
    outcomes.pop().ok_or(StoreError::Busy)
}

/// The same for each of a group.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Full => StoreError::Full,
        StoreError::ReadOnly => StoreError::ReadOnly,
        StoreError::Damaged(what) => StoreError::Damaged(what.clone()),
        StoreError::Failed(cause) => StoreError::Failed(cause.to_string().into()),
    }
}

#[cfg(test)]
mod tests;
