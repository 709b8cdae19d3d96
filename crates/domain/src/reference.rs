//! Reference numbers, made offline and never changed: branch, date, desk,
//! running number, check characters, for example `CQ0123-260721-A-0042-7K`.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::check;
use crate::ids::BranchCode;
use crate::text::to_half_width;

/// A complaint's number for life. Parsing accepts lower case, full-width
/// characters and missing dashes, as read out over a telephone; the stored
/// form is always the printed one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "specta", specta(type = String))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct ReferenceNumber(String);

/// What is wrong with a text that should be a reference number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReferenceError {
    #[error("not of the form BRANCH-YYMMDD-DESK-NUMBER-CHECK")]
    Form,
    #[error("the check characters do not fit: a character is wrong or two are swapped")]
    Check,
}

impl ReferenceNumber {
    /// Composes the number. `desk` is the letter or letters the hub gave this
    /// desk, `running` counts from 1 per desk and day.
    ///
    /// # Errors
    /// [`ReferenceError::Form`] when `desk` is not 1 to 3 capital letters.
    pub fn compose(
        branch: &BranchCode,
        date: NaiveDate,
        desk: &str,
        running: u32,
    ) -> Result<Self, ReferenceError> {
        if !is_desk(desk) {
            return Err(ReferenceError::Form);
        }
        let day = date.format("%y%m%d");
        let payload = format!("{branch}{day}{desk}{running:04}");
        let [a, b] = check::check_characters(&payload).ok_or(ReferenceError::Form)?;
        Ok(Self(format!("{branch}-{day}-{desk}-{running:04}-{a}{b}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letter or letters of the desk that gave the number.
    pub fn desk(&self) -> &str {
        // The form of the stored text has this part.
        self.0.split('-').nth(2).unwrap_or_default()
    }
}

fn is_desk(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.chars().all(|c| c.is_ascii_uppercase())
}

fn is_digits(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

/// The parts of a number written without dashes, found from the right, where
/// lengths are known: two check characters, the running number's digits, the
/// desk's letters, six digits of date, the branch.
fn split_bare(bare: &str) -> Option<[&str; 5]> {
    let (rest, check) = bare.split_at_checked(bare.len().checked_sub(2)?)?;
    let (rest, running) = split_tail(rest, |c| c.is_ascii_digit())?;
    let (rest, desk) = split_tail(rest, |c| c.is_ascii_uppercase())?;
    let (branch, date) = rest.split_at_checked(rest.len().checked_sub(6)?)?;
    Some([branch, date, desk, running, check])
}

fn split_tail(text: &str, belongs: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let tail: usize = text
        .chars()
        .rev()
        .take_while(|&c| belongs(c))
        .map(char::len_utf8)
        .sum();
    text.split_at_checked(text.len() - tail)
        .filter(|_| tail > 0)
}

impl FromStr for ReferenceNumber {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare: String = to_half_width(text)
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '‑' | '–' | '—'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let [branch, date, desk, running, check] = split_bare(&bare).ok_or(ReferenceError::Form)?;
        let fits = branch.parse::<BranchCode>().is_ok()
            && is_digits(date)
            && is_desk(desk)
            && (4..=9).contains(&running.len());
        if !fits {
            return Err(ReferenceError::Form);
        }
        if !check::is_consistent(&bare) {
            return Err(ReferenceError::Check);
        }
        Ok(Self([branch, date, desk, running, check].join("-")))
    }
}

impl fmt::Display for ReferenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ReferenceNumber {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ReferenceNumber> for String {
    fn from(reference: ReferenceNumber) -> Self {
        reference.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_back_what_was_printed_however_it_is_typed(
            branch in "[A-Z][A-Z0-9]{1,9}", desk in "[A-Z]{1,3}",
            day in 0i32..40_000, running in 1u32..200_000_000,
        ) {
            let date = NaiveDate::from_num_days_from_ce_opt(730_000 + day).unwrap();
            let number =
                ReferenceNumber::compose(&branch.parse().unwrap(), date, &desk, running).unwrap();
            prop_assert_eq!(&number.as_str().parse::<ReferenceNumber>().unwrap(), &number);
            let spoken = number.as_str().replace('-', " ").to_lowercase();
            prop_assert_eq!(&spoken.parse::<ReferenceNumber>().unwrap(), &number);
        }
    }

    #[test]
    fn names_what_is_wrong() {
        let branch = "CQ0123".parse().unwrap();
        let date = NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
        let number = ReferenceNumber::compose(&branch, date, "A", 42).unwrap();
        assert!(number.as_str().starts_with("CQ0123-260721-A-0042-"));
        let typo = number.as_str().replace("0042", "0043");
        assert_eq!(typo.parse::<ReferenceNumber>(), Err(ReferenceError::Check));
        assert_eq!("宽带".parse::<ReferenceNumber>(), Err(ReferenceError::Form));
        assert_eq!("".parse::<ReferenceNumber>(), Err(ReferenceError::Form));
        assert!(ReferenceNumber::compose(&branch, date, "a", 1).is_err());
    }
}
