//! What the log has of a branch, added up for a desk that compares. The question
//! was signed and admitted before it comes here.

use suda_sync::compare::{Compared, LogSum, MOST_COMPARED};
use suda_sync::message::{PAGE_ENTRIES, Refused};
use suda_sync::{Reply, withheld};

use super::device::{PAGE_BYTES, busy};
use crate::hub::Hub;
use crate::store::{Device, Result};

/// Adds up what stands behind `after`, up to `upto`.
pub async fn compare(
    hub: &Hub,
    device: &Device,
    (after, upto): (u64, u64),
    differs: bool,
) -> Result<Reply, Refused> {
    if differs {
        tracing::error!(device = %device.id, "a desk's copy of the log differs, also read again");
    }
    hub.metrics.compared(differs);
    let added = add_up(hub, device, after, upto).await;
    added.map(Reply::Compared).map_err(busy)
}

async fn add_up(hub: &Hub, device: &Device, after: u64, upto: u64) -> Result<Compared> {
    let (mut cursor, mut entries) = (after, 0);
    let mut sum = LogSum::default();
    while cursor < upto && entries < MOST_COMPARED {
        let page = hub
            .store
            .log_after(&device.branch, cursor, PAGE_ENTRIES, PAGE_BYTES, None);
        let page = hub.turns.read(page).await?;
        entries += page.entries.len();
        cursor = page.cursor;
        // As the branch is told it.
        let within = page.entries.into_iter().filter(|entry| entry.seq <= upto);
        for entry in within {
            if let Some(event) = withheld::for_branch(entry.event) {
                sum.add(entry.seq, event.hash);
            }
        }
        if !page.more {
            cursor = upto;
        }
    }
    Ok(Compared {
        epoch: hub.identity.epoch.clone(),
        after,
        upto: cursor.min(upto),
        sum,
    })
}
