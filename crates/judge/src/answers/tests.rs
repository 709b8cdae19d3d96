#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use suda_domain::complaint::Answer;
use suda_domain::fact::{Decision, Fact, Source};
use suda_domain::guidance::Guidance;
use suda_domain::{
    Actor, Complaint, ComplaintId, DeviceId, EventKey, Intake, Lane, LedgerEvent, ReferenceNumber,
    Role, StaffId, Stamp, State,
};
use uuid::Uuid;

use super::*;

fn guidance(text: &str, limit_minor: Option<i64>) -> Guidance {
    Guidance {
        category: "A.01".into(),
        version: 3,
        title: String::new(),
        text: text.into(),
        limit_minor,
    }
}

fn given(remedy: &str, amount_minor: Option<i64>) -> Given<'_> {
    Given {
        at_counter: true,
        remedy,
        amount_minor,
        declared: "",
    }
}

const REFUND: &str = "1. 核对受理单。\n2. 无凭证的，退还争议费用并致歉。";

#[test]
fn a_remedy_is_known_by_its_words_and_not_where_it_is_refused() {
    for (text, kinds) in [
        (
            "退还20元并致歉",
            vec![RemedyKind::Refund, RemedyKind::Apology],
        ),
        (
            "退還20元並致歉",
            vec![RemedyKind::Refund, RemedyKind::Apology],
        ),
        ("不予退费，已向客户说明", vec![RemedyKind::Explanation]),
        (
            "Refunded the fee and apologised",
            vec![RemedyKind::Refund, RemedyKind::Apology],
        ),
        ("We did not refund the fee", vec![]),
        ("上门更换光猫", vec![RemedyKind::Repair]),
        ("已办", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(remedies(text), kinds, "{text}");
    }
}

#[test]
fn more_than_the_limit_is_off_guidance_and_the_limit_itself_is_not() {
    let of = guidance(REFUND, Some(10_000));
    assert_eq!(deviations(given("退费", Some(10_000)), &of), []);
    assert_eq!(
        deviations(given("退费", Some(10_001)), &of),
        [Deviation::AboveLimit]
    );
    // Without a limit a branch gives no money by itself.
    let none = guidance(REFUND, None);
    assert_eq!(
        deviations(given("退费", Some(1)), &none),
        [Deviation::AboveLimit]
    );
    assert_eq!(deviations(given("退费", None), &none), []);
    // The limit is the branches'; an expert has asked or needs not ask.
    let expert = Given {
        at_counter: false,
        ..given("退费", Some(99_999))
    };
    assert_eq!(deviations(expert, &of), []);
}

#[test]
fn a_remedy_the_guidance_does_not_speak_of_is_off_it_and_words_never_are() {
    let of = guidance(REFUND, Some(10_000));
    for (remedy, off) in [
        ("赠送流量10GB", true),
        ("给客户销户", true),
        ("道歉并解释", false),
        ("按账单减免20元", false),
        ("补偿20元", false),
        ("按客户要求办理", false),
    ] {
        let expected: &[Deviation] = if off { &[Deviation::OtherRemedy] } else { &[] };
        assert_eq!(deviations(given(remedy, None), &of), expected, "{remedy}");
    }
    // Guidance that names no remedy leaves it to the branch.
    let open = guidance("1. 记录位置。\n2. 告知时间。", None);
    assert_eq!(deviations(given("上门检修", None), &open), []);
}

#[test]
fn who_says_why_they_did_otherwise_is_off_guidance() {
    let of = guidance(REFUND, Some(10_000));
    let declared = Given {
        declared: "店长同意",
        ..given("退费", Some(20_000))
    };
    assert_eq!(
        deviations(declared, &of),
        [Deviation::AboveLimit, Deviation::Declared]
    );
    let blank = Given {
        declared: "  ",
        ..given("退费", None)
    };
    assert_eq!(deviations(blank, &of), []);
}

fn at() -> DateTime<Utc> {
    "2026-07-21T02:00:00Z".parse().unwrap()
}

fn answer(decision: Option<Decision>, remedy: &str, amount_minor: Option<i64>) -> Answer {
    Answer {
        decision,
        text: "核对后已为客户处理完毕".into(),
        remedy: remedy.into(),
        amount_minor,
        reasons: String::new(),
        next_level: String::new(),
        next_level_until: None,
        by: None,
    }
}

fn outcome(
    decision: Option<Decision>,
    remedy: &str,
    amount: i64,
    disputed: Option<i64>,
) -> Outcome {
    let intake = Intake {
        amount_minor: disputed,
        ..Intake::default()
    };
    Outcome::of(&answer(decision, remedy, Some(amount)), &intake)
}

#[test]
fn outcomes_differ_in_decision_kind_of_remedy_or_sum() {
    let plain = |remedy, amount| outcome(None, remedy, amount, None);
    for (one, other, differs) in [
        (plain("退费", 3_000), plain("补偿", 3_200), vec![]),
        (
            plain("退费", 3_000),
            plain("退费", 30_000),
            vec![Difference::Amount],
        ),
        // The next band alone is no other sum.
        (plain("退费", 4_900), plain("退费", 5_100), vec![]),
        (
            plain("退费", 3_000),
            plain("解释", 0),
            vec![Difference::Remedy, Difference::Amount],
        ),
        (
            plain("上门维修", 0),
            plain("销户", 0),
            vec![Difference::Remedy],
        ),
        (plain("照办", 0), plain("销户", 0), vec![]),
        // The whole of a small bill and of a large one.
        (
            outcome(None, "退费", 2_000, Some(2_000)),
            outcome(None, "退费", 50_000, Some(50_000)),
            vec![],
        ),
        (
            outcome(None, "退费", 2_000, Some(2_000)),
            outcome(None, "退费", 2_000, Some(10_000)),
            vec![Difference::Amount],
        ),
        (
            outcome(Some(Decision::Upheld), "致歉", 0, None),
            outcome(Some(Decision::NotUpheld), "致歉", 0, None),
            vec![Difference::Decision],
        ),
        // The counter decides nothing; that alone is no difference.
        (
            outcome(None, "致歉", 0, None),
            outcome(Some(Decision::Upheld), "致歉", 0, None),
            vec![],
        ),
    ] {
        assert_eq!(one.differences(&other), differs, "{one:?} {other:?}");
    }
}

proptest! {
    #[test]
    fn differences_are_the_same_both_ways_and_none_to_oneself(
        a in 0..200_000_i64, b in 0..200_000_i64,
        da in proptest::option::of(1..200_000_i64), db in proptest::option::of(1..200_000_i64),
        ra in "(退费|解释|上门维修|销户|照办|赠送流量|不予补偿){0,2}",
        rb in "(退费|解释|上门维修|销户|照办|赠送流量|不予补偿){0,2}",
    ) {
        let (one, other) = (outcome(None, &ra, a, da), outcome(None, &rb, b, db));
        prop_assert_eq!(one.differences(&other), other.differences(&one));
        prop_assert_eq!(one.differences(&one), vec![]);
    }

    /// Giving more never brings an answer back onto the guidance.
    #[test]
    fn more_money_is_never_nearer_to_the_guidance(
        less in 0..50_000_i64, more in 0..50_000_i64, limit in proptest::option::of(0..50_000_i64),
    ) {
        let (less, more) = (less.min(more), less.max(more));
        let of = guidance(REFUND, limit);
        let off = |amount| deviations(given("退费", Some(amount)), &of).len();
        prop_assert!(off(less) <= off(more));
    }

    /// Whatever stands around them, the customer's own are gone.
    #[test]
    fn no_name_number_or_place_of_a_customer_is_left(
        before in "[a-z一-龥，。 0-9]{0,12}", after in "[a-z一-龥，。 0-9]{0,12}",
    ) {
        let intake = customer();
        let secrets = [
            intake.name.as_str(), &intake.phone, &intake.account, &intake.id_number, &intake.place,
        ];
        for secret in secrets {
            let text = format!("{before}{secret}{after}");
            let shown = Anonymous::of(&text, &intake, []);
            prop_assert!(!shown.text.contains(secret), "{} in {}", secret, shown.text);
            prop_assert!(shown.veiled);
        }
    }
}

fn customer() -> Intake {
    Intake {
        name: "欧阳小明".into(),
        phone: "13800138000".into(),
        account: "KD-88001234".into(),
        id_number: "500101199001011234".into(),
        place: "翠屏苑3栋1201".into(),
        category: "B.01.01".into(),
        description: "家里宽带断了三天没人来修，报了三次都说在排队".into(),
        remedy_sought: "尽快修好".into(),
        ..Intake::default()
    }
}

#[test]
fn who_is_addressed_and_every_long_number_is_veiled_and_sums_and_dates_stay() {
    let intake = customer();
    for (text, shown) in [
        (
            "尊敬的张先生：已退还20.50元",
            "尊敬的***先生：已退还20.50元",
        ),
        ("诸葛孔明女士已签收", "***女士已签收"),
        ("经办人王芳 13911112222 回电", "经办人*** *** 回电"),
        ("订单20260721000001已退", "订单***已退"),
        ("2026年8月5日前到账128.50元", "2026年8月5日前到账128.50元"),
        (
            "Dear Mr Smith, we refunded 20.",
            "Dear Mr ***, we refunded 20.",
        ),
        ("请先生稍候", "请先生稍候"),
    ] {
        assert_eq!(Anonymous::of(text, &intake, ["王芳"]).text, shown);
    }
}

#[test]
fn who_is_greeted_by_a_part_of_the_name_is_veiled_too() {
    for (name, text, shown) in [
        ("欧阳小明", "小明您好，已修复", "***您好，已修复"),
        (
            "John Smith",
            "Dear John, it is fixed.",
            "Dear ***, it is fixed.",
        ),
        // The control: nobody is greeted by the end of a Latin name.
        ("Smith", "with thanks", "with thanks"),
    ] {
        let intake = Intake {
            name: name.into(),
            ..Intake::default()
        };
        assert_eq!(Anonymous::of(text, &intake, []).text, shown);
    }
}

/// A complaint that was settled, or still stands in the branch.
fn case(number: u128, intake: Intake, settled: Option<(&str, &str)>) -> Complaint {
    let branch = "CQ0101".parse().unwrap();
    let reference =
        ReferenceNumber::compose(&branch, at().date_naive(), "A", number as u32).unwrap();
    let event = LedgerEvent {
        key: EventKey {
            device: DeviceId(Uuid::from_u128(1)),
            incarnation: 1,
            lane: Lane::Ordinary,
            n: 1,
        },
        complaint: ComplaintId(Uuid::from_u128(number)),
        owner_no: 1,
        at: Stamp {
            wall: at(),
            mono_ms: 1,
            hub_offset_ms: Some(0),
            offset_age_s: Some(1),
        },
        actor: Actor {
            staff: Some(StaffId(Uuid::from_u128(9))),
            name: "李四".into(),
            role: Role::Clerk,
            branch: Some(branch),
        },
        fact: Fact::Recorded {
            reference,
            intake: Box::new(intake),
            arrived_at: at(),
            late: false,
            source: Source::Form,
        },
        origin: None,
    };
    let mut complaint = Complaint::open(&event).unwrap();
    if let Some((text, remedy)) = settled {
        complaint.state = State::Answered;
        complaint.marks.answered_at = Some(at() + TimeDelta::minutes(number as i64));
        complaint.answer = Some(Answer {
            text: text.into(),
            ..answer(None, remedy, Some(2_000))
        });
    }
    complaint
}

fn told(description: &str, category: &str) -> Intake {
    Intake {
        description: description.into(),
        category: category.into(),
        ..customer()
    }
}

#[test]
fn guidance_comes_first_then_the_nearest_answers_once_each_with_their_source() {
    let this = case(1, customer(), None);
    let text = "家里宽带断了三天没人来修，打了好几次电话";
    let done = "师傅上门更换光猫，网络已恢复，按中断三天减免月费";
    let other = "已登记，等待网络部处理通知";
    let near = case(2, told(text, "B.01.01"), Some((done, "减免三天月费")));
    let twice = case(3, told(text, "B.01.01"), Some((done, "减免三天月费。")));
    let further = case(4, told("宽带断了没人来修", "B.02.01"), Some((other, "")));
    let unlike = case(
        5,
        told("营业厅排队两个小时", "B.01.01"),
        Some((done, "致歉")),
    );
    let open = case(6, told(text, "B.01.01"), None);
    let mut discontent = case(7, told(text, "B.01.01"), Some(("已经向客户解释过了", "")));
    discontent.call_back.satisfied = Some(false);
    let cases = [&near, &twice, &further, &unlike, &open, &discontent, &this];
    let past = cases.map(|complaint| Past {
        complaint,
        score: 0.0,
    });
    let of = guidance("远程检测后上门修复", Some(6_000));
    let found = suggest_answers(&this, Some(&of), &past, &["李四"]);
    let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, [of.text.as_str(), done, other]);
    assert_eq!(
        found[0].source,
        AnswerSource::Guidance {
            category: "A.01".into(),
            version: 3,
            title: String::new()
        }
    );
    let AnswerSource::Case {
        reference,
        others,
        same_category,
        shared,
        ..
    } = &found[1].source
    else {
        panic!("{:?}", found[1]);
    };
    assert_eq!((others, same_category), (&1, &true));
    assert!([&near.reference, &twice.reference].contains(&reference));
    assert!(
        shared.iter().any(|piece| piece.contains("宽带")),
        "{shared:?}"
    );
    // The sum is told, and it is no more than that.
    assert_eq!(found[1].amount_minor, Some(2_000));
}

#[test]
fn a_suggestion_never_holds_another_customers_name_number_or_place() {
    let this = case(1, told("家里宽带断了三天没人来修", "B.01.01"), None);
    let done = "欧阳小明（13800138000，账号KD-88001234）家住翠屏苑3栋1201，李四上门修好";
    let past = case(2, customer(), Some((done, "给欧阳小明减免")));
    let past = [Past {
        complaint: &past,
        score: 1.0,
    }];
    let found = suggest_answers(&this, None, &past, &["李四"]);
    assert_eq!(found.len(), 1);
    let all = serde_json::to_string(&found).unwrap();
    for secret in ["欧阳", "13800138000", "88001234", "翠屏苑", "1201", "李四"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert!(found[0].veiled);
}
