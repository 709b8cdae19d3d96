//! What a customer carries after the look-up: a signed note that names one
//! complaint for half an hour. Nothing of it is kept, so every process of the
//! hub knows it, and ending one is not possible and not needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};
use suda_domain::ComplaintId;
use suda_sync::SecretKey;
use uuid::Uuid;

/// How long a look-up lasts.
pub const LASTS: TimeDelta = TimeDelta::minutes(30);

const DOMAIN: &[u8] = b"suda status token 1";
const ID: usize = 16;
const UNTIL: usize = 8;
const MAC: usize = 32;

/// The secret the notes are signed with, the same in every process.
pub struct TokenKey([u8; 64]);

impl TokenKey {
    /// Derived from the hub's own key, so that it needs no place of its own.
    pub fn of(key: &SecretKey) -> Self {
        let digest = Sha512::new().chain_update(DOMAIN).chain_update(key.seed());
        Self(digest.finalize().into())
    }

    /// A note for one complaint.
    pub fn make(&self, complaint: ComplaintId, now: DateTime<Utc>) -> String {
        let until = (now + LASTS).timestamp();
        let mut note = Vec::with_capacity(ID + UNTIL + MAC);
        note.extend_from_slice(complaint.0.as_bytes());
        note.extend_from_slice(&until.to_be_bytes());
        let mac = self.mac(&note).finalize().into_bytes();
        note.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(note)
    }

    /// The complaint it names, if it is one of ours and still holds.
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Option<ComplaintId> {
        let note = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, mac) = note.split_at_checked(ID + UNTIL)?;
        self.mac(said).verify_slice(mac).ok()?;
        let (id, until) = said.split_at_checked(ID)?;
        let until = i64::from_be_bytes(until.try_into().ok()?);
        let id = Uuid::from_slice(id).ok()?;
        (now.timestamp() < until).then_some(ComplaintId(id))
    }

    fn mac(&self, said: &[u8]) -> Hmac<Sha256> {
        let key = (&self.0).into();
        Hmac::<Sha256>::new(key).chain_update(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_holds_half_an_hour_and_only_as_it_was_signed() {
        let key = TokenKey::of(&SecretKey::from_seed([7; 32]));
        let other = TokenKey::of(&SecretKey::from_seed([8; 32]));
        let now: DateTime<Utc> = "2026-07-21T02:00:00Z".parse().unwrap();
        let id = ComplaintId(Uuid::now_v7());
        let token = key.make(id, now);
        let second = TimeDelta::seconds(1);
        assert_eq!(key.read(&token, now + LASTS - second), Some(id));
        assert_eq!(key.read(&token, now + LASTS), None);
        assert_eq!(other.read(&token, now), None);
        for at in 0..token.len() {
            let mut wrong = token.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(key.read(&wrong, now), None, "character {at}");
        }
        for nonsense in ["", "AAAA", "???", &token[1..]] {
            assert_eq!(key.read(nonsense, now), None);
        }
    }
}
