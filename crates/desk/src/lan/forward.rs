//! The mailbox's errand: others' batches go to the hub in sealed parcels over
//! this desk's own connection, and the hub's words for them are kept until they
//! fetch them.

use std::convert::Infallible;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_domain::{DeviceId, Lane};
use suda_sync::bundle::{Word, open_words, seal_events};
use suda_sync::lan::{Forwarder, Input, Order, Settled, Waiting, next_desk, settled};
use suda_sync::message::Refused;
use suda_sync::{Ask, PublicKey, Reply};

use super::HubSide;
use crate::desk::{Change, Desk};
use crate::runner::exchange;
use crate::store::{StoreError, lan};

/// Bytes of batches in one parcel: in base64 it stays below what the hub reads.
const PARCEL_BYTES: usize = 512 * 1024;

/// A parcel on its way.
struct Parcel {
    device: DeviceId,
    key: PublicKey,
    sent: Vec<Waiting>,
    sealed: String,
}

/// Forwards for as long as this desk is the mailbox.
pub(super) async fn forward(desk: &Desk, mut hub: HubSide) -> Infallible {
    let mut machine = Forwarder::new(rand::random());
    let mut parcel = None;
    let mut input = match hub.session.borrow().is_some() {
        true => Input::HubMet,
        false => Input::Tick,
    };
    loop {
        let step = machine.step(now_ms(desk), input);
        input = match step.order {
            Some(Order::Make { later }) => match make(desk, &later).await {
                Ok(Some(made)) => {
                    let rows = made.sent.iter().map(|one| one.row).collect();
                    let made = parcel.insert(made);
                    Input::Made(made.device, rows)
                }
                Ok(None) => Input::Nothing,
                Err(error) => failed(&error),
            },
            Some(Order::Send) => match parcel.take() {
                Some(parcel) => send(desk, &hub, parcel).await,
                None => Input::Failed,
            },
            None => {
                let pause = step.wake_at_ms.saturating_sub(now_ms(desk)).max(1);
                tokio::select! {
                    () = desk.inner.lan.stored.notified() => Input::Stored,
                    met = hub.session.changed() => match met {
                        Ok(()) if hub.session.borrow().is_some() => Input::HubMet,
                        _ => Input::HubGone,
                    },
                    () = tokio::time::sleep(Duration::from_millis(pause)) => Input::Tick,
                }
            }
        };
    }
}

fn now_ms(desk: &Desk) -> u64 {
    desk.inner.time.clock.mono_ms()
}

fn failed(error: &StoreError) -> Input {
    tracing::error!(%error, "the store could not serve the forwarding");
    Input::StoreFailed
}

async fn make(desk: &Desk, later: &[u64]) -> Result<Option<Parcel>, StoreError> {
    let Ok(enrolled) = desk.inner.enrolled() else {
        return Ok(None);
    };
    let mut conn = desk.inner.store.read().await?;
    let mut waiting = lan::waiting(&mut conn).await?;
    let peers = lan::peers(&mut conn).await?;
    loop {
        let Some(device) = next_desk(&waiting, later) else {
            return Ok(None);
        };
        // Its key is needed to read what the hub says to it.
        let Some(peer) = peers.iter().find(|peer| peer.device == device) else {
            waiting.retain(|one| one.batch.device != device);
            continue;
        };
        waiting.retain(|one| one.batch.device == device && !later.contains(&one.row));
        waiting.sort_by_key(|one| (one.batch.lane != Lane::Urgent, one.row));
        let (mut sent, mut batches, mut bytes) = (Vec::new(), Vec::new(), 0);
        for one in waiting {
            let batch = lan::batch(&mut conn, one.row).await?;
            bytes += batch.body.get().len();
            if bytes > PARCEL_BYTES && !sent.is_empty() {
                break;
            }
            sent.push(one);
            batches.push(batch);
        }
        let sealed = seal_events(&batches, &enrolled.device.hub_key, &mut rand::rng());
        let sealed = sealed.map_err(|error| StoreError::Malformed(Box::new(error)))?;
        return Ok(Some(Parcel {
            device,
            key: peer.key,
            sent,
            sealed: STANDARD.encode(sealed),
        }));
    }
}

async fn send(desk: &Desk, hub: &HubSide, parcel: Parcel) -> Input {
    let Ok(enrolled) = desk.inner.enrolled() else {
        return Input::Failed;
    };
    let session = hub.session.borrow().clone();
    let ask = Ask::Forward {
        parcel: parcel.sealed.clone(),
    };
    let asked = exchange(&hub.transport, &enrolled.device, session, ask, false).await;
    let receipts = match asked {
        Ok((_, Reply::Forwarded { receipts })) => receipts,
        Ok((_, Reply::Refused(Refused::NotTaken))) => {
            tracing::warn!(device = %parcel.device, "the hub does not take a desk's batches");
            return Input::Refused;
        }
        Ok((_, Reply::Refused(Refused::Malformed | Refused::Version))) => {
            tracing::info!("the hub is of an earlier version; every desk sends for itself");
            return Input::NotUnderstood;
        }
        Ok(_) => return Input::Failed,
        Err(error) => {
            tracing::info!(%error, "nothing forwarded");
            return Input::Failed;
        }
    };
    let words = STANDARD.decode(receipts).ok();
    let read = words.and_then(|words| {
        let read = words_of(&words, &parcel.key, &enrolled.device.hub_key)?;
        Some((words, read))
    });
    let Some((words, read)) = read else {
        return Input::Failed;
    };
    let settled = settled(&parcel.sent, &read);
    match keep(desk, parcel.device, &words, &settled).await {
        Ok(()) => Input::Settled(settled.rows.len()),
        Err(error) => failed(&error),
    }
}

/// What the hub says to the desk, if it is the hub that says it.
fn words_of(parcel: &[u8], desk: &PublicKey, hub: &PublicKey) -> Option<Vec<Word>> {
    let words = open_words(parcel, desk).ok()?;
    words
        .into_iter()
        .map(|word| word.open::<Word>(hub).ok())
        .collect()
}

async fn keep(
    desk: &Desk,
    device: DeviceId,
    words: &[u8],
    settled: &Settled,
) -> Result<(), StoreError> {
    let mut tx = desk.inner.store.begin().await?;
    lan::settle(tx.conn(), device, words, settled).await?;
    tx.commit().await?;
    desk.inner.tell(Change::Status);
    Ok(())
}
