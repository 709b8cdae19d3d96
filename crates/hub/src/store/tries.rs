//! What failed tries have come to, under names that say nothing: where several
//! processes serve from one database, all of them count in the same place. The
//! rules are in `status::limits`; a store only keeps the numbers for them.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::Result;

/// A tally nobody has changed for so long is forgotten; no rule remembers longer.
pub const TALLY_KEPT: TimeDelta = TimeDelta::hours(24);
/// Tallies kept in memory at most; the oldest go first.
const REMEMBERED: usize = 20_000;

/// What one name has come to; all zero where nothing is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Tries that failed, or are not known yet to have been right.
    pub failed: u32,
    /// How many are allowed at present, for rules that change that; else 0.
    pub allowed: u32,
    /// When it was changed, or since when it is counted, as its rule has it.
    pub at: DateTime<Utc>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            failed: 0,
            allowed: 0,
            at: DateTime::UNIX_EPOCH,
        }
    }
}

/// Changes the tallies of some names, in the order of the names; says whether
/// what it did is to be kept.
pub type Recount = Box<dyn FnOnce(&mut [Tally]) -> bool + Send>;

#[async_trait]
pub trait Tries {
    /// Reads, changes and keeps tallies without anybody between. A tally left
    /// as it was is not written, one without failures or allowance forgotten.
    /// The first name is the one that all who change several have in common.
    async fn recount(&self, names: Vec<String>, recount: Recount) -> Result<()>;
}

/// Tallies of one process. A restart forgets them.
#[derive(Default)]
pub struct Remembered(Mutex<HashMap<String, Tally>>);

impl Remembered {
    pub fn recount(&self, names: Vec<String>, recount: Recount) {
        let mut known = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        let of = |name| known.get(name).copied().unwrap_or_default();
        let before: Vec<Tally> = names.iter().map(of).collect();
        let mut after = before.clone();
        if !recount(&mut after) {
            return;
        }
        for (name, tally) in names.into_iter().zip(after) {
            if tally.failed == 0 && tally.allowed == 0 {
                known.remove(&name);
            } else {
                known.insert(name, tally);
            }
        }
        shorten(&mut known);
    }
}

/// Half of them go at once, so that a flood of names does not look through all
/// of them for each.
fn shorten(known: &mut HashMap<String, Tally>) {
    if known.len() <= REMEMBERED {
        return;
    }
    let mut times: Vec<_> = known.values().map(|tally| tally.at).collect();
    let middle = times.len() / 2;
    let (_, at, _) = times.select_nth_unstable(middle);
    let at = *at;
    // Many may be of one moment; more than half goes then rather than none.
    known.retain(|_, tally| tally.at > at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_names_does_not_fill_the_memory_and_the_latest_stay() {
        let tallies = Remembered::default();
        let at = |n: i64| DateTime::from_timestamp(n, 0).unwrap_or_default();
        for n in 0..3 * REMEMBERED as i64 {
            tallies.recount(
                vec![n.to_string()],
                Box::new(move |tallies| {
                    tallies[0].failed = 1;
                    tallies[0].at = at(n);
                    true
                }),
            );
        }
        let known = tallies.0.lock().unwrap();
        assert!(known.len() <= REMEMBERED, "{}", known.len());
        assert!(known.contains_key(&(3 * REMEMBERED as i64 - 1).to_string()));
    }
}
