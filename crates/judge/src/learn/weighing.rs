//! How much a feature counts in a text. Training and judging use the same
//! functions, so that a model judges as it was calibrated.

use crate::features::{FIELDS, KINDS, Occurrence, THEMES};

/// The weight of each kind's block after normalising it to length 1.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Weighing {
    pub kinds: [f32; KINDS],
}

impl Default for Weighing {
    fn default() -> Self {
        Self {
            kinds: [1.0; KINDS],
        }
    }
}

impl Weighing {
    /// What to multiply a block with whose squares sum to `square`.
    pub fn scale(&self, block: u8, shares: &[[f32; KINDS]; FIELDS], square: f32) -> f32 {
        let (field, kind) = (usize::from(block) / KINDS, usize::from(block) % KINDS);
        let share = shares.get(field).and_then(|kinds| kinds.get(kind));
        let weight = self.kinds.get(kind).copied().unwrap_or(1.0);
        if square <= 0.0 {
            return 0.0;
        }
        weight * share.copied().unwrap_or(1.0) / square.sqrt()
    }
}

/// What standing so often in one text counts: its logarithm, so that a word
/// said fifty times counts five times.
pub(crate) fn of_times(block: u8, times: u32) -> f32 {
    let times = times as f32;
    if kind(block) == THEMES {
        times.ln_1p()
    } else {
        1.0 + times.ln()
    }
}

/// A theme counts the same however common it is.
pub(crate) fn idf_in(block: u8, idf: f32) -> f32 {
    if kind(block) == THEMES { 1.0 } else { idf }
}

fn kind(block: u8) -> usize {
    usize::from(block) % KINDS
}

/// Inverse document frequencies are kept in one byte each, in steps of 1/15.
const IDF_STEP: f32 = 15.0;

/// The idf as it comes back from its byte.
pub(crate) fn coded(idf: f32) -> f32 {
    decode_idf(encode_idf(idf))
}

pub(crate) fn encode_idf(idf: f32) -> u8 {
    (idf * IDF_STEP).round().clamp(0.0, 255.0) as u8
}

pub(crate) fn decode_idf(byte: u8) -> f32 {
    f32::from(byte) / IDF_STEP
}

/// The occurrences counted, by block and key.
pub(crate) fn count(found: &[Occurrence]) -> Vec<(u8, u32, u32)> {
    let mut packed: Vec<u64> = found
        .iter()
        .map(|one| (u64::from(one.block) << 32) | u64::from(one.key))
        .collect();
    packed.sort_unstable();
    packed
        .chunk_by(|a, b| a == b)
        .filter_map(|same| {
            let one = same.first()?;
            Some(((one >> 32) as u8, *one as u32, same.len() as u32))
        })
        .collect()
}
