//! The one-time code that a person reads from the mailbox's screen and types
//! at the desk that joins.

use chrono::{DateTime, TimeDelta, Utc};

/// Letters and digits that cannot be taken for one another when read out.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKLMNPQRSTUVWXY";
const LETTERS: usize = 8;
const VALID: TimeDelta = TimeDelta::minutes(10);
/// The key exchange lets a stranger test one code a try and nothing offline:
/// 5 of 39 bits.
const TRIES: u32 = 5;

/// The code on show, if any.
#[derive(Default)]
pub(crate) struct Codes {
    shown: Option<Shown>,
}

struct Shown {
    code: String,
    until: DateTime<Utc>,
    tries: u32,
}

impl Codes {
    /// Shows a new code in the place of the one before, such as `K7QX-92MF`.
    pub(crate) fn show(&mut self, now: DateTime<Utc>) -> (String, DateTime<Utc>) {
        let raw: [u8; LETTERS] = rand::random();
        let code: String = raw
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()))
            .map(|letter| char::from(*letter))
            .collect();
        let until = now + VALID;
        let told = format!("{}-{}", &code[..LETTERS / 2], &code[LETTERS / 2..]);
        self.shown = Some(Shown {
            code,
            until,
            tries: 0,
        });
        (told, until)
    }

    /// The code for one try; none when none is on show any more.
    pub(crate) fn try_one(&mut self, now: DateTime<Utc>) -> Option<String> {
        let shown = self.shown.as_mut()?;
        if now >= shown.until || shown.tries >= TRIES {
            self.shown = None;
            return None;
        }
        shown.tries += 1;
        Some(shown.code.clone())
    }

    /// A desk has paired with the code: it is used up. Tells whether it was
    /// still the one on show.
    pub(crate) fn use_up(&mut self, code: &str) -> bool {
        let fits = self.shown.as_ref().is_some_and(|shown| shown.code == code);
        if fits {
            self.shown = None;
        }
        fits
    }
}

/// A code as typed: case, blanks and dashes do not matter.
pub(crate) fn plain(typed: &str) -> String {
    suda_domain::text::to_half_width(typed)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_753_000_000, 0).unwrap()
    }

    #[test]
    fn a_code_serves_five_tries_ten_minutes_and_one_desk() {
        let mut codes = Codes::default();
        assert_eq!(codes.try_one(noon()), None, "none shown");
        let (told, until) = codes.show(noon());
        assert_eq!(until - noon(), TimeDelta::minutes(10));
        for _ in 0..5 {
            assert_eq!(codes.try_one(noon()), Some(plain(&told.to_lowercase())));
        }
        assert_eq!(codes.try_one(noon()), None, "a sixth try");
        let (_, until) = codes.show(noon());
        assert_eq!(codes.try_one(until), None, "too late");
        let (told, _) = codes.show(noon());
        assert!(codes.use_up(&plain(&told)));
        assert!(!codes.use_up(&plain(&told)), "used twice");
        assert_eq!(codes.try_one(noon()), None, "used");
    }
}
