//! What texts have in common, as pieces a person can read: the name of a place
//! and of a thing rather than a score. Why two complaints are taken for alike,
//! what a group of them is called, and whether a new one tells of the same.
//!
//! A piece never holds a digit, so that no number of a telephone, an identity
//! card or an account can stand in one; names are left out by the caller's list.

use crate::fold::{Folded, is_dense};

/// Characters of a text that are looked at.
const LOOKED_AT: usize = 600;
/// Texts whose pieces are tried in the others.
const BASES: usize = 3;
/// Characters of a piece: of scripts without spaces, and letters of the others.
const LEAST_DENSE: usize = 2;
const LEAST_LETTERS: usize = 4;

/// Texts made ready for their pieces to be found.
#[derive(Clone, Debug, Default)]
pub struct Readied(String);

impl Readied {
    pub fn new(text: &str) -> Self {
        Self(Folded::new(text, LOOKED_AT).text())
    }

    /// Whether the piece stands there, of scripts with spaces as whole words.
    pub fn holds(&self, piece: &str) -> bool {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() || is_dense(c));
        let (first, last) = (piece.chars().next(), piece.chars().next_back());
        let (Some(first), Some(last)) = (first, last) else {
            return false;
        };
        self.0.match_indices(piece).any(|(at, _)| {
            let before = self.0.get(..at).and_then(|text| text.chars().next_back());
            let after = self.0.get(at + piece.len()..);
            let after = after.and_then(|text| text.chars().next());
            (is_dense(first) || edge(before)) && (is_dense(last) || edge(after))
        })
    }
}

/// The longest pieces that stand in at least `least` of the texts, the one
/// that says most first. `is_empty_talk` tells of pieces that say nothing,
/// because they stand everywhere or name a person.
pub fn shared(
    texts: &[Readied],
    least: usize,
    most: usize,
    is_empty_talk: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for base in texts.iter().take(BASES) {
        for run in base.0.split(['0', ' ']).filter(|run| !run.is_empty()) {
            longest(run, texts, least, &mut pieces);
        }
    }
    pieces.sort_by(|a, b| weight(b).cmp(&weight(a)).then(a.cmp(b)));
    pieces.dedup();
    let mut kept: Vec<String> = Vec::new();
    for piece in pieces {
        if kept.len() >= most {
            break;
        }
        let is_part = kept.iter().any(|longer| longer.contains(&piece));
        if !is_part && !is_empty_talk(&piece) {
            kept.push(piece);
        }
    }
    kept
}

/// Of a run every longest part that stands in enough of the texts.
fn longest(run: &str, texts: &[Readied], least: usize, into: &mut Vec<String>) {
    let enough = |part: &str| texts.iter().filter(|text| text.holds(part)).count() >= least;
    let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).collect();
    let ends: Vec<usize> = starts.iter().copied().skip(1).chain([run.len()]).collect();
    let mut reached = 0;
    for (number, &start) in starts.iter().enumerate() {
        let mut best: Option<&str> = None;
        for &end in ends.get(number + 1..).unwrap_or_default() {
            let Some(part) = run.get(start..end) else {
                break;
            };
            let dense = part.chars().any(is_dense);
            if enough(part) {
                best = Some(part);
            } else if dense {
                // A longer part stands in no more texts; words of other
                // scripts only count whole.
                break;
            }
        }
        if let Some(part) = best
            && start + part.len() > reached
            && says_something(part)
        {
            reached = start + part.len();
            into.push(part.to_owned());
        }
    }
}

fn says_something(part: &str) -> bool {
    let dense = part.chars().filter(|&c| is_dense(c)).count();
    dense >= LEAST_DENSE || (dense == 0 && part.chars().count() >= LEAST_LETTERS)
}

/// A character of a dense script says about as much as two letters and a half.
fn weight(piece: &str) -> usize {
    let dense = piece.chars().filter(|&c| is_dense(c)).count();
    5 * dense + 2 * (piece.chars().count() - dense)
}

/// Whether a text tells of the matter these pieces name: two of them at least,
/// or one that is long, where there is but one.
pub fn tells_of<'p>(pieces: &'p [String], text: &Readied) -> Option<Vec<&'p String>> {
    let found: Vec<&String> = pieces.iter().filter(|piece| text.holds(piece)).collect();
    let said: usize = found.iter().map(|piece| weight(piece)).sum();
    let all: usize = pieces.iter().map(|piece| weight(piece)).sum();
    // Half of what they say, and at least as much as four characters.
    (said >= 20 && 2 * said >= all).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readied(texts: &[&str]) -> Vec<Readied> {
        texts.iter().map(|text| Readied::new(text)).collect()
    }

    const MATTER: [&str; 4] = [
        "翠屏苑楼顶新装的基站离住户太近，担心辐射，电话13800001234",
        "没有征求业主同意就在翠屏苑楼顶装基站，要求拆除 13800001234",
        "基站就在翠屏苑我家头顶，孩子睡不好，请拆掉",
        "翠屏苑樓頂的基站夜裡嗡嗡響，還有輻射",
    ];

    #[test]
    fn what_texts_share_is_named_and_never_with_a_number() {
        let pieces = shared(&readied(&MATTER), 3, 4, |_| false);
        assert_eq!(pieces.first().map(String::as_str), Some("翠屏苑楼顶"));
        assert!(pieces.contains(&"基站".to_owned()), "{pieces:?}");
        assert!(
            pieces.iter().all(|piece| !piece.contains('0')),
            "{pieces:?}"
        );
    }

    #[test]
    fn empty_talk_and_names_are_left_out() {
        let pieces = shared(&readied(&MATTER), 3, 4, |piece| piece.contains("翠屏苑"));
        assert_eq!(pieces, ["基站"]);
    }

    #[test]
    fn words_of_other_scripts_count_whole() {
        let texts = readied(&["Outage in Springfield since Monday", "springfield outages"]);
        assert_eq!(shared(&texts, 2, 4, |_| false), ["springfield"]);
        assert!(!texts[1].holds("outage") && texts[0].holds("outage"));
    }

    #[test]
    fn a_text_tells_of_a_matter_by_half_of_what_names_it() {
        let pieces = ["翠屏苑楼顶".to_owned(), "基站".to_owned()];
        let tells = |text: &str| tells_of(&pieces, &Readied::new(text)).is_some();
        assert!(tells("我住翠屏苑楼顶那层"));
        assert!(tells("翠屏苑楼顶的基站还没拆"));
        assert!(!tells("这里基站信号太差"));
        assert!(!tells("") && tells_of(&[], &Readied::new("基站")).is_none());
    }
}
