//! Recusal (回避; product.md: "The person complained about, and their direct
//! line, can neither see nor handle it").
//!
//! The ledger names the person complained about. Their direct line follows
//! from the directory, which may change, and is no part of the ledger: whoever
//! stands above the person, up to the top. Who reports *to* them is not barred.
//! The line upward is where a complaint could be suppressed, and is how
//! practice reads 直属上级; and a complaint about a branch manager has to be
//! recorded by one of the manager's own clerks, as every complaint is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::complaint::{Complaint, Refusal, TaskState};
use crate::fact::Fact;
use crate::ids::{ComplaintId, StaffId};
use crate::ledger::Actor;
use crate::staff::StaffRecord;

/// People one complaint may be about. The handoff packet names them all, and
/// has to stay within its limit.
pub const MOST_RECUSED: usize = 8;

/// Somebody the complaint is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recusal {
    pub staff: StaffId,
    /// As it was then.
    pub name: String,
    pub reason: String,
    pub at: DateTime<Utc>,
}

/// Who stands directly above whom, and whom cases bar beside those they are
/// about themselves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    superiors: BTreeMap<StaffId, StaffId>,
    along: BTreeMap<ComplaintId, BTreeSet<StaffId>>,
}

impl FromIterator<(StaffId, StaffId)> for Lines {
    /// Of members of staff and who stands above each.
    fn from_iter<T: IntoIterator<Item = (StaffId, StaffId)>>(pairs: T) -> Self {
        Self {
            superiors: pairs.into_iter().collect(),
            along: BTreeMap::new(),
        }
    }
}

impl Lines {
    /// The lines as far as these members of staff tell.
    pub fn of<'a>(staff: impl IntoIterator<Item = &'a StaffRecord>) -> Self {
        let above = |one: &StaffRecord| Some((one.id, one.superior?));
        staff.into_iter().filter_map(above).collect()
    }

    /// These lines, and whom these cases bar through the ones they are answered
    /// with: whoever may not read of a matter may not read of it in a case with
    /// the same matter and the same answer. It lasts as long as the link.
    #[must_use]
    pub fn with_along(&self, along: BTreeMap<ComplaintId, BTreeSet<StaffId>>) -> Self {
        Self {
            superiors: self.superiors.clone(),
            along,
        }
    }

    /// Everybody who can neither see nor handle the complaint: whom it or what
    /// it is answered with is about, and who stands above them.
    pub fn barred(&self, complaint: &Complaint) -> BTreeSet<StaffId> {
        let mut barred = self.own(complaint);
        barred.extend(self.along.get(&complaint.id).into_iter().flatten());
        barred
    }

    /// Of these, who is barred by what the complaint's own ledger says. A line
    /// that runs in a circle, which only a mistake in the directory makes, ends
    /// where it began.
    pub fn own(&self, complaint: &Complaint) -> BTreeSet<StaffId> {
        let mut barred = BTreeSet::new();
        for recusal in &complaint.recused {
            barred.insert(recusal.staff);
            barred.extend(self.above(recusal.staff));
        }
        barred
    }

    /// Who stands above this member of staff, up to the top.
    pub fn above(&self, staff: StaffId) -> BTreeSet<StaffId> {
        let mut above = BTreeSet::new();
        let mut next = self.superiors.get(&staff);
        while let Some(one) = next.filter(|one| above.insert(**one)) {
            next = self.superiors.get(one);
        }
        above
    }

    pub fn bar(&self, complaint: &Complaint, staff: StaffId) -> bool {
        self.bars_anybody(complaint) && self.barred(complaint).contains(&staff)
    }

    fn bars_anybody(&self, complaint: &Complaint) -> bool {
        !complaint.recused.is_empty() || self.along.contains_key(&complaint.id)
    }

    /// What [`Complaint::admit`] says of those it is about, for their lines as
    /// well: neither do they do anything, nor is anything given to them.
    ///
    /// # Errors
    /// [`Refusal::Recused`].
    pub fn admit(&self, complaint: &Complaint, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        if !self.bars_anybody(complaint) {
            return Ok(());
        }
        let barred = self.barred(complaint);
        let is_barred = |staff| barred.contains(&staff);
        match actor.staff.is_some_and(is_barred) || given_to(fact).any(is_barred) {
            true => Err(Refusal::Recused),
            false => Ok(()),
        }
    }
}

/// Whom the fact gives the complaint to, or a part of it.
fn given_to(fact: &Fact) -> impl Iterator<Item = StaffId> {
    let (one, plan) = match fact {
        Fact::Dispatched { department, .. } => (Some(*department), None),
        Fact::Assigned { to } | Fact::CallBackAssigned { to } => (Some(to.staff), None),
        Fact::SolvingStarted { plan } => (None, Some(plan)),
        _ => (None, None),
    };
    let measures = plan.into_iter().flatten();
    one.into_iter()
        .chain(measures.filter_map(|measure| measure.staff))
}

impl Complaint {
    /// Whether it is about this member of staff.
    pub fn is_about(&self, staff: StaffId) -> bool {
        self.recused.iter().any(|recusal| recusal.staff == staff)
    }

    pub(crate) fn admit_recused(&self, actor: &Actor, fact: &Fact) -> Result<(), Refusal> {
        let is_about = |staff| self.is_about(staff);
        match actor.staff.is_some_and(is_about) || given_to(fact).any(is_about) {
            true => Err(Refusal::Recused),
            false => Ok(()),
        }
    }

    /// What was with them goes back: to the expert who asked them, or to the
    /// branch. A claim is released by the hub.
    pub(crate) fn take_recusal(&mut self, recusal: Recusal) {
        for task in &mut self.tasks {
            if task.department == recusal.staff && task.is_open() {
                task.state = TaskState::Rejected;
                task.reject_reason = Some(recusal.reason.clone());
                task.ended_at = Some(recusal.at);
            }
        }
        for given in [&mut self.assigned, &mut self.call_back.assigned] {
            given.take_if(|to| to.staff == recusal.staff);
        }
        if !self.is_about(recusal.staff) {
            self.recused.push(recusal);
        }
    }

    /// The ordinary lane brings the texts the packet had to cut.
    pub(crate) fn take_recusal_whole(&mut self, fact: &Fact) {
        if let Fact::Recused {
            staff,
            name,
            reason,
        } = fact
            && let Some(known) = self.recused.iter_mut().find(|one| one.staff == *staff)
        {
            known.name.clone_from(name);
            known.reason.clone_from(reason);
        }
    }
}
