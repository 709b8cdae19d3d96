use proptest::prelude::*;
use suda_domain::{Complexity, Grade};

use crate::{Case, RuleSet, RuleSetError, Suggestion, TELECOM, suggest};

fn judge(description: &str) -> Suggestion {
    let rules = RuleSet::parse(TELECOM).unwrap();
    suggest(&rules, &case(description))
}

fn case(description: &str) -> Case<'_> {
    Case {
        description,
        ..Case::default()
    }
}

#[test]
fn the_starter_set_is_valid() {
    assert!(RuleSet::parse(TELECOM).is_ok());
}

#[test]
fn everyday_complaints_get_category_grade_and_way() {
    let table = [
        (
            "家里宽带断网两天了，打电话没人管",
            "B.01.01",
            Grade::Three,
            Complexity::Complex,
        ),
        (
            "营业员态度很差，不耐烦",
            "D.01.01",
            Grade::Three,
            Complexity::Simple,
        ),
        (
            "上个月话费突然多了80块",
            "A.01.02",
            Grade::Three,
            Complexity::Simple,
        ),
        (
            "未经我同意擅自开通了彩铃",
            "C.01.01",
            Grade::Two,
            Complexity::Complex,
        ),
        (
            "装机师傅掉下的工具把我砸伤，去医院住院了",
            "F.03.01",
            Grade::One,
            Complexity::Complex,
        ),
        (
            "整个小区都断网了，联名要求处理",
            "B.03.01",
            Grade::One,
            Complexity::Complex,
        ),
        (
            "My ＷＩＦＩ internet is slow",
            "B.01.02",
            Grade::Three,
            Complexity::Complex,
        ),
    ];
    for (text, category, grade, complexity) in table {
        let found = judge(text);
        assert_eq!(
            (found.category.as_deref(), found.grade, found.complexity),
            (Some(category), grade, complexity),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn every_decided_outcome_names_its_rule_and_words() {
    let found = judge("未经我同意擅自开通了彩铃");
    let reason = found.category_reason.unwrap();
    assert_eq!(reason.rule, "cat-no-consent");
    assert!(reason.matched.iter().any(|word| word == "擅自开通"));
    assert!(found.grade_reason.is_some() && found.complexity_reason.is_some());
}

#[test]
fn a_chosen_category_is_used_and_not_suggested_over() {
    let rules = RuleSet::parse(TELECOM).unwrap();
    let found = suggest(
        &rules,
        &Case {
            category: Some("D.02.01"),
            ..case("宽带断网")
        },
    );
    assert_eq!(found.category.as_deref(), Some("D.02.01"));
    assert_eq!(found.category_reason, None);
    assert_eq!(found.complexity, Complexity::Simple);
}

#[test]
fn a_large_amount_or_a_group_is_grade_one() {
    let rules = RuleSet::parse(TELECOM).unwrap();
    let large = suggest(
        &rules,
        &Case {
            amount_minor: Some(1_000_000),
            ..case("退款")
        },
    );
    assert_eq!(large.grade, Grade::One);
    let group = suggest(
        &rules,
        &Case {
            group_size: 3,
            ..case("退款")
        },
    );
    assert_eq!(
        (group.grade, group.complexity),
        (Grade::One, Complexity::Complex)
    );
}

#[test]
fn without_a_matching_rule_it_is_complex_and_says_no_reason() {
    let found = judge("。");
    assert_eq!(
        (found.category, found.complexity),
        (None, Complexity::Complex)
    );
    assert!(found.complexity_reason.is_none());
}

#[test]
fn a_wrong_rule_file_is_refused_with_the_rule_named() {
    let wrong = TELECOM.replace("\"category\": \"B.01.01\"", "\"category\": \"B.01\"");
    assert!(
        matches!(RuleSet::parse(&wrong), Err(RuleSetError::Category { rule, .. }) if rule == "cat-broadband-outage")
    );
    assert!(matches!(RuleSet::parse("{}"), Err(RuleSetError::Json(_))));
    let twice = TELECOM.replace("\"id\": \"cat-roaming\"", "\"id\": \"cat-porting\"");
    assert!(matches!(
        RuleSet::parse(&twice),
        Err(RuleSetError::Twice(_))
    ));
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic(text in ".{0,400}") {
        let found = judge(&text);
        prop_assert!(found.grade != Grade::One || found.complexity == Complexity::Complex);
    }
}
