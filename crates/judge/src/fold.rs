//! Text as matching sees it: compatibility forms made plain (Unicode NFKC),
//! Traditional characters as their Simplified twins, lower case, every digit
//! as `0`, everything that is no letter or digit as one space. Each character
//! still knows where it stood, so that what decided can be highlighted.

use std::sync::LazyLock;

use hanconv::RawDictionary;
use unicode_normalization::UnicodeNormalization as _;

const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9fff;

/// OpenCC's characters, Traditional to Simplified, by code point from
/// [`FIRST`]; 0 where a character stays.
static SIMPLIFIED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    const TABLE: &str = RawDictionary::TSCharacters.text();
    let mut table = vec![0; (LAST - FIRST + 1) as usize];
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split_whitespace();
        let (Some(from), Some(to)) = (columns.next(), columns.next()) else {
            continue;
        };
        let (mut from, mut to) = (from.chars(), to.chars());
        let (Some(from), None, Some(to)) = (from.next(), from.next(), to.next()) else {
            continue;
        };
        let slot = u32::from(from)
            .checked_sub(FIRST)
            .and_then(|at| table.get_mut(at as usize));
        if let (Some(slot), Ok(to)) = (slot, u16::try_from(u32::from(to))) {
            *slot = to;
        }
    }
    table
});

/// A folded text of at most so many characters as was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folded {
    /// Letters, `0` for digits, and single spaces; none at either end.
    pub chars: Vec<char>,
    /// For each character the byte range of the source it came from.
    at: Vec<(u32, u32)>,
}

impl Folded {
    /// Folds the beginning of `text`, up to `limit` folded characters.
    pub fn new(text: &str, limit: usize) -> Self {
        let mut folded = Self::default();
        for (start, c) in text.char_indices() {
            if folded.chars.len() >= limit {
                break;
            }
            let range = (start as u32, (start + c.len_utf8()) as u32);
            each(c, |c| folded.push(c, range));
        }
        if folded.chars.last() == Some(&' ') {
            folded.chars.pop();
            folded.at.pop();
        }
        folded
    }

    fn push(&mut self, c: char, range: (u32, u32)) {
        let c = match c {
            _ if c.is_numeric() => '0',
            _ if c.is_alphanumeric() => c,
            _ => ' ',
        };
        if c == ' ' && self.chars.last().is_none_or(|&last| last == ' ') {
            return;
        }
        self.chars.push(c);
        self.at.push(range);
    }

    /// The source's byte range of the folded characters `from..to`.
    pub fn source(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let (start, _) = self.at.get(from)?;
        let (_, end) = self.at.get(to.checked_sub(1)?)?;
        Some((*start as usize, *end as usize))
    }

    /// The folded characters as text.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }
}

/// For matching words and patterns: as [`Folded`], but digits, signs and line
/// breaks stay, since patterns ask for them.
pub(crate) fn plain(text: &str) -> String {
    Plain::new(text, usize::MAX).text
}

/// Text for matching words and patterns whose bytes still know where they
/// stood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    pub text: String,
    /// For each character of the source the folded byte it begins at, and its
    /// own bytes.
    at: Vec<(u32, u32, u32)>,
}

impl Plain {
    /// Folds the beginning of `text`, up to `limit` of its characters.
    pub fn new(text: &str, limit: usize) -> Self {
        let mut plain = Self {
            text: String::with_capacity(text.len().min(limit.saturating_mul(4))),
            at: Vec::new(),
        };
        for (start, c) in text.char_indices().take(limit) {
            let end = (start + c.len_utf8()) as u32;
            let place = plain.text.len() as u32;
            plain.at.push((place, start as u32, end));
            each(c, |c| plain.text.push(c));
        }
        plain
    }

    /// The source's byte range of the folded bytes `from..to`.
    pub fn source(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let character = |byte: usize| {
            let after = self.at.partition_point(|(at, ..)| *at as usize <= byte);
            self.at.get(after.checked_sub(1)?)
        };
        let (_, start, _) = character(from)?;
        let (_, _, end) = character(to.checked_sub(1)?)?;
        Some((*start as usize, *end as usize))
    }
}

fn each(c: char, mut take: impl FnMut(char)) {
    if c.is_ascii() {
        return take(c.to_ascii_lowercase());
    }
    if let Some(simple) = simplified(c) {
        return take(simple);
    }
    for c in std::iter::once(c).nfkc() {
        for c in c.to_lowercase() {
            take(simplified(c).unwrap_or(c));
        }
    }
}

/// The Simplified twin of a unified ideograph, itself where it has none;
/// nothing for any other character.
fn simplified(c: char) -> Option<char> {
    let at = u32::from(c).checked_sub(FIRST)?;
    match *SIMPLIFIED.get(at as usize)? {
        0 => Some(c),
        to => char::from_u32(to.into()),
    }
}

/// Whether the character belongs to a script written without spaces.
pub(crate) fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        Folded::new(text, 1000).text()
    }

    #[test]
    fn the_same_matter_in_other_writing_folds_to_the_same_text() {
        assert_eq!(folded("寬帶斷網，請處理！"), folded("宽带断网 请处理"));
        assert_eq!(folded("ＷｉＦｉ　很慢"), "wifi 很慢");
        assert_eq!(folded("欠费１２３元"), folded("欠费987元"));
        assert_eq!(folded("①号楼 ㎡"), "0号楼 m0");
        assert_eq!(folded("  😀\n\n好 😀 "), "好");
        assert_eq!(folded(""), "");
    }

    #[test]
    fn every_folded_character_knows_its_place_in_the_source() {
        let source = "「寬帶」ＡＢ 慢";
        let folded = Folded::new(source, 1000);
        assert_eq!(folded.text(), "宽带 ab 慢");
        let (start, end) = folded.source(0, 2).unwrap();
        assert_eq!(&source[start..end], "寬帶");
        let (start, end) = folded.source(3, 5).unwrap();
        assert_eq!(&source[start..end], "ＡＢ");
        assert_eq!(folded.source(0, 0), None);
        assert_eq!(folded.source(0, 99), None);
    }

    #[test]
    fn no_more_is_folded_than_asked_for() {
        assert_eq!(Folded::new(&"长".repeat(1_000_000), 50).chars.len(), 50);
    }
}
