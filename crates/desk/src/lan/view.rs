//! What people and other programs are told of the branch's network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::DeviceId;

use super::{LanError, member};
use crate::clock::from_ms;
use crate::desk::Desk;
use crate::store::{StoreError, lan};

/// What this desk is in its branch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum LanRole {
    /// It has no mailbox and is none.
    Alone,
    Mailbox,
    Member,
}

/// Why the mailbox cannot be used, where waiting does not help.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum LanTrouble {
    /// Another computer answers at its address.
    OtherKey,
    /// It has ended the pairing.
    NotPaired,
    /// One of the two programs is too old.
    Version,
}

/// Another desk of the branch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LanDesk {
    pub device: DeviceId,
    pub letter: String,
    pub paired_at: DateTime<Utc>,
    /// Its batches that the mailbox has and the hub has not settled.
    pub waiting: u32,
}

/// The branch's network as this desk sees it. The field names are a contract
/// with other programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LanView {
    pub role: LanRole,
    /// Where this desk listens as the mailbox, or where its mailbox does.
    pub address: Option<String>,
    /// Of a member: the mailbox answers. Known only to the program that syncs.
    pub connected: bool,
    pub trouble: Option<LanTrouble>,
    /// Those paired with this one: the members, or the mailbox.
    pub desks: Vec<LanDesk>,
    /// Others' batches kept here that the hub has not settled.
    pub waiting: u32,
}

impl Desk {
    /// The branch's network, from the store.
    pub async fn lan(&self) -> Result<LanView, StoreError> {
        let mut conn = self.inner.store.read().await?;
        let listen = lan::listen(&mut conn).await?;
        let peers = lan::peers(&mut conn).await?;
        let waiting = lan::waiting(&mut conn).await?;
        let mailbox = peers.iter().find_map(|peer| peer.address.clone());
        let role = match (&listen, &mailbox) {
            (Some(_), _) => LanRole::Mailbox,
            (None, Some(_)) => LanRole::Member,
            (None, None) => LanRole::Alone,
        };
        let of = |device: DeviceId| {
            let theirs = waiting.iter().filter(|one| one.batch.device == device);
            count(theirs.count())
        };
        let shown = peers
            .iter()
            .filter(|peer| !peer.gone && peer.address.is_some() == (role == LanRole::Member));
        Ok(LanView {
            role,
            address: listen.or(mailbox),
            connected: self.inner.lan.connected.load(Ordering::Relaxed),
            trouble: *held(&self.inner.lan.trouble),
            desks: shown
                .map(|peer| LanDesk {
                    device: peer.device,
                    letter: peer.letter.clone(),
                    paired_at: from_ms(peer.paired_at),
                    waiting: of(peer.device),
                })
                .collect(),
            waiting: count(waiting.len()),
        })
    }

    /// Has the mailbox show a pairing code, good for ten minutes, five tries
    /// and one desk.
    pub fn show_pairing_code(&self) -> (String, DateTime<Utc>) {
        held(&self.inner.lan.codes).show(self.inner.now())
    }

    /// Like [`show_pairing_code`](Self::show_pairing_code), of the program that
    /// runs on these data.
    pub async fn ask_pairing_code(&self) -> Result<(String, DateTime<Utc>), LanError> {
        let mut conn = self.inner.store.read().await?;
        let listen = lan::listen(&mut conn).await?.ok_or(LanError::NotMailbox)?;
        drop(conn);
        member::own_code(self, &reachable(&listen)).await
    }
}

/// Where a mailbox that listens everywhere is found from its own computer.
fn reachable(listen: &str) -> String {
    match listen.parse::<SocketAddr>() {
        Ok(mut address) if address.ip().is_unspecified() => {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
            address.to_string()
        }
        _ => listen.to_owned(),
    }
}

fn held<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
