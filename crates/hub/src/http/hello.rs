//! A desk's hello and the session it gets: how a copied or rolled-back
//! database is told from the real one (`suda_sync::hub::contact`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::{DeviceId, EventKey, Lane};
use suda_sync::message::{Refused, Renewal, Watermarks};
use suda_sync::{Hash, Position, Reply, Welcome};

use super::device::busy;
use crate::hub::Hub;
use crate::secret;
use crate::store::{Device, Greeted, Hello, Result};

const SESSION: TimeDelta = TimeDelta::hours(12);

/// Answers the hello of `incarnation`, which may be one the hub has not met.
pub async fn hello(
    hub: &Hub,
    device: &Device,
    incarnation: u32,
    position: Position,
) -> Result<Reply, Refused> {
    if incarnation > device.incarnation && position.renewal == Renewal::Unknown {
        return Err(Refused::UnknownDevice);
    }
    let now = hub.clock.now();
    let offset = position.wall.map(|wall| (now - wall).num_milliseconds());
    let told = position.clock.unwrap_or(device.clock);
    let clock = told.seen(device.clock, device.offset_ms, offset, now);
    let seen = hub.store.seen(device.id, now, offset, &clock).await;
    seen.map_err(busy)?;
    let shown = position
        .contact
        .as_deref()
        .and_then(|token| Session::read(hub, device.id, incarnation, token));
    let greeted = hub
        .store
        .greet(Hello {
            device: device.id,
            incarnation,
            renewal: position.renewal,
            shown: shown.map_or(0, |session| session.number),
            same_epoch: position.epoch.as_ref() == Some(&hub.identity.epoch),
        })
        .await
        .map_err(busy)?;
    match greeted {
        Greeted::Renew {
            incarnation,
            letter,
        } => {
            tracing::warn!(device = %device.id, incarnation, "a copied or rolled-back database");
            Err(Refused::Renew {
                incarnation,
                letter,
            })
        }
        Greeted::Welcome { session } => {
            let welcome = welcome(hub, device.id, incarnation, &position, session);
            hub.turns
                .read(welcome)
                .await
                .map(Reply::Welcome)
                .map_err(busy)
        }
    }
}

async fn welcome(
    hub: &Hub,
    device: DeviceId,
    incarnation: u32,
    position: &Position,
    session: u64,
) -> Result<Welcome> {
    let now = hub.clock.now();
    let (watermarks, hashes) = lanes(hub, device, incarnation, position.acked).await?;
    let mut earlier = Vec::with_capacity(position.earlier.len());
    for one in &position.earlier {
        let (watermarks, hashes) = lanes(hub, device, one.incarnation, one.acked).await?;
        earlier.push(Watermarks {
            incarnation: one.incarnation,
            watermarks,
            hashes,
        });
    }
    let session = Session {
        number: session,
        until: (now + SESSION).timestamp(),
    };
    Ok(Welcome {
        session: session.token(hub, device, incarnation),
        epoch: hub.identity.epoch.clone(),
        watermarks,
        hashes,
        earlier,
        allowance: Some(hub.allowance()),
        now,
    })
}

/// How far each lane is, and what stands where the desk and the hub agree.
async fn lanes(
    hub: &Hub,
    device: DeviceId,
    incarnation: u32,
    acked: [u64; 4],
) -> Result<([u64; 4], [Option<Hash>; 4])> {
    let watermarks = hub.store.watermarks(device, incarnation).await?;
    let mut hashes = [None; 4];
    for (lane, hash) in Lane::ALL.into_iter().zip(&mut hashes) {
        let n = acked[lane.index()].min(watermarks[lane.index()]);
        if n > 0 {
            let key = EventKey {
                device,
                incarnation,
                lane,
                n,
            };
            *hash = hub.store.hash_of(key).await?;
        }
    }
    Ok((watermarks, hashes))
}

/// Which of the hub's talks with an incarnation a question belongs to.
#[derive(Clone, Copy)]
pub struct Session {
    pub number: u64,
    /// Seconds of Unix time.
    until: i64,
}

impl Session {
    /// A token that only this hub can make, for this device, incarnation and epoch.
    fn token(self, hub: &Hub, device: DeviceId, incarnation: u32) -> String {
        let proof = self.proof(hub, device, incarnation);
        format!("{}.{}.{proof}", self.until, self.number)
    }

    fn proof(self, hub: &Hub, device: DeviceId, incarnation: u32) -> String {
        let Self { number, until } = self;
        let text = format!(
            "suda session {device} {incarnation} {number} {until} {}",
            hub.identity.epoch
        );
        let signature = hub.identity.key.sign(text.as_bytes());
        URL_SAFE_NO_PAD.encode(secret::digest(&signature))
    }

    /// The session of a token this hub has given, also one that has run out.
    fn read(hub: &Hub, device: DeviceId, incarnation: u32, token: &str) -> Option<Self> {
        let mut parts = token.splitn(3, '.');
        let until = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        let session = Self { number, until };
        (parts.next()? == session.proof(hub, device, incarnation)).then_some(session)
    }

    fn is_over(self, now: DateTime<Utc>) -> bool {
        self.until <= now.timestamp()
    }
}

/// Lets a question into its session, if that is the latest one.
pub async fn admit(
    hub: &Hub,
    device: DeviceId,
    incarnation: u32,
    token: Option<&str>,
) -> Result<(), Refused> {
    let session = token
        .and_then(|token| Session::read(hub, device, incarnation, token))
        .filter(|session| !session.is_over(hub.clock.now()))
        .ok_or(Refused::SessionExpired)?;
    let contact = hub.store.contact(device, incarnation);
    let contact = hub.turns.read(contact).await.map_err(busy)?;
    if !contact.holds(session.number) {
        return Err(Refused::SessionExpired);
    }
    if session.number > 0 && !contact.used {
        let used = hub
            .store
            .use_session(device, incarnation, session.number)
            .await;
        used.map_err(busy)?;
    }
    Ok(())
}
