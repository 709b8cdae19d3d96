//! Rules applied to one complaint.

use serde::{Deserialize, Serialize};
use suda_domain::fact::SuggestionTrace;
use suda_domain::text::to_half_width;
use suda_domain::{Complexity, Grade};

use crate::rules::{Rule, RuleSet};
use crate::words::Present;

/// What is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case<'a> {
    pub description: &'a str,
    pub remedy_sought: &'a str,
    /// Chosen by the person already; then it is not suggested but used.
    pub category: Option<&'a str>,
    /// Amount in dispute in the currency's minor unit (分).
    pub amount_minor: Option<i64>,
    /// Representatives of a group named in the form.
    pub group_size: usize,
}

/// Why something is suggested.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reason {
    /// The rule that decided.
    pub rule: String,
    /// The rule's own words for people, in Simplified Chinese and English.
    pub zh: String,
    pub en: String,
    /// The words of the complaint that matched, as written.
    pub matched: Vec<String>,
}

/// What the rules propose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suggestion {
    /// A leaf of the category tree, when a rule knew one.
    pub category: Option<String>,
    pub category_reason: Option<Reason>,
    pub grade: Grade,
    pub grade_reason: Option<Reason>,
    pub complexity: Complexity,
    pub complexity_reason: Option<Reason>,
    /// Version of the rule file.
    pub version: u32,
}

impl Suggestion {
    /// The part that goes into the ledger.
    pub fn trace(&self) -> SuggestionTrace {
        let reasons = [
            &self.category_reason,
            &self.grade_reason,
            &self.complexity_reason,
        ];
        SuggestionTrace {
            category: self.category.clone(),
            grade: self.grade,
            complexity: self.complexity,
            rules: reasons
                .into_iter()
                .flatten()
                .map(|reason| reason.rule.clone())
                .collect(),
            version: self.version,
        }
    }
}

/// The proposal for `case`. Of the rules that match, the one with the highest
/// priority decides each outcome, the first in the file among equals. Grade 1
/// is always complex.
pub fn suggest(rules: &RuleSet, case: &Case<'_>) -> Suggestion {
    let text = fold(&format!("{}\n{}", case.description, case.remedy_sought));
    let present = rules.words.look_in(&text);
    let first = Matches::find(rules, case, case.category, &present);
    let category = first.best(|rule| rule.category.as_ref());
    let chosen = case
        .category
        .or(category.map(|(rule, _)| rule.category.as_deref().unwrap_or_default()));
    // Rules may look at the category, also at one another rule has proposed.
    let all = match chosen == case.category {
        true => None,
        false => Some(Matches::find(rules, case, chosen, &present)),
    };
    let all = all.as_ref().unwrap_or(&first);

    let grade = all.best(|rule| rule.grade.as_ref());
    let complexity = all.best(|rule| rule.complexity.as_ref());
    let grade_value = grade
        .and_then(|(rule, _)| rule.grade)
        .unwrap_or(Grade::Three);
    let (complexity_value, complexity_reason) = match complexity {
        _ if grade_value == Grade::One => (Complexity::Complex, grade.map(reason)),
        Some(found) => (
            found.0.complexity.unwrap_or(Complexity::Complex),
            Some(reason(found)),
        ),
        None => (rules.default_complexity, None),
    };
    Suggestion {
        category: chosen.map(str::to_owned),
        category_reason: category.filter(|_| case.category.is_none()).map(reason),
        grade: grade_value,
        grade_reason: grade.map(reason),
        complexity: complexity_value,
        complexity_reason,
        version: rules.version,
    }
}

/// Letters in lower case and full-width forms made plain, for matching.
fn fold(text: &str) -> String {
    to_half_width(text).to_lowercase()
}

fn reason((rule, matched): (&Rule, &[String])) -> Reason {
    Reason {
        rule: rule.id.clone(),
        zh: rule.zh.clone(),
        en: rule.en.clone(),
        matched: matched.to_vec(),
    }
}

struct Matches<'r> {
    found: Vec<(&'r Rule, Vec<String>)>,
}

impl<'r> Matches<'r> {
    fn find(
        rules: &'r RuleSet,
        case: &Case<'_>,
        category: Option<&str>,
        present: &Present,
    ) -> Self {
        let found = rules
            .rules
            .iter()
            .zip(&rules.numbers)
            .filter_map(|(rule, numbers)| {
                rule.matches(case, category, numbers, present)
                    .map(|words| (rule, words))
            })
            .collect();
        Self { found }
    }

    fn best<T>(&self, outcome: impl Fn(&Rule) -> Option<&T>) -> Option<(&Rule, &[String])> {
        self.found
            .iter()
            .filter(|(rule, _)| outcome(rule).is_some())
            // Most matched words first among equal priorities; `rev` keeps the file's first.
            .rev()
            .max_by_key(|(rule, words)| (rule.priority, words.len()))
            .map(|(rule, words)| (*rule, words.as_slice()))
    }
}
