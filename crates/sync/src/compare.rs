//! Whether a desk holds what the hub's log has of its branch: of each day, or of
//! as much of a longer time as one question covers, both sides add up what
//! stands where, and the desk compares (architecture.md, sync, point 6). What
//! differs is read again. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::chain::Hash;

/// Entries one answer adds up at most.
pub const MOST_COMPARED: usize = 2_000;

/// The sum of some entries of the log: the same for the same events at the same
/// places, in whatever order they are added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogSum {
    pub events: u64,
    pub digest: Hash,
}

impl Default for LogSum {
    fn default() -> Self {
        Self {
            events: 0,
            digest: Hash([0; 32]),
        }
    }
}

impl LogSum {
    /// Adds the event with this hash at this place of the hub's log.
    pub fn add(&mut self, seq: u64, hash: Hash) {
        let mut hasher = Sha256::new();
        hasher.update(b"suda place 1\0");
        hasher.update(seq.to_le_bytes());
        hasher.update(hash.0);
        let one: [u8; 32] = hasher.finalize().into();
        for (sum, byte) in self.digest.0.iter_mut().zip(one) {
            *sum ^= byte;
        }
        self.events += 1;
    }
}

/// What the hub's log has of a branch behind `after`, up to `upto`, as the
/// branch is told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    pub epoch: String,
    pub after: u64,
    /// Less than was asked for when there was more than one answer covers.
    pub upto: u64,
    pub sum: LogSum,
}

/// What a desk does after it has compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Up to here both are the same.
    Same { upto: u64 },
    /// The log is to be read again from behind this place.
    ReadAgain { after: u64 },
    /// It was read again and differs still: somebody has to look.
    Differs,
}

/// `was_read_again`: this part was just found different, and has been read since.
pub fn next(told: &Compared, here: LogSum, was_read_again: bool) -> Next {
    let (after, upto) = (told.after, told.upto);
    match (told.sum == here, was_read_again) {
        (true, _) => Next::Same { upto },
        (false, false) => Next::ReadAgain { after },
        (false, true) => Next::Differs,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(entries: &[(u64, [u8; 32])]) -> LogSum {
        let mut sum = LogSum::default();
        for (seq, hash) in entries {
            sum.add(*seq, Hash(*hash));
        }
        sum
    }

    proptest! {
        /// The order of adding makes no difference; a missing, moved, other or
        /// additional entry does.
        #[test]
        fn the_same_log_alone_has_the_same_sum(
            hashes in prop::collection::vec(any::<[u8; 32]>(), 1..40),
            at in any::<prop::sample::Index>(),
            turn in 0_usize..40,
            bit in 0_u8..8,
        ) {
            let log: Vec<(u64, [u8; 32])> = (1..).zip(hashes).collect();
            let at = at.index(log.len());
            let whole = sum(&log);
            let mut turned = log.clone();
            turned.rotate_left(turn % log.len());
            prop_assert_eq!(sum(&turned), whole);
            let mut missing = log.clone();
            missing.remove(at);
            prop_assert_ne!(sum(&missing), whole);
            let mut moved = log.clone();
            moved[at].0 += 1_000;
            prop_assert_ne!(sum(&moved), whole);
            let mut other = log.clone();
            other[at].1[0] ^= 1 << bit;
            prop_assert_ne!(sum(&other), whole);
            let mut more = log.clone();
            more.push((1_000, [7; 32]));
            prop_assert_ne!(sum(&more), whole);
        }
    }

    #[test]
    fn what_differs_is_read_again_once() {
        let told = Compared {
            epoch: "e".into(),
            after: 5,
            upto: 9,
            sum: sum(&[(6, [1; 32])]),
        };
        let here = LogSum::default();
        assert_eq!(next(&told, here, false), Next::ReadAgain { after: 5 });
        assert_eq!(next(&told, here, true), Next::Differs);
        assert_eq!(next(&told, told.sum, true), Next::Same { upto: 9 });
    }
}
