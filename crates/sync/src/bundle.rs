//! The sealed parcel in which a desk's events travel without a network, on a
//! stick or a telephone, and the open one in which the hub's receipts come
//! back. Pure: bytes in, bytes out; who reads files is elsewhere.
//!
//! Inside are the very messages of the network: [`Signed`] batches of the
//! device, [`Signed`] words of the hub. What a parcel may do at the hub is
//! therefore what its signatures allow; the parcel adds that nobody else can
//! read it, and that damage is told from a parcel that came to the wrong place.
//!
//! # The seal
//!
//! HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256
//! and ChaCha20-Poly1305, to the X25519 form of the hub's Ed25519 key. One key
//! pair for both is proven sound for exactly this construction (Thormarker, "On
//! using the same key pair for Ed25519 and an X25519 based KEM",
//! <https://eprint.iacr.org/2021/509>), and it means that every desk can seal
//! to its hub from the day it was enrolled: a desk cut off since before this
//! format existed needs to be told nothing first.
//!
//! # The form, all versions
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | [`MAGIC`] |
//! | 8 | version |
//! | 9 | 1 events, 2 receipts |
//! | 10..26 | whom it is for: the beginning of a hash of their public key |
//! | 26..34 | length of what follows the header, big-endian |
//! | 34..66 | SHA-256 of what follows the header |
//! | 66..74 | the beginning of the SHA-256 of bytes 0..66 |
//! | 74.. | deflated JSON: of events sealed, behind 32 bytes of encapsulated key |

mod batches;
mod words;

use std::io::{Read as _, Write as _};

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use suda_domain::{DeviceId, Lane};

use crate::chain::Hash;
use crate::message::Receipt;
use crate::sign::{PublicKey, SecretKey, Signed};

pub use batches::{BatchesError, Checked, batches_of, sender};
pub use words::{WordsError, reached, words_to};

/// A byte no text begins with, the name, and line ends that a transfer as text
/// would spoil, as PNG has them (<https://www.w3.org/TR/png-3/#5PNG-file-signature>).
pub const MAGIC: [u8; 8] = *b"\x89SUDA\r\n\x1a";
/// The version this program writes.
pub const VERSION: u8 = 1;
/// No parcel is longer, in bytes.
pub const MOST_BYTES: usize = 64 << 20;
/// Bytes of event bodies one parcel takes; what is left over goes in the next.
pub const EVENT_BYTES: usize = 24 << 20;
/// What a parcel may unfold to, so that a small one cannot fill the memory.
const MOST_UNFOLDED: u64 = 64 << 20;

const NAMED: usize = 26;
const CHECKED: usize = 66;
const HEADER: usize = 74;
const ENCAPSULATED: usize = 32;
const INFO: &[u8] = b"suda bundle of events 1";

type Suite = X25519HkdfSha256;

/// What a parcel holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A desk's batches, for the hub.
    Events,
    /// The hub's words, for a desk.
    Receipts,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Events => 1,
            Self::Receipts => 2,
        }
    }
}

/// What the hub says in a parcel of receipts. The first reads as the network's
/// [`Reply`](crate::Reply) does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Receipt(Receipt),
    Standing(Standing),
    Renewal(Renewal),
}

/// The hub holds other events under the numbers of the incarnation the desk
/// wrote under, and gives it a new one, as the answer to a hello would.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Renewal {
    pub device: DeviceId,
    /// The incarnation that ends; for a desk that has left it behind, this
    /// word says nothing.
    pub from: u32,
    pub incarnation: u32,
    pub letter: String,
    pub epoch: String,
}

/// How far the hub is with a device: with a batch just judged, or at all. The hashes say that it has the very events
/// the desk has, whatever parcels came in which order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Standing {
    pub device: DeviceId,
    pub incarnation: u32,
    pub epoch: String,
    /// The last event of each lane that has one, or of the batch.
    pub lanes: Vec<LaneStanding>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LaneStanding {
    pub lane: Lane,
    pub n: u64,
    pub hash: Hash,
}

/// Why a parcel could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the messages cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the messages cannot be compressed")]
    Compress(#[source] std::io::Error),
    #[error("the hub's key cannot be sealed to")]
    Key,
    #[error("more than a bundle holds")]
    TooLarge,
}

/// Why a parcel is not opened. Nothing was done with what is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    #[error("this is not a bundle of Suda's")]
    NotABundle,
    #[error("the bundle is cut short; copy it again from where it was made")]
    Truncated,
    #[error("the bundle was altered or damaged; copy it again from where it was made")]
    Altered,
    #[error("the bundle is for another hub or another desk")]
    ForAnother,
    #[error("the bundle was made by a newer version; install that version")]
    Newer,
    #[error("this is a bundle of the other direction: desks give events and take receipts")]
    OtherKind,
    #[error("the bundle holds what this version cannot read")]
    Unreadable,
}

impl OpenError {
    /// What a command exits with, so that scripts can tell.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NotABundle => 10,
            Self::Truncated => 11,
            Self::Altered => 12,
            Self::ForAnother => 13,
            Self::Newer => 14,
            Self::OtherKind => 15,
            Self::Unreadable => 16,
        }
    }
}

/// Seals a desk's signed batches to the hub. `random` must be the system's.
///
/// # Errors
/// When they are more than a parcel holds; see [`EVENT_BYTES`].
pub fn seal_events(
    batches: &[Signed],
    hub: &PublicKey,
    random: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let plain = fold(batches)?;
    let key =
        <Suite as Kem>::PublicKey::from_bytes(&hub.agreement()).map_err(|_| SealError::Key)?;
    let beginning = beginning(Kind::Events, hub);
    let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        Suite,
    >(&OpModeS::Base, &key, INFO, &plain, &beginning, random)
    .map_err(|_| SealError::Key)?;
    let mut body = encapsulated.to_bytes().to_vec();
    body.extend_from_slice(&sealed);
    frame(beginning, &body)
}

/// The batches of a parcel sealed to this hub, in the order they were put in.
/// Their signatures are not checked here: whose they are, the store knows.
pub fn open_events(parcel: &[u8], hub: &SecretKey) -> Result<Vec<Signed>, OpenError> {
    let body = unframe(parcel, Kind::Events, &hub.public())?;
    let (encapsulated, sealed) = body
        .split_at_checked(ENCAPSULATED)
        .ok_or(OpenError::Altered)?;
    let key =
        <Suite as Kem>::PrivateKey::from_bytes(&hub.agreement()).map_err(|_| OpenError::Altered)?;
    let encapsulated =
        <Suite as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| OpenError::Altered)?;
    let plain = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(
        &OpModeR::Base,
        &key,
        &encapsulated,
        INFO,
        sealed,
        &beginning(Kind::Events, &hub.public()),
    )
    // The checksum fits, so somebody who knows the form has been at it.
    .map_err(|_| OpenError::Altered)?;
    unfold(&plain)
}

/// Puts the hub's signed words into a parcel for a device. They name no
/// person and are open to read.
pub fn pack_words(words: &[Signed], device: &PublicKey) -> Result<Vec<u8>, SealError> {
    frame(beginning(Kind::Receipts, device), &fold(words)?)
}

/// The words of a parcel for this device. Their signatures are not checked here.
pub fn open_words(parcel: &[u8], device: &PublicKey) -> Result<Vec<Signed>, OpenError> {
    unfold(unframe(parcel, Kind::Receipts, device)?)
}

/// Bytes 0..26 of a parcel.
fn beginning(kind: Kind, recipient: &PublicKey) -> [u8; NAMED] {
    let mut hasher = Sha256::new();
    hasher.update(b"suda bundle recipient\0");
    hasher.update(recipient.bytes());
    let name: [u8; 32] = hasher.finalize().into();
    let mut bytes = [0; NAMED];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8] = VERSION;
    bytes[9] = kind.code();
    bytes[10..].copy_from_slice(&name[..16]);
    bytes
}

fn frame(beginning: [u8; NAMED], body: &[u8]) -> Result<Vec<u8>, SealError> {
    if body.len() > MOST_BYTES - HEADER {
        return Err(SealError::TooLarge);
    }
    let mut parcel = Vec::with_capacity(HEADER + body.len());
    parcel.extend_from_slice(&beginning);
    parcel.extend_from_slice(&(body.len() as u64).to_be_bytes());
    parcel.extend_from_slice(&Sha256::digest(body));
    let check = Sha256::digest(&parcel);
    parcel.extend_from_slice(&check[..8]);
    parcel.extend_from_slice(body);
    Ok(parcel)
}

/// What follows the header, once nothing is missing or altered and it is ours.
fn unframe<'p>(parcel: &'p [u8], kind: Kind, recipient: &PublicKey) -> Result<&'p [u8], OpenError> {
    if !parcel.starts_with(&MAGIC) {
        return Err(match MAGIC.starts_with(parcel) {
            true => OpenError::Truncated,
            false => OpenError::NotABundle,
        });
    }
    let (header, body) = parcel
        .split_at_checked(HEADER)
        .ok_or(OpenError::Truncated)?;
    let (checked, check) = header.split_at(CHECKED);
    if Sha256::digest(checked)[..8] != *check {
        return Err(OpenError::Altered);
    }
    let (named, measured) = checked.split_at(NAMED);
    let (length, digest) = measured.split_at(8);
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    match (body.len() as u64).cmp(&length) {
        std::cmp::Ordering::Less => return Err(OpenError::Truncated),
        std::cmp::Ordering::Greater => return Err(OpenError::Altered),
        std::cmp::Ordering::Equal => {}
    }
    if Sha256::digest(body)[..] != *digest {
        return Err(OpenError::Altered);
    }
    // Both are of fixed length, so that their places exist.
    let ours = beginning(kind, recipient);
    if named[8] > VERSION {
        return Err(OpenError::Newer);
    }
    if named[9] != ours[9] {
        return Err(OpenError::OtherKind);
    }
    if *named != ours {
        return Err(OpenError::ForAnother);
    }
    Ok(body)
}

#[derive(Serialize)]
struct Written<'a> {
    messages: &'a [Signed],
}

#[derive(Deserialize)]
struct Read {
    messages: Vec<Signed>,
}

fn fold(messages: &[Signed]) -> Result<Vec<u8>, SealError> {
    let json = serde_json::to_vec(&Written { messages })?;
    if json.len() as u64 > MOST_UNFOLDED {
        return Err(SealError::TooLarge);
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&json).map_err(SealError::Compress)?;
    encoder.finish().map_err(SealError::Compress)
}

fn unfold(plain: &[u8]) -> Result<Vec<Signed>, OpenError> {
    let mut json = Vec::new();
    DeflateDecoder::new(plain)
        .take(MOST_UNFOLDED + 1)
        .read_to_end(&mut json)
        .map_err(|_| OpenError::Unreadable)?;
    if json.len() as u64 > MOST_UNFOLDED {
        return Err(OpenError::Unreadable);
    }
    let read: Read = serde_json::from_slice(&json).map_err(|_| OpenError::Unreadable)?;
    Ok(read.messages)
}

#[cfg(test)]
mod tests;
