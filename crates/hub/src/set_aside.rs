//! Gives each record that was set aside to a person by name, so that none is
//! everybody's and nobody's: to the expert with the fewest, to an
//! administrator where no expert may have it. And anew, when who had it is
//! deactivated or has come to be barred from its complaint.

use std::collections::{BTreeSet, HashMap};

use suda_domain::permission::{Right, has};
use suda_domain::staff::StaffRecord;
use suda_domain::{ComplaintId, Role, StaffId};

use crate::hub::Hub;
use crate::store::{Reader, Result};

/// Records entrusted between two looks at who is there.
const AT_ONCE: u32 = 100;
/// Whose they are: of the first role that has somebody suitable.
const ROLES: [Role; 2] = [Role::Expert, Role::Administrator];

/// Entrusts what needs a holder by now. Of several processes that look at once
/// one gives each record away. Where nobody is suitable a record stays without
/// a holder, and in the list of all who may see it. Returns how many were
/// given away or taken from somebody.
///
/// # Errors
/// When the store fails; what was entrusted until then stays so.
pub async fn entrust_due(hub: &Hub) -> Result<usize> {
    let (mut after, mut done) = (0, 0);
    loop {
        let now = hub.clock.now();
        let found = hub.store.to_entrust(now, after, AT_ONCE).await?;
        let Some(last) = found.last() else {
            return Ok(done);
        };
        after = last.id;
        let staff = menders(hub).await?;
        let mut open: HashMap<StaffId, u64> = hub.store.entrusted().await?.into_iter().collect();
        for record in found {
            let barred = barred(hub, record.complaint).await?;
            let to = next(&staff, &open, &barred);
            if to == record.holder {
                continue;
            }
            let given = hub.store.entrust(record.id, record.holder, to, now);
            if given.await? {
                done += 1;
                if let Some(id) = to {
                    *open.entry(id).or_default() += 1;
                }
            }
        }
    }
}

/// Who may have a record of this complaint, experts first.
///
/// # Errors
/// When the store fails.
pub async fn suitable(hub: &Hub, complaint: Option<ComplaintId>) -> Result<Vec<StaffRecord>> {
    let barred = barred(hub, complaint).await?;
    let mut staff = menders(hub).await?;
    staff.retain(|one| !barred.contains(&one.id));
    Ok(staff)
}

async fn menders(hub: &Hub) -> Result<Vec<StaffRecord>> {
    let mut all = Vec::new();
    for role in ROLES {
        let staff = hub.store.staff_with_role(role).await?;
        let may = |one: &StaffRecord| one.active && has(one.role, Right::MendQuarantine);
        all.extend(staff.into_iter().filter(may));
    }
    Ok(all)
}

/// Of a complaint the hub does not have, nobody is known to be.
async fn barred(hub: &Hub, complaint: Option<ComplaintId>) -> Result<BTreeSet<StaffId>> {
    let Some(id) = complaint else {
        return Ok(BTreeSet::new());
    };
    let Some(held) = hub.store.complaint(id, Reader::Program).await? else {
        return Ok(BTreeSet::new());
    };
    Ok(hub.lines_of([id]).await?.barred(&held.complaint))
}

fn next(
    staff: &[StaffRecord],
    open: &HashMap<StaffId, u64>,
    barred: &BTreeSet<StaffId>,
) -> Option<StaffId> {
    let number = |id: StaffId| open.get(&id).copied().unwrap_or_default();
    ROLES.into_iter().find_map(|role| {
        let suitable = staff
            .iter()
            .filter(|one| one.role == role && !barred.contains(&one.id));
        suitable
            .map(|one| one.id)
            .min_by_key(|id| (number(*id), *id))
    })
}
