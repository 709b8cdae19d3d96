//! The database's key: 256 random bits, kept in the operating system's keyring
//! or, when the caller says so, in a file. Never falls back from one to the other.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::unsent::seal::SealKey;

/// Where the key is kept.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The keyring of the person's session on this computer.
    Keyring,
    /// A file with 64 hexadecimal digits, for machines without a keyring.
    File(PathBuf),
}

/// Why the key is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "this computer's keyring cannot be used; unlock it, or name a key file with --key-file"
    )]
    KeyringUnavailable(#[source] keyring::v1::Error),
    #[error("the keyring holds no key for this data directory")]
    NotInKeyring,
    #[error("there is no key file {}", .0.display())]
    FileMissing(PathBuf),
    #[error("{} is not a key file: it must hold 64 hexadecimal digits", .0.display())]
    FileUnreadable(PathBuf),
    #[error("the key file {} cannot be read or written", .path.display())]
    FileIo {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// The raw key. Its debug form shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DatabaseKey([u8; 32]);

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey")
    }
}

const KEYRING_SERVICE: &str = "suda-desk";

impl DatabaseKey {
    fn random() -> Self {
        Self(rand::random())
    }

    fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    fn hex(&self) -> String {
        hex(&self.0)
    }

    /// As SQLCipher takes a raw key.
    pub(crate) fn pragma(&self) -> String {
        format!("\"x'{}'\"", self.hex())
    }

    /// A key of its own for what lies beside the database (HKDF-SHA-256, RFC 5869).
    pub(crate) fn derive(&self, salt: &[u8], purpose: &[u8]) -> Result<SealKey, ErrorStack> {
        let mut hkdf = PkeyCtx::new_id(Id::HKDF)?;
        hkdf.derive_init()?;
        hkdf.set_hkdf_md(Md::sha256())?;
        hkdf.set_hkdf_key(&self.0)?;
        hkdf.set_hkdf_salt(salt)?;
        hkdf.add_hkdf_info(purpose)?;
        let mut derived = [0; 32];
        hkdf.derive(Some(&mut derived))?;
        Ok(SealKey(derived))
    }

    /// Tells whether a key is the one a database was made with, and nothing
    /// about the key: it is 256 random bits, so its hash cannot be reversed.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"suda desk database key\0");
        hasher.update(self.0);
        let digest: [u8; 32] = hasher.finalize().into();
        hex(&digest)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl KeySource {
    /// The key of an existing database.
    pub(crate) async fn load(&self, store: Uuid) -> Result<DatabaseKey, KeyError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Keyring => {
                on_keyring(store, |entry| match entry.get_secret() {
                    Ok(secret) => secret
                        .try_into()
                        .map(DatabaseKey)
                        .map_err(|_| KeyError::NotInKeyring),
                    Err(keyring::v1::Error::NoEntry) => Err(KeyError::NotInKeyring),
                    Err(error) => Err(KeyError::KeyringUnavailable(error)),
                })
                .await
            }
        }
    }

    /// A key for a new database: the one already in its place, else a new one.
    pub(crate) async fn load_or_create(&self, store: Uuid) -> Result<DatabaseKey, KeyError> {
        match (self, self.load(store).await) {
            (Self::Keyring, Err(KeyError::NotInKeyring)) => {
                let key = DatabaseKey::random();
                let made = key.clone();
                on_keyring(store, move |entry| {
                    entry
                        .set_secret(&made.0)
                        .map_err(KeyError::KeyringUnavailable)
                })
                .await?;
                Ok(key)
            }
            (Self::File(path), Err(KeyError::FileMissing(_))) => {
                let key = DatabaseKey::random();
                write_file(path, &key).map_err(|source| KeyError::FileIo {
                    path: path.clone(),
                    source,
                })?;
                Ok(key)
            }
            (_, loaded) => loaded,
        }
    }
}

/// The keyring speaks to another process and waits for it.
async fn on_keyring<T: Send + 'static>(
    store: Uuid,
    work: impl FnOnce(&keyring::v1::Entry) -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let done = tokio::task::spawn_blocking(move || {
        let entry = keyring::v1::Entry::new(KEYRING_SERVICE, &store.to_string())
            .map_err(KeyError::KeyringUnavailable)?;
        work(&entry)
    });
    match done.await {
        Ok(result) => result,
        Err(stopped) => Err(KeyError::KeyringUnavailable(
            keyring::v1::Error::PlatformFailure(Box::new(stopped)),
        )),
    }
}

fn read_file(path: &Path) -> Result<DatabaseKey, KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            DatabaseKey::from_hex(&text).ok_or_else(|| KeyError::FileUnreadable(path.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(KeyError::FileMissing(path.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(KeyError::FileUnreadable(path.to_owned()))
        }
        Err(source) => Err(KeyError::FileIo {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Readable by its owner alone, and on the disk before any data depend on it.
fn write_file(path: &Path, key: &DatabaseKey) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(key.hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_file_is_made_once_private_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let source = KeySource::File(path.clone());
        assert!(matches!(
            source.load(Uuid::nil()).await,
            Err(KeyError::FileMissing(_))
        ));
        let key = source.load_or_create(Uuid::nil()).await.unwrap();
        assert_eq!(source.load_or_create(Uuid::nil()).await.unwrap(), key);
        assert_eq!(format!("{key:?}"), "DatabaseKey");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_key_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        for wrong in ["", "abc", &"é".repeat(32), &"z".repeat(64)] {
            fs::write(&path, wrong).unwrap();
            let source = KeySource::File(path.clone());
            assert!(matches!(
                source.load_or_create(Uuid::nil()).await,
                Err(KeyError::FileUnreadable(_))
            ));
            assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
        }
    }
}
