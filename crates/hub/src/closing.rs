//! What becomes of the work of an account that is closed, so that nobody waits
//! for somebody who cannot sign in: a department's open tasks go back to the
//! expert who sent them, an expert's cases to the team, their call-backs to
//! another.

use suda_domain::duty::{DutyKind, Holder};
use suda_domain::fact::ReleaseCause;
use suda_domain::{Actor, ComplaintId, Fact, StaffId};

use crate::hub::Hub;
use crate::queue::{call_back, steps};
use crate::store::{Reader, StepError, View};

/// Read by the expert and in the ledger.
const REASON: &str = "该部门账号已停用";
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
                reason: REASON.to_owned(),
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
        // Never who answered.
        let answer = duty.complaint.answer.as_ref();
        let handler = answer.and_then(|answer| answer.by).unwrap_or(expert);
        if let Some(to) = call_back::next(hub, &duty.complaint, handler).await? {
            step(hub, duty.complaint.id, Fact::CallBackAssigned { to }).await?;
        }
    }
    Ok(())
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
