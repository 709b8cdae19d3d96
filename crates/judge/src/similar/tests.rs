use proptest::prelude::*;

use super::*;

fn index(texts: &[&str]) -> Similar {
    let mut index = Similar::default();
    for text in texts {
        index.add(&[text]);
    }
    index
}

#[test]
fn the_same_text_is_the_first_hit_in_whatever_writing() {
    let index = index(&[
        "宽带断网三天没人修",
        "宽带断网三天没人修了还要收费",
        "话费多收",
    ]);
    for text in [
        "宽带断网三天没人修",
        "寬帶斷網三天沒人修",
        "宽带 断网三天没人修！",
    ] {
        let hits = index.find(&[text], 3);
        assert_eq!(hits[0].number, 0, "{text}");
        assert_eq!(hits[0].score, 1.0, "{text}: {hits:?}");
    }
}

#[test]
fn the_same_matter_in_other_words_comes_before_another_matter() {
    let index = index(&[
        "锦绣花园旁边的基站辐射太大，要求拆除",
        "营业厅排队两个小时没人叫号",
        "锦绣花园基站离居民楼太近，业主担心辐射",
        "手机信号差，通话断断续续",
    ]);
    assert_eq!(index.find_for(0, 1)[0].number, 2);
    assert!(index.score(0, 2) > 3.0 * index.score(0, 1));
}

#[test]
fn what_is_added_later_is_found_at_once_and_changes_no_number() {
    let mut index = index(&["宽带断网", "话费多收"]);
    let number = index.add(&["彩铃被擅自开通"]);
    assert_eq!(number, 2);
    assert_eq!(index.find(&["擅自开通彩铃"], 1)[0].number, 2);
    assert_eq!(index.len(), 3);
}

#[test]
fn a_text_like_no_other_finds_nothing() {
    let index = index(&["宽带断网", ""]);
    assert!(index.find(&["πρόβλημα"], 5).is_empty());
    assert!(Similar::default().find(&["宽带断网"], 5).is_empty());
    assert!(index.find_for(7, 5).is_empty());
}

proptest! {
    #[test]
    fn scores_are_symmetric_and_between_nothing_and_one(a in ".{0,80}", b in ".{0,80}") {
        let index = index(&[&a, &b, "宽带断网"]);
        let (there, back) = (index.score(0, 1), index.score(1, 0));
        prop_assert!((there - back).abs() < 1e-4);
        prop_assert!((0.0..=1.0).contains(&there));
        for hit in index.find_for(0, 3) {
            prop_assert!(hit.number != 0 && hit.score <= 1.0);
        }
    }
}
