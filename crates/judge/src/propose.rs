//! Rules and learned model together, as the form, the import and the hub use
//! them: a rule that names a category decides and says so; where none does,
//! the model's first is proposed when the model is sure of it.

use serde::{Deserialize, Serialize};

use crate::learn::Model;
use crate::rules::RuleSet;
use crate::suggest::{Case, Suggestion, suggest};

/// The columns of a model for complaints, the short text first.
pub const COLUMNS: [&str; 2] = ["remedy_sought", "description"];

/// Categories that are shown of what the model says.
const SHOWN: usize = 3;

/// A model with the number under which the hub keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Versioned<'m> {
    pub version: u32,
    pub model: &'m Model,
}

/// What the learned model says of a text.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Learned {
    /// The likeliest leaves of the category tree, at most three.
    pub top: Vec<Likely>,
    /// Nothing should be built on it.
    pub unsure: bool,
    /// The pieces of the text, as written, that spoke for the first most.
    pub words: Vec<String>,
    /// Version of the model.
    pub version: u32,
}

/// A category with how likely it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Likely {
    pub category: String,
    /// From 0 to 1; those not shown have the rest.
    pub p: f32,
}

impl Learned {
    /// The likeliest category, however likely.
    pub fn first(&self) -> Option<&str> {
        self.top.first().map(|one| one.category.as_str())
    }

    fn of(known: Versioned<'_>, rules: &RuleSet, case: &Case<'_>) -> Option<Self> {
        if known.model.fields() != COLUMNS {
            return None;
        }
        let texts = [case.remedy_sought, case.description];
        let said = known
            .model
            .classify_among(&texts, |label| rules.tree.is_leaf(label));
        let first = said.ranked.first().map(|(label, _)| *label)?;
        let top = said.ranked.iter().take(SHOWN);
        Some(Self {
            words: words(known.model, &texts, first),
            unsure: said.unsure,
            top: top
                .map(|&(label, p)| Likely {
                    category: label.to_owned(),
                    p,
                })
                .collect(),
            version: known.version,
        })
    }
}

/// The strongest pieces, each once, without what is around words.
fn words(model: &Model, texts: &[&str], label: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in model.deciding(texts, label) {
        let text = texts.get(piece.field).copied().unwrap_or_default();
        let word = text.get(piece.start..piece.end).unwrap_or_default();
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() && words.iter().all(|known| known != word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// The proposal for `case`. The category is what the text alone says, by a rule
/// or by the model; everything else is judged for the category chosen, when
/// one is, else for the proposed one.
pub fn propose(rules: &RuleSet, model: Option<Versioned<'_>>, case: &Case<'_>) -> Suggestion {
    let learned = model.and_then(|known| Learned::of(known, rules, case));
    let free = suggest(
        rules,
        &Case {
            category: None,
            ..*case
        },
    );
    let sure = learned.as_ref().filter(|learned| !learned.unsure);
    let proposed = match &free.category {
        Some(by_rule) => Some(by_rule.clone()),
        None => sure.and_then(Learned::first).map(str::to_owned),
    };
    let judged_for = case.category.or(proposed.as_deref());
    let judged = match judged_for == free.category.as_deref() {
        true => free.clone(),
        false => suggest(
            rules,
            &Case {
                category: judged_for,
                ..*case
            },
        ),
    };
    Suggestion {
        category: proposed,
        category_reason: free.category_reason,
        learned,
        ..judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Example, train};

    const RULES: &str = r#"{
        "version": 7, "title": "t", "default_complexity": "simple",
        "fallback_category": "a.x",
        "tree": { "version": 1, "nodes": [
            { "code": "a", "parent": null, "zh": "甲", "en": "A" },
            { "code": "a.x", "parent": "a", "zh": "甲一", "en": "AX" },
            { "code": "a.y", "parent": "a", "zh": "甲二", "en": "AY" } ] },
        "rules": [
            { "id": "ruled", "zh": "规", "en": "r", "any": ["宽带"], "category": "a.x" },
            { "id": "fees", "zh": "费", "en": "f", "under": "a.y", "complexity": "complex",
              "route": "billing", "required": ["amount_minor"] } ]
    }"#;

    fn model(labels: [&str; 2]) -> Model {
        let texts = [
            ("话费被多扣了二十元没有说明", 1),
            ("每个月话费都多扣我没有开通", 1),
            ("账单上的话费多扣要求退费", 1),
            ("查询账单发现话费被重复多扣", 1),
            ("无故扣费话费账单不对要退", 1),
            ("家里上网速度很慢经常掉线", 0),
            ("网速很慢看视频一直卡掉线", 0),
            ("晚上网络掉线打不开网页很慢", 0),
            ("上网断断续续网速慢报修无人", 0),
            ("网络信号差网速慢掉线严重", 0),
        ];
        let rows: Vec<[&str; 2]> = texts.iter().map(|(text, _)| ["处理", *text]).collect();
        let examples: Vec<Example<'_>> = rows
            .iter()
            .zip(&texts)
            .map(|(fields, (_, n))| Example {
                fields,
                label: labels[*n],
            })
            .collect();
        train(&COLUMNS, &examples).unwrap()
    }

    fn said(model: &Model, description: &str, category: Option<&str>) -> Suggestion {
        let rules = RuleSet::parse(RULES).unwrap();
        let case = Case {
            description,
            remedy_sought: "处理",
            category,
            ..Case::default()
        };
        propose(&rules, Some(Versioned { version: 3, model }), &case)
    }

    #[test]
    fn a_rule_that_decided_wins_over_the_model_and_says_so() {
        let model = model(["a.x", "a.y"]);
        let said = said(&model, "宽带话费账单被多扣了要退费没有说明", None);
        assert_eq!(said.category.as_deref(), Some("a.x"));
        assert_eq!(said.category_reason.as_ref().unwrap().rule, "ruled");
        assert_eq!(said.learned.as_ref().unwrap().first(), Some("a.y"));
        assert_eq!(said.trace().model, None);
    }

    #[test]
    fn a_sure_model_proposes_where_no_rule_does_and_rules_look_at_its_category() {
        let model = model(["a.x", "a.y"]);
        let said = said(&model, "账单上的话费被多扣了，要求退费", None);
        assert_eq!(said.category.as_deref(), Some("a.y"));
        assert_eq!(said.category_reason, None);
        let learned = said.learned.clone().unwrap();
        assert!(!learned.unsure && learned.top.len() == 2);
        let text = "账单上的话费被多扣了，要求退费";
        assert!(!learned.words.is_empty());
        assert!(
            learned
                .words
                .iter()
                .all(|word| text.contains(word.as_str()))
        );
        assert_eq!(said.trace().model, Some(3));
        assert_eq!(said.complexity, suda_domain::Complexity::Complex);
        assert_eq!(said.route.as_ref().unwrap().value, "billing");
        assert_eq!(said.required[0].value, "amount_minor");
        assert_eq!(said.required[0].reason.rule, "fees");
    }

    #[test]
    fn an_unsure_model_proposes_nothing_and_says_that_it_is_unsure() {
        let model = model(["a.x", "a.y"]);
        let said = said(&model, "qwertz", None);
        assert_eq!(said.category, None);
        assert!(said.learned.unwrap().unsure);
    }

    #[test]
    fn what_the_model_knows_of_a_vanished_category_becomes_no_other_one() {
        let model = model(["a.x", "gone"]);
        let said = said(&model, "账单上的话费被多扣了，要求退费", None);
        assert_eq!(said.category, None);
        let learned = said.learned.unwrap();
        assert!(learned.unsure);
        assert!(learned.top.iter().all(|one| one.category != "gone"));
    }

    #[test]
    fn the_category_a_person_chose_is_judged_and_the_texts_own_is_told() {
        let model = model(["a.x", "a.y"]);
        let said = said(&model, "账单上的话费被多扣了，要求退费", Some("a.x"));
        assert_eq!(said.category.as_deref(), Some("a.y"));
        assert_eq!(said.route, None);
    }

    #[test]
    fn a_model_of_other_columns_is_not_asked() {
        let fields = ["title"];
        let rows = [["多扣话费"], ["网速慢"]];
        let examples: Vec<Example<'_>> = rows
            .iter()
            .zip(["a.x", "a.y"])
            .map(|(fields, label)| Example { fields, label })
            .collect();
        let model = train(&fields, &examples).unwrap();
        assert_eq!(said(&model, "多扣话费", None).learned, None);
    }
}
