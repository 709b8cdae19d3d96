//! What the sync asks the store for and has it keep, beside pages: how far
//! every stream is, welcomes, new incarnations and new numbers.

use suda_domain::{EventKey, Lane};
use suda_sync::desk::{Standing, Stream, agreed};
use suda_sync::message::{Earlier, Renewal, Watermarks};
use suda_sync::rekey::rekey;
use suda_sync::{Hash, Position, Welcome};

use crate::clock::HubTime;
use crate::desk::Desk;
use crate::safety::RenewError;
use crate::store::barrier::Reader;
use crate::store::incarnation::Cause;
use crate::store::{
    Cache, StoreError, WriteTx, complaints, hub_order, incarnation, ledger, outbox,
};

impl Desk {
    /// How far every stream is.
    pub(crate) async fn standing(&self) -> Result<Standing, StoreError> {
        let inner = &self.inner;
        let Ok(enrolled) = inner.enrolled() else {
            return Ok(Standing::default());
        };
        let (device, present) = enrolled.identity();
        let mut conn = inner.store.read().await?;
        let heads = ledger::heads(&mut conn, device, present).await?;
        let link = outbox::link(&mut conn).await?;
        let past = incarnation::past(&mut conn).await?;
        let earlier = past.into_iter().map(|(incarnation, past)| Earlier {
            incarnation,
            written: past.heads,
            acked: past.acked,
        });
        Ok(Standing {
            incarnation: present,
            position: Position {
                written: heads.map(|head| head.n),
                acked: outbox::acked(&mut conn).await?,
                cursor: link.cursor,
                epoch: link.epoch,
                directory: enrolled.directory.version,
                wall: Some(inner.time.clock.wall()),
                clock: Some(inner.time.notice()),
                contact: link.contact,
                earlier: earlier.collect(),
                renewal: Renewal::Ready,
                letter: Some(enrolled.device.desk_letter.clone()),
            },
        })
    }

    /// Keeps a welcome: session, epoch, cursor, and how far each lane counts as
    /// received.
    pub(crate) async fn save_welcome(
        &self,
        welcome: &Welcome,
        cursor: u64,
        seen: Option<HubTime>,
    ) -> Result<(), StoreError> {
        let inner = &self.inner;
        let Ok(enrolled) = inner.enrolled() else {
            return Ok(());
        };
        let (device, present) = enrolled.identity();
        let mut tx = inner.store.begin().await?;
        let link = outbox::link(tx.conn()).await?;
        if link.epoch.as_ref() != Some(&welcome.epoch) && link.epoch.is_some() {
            hub_order::forget(tx.conn()).await?;
        }
        let mine = outbox::acked(tx.conn()).await?;
        let told = Watermarks {
            incarnation: present,
            watermarks: welcome.watermarks,
            hashes: welcome.hashes,
        };
        let acked = settled(&mut tx, device, mine, told).await?;
        outbox::set_acked(tx.conn(), acked).await?;
        let past = incarnation::past(tx.conn()).await?;
        for told in &welcome.earlier {
            if let Some(known) = past.get(&told.incarnation) {
                let acked = settled(&mut tx, device, known.acked, *told).await?;
                incarnation::set_acked(tx.conn(), told.incarnation, acked).await?;
            }
        }
        outbox::set_link(tx.conn(), &welcome.epoch, cursor).await?;
        outbox::set_contact(tx.conn(), Some(&welcome.session)).await?;
        match seen {
            Some(seen) => inner.commit_with_hub_time(tx, &enrolled, seen).await,
            None => tx.commit().await,
        }
    }

    /// Goes on as the incarnation the hub gave, with its letter.
    pub(crate) async fn go_on_as(&self, new: u32, letter: String) -> Result<(), StoreError> {
        let renewed = self.renew_as(Cause::Copied, Some((new, letter))).await;
        match renewed {
            Ok(_) => Ok(()),
            Err(RenewError::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Malformed(Box::new(error))),
        }
    }

    /// Gives the events of an earlier incarnation's lane from `from_n` on new
    /// numbers: the hub holds others under the old ones.
    pub(crate) async fn renumber(&self, stream: Stream, from_n: u64) -> Result<(), StoreError> {
        let Ok(enrolled) = self.inner.enrolled() else {
            return Ok(());
        };
        let (device, present) = enrolled.identity();
        let mut tx = self.inner.store.begin().await?;
        let events = ledger::own_from(tx.conn(), (device, stream), from_n).await?;
        let mut head = ledger::heads(tx.conn(), device, present).await?[stream.lane.index()];
        let rekeyed = rekey(events, present, &mut head)?;
        for new in &rekeyed {
            ledger::renumber(tx.conn(), new).await?;
        }
        incarnation::set_head(tx.conn(), stream.incarnation, stream.lane, from_n - 1).await?;
        *tx.parts().1 = Cache::default();
        let concerned = rekeyed.iter().map(|new| new.event.complaint);
        let concerned: std::collections::BTreeSet<_> = concerned.collect();
        for id in concerned {
            if complaints::get(tx.conn(), id, &Reader::program())
                .await?
                .is_some()
            {
                self.fold_again(&mut tx, &enrolled, id).await?;
            }
        }
        tx.commit().await?;
        self.inner.written.notify_one();
        Ok(())
    }
}

/// How far one incarnation's lanes count as received.
async fn settled(
    tx: &mut WriteTx<'_>,
    device: suda_domain::DeviceId,
    mine: [u64; 4],
    told: Watermarks,
) -> Result<[u64; 4], StoreError> {
    let mut acked = [0; 4];
    for lane in Lane::ALL {
        let at = lane.index();
        let (mine, theirs) = (mine[at], told.watermarks[at]);
        let key = EventKey {
            device,
            incarnation: told.incarnation,
            lane,
            n: mine.min(theirs),
        };
        let here = hub_order::here(tx.conn(), key).await?;
        let here = here.filter(|here| here.own).map(|here| Hash(here.hash));
        acked[at] = agreed(mine, (theirs, told.hashes[at]), here, 0);
    }
    Ok(acked)
}
