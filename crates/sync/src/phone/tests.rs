use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn code() -> impl Strategy<Value = PhoneCode> {
    any::<u128>().prop_map(|id| PhoneCode::of(ComplaintId(Uuid::from_u128(id))))
}

fn with(code: PhoneCode, changes: &[(usize, u8)]) -> String {
    let mut bytes = code.0;
    for (place, to) in changes {
        bytes[*place] = *to;
    }
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Codes are on paper and in people's ears: another version must make the same.
#[test]
fn a_complaint_has_the_same_code_for_ever() {
    let of = |id: u128| PhoneCode::of(ComplaintId(Uuid::from_u128(id))).to_string();
    insta::assert_debug_snapshot!([of(0), of(1), of(u128::MAX)]);
}

#[test]
fn no_character_looks_like_another() {
    for alike in ["0ODQ", "1IL", "2Z", "5S", "6G", "8B", "UV"] {
        let known = alike.bytes().filter(|one| ALPHABET.contains(one));
        assert!(known.count() <= 1, "{alike}");
    }
    assert!(
        (2..PRIME).all(|n| !PRIME.is_multiple_of(n)),
        "the checks need a prime"
    );
}

#[test]
fn what_is_no_code_is_told_apart() {
    let good = PhoneCode::of(ComplaintId(Uuid::nil())).to_string();
    for (typed, told) in [
        (String::new(), BadPhoneCode::Length),
        (good[1..].to_owned(), BadPhoneCode::Length),
        (format!("{good}2"), BadPhoneCode::Length),
        (format!("0{}", &good[1..]), BadPhoneCode::Character),
        (format!("宽{}", &good[1..]), BadPhoneCode::Character),
    ] {
        assert_eq!(typed.parse::<PhoneCode>(), Err(told), "{typed}");
    }
}

proptest! {
    #[test]
    fn a_code_is_read_back_however_it_is_typed(code in code(), at in 0usize..8) {
        let text = code.to_string();
        let wide: String = text.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
        let mut spaced = text.to_lowercase();
        spaced.insert(at, '\u{3000}');
        let alike = text.replace('8', "b").replace('6', "G").replace('5', "s").replace('2', "Z");
        for typed in [text.clone(), code.grouped(), text.to_lowercase(), wide, spaced, format!(" {}-{} ", &text[..4], &text[4..]), alike] {
            prop_assert_eq!(typed.parse::<PhoneCode>(), Ok(code), "{}", typed);
        }
        let json = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(serde_json::from_str::<PhoneCode>(&json).unwrap(), code);
    }

    #[test]
    fn one_or_two_wrong_characters_are_found(
        code in code(),
        first in (0usize..8, 0usize..23),
        second in (0usize..8, 0usize..23),
    ) {
        let changes = [(first.0, ALPHABET[first.1]), (second.0, ALPHABET[second.1])];
        let typed = with(code, &changes);
        prop_assume!(typed != code.to_string());
        prop_assert_eq!(typed.parse::<PhoneCode>(), Err(BadPhoneCode::Check));
    }

    #[test]
    fn two_exchanged_characters_are_found(code in code(), a in 0usize..8, b in 0usize..8) {
        let typed = with(code, &[(a, code.0[b]), (b, code.0[a])]);
        prop_assume!(typed != code.to_string());
        prop_assert_eq!(typed.parse::<PhoneCode>(), Err(BadPhoneCode::Check));
    }
}
