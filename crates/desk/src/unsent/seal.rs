//! Sealing of what lies beside the database: AES-256-GCM under a key derived
//! from the database's, by OpenSSL, which SQLCipher brings along anyway.

use openssl::error::ErrorStack;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};

use crate::key::DatabaseKey;

/// A derived key. It must seal each nonce once only.
#[derive(Clone)]
pub(crate) struct SealKey(pub(crate) [u8; 32]);

pub(crate) const TAG: usize = 16;
const SALT: usize = 16;

fn iv(nonce: u64) -> [u8; 12] {
    let mut iv = [0; 12];
    iv[4..].copy_from_slice(&nonce.to_be_bytes());
    iv
}

impl SealKey {
    /// The text sealed, longer by [`TAG`].
    pub(crate) fn seal(&self, nonce: u64, text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let mut tag = [0; TAG];
        let cipher = Cipher::aes_256_gcm();
        let mut sealed = encrypt_aead(cipher, &self.0, Some(&iv(nonce)), &[], text, &mut tag)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The text, when it is as it was sealed under this nonce.
    pub(crate) fn open(&self, nonce: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let (text, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
        decrypt_aead(
            Cipher::aes_256_gcm(),
            &self.0,
            Some(&iv(nonce)),
            &[],
            text,
            tag,
        )
        .ok()
    }
}

/// A whole file sealed under a key of its own.
pub(crate) fn seal_file(
    key: &DatabaseKey,
    purpose: &[u8],
    text: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let salt: [u8; SALT] = rand::random();
    let sealed = key.derive(&salt, purpose)?.seal(0, text)?;
    Ok([&salt[..], &sealed].concat())
}

/// The contents of [`seal_file`], when unchanged and sealed with this key.
pub(crate) fn open_file(key: &DatabaseKey, purpose: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (salt, sealed) = bytes.split_at_checked(SALT)?;
    key.derive(salt, purpose).ok()?.open(0, sealed)
}
