//! What is proposed while the form is filled in. The rules are the judge's.

use std::sync::PoisonError;

use suda_domain::Intake;
use suda_domain::guidance;
use suda_judge::{Case, Suggestion};

use crate::desk::{Desk, Enrolled, Inner};
use crate::session::SessionError;
use crate::view::{AdviceView, Assessment};

impl Desk {
    /// Suggestion, guidance and what is still missing, for a form as it stands.
    pub fn advise(&self, intake: Intake) -> Result<AdviceView, SessionError> {
        let enrolled = self.inner.enrolled()?;
        let intake = intake.cleaned();
        let suggestion = self.inner.suggest(&enrolled, &intake);
        let category = match intake.category.as_str() {
            "" => suggestion.category.as_deref(),
            chosen => Some(chosen),
        };
        let all = &enrolled.directory.guidance;
        Ok(AdviceView {
            guidance: category
                .and_then(|code| guidance::for_category(all, code))
                .cloned(),
            problems: intake.problems(&enrolled.directory.categories, self.inner.now()),
            matters: enrolled.matters(&intake, category),
            suggestion,
        })
    }
}

/// The last form judged, and what came of it.
pub(crate) struct Judged {
    intake: Intake,
    directory: u32,
    suggestion: Suggestion,
}

impl Inner {
    /// The suggestion for a form. A form is judged as it is typed and again
    /// when it is saved; the second time the answer is there already.
    pub(crate) fn suggest(&self, enrolled: &Enrolled, intake: &Intake) -> Suggestion {
        let directory = enrolled.directory.version;
        let mut last = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && known.directory == directory
            && known.intake == *intake
        {
            return known.suggestion.clone();
        }
        let suggestion = enrolled.with_group(enrolled.suggest(intake), intake);
        *last = Some(Judged {
            intake: intake.clone(),
            directory,
            suggestion: suggestion.clone(),
        });
        suggestion
    }
}

impl Enrolled {
    /// The category the text alone suggests; grade and complexity for the
    /// category chosen, when one is.
    pub(crate) fn suggest(&self, intake: &Intake) -> Suggestion {
        let case = Case {
            description: &intake.description,
            remedy_sought: &intake.remedy_sought,
            category: None,
            amount_minor: intake.amount_minor,
            group_size: intake.group.len(),
            channel: Some(intake.channel),
            ..Case::default()
        };
        let free = suda_judge::suggest(&self.rules, &case);
        if intake.category.is_empty() || free.category.as_deref() == Some(&intake.category) {
            return free;
        }
        let category = Some(intake.category.as_str());
        let chosen = suda_judge::suggest(&self.rules, &Case { category, ..case });
        Suggestion {
            category: free.category,
            category_reason: free.category_reason,
            ..chosen
        }
    }
}

/// Whether the person decides otherwise than the rules propose, so that the
/// ledger needs the reason.
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
