//! Numbers that can take an SMS, in the one writing in which two of them can
//! be compared.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::to_half_width;

/// A mobile number as an SMS centre takes it: country code and number, digits
/// alone, for example `8613800138000`.
///
/// Of mainland numbers only those of the mobile ranges (1[3-9] and nine
/// digits) are taken. Whether a number of another country is a mobile one
/// cannot be told from it; any with its country code (ITU-T E.164, 8 to 15
/// digits) is taken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mobile(String);

/// A number that cannot take an SMS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a mobile number")]
pub struct NotMobile;

const CHINA: &str = "86";

impl Mobile {
    /// Reads a number as typed in a form or as an SMS centre writes a sender:
    /// with or without `+86`, `0086` or `86`, with spaces and dashes.
    pub fn read(raw: &str) -> Option<Self> {
        let kept: String = to_half_width(raw)
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '(' | ')' | '.' | '·'))
            .collect();
        let (international, digits) = match kept.strip_prefix('+').or(kept.strip_prefix("00")) {
            Some(rest) => (true, rest),
            None => (false, kept.as_str()),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if is_mainland(digits) && !international {
            return Some(Self(format!("{CHINA}{digits}")));
        }
        match digits.strip_prefix(CHINA) {
            Some(local) if is_mainland(local) => Some(Self(digits.to_owned())),
            Some(_) => None,
            None if international => is_e164(digits).then(|| Self(digits.to_owned())),
            None => None,
        }
    }

    /// The sender of an SMS, where centres leave the sign of an international
    /// number out. What reads as a mainland number is taken for one.
    pub fn read_sender(raw: &str) -> Option<Self> {
        Self::read(raw).or_else(|| Self::read(&format!("+{raw}")))
    }

    /// Digits alone, with the country code.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// As the forms keep it: mainland numbers without their country code,
    /// others with a plus sign.
    pub fn as_recorded(&self) -> String {
        match self.0.strip_prefix(CHINA) {
            Some(local) => local.to_owned(),
            None => format!("+{}", self.0),
        }
    }
}

fn is_mainland(digits: &str) -> bool {
    let second = digits.as_bytes().get(1).copied().unwrap_or_default();
    digits.len() == 11 && digits.starts_with('1') && (b'3'..=b'9').contains(&second)
}

fn is_e164(digits: &str) -> bool {
    (8..=15).contains(&digits.len()) && !digits.starts_with('0')
}

/// Never the number itself: it would reach logs.
impl fmt::Debug for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mobile(…)")
    }
}

impl TryFrom<String> for Mobile {
    type Error = NotMobile;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        Self::read(&format!("+{digits}"))
            .filter(|mobile| mobile.0 == digits)
            .ok_or(NotMobile)
    }
}

impl From<Mobile> for String {
    fn from(mobile: Mobile) -> Self {
        mobile.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_in_any_writing_is_the_same() {
        for raw in [
            "13800138000",
            "+86 138-0013-8000",
            "0086 13800138000",
            "8613800138000",
            "１３８００１３８０００",
        ] {
            assert_eq!(
                Mobile::read(raw).unwrap().digits(),
                "8613800138000",
                "{raw}"
            );
        }
        let foreign = Mobile::read("+852 5123 4567").unwrap();
        assert_eq!(foreign.digits(), "85251234567");
        assert_eq!(foreign.as_recorded(), "+85251234567");
        assert_eq!(Mobile::read_sender("85251234567"), Some(foreign));
        // Of another country, though it has the digits of a mainland number.
        let alike = Mobile::read("+13000000000").unwrap();
        assert_eq!(alike.digits(), "13000000000");
        assert_ne!(Some(alike), Mobile::read("13000000000"));
    }

    #[test]
    fn what_cannot_take_an_sms_is_no_mobile_number() {
        for raw in [
            "",
            "02367890123",
            "67890123",
            "4008001234",
            "10086",
            "12800138000",
            "1380013800",
            "+8602367890123",
            "138001380001",
            "张三",
            "+",
        ] {
            assert_eq!(Mobile::read(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_number_is_not_told_by_its_debug_text() {
        let text = format!("{:?}", Mobile::read("13800138000"));
        assert!(!text.contains("138"), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_recorded_reads_as_the_same_number(raw in "\\+?[0-9]{5,16}") {
            if let Some(mobile) = Mobile::read(&raw) {
                prop_assert_eq!(Mobile::read(&mobile.as_recorded()), Some(mobile.clone()));
                prop_assert_eq!(Mobile::try_from(mobile.digits().to_owned()), Ok(mobile.clone()));
                if !is_mainland(mobile.digits()) {
                    prop_assert_eq!(Mobile::read_sender(mobile.digits()), Some(mobile));
                }
            }
        }

        #[test]
        fn no_text_is_too_strange_to_read(raw in ".*") {
            let _read = Mobile::read(&raw);
        }
    }
}
