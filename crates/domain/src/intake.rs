//! What is recorded when a complaint comes in, and when it is complete enough
//! to be one (product.md, "The complaint").

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::category::CategoryTree;
use crate::text::{clean, to_half_width};

/// How the complaint came in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
// The window's bindings have a `Channel` of their own.
#[serde(rename = "IntakeChannel", rename_all = "snake_case")]
pub enum Channel {
    #[default]
    WalkIn,
    Hotline,
    Email,
    Online,
    SocialMedia,
    SupervisionLine,
    StaffReport,
}

/// The language the customer is answered in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Language {
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    #[serde(rename = "zh-TW")]
    ZhTw,
    #[serde(rename = "en")]
    En,
}

/// Somebody who can be reached.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Contact {
    pub name: String,
    pub phone: String,
}

/// Somebody who complains for the customer, and what proves that they may.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Representative {
    pub name: String,
    pub phone: String,
    pub proof: String,
}

/// The form. Empty strings mean "not given".
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Intake {
    pub channel: Channel,
    /// The customer chose not to say who they are; then name and phone may be empty.
    pub anonymous: bool,
    pub name: String,
    pub phone: String,
    pub email: String,
    /// Account or service number.
    pub account: String,
    pub id_number: String,
    pub representative: Option<Representative>,
    /// Up to five representatives of a group.
    pub group: Vec<Contact>,
    /// A leaf of the category tree.
    pub category: String,
    /// The product or service concerned.
    pub business: String,
    pub cause: String,
    /// What happened.
    pub description: String,
    pub occurred_at: Option<DateTime<Utc>>,
    /// Where it happened.
    pub place: String,
    pub remedy_sought: String,
    /// Amount in dispute in the currency's minor unit (分).
    #[cfg_attr(feature = "specta", specta(type = Option<u32>))]
    pub amount_minor: Option<i64>,
    pub language: Language,
    /// References of linked complaints, as typed.
    pub links: Vec<String>,
}

/// A field of the form, for putting a problem beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Phone,
    Email,
    Account,
    IdNumber,
    Representative,
    Group,
    Category,
    Business,
    Cause,
    Description,
    OccurredAt,
    Place,
    RemedySought,
    Amount,
    Links,
    /// When the customer arrived; not typed in the form, but a column of imports.
    ArrivedAt,
}

/// What is wrong with a field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    Required,
    TooLong,
    TooMany,
    NotAPhone,
    NotAnEmail,
    InTheFuture,
    UnknownCategory,
    Negative,
}

/// One thing to mend before the complaint can be recorded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    pub field: Field,
    pub code: ProblemCode,
    /// The bound that was passed, in characters or items, where there is one.
    pub limit: Option<u32>,
}

/// Characters a description may have. At three bytes each this stays within
/// one sync batch of 64 KB.
pub const DESCRIPTION_LIMIT: u32 = 20_000;
/// Characters of a note, a summary, a reason: each travels in one event, and
/// one event must always fit into what the hub takes at once.
pub const STEP_TEXT_LIMIT: u32 = 10_000;
const REMEDY_LIMIT: u32 = 2_000;
const LINE_LIMIT: u32 = 200;
const SHORT_LIMIT: u32 = 80;
const GROUP_LIMIT: u32 = 5;
const LINKS_LIMIT: u32 = 20;
/// A desk's clock may run a little behind the truth.
const CLOCK_TOLERANCE_MINUTES: i64 = 5;

impl Intake {
    /// The form with every text cleaned and phone numbers in one notation.
    pub fn cleaned(mut self) -> Self {
        for text in [
            &mut self.name,
            &mut self.email,
            &mut self.account,
            &mut self.id_number,
            &mut self.category,
            &mut self.business,
            &mut self.cause,
            &mut self.description,
            &mut self.place,
            &mut self.remedy_sought,
        ] {
            *text = clean(text);
        }
        self.phone = tidy_phone(&self.phone);
        self.email = to_half_width(&self.email);
        for contact in &mut self.group {
            contact.name = clean(&contact.name);
            contact.phone = tidy_phone(&contact.phone);
        }
        self.group.retain(|contact| *contact != Contact::default());
        if let Some(r) = &mut self.representative {
            r.name = clean(&r.name);
            r.phone = tidy_phone(&r.phone);
            r.proof = clean(&r.proof);
        }
        self.representative = self
            .representative
            .filter(|r| *r != Representative::default());
        for link in &mut self.links {
            *link = clean(link);
        }
        self.links.retain(|link| !link.is_empty());
        self
    }

    /// Everything that keeps this form from being recorded; empty when it can
    /// be. Expects a [`cleaned`](Self::cleaned) form.
    pub fn problems(&self, tree: &CategoryTree, now: DateTime<Utc>) -> Vec<Problem> {
        let mut found = Vec::new();
        self.missing(tree, &mut found);
        self.overlong(&mut found);
        self.malformed(now, &mut found);
        found
    }

    fn missing(&self, tree: &CategoryTree, found: &mut Vec<Problem>) {
        let mut require = |field, given: bool| {
            if !given {
                found.push(Problem {
                    field,
                    code: ProblemCode::Required,
                    limit: None,
                });
            }
        };
        require(Field::Description, !self.description.is_empty());
        require(Field::RemedySought, !self.remedy_sought.is_empty());
        require(Field::Category, !self.category.is_empty());
        let reachable = !self.phone.is_empty()
            || !self.email.is_empty()
            || self
                .representative
                .as_ref()
                .is_some_and(|r| !r.phone.is_empty())
            || self.group.iter().any(|contact| !contact.phone.is_empty());
        require(Field::Phone, self.anonymous || reachable);
        if let Some(r) = &self.representative {
            require(
                Field::Representative,
                !r.name.is_empty() && !r.proof.is_empty(),
            );
        }
        if !self.category.is_empty() && !tree.is_leaf(&self.category) {
            found.push(Problem {
                field: Field::Category,
                code: ProblemCode::UnknownCategory,
                limit: None,
            });
        }
    }

    fn overlong(&self, found: &mut Vec<Problem>) {
        let mut bound = |field, code, size: usize, limit: u32| {
            if size > limit as usize {
                found.push(Problem {
                    field,
                    code,
                    limit: Some(limit),
                });
            }
        };
        let lines = [
            (Field::Description, &self.description, DESCRIPTION_LIMIT),
            (Field::RemedySought, &self.remedy_sought, REMEDY_LIMIT),
            (Field::Name, &self.name, SHORT_LIMIT),
            (Field::Phone, &self.phone, SHORT_LIMIT),
            (Field::Email, &self.email, LINE_LIMIT),
            (Field::Account, &self.account, SHORT_LIMIT),
            (Field::IdNumber, &self.id_number, SHORT_LIMIT),
            (Field::Business, &self.business, LINE_LIMIT),
            (Field::Cause, &self.cause, LINE_LIMIT),
            (Field::Place, &self.place, LINE_LIMIT),
        ];
        for (field, text, limit) in lines {
            bound(field, ProblemCode::TooLong, text.chars().count(), limit);
        }
        bound(
            Field::Group,
            ProblemCode::TooMany,
            self.group.len(),
            GROUP_LIMIT,
        );
        bound(
            Field::Links,
            ProblemCode::TooMany,
            self.links.len(),
            LINKS_LIMIT,
        );
        for link in &self.links {
            bound(
                Field::Links,
                ProblemCode::TooLong,
                link.chars().count(),
                SHORT_LIMIT,
            );
        }
        for contact in &self.group {
            let longest = contact
                .name
                .chars()
                .count()
                .max(contact.phone.chars().count());
            bound(Field::Group, ProblemCode::TooLong, longest, SHORT_LIMIT);
        }
        if let Some(r) = &self.representative {
            let longest = r.name.chars().count().max(r.phone.chars().count());
            bound(
                Field::Representative,
                ProblemCode::TooLong,
                longest,
                SHORT_LIMIT,
            );
            bound(
                Field::Representative,
                ProblemCode::TooLong,
                r.proof.chars().count(),
                LINE_LIMIT,
            );
        }
    }

    fn malformed(&self, now: DateTime<Utc>, found: &mut Vec<Problem>) {
        let mut refuse = |field, code, wrong: bool| {
            if wrong {
                found.push(Problem {
                    field,
                    code,
                    limit: None,
                });
            }
        };
        refuse(
            Field::Phone,
            ProblemCode::NotAPhone,
            is_wrong_phone(&self.phone),
        );
        refuse(
            Field::Group,
            ProblemCode::NotAPhone,
            self.group
                .iter()
                .any(|contact| is_wrong_phone(&contact.phone)),
        );
        refuse(
            Field::Representative,
            ProblemCode::NotAPhone,
            self.representative
                .as_ref()
                .is_some_and(|r| is_wrong_phone(&r.phone)),
        );
        refuse(
            Field::Email,
            ProblemCode::NotAnEmail,
            is_wrong_email(&self.email),
        );
        refuse(
            Field::Amount,
            ProblemCode::Negative,
            self.amount_minor.is_some_and(|a| a < 0),
        );
        let latest = now + chrono::TimeDelta::minutes(CLOCK_TOLERANCE_MINUTES);
        refuse(
            Field::OccurredAt,
            ProblemCode::InTheFuture,
            self.occurred_at.is_some_and(|at| at > latest),
        );
    }
}

/// Whether an arrival time lies further ahead than a slow clock explains.
pub fn is_in_the_future(arrived_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    arrived_at > now + chrono::TimeDelta::minutes(CLOCK_TOLERANCE_MINUTES)
}

/// A phone number without blanks, dashes and brackets, full-width digits made
/// plain and China's country code dropped.
fn tidy_phone(raw: &str) -> String {
    let kept: String = to_half_width(&clean(raw))
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '(' | ')' | '.' | '·' | '–' | '—'))
        .collect();
    let local = kept
        .strip_prefix("+86")
        .or_else(|| kept.strip_prefix("0086"));
    match local {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => kept,
    }
}

/// Numbering of mainland China (mobile 1[3-9] + 9 digits, area code + 7 or 8
/// digits, 400/800 service numbers) and international form by ITU-T E.164.
fn is_wrong_phone(phone: &str) -> bool {
    if phone.is_empty() {
        return false;
    }
    let (international, digits) = match phone.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, phone),
    };
    if !digits.chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    let second = digits.as_bytes().get(1).copied().unwrap_or_default();
    let fits = if international {
        (7..=15).contains(&digits.len())
    } else if digits.starts_with('0') {
        (10..=12).contains(&digits.len())
    } else if digits.starts_with('1') {
        digits.len() == 11 && (b'3'..=b'9').contains(&second)
    } else if digits.starts_with("400") || digits.starts_with("800") {
        digits.len() == 10
    } else {
        (7..=8).contains(&digits.len())
    };
    !fits
}

fn is_wrong_email(email: &str) -> bool {
    if email.is_empty() {
        return false;
    }
    match email.split_once('@') {
        Some((local, domain)) => {
            local.is_empty()
                || domain.contains('@')
                || !domain.contains('.')
                || domain.starts_with('.')
                || domain.ends_with('.')
                || email.contains(char::is_whitespace)
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::category::Category;

    fn tree() -> CategoryTree {
        let node = |code: &str| Category {
            code: code.into(),
            zh: code.into(),
            en: code.into(),
        };
        CategoryTree {
            version: 1,
            nodes: vec![node("A"), node("A.01")],
        }
    }

    fn complete() -> Intake {
        Intake {
            description: "宽带断了三天".into(),
            remedy_sought: "尽快修好".into(),
            category: "A.01".into(),
            phone: "13800138000".into(),
            ..Intake::default()
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn codes(intake: Intake) -> Vec<(Field, ProblemCode)> {
        intake
            .cleaned()
            .problems(&tree(), now())
            .into_iter()
            .map(|p| (p.field, p.code))
            .collect()
    }

    #[test]
    fn a_complete_form_has_no_problems_and_an_empty_one_names_the_four_required() {
        assert_eq!(codes(complete()), []);
        assert_eq!(
            codes(Intake::default()),
            [
                Field::Description,
                Field::RemedySought,
                Field::Category,
                Field::Phone
            ]
            .map(|field| (field, ProblemCode::Required))
        );
        assert_eq!(
            codes(Intake {
                phone: String::new(),
                anonymous: true,
                ..complete()
            }),
            []
        );
    }

    #[test]
    fn phone_numbers_are_tidied_then_judged() {
        for good in [
            "138 0013 8000",
            "+86-138-0013-8000",
            "１３８００１３８０００",
            "023-6789 0123",
            "(010)12345678",
            "4008123123",
            "67890123",
            "+44 20 7946 0958",
            "00861380013-8000",
        ] {
            assert_eq!(
                codes(Intake {
                    phone: good.into(),
                    ..complete()
                }),
                [],
                "{good}"
            );
        }
        for bad in [
            "12345",
            "1380013800",
            "138001380001",
            "12800138000",
            "电话没有",
            "+123",
            "0231",
        ] {
            assert_eq!(
                codes(Intake {
                    phone: bad.into(),
                    ..complete()
                }),
                [(Field::Phone, ProblemCode::NotAPhone)],
                "{bad}"
            );
        }
    }

    #[test]
    fn a_megabyte_of_text_is_refused_with_its_bound() {
        let huge = Intake {
            description: "诉".repeat(350_000),
            ..complete()
        };
        assert_eq!(
            huge.problems(&tree(), now()),
            [Problem {
                field: Field::Description,
                code: ProblemCode::TooLong,
                limit: Some(DESCRIPTION_LIMIT)
            }]
        );
    }

    #[test]
    fn the_future_and_unknown_categories_and_negative_amounts_are_refused() {
        let wrong = Intake {
            occurred_at: Some(now() + TimeDelta::hours(1)),
            category: "A".into(),
            amount_minor: Some(-1),
            email: "x@y".into(),
            ..complete()
        };
        assert_eq!(
            codes(wrong),
            [
                (Field::Category, ProblemCode::UnknownCategory),
                (Field::Email, ProblemCode::NotAnEmail),
                (Field::Amount, ProblemCode::Negative),
                (Field::OccurredAt, ProblemCode::InTheFuture),
            ]
        );
    }

    #[test]
    fn emoji_and_right_to_left_text_are_kept() {
        let text = "شكوى 😀 网速 ‎慢";
        let kept = Intake {
            description: text.into(),
            ..complete()
        }
        .cleaned();
        assert_eq!(kept.description, text);
        assert_eq!(kept.problems(&tree(), now()), []);
    }
}
