//! Random values, what is kept of them, and passwords.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Letters and digits that cannot be taken for one another when read out.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKLMNPQRSTUVWXY";

/// 32 random bytes.
pub fn seed() -> [u8; 32] {
    rand::random()
}

/// A random token of 256 bits as text.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(seed())
}

/// A one-time code, for example `K7QX-92MF`: 39 bits, which ten minutes of
/// limited guessing do not search.
pub fn enrol_code() -> String {
    format!("{}-{}", letters(4), letters(4))
}

/// A password to be typed once from a screen: 69 bits.
pub fn password() -> String {
    format!(
        "{}-{}-{}-{}",
        letters(4),
        letters(4),
        letters(3),
        letters(3)
    )
    .to_lowercase()
}

fn letters(count: usize) -> String {
    // A byte taken modulo 31 is a little uneven: 0.05 bits lost a letter.
    let raw: [u8; 32] = seed();
    raw.iter()
        .take(count)
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
        .map(|letter| char::from(*letter))
        .collect()
}

/// What is kept of a code or token, so that the database does not give it away.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The digest of a code as typed: case, blanks and dashes do not matter.
pub fn code_digest(typed: &str) -> [u8; 32] {
    let plain: String = suda_domain::text::to_half_width(typed)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    digest(&plain)
}

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

/// Argon2id in PHC form. Takes tens of milliseconds: not for an async thread.
pub fn hash_password(password: &str) -> Result<String, HashError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| HashError(error.to_string()))
}

/// Whether the password is the one. An unreadable hash fits none. Takes as
/// long as hashing.
pub fn password_fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        let code = enrol_code();
        assert_eq!(code.len(), 9);
        assert_eq!(
            code_digest(&code),
            code_digest(&format!(" {} ", code.to_lowercase()))
        );
        assert_eq!(code_digest(&code), code_digest(&code.replace('-', "")));
        assert_ne!(code_digest(&code), code_digest(&enrol_code()));
    }

    #[test]
    fn only_the_password_fits_its_hash() {
        let password = password();
        let hash = hash_password(&password).unwrap();
        assert!(password_fits(&password, &hash));
        assert!(!password_fits("other", &hash));
        assert!(!password_fits(&password, "not a hash"));
    }
}
