//! The grade of a complaint by rules that are data (`data/grades.json`): which
//! words, which words in one sentence, how many households. Grade 1 is judged
//! for recall first: a manager who is told in vain loses a minute.

use serde::{Deserialize, Serialize};
use suda_domain::Grade;

use crate::fold::plain;
use crate::words::{Present, Words};

/// The starter rules for telecom, bank and public complaints.
pub const GRADES: &str = include_str!("../data/grades.json");

/// No more characters are looked at, whatever is pasted.
const LOOKED_AT: usize = 20_000;

/// A versioned file of rules. Of the rules that hold, the gravest grade
/// decides; without one it is grade 3.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeRules {
    pub version: u32,
    pub rules: Vec<GradeRule>,
    #[serde(skip)]
    words: Words,
}

/// One rule: no word of `none`, and any of its other conditions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeRule {
    pub id: String,
    pub grade: Grade,
    /// The reason as people read it.
    pub zh_cn: String,
    pub zh_tw: String,
    pub en: String,
    /// One of these words stands in the text.
    #[serde(default)]
    pub any: Vec<String>,
    /// In one sentence stands a word of each group.
    #[serde(default)]
    pub near: Vec<Vec<String>>,
    /// The rule does not hold where one of these stands.
    #[serde(default)]
    pub none: Vec<String>,
    /// A number of at least so much stands before one of these units.
    #[serde(default)]
    pub counts: Vec<Count>,
}

/// A number with its unit, such as 320 户.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub least: f64,
    pub units: Vec<String>,
}

/// What is wrong with a file of grade rules.
#[derive(Debug, thiserror::Error)]
pub enum GradeRulesError {
    #[error("the file is not valid JSON of grade rules")]
    Json(#[from] serde_json::Error),
    #[error("rule {0} stands twice")]
    Twice(String),
    #[error("rule {0} has no condition")]
    Empty(String),
    #[error("the words of the rules cannot be made ready")]
    Words(#[from] aho_corasick::BuildError),
}

/// A rule that held.
#[derive(Clone, Debug, PartialEq)]
pub struct GradeReason<'r> {
    pub rule: &'r str,
    pub zh_cn: &'r str,
    pub zh_tw: &'r str,
    pub en: &'r str,
    /// Its words that stand in the text.
    pub matched: Vec<&'r str>,
}

impl GradeRules {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Names the rule that is wrong.
    pub fn parse(json: &str) -> Result<Self, GradeRulesError> {
        let mut rules: Self = serde_json::from_str(json)?;
        for (number, rule) in rules.rules.iter().enumerate() {
            if rules
                .rules
                .iter()
                .take(number)
                .any(|earlier| earlier.id == rule.id)
            {
                return Err(GradeRulesError::Twice(rule.id.clone()));
            }
            if rule.any.is_empty() && rule.near.is_empty() && rule.counts.is_empty() {
                return Err(GradeRulesError::Empty(rule.id.clone()));
            }
        }
        rules.words = Words::build(rules.rules.iter().flat_map(GradeRule::words))?;
        Ok(rules)
    }

    /// The grade of a text and the rules of that grade that held, in the order
    /// of the file.
    pub fn grade(&self, text: &str) -> (Grade, Vec<GradeReason<'_>>) {
        let end = text
            .char_indices()
            .nth(LOOKED_AT)
            .map_or(text.len(), |(at, _)| at);
        let text = plain(text.get(..end).unwrap_or(text));
        let whole = self.words.look_in(&text);
        let sentences: Vec<Present> = text
            .split(['。', '！', '？', '!', '?', '\n'])
            .map(|sentence| self.words.look_in(sentence))
            .collect();
        let held: Vec<(Grade, GradeReason<'_>)> = self
            .rules
            .iter()
            .filter_map(|rule| Some((rule.grade, self.holds(rule, &text, &whole, &sentences)?)))
            .collect();
        // Grades are ordered, the gravest first.
        let grade = held.iter().map(|(grade, _)| *grade).min();
        let grade = grade.unwrap_or(Grade::Three);
        let reasons = held
            .into_iter()
            .filter(|(of, _)| *of == grade)
            .map(|(_, reason)| reason);
        (grade, reasons.collect())
    }

    fn holds<'r>(
        &self,
        rule: &'r GradeRule,
        text: &str,
        whole: &Present,
        sentences: &[Present],
    ) -> Option<GradeReason<'r>> {
        let found = |words: &'r [String], present: &Present| -> Vec<&'r str> {
            let stands = |word: &&String| present.has(self.words.number(word));
            words.iter().filter(stands).map(String::as_str).collect()
        };
        if !found(&rule.none, whole).is_empty() {
            return None;
        }
        let mut matched = found(&rule.any, whole);
        if matched.is_empty() && !rule.near.is_empty() {
            let in_one = sentences.iter().find_map(|sentence| {
                let groups = rule
                    .near
                    .iter()
                    .map(|group| found(group, sentence).into_iter().next());
                groups.collect::<Option<Vec<_>>>()
            });
            matched = in_one.unwrap_or_default();
        }
        if matched.is_empty() {
            matched = rule
                .counts
                .iter()
                .find_map(|count| count.stands_in(text))
                .into_iter()
                .collect();
        }
        (!matched.is_empty()).then(|| GradeReason {
            rule: &rule.id,
            zh_cn: &rule.zh_cn,
            zh_tw: &rule.zh_tw,
            en: &rule.en,
            matched,
        })
    }
}

impl GradeRule {
    fn words(&self) -> impl Iterator<Item = &str> {
        let near = self.near.iter().flatten();
        self.any
            .iter()
            .chain(near)
            .chain(&self.none)
            .map(String::as_str)
    }
}

impl Count {
    /// The unit before which a number large enough stands.
    fn stands_in(&self, text: &str) -> Option<&str> {
        let large = |unit: &&String| {
            text.match_indices(unit.as_str())
                .filter_map(|(at, _)| number_before(text.get(..at)?))
                .any(|number| number >= self.least)
        };
        self.units.iter().find(large).map(String::as_str)
    }
}

/// The number a text ends with, past 多, 余, 几, 来, 个 and with 百, 千, 万.
fn number_before(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['多', '余', '几', '来', '个', ' ']);
    let (text, times) = match text.chars().next_back()? {
        '百' => (text.trim_end_matches('百'), 100.0),
        '千' => (text.trim_end_matches('千'), 1_000.0),
        '万' => (text.trim_end_matches('万'), 10_000.0),
        _ => (text, 1.0),
    };
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let digits = text.get(head.len()..)?;
    // A number longer than this is a telephone's, not a count.
    if digits.len() > 7 {
        return None;
    }
    Some(digits.parse::<f64>().ok()? * times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(text: &str) -> (Grade, Vec<String>) {
        let rules = GradeRules::parse(GRADES).unwrap();
        let (grade, reasons) = rules.grade(text);
        (
            grade,
            reasons
                .iter()
                .map(|reason| reason.rule.to_owned())
                .collect(),
        )
    }

    #[test]
    fn danger_groups_media_and_law_are_grade_one() {
        let table = [
            ("装机师傅从梯子上摔下来骨折了", "death-injury"),
            ("營業廳保安毆打我父親", "violence"),
            ("你们的宽带箱挡住了消防通道", "fire-safety"),
            ("大楼电梯这周第三次困人", "lift"),
            ("这个基站让３２０户业主睡不着", "households"),
            ("我们1.2万人要求退款", "many-people"),
            ("再不解决我就找媒体", "media"),
            ("准备好律师函了", "legal"),
            ("小区停水，已经持续三年", "no-water"),
        ];
        for (text, rule) in table {
            let (grade, rules) = grade(text);
            assert!(
                grade == Grade::One && rules.iter().any(|r| r == rule),
                "{text}: {grade:?} {rules:?}"
            );
        }
    }

    #[test]
    fn everyday_matters_are_not_grade_one() {
        for text in [
            "请问怎么办理停机",
            "话费多收了八十元，一直不退",
            "电梯广告太吵",
            "小区有32户业主停车难",
        ] {
            assert_ne!(grade(text).0, Grade::One, "{text}");
        }
        assert_eq!(grade("").0, Grade::Three);
    }

    #[test]
    fn words_of_one_sentence_do_not_join_with_those_of_another() {
        assert_eq!(grade("我住电梯房。我的手机坏了。").0, Grade::Three);
        assert_eq!(grade("我家电梯坏了").0, Grade::One);
    }

    #[test]
    fn a_telephone_number_is_no_count_of_households() {
        assert!(grade("请回电13900001111户主姓张").0 != Grade::One);
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_rule_named() {
        let twice = GRADES.replace("\"id\": \"violence\"", "\"id\": \"lift\"");
        assert!(
            matches!(GradeRules::parse(&twice), Err(GradeRulesError::Twice(rule)) if rule == "lift")
        );
        assert!(matches!(
            GradeRules::parse("[]"),
            Err(GradeRulesError::Json(_))
        ));
    }
}
