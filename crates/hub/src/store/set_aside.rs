//! Records the hub has set aside, as both stores keep them: somebody has to
//! look at each, and each is somebody's by name. One that waits for a
//! predecessor needs somebody only when it has waited long. No SQL here.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::{BranchCode, ComplaintId, DeviceId, Lane, StaffId};
use suda_sync::message::QuarantineReason;

use super::{Reader, Result};

/// How long a record may wait for its predecessor before it is given to
/// somebody ("alarm after 5 min").
pub const WAITS_QUIETLY: TimeDelta = TimeDelta::minutes(5);

/// From when somebody has to look at a record that came at this moment.
pub fn wanted_at(reason: QuarantineReason, at: DateTime<Utc>) -> DateTime<Utc> {
    match reason.waits() {
        true => at + WAITS_QUIETLY,
        false => at,
    }
}

/// A record somebody has to look at.
#[derive(Clone, Debug)]
pub struct Quarantined {
    pub id: i64,
    pub device: DeviceId,
    pub incarnation: u32,
    pub lane: Lane,
    pub n: u64,
    pub branch: BranchCode,
    pub complaint: Option<ComplaintId>,
    /// Whether the hub has that complaint.
    pub is_known: bool,
    pub kind: Option<String>,
    pub body: String,
    /// The reason's name, as the receipt gave it.
    pub reason: String,
    pub at: DateTime<Utc>,
    /// Whose it is; nobody's for a moment, or where nobody is suitable.
    pub holder: Option<RecordHolder>,
}

/// Whose a record is, and since when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordHolder {
    pub id: StaffId,
    pub name: String,
    pub since: DateTime<Utc>,
}

/// A record that needs a holder: it has none, or one who has been deactivated
/// or has come to be barred from its complaint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToEntrust {
    pub id: i64,
    pub complaint: Option<ComplaintId>,
    pub holder: Option<StaffId>,
}

/// How many records are open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SetAsideCounts {
    pub open: u64,
    /// Of those, the ones that wait for a predecessor.
    pub waiting: u64,
    /// Of those that wait, the ones that have waited longer than
    /// [`WAITS_QUIETLY`].
    pub waiting_long: u64,
}

/// Records set aside, and whose they are.
#[async_trait]
pub trait SetAsideStore {
    /// Open records that need somebody by `now`, those with an id above
    /// `after`, the oldest first. With `mine`, those of this member and those
    /// of nobody.
    async fn quarantined(
        &self,
        now: DateTime<Utc>,
        mine: Option<StaffId>,
        after: i64,
        limit: u32,
        reader: Reader,
    ) -> Result<Vec<Quarantined>>;
    /// An open record, also one that waits quietly.
    async fn quarantined_record(&self, id: i64, reader: Reader) -> Result<Option<Quarantined>>;
    /// Records above `after` that need a holder by `now`, the oldest first.
    async fn to_entrust(
        &self,
        now: DateTime<Utc>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ToEntrust>>;
    /// How many open records each member holds, of those who hold any.
    async fn entrusted(&self) -> Result<Vec<(StaffId, u64)>>;
    /// Gives an open record to `to`, or to nobody. False when it is not with
    /// `from` any more: somebody was faster, or it is resolved.
    async fn entrust(
        &self,
        id: i64,
        from: Option<StaffId>,
        to: Option<StaffId>,
        at: DateTime<Utc>,
    ) -> Result<bool>;
    /// False when there is no such record or it is resolved.
    async fn resolve(
        &self,
        id: i64,
        by: StaffId,
        resolution: &str,
        at: DateTime<Utc>,
    ) -> Result<bool>;
    async fn set_aside_counts(&self, now: DateTime<Utc>) -> Result<SetAsideCounts>;
}

#[cfg(test)]
mod tests {
    use suda_domain::Refusal;

    use super::*;

    /// The migrations that brought these columns filled them by these names.
    #[test]
    fn what_waits_is_stored_under_the_names_the_migrations_know() {
        let waiting = [
            QuarantineReason::UnknownComplaint,
            QuarantineReason::NotAllowed(Refusal::OwnerAhead),
        ];
        let names = waiting.map(|reason| serde_json::to_string(&reason).expect("it is JSON"));
        for migration in [
            include_str!("sqlite/0018_set_aside.sql"),
            include_str!("postgres/0018_set_aside.sql"),
        ] {
            assert!(
                names
                    .iter()
                    .all(|name| migration.contains(&format!("'{name}'")))
            );
            let quietly = WAITS_QUIETLY.num_milliseconds();
            assert!(migration.contains(&format!("THEN {quietly} ELSE 0")));
        }
        assert!(waiting.iter().all(|reason| reason.waits()));
    }
}
