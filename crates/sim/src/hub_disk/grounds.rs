//! What the hub knew at the place at which it refused a record, worked out beside
//! the judge from what it stores.

use std::collections::HashMap;

use suda_domain::{Complaint, ComplaintId, EventKey, LedgerEvent};
use suda_sync::Verdict;
use suda_sync::hub::judge::{Batch, Changes, Judgement};

use super::HubDisk;
use crate::past::{Grounds, Name};

impl HubDisk {
    /// For each record of the batch that was refused, before the batch is stored.
    pub(super) fn grounds(
        &self,
        batch: &Batch,
        judgement: &Judgement,
    ) -> HashMap<EventKey, Grounds> {
        let refused = |verdict: &Verdict| matches!(verdict, Verdict::Quarantined { .. });
        if !judgement.verdicts.iter().any(refused) {
            return HashMap::new();
        }
        let mut walk = Walk::new(self, &judgement.changes);
        let mut grounds = HashMap::new();
        for (n, (arrival, verdict)) in
            (batch.first_n..).zip(batch.arrivals.iter().zip(&judgement.verdicts))
        {
            let key = EventKey {
                device: batch.device,
                incarnation: batch.incarnation,
                lane: batch.lane,
                n,
            };
            match verdict {
                Verdict::Applied => walk.pass(&key),
                Verdict::Quarantined { .. } => {
                    // As it was written, whatever a planted mistake has made of it.
                    let event = serde_json::from_str(arrival.sealed.body.get());
                    if let Ok(event) = event {
                        grounds.insert(key, walk.grounds(&event));
                    }
                }
                _ => {}
            }
        }
        grounds
    }
}

/// The hub's store, event by event through a batch.
struct Walk<'a> {
    hub: &'a HubDisk,
    entries: std::iter::Peekable<std::vec::IntoIter<LedgerEvent>>,
    passed: Vec<LedgerEvent>,
    now: HashMap<ComplaintId, Complaint>,
}

impl<'a> Walk<'a> {
    fn new(hub: &'a HubDisk, changes: &Changes) -> Self {
        let entries = changes.entries.iter();
        let read = entries.filter_map(|entry| entry.sealed.open().ok());
        Self {
            hub,
            entries: read.collect::<Vec<_>>().into_iter().peekable(),
            passed: Vec::new(),
            now: HashMap::new(),
        }
    }

    /// Goes behind this event and what the hub wrote upon it. What was released
    /// in the end comes behind all that was refused.
    fn pass(&mut self, key: &EventKey) {
        let device = self.hub.device;
        let mut next = self.entries.next_if(|event| event.key == *key);
        while let Some(event) = next {
            match self.state(event.complaint) {
                Some(complaint) => drop(complaint.apply(&event)),
                None => {
                    let opened = Complaint::open(&event).ok();
                    self.now.extend(opened.map(|one| (event.complaint, one)));
                }
            }
            self.passed.push(event);
            next = self.entries.next_if(|event| event.key.device == device);
        }
    }

    fn state(&mut self, id: ComplaintId) -> Option<&mut Complaint> {
        if let std::collections::hash_map::Entry::Vacant(place) = self.now.entry(id) {
            place.insert(self.hub.complaints.get(&id)?.clone());
        }
        self.now.get_mut(&id)
    }

    fn grounds(&mut self, event: &LedgerEvent) -> Grounds {
        let id = event.complaint;
        let stored = self.hub.log.iter().map(|line| &*line.event);
        let all = stored.chain(&self.passed);
        let met = all.filter(|other| other.complaint == id).map(Name::of);
        let met = met.collect();
        let opened = Complaint::open(event).ok();
        let reference_taken = opened.as_ref().is_some_and(|opened| {
            let stored = self.hub.references.get(&opened.reference);
            let here = self.now.values().map(|one| (&one.reference, one.id));
            let here = here.filter(|(of, _)| **of == opened.reference);
            stored
                .into_iter()
                .copied()
                .chain(here.map(|(_, id)| id))
                .any(|other| other != id)
        });
        let would_fit = match self.state(id) {
            Some(complaint) => crate::check::fits(complaint, event),
            None => opened.is_some() && !reference_taken,
        };
        Grounds {
            met,
            reference_taken,
            would_fit,
        }
    }
}
