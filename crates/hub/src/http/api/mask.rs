//! Hiding what a reader does not need: departments investigate, they do not
//! call the customer.

use suda_domain::{Fact, Intake};

/// A name as lists show it: the first character, the rest hidden.
pub fn name(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        None => String::new(),
        Some(first) => std::iter::once(first)
            .chain(characters.map(|_| '*').take(3))
            .collect(),
    }
}

/// The customer as lists show them: by name, else by what they are reached by.
pub fn customer(intake: &Intake) -> String {
    if !intake.name.is_empty() {
        name(&intake.name)
    } else if !intake.phone.is_empty() {
        number(&intake.phone)
    } else {
        email(&intake.email)
    }
}

/// The middle of a number hidden: `138****8000`.
pub fn number(number: &str) -> String {
    let length = number.chars().count();
    let (head, tail) = if length >= 9 {
        (3, 4)
    } else {
        (0, length.min(2))
    };
    number
        .chars()
        .enumerate()
        .map(|(index, c)| {
            if index < head || index + tail >= length {
                c
            } else {
                '*'
            }
        })
        .collect()
}

fn email(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}@{domain}", name(local)),
        None => number(address),
    }
}

/// The intake without ways to reach or identify the customer. The account
/// stays, because it is what a department looks up, unless it is the phone.
pub fn intake(intake: &Intake) -> Intake {
    let mut masked = intake.clone();
    if !masked.account.is_empty() && masked.account == masked.phone {
        masked.account = number(&masked.account);
    }
    masked.name = name(&masked.name);
    masked.phone = number(&masked.phone);
    masked.email = email(&masked.email);
    masked.id_number = number(&masked.id_number);
    for contact in &mut masked.group {
        contact.name = name(&contact.name);
        contact.phone = number(&contact.phone);
    }
    if let Some(representative) = &mut masked.representative {
        representative.name = name(&representative.name);
        representative.phone = number(&representative.phone);
        representative.proof = String::new();
    }
    masked
}

/// The fact with its intake masked.
pub fn fact(fact: &Fact) -> Fact {
    let mut masked = fact.clone();
    match &mut masked {
        Fact::Recorded { intake: of, .. } => **of = intake(of),
        Fact::HandedOff { packet, .. } => packet.intake = intake(&packet.intake),
        _ => {}
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_keep_only_their_ends() {
        assert_eq!(number("13800138000"), "138****8000");
        assert_eq!(number("67890123"), "******23");
        assert_eq!(number("1"), "1");
        assert_eq!(name("张小明"), "张**");
        assert_eq!(email("zhang@example.cn"), "z***@example.cn");
        assert_eq!((name(""), number(""), email("")), Default::default());
    }

    #[test]
    fn a_customer_without_a_name_is_not_taken_for_an_anonymous_one() {
        let mut intake = Intake {
            phone: "13800138000".into(),
            ..Intake::default()
        };
        assert_eq!(customer(&intake), "138****8000");
        intake.name = "张小明".into();
        assert_eq!(customer(&intake), "张**");
        assert_eq!(customer(&Intake::default()), "");
    }

    #[test]
    fn a_masked_intake_reaches_nobody() {
        let open = Intake {
            name: "张小明".into(),
            phone: "13800138000".into(),
            account: "13800138000".into(),
            id_number: "500101199001011234".into(),
            ..Intake::default()
        };
        let text = serde_json::to_string(&intake(&open)).unwrap();
        for secret in ["小明", "13800138000", "19900101"] {
            assert!(!text.contains(secret), "{secret} is left in {text}");
        }
    }
}
