//! The same matter in other words, the same text sent twice: an index of
//! texts that grows one by one and is asked for those nearest to another.
//!
//! Nearness is the cosine of weighted single characters, pairs and, once more,
//! the title's pairs (words and pairs of words in scripts with spaces). Rare
//! pairs, such as the name of a place, count more, but by less than the
//! logarithm: two people name one place in many ways.

mod grams;

use std::collections::HashMap;

use grams::{BLOCKS, Gram, grams};

/// What each block of grams counts: pairs of the whole, pairs of the title,
/// single characters.
const SHARES: [f32; BLOCKS] = [1.0, 0.4, 0.3];

/// The power of the inverse document frequency's logarithm.
const RARITY: f32 = 0.7;

/// Places read at most to find candidates, and candidates compared in full:
/// together they bound the time of a question.
const READ_AT_MOST: usize = 30_000;
const COMPARED: usize = 64;

/// Texts that can be asked for similar ones.
#[derive(Clone, Debug, Default)]
pub struct Similar {
    numbers: HashMap<u32, u32>,
    /// For each gram the texts it stands in, rising.
    places: Vec<Vec<u32>>,
    texts: Vec<Text>,
    /// Texts by a sum over what they say.
    same: HashMap<u32, Vec<u32>>,
}

#[derive(Clone, Debug)]
struct Text {
    grams: Vec<Weighed>,
    sum: u32,
}

/// A gram's number and how much its times in the text count.
#[derive(Clone, Copy, Debug)]
struct Weighed {
    number: u32,
    block: u8,
    times: f32,
}

/// A text found similar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hit {
    /// In the order of adding, from 0.
    pub number: usize,
    /// 0 to 1; 1 is the same text.
    pub score: f32,
}

impl Similar {
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Adds a text, its columns with the title first; gives its number.
    pub fn add(&mut self, fields: &[&str]) -> usize {
        let number = self.texts.len();
        let (found, sum) = grams(fields);
        let grams = found
            .iter()
            .map(|gram| self.take(gram, number as u32))
            .collect();
        self.same.entry(sum).or_default().push(number as u32);
        self.texts.push(Text { grams, sum });
        number
    }

    fn take(&mut self, gram: &Gram, text: u32) -> Weighed {
        let next = self.places.len() as u32;
        let number = *self.numbers.entry(gram.key).or_insert(next);
        if number == next {
            self.places.push(Vec::new());
        }
        if let Some(places) = self.places.get_mut(number as usize) {
            places.push(text);
        }
        Weighed {
            number,
            block: gram.block,
            times: gram.times,
        }
    }

    /// The `top` most similar texts, best first; the same text always is first.
    pub fn find(&self, fields: &[&str], top: usize) -> Vec<Hit> {
        let (found, sum) = grams(fields);
        let known = found.iter().map(|gram| Weighed {
            number: self.numbers.get(&gram.key).copied().unwrap_or(u32::MAX),
            block: gram.block,
            times: gram.times,
        });
        self.nearest(
            &Text {
                grams: known.collect(),
                sum,
            },
            None,
            top,
        )
    }

    /// The same for a text already added, itself left out.
    pub fn find_for(&self, number: usize, top: usize) -> Vec<Hit> {
        match self.texts.get(number) {
            Some(text) => self.nearest(text, Some(number), top),
            None => Vec::new(),
        }
    }

    /// How similar two added texts are.
    pub fn score(&self, one: usize, other: usize) -> f32 {
        match (self.texts.get(one), self.texts.get(other)) {
            (Some(one), Some(other)) => {
                let asked = Asked::new(self, one);
                asked.compare(self, other)
            }
            _ => 0.0,
        }
    }

    /// How much texts share that others lack: over the pairs of characters in
    /// three quarters of them, the bits by which the share of these among all
    /// texts with the pair is above two fifths.
    pub(crate) fn shared(&self, numbers: &[usize]) -> f32 {
        const COMMON: f32 = 0.4;
        let mut standing: HashMap<u32, u32> = HashMap::new();
        for text in numbers.iter().filter_map(|&number| self.texts.get(number)) {
            for gram in text.grams.iter().filter(|gram| gram.block == 0) {
                *standing.entry(gram.number).or_default() += 1;
            }
        }
        let all = numbers.len() as f32;
        let mut bits: Vec<(u32, f32)> = Vec::new();
        for (number, count) in standing {
            let count = count as f32;
            let places = self.places.get(number as usize).map_or(0, Vec::len).max(1) as f32;
            if count >= 2.0 && count >= (all * 0.75).ceil() && count / places > COMMON {
                bits.push((number, (count / places / COMMON).log2() * count / all));
            }
        }
        // In a fixed order, since sums of floats depend on it.
        bits.sort_by_key(|(number, _)| *number);
        bits.iter().map(|(_, bits)| bits).sum()
    }

    fn nearest(&self, text: &Text, without: Option<usize>, top: usize) -> Vec<Hit> {
        let asked = Asked::new(self, text);
        let mut hits: Vec<Hit> = self
            .candidates(text, &asked)
            .into_iter()
            .filter(|&number| Some(number as usize) != without)
            .filter_map(|number| {
                let other = self.texts.get(number as usize)?;
                let score = asked.compare(self, other);
                // Two texts may have one sum by chance, but are not near then.
                let is_same = other.sum == text.sum && score > 0.5;
                let score = if is_same { 1.0 } else { score };
                (score > 0.0).then_some(Hit {
                    number: number as usize,
                    score,
                })
            })
            .collect();
        let is_same = |hit: &Hit| {
            hit.score == 1.0
                && self
                    .texts
                    .get(hit.number)
                    .is_some_and(|other| other.sum == text.sum)
        };
        hits.sort_by(|a, b| {
            let same_first = is_same(b).cmp(&is_same(a));
            same_first
                .then(b.score.total_cmp(&a.score))
                .then(a.number.cmp(&b.number))
        });
        hits.truncate(top);
        hits
    }

    /// Texts that share the rarest grams of a text, the most promising ones.
    fn candidates(&self, text: &Text, asked: &Asked) -> Vec<u32> {
        let mut rare: Vec<(&Weighed, usize)> = text
            .grams
            .iter()
            .filter(|gram| gram.block == 0)
            .filter_map(|gram| Some((gram, self.places.get(gram.number as usize)?.len())))
            .collect();
        rare.sort_by_key(|(gram, places)| (*places, gram.number));
        let mut promise = vec![0.0_f32; self.texts.len()];
        let mut touched = Vec::new();
        let mut read = 0;
        for (gram, places) in rare {
            if read > 0 && read + places > READ_AT_MOST {
                break;
            }
            read += places;
            let weight = asked.of(gram.number);
            for &number in self.places.get(gram.number as usize).into_iter().flatten() {
                let Some(sum) = promise.get_mut(number as usize) else {
                    continue;
                };
                if *sum == 0.0 {
                    touched.push(number);
                }
                *sum += weight * weight;
            }
        }
        let by_promise = |a: &u32, b: &u32| {
            let of = |n: &u32| promise.get(*n as usize).copied().unwrap_or_default();
            of(b).total_cmp(&of(a)).then(a.cmp(b))
        };
        if touched.len() > COMPARED {
            touched.select_nth_unstable_by(COMPARED, by_promise);
            touched.truncate(COMPARED);
        }
        touched.extend(self.same.get(&text.sum).into_iter().flatten());
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    fn rarity(&self, number: u32) -> f32 {
        let texts = self.texts.len() as f32;
        let places = self.places.get(number as usize).map_or(0, Vec::len) as f32;
        ((1.0 + texts) / (1.0 + places)).ln().max(0.05).powf(RARITY)
    }
}

/// A text ready to be compared with many.
struct Asked {
    /// Value by gram; a block's grams have numbers of their own.
    values: HashMap<u32, f32>,
    lengths: [f32; BLOCKS],
}

impl Asked {
    fn new(index: &Similar, text: &Text) -> Self {
        let mut asked = Self {
            values: HashMap::with_capacity(text.grams.len()),
            lengths: [0.0; BLOCKS],
        };
        for gram in &text.grams {
            let value = gram.times * index.rarity(gram.number);
            if let Some(length) = asked.lengths.get_mut(usize::from(gram.block)) {
                *length += value * value;
            }
            asked.values.insert(gram.number, value);
        }
        asked
    }

    fn of(&self, number: u32) -> f32 {
        self.values.get(&number).copied().unwrap_or_default()
    }

    /// The cosines of the blocks, weighed; a block missing in both is left out.
    fn compare(&self, index: &Similar, other: &Text) -> f32 {
        let mut products = [0.0; BLOCKS];
        let mut lengths = [0.0; BLOCKS];
        for gram in &other.grams {
            let value = gram.times * index.rarity(gram.number);
            let block = usize::from(gram.block);
            if let (Some(product), Some(length)) = (products.get_mut(block), lengths.get_mut(block))
            {
                *product += value * self.of(gram.number);
                *length += value * value;
            }
        }
        let (mut sum, mut shares) = (0.0, 0.0);
        for (((product, length), own), share) in
            products.iter().zip(lengths).zip(self.lengths).zip(SHARES)
        {
            if length <= 0.0 && own <= 0.0 {
                continue;
            }
            shares += share;
            if length > 0.0 && own > 0.0 {
                sum += share * product / (length * own).sqrt();
            }
        }
        if shares > 0.0 {
            (sum / shares).min(1.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests;
