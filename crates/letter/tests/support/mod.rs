//! Letters to try, and the machine's Chinese fonts to try them with.
#![allow(dead_code, reason = "each test file takes what it needs of this")]
#![allow(clippy::unwrap_used, reason = "a test without fonts has to fail")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{NaiveDate, TimeZone, Utc};
use suda_domain::fact::Decision;
use suda_domain::intake::Language;
use suda_letter::{Currency, Face, Fonts, Letter, Money};

/// Noto Sans CJK, which the tests' other half (the windows) needs as well.
pub fn fonts(language: Language) -> Fonts {
    let family = match language {
        Language::ZhTw => "Noto Sans CJK TC",
        Language::ZhCn | Language::En => "Noto Sans CJK SC",
    };
    Fonts {
        regular: face(family, fontdb::Weight::NORMAL),
        bold: face(family, fontdb::Weight::BOLD),
        fallbacks: Vec::new(),
    }
}

fn face(family: &str, weight: fontdb::Weight) -> Face {
    static KNOWN: OnceLock<fontdb::Database> = OnceLock::new();
    type Read = Mutex<Vec<(PathBuf, Arc<Vec<u8>>)>>;
    static READ: OnceLock<Read> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let mut database = fontdb::Database::new();
        database.load_system_fonts();
        database
    });
    let id = known
        .query(&fontdb::Query {
            families: &[fontdb::Family::Name(family)],
            weight,
            ..fontdb::Query::default()
        })
        .unwrap_or_else(|| panic!("the font {family} is not installed (fonts-noto-cjk)"));
    let (source, index) = known.face_source(id).unwrap();
    let (fontdb::Source::File(path) | fontdb::Source::SharedFile(path, _)) = source else {
        panic!("{family} is not a file");
    };
    let mut read = READ.get_or_init(Default::default).lock().unwrap();
    let data = match read.iter().find(|(known, _)| *known == path) {
        Some((_, data)) => data.clone(),
        None => {
            let data = Arc::new(std::fs::read(&path).unwrap());
            read.push((path, data.clone()));
            data
        }
    };
    Face { data, index }
}

/// A complaint upheld in part: an ordinary letter of one page.
pub fn ordinary(language: Language) -> Letter {
    let day = NaiveDate::from_ymd_opt(2026, 7, 29).unwrap();
    let common = Letter {
        language,
        organisation: String::new(),
        branch: String::new(),
        reference: "CQ0123-260721-A-0042-7K".into(),
        cycle: 1,
        document: "7F3A-91C2".into(),
        dated: day,
        made_at: Utc.with_ymd_and_hms(2026, 7, 29, 8, 30, 0).unwrap(),
        customer: None,
        decision: Some(Decision::PartlyUpheld),
        reasons: String::new(),
        text: String::new(),
        remedy: String::new(),
        amount: Some(Money {
            minor: 12_850,
            currency: Currency::Cny,
        }),
        measures: Vec::new(),
        next_level: String::new(),
        next_level_until: NaiveDate::from_ymd_opt(2026, 8, 28),
        contact: String::new(),
        link: "https://tousu.example.com/s/CQ0123-260721-A-0042-7K".into(),
    };
    match language {
        Language::ZhCn => Letter {
            organisation: "渝信通信有限公司重庆分公司".into(),
            branch: "解放碑旗舰营业厅".into(),
            customer: Some("张晓梅".into()),
            reasons: "经查，您于2026年6月3日在解放碑旗舰营业厅办理“畅享129元”套餐时，受理单上未勾选“视频会员”增值业务；系统记录显示该业务于当日18:42由工号0917代为开通，未见您的书面确认。根据《电信业务受理规范》第12条，未经客户确认开通的增值业务应予退订并退费。\n关于您提出的宽带限速问题，我们于7月24日派员上门测速，下行速率为 486.2 Mbit/s，达到合同约定的500 Mbit/s的97%，不构成违约，故该项不予支持。".into(),
            text: "我们为代开增值业务一事向您致歉。该业务已于7月25日退订，6月、7月两个月已收取的费用将退还至您的话费账户，您无需再办理任何手续。".into(),
            remedy: "退还增值业务费128.50元，于2026年8月5日前到账；宽带套餐维持不变，另免费更换光猫一台（型号 HG8145X6）。".into(),
            measures: vec![
                "解放碑旗舰营业厅全体人员已重新学习业务受理规范，并逐一签字确认。".into(),
                "系统已增加控制：未经短信二次确认，不能代客户开通增值业务。".into(),
            ],
            next_level: "重庆市通信管理局电信用户申诉受理中心，电话 12300，地址：重庆市渝北区洪湖西路24号。".into(),
            contact: "专家坐席　李老师　023-6000 1234（工作日 9:00–18:00）".into(),
            ..common
        },
        Language::ZhTw => Letter {
            organisation: "渝信通訊股份有限公司".into(),
            branch: "解放碑旗艦門市".into(),
            customer: Some("張曉梅".into()),
            reasons: "經查，您於2026年6月3日在解放碑旗艦門市申辦「暢享129元」方案時，申請書上並未勾選「影音會員」加值服務；系統紀錄顯示該服務於當日18:42由工號0917代為開通，未見您的書面同意。依《電信業務受理規範》第12條，未經客戶同意開通的加值服務應予退訂並退費。".into(),
            text: "我們為代開加值服務一事向您致歉。該服務已於7月25日退訂，已收取的費用將退還至您的帳戶，您無須再辦理任何手續。".into(),
            remedy: "退還加值服務費128.50元，於2026年8月5日前入帳。".into(),
            measures: vec!["系統已增加控制：未經簡訊二次確認，不能代客戶開通加值服務。".into()],
            next_level: "重慶市通信管理局電信用戶申訴受理中心，電話 12300。".into(),
            contact: "專家坐席　李小姐　023-6000 1234（工作日 9:00–18:00）".into(),
            ..common
        },
        Language::En => Letter {
            organisation: "Yuxin Telecom, Chongqing Branch".into(),
            branch: "Jiefangbei Flagship Store".into(),
            customer: Some("Ms Zhang Xiaomei".into()),
            reasons: "On 3 June 2026 you took out the “Changxiang 129” plan at our Jiefangbei store. The signed form does not include the video membership; our records show that it was added at 18:42 the same day by staff number 0917, without your written consent. Under article 12 of our service rules, a service added without consent has to be cancelled and refunded.\nYou also told us that your broadband is slow. On 24 July we measured 486.2 Mbit/s at your home, 97 per cent of the agreed speed. We therefore do not uphold this part.".into(),
            text: "We apologise for adding a service you had not asked for. It was cancelled on 25 July, and what you paid for June and July goes back to your account. You need not do anything.".into(),
            remedy: "A refund of CNY 128.50 by 5 August 2026, and a new modem (HG8145X6) free of charge.".into(),
            measures: vec![
                "All staff of the store have been trained again in how services are sold.".into(),
                "The system no longer lets staff add a service unless the customer confirms it by text message.".into(),
            ],
            next_level: "Chongqing Communications Administration, Telecom User Complaints Centre, telephone 12300.".into(),
            contact: "Ms Li, expert desk, +86 23 6000 1234 (working days 9:00–18:00)".into(),
            ..common
        },
    }
}

/// The short written summary of a simple complaint.
pub fn summary(language: Language) -> Letter {
    Letter {
        decision: None,
        reasons: String::new(),
        measures: Vec::new(),
        amount: None,
        ..ordinary(language)
    }
}
