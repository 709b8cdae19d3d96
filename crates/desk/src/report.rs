//! `suda-desk status --json`: one object for other programs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use suda_domain::DeviceId;

use crate::clock::from_ms;
use crate::desk::Desk;
use crate::store::{StoreError, complaints, evidence, incarnation, ledger, outbox};
use crate::view::{ClockView, Scope};

/// How the desk stands. The field names are a contract with other programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StatusReport {
    pub complaints: u64,
    pub by_state: BTreeMap<String, u64>,
    pub unsent: Unsent,
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    pub next_deadline: Option<DateTime<Utc>>,
    pub device: Option<DeviceId>,
    pub incarnation: Option<u32>,
    pub hub_epoch: Option<String>,
    pub last_receipt_at: Option<DateTime<Utc>>,
    /// Evidence files without a receipt, and how many of their bytes the hub lacks.
    pub evidence_waiting: u64,
    pub evidence_waiting_bytes: u64,
    pub clock: ClockView,
}

/// Events without a signed receipt, by lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Unsent {
    pub lane0: u64,
    pub lane1: u64,
    pub lane2: u64,
    pub lane3: u64,
}

impl Unsent {
    /// What can go by file, which evidence is too large for.
    pub fn events(&self) -> u64 {
        self.lane0 + self.lane1
    }

    pub fn total(&self) -> u64 {
        self.lane0 + self.lane1 + self.lane2 + self.lane3
    }
}

impl Desk {
    /// The report, from the store alone.
    pub async fn report(&self) -> Result<StatusReport, StoreError> {
        let identity = self
            .inner
            .enrolled()
            .ok()
            .map(|enrolled| enrolled.identity());
        let mut conn = self.inner.store.read().await?;
        let mut unsent = Unsent::default();
        let mut oldest = None;
        if let Some((device, incarnation)) = identity {
            let heads = ledger::heads(&mut conn, device, incarnation).await?;
            let receipted = incarnation::receipted(&mut conn, incarnation).await?;
            let past = receipted.past_unsent();
            let left =
                |lane: usize| past[lane] + heads[lane].n.saturating_sub(receipted.acked[lane]);
            unsent = Unsent {
                lane0: left(0),
                lane1: left(1),
                lane2: left(2),
                lane3: left(3),
            };
            let present = outbox::oldest_unsent(&mut conn, (device, incarnation)).await?;
            let past = incarnation::oldest_unsent(&mut conn).await?;
            oldest = [present, past].into_iter().flatten().min();
        }
        let (evidence_waiting, evidence_waiting_bytes) = evidence::count_waiting(&mut conn).await?;
        unsent.lane2 += evidence_waiting;
        Ok(StatusReport {
            evidence_waiting,
            evidence_waiting_bytes,
            complaints: complaints::count(&mut conn, Scope::All).await?,
            by_state: complaints::by_state(&mut conn).await?,
            unsent,
            oldest_unsent_at: oldest.map(from_ms),
            next_deadline: complaints::next_deadline(&mut conn).await?.map(from_ms),
            device: identity.map(|(device, _)| device),
            incarnation: identity.map(|(_, incarnation)| incarnation),
            hub_epoch: outbox::link(&mut conn).await?.epoch,
            last_receipt_at: outbox::last_receipt_at(&mut conn).await?.map(from_ms),
            clock: self.inner.time.view(),
        })
    }
}
