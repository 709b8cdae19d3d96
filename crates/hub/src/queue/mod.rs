//! The experts' work: the facts each step writes, and which steps are open.
//! No HTTP and no SQL here.

pub mod allowed;
pub mod along;
pub mod call_back;
pub mod steps;

use suda_domain::permission::may_write;
use suda_domain::{FactKind, Role};

/// Whether a role may write such a fact from the console. Branch staff change
/// complaints at their desks only, where the branch's ledger is; here they
/// may add remarks.
pub fn may_step(role: Role, kind: FactKind) -> bool {
    may_write(role, kind) && (!role.is_of_branch() || kind.is_remark())
}
