//! Where an arriving event belongs: the hub's judgement on numbers and hashes,
//! before the rules of the complaint are asked.

use crate::chain::{Hash, SealedEvent};

/// The last event stored of one lane of one device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneHead {
    /// 0 before the first.
    pub n: u64,
    pub hash: Hash,
}

impl LaneHead {
    pub const EMPTY: Self = Self {
        n: 0,
        hash: Hash::START,
    };
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// The next one: store it.
    Next,
    /// Known with the same hash.
    Known,
    /// A number was skipped.
    Gap,
    /// Known number, other contents; or the next number behind another past.
    Forked,
    /// The contents do not give the hash.
    Broken,
}

/// Where the event numbered `n` belongs behind `head`. `known` is the hash
/// stored under that number, when there is one.
pub fn place(head: &LaneHead, n: u64, event: &SealedEvent, known: Option<Hash>) -> Place {
    if n <= head.n {
        return match known {
            Some(hash) if hash == event.hash => Place::Known,
            _ => Place::Forked,
        };
    }
    if n > head.n + 1 {
        return Place::Gap;
    }
    if event.prev != head.hash {
        return Place::Forked;
    }
    if event.hash_fits() {
        Place::Next
    } else {
        Place::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str, prev: Hash) -> SealedEvent {
        let body = format!("\"{text}\"");
        let hash = Hash::link(prev, body.as_bytes());
        SealedEvent::from_parts(body, prev, hash).unwrap()
    }

    #[test]
    fn numbers_and_hashes_decide() {
        let first = event("a", Hash::START);
        let second = event("b", first.hash);
        let head = LaneHead {
            n: 1,
            hash: first.hash,
        };
        assert_eq!(place(&LaneHead::EMPTY, 1, &first, None), Place::Next);
        assert_eq!(place(&head, 2, &second, None), Place::Next);
        assert_eq!(place(&head, 1, &first, Some(first.hash)), Place::Known);
        assert_eq!(
            place(&head, 1, &event("c", Hash::START), Some(first.hash)),
            Place::Forked
        );
        assert_eq!(place(&head, 3, &second, None), Place::Gap);
        assert_eq!(
            place(&head, 2, &event("d", Hash::START), None),
            Place::Forked
        );
        let broken = SealedEvent {
            hash: first.hash,
            ..second
        };
        assert_eq!(place(&head, 2, &broken, None), Place::Broken);
    }
}
