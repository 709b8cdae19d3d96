//! What the program does with complaints that have come to their end: closes
//! what is settled, and puts away what has been closed or withdrawn for long.

use chrono::{DateTime, Utc};
use suda_domain::duty::{DutyKind, Holder, duties};
use suda_domain::{Actor, Fact, Refusal, Role};

use crate::hub::Hub;
use crate::store::{Decide, Held, Reader, StepError, StoreError};

const AT_ONCE: u32 = 100;

/// Ends everything that is to be ended by now. Gives how many. Whoever
/// reopens one at the same moment wins or is told that it is over: each step is
/// one transaction.
///
/// # Errors
/// When the store fails.
pub async fn end_due(hub: &Hub) -> Result<usize, StoreError> {
    let now = hub.clock.now();
    let program = [Holder::Everybody(Role::System)];
    let mut ended = 0;
    loop {
        let found = hub.store.duties(&program, AT_ONCE, Reader::Program).await?;
        let due: Vec<_> = found
            .into_iter()
            .take_while(|duty| duty.at <= now)
            .collect();
        let (all, before) = (due.len(), ended);
        for duty in due {
            let actor = Actor::system(None);
            match hub.step(duty.complaint.id, actor, None, end(now)).await {
                Ok(_) => ended += 1,
                Err(StepError::Store(error)) => return Err(error),
                // Somebody reopened it, or another process was faster.
                Err(StepError::Refused(_) | StepError::Unknown) => {}
            }
        }
        // None of a whole page could be ended: they would come again at once.
        if all < AT_ONCE as usize || ended == before {
            return Ok(ended);
        }
    }
}

/// Looked at once more with the complaint locked: it may have been reopened,
/// and answered again, since the list was read. Refused when nothing of it is due
/// any more, so that it is not counted as ended.
fn end(now: DateTime<Utc>) -> Decide {
    Box::new(move |held: &Held| {
        let due = duties(&held.complaint);
        let facts = due.iter().filter(|duty| duty.at <= now);
        let facts = facts.filter_map(|duty| match duty.kind {
            DutyKind::Close => Some(Fact::Closed),
            DutyKind::Archive => Some(Fact::Archived),
            _ => None,
        });
        match facts.collect::<Vec<_>>() {
            none if none.is_empty() => Err(Refusal::State.into()),
            facts => Ok(facts),
        }
    })
}
