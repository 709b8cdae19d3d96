//! The branch's own network: one desk is the mailbox of the others. Who may
//! talk is settled by pairing (`pairing`), whose keys the connection proves
//! (`tls`); what the mailbox does with what comes is the sync crate's
//! (`suda_sync::lan`). Nothing here ever says "at the hub". Events alone go
//! this way: evidence files and day totals wait for the desk's own way to it.

mod arrival;
mod code;
mod discover;
mod forward;
mod member;
mod pairing;
mod server;
mod tls;
mod view;
mod wire;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use suda_domain::DeviceId;
use suda_domain::permission::{self, Right};
use suda_sync::PublicKey;
use suda_sync::lan::Refused;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

pub(crate) use self::code::Codes;
pub use self::discover::LanFound;
pub use self::view::{LanDesk, LanRole, LanTrouble, LanView};
use crate::clock::to_ms;
use crate::desk::{Change, Desk};
use crate::session::{Session, SessionError};
use crate::store::{StoreError, lan};
use crate::transport::Transport;

/// Where a mailbox listens unless told otherwise. Not assigned by IANA.
pub const PORT: u16 = 47_632;
const ADDRESS: &str = "0.0.0.0:47632";
const REBIND_EVERY: Duration = Duration::from_secs(3);

/// Why something about the branch's network was not done.
#[derive(Debug, thiserror::Error)]
pub enum LanError {
    #[error("the mailbox does not answer at this address; is it switched on there?")]
    Unreachable(#[source] io::Error),
    #[error("what answers at this address is not a mailbox of Suda's")]
    NotAMailbox,
    #[error("the computer at this address is another than the one this desk was paired with")]
    OtherKey,
    #[error("this desk is not paired with the mailbox, or not any more")]
    NotPaired,
    #[error("the code is wrong")]
    WrongCode,
    #[error("the mailbox shows no code, or it has run out; have it show a new one")]
    NoCode,
    #[error("the mailbox belongs to another branch")]
    OtherBranch,
    #[error("the mailbox belongs to another hub")]
    OtherHub,
    #[error("mailbox and desk do not understand each other's version; update the older one")]
    Version,
    #[error("the mailbox could not take it; it is kept here and will be sent")]
    Busy,
    #[error("this desk is the mailbox of its branch itself")]
    IsMailbox,
    #[error("this desk is not the mailbox of its branch")]
    NotMailbox,
    #[error("{0} is no address to listen at")]
    Address(String),
    #[error("only the branch manager may change the branch's network")]
    Denied,
    #[error("the network cannot be searched")]
    Discovery(#[from] mdns_sd::Error),
    #[error("the connection's keys cannot be made")]
    Tls(#[source] openssl::error::ErrorStack),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LanError {
    /// What a person has to know of; nothing when the mailbox is just away.
    fn trouble(&self) -> Option<LanTrouble> {
        match self {
            Self::OtherKey => Some(LanTrouble::OtherKey),
            Self::NotPaired => Some(LanTrouble::NotPaired),
            Self::NotAMailbox | Self::Version => Some(LanTrouble::Version),
            _ => None,
        }
    }

    fn of(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::NotPaired,
            Refused::NoCode => Self::NoCode,
            Refused::WrongCode => Self::WrongCode,
            Refused::OtherBranch => Self::OtherBranch,
            Refused::OtherHub => Self::OtherHub,
            Refused::Version => Self::Version,
            Refused::Malformed => Self::NotAMailbox,
            Refused::Busy => Self::Busy,
        }
    }
}

/// What of the branch's network is known only while the program runs.
#[derive(Default)]
pub(crate) struct State {
    codes: Mutex<Codes>,
    /// The mailbox answers.
    pub(crate) connected: AtomicBool,
    trouble: Mutex<Option<LanTrouble>>,
    /// The hub's epoch, as the mailbox told it last.
    epoch: Mutex<Option<String>>,
    /// A batch of another desk has been stored.
    stored: Notify,
}

/// The way to the hub that the mailbox forwards by.
#[derive(Clone)]
pub(crate) struct HubSide {
    pub(crate) transport: Transport,
    pub(crate) session: watch::Receiver<Option<String>>,
}

/// What this desk is in its branch.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Role {
    Alone,
    Mailbox { listen: String },
    Member(Box<Mailbox>),
}

/// The mailbox as a member knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mailbox {
    device: DeviceId,
    key: PublicKey,
    address: String,
}

impl Desk {
    /// Makes this desk the mailbox of its branch, for as long as the sync runs.
    /// `address` such as `0.0.0.0:47632`; port 0 chooses a free one, which it
    /// keeps.
    pub async fn become_mailbox(&self, address: Option<&str>) -> Result<SocketAddr, LanError> {
        self.inner.enrolled()?;
        let wanted = address.unwrap_or(ADDRESS);
        let parsed: SocketAddr = wanted
            .parse()
            .map_err(|_| LanError::Address(wanted.to_owned()))?;
        let address = match parsed.port() {
            0 => free_port(parsed)?,
            _ => parsed,
        };
        let mut tx = self.inner.store.begin().await?;
        lan::set_listen(tx.conn(), Some(&address.to_string())).await?;
        tx.commit().await?;
        self.inner.tell(Change::Status);
        Ok(address)
    }

    /// Follows no mailbox any more and is none. What a mailbox keeps is
    /// forwarded when it is one again; the desks themselves have it all too.
    pub async fn leave_lan(&self) -> Result<(), LanError> {
        let mut tx = self.inner.store.begin().await?;
        lan::set_listen(tx.conn(), None).await?;
        for peer in lan::peers(tx.conn()).await? {
            if peer.address.is_some() {
                lan::end_pairing(tx.conn(), peer.device).await?;
            }
        }
        tx.commit().await?;
        self.inner.tell(Change::Status);
        Ok(())
    }

    /// Whether the person signed in may change the branch's network: the
    /// branch manager.
    pub fn may_change_lan(&self, session: &Session) -> Result<(), LanError> {
        let (_, actor) = self.inner.at_work(session)?;
        match permission::has(actor.role, Right::ConnectDesks) {
            true => Ok(()),
            false => Err(LanError::Denied),
        }
    }

    /// Ends the pairing with another desk of the branch.
    pub async fn end_pairing(&self, device: DeviceId) -> Result<(), LanError> {
        let mut tx = self.inner.store.begin().await?;
        lan::end_pairing(tx.conn(), device).await?;
        tx.commit().await?;
        self.inner.tell(Change::Status);
        Ok(())
    }

    /// Takes part in the branch's network as this desk's role says, until the
    /// role changes, and then as the new one says.
    pub(crate) async fn take_part(&self, hub: HubSide) -> Infallible {
        loop {
            let mut changes = self.changes();
            let role = match self.role().await {
                Ok(role) => role,
                Err(error) => {
                    tracing::warn!(%error, "the desk's part in its branch is not known");
                    Role::Alone
                }
            };
            let changed = async {
                loop {
                    // Lagging only means that much has changed.
                    let _told = changes.recv().await;
                    if self.role().await.is_ok_and(|now| now != role) {
                        return;
                    }
                }
            };
            tokio::select! {
                () = changed => {}
                never = self.act(&role, &hub) => match never {},
            }
        }
    }

    async fn act(&self, role: &Role, hub: &HubSide) -> Infallible {
        match role {
            Role::Alone => std::future::pending().await,
            Role::Member(mailbox) => member::follow(self, mailbox).await,
            Role::Mailbox { listen } => {
                let serving = self.serve_at(listen);
                let forwarding = forward::forward(self, hub.clone());
                tokio::select! {
                    never = serving => never,
                    never = forwarding => never,
                }
            }
        }
    }

    async fn serve_at(&self, listen: &str) -> Infallible {
        loop {
            match TcpListener::bind(listen).await {
                Ok(listener) => {
                    // Without it the mailbox is found by its typed address.
                    let announced = listener.local_addr().map(|at| discover::announce(self, at));
                    if let Ok(Err(error)) = &announced {
                        tracing::warn!(%error, "the mailbox is not announced");
                    }
                    let Err(error) = server::serve(self, listener).await;
                    tracing::error!(%error, "the mailbox cannot serve");
                }
                Err(error) => tracing::warn!(%error, listen, "the mailbox cannot listen"),
            }
            tokio::time::sleep(REBIND_EVERY).await;
        }
    }

    async fn role(&self) -> Result<Role, StoreError> {
        let mut conn = self.inner.store.read().await?;
        if let Some(listen) = lan::listen(&mut conn).await? {
            return Ok(Role::Mailbox { listen });
        }
        let peers = lan::peers(&mut conn).await?;
        let mailbox = peers.into_iter().find_map(|peer| {
            Some(Mailbox {
                device: peer.device,
                key: peer.key,
                address: peer.address?,
            })
        });
        Ok(mailbox.map_or(Role::Alone, |mailbox| Role::Member(Box::new(mailbox))))
    }

    async fn keep_peer(
        &self,
        about: suda_sync::lan::About,
        key: PublicKey,
        address: Option<String>,
    ) -> Result<(), StoreError> {
        let peer = lan::Peer {
            device: about.device,
            key,
            letter: about.letter,
            address,
            paired_at: to_ms(self.inner.now()),
            gone: false,
        };
        let mut tx = self.inner.store.begin().await?;
        lan::add_peer(tx.conn(), &peer).await?;
        tx.commit().await?;
        self.inner.tell(Change::Status);
        Ok(())
    }
}

fn free_port(address: SocketAddr) -> Result<SocketAddr, LanError> {
    let taken = std::net::TcpListener::bind(address).and_then(|listener| listener.local_addr());
    taken.map_err(|_| LanError::Address(address.to_string()))
}
