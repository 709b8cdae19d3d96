//! From ledger to state row: applying events one by one, and what lists are
//! ordered by. The rules themselves are in the domain crate.

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::clocks;
use suda_domain::duty;
use suda_domain::time::Timekeeping;
use suda_domain::{Complaint, State};
pub(crate) use suda_sync::fold::{Standing, apply, refold};

use crate::clock::to_ms;
use crate::store::complaints::{FIRST, NO_DEADLINE, StateRow};
use crate::view::Scope;

/// In which list a state is shown.
pub(crate) fn scope(state: State) -> Scope {
    if state.is_open_in_branch() {
        Scope::Open
    } else if state.is_finished() {
        Scope::Done
    } else {
        Scope::WithExperts
    }
}

/// The row to store for a complaint.
pub(crate) fn state_row(
    complaint: Complaint,
    keep: &Timekeeping,
    reminded: Option<u32>,
) -> StateRow {
    let scope = scope(complaint.state);
    let rank = match scope {
        Scope::Done => {
            let marks = &complaint.marks;
            let done = marks
                .ended_at
                .max(marks.answered_at)
                .unwrap_or(complaint.recorded_at);
            -to_ms(done)
        }
        _ => match duty::asked_of_branch(&complaint) {
            Some(since) => FIRST.saturating_add(to_ms(since)),
            None => {
                let deadlines = clocks::deadlines(&complaint, keep);
                clocks::nearest(&deadlines).map_or(NO_DEADLINE, |next| to_ms(next.due))
            }
        },
    };
    let prompt_at = next_prompt(&complaint, keep, reminded).map(to_ms);
    StateRow {
        complaint,
        scope,
        rank,
        prompt_at,
    }
}

/// When the desk has to look at a complaint again: at the first moment for
/// which the rules give a prompt.
fn next_prompt(
    complaint: &Complaint,
    keep: &Timekeeping,
    reminded: Option<u32>,
) -> Option<DateTime<Utc>> {
    let policy = keep.at(complaint.arrived_at);
    let handoff_at = policy
        .handoff
        .saturating_sub(policy.automatic_handoff_before);
    policy
        .reminders
        .iter()
        .copied()
        .filter(|&minute| minute < handoff_at && Some(minute) > reminded)
        .chain([handoff_at])
        .map(|minute| complaint.arrived_at + TimeDelta::minutes(i64::from(minute)))
        .filter(|&at| clocks::prompt(complaint, keep, at, reminded).is_some())
        .min()
}
