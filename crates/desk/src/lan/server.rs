//! The mailbox's door: whoever connects has proven a key, and what it may ask
//! follows from that key. A stranger may only pair.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use openssl::ssl::{Ssl, SslAcceptor};
use suda_domain::DeviceId;
use suda_sync::lan::{self as said, About, Ask, Log, Mark, Refused, Reply};
use suda_sync::{PublicKey, Signed};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::arrival::Arriving;
use super::pairing::{Exchange, Keys, Secret, Side};
use super::wire::{MOST_BYTES, STRANGER_BYTES, Wire};
use super::{LanError, tls};
use crate::desk::{Change, Desk};
use crate::store::{StoreError, lan};

/// More connections than a branch has desks, two each.
const MOST_CONNECTIONS: usize = 128;
const GREETING: Duration = Duration::from_secs(10);
/// A desk asks for news at least this often.
const IDLE: Duration = Duration::from_secs(90);
/// How long a question for news is kept waiting.
const NEWS: Duration = Duration::from_secs(20);

/// Takes connections until the listener fails.
pub(super) async fn serve(desk: &Desk, listener: TcpListener) -> Result<Infallible, LanError> {
    let enrolled = desk.inner.enrolled()?;
    let acceptor = tls::acceptor(&enrolled.device.secret).map_err(LanError::Tls)?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.map_err(LanError::Unreachable)?;
        while connections.try_join_next().is_some() {}
        if connections.len() >= MOST_CONNECTIONS {
            continue;
        }
        let (desk, acceptor) = (desk.clone(), acceptor.clone());
        connections.spawn(async move {
            if let Err(error) = talk(desk, stream, acceptor).await {
                tracing::debug!(%error, "a connection of the branch's network ended");
            }
        });
    }
}

/// One connection.
struct Talk {
    desk: Desk,
    theirs: PublicKey,
    pairing: Option<Begun>,
}

/// A pairing whose first half is done.
struct Begun {
    code: String,
    secret: Secret,
}

/// Who asks.
enum Asker {
    /// The mailbox's own programs.
    Own,
    Paired(DeviceId),
    Stranger,
}

async fn talk(desk: Desk, stream: TcpStream, acceptor: SslAcceptor) -> io::Result<()> {
    let ssl = Ssl::new(acceptor.context())?;
    let greeting = tokio::time::timeout(GREETING, Wire::accept(stream, ssl));
    let mut wire = greeting.await??;
    let mut talk = Talk {
        desk,
        theirs: wire.theirs,
        pairing: None,
    };
    loop {
        let asker = talk.asker().await.map_err(io::Error::other)?;
        let most = match asker {
            Asker::Stranger => STRANGER_BYTES,
            Asker::Own | Asker::Paired(_) => MOST_BYTES,
        };
        let ask: Option<Ask> = tokio::time::timeout(IDLE, wire.read(most)).await??;
        // Who it is may have changed while it was waited for.
        let asker = talk.asker().await.map_err(io::Error::other)?;
        let reply = match ask {
            Some(ask) => talk.answer(asker, ask).await,
            None => Err(Refused::Malformed),
        };
        wire.write(&reply.unwrap_or_else(Reply::Refused)).await?;
    }
}

impl Talk {
    async fn asker(&self) -> Result<Asker, StoreError> {
        let own = self.desk.inner.enrolled();
        if own.is_ok_and(|own| own.device.secret.public() == self.theirs) {
            return Ok(Asker::Own);
        }
        let mut conn = self.desk.inner.store.read().await?;
        let peers = lan::peers(&mut conn).await?;
        let known = peers
            .iter()
            .find(|peer| peer.key == self.theirs && !peer.gone);
        Ok(known.map_or(Asker::Stranger, |peer| Asker::Paired(peer.device)))
    }

    async fn answer(&mut self, asker: Asker, ask: Ask) -> Result<Reply, Refused> {
        match (ask, asker) {
            (Ask::Pair { message }, _) => self.begin_pairing(&message),
            (Ask::Prove { about, proof }, _) => self.pair(*about, &proof).await,
            (Ask::Code, Asker::Own) => Ok(self.show_code()),
            (Ask::Held, Asker::Paired(device)) => self.held(device).await.map_err(busy),
            (Ask::Put { batch }, Asker::Paired(device)) => self.keep(device, &batch).await,
            (Ask::Take { after, words }, Asker::Paired(device)) => {
                let log = self.news(device, after, words).await.map_err(busy)?;
                Ok(Reply::Log(Box::new(log)))
            }
            (Ask::Held | Ask::Put { .. } | Ask::Take { .. } | Ask::Code, _) => {
                Err(Refused::Unknown)
            }
        }
    }

    fn show_code(&self) -> Reply {
        let now = self.desk.inner.now();
        let codes = &self.desk.inner.lan.codes;
        let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
        let (code, until) = codes.show(now);
        Reply::Code { code, until }
    }

    fn begin_pairing(&mut self, message: &str) -> Result<Reply, Refused> {
        let about = self.desk.about().map_err(|_| Refused::Busy)?;
        let code = {
            let codes = &self.desk.inner.lan.codes;
            let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
            codes.try_one(self.desk.inner.now())
        };
        let code = code.ok_or(Refused::NoCode)?;
        let own = self.desk.inner.enrolled().map_err(|_| Refused::Busy)?;
        let keys = Keys {
            desk: self.theirs,
            mailbox: own.device.secret.public(),
        };
        let (exchange, answer) = Exchange::begin(Side::Mailbox, &code, keys);
        let secret = exchange.finish(message).ok_or(Refused::Malformed)?;
        let proof = secret.proof(Side::Mailbox, &about).ok_or(Refused::Busy)?;
        self.pairing = Some(Begun { code, secret });
        Ok(Reply::Pair {
            message: answer,
            about: Box::new(about),
            proof,
        })
    }

    async fn pair(&mut self, theirs: About, proof: &str) -> Result<Reply, Refused> {
        let begun = self.pairing.take().ok_or(Refused::Malformed)?;
        if !begun.secret.proves(Side::Desk, &theirs, proof) {
            return Err(Refused::WrongCode);
        }
        let own = self.desk.about().map_err(|_| Refused::Busy)?;
        fits(&own, &theirs)?;
        {
            let codes = &self.desk.inner.lan.codes;
            let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
            if !codes.use_up(&begun.code) {
                return Err(Refused::NoCode);
            }
        }
        tracing::info!(device = %theirs.device, "a desk was paired");
        let kept = self.desk.keep_peer(theirs, self.theirs, None).await;
        kept.map_err(busy)?;
        Ok(Reply::Paired)
    }

    async fn held(&self, device: DeviceId) -> Result<Reply, StoreError> {
        let mut conn = self.desk.inner.store.read().await?;
        Ok(Reply::Held(lan::held(&mut conn, device).await?))
    }

    /// Stores a batch and shows what is in it, in one transaction; the answer
    /// comes after the commit.
    async fn keep(&self, device: DeviceId, batch: &Signed) -> Result<Reply, Refused> {
        let desk = &self.desk;
        let enrolled = desk.inner.enrolled().map_err(|_| Refused::Busy)?;
        let mut tx = desk.inner.store.begin().await.map_err(busy)?;
        let named = said::named((device, &self.theirs), batch).map_err(refused)?;
        let known = lan::known(tx.conn(), &named.batch).await.map_err(busy)?;
        let kept = said::take(named, &known).map_err(refused)?;
        let keeping = async {
            let names = (&kept.batch, kept.last);
            lan::keep_batch(tx.conn(), names, kept.adjoins, batch).await?;
            let arriving = kept.shown.into_iter().map(|(event, sealed)| Arriving {
                event,
                sealed,
                lan_seq: None,
                told: said::Told::InBranch,
            });
            let arriving = arriving.collect();
            let shown = desk.show(&mut tx, &enrolled, arriving, BTreeSet::new());
            let shown = shown.await?;
            tx.commit().await?;
            Ok(shown)
        };
        let shown = keeping.await.map_err(busy)?;
        if shown > 0 {
            desk.inner.tell(Change::Cases);
        }
        desk.inner.tell(Change::Status);
        desk.inner.lan.stored.notify_one();
        Ok(Reply::Kept)
    }

    /// The log behind the mark, as soon as there is something for this desk.
    async fn news(
        &self,
        device: DeviceId,
        after: Option<Mark>,
        words: u64,
    ) -> Result<Log, StoreError> {
        if words > 0 && self.keeps_words(device, words).await? {
            let mut tx = self.desk.inner.store.begin().await?;
            lan::drop_words(tx.conn(), device, words).await?;
            tx.commit().await?;
        }
        // Listening begins before looking, so that nothing falls between.
        let mut changes = self.desk.changes();
        let waiting = async {
            loop {
                let log = self.look(device, after, words).await?;
                if !is_empty(&log, after) {
                    return Ok(log);
                }
                let _told = changes.recv().await;
            }
        };
        match tokio::time::timeout(NEWS, waiting).await {
            Ok(log) => log,
            Err(_) => self.look(device, after, words).await,
        }
    }

    /// Whether something is to be let go of: not at every question.
    async fn keeps_words(&self, device: DeviceId, upto: u64) -> Result<bool, StoreError> {
        let mut conn = self.desk.inner.store.read().await?;
        let kept = lan::words(&mut conn, device, 0).await?;
        Ok(kept.first().is_some_and(|words| words.n <= upto))
    }

    async fn look(
        &self,
        device: DeviceId,
        after: Option<Mark>,
        words: u64,
    ) -> Result<Log, StoreError> {
        let mut conn = self.desk.inner.store.read().await?;
        let mut log = lan::log_after(&mut conn, device, after).await?;
        log.words = lan::words(&mut conn, device, words).await?;
        Ok(log)
    }
}

/// Nothing has been added since the mark.
fn is_empty(log: &Log, after: Option<Mark>) -> bool {
    !log.anew && log.words.is_empty() && log.mark == after
}

/// Whether two desks belong together.
pub(super) fn fits(own: &About, theirs: &About) -> Result<(), Refused> {
    if own.v != theirs.v {
        return Err(Refused::Version);
    }
    if own.hub != theirs.hub {
        return Err(Refused::OtherHub);
    }
    if own.branch != theirs.branch || own.device == theirs.device {
        return Err(Refused::OtherBranch);
    }
    Ok(())
}

fn refused(error: said::TakeError) -> Refused {
    tracing::warn!(%error, "a batch of another desk is not kept");
    match error {
        said::TakeError::Version => Refused::Version,
        said::TakeError::Signature | said::TakeError::Malformed => Refused::Malformed,
    }
}

fn busy(error: StoreError) -> Refused {
    tracing::error!(%error, "the store could not serve the branch's network");
    Refused::Busy
}
