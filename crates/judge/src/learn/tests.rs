use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const NETWORK: [&str; 8] = [
    "家里宽带断网三天没人来修",
    "宽带网速慢，看视频老是卡",
    "光猫坏了，报修一周没人上门",
    "装宽带预约两次师傅都没来",
    "小区断网，路由器重启也没用",
    "晚上宽带掉线，打电话报修占线",
    "移机后网速只有一半",
    "网络不稳定，光纤断了没人接",
];
const BILL: [&str; 8] = [
    "上个月话费多扣了八十元",
    "套餐费用和办理时说的不一样",
    "账单上有没用过的增值业务费",
    "漫游费太高，没有提前告知",
    "合约没到期收我违约金",
    "充值没有到账，余额不对",
    "话费突然涨价，客服说不清",
    "退费申请一个月还没有退款",
];
const STAFF: [&str; 8] = [
    "营业员态度很差，爱理不理",
    "柜台人员骂人，要求道歉",
    "排队两小时，窗口只开一个",
    "店员推诿，说不归他管",
    "经理不耐烦，把我赶出营业厅",
    "营业厅工作人员嘲笑老人",
    "大厅服务态度恶劣，没人理我",
    "客服人员挂我电话，态度傲慢",
];

fn examples() -> Vec<(&'static str, &'static str)> {
    let of = |label, texts: [&'static str; 8]| texts.into_iter().map(move |text| (text, label));
    of("网络", NETWORK)
        .chain(of("费用", BILL))
        .chain(of("服务", STAFF))
        .collect()
}

fn trained(examples: &[(&str, &str)]) -> Model {
    let fields: Vec<[&str; 1]> = examples.iter().map(|(text, _)| [*text]).collect();
    let examples: Vec<Example<'_>> = examples
        .iter()
        .zip(&fields)
        .map(|((_, label), fields)| Example { fields, label })
        .collect();
    train(&["text"], &examples).unwrap()
}

static MODEL: LazyLock<Model> = LazyLock::new(|| trained(&examples()));

#[test]
fn a_text_in_other_words_gets_its_category() {
    let table = [
        ("光纤断了两天，网络用不了", "网络"),
        ("扣费莫名其妙，要求退款", "费用"),
        ("柜台的人态度不好", "服务"),
        ("寬帶斷網，沒人報修", "网络"),
        ("話費被多扣了１００元", "费用"),
    ];
    for (text, label) in table {
        let found = MODEL.classify(&[text]);
        assert_eq!(found.ranked[0].0, label, "{text}: {found:?}");
    }
}

#[test]
fn probabilities_sum_to_one_and_fall() {
    let found = MODEL.classify(&["宽带断网"]);
    let sum: f32 = found.ranked.iter().map(|(_, p)| p).sum();
    assert!((sum - 1.0).abs() < 1e-4 && found.ranked.is_sorted_by(|a, b| a.1 >= b.1));
}

#[test]
fn what_says_nothing_known_is_unsure_and_gets_no_high_probability() {
    let nonsense = [
        "",
        "。",
        "网",
        "😀😀😀😀",
        "πού είναι το γραφείο σας παρακαλώ",
        "jia li kuan dai duan wang le",
        "привет как дела сегодня вечером",
    ];
    for text in nonsense {
        let found = MODEL.classify(&[text]);
        assert!(
            found.unsure && found.ranked[0].1 < 0.6,
            "{text:?}: {found:?}"
        );
    }
}

#[test]
fn a_word_said_a_thousand_times_does_not_outshout_the_text() {
    let text = "营业员态度很差，柜台没人理我，排队两小时，店员骂人，大厅服务恶劣";
    let stuffed = format!("{text} {}", "网".repeat(1000));
    assert_eq!(MODEL.classify(&[&stuffed]).ranked[0].0, "服务");
}

#[test]
fn a_text_of_a_megabyte_is_judged_by_its_beginning() {
    let long = "宽带断网报修".repeat(60_000);
    assert!(long.len() > 1_000_000);
    let beginning: String = long.chars().take(2_000).collect();
    assert_eq!(MODEL.classify(&[&long]), MODEL.classify(&[&beginning]));
}

#[test]
fn the_pieces_that_decided_stand_in_the_text_and_speak_of_the_category() {
    let text = "昨天下午三点我到店里，营业员態度惡劣，還罵人";
    let pieces = MODEL.deciding(&[text], "服务");
    let said: Vec<&str> = pieces
        .iter()
        .map(|piece| &text[piece.start..piece.end])
        .collect();
    assert!(
        said.iter()
            .any(|piece| piece.contains("態度") || piece.contains("营业员")),
        "{said:?}"
    );
    assert!(!said.iter().any(|piece| piece.contains("下午")), "{said:?}");
    assert!(MODEL.deciding(&[text], "没有这类").is_empty());
}

#[test]
fn a_category_that_left_the_tree_is_not_said_and_makes_unsure() {
    let text = ["宽带断网三天没人来修，光猫坏了"];
    assert!(!MODEL.classify(&text).unsure);
    let found = MODEL.classify_among(&text, |label| label != "网络");
    assert!(found.unsure && found.ranked.iter().all(|(label, _)| *label != "网络"));
    assert!(found.ranked[0].1 < 0.5, "{found:?}");
}

#[test]
fn the_same_examples_give_the_same_bytes_and_a_file_reads_back_as_written() {
    let bytes = MODEL.to_bytes().unwrap();
    assert_eq!(bytes, trained(&examples()).to_bytes().unwrap());
    assert!(bytes.len() < MODEL_BYTES);
    assert_eq!(Model::parse(&bytes).unwrap(), *MODEL);
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged() {
    let bytes = MODEL.to_bytes().unwrap();
    for at in (10..bytes.len()).step_by(bytes.len() / 97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(
            matches!(Model::parse(&damaged), Err(ModelError::Damaged(_))),
            "byte {at}"
        );
        assert!(Model::parse(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn another_version_and_another_file_are_refused_by_name() {
    let mut bytes = MODEL.to_bytes().unwrap();
    bytes[8] = 0;
    assert!(matches!(
        Model::parse(&bytes),
        Err(ModelError::Version { found: 0 })
    ));
    assert!(matches!(
        Model::parse(b"PK\x03\x04 not a model"),
        Err(ModelError::NotAModel)
    ));
    assert!(matches!(Model::parse(b""), Err(ModelError::NotAModel)));
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    let example = Example {
        fields: &["宽带断网"],
        label: "网络",
    };
    assert_eq!(train(&["text"], &[]).unwrap_err(), TrainError::Nothing);
    let one = train(&["text"], &[example, example]).unwrap_err();
    assert_eq!(one, TrainError::OneCategory("网络".into()));
    assert_eq!(train(&[], &[example]).unwrap_err(), TrainError::Fields(0));
}

#[test]
fn one_example_a_category_is_enough_to_train() {
    let model = trained(&[("宽带断网报修", "网络"), ("话费多扣退款", "费用")]);
    assert_eq!(model.classify(&["宽带断网报修"]).ranked[0].0, "网络");
}

proptest! {
    #[test]
    fn any_text_gets_probabilities_and_pieces_within_it(text in "\\PC{0,200}") {
        let found = MODEL.classify(&[&text]);
        let sum: f32 = found.ranked.iter().map(|(_, p)| p).sum();
        prop_assert!((sum - 1.0).abs() < 1e-3);
        for piece in MODEL.deciding(&[&text], "费用") {
            prop_assert!(text.get(piece.start..piece.end).is_some_and(|said| !said.is_empty()));
        }
    }

    #[test]
    fn any_bytes_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let with_mark = [b"SUDAJUDG\x01\x00".as_slice(), &bytes].concat();
        prop_assert!(Model::parse(&bytes).is_err() && Model::parse(&with_mark).is_err());
    }
}
