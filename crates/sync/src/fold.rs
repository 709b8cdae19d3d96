//! From ledger to complaint, on both sides: applying events one by one, and
//! the order that holds when desks of a branch learned of them differently.

use std::borrow::Borrow;

use suda_domain::{Applied, Complaint, LedgerEvent, Refusal};

/// Applies one event to a complaint that may not exist yet. On refusal the
/// complaint stays as it was: the event is history that changed nothing.
///
/// # Errors
/// Why the event does not fit.
pub fn apply(state: &mut Option<Complaint>, event: &LedgerEvent) -> Result<Applied, Refusal> {
    match state {
        Some(complaint) => complaint.apply(event),
        None => {
            *state = Some(Complaint::open(event)?);
            Ok(Applied::Changed)
        }
    }
}

/// What a complaint's events make. Each stands with its number in the hub's
/// log, where that is known, in the order in which this desk came to know them.
///
/// The hub's order holds; what the hub has not placed yet comes after it, in
/// this desk's order. Events that do not fit stay in the ledger and change nothing.
pub fn refold<E: Borrow<LedgerEvent>>(events: &[(Option<u64>, E)]) -> Option<Complaint> {
    let mut placed: Vec<(u64, &LedgerEvent)> = events
        .iter()
        .filter_map(|(seq, event)| seq.map(|seq| (seq, event.borrow())))
        .collect();
    placed.sort_by_key(|(seq, _)| *seq);
    let waiting = events.iter().filter(|(seq, _)| seq.is_none());
    let in_order = placed
        .into_iter()
        .map(|(_, event)| event)
        .chain(waiting.map(|(_, event)| event.borrow()));
    let mut state = None;
    for event in in_order {
        apply(&mut state, event).ok();
    }
    state
}
