//! Parcels at the hub's door, forwarded by a mailbox or brought as a file. The
//! checks and the judgement are the real ones.

use suda_domain::{BranchCode, DeviceId, Lane};
use suda_sync::bundle::{
    BatchesError, LaneStanding, OpenError, Renewal, Standing, Word, batches_of, open_events,
    pack_words, reached, sender,
};
use suda_sync::hub::contact::Greeting;
use suda_sync::hub::judge::{Arrival, Batch};
use suda_sync::lan;
use suda_sync::message;
use suda_sync::{Receipt, SecretKey, Signed, Verdict};

use super::{Answering, HubDisk};
use crate::plant::Plant;

/// How a parcel came.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// Through the mailbox of this branch.
    Forwarded(&'a BranchCode),
    /// On a stick.
    File,
}

/// Nothing of the parcel was taken.
#[derive(Debug)]
pub struct NotTaken;

/// A parcel that was judged.
pub struct Judged {
    /// The words that go back.
    pub words: Vec<u8>,
    /// The batches that need not be forwarded again.
    pub batches: Vec<lan::Batch>,
}

impl From<OpenError> for NotTaken {
    fn from(_: OpenError) -> Self {
        Self
    }
}

impl From<BatchesError> for NotTaken {
    fn from(_: BatchesError) -> Self {
        Self
    }
}

impl HubDisk {
    /// Takes a parcel in as one transaction.
    pub fn take_parcel(
        &mut self,
        parcel: &[u8],
        way: Way<'_>,
        at: Answering,
    ) -> Result<Judged, NotTaken> {
        let messages = open_events(parcel, &self.secret)?;
        let id = sender(&messages)?;
        let device = self.devices.get_mut(&id).ok_or(NotTaken)?;
        if matches!(way, Way::Forwarded(branch) if *branch != device.branch) {
            return Err(NotTaken);
        }
        let (branch, key) = (device.branch.clone(), device.key);
        let (present, batches) = batches_of((id, &key), &messages)?;
        device.incarnation = device.incarnation.max(present);
        let mut words = Vec::with_capacity(batches.len() + 1);
        let mut incarnations = Vec::new();
        let mut settled = Vec::new();
        let mut forked = false;
        for batch in batches {
            let (incarnation, lane, first_n) = (batch.incarnation, batch.lane, batch.first_n);
            if !incarnations.contains(&incarnation) {
                incarnations.push(incarnation);
            }
            let name = lan::Batch {
                device: id,
                incarnation,
                lane,
                first_n,
                last_n: first_n + batch.events.len() as u64 - 1,
            };
            let batch = Batch {
                device: id,
                incarnation,
                branch: branch.clone(),
                lane,
                first_n,
                arrivals: batch.events.into_iter().map(Arrival::read).collect(),
                rekeys: batch.rekeys,
                again: Vec::new(),
                now: at.now,
                mono_ms: 0,
            };
            let verdicts = self.ingest(&batch, planted(way, at));
            forked |= incarnation == present && verdicts.contains(&Verdict::Forked);
            if !verdicts.contains(&Verdict::Gap) {
                settled.push(name);
            }
            let hashes = batch.arrivals.iter().map(|arrival| arrival.sealed.hash);
            let reached = reached(lane, first_n, hashes, &verdicts);
            words.push(Word::Receipt(Receipt {
                allowance: None,
                device: id,
                incarnation,
                epoch: self.epoch.clone(),
                watermarks: Lane::ALL.map(|lane| self.head(id, incarnation, lane).n),
                lane,
                first_n,
                verdicts,
                level: None,
                at: at.now,
            }));
            let standing = reached.map(|lane| self.standing((id, incarnation), vec![lane], at));
            words.extend(standing);
        }
        let standings = incarnations.into_iter();
        let lanes = |of| self.lanes(id, of);
        words.extend(standings.map(|of| self.standing((id, of), lanes(of), at)));
        if forked {
            words.extend(self.renewal(id, present));
        }
        let signed = signed(&words, &self.secret);
        let words = pack_words(&signed, &key).map_err(|_| NotTaken)?;
        Ok(Judged {
            words,
            batches: settled,
        })
    }

    fn lanes(&self, device: DeviceId, incarnation: u32) -> Vec<LaneStanding> {
        let heads = Lane::ALL.map(|lane| (lane, self.head(device, incarnation, lane)));
        let lanes = heads.into_iter().filter(|(_, head)| head.n > 0);
        let lanes = lanes.map(|(lane, head)| LaneStanding {
            lane,
            n: head.n,
            hash: head.hash,
        });
        lanes.collect()
    }

    fn standing(
        &self,
        (device, incarnation): (DeviceId, u32),
        lanes: Vec<LaneStanding>,
        at: Answering,
    ) -> Word {
        Word::Standing(Standing {
            device,
            incarnation,
            epoch: self.epoch.clone(),
            lanes,
            at: at.now,
        })
    }

    /// What a hello that asks for a new incarnation would be answered.
    fn renewal(&mut self, id: DeviceId, from: u32) -> Option<Word> {
        let device = self.devices.get_mut(&id)?;
        let contact = device.contacts.entry(from).or_default();
        let Greeting::Renew = contact.greet(message::Renewal::Wanted, 0, true) else {
            return None;
        };
        device.incarnation += 1;
        let (incarnation, branch) = (device.incarnation, device.branch.clone());
        Some(Word::Renewal(Renewal {
            device: id,
            from,
            incarnation,
            letter: self.next_letter(&branch),
            epoch: self.epoch.clone(),
        }))
    }
}

fn signed(words: &[Word], secret: &SecretKey) -> Vec<Signed> {
    let sign = |word| Signed::seal(word, secret).ok();
    words.iter().filter_map(sign).collect()
}

/// The bugs of the one way are that of the network's on that way alone.
fn planted(way: Way<'_>, at: Answering) -> Answering {
    let plant = match (way, at.plant) {
        (Way::Forwarded(_), Some(Plant::ForwardNoDedupe))
        | (Way::File, Some(Plant::ImportNoDedupe)) => Some(Plant::NoDedupe),
        (_, plant) => plant,
    };
    Answering { plant, ..at }
}
