//! Claims that lapsed go back to the queue by themselves, also right after a
//! restart; and the other work that only needs time to pass.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use suda_domain::fact::ReleaseCause;
use suda_domain::{Actor, ComplaintId, Fact};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::closing::take_back_barred;
use crate::ending::end_due;
use crate::escalate::tell_due;
use crate::hub::Hub;
use crate::ingest::Batch;
use crate::learning;
use crate::phone;
use crate::set_aside::entrust_due;
use crate::sms;
use crate::store::{Held, Result, StepError, StoreError, Touched};

const LOOK: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(600);
const AT_ONCE: u32 = 100;
/// Between two tries of records that wait for a predecessor.
const HELD: Duration = Duration::from_secs(60);
/// Complaints the text index takes in one transaction, small enough that a
/// desk's batch never waits long for it.
const INDEX_AT_ONCE: u32 = 50;
/// Nothing written for this long counts as quiet.
const INDEX_QUIET: Duration = Duration::from_millis(100);
const INDEX_LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The index looks again at the latest after this long.
const INDEX_LOOK: Duration = Duration::from_secs(30);

/// Runs until `stop`.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    tokio::join!(timers(&hub, &stop), sms::run(&hub, &stop));
}

async fn timers(hub: &Arc<Hub>, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = every(LOOK, || async {
            if let Err(error) = return_lapsed(hub).await {
                tracing::warn!(%error, "lapsed claims could not be returned; tried again");
            }
        }) => {}
        () = every(LOOK, || async {
            if let Err(error) = take_back_barred(hub).await {
                tracing::warn!(%error, "what is with barred people could not be taken back; tried again");
            }
        }) => {}
        () = every(LOOK, || async {
            if let Err(error) = tell_due(hub).await {
                tracing::warn!(%error, "missed deadlines could not be told; tried again");
            }
        }) => {}
        () = every(LOOK, || async {
            if let Err(error) = entrust_due(hub).await {
                tracing::warn!(%error, "records set aside could not be given to anybody; tried again");
            }
        }) => {}
        () = every(HELD, || async {
            if let Err(error) = end_due(hub).await {
                tracing::warn!(%error, "what has come to its end could not be closed; tried again");
            }
        }) => {}
        () = every(SWEEP, || async {
            if let Err(error) = hub.store.sweep(hub.clock.now()).await {
                tracing::warn!(%error, "old codes and sign-ins could not be removed; tried again");
            }
        }) => {}
        () = every(SWEEP, || async {
            if let Err(error) = crate::evidence::forget_staged(hub).await {
                tracing::warn!(%error, "unfinished files could not be removed; tried again");
            }
        }) => {}
        () = every(HELD, || async {
            if let Err(error) = try_held_again(hub).await {
                tracing::warn!(%error, "held records could not be tried again; tried later");
            }
        }) => {}
        () = every(SWEEP, || async {
            if let Err(error) = learning::nightly(hub).await {
                tracing::warn!(%error, "nothing was learned tonight; tried again");
            }
        }) => {}
        () = index(hub) => {}
        () = crate::twins::run(hub) => {}
        () = crate::alarms::run(hub) => {}
        () = phone::run(hub) => {}
    }
}

/// At once, then after each pause.
async fn every<F: Future<Output = ()>>(pause: Duration, mut work: impl FnMut() -> F) {
    loop {
        work().await;
        tokio::time::sleep(pause).await;
    }
}

/// A held record finds its place with the batch that brings what it waits for;
/// this is for those whose predecessor came by a step at the centre.
async fn try_held_again(hub: &Hub) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let waited_for = hub.store.waited_for(after, AT_ONCE).await?;
        let Some(last) = waited_for.last() else {
            return Ok(());
        };
        after = Some(*last);
        let again = Batch::again(waited_for, hub.clock.now(), hub.clock.mono_ms());
        if let Some(batch) = again {
            hub.store.ingest(batch).await?;
        }
    }
}

/// Gives back every claim whose lease has run out before a first step bound
/// the case to its expert. Returns how many.
pub async fn return_lapsed(hub: &Hub) -> Result<usize, StepError> {
    let mut returned = 0;
    loop {
        let lapsed = hub.store.lapsed(hub.clock.now(), AT_ONCE).await?;
        let found = lapsed.len();
        // Together, so that a store can write them in one transaction.
        let together = join_all(lapsed.into_iter().map(|id| return_one(hub, id))).await;
        let mut now_free = 0;
        for done in together {
            now_free += usize::from(done?);
        }
        returned += now_free;
        // When many experts went at once, none of their cases waits for the
        // next look.
        if found < AT_ONCE as usize || now_free == 0 {
            return Ok(returned);
        }
    }
}

async fn return_one(hub: &Hub, id: ComplaintId) -> Result<bool, StepError> {
    let now = hub.clock.now();
    let decide = Box::new(move |held: &Held| Ok(release(held, now)));
    let done = hub.step(id, Actor::system(None), None, decide).await?;
    Ok(done.claim.is_none())
}

/// Decided under the store's lock: the expert may have renewed or begun
/// meanwhile.
fn release(held: &Held, now: DateTime<Utc>) -> Vec<Fact> {
    let lapsed = held.lease_until.is_some_and(|until| until <= now);
    match &held.complaint.claim {
        Some(claim) if lapsed && held.complaint.lapses() => {
            vec![Fact::Released {
                lease: claim.lease,
                cause: ReleaseCause::LeaseExpired,
            }]
        }
        _ => Vec::new(),
    }
}

/// Keeps the full-text index close behind the log, without standing in the
/// way of batches: it works when nothing is written, and a little at times
/// when writing does not end.
async fn index(hub: &Hub) {
    let mut feed = hub.store.feed();
    loop {
        match hub.store.index_texts(INDEX_AT_ONCE).await {
            Ok(0) => {
                if let Ok(Err(RecvError::Closed)) =
                    tokio::time::timeout(INDEX_LOOK, feed.recv()).await
                {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the text index is behind; tried again");
                tokio::time::sleep(LOOK).await;
            }
        }
        wait_for_quiet(&mut feed).await;
    }
}

/// Until nothing was written for a moment, or the longest wait is over.
async fn wait_for_quiet(feed: &mut Receiver<Arc<Touched>>) {
    let quiet = async {
        while let Ok(Ok(_) | Err(RecvError::Lagged(_))) =
            tokio::time::timeout(INDEX_QUIET, feed.recv()).await
        {}
    };
    let _over = tokio::time::timeout(INDEX_LONGEST_WAIT, quiet).await;
}
