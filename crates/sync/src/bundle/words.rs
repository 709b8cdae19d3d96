//! What the hub's words in a parcel mean to the desk they are for: whose they
//! are, and how far each lane counts as received by them. Words come twice,
//! late, in any order, to the wrong desk, and from before a backup was put
//! back; they only ever raise what is known to be at the hub, and never beyond
//! what they prove.

use suda_domain::{DeviceId, Lane};

use super::{LaneStanding, OpenError, Word, open_words};
use crate::chain::Hash;
use crate::desk::Stream;
use crate::message::{Receipt, Verdict};
use crate::sign::{PublicKey, Signed};

/// Why a parcel of words is not taken in. Nothing of it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WordsError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the receipts are not signed by the hub this computer is enrolled at")]
    ForeignHub,
}

/// What the hub whose key is `hub` says to a device, each word as it was signed.
pub fn words_to(
    (device, key): (DeviceId, &PublicKey),
    hub: &PublicKey,
    parcel: &[u8],
) -> Result<Vec<(Signed, Word)>, WordsError> {
    let mut words = Vec::new();
    for signed in open_words(parcel, key)? {
        if !signed.is_from(hub) {
            return Err(WordsError::ForeignHub);
        }
        let word: Word = signed.peek().map_err(|_| OpenError::Unreadable)?;
        if word.device() != device {
            return Err(OpenError::ForAnother.into());
        }
        words.push((signed, word));
    }
    Ok(words)
}

impl Word {
    /// Whom it is for.
    pub fn device(&self) -> DeviceId {
        match self {
            Self::Receipt(receipt) => receipt.device,
            Self::Standing(standing) => standing.device,
            Self::Renewal(renewal) => renewal.device,
        }
    }

    /// The epoch of the hub that says it. A hub put back from a backup has
    /// another, and may have forgotten what it said under this one.
    pub fn epoch(&self) -> &str {
        match self {
            Self::Receipt(receipt) => &receipt.epoch,
            Self::Standing(standing) => &standing.epoch,
            Self::Renewal(renewal) => &renewal.epoch,
        }
    }

    /// Where a receipt says that the hub holds another event under the number.
    pub fn fork(&self) -> Option<(Stream, u64)> {
        let Self::Receipt(receipt) = self else {
            return None;
        };
        let stream = Stream {
            incarnation: receipt.incarnation,
            lane: receipt.lane,
        };
        forked_at(receipt).map(|at| (stream, receipt.first_n + at))
    }
}

/// How far a batch is at the hub, with the hash of the last event that is: the
/// hub's receipt alone does not tell whose events it speaks of, and a copy of the
/// desk's database may have written others under the same numbers. `first_n` is
/// the batch's first number, `hashes` those of its events.
pub fn reached(
    lane: Lane,
    first_n: u64,
    hashes: impl IntoIterator<Item = Hash>,
    verdicts: &[Verdict],
) -> Option<LaneStanding> {
    let is_there = |verdict: &Verdict| !matches!(verdict, Verdict::Gap | Verdict::Forked);
    let numbered = (first_n..).zip(hashes).zip(verdicts);
    let there = numbered.take_while(|(_, verdict)| is_there(verdict));
    there
        .last()
        .map(|((n, hash), _)| LaneStanding { lane, n, hash })
}

/// How many events of a receipt stand before the first forked one.
fn forked_at(receipt: &Receipt) -> Option<u64> {
    let mut verdicts = receipt.verdicts.iter();
    let at = verdicts.position(|verdict| *verdict == Verdict::Forked)?;
    Some(at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_at_the_hub_up_to_its_first_fork_or_gap_and_by_its_own_hashes() {
        let hash = |n: u8| Hash([n; 32]);
        let upto = |verdicts: &[Verdict]| {
            let lane = reached(Lane::Ordinary, 5, [5, 6, 7].map(hash), verdicts)?;
            Some((lane.n, lane.hash))
        };
        use Verdict::{Applied, Duplicate, Forked, Gap, Held};
        assert_eq!(upto(&[Duplicate, Held, Applied]), Some((7, hash(7))));
        assert_eq!(upto(&[Duplicate, Forked, Forked]), Some((5, hash(5))));
        assert_eq!(upto(&[Gap, Gap, Gap]), None);
    }
}
