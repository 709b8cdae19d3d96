//! What stands on the pages, and where.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use suda_domain::fact::Decision;
use suda_domain::intake::Language;
use suda_letter::{Composition, Kind, Letter, Mark, Role, compose, render};
use support::{fonts, ordinary, summary};

const LANGUAGES: [Language; 3] = [Language::ZhCn, Language::ZhTw, Language::En];

/// All lines of all pages, in the order they are read.
fn lines(composition: &Composition) -> Vec<String> {
    composition
        .pages
        .iter()
        .flat_map(|page| &page.marks)
        .filter_map(|placed| match &placed.mark {
            Mark::Text { line, .. } => Some(line.text.clone()),
            _ => None,
        })
        .collect()
}

/// The paragraphs, their lines put together again.
fn groups(composition: &Composition) -> BTreeMap<usize, String> {
    let mut found: BTreeMap<usize, String> = BTreeMap::new();
    for placed in composition.pages.iter().flat_map(|page| &page.marks) {
        if let Mark::Text {
            line,
            group: Some(group),
        } = &placed.mark
        {
            found.entry(*group).or_default().push_str(&line.text);
        }
    }
    found
}

fn composed(letter: &Letter, kind: Kind) -> Composition {
    compose(letter, kind, &fonts(letter.language)).unwrap()
}

fn long(language: Language) -> Letter {
    let letter = ordinary(language);
    let text = format!("{}\n{}\n", letter.reasons, letter.text);
    let repeats = 6_000 / text.chars().count() + 1;
    Letter {
        text: text.repeat(repeats),
        ..letter
    }
}

#[test]
fn every_part_stands_on_both_designs_in_each_language() {
    for language in LANGUAGES {
        let letter = ordinary(language);
        for kind in [Kind::Letter, Kind::Receipt] {
            let composition = composed(&letter, kind);
            let all: String = groups(&composition).into_values().collect();
            let decided = match language {
                Language::ZhCn => "您的投诉部分成立",
                Language::ZhTw => "您的投訴部分成立",
                Language::En => "Your complaint is upheld in part",
            };
            let day = match language {
                Language::En => "28 August 2026",
                _ => "2026年8月28日",
            };
            let first = letter.reasons.chars().take(30).collect::<String>();
            for part in [
                letter.organisation.as_str(),
                letter.branch.as_str(),
                letter.reference.as_str(),
                letter.document.as_str(),
                decided,
                first.trim(),
                letter.text.as_str(),
                letter.remedy.as_str(),
                letter.measures[0].as_str(),
                letter.next_level.as_str(),
                letter.contact.as_str(),
                day,
                "128.50",
            ] {
                let everything = format!("{all}{}", lines(&composition).concat());
                assert!(
                    everything.contains(part),
                    "{language:?} {kind:?} lacks {part}"
                );
            }
            assert!(
                composition.roles.iter().any(|role| matches!(
                    role,
                    Role::Figure(alt) if alt.contains(&letter.link)
                )),
                "the code says in words where it leads"
            );
        }
    }
}

#[test]
fn the_decision_is_said_in_words_before_anything_is_explained() {
    for (decision, words) in [
        (Decision::Upheld, "您的投诉成立"),
        (Decision::PartlyUpheld, "您的投诉部分成立"),
        (Decision::NotUpheld, "您的投诉不成立"),
    ] {
        let letter = Letter {
            decision: Some(decision),
            ..ordinary(Language::ZhCn)
        };
        let spoken = lines(&composed(&letter, Kind::Letter));
        let decided = spoken.iter().position(|line| line == words).unwrap();
        let reasons = spoken.iter().position(|line| line == "认定理由").unwrap();
        assert!(decided < reasons);
    }
}

#[test]
fn a_summary_of_a_simple_complaint_claims_no_decision_and_fits_one_page() {
    for language in LANGUAGES {
        let composition = composed(&summary(language), Kind::Letter);
        assert_eq!(composition.pages.len(), 1);
        let all = lines(&composition).concat();
        for word in ["成立", "upheld"] {
            assert!(!all.contains(word), "{language:?}: {all}");
        }
    }
}

/// How far down the page the last of the text is, from 0 to 1.
fn depth(page: &suda_letter::Page) -> f32 {
    let texts = page.marks.iter().filter(|placed| {
        let of_text = |mark: &Mark| matches!(mark, Mark::Text { group: Some(_), .. });
        of_text(&placed.mark)
    });
    texts.map(|placed| placed.bounds().3).fold(0.0, f32::max) / page.height
}

#[test]
fn an_answer_with_every_part_stands_on_one_page() {
    for language in LANGUAGES {
        let composition = composed(&ordinary(language), Kind::Letter);
        assert_eq!(composition.pages.len(), 1, "{language:?}");
    }
}

#[test]
fn no_letter_ends_with_a_few_lines_on_a_page_of_their_own_that_had_room_before() {
    for sentences in 0..60 {
        let letter = Letter {
            text: "我们已经核实了这一情况并处理完毕。".repeat(sentences + 1),
            ..ordinary(Language::ZhCn)
        };
        let composition = composed(&letter, Kind::Letter);
        let [before @ .., last] = composition.pages.as_slice() else {
            continue;
        };
        for page in before {
            assert!(depth(page) > 0.6, "{sentences}: {}", depth(page));
        }
        // The next level, its limit, the code and the signature, never parted.
        assert!(depth(last) > 0.2, "{sentences}: {}", depth(last));
    }
}

#[test]
fn the_signature_stands_with_the_way_to_the_next_level() {
    for sentences in 0..40 {
        let letter = Letter {
            text: "我们已经核实了这一情况并处理完毕。".repeat(3 * sentences + 1),
            ..ordinary(Language::ZhCn)
        };
        let composition = composed(&letter, Kind::Letter);
        let last = composition.pages.last().unwrap();
        let said = |words: &str| {
            last.marks.iter().any(|placed| match &placed.mark {
                Mark::Text {
                    line,
                    group: Some(_),
                } => line.text.contains(words),
                _ => false,
            })
        };
        let is_there = last
            .marks
            .iter()
            .any(|placed| matches!(placed.mark, Mark::Qr { .. }));
        assert!(
            is_there && said("如果您不满意") && said(&letter.organisation),
            "{sentences}"
        );
    }
}

#[test]
fn a_long_text_flows_over_pages_without_losing_a_word() {
    for language in LANGUAGES {
        let letter = long(language);
        let composition = composed(&letter, Kind::Letter);
        assert!(composition.pages.len() > 2);
        let said = groups(&composition);
        for paragraph in letter.text.lines() {
            assert!(
                said.values().any(|group| group.trim() == paragraph.trim()),
                "lost: {paragraph}"
            );
        }
        let pagers = lines(&composition);
        let last = composition.pages.len();
        let pager = match language {
            Language::ZhCn => format!("第 {last} / {last} 页"),
            Language::ZhTw => format!("第 {last} / {last} 頁"),
            Language::En => format!("Page {last} of {last}"),
        };
        assert!(pagers.contains(&pager), "no {pager}");
    }
}

#[test]
fn the_receipt_says_where_the_rest_of_a_long_text_is() {
    let composition = composed(&long(Language::ZhCn), Kind::Receipt);
    assert_eq!(composition.pages.len(), 1);
    assert!(
        groups(&composition)
            .values()
            .any(|text| text.contains("全文见答复函"))
    );
}

#[test]
fn no_paragraph_leaves_one_line_alone_beside_a_page_end() {
    // Paragraphs of five lines and more.
    let letter = Letter {
        text: format!("{}\n", "这一段文字要写满好几行。".repeat(17)).repeat(20),
        ..ordinary(Language::ZhCn)
    };
    for cut in 0..16 {
        // The texts before push the paragraphs down line by line.
        let letter = Letter {
            reasons: "一行文字。\n".repeat(cut + 1),
            ..letter.clone()
        };
        let composition = composed(&letter, Kind::Letter);
        let mut spread: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for page in &composition.pages {
            let mut here: BTreeMap<usize, usize> = BTreeMap::new();
            for placed in &page.marks {
                if let Mark::Text {
                    group: Some(group), ..
                } = placed.mark
                {
                    *here.entry(group).or_default() += 1;
                }
            }
            for (group, count) in here {
                spread.entry(group).or_default().push(count);
            }
        }
        for counts in spread.values().filter(|counts| counts.len() > 1) {
            assert!(
                counts.iter().all(|count| *count >= 2),
                "{cut} lines before: {counts:?}"
            );
        }
    }
}

#[test]
fn a_heading_is_never_the_last_of_a_page() {
    let letter = long(Language::ZhCn);
    for cut in 0..16 {
        let letter = Letter {
            reasons: "一行文字。\n".repeat(cut + 1),
            ..letter.clone()
        };
        let composition = composed(&letter, Kind::Letter);
        for page in &composition.pages {
            let last = page
                .marks
                .iter()
                .filter_map(|placed| match placed.mark {
                    Mark::Text {
                        group: Some(group), ..
                    } => Some(group),
                    _ => None,
                })
                .next_back()
                .unwrap();
            assert_ne!(composition.roles[last], Role::Heading, "{cut} lines before");
        }
    }
}

#[test]
fn no_line_begins_with_a_mark_that_closes_nor_ends_with_one_that_opens() {
    let text =
        "（甲），（乙）。“丙”、‘丁’；《戊》：己！庚？【辛】……「壬」『癸』——子·丑％。".repeat(12);
    for language in [Language::ZhCn, Language::ZhTw] {
        for shift in 0..12 {
            let letter = Letter {
                text: format!("{}{text}", "字".repeat(shift)),
                ..ordinary(language)
            };
            for kind in [Kind::Letter, Kind::Receipt] {
                for line in lines(&composed(&letter, kind)) {
                    let first = line.chars().next().unwrap_or(' ');
                    let last = line.trim_end().chars().next_back().unwrap_or(' ');
                    assert!(!"，。、；：！？）》】」』”’％·…".contains(first), "{line}");
                    assert!(!"（《【「『“‘".contains(last), "{line}");
                }
            }
        }
    }
}

#[test]
fn the_same_letter_gives_the_same_bytes_and_another_gives_others() {
    let hash = |letter: &Letter, kind| {
        let made = render(letter, kind, &fonts(letter.language)).unwrap();
        hex::encode(Sha256::digest(made.pdf))
    };
    for language in LANGUAGES {
        for kind in [Kind::Letter, Kind::Receipt] {
            let letter = ordinary(language);
            assert_eq!(hash(&letter, kind), hash(&letter.clone(), kind));
            let other = Letter {
                amount: letter.amount.map(|amount| suda_letter::Money {
                    minor: amount.minor + 1,
                    ..amount
                }),
                ..letter.clone()
            };
            assert_ne!(hash(&letter, kind), hash(&other, kind));
        }
    }
}

#[test]
fn the_file_keeps_to_the_archive_and_its_text_can_be_taken_out() {
    for language in LANGUAGES {
        let letter = ordinary(language);
        let made = render(&letter, Kind::Letter, &fonts(language)).unwrap();
        assert!(made.archival, "{language:?}");
        assert!(made.unprinted.is_empty());
        let file = lopdf::Document::load_mem(&made.pdf).unwrap();
        let pages: Vec<u32> = file.get_pages().into_keys().collect();
        assert_eq!(pages.len(), made.pages);
        let text: String = file
            .extract_text(&pages)
            .unwrap()
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let decided = match language {
            Language::ZhCn => "您的投诉部分成立",
            Language::ZhTw => "您的投訴部分成立",
            Language::En => "Yourcomplaintisupheldinpart",
        };
        for part in [letter.reference.as_str(), decided] {
            assert!(text.contains(part), "{language:?} lacks {part} in {text}");
        }
    }
}

#[test]
fn a_character_no_font_has_is_seen_to_be_missing_and_named() {
    let letter = Letter {
        text: "表情😀与私用\u{e000}字与\u{7}响铃。".into(),
        ..ordinary(Language::ZhCn)
    };
    let made = render(&letter, Kind::Letter, &fonts(letter.language)).unwrap();
    assert_eq!(made.unprinted, vec!['\u{7}', '\u{e000}', '😀']);
    assert!(made.archival);
    let said = groups(&composed(&letter, Kind::Letter));
    assert!(said.values().any(|text| text == "表情□与私用□字与□响铃。"));
}
