//! `suda-desk status --json`: one object for other programs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::SqliteConnection;
use suda_domain::DeviceId;

use crate::clock::from_ms;
use crate::desk::Desk;
use crate::record::civil_day;
use crate::store::{StoreError, complaints, evidence, incarnation, ledger, outbox, statistics};
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
    /// Lane 3: what this desk counts of each day.
    pub statistics: StatisticsReport,
    pub clock: ClockView,
}

/// How the day totals stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct StatisticsReport {
    /// Days kept here.
    pub days: u64,
    /// Days past whose last writing the hub has not confirmed. A desk that
    /// reaches the hub only through its branch's mailbox waits with them.
    pub days_waiting: u64,
    /// When the hub last confirmed one.
    pub taken_at: Option<DateTime<Utc>>,
}

/// Events without a signed receipt, by lane; files in lane 2, days in lane 3.
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

    /// What somebody waits for; nobody does for figures.
    pub fn total(&self) -> u64 {
        self.lane0 + self.lane1 + self.lane2
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
            unsent = self::unsent(&mut conn, (device, incarnation)).await?;
            let present = outbox::oldest_unsent(&mut conn, (device, incarnation)).await?;
            let past = incarnation::oldest_unsent(&mut conn).await?;
            oldest = [present, past].into_iter().flatten().min();
        }
        let (evidence_waiting, evidence_waiting_bytes) = evidence::count_waiting(&mut conn).await?;
        unsent.lane2 += evidence_waiting;
        let today = match self.inner.enrolled() {
            Ok(enrolled) => civil_day(&enrolled, self.inner.now()),
            Err(_) => self.inner.now().date_naive(),
        };
        let counted = statistics::standing(&mut conn, today).await?;
        unsent.lane3 = counted.waiting;
        Ok(StatusReport {
            statistics: StatisticsReport {
                days: counted.days,
                days_waiting: counted.waiting,
                taken_at: counted.taken_at.map(from_ms),
            },
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

/// Events of this desk's present and earlier incarnations without a receipt.
pub(crate) async fn unsent(
    conn: &mut SqliteConnection,
    (device, incarnation): (DeviceId, u32),
) -> Result<Unsent, StoreError> {
    let heads = ledger::heads(conn, device, incarnation).await?;
    let receipted = incarnation::receipted(conn, incarnation).await?;
    let past = receipted.past_unsent();
    let left = |lane: usize| past[lane] + heads[lane].n.saturating_sub(receipted.acked[lane]);
    Ok(Unsent {
        lane0: left(0),
        lane1: left(1),
        lane2: left(2),
        lane3: left(3),
    })
}
