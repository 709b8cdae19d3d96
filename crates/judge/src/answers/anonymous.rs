//! An answer of one customer, made ready to be suggested for another: without
//! what tells who the first was.

use suda_domain::Intake;
use suda_domain::personal::{found, of_customer};

use crate::fold::is_dense;

/// What stands in the place of a name or a number.
const VEIL: &str = "***";
/// Runs of so many digits are numbers of something of the customer's; sums,
/// dates and hours have fewer.
const DIGITS: usize = 5;
/// Characters of a given name after a family name that are veiled with it.
const GIVEN: usize = 2;

/// The hundred family names most people of mainland China bear (Ministry of
/// Public Security, 2020), and the commonest of two characters.
const FAMILY: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董\
    袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯\
    龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤張劉陳楊黃趙吳孫馬羅鄭許韓馮鄧蕭蔣葉蘇呂盧鐘譚陸範賈\
    韋鄒閻龍賀顧龔萬錢嚴湯";
const FAMILY_OF_TWO: [&str; 8] = [
    "欧阳", "上官", "诸葛", "司徒", "司马", "夏侯", "皇甫", "慕容",
];
const TITLES: [&str; 12] = [
    "先生", "女士", "小姐", "太太", "老师", "老師", "师傅", "師傅", "阿姨", "大爷", "叔叔", "同志",
];
const ENGLISH_TITLES: [&str; 8] = ["mr", "mrs", "ms", "miss", "dr", "mr.", "mrs.", "ms."];

/// A text without names and numbers, and whether any were in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Anonymous {
    pub text: String,
    pub veiled: bool,
}

impl Anonymous {
    /// Leaves out what the form tells of its customer, the place, the names of
    /// `people` (staff), whoever is addressed by family name and title, and
    /// every number of telephone, identity card, bank or account. Names of
    /// others that stand in the text without a title cannot be known as such.
    pub fn of<'n>(
        text: &str,
        intake: &'n Intake,
        people: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let mut secrets = of_customer(intake);
        secrets.extend(names(intake).flat_map(parts));
        secrets.push(&intake.place);
        secrets.extend(intake.links.iter().map(String::as_str));
        secrets.extend(people);
        let mut secrets: Vec<&str> = secrets
            .into_iter()
            .map(str::trim)
            // Most of thousands of staff are not in it, and somebody waits.
            .filter(|secret| secret.chars().count() >= 2 && text.contains(*secret))
            .collect();
        // A longer one may hold a shorter one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut shown = text.to_owned();
        for secret in secrets {
            shown = shown.replace(secret, VEIL);
        }
        for one in found(&shown, []) {
            shown = shown.replace(&one.piece, VEIL);
        }
        shown = without_addressed(&without_english(&shown));
        shown = without_long_numbers(&shown);
        while shown.contains("******") {
            shown = shown.replace("******", VEIL);
        }
        Self {
            veiled: shown != text,
            text: shown,
        }
    }
}

/// Whoever the form names as a customer.
fn names(intake: &Intake) -> impl Iterator<Item = &str> {
    let representative = intake.representative.iter();
    let representative = representative.map(|one| one.name.as_str());
    let group = intake.group.iter().map(|one| one.name.as_str());
    std::iter::once(intake.name.as_str())
        .chain(representative)
        .chain(group)
}

/// By what somebody of this name is greeted: the words of a name with blanks,
/// the given name of a Chinese one.
fn parts(name: &str) -> Vec<&str> {
    let name = name.trim();
    if name.contains(' ') {
        let words = name.split_whitespace();
        return words.filter(|word| word.chars().count() > 2).collect();
    }
    let is_chinese = name.chars().all(is_dense) && name.chars().count() > GIVEN;
    let given = name.char_indices().rev().nth(GIVEN - 1);
    let given = given.filter(|_| is_chinese);
    given
        .and_then(|(at, _)| name.get(at..))
        .into_iter()
        .collect()
}

/// 张先生, 欧阳小明女士: the name goes, the title stays.
fn without_addressed(text: &str) -> String {
    let mut shown = text.to_owned();
    for title in TITLES {
        let mut from = 0;
        while let Some(at) = shown.get(from..).and_then(|rest| rest.find(title)) {
            let end = from + at;
            let before = shown.get(..end).unwrap_or_default();
            if let Some(start) = name_before(before) {
                shown.replace_range(start..end, VEIL);
                from = start + VEIL.len() + title.len();
            } else {
                from = end + title.len();
            }
        }
    }
    shown
}

/// Where a name that the text ends with begins: a family name with at most two
/// more characters behind it.
fn name_before(text: &str) -> Option<usize> {
    let mut starts = text.char_indices().rev().map(|(at, _)| at);
    let mut best = None;
    for given in 0..=GIVEN + 1 {
        let Some(at) = starts.next() else { break };
        let rest = text.get(at..).unwrap_or_default();
        let of_two = FAMILY_OF_TWO.iter().any(|name| rest.starts_with(name));
        let of_one = rest.chars().next().is_some_and(|c| FAMILY.contains(c));
        if of_two || (of_one && given <= GIVEN) {
            best = Some(at);
        }
    }
    best
}

/// Mr Smith: the words that follow a title and begin with a capital go.
fn without_english(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut addressed = false;
    for piece in text.split_inclusive(' ') {
        let word = piece.trim_end();
        let is_title = ENGLISH_TITLES.contains(&word.to_lowercase().as_str());
        let is_name = word.chars().next().is_some_and(|c| c.is_ascii_uppercase());
        if addressed && is_name && !is_title {
            let last = word.rfind(|c: char| c.is_ascii_alphanumeric());
            let after = last.map_or(0, |at| at + 1);
            shown.push_str(VEIL);
            shown.push_str(word.get(after..).unwrap_or_default());
            shown.push_str(piece.get(word.len()..).unwrap_or_default());
            continue;
        }
        addressed = is_title;
        shown.push_str(piece);
    }
    shown
}

fn without_long_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        // Digits of any script; letters of a reference stand among them.
        if c.is_numeric() || (!run.is_empty() && c.is_ascii_alphabetic()) {
            run.push(c);
            continue;
        }
        let digits = run.chars().filter(|c| c.is_numeric()).count();
        shown.push_str(if digits >= DIGITS { VEIL } else { &run });
        run.clear();
        if c != '\0' {
            shown.push(c);
        }
    }
    shown
}
