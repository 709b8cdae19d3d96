//! The desks' door for day totals: what a desk may send of them, and what is
//! answered. The question was signed and admitted before it comes here.

use suda_sync::Reply;
use suda_sync::message::Refused;
use suda_sync::statistics::{DayTotals, MOST_DAYS, NAME_BYTES, Taken};

use super::device::busy;
use crate::hub::Hub;
use crate::store::Device;

/// Keeps the days and tells what is held of each.
pub async fn take(hub: &Hub, device: &Device, mut days: Vec<DayTotals>) -> Result<Reply, Refused> {
    let within = (1..=MOST_DAYS).contains(&days.len());
    if !within || !days.iter().all(|day| is_sound(day, device.incarnation)) {
        return Err(Refused::Malformed);
    }
    // In one order, so that two transactions never wait for each other.
    days.sort_by_key(|day| day.name);
    let now = hub.clock.now();
    let taken = hub.store.put_days(device.id, &days, now).await;
    Ok(Reply::Statistics(Taken {
        device: device.id,
        epoch: hub.identity.epoch.clone(),
        days: taken.map_err(busy)?,
        at: now,
    }))
}

/// Of an incarnation the device has had, with names that are names and no
/// text, and with numbers a store can keep.
fn is_sound(day: &DayTotals, incarnation: u32) -> bool {
    let is_name = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
        text.len() <= NAME_BYTES && text.bytes().all(plain)
    };
    (1..=incarnation).contains(&day.name.incarnation)
        && day.revision >= 1
        && i64::try_from(day.revision).is_ok()
        && is_name(&day.standing.version)
        && is_name(&day.standing.system)
}
