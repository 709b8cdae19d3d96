//! Brakes on guessing at the status page. Four digits are guessed in 10,000
//! tries, so tries are what is scarce: of one address, of one reference
//! number, and of everybody together. Each try counts as wrong before it is
//! looked at and is taken back when it was right.
//!
//! The key of a receipt has 74 bits and cannot be guessed: who has it is held
//! up by nobody's guesses at digits, only by wrong keys from their address.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::ReferenceNumber;

use super::address::counted;
use super::way::Way;
use crate::guard::{PauseRule, Pauses, Shrinking};
use crate::secret;

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

pub struct Limits {
    addresses: Pauses,
    /// By address, of those who show keys.
    keys: Pauses,
    references: Pauses,
    everybody: Shrinking,
    /// Makes the names of addresses in the log this process's own.
    salt: String,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            addresses: Pauses::new(ADDRESS),
            keys: Pauses::new(ADDRESS),
            references: Pauses::new(REFERENCE),
            everybody: Shrinking::new(EVERYBODY),
            salt: secret::token(),
        }
    }
}

/// One try that was let through.
pub struct Try<'l> {
    limits: &'l Limits,
    /// Where the address is counted.
    addresses: &'l Pauses,
    address: String,
    reference: Option<String>,
}

impl Limits {
    /// Lets a try through, counted as wrong, or says how long to wait.
    pub fn begin(
        &self,
        from: IpAddr,
        reference: Option<&ReferenceNumber>,
        way: &Way,
        now: DateTime<Utc>,
    ) -> Result<Try<'_>, Wait> {
        let address = counted(from);
        let held = |brake| move |seconds| Wait { brake, seconds };
        let addresses = match way {
            Way::Digits(_) => &self.addresses,
            Way::Key(_) => &self.keys,
        };
        let begun = addresses.begin(&address, now);
        begun.map_err(held(Brake::Address))?;
        // What is no number at all is no guess at anybody's.
        let guessed = reference.filter(|_| matches!(way, Way::Digits(_)));
        let Some(reference) = guessed.map(ReferenceNumber::to_string) else {
            return Ok(Try {
                limits: self,
                addresses,
                address,
                reference: None,
            });
        };
        if let Err(seconds) = self.references.begin(&reference, now) {
            addresses.take_back(&address);
            return Err(held(Brake::Reference)(seconds));
        }
        if let Err(seconds) = self.everybody.begin(now) {
            addresses.take_back(&address);
            self.references.take_back(&reference);
            return Err(held(Brake::Everybody)(seconds));
        }
        Ok(Try {
            limits: self,
            addresses,
            address,
            reference: Some(reference),
        })
    }

    /// An address in the log: the same within this process, and nobody's name.
    pub fn name_of(&self, from: IpAddr) -> String {
        let digest = secret::digest(&format!("{}{}", self.salt, counted(from)));
        digest.iter().take(4).map(|b| format!("{b:02x}")).collect()
    }
}

impl Try<'_> {
    /// It was right. Earlier wrong ones of the address stay, or whoever has one
    /// complaint of their own could guess at others' for ever.
    pub fn was_right(self) {
        self.addresses.take_back(&self.address);
        if let Some(reference) = &self.reference {
            self.limits.references.succeeded(reference);
            self.limits.everybody.take_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn brake(of: Result<Try<'_>, Wait>) -> Option<Brake> {
        of.err().map(|wait| wait.brake)
    }

    #[test]
    fn one_number_is_held_whoever_asks_and_its_key_still_opens() {
        let limits = Limits::default();
        let number = number(1);
        for n in 0..5 {
            let one = limits.begin(address(n), Some(&number), &digits(), now());
            assert_eq!(brake(one), None);
        }
        let sixth = limits.begin(address(9), Some(&number), &digits(), now());
        assert_eq!(brake(sixth), Some(Brake::Reference));
        let key = Way::Key("2Z287BUXU7GBJCRB".into());
        assert_eq!(
            brake(limits.begin(address(9), Some(&number), &key, now())),
            None
        );
    }

    #[test]
    fn one_address_is_held_whatever_it_asks_and_cannot_wash_itself() {
        let limits = Limits::default();
        for n in 0..12 {
            let wrong = limits.begin(address(1), Some(&number(n + 1)), &digits(), now());
            assert_eq!(brake(wrong), None);
        }
        let held = limits.begin(address(1), Some(&number(99)), &digits(), now());
        assert_eq!(brake(held), Some(Brake::Address));
        let later = now() + TimeDelta::seconds(2);
        let own = limits.begin(address(1), Some(&number(100)), &digits(), later);
        own.ok().unwrap().was_right();
        let _wrong = limits.begin(address(1), Some(&number(101)), &digits(), later);
        let again = limits.begin(address(1), Some(&number(102)), &digits(), later);
        assert_eq!(brake(again), Some(Brake::Address));
    }

    #[test]
    fn everybody_together_is_held() {
        let limits = Limits::default();
        let held = (0..100)
            .map(|n| brake(limits.begin(address(n), Some(&number(n + 1)), &digits(), now())))
            .filter(|brake| *brake == Some(Brake::Everybody));
        assert_eq!(held.count(), 60);
    }
}
