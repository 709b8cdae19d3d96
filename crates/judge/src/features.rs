//! What a text is made of, for the classifier: for scripts without spaces
//! single characters and pairs; for the others words, pairs of words and the
//! 3 to 5 letters within a word; for both the words and themes of
//! `topics`. Each column of a complaint (title, text) is a field with
//! features of its own, each kind of feature a block of its own that is
//! weighed and normalised by itself, so that a long text does not drown its
//! title.

use crate::fold::{Folded, is_dense};
use crate::topics::TOPICS;

/// Kinds of blocks in a field.
pub(crate) const KINDS: usize = 7;
pub(crate) const CHARS: usize = 0;
const PAIRS: usize = 1;
pub(crate) const WORDS: usize = 2;
const WORD_PAIRS: usize = 3;
const LETTERS: usize = 4;
const KNOWN_WORDS: usize = 5;
pub(crate) const THEMES: usize = 6;

/// Fields a complaint can have; further ones are read as the last.
pub(crate) const FIELDS: usize = 4;

/// No more characters of a field are looked at: what a complaint is about
/// stands in its beginning, and nobody's paste may stop the desk.
pub(crate) const LOOKED_AT: usize = 2000;

/// A share below which words of up to two letters count as part of the
/// Chinese around them (A区, 3G).
const SHORT: usize = 3;

/// One place of one feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occurrence {
    pub block: u8,
    pub key: u32,
    pub from: u32,
    pub to: u32,
}

/// Every occurrence in a field, in no order that matters.
pub(crate) fn occurrences(field: usize, folded: &Folded) -> Vec<Occurrence> {
    let field = field.min(FIELDS - 1);
    let mut found = Found {
        field,
        list: Vec::with_capacity(folded.chars.len() * 4),
    };
    let segments = segments(folded);
    let has_dense = folded.chars.iter().any(|&c| is_dense(c));
    if has_dense {
        dense(folded, &segments, &mut found);
    }
    words(folded, &segments, has_dense, &mut found);
    TOPICS.find(folded, |hit| {
        if let Some(word) = TOPICS.words.get(hit.word) {
            found.take(KNOWN_WORDS, word.chars(), hit.from, hit.to);
        }
        for &theme in TOPICS.of(hit.word) {
            if let Some(id) = TOPICS.ids.get(usize::from(theme)) {
                found.take(THEMES, id.chars(), hit.from, hit.to);
            }
        }
    });
    found.list
}

/// The share of each kind's weight: of Chinese in a text with words of other
/// scripts, and the other way round.
pub(crate) fn shares(folded: &Folded) -> [f32; KINDS] {
    let dense = folded.chars.iter().filter(|&&c| is_dense(c)).count() as f32;
    let letters = folded.chars.iter().filter(|&&c| c.is_alphabetic()).count() as f32 - dense;
    // A Chinese character says about as much as three letters.
    let all = dense + letters / 3.0;
    let share = if all > 0.0 { (dense / all).sqrt() } else { 0.0 };
    let rest = if all > 0.0 {
        (letters / 3.0 / all).sqrt()
    } else {
        0.0
    };
    [share, share, rest, rest, rest, 1.0, 1.0]
}

struct Found {
    field: usize,
    list: Vec<Occurrence>,
}

impl Found {
    fn take(&mut self, kind: usize, of: impl Iterator<Item = char>, from: usize, to: usize) {
        let block = (self.field * KINDS + kind) as u8;
        self.list.push(Occurrence {
            block,
            key: key(block, of),
            from: from as u32,
            to: to as u32,
        });
    }
}

/// FNV-1a over the block and the characters, its halves folded together.
fn key(block: u8, of: impl Iterator<Item = char>) -> u32 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = (0xcbf2_9ce4_8422_2325 ^ u64::from(block)).wrapping_mul(PRIME);
    for c in of {
        hash = (hash ^ u64::from(u32::from(c))).wrapping_mul(PRIME);
    }
    hash ^= hash >> 29;
    (hash ^ (hash >> 32)) as u32
}

/// A run of letters and digits of one sort.
struct Segment {
    from: usize,
    to: usize,
    dense: bool,
}

fn segments(folded: &Folded) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (at, &c) in folded.chars.iter().enumerate() {
        if c == ' ' {
            continue;
        }
        let dense = is_dense(c);
        match segments.last_mut() {
            Some(last) if last.to == at && last.dense == dense => last.to = at + 1,
            _ => segments.push(Segment {
                from: at,
                to: at + 1,
                dense,
            }),
        }
    }
    segments
}

/// Single characters and pairs over the Chinese and the short Latin bits in it.
fn dense(folded: &Folded, segments: &[Segment], found: &mut Found) {
    let mut before: Option<(char, usize)> = None;
    let space = |at: usize| (' ', at);
    for segment in segments.iter().filter(|s| s.dense || s.to - s.from < SHORT) {
        for at in segment.from..segment.to {
            let Some(&c) = folded.chars.get(at) else {
                break;
            };
            found.take(CHARS, std::iter::once(c), at, at + 1);
            let adjacent = before.filter(|&(_, last)| last + 1 == at);
            match (before, adjacent) {
                (_, Some((last, place))) => pair(found, last, c, place, at + 1),
                (earlier, None) => {
                    if let Some((last, place)) = earlier {
                        pair(found, last, ' ', place, place + 1);
                    }
                    let (blank, place) = space(at);
                    pair(found, blank, c, place, at + 1);
                }
            }
            before = Some((c, at));
        }
    }
}

fn pair(found: &mut Found, first: char, second: char, from: usize, to: usize) {
    found.take(PAIRS, [first, second].into_iter(), from, to);
}

/// Words, pairs of words, and the letters within words.
fn words(folded: &Folded, segments: &[Segment], among_dense: bool, found: &mut Found) {
    let shortest = if among_dense { SHORT } else { 1 };
    let mut before: Option<&Segment> = None;
    for segment in segments
        .iter()
        .filter(|s| !s.dense && s.to - s.from >= shortest)
    {
        let Some(word) = folded.chars.get(segment.from..segment.to) else {
            break;
        };
        found.take(WORDS, word.iter().copied(), segment.from, segment.to);
        let first = before.and_then(|b| folded.chars.get(b.from..b.to).map(|word| (b.from, word)));
        if let Some((from, first)) = first {
            let both = first.iter().chain(&[' ']).chain(word).copied();
            found.take(WORD_PAIRS, both, from, segment.to);
        }
        letters(word, segment, found);
        before = Some(segment);
    }
}

fn letters(word: &[char], segment: &Segment, found: &mut Found) {
    // A word longer than any word is no word.
    let word = word.get(..40).unwrap_or(word);
    let bounded: Vec<char> = std::iter::once(' ')
        .chain(word.iter().copied())
        .chain(std::iter::once(' '))
        .collect();
    for size in 3..=5 {
        for gram in bounded.windows(size) {
            found.take(LETTERS, gram.iter().copied(), segment.from, segment.to);
        }
    }
}
