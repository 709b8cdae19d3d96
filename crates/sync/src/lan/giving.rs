//! What a desk gives its mailbox: everything without a receipt that the mailbox
//! does not hold already.

use std::collections::BTreeMap;

use suda_domain::Lane;

use super::Held;
use crate::chain::Hash;
use crate::desk::Stream;

/// How far the mailbox holds this desk's streams, as a connection has told.
#[derive(Clone, Debug, Default)]
pub struct Given(BTreeMap<(u32, Lane), Upto>);

#[derive(Clone, Copy, Debug, Default)]
struct Upto {
    /// The mailbox holds nothing before this number.
    first: u64,
    given: u64,
    /// The receipts reached this far when it was looked at last.
    acked: u64,
}

impl Given {
    /// What the mailbox says it holds, each with the hash of the own event under
    /// that number: of another database's events this desk's own may differ.
    pub fn told(held: impl IntoIterator<Item = (Held, Option<Hash>)>) -> Self {
        let same = held
            .into_iter()
            .filter(|(held, here)| *here == Some(held.hash));
        let given = same.map(|(held, _)| {
            let upto = Upto {
                first: held.first_n,
                given: held.n,
                acked: 0,
            };
            ((held.incarnation, held.lane), upto)
        });
        Self(given.collect())
    }

    /// The number behind which the stream is to be given. A hub put back from a
    /// backup has forgotten what it receipted, and the mailbox has let go of it:
    /// then everything without a receipt is given again.
    pub fn after(&mut self, stream: Stream, acked: u64) -> u64 {
        let upto = self.0.entry((stream.incarnation, stream.lane)).or_default();
        if acked < upto.acked || upto.first > acked + 1 {
            (upto.first, upto.given) = (0, acked);
        }
        upto.acked = acked;
        upto.given.max(acked)
    }

    /// The mailbox has stored the stream up to this number.
    pub fn kept(&mut self, stream: Stream, last_n: u64) {
        let upto = self.0.entry((stream.incarnation, stream.lane)).or_default();
        upto.given = last_n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream {
        incarnation: 1,
        lane: Lane::Ordinary,
    };

    fn held(n: u64) -> Held {
        Held {
            incarnation: STREAM.incarnation,
            lane: STREAM.lane,
            first_n: 1,
            n,
            hash: Hash([1; 32]),
        }
    }

    #[test]
    fn what_the_mailbox_has_let_go_of_before_what_it_holds_is_given_again() {
        let same = Some(Hash([1; 32]));
        let from_6 = Held {
            first_n: 6,
            ..held(7)
        };
        assert_eq!(Given::told([(from_6, same)]).after(STREAM, 5), 7);
        assert_eq!(Given::told([(from_6, same)]).after(STREAM, 4), 4);
    }

    #[test]
    fn what_the_mailbox_holds_of_another_database_is_given_again() {
        let same = Some(Hash([1; 32]));
        assert_eq!(Given::told([(held(7), same)]).after(STREAM, 3), 7);
        let other = Some(Hash([2; 32]));
        assert_eq!(Given::told([(held(7), other)]).after(STREAM, 3), 3);
        assert_eq!(Given::told([(held(7), None)]).after(STREAM, 3), 3);
    }

    #[test]
    fn what_a_hub_put_back_has_forgotten_is_given_again() {
        let mut given = Given::default();
        given.kept(STREAM, 9);
        assert_eq!(given.after(STREAM, 8), 9);
        assert_eq!(given.after(STREAM, 4), 4);
        given.kept(STREAM, 9);
        assert_eq!(given.after(STREAM, 4), 9);
    }
}
