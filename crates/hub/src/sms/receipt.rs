//! Delivery receipts as SMS centres write them (SMPP 3.4, appendix B), and the
//! names of messages in them. Pure.

/// What a receipt says of its message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Delivered,
    /// As a code, for example `undelivered_expired`.
    Failed(String),
    /// Still on its way.
    Pending,
}

/// A receipt's message and outcome, from its text:
/// `id:… sub:… dlvrd:… submit date:… done date:… stat:DELIVRD err:… text:…`.
pub fn read(text: &str) -> Option<(String, Outcome)> {
    let id = field(text, "id:")?;
    let stat = field(text, "stat:")?.to_ascii_uppercase();
    let outcome = match stat.as_str() {
        "DELIVRD" => Outcome::Delivered,
        "ENROUTE" | "ACCEPTD" => Outcome::Pending,
        "EXPIRED" => Outcome::Failed("undelivered_expired".into()),
        "DELETED" => Outcome::Failed("undelivered_deleted".into()),
        "UNDELIV" => Outcome::Failed("undelivered".into()),
        "REJECTD" => Outcome::Failed("undelivered_rejected".into()),
        // Centres have codes of their own; what is not known is not kept.
        _ => Outcome::Failed("undelivered_unknown".into()),
    };
    Some((id.to_owned(), outcome))
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let at = text.to_ascii_lowercase().find(name)?;
    let behind = text.get(at + name.len()..)?;
    let value = behind.split_whitespace().next()?;
    (!value.is_empty()).then_some(value)
}

/// A message's name in one writing: small letters, no zeros in front.
pub fn plain(id: &str) -> String {
    let small = id.trim().to_ascii_lowercase();
    let kept = small.trim_start_matches('0');
    if kept.is_empty() { small } else { kept.into() }
}

/// The names a message may have been given when it was taken: as the receipt
/// has it, or the same number in the other notation. Centres answer in
/// hexadecimal digits and report in decimal ones, or the other way round.
pub fn names(id: &str) -> Vec<String> {
    let plain = plain(id);
    let mut names = vec![plain.clone()];
    if let Ok(number) = plain.parse::<u128>() {
        names.push(format!("{number:x}"));
    }
    if let Ok(number) = u128::from_str_radix(&plain, 16) {
        names.push(number.to_string());
    }
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str, stat: &str) -> String {
        format!(
            "id:{id} sub:001 dlvrd:001 submit date:2607211000 done date:2607211001 \
             stat:{stat} err:000 text:id:9 stat:X"
        )
    }

    #[test]
    fn the_outcome_is_that_of_the_standard() {
        let read = |stat: &str| read(&text("42", stat)).unwrap();
        assert_eq!(read("DELIVRD"), ("42".into(), Outcome::Delivered));
        assert_eq!(read("delivrd").1, Outcome::Delivered);
        assert_eq!(read("ENROUTE").1, Outcome::Pending);
        for stat in [
            "EXPIRED", "DELETED", "UNDELIV", "REJECTD", "UNKNOWN", "MA:0001",
        ] {
            assert!(matches!(read(stat).1, Outcome::Failed(_)), "{stat}");
        }
        for strange in ["", "id:", "stat:DELIVRD", "hello", "id:1 stat:"] {
            assert_eq!(super::read(strange), None, "{strange}");
        }
    }

    #[test]
    fn a_name_is_found_in_either_notation() {
        assert!(names("26").contains(&"1a".to_owned()));
        assert!(names("1A").contains(&"26".to_owned()));
        assert!(names("0000026").contains(&plain("26")));
        assert_eq!(names("x-7"), ["x-7"]);
        assert_eq!(plain("000"), "000");
        assert_eq!(names("26")[0], "26", "first as it is");
    }
}
