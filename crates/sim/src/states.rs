//! The complaints as one place has them, and which of them have changed since
//! somebody looked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use suda_domain::{Complaint, ComplaintId};

#[derive(Clone, Debug, Default)]
pub struct States {
    all: BTreeMap<ComplaintId, Complaint>,
    touched: BTreeSet<ComplaintId>,
}

impl Deref for States {
    type Target = BTreeMap<ComplaintId, Complaint>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl States {
    pub fn insert(&mut self, id: ComplaintId, complaint: Complaint) {
        self.touched.insert(id);
        self.all.insert(id, complaint);
    }

    pub fn remove(&mut self, id: &ComplaintId) -> Option<Complaint> {
        self.touched.insert(*id);
        self.all.remove(id)
    }

    /// What has changed since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<ComplaintId> {
        std::mem::take(&mut self.touched)
    }
}
