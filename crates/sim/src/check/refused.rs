//! Whether the hub set aside only what it had to. What a person has to look at
//! costs a branch its trust, so a record is refused for one of these reasons
//! alone: somebody wrote it whom the hub does not know; it has another
//! complaint's number; or its desk could not know what the hub knew of the
//! complaint, or knew what never reached the hub, and the rules allow it no more.

use std::collections::{BTreeMap, BTreeSet};

use suda_domain::Refusal;
use suda_sync::message::QuarantineReason;

use super::Violations;
use crate::hub_disk::Aside;
use crate::past::Name;
use crate::world::World;

/// How many records are set aside for each reason.
pub type Refused = BTreeMap<String, u64>;

/// What waits for a predecessor, and what has come before, is not refused.
fn is_refused(aside: &&Aside) -> bool {
    !aside.reason.waits() && aside.reason != QuarantineReason::Repeated
}

pub(crate) fn by_reason(world: &World) -> Refused {
    let mut refused = Refused::new();
    for aside in world.hub.aside.iter().filter(is_refused) {
        *refused.entry(name(aside.reason)).or_default() += 1;
    }
    refused
}

/// As it stands in messages.
fn name(reason: QuarantineReason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(of)) => of
            .into_iter()
            .map(|(kind, why)| format!("{kind}: {}", why.as_str().unwrap_or_default()))
            .collect(),
        _ => String::new(),
    }
}

pub(super) fn wrongly(world: &World, violations: &mut Violations) {
    for aside in world.hub.aside.iter().filter(is_refused) {
        if !is_founded(world, aside) {
            violations.wrongly_refused += 1;
            violations.found(|| {
                let kind = aside.event.as_ref().map(|event| event.fact.kind().name());
                format!(
                    "{kind:?} {:?} was set aside ({}) though its desk knew what the hub knew, \
                     or the rules allow it",
                    aside.key,
                    name(aside.reason)
                )
            });
        }
    }
}

fn is_founded(world: &World, aside: &Aside) -> bool {
    let Some(event) = &aside.event else {
        return false;
    };
    let known = event
        .actor
        .staff
        .is_some_and(|id| world.hub.staff.contains_key(&id));
    if !known {
        return aside.reason == QuarantineReason::OutOfScope;
    }
    let QuarantineReason::NotAllowed(refusal) = aside.reason else {
        return false;
    };
    let grounds = &aside.grounds;
    if grounds.reference_taken {
        return refusal == Refusal::AlreadyRecorded;
    }
    let Some(past) = world.pasts.get(&event.at.mono_ms) else {
        return false;
    };
    let here: BTreeSet<&Name> = past.iter().collect();
    let there: BTreeSet<&Name> = grounds.met.iter().collect();
    here != there && !grounds.would_fit
}
