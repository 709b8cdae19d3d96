//! Telling of deadlines that come near or are missed: what the ladder says is
//! written to the ledger, and everybody who looks on hears of it.

use std::sync::Arc;

use futures::future::join_all;
use suda_domain::time::Timekeeping;
use suda_domain::{Actor, ComplaintId, Fact, escalation};

use crate::hub::Hub;
use crate::store::{Held, StepError};

const AT_ONCE: u32 = 100;

/// Tells everything that is to be told by now. Returns of how many complaints.
pub async fn tell_due(hub: &Hub) -> Result<usize, StepError> {
    let keep = hub.store.settings().await?.time;
    let (mut told, mut before) = (0, Vec::new());
    loop {
        let due = hub.store.to_escalate(hub.clock.now(), AT_ONCE).await?;
        // Together, so that a store can write them in one transaction.
        let together = due.iter().map(|&id| tell(hub, id, Arc::clone(&keep)));
        for done in join_all(together).await {
            done?;
        }
        told += due.len();
        // The same once more: the rest is for the next look.
        if due.len() < AT_ONCE as usize || due == before {
            return Ok(told);
        }
        before = due;
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
        });
        Ok(told.collect())
    });
    hub.step(id, Actor::system(None), None, decide).await?;
    Ok(())
}
