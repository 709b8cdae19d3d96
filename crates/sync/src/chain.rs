//! The hash chain: each event carries the hash of the one before it in its
//! lane, so that nothing can be altered, removed or put between unnoticed.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use suda_domain::LedgerEvent;

/// A SHA-256 value, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first event of a lane names as its predecessor.
    pub const START: Self = Self([0; 32]);

    fn with_digits<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let mut digits = [0; 64];
        // Twice as many digits as bytes, and all of them ASCII.
        let written = hex::encode_to_slice(self.0, &mut digits).is_ok();
        debug_assert!(written);
        take(std::str::from_utf8(&digits).unwrap_or_default())
    }

    /// The hash of an event's bytes behind `prev`.
    pub fn link(prev: Self, body: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(prev.0);
        hasher.update(body);
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_digits(|digits| f.write_str(digits))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits")]
pub struct HashError;

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashError)?;
        Ok(Self(bytes))
    }
}

// By hand: an event has two of them, and a hub reads and writes many a second.
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_digits(|digits| serializer.serialize_str(digits))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hash, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

/// An event as it is stored and sent: its JSON bytes exactly as first written,
/// and its place in the chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SealedEvent {
    pub body: Box<RawValue>,
    pub prev: Hash,
    pub hash: Hash,
}

/// Why a sealed event is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the contents do not give the hash")]
    HashMismatch,
    #[error("not an event this version can read")]
    Unreadable(#[source] serde_json::Error),
}

impl SealedEvent {
    /// Seals an event behind its predecessor.
    ///
    /// # Errors
    /// Only when the event cannot be written as JSON, which no value of its type causes.
    pub fn seal(event: &LedgerEvent, prev: Hash) -> Result<Self, serde_json::Error> {
        let body = serde_json::value::to_raw_value(event)?;
        let hash = Hash::link(prev, body.get().as_bytes());
        Ok(Self { body, prev, hash })
    }

    /// The sealed event of stored parts.
    ///
    /// # Errors
    /// When the body is not JSON.
    pub fn from_parts(body: String, prev: Hash, hash: Hash) -> Result<Self, serde_json::Error> {
        Ok(Self {
            body: RawValue::from_string(body)?,
            prev,
            hash,
        })
    }

    pub fn hash_fits(&self) -> bool {
        Hash::link(self.prev, self.body.get().as_bytes()) == self.hash
    }

    /// The event, after checking its hash.
    pub fn open(&self) -> Result<LedgerEvent, OpenError> {
        if !self.hash_fits() {
            return Err(OpenError::HashMismatch);
        }
        serde_json::from_str(self.body.get()).map_err(OpenError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hash_text_reads_back() {
        let hash = Hash::link(Hash::START, b"x");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("zz".parse::<Hash>(), Err(HashError));
        assert_eq!("é".repeat(32).parse::<Hash>(), Err(HashError));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(text in "[a-z]{1,40}", at in any::<prop::sample::Index>()) {
            let body = format!("\"{text}\"");
            let hash = Hash::link(Hash::START, body.as_bytes());
            let mut altered = body.clone().into_bytes();
            let at = 1 + at.index(text.len());
            altered[at] = if altered[at] == b'a' { b'b' } else { b'a' };
            let sealed = |body| SealedEvent::from_parts(body, Hash::START, hash).unwrap();
            prop_assert!(sealed(body).hash_fits());
            prop_assert!(!sealed(String::from_utf8(altered).unwrap()).hash_fits());
        }
    }
}
