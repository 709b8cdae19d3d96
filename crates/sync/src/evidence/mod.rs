//! Lane 2: the contents of evidence files. What desk and hub say about them,
//! what a desk sends next (`sender`), how large a piece it sends at a time
//! (`pace`) and how the hub puts the pieces together (`assembly`). Pure.
//!
//! A file is known to the hub from its event in lane 1. Its bytes follow in
//! order, in slices that never cross the border of a chunk. Each slice carries
//! a head signed by the device, which names the hash of the slice and that of
//! the whole chunk. Of a slice that breaks off the hub keeps what came, and
//! checks it with its chunk; a chunk that does not fit is sent again, and a
//! file is complete only when the hash of the whole is the one in the event.

mod assembly;
mod media;
mod pace;
mod sender;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use suda_domain::{ComplaintId, DeviceId, EvidenceId};

use crate::chain::Hash;

pub use assembly::{After, Border, border};
pub use media::media_type;
pub use pace::{MOST_SLICE, Pace};
pub use sender::{Command, FileState, Input, Sender, Slice, Step, Waiting};

/// Bytes of a chunk: what is checked as one.
pub const CHUNK: u64 = 256 * 1024;
/// Files one question may name.
pub const MOST_ASKED: usize = 50;
/// The header that holds a slice's signed head, in base64.
pub const HEAD: &str = "x-suda-slice";

/// The address of a slice at the hub.
pub fn path(file: EvidenceId, offset: u64) -> String {
    format!("/v1/evidence/{file}/{offset}")
}

/// A file by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FileName {
    pub complaint: ComplaintId,
    pub file: EvidenceId,
}

/// How far files are at the hub. Signed, it is the receipt of those complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standings {
    pub device: DeviceId,
    pub epoch: String,
    pub files: Vec<Standing>,
    pub at: DateTime<Utc>,
}

/// How far one file is at the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    #[serde(flatten)]
    pub name: FileName,
    /// Its first so many bytes are stored.
    pub received: u64,
    /// All bytes are stored, and their hash is that of the file's event.
    #[serde(default)]
    pub complete: bool,
    /// The hub has no such file in its ledger: its event is not there yet, or
    /// was set aside.
    #[serde(default)]
    pub unknown: bool,
    /// All bytes came with this slice, and their hash is not that of the
    /// file's event: it begins again.
    #[serde(default)]
    pub unlike: bool,
}

impl Standing {
    /// So many bytes are stored, and more are wanted.
    pub fn partial(name: FileName, received: u64) -> Self {
        Self {
            name,
            received,
            complete: false,
            unknown: false,
            unlike: false,
        }
    }
}

/// What is signed of a slice. The body of its request is the slice's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub v: u16,
    pub device: DeviceId,
    pub incarnation: u32,
    #[serde(default)]
    pub session: Option<String>,
    #[serde(flatten)]
    pub name: FileName,
    /// The place of its first byte in the file.
    pub offset: u64,
    pub bytes: u64,
    /// Of the slice's bytes.
    pub sha256: Hash,
    /// Of the chunk the slice lies in.
    pub chunk: Hash,
}

/// The SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Takes the SHA-256 of what comes piece by piece.
#[derive(Clone, Default)]
pub struct Hashing(Sha256);

impl Hashing {
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn end(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests;
