//! A slow line: what is sent waits for what is on it already, and of what is on it
//! when it is cut the hub has the beginning.

use suda_sync::evidence::Slice;

/// 256 kbit/s.
pub const BYTES_PER_MS: u64 = 32;

/// A slice on its way.
#[derive(Clone, Copy, Debug)]
pub struct Flying {
    pub slice: Slice,
    from_ms: u64,
}

#[derive(Debug)]
pub struct Line {
    pub is_up: bool,
    /// How often it was cut: what was on it before a cut never arrives.
    pub cuts: u64,
    free_ms: u64,
    /// Until then bytes of lanes 2 and 3 are on it.
    aside_ms: u64,
    pub flying: Option<Flying>,
}

impl Line {
    pub fn new() -> Self {
        Self {
            is_up: true,
            cuts: 0,
            free_ms: 0,
            aside_ms: 0,
            flying: None,
        }
    }

    /// Puts so many bytes on the line. Gives when the last is through.
    pub fn put(&mut self, now: u64, bytes: u64, aside: bool) -> u64 {
        self.free_ms = self.free_ms.max(now) + bytes.div_ceil(BYTES_PER_MS);
        if aside {
            self.aside_ms = self.free_ms;
        }
        self.free_ms
    }

    /// Puts a slice on the line.
    pub fn put_slice(&mut self, now: u64, slice: Slice) -> u64 {
        let from_ms = self.free_ms.max(now);
        self.flying = Some(Flying { slice, from_ms });
        self.put(now, slice.bytes, true)
    }

    /// How long what is sent now waits behind lanes 2 and 3.
    pub fn behind_ms(&self, now: u64) -> u64 {
        self.aside_ms.saturating_sub(now)
    }

    /// Cuts it. Gives the slice that was on it and how many of its bytes came.
    pub fn cut(&mut self, now: u64) -> Option<(Slice, u64)> {
        self.is_up = false;
        self.cuts += 1;
        self.free_ms = now;
        self.aside_ms = now;
        let Flying { slice, from_ms } = self.flying.take()?;
        let came = now.saturating_sub(from_ms) * BYTES_PER_MS;
        Some((slice, came.min(slice.bytes)))
    }
}
