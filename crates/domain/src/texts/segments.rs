//! How many messages a text takes on the air (3GPP TS 23.038 for the
//! alphabets, TS 23.040 for joining): 160 or 70 characters alone, 153 or 67
//! in each part of several, as each part's header takes six bytes.

/// How the characters of a message are coded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alphabet {
    /// Seven bits a character; those of the extension table take two.
    Gsm7,
    /// Two bytes a character; those beyond the first plane take two.
    Ucs2,
}

/// What a text takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segments {
    pub alphabet: Alphabet,
    /// At least 1: an empty message is one.
    pub count: u32,
}

/// The default alphabet without the escape, in the order of its table.
const GSM7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: an escape before each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

impl Alphabet {
    /// Units of one message alone and of one part of several.
    fn bounds(self) -> (usize, usize) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 if EXTENSION.contains(c) => 2,
            Self::Gsm7 => 1,
            Self::Ucs2 => c.len_utf16(),
        }
    }
}

/// Counts the messages of a text. No character is split between two.
pub fn segments(text: &str) -> Segments {
    let plain = |c| GSM7.contains(c) || EXTENSION.contains(c);
    let alphabet = if text.chars().all(plain) {
        Alphabet::Gsm7
    } else {
        Alphabet::Ucs2
    };
    let (alone, joined) = alphabet.bounds();
    let total: usize = text.chars().map(|c| alphabet.units(c)).sum();
    if total <= alone {
        return Segments { alphabet, count: 1 };
    }
    let (mut count, mut used) = (1, 0);
    for c in text.chars() {
        let units = alphabet.units(c);
        if used + units > joined {
            count += 1;
            used = 0;
        }
        used += units;
    }
    Segments { alphabet, count }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(text: &str) -> (Alphabet, u32) {
        let Segments { alphabet, count } = segments(text);
        (alphabet, count)
    }

    #[test]
    fn bounds_are_those_of_the_standard() {
        use Alphabet::{Gsm7, Ucs2};
        for (length, expected) in [(0, 1), (160, 1), (161, 2), (306, 2), (307, 3)] {
            assert_eq!(count(&"a".repeat(length)), (Gsm7, expected), "{length}");
        }
        for (length, expected) in [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)] {
            assert_eq!(count(&"诉".repeat(length)), (Ucs2, expected), "{length}");
        }
        assert_eq!(count(&"€".repeat(80)), (Gsm7, 1));
        assert_eq!(count(&"€".repeat(81)), (Gsm7, 2));
        // 153 is odd: an escaped character does not fit into the last place.
        assert_eq!(count(&"€".repeat(153)), (Gsm7, 3));
        assert_eq!(count(&"😀".repeat(35)), (Ucs2, 1));
        assert_eq!(count(&"😀".repeat(67)), (Ucs2, 3));
    }

    proptest! {
        #[test]
        fn a_longer_text_never_takes_less(text in ".{0,400}", more in "[a-z诉]") {
            let before = segments(&text);
            let after = segments(&format!("{text}{more}"));
            prop_assert!(after.count >= before.count);
            let units: usize = text.chars().map(char::len_utf16).sum();
            prop_assert!(before.count as usize <= units / 66 + 1);
        }
    }
}
