//! A trained model and what it says of a text.

use serde::Serialize;

use super::rows::Rows;
use super::weighing::{self, Weighing};
use crate::features::{FIELDS, KINDS, LOOKED_AT, Occurrence, occurrences, shares};
use crate::fold::Folded;

/// A model of categories. Made by [`train`](super::train) or read from a file
/// with [`Model::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(super) fields: Vec<String>,
    pub(super) labels: Vec<String>,
    /// Examples of each category.
    pub(super) counts: Vec<u32>,
    pub(super) weighing: Weighing,
    /// For each category what its weights are multiplied with.
    pub(super) scales: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// Rising.
    pub(super) keys: Vec<u32>,
    pub(super) idf: Vec<u8>,
    /// For each key a byte a category: the sign and the root of the weight.
    pub(super) weights: Vec<i8>,
    pub(super) slots: Slots,
}

/// What a text probably is.
#[derive(Clone, Debug, PartialEq)]
pub struct Category<'m> {
    /// All categories, the likeliest first, with probabilities that sum to 1.
    pub ranked: Vec<(&'m str, f32)>,
    /// No category is likelier than not, or the model knows too little of the
    /// text's characters and words.
    pub unsure: bool,
}

/// A piece of the text that spoke for a category.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deciding {
    /// Number of the column.
    pub field: usize,
    /// Bytes of that column, at characters' borders.
    pub start: usize,
    pub end: usize,
    /// How much it added to the score, in units of log odds.
    pub weight: f32,
}

/// Below this probability the first category is not said to be sure.
const SURE: f32 = 0.5;

/// Pieces named at most.
const PIECES: usize = 6;

impl Model {
    /// Puts trained weights (`width × classes`, constant last) into bytes.
    pub(super) fn quantised(
        fields: Vec<String>,
        labels: Vec<String>,
        counts: Vec<u32>,
        weighing: Weighing,
        rows: &Rows,
        weights: &[f32],
    ) -> Self {
        let classes = labels.len();
        let mut order: Vec<usize> = (0..rows.keys.len()).collect();
        order.sort_by_key(|&n| rows.keys.get(n));
        let of = |n: usize| {
            weights
                .get(n * classes..(n + 1) * classes)
                .unwrap_or_default()
        };
        let mut scales = vec![f32::MIN_POSITIVE; classes];
        for &n in &order {
            for (scale, weight) in scales.iter_mut().zip(of(n)) {
                *scale = scale.max(weight.abs());
            }
        }
        let bytes = order.iter().flat_map(|&n| of(n).iter().zip(&scales));
        let bytes = bytes.map(|(weight, scale)| {
            let root = (weight.abs() / scale).sqrt().copysign(*weight);
            (root * 127.0).round() as i8
        });
        let weights_in_bytes = bytes.collect();
        let keys: Vec<u32> = order
            .iter()
            .filter_map(|&n| rows.keys.get(n).copied())
            .collect();
        let idf = order.iter().filter_map(|&n| rows.idf.get(n));
        let idf: Vec<u8> = idf.map(|&idf| weighing::encode_idf(idf)).collect();
        Self {
            fields,
            labels,
            counts,
            weighing,
            bias: of(rows.keys.len()).to_vec(),
            weights: weights_in_bytes,
            slots: Slots::over(&keys, &idf),
            idf,
            scales,
            keys,
        }
    }

    /// The names of the columns it was trained on.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The categories it knows, in the order of their names.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What a text probably is, its columns in the order of [`fields`](Self::fields).
    pub fn classify(&self, fields: &[&str]) -> Category<'_> {
        self.classify_among(fields, |_| true)
    }

    /// The same among the categories that `is_there` still knows, for a tree
    /// that changed after training. What went to vanished categories makes the
    /// answer unsure, not the others likelier.
    pub fn classify_among(&self, fields: &[&str], is_there: impl Fn(&str) -> bool) -> Category<'_> {
        let (mut scores, evidence) = self.score(fields);
        probabilities(&mut scores);
        let examples = self.counts.iter().sum::<u32>().max(1) as f32;
        let mut ranked: Vec<(&str, f32)> = self
            .labels
            .iter()
            .zip(scores.iter().zip(&self.counts))
            .filter(|(label, _)| is_there(label))
            .map(|(label, (p, &count))| {
                let before = count as f32 / examples;
                (label.as_str(), evidence * p + (1.0 - evidence) * before)
            })
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let first = ranked.first().map_or(0.0, |(_, p)| *p);
        Category {
            unsure: first < SURE || evidence < SURE,
            ranked,
        }
    }

    /// The score of every category, and how far the text can be trusted to
    /// say anything, 0 to 1.
    fn score(&self, fields: &[&str]) -> (Vec<f32>, f32) {
        let classes = self.labels.len();
        let mut sums = vec![0.0; classes];
        let (mut known, mut seen) = (0_u32, 0_u32);
        for (number, text) in fields
            .iter()
            .take(self.fields.len().min(FIELDS))
            .enumerate()
        {
            let folded = Folded::new(text, LOOKED_AT);
            let of_field = field_shares(number, &folded);
            let counted = weighing::count(&occurrences(number, &folded));
            for block in counted.chunk_by(|a, b| a.0 == b.0) {
                let known_here = self.add_block(block, &of_field, &mut sums);
                let tells = block
                    .first()
                    .is_some_and(|(block, ..)| tells_evidence(*block));
                if tells {
                    known += known_here;
                    seen += block.len() as u32;
                }
            }
        }
        for ((sum, scale), bias) in sums.iter_mut().zip(&self.scales).zip(&self.bias) {
            *sum = *sum * scale + bias;
        }
        (sums, evidence(known, seen))
    }

    /// Adds one block's features to the sums; gives how many of them are known.
    fn add_block(
        &self,
        block: &[(u8, u32, u32)],
        shares: &[[f32; KINDS]; FIELDS],
        sums: &mut [f32],
    ) -> u32 {
        let mut found: Vec<(usize, f32)> = Vec::with_capacity(block.len());
        let mut square = 0.0;
        for &(number, key, times) in block {
            let Some((slot, value)) = self.value(number, key, times) else {
                continue;
            };
            square += value * value;
            found.push((slot, value));
        }
        let number = block.first().map_or(0, |(number, ..)| *number);
        let scale = self.weighing.scale(number, shares, square);
        for &(slot, value) in &found {
            for (sum, &byte) in sums.iter_mut().zip(self.bytes(slot)) {
                *sum += value * scale * unit(byte);
            }
        }
        found.len() as u32
    }

    fn value(&self, block: u8, key: u32, times: u32) -> Option<(usize, f32)> {
        let (slot, idf) = self.slots.find(key)?;
        let idf = weighing::decode_idf(idf);
        Some((
            slot,
            weighing::of_times(block, times) * weighing::idf_in(block, idf),
        ))
    }

    fn bytes(&self, slot: usize) -> &[i8] {
        let classes = self.labels.len();
        self.weights
            .get(slot * classes..(slot + 1) * classes)
            .unwrap_or_default()
    }

    /// The pieces of the text that spoke for `label` most, the strongest first.
    pub fn deciding(&self, fields: &[&str], label: &str) -> Vec<Deciding> {
        let Some(class) = self.labels.iter().position(|known| known == label) else {
            return Vec::new();
        };
        let mut pieces = Vec::new();
        for (field, text) in fields
            .iter()
            .take(self.fields.len().min(FIELDS))
            .enumerate()
        {
            let folded = Folded::new(text, LOOKED_AT);
            let weights = self.weight_of_characters(field, &folded, class);
            pieces.extend(pieces_of(field, &folded, &weights));
        }
        pieces.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        pieces.truncate(PIECES);
        pieces
    }

    /// What each character added for the class against the mean of all.
    fn weight_of_characters(&self, field: usize, folded: &Folded, class: usize) -> Vec<f32> {
        let mut weights = vec![0.0; folded.chars.len()];
        let shares = field_shares(field, folded);
        let mut found = occurrences(field, folded);
        found.sort_by_key(|one| (one.block, one.key));
        for block in found.chunk_by(|a, b| a.block == b.block) {
            let mut valued: Vec<(usize, f32, &[Occurrence])> = Vec::new();
            for same in block.chunk_by(|a, b| a.key == b.key) {
                let one = same
                    .first()
                    .and_then(|o| self.value(o.block, o.key, same.len() as u32));
                if let Some((slot, value)) = one {
                    valued.push((slot, value, same));
                }
            }
            let square = valued.iter().map(|(_, value, _)| value * value).sum();
            let number = block.first().map_or(0, |one| one.block);
            let scale = self.weighing.scale(number, &shares, square);
            for (slot, value, same) in valued {
                let each = value * scale * self.lead(slot, class) / same.len() as f32;
                for one in same {
                    spread(&mut weights, one, each);
                }
            }
        }
        weights
    }

    /// A feature's weight for the class less the mean over all classes.
    fn lead(&self, slot: usize, class: usize) -> f32 {
        let weights = self
            .bytes(slot)
            .iter()
            .zip(&self.scales)
            .map(|(&b, scale)| unit(b) * scale);
        let (mut own, mut sum) = (0.0, 0.0);
        for (number, weight) in weights.enumerate() {
            sum += weight;
            if number == class {
                own = weight;
            }
        }
        own - sum / self.labels.len().max(1) as f32
    }
}

fn field_shares(field: usize, folded: &Folded) -> [[f32; KINDS]; FIELDS] {
    let mut all = [[0.0; KINDS]; FIELDS];
    if let Some(of_field) = all.get_mut(field) {
        *of_field = shares(folded);
    }
    all
}

fn spread(weights: &mut [f32], one: &Occurrence, weight: f32) {
    let (from, to) = (one.from as usize, one.to as usize);
    let Some(covered) = weights.get_mut(from..to) else {
        return;
    };
    let each = weight / covered.len().max(1) as f32;
    covered.iter_mut().for_each(|sum| *sum += each);
}

/// Runs of characters that each spoke for the class clearly.
fn pieces_of(field: usize, folded: &Folded, weights: &[f32]) -> Vec<Deciding> {
    let highest = weights.iter().copied().fold(0.0, f32::max);
    let clear = highest * 0.25;
    let mut pieces = Vec::new();
    let mut at = 0;
    for run in weights.chunk_by(|a, b| (*a > clear) == (*b > clear)) {
        let (from, to) = (at, at + run.len());
        at = to;
        if run.first().is_none_or(|&first| first <= clear) {
            continue;
        }
        if let Some((start, end)) = folded.source(from, to) {
            pieces.push(Deciding {
                field,
                start,
                end,
                weight: run.iter().sum(),
            });
        }
    }
    pieces
}

/// Single characters and whole words tell how much of a text is known.
fn tells_evidence(block: u8) -> bool {
    matches!(
        usize::from(block) % KINDS,
        crate::features::CHARS | crate::features::WORDS
    )
}

/// How far a text can be trusted to say anything: nothing with less than two
/// known characters or words or less than a third of all known, everything
/// from eight and two thirds on.
fn evidence(known: u32, seen: u32) -> f32 {
    if seen == 0 {
        return 0.0;
    }
    let share = known as f32 / seen as f32;
    let of_share = ((share - 1.0 / 3.0) * 3.0).clamp(0.0, 1.0);
    let of_length = ((known as f32 - 1.0) / 7.0).clamp(0.0, 1.0);
    of_share * of_length
}

/// Scores become probabilities in place.
fn probabilities(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut total = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - highest).exp();
        total += *score;
    }
    scores.iter_mut().for_each(|score| *score /= total);
}

/// A weight's byte as a part of its category's scale, −1 to 1.
fn unit(byte: i8) -> f32 {
    let root = f32::from(byte) / 127.0;
    root * root.abs()
}

/// Where a key stands among the sorted keys, with its idf: a table of open
/// addressing, twice as long as there are keys. All of an entry lies together,
/// since reading memory is what judging a text spends its time on.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Slots {
    /// The key, the idf's byte, and in 24 bits the number and one; 0 is free.
    /// A file of [`MODEL_BYTES`](super::MODEL_BYTES) holds far fewer keys.
    table: Vec<u64>,
}

const NUMBER: u64 = 0x00ff_ffff;

impl Slots {
    pub fn over(keys: &[u32], idf: &[u8]) -> Self {
        let mut table = vec![0; (keys.len() * 2).next_power_of_two().max(2)];
        let mask = table.len() - 1;
        for (number, (&key, &idf)) in (1_u64..).zip(keys.iter().zip(idf)) {
            let mut at = spot(key) & mask;
            while table.get(at).is_some_and(|&taken| taken != 0) {
                at = (at + 1) & mask;
            }
            if let Some(free) = table.get_mut(at) {
                *free = (u64::from(key) << 32) | (u64::from(idf) << 24) | (number & NUMBER);
            }
        }
        Self { table }
    }

    /// The key's number and the byte of its idf.
    fn find(&self, key: u32) -> Option<(usize, u8)> {
        let mask = self.table.len().checked_sub(1)?;
        let mut at = spot(key) & mask;
        loop {
            let entry = self.table.get(at).copied()?;
            let number = (entry & NUMBER).checked_sub(1)? as usize;
            if (entry >> 32) as u32 == key {
                return Some((number, (entry >> 24) as u8));
            }
            at = (at + 1) & mask;
        }
    }
}

fn spot(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> 7) as usize
}
