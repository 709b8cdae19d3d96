//! From ledger to complaint, on both sides: applying events one by one, and
//! the order that holds when desks of a branch learned of them differently.

use std::borrow::Borrow;

use suda_domain::{Applied, Complaint, DeviceId, EventKey, Fact, Lane, LedgerEvent, Refusal};

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

/// An event of a complaint as a store has it.
#[derive(Clone, Debug)]
pub struct Standing<E = LedgerEvent> {
    /// Its number in the hub's log, where that is known, else
    /// [`behind_the_hub`] its number in the branch's mailbox.
    pub seq: Option<u64>,
    /// Written here.
    pub own: bool,
    pub event: E,
}

/// The place of an event that the branch's mailbox has in its log and the hub
/// has not placed: behind everything of the hub's, in the mailbox's order, so
/// that the desks of a branch agree while the hub is away.
pub const fn behind_the_hub(mailbox_seq: u64) -> u64 {
    const FIRST: u64 = 1 << 62;
    FIRST.saturating_add(mailbox_seq)
}

/// What a complaint's events make; they come in the order in which this store
/// came to know them.
///
/// The hub's order holds; what the hub has not placed yet comes after it, in
/// the order of the branch's mailbox and then in this store's. What a handoff
/// packet of this desk covers comes before the packet, as it was written,
/// although the hub had the packet first.
/// A step that stands before its complaint's beginning takes effect as soon as it
/// fits: it was written upon that beginning, wherever a mailbox heard of it first.
/// Other events that do not fit stay in the ledger and change nothing.
pub fn refold<E: Borrow<LedgerEvent>>(events: &[Standing<E>]) -> Option<Complaint> {
    walk(events, |_, _| ())
}

/// Goes through the events in the order in which they take effect; what never
/// does comes last.
fn walk<E: Borrow<LedgerEvent>>(
    events: &[Standing<E>],
    mut meet: impl FnMut(&LedgerEvent, Result<Applied, Refusal>),
) -> Option<Complaint> {
    let mut state = None;
    let mut early: Vec<&LedgerEvent> = Vec::new();
    for event in in_order(events) {
        let applied = apply(&mut state, event);
        if state.is_none() {
            early.push(event);
            continue;
        }
        meet(event, applied);
        while let Some((at, applied)) = first_that_fits(&early, &mut state) {
            meet(early.remove(at), Ok(applied));
        }
    }
    for event in early {
        let refused = apply(&mut state, event);
        meet(event, refused);
    }
    state
}

/// Applies the first of these that fits. A remark is taken in any state; it
/// waits too for one in which it has an effect.
fn first_that_fits(
    early: &[&LedgerEvent],
    state: &mut Option<Complaint>,
) -> Option<(usize, Applied)> {
    let mut numbered = early.iter().enumerate();
    numbered.find_map(|(at, event)| {
        let now = state.as_ref()?;
        if event.fact.kind().is_remark() && now.next_state(&event.fact).is_err() {
            return None;
        }
        Some((at, apply(state, event).ok()?))
    })
}

/// What a complaint's events came to, beside the complaint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Course {
    /// Which desk keeps the complaint for its branch: the one it was recorded
    /// at, until the branch's manager takes it over at another.
    pub keeper: Option<DeviceId>,
    /// Written under an owner number that had passed: kept, and changed nothing.
    pub late: Vec<EventKey>,
}

/// How the complaint with these events went, in the order of [`refold`].
pub fn course<E: Borrow<LedgerEvent>>(events: &[Standing<E>]) -> Course {
    let mut course = Course::default();
    walk(events, |event, applied| {
        let takes = matches!(event.fact, Fact::TakenOver { .. });
        if applied == Ok(Applied::LateNote) {
            course.late.push(event.key);
        } else if matches!(applied, Ok(Applied::Changed | Applied::Overtook))
            && (course.keeper.is_none() || takes)
        {
            course.keeper = Some(event.key.device);
        }
    });
    course
}

/// The events in the order that holds; see [`refold`].
fn in_order<E: Borrow<LedgerEvent>>(events: &[Standing<E>]) -> impl Iterator<Item = &LedgerEvent> {
    let mut order: Vec<(u64, bool, &LedgerEvent)> = events
        .iter()
        .map(|one| {
            let seq = one.seq.unwrap_or(u64::MAX);
            match packet_over(events, one) {
                Some(packet) if packet <= seq => (packet, false, one.event.borrow()),
                _ => (seq, true, one.event.borrow()),
            }
        })
        .collect();
    order.sort_by_key(|(seq, after, _)| (*seq, *after));
    order.into_iter().map(|(_, _, event)| event)
}

/// Where the first handoff packet stands that covers an own event.
fn packet_over<E: Borrow<LedgerEvent>>(
    events: &[Standing<E>],
    covered: &Standing<E>,
) -> Option<u64> {
    let key = covered.event.borrow().key;
    if !covered.own || key.lane != Lane::Ordinary {
        return None;
    }
    let packets = events.iter().filter(|one| one.own).filter_map(|one| {
        let event: &LedgerEvent = one.event.borrow();
        let Fact::HandedOff { packet, .. } = &event.fact else {
            return None;
        };
        let EventKey {
            device,
            incarnation,
            ..
        } = event.key;
        let covers =
            (device, incarnation) == (key.device, key.incarnation) && key.n <= packet.upto_n;
        covers.then_some(one.seq.unwrap_or(u64::MAX))
    });
    packets.min()
}

#[cfg(test)]
mod tests;
