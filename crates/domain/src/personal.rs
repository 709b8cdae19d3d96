//! What in a text for a customer names a person: telephone numbers, ID numbers
//! and bank cards by their form, and the names of staff. A hint to whoever is
//! about to send it; they know whether it belongs there.

use serde::{Deserialize, Serialize};

use crate::intake::Intake;

/// What a piece of text gives away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    StaffName,
    Phone,
    IdNumber,
    BankCard,
}

/// One such piece, as it stands in the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Found {
    pub kind: Personal,
    pub piece: String,
}

/// What of a form tells who the customer is; empty ones among them.
pub fn of_customer(intake: &Intake) -> Vec<&str> {
    let mut all: Vec<&str> = vec![
        &intake.name,
        &intake.phone,
        &intake.email,
        &intake.account,
        &intake.id_number,
    ];
    let representative = intake.representative.iter();
    all.extend(representative.flat_map(|one| [one.name.as_str(), &one.phone]));
    let group = intake.group.iter();
    all.extend(group.flat_map(|one| [one.name.as_str(), &one.phone]));
    all
}

/// The shortest name that is looked for: one character is in every text.
const SHORTEST_NAME: usize = 2;
/// The longest run of digits that is a number of one of these kinds.
const LONGEST: usize = 19;

/// Every piece once, by kind and then as they are written.
pub fn found<'n>(text: &str, staff: impl IntoIterator<Item = &'n str>) -> Vec<Found> {
    let mut all: Vec<Found> = numbers(text);
    let lower = text.to_lowercase();
    let names = staff.into_iter().map(str::trim);
    let named = names.filter(|name| {
        name.chars().count() >= SHORTEST_NAME && stands_in(&lower, &name.to_lowercase())
    });
    all.extend(named.map(|name| Found {
        kind: Personal::StaffName,
        piece: name.to_owned(),
    }));
    all.sort();
    all.dedup();
    all
}

/// Whether the name stands there; one in Latin letters as words of its own, so
/// that “Ann” is not found in “annual”.
fn stands_in(text: &str, name: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..);
        let after = after.and_then(|after| after.chars().next());
        let (first, last) = (name.chars().next(), name.chars().next_back());
        !(part(before) && part(first) || part(after) && part(last))
    })
}

/// Runs of digits, blanks and dashes between them allowed, judged by their form.
fn numbers(text: &str) -> Vec<Found> {
    // Each character has one twin, so that places are the same in both.
    let half: Vec<char> = crate::text::to_half_width(text).chars().collect();
    let written: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < half.len() {
        let (digits, end) = run(half.get(at..).unwrap_or_default());
        // What follows a letter is part of a reference number or a model.
        let before = at.checked_sub(1).and_then(|before| half.get(before));
        let begins = !before.is_some_and(char::is_ascii_alphabetic);
        if let Some(kind) = kind(&digits).filter(|_| begins) {
            let piece = written.get(at..at + end).unwrap_or_default();
            let piece = piece.iter().collect();
            all.push(Found { kind, piece });
        }
        at += end.max(1);
    }
    all
}

/// The number at the beginning, without what parts it, and how many characters
/// it takes.
fn run(text: &[char]) -> (String, usize) {
    let mut digits = String::new();
    let mut end = 0;
    let mut gap = 0;
    for (at, c) in text.iter().enumerate() {
        // The last place of an ID number.
        let closes = matches!(c, 'x' | 'X') && digits.len() == 17 && gap == 0;
        match c {
            _ if closes => {
                digits.push('X');
                end = at + 1;
                break;
            }
            c if c.is_ascii_digit() => {
                digits.push(*c);
                end = at + 1;
                gap = 0;
            }
            ' ' | '-' if !digits.is_empty() && gap == 0 => gap += 1,
            _ => break,
        }
    }
    (digits, end)
}

fn kind(digits: &str) -> Option<Personal> {
    let length = digits.len();
    if length > LONGEST {
        return None;
    }
    if is_id_number(digits) {
        return Some(Personal::IdNumber);
    }
    if (16..=LONGEST).contains(&length) && passes_luhn(digits) {
        return Some(Personal::BankCard);
    }
    let digits = match digits.strip_prefix("86") {
        Some(rest) if length > 11 => rest,
        _ => digits,
    };
    let mut places = digits.chars();
    let is_phone = match (places.next(), places.next()) {
        // Mobile: 11 digits, the second 3 to 9. Landline: area code and number.
        (Some('1'), Some('3'..='9')) => digits.len() == 11,
        (Some('0'), Some('1'..='9')) => (10..=12).contains(&digits.len()),
        _ => false,
    };
    is_phone.then_some(Personal::Phone)
}

/// GB 11643-1999: 17 digits and a check character of ISO 7064, MOD 11-2.
fn is_id_number(digits: &str) -> bool {
    if digits.len() != 18 {
        return false;
    }
    let value = |c: char| match c {
        'X' => Some(10),
        c => c.to_digit(10),
    };
    let rest = digits
        .chars()
        .try_fold(0, |sum, c| Some((sum * 2 + value(c)?) % 11));
    // A date of birth, or any number of a contract would be one in eleven times.
    let (year, month) = (digits.get(6..8), digits.get(10..12));
    let is_date =
        matches!(year, Some("19" | "20")) && month.is_some_and(|m| ("01"..="12").contains(&m));
    rest == Some(1) && is_date
}

/// ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &str) -> bool {
    let sum = digits
        .chars()
        .rev()
        .enumerate()
        .try_fold(0, |sum, (at, c)| {
            let digit = c.to_digit(10)?;
            let counted = match at % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            };
            Some(sum + counted)
        });
    sum.is_some_and(|sum| sum % 10 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(Personal, String)> {
        let staff = ["王芳", "李", "Ann Lee"];
        let all = found(text, staff).into_iter();
        all.map(|one| (one.kind, one.piece)).collect()
    }

    #[test]
    fn numbers_and_names_of_people_are_found_as_they_are_written() {
        for (text, kind, piece) in [
            ("经办人王芳已致歉", Personal::StaffName, "王芳"),
            ("Your expert, ann lee.", Personal::StaffName, "Ann Lee"),
            ("请拨13800138000联系", Personal::Phone, "13800138000"),
            (
                "请拨１３８ ００１３ ８０００",
                Personal::Phone,
                "１３８ ００１３ ８０００",
            ),
            ("+86 138-0013-8000", Personal::Phone, "86 138-0013-8000"),
            ("电话023-60001234。", Personal::Phone, "023-60001234"),
            (
                "证件11010519491231002X号",
                Personal::IdNumber,
                "11010519491231002X",
            ),
            (
                "卡号6222 0212 3456 7890 128",
                Personal::BankCard,
                "6222 0212 3456 7890 128",
            ),
        ] {
            assert_eq!(pieces(text), [(kind, piece.to_owned())], "{text}");
        }
    }

    #[test]
    fn sums_dates_short_numbers_and_parts_of_words_are_not_taken_for_people() {
        for text in [
            "退还增值业务费128.50元，于2026年8月5日前到账",
            "编号CQ0123-260721-A-0042-7K，拨打12300或10086",
            "订单号 20260721000000000000001",
            "李先生的诉求；Annual Leeway",
            "合同号110105194912310021",
            "",
        ] {
            assert_eq!(pieces(text), [], "{text}");
        }
    }
}
