//! A desk that follows its branch's mailbox: gives it what the hub has not
//! receipted, and takes what the others did and the hub's words for this desk.
//! It goes on trying the hub itself all the while; twice is harmless.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_domain::{DeviceId, EventKey};
use suda_sync::desk::{Stream, batch};
use suda_sync::lan::{About, Ask, Given, Held, Log, Mark, Reply, Told, VERSION};
use suda_sync::message::{BATCH_BYTES, BATCH_EVENTS};
use suda_sync::{Hash, PublicKey, Signed, withheld};

use super::arrival::Arriving;
use super::discover::find_again;
use super::pairing::{Exchange, Keys, Side};
use super::server::fits;
use super::wire::Wire;
use super::{LanError, LanTrouble, Mailbox};
use crate::desk::{Change, Desk, Enrolled};
use crate::session::SessionError;
use crate::store::{StoreError, hub_order, lan, outbox};

/// Without anything happening, what waits is looked at again after this long.
const LOOK: Duration = Duration::from_secs(30);
/// Pause after a failure: from, and span of the jitter, in milliseconds.
const PAUSE_MS: (u64, u64) = (200, 1_300);

/// Follows the mailbox for as long as it is this desk's.
pub(super) async fn follow(desk: &Desk, mailbox: &Mailbox) -> Infallible {
    let giving = again_and_again("give", || give(desk, mailbox));
    let taking = again_and_again("take", || async {
        let Err(error) = take(desk, mailbox).await;
        desk.set_connected(false, error.trouble());
        Err(error)
    });
    let _until_left = Left(desk);
    tokio::select! {
        never = giving => never,
        never = taking => never,
        never = find_again(desk, mailbox) => never,
    }
}

/// Nothing is connected any more once the mailbox is another.
struct Left<'a>(&'a Desk);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.set_connected(false, None);
    }
}

async fn again_and_again<Trying>(what: &str, mut attempt: impl FnMut() -> Trying) -> Infallible
where
    Trying: Future<Output = Result<Infallible, LanError>>,
{
    loop {
        let Err(error) = attempt().await;
        tracing::debug!(%error, what, "the mailbox");
        let (least, span) = PAUSE_MS;
        let pause = least + rand::random::<u64>() % span;
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

async fn connect(desk: &Desk, mailbox: &Mailbox) -> Result<Wire, LanError> {
    let enrolled = desk.inner.enrolled()?;
    let wire = Wire::connect(&mailbox.address, &enrolled.device.secret).await?;
    if wire.theirs != mailbox.key {
        return Err(LanError::OtherKey);
    }
    Ok(wire)
}

/// Gives the mailbox every event without a receipt, as soon as it is written.
async fn give(desk: &Desk, mailbox: &Mailbox) -> Result<Infallible, LanError> {
    let mut wire = connect(desk, mailbox).await?;
    let mut known = None;
    let mut given = Given::default();
    loop {
        let mut changes = desk.changes();
        let standing = desk.standing().await?;
        // Of another hub than the mailbox spoke of, or than this desk took words
        // from, both may have let go of what the other counts on.
        let hubs = Some((desk.heard_epoch(), standing.position.epoch.clone()));
        if hubs != known {
            given = ask_held(desk, &mut wire).await?;
            known = hubs;
        }
        let enrolled = desk.inner.enrolled()?;
        for stream in standing.unreceipted() {
            give_stream(desk, &enrolled, &mut wire, stream, &mut given).await?;
        }
        tokio::time::timeout(LOOK, changes.recv()).await.ok();
    }
}

async fn ask_held(desk: &Desk, wire: &mut Wire) -> Result<Given, LanError> {
    let Reply::Held(held) = wire.ask(&Ask::Held).await? else {
        return Err(LanError::NotAMailbox);
    };
    let (device, _) = desk.inner.enrolled()?.identity();
    Ok(known_here(desk, device, held).await?)
}

/// How far the mailbox holds what this desk has.
async fn known_here(desk: &Desk, device: DeviceId, held: Vec<Held>) -> Result<Given, StoreError> {
    let mut conn = desk.inner.store.read().await?;
    let mut known = Vec::with_capacity(held.len());
    for one in held {
        let key = EventKey {
            device,
            incarnation: one.incarnation,
            lane: one.lane,
            n: one.n,
        };
        let here = hub_order::here(&mut conn, key).await?;
        known.push((
            one,
            here.filter(|here| here.own).map(|here| Hash(here.hash)),
        ));
    }
    Ok(Given::told(known))
}

async fn give_stream(
    desk: &Desk,
    enrolled: &Enrolled,
    wire: &mut Wire,
    (stream, acked): (Stream, u64),
    given: &mut Given,
) -> Result<(), LanError> {
    let (device, present) = enrolled.identity();
    loop {
        let after = given.after(stream, acked);
        let identity = (device, stream.incarnation);
        let mut conn = desk.inner.store.read().await?;
        let events = outbox::load(
            &mut conn,
            identity,
            stream.lane,
            after,
            BATCH_EVENTS,
            BATCH_BYTES,
        );
        let events = events.await?;
        drop(conn);
        if events.is_empty() {
            return Ok(());
        }
        let last = after + events.len() as u64;
        let request = batch((device, present), stream, after + 1, events);
        let batch = Signed::seal(&request, &enrolled.device.secret).map_err(StoreError::from)?;
        match wire.ask(&Ask::Put { batch }).await? {
            Reply::Kept => given.kept(stream, last),
            _ => return Err(LanError::NotAMailbox),
        }
    }
}

/// Takes the mailbox's log and the hub's words, as soon as there are some.
async fn take(desk: &Desk, mailbox: &Mailbox) -> Result<Infallible, LanError> {
    let mut wire = connect(desk, mailbox).await?;
    desk.set_connected(true, None);
    let mut words = 0;
    loop {
        let mut conn = desk.inner.store.read().await?;
        let after = lan::mark(&mut conn).await?;
        let epoch = outbox::link(&mut conn).await?.epoch;
        drop(conn);
        let Reply::Log(log) = wire.ask(&Ask::Take { after, words }).await? else {
            return Err(LanError::NotAMailbox);
        };
        for word in &log.words {
            desk.take_words(&word.parcel).await;
            words = words.max(word.n);
        }
        desk.heard_of(log.epoch.as_deref());
        desk.save_log(*log, (after, epoch)).await?;
    }
}

impl Desk {
    /// Pairs with the mailbox at an address by the code it shows. From then on
    /// it is this desk's.
    pub async fn pair(&self, address: &str, code: &str) -> Result<String, LanError> {
        let enrolled = self.inner.enrolled()?;
        let mut conn = self.inner.store.read().await?;
        if lan::listen(&mut conn).await?.is_some() {
            return Err(LanError::IsMailbox);
        }
        drop(conn);
        let address = with_port(address);
        let mut wire = Wire::connect(&address, &enrolled.device.secret).await?;
        let keys = Keys {
            desk: enrolled.device.secret.public(),
            mailbox: wire.theirs,
        };
        let (exchange, message) = Exchange::begin(Side::Desk, code, keys);
        let Reply::Pair {
            message,
            about: theirs,
            proof,
        } = wire.ask(&Ask::Pair { message }).await?
        else {
            return Err(LanError::NotAMailbox);
        };
        let secret = exchange.finish(&message).ok_or(LanError::NotAMailbox)?;
        if !secret.proves(Side::Mailbox, &theirs, &proof) {
            return Err(LanError::WrongCode);
        }
        let about = self.about()?;
        fits(&about, &theirs).map_err(LanError::of)?;
        let proof = secret.proof(Side::Desk, &about);
        let proof = proof.ok_or(LanError::NotAMailbox)?;
        let prove = Ask::Prove {
            about: Box::new(about),
            proof,
        };
        let Reply::Paired = wire.ask(&prove).await? else {
            return Err(LanError::NotAMailbox);
        };
        let letter = theirs.letter.clone();
        self.keep_peer(*theirs, keys.mailbox, Some(address)).await?;
        Ok(letter)
    }

    /// What this desk says of itself.
    pub(super) fn about(&self) -> Result<About, SessionError> {
        let enrolled = self.inner.enrolled()?;
        Ok(About {
            v: VERSION,
            device: enrolled.device.device,
            letter: enrolled.device.desk_letter.clone(),
            branch: enrolled.directory.branch.clone(),
            hub: enrolled.device.hub_key,
        })
    }

    fn set_connected(&self, connected: bool, trouble: Option<LanTrouble>) {
        let lan = &self.inner.lan;
        let was = lan.connected.swap(connected, Ordering::Relaxed);
        let mut held = lan.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let had = std::mem::replace(&mut *held, trouble);
        drop(held);
        if (was, had) != (connected, trouble) {
            self.inner.tell(Change::Status);
        }
    }

    /// The hub's signed words, checked as those of a file are. What does not
    /// fit this desk's state is passed over: the hub says it again at the next
    /// contact.
    async fn take_words(&self, parcel: &str) {
        let Ok(parcel) = STANDARD.decode(parcel) else {
            return;
        };
        if let Err(error) = self.take_receipts(&parcel).await {
            tracing::warn!(%error, "the hub's words that came by the mailbox");
        }
    }

    /// The hub as the mailbox knows it. Of what another hub had receipted the
    /// mailbox has let go: it is asked anew what it holds.
    fn heard_of(&self, epoch: Option<&str>) {
        let lan = &self.inner.lan;
        let mut held = lan.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_deref() != epoch {
            *held = epoch.map(str::to_owned);
            drop(held);
            self.inner.tell(Change::Status);
        }
    }

    fn heard_epoch(&self) -> Option<String> {
        let held = self.inner.lan.epoch.lock();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores a page of the mailbox's log, asked for behind a mark and under an
    /// epoch, and how far it reaches, in one transaction. Not when the log is to
    /// be heard from elsewhere on by now, or the hub is another.
    async fn save_log(
        &self,
        mut log: Log,
        asked: (Option<Mark>, Option<String>),
    ) -> Result<(), StoreError> {
        let Ok(enrolled) = self.inner.enrolled() else {
            return Ok(());
        };
        let Some(mark) = log.mark else {
            return Ok(());
        };
        let mut tx = self.inner.store.begin().await?;
        let here = lan::mark(tx.conn()).await?;
        let epoch = outbox::link(tx.conn()).await?.epoch;
        if here == Some(mark) || (here, epoch.as_ref()) != (asked.0, asked.1.as_ref()) {
            return Ok(());
        }
        let device = enrolled.device.device;
        let moved = move_own(&mut tx, device, &log, epoch.as_deref()).await?;
        let mut arriving = Vec::with_capacity(log.entries.len());
        for entry in std::mem::take(&mut log.entries) {
            let Some(sealed) = withheld::for_branch(entry.event) else {
                continue;
            };
            match sealed.open() {
                Ok(event) => arriving.push(Arriving {
                    event,
                    told: log.told(entry.hub, epoch.as_deref()),
                    sealed,
                    lan_seq: Some(entry.seq),
                }),
                Err(error) => tracing::warn!(seq = entry.seq, %error, "passed over"),
            }
        }
        let shown = self.show(&mut tx, &enrolled, arriving, moved).await?;
        lan::set_mark(tx.conn(), mark).await?;
        tx.commit().await?;
        if shown > 0 {
            self.inner.tell(Change::Cases);
            self.inner.tell(Change::Status);
        }
        Ok(())
    }
}

/// Notes where own events stand in the mailbox's log and, as far as it knows, in
/// the hub's; of which complaints.
async fn move_own(
    tx: &mut crate::store::WriteTx<'_>,
    device: DeviceId,
    log: &Log,
    epoch: Option<&str>,
) -> Result<BTreeSet<suda_domain::ComplaintId>, StoreError> {
    let mut moved = BTreeSet::new();
    for one in &log.own {
        let key = EventKey {
            device,
            incarnation: one.incarnation,
            lane: one.lane,
            n: one.n,
        };
        // A copy of this desk's data may have written another under the number.
        let here = hub_order::here(tx.conn(), key).await?;
        if here.map(|here| Hash(here.hash)) != one.hash {
            continue;
        }
        let mut is_new = lan::set_lan_seq(tx.conn(), key, one.seq).await?;
        if let Told::AtHub(seq) = log.told(one.hub, epoch) {
            is_new |= lan::place(tx.conn(), key, seq).await?;
        }
        if is_new {
            moved.extend(lan::complaint_of(tx.conn(), key).await?);
        }
    }
    Ok(moved)
}

/// An address as typed, with the usual port when it names none.
pub(super) fn with_port(typed: &str) -> String {
    let typed = typed.trim();
    let bare_v6 = typed.parse::<std::net::Ipv6Addr>().is_ok();
    match typed {
        _ if bare_v6 => format!("[{typed}]:{}", super::PORT),
        _ if typed.contains(':') => typed.to_owned(),
        _ => format!("{typed}:{}", super::PORT),
    }
}

/// A code from the mailbox that runs on this desk's own data, asked for by
/// another program of the same computer.
pub(super) async fn own_code(
    desk: &Desk,
    address: &str,
) -> Result<(String, chrono::DateTime<chrono::Utc>), LanError> {
    let enrolled = desk.inner.enrolled()?;
    let secret = &enrolled.device.secret;
    let mut wire = Wire::connect(address, secret).await?;
    if wire.theirs != own_key(&enrolled) {
        return Err(LanError::OtherKey);
    }
    match wire.ask(&Ask::Code).await? {
        Reply::Code { code, until } => Ok((code, until)),
        _ => Err(LanError::NotAMailbox),
    }
}

fn own_key(enrolled: &Enrolled) -> PublicKey {
    enrolled.device.secret.public()
}
