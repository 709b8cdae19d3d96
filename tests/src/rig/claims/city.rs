//! The hub the claimers meet: a queue of work orders and experts who are
//! signed in already, written straight into its store.

use chrono::{TimeDelta, Utc};
use suda_domain::fact::HandoffCause;
use suda_domain::staff::StaffRecord;
use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, EventKey, Fact, Grade, HandoffPacket, Intake, Lane,
    LedgerEvent, Policy, ReferenceNumber, Role, StaffId, Stamp,
};
use suda_hub::ingest::{Arrival, Batch};
use suda_hub::secret;
use suda_hub::store::{Beginning, Branch, Device, EnrolCode, Identity, Store};
use suda_sync::{Hash, SealedEvent, SecretKey, Verdict};
use uuid::Uuid;

use super::Size;

/// The shortest lease the policy knows, in minutes.
pub const LEASE: u32 = 1;
/// One in so many experts dies.
const DYING: usize = 5;
const BATCH: usize = 100;

pub struct City {
    pub experts: Vec<Expert>,
    pub orders: Vec<ComplaintId>,
}

pub struct Expert {
    pub id: StaffId,
    pub cookie: String,
    /// Claims a few and is never heard of again.
    pub dies: bool,
}

impl City {
    pub fn dying(&self) -> usize {
        self.experts.iter().filter(|expert| expert.dies).count()
    }

    pub async fn fill(store: &dyn Store, size: Size) -> anyhow::Result<Self> {
        store
            .begin(&Beginning {
                identity: Identity {
                    device: suda_domain::DeviceId(Uuid::now_v7()),
                    incarnation: 1,
                    key: SecretKey::from_seed(secret::seed()),
                    epoch: secret::token(),
                },
                organisation: "测试通信".into(),
                policy: Policy {
                    lease: LEASE,
                    ..Policy::default()
                },
                rules: 1,
            })
            .await?;
        let branch: BranchCode = "CQ0101".parse()?;
        store
            .add_branch(&Branch {
                code: branch.clone(),
                name: "解放碑营业厅".into(),
                active: true,
            })
            .await?;
        let mut experts = Vec::with_capacity(size.claimers);
        for number in 0..size.claimers {
            experts.push(expert(store, number).await?);
        }
        let orders = queue(store, &branch, size.orders).await?;
        Ok(Self { experts, orders })
    }
}

async fn expert(store: &dyn Store, number: usize) -> anyhow::Result<Expert> {
    let id = StaffId(Uuid::now_v7());
    store
        .add_staff(&StaffRecord {
            id,
            login: format!("expert{number}"),
            name: format!("专家{number}"),
            role: Role::Expert,
            branch: None,
            // Fits no password: they are signed in already.
            password_hash: String::new(),
            active: true,
            superior: None,
        })
        .await?;
    let token = secret::token();
    let until = Utc::now() + TimeDelta::hours(12);
    store
        .open_session(secret::digest(&token), id, until)
        .await?;
    Ok(Expert {
        id,
        cookie: format!("suda_session={token}"),
        dies: number.is_multiple_of(DYING),
    })
}

async fn queue(
    store: &dyn Store,
    branch: &BranchCode,
    count: usize,
) -> anyhow::Result<Vec<ComplaintId>> {
    let now = Utc::now();
    let hash = secret::digest("one desk");
    store
        .add_code(&EnrolCode {
            hash,
            branch: branch.clone(),
            made_at: now,
            expires_at: now + TimeDelta::minutes(10),
        })
        .await?;
    let key = SecretKey::from_seed(secret::seed()).public();
    let device = store.enrol(hash, &key, "前台", now).await?;
    let mut desk = Desk {
        device,
        n: 0,
        hash: Hash::START,
    };
    let mut orders = Vec::with_capacity(count);
    while orders.len() < count {
        let first_n = desk.n + 1;
        let mut arrivals = Vec::new();
        for _ in 0..BATCH.min(count - orders.len()) {
            let (id, sealed) = desk.hand_off()?;
            orders.push(id);
            arrivals.push(Arrival::read(sealed));
        }
        let ingested = store
            .ingest(Batch {
                device: desk.device.id,
                incarnation: desk.device.incarnation,
                branch: branch.clone(),
                lane: Lane::Urgent,
                first_n,
                arrivals,
                now: Utc::now(),
                mono_ms: first_n,
                rekeys: false,
                again: Vec::new(),
            })
            .await?;
        let taken = ingested.verdicts.iter().all(|v| *v == Verdict::Applied);
        anyhow::ensure!(taken, "a handoff was not taken: {:?}", ingested.verdicts);
    }
    Ok(orders)
}

/// The urgent lane of one desk.
struct Desk {
    device: Device,
    n: u64,
    hash: Hash,
}

impl Desk {
    fn hand_off(&mut self) -> anyhow::Result<(ComplaintId, SealedEvent)> {
        let (id, now) = (ComplaintId(Uuid::now_v7()), Utc::now());
        let branch = self.device.branch.clone();
        self.n += 1;
        let number = u32::try_from(self.n)?;
        // The day holds 9,999 numbers of a letter.
        let day = now.date_naive() - TimeDelta::days(i64::from(number / 9_000));
        let reference =
            ReferenceNumber::compose(&branch, day, &self.device.letter, number % 9_000 + 1)?;
        let packet = HandoffPacket {
            reference,
            branch: branch.clone(),
            arrived_at: now,
            recorded_at: now,
            late: false,
            intake: Intake {
                name: "测试".into(),
                phone: format!("138{number:08}"),
                category: "A.01.01".into(),
                description: format!("第{number}号记录：账单里多出一笔费用。"),
                remedy_sought: "查清并退还".into(),
                ..Intake::default()
            },
            cut: false,
            grade: Grade::Two,
            complexity: Complexity::Complex,
            cycle: 1,
            recused: Vec::new(),
            upto_n: 0,
        };
        let event = LedgerEvent {
            key: EventKey {
                device: self.device.id,
                incarnation: self.device.incarnation,
                lane: Lane::Urgent,
                n: self.n,
            },
            complaint: id,
            owner_no: 1,
            at: Stamp {
                wall: now,
                mono_ms: self.n,
                hub_offset_ms: Some(0),
                offset_age_s: Some(0),
            },
            actor: Actor::system(Some(branch)),
            fact: Fact::HandedOff {
                packet: Box::new(packet),
                cause: HandoffCause::Manual,
            },
            origin: None,
        };
        let sealed = SealedEvent::seal(&event, self.hash)?;
        self.hash = sealed.hash;
        Ok((id, sealed))
    }
}
