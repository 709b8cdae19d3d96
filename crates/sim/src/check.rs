//! What must hold, at any moment and at the end.

pub(crate) mod branch;
pub(crate) mod refused;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use suda_domain::{Applied, Complaint, ComplaintId, EventKey, Lane, LedgerEvent, Origin, Owner};
use suda_sync::{Hash, fold};

use crate::desk_disk::{Kept, Place};
use crate::hub_disk::HubDisk;
use crate::states::States;
use crate::world::{DeskNode, World};

/// What was found wrong in a run. All zero when nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// Confirmed steps that are nowhere at the hub.
    pub lost: u64,
    /// Steps that took effect twice, at the hub or on a desk.
    pub doubled: u64,
    /// Owner numbers with two owners.
    pub two_owners: u64,
    /// Moments at which a desk took events for received that the hub does not hold.
    pub unfounded: u64,
    /// Breaks in a lane's numbers or chain, or a state that its ledger does not make.
    pub out_of_order: u64,
    /// Complaints that a desk sees otherwise than the hub.
    pub apart: u64,
    /// 1 when the queues did not empty.
    pub stuck: u64,
    /// Records that still wait for a predecessor.
    pub held: u64,
    /// Branches with a mailbox that did not come to one backlog without the WAN.
    pub branch_apart: u64,
    /// Branches whose mailbox did not bring to the hub what they have.
    pub not_forwarded: u64,
    /// Batches that a mailbox let go of before the hub had judged them.
    pub let_go: u64,
    /// Damaged files that were taken for whole.
    pub damaged_taken: u64,
    /// Records set aside that nothing is wrong with.
    pub wrongly_refused: u64,
    /// The first thing found, for people.
    pub first: Option<String>,
}

impl Violations {
    pub fn total(&self) -> u64 {
        self.lost
            + self.doubled
            + self.two_owners
            + self.unfounded
            + self.out_of_order
            + self.apart
            + self.stuck
            + self.held
            + self.branch_apart
            + self.not_forwarded
            + self.let_go
            + self.damaged_taken
            + self.wrongly_refused
    }

    fn found(&mut self, what: impl FnOnce() -> String) {
        if self.first.is_none() {
            self.first = Some(what());
        }
    }
}

/// How often each step of a desk is at the hub, in the ledger or set aside.
pub(crate) fn marks_at_hub(hub: &HubDisk) -> BTreeMap<u64, u32> {
    let mut marks = BTreeMap::new();
    for line in &hub.log {
        if line.event.key.device != hub.device {
            *marks.entry(line.event.at.mono_ms).or_default() += 1;
        }
    }
    for aside in hub.aside.iter().filter(|aside| aside.open) {
        if let Some(event) = &aside.event {
            *marks.entry(event.at.mono_ms).or_default() += 1;
        }
    }
    marks
}

/// Where a step is at the hub, for people.
fn places(hub: &HubDisk, mark: u64) -> Vec<(EventKey, Option<Origin>)> {
    let log = hub.log.iter().map(|line| &line.event);
    let aside = hub.aside.iter().filter(|aside| aside.open);
    log.chain(aside.filter_map(|aside| aside.event.as_ref()))
        .filter(|event| event.key.device != hub.device && event.at.mono_ms == mark)
        .map(|event| (event.key, event.origin.clone()))
        .collect()
}

/// Owner numbers of these complaints, or of all, that mean different owners at
/// different places.
pub(crate) fn two_owners(world: &World, of: Option<&BTreeSet<ComplaintId>>) -> u64 {
    let desks = world.desks.iter().map(|desk| &desk.disk.states);
    let places: Vec<&States> = desks.chain([&world.hub.complaints]).collect();
    let complaints: Vec<&Complaint> = match of {
        None => places.iter().flat_map(|at| at.values()).collect(),
        Some(ids) => {
            let everywhere = |id| places.iter().filter_map(move |at| at.get(id));
            ids.iter().flat_map(everywhere).collect()
        }
    };
    let mut owners: HashMap<(ComplaintId, u32), &Owner> = HashMap::new();
    let mut found = 0;
    for complaint in complaints {
        let name = (complaint.id, complaint.owner_no);
        let owner = owners.entry(name).or_insert(&complaint.owner);
        found += u64::from(**owner != complaint.owner);
    }
    found
}

/// Lanes of which a desk takes more for received than the hub holds.
pub(crate) fn unfounded(world: &World) -> u64 {
    let hub = &world.hub;
    // Of a hub put back from a backup a desk hears at its next hello.
    let of_this_epoch = |desk: &&DeskNode| desk.disk.epoch() == Some(&hub.epoch);
    let lanes = world.desks.iter().filter(of_this_epoch).flat_map(|desk| {
        let device = desk.disk.device;
        desk.disk.acked().flat_map(move |(incarnation, acked)| {
            Lane::ALL.map(|lane| (device, incarnation, lane, acked[lane.index()]))
        })
    });
    let beyond = lanes.filter(|&(device, of, lane, acked)| acked > hub.head(device, of, lane).n);
    let otherwise = world.desks.iter().filter(of_this_epoch).flat_map(|desk| {
        let lanes = desk
            .disk
            .acked()
            .flat_map(|(of, _)| Lane::ALL.map(|lane| (of, lane)));
        lanes.filter_map(|(of, lane)| desk.disk.acked_hash(of, lane))
    });
    let otherwise = otherwise.filter(|(key, hash)| hub.known(key) != Some(*hash));
    let beyond: Vec<_> = beyond.collect();
    let otherwise: Vec<_> = otherwise.collect();
    (beyond.len() + otherwise.len()) as u64
}

pub fn at_the_end(world: &World, level: bool) -> Violations {
    let mut violations = Violations {
        two_owners: world.two_owners + two_owners(world, None),
        unfounded: world.unfounded + unfounded(world),
        stuck: u64::from(!level),
        ..Violations::default()
    };
    violations.let_go = world.let_go;
    violations.damaged_taken = world.damaged_taken;
    if violations.let_go > 0 {
        violations.found(|| "a mailbox let go of what the hub has not judged".to_owned());
    }
    if let Some(apart) = &world.branch_apart {
        violations.branch_apart = 1;
        violations.found(|| format!("without the WAN {apart}"));
    }
    if let Some(missing) = &world.not_forwarded {
        violations.not_forwarded = 1;
        violations.found(|| missing.clone());
    }
    if violations.unfounded > 0 {
        violations.found(|| "events count as received that the hub does not hold".to_owned());
    }
    if !level {
        violations.found(|| world.unrest());
    }
    promises(world, &mut violations);
    lanes(world, &mut violations);
    states(world, &mut violations);
    desks(world, &mut violations);
    refused::wrongly(world, &mut violations);
    violations
}

fn promises(world: &World, violations: &mut Violations) {
    let marks = marks_at_hub(&world.hub);
    for (mark, promise) in &world.promises {
        if promise.destroyed {
            continue;
        }
        if !marks.contains_key(mark) {
            violations.lost += 1;
            violations.found(|| format!("step {mark} of {} is lost", promise.complaint));
        }
    }
    for (mark, times) in &marks {
        if *times > 1 {
            violations.doubled += 1;
            violations.found(|| {
                format!(
                    "step {mark} is at the hub {times} times: {:?}",
                    places(&world.hub, *mark)
                )
            });
        }
    }
    for (number, desk) in world.desks.iter().enumerate() {
        let mut seen = BTreeMap::new();
        let counted = |kept: &&Kept| kept.place != Place::Forgotten;
        for kept in desk.disk.events.iter().filter(counted) {
            let event = &kept.event;
            if event.key.device == world.hub.device {
                continue;
            }
            if let Some(before) = seen.insert(event.at.mono_ms, kept) {
                violations.doubled += 1;
                violations.found(|| {
                    format!(
                        "step {} twice on desk {number}: {:?} {:?} and {:?} {:?}",
                        event.at.mono_ms, before.event.key, before.place, event.key, kept.place
                    )
                });
            }
        }
    }
}

/// Each lane's numbers are gapless and each event stands behind the one before.
fn lanes(world: &World, violations: &mut Violations) {
    let mut lanes: BTreeMap<_, BTreeMap<u64, (Hash, Hash)>> = BTreeMap::new();
    let log = world
        .hub
        .log
        .iter()
        .map(|line| (line.event.key, &line.sealed));
    let aside = world
        .hub
        .aside
        .iter()
        .map(|aside| (aside.key, &aside.sealed));
    for (key, sealed) in log.chain(aside) {
        lanes
            .entry((key.device, key.incarnation, key.lane))
            .or_default()
            .insert(key.n, (sealed.prev, sealed.hash));
    }
    for (lane, events) in lanes {
        let mut expected = (1, Hash::START);
        for (n, (prev, hash)) in events {
            if (n, prev) != expected {
                violations.out_of_order += 1;
                violations.found(|| format!("lane {lane:?} breaks at {n}"));
            }
            expected = (n + 1, hash);
        }
    }
}

/// An event with its place in the hub's log.
type InOrder = fold::Standing<Rc<LedgerEvent>>;

/// Each state at the hub is what its ledger makes.
fn states(world: &World, violations: &mut Violations) {
    let mut events: BTreeMap<ComplaintId, Vec<InOrder>> = BTreeMap::new();
    for line in &world.hub.log {
        events
            .entry(line.event.complaint)
            .or_default()
            .push(fold::Standing {
                seq: Some(line.seq),
                own: false,
                event: Rc::clone(&line.event),
            });
    }
    for (id, complaint) in world.hub.complaints.iter() {
        let made = events.get(id).and_then(|events| fold::refold(events));
        if made.as_ref() != Some(complaint) {
            violations.out_of_order += 1;
            violations.found(|| format!("{id} is not what its ledger makes"));
        }
    }
}

/// Every desk of a branch sees what the hub sees, but for records set aside.
fn desks(world: &World, violations: &mut Violations) {
    let mut apart_by_right = BTreeSet::new();
    for aside in world.hub.aside.iter().filter(|aside| aside.open) {
        let Some(event) = &aside.event else { continue };
        // A hub put back from a backup has forgotten steps of its own that others
        // built on.
        let may_wait = world.counts.hub_restores > 0;
        let complaint = world.hub.complaints.get(&event.complaint);
        let fits_now = complaint.is_some_and(|complaint| fits(complaint, event));
        if !may_wait && aside.reason.waits() && fits_now {
            violations.held += 1;
            violations.found(|| format!("a record of {} is still held", event.complaint));
        }
        apart_by_right.insert(event.complaint);
    }
    apart_by_right.extend(bereft(world));
    for (number, desk) in world.desks.iter().enumerate() {
        for (id, at_hub) in world.hub.complaints.iter() {
            if at_hub.branch != desk.disk.branch || apart_by_right.contains(id) {
                continue;
            }
            let here = desk.disk.states.get(id);
            if here.is_none_or(|here| seen(here) != seen(at_hub)) {
                violations.apart += 1;
                violations.found(|| {
                    format!(
                        "{id} on desk {number}: {:?}, at the hub {:?}",
                        here.map(seen),
                        seen(at_hub)
                    )
                });
            }
        }
        for (id, here) in desk.disk.states.iter() {
            if !world.hub.complaints.contains_key(id) && !apart_by_right.contains(id) {
                violations.apart += 1;
                violations.found(|| format!("{id} ({:?}) only on desk {number}", here.state));
            }
        }
    }
}

/// Whether what waits for a predecessor would take its effect by now. Where the
/// rules have moved on meanwhile, it is a person's to decide.
pub(crate) fn fits(complaint: &Complaint, event: &LedgerEvent) -> bool {
    let allowed = complaint.admit(&event.actor, &event.fact).is_ok();
    match complaint.clone().apply(event) {
        Ok(Applied::Changed | Applied::Remark) => allowed,
        Ok(Applied::History | Applied::LateNote | Applied::Overtook) => true,
        Err(_) => false,
    }
}

/// Complaints of which a desk shows a step, by its mailbox's word alone, that was
/// destroyed with its desk's file before the hub had it.
fn bereft(world: &World) -> BTreeSet<ComplaintId> {
    let told = world.desks.iter().flat_map(|desk| desk.disk.counted());
    let in_branch = told.filter(|kept| !kept.own && kept.place == Place::Waiting);
    let destroyed = in_branch.filter(|kept| {
        let promise = world.promises.get(&kept.event.at.mono_ms);
        promise.is_none_or(|promise| promise.destroyed)
    });
    destroyed.map(|kept| kept.event.complaint).collect()
}

type Seen<'a> = (
    suda_domain::State,
    &'a Owner,
    u32,
    u32,
    Option<suda_domain::Grade>,
    Option<suda_domain::LeaseId>,
    bool,
    bool,
    Option<suda_domain::StaffId>,
);

/// What people see of a complaint.
fn seen(complaint: &Complaint) -> Seen<'_> {
    (
        complaint.state,
        &complaint.owner,
        complaint.owner_no,
        complaint.cycle,
        complaint.grade,
        complaint.claim.as_ref().map(|claim| claim.lease),
        complaint.answer.is_some(),
        complaint.report.is_some(),
        complaint.assigned.as_ref().map(|to| to.staff),
    )
}
