//! What becomes of the work of an account that is closed: a department's open
//! tasks go back to the expert who sent them, so that nobody waits for somebody
//! who cannot sign in.

use suda_domain::{Actor, Fact, StaffId};

use crate::hub::Hub;
use crate::queue::steps;
use crate::store::StepError;

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
