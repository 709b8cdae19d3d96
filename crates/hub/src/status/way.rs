//! How a customer shows that a complaint is theirs: the last four digits of
//! the telephone number given with it, or the key on its receipt.

use suda_domain::text::to_half_width;
use suda_domain::{Complaint, State};
use suda_sync::receipt_key::receipt_key;

/// Digits of the number that are asked for.
const DIGITS: usize = 4;

/// What somebody shows.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    Digits(String),
    Key(String),
}

/// Never what was shown: it would reach logs.
impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Way {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Digits(_) => "digits",
            Self::Key(_) => "key",
        }
    }

    /// Digits as typed: full width, with spaces.
    pub fn digits(typed: &str) -> Self {
        Self::Digits(plain(typed))
    }

    /// A key as read from a code or typed from paper.
    pub fn key(typed: &str) -> Self {
        Self::Key(plain(typed).to_ascii_uppercase())
    }

    /// Whether it opens this complaint. An anonymous complaint has no digits
    /// to show, only its receipt.
    pub fn opens(&self, complaint: &Complaint) -> bool {
        if complaint.state == State::Draft {
            return false;
        }
        match self {
            Self::Key(key) => same(key, &receipt_key(complaint.id)),
            Self::Digits(_) if complaint.intake.anonymous => false,
            Self::Digits(digits) => {
                let representative = complaint.intake.representative.as_ref();
                let phones = [
                    Some(complaint.intake.phone.as_str()),
                    representative.map(|one| one.phone.as_str()),
                ];
                phones
                    .into_iter()
                    .flatten()
                    .filter_map(last_digits)
                    .any(|last| same(digits, &last))
            }
        }
    }
}

fn plain(typed: &str) -> String {
    let wide = to_half_width(typed);
    let kept = wide.chars().filter(char::is_ascii_alphanumeric);
    kept.take(64).collect()
}

/// The last four digits of a number however it was written down; none of a
/// number that has no more than these.
fn last_digits(phone: &str) -> Option<String> {
    let wide = to_half_width(phone);
    let digits: Vec<char> = wide.chars().filter(char::is_ascii_digit).collect();
    let at = digits
        .len()
        .checked_sub(DIGITS)
        .filter(|before| *before > 0)?;
    Some(digits.get(at..)?.iter().collect())
}

/// Takes as long whichever character is the first to differ.
fn same(shown: &str, is: &str) -> bool {
    let differing = shown
        .bytes()
        .zip(is.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == is.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_number_however_it_was_written() {
        assert_eq!(last_digits("+86 138-0013-8000").as_deref(), Some("8000"));
        assert_eq!(last_digits("023 6789 0123").as_deref(), Some("0123"));
        assert_eq!(
            last_digits("１３８００１３８０００").as_deref(),
            Some("8000")
        );
        assert_eq!(last_digits("8000"), None);
        assert_eq!(last_digits(""), None);
        assert_eq!(Way::digits(" ８０ 00 "), Way::Digits("8000".into()));
    }

    #[test]
    fn what_was_shown_is_not_told_by_its_debug_text() {
        assert_eq!(format!("{:?}", Way::digits("8000")), "digits");
    }
}
