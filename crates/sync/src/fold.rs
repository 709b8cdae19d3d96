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
/// the order of the branch's mailbox and then in this store's. What a handoff packet of this desk covers comes before
/// the packet, as it was written, although the hub had the packet first.
/// Events that do not fit stay in the ledger and change nothing.
pub fn refold<E: Borrow<LedgerEvent>>(events: &[Standing<E>]) -> Option<Complaint> {
    let mut state = None;
    for event in in_order(events) {
        apply(&mut state, event).ok();
    }
    state
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
    let (mut state, mut course) = (None, Course::default());
    for event in in_order(events) {
        let applied = apply(&mut state, event);
        let takes = matches!(event.fact, Fact::TakenOver { .. });
        if applied == Ok(Applied::LateNote) {
            course.late.push(event.key);
        } else if matches!(applied, Ok(Applied::Changed | Applied::Overtook))
            && (course.keeper.is_none() || takes)
        {
            course.keeper = Some(event.key.device);
        }
    }
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
