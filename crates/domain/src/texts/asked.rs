//! Which text a change of a complaint asks for.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Mobile, Template};
use crate::complaint::Complaint;
use crate::fact::AskedOf;
use crate::intake::Language;
use crate::reference::ReferenceNumber;
use crate::state::{CustomerState, State};

/// A text that is to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub template: Template,
    pub language: Language,
    pub to: Mobile,
    pub reference: ReferenceNumber,
}

/// A change older than this is no news: it comes from a desk that was away
/// for long, from a hub put back to an earlier moment, to which desks send
/// again what it has lost, or from a row of the past. Long enough for a
/// weekend's outage, typed up on Monday.
pub const OLD_NEWS: TimeDelta = TimeDelta::days(3);

/// The text that the change from `before` (nothing for a new complaint) to
/// `after` asks for at the moment `now`. None for most changes: the customer
/// is told each of the four states once a cycle, of more time for the answer,
/// and that there is a question.
///
/// Nothing is asked for by an anonymous complaint, nor without a mobile
/// number. Nor by a row of the past, one recorded later than [`OLD_NEWS`]
/// after its customer came: who complained months ago was told of it then,
/// and would take "accepted" for a mistake. When such a complaint is reopened
/// the customer has come again, and is told.
pub fn asked(before: Option<&Complaint>, after: &Complaint, now: DateTime<Utc>) -> Option<Asked> {
    let template = template(before, after)?;
    if after.intake.anonymous || is_of_the_past(after) {
        return None;
    }
    if now - moment(template, after, now) > OLD_NEWS {
        return None;
    }
    Some(Asked {
        template,
        language: after.intake.language,
        to: Mobile::read(&after.intake.phone)?,
        reference: after.reference.clone(),
    })
}

fn template(before: Option<&Complaint>, after: &Complaint) -> Option<Template> {
    of_state(before, after).or_else(|| of_course(before?, after))
}

/// What the customer is told beside the states.
fn of_course(before: &Complaint, after: &Complaint) -> Option<Template> {
    let of_customer = |complaint: &Complaint| {
        let asked = complaint.questions.iter();
        asked.filter(|one| one.of == AskedOf::Customer).count()
    };
    if after.extension_granted(None).is_some() && before.extension_granted(None).is_none() {
        Some(Template::Extended)
    } else if of_customer(after) > of_customer(before) {
        Some(Template::Asked)
    } else {
        None
    }
}

fn of_state(before: Option<&Complaint>, after: &Complaint) -> Option<Template> {
    let before = before.filter(|before| before.cycle == after.cycle);
    let is = after.state.customer_state()?;
    let was = before.and_then(|before| before.state.customer_state());
    if was.is_some_and(|was| was >= is) {
        return None;
    }
    match is {
        CustomerState::Accepted => Some(Template::Accepted),
        CustomerState::Dispatched => {
            let again = before.is_some_and(|before| !before.tasks.is_empty());
            (!again).then_some(Template::Dispatched)
        }
        CustomerState::Investigated => {
            let again = before.is_some_and(|before| before.marks.reported_at.is_some());
            (!again).then_some(Template::Investigated)
        }
        CustomerState::Completed if after.state == State::Withdrawn => Some(Template::Withdrawn),
        CustomerState::Completed => Some(Template::Completed),
    }
}

fn is_of_the_past(complaint: &Complaint) -> bool {
    complaint.late
        && complaint.cycle == 1
        && complaint.recorded_at - complaint.arrived_at > OLD_NEWS
}

/// When it happened what the text tells, as far as the complaint keeps it;
/// steps of the experts are told as they are written.
fn moment(template: Template, complaint: &Complaint, now: DateTime<Utc>) -> DateTime<Utc> {
    let marks = &complaint.marks;
    match template {
        Template::Accepted if complaint.cycle == 1 => complaint.recorded_at,
        Template::Completed => marks.answered_at.or(marks.ended_at).unwrap_or(now),
        Template::Withdrawn => marks.ended_at.unwrap_or(now),
        _ => now,
    }
}
