//! Brakes on guessing at the status page. Four digits are guessed in 10,000
//! tries, so tries are what is scarce: of one address, of one reference
//! number, and of everybody together. Each try counts as wrong before it is
//! looked at and is taken back when it was right.
//!
//! The store keeps the numbers, so that processes on one database count
//! together; under names made with the hub's key, which say nothing to who reads
//! the database. On SQLite they are in memory, and a restart forgives.
//!
//! The key of a receipt has 74 bits and cannot be guessed: who has it is held
//! up by nobody's guesses at digits, only by wrong keys from their address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha512};
use suda_domain::ReferenceNumber;
use suda_sync::SecretKey;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use super::address::counted;
use super::way::Way;
use crate::guard::{PauseRule, ShrinkingRule};
use crate::secret;
use crate::store::tries::{Tally, Tries};
use crate::store::{Result, StoreError};

/// Many customers of a mobile network share one address.
const ADDRESS: PauseRule = PauseRule {
    free: 12,
    longest_s: 15 * 60,
    forgotten: TimeDelta::hours(1),
};
/// At most 38 guesses at one number in a day: its digits last for months.
const REFERENCE: PauseRule = PauseRule {
    free: 5,
    longest_s: 60 * 60,
    forgotten: TimeDelta::hours(24),
};
/// Wrong tries a minute of everybody together, less while they keep coming:
/// a thousand computers find fewer than one case a day.
const EVERYBODY: u32 = 40;

/// Which brake held somebody up. For the log and the counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Brake {
    Address,
    Reference,
    Everybody,
}

impl Brake {
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Reference => "reference",
            Self::Everybody => "everybody",
        }
    }
}

/// Told to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    pub brake: Brake,
    pub seconds: i64,
}

const EVERYBODYS: ShrinkingRule = ShrinkingRule { full: EVERYBODY };
/// The name of the tally of everybody together.
const ALL: &str = "all";
const DOMAIN: &[u8] = b"suda status tries 1";
/// Tries of this process that may be counted at once. All who guess wait for
/// one another in the store, each with a connection: a flood of them must leave
/// the others to the staff.
const COUNTED_AT_ONCE: usize = 2;
/// Who was told to wait is refused for so long without asking the store. Short,
/// because another process may have learnt in between that somebody was right.
const REFUSED_UNASKED: TimeDelta = TimeDelta::seconds(2);
/// Names that are refused unasked at most; further ones are asked for.
const REFUSED_AT_MOST: usize = 1_000;

pub struct Limits {
    /// Makes the names of tallies, the same in every process.
    key: [u8; 64],
    /// Makes the names of addresses in the log this process's own.
    salt: String,
    gate: Arc<Gate>,
}

/// One try that was let through.
pub struct Try {
    /// Where it is counted; the first is of everybody, where there are several.
    names: Vec<String>,
    gate: Arc<Gate>,
}

/// What stands before the store in one process.
struct Gate {
    places: Semaphore,
    refused: Mutex<HashMap<String, Refusal>>,
}

/// What the store has said of a name.
#[derive(Clone, Copy)]
struct Refusal {
    brake: Brake,
    said: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Refusal {
    /// How long to wait yet, while what the store has said still counts.
    fn wait(self, now: DateTime<Utc>) -> Option<Wait> {
        let left = (self.until - now).num_milliseconds();
        let counts = left > 0 && (now - self.said).abs() < REFUSED_UNASKED;
        counts.then_some(Wait {
            brake: self.brake,
            seconds: (left + 999) / 1000,
        })
    }
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            places: Semaphore::new(COUNTED_AT_ONCE),
            refused: Mutex::default(),
        })
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>> {
        self.places.acquire().await.map_err(|_| StoreError::Busy)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<String, Refusal>> {
        self.refused
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    /// Whether one of the names is to wait yet, as far as is known here.
    fn wait(&self, names: &[String], now: DateTime<Utc>) -> Option<Wait> {
        let refused = self.refused();
        let mut of_names = judged(names).iter().filter_map(|name| refused.get(name));
        of_names.find_map(|refusal| refusal.wait(now))
    }

    fn remember(&self, names: &[String], wait: Wait, now: DateTime<Utc>) {
        let name = match (wait.brake, names) {
            (Brake::Everybody, [all, ..]) => all,
            (Brake::Address, [address] | [_, address, ..]) => address,
            (Brake::Reference, [_, _, reference]) => reference,
            _ => return,
        };
        let mut refused = self.refused();
        if refused.len() >= REFUSED_AT_MOST {
            refused.retain(|_, refusal| refusal.wait(now).is_some());
        }
        if refused.len() < REFUSED_AT_MOST {
            let refusal = Refusal {
                brake: wait.brake,
                said: now,
                until: now + TimeDelta::seconds(wait.seconds),
            };
            refused.insert(name.clone(), refusal);
        }
    }

    fn forget(&self, names: &[String]) {
        let mut refused = self.refused();
        for name in names {
            refused.remove(name);
        }
    }
}

/// The names that can hold a try up: without a number, everybody's does not.
fn judged(names: &[String]) -> &[String] {
    match names {
        [_all, address] => std::slice::from_ref(address),
        names => names,
    }
}

impl Limits {
    pub fn new(key: &SecretKey) -> Self {
        let digest = Sha512::new().chain_update(DOMAIN).chain_update(key.seed());
        Self {
            key: digest.finalize().into(),
            salt: secret::token(),
            gate: Gate::new(),
        }
    }

    /// Lets a try through, counted as wrong, or says how long to wait.
    pub async fn begin(
        &self,
        store: &(impl Tries + ?Sized),
        from: IpAddr,
        reference: Option<&ReferenceNumber>,
        way: &Way,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<Try, Wait>> {
        let address = counted(from);
        // What is no number at all is no guess at anybody's.
        let guessed = reference.filter(|_| matches!(way, Way::Digits(_)));
        let names = match (way, guessed) {
            (Way::Key(_), _) => vec![self.tally("key", &address)],
            // Everybody's is not counted in, but first all the same: who comes
            // with a number changes the address under that lock.
            (Way::Digits(_), None) => vec![ALL.to_owned(), self.tally("address", &address)],
            (Way::Digits(_), Some(reference)) => vec![
                ALL.to_owned(),
                self.tally("address", &address),
                self.tally("reference", reference.as_str()),
            ],
        };
        let refused = || self.gate.wait(&names, now);
        if let Some(wait) = refused() {
            return Ok(Err(wait));
        }
        let _place = self.gate.place().await?;
        // Those who had the place before may have learnt it.
        if let Some(wait) = refused() {
            return Ok(Err(wait));
        }
        let (tell, told) = oneshot::channel();
        let recount = move |tallies: &mut [Tally]| {
            let judged = judge(tallies, now);
            // Who asked may have gone.
            let _gone = tell.send(judged.err());
            judged.is_ok()
        };
        store.recount(names.clone(), Box::new(recount)).await?;
        let held = told.await.map_err(|_| StoreError::Busy)?;
        Ok(match held {
            Some(wait) => {
                self.gate.remember(&names, wait, now);
                Err(wait)
            }
            None => Ok(Try {
                names,
                gate: Arc::clone(&self.gate),
            }),
        })
    }

    fn tally(&self, kind: &str, of: &str) -> String {
        let digest = Sha512::new().chain_update(self.key);
        let digest = digest.chain_update(format!("{kind} {of}")).finalize();
        digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
    }

    /// An address in the log: the same within this process, and nobody's name.
    pub fn name_of(&self, from: IpAddr) -> String {
        let digest = secret::digest(&format!("{}{}", self.salt, counted(from)));
        digest.iter().take(4).map(|b| format!("{b:02x}")).collect()
    }
}

/// Counts in all of them, or says which holds it up; then none is to be kept.
fn judge(tallies: &mut [Tally], now: DateTime<Utc>) -> std::result::Result<(), Wait> {
    let held = |brake| move |seconds| Wait { brake, seconds };
    match tallies {
        [address] | [_, address] => ADDRESS.begin(address, now).map_err(held(Brake::Address)),
        [all, address, reference] => {
            let begun = ADDRESS.begin(address, now);
            begun.map_err(held(Brake::Address))?;
            let begun = REFERENCE.begin(reference, now);
            begun.map_err(held(Brake::Reference))?;
            EVERYBODYS.begin(all, now).map_err(held(Brake::Everybody))
        }
        _ => Ok(()),
    }
}

impl Try {
    /// It was right. Earlier wrong ones of the address stay, or whoever has one
    /// complaint of their own could guess at others' for ever.
    pub async fn was_right(self, store: &(impl Tries + ?Sized)) -> Result<()> {
        let recount = |tallies: &mut [Tally]| {
            let take_back = |tally: &mut Tally| tally.failed = tally.failed.saturating_sub(1);
            match tallies {
                [address] | [_, address] => take_back(address),
                [all, address, reference] => {
                    take_back(all);
                    take_back(address);
                    *reference = Tally::default();
                }
                _ => {}
            }
            true
        };
        let _place = self.gate.place().await?;
        store.recount(self.names.clone(), Box::new(recount)).await?;
        self.gate.forget(&self.names);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::store::tries::{Recount, Remembered};

    fn number(running: u32) -> ReferenceNumber {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
        ReferenceNumber::compose(&"CQ0123".parse().unwrap(), date, "A", running).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-07-21T02:00:00Z".parse().unwrap()
    }

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(n))
    }

    fn digits() -> Way {
        Way::Digits("0000".into())
    }

    /// One process with its own memory.
    #[derive(Default)]
    struct Memory(Remembered);

    #[async_trait]
    impl Tries for Memory {
        async fn recount(&self, names: Vec<String>, recount: Recount) -> Result<()> {
            self.0.recount(names, recount);
            Ok(())
        }
    }

    struct Door(Limits, Memory);

    impl Door {
        fn new() -> Self {
            let limits = Limits::new(&SecretKey::from_seed([7; 32]));
            Self(limits, Memory::default())
        }

        async fn begin(
            &self,
            from: IpAddr,
            number: &ReferenceNumber,
            way: &Way,
            now: DateTime<Utc>,
        ) -> std::result::Result<Try, Wait> {
            let begun = self.0.begin(&self.1, from, Some(number), way, now);
            begun.await.unwrap()
        }

        async fn brake(&self, from: IpAddr, number: &ReferenceNumber) -> Option<Brake> {
            let begun = self.begin(from, number, &digits(), now()).await;
            begun.err().map(|wait| wait.brake)
        }
    }

    #[tokio::test]
    async fn one_number_is_held_whoever_asks_and_its_key_still_opens() {
        let door = Door::new();
        let number = number(1);
        for n in 0..5 {
            assert_eq!(door.brake(address(n), &number).await, None);
        }
        let sixth = door.brake(address(9), &number).await;
        assert_eq!(sixth, Some(Brake::Reference));
        let key = Way::Key("2Z287BUXU7GBJCRB".into());
        let by_key = door.begin(address(9), &number, &key, now()).await;
        assert!(by_key.is_ok());
    }

    #[tokio::test]
    async fn one_address_is_held_whatever_it_asks_and_cannot_wash_itself() {
        let door = Door::new();
        for n in 0..12 {
            assert_eq!(door.brake(address(1), &number(n + 1)).await, None);
        }
        let held = door.brake(address(1), &number(99)).await;
        assert_eq!(held, Some(Brake::Address));
        let later = now() + TimeDelta::seconds(2);
        let own = door.begin(address(1), &number(100), &digits(), later).await;
        own.ok().unwrap().was_right(&door.1).await.unwrap();
        let again = door.begin(address(1), &number(101), &digits(), later).await;
        assert_eq!(again.err().map(|wait| wait.brake), Some(Brake::Address));
    }

    #[tokio::test]
    async fn who_is_right_clears_the_number_for_whoever_it_belongs_to() {
        let door = Door::new();
        for _ in 0..4 {
            assert_eq!(door.brake(address(1), &number(1)).await, None);
        }
        let own = door.begin(address(2), &number(1), &digits(), now()).await;
        own.ok().unwrap().was_right(&door.1).await.unwrap();
        for n in 3..8 {
            assert_eq!(door.brake(address(n), &number(1)).await, None);
        }
        let held = door.brake(address(9), &number(1)).await;
        assert_eq!(held, Some(Brake::Reference));
    }

    #[tokio::test]
    async fn everybody_together_is_held() {
        let door = Door::new();
        let mut held = 0;
        for n in 0..100 {
            let brake = door.brake(address(n), &number(n + 1)).await;
            held += u32::from(brake == Some(Brake::Everybody));
        }
        assert_eq!(held, 60);
    }

    #[tokio::test]
    async fn names_of_tallies_hold_neither_address_nor_number() {
        let limits = Limits::new(&SecretKey::from_seed([7; 32]));
        let other = Limits::new(&SecretKey::from_seed([8; 32]));
        let name = limits.tally("address", "10.0.0.1");
        assert!(name.len() == 32 && name.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(name, other.tally("address", "10.0.0.1"));
    }
}
