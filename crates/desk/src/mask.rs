//! Names and texts as lists show them: enough to recognise, no more.

/// Family names of two characters, among the commonest of the Hundred Family
/// Surnames (百家姓) still in use.
const COMPOUND: [&str; 14] = [
    "欧阳", "上官", "皇甫", "令狐", "诸葛", "司徒", "司马", "申屠", "夏侯", "东方", "尉迟", "公孙",
    "慕容", "歐陽",
];
const EXCERPT: usize = 80;

/// A name with all but the family name masked: 张＊＊, J*** Smith.
pub(crate) fn masked_name(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() {
        return masked_latin(name);
    }
    let family = COMPOUND
        .iter()
        .find(|family| name.starts_with(**family) && name.chars().count() > family.chars().count());
    let kept = family.map_or(1, |family| family.chars().count());
    let mut masked: String = name.chars().take(kept).collect();
    masked.extend(name.chars().skip(kept).map(|_| '＊'));
    masked
}

fn masked_latin(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let Some((family, given)) = words.split_last() else {
        return String::new();
    };
    let initials = given.iter().filter_map(|word| word.chars().next());
    match given {
        [] => family
            .chars()
            .next()
            .map(|c| format!("{c}***"))
            .unwrap_or_default(),
        _ => {
            let masked: Vec<String> = initials.map(|c| format!("{c}***")).collect();
            format!("{} {family}", masked.join(" "))
        }
    }
}

/// The first characters of a text, in one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line: String = text
        .chars()
        .take(EXCERPT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_family_name_is_left() {
        for (name, masked) in [
            ("张三丰", "张＊＊"),
            ("欧阳锋", "欧阳＊"),
            ("欧阳", "欧＊"),
            ("John Smith", "J*** Smith"),
            ("Cher", "C***"),
            ("", ""),
        ] {
            assert_eq!(masked_name(name), masked);
        }
    }
}
