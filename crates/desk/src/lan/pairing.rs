//! Pairing: SPAKE2 with the code as the password and both connections' keys as
//! the names, then each side proves that it has the same secret. Who does not
//! know the code learns nothing of it, and who sits between the two has other
//! keys (draft-irtf-cfrg-spake2; RFC 9382).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use spake2::{Ed25519Group, Identity, Password, Spake2};
use suda_sync::PublicKey;
use suda_sync::lan::About;

use super::code::plain;

/// Whose proof it is, so that one's cannot be given back as the other's.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Desk,
    Mailbox,
}

/// The keys the connection has proven.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) desk: PublicKey,
    pub(crate) mailbox: PublicKey,
}

/// One's half of the exchange.
pub(crate) struct Exchange {
    spake: Spake2<Ed25519Group>,
    keys: Keys,
}

/// What both have after it, if both knew the code.
pub(crate) struct Secret {
    key: Vec<u8>,
    keys: Keys,
}

impl Exchange {
    /// The half and the message for the other side, in base64.
    pub(crate) fn begin(side: Side, code: &str, keys: Keys) -> (Self, String) {
        let password = Password::new(plain(code));
        let desk = Identity::new(&keys.desk.bytes());
        let mailbox = Identity::new(&keys.mailbox.bytes());
        let (spake, message) = match side {
            Side::Desk => Spake2::start_a(&password, &desk, &mailbox),
            Side::Mailbox => Spake2::start_b(&password, &desk, &mailbox),
        };
        (Self { spake, keys }, STANDARD.encode(message))
    }

    /// The secret, whether or not the codes were the same; nothing when the
    /// message is none.
    pub(crate) fn finish(self, message: &str) -> Option<Secret> {
        let message = STANDARD.decode(message).ok()?;
        let key = self.spake.finish(&message).ok()?;
        Some(Secret {
            key,
            keys: self.keys,
        })
    }
}

impl Secret {
    /// That `side` has this secret, is at the end of this very connection, and
    /// says this about itself. Base64.
    pub(crate) fn proof(&self, side: Side, about: &About) -> Option<String> {
        let mac = self.mac(side, about)?;
        Some(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Whether the proof is that of `side`. Takes as long for any wrong one.
    pub(crate) fn proves(&self, side: Side, about: &About, proof: &str) -> bool {
        let (Some(mac), Ok(proof)) = (self.mac(side, about), STANDARD.decode(proof)) else {
            return false;
        };
        mac.verify_slice(&proof).is_ok()
    }

    fn mac(&self, side: Side, about: &About) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(match side {
            Side::Desk => b"suda pairing 1 desk\0",
            Side::Mailbox => b"suda pairing 1 mailbox\0",
        });
        mac.update(&self.keys.desk.bytes());
        mac.update(&self.keys.mailbox.bytes());
        // Each with its length before it, so that nothing can move between them.
        for part in [
            about.v.to_string(),
            about.device.to_string(),
            about.letter.clone(),
            about.branch.to_string(),
            String::from(about.hub),
        ] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use suda_sync::SecretKey;
    use suda_sync::lan::VERSION;

    use super::*;

    fn key(seed: u8) -> PublicKey {
        SecretKey::from_seed([seed; 32]).public()
    }

    fn about() -> About {
        About {
            v: VERSION,
            device: suda_domain::DeviceId(uuid::Uuid::nil()),
            letter: "A".into(),
            branch: "CQ0001".parse().unwrap(),
            hub: key(9),
        }
    }

    fn meet(codes: (&str, &str), keys: (Keys, Keys)) -> (Secret, Secret) {
        let (desk, to_mailbox) = Exchange::begin(Side::Desk, codes.0, keys.0);
        let (mailbox, to_desk) = Exchange::begin(Side::Mailbox, codes.1, keys.1);
        (
            desk.finish(&to_desk).unwrap(),
            mailbox.finish(&to_mailbox).unwrap(),
        )
    }

    #[test]
    fn only_the_same_code_over_the_same_keys_proves() {
        let keys = Keys {
            desk: key(1),
            mailbox: key(2),
        };
        let (desk, mailbox) = meet(("k7qx 92mf", "K7QX-92MF"), (keys, keys));
        let proof = mailbox.proof(Side::Mailbox, &about()).unwrap();
        assert!(desk.proves(Side::Mailbox, &about(), &proof));
        assert!(!desk.proves(Side::Desk, &about(), &proof), "given back");
        let other = About {
            branch: "CQ0002".parse().unwrap(),
            ..about()
        };
        assert!(!desk.proves(Side::Mailbox, &other, &proof), "another says");

        let (desk, mailbox) = meet(("K7QX92MF", "K7QX92MG"), (keys, keys));
        let proof = mailbox.proof(Side::Mailbox, &about()).unwrap();
        assert!(!desk.proves(Side::Mailbox, &about(), &proof), "wrong code");

        let between = Keys {
            mailbox: key(3),
            ..keys
        };
        let (desk, mailbox) = meet(("K7QX92MF", "K7QX92MF"), (keys, between));
        let proof = mailbox.proof(Side::Mailbox, &about()).unwrap();
        assert!(
            !desk.proves(Side::Mailbox, &about(), &proof),
            "somebody sits between"
        );
    }
}
