//! A complaint's text read once for all rules: which of their words stand
//! where, in which sentence, and whether taken back by a negation.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, BuildError};
use serde::Serialize;

use crate::fold::Plain;

/// The words to look for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    numbers: HashMap<String, usize>,
    finder: Option<AhoCorasick>,
}

/// Where a word stands: the bytes of a field of the complaint as written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Place {
    /// 0 for the description, 1 for the remedy sought.
    pub field: usize,
    pub start: usize,
    pub end: usize,
}

/// No more characters of a field are looked at, whatever is pasted.
const LOOKED_AT: usize = 20_000;

/// A negation takes back a word that begins at most so many characters or
/// words after it, in the same clause.
const REACH: usize = 2;

/// No two words or characters are longer.
const REACH_IN_BYTES: usize = 48;

/// Negations looked at before a word: those of one place overlap (没, 没有).
const NEGATIONS: usize = 4;

/// The fields of a complaint, read.
pub(crate) struct Reading {
    fields: Vec<Plain>,
    /// By word, then by place.
    hits: Vec<Hit>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Hit {
    word: usize,
    pub field: usize,
    /// Bytes of the folded field.
    pub start: usize,
    pub end: usize,
    /// The sentence, counted over all fields.
    pub sentence: usize,
    pub negated: bool,
}

impl Words {
    pub fn build(words: impl Iterator<Item = String>) -> Result<Self, BuildError> {
        let mut numbers = HashMap::new();
        let mut list = Vec::new();
        for word in words.filter(|word| !word.is_empty()) {
            numbers.entry(word).or_insert_with_key(|word| {
                list.push(word.clone());
                list.len() - 1
            });
        }
        Ok(Self {
            numbers,
            finder: Some(AhoCorasick::new(list)?),
        })
    }

    /// The number by which a word is asked for. The empty word has one that
    /// is never found.
    pub fn number(&self, word: &str) -> usize {
        self.numbers.get(word).copied().unwrap_or(usize::MAX)
    }

    pub fn read(&self, fields: &[&str], negating: &[usize]) -> Reading {
        let fields: Vec<Plain> = fields.iter().map(|f| Plain::new(f, LOOKED_AT)).collect();
        let mut hits = Vec::new();
        let mut sentence = 0;
        for (number, field) in fields.iter().enumerate() {
            let first = hits.len();
            let found = self.finder.iter();
            let found = found.flat_map(|finder| finder.find_overlapping_iter(&field.text));
            hits.extend(found.map(|hit| Hit {
                word: hit.pattern().as_usize(),
                field: number,
                start: hit.start(),
                end: hit.end(),
                sentence: 0,
                negated: false,
            }));
            let of_field = hits.get_mut(first..).unwrap_or_default();
            of_field.sort_unstable_by_key(|hit| hit.start);
            sentence = number_sentences(&field.text, of_field, sentence) + 1;
            take_back(&field.text, of_field, negating);
        }
        hits.sort_unstable();
        Reading { fields, hits }
    }
}

/// Numbers the hits' sentences from `from`; gives the last sentence's number.
fn number_sentences(text: &str, hits: &mut [Hit], from: usize) -> usize {
    let mut ends = text
        .match_indices(['。', '！', '？', '!', '?', '\n'])
        .map(|(at, _)| at)
        .peekable();
    let mut sentence = from;
    for hit in hits {
        while ends.next_if(|&end| end < hit.start).is_some() {
            sentence += 1;
        }
        hit.sentence = sentence;
    }
    sentence + ends.count()
}

/// Marks what stands right after a negation in the same clause.
fn take_back(text: &str, hits: &mut [Hit], negating: &[usize]) {
    let mut ends: Vec<usize> = hits
        .iter()
        .filter(|hit| negating.contains(&hit.word) && stands_alone(text, hit))
        .map(|hit| hit.end)
        .collect();
    ends.sort_unstable();
    for hit in hits {
        let before = ends.partition_point(|&end| end <= hit.start);
        let close = ends.get(before.saturating_sub(NEGATIONS)..before);
        hit.negated = close.unwrap_or_default().iter().any(|&end| {
            let bytes = hit.start - end <= REACH_IN_BYTES;
            bytes && text.get(end..hit.start).is_some_and(is_within_reach)
        });
    }
}

/// "no" does not stand in "know".
fn stands_alone(text: &str, hit: &Hit) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    let word = text.get(hit.start..hit.end).unwrap_or_default();
    let before = text.get(..hit.start).and_then(|t| t.chars().next_back());
    let after = text.get(hit.end..).and_then(|t| t.chars().next());
    !word.is_ascii() || !(letter(before) || letter(after))
}

fn is_within_reach(between: &str) -> bool {
    !between.chars().any(ends_clause)
        && between.chars().filter(|c| !c.is_ascii()).count() <= REACH
        && between.split_ascii_whitespace().count() <= REACH
}

fn ends_clause(c: char) -> bool {
    matches!(
        c,
        '，' | ',' | '。' | '；' | ';' | '、' | '！' | '!' | '？' | '?' | '：' | ':' | '.' | '\n'
    )
}

impl Reading {
    /// Where the word of this number stands.
    pub fn of(&self, word: usize) -> &[Hit] {
        let from = self.hits.partition_point(|hit| hit.word < word);
        let until = self.hits.partition_point(|hit| hit.word <= word);
        self.hits.get(from..until).unwrap_or_default()
    }

    /// The folded text before a hit in its field.
    pub fn before(&self, hit: &Hit) -> &str {
        let field = self.fields.get(hit.field);
        field
            .and_then(|field| field.text.get(..hit.start))
            .unwrap_or_default()
    }

    pub fn fields(&self) -> impl Iterator<Item = (usize, &str)> {
        let texts = self.fields.iter().map(|field| field.text.as_str());
        texts.enumerate()
    }

    /// The place in the text as written of folded bytes.
    pub fn place(&self, field: usize, start: usize, end: usize) -> Place {
        let source = self.fields.get(field).and_then(|f| f.source(start, end));
        let (start, end) = source.unwrap_or_default();
        Place { field, start, end }
    }
}
