//! Whatever people write, a letter comes of it, and stays on the paper.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use suda_domain::fact::Decision;
use suda_domain::intake::Language;
use suda_letter::{Kind, Letter, compose, render};
use support::{fonts, ordinary};

/// Text of all kinds, mixed: words, Chinese, emoji with joiners, controls,
/// right-to-left, stacked marks, very long words, anything else.
fn text(longest: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z]{1,12} ",
        "[\u{4e00}-\u{9fff}]{1,20}[，。；！？、]",
        "[a-z_/=&?.]{40,160}",
        "[\u{1f300}-\u{1f64f}\u{1f468}\u{200d}\u{fe0f}]{1,6}",
        "[\u{0}-\u{1f}\u{7f}-\u{9f}]{1,4}",
        "[\u{5d0}-\u{5ea}\u{627}-\u{64a} ]{1,30}",
        "[ae][\u{300}-\u{36f}]{1,12}",
        "[\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{feff}\u{2028}\u{ad}]{1,4}",
        "[\u{e000}-\u{e0ff}\u{fff0}-\u{ffff}\u{20000}-\u{2ffff}]{1,5}",
        "[\u{900}-\u{97f}\u{e00}-\u{e7f}]{1,20}",
        "[\\n \t\u{3000}\u{a0}]{1,8}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(move |pieces| {
        let all: String = pieces.concat();
        all.chars().take(longest).collect()
    })
}

/// The same with something to read in it, as [`Letter::check`] asks.
fn said(longest: usize) -> impl Strategy<Value = String> {
    text(longest - 1).prop_map(|text| format!("字{text}"))
}

fn letters() -> impl Strategy<Value = Letter> {
    let short = (said(120), said(120), said(120), said(120), said(240));
    let long = (said(3_000), said(1_500), said(600), said(600));
    let rest = (
        proptest::option::of(said(120)),
        proptest::collection::vec(said(200), 0..4),
        prop_oneof![
            Just(None),
            Just(Some(Decision::Upheld)),
            Just(Some(Decision::NotUpheld))
        ],
        prop_oneof![
            Just(Language::ZhCn),
            Just(Language::ZhTw),
            Just(Language::En)
        ],
        1..12_u32,
    );
    (short, long, rest).prop_map(|(short, long, rest)| Letter {
        organisation: short.0,
        branch: short.1,
        reference: short.2,
        document: short.3,
        contact: short.4,
        reasons: long.0,
        text: long.1,
        remedy: long.2,
        next_level: long.3,
        customer: rest.0,
        measures: rest.1,
        decision: rest.2,
        cycle: rest.4,
        ..ordinary(rest.3)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text_stays_inside_the_margins(letter in letters()) {
        for kind in [Kind::Letter, Kind::Receipt] {
            let composition = compose(&letter, kind, &fonts(letter.language)).unwrap();
            prop_assert!(kind == Kind::Letter || composition.pages.len() == 1);
            for page in &composition.pages {
                for placed in &page.marks {
                    let (left, top, right, bottom) = placed.bounds();
                    let margin = composition.margin - 0.5;
                    prop_assert!(left >= margin && right <= page.width - margin,
                        "{left} to {right} of {}: {placed:?}", page.width);
                    prop_assert!(top >= margin.min(10.0) && bottom <= page.height - margin.min(10.0),
                        "{top} to {bottom} of {}: {placed:?}", page.height);
                }
            }
        }
    }

    #[test]
    fn any_text_becomes_an_archival_file(letter in letters()) {
        let made = render(&letter, Kind::Letter, &fonts(letter.language)).unwrap();
        prop_assert!(made.archival);
        prop_assert!(made.pdf.starts_with(b"%PDF-1.7"));
    }
}
