//! Whether the hub finds a copied database when the second of the two says
//! hello for the first time after the first has used its session.

use super::*;

/// Two databases with one identity, until the hub has told them apart.
pub(super) struct Pair {
    desks: [usize; 2],
    /// Who was welcomed last, and whether they have used a session since the copying.
    welcomed: Option<(usize, bool)>,
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Found,
    Missed,
    /// The hub was put back and judges nobody.
    Unjudged,
}

impl Pair {
    /// `is_judged` is whether the hub, as it is, has spoken to the first.
    pub(super) fn new(desks: [usize; 2], is_judged: bool) -> Self {
        Self {
            desks,
            welcomed: None,
            outcome: (!is_judged).then_some(Outcome::Unjudged),
        }
    }

    fn observe(&mut self, desk: usize, is_hello: bool, reply: &Reply) {
        match reply {
            Reply::Refused(Refused::Renew { .. }) => self.outcome = Some(Outcome::Found),
            Reply::Refused(_) => {}
            Reply::Welcome(_) => match self.welcomed {
                Some((first, true)) if first != desk => self.outcome = Some(Outcome::Missed),
                Some((first, used)) if first == desk => self.welcomed = Some((desk, used)),
                _ => self.welcomed = Some((desk, false)),
            },
            _ if !is_hello => {
                if let Some((first, used)) = &mut self.welcomed
                    && *first == desk
                {
                    *used = true;
                }
            }
            _ => {}
        }
    }
}

impl World {
    /// The hub has answered `desk`.
    pub(super) fn watch_clones(&mut self, desk: usize, is_hello: bool, reply: &Reply) {
        let of = |pair: &&mut Pair| pair.outcome.is_none() && pair.desks.contains(&desk);
        for pair in self.pairs.iter_mut().filter(of) {
            pair.observe(desk, is_hello, reply);
            match pair.outcome {
                Some(Outcome::Found) => self.counts.copies_found += 1,
                Some(Outcome::Missed) => self.counts.copies_missed += 1,
                Some(Outcome::Unjudged) | None => {}
            }
        }
    }

    /// The hub will not have to find this one at its hello: by words it was told
    /// that it is a copy, or it was put back to before the hub was.
    pub(super) fn not_to_be_found(&mut self, desk: usize) {
        let of = |pair: &&mut Pair| pair.outcome.is_none() && pair.desks.contains(&desk);
        for pair in self.pairs.iter_mut().filter(of) {
            pair.outcome = Some(Outcome::Unjudged);
        }
    }

    pub(super) fn clones_unjudged(&mut self) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.outcome.is_none()) {
            pair.outcome = Some(Outcome::Unjudged);
        }
    }
}
