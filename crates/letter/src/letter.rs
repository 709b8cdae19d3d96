//! What a letter says, and whether anything is missing that has to be in it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::fact::Decision;
use suda_domain::intake::Language;

/// An answer to the customer, ready to be set. Texts are as people wrote them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub language: Language,
    pub organisation: String,
    /// Where the complaint was made.
    pub branch: String,
    /// The complaint's reference number.
    pub reference: String,
    /// 1 for the first answer; reopening adds one.
    pub cycle: u32,
    /// Names this document beside the others of its complaint.
    pub document: String,
    /// The day at the head of the letter.
    pub dated: NaiveDate,
    /// When it was made, kept in the file's own description.
    pub made_at: DateTime<Utc>,
    /// The customer's name as given; absent for an anonymous one.
    pub customer: Option<String>,
    /// Absent for a simple complaint, which gets a short written summary.
    pub decision: Option<Decision>,
    /// Why it was decided so.
    pub reasons: String,
    pub text: String,
    pub remedy: String,
    pub amount: Option<Money>,
    /// What has been put right.
    pub measures: Vec<String>,
    /// Where the customer may go with it if not satisfied.
    pub next_level: String,
    /// The last day for that.
    pub next_level_until: Option<NaiveDate>,
    /// Who answers questions, and how they are reached.
    pub contact: String,
    /// What the QR code says: the page where the customer sees the case, or the
    /// bare reference number where there is no such page.
    pub link: String,
}

/// A sum in a currency's minor unit (分).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

/// The currencies with two decimals that an organisation answers in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Currency {
    #[default]
    Cny,
    Hkd,
    Mop,
    Twd,
}

/// A part of a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Organisation,
    Branch,
    Reference,
    Cycle,
    Document,
    Customer,
    Reasons,
    Text,
    Remedy,
    Amount,
    Measures,
    NextLevel,
    NextLevelUntil,
    Contact,
    Link,
}

/// What is wrong with a part.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Missing,
    /// Longer than its place on the page.
    TooLong,
    /// No web address, a time limit before the letter's day, an amount below zero.
    Invalid,
}

/// One thing to put right before the letter can be made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    pub part: Part,
    pub fault: Fault,
}

/// The longest a free text may be, in characters.
pub const LONGEST_TEXT: usize = 20_000;
/// The longest a text that stands on a line or two may be, in characters.
pub const LONGEST_LINE: usize = 120;
/// The longest contact, in characters.
pub const LONGEST_CONTACT: usize = 240;
/// The longest web address, in bytes: what a QR code of a readable size holds.
pub const LONGEST_LINK: usize = 240;
/// The most measures a letter lists.
pub const MOST_MEASURES: usize = 100;

impl Letter {
    /// Everything that is missing or cannot stand in the letter, in the order
    /// of the page; empty when it can be rendered.
    ///
    /// Every answer has its decision, what the customer receives, the next level
    /// and until when. Reasons may be absent where the customer was right in
    /// everything, the remedy where the complaint is not upheld; a summary needs
    /// neither.
    pub fn check(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        let mut fault = |part, fault| found.push(Problem { part, fault });
        let explained = matches!(
            self.decision,
            Some(Decision::PartlyUpheld | Decision::NotUpheld)
        );
        let owed = matches!(
            self.decision,
            Some(Decision::Upheld | Decision::PartlyUpheld)
        );
        for (part, text, required, longest) in [
            (Part::Organisation, &self.organisation, true, LONGEST_LINE),
            (Part::Branch, &self.branch, true, LONGEST_LINE),
            (Part::Reference, &self.reference, true, LONGEST_LINE),
            (Part::Document, &self.document, true, LONGEST_LINE),
            (Part::Reasons, &self.reasons, explained, LONGEST_TEXT),
            (Part::Text, &self.text, true, LONGEST_TEXT),
            (Part::Remedy, &self.remedy, owed, LONGEST_TEXT),
            (Part::NextLevel, &self.next_level, true, LONGEST_TEXT),
            (Part::Contact, &self.contact, true, LONGEST_CONTACT),
            (Part::Link, &self.link, true, LONGEST_LINK),
        ] {
            if required && is_blank(text) {
                fault(part, Fault::Missing);
            } else if text.chars().count() > longest {
                fault(part, Fault::TooLong);
            }
        }
        if self.cycle == 0 {
            fault(Part::Cycle, Fault::Missing);
        }
        if let Some(name) = &self.customer {
            if is_blank(name) {
                fault(Part::Customer, Fault::Missing);
            } else if name.chars().count() > LONGEST_LINE {
                fault(Part::Customer, Fault::TooLong);
            }
        }
        if self.amount.is_some_and(|amount| amount.minor <= 0) {
            fault(Part::Amount, Fault::Invalid);
        }
        if self.measures.len() > MOST_MEASURES
            || self
                .measures
                .iter()
                .any(|measure| measure.chars().count() > LONGEST_TEXT)
        {
            fault(Part::Measures, Fault::TooLong);
        } else if self.measures.iter().any(|measure| is_blank(measure)) {
            fault(Part::Measures, Fault::Missing);
        }
        match self.next_level_until {
            None => fault(Part::NextLevelUntil, Fault::Missing),
            Some(day) if day < self.dated => fault(Part::NextLevelUntil, Fault::Invalid),
            Some(_) => {}
        }
        let is_address = |start: &str| {
            self.link
                .strip_prefix(start)
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic()))
        };
        let is_link = is_address("https://") || is_address("http://") || !self.has_page();
        if !is_blank(&self.link) && !is_link {
            fault(Part::Link, Fault::Invalid);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Letter {
    /// Whether the QR code leads to a page.
    pub(crate) fn has_page(&self) -> bool {
        self.link != self.reference
    }
}

/// Whether a reader would see nothing.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    })
}
