//! Which of many words stand in a text, found in one pass over it.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, BuildError};

/// The words to look for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    numbers: HashMap<String, usize>,
    finder: Option<AhoCorasick>,
}

/// The words found in one text.
pub(crate) struct Present {
    found: Vec<bool>,
}

impl Words {
    pub fn build<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, BuildError> {
        let mut numbers = HashMap::new();
        let mut list = Vec::new();
        for word in words.filter(|word| !word.is_empty()) {
            numbers.entry(word.to_owned()).or_insert_with(|| {
                list.push(word);
                list.len() - 1
            });
        }
        Ok(Self {
            numbers,
            finder: Some(AhoCorasick::new(list)?),
        })
    }

    pub fn look_in(&self, text: &str) -> Present {
        let mut found = vec![false; self.numbers.len()];
        let finder = self.finder.iter();
        for hit in finder.flat_map(|finder| finder.find_overlapping_iter(text)) {
            if let Some(seen) = found.get_mut(hit.pattern().as_usize()) {
                *seen = true;
            }
        }
        Present { found }
    }

    /// The number by which a word is asked for. The empty word has one that
    /// is never found.
    pub fn number(&self, word: &str) -> usize {
        self.numbers.get(word).copied().unwrap_or(usize::MAX)
    }
}

impl Present {
    /// Whether the word of this number stands in the text.
    pub fn has(&self, number: usize) -> bool {
        self.found.get(number).copied().unwrap_or(false)
    }
}
