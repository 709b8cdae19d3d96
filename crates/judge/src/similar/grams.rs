//! What a text is compared by.

use crate::features::LOOKED_AT;
use crate::fold::{Folded, is_dense};

/// Pairs of the whole, pairs of the title, single characters.
pub(super) const BLOCKS: usize = 3;
const WHOLE: u8 = 0;
const TITLE: u8 = 1;
const SINGLE: u8 = 2;

pub(super) struct Gram {
    pub block: u8,
    pub key: u32,
    /// One and the logarithm of how often it stands there.
    pub times: f32,
}

/// The grams of a text, and a sum over all of its characters by which the
/// same text is known again.
pub(super) fn grams(fields: &[&str]) -> (Vec<Gram>, u32) {
    let mut keys = Vec::new();
    let mut sum = crc32fast::Hasher::new();
    for (number, field) in fields.iter().enumerate() {
        let folded = Folded::new(field, LOOKED_AT);
        for word in folded.text().split(' ') {
            sum.update(word.as_bytes());
        }
        let tokens = tokens(&folded);
        let is_title = number == 0 && fields.len() > 1;
        let mut before = hash(0, ' ');
        for token in tokens {
            if token != 0 {
                keys.push(keyed(SINGLE, token, 0));
            }
            // Two gaps in a row say nothing.
            if token != 0 || before != 0 {
                keys.push(keyed(WHOLE, before, token));
                if is_title {
                    keys.push(keyed(TITLE, before, token));
                }
            }
            before = token;
        }
    }
    keys.sort_unstable();
    let grams = keys.chunk_by(|a, b| a == b).filter_map(|same| {
        let &(block, key) = same.first()?;
        Some(Gram {
            block,
            key,
            times: 1.0 + (same.len() as f32).ln(),
        })
    });
    (grams.collect(), sum.finalize())
}

/// Single characters of scripts without spaces, whole words of the others, and
/// 0 for a gap.
fn tokens(folded: &Folded) -> Vec<u32> {
    let mut tokens = Vec::with_capacity(folded.chars.len());
    let mut word = 0;
    for &c in &folded.chars {
        if c.is_alphanumeric() && !is_dense(c) {
            word = hash(word, c);
            continue;
        }
        if word != 0 {
            tokens.push(word);
            word = 0;
        }
        tokens.push(if c == ' ' { 0 } else { hash(0, c) });
    }
    if word != 0 {
        tokens.push(word);
    }
    tokens.push(0);
    tokens
}

fn hash(word: u32, c: char) -> u32 {
    if c == ' ' {
        return 0;
    }
    let mixed = (word ^ u32::from(c))
        .wrapping_mul(0x9e37_79b1)
        .rotate_left(13);
    mixed.wrapping_mul(0x85eb_ca6b) | 1
}

fn keyed(block: u8, first: u32, second: u32) -> (u8, u32) {
    let mixed = first.rotate_left(7).wrapping_mul(0x9e37_79b1) ^ second.wrapping_mul(0xc2b2_ae35);
    (
        block,
        mixed.wrapping_mul(0x27d4_eb2f).rotate_left(11) ^ u32::from(block) << 29,
    )
}
