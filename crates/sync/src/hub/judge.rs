//! What becomes of the events a desk sends: the verdict on each and the
//! changes to be stored in one transaction. Pure: the store reads the
//! [`Situation`] and keeps the [`Changes`].

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use suda_domain::duty::duties;
use suda_domain::permission::may_write;
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, Applied, BranchCode, Complaint, ComplaintId, DeviceId, EventKey, Fact, Lane,
    LedgerEvent, Lines, Origin, ReferenceNumber, Refusal, Role, StaffId,
};

use super::pen::{self, Pen, PenError};
use crate::chain::{Hash, SealedEvent};
use crate::message::{QuarantineReason, Verdict};
use crate::place::{LaneHead, Place, place};

/// Events of one lane of one device, as they came.
#[derive(Clone, Debug)]
pub struct Batch {
    pub device: DeviceId,
    pub incarnation: u32,
    pub branch: BranchCode,
    pub lane: Lane,
    pub first_n: u64,
    pub arrivals: Vec<Arrival>,
    /// The desk gives forked events new numbers, so they are not set aside.
    pub rekeys: bool,
    /// Complaints whose held records are to be tried again besides.
    pub again: Vec<ComplaintId>,
    pub now: DateTime<Utc>,
    pub mono_ms: u64,
}

/// One event, read before the store is locked.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub sealed: SealedEvent,
    /// Absent when this version cannot read it.
    pub event: Option<LedgerEvent>,
}

impl Arrival {
    pub fn read(sealed: SealedEvent) -> Self {
        let event = serde_json::from_str(sealed.body.get()).ok();
        Self { sealed, event }
    }

    fn names(&self) -> impl Iterator<Item = Origin> {
        let event = self.event.as_ref();
        let itself = event.map(|event| Origin {
            key: event.key,
            hash: self.sealed.hash.to_string(),
        });
        itself
            .into_iter()
            .chain(event.and_then(|event| event.origin.clone()))
    }
}

impl Batch {
    /// Nothing new: tries again what waits at these complaints.
    pub fn again(complaints: Vec<ComplaintId>, now: DateTime<Utc>, mono_ms: u64) -> Option<Self> {
        Some(Self {
            device: DeviceId(uuid::Uuid::nil()),
            incarnation: 0,
            branch: "NONE".parse().ok()?,
            lane: Lane::Ordinary,
            first_n: 1,
            arrivals: Vec::new(),
            rekeys: true,
            again: complaints,
            now,
            mono_ms,
        })
    }

    pub fn complaints(&self) -> HashSet<ComplaintId> {
        let again = self.again.iter().copied();
        self.events()
            .map(|event| event.complaint)
            .chain(again)
            .collect()
    }

    pub fn staff(&self) -> HashSet<StaffId> {
        self.events()
            .filter_map(|event| event.actor.staff)
            .collect()
    }

    /// References that this batch would open complaints under.
    pub fn references(&self) -> HashSet<ReferenceNumber> {
        self.events()
            .filter_map(|event| match &event.fact {
                Fact::Recorded { reference, .. } => Some(reference.clone()),
                Fact::HandedOff { packet, .. } => Some(packet.reference.clone()),
                _ => None,
            })
            .collect()
    }

    /// What the events of this batch are, and were first: another copy of the
    /// database may have brought them under a new number.
    pub fn origins(&self) -> Vec<Origin> {
        self.arrivals.iter().flat_map(Arrival::names).collect()
    }

    /// What those of its events were first that have a new number.
    pub fn renamed(&self) -> impl Iterator<Item = &Origin> {
        self.events().filter_map(|event| event.origin.as_ref())
    }

    /// Whether an event of this batch was that first, and has a new number.
    pub fn is_renamed(&self, origin: &Origin) -> bool {
        self.renamed().any(|first| first == origin)
    }

    /// The name of its event numbered `n`.
    pub fn key(&self, n: u64) -> EventKey {
        EventKey {
            device: self.device,
            incarnation: self.incarnation,
            lane: self.lane,
            n,
        }
    }

    /// The highest number it carries.
    pub fn last_n(&self) -> u64 {
        self.first_n + (self.arrivals.len() as u64).saturating_sub(1)
    }

    fn events(&self) -> impl Iterator<Item = &LedgerEvent> {
        self.arrivals
            .iter()
            .filter_map(|arrival| arrival.event.as_ref())
    }
}

/// What the store holds that the batch concerns.
#[derive(Clone, Debug)]
pub struct Situation {
    pub head: LaneHead,
    /// Hashes stored under numbers the batch repeats.
    pub known: HashMap<u64, Hash>,
    pub complaints: HashMap<ComplaintId, Arc<Complaint>>,
    pub references: HashMap<ReferenceNumber, ComplaintId>,
    /// Of the batch and of the held records.
    pub staff: HashMap<StaffId, StaffRecord>,
    /// Records of the batch's complaints that wait for what they build on,
    /// oldest first.
    pub held: Vec<HeldRecord>,
    /// Of the batch's origins, those that have arrived: as they were first, or
    /// under another number.
    pub arrived: HashSet<Origin>,
    /// Who stands above whom: those above the person a complaint is about have
    /// nothing to do with it.
    pub lines: Arc<Lines>,
}

/// A stored event that waits for what it builds on.
#[derive(Clone, Debug)]
pub struct HeldRecord {
    /// The store's name for it.
    pub id: i64,
    pub branch: BranchCode,
    pub event: LedgerEvent,
    pub sealed: SealedEvent,
}

impl HeldRecord {
    fn waiting(&self) -> Waiting<'_> {
        Waiting {
            event: &self.event,
            sealed: &self.sealed,
            branch: &self.branch,
            found: Found::Stored(self.id),
        }
    }
}

/// An event kept apart for a person to mend.
#[derive(Clone, Debug)]
pub struct SetAside {
    pub key: EventKey,
    pub branch: BranchCode,
    pub complaint: Option<ComplaintId>,
    pub kind: Option<&'static str>,
    pub sealed: SealedEvent,
    pub reason: QuarantineReason,
}

/// A complaint after the changes, and which of its parts the store keeps
/// elsewhere have changed.
#[derive(Clone, Debug)]
pub struct Case {
    /// Shared: it is large, and a group keeps it in more than one place.
    pub complaint: Arc<Complaint>,
    pub text_changed: bool,
    pub claim_changed: bool,
    pub tasks_changed: bool,
    /// Whom it is about, or what it refers to.
    pub beside_changed: bool,
    /// What somebody has to do about it.
    pub duties_changed: bool,
}

impl SetAside {
    /// Nobody has to look at it.
    pub fn is_settled(&self) -> bool {
        self.reason == QuarantineReason::Repeated
    }
}

impl Case {
    pub fn new(before: Option<&Complaint>, after: Arc<Complaint>) -> Self {
        Self {
            text_changed: before.is_none_or(|b| b.intake != after.intake),
            claim_changed: before.map_or(after.claim.is_some(), |b| b.claim != after.claim),
            beside_changed: before
                .map_or(!after.recused.is_empty() || !after.links.is_empty(), |b| {
                    b.recused != after.recused || b.links != after.links
                }),
            tasks_changed: before.map_or(!after.tasks.is_empty(), |b| b.tasks != after.tasks),
            duties_changed: duties(&after) != before.map(duties).unwrap_or_default(),
            complaint: after,
        }
    }
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub device: DeviceId,
    pub incarnation: u32,
    pub lane: Lane,
    pub head: LaneHead,
}

/// What is to be stored together.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub entries: Vec<pen::Entry>,
    pub set_aside: Vec<SetAside>,
    pub cases: Vec<Case>,
    pub heads: Vec<Head>,
    /// Held records that have found their place.
    pub released: Vec<i64>,
    /// What was stored under a new number, as it was first.
    pub origins: Vec<Origin>,
}

/// The judgement on a batch.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// One per arrival.
    pub verdicts: Vec<Verdict>,
    pub changes: Changes,
}

/// Judges every event of `batch` in order. `pen` writes what the hub itself
/// adds: the receipt of a handoff.
///
/// # Errors
/// Only when one of the hub's own events cannot be written.
pub fn judge(batch: &Batch, situation: Situation, pen: &mut Pen) -> Result<Judgement, PenError> {
    let (lane_before, own_lane_before) = (situation.head, pen.head);
    let mut judge = Judge {
        batch,
        head: situation.head,
        known: situation.known,
        now: situation.complaints.clone(),
        before: situation.complaints,
        references: situation.references,
        staff: situation.staff,
        held: situation.held,
        arrived: situation.arrived,
        lines: situation.lines,
        forked: false,
        touched: Vec::new(),
        changes: Changes::default(),
    };
    let mut verdicts = Vec::with_capacity(batch.arrivals.len());
    for (n, arrival) in (batch.first_n..).zip(&batch.arrivals) {
        verdicts.push(judge.arrival(n, arrival, pen)?);
    }
    judge.release(&mut verdicts, pen)?;
    let head = judge.head;
    let mut changes = judge.finish();
    if head != lane_before {
        changes.heads.push(Head {
            device: batch.device,
            incarnation: batch.incarnation,
            lane: batch.lane,
            head,
        });
    }
    if pen.head != own_lane_before {
        changes.heads.push(Head {
            device: pen.device,
            incarnation: pen.incarnation,
            lane: Pen::LANE,
            head: pen.head,
        });
    }
    Ok(Judgement { verdicts, changes })
}

/// An event that waits for what it builds on.
struct Waiting<'a> {
    event: &'a LedgerEvent,
    sealed: &'a SealedEvent,
    branch: &'a BranchCode,
    found: Found,
}

/// Where a waiting event is.
#[derive(Clone, Copy)]
enum Found {
    /// In the store, under its name there.
    Stored(i64),
    /// At this place of the batch.
    Here(usize),
}

struct Judge<'a> {
    batch: &'a Batch,
    head: LaneHead,
    known: HashMap<u64, Hash>,
    before: HashMap<ComplaintId, Arc<Complaint>>,
    now: HashMap<ComplaintId, Arc<Complaint>>,
    references: HashMap<ReferenceNumber, ComplaintId>,
    staff: HashMap<StaffId, StaffRecord>,
    held: Vec<HeldRecord>,
    arrived: HashSet<Origin>,
    lines: Arc<Lines>,
    /// The batch has left the past the hub knows; nothing behind it can be judged.
    forked: bool,
    touched: Vec<ComplaintId>,
    changes: Changes,
}

impl Judge<'_> {
    fn arrival(&mut self, n: u64, arrival: &Arrival, pen: &mut Pen) -> Result<Verdict, PenError> {
        let placed = place(&self.head, n, &arrival.sealed, self.known.get(&n).copied());
        if self.batch.rekeys && (self.forked || placed == Place::Forked) {
            self.forked = true;
            return Ok(Verdict::Forked);
        }
        let is_next = n == self.head.n + 1;
        if is_next {
            self.head = LaneHead {
                n,
                hash: arrival.sealed.hash,
            };
        }
        let reason = match placed {
            Place::Known => return Ok(Verdict::Duplicate),
            Place::Gap => return Ok(Verdict::Gap),
            Place::Forked => QuarantineReason::Forked,
            Place::Broken => QuarantineReason::HashMismatch,
            Place::Next => match self.take(n, arrival) {
                Ok(handed_off) => {
                    if let Some(id) = handed_off {
                        self.receive(id, pen)?;
                    }
                    return Ok(Verdict::Applied);
                }
                Err(reason) => reason,
            },
        };
        self.set_aside(n, arrival, reason);
        if reason == QuarantineReason::Repeated {
            return Ok(Verdict::Duplicate);
        }
        if reason.waits() {
            return Ok(Verdict::Held);
        }
        Ok(Verdict::Quarantined { reason })
    }

    /// Tries what is held again, as long as something finds its place: stored
    /// records and those of this batch, whose predecessor may have come behind
    /// them, as with events that were given new numbers.
    fn release(&mut self, verdicts: &mut [Verdict], pen: &mut Pen) -> Result<(), PenError> {
        let stored = std::mem::take(&mut self.held);
        let mut waiting: Vec<Waiting> = stored.iter().map(HeldRecord::waiting).collect();
        waiting.extend(held_here(self.batch, verdicts));
        loop {
            let before = waiting.len();
            let mut still = Vec::with_capacity(before);
            for one in waiting {
                let Ok(handed_off) = self.fold_in(one.event, one.sealed, one.branch) else {
                    still.push(one);
                    continue;
                };
                if let Some(id) = handed_off {
                    self.receive(id, pen)?;
                }
                match one.found {
                    Found::Stored(id) => self.changes.released.push(id),
                    Found::Here(at) => {
                        let set_aside = &mut self.changes.set_aside;
                        set_aside.retain(|record| record.key != one.event.key);
                        if let Some(verdict) = verdicts.get_mut(at) {
                            *verdict = Verdict::Applied;
                        }
                    }
                }
            }
            waiting = still;
            if waiting.is_empty() || waiting.len() == before {
                return Ok(());
            }
        }
    }

    /// Folds the event in. Gives the complaint when it was just handed off.
    fn take(&mut self, n: u64, arrival: &Arrival) -> Result<Option<ComplaintId>, QuarantineReason> {
        let event = arrival.event.as_ref().ok_or(QuarantineReason::Unreadable)?;
        if event.key != self.batch.key(n) {
            return Err(QuarantineReason::OutOfScope);
        }
        if !self.arrived.is_empty() && arrival.names().any(|name| self.arrived.contains(&name)) {
            return Err(QuarantineReason::Repeated);
        }
        self.fold_in(event, &arrival.sealed, &self.batch.branch)
    }

    fn fold_in(
        &mut self,
        event: &LedgerEvent,
        sealed: &SealedEvent,
        branch: &BranchCode,
    ) -> Result<Option<ComplaintId>, QuarantineReason> {
        self.check_actor(&event.actor, &event.fact, branch)?;
        let id = event.complaint;
        let after = match self.now.entry(id) {
            Entry::Occupied(held) => {
                let held = held.into_mut();
                fold(Arc::make_mut(held), event, branch, &self.lines)?;
                held
            }
            Entry::Vacant(place) => {
                let complaint = open(event, branch, &self.references)?;
                self.references.insert(complaint.reference.clone(), id);
                place.insert(Arc::new(complaint))
            }
        };
        let handed_off = matches!(event.fact, Fact::HandedOff { .. })
            && after.state == suda_domain::State::HandoffPending;
        self.touch(id);
        self.changes.entries.push(pen::Entry {
            branch: branch.clone(),
            complaint: id,
            key: event.key,
            sealed: sealed.clone(),
        });
        self.note_origin(event);
        Ok(handed_off.then_some(id))
    }

    /// The actor must be who the hub knows them to be. Somebody deactivated
    /// since then may have written it while they were not.
    fn check_actor(
        &self,
        actor: &Actor,
        fact: &Fact,
        branch: &BranchCode,
    ) -> Result<(), QuarantineReason> {
        if actor.branch.as_ref() != Some(branch) {
            return Err(QuarantineReason::OutOfScope);
        }
        match actor.staff {
            None if actor.role == Role::System => {}
            None => return Err(QuarantineReason::OutOfScope),
            Some(id) => {
                let known = self.staff.get(&id).ok_or(QuarantineReason::OutOfScope)?;
                if known.branch.as_ref() != Some(branch) {
                    return Err(QuarantineReason::OutOfScope);
                }
                if known.role != actor.role {
                    return Err(QuarantineReason::NotAllowed(Refusal::Role));
                }
            }
        }
        if may_write(actor.role, fact.kind()) {
            Ok(())
        } else {
            Err(QuarantineReason::NotAllowed(Refusal::Role))
        }
    }

    /// The hub takes a handed-off complaint into the experts' queue.
    fn receive(&mut self, id: ComplaintId, pen: &mut Pen) -> Result<(), PenError> {
        if let Some(complaint) = self.now.get_mut(&id) {
            let complaint = Arc::make_mut(complaint);
            let entry = pen.write(complaint, &Actor::system(None), Fact::Queued)?;
            self.changes.entries.push(entry);
        }
        Ok(())
    }

    fn note_origin(&mut self, event: &LedgerEvent) {
        if let Some(origin) = &event.origin
            && self.arrived.insert(origin.clone())
        {
            self.changes.origins.push(origin.clone());
        }
    }

    fn set_aside(&mut self, n: u64, arrival: &Arrival, reason: QuarantineReason) {
        if reason != QuarantineReason::Repeated
            && let Some(event) = &arrival.event
        {
            self.note_origin(event);
        }
        self.changes.set_aside.push(SetAside {
            key: self.batch.key(n),
            branch: self.batch.branch.clone(),
            complaint: arrival.event.as_ref().map(|event| event.complaint),
            kind: arrival.event.as_ref().map(|event| event.fact.kind().name()),
            sealed: arrival.sealed.clone(),
            reason,
        });
    }

    fn touch(&mut self, id: ComplaintId) {
        if !self.touched.contains(&id) {
            self.touched.push(id);
        }
    }

    fn finish(mut self) -> Changes {
        for id in self.touched {
            if let Some(after) = self.now.remove(&id) {
                self.changes
                    .cases
                    .push(Case::new(self.before.get(&id).map(Arc::as_ref), after));
            }
        }
        self.changes
    }
}

fn held_here<'a>(batch: &'a Batch, verdicts: &[Verdict]) -> impl Iterator<Item = Waiting<'a>> {
    let judged = batch.arrivals.iter().zip(verdicts).enumerate();
    judged.filter_map(|(at, (arrival, verdict))| {
        let event = arrival.event.as_ref()?;
        (*verdict == Verdict::Held).then_some(Waiting {
            event,
            sealed: &arrival.sealed,
            branch: &batch.branch,
            found: Found::Here(at),
        })
    })
}

fn open(
    event: &LedgerEvent,
    branch: &BranchCode,
    references: &HashMap<ReferenceNumber, ComplaintId>,
) -> Result<Complaint, QuarantineReason> {
    let complaint = Complaint::open(event).map_err(|refusal| match refusal {
        Refusal::NotABeginning => QuarantineReason::UnknownComplaint,
        other => QuarantineReason::NotAllowed(other),
    })?;
    if complaint.branch != *branch {
        return Err(QuarantineReason::OutOfScope);
    }
    match references.get(&complaint.reference) {
        Some(other) if *other != complaint.id => {
            Err(QuarantineReason::NotAllowed(Refusal::AlreadyRecorded))
        }
        _ => Ok(complaint),
    }
}

/// Folds the event into the complaint, which stays as it was when refused.
fn fold(
    complaint: &mut Complaint,
    event: &LedgerEvent,
    branch: &BranchCode,
    lines: &Lines,
) -> Result<(), QuarantineReason> {
    if complaint.branch != *branch {
        return Err(QuarantineReason::OutOfScope);
    }
    let admitted = complaint
        .admit(&event.actor, &event.fact)
        // Not the sum a branch has given: its desk holds it to the limit before
        // it is given, and what a desk knew of the limit, or by what clock, does
        // not make undone what a customer has in their hand.
        .and_then(|()| lines.admit(complaint, &event.actor, &event.fact));
    let Err(refusal) = admitted else {
        let applied = complaint.apply(event);
        return applied.map(drop).map_err(QuarantineReason::NotAllowed);
    };
    let mut after = complaint.clone();
    match after.apply(event).map_err(QuarantineReason::NotAllowed)? {
        // Written when it was allowed; its place in the order has passed, or is
        // beyond what is known here.
        Applied::History | Applied::LateNote | Applied::Overtook => {
            *complaint = after;
            Ok(())
        }
        Applied::Changed | Applied::Remark => Err(QuarantineReason::NotAllowed(refusal)),
    }
}

#[cfg(test)]
mod tests;
