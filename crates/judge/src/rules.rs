//! The rule file.

use serde::{Deserialize, Serialize};
use suda_domain::category::CategoryTree;
use suda_domain::{Complexity, Grade};

use crate::suggest::Case;
use crate::words::{Present, Words};

/// A versioned rule file: the category tree and the rules over it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleSet {
    pub version: u32,
    /// For people: what set this is.
    pub title: String,
    pub tree: CategoryTree,
    /// What a complaint is when no rule speaks.
    pub default_complexity: Complexity,
    /// Where rows go whose category no rule knows; a leaf of the tree.
    pub fallback_category: String,
    pub rules: Vec<Rule>,
    /// Every word of every rule, made ready to be found in one pass.
    #[serde(skip)]
    pub(crate) words: Words,
    /// For each rule the numbers of its words, so that matching compares none.
    #[serde(skip)]
    pub(crate) numbers: Vec<Numbers>,
}

/// The numbers of a rule's words, in the order of the words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    any: Vec<usize>,
    all: Vec<Vec<usize>>,
    none: Vec<usize>,
}

/// One rule: all its conditions must hold; then its outcomes are proposed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    /// The reason as people read it.
    pub zh: String,
    pub en: String,
    /// Higher decides.
    #[serde(default)]
    pub priority: i32,

    /// At least one of these stands in the text.
    #[serde(default)]
    pub any: Vec<String>,
    /// Of each group at least one stands in the text.
    #[serde(default)]
    pub all: Vec<Vec<String>>,
    /// None of these stands in the text.
    #[serde(default)]
    pub none: Vec<String>,
    /// The category is this node or below it.
    #[serde(default)]
    pub under: Option<String>,
    /// The amount in dispute is at least this, in minor units.
    #[serde(default)]
    pub amount_at_least: Option<i64>,
    /// At least so many representatives of a group are named.
    #[serde(default)]
    pub group_at_least: Option<usize>,

    #[serde(default)]
    pub category: Option<String>,
    #[serde(default)]
    pub grade: Option<Grade>,
    #[serde(default)]
    pub complexity: Option<Complexity>,
}

/// What is wrong with a rule file.
#[derive(Debug, thiserror::Error)]
pub enum RuleSetError {
    #[error("the rule file is not valid JSON of a rule set")]
    Json(#[from] serde_json::Error),
    #[error("rule {rule}: {category} is not a leaf of the category tree")]
    Category { rule: String, category: String },
    #[error("rule {0} stands twice")]
    Twice(String),
    #[error("rule {0} has no condition, or no outcome")]
    Empty(String),
    #[error("the words of the rules cannot be made ready")]
    Words(#[from] aho_corasick::BuildError),
}

impl RuleSet {
    /// Reads and checks a rule file.
    pub fn parse(json: &str) -> Result<Self, RuleSetError> {
        serde_json::from_str::<Self>(json)?.ready()
    }

    /// Like [`parse`](Self::parse), of JSON already read.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, RuleSetError> {
        Self::deserialize(value)?.ready()
    }

    fn ready(mut self) -> Result<Self, RuleSetError> {
        self.check()?;
        self.words = Words::build(self.rules.iter().flat_map(Rule::words))?;
        let of = |words: &Vec<String>| words.iter().map(|word| self.words.number(word)).collect();
        let numbers = self.rules.iter().map(|rule| Numbers {
            any: of(&rule.any),
            all: rule.all.iter().map(of).collect(),
            none: of(&rule.none),
        });
        self.numbers = numbers.collect();
        Ok(self)
    }

    fn check(&self) -> Result<(), RuleSetError> {
        let targets = self
            .rules
            .iter()
            .filter_map(|rule| Some((rule.id.as_str(), rule.category.as_deref()?)))
            .chain([("fallback_category", self.fallback_category.as_str())]);
        for (rule, category) in targets {
            if !self.tree.is_leaf(category) {
                return Err(RuleSetError::Category {
                    rule: rule.into(),
                    category: category.into(),
                });
            }
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if self
                .rules
                .iter()
                .take(index)
                .any(|earlier| earlier.id == rule.id)
            {
                return Err(RuleSetError::Twice(rule.id.clone()));
            }
            if !rule.has_condition() || !rule.has_outcome() {
                return Err(RuleSetError::Empty(rule.id.clone()));
            }
        }
        Ok(())
    }
}

impl Rule {
    fn has_condition(&self) -> bool {
        !self.any.is_empty()
            || !self.all.is_empty()
            || self.under.is_some()
            || self.amount_at_least.is_some()
            || self.group_at_least.is_some()
    }

    fn has_outcome(&self) -> bool {
        self.category.is_some() || self.grade.is_some() || self.complexity.is_some()
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let grouped = self.all.iter().flatten();
        self.any
            .iter()
            .chain(grouped)
            .chain(&self.none)
            .map(String::as_str)
    }

    /// The words that matched when every condition holds.
    pub(crate) fn matches(
        &self,
        case: &Case<'_>,
        category: Option<&str>,
        numbers: &Numbers,
        present: &Present,
    ) -> Option<Vec<String>> {
        let holds = self
            .amount_at_least
            .is_none_or(|least| case.amount_minor.is_some_and(|a| a >= least))
            && self
                .group_at_least
                .is_none_or(|least| case.group_size >= least)
            && self
                .under
                .as_deref()
                .is_none_or(|node| category.is_some_and(|c| is_under(c, node)))
            && !numbers.none.iter().any(|&word| present.has(word));
        if !holds {
            return None;
        }
        let found = |words: &[String], numbers: &[usize]| -> Vec<String> {
            words
                .iter()
                .zip(numbers)
                .filter(|&(_, &number)| present.has(number))
                .map(|(word, _)| word.clone())
                .collect()
        };
        let mut matched = found(&self.any, &numbers.any);
        if matched.is_empty() && !self.any.is_empty() {
            return None;
        }
        for (group, numbers) in self.all.iter().zip(&numbers.all) {
            let of_group = found(group, numbers);
            if of_group.is_empty() {
                return None;
            }
            matched.extend(of_group);
        }
        Some(matched)
    }
}

fn is_under(category: &str, node: &str) -> bool {
    category
        .strip_prefix(node)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
