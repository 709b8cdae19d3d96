//! Check characters by ISO/IEC 7064, pure system MOD 1271-36: two characters
//! of 0–9 A–Z that catch every single wrong character and every swap of two
//! neighbours.

const MODULUS: u32 = 1271;
const RADIX: u32 = 36;

/// The two check characters for `payload`, or `None` when it holds anything
/// but digits and capital letters.
pub fn check_characters(payload: &str) -> Option<[char; 2]> {
    let sum = weighted_sum(payload)?;
    let check = (MODULUS + 1 - sum * RADIX * RADIX % MODULUS) % MODULUS;
    let first = char::from_digit(check / RADIX, RADIX)?;
    let second = char::from_digit(check % RADIX, RADIX)?;
    Some([first.to_ascii_uppercase(), second.to_ascii_uppercase()])
}

/// Whether `text`, payload and check characters together, is consistent.
pub fn is_consistent(text: &str) -> bool {
    text.len() > 2 && weighted_sum(text) == Some(1)
}

/// Σ value·36^position mod 1271, the last character at position 0.
fn weighted_sum(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |sum, c| {
        let value = c.to_digit(RADIX).filter(|_| !c.is_ascii_lowercase())?;
        Some((sum * RADIX + value) % MODULUS)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example printed in the standard's descriptions: `ISO79` checks to `3W`.
    #[test]
    fn published_example_holds() {
        assert_eq!(check_characters("ISO79"), Some(['3', 'W']));
        assert!(is_consistent("ISO793W"));
    }

    proptest! {
        #[test]
        fn catches_every_single_error_and_neighbour_swap(
            payload in "[0-9A-Z]{1,24}", at in any::<prop::sample::Index>(), wrong in "[0-9A-Z]",
        ) {
            let [a, b] = check_characters(&payload).unwrap();
            let whole: Vec<char> = payload.chars().chain([a, b]).collect();
            prop_assert!(is_consistent(&whole.iter().collect::<String>()));

            let at = at.index(whole.len());
            let mut typo = whole.clone();
            typo[at] = wrong.chars().next().unwrap();
            prop_assert_eq!(is_consistent(&typo.iter().collect::<String>()), typo == whole);

            let mut swapped = whole.clone();
            let other = (at + 1) % whole.len();
            if other > at {
                swapped.swap(at, other);
                prop_assert_eq!(is_consistent(&swapped.iter().collect::<String>()), swapped == whole);
            }
        }
    }
}
