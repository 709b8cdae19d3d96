//! What kind of remedy a text tells of, by its words.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::read::Words;

/// A kind of remedy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemedyKind {
    /// What was paid is given back.
    Refund,
    /// What is owed is let go.
    Waiver,
    /// More than was paid is given.
    Compensation,
    /// A service or contract is ended.
    Cancellation,
    /// Something is repaired, replaced or put right on site.
    Repair,
    /// Another tariff or product instead.
    Change,
    /// A present: credit, data, an article.
    Gift,
    Apology,
    Explanation,
}

impl RemedyKind {
    /// Whether it is more than words.
    pub fn is_of_substance(self) -> bool {
        !matches!(self, Self::Apology | Self::Explanation)
    }

    /// Whether it is money in one form or another. Clerks call one and the same
    /// thing a refund, a waiver or a compensation.
    pub fn is_money(self) -> bool {
        matches!(self, Self::Refund | Self::Waiver | Self::Compensation)
    }
}

/// Simplified and lower case, as texts are folded before they are read.
const WORDS: [(RemedyKind, &[&str]); 9] = [
    (
        RemedyKind::Refund,
        &[
            "退费",
            "退款",
            "退还",
            "返还",
            "退回",
            "返费",
            "退钱",
            "退你",
            "refund",
            "reimburse",
            "paid back",
            "returned the",
        ],
    ),
    (
        RemedyKind::Waiver,
        &[
            "减免",
            "免除",
            "免收",
            "减收",
            "抵扣",
            "冲抵",
            "核减",
            "免去",
            "waive",
            "waiver",
            "write off",
            "written off",
        ],
    ),
    (
        RemedyKind::Compensation,
        &[
            "赔偿",
            "补偿",
            "赔付",
            "违约金补",
            "加倍",
            "compensat",
            "damages paid",
        ],
    ),
    (
        RemedyKind::Cancellation,
        &[
            "取消",
            "解约",
            "解除合约",
            "解除合同",
            "销户",
            "退订",
            "关闭业务",
            "停止计费",
            "拆机",
            "cancel",
            "terminat",
            "closed the account",
        ],
    ),
    (
        RemedyKind::Repair,
        &[
            "修复", "维修", "抢修", "检修", "上门", "更换", "换新", "重装", "恢复", "repair",
            "replac", "restore", "fixed",
        ],
    ),
    (
        RemedyKind::Change,
        &[
            "换套餐",
            "改套餐",
            "变更套餐",
            "更改套餐",
            "调整套餐",
            "降档",
            "升档",
            "转套餐",
            "changed the plan",
            "change of plan",
            "switched to",
        ],
    ),
    (
        RemedyKind::Gift,
        &[
            "赠送",
            "送流量",
            "话费券",
            "礼品",
            "代金券",
            "积分补",
            "gift",
            "voucher",
            "goodwill credit",
        ],
    ),
    (
        RemedyKind::Apology,
        &["道歉", "致歉", "赔礼", "歉意", "apolog", "sorry"],
    ),
    (
        RemedyKind::Explanation,
        &["解释", "说明", "告知", "答疑", "explain", "informed"],
    ),
];

/// What takes a remedy back when it stands right before it.
const NEGATIONS: [&str; 15] = [
    "不", "未", "没", "没有", "不予", "不能", "无法", "无需", "拒绝", "不再", "not", "no", "never",
    "cannot", "refused",
];

struct Lexicon {
    words: Words,
    negating: Vec<usize>,
    kinds: Vec<(RemedyKind, usize)>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let all = WORDS.iter().flat_map(|(_, words)| words.iter());
    let all = all.chain(NEGATIONS.iter()).map(|word| (*word).to_owned());
    // Some dozens of short words: the automaton cannot grow too large for them.
    let words = Words::build(all).unwrap_or_default();
    let numbered = |kind: RemedyKind, list: &[&str]| -> Vec<(RemedyKind, usize)> {
        list.iter().map(|word| (kind, words.number(word))).collect()
    };
    let kinds = WORDS.iter().flat_map(|(kind, list)| numbered(*kind, list));
    let kinds = kinds.collect();
    let negating = NEGATIONS.iter().map(|word| words.number(word)).collect();
    Lexicon {
        words,
        negating,
        kinds,
    }
});

/// The kinds of remedy a text gives, each once, in their order. What it says
/// is not done is left out: 不予退费 gives nothing.
pub fn remedies(text: &str) -> Vec<RemedyKind> {
    named(text, |negated| !negated)
}

/// The kinds of remedy a text speaks of at all, given or not: guidance names
/// what belongs to its matter also where it sets bounds.
pub(super) fn spoken_of(text: &str) -> Vec<RemedyKind> {
    named(text, |_| true)
}

fn named(text: &str, counts: impl Fn(bool) -> bool) -> Vec<RemedyKind> {
    let reading = LEXICON.words.read(&[text], &LEXICON.negating);
    let found = LEXICON.kinds.iter().filter(|(_, number)| {
        let mut hits = reading.of(*number).iter();
        hits.any(|hit| counts(hit.negated))
    });
    let mut kinds: Vec<RemedyKind> = found.map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
