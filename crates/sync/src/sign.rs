//! Signed messages: Ed25519 over the SHA-256 of the exact bytes sent. Ed25519
//! itself would read a message twice, and a batch is long.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// Before the bytes, so that a hash signed here means nothing elsewhere.
const DOMAIN: &[u8] = b"suda signed message 1\0";

fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(bytes);
    hasher.finalize().into()
}

/// A device's or hub's signing key. Its debug form shows nothing of it.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// From 32 random bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// A signature over any bytes, in base64.
    pub fn sign(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.0.sign(&digest(bytes)).to_bytes())
    }

    /// The same secret as a key of X25519, for opening what was sealed to it.
    pub(crate) fn agreement(&self) -> [u8; 32] {
        self.0.to_scalar_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

/// The key others check with, written in base64.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(VerifyingKey);

/// Not a public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an Ed25519 public key in base64")]
pub struct KeyError;

impl PublicKey {
    /// Whether `signature` (base64) was made over `bytes` by this key's owner.
    pub fn verifies(&self, bytes: &[u8], signature: &str) -> bool {
        let decoded = STANDARD.decode(signature).ok();
        let signature = decoded.and_then(|raw| Signature::from_slice(&raw).ok());
        signature.is_some_and(|signature| self.0.verify(&digest(bytes), &signature).is_ok())
    }

    /// The key of 32 bytes as TLS and other protocols give it (RFC 8032).
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        VerifyingKey::from_bytes(&bytes)
            .map(Self)
            .map_err(|_| KeyError)
    }

    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The same key as one of X25519, for sealing to it.
    pub(crate) fn agreement(&self) -> [u8; 32] {
        self.0.to_montgomery().to_bytes()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let raw = STANDARD.decode(text).map_err(|_| KeyError)?;
        let raw: [u8; 32] = raw.try_into().map_err(|_| KeyError)?;
        VerifyingKey::from_bytes(&raw)
            .map(Self)
            .map_err(|_| KeyError)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        STANDARD.encode(key.0.to_bytes())
    }
}

/// A message with its signature. The body's bytes travel as they were signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signed {
    pub body: Box<RawValue>,
    pub signature: String,
}

/// Why a signed message is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    #[error("the signature does not fit")]
    Signature,
    #[error("signed, but not a message this version can read")]
    Unreadable(#[source] serde_json::Error),
}

impl Signed {
    /// Signs `message` as JSON.
    ///
    /// # Errors
    /// Only when the message cannot be written as JSON.
    pub fn seal(message: &impl Serialize, key: &SecretKey) -> Result<Self, serde_json::Error> {
        let body = serde_json::value::to_raw_value(message)?;
        let signature = key.sign(body.get().as_bytes());
        Ok(Self { body, signature })
    }

    /// The message as it claims to be, for finding whose key to check with.
    pub fn peek<T: DeserializeOwned>(&self) -> Result<T, SignedError> {
        serde_json::from_str(self.body.get()).map_err(SignedError::Unreadable)
    }

    pub fn is_from(&self, key: &PublicKey) -> bool {
        key.verifies(self.body.get().as_bytes(), &self.signature)
    }

    /// The message, after checking the signature.
    pub fn open<T: DeserializeOwned>(&self, key: &PublicKey) -> Result<T, SignedError> {
        if !self.is_from(key) {
            return Err(SignedError::Signature);
        }
        self.peek()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signers_key_and_the_signed_bytes_pass() {
        let key = SecretKey::from_seed([7; 32]);
        let other = SecretKey::from_seed([8; 32]);
        let signed = Signed::seal(&"诉达", &key).unwrap();
        let wire = serde_json::to_string(&signed).unwrap();
        let received: Signed = serde_json::from_str(&wire).unwrap();
        assert_eq!(received.open::<String>(&key.public()).unwrap(), "诉达");
        assert!(matches!(
            received.open::<String>(&other.public()),
            Err(SignedError::Signature)
        ));
        let altered: Signed = serde_json::from_str(&wire.replace("诉达", "诉大")).unwrap();
        assert!(matches!(
            altered.open::<String>(&key.public()),
            Err(SignedError::Signature)
        ));
        assert_eq!(format!("{key:?}"), "SecretKey");
    }

    #[test]
    fn public_keys_read_back() {
        let key = SecretKey::from_seed([7; 32]).public();
        assert_eq!(PublicKey::try_from(String::from(key)), Ok(key));
        assert_eq!(PublicKey::try_from("x".to_owned()), Err(KeyError));
    }
}
