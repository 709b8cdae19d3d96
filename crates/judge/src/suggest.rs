//! Rules applied to one complaint.

use serde::{Deserialize, Serialize};
use suda_domain::fact::SuggestionTrace;
use suda_domain::intake::Channel;
use suda_domain::{Complexity, Grade};

use crate::handoff::Weighed;
use crate::matching::{Held, held};
use crate::propose::Learned;
use crate::rules::{Rule, RuleSet};

/// What is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Case<'a> {
    pub description: &'a str,
    pub remedy_sought: &'a str,
    /// Chosen by the person already; then it is not suggested but used.
    pub category: Option<&'a str>,
    /// Amount in dispute in the currency's minor unit (分).
    pub amount_minor: Option<i64>,
    /// Representatives of a group named in the form.
    pub group_size: usize,
    /// Complaints this customer made before, as far as is known here.
    pub earlier: u32,
    /// How it came in; nothing where that is not known.
    pub channel: Option<Channel>,
    /// The branch's code; empty where that is not known.
    pub branch: &'a str,
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
    /// The rule's words that stand in the complaint.
    pub matched: Vec<String>,
}

/// An outcome with the reason for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proposed {
    /// A team's or department's code, a category, or a field of the form.
    pub value: String,
    pub reason: Reason,
}

/// What the rules propose.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
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
    /// The team or department it should go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Proposed>,
    /// The category whose guidance is to be shown instead of the own one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<Proposed>,
    /// Fields of the form that rules ask to be filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<Proposed>,
    /// What the learned model says of the text, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
    /// How likely it needs the centre, where that is learned and no rule hands
    /// it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<Weighed>,
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
            model: self.by_model(),
            handoff: self.by_handoffs(),
        }
    }

    /// The training that what was learned of handoffs comes from, where simple
    /// or complex does.
    pub fn by_handoffs(&self) -> Option<u32> {
        let weighed = self.handoff.as_ref()?;
        let is_own = self.complexity_reason.is_none() && !weighed.unsure;
        is_own.then_some(weighed.version)
    }

    /// The model's version, where the category comes from it.
    pub fn by_model(&self) -> Option<u32> {
        let learned = self.learned.as_ref()?;
        let is_own = self.category_reason.is_none()
            && !learned.unsure
            && learned.first() == self.category.as_deref();
        is_own.then_some(learned.version)
    }
}

/// Everything the rules say of one complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<'r> {
    /// A leaf of the category tree; nothing when a person chose one already.
    pub category: Option<Decided<'r, &'r str>>,
    /// Without a rule that says so it is grade 3.
    pub grade: Option<Decided<'r, Grade>>,
    /// Grade 1 is always complex, by the rule that made it grade 1.
    pub complexity: Option<Decided<'r, Complexity>>,
    /// The team or department it should go to.
    pub route: Option<Decided<'r, &'r str>>,
    /// The category whose guidance is to be shown.
    pub guidance: Option<Decided<'r, &'r str>>,
    /// Every field that some rule requires, with the first rule that does.
    pub required: Vec<(&'r str, Held<'r>)>,
}

/// An outcome with the rules it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided<'r, T> {
    pub value: T,
    /// The rule that decided.
    pub by: Held<'r>,
    /// The others that say the same, in the order of the file.
    pub also: Vec<Held<'r>>,
}

/// What the rules say of `case`. Of the rules that hold, the one with the
/// highest priority decides each outcome; among equals the one with most
/// words found, then the first in the file.
pub fn judge<'r>(rules: &'r RuleSet, case: &Case<'_>) -> Verdict<'r> {
    let fields = [case.description, case.remedy_sought];
    let reading = rules.words.read(&fields, &rules.negating);
    let first = held(rules, case, case.category, &reading);
    let category = decide(&first, |rule| rule.category.as_deref());
    let chosen = case.category.or(category.as_ref().map(|found| found.value));
    // Rules may look at the category, also at one another rule has proposed.
    let all = match chosen == case.category {
        true => first,
        false => held(rules, case, chosen, &reading),
    };
    let grade = decide(&all, |rule| rule.grade);
    let complexity = match &grade {
        Some(one) if one.value == Grade::One => Some(Decided {
            value: Complexity::Complex,
            by: one.by.clone(),
            also: Vec::new(),
        }),
        _ => decide(&all, |rule| rule.complexity),
    };
    let mut required: Vec<(&str, Held<'r>)> = Vec::new();
    for one in &all {
        for field in &one.rule.required {
            if required.iter().all(|(known, _)| known != field) {
                required.push((field, one.clone()));
            }
        }
    }
    Verdict {
        category: category.filter(|_| case.category.is_none()),
        route: decide(&all, |rule| rule.route.as_deref()),
        guidance: decide(&all, |rule| rule.guidance.as_deref()),
        grade,
        complexity,
        required,
    }
}

fn decide<'r, T: PartialEq>(
    held: &[Held<'r>],
    outcome: impl Fn(&'r Rule) -> Option<T>,
) -> Option<Decided<'r, T>> {
    let speaking = || held.iter().filter(|held| outcome(held.rule).is_some());
    // The last of equals is the greatest, so that `rev` keeps the file's first.
    let by = speaking()
        .rev()
        .max_by_key(|held| (held.rule.priority, held.found.len()))?;
    let value = outcome(by.rule)?;
    let also = speaking()
        .filter(|held| held.rule.id != by.rule.id && outcome(held.rule).as_ref() == Some(&value))
        .cloned()
        .collect();
    Some(Decided {
        value,
        by: by.clone(),
        also,
    })
}

impl Verdict<'_> {
    pub fn grade(&self) -> Grade {
        self.grade
            .as_ref()
            .map_or(Grade::Three, |found| found.value)
    }
}

fn proposed(found: Decided<'_, &str>) -> Proposed {
    Proposed {
        value: found.value.to_owned(),
        reason: found.by.reason(),
    }
}

/// The proposal for `case`: of [`judge`] what the form shows.
pub fn suggest(rules: &RuleSet, case: &Case<'_>) -> Suggestion {
    let verdict = judge(rules, case);
    let grade = verdict.grade();
    let category = verdict.category;
    Suggestion {
        category: category
            .as_ref()
            .map(|found| found.value)
            .or(case.category)
            .map(str::to_owned),
        category_reason: category.map(|found| found.by.reason()),
        grade,
        grade_reason: verdict.grade.map(|found| found.by.reason()),
        complexity: verdict
            .complexity
            .as_ref()
            .map_or(rules.default_complexity, |found| found.value),
        complexity_reason: verdict.complexity.map(|found| found.by.reason()),
        route: verdict.route.map(proposed),
        guidance: verdict.guidance.map(proposed),
        required: verdict
            .required
            .iter()
            .map(|(field, by)| Proposed {
                value: (*field).to_owned(),
                reason: by.reason(),
            })
            .collect(),
        learned: None,
        handoff: None,
        version: rules.version,
    }
}
