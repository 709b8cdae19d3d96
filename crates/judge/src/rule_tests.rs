//! What a rule's conditions and outcomes mean, whatever the rules are about.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use suda_domain::intake::Channel;
use suda_domain::{Complexity, Grade};

use crate::dry_run::{Outcome, dry_run};
use crate::{BANK, Case, GRADES, RuleSet, RuleSetError, TELECOM, TELECOM_1, judge};

/// A set with a small tree and these rules.
fn set(rules: Value) -> Result<RuleSet, RuleSetError> {
    RuleSet::from_value(&json!({
        "version": 7, "title": "test", "default_complexity": "complex", "fallback_category": "B",
        "negations": ["没有", "无人", "未造成", "no", "not", "no one"],
        "tree": {"version": 1, "nodes": [
            {"code": "A", "zh": "甲", "en": "A"}, {"code": "A.01", "zh": "甲一", "en": "A one"},
            {"code": "B", "zh": "乙", "en": "B"},
        ]},
        "rules": rules,
    }))
}

fn text(description: &str) -> Case<'_> {
    Case {
        description,
        ..Case::default()
    }
}

/// A rule of grade 1 with one condition more than its words.
fn grade_one(condition: Value) -> RuleSet {
    let mut rule = json!({"id": "r", "zh": "理由", "en": "reason", "grade": "one"});
    rule.as_object_mut()
        .unwrap()
        .extend(condition.as_object().unwrap().clone());
    set(json!([rule])).unwrap()
}

fn is_one(rules: &RuleSet, case: Case<'_>) -> bool {
    judge(rules, &case).grade() == Grade::One
}

#[test]
fn every_shipped_set_is_valid_and_survives_being_written_and_read() {
    for shipped in [TELECOM, BANK, GRADES] {
        let rules = RuleSet::parse(shipped).unwrap();
        let written = serde_json::to_string(&rules).unwrap();
        let read = RuleSet::parse(&written).unwrap();
        assert_eq!(read.rules, rules.rules, "{}", rules.title);
        assert!(rules.version > 0 && !rules.title.is_empty());
    }
}

/// A desk of the first format refuses the whole directory for one word more.
#[test]
fn what_older_desks_get_is_in_the_first_format_and_has_the_same_tree() {
    let file: Value = serde_json::from_str(TELECOM_1).unwrap();
    let conditions = [
        "any",
        "all",
        "none",
        "under",
        "amount_at_least",
        "group_at_least",
    ];
    let outcomes = ["category", "grade", "complexity"];
    let known = ["id", "zh", "en", "priority"];
    for rule in file["rules"].as_array().unwrap() {
        let names: Vec<&str> = rule.as_object().unwrap().keys().map(|k| &**k).collect();
        let has = |of: &[&str]| names.iter().any(|name| of.contains(name));
        assert!(has(&conditions) && has(&outcomes), "{rule}");
        let all = [&known[..], &conditions[..], &outcomes[..]].concat();
        assert!(names.iter().all(|name| all.contains(name)), "{rule}");
    }
    let (first, now) = (
        RuleSet::parse(TELECOM_1).unwrap(),
        RuleSet::parse(TELECOM).unwrap(),
    );
    let tree = |rules: &RuleSet| serde_json::to_value(&rules.tree).unwrap()["nodes"].clone();
    assert_eq!(tree(&first), tree(&now));
}

#[test]
fn the_branches_sets_share_the_general_rules_of_grade_one() {
    let general = RuleSet::parse(GRADES).unwrap();
    for shipped in [TELECOM, BANK] {
        let rules = RuleSet::parse(shipped).unwrap();
        for rule in general
            .rules
            .iter()
            .filter(|rule| rule.grade == Some(Grade::One))
        {
            assert!(rules.rules.contains(rule), "{}: {}", rules.title, rule.id);
        }
    }
}

#[test]
fn danger_groups_media_and_law_are_grade_one_in_every_set() {
    let table = [
        ("装机师傅从梯子上摔下来骨折了", "death-injury"),
        ("營業廳保安毆打我父親", "violence"),
        ("你们的宽带箱挡住了消防通道", "fire-safety"),
        ("大楼电梯这周第三次困人", "lift"),
        ("这个基站让３２０户业主睡不着", "households"),
        ("我们1.2万人要求退款", "many-people-count"),
        ("再不解决我就找媒体", "media"),
        ("准备好律师函了", "legal"),
        ("小区停水，已经持续三年", "no-water"),
    ];
    for shipped in [TELECOM, BANK, GRADES] {
        let rules = RuleSet::parse(shipped).unwrap();
        for (words, rule) in table {
            let verdict = judge(&rules, &text(words));
            let grade = verdict.grade.unwrap();
            let said = std::iter::once(&grade.by).chain(&grade.also);
            let ids: Vec<&str> = said.map(|held| held.rule.id.as_str()).collect();
            assert!(
                grade.value == Grade::One && ids.contains(&rule),
                "{}: {words}: {ids:?}",
                rules.title
            );
        }
    }
}

#[test]
fn everyday_matters_are_not_grade_one() {
    for shipped in [TELECOM, BANK, GRADES] {
        let rules = RuleSet::parse(shipped).unwrap();
        for words in [
            "",
            "请问怎么办理停机",
            "话费多收了八十元，一直不退",
            "电梯广告太吵",
            "小区有32户业主停车难",
            "请回电13900001111户主姓张",
            "我住电梯房。我的手机坏了。",
            "摔了一跤，还好没有骨折",
            "機器冒煙，無人受傷",
        ] {
            assert!(!is_one(&rules, text(words)), "{}: {words}", rules.title);
        }
    }
}

#[test]
fn the_banks_set_judges_everyday_complaints() {
    let rules = RuleSet::parse(BANK).unwrap();
    let table = [
        (
            "信用卡被盗刷了三千元",
            "B.01.01",
            Grade::Two,
            Complexity::Complex,
            Some("cards"),
        ),
        (
            "存單變保險，櫃員說是存款",
            "E.02.01",
            Grade::Three,
            Complexity::Complex,
            Some("wealth"),
        ),
        (
            "柜员态度恶劣，不耐烦",
            "G.01.01",
            Grade::Three,
            Complexity::Simple,
            None,
        ),
        (
            "ATM吞了我两百元没吐出来",
            "B.03.01",
            Grade::Three,
            Complexity::Complex,
            Some("operations"),
        ),
        (
            "催收爆通讯录骚扰家人",
            "C.03.01",
            Grade::Three,
            Complexity::Complex,
            Some("cards"),
        ),
    ];
    for (words, category, grade, complexity, route) in table {
        let found = judge(&rules, &text(words));
        let said = crate::suggest(&rules, &text(words));
        assert_eq!(
            (
                said.category.as_deref(),
                said.grade,
                said.complexity,
                found.route.map(|r| r.value)
            ),
            (Some(category), grade, complexity, route),
            "{words}"
        );
    }
}

#[test]
fn words_in_one_sentence_and_in_any_writing() {
    let rules = grade_one(json!({"near": [["电梯"], ["困人"]]}));
    assert!(is_one(&rules, text("電梯又困人了")));
    assert!(!is_one(&rules, text("坐电梯来的。柜台困人。")));
    // The remedy is another field, hence another sentence.
    let apart = Case {
        remedy_sought: "不要困人",
        ..text("电梯")
    };
    assert!(!is_one(&rules, apart));
}

#[test]
fn an_affirmed_word_does_not_count_right_after_a_negation() {
    let rules = grade_one(json!({"any": ["受伤", "injured"], "affirmed": true}));
    for held in [
        "有人受伤",
        "没有人管，老人受伤",
        "没有受伤的说法不实，有人受伤",
        "I know he was injured",
    ] {
        assert!(is_one(&rules, text(held)), "{held}");
    }
    for taken_back in ["没有人受伤", "無人受傷", "no one was injured"] {
        assert!(!is_one(&rules, text(taken_back)), "{taken_back}");
    }
    let bare = grade_one(json!({"any": ["受伤"]}));
    assert!(is_one(&bare, text("没有人受伤")));
}

#[test]
fn a_pattern_is_looked_for_in_the_folded_text() {
    let rules = grade_one(json!({"patterns": ["断网.{0,3}[3-9]天"]}));
    assert!(is_one(&rules, text("斷網已經５天")));
    assert!(!is_one(&rules, text("断网2天")));
}

#[test]
fn conditions_beside_the_text_all_have_to_hold() {
    let rules = grade_one(json!({
        "any": ["退款"], "amount_at_least": 100, "amount_below": 200, "earlier_at_least": 2,
        "channels": ["hotline"], "branches": ["CQ01"],
    }));
    let holds = Case {
        amount_minor: Some(150),
        earlier: 2,
        channel: Some(Channel::Hotline),
        branch: "CQ0123",
        ..text("退款")
    };
    assert!(is_one(&rules, holds));
    for other in [
        Case {
            amount_minor: None,
            ..holds
        },
        Case {
            amount_minor: Some(99),
            ..holds
        },
        Case {
            amount_minor: Some(200),
            ..holds
        },
        Case {
            earlier: 1,
            ..holds
        },
        Case {
            channel: None,
            ..holds
        },
        Case {
            channel: Some(Channel::Email),
            ..holds
        },
        Case {
            branch: "BJ0123",
            ..holds
        },
        Case {
            description: "退货",
            ..holds
        },
    ] {
        assert!(!is_one(&rules, other), "{other:?}");
    }
}

#[test]
fn the_highest_priority_decides_each_outcome_by_itself_and_names_its_words() {
    let rules = set(json!([
        {"id": "low", "zh": "", "en": "", "priority": 1, "any": ["宽带"], "grade": "two", "route": "n", "required": ["place"]},
        {"id": "high", "zh": "", "en": "", "priority": 2, "any": ["断"], "grade": "three", "guidance": "A", "required": ["place", "account"]},
        {"id": "equal", "zh": "", "en": "", "priority": 2, "any": ["网"], "grade": "three"},
    ]))
    .unwrap();
    let verdict = judge(&rules, &text("家里寬帶斷網"));
    let grade = verdict.grade.unwrap();
    assert_eq!(
        (grade.value, grade.by.rule.id.as_str()),
        (Grade::Three, "high")
    );
    assert_eq!(grade.also[0].rule.id, "equal");
    let route = verdict.route.unwrap();
    let place = route.by.found[0].place;
    assert_eq!(
        (route.value, &"家里寬帶斷網"[place.start..place.end]),
        ("n", "寬帶")
    );
    assert_eq!(verdict.guidance.unwrap().value, "A");
    let required: Vec<_> = verdict
        .required
        .iter()
        .map(|(field, held)| (*field, held.rule.id.as_str()))
        .collect();
    assert_eq!(required, [("place", "low"), ("account", "high")]);
}

#[test]
fn a_rule_that_cannot_be_meant_is_refused_by_its_name() {
    let with = |more: Value| {
        let mut rule = json!({"id": "slip", "zh": "", "en": "", "any": ["网"], "grade": "two"});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        set(json!([rule])).unwrap_err()
    };
    assert!(
        matches!(with(json!({"required": ["shoe"]})), RuleSetError::Field { field, .. } if field == "shoe")
    );
    assert!(
        matches!(with(json!({"patterns": ["("]})), RuleSetError::Pattern { rule, .. } if rule == "slip")
    );
    assert!(matches!(with(json!({"under": "Z"})), RuleSetError::Node { node, .. } if node == "Z"));
    assert!(matches!(with(json!({"any": [" "]})), RuleSetError::Blank(rule) if rule == "slip"));
    assert!(matches!(with(json!({"all": [[]]})), RuleSetError::Blank(_)));
    assert!(matches!(
        with(json!({"catagory": "A.01"})),
        RuleSetError::Json(_)
    ));
    let bare = json!([{"id": "bare", "zh": "", "en": "", "none": ["网"], "grade": "two"}]);
    assert!(matches!(set(bare), Err(RuleSetError::Empty(rule)) if rule == "bare"));
}

#[test]
fn a_dry_run_names_what_would_change_and_nothing_else() {
    let rule = |id: &str, word: &str| json!([{"id": id, "zh": "", "en": "", "any": [word], "grade": "two"}]);
    let (old, new) = (
        set(rule("a", "断")).unwrap(),
        set(rule("b", "断网")).unwrap(),
    );
    let run = dry_run(&old, &new, ["断网", "断电", "好"].map(text));
    assert_eq!((run.judged, run.changed, run.changes.len()), (3, 1, 1));
    let change = &run.changes[0];
    assert_eq!((change.number, change.outcome), (1, Outcome::Grade));
    assert_eq!(
        (
            change.before.value.as_deref(),
            change.before.rule.as_deref()
        ),
        (Some("2"), Some("a"))
    );
    assert_eq!(
        (change.after.value.as_deref(), change.after.rule.as_deref()),
        (Some("3"), None)
    );
    assert!(dry_run(&old, &old, ["断网"].map(text)).changes.is_empty());
}

#[test]
fn a_megabyte_of_stuffed_words_is_judged_by_its_beginning() {
    let rules = RuleSet::parse(TELECOM).unwrap();
    for piece in [
        "没有受伤",
        "电梯困人骨折",
        "no injured ",
        "100户",
        "，。！\u{1f525}",
    ] {
        let long = piece.repeat(1_000_000 / piece.len());
        let beginning: String = long.chars().take(20_000).collect();
        let (all, first) = (
            judge(&rules, &text(&long)),
            judge(&rules, &text(&beginning)),
        );
        assert_eq!(all, first, "{piece}");
    }
}

static SHIPPED: LazyLock<[RuleSet; 2]> =
    LazyLock::new(|| [TELECOM, BANK].map(|shipped| RuleSet::parse(shipped).unwrap()));

proptest! {
    #[test]
    fn any_text_is_judged_the_same_twice_and_its_places_stand_in_it(
        description in "([没有无人受伤电梯断网 。，１２３户a-zA-Zé宽寬😀]|\\PC){0,120}",
        remedy in "\\PC{0,40}",
        amount in proptest::option::of(any::<i64>()),
    ) {
        for rules in SHIPPED.iter() {
            let case = Case { remedy_sought: &remedy, amount_minor: amount, ..text(&description) };
            let verdict = judge(rules, &case);
            prop_assert_eq!(&verdict, &judge(rules, &case));
            for held in verdict.grade.iter().flat_map(|g| std::iter::once(&g.by).chain(&g.also)) {
                for found in &held.found {
                    let field = [&description, &remedy][found.place.field];
                    let said = field.get(found.place.start..found.place.end);
                    prop_assert!(said.is_some_and(|said| !said.is_empty()));
                }
            }
        }
    }
}
