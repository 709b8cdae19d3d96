//! The approved texts. Each has an id, a version that rises with its wording,
//! one wording a language, and named parameters; without one of these there
//! is no text.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::clocks::Clock;
use crate::intake::Language;
use crate::reference::ReferenceNumber;
use crate::state::CustomerState;

/// An approved text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// State 1, with the reference number and where to ask.
    Accepted,
    /// State 2.
    Dispatched,
    /// State 3.
    Investigated,
    /// State 4.
    Completed,
    /// State 4, because the customer withdrew.
    Withdrawn,
    /// More time was granted for the answer.
    Extended,
    /// The customer is asked for more.
    Asked,
    /// To duty staff: a deadline that comes near or was missed.
    Duty,
    /// The answer to a question by SMS.
    Progress,
    /// The answer to a number that is not one of the sender's complaints.
    UnknownNumber,
}

/// What an approved text leaves open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Parameter {
    /// Who writes.
    Organisation,
    Reference,
    /// Where the customer can ask, in a sentence.
    Ask,
    /// Reference numbers with their states.
    Progress,
    /// A date.
    Until,
    /// The name of a clock.
    Clock,
    /// When its time ends or ended.
    Due,
}

impl Parameter {
    const ALL: [Self; 7] = [
        Self::Organisation,
        Self::Reference,
        Self::Ask,
        Self::Progress,
        Self::Until,
        Self::Clock,
        Self::Due,
    ];

    /// As it stands in the wordings and in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Reference => "reference",
            Self::Ask => "ask",
            Self::Progress => "progress",
            Self::Until => "until",
            Self::Clock => "clock",
            Self::Due => "due",
        }
    }
}

/// A text that cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RenderError {
    #[error("the parameter {} is missing", .0.name())]
    Missing(Parameter),
}

/// The values for what a text leaves open. An empty one is a missing one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parameters {
    pub organisation: Option<String>,
    pub reference: Option<ReferenceNumber>,
    pub ask: Option<String>,
    pub progress: Option<String>,
    pub until: Option<String>,
    pub clock: Option<String>,
    pub due: Option<String>,
}

impl Parameters {
    fn of(&self, parameter: Parameter) -> Option<&str> {
        let value = match parameter {
            Parameter::Organisation => self.organisation.as_deref(),
            Parameter::Reference => self.reference.as_ref().map(ReferenceNumber::as_str),
            Parameter::Ask => self.ask.as_deref(),
            Parameter::Progress => self.progress.as_deref(),
            Parameter::Until => self.until.as_deref(),
            Parameter::Clock => self.clock.as_deref(),
            Parameter::Due => self.due.as_deref(),
        };
        value.map(str::trim).filter(|value| !value.is_empty())
    }
}

impl Template {
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Dispatched,
        Self::Investigated,
        Self::Completed,
        Self::Withdrawn,
        Self::Extended,
        Self::Asked,
        Self::Duty,
        Self::Progress,
        Self::UnknownNumber,
    ];

    /// The id, as stored and as approvals name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Dispatched => "dispatched",
            Self::Investigated => "investigated",
            Self::Completed => "completed",
            Self::Withdrawn => "withdrawn",
            Self::Extended => "extended",
            Self::Asked => "asked",
            Self::Duty => "duty",
            Self::Progress => "progress",
            Self::UnknownNumber => "unknown_number",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|template| template.name() == name)
    }

    /// The version of its wordings. Raised with every change of one of them.
    pub fn version(self) -> u32 {
        1
    }

    /// Whether it answers a question: such a text goes out at any hour.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Progress | Self::UnknownNumber)
    }

    /// The parameters that its wording names.
    pub fn parameters(self, language: Language) -> impl Iterator<Item = Parameter> {
        let wording = self.wording(language);
        let named = move |parameter: &Parameter| wording.contains(&slot(*parameter));
        Parameter::ALL.into_iter().filter(named)
    }

    /// The text with its parameters put in.
    ///
    /// # Errors
    /// [`RenderError::Missing`] names the first parameter that has no value.
    pub fn render(
        self,
        language: Language,
        parameters: &Parameters,
    ) -> Result<String, RenderError> {
        let mut text = String::new();
        let mut left = self.wording(language);
        // Read once from the left, so that a value with braces in it stays
        // what it is.
        while let Some((before, slotted)) = left.split_once('{') {
            text.push_str(before);
            let (name, behind) = slotted.split_once('}').unwrap_or((slotted, ""));
            let named = Parameter::ALL
                .into_iter()
                .find(|known| known.name() == name);
            if let Some(parameter) = named {
                let value = parameters.of(parameter);
                text.push_str(value.ok_or(RenderError::Missing(parameter))?);
            }
            left = behind;
        }
        text.push_str(left);
        Ok(text)
    }

    fn wording(self, language: Language) -> &'static str {
        match language {
            Language::ZhCn => match self {
                Self::Accepted => "【{organisation}】您的投诉已受理，编号{reference}。{ask}",
                Self::Dispatched => {
                    "【{organisation}】您的投诉{reference}：已派专业部门查证处理。{ask}"
                }
                Self::Investigated => {
                    "【{organisation}】您的投诉{reference}：已完成初步查证。{ask}"
                }
                Self::Completed => "【{organisation}】您的投诉{reference}：已完成处理。{ask}",
                Self::Withdrawn => {
                    "【{organisation}】您的投诉{reference}：已完成处理（已撤回）。{ask}"
                }
                Self::Extended => {
                    "【{organisation}】您的投诉{reference}需要更多时间查证，最迟{until}答复您。{ask}"
                }
                Self::Asked => "【{organisation}】您的投诉{reference}需要您补充情况。{ask}",
                Self::Duty => {
                    "【{organisation}】值班提醒：投诉{reference}，{clock}，时限{due}。请登录系统处理。"
                }
                Self::Progress => "【{organisation}】{progress}",
                Self::UnknownNumber => {
                    "【{organisation}】没有查到您的这一投诉。请核对回执上的编号，用登记投诉时的手机号发送。"
                }
            },
            Language::ZhTw => match self {
                Self::Accepted => "【{organisation}】您的投訴已受理，編號{reference}。{ask}",
                Self::Dispatched => {
                    "【{organisation}】您的投訴{reference}：已派專業部門查證處理。{ask}"
                }
                Self::Investigated => {
                    "【{organisation}】您的投訴{reference}：已完成初步查證。{ask}"
                }
                Self::Completed => "【{organisation}】您的投訴{reference}：已完成處理。{ask}",
                Self::Withdrawn => {
                    "【{organisation}】您的投訴{reference}：已完成處理（已撤回）。{ask}"
                }
                Self::Extended => {
                    "【{organisation}】您的投訴{reference}需要更多時間查證，最遲{until}答覆您。{ask}"
                }
                Self::Asked => "【{organisation}】您的投訴{reference}需要您補充情況。{ask}",
                Self::Duty => {
                    "【{organisation}】值班提醒：投訴{reference}，{clock}，時限{due}。請登入系統處理。"
                }
                Self::Progress => "【{organisation}】{progress}",
                Self::UnknownNumber => {
                    "【{organisation}】沒有查到您的這一投訴。請核對回執上的編號，用登記投訴時的手機號發送。"
                }
            },
            Language::En => match self {
                Self::Accepted => {
                    "[{organisation}] Your complaint has been accepted, number {reference}. {ask}"
                }
                Self::Dispatched => {
                    "[{organisation}] Your complaint {reference}: dispatched for investigation. {ask}"
                }
                Self::Investigated => {
                    "[{organisation}] Your complaint {reference}: initial investigation done. {ask}"
                }
                Self::Completed => "[{organisation}] Your complaint {reference}: completed. {ask}",
                Self::Withdrawn => {
                    "[{organisation}] Your complaint {reference}: completed (withdrawn). {ask}"
                }
                Self::Extended => {
                    "[{organisation}] Your complaint {reference} needs more time; you will be \
                     answered by {until} at the latest. {ask}"
                }
                Self::Asked => {
                    "[{organisation}] We need to know more about your complaint {reference}. {ask}"
                }
                Self::Duty => {
                    "[{organisation}] Duty: complaint {reference}, {clock}, due {due}. Please sign \
                     in and see to it."
                }
                Self::Progress => "[{organisation}] {progress}",
                Self::UnknownNumber => {
                    "[{organisation}] No such complaint of yours was found. Please check the \
                     number on the receipt and write from the phone you gave with it."
                }
            },
        }
    }
}

fn slot(parameter: Parameter) -> String {
    format!("{{{}}}", parameter.name())
}

/// A customer state in the words of the receipt and of the status page.
pub fn state_words(state: CustomerState, language: Language) -> &'static str {
    match (language, state) {
        (Language::ZhCn | Language::ZhTw, CustomerState::Accepted) => "已受理",
        (Language::ZhCn, CustomerState::Dispatched) => "已派专业部门查证处理",
        (Language::ZhCn, CustomerState::Investigated) => "已完成初步查证",
        (Language::ZhCn, CustomerState::Completed) => "已完成处理",
        (Language::ZhTw, CustomerState::Dispatched) => "已派專業部門查證處理",
        (Language::ZhTw, CustomerState::Investigated) => "已完成初步查證",
        (Language::ZhTw, CustomerState::Completed) => "已完成處理",
        (Language::En, CustomerState::Accepted) => "accepted",
        (Language::En, CustomerState::Dispatched) => "dispatched for investigation",
        (Language::En, CustomerState::Investigated) => "initial investigation done",
        (Language::En, CustomerState::Completed) => "completed",
    }
}

/// Where the customer can ask: by SMS always, and on the status page where
/// there is one.
pub fn where_to_ask(language: Language, status_url: Option<&str>) -> String {
    match (language, status_url) {
        (Language::ZhCn, None) => "回复TS查询进度。".to_owned(),
        (Language::ZhCn, Some(url)) => format!("回复TS查询进度，或见 {url}"),
        (Language::ZhTw, None) => "回覆TS查詢進度。".to_owned(),
        (Language::ZhTw, Some(url)) => format!("回覆TS查詢進度，或見 {url}"),
        (Language::En, None) => "Reply TS to ask how far it is.".to_owned(),
        (Language::En, Some(url)) => format!("Reply TS to ask how far it is, or see {url}"),
    }
}

/// A date, as the value of [`Parameter::Until`].
pub fn date(language: Language, date: NaiveDate) -> String {
    match language {
        Language::ZhCn | Language::ZhTw => date.format("%Y年%-m月%-d日").to_string(),
        Language::En => date.format("%-d %B %Y").to_string(),
    }
}

/// A moment in civil time, to the minute, as the value of [`Parameter::Due`].
pub fn moment(language: Language, at: NaiveDateTime) -> String {
    match language {
        Language::ZhCn | Language::ZhTw => at.format("%-m月%-d日%H:%M").to_string(),
        Language::En => at.format("%-d %B %H:%M").to_string(),
    }
}

/// The name of a clock, as the value of [`Parameter::Clock`]: in the words of
/// the consoles.
pub fn clock_words(clock: Clock, language: Language) -> &'static str {
    let [zh_cn, zh_tw, en] = match clock {
        Clock::Assessment => ["定级", "定級", "Assessment"],
        Clock::Handoff => ["一小时转派", "一小時轉派", "One-hour handoff"],
        Clock::Grade1Alert => ["一级告警", "一級告警", "Grade-1 alert"],
        Clock::FirstResponse => ["首次答复", "首次答覆", "First response"],
        Clock::InitialAnalysis => ["初步分析", "初步分析", "Initial analysis"],
        Clock::Department => ["部门查证", "部門查證", "Department"],
        Clock::Measure => ["方案措施", "方案措施", "Measure"],
        Clock::Feedback => ["结果反馈", "結果反饋", "Feedback"],
        Clock::Cycle => ["办理周期", "辦理週期", "Handling cycle"],
        Clock::CallBack => ["回访", "回訪", "Call-back"],
        Clock::OuterLimit => ["最长时限", "最長時限", "Outer limit"],
    };
    match language {
        Language::ZhCn => zh_cn,
        Language::ZhTw => zh_tw,
        Language::En => en,
    }
}

/// Complaints with their states, as the value of [`Parameter::Progress`].
pub fn progress<'c>(
    language: Language,
    complaints: impl IntoIterator<Item = (&'c ReferenceNumber, CustomerState)>,
) -> String {
    let (between, behind, end) = match language {
        Language::ZhCn | Language::ZhTw => ("：", "；", "。"),
        Language::En => (": ", "; ", "."),
    };
    let lines: Vec<String> = complaints
        .into_iter()
        .map(|(reference, state)| format!("{reference}{between}{}", state_words(state, language)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("{}{end}", lines.join(behind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LANGUAGES: [Language; 3] = [Language::ZhCn, Language::ZhTw, Language::En];

    fn reference() -> ReferenceNumber {
        let date = NaiveDate::from_ymd_opt(2026, 7, 21).unwrap();
        ReferenceNumber::compose(&"CQ0123".parse().unwrap(), date, "A", 42).unwrap()
    }

    fn all(language: Language) -> Parameters {
        Parameters {
            organisation: Some("某某通信".into()),
            reference: Some(reference()),
            ask: Some(where_to_ask(language, Some("https://s.example/q"))),
            progress: Some(progress(
                language,
                [(&reference(), CustomerState::Dispatched)],
            )),
            until: NaiveDate::from_ymd_opt(2026, 8, 9).map(|day| date(language, day)),
            clock: Some(clock_words(Clock::Feedback, language).into()),
            due: NaiveDate::from_ymd_opt(2026, 8, 9)
                .and_then(|day| day.and_hms_opt(9, 5, 0))
                .map(|at| moment(language, at)),
        }
    }

    /// Every wording, so that a change to one is seen in review: with it the
    /// version has to rise.
    #[test]
    fn wordings() {
        let mut lines = Vec::new();
        for template in Template::ALL {
            for language in LANGUAGES {
                let text = template.render(language, &all(language)).unwrap();
                let version = template.version();
                lines.push(format!("{} {version} {text}", template.name()));
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn names_are_what_serde_writes_and_read_back() {
        for template in Template::ALL {
            assert_eq!(serde_json::to_value(template).unwrap(), template.name());
            assert_eq!(Template::from_name(template.name()), Some(template));
        }
    }

    #[test]
    fn every_state_has_its_words_in_its_text() {
        for (template, state) in [
            (Template::Accepted, CustomerState::Accepted),
            (Template::Dispatched, CustomerState::Dispatched),
            (Template::Investigated, CustomerState::Investigated),
            (Template::Completed, CustomerState::Completed),
            (Template::Withdrawn, CustomerState::Completed),
        ] {
            for language in LANGUAGES {
                let text = template.render(language, &all(language)).unwrap();
                assert!(text.contains(state_words(state, language)), "{text}");
                assert!(text.contains(reference().as_str()), "{text}");
            }
        }
    }

    fn without(parameters: &Parameters, parameter: Parameter, how: &str) -> Parameters {
        let mut less = parameters.clone();
        let nothing = (!how.is_empty()).then(|| how.to_owned());
        match parameter {
            Parameter::Organisation => less.organisation = nothing,
            Parameter::Reference => less.reference = None,
            Parameter::Ask => less.ask = nothing,
            Parameter::Progress => less.progress = nothing,
            Parameter::Until => less.until = nothing,
            Parameter::Clock => less.clock = nothing,
            Parameter::Due => less.due = nothing,
        }
        less
    }

    #[test]
    fn a_missing_or_empty_parameter_is_refused_by_its_name() {
        for template in Template::ALL {
            for language in LANGUAGES {
                let named: Vec<_> = template.parameters(language).collect();
                assert!(named.contains(&Parameter::Organisation));
                for parameter in Parameter::ALL {
                    for how in ["", " ", "\t\n"] {
                        let less = without(&all(language), parameter, how);
                        let made = template.render(language, &less);
                        if named.contains(&parameter) {
                            assert_eq!(made, Err(RenderError::Missing(parameter)));
                        } else {
                            assert!(made.is_ok());
                        }
                    }
                }
            }
        }
        let error = RenderError::Missing(Parameter::Ask).to_string();
        assert_eq!(error, "the parameter ask is missing");
    }

    proptest! {
        #[test]
        fn a_value_is_put_in_as_it_is(organisation in "\\PC{1,20}") {
            prop_assume!(!organisation.trim().is_empty());
            for template in Template::ALL {
                let parameters = Parameters {
                    organisation: Some(organisation.clone()),
                    ..all(Language::ZhCn)
                };
                let text = template.render(Language::ZhCn, &parameters).unwrap();
                prop_assert!(text.contains(organisation.trim()));
            }
        }
    }
}
