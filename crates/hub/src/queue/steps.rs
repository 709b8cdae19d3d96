//! What each step of the console writes. Decided with the complaint locked;
//! the rules themselves are the domain's, asked when the fact is written.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::clocks::{Clock, deadlines};
use suda_domain::escalation;
use suda_domain::fact::{Assignee, ReleaseCause};
use suda_domain::time::Timekeeping;
use suda_domain::{Fact, LeaseId, Policy, Refusal, StaffId, TaskId};
use uuid::Uuid;

use crate::store::row::is_alert_pending;
use crate::store::{Decide, StepRefused};

/// A fact whatever the complaint says; the domain's rules judge it.
pub fn plain(fact: Fact) -> Decide {
    Box::new(move |_| Ok(vec![fact.clone()]))
}

/// A claim under a new lease. The expert who has it already keeps it; anybody
/// else is told who has it.
pub fn claim(expert: StaffId, until: DateTime<Utc>) -> Decide {
    Box::new(move |held| match &held.complaint.claim {
        Some(claim) if claim.expert == expert => Ok(Vec::new()),
        Some(claim) => Err(StepRefused::ClaimedBy(claim.expert_name.clone())),
        None => Ok(vec![Fact::Claimed {
            lease: LeaseId(Uuid::now_v7()),
            until,
        }]),
    })
}

/// How long a claim made or renewed at `now` lasts.
pub fn lease_end(policy: &Policy, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::minutes(i64::from(policy.lease))
}

/// The expert gives it back.
pub fn release() -> Decide {
    Box::new(|held| {
        let claim = held.complaint.claim.as_ref().ok_or(Refusal::NotClaimed)?;
        Ok(vec![Fact::Released {
            lease: claim.lease,
            cause: ReleaseCause::GivenBack,
        }])
    })
}

/// A dispatch under an id the console made, so that a second click on send
/// does not ask the department twice.
pub fn dispatch(task: TaskId, fact: Fact) -> Decide {
    Box::new(move |held| {
        let known = held.complaint.tasks.iter().any(|sent| sent.id == task);
        Ok(if known {
            Vec::new()
        } else {
            vec![fact.clone()]
        })
    })
}

/// The result of a call-back. Who is not satisfied has their complaint
/// reopened with the same step, unless it has been decided for good.
pub fn call_back(fact: Fact, reopening: Option<String>) -> Decide {
    Box::new(move |held| {
        let mut facts = vec![fact.clone()];
        if let (Some(reason), None) = (&reopening, &held.complaint.final_decision) {
            facts.push(Fact::Reopened {
                reason: reason.clone(),
            });
        }
        Ok(facts)
    })
}

/// More time, asked for or granted before the deadline, and by no more than
/// the clock had to begin with. A department's task begins with what its
/// dispatch gave it.
pub fn extend(fact: Fact, keep: Arc<Timekeeping>, now: DateTime<Utc>) -> Decide {
    Box::new(move |held| {
        let (task, until) = match &fact {
            Fact::ExtensionRequested { task, until, .. } | Fact::Extended { task, until, .. } => {
                (*task, *until)
            }
            _ => return Ok(vec![fact.clone()]),
        };
        if held.complaint.extension_granted(task).is_some() {
            return Err(Refusal::ExtendedAlready.into());
        }
        let clock = match task {
            Some(_) => Clock::Department,
            None => Clock::OuterLimit,
        };
        let clocks = deadlines(&held.complaint, &keep);
        let mut running = clocks.iter().filter(|one| one.is_running());
        let deadline = running.find(|one| (one.clock, one.task) == (clock, task));
        let deadline = deadline.ok_or(Refusal::State)?;
        let budget = deadline.due - deadline.from;
        if deadline.due <= now || until <= deadline.due || until > deadline.due + budget {
            return Err(Refusal::TooLate.into());
        }
        Ok(vec![fact.clone()])
    })
}

/// The answer, with the expert who is to ask the customer afterwards.
pub fn with_call_back(answer: Decide, to: Option<Assignee>) -> Decide {
    Box::new(move |held| {
        let mut facts = answer(held)?;
        if let Some(to) = &to {
            facts.push(Fact::CallBackAssigned { to: to.clone() });
        }
        Ok(facts)
    })
}

/// Somebody has seen what they were told of a deadline; only the first time
/// counts.
pub fn seen(by: StaffId, name: escalation::Name) -> Decide {
    let (clock, task, level, due) = name;
    Box::new(move |held| {
        let seen = Fact::EscalationSeen {
            clock,
            task,
            level,
            due,
        };
        let again = held.complaint.has_seen(by, name);
        Ok(if again { Vec::new() } else { vec![seen] })
    })
}

/// A manager has seen the grade-1 alert; only the first one counts.
pub fn acknowledge() -> Decide {
    Box::new(|held| {
        if is_alert_pending(&held.complaint) {
            Ok(vec![Fact::AlertAcknowledged])
        } else {
            Err(Refusal::State.into())
        }
    })
}
