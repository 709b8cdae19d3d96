//! Writes sample letters into a folder, to be looked at:
//! `cargo run -p suda-letter --example samples -- FOLDER`.

#[path = "../tests/support/mod.rs"]
mod support;

use suda_domain::fact::Decision;
use suda_domain::intake::Language;
use suda_letter::{Kind, Letter, Money, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("a folder, please")?;
    std::fs::create_dir_all(&folder)?;
    for (name, kind, letter) in samples() {
        let begun = std::time::Instant::now();
        let made = render(&letter, kind, &support::fonts(letter.language))?;
        println!(
            "{name}: {} pages, {} KB, archival {}, unprinted {:?}, {} ms",
            made.pages,
            made.pdf.len() / 1024,
            made.archival,
            made.unprinted,
            begun.elapsed().as_millis()
        );
        std::fs::write(format!("{folder}/{name}.pdf"), made.pdf)?;
    }
    Ok(())
}

fn samples() -> Vec<(&'static str, Kind, Letter)> {
    let zh = || support::ordinary(Language::ZhCn);
    let en = || support::ordinary(Language::En);
    let paragraph = format!("{}\n{}", zh().reasons, zh().text);
    let long = Letter {
        decision: Some(Decision::Upheld),
        reasons: (0..9)
            .map(|_| paragraph.clone())
            .collect::<Vec<_>>()
            .join("\n"),
        text: (0..3)
            .map(|_| paragraph.clone())
            .collect::<Vec<_>>()
            .join("\n"),
        cycle: 2,
        amount: Some(Money {
            minor: 1_234_567_890,
            ..zh().amount.unwrap_or(Money {
                minor: 1,
                currency: suda_letter::Currency::Cny,
            })
        }),
        ..zh()
    };
    let refused = Letter {
        decision: Some(Decision::NotUpheld),
        remedy: String::new(),
        amount: None,
        measures: Vec::new(),
        customer: None,
        ..zh()
    };
    let mixed = Letter {
        text: "您使用的iPhone 15 Pro Max（iOS 18.1）在VoLTE与5G SA之间切换时，APN设置为cmnet，日志见https://support.example.com/knowledge/volte-sa-handover-troubleshooting-guide?lang=zh-CN&device=iphone15promax&build=22B83，错误代码ERR_NETWORK_ATTACH_REJECTED_CAUSE_19_ESM_FAILURE_OPERATOR_DETERMINED_BARRING_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx。\n表情😀与阿拉伯文 مرحبا 及生僻字𠮷、𱍐，「引号」、《书名》……——省略。".into(),
        customer: Some("欧阳 O’Connor-Müller".into()),
        ..zh()
    };
    let long_words = Letter {
        text: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft_and_then_some_more_without_any_gap_at_all_to_see_where_it_breaks_when_nothing_else_helps is one word. ".repeat(3),
        ..en()
    };
    vec![
        ("zh", Kind::Letter, zh()),
        ("zh-receipt", Kind::Receipt, zh()),
        ("zh-long", Kind::Letter, long.clone()),
        ("zh-long-receipt", Kind::Receipt, long),
        ("zh-refused", Kind::Letter, refused.clone()),
        ("zh-refused-receipt", Kind::Receipt, refused),
        ("zh-summary", Kind::Letter, support::summary(Language::ZhCn)),
        (
            "zh-summary-receipt",
            Kind::Receipt,
            support::summary(Language::ZhCn),
        ),
        ("zh-mixed", Kind::Letter, mixed),
        ("tw", Kind::Letter, support::ordinary(Language::ZhTw)),
        (
            "tw-receipt",
            Kind::Receipt,
            support::ordinary(Language::ZhTw),
        ),
        ("en", Kind::Letter, en()),
        ("en-receipt", Kind::Receipt, en()),
        ("en-words", Kind::Letter, long_words),
        ("en-summary", Kind::Letter, support::summary(Language::En)),
    ]
}
