//! Text from anywhere, made fit to print: what has no agreed look becomes a
//! stand-in that is seen, what would turn the reading order around goes.

use std::collections::BTreeSet;
use std::ops::Range;

/// The paragraphs of a text; empty ones are left out.
pub fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split([
        '\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}',
    ])
    .filter(|paragraph| !paragraph.trim().is_empty())
}

/// One paragraph as it is printed: white space in single gaps, controls and
/// private characters as the stand-in, noted in `unprinted`.
pub fn clean(text: &str, stand_in: char, unprinted: &mut BTreeSet<char>) -> String {
    let mut made = String::with_capacity(text.len());
    let mut gap = true;
    for c in text.chars() {
        match c {
            // Marks of direction: whoever wrote one could make a letter read
            // otherwise than its text says. And the mark of byte order.
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            _ if c.is_whitespace() => {
                if !gap {
                    made.push(match c {
                        '\u{a0}' | '\u{202f}' | '\u{3000}' => c,
                        _ => ' ',
                    });
                }
                gap = true;
            }
            _ if is_unprintable(c) => {
                unprinted.insert(c);
                made.push(stand_in);
                gap = false;
            }
            _ => {
                made.push(c);
                gap = false;
            }
        }
    }
    made
}

/// Where Chinese and Latin letters meet: each range is the character before.
pub fn script_changes(text: &str) -> Vec<Range<usize>> {
    let after = text.char_indices().skip(1);
    text.char_indices()
        .zip(after)
        .filter(|((_, a), (_, b))| {
            (is_ideograph(*a) && is_latin(*b)) || (is_latin(*a) && is_ideograph(*b))
        })
        .map(|((start, _), (end, _))| start..end)
        .collect()
}

/// The quotation marks and dashes that Chinese and Latin share, where they
/// stand among Latin letters: Chinese fonts draw them as wide as a character.
pub fn latin_quotes(text: &str, everywhere: bool) -> Vec<Range<usize>> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let beside = |at: Option<usize>| {
        at.and_then(|at| characters.get(at))
            .is_none_or(|(_, c)| is_latin(*c) || c.is_ascii_punctuation() || *c == ' ')
    };
    characters
        .iter()
        .enumerate()
        .filter(|(at, (_, c))| {
            matches!(
                c,
                '\u{2018}'..='\u{201d}' | '\u{2013}' | '\u{2014}' | '\u{2026}'
            ) && (everywhere || (beside(at.checked_sub(1)) && beside(Some(at + 1))))
        })
        .map(|(_, (start, c))| *start..start + c.len_utf8())
        .collect()
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '\u{c0}'..='\u{24f}' | '¥' | '$' | '%' | '+' | '-')
}

/// Controls, private characters, and those that are none.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}'
            | '\u{f0000}'..='\u{10ffff}' | '\u{e0000}'..='\u{e0fff}')
        || u32::from(c) & 0xfffe == 0xfffe
}
