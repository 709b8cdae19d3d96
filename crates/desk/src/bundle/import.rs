//! Taking the hub's receipts in. They only ever raise what is known to be at
//! the hub, and never beyond what a receipt proves: files come twice, late, in
//! any order, and from before a backup was put back.

use std::io::Read as _;
use std::path::Path;

use suda_domain::EventKey;
use suda_sync::bundle::{LaneStanding, MOST_BYTES, OpenError, Standing, Word, open_words};
use suda_sync::desk::Stream;
use suda_sync::{Receipt, Signed, Verdict};

use super::export::count;
use super::{BundleError, ReceiptsReport};
use crate::clock::to_ms;
use crate::desk::{Change, Desk, Enrolled};
use crate::store::{StoreError, WriteTx, hub_order, incarnation, outbox, parcels};

impl Desk {
    /// Takes a file of receipts in.
    pub async fn import_bundle(&self, file: &Path) -> Result<ReceiptsReport, BundleError> {
        let parcel = read(file).map_err(|source| BundleError::Unreadable {
            path: file.to_owned(),
            source,
        })?;
        self.take_receipts(&parcel).await
    }

    /// Takes the bytes of such a file in.
    pub async fn take_receipts(&self, parcel: &[u8]) -> Result<ReceiptsReport, BundleError> {
        let enrolled = self.inner.enrolled()?;
        let words = words(&enrolled, parcel)?;
        let before = self.report().await?.unsent.events();
        let mut tx = self.inner.store.begin().await?;
        let epoch = outbox::link(tx.conn()).await?.epoch;
        let mut receipts = 0;
        let mut taken = 0;
        let mut renewed = None;
        for (signed, word) in &words {
            receipts += u64::from(matches!(word, Word::Receipt(_)));
            // Its hub may since have forgotten what it says: a hub put back
            // from a backup has another epoch.
            if Some(epoch_of(word)) != epoch.as_deref() {
                continue;
            }
            taken += 1;
            match word {
                Word::Receipt(receipt) => take(&mut tx, &enrolled, receipt, signed).await?,
                Word::Standing(standing) => stand(&mut tx, &enrolled, standing).await?,
                Word::Renewal(renewal) => renewed = Some(renewal),
            }
        }
        tx.commit().await?;
        if taken == 0 && !words.is_empty() {
            return Err(BundleError::OtherEpoch);
        }
        if let Some(renewal) = renewed.filter(|word| word.from == enrolled.identity().1) {
            let letter = renewal.letter.clone();
            self.go_on_as(renewal.incarnation, letter).await?;
        }
        let valid = words
            .iter()
            .filter(|(_, word)| Some(epoch_of(word)) == epoch.as_deref());
        for (stream, from_n) in valid.filter_map(|(_, word)| fork(word)) {
            self.give_new_numbers(stream, from_n).await?;
        }
        self.inner.tell(Change::Status);
        self.inner.tell(Change::Cases);
        let left = self.report().await?.unsent.events();
        Ok(ReceiptsReport {
            receipts: count(receipts),
            confirmed: count(before.saturating_sub(left)),
            left: count(left),
        })
    }
}

impl Desk {
    /// Of an earlier incarnation's events only, and only of those that still
    /// wait: the same receipts may come a second time.
    async fn give_new_numbers(&self, stream: Stream, from_n: u64) -> Result<(), StoreError> {
        let mut conn = self.inner.store.read().await?;
        let past = incarnation::past(&mut conn).await?;
        drop(conn);
        let lane = stream.lane.index();
        let waits = past
            .get(&stream.incarnation)
            .is_some_and(|past| past.acked[lane] < from_n && from_n <= past.heads[lane]);
        if !waits {
            return Ok(());
        }
        self.renumber(stream, from_n).await
    }
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut parcel = Vec::new();
    let open = std::fs::File::open(file)?;
    open.take(MOST_BYTES as u64 + 1).read_to_end(&mut parcel)?;
    Ok(parcel)
}

/// What the hub says to this desk, each word as it was signed.
fn words(enrolled: &Enrolled, parcel: &[u8]) -> Result<Vec<(Signed, Word)>, BundleError> {
    let device = &enrolled.device;
    let mut words = Vec::new();
    for signed in open_words(parcel, &device.secret.public())? {
        if !signed.is_from(&device.hub_key) {
            return Err(BundleError::ForeignHub);
        }
        let word: Word = signed.peek().map_err(|_| OpenError::Unreadable)?;
        let to = match &word {
            Word::Receipt(receipt) => receipt.device,
            Word::Standing(standing) => standing.device,
            Word::Renewal(renewal) => renewal.device,
        };
        if to != device.device {
            return Err(OpenError::ForAnother.into());
        }
        words.push((signed, word));
    }
    Ok(words)
}

fn epoch_of(word: &Word) -> &str {
    match word {
        Word::Receipt(receipt) => &receipt.epoch,
        Word::Standing(standing) => &standing.epoch,
        Word::Renewal(renewal) => &renewal.epoch,
    }
}

/// Where a receipt says that the hub holds another event under the number.
fn fork(word: &Word) -> Option<(Stream, u64)> {
    let Word::Receipt(receipt) = word else {
        return None;
    };
    let stream = Stream {
        incarnation: receipt.incarnation,
        lane: receipt.lane,
    };
    forked_at(receipt).map(|at| (stream, receipt.first_n + at))
}

/// How many events of a receipt stand before the first forked one.
fn forked_at(receipt: &Receipt) -> Option<u64> {
    let mut verdicts = receipt.verdicts.iter();
    let at = verdicts.position(|verdict| *verdict == Verdict::Forked)?;
    Some(at as u64)
}

/// A receipt speaks of the events it was asked about, and of those before them
/// only when they were receipted already.
async fn take(
    tx: &mut WriteTx<'_>,
    enrolled: &Enrolled,
    receipt: &Receipt,
    signed: &Signed,
) -> Result<(), StoreError> {
    let (lane, present) = (receipt.lane, enrolled.identity().1);
    let receipted = incarnation::receipted(tx.conn(), present).await?;
    let counted = forked_at(receipt).unwrap_or(receipt.verdicts.len() as u64);
    let sent = (receipt.first_n + counted).saturating_sub(1);
    let n = receipt.watermarks[lane.index()].min(sent);
    let reaches = |n| receipted.reaches(receipt.incarnation, lane, n);
    let adjoins = receipt.first_n <= 1 || reaches(receipt.first_n - 1);
    if !adjoins || reaches(n) {
        return Ok(());
    }
    if receipt.incarnation == present {
        parcels::keep_receipt(tx.conn(), receipt, signed).await?;
    }
    let at_ms = to_ms(receipt.at);
    parcels::confirm(tx.conn(), receipt.incarnation, lane, n, at_ms).await
}

/// The hub names its last event of each lane: if that is this desk's too, the
/// hub has all before it, as each event holds the hash of the one before.
async fn stand(
    tx: &mut WriteTx<'_>,
    enrolled: &Enrolled,
    standing: &Standing,
) -> Result<(), StoreError> {
    let (device, present) = enrolled.identity();
    let receipted = incarnation::receipted(tx.conn(), present).await?;
    for LaneStanding { lane, n, hash } in &standing.lanes {
        if receipted.reaches(standing.incarnation, *lane, *n) {
            continue;
        }
        let key = EventKey {
            device,
            incarnation: standing.incarnation,
            lane: *lane,
            n: *n,
        };
        let here = hub_order::here(tx.conn(), key).await?;
        if here.is_some_and(|here| here.own && here.hash == hash.0) {
            let at_ms = to_ms(standing.at);
            parcels::confirm(tx.conn(), standing.incarnation, *lane, *n, at_ms).await?;
        }
    }
    Ok(())
}
