//! Desks and people who go straight to a store, without HTTP.
#![allow(dead_code, reason = "each test file uses a part")]

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::{Actor, BranchCode, ComplaintId, Complexity, Grade, Lane};
use suda_hub::ingest::{Arrival, Batch};
use suda_hub::queue::steps;
use suda_hub::store::{Decide, Device, EnrolCode, Held, Step, Store};
use suda_sync::{SealedEvent, SecretKey, Verdict};

use super::support::{Pen, actor, intake, morning};

/// A desk whose batches go straight to the store.
pub struct Desk<'s, S> {
    pub store: &'s S,
    pub device: Device,
    pub pen: Pen,
}

impl<'s, S: Store> Desk<'s, S> {
    pub async fn enrol(store: &'s S, clerk: &str, number: u8) -> Self {
        let staff = store.staff_by_login(clerk).await.unwrap().unwrap();
        let branch = staff.branch.clone().unwrap();
        store.add_code(&code(number, &branch)).await.unwrap();
        let key = SecretKey::from_seed([number; 32]).public();
        let device = store
            .enrol([number; 32], &key, "前台", morning())
            .await
            .unwrap();
        let pen = Pen::new(device.id, actor(&staff), &device.letter);
        Self { store, device, pen }
    }

    pub async fn send(&self, lane: Lane, first_n: u64, events: Vec<SealedEvent>) -> Vec<Verdict> {
        let batch = Batch {
            device: self.device.id,
            incarnation: self.device.incarnation,
            branch: self.device.branch.clone(),
            lane,
            first_n,
            arrivals: events.into_iter().map(Arrival::read).collect(),
            rekeys: false,
            again: Vec::new(),
            now: morning(),
            mono_ms: 1,
        };
        self.store.ingest(batch).await.unwrap().verdicts
    }

    pub async fn queue(&mut self, at: DateTime<Utc>, text: &str, grade: Grade) -> ComplaintId {
        let (id, reference, events) = self
            .pen
            .record(at, intake(text), grade, Complexity::Complex);
        let first_n = self.pen.heads[1].0 - 1;
        self.send(Lane::Ordinary, first_n, events).await;
        let packet = self.pen.hand_off(id, &reference, at, intake(text), grade);
        let sent = self
            .send(Lane::Urgent, self.pen.heads[0].0, vec![packet])
            .await;
        assert_eq!(sent, [Verdict::Applied]);
        id
    }
}

pub fn code(number: u8, branch: &BranchCode) -> EnrolCode {
    EnrolCode {
        hash: [number; 32],
        branch: branch.clone(),
        made_at: morning(),
        expires_at: morning() + TimeDelta::minutes(10),
    }
}

pub fn step(complaint: ComplaintId, actor: Actor, decide: Decide) -> Step {
    Step {
        complaint,
        actor,
        now: morning(),
        mono_ms: 1,
        key: None,
        decide,
    }
}

pub async fn member(store: &impl Store, login: &str) -> Actor {
    actor(&store.staff_by_login(login).await.unwrap().unwrap())
}

pub async fn claim(store: &impl Store, id: ComplaintId, expert: &Actor, until: DateTime<Utc>) {
    let decide = steps::claim(expert.staff.unwrap(), until);
    store.step(step(id, expert.clone(), decide)).await.unwrap();
}

pub fn ids(held: &[Held]) -> Vec<ComplaintId> {
    held.iter().map(|held| held.complaint.id).collect()
}
