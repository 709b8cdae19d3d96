//! Telling of deadlines that come near or are missed: what the ladder says is
//! written to the ledger, and everybody who looks on hears of it.

use std::sync::Arc;

use futures::future::join_all;
use suda_domain::time::Timekeeping;
use suda_domain::{Actor, ComplaintId, Fact, escalation};

use crate::hub::Hub;
use crate::store::{Held, StepError, StoreError};

const AT_ONCE: u32 = 100;

/// Tells everything that is to be told by now. Returns of how many complaints.
/// One that cannot be told of keeps no other waiting.
pub async fn tell_due(hub: &Hub) -> Result<usize, StoreError> {
    let keep = hub.store.settings().await?.time;
    let now = hub.clock.now();
    let (mut told, mut after) = (0, None);
    loop {
        let due = hub.store.to_escalate(now, after, AT_ONCE).await?;
        // Together, so that a store can write them in one transaction.
        let together = due
            .iter()
            .map(|one| tell(hub, one.complaint, Arc::clone(&keep)));
        for (one, done) in due.iter().zip(join_all(together).await) {
            match done {
                Ok(()) => told += 1,
                Err(StepError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(complaint = %one.complaint, %error, "its deadline was not told of");
                }
            }
        }
        after = due.last().copied();
        if due.len() < AT_ONCE as usize {
            return Ok(told);
        }
    }
}

async fn tell(hub: &Hub, id: ComplaintId, keep: Arc<Timekeeping>) -> Result<(), StepError> {
    let now = hub.clock.now();
    // Decided under the store's lock: another process may have told it.
    let decide = Box::new(move |held: &Held| {
        let reached = escalation::reached(&held.complaint, &keep, now).into_iter();
        let told = reached.map(|one| Fact::Escalated {
            clock: one.clock,
            task: one.task,
            level: one.level,
            due: one.due,
            texted: one.texted,
        });
        Ok(told.collect())
    });
    hub.step(id, Actor::system(None), None, decide).await?;
    Ok(())
}
