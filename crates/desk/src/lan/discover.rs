//! Finding the branch's mailbox by mDNS (RFC 6762, 6763). What is announced is
//! the branch's code and the desk's letter, no person and no customer; whether
//! it is to be believed is settled by the pairing.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use serde::{Deserialize, Serialize};

use super::wire::Wire;
use super::{LanError, Mailbox};
use crate::desk::{Change, Desk};
use crate::store::lan;

const SERVICE: &str = "_suda._tcp.local.";
const BRANCH: &str = "branch";
const LETTER: &str = "desk";
/// Between two looks for a mailbox that does not answer, and how long each is.
const AGAIN: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(3);

/// A mailbox that announces itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LanFound {
    pub address: String,
    pub letter: String,
}

/// Announces the mailbox until this is dropped.
pub(super) struct Announced {
    daemon: ServiceDaemon,
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Says good-bye on the network; when that fails, its entry lapses there.
        self.daemon.shutdown().ok();
    }
}

/// Announces that `desk` is its branch's mailbox at `address`.
pub(super) fn announce(desk: &Desk, address: SocketAddr) -> Result<Announced, LanError> {
    let about = desk.about()?;
    let name = format!("{}-{}", about.branch, about.letter);
    let host = format!("suda-{name}.local.").to_lowercase();
    let branch = about.branch.to_string();
    let said = [(BRANCH, branch.as_str()), (LETTER, about.letter.as_str())];
    let ip = address.ip();
    let given: Vec<IpAddr> = match ip.is_unspecified() {
        true => Vec::new(),
        false => vec![ip],
    };
    let info = ServiceInfo::new(SERVICE, &name, &host, &given[..], address.port(), &said[..])?;
    let info = match ip.is_unspecified() {
        true => info.enable_addr_auto(),
        false => info,
    };
    let daemon = ServiceDaemon::new()?;
    if !ip.is_unspecified() {
        only(&daemon, ip)?;
    }
    daemon.register(info)?;
    Ok(Announced { daemon })
}

impl Desk {
    /// The mailboxes of this branch that announce themselves within a time, on
    /// every network of this computer or on the one with this address of it.
    pub async fn find_mailboxes(
        &self,
        within: Duration,
        on: Option<IpAddr>,
    ) -> Result<Vec<LanFound>, LanError> {
        let enrolled = self.inner.enrolled()?;
        let branch = enrolled.directory.branch.to_string();
        let daemon = ServiceDaemon::new()?;
        if let Some(ip) = on {
            only(&daemon, ip)?;
        }
        let told = daemon.browse(SERVICE)?;
        let mut found: BTreeMap<String, LanFound> = BTreeMap::new();
        let listening = async {
            while let Ok(event) = told.recv_async().await {
                let ServiceEvent::ServiceResolved(service) = event else {
                    continue;
                };
                if let Some(one) = of_branch(&service, &branch) {
                    found.insert(service.fullname.clone(), one);
                }
            }
        };
        tokio::time::timeout(within, listening).await.ok();
        daemon.shutdown().ok();
        Ok(found.into_values().collect())
    }
}

/// Looks for the mailbox under another address while it does not answer:
/// computers get new ones from time to time. It is believed when it proves its
/// key, and the role that changes with the address is taken up anew.
pub(super) async fn find_again(desk: &Desk, mailbox: &Mailbox) -> Infallible {
    loop {
        tokio::time::sleep(AGAIN).await;
        if desk.inner.lan.connected.load(Ordering::Relaxed) {
            continue;
        }
        if let Err(error) = look(desk, mailbox).await {
            tracing::debug!(%error, "the mailbox is not found under another address");
        }
    }
}

async fn look(desk: &Desk, mailbox: &Mailbox) -> Result<(), LanError> {
    let enrolled = desk.inner.enrolled()?;
    for found in desk.find_mailboxes(LOOK, None).await? {
        let wire = Wire::connect(&found.address, &enrolled.device.secret).await;
        if wire.is_ok_and(|wire| wire.theirs == mailbox.key) && found.address != mailbox.address {
            let mut tx = desk.inner.store.begin().await?;
            lan::set_address(tx.conn(), mailbox.device, &found.address).await?;
            tx.commit().await?;
            desk.inner.tell(Change::Status);
            return Ok(());
        }
    }
    Ok(())
}

fn only(daemon: &ServiceDaemon, ip: IpAddr) -> Result<(), LanError> {
    daemon.disable_interface(IfKind::All)?;
    Ok(daemon.enable_interface(IfKind::Addr(ip))?)
}

fn of_branch(service: &ResolvedService, branch: &str) -> Option<LanFound> {
    let said = |key: &str| service.txt_properties.get_property_val_str(key);
    if said(BRANCH)? != branch {
        return None;
    }
    let letter = said(LETTER)?.to_owned();
    let mut addresses: Vec<IpAddr> = service
        .addresses
        .iter()
        .map(mdns_sd::ScopedIp::to_ip_addr)
        .collect();
    // The first that another computer reaches without naming an interface.
    addresses.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    let address = SocketAddr::new(*addresses.first()?, service.port).to_string();
    Some(LanFound { address, letter })
}
