//! How a learned model travels to the desks: one sealed package, signed by the
//! hub, fetched in pieces small enough that no other lane waits for them. Pure.
//!
//! The directory names the package in force. A desk that has another one asks
//! for it piece by piece while every other lane rests, and uses it only when
//! hash and signature fit; what the bytes mean is the judge's to say.

use serde::{Deserialize, Serialize};

use crate::chain::Hash;
use crate::evidence::sha256;
use crate::sign::{PublicKey, SecretKey, Signed};

/// Bytes of a piece: about a second and a half at 256 kbit/s, in base64.
pub const PIECE: usize = 32 * 1024;
/// The largest package: a model of 2.5 MB with its head.
pub const MOST_BYTES: u64 = 2_510_000;

const MARK: &[u8; 8] = b"SUDAMODL";

/// What the directory says of the model in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelNotice {
    pub version: u32,
    /// Of the whole package, as are the bytes.
    pub sha256: Hash,
    pub bytes: u64,
}

/// What the hub has signed of a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelHead {
    pub version: u32,
    /// Of the model alone.
    pub sha256: Hash,
}

/// A piece of a package.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ModelPiece {
    pub version: u32,
    pub offset: u64,
    /// In base64; empty when this version is not given any more.
    pub data: String,
}

/// Why a package is not used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PackageError {
    #[error("this is not a package of a model")]
    NotAPackage,
    #[error("the package is damaged")]
    Damaged,
    #[error("the package was not signed by this hub")]
    Foreign,
}

/// The package of a model, the same bytes every time.
///
/// # Errors
/// When the head cannot be written as JSON.
pub fn seal(version: u32, model: &[u8], key: &SecretKey) -> Result<Vec<u8>, serde_json::Error> {
    let head = ModelHead {
        version,
        sha256: sha256(model),
    };
    let head = serde_json::to_vec(&Signed::seal(&head, key)?)?;
    let mut package = MARK.to_vec();
    // A head is a few hundred bytes.
    package.extend((head.len() as u32).to_le_bytes());
    package.extend(head);
    package.extend(model);
    Ok(package)
}

/// What the directory says of a package.
pub fn notice(version: u32, package: &[u8]) -> ModelNotice {
    ModelNotice {
        version,
        sha256: sha256(package),
        bytes: package.len() as u64,
    }
}

/// The model in a package, once hash and signature fit.
///
/// # Errors
/// Names what does not.
pub fn open<'p>(package: &'p [u8], hub: &PublicKey) -> Result<(ModelHead, &'p [u8]), PackageError> {
    let rest = package
        .strip_prefix(MARK)
        .ok_or(PackageError::NotAPackage)?;
    let (length, rest) = rest.split_first_chunk().ok_or(PackageError::Damaged)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (head, model) = rest.split_at_checked(length).ok_or(PackageError::Damaged)?;
    let signed: Signed = serde_json::from_slice(head).map_err(|_| PackageError::Damaged)?;
    if !signed.is_from(hub) {
        return Err(PackageError::Foreign);
    }
    let head: ModelHead = signed.peek().map_err(|_| PackageError::Damaged)?;
    if sha256(model) != head.sha256 {
        return Err(PackageError::Damaged);
    }
    Ok((head, model))
}

/// A package on its way to a desk.
#[derive(Clone, Debug)]
pub struct Fetch {
    notice: ModelNotice,
    package: Vec<u8>,
}

/// What came of a piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fetched {
    /// More is to be asked for, at [`Fetch::offset`].
    More,
    /// All of it, with the hash that was announced.
    Whole(Vec<u8>),
    /// It is not what was announced, or not given any more.
    Failed,
}

impl Fetch {
    /// Nothing for a package that no model of this program's fits into.
    pub fn begin(notice: ModelNotice) -> Option<Self> {
        (1..=MOST_BYTES).contains(&notice.bytes).then(|| Self {
            notice,
            package: Vec::new(),
        })
    }

    pub fn notice(&self) -> ModelNotice {
        self.notice
    }

    /// Where the next piece begins.
    pub fn offset(&self) -> u64 {
        self.package.len() as u64
    }

    /// Takes a piece. One of another place is as good as none: it is asked again.
    pub fn take(&mut self, version: u32, offset: u64, data: &[u8]) -> Fetched {
        if version != self.notice.version || data.is_empty() {
            return Fetched::Failed;
        }
        if offset != self.offset() {
            return Fetched::More;
        }
        self.package.extend(data);
        if self.offset() < self.notice.bytes {
            return Fetched::More;
        }
        let package = std::mem::take(&mut self.package);
        let fits =
            package.len() as u64 == self.notice.bytes && sha256(&package) == self.notice.sha256;
        match fits {
            true => Fetched::Whole(package),
            false => Fetched::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed([n; 32])
    }

    #[test]
    fn a_package_opens_with_the_key_it_was_signed_by_and_no_other() {
        let package = seal(3, b"the model", &key(1)).unwrap();
        assert_eq!(package, seal(3, b"the model", &key(1)).unwrap());
        let (head, model) = open(&package, &key(1).public()).unwrap();
        assert_eq!((head.version, model), (3, b"the model".as_slice()));
        assert_eq!(open(&package, &key(2).public()), Err(PackageError::Foreign));
    }

    #[test]
    fn a_package_with_any_byte_changed_or_cut_is_refused() {
        let package = seal(3, b"the model", &key(1)).unwrap();
        for at in 0..package.len() {
            let mut other = package.clone();
            other[at] ^= 1;
            assert!(open(&other, &key(1).public()).is_err(), "byte {at}");
            assert!(open(&package[..at], &key(1).public()).is_err(), "cut {at}");
        }
    }

    #[test]
    fn pieces_make_the_announced_package_or_nothing() {
        let package = seal(3, &[7; 100], &key(1)).unwrap();
        let announced = notice(3, &package);
        let mut fetch = Fetch::begin(announced).unwrap();
        let (first, rest) = package.split_at(40);
        assert_eq!(fetch.take(3, 0, first), Fetched::More);
        // Told twice, it counts once.
        assert_eq!(fetch.take(3, 0, first), Fetched::More);
        assert_eq!(fetch.offset(), 40);
        assert_eq!(fetch.take(3, 40, rest), Fetched::Whole(package.clone()));

        let mut other = package.clone();
        other[50] ^= 1;
        let mut fetch = Fetch::begin(announced).unwrap();
        assert_eq!(fetch.take(3, 0, &other), Fetched::Failed);
        let mut fetch = Fetch::begin(announced).unwrap();
        assert_eq!(fetch.take(4, 0, &package), Fetched::Failed);
        assert_eq!(fetch.take(3, 0, &[]), Fetched::Failed);
        let huge = ModelNotice {
            bytes: MOST_BYTES + 1,
            ..announced
        };
        assert!(Fetch::begin(huge).is_none());
    }
}
