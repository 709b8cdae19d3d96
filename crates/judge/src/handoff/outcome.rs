//! Whether a past complaint needed the centre, as its course tells.

use suda_domain::complaint::{Complaint, TaskState};
use suda_domain::{Grade, State};

/// What became of a complaint, as far as it tells whether the centre was
/// needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Handling {
    /// The last answer came from the branch.
    pub settled_in_branch: bool,
    /// It left the branch at some time.
    pub handed_off: bool,
    /// The customer had it taken up again.
    pub reopened: bool,
    /// The customer said at the call-back that they are not content.
    pub discontent: bool,
    pub grade_one: bool,
    /// A professional department worked on it.
    pub department: bool,
    /// The management group was asked.
    pub management: bool,
    /// What the customer got, in the currency's minor unit.
    pub given_minor: i64,
    /// It is closed: nobody is to call the customer any more.
    pub ended: bool,
    /// It is answered with another case, as its duplicate or as one of a group.
    pub follows: bool,
}

impl Handling {
    pub fn of(complaint: &Complaint) -> Self {
        let answer = complaint.answer.as_ref();
        let worked = |state| matches!(state, TaskState::Accepted | TaskState::Reported);
        Self {
            settled_in_branch: answer.is_some_and(|answer| answer.decision.is_none()),
            handed_off: complaint.handoff_cause.is_some(),
            reopened: complaint.cycle > 1,
            discontent: complaint.call_back.satisfied == Some(false),
            grade_one: complaint.grade == Some(Grade::One),
            department: complaint.tasks.iter().any(|task| worked(task.state)),
            management: !complaint.approvals.is_empty(),
            given_minor: answer.and_then(|answer| answer.amount_minor).unwrap_or(0),
            ended: matches!(complaint.state, State::Closed | State::Archived),
            follows: complaint.leading().is_some(),
        }
    }

    /// Whether the centre was needed; nothing where nobody can tell yet.
    ///
    /// - Taken up again, or its customer not content at the call-back: yes. What
    ///   the branch had settled was not settled, and what even the centre could
    ///   not settle at once a branch could not either.
    /// - Settled in the branch, also after it came back from the centre: no, but
    ///   only once it is closed or `is_ripe`, since until then the customer may
    ///   still come back.
    /// - Answered by the centre: yes when something went into the answer that no
    ///   branch has: a department's work, the management group, grade 1, or more
    ///   than `limit_minor`. Else no: it was a wrong handoff, but only once no
    ///   customer comes back any more, as above. Of one that was answered with
    ///   another case nobody can tell: the work stands with that case alone.
    ///
    /// Both ways of handling so tell of both outcomes. Were the label simply
    /// "was handed off", the model would learn what people did and call every
    /// habit right; were only branch cases looked at, it would never see what
    /// they could not settle.
    pub fn needed_centre(&self, limit_minor: i64, is_ripe: bool) -> Option<bool> {
        if self.reopened || self.discontent {
            return Some(true);
        }
        if self.settled_in_branch {
            return (self.ended || is_ripe).then_some(false);
        }
        let beyond = self.given_minor > limit_minor;
        let needed = self.grade_one || self.department || self.management || beyond;
        let is_over = !self.follows && (self.ended || is_ripe);
        (needed || is_over).then_some(needed)
    }
}
