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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_does_not_fit_comes_again_and_the_chunks_before_it_stay() {
        let bytes = CHUNK * 2 + 7;
        assert_eq!(border(0, bytes), Border::None);
        assert_eq!(border(CHUNK - 1, bytes), Border::None);
        let second = border(CHUNK * 2, bytes);
        assert_eq!(second, Border::Chunk { from: CHUNK });
        assert_eq!(second.judge(true, || true), After::Keep);
        assert_eq!(second.judge(false, || true), After::CutBack(CHUNK));
        let whole = border(bytes, bytes);
        assert_eq!(whole, Border::File { from: CHUNK * 2 });
        assert_eq!(whole.judge(true, || true), After::Complete);
        assert_eq!(whole.judge(false, || true), After::CutBack(CHUNK * 2));
        assert_eq!(whole.judge(true, || false), After::CutBack(0));
    }
}
