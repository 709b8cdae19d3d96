//! A desk's question while a form is filled in: complaints of other branches
//! that may belong with it. What it is told names no customer and holds no
//! word of theirs; a complaint that is about somebody of the staff is not told
//! of at all, since nobody knows who reads the desk's screen.

use std::collections::HashMap;

use suda_domain::text::cut_bytes;
use suda_domain::{Complaint, ComplaintId};
use suda_sync::Reply;
use suda_sync::message::{Refused, TwinElsewhere};

use super::device::busy;
use crate::hub::Hub;
use crate::store::{Device, Reader, Result};
use crate::twins::blocking;

/// Complaints told of.
const TOLD: usize = 5;
/// Nearest texts and equal numbers looked at.
const LOOKED_AT: usize = 30;
const SAME_NUMBER: usize = 20;
/// How near a text has to be, in hundredths.
const NEAR: u8 = 25;
const TEXT_BYTES: usize = 8 * 1024;
const PHONE_BYTES: usize = 64;

pub async fn twins(hub: &Hub, device: &Device, text: &str, phone: &str) -> Result<Reply, Refused> {
    let text = cut_bytes(text, TEXT_BYTES);
    let phone = cut_bytes(phone.trim(), PHONE_BYTES);
    let found = found(hub, device, text, phone).await;
    found.map(Reply::Twins).map_err(busy)
}

async fn found(hub: &Hub, device: &Device, text: &str, phone: &str) -> Result<Vec<TwinElsewhere>> {
    let now = hub.clock.now();
    hub.twins.catch_up_shortly(hub.store.as_ref(), now).await;
    let (index, asked) = (hub.twins.clone(), text.to_owned());
    let near = blocking(move || index.find(&asked, LOOKED_AT)).await?;
    let scores: HashMap<ComplaintId, f32> = near.iter().map(|twin| (twin.id, twin.score)).collect();
    let of_phone = hub.twins.of_phone(phone, SAME_NUMBER);
    let texts = near.iter().map(|twin| twin.id);
    let ids: Vec<ComplaintId> = texts.chain(of_phone.iter().copied()).collect();
    let cases = hub.store.cases(&ids, Reader::Program).await?;
    let branches = hub.store.branches().await?;
    let zone = hub.store.settings().await?.time.zone_at(hub.clock.now());
    let told = cases.into_iter().filter_map(|case: Complaint| {
        let same_phone = of_phone.contains(&case.id);
        let score = scores.get(&case.id).copied().unwrap_or_default();
        let percent = (score * 100.0).round() as u8;
        let is_for_all = case.recused.is_empty() && case.branch != device.branch;
        if !is_for_all || (!same_phone && percent < NEAR) {
            return None;
        }
        let branch = branches.iter().find(|known| known.code == case.branch);
        Some(TwinElsewhere {
            reference: case.reference,
            branch_name: branch.map(|known| known.name.clone()).unwrap_or_default(),
            branch: case.branch,
            category: case.intake.category,
            state: case.state,
            day: zone.local(case.arrived_at).date(),
            same_phone,
            percent,
        })
    });
    let mut told: Vec<TwinElsewhere> = told.collect();
    told.sort_by(|a, b| {
        let likely = |one: &TwinElsewhere| (one.percent == 100, one.same_phone, one.percent);
        likely(b).cmp(&likely(a)).then(b.day.cmp(&a.day))
    });
    told.truncate(TOLD);
    Ok(told)
}
