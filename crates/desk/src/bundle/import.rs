//! Taking the hub's receipts in. They only ever raise what is known to be at
//! the hub, and never beyond what a receipt proves: files come twice, late, in
//! any order, and from before a backup was put back.

use std::io::Read as _;
use std::path::Path;

use suda_domain::EventKey;
use suda_sync::bundle::{LaneStanding, MOST_BYTES, Standing, Word, WordsError, words_to};
use suda_sync::desk::Stream;
use suda_sync::{Receipt, Signed};

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
        // Its hub may since have forgotten what it says: a hub put back from a
        // backup has another epoch.
        let is_valid = |word: &Word| Some(word.epoch()) == epoch.as_deref();
        for (_, word) in &words {
            receipts += u64::from(matches!(word, Word::Receipt(_)));
            if !is_valid(word) {
                continue;
            }
            taken += 1;
            match word {
                Word::Receipt(_) => {}
                Word::Standing(standing) => stand(&mut tx, &enrolled, standing).await?,
                Word::Renewal(renewal) => renewed = Some(renewal),
            }
        }
        for (signed, word) in words.iter().filter(|(_, word)| is_valid(word)) {
            if let Word::Receipt(receipt) = word {
                keep(&mut tx, &enrolled, receipt, signed).await?;
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
        let valid = words.iter().filter(|(_, word)| is_valid(word));
        for (stream, from_n) in valid.filter_map(|(_, word)| word.fork()) {
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
    let to = (device.device, &device.secret.public());
    words_to(to, &device.hub_key, parcel).map_err(|error| match error {
        WordsError::Open(error) => error.into(),
        WordsError::ForeignHub => BundleError::ForeignHub,
    })
}

/// The receipt is kept as the proof of what the hub's standings have confirmed:
/// it does not itself tell whose events it speaks of, and a copy of these data
/// may have written others under the same numbers.
async fn keep(
    tx: &mut WriteTx<'_>,
    enrolled: &Enrolled,
    receipt: &Receipt,
    signed: &Signed,
) -> Result<(), StoreError> {
    let (lane, present) = (receipt.lane, enrolled.identity().1);
    let receipted = incarnation::receipted(tx.conn(), present).await?;
    let last = (receipt.first_n + receipt.verdicts.len() as u64).saturating_sub(1);
    let n = receipt.watermarks[lane.index()].min(last);
    if receipt.incarnation == present && n > 0 && receipted.reaches(present, lane, n) {
        parcels::keep_receipt(tx.conn(), receipt, signed).await?;
    }
    Ok(())
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
