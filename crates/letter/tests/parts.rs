//! A letter with a part missing is refused, and the part is named.

mod support;

use suda_domain::fact::Decision;
use suda_domain::intake::Language;
use suda_letter::{Currency, Fault, Kind, Letter, Money, Part, Problem, RenderError, render};
use support::{fonts, ordinary, summary};

fn lacking(change: impl FnOnce(&mut Letter)) -> Vec<Problem> {
    let mut letter = ordinary(Language::ZhCn);
    change(&mut letter);
    let found = letter.check();
    match render(&letter, Kind::Letter, &fonts(letter.language)) {
        Ok(_) => assert!(found.is_empty(), "rendered although {found:?}"),
        Err(RenderError::Incomplete(named)) => assert_eq!(named, found),
        Err(other) => panic!("{other}"),
    }
    found
}

#[test]
fn each_missing_part_is_named_and_nothing_is_rendered() {
    let missing = |part| {
        vec![Problem {
            part,
            fault: Fault::Missing,
        }]
    };
    assert_eq!(lacking(|_| {}), []);
    assert_eq!(
        lacking(|l| l.organisation = " ".into()),
        missing(Part::Organisation)
    );
    assert_eq!(lacking(|l| l.branch.clear()), missing(Part::Branch));
    assert_eq!(lacking(|l| l.reference.clear()), missing(Part::Reference));
    assert_eq!(lacking(|l| l.cycle = 0), missing(Part::Cycle));
    assert_eq!(lacking(|l| l.document.clear()), missing(Part::Document));
    assert_eq!(
        lacking(|l| l.customer = Some("\u{200b}".into())),
        missing(Part::Customer)
    );
    assert_eq!(
        lacking(|l| l.reasons = "\n\u{3000}".into()),
        missing(Part::Reasons)
    );
    assert_eq!(lacking(|l| l.text.clear()), missing(Part::Text));
    assert_eq!(lacking(|l| l.remedy.clear()), missing(Part::Remedy));
    assert_eq!(
        lacking(|l| l.measures.push(String::new())),
        missing(Part::Measures)
    );
    assert_eq!(lacking(|l| l.next_level.clear()), missing(Part::NextLevel));
    assert_eq!(
        lacking(|l| l.next_level_until = None),
        missing(Part::NextLevelUntil)
    );
    assert_eq!(lacking(|l| l.contact.clear()), missing(Part::Contact));
    assert_eq!(lacking(|l| l.link.clear()), missing(Part::Link));
}

#[test]
fn several_missing_parts_are_all_named_at_once() {
    let found = lacking(|l| {
        l.reasons.clear();
        l.next_level.clear();
        l.next_level_until = None;
    });
    let parts: Vec<Part> = found.into_iter().map(|problem| problem.part).collect();
    assert_eq!(
        parts,
        [Part::Reasons, Part::NextLevel, Part::NextLevelUntil]
    );
}

#[test]
fn what_cannot_be_true_is_refused_too() {
    let invalid = |part| {
        vec![Problem {
            part,
            fault: Fault::Invalid,
        }]
    };
    let dated = ordinary(Language::ZhCn).dated;
    assert_eq!(
        lacking(|l| l.next_level_until = dated.pred_opt()),
        invalid(Part::NextLevelUntil)
    );
    assert_eq!(lacking(|l| l.next_level_until = Some(dated)), []);
    for minor in [0, -1] {
        assert_eq!(
            lacking(|l| l.amount = Some(Money {
                minor,
                currency: Currency::Cny
            })),
            invalid(Part::Amount)
        );
    }
    assert_eq!(
        lacking(|l| l.link = "javascript:alert(1)".into()),
        invalid(Part::Link)
    );
}

#[test]
fn what_has_no_room_is_refused_by_name() {
    let long = |part| {
        vec![Problem {
            part,
            fault: Fault::TooLong,
        }]
    };
    assert_eq!(
        lacking(|l| l.organisation = "名".repeat(121)),
        long(Part::Organisation)
    );
    assert_eq!(lacking(|l| l.text = "文".repeat(20_001)), long(Part::Text));
    assert_eq!(
        lacking(|l| l.link = format!("https://{}", "a".repeat(300))),
        long(Part::Link)
    );
}

#[test]
fn only_a_complaint_upheld_whole_needs_no_reasons() {
    let upheld = |l: &mut Letter| {
        l.decision = Some(Decision::Upheld);
        l.reasons.clear();
    };
    assert_eq!(lacking(upheld), []);
}

#[test]
fn a_refusal_of_the_complaint_and_a_summary_need_no_remedy() {
    assert_eq!(
        lacking(|l| {
            l.decision = Some(Decision::NotUpheld);
            l.remedy.clear();
        }),
        []
    );
    let mut short = summary(Language::ZhCn);
    short.remedy.clear();
    assert_eq!(short.check(), []);
    short.text.clear();
    assert_eq!(
        short.check(),
        [Problem {
            part: Part::Text,
            fault: Fault::Missing
        }]
    );
}
