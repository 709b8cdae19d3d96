//! What must hold in a branch with a mailbox.

use std::collections::{BTreeMap, BTreeSet};

use suda_domain::{ComplaintId, Origin};

use super::{marks_at_hub, seen};
use crate::desk_disk::{DeskDisk, Kept, Place};
use crate::world::{DeskNode, World};

/// What a desk has of each complaint.
type Having = BTreeMap<ComplaintId, BTreeSet<[u8; 32]>>;

fn having(disk: &DeskDisk) -> Having {
    let mut having = Having::new();
    for kept in disk.counted() {
        let of = having.entry(kept.event.complaint).or_default();
        of.insert(kept.sealed.hash.0);
    }
    having
}

/// Two databases of one identity have two tales, until the hub has spoken.
fn is_judged(world: &World, node: &DeskNode) -> bool {
    let device = node.disk.device;
    let same = world
        .desks
        .iter()
        .filter(|other| other.disk.device == device);
    same.count() == 1 && !node.was_rolled_back()
}

/// Where desks that follow a mailbox, and have heard of the same hub as it, do
/// not see the branch as it does; for people.
pub(crate) fn apart_in_branch(world: &World) -> Option<String> {
    let mailboxes = world.desks.iter().enumerate();
    for (at, mailbox) in mailboxes.filter(|(_, node)| node.is_mailbox()) {
        let of_branch = |node: &&DeskNode| node.mailbox() == Some(at);
        let members = world.desks.iter().enumerate();
        let members: Vec<_> = members.filter(|(_, node)| of_branch(node)).collect();
        let all_judged = members
            .iter()
            .map(|(_, node)| *node)
            .chain([mailbox])
            .all(|node| {
                let of_one_hub = node.disk.epoch() == mailbox.disk.epoch();
                is_judged(world, node) && of_one_hub && !node.disk.reads_again()
            });
        if !all_judged {
            continue;
        }
        let theirs = having(&mailbox.disk);
        for (number, member) in members {
            let found = apart(number, &member.disk, &mailbox.disk, &theirs);
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

fn apart(number: usize, member: &DeskDisk, mailbox: &DeskDisk, theirs: &Having) -> Option<String> {
    let mine = having(member);
    // What the hub has a desk does not give to its mailbox besides.
    let unreceipted = |kept: &&Kept| kept.own && !member.is_receipted(&kept.event.key);
    for kept in member.counted().filter(unreceipted) {
        let there = theirs.get(&kept.event.complaint);
        if there.is_none_or(|there| !there.contains(&kept.sealed.hash.0)) {
            return Some(format!(
                "{:?} of desk {number} is not at its mailbox",
                kept.event.key
            ));
        }
    }
    for (id, hashes) in theirs {
        let here = mine.get(id);
        if let Some(kept) = missing(member, mailbox, (*id, here), hashes) {
            return Some(format!(
                "{:?} ({:?}) is at the mailbox and not on desk {number}",
                kept.event.key, kept.place
            ));
        }
        // A desk that has spoken with the hub since knows more.
        if here != Some(hashes) || knows_more(member, mailbox, *id) {
            continue;
        }
        let (here, there) = (
            member.states.get(id).map(seen),
            mailbox.states.get(id).map(seen),
        );
        if here != there {
            return Some(format!(
                "{id} on desk {number}: {here:?}, at its mailbox {there:?}"
            ));
        }
    }
    None
}

/// What the mailbox has of a complaint and the member has not. What it has itself
/// lost only the hub gives back to it, and where the hub has told the member of
/// another event under the same name, or of this one under another name, the
/// mailbox has not been told yet.
fn missing<'a>(
    member: &DeskDisk,
    mailbox: &'a DeskDisk,
    (id, here): (ComplaintId, Option<&BTreeSet<[u8; 32]>>),
    hashes: &BTreeSet<[u8; 32]>,
) -> Option<&'a Kept> {
    let is_here = |hash| here.is_some_and(|here| here.contains(hash));
    let mut missing = hashes.iter().filter(|&hash| !is_here(hash)).peekable();
    missing.peek()?;
    let missing: BTreeSet<_> = missing.collect();
    let of = mailbox.counted().filter(|kept| kept.event.complaint == id);
    let is_replaced = |kept: &Kept| {
        let (key, hash) = (kept.event.key, kept.sealed.hash.to_string());
        let is_it = |first: &Origin| first.key == key && first.hash == hash;
        let mut counted = member.counted();
        counted.any(|other| {
            let renamed = other.event.origin.as_ref().is_some_and(is_it);
            matches!(other.place, Place::Log(_)) && (other.event.key == key || renamed)
        })
    };
    let mut others = of.filter(|kept| kept.event.key.device != member.device && !is_replaced(kept));
    others.find(|kept| missing.contains(&kept.sealed.hash.0))
}

/// Whether the hub has told a desk places that its mailbox does not know.
fn knows_more(member: &DeskDisk, mailbox: &DeskDisk, id: ComplaintId) -> bool {
    let placed = |disk: &DeskDisk| -> BTreeSet<[u8; 32]> {
        let of = disk.counted().filter(|kept| kept.event.complaint == id);
        let placed = of.filter(|kept| matches!(kept.place, Place::Log(_)));
        placed.map(|kept| kept.sealed.hash.0).collect()
    };
    !placed(member).is_subset(&placed(mailbox))
}

/// What a desk of a branch has, and its mailbox, which reaches the hub, has not
/// brought there; for people.
pub(crate) fn not_forwarded(world: &World) -> Option<String> {
    let marks = marks_at_hub(&world.hub);
    let followers = world.desks.iter().enumerate();
    // Of a hub put back from a backup a desk hears when it meets it itself.
    let followers = followers.filter(|(_, node)| {
        let of_this_hub = node.disk.epoch() == Some(&world.hub.epoch);
        (node.mailbox().is_some() || node.is_mailbox()) && of_this_hub
    });
    for (number, node) in followers {
        let mut own = node
            .disk
            .events
            .iter()
            .filter(|kept| kept.own && kept.place == Place::Waiting);
        if let Some(kept) = own.find(|kept| !marks.contains_key(&kept.event.at.mono_ms)) {
            return Some(format!(
                "{:?} of desk {number} is not forwarded",
                kept.event.key
            ));
        }
    }
    None
}

/// Batches that a mailbox has let go of before the hub had judged them. Those it
/// has judged need not be looked at again.
pub(crate) fn let_go(world: &mut World) -> u64 {
    let hub = &world.hub;
    world.kept.retain(|kept| !hub.has_judged(&kept.batch));
    let is_gone = |kept: &&crate::world::Kept| {
        let node = world.desks.get(kept.mailbox);
        let has = node.is_some_and(|node| node.disk.custody.has(&kept.batch, kept.last));
        !has
    };
    world.kept.iter().filter(is_gone).count() as u64
}
