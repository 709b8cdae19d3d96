//! A desk's disk does what the machine asks of its store.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use suda_domain::{DeviceId, LedgerEvent};
use suda_sync::bundle::{Word, words_to};
use suda_sync::desk::{Command, Input};
use suda_sync::{Hash, PublicKey, SealedEvent};

use crate::desk_disk::DeskDisk;
use crate::plant::Plant;

/// Events by their hashes, so that each is read once in a run.
pub type Read = HashMap<Hash, Rc<LedgerEvent>>;

/// The hub's words by the device they are for and the parcel they came in.
pub type Words = HashMap<(DeviceId, Vec<u8>), Rc<[Word]>>;

/// What a parcel says to a device; nothing when it is damaged or for another.
pub fn words(
    read: &mut Words,
    to: (DeviceId, &PublicKey),
    hub: &PublicKey,
    parcel: &[u8],
) -> Option<Rc<[Word]>> {
    let name = (to.0, parcel.to_vec());
    if let Some(words) = read.get(&name) {
        return Some(Rc::clone(words));
    }
    let signed = words_to(to, hub, parcel).ok()?;
    let words: Rc<[Word]> = signed.into_iter().map(|(_, word)| word).collect();
    read.insert(name, Rc::clone(&words));
    Some(words)
}

/// Performs one command, as one transaction, and gives the answer to it.
pub fn perform(
    disk: &mut DeskDisk,
    command: Command,
    plant: Option<Plant>,
    read: &mut Read,
) -> Input {
    match command {
        Command::ReadStanding => return Input::Standing(Box::new(standing(disk, plant))),
        Command::Load {
            stream,
            after,
            max_events,
            ..
        } => return Input::Loaded(disk.load(stream, after, max_events)),
        Command::SaveWelcome { welcome, cursor } => {
            disk.save_welcome(&welcome, cursor, plant);
            return Input::Standing(Box::new(standing(disk, plant)));
        }
        Command::SaveReceipt(receipt) => disk.save_receipt(&receipt, plant),
        Command::SavePage(page) => {
            let read = RefCell::new(read);
            let parse = |sealed: &SealedEvent| parse(&mut read.borrow_mut(), sealed);
            if disk.save_page(&page, parse, plant).is_err() {
                return Input::StoreFailed;
            }
        }
        Command::Renew {
            incarnation,
            letter,
        } => {
            disk.renew(incarnation, &letter);
            return Input::Standing(Box::new(standing(disk, plant)));
        }
        Command::Rekey { stream, from_n } => {
            disk.rekey(stream, from_n, plant);
            return Input::Standing(Box::new(standing(disk, plant)));
        }
        Command::Send { .. } => return Input::StoreFailed,
    }
    Input::Saved
}

fn standing(disk: &DeskDisk, plant: Option<Plant>) -> suda_sync::desk::Standing {
    let mut standing = disk.standing();
    if plant == Some(Plant::EarlierForgotten) {
        standing.position.earlier.clear();
    }
    standing
}

pub fn parse(read: &mut Read, sealed: &SealedEvent) -> Option<Rc<LedgerEvent>> {
    if let Some(event) = read.get(&sealed.hash) {
        return Some(Rc::clone(event));
    }
    let event = Rc::new(sealed.open().ok()?);
    read.insert(sealed.hash, Rc::clone(&event));
    Some(event)
}
