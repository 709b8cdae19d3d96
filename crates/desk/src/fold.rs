//! From ledger to state row: applying events one by one, and what lists are
//! ordered by. The rules themselves are in the domain crate.

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::calendar::Calendar;
use suda_domain::clocks;
use suda_domain::{Applied, Complaint, FactKind, LedgerEvent, Policy, Refusal, State};

use crate::clock::to_ms;
use crate::store::complaints::{NO_DEADLINE, StateRow};
use crate::view::Scope;

/// Applies one event to a complaint that may not exist yet. On refusal the
/// complaint stays as it was: the event is history that changed nothing.
pub(crate) fn apply(
    state: &mut Option<Complaint>,
    event: &LedgerEvent,
) -> Result<Applied, Refusal> {
    match state {
        Some(complaint) => complaint.apply(event),
        None => {
            *state = Some(Complaint::open(event)?);
            Ok(Applied::Changed)
        }
    }
}

/// What a complaint's events make. They stand in the order in which this desk
/// came to know them, `true` where it wrote them itself.
///
/// The hub's log decides when two desks of a branch took different steps: where
/// an event from there does not fit, the fewest of the desk's own last steps
/// before it that let it fit are taken after it. Events that never fit stay in
/// the ledger and change nothing.
pub(crate) fn refold(events: &[(bool, LedgerEvent)]) -> Option<Complaint> {
    let mut order: Vec<&(bool, LedgerEvent)> = Vec::with_capacity(events.len());
    let mut state = None;
    for entry in events {
        let (own, event) = entry;
        let refused = apply(&mut state, event).is_err();
        order.push(entry);
        if refused
            && !own
            && let Some((better, made)) = give_way(&order)
        {
            (order, state) = (better, made);
        }
    }
    state
}

type Order<'a> = Vec<&'a (bool, LedgerEvent)>;

/// The order in which the last event fits, and what it makes.
fn give_way<'a>(order: &[&'a (bool, LedgerEvent)]) -> Option<(Order<'a>, Option<Complaint>)> {
    let (last, before) = order.split_last()?;
    let steps = before.iter().enumerate().rev().filter(|(_, (own, event))| {
        let kind = event.fact.kind();
        *own && kind != FactKind::Recorded && !kind.is_remark()
    });
    let mut late: Vec<usize> = Vec::new();
    for (place, _) in steps {
        late.insert(0, place);
        let mut state = None;
        let early = before
            .iter()
            .enumerate()
            .filter(|(at, _)| !late.contains(at));
        let mut tried: Order<'a> = Vec::with_capacity(order.len());
        for (_, entry) in early {
            apply(&mut state, &entry.1).ok();
            tried.push(entry);
        }
        if apply(&mut state, &last.1).is_err() {
            continue;
        }
        tried.push(last);
        for &place in &late {
            apply(&mut state, &before[place].1).ok();
            tried.push(before[place]);
        }
        return Some((tried, state));
    }
    None
}

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
    policy: &Policy,
    calendar: &Calendar,
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
        _ => {
            let deadlines = clocks::deadlines(&complaint, policy, calendar);
            clocks::nearest(&deadlines).map_or(NO_DEADLINE, |next| to_ms(next.due))
        }
    };
    let prompt_at = next_prompt(&complaint, policy, reminded).map(to_ms);
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
    policy: &Policy,
    reminded: Option<u32>,
) -> Option<DateTime<Utc>> {
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
        .filter(|&at| clocks::prompt(complaint, policy, at, reminded).is_some())
        .min()
}
