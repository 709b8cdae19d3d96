//! The hub's side: what has to be checked once a slice is stored, and what
//! follows from the check.

use super::CHUNK;

/// What lies complete behind a stored slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Border {
    /// In the middle of a chunk: nothing to check yet.
    None,
    /// The chunk from this byte on is whole.
    Chunk { from: u64 },
    /// So is the file.
    File { from: u64 },
}

/// What a checked border means for the bytes stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    Keep,
    /// The bytes from here on are not what they should be.
    CutBack(u64),
    Complete,
}

/// The border that `received` of a file's `bytes` bytes have reached.
pub fn border(received: u64, bytes: u64) -> Border {
    let Some(last) = received.checked_sub(1) else {
        return Border::None;
    };
    let from = last - last % CHUNK;
    if received >= bytes {
        Border::File { from }
    } else if received.is_multiple_of(CHUNK) {
        Border::Chunk { from }
    } else {
        Border::None
    }
}

impl Border {
    /// `chunk_fits`: the hash of the chunk is the one in the slice's head.
    /// `file_fits` is asked only of a whole file whose last chunk fits.
    pub fn judge(self, chunk_fits: bool, file_fits: impl FnOnce() -> bool) -> After {
        match self {
            Self::None => After::Keep,
            Self::Chunk { from } | Self::File { from } if !chunk_fits => After::CutBack(from),
            Self::Chunk { .. } => After::Keep,
            Self::File { .. } if file_fits() => After::Complete,
            Self::File { .. } => After::CutBack(0),
        }
    }
}
