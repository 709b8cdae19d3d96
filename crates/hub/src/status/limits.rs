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

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha512};
use suda_domain::ReferenceNumber;
use suda_sync::SecretKey;
use tokio::sync::oneshot;

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

pub struct Limits {
    /// Makes the names of tallies, the same in every process.
    key: [u8; 64],
    /// Makes the names of addresses in the log this process's own.
    salt: String,
}

/// One try that was let through.
pub struct Try {
    /// Where it is counted; the first is of everybody, where there are three.
    names: Vec<String>,
}

impl Limits {
    pub fn new(key: &SecretKey) -> Self {
        let digest = Sha512::new().chain_update(DOMAIN).chain_update(key.seed());
        Self {
            key: digest.finalize().into(),
            salt: secret::token(),
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
            (Way::Digits(_), None) => vec![self.tally("address", &address)],
            (Way::Digits(_), Some(reference)) => vec![
                ALL.to_owned(),
                self.tally("address", &address),
                self.tally("reference", reference.as_str()),
            ],
        };
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
            Some(wait) => Err(wait),
            None => Ok(Try { names }),
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
        [address] => ADDRESS.begin(address, now).map_err(held(Brake::Address)),
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
                [address] => take_back(address),
                [all, address, reference] => {
                    take_back(all);
                    take_back(address);
                    *reference = Tally::default();
                }
                _ => {}
            }
            true
        };
        store.recount(self.names, Box::new(recount)).await
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
