//! What a customer may be given, and by whom.

use super::{Approval, Complaint, Refusal};
use crate::fact::Fact;
use crate::policy::Policy;
use crate::state::State;

impl Complaint {
    /// The most the management group has approved; absent while nothing is
    /// approved, and where nobody spoke of money.
    pub fn approved_sum(&self) -> Option<u32> {
        let approved = self.approval().filter(|asked| asked.is_approved());
        approved.and_then(Approval::sum)
    }

    /// What may be given without asking the management group (again): what it
    /// has approved, else the policy's limit. A later refusal gives nobody back
    /// more than was approved before it.
    pub fn most_to_give(&self, limit: u32) -> u32 {
        if let Some(approved) = self.approved_sum() {
            return approved;
        }
        let mut decided = self.approvals.iter().rev();
        let earlier = decided.find_map(|asked| asked.sum().filter(|_| asked.is_approved()));
        earlier.map_or(limit, |earlier| earlier.min(limit))
    }

    /// Whether what the fact gives the customer is within what may be given,
    /// both in the smallest unit of the currency. `limit` is the policy's
    /// `compensation_limit`.
    ///
    /// # Errors
    /// [`Refusal::AboveApproved`] above what the management group has approved,
    /// [`Refusal::NeedsApproval`] above the limit.
    pub fn admit_amount(&self, fact: &Fact, limit: u32) -> Result<(), Refusal> {
        let most = i64::from(self.most_to_give(limit));
        let (amount, refusal) = match fact {
            // A plan that is changed was judged when it began.
            Fact::SolvingStarted { .. } if self.state == State::Analysed => {
                let report = self.report.as_ref();
                let proposed = report.and_then(|report| report.compensation_minor);
                (proposed.map(i64::from), self.too_much())
            }
            Fact::Answered { amount_minor, .. } => (amount_minor.map(i64::from), self.too_much()),
            // A branch that has no expert to ask hands it off. Desks of older
            // versions know this refusal alone.
            Fact::Settled { amount_minor, .. } => (*amount_minor, Refusal::NeedsApproval),
            _ => return Ok(()),
        };
        match amount {
            Some(amount) if amount > most => Err(refusal),
            _ => Ok(()),
        }
    }

    /// [`admit_amount`](Self::admit_amount), and that a vote names no sum that
    /// needs more votes than were asked for.
    ///
    /// # Errors
    /// Those, and [`Refusal::MoreVotes`].
    pub fn admit_money(&self, fact: &Fact, policy: &Policy) -> Result<(), Refusal> {
        self.admit_amount(fact, policy.compensation_limit)?;
        let Fact::Approved {
            compensation_minor, ..
        } = fact
        else {
            return Ok(());
        };
        let asked = self.approval().map_or(1, |asked| asked.votes_needed);
        if compensation_minor.is_some() && policy.votes_needed(*compensation_minor) > asked {
            return Err(Refusal::MoreVotes);
        }
        Ok(())
    }

    fn too_much(&self) -> Refusal {
        match self.approved_sum() {
            Some(_) => Refusal::AboveApproved,
            None => Refusal::NeedsApproval,
        }
    }
}
