//! What a text from a customer asks.

use crate::reference::ReferenceNumber;
use crate::text::{clean, to_half_width};

/// A question by SMS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// How far this complaint is.
    Reference(ReferenceNumber),
    /// How far the sender's latest complaints are.
    Latest,
    /// Nothing that can be answered.
    Unknown,
}

/// Characters that are read: a question is short.
const READ: usize = 200;

impl Query {
    /// Reads a text in any writing: lower case, full-width, with spaces,
    /// without dashes, words around the number.
    pub fn read(text: &str) -> Self {
        let short: String = text.chars().take(READ).collect();
        let plain = to_half_width(&clean(&short));
        let bare = plain.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.eq_ignore_ascii_case("ts") || matches!(bare, "投诉" | "投訴") {
            return Self::Latest;
        }
        if let Ok(reference) = bare.parse() {
            return Self::Reference(reference);
        }
        runs(bare)
            .find_map(|run| run.parse().ok())
            .map_or(Self::Unknown, Self::Reference)
    }
}

/// Runs that can be a number with words around it: first with the spaces in
/// it, then each word alone.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '‐' | '‑' | '–' | '—');
    let spaced = text.split(move |c: char| !belongs(c) && c != ' ');
    let alone = text.split(move |c: char| !belongs(c));
    spaced.chain(alone).filter(|run| !run.is_empty())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;

    fn number(running: u32) -> ReferenceNumber {
        let date = NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
        ReferenceNumber::compose(&"CQ0123".parse().unwrap(), date, "A", running).unwrap()
    }

    fn full_width(text: &str) -> String {
        let wide = |c: char| match c {
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
            other => other,
        };
        text.chars().map(wide).collect()
    }

    #[test]
    fn the_word_for_the_latest_is_known_in_any_writing() {
        for text in [
            "TS",
            "ts",
            " Ts ",
            "ＴＳ",
            "ｔｓ。",
            "投诉",
            "投訴",
            "“投诉”！",
            "TS\n",
        ] {
            assert_eq!(Query::read(text), Query::Latest, "{text}");
        }
        for text in ["", " ", "TSX", "T S", "投诉了", "你好", "12345678", "退订"] {
            assert_eq!(Query::read(text), Query::Unknown, "{text}");
        }
    }

    #[test]
    fn a_number_with_a_wrong_character_is_none() {
        let good = number(42).to_string();
        let wrong = good.replace("0042", "0043");
        assert_eq!(Query::read(&wrong), Query::Unknown);
        assert_eq!(
            Query::read(&good),
            Query::Reference(number(42)),
            "the control"
        );
    }

    proptest! {
        #[test]
        fn a_number_is_read_in_any_writing(running in 1u32..100_000, around in 0usize..4) {
            let number = number(running);
            let printed = number.as_str();
            let wrap = |text: &str| match around {
                0 => text.to_owned(),
                1 => format!("查询{text}谢谢"),
                2 => format!("请问 {text} 怎么样了？"),
                _ => format!("【{text}】"),
            };
            for written in [
                printed.to_owned(),
                printed.to_lowercase(),
                printed.replace('-', ""),
                full_width(printed),
                full_width(&printed.replace('-', "")),
                printed.replace('-', "—"),
                printed.replace('-', " "),
            ] {
                prop_assert_eq!(Query::read(&wrap(&written)), Query::Reference(number.clone()));
            }
        }

        #[test]
        fn no_text_is_too_strange_to_read(text in "\\PC{0,600}|.*") {
            let _read = Query::read(&text);
        }
    }
}
