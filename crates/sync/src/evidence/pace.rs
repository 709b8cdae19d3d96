//! How many bytes go out at a time: about a second's worth of the link as it
//! was measured, so that a handoff never waits long behind evidence.

/// The least a slice has: less would be mostly heads.
const LEAST_SLICE: u64 = 16 * 1024;
/// The most a slice has, however fast the link was: at 256 kbit/s it takes
/// 1.5 s, so that a handoff is out within 2 s also when a fast link has just
/// become a slow one.
pub const MOST_SLICE: u64 = 48 * 1024;
/// What a slice shall take.
const SLICE_MS: u64 = 1_000;

/// The measured pace of the link.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    bytes_per_s: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            bytes_per_s: LEAST_SLICE,
        }
    }
}

impl Pace {
    /// Bytes the next slice may have.
    pub fn slice(self) -> u64 {
        (self.bytes_per_s * SLICE_MS / 1_000).clamp(LEAST_SLICE, MOST_SLICE)
    }

    /// A slice went through. A slower link is believed at once, a faster one
    /// step by step.
    pub fn took(&mut self, bytes: u64, ms: u64) {
        let measured = bytes.saturating_mul(1_000) / ms.max(1);
        self.bytes_per_s = measured.min(self.bytes_per_s.saturating_mul(2)).max(1);
    }

    /// A slice did not go through.
    pub fn broke(&mut self) {
        self.bytes_per_s = (self.bytes_per_s / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_the_link_within_their_bounds() {
        let mut pace = Pace::default();
        assert_eq!(pace.slice(), LEAST_SLICE);
        for _ in 0..10 {
            let bytes = pace.slice();
            pace.took(bytes, 2);
        }
        assert_eq!(pace.slice(), MOST_SLICE);
        pace.took(MOST_SLICE, 2_000);
        assert_eq!(pace.slice(), 24 * 1024);
        pace.broke();
        assert_eq!(pace.slice(), LEAST_SLICE);
    }
}
