//! The code by which a complaint is named over the telephone, when neither the
//! network nor a file goes: eight characters that the desk makes from the
//! complaint's id, so that the hub can make them too when the record arrives.
//!
//! # The form
//!
//! Six characters of 23 say which complaint, two check them. The alphabet has
//! no two characters that look alike in print or handwriting: of 0 O D Q, of
//! 1 I L, of 2 Z, of 5 S, of 6 G, of 8 B and of U V at most one is in it. With
//! a prime number of characters the two checks make a Reed–Solomon code of
//! distance three (I. S. Reed, G. Solomon, "Polynomial codes over certain
//! finite fields", 1960): any one or two wrong characters are found, so also
//! any two exchanged.
//!
//! 23⁶ is 148 million: that a complaint shares its code with another of its
//! branch within two months (1,800 at 30 a day) has a probability of one in
//! 82,000. The branch is told with the code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use suda_domain::ComplaintId;

const ALPHABET: [u8; 23] = *b"23456789ACEFHJKMNPRTWXY";
const PRIME: u32 = ALPHABET.len() as u32;
const NAMES: usize = 6;
const LENGTH: usize = 8;

/// A code with its checks; the text is eight characters without spaces.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneCode([u8; LENGTH]);

/// Why what was typed is no code. Nothing of it is in the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPhoneCode {
    #[error("a telephone code has eight characters")]
    Length,
    #[error("there is a character that no telephone code has")]
    Character,
    #[error("the check characters do not fit: a character was misheard or mistyped")]
    Check,
}

impl PhoneCode {
    /// The code of a complaint, always the same.
    pub fn of(complaint: ComplaintId) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"suda telephone code\0");
        hasher.update(complaint.0.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        let first = hash.iter().take(8);
        let mut rest = first.fold(0, |number, byte| number << 8 | u64::from(*byte));
        let mut digits = [0; LENGTH];
        for digit in digits.iter_mut().take(NAMES) {
            // Below the prime, which is below 2^32.
            *digit = (rest % u64::from(PRIME)) as u32;
            rest /= u64::from(PRIME);
        }
        Self::from_digits(checked(digits))
    }

    /// In groups that are easy to read aloud: `2A3C 4E5F`.
    pub fn grouped(&self) -> String {
        let text = self.to_string();
        let (first, second) = text.split_at(LENGTH / 2);
        format!("{first} {second}")
    }

    fn from_digits(digits: [u32; LENGTH]) -> Self {
        Self(digits.map(|digit| {
            let at = (digit % PRIME) as usize;
            // The index is below the alphabet's length.
            ALPHABET[at]
        }))
    }
}

/// Both sums over all digits: of the digits, and of each times its place.
fn sums(digits: &[u32; LENGTH]) -> (u32, u32) {
    let weighted = digits.iter().zip(1..).map(|(digit, place)| digit * place);
    (
        digits.iter().sum::<u32>() % PRIME,
        weighted.sum::<u32>() % PRIME,
    )
}

/// Sets the last two digits so that both sums are nothing. With `s` and `w` the
/// sums without them: `a + b = -s` and `7a + 8b = -w`, so `b = 7s - w`.
fn checked(mut digits: [u32; LENGTH]) -> [u32; LENGTH] {
    digits[LENGTH - 2] = 0;
    digits[LENGTH - 1] = 0;
    let (sum, weighted) = sums(&digits);
    let last = (7 * sum + PRIME - weighted) % PRIME;
    digits[LENGTH - 1] = last;
    digits[LENGTH - 2] = (2 * PRIME - sum - last) % PRIME;
    digits
}

/// The digit somebody means who typed `typed`: small letters, full-width forms,
/// and for a letter that was left out the one it was left out for.
fn digit(typed: char) -> Option<u32> {
    let plain = match typed {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(typed) - 0xfee0)?,
        other => other,
    };
    let meant = match plain.to_ascii_uppercase() {
        'B' => '8',
        'G' => '6',
        'S' => '5',
        'Z' => '2',
        other => other,
    };
    let at = ALPHABET
        .iter()
        .position(|known| char::from(*known) == meant)?;
    u32::try_from(at).ok()
}

fn is_between(typed: char) -> bool {
    typed.is_whitespace() || matches!(typed, '-' | '－' | '–' | '—' | '.' | '·')
}

impl FromStr for PhoneCode {
    type Err = BadPhoneCode;

    fn from_str(text: &str) -> Result<Self, BadPhoneCode> {
        let typed: Vec<char> = text.chars().filter(|typed| !is_between(*typed)).collect();
        let typed: [char; LENGTH] = typed.try_into().map_err(|_| BadPhoneCode::Length)?;
        let mut digits = [0; LENGTH];
        for (place, typed) in digits.iter_mut().zip(typed) {
            *place = digit(typed).ok_or(BadPhoneCode::Character)?;
        }
        if sums(&digits) != (0, 0) {
            return Err(BadPhoneCode::Check);
        }
        Ok(Self::from_digits(digits))
    }
}

impl fmt::Display for PhoneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl TryFrom<String> for PhoneCode {
    type Error = BadPhoneCode;

    fn try_from(text: String) -> Result<Self, BadPhoneCode> {
        text.parse()
    }
}

impl From<PhoneCode> for String {
    fn from(code: PhoneCode) -> Self {
        code.to_string()
    }
}

#[cfg(test)]
mod tests;
