//! Who asks the customer afterwards: spread over the experts, never who answered.

use std::collections::HashMap;

use suda_domain::fact::Assignee;
use suda_domain::{Complaint, Role, StaffId};

use crate::hub::Hub;
use crate::store::Result;

/// The expert with the fewest call-backs to make, other than `handler` and
/// whoever the complaint is about or stands above them. None
/// when there is no other: then the call-back is everybody's who did not answer.
///
/// # Errors
/// When the store fails.
pub async fn next(hub: &Hub, complaint: &Complaint, handler: StaffId) -> Result<Option<Assignee>> {
    let open: HashMap<StaffId, u64> = hub.store.call_backs().await?.into_iter().collect();
    let barred = hub.lines_of([complaint.id]).await?.barred(complaint);
    let experts = hub.store.staff_with_role(Role::Expert).await?;
    let others = experts
        .into_iter()
        .filter(|expert| expert.active && expert.id != handler && !barred.contains(&expert.id));
    let number = |id: StaffId| open.get(&id).copied().unwrap_or_default();
    let least = others.min_by_key(|expert| (number(expert.id), expert.id));
    Ok(least.map(|expert| Assignee {
        staff: expert.id,
        name: expert.name,
    }))
}
