//! Every word of the letter that is not the case's own, in three languages.
//! A text that one of them lacks does not compile.

use chrono::{Datelike, NaiveDate};
use suda_domain::fact::Decision;
use suda_domain::intake::Language;

use crate::letter::{Currency, Money};

/// The words of one language.
pub struct Texts {
    /// As PDF and screen readers name the language.
    pub tag: &'static str,
    pub answer_title: &'static str,
    pub summary_title: &'static str,
    pub reference: &'static str,
    pub date: &'static str,
    pub branch: &'static str,
    pub cycle: &'static str,
    pub nth_cycle: fn(u32) -> String,
    pub dear: fn(&str) -> String,
    pub dear_customer: &'static str,
    pub answer_opening: &'static str,
    pub summary_opening: &'static str,
    pub decision: &'static str,
    pub outcome: &'static str,
    pub upheld: &'static str,
    pub partly_upheld: &'static str,
    pub not_upheld: &'static str,
    pub settled: &'static str,
    pub amount: &'static str,
    pub reasons: &'static str,
    pub text: &'static str,
    pub summary: &'static str,
    pub remedy: &'static str,
    pub measures: &'static str,
    pub next: &'static str,
    pub next_text: &'static str,
    pub dissatisfied: &'static str,
    pub dissatisfied_text: &'static str,
    pub until: &'static str,
    pub until_day: fn(&str) -> String,
    pub online: &'static str,
    pub scan: &'static str,
    pub scan_short: &'static str,
    /// For a code that says the bare number.
    pub scan_number: &'static str,
    pub qr_alt: fn(&str) -> String,
    pub contact: &'static str,
    pub contact_line: fn(&str) -> String,
    pub document: &'static str,
    pub verify: &'static str,
    pub more: &'static str,
    pub more_measures: fn(usize) -> String,
    pub page: fn(usize, usize) -> String,
    pub date_of: fn(NaiveDate) -> String,
    pub money: fn(&str, Currency) -> String,
    /// Whether Latin quotation marks keep their own width, as beside Latin words.
    pub narrow_quotes: bool,
    /// Whether lines are filled to both margins: so in Chinese, which has no
    /// gaps between words.
    pub justified: bool,
}

impl Texts {
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::ZhCn => &ZH_CN,
            Language::ZhTw => &ZH_TW,
            Language::En => &EN,
        }
    }

    /// The decision in words; without one, that the matter is settled.
    pub fn decided(&self, decision: Option<Decision>) -> &'static str {
        match decision {
            Some(Decision::Upheld) => self.upheld,
            Some(Decision::PartlyUpheld) => self.partly_upheld,
            Some(Decision::NotUpheld) => self.not_upheld,
            None => self.settled,
        }
    }

    pub fn sum(&self, money: Money) -> String {
        let whole = money.minor.unsigned_abs() / 100;
        let digits = whole.to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let value = format!("{grouped}.{:02}", money.minor.unsigned_abs() % 100);
        (self.money)(&value, money.currency)
    }
}

fn chinese_date(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

fn english_date(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

const ZH_CN: Texts = Texts {
    tag: "zh-CN",
    answer_title: "投诉处理答复函",
    summary_title: "投诉处理小结",
    reference: "投诉编号",
    date: "日期",
    branch: "受理网点",
    cycle: "轮次",
    nth_cycle: |n| format!("第 {n} 轮"),
    dear: |name| format!("尊敬的{name}："),
    dear_customer: "尊敬的客户：",
    answer_opening: "感谢您向我们反映问题。我们已对您的投诉进行调查，现将处理结果书面答复如下。",
    summary_opening: "感谢您向我们反映问题。您的投诉已由网点当场处理，现将处理情况书面告知如下。",
    decision: "处理结论",
    outcome: "处理情况",
    upheld: "您的投诉成立",
    partly_upheld: "您的投诉部分成立",
    not_upheld: "您的投诉不成立",
    settled: "您的投诉已处理完毕",
    amount: "给付金额",
    reasons: "认定理由",
    text: "答复内容",
    summary: "处理经过",
    remedy: "处理办法",
    measures: "已落实的措施",
    next: "接下来",
    next_text: "我们会在本函日期起七日内回访，由未经手本案的同事听取您的意见。如您仍不满意，同一编号可以重新处理。",
    dissatisfied: "如果您不满意",
    dissatisfied_text: "您可以要求我们重新处理，也可以向下一级反映：",
    until: "提出期限",
    until_day: |day| format!("{day}（含当日）"),
    online: "网上查询",
    scan: "扫码查看办理进度、评价，或提出异议",
    scan_short: "扫码查看进度、评价或提出异议",
    scan_number: "二维码为投诉编号，查询时请出示",
    qr_alt: |link| format!("二维码，内容为 {link}"),
    contact: "联系我们",
    contact_line: |contact| format!("联系我们：{contact}"),
    document: "文件号",
    verify: "本文件的校验值已记入投诉台账，凭编号与文件号可核验真伪。",
    more: "……（全文见答复函，可扫码或向网点索取）",
    more_measures: |n| format!("另有 {n} 项，见答复函"),
    page: |n, all| format!("第 {n} / {all} 页"),
    date_of: chinese_date,
    money: |value, currency| match currency {
        Currency::Cny => format!("¥{value}"),
        Currency::Hkd => format!("HK${value}"),
        Currency::Mop => format!("MOP${value}"),
        Currency::Twd => format!("NT${value}"),
    },
    narrow_quotes: false,
    justified: true,
};

const ZH_TW: Texts = Texts {
    tag: "zh-TW",
    answer_title: "投訴處理答覆函",
    summary_title: "投訴處理摘要",
    reference: "投訴編號",
    date: "日期",
    branch: "受理據點",
    cycle: "輪次",
    nth_cycle: |n| format!("第 {n} 輪"),
    dear: |name| format!("{name}，您好："),
    dear_customer: "親愛的客戶，您好：",
    answer_opening: "感謝您向我們反映問題。我們已就您的投訴完成調查，謹將處理結果書面答覆如下。",
    summary_opening: "感謝您向我們反映問題。您的投訴已由據點當場處理，謹將處理情形書面告知如下。",
    decision: "處理結論",
    outcome: "處理情形",
    upheld: "您的投訴成立",
    partly_upheld: "您的投訴部分成立",
    not_upheld: "您的投訴不成立",
    settled: "您的投訴已處理完畢",
    amount: "給付金額",
    reasons: "認定理由",
    text: "答覆內容",
    summary: "處理經過",
    remedy: "處理方式",
    measures: "已落實的措施",
    next: "接下來",
    next_text: "我們會在本函日期起七日內回訪，由未經手本案的同仁聽取您的意見。如您仍不滿意，同一編號可以重新處理。",
    dissatisfied: "如果您不滿意",
    dissatisfied_text: "您可以要求我們重新處理，也可以向下一級反映：",
    until: "提出期限",
    until_day: |day| format!("{day}（含當日）"),
    online: "線上查詢",
    scan: "掃碼查看辦理進度、評價，或提出異議",
    scan_short: "掃碼查看進度、評價或提出異議",
    scan_number: "二維碼為投訴編號，查詢時請出示",
    qr_alt: |link| format!("二維碼，內容為 {link}"),
    contact: "聯絡我們",
    contact_line: |contact| format!("聯絡我們：{contact}"),
    document: "文件號",
    verify: "本文件的校驗值已記入投訴台帳，憑編號與文件號可核驗真偽。",
    more: "……（全文見答覆函，可掃碼或向據點索取）",
    more_measures: |n| format!("另有 {n} 項，見答覆函"),
    page: |n, all| format!("第 {n} / {all} 頁"),
    date_of: chinese_date,
    money: |value, currency| match currency {
        Currency::Cny => format!("人民幣 {value} 元"),
        Currency::Hkd => format!("HK${value}"),
        Currency::Mop => format!("MOP${value}"),
        Currency::Twd => format!("NT${value}"),
    },
    narrow_quotes: false,
    justified: true,
};

const EN: Texts = Texts {
    tag: "en",
    answer_title: "Our answer to your complaint",
    summary_title: "Summary of your complaint",
    reference: "Reference",
    date: "Date",
    branch: "Branch",
    cycle: "Round",
    nth_cycle: |n| format!("Round {n}"),
    dear: |name| format!("Dear {name},"),
    dear_customer: "Dear customer,",
    answer_opening: "Thank you for telling us what went wrong. We have looked into your complaint, and this is our answer.",
    summary_opening: "Thank you for telling us what went wrong. Your complaint was settled at the branch, and this is a summary of how.",
    decision: "Our decision",
    outcome: "Outcome",
    upheld: "Your complaint is upheld",
    partly_upheld: "Your complaint is upheld in part",
    not_upheld: "Your complaint is not upheld",
    settled: "Your complaint has been settled",
    amount: "Amount",
    reasons: "Our reasons",
    text: "What we found",
    summary: "What was done",
    remedy: "What you receive",
    measures: "What has been put right",
    next: "What happens next",
    next_text: "Within seven days of this letter a colleague who did not handle your case will call to hear what you think. If you are still not satisfied, it is taken up again under the same number.",
    dissatisfied: "If you are not satisfied",
    dissatisfied_text: "You may ask us to look at it again, or take it to the next level:",
    until: "Time limit",
    until_day: |day| format!("Up to and including {day}"),
    online: "Online",
    scan: "Scan to follow your case, rate our answer or object to it",
    scan_short: "Scan to follow, rate or object",
    scan_number: "The code holds your reference: show it when you ask",
    qr_alt: |link| format!("QR code for {link}"),
    contact: "Contact",
    contact_line: |contact| format!("Contact: {contact}"),
    document: "Document",
    verify: "A checksum of this document is kept in our ledger; quote the two numbers to have it verified.",
    more: "… (in full in the letter: scan, or ask your branch)",
    more_measures: |n| format!("{n} more in the letter"),
    page: |n, all| format!("Page {n} of {all}"),
    date_of: english_date,
    money: |value, currency| match currency {
        Currency::Cny => format!("CNY {value}"),
        Currency::Hkd => format!("HKD {value}"),
        Currency::Mop => format!("MOP {value}"),
        Currency::Twd => format!("TWD {value}"),
    },
    narrow_quotes: true,
    justified: false,
};
