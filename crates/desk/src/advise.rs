//! What is proposed while the form is filled in. Rules and what was learned are
//! the judge's; the customer's earlier complaints are those this desk may see.

use std::sync::PoisonError;

use suda_domain::guidance;
use suda_domain::{Intake, StaffId};
use suda_judge::handoff::{Traits, weigh};
use suda_judge::{Case, Suggestion, Versioned, propose};

use crate::desk::{Desk, Enrolled, Inner};
use crate::session::{Session, SessionError};
use crate::store::search;
use crate::view::{AdviceView, Assessment};

/// Digits a number needs to be looked up: shorter ones are many people's.
const SHORTEST_PHONE: usize = 7;
/// Earlier complaints counted at most.
const MOST_EARLIER: i64 = 50;

impl Desk {
    /// Suggestion, guidance and what is still missing, for a form as it stands.
    pub async fn advise(
        &self,
        session: &Session,
        intake: Intake,
    ) -> Result<AdviceView, SessionError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let intake = intake.cleaned();
        let staff = session.staff_id();
        let suggestion = self.inner.suggest(&enrolled, &intake, staff).await;
        let category = match intake.category.as_str() {
            "" => suggestion.category.as_deref(),
            chosen => Some(chosen),
        };
        let by_rule = suggestion.guidance.as_ref().map(|one| one.value.as_str());
        let all = &enrolled.directory.guidance;
        let for_code = |code| guidance::for_category(all, code);
        Ok(AdviceView {
            guidance: by_rule
                .and_then(for_code)
                .or_else(|| category.and_then(for_code))
                .cloned(),
            problems: intake.problems(&enrolled.directory.categories, self.inner.now()),
            earlier: self.inner.earlier(&enrolled, &intake, staff).await,
            model: self.inner.models.status(&enrolled.directory),
            matters: enrolled.matters(&intake, category),
            suggestion,
        })
    }
}

/// The last form judged, and what came of it.
pub(crate) struct Judged {
    intake: Intake,
    directory: u32,
    model: Option<u32>,
    earlier: u32,
    suggestion: Suggestion,
}

/// How often a customer has complained before, as somebody may know.
pub(crate) struct Earlier {
    phone: String,
    staff: StaffId,
    count: u32,
}

impl Inner {
    /// The suggestion for a form. A form is judged as it is typed and again
    /// when it is saved; the second time the answer is there already.
    pub(crate) async fn suggest(
        &self,
        enrolled: &Enrolled,
        intake: &Intake,
        staff: StaffId,
    ) -> Suggestion {
        let earlier = self.earlier(enrolled, intake, staff).await;
        let held = self.models.in_use(&enrolled.directory);
        let model = held.as_ref().map(|held| held.versioned());
        let version = model.map(|model| model.version);
        let directory = enrolled.directory.version;
        let mut last = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && (known.directory, known.model, known.earlier) == (directory, version, earlier)
            && known.intake == *intake
        {
            return known.suggestion.clone();
        }
        let suggestion = enrolled.suggest(intake, model, earlier);
        let suggestion = enrolled.with_group(suggestion, intake);
        *last = Some(Judged {
            intake: intake.clone(),
            directory,
            model: version,
            earlier,
            suggestion: suggestion.clone(),
        });
        suggestion
    }

    /// Complaints with the form's telephone number that this member of staff
    /// may see. Looked up once for a number; what arrives makes it look again.
    async fn earlier(&self, enrolled: &Enrolled, intake: &Intake, staff: StaffId) -> u32 {
        let phone = digits(&intake.phone);
        if phone.len() < SHORTEST_PHONE {
            return 0;
        }
        let last = || self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last()
            && (known.phone.as_str(), known.staff) == (phone.as_str(), staff)
        {
            return known.count;
        }
        let counted = async {
            let reader = enrolled.reader(staff)?;
            let mut conn = self.store.read().await?;
            search::find(&mut conn, &phone, MOST_EARLIER, &reader).await
        };
        let found = match counted.await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "earlier complaints were not looked up");
                return 0;
            }
        };
        let same = found
            .iter()
            .filter(|stored| digits(&stored.complaint.intake.phone) == phone);
        let count = u32::try_from(same.count()).unwrap_or(u32::MAX);
        *last() = Some(Earlier {
            phone,
            staff,
            count,
        });
        count
    }
}

fn digits(phone: &str) -> String {
    let half = suda_domain::text::to_half_width(phone);
    half.chars().filter(char::is_ascii_digit).collect()
}

impl Enrolled {
    /// The category the text alone suggests; everything else for the category
    /// chosen, when one is.
    pub(crate) fn suggest(
        &self,
        intake: &Intake,
        model: Option<Versioned<'_>>,
        earlier: u32,
    ) -> Suggestion {
        let category = Some(intake.category.as_str());
        let case = Case {
            description: &intake.description,
            remedy_sought: &intake.remedy_sought,
            category: category.filter(|chosen| !chosen.is_empty()),
            amount_minor: intake.amount_minor,
            group_size: intake.group.len(),
            earlier,
            channel: Some(intake.channel),
            branch: self.directory.branch.as_str(),
        };
        let suggestion = propose(&self.rules, model, &case);
        let Some(handoffs) = &self.handoffs else {
            return suggestion;
        };
        let category = case.category.or(suggestion.category.as_deref());
        let category = category.unwrap_or_default().to_owned();
        let policy = self.keep.latest();
        let guidance = &self.directory.guidance;
        let traits = Traits {
            category: &category,
            grade: suggestion.grade,
            amount_minor: case.amount_minor,
            limit_minor: guidance::limit_for(guidance, &category, policy.compensation_limit),
            earlier,
            group_size: case.group_size,
            channel: case.channel,
            branch: case.branch,
        };
        weigh(suggestion, handoffs, &traits, policy.missed_handoff_costs)
    }
}

/// Whether the person decides otherwise than is proposed, so that the ledger
/// needs the reason.
pub(crate) fn is_override(
    suggestion: &Suggestion,
    intake: &Intake,
    assessment: &Assessment,
) -> bool {
    suggestion.grade != assessment.grade
        || suggestion.complexity != assessment.complexity
        || suggestion
            .category
            .as_ref()
            .is_some_and(|category| *category != intake.category)
}
