//! Examples as weighted features.

use std::collections::HashMap;

use super::weighing::{self, Weighing};
use crate::features::{FIELDS, KINDS, LOOKED_AT, occurrences, shares};
use crate::fold::Folded;

/// One feature of one row before the whole set is known.
struct Counted {
    id: u32,
    block: u8,
    /// Of the times it stands there, the logarithm and one.
    weight: f32,
}

/// Examples under construction: how often what stands where.
#[derive(Default)]
pub(super) struct Counting {
    ids: HashMap<u32, u32>,
    keys: Vec<u32>,
    /// In how many rows each feature stands.
    seen: Vec<u32>,
    entries: Vec<Counted>,
    ends: Vec<usize>,
    shares: Vec<[[f32; KINDS]; FIELDS]>,
}

/// Examples ready for training, one sparse row each; the last feature is the
/// constant 1.
pub(super) struct Rows {
    pub keys: Vec<u32>,
    pub idf: Vec<f32>,
    entries: Vec<(u32, f32)>,
    ends: Vec<usize>,
}

impl Counting {
    pub fn add(&mut self, fields: &[&str]) {
        let mut row_shares = [[0.0; KINDS]; FIELDS];
        for (number, text) in fields.iter().take(FIELDS).enumerate() {
            let folded = Folded::new(text, LOOKED_AT);
            if let Some(of_field) = row_shares.get_mut(number) {
                *of_field = shares(&folded);
            }
            let counted = weighing::count(&occurrences(number, &folded));
            for (block, key, times) in counted {
                let id = self.id(key);
                self.entries.push(Counted {
                    id,
                    block,
                    weight: weighing::of_times(block, times),
                });
            }
        }
        self.ends.push(self.entries.len());
        self.shares.push(row_shares);
    }

    fn id(&mut self, key: u32) -> u32 {
        let next = self.keys.len() as u32;
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            self.keys.push(key);
            self.seen.push(0);
        }
        if let Some(seen) = self.seen.get_mut(id as usize) {
            *seen += 1;
        }
        id
    }

    /// In how many rows a feature must stand so that at most `most` remain.
    pub fn rarest_of(&self, most: usize) -> u32 {
        let mut rarest = 1;
        while self.seen.iter().filter(|&&seen| seen >= rarest).count() > most {
            rarest += 1;
        }
        rarest
    }

    /// Weighs what was counted; features in fewer than `rarest` rows are left
    /// out.
    pub fn weigh(self, weighing: &Weighing, rarest: u32) -> Rows {
        let texts = self.ends.len() as f32;
        let mut new_ids = vec![u32::MAX; self.keys.len()];
        let (mut keys, mut idf) = (Vec::new(), Vec::new());
        for ((&key, &seen), id) in self.keys.iter().zip(&self.seen).zip(&mut new_ids) {
            if seen >= rarest {
                *id = keys.len() as u32;
                keys.push(key);
                idf.push(weighing::coded(
                    ((1.0 + texts) / (1.0 + seen as f32)).ln() + 1.0,
                ));
            }
        }
        let constant = keys.len() as u32;
        let mut rows = Rows {
            keys,
            idf,
            entries: Vec::with_capacity(self.entries.len()),
            ends: Vec::new(),
        };
        let mut rest = self.entries.as_slice();
        let mut start = 0;
        for (&end, shares) in self.ends.iter().zip(&self.shares) {
            let (row, after) = rest.split_at((end - start).min(rest.len()));
            (rest, start) = (after, end);
            for block in row.chunk_by(|a, b| a.block == b.block) {
                rows.take_block(block, &new_ids, shares, weighing);
            }
            rows.entries.push((constant, 1.0));
            rows.ends.push(rows.entries.len());
        }
        rows
    }
}

impl Rows {
    fn take_block(
        &mut self,
        block: &[Counted],
        new_ids: &[u32],
        shares: &[[f32; KINDS]; FIELDS],
        weighing: &Weighing,
    ) {
        let Some(number) = block.first().map(|first| first.block) else {
            return;
        };
        let from = self.entries.len();
        let mut square = 0.0;
        for counted in block {
            let id = new_ids
                .get(counted.id as usize)
                .copied()
                .unwrap_or(u32::MAX);
            let Some(&idf) = self.idf.get(id as usize) else {
                continue;
            };
            let value = counted.weight * weighing::idf_in(number, idf);
            square += value * value;
            self.entries.push((id, value));
        }
        let scale = weighing.scale(number, shares, square);
        for (_, value) in self.entries.iter_mut().skip(from) {
            *value *= scale;
        }
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Number of features with the constant one.
    pub fn width(&self) -> usize {
        self.keys.len() + 1
    }

    pub fn total(&self) -> usize {
        self.entries.len()
    }

    pub fn row(&self, number: usize) -> &[(u32, f32)] {
        let end = self.ends.get(number).copied().unwrap_or_default();
        let before = number.checked_sub(1).and_then(|n| self.ends.get(n));
        self.entries
            .get(before.copied().unwrap_or_default()..end)
            .unwrap_or_default()
    }
}
