//! Parcels of desks that come by another way than the network, on a stick or a
//! telephone, and the receipts that go back the same way. The parcel's batches
//! get the very judgement of the network's: nothing here decides what becomes
//! of an event.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::{BranchCode, DeviceId};
use suda_sync::bundle::{
    self, BatchesError, LaneStanding, OpenError, Renewal, SealError, Standing, Word,
};
use suda_sync::message;
use suda_sync::{Receipt, Signed, Verdict};

use crate::clock::Clock;
use crate::ingest::{Arrival, Batch};
use crate::store::{Device, Greeted, Hello, Identity, Store, StoreError};

/// Why a parcel was not taken in. Nothing of it was, unless the store failed
/// between two batches; taking it in again does the rest and doubles nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the bundle is of a desk that is not enrolled at this hub")]
    UnknownDevice,
    #[error(transparent)]
    Batches(BatchesError),
    #[error("the bundle is of a desk of another branch than the one that forwards it")]
    OtherBranch,
    #[error("the receipts cannot be written")]
    Receipts(#[from] SealError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BatchesError> for ImportError {
    fn from(error: BatchesError) -> Self {
        match error {
            BatchesError::Open(error) => Self::Open(error),
            forged @ BatchesError::Forged => Self::Batches(forged),
        }
    }
}

impl ImportError {
    /// What the command exits with, so that scripts can tell.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Open(error) => error.exit_code(),
            Self::UnknownDevice | Self::OtherBranch => 17,
            Self::Batches(BatchesError::Forged) => 18,
            Self::Batches(BatchesError::Open(error)) => error.exit_code(),
            Self::Receipts(_) | Self::Store(_) => 1,
        }
    }
}

/// What became of a parcel's events; `bundle import --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ImportReport {
    pub device: DeviceId,
    pub branch: BranchCode,
    pub batches: u64,
    pub events: u64,
    pub applied: u64,
    /// Known before.
    pub duplicate: u64,
    /// Stored, and waiting for what they build on, which another desk has yet
    /// to send.
    pub held: u64,
    /// Not taken, because one before them is missing; an earlier bundle has it.
    pub missing: u64,
    /// Not taken, because a copy of the desk's database wrote others under
    /// their numbers. The receipts have the desk give them new ones, and its
    /// next bundle brings them.
    pub forked: u64,
    /// Set aside for a person to look at.
    pub quarantined: u64,
}

impl ImportReport {
    fn of(device: &Device) -> Self {
        Self {
            device: device.id,
            branch: device.branch.clone(),
            batches: 0,
            events: 0,
            applied: 0,
            duplicate: 0,
            held: 0,
            missing: 0,
            forked: 0,
            quarantined: 0,
        }
    }

    fn count(&mut self, verdicts: &[Verdict]) {
        self.batches += 1;
        self.events += verdicts.len() as u64;
        for verdict in verdicts {
            *match verdict {
                Verdict::Applied => &mut self.applied,
                Verdict::Duplicate => &mut self.duplicate,
                Verdict::Held => &mut self.held,
                Verdict::Gap => &mut self.missing,
                Verdict::Forked => &mut self.forked,
                Verdict::Quarantined { .. } => &mut self.quarantined,
            } += 1;
        }
    }
}

/// Takes a parcel in: all of it is checked before any of it is stored. Gives
/// the parcel of receipts beside the report.
pub async fn import(
    store: &dyn Store,
    clock: &Clock,
    parcel: &[u8],
) -> Result<(ImportReport, Vec<u8>), ImportError> {
    take_in(store, clock, parcel, None).await
}

/// Takes in what a desk of `branch` forwards for another of the same branch.
/// Gives the parcel of receipts for that one.
pub async fn forwarded(
    store: &dyn Store,
    clock: &Clock,
    parcel: &[u8],
    branch: &BranchCode,
) -> Result<Vec<u8>, ImportError> {
    let (_, receipts) = take_in(store, clock, parcel, Some(branch)).await?;
    Ok(receipts)
}

async fn take_in(
    store: &dyn Store,
    clock: &Clock,
    parcel: &[u8],
    branch: Option<&BranchCode>,
) -> Result<(ImportReport, Vec<u8>), ImportError> {
    let identity = store.identity().await?;
    let messages = bundle::open_events(parcel, &identity.key)?;
    let device = sender(store, &messages).await?;
    if branch.is_some_and(|branch| *branch != device.branch) {
        return Err(ImportError::OtherBranch);
    }
    let (present, batches) = bundle::batches_of((device.id, &device.key), &messages)?;
    if present > device.incarnation {
        store.met(device.id, present).await?;
    }
    let mut report = ImportReport::of(&device);
    let mut words = Vec::with_capacity(batches.len() + 1);
    let mut incarnations = Vec::new();
    let mut forked = false;
    for batch in batches {
        let (incarnation, now) = (batch.incarnation, clock.now());
        if !incarnations.contains(&incarnation) {
            incarnations.push(incarnation);
        }
        let (lane, first_n) = (batch.lane, batch.first_n);
        let hashes: Vec<_> = batch.events.iter().map(|event| event.hash).collect();
        let ingested = store
            .ingest(Batch {
                device: device.id,
                incarnation,
                branch: device.branch.clone(),
                lane,
                first_n,
                arrivals: batch.events.into_iter().map(Arrival::read).collect(),
                rekeys: batch.rekeys,
                again: Vec::new(),
                now,
                mono_ms: clock.mono_ms(),
            })
            .await?;
        report.count(&ingested.verdicts);
        forked |= incarnation == present && ingested.verdicts.contains(&Verdict::Forked);
        let reached = bundle::reached(lane, first_n, hashes, &ingested.verdicts);
        let receipt = Receipt {
            device: device.id,
            incarnation,
            epoch: identity.epoch.clone(),
            watermarks: ingested.watermarks,
            lane,
            first_n,
            verdicts: ingested.verdicts,
            allowance: None,
            level: None,
            at: now,
        };
        words.push(sign(&identity, &Word::Receipt(receipt))?);
        if let Some(lane) = reached {
            let standing = Standing {
                device: device.id,
                incarnation,
                epoch: identity.epoch.clone(),
                lanes: vec![lane],
                at: now,
            };
            words.push(sign(&identity, &Word::Standing(standing))?);
        }
    }
    for incarnation in incarnations {
        words.push(standing(store, &identity, &device, incarnation, clock.now()).await?);
    }
    if forked {
        words.extend(renewal(store, &identity, &device, present).await?);
    }
    tracing::info!(
        device = %device.id, branch = %device.branch, events = report.events,
        applied = report.applied, "a bundle was taken in"
    );
    Ok((report, bundle::pack_words(&words, &device.key)?))
}

/// A parcel that tells a desk how far the hub is with everything it ever sent
/// by whatever way.
pub async fn receipts(
    store: &dyn Store,
    clock: &Clock,
    device: DeviceId,
) -> Result<Vec<u8>, ImportError> {
    let identity = store.identity().await?;
    let device = store.device(device).await?;
    let device = device.ok_or(ImportError::UnknownDevice)?;
    let mut words = Vec::new();
    for incarnation in store.incarnations(device.id).await? {
        words.push(standing(store, &identity, &device, incarnation, clock.now()).await?);
    }
    Ok(bundle::pack_words(&words, &device.key)?)
}

/// The one device a parcel claims to be of.
async fn sender(store: &dyn Store, messages: &[Signed]) -> Result<Device, ImportError> {
    let device = store.device(bundle::sender(messages)?).await?;
    device.ok_or(ImportError::UnknownDevice)
}

/// What a hello that asks for a new incarnation would be answered.
async fn renewal(
    store: &dyn Store,
    identity: &Identity,
    device: &Device,
    from: u32,
) -> Result<Option<Signed>, ImportError> {
    let hello = Hello {
        device: device.id,
        incarnation: from,
        renewal: message::Renewal::Wanted,
        shown: 0,
        same_epoch: true,
    };
    let Greeted::Renew {
        incarnation,
        letter,
    } = store.greet(hello).await?
    else {
        return Ok(None);
    };
    tracing::info!(device = %device.id, incarnation, "a copied database gets a new incarnation");
    let word = Word::Renewal(Renewal {
        device: device.id,
        from,
        incarnation,
        letter,
        epoch: identity.epoch.clone(),
    });
    sign(identity, &word).map(Some)
}

async fn standing(
    store: &dyn Store,
    identity: &Identity,
    device: &Device,
    incarnation: u32,
    at: DateTime<Utc>,
) -> Result<Signed, ImportError> {
    let heads = store.heads(device.id, incarnation).await?;
    let lanes = heads.into_iter().map(|(lane, head)| LaneStanding {
        lane,
        n: head.n,
        hash: head.hash,
    });
    let standing = Standing {
        device: device.id,
        incarnation,
        epoch: identity.epoch.clone(),
        lanes: lanes.collect(),
        at,
    };
    sign(identity, &Word::Standing(standing))
}

fn sign(identity: &Identity, word: &Word) -> Result<Signed, ImportError> {
    Ok(Signed::seal(word, &identity.key).map_err(SealError::from)?)
}
