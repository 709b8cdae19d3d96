//! What lists are sorted and selected by, derived from a complaint. The same
//! for every store; no SQL here.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::clocks::{deadlines, nearest};
use suda_domain::complaint::Owner;
use suda_domain::escalation;
use suda_domain::text::shingles;
use suda_domain::time::Timekeeping;
use suda_domain::{Complaint, ComplaintId, StaffId, State};
use tokio::task::JoinHandle;

use super::value::json;
use super::{Result, StoreError};
use crate::ingest::Case;

/// The sorting place of finished complaints: behind all others.
pub const FINISHED: i64 = 9;
/// The sorting place of complaints nobody has graded.
const UNGRADED: i64 = 4;
/// The deadline of complaints that have none: behind all others.
pub const NO_DEADLINE: i64 = i64::MAX;

/// The derived columns of one complaint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub rank: i64,
    /// The nearest running deadline in milliseconds UTC.
    pub due: i64,
    /// Waits to be claimed.
    pub in_queue: bool,
    /// Held by the expert team and not ended.
    pub with_team: bool,
    pub claimed_by: Option<StaffId>,
    /// Grade 1, and no manager has acknowledged it.
    pub alert_pending: bool,
    pub queued_at: Option<DateTime<Utc>>,
    /// The end of the hour; absent for rows of the past.
    pub handoff_due: Option<DateTime<Utc>>,
    /// When somebody is to be told of a deadline next, in milliseconds UTC.
    pub tell_at: Option<i64>,
    /// The highest level told that still holds; 0 without.
    pub told: i64,
}

/// A complaint as it goes into the store.
pub struct Prepared {
    pub case: Case,
    pub row: Row,
    /// JSON.
    pub body: String,
}

/// Makes the rows of a group's complaints on another thread, while the
/// database takes the log's lines.
pub fn prepare(
    cases: BTreeMap<ComplaintId, Case>,
    keep: &Arc<Timekeeping>,
) -> impl Future<Output = Result<Vec<Prepared>>> + use<> {
    let keep = Arc::clone(keep);
    // Begins at once, not when it is waited for.
    let made: JoinHandle<Result<Vec<Prepared>>> = tokio::task::spawn_blocking(move || {
        let all = cases.into_values().map(|case| {
            Ok(Prepared {
                row: Row::of(&case.complaint, &keep),
                body: json(&case.complaint)?,
                case,
            })
        });
        all.collect()
    });
    async {
        made.await
            .map_err(|error| StoreError::Failed(Box::new(error)))?
    }
}

impl Row {
    pub fn of(complaint: &Complaint, keep: &Timekeeping) -> Self {
        let finished = complaint.state.is_finished();
        let ended = matches!(
            complaint.state,
            State::Closed | State::Withdrawn | State::Archived
        );
        let team = matches!(complaint.owner, Owner::Team(_));
        let clocks = deadlines(complaint, keep);
        let handoff = keep.at(complaint.arrived_at).handoff;
        let hour = complaint.arrived_at + TimeDelta::minutes(i64::from(handoff));
        let standing = escalation::standing(complaint, &clocks);
        let of_the_past = complaint.late && hour <= complaint.recorded_at;
        Self {
            rank: match complaint.grade {
                _ if finished => FINISHED,
                Some(grade) => i64::from(grade.number()),
                None => UNGRADED,
            },
            due: nearest(&clocks).map_or(NO_DEADLINE, |clock| clock.due.timestamp_millis()),
            in_queue: team && complaint.claim.is_none() && !finished,
            with_team: team && !ended,
            claimed_by: complaint.claim.as_ref().map(|claim| claim.expert),
            alert_pending: is_alert_pending(complaint),
            queued_at: complaint.marks.queued_at,
            handoff_due: (!of_the_past).then_some(hour),
            tell_at: escalation::next(complaint, keep, &clocks).map(|at| at.timestamp_millis()),
            told: standing
                .first()
                .map_or(0, |one| i64::from(one.level.number())),
        }
    }
}

/// Whether a manager has still to acknowledge a grade-1 complaint.
pub fn is_alert_pending(complaint: &Complaint) -> bool {
    complaint.marks.grade1_at.is_some()
        && complaint.marks.alert_acknowledged_at.is_none()
        && !complaint.state.is_finished()
}

/// What a complaint is found by: its number, who and how to reach them, and
/// its texts.
pub fn words(complaint: &Complaint) -> Vec<String> {
    let intake = &complaint.intake;
    let mut parts = vec![
        complaint.reference.as_str(),
        &intake.name,
        &intake.phone,
        &intake.email,
        &intake.account,
        &intake.business,
        &intake.cause,
        &intake.place,
        &intake.description,
        &intake.remedy_sought,
    ];
    for contact in &intake.group {
        parts.extend([contact.name.as_str(), &contact.phone]);
    }
    if let Some(representative) = &intake.representative {
        parts.extend([representative.name.as_str(), &representative.phone]);
    }
    shingles(&parts.join("\n"))
}
