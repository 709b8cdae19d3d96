//! Cleaning of what people type, paste and import.

/// Removes what has no place in a complaint's text and changes nothing else:
/// control characters other than line break and tab, the byte order mark, and
/// the invisible direction overrides (U+202A–U+202E, U+2066–U+2069) that can
/// make a line read differently from what is stored. Arabic and Hebrew letters
/// need none of them. Line ends become `\n`; outer white space goes.
pub fn clean(raw: &str) -> String {
    let unified = raw.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = unified
        .chars()
        .filter(|&c| c == '\n' || c == '\t' || !c.is_control())
        .filter(|&c| !matches!(c, '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect();
    kept.trim().to_owned()
}

/// Full-width digits, letters and signs (U+FF01–U+FF5E) and the ideographic
/// space as their ASCII twins, as input methods often produce them.
pub fn to_half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            other => other,
        })
        .collect()
}

/// The digits of a telephone number as it is compared: however it was typed,
/// without the country's code of mainland China. None while it is too short to
/// be anybody's.
pub fn phone_digits(phone: &str) -> Option<String> {
    const LEAST: usize = 7;
    const MOBILE: usize = 11;
    let folded = to_half_width(phone);
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.strip_prefix("86") {
        Some(rest) if rest.len() == MOBILE => rest.to_owned(),
        _ => digits,
    };
    (digits.len() >= LEAST).then_some(digits)
}

/// The first `limit` bytes of `text`, cut at a character's border.
pub fn cut_bytes(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// The text as words for a full-text index: runs of Latin letters and digits
/// in lower case, and for runs of Chinese every overlapping pair of characters
/// (so that a two-character word such as 宽带 is found) followed by the single
/// ones' last, so that the run's every character is in some word.
///
/// The same function makes the index and the query, on the desk and at the hub.
pub fn shingles(text: &str) -> Vec<String> {
    let folded = to_half_width(text).to_lowercase();
    let mut words = Vec::new();
    let mut latin = String::new();
    let mut run: Vec<char> = Vec::new();
    for c in folded.chars().chain(std::iter::once(' ')) {
        if is_cjk(c) {
            flush_latin(&mut latin, &mut words);
            run.push(c);
            continue;
        }
        flush_run(&mut run, &mut words);
        if c.is_alphanumeric() {
            latin.push(c)
        } else {
            flush_latin(&mut latin, &mut words)
        }
    }
    words
}

fn flush_latin(latin: &mut String, words: &mut Vec<String>) {
    if !latin.is_empty() {
        words.push(std::mem::take(latin));
    }
}

fn flush_run(run: &mut Vec<char>, words: &mut Vec<String>) {
    if let [only] = run.as_slice() {
        words.push(only.to_string());
    }
    words.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
    run.clear();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn clean_drops_controls_and_direction_overrides_only() {
        assert_eq!(
            clean("\u{feff} 宽带\r\n断了\u{0}\u{7}\u{202e}! \t"),
            "宽带\n断了!"
        );
        assert_eq!(clean("مرحبا 😀👨‍👩‍👧"), "مرحبا 😀👨‍👩‍👧");
    }

    #[test]
    fn shingles_hold_every_two_character_word() {
        assert_eq!(
            shingles("宽带断网 WiFi6 差"),
            ["宽带", "带断", "断网", "wifi6", "差"]
        );
        assert_eq!(shingles("１３８ＡＢ"), ["138ab"]);
        assert!(shingles("  ，。").is_empty());
    }

    proptest! {
        #[test]
        fn cut_never_exceeds_and_never_splits_a_character(text in ".*", limit in 0usize..64) {
            let cut = cut_bytes(&text, limit);
            prop_assert!(cut.len() <= limit);
            prop_assert!(text.starts_with(cut));
        }

        #[test]
        fn clean_is_idempotent(text in "\\PC*|.*") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
