//! Checking the ledger: every hash, every chain, and every state row against
//! what its events make of it. Names the first bad row.

use serde::Serialize;
use suda_domain::{Complaint, ComplaintId, DeviceId, EventKey, Lane, LedgerEvent};
use suda_sync::Hash;

use crate::desk::Desk;
use crate::fold;
use crate::store::copy::ExamineError;
use crate::store::ledger::StoredEvent;
use crate::store::{FileError, StoreError, complaints, ledger, outbox};

/// What the check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VerifyReport {
    pub events: u64,
    pub complaints: u64,
    pub bad: u64,
    pub first_bad: Option<BadRow>,
}

/// A row that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BadRow {
    /// Which row, for people: table, and the numbers that name it.
    pub row: String,
    pub fault: Fault,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The contents do not give the hash.
    Hash,
    /// It does not follow the event before it.
    Chain,
    /// Events before it are missing.
    Missing,
    /// The hub has receipted events that are not here.
    MissingAtEnd,
    /// The contents name another event or complaint than the row.
    Misnamed,
    Unreadable,
    /// The state row is not what the events make of it.
    State,
    /// Events without a complaint they belong to.
    NoState,
    /// The database's log cannot be read to its end.
    Log,
    /// A page of the database file does not give its authentication code.
    Page,
}

impl Fault {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Hash => "its contents do not give its hash",
            Self::Chain => "it does not follow the event before it",
            Self::Missing => "events before it are missing",
            Self::MissingAtEnd => "events the hub has receipted are missing at the end",
            Self::Misnamed => "its contents belong to another row",
            Self::Unreadable => "it cannot be read",
            Self::State => "it is not what its events make of it",
            Self::NoState => "its complaint has no state row",
            Self::Log => {
                "its contents do not give its checksum, and what was saved after it cannot be read; a start of the program puts it right"
            }
            Self::Page => {
                "it is damaged: its contents do not give its authentication code; put a backup back"
            }
        }
    }
}

impl VerifyReport {
    pub fn is_clean(&self) -> bool {
        self.bad == 0
    }

    fn add(&mut self, row: String, fault: Fault) {
        self.bad += 1;
        self.first_bad.get_or_insert(BadRow { row, fault });
    }
}

/// Rows held in memory at a time.
const CHUNK: i64 = 1000;

impl Desk {
    /// Checks everything. Reads only.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport {
            events: 0,
            complaints: 0,
            bad: 0,
            first_bad: None,
        };
        if let Some(damage) = self.inner.store.log_damage()? {
            report.add(
                format!("write-ahead log frame {}", damage.frame),
                Fault::Log,
            );
        }
        // The rows below are only part of the pages: an index or a table beside
        // the ledger may be damaged as well.
        match self.inner.store.check_pages().await {
            Ok(()) => {}
            Err(ExamineError::Unsound(page)) => {
                report.add(page, Fault::Page);
                return Ok(report);
            }
            Err(ExamineError::File(FileError::Store(error))) => return Err(error),
            Err(ExamineError::File(_)) => {
                report.add("database file".to_owned(), Fault::Page);
                return Ok(report);
            }
        }
        self.verify_chains(&mut report).await?;
        self.verify_states(&mut report).await?;
        Ok(report)
    }

    async fn verify_chains(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        let identity = self
            .inner
            .enrolled()
            .ok()
            .map(|enrolled| enrolled.identity());
        let mut conn = self.inner.store.read().await?;
        let mut ends = [0; 4];
        let mut before: Option<(EventKey, Hash)> = None;
        loop {
            let after = before.map(|(key, _)| key);
            let events = ledger::by_lane(&mut conn, after, CHUNK).await?;
            if events.is_empty() {
                break;
            }
            for event in events {
                report.events += 1;
                if let Some(fault) = fault_of(&event, before, identity) {
                    report.add(name(&event), fault);
                }
                if Some((event.key.device, event.key.incarnation)) == identity {
                    ends[event.key.lane.index()] = event.key.n;
                }
                before = Some((event.key, event.hash));
            }
        }
        let acked = outbox::acked(&mut conn).await?;
        for lane in Lane::ALL {
            if acked[lane.index()] > ends[lane.index()] {
                let row = format!("event lane {} n {}", lane.number(), acked[lane.index()]);
                report.add(row, Fault::MissingAtEnd);
            }
        }
        Ok(())
    }

    async fn verify_states(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        let mut conn = self.inner.store.read().await?;
        let mut after = i64::MIN;
        loop {
            let rows = complaints::raw(&mut conn, after, CHUNK).await?;
            let Some(last) = rows.last() else { break };
            after = last.row;
            for row in rows {
                report.complaints += 1;
                let id = ComplaintId(row.id);
                let made = refold(&ledger::of_complaint(&mut conn, id).await?);
                let stored: Option<Complaint> = serde_json::from_str(&row.body).ok();
                let fits = match (&made, &stored) {
                    (Some(made), Some(stored)) => {
                        made == stored
                            && (row.reference == made.reference.as_str()
                                || row.reference == complaints::second_name(made))
                            && row.state == made.state.name()
                            && row.has_scope(fold::scope(made.state))
                    }
                    _ => false,
                };
                if !fits {
                    report.add(format!("complaint {id}"), Fault::State);
                }
            }
        }
        for id in ledger::orphans(&mut conn).await? {
            // Notes on a complaint whose beginning never came are kept without one.
            if refold(&ledger::of_complaint(&mut conn, id).await?).is_some() {
                report.add(format!("event of complaint {id}"), Fault::NoState);
            }
        }
        Ok(())
    }
}

fn name(event: &StoredEvent) -> String {
    let key = event.key;
    format!(
        "event {} (device {} incarnation {} lane {} n {})",
        event.seq,
        key.device,
        key.incarnation,
        key.lane.number(),
        key.n
    )
}

/// What is wrong with an event that comes after `before` in the order of
/// lanes. What the desk wrote itself is gapless from 1; of others' lanes it
/// has only what concerns its branch.
fn fault_of(
    event: &StoredEvent,
    before: Option<(EventKey, Hash)>,
    identity: Option<(DeviceId, u32)>,
) -> Option<Fault> {
    if Hash::link(event.prev, event.body.as_bytes()) != event.hash {
        return Some(Fault::Hash);
    }
    let Ok(inside) = serde_json::from_str::<LedgerEvent>(&event.body) else {
        return Some(Fault::Unreadable);
    };
    if inside.key != event.key || inside.complaint != event.complaint {
        return Some(Fault::Misnamed);
    }
    let same_lane = before.filter(|(key, _)| {
        (key.device, key.incarnation, key.lane)
            == (event.key.device, event.key.incarnation, event.key.lane)
    });
    let (last_n, last_hash) = same_lane.map_or((0, Hash::START), |(key, hash)| (key.n, hash));
    let follows = event.key.n == last_n + 1;
    // What an incarnation that has ended lacks comes back from the hub.
    let ended = identity.is_some_and(|(device, incarnation)| {
        event.key.device == device && event.key.incarnation < incarnation
    });
    match (event.own && !ended, follows) {
        (true, false) => Some(Fault::Missing),
        (_, true) if event.prev != last_hash => Some(Fault::Chain),
        _ => None,
    }
}

/// What the stored events make.
fn refold(events: &[StoredEvent]) -> Option<Complaint> {
    fold::refold(
        &events
            .iter()
            .filter_map(StoredEvent::standing)
            .collect::<Vec<_>>(),
    )
}
