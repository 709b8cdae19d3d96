//! What becomes of the work of an account that is closed, so that nobody waits
//! for somebody who cannot sign in: a department's open tasks go back to the
//! expert who sent them, an expert's cases to the team, their call-backs to
//! another. And of what is with somebody who has come to be barred from the
//! case (recusal): the same, and their measures go to the expert.

use std::collections::BTreeSet;

use suda_domain::duty::{DutyKind, Holder};
use suda_domain::fact::{Assignee, Measure, ReleaseCause};
use suda_domain::{Actor, Complaint, ComplaintId, Fact, StaffId, State};

use crate::hub::Hub;
use crate::queue::{call_back, steps};
use crate::store::{Held, Reader, StepError, View};

/// Read by the expert and in the ledger.
const CLOSED: &str = "该部门账号已停用";
/// The same, of what is with somebody who is barred. Names nobody: who it is
/// stands where the recusal does.
const BARRED: &str = "因回避，原经办人不再办理，程序已收回";
/// Who has a measure that was taken back while nobody has claimed the case.
const TEAM: &str = "专家坐席";
/// Tasks taken back in one go.
const AT_ONCE: u32 = 100;

/// Takes back every open task of the account.
///
/// # Errors
/// When the store fails; what was taken back until then stays so.
pub async fn take_back_tasks(hub: &Hub, department: StaffId) -> Result<(), StepError> {
    let mut after = None;
    loop {
        let open = hub.store.tasks(department, true, after, AT_ONCE).await?;
        let Some(last) = open.last() else {
            return Ok(());
        };
        after = Some((last.task.due_at, last.task.id.0));
        for held in open {
            let fact = Fact::TaskRecalled {
                task: held.task.id,
                reason: CLOSED.to_owned(),
            };
            let actor = Actor::system(None);
            let step = hub.step(held.complaint.id, actor, None, steps::plain(fact));
            match step.await {
                // The department was faster, or the case has ended.
                Ok(_) | Err(StepError::Refused(_) | StepError::Unknown) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Gives back every case the account holds, and hands on its call-backs.
///
/// # Errors
/// When the store fails; what was given back until then stays so.
pub async fn give_back_cases(hub: &Hub, expert: StaffId) -> Result<(), StepError> {
    loop {
        let view = View::Mine(expert);
        let held = hub.store.work_orders(view, None, AT_ONCE, Reader::Program);
        let held = held.await?;
        let mut given_back = 0;
        for one in &held {
            let Some(claim) = &one.complaint.claim else {
                continue;
            };
            let fact = Fact::Released {
                lease: claim.lease,
                cause: ReleaseCause::GivenBack,
            };
            given_back += usize::from(step(hub, one.complaint.id, fact).await?);
        }
        // Those that cannot be given back have come to their end.
        if held.len() < AT_ONCE as usize || given_back == 0 {
            break;
        }
    }
    let holder = [Holder::Staff(expert)];
    let duties = hub.store.duties(&holder, AT_ONCE, Reader::Program).await?;
    for duty in duties {
        if duty.kind != DutyKind::CallBack {
            continue;
        }
        if let Some(to) = next_caller(hub, &duty.complaint, expert).await? {
            step(hub, duty.complaint.id, Fact::CallBackAssigned { to }).await?;
        }
    }
    Ok(())
}

/// Takes back what is with people who are barred from it by now: they were
/// given it before the complaint was said to be about them or somebody below
/// them, or before it was linked. Their claims end with the lapsed ones.
/// Returns from how many cases something was taken.
///
/// # Errors
/// When the store fails; what was taken back until then stays so.
pub async fn take_back_barred(hub: &Hub) -> Result<usize, StepError> {
    let mut taken = 0;
    for (id, staff) in hub.store.with_barred(AT_ONCE).await? {
        let held = hub.store.complaint(id, Reader::Program).await?;
        let Some(complaint) = held.map(|held| held.complaint) else {
            continue;
        };
        let to = next_caller(hub, &complaint, staff).await?;
        let lines = hub.lines_of(std::iter::once(id)).await?;
        let decide = move |held: &Held| {
            let barred = lines.barred(&held.complaint);
            Ok(handed_on(&held.complaint, staff, &barred, to.as_ref()))
        };
        let actor = Actor::system(None);
        match hub.step(id, actor, None, Box::new(decide)).await {
            Ok(after) => taken += usize::from(after != *complaint),
            // Somebody was faster, or its time has not come: looked at again.
            Err(StepError::Refused(_) | StepError::Unknown) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

/// What takes everything from this member of staff, one of the `barred`.
fn handed_on(
    complaint: &Complaint,
    staff: StaffId,
    barred: &BTreeSet<StaffId>,
    to: Option<&Assignee>,
) -> Vec<Fact> {
    let tasks = complaint.tasks.iter();
    let theirs = tasks.filter(|task| task.department == staff && task.is_open());
    let mut facts: Vec<Fact> = theirs
        .map(|task| Fact::TaskRecalled {
            task: task.id,
            reason: BARRED.to_owned(),
        })
        .collect();
    let noted = || Fact::Noted {
        text: BARRED.to_owned(),
    };
    let called_by = complaint.call_back.assigned.as_ref();
    if complaint.state == State::Answered && called_by.is_some_and(|one| one.staff == staff) {
        let given = to.cloned().map(|to| Fact::CallBackAssigned { to });
        facts.extend(given.into_iter().flat_map(|given| [noted(), given]));
    }
    let mut open = complaint.plan.iter().filter(|one| one.done_at.is_none());
    if complaint.state == State::Solving && open.any(|one| one.measure.staff == Some(staff)) {
        let claim = complaint.claim.as_ref();
        let expert = claim.map_or(TEAM, |claim| claim.expert_name.as_str());
        let plan = complaint.plan.iter().map(|planned| {
            let measure = planned.measure.clone();
            // No plan may name anybody of them, be it for what is done.
            if !measure.staff.is_some_and(|one| barred.contains(&one)) {
                return measure;
            }
            let responsible = match planned.done_at {
                Some(_) => measure.responsible,
                None => expert.to_owned(),
            };
            Measure {
                staff: None,
                responsible,
                ..measure
            }
        });
        let plan = plan.collect();
        facts.extend([noted(), Fact::SolvingStarted { plan }]);
    }
    facts
}

/// Who makes a call-back in the place of this one: never who answered.
async fn next_caller(
    hub: &Hub,
    complaint: &Complaint,
    instead_of: StaffId,
) -> Result<Option<Assignee>, StepError> {
    let answer = complaint.answer.as_ref();
    let handler = answer.and_then(|answer| answer.by).unwrap_or(instead_of);
    Ok(call_back::next(hub, complaint, handler).await?)
}

/// False when somebody was faster.
async fn step(hub: &Hub, id: ComplaintId, fact: Fact) -> Result<bool, StepError> {
    let actor = Actor::system(None);
    match hub.step(id, actor, None, steps::plain(fact)).await {
        Ok(_) => Ok(true),
        Err(StepError::Refused(_) | StepError::Unknown) => Ok(false),
        Err(error) => Err(error),
    }
}
