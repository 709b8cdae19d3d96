//! What letters say beside the answer itself, as the administrator has set it.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use suda_domain::intake::Language;
use suda_letter::Currency;
use utoipa::ToSchema;

/// Days a customer has to go to the next level, unless the answer says another.
const USUAL_DAYS: u32 = 30;

/// A text in the three languages; an empty one falls back to the usual words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct InLanguages {
    pub zh_cn: String,
    pub zh_tw: String,
    pub en: String,
}

impl InLanguages {
    fn of(&self, language: Language) -> &str {
        match language {
            Language::ZhCn => &self.zh_cn,
            Language::ZhTw => &self.zh_tw,
            Language::En => &self.en,
        }
    }
}

/// Used where an answer does not say it, as of what a counter settled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LetterSettings {
    /// Where a customer goes who is not satisfied.
    pub next_level: InLanguages,
    /// Days from the answer until which they may.
    pub next_level_days: u32,
    /// Who answers questions about a letter, and how they are reached.
    pub contact: InLanguages,
    /// What the installation's sums are in.
    pub currency: Currency,
}

impl Default for LetterSettings {
    fn default() -> Self {
        Self {
            next_level: InLanguages::default(),
            next_level_days: USUAL_DAYS,
            contact: InLanguages::default(),
            currency: Currency::default(),
        }
    }
}

impl LetterSettings {
    /// Where to go next: as set, else the organisation's expert team.
    pub fn next_level(&self, language: Language, organisation: &str) -> String {
        let set = self.next_level.of(language).trim();
        match language {
            _ if !set.is_empty() => set.to_owned(),
            Language::ZhCn => format!("{organisation}投诉处理专家组"),
            Language::ZhTw => format!("{organisation}投訴處理專家組"),
            Language::En => format!("The complaint experts of {organisation}"),
        }
    }

    /// The last day for it.
    pub fn until(&self, answered: NaiveDate) -> NaiveDate {
        answered
            .checked_add_days(Days::new(u64::from(self.next_level_days)))
            .unwrap_or(answered)
    }

    /// Whom to ask: as set, else the branch.
    pub fn contact(&self, language: Language, branch: &str) -> String {
        let set = self.contact.of(language).trim();
        match language {
            _ if !set.is_empty() => set.to_owned(),
            Language::ZhCn => format!("受理网点（{branch}）"),
            Language::ZhTw => format!("受理據點（{branch}）"),
            Language::En => format!("Your branch ({branch})"),
        }
    }
}
