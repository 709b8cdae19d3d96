//! A hub with as many branches as a rig asks for, one light desk each.

use chrono::{TimeDelta, Utc};
use suda_domain::staff::StaffRecord;
use suda_domain::{Actor, BranchCode, Role, StaffId};
use suda_hub::store::postgres::PostgresStore;
use suda_hub::store::sqlite::SqliteStore;
use suda_hub::store::{Branch, EnrolCode, Store};
use suda_sync::SecretKey;
use uuid::Uuid;

use super::Dice;
use super::light::LightDesk;
use super::pen::Pen;
use crate::{City, Failure};

fn said(error: &dyn std::fmt::Display) -> Failure {
    Failure::Said(format!("enrolling desks: {error}"))
}

/// Adds branches with a clerk and a desk each to a city whose hub is not
/// running. Straight into the store: the hub's door lets in thirty a minute.
pub async fn enrol(city: &City, desks: u32, dice: &mut Dice) -> Result<Vec<LightDesk>, Failure> {
    let store: Box<dyn Store> = match city.database() {
        Some(url) => Box::new(PostgresStore::open(url).await.map_err(|e| said(&e))?),
        None => {
            let store = SqliteStore::open(&city.hub_data(), false).await;
            Box::new(store.map_err(|e| said(&e))?)
        }
    };
    let mut enrolled = Vec::new();
    for n in 0..desks {
        enrolled.push(one(store.as_ref(), n, dice).await?);
    }
    store.close().await;
    Ok(enrolled)
}

async fn one(store: &dyn Store, n: u32, dice: &mut Dice) -> Result<LightDesk, Failure> {
    let code: BranchCode = format!("RG{n:04}").parse().map_err(|_| said(&"a code"))?;
    let branch = Branch {
        code: code.clone(),
        name: format!("营业厅{n}"),
        active: true,
    };
    store.add_branch(&branch).await.map_err(|e| said(&e))?;
    let clerk = StaffRecord {
        id: StaffId(Uuid::now_v7()),
        login: format!("clerk{n}"),
        name: format!("营业员{n}"),
        role: Role::Clerk,
        branch: Some(code.clone()),
        // Nobody signs in as this one.
        password_hash: String::new(),
        active: true,
        superior: None,
    };
    store.add_staff(&clerk).await.map_err(|e| said(&e))?;
    let now = Utc::now();
    let hash = dice.bytes();
    let enrol_code = EnrolCode {
        hash,
        branch: code.clone(),
        made_at: now,
        expires_at: now + TimeDelta::minutes(10),
    };
    store.add_code(&enrol_code).await.map_err(|e| said(&e))?;
    let key = SecretKey::from_seed(dice.bytes());
    let device = store
        .enrol(hash, &key.public(), "前台", now)
        .await
        .map_err(|e| said(&e))?;
    let hub = store.identity().await.map_err(|e| said(&e))?;
    let actor = Actor {
        staff: Some(clerk.id),
        name: clerk.name,
        role: clerk.role,
        branch: Some(code.clone()),
    };
    let pen = Pen::new(device.id, device.incarnation, actor, code, device.letter);
    let seed = dice.below(u64::MAX);
    LightDesk::new(pen, key, hub.key.public(), hub.epoch, seed)
}
