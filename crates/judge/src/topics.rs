//! What an ordinary reader knows before the first example: which words belong
//! to which theme of everyday complaints (`data/topics.json`). The classifier
//! takes a theme as one more feature, so that a word seen in no example still
//! says something when its neighbours were seen.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use crate::fold::{Folded, is_dense};

#[derive(Deserialize)]
struct File {
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
struct Topic {
    id: String,
    words: Vec<String>,
}

/// The themes' words, ready to be found in one pass.
pub(crate) struct Topics {
    finder: AhoCorasick,
    /// For each word of the finder its themes.
    of_word: Vec<Vec<u16>>,
    /// For each word whether it must stand alone, as in scripts with spaces.
    alone: Vec<bool>,
    pub words: Vec<String>,
    pub ids: Vec<String>,
}

/// A word found: its number, and the folded characters it covers.
pub(crate) struct Hit {
    pub word: usize,
    pub from: usize,
    pub to: usize,
}

/// The themes this version was made with.
pub(crate) static TOPICS: LazyLock<Topics> = LazyLock::new(|| {
    let read = Topics::parse(include_str!("../data/topics.json"));
    // The file is part of the program, and a test reads it.
    read.unwrap_or_else(Topics::none)
});

impl Topics {
    fn none() -> Self {
        Self {
            // No pattern at all cannot exceed any of the finder's limits.
            #[allow(clippy::expect_used)]
            finder: AhoCorasick::new::<_, &str>([]).expect("a finder of nothing"),
            of_word: Vec::new(),
            alone: Vec::new(),
            words: Vec::new(),
            ids: Vec::new(),
        }
    }

    fn parse(json: &str) -> Option<Self> {
        let file: File = serde_json::from_str(json).ok()?;
        let mut words: Vec<(String, Vec<u16>)> = Vec::new();
        for (number, topic) in (0_u16..).zip(&file.topics) {
            for word in &topic.words {
                let word = Folded::new(word, 64).text();
                match words.iter_mut().find(|(known, _)| *known == word) {
                    Some((_, topics)) => topics.push(number),
                    None => words.push((word, vec![number])),
                }
            }
        }
        Some(Self {
            finder: AhoCorasick::new(words.iter().map(|(word, _)| word)).ok()?,
            alone: words
                .iter()
                .map(|(word, _)| !word.contains(is_dense))
                .collect(),
            ids: file.topics.into_iter().map(|topic| topic.id).collect(),
            of_word: words.iter().map(|(_, topics)| topics.clone()).collect(),
            words: words.into_iter().map(|(word, _)| word).collect(),
        })
    }

    /// The themes of a word.
    pub fn of(&self, word: usize) -> &[u16] {
        self.of_word.get(word).map_or(&[], Vec::as_slice)
    }

    /// Every word that stands in the text, overlapping ones too.
    pub fn find(&self, folded: &Folded, mut found: impl FnMut(Hit)) {
        let mut text = String::with_capacity(folded.chars.len() * 3);
        let mut number_at = Vec::with_capacity(folded.chars.len() * 3 + 1);
        for (number, &c) in folded.chars.iter().enumerate() {
            text.push(c);
            number_at.resize(text.len(), number);
        }
        number_at.push(folded.chars.len());
        let place = |byte: usize| number_at.get(byte).copied().unwrap_or_default();
        for hit in self.finder.find_overlapping_iter(&text) {
            let word = hit.pattern().as_usize();
            let (from, to) = (place(hit.start()), place(hit.end()));
            if self.alone.get(word) == Some(&true) && !stands_alone(folded, from, to) {
                continue;
            }
            found(Hit { word, from, to });
        }
    }
}

fn stands_alone(folded: &Folded, from: usize, to: usize) -> bool {
    let is_letter = |at: Option<&char>| at.is_some_and(|c| c.is_alphabetic() && !is_dense(*c));
    let before = from.checked_sub(1).and_then(|at| folded.chars.get(at));
    !is_letter(before) && !is_letter(folded.chars.get(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&'static str> {
        let mut words = Vec::new();
        TOPICS.find(&Folded::new(text, 1000), |hit| {
            words.push(TOPICS.words[hit.word].as_str());
        });
        words
    }

    #[test]
    fn the_file_of_themes_is_readable_and_has_words() {
        assert!(TOPICS.ids.len() > 40 && TOPICS.words.len() > 1000);
        assert!((0..TOPICS.words.len()).all(|word| !TOPICS.of(word).is_empty()));
    }

    #[test]
    fn latin_words_stand_alone_and_chinese_ones_anywhere() {
        assert!(found("my mortgage was sold").contains(&"mortgage"));
        assert!(!found("the recard and discards").contains(&"card"));
        assert!(found("家里寬帶斷網").contains(&"宽带"));
        assert!(found("我家wifi慢").contains(&"wifi"));
    }
}
