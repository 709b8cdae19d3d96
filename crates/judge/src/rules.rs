//! The rule file: the category tree and the rules over it, one format for
//! category, grade, complexity, route, guidance and required fields.

use regex::Regex;
use serde::{Deserialize, Serialize};
use suda_domain::category::CategoryTree;
use suda_domain::intake::Channel;
use suda_domain::{Complexity, Grade};

use crate::fold::plain;
use crate::read::Words;

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
    /// Words that take back what stands right after them in the same clause,
    /// for rules that are `affirmed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negations: Vec<String>,
    pub rules: Vec<Rule>,
    /// Every word of every rule, made ready to be found in one pass.
    #[serde(skip)]
    pub(crate) words: Words,
    /// For each rule the numbers of its words, so that matching compares none.
    #[serde(skip)]
    pub(crate) ready: Vec<Ready>,
    #[serde(skip)]
    pub(crate) negating: Vec<usize>,
}

/// A rule made ready: the numbers of its words, in the order of the words, and
/// its patterns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ready {
    pub any: Vec<usize>,
    pub all: Vec<Vec<usize>>,
    pub near: Vec<Vec<usize>>,
    pub none: Vec<usize>,
    pub units: Vec<Vec<usize>>,
    pub patterns: Vec<Regex>,
}

/// One rule: all its conditions must hold; then its outcomes are proposed.
///
/// Words are found in any writing: Traditional as Simplified, full-width as
/// plain, in lower case.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    /// The reason as people read it.
    pub zh: String,
    /// The same in Traditional Chinese, where it was written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zh_tw: String,
    pub en: String,
    /// Higher decides.
    #[serde(default)]
    pub priority: i32,

    /// At least one of these stands in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// Of each group at least one stands in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<Vec<String>>,
    /// In one sentence stands a word of each group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Vec<String>>,
    /// None of these stands in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
    /// One of these regular expressions is found in the folded text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// A number of at least so much stands before one of these units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<Count>,
    /// The words of `any`, `all` and `near` count only where none of the
    /// file's negations stands right before them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub affirmed: bool,
    /// The category is this node or below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
    /// The amount in dispute is at least this, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_at_least: Option<i64>,
    /// The amount in dispute is given and below this, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_below: Option<i64>,
    /// At least so many representatives of a group are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_at_least: Option<usize>,
    /// The customer has complained at least so often before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_at_least: Option<u32>,
    /// It came in one of these ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// The branch's code begins with one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<String>,

    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Complexity>,
    /// The team or department it should go to, by its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The category whose guidance is to be shown, where it is not the
    /// complaint's own: a known matter, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<String>,
    /// Fields of the form that have to be filled in, of [`REQUIRABLE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
}

/// A number with its unit, such as 320 户.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub least: f64,
    pub units: Vec<String>,
}

/// Fields of the form a rule may require; the form itself requires
/// description, remedy, category and a way to reach the customer.
pub const REQUIRABLE: [&str; 8] = [
    "account",
    "amount_minor",
    "business",
    "cause",
    "group",
    "id_number",
    "occurred_at",
    "place",
];

/// What is wrong with a rule file.
#[derive(Debug, thiserror::Error)]
pub enum RuleSetError {
    #[error("the rule file is not valid JSON of a rule set")]
    Json(#[from] serde_json::Error),
    #[error("rule {rule}: {category} is not a leaf of the category tree")]
    Category { rule: String, category: String },
    #[error("rule {rule}: {node} is no node of the category tree")]
    Node { rule: String, node: String },
    #[error("rule {0} stands twice")]
    Twice(String),
    #[error("rule {0} has no condition, or no outcome")]
    Empty(String),
    #[error("rule {0} has an empty word, group, unit or pattern")]
    Blank(String),
    #[error("rule {rule}: {field} is no field a rule can require")]
    Field { rule: String, field: String },
    #[error("rule {rule}: {pattern} is no usable pattern")]
    Pattern {
        rule: String,
        pattern: String,
        #[source]
        source: Box<regex::Error>,
    },
    #[error("the words of the rules cannot be made ready")]
    Words(#[from] aho_corasick::BuildError),
}

impl RuleSet {
    /// Reads and checks a rule file.
    pub fn parse(json: &str) -> Result<Self, RuleSetError> {
        serde_json::from_str::<Self>(json)?.made_ready()
    }

    /// Like [`parse`](Self::parse), of JSON already read.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, RuleSetError> {
        Self::deserialize(value)?.made_ready()
    }

    fn made_ready(mut self) -> Result<Self, RuleSetError> {
        self.check()?;
        let words = self.rules.iter().flat_map(Rule::words);
        self.words = Words::build(words.chain(self.negations.iter()).map(|word| plain(word)))?;
        let numbers = |words: &Vec<String>| -> Vec<usize> {
            let of = words.iter().map(|word| self.words.number(&plain(word)));
            of.collect()
        };
        let ready = self.rules.iter().map(|rule| {
            Ok(Ready {
                any: numbers(&rule.any),
                all: rule.all.iter().map(numbers).collect(),
                near: rule.near.iter().map(numbers).collect(),
                none: numbers(&rule.none),
                units: rule.counts.iter().map(|c| numbers(&c.units)).collect(),
                patterns: rule.compiled()?,
            })
        });
        let ready = ready.collect::<Result<_, RuleSetError>>()?;
        let negating = numbers(&self.negations);
        (self.ready, self.negating) = (ready, negating);
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
        let mut seen = std::collections::HashSet::new();
        for rule in &self.rules {
            if !seen.insert(rule.id.as_str()) {
                return Err(RuleSetError::Twice(rule.id.clone()));
            }
            if !rule.has_condition() || !rule.has_outcome() {
                return Err(RuleSetError::Empty(rule.id.clone()));
            }
            if rule.has_blank() {
                return Err(RuleSetError::Blank(rule.id.clone()));
            }
            let nodes = [&rule.under, &rule.guidance];
            if let Some(node) = nodes
                .into_iter()
                .flatten()
                .find(|node| self.tree.get(node).is_none())
            {
                return Err(RuleSetError::Node {
                    rule: rule.id.clone(),
                    node: node.clone(),
                });
            }
            if let Some(field) = rule
                .required
                .iter()
                .find(|field| !REQUIRABLE.contains(&field.as_str()))
            {
                return Err(RuleSetError::Field {
                    rule: rule.id.clone(),
                    field: field.clone(),
                });
            }
        }
        Ok(())
    }
}

impl Rule {
    fn has_condition(&self) -> bool {
        !self.any.is_empty()
            || !self.all.is_empty()
            || !self.near.is_empty()
            || !self.patterns.is_empty()
            || !self.counts.is_empty()
            || !self.channels.is_empty()
            || !self.branches.is_empty()
            || self.under.is_some()
            || self.amount_at_least.is_some()
            || self.amount_below.is_some()
            || self.group_at_least.is_some()
            || self.earlier_at_least.is_some()
    }

    fn has_outcome(&self) -> bool {
        self.category.is_some()
            || self.grade.is_some()
            || self.complexity.is_some()
            || self.route.is_some()
            || self.guidance.is_some()
            || !self.required.is_empty()
    }

    /// A word that folds to nothing would never be found, an empty group never
    /// hold: both are slips.
    fn has_blank(&self) -> bool {
        let is_blank = |word: &String| plain(word).trim().is_empty();
        let mut groups = self.all.iter().chain(&self.near);
        groups.any(Vec::is_empty)
            || self.counts.iter().any(|count| count.units.is_empty())
            || self.words().any(is_blank)
            || self.patterns.iter().any(is_blank)
    }

    fn words(&self) -> impl Iterator<Item = &String> {
        let grouped = self.all.iter().chain(&self.near).flatten();
        let units = self.counts.iter().flat_map(|count| &count.units);
        self.any
            .iter()
            .chain(grouped)
            .chain(units)
            .chain(&self.none)
    }

    fn compiled(&self) -> Result<Vec<Regex>, RuleSetError> {
        /// What one pattern may take, in bytes: a rule file comes from people.
        const SIZE: usize = 1 << 20;
        let compile = |pattern: &String| {
            let built = regex::RegexBuilder::new(pattern)
                .case_insensitive(true)
                .size_limit(SIZE)
                .build();
            built.map_err(|source| RuleSetError::Pattern {
                rule: self.id.clone(),
                pattern: pattern.clone(),
                source: Box::new(source),
            })
        };
        self.patterns.iter().map(compile).collect()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(value: &bool) -> bool {
    !value
}
