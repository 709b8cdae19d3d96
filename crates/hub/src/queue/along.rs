//! What answering a case along with the one it follows writes: every step from
//! where it stands to the answer, with the report and the answer of the case
//! that leads. The rules judge each of them.

use chrono::{DateTime, Utc};
use suda_domain::fact::{Assignee, Report};
use suda_domain::guidance::{self, Guidance};
use suda_domain::personal::of_customer;
use suda_domain::{Complaint, ComplaintId, Fact, LeaseId, Relation, StaffId, State};
use uuid::Uuid;

use crate::store::{AlongRefused, Decide, Held, StepRefused};

const NOTHING: StepRefused = StepRefused::Along(AlongRefused::NothingToGive);

/// The case that leads, and who answers.
#[derive(Clone, Debug)]
pub struct Along {
    pub lead: Complaint,
    pub expert: StaffId,
    /// How long a claim made now lasts.
    pub until: DateTime<Utc>,
    /// What was done.
    pub summary: String,
    /// Who asks this customer afterwards.
    pub call_back: Option<Assignee>,
    /// Whose customers the texts that are copied tell of, in all cases that
    /// share them.
    pub told: Vec<Told>,
    /// All that is in force.
    pub guidance: Vec<Guidance>,
}

/// A customer told of in a text that is copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    of: ComplaintId,
    refused: AlongRefused,
}

impl Along {
    pub fn decide(self) -> Decide {
        Box::new(move |held| self.facts(held))
    }

    fn facts(&self, held: &Held) -> Result<Vec<Fact>, StepRefused> {
        let complaint = &held.complaint;
        // Somebody may have parted them meanwhile, or answered it.
        let link = complaint.leading().filter(|link| link.to == self.lead.id);
        let link = link.ok_or(StepRefused::Along(AlongRefused::Parted))?;
        // No customer must read who another one is.
        let is_own = |of: ComplaintId| match link.relation {
            Relation::Duplicate => of == self.lead.id,
            _ => of == complaint.id,
        };
        if let Some(told) = self.told.iter().find(|told| !is_own(told.of)) {
            return Err(StepRefused::Along(told.refused.clone()));
        }
        if complaint.state.is_finished() {
            return Ok(Vec::new());
        }
        // Whose customer was not content with this very answer is not given it
        // a second time.
        let answered = self.lead.marks.answered_at;
        if complaint.reopened_at.is_some_and(|at| Some(at) >= answered) {
            return Err(StepRefused::Along(AlongRefused::NotContent));
        }
        let mut facts = Vec::new();
        match &complaint.claim {
            Some(claim) if claim.expert == self.expert => {}
            Some(claim) => return Err(StepRefused::ClaimedBy(claim.expert_name.clone())),
            None => facts.push(Fact::Claimed {
                lease: LeaseId(Uuid::now_v7()),
                until: self.until,
            }),
        }
        let begins = |states: &[State]| states.contains(&complaint.state);
        let unreported = [
            State::Queued,
            State::Reopened,
            State::Claimed,
            State::Dispatched,
        ];
        if begins(&unreported) {
            facts.push(self.report()?);
        }
        if begins(&unreported) || begins(&[State::Analysed]) {
            // The measures are those of the case that leads.
            facts.push(Fact::SolvingStarted { plan: Vec::new() });
        }
        if !begins(&[State::Implemented]) {
            facts.push(Fact::Implemented {
                summary: self.summary.clone(),
            });
        }
        facts.push(self.answer(complaint)?);
        let to = self.call_back.clone();
        facts.extend(to.map(|to| Fact::CallBackAssigned { to }));
        Ok(facts)
    }

    /// Looks for the customers of these cases in what would be copied.
    pub fn look_for<'a>(&mut self, cases: impl Iterator<Item = &'a Complaint>) {
        let told = cases.filter_map(|one| {
            let link = one.leading().filter(|link| link.to == self.lead.id);
            let is_twice = link.is_some_and(|link| link.relation == Relation::Duplicate);
            Some(Told {
                // The customer of a duplicate is that of the case that leads.
                of: if is_twice { self.lead.id } else { one.id },
                refused: self.telling_of(one)?,
            })
        });
        self.told = told.collect();
    }

    /// Which of the texts tells who the customer of the case is.
    fn telling_of(&self, case: &Complaint) -> Option<AlongRefused> {
        let answer = self.lead.answer.iter();
        let answer = answer.flat_map(|one| [&one.text, &one.reasons, &one.remedy]);
        let report = self.lead.report.iter();
        let report = report.flat_map(|one| [&one.root_cause, &one.impact, &one.proposal]);
        let given: Vec<&String> = answer.chain(report).collect();
        let secrets: Vec<&str> = of_customer(&case.intake)
            .into_iter()
            .map(str::trim)
            .filter(|secret| secret.chars().count() >= 2)
            .collect();
        let tells = |text: &str| secrets.iter().any(|secret| text.contains(secret));
        let reference = || case.reference.clone();
        if given.iter().any(|text| tells(text)) {
            return Some(AlongRefused::AnswerNames(reference()));
        }
        tells(&self.summary).then(|| AlongRefused::SummaryNames(reference()))
    }

    /// What the case that leads gave its customer.
    fn amount(&self) -> Option<u32> {
        let answer = self.lead.answer.as_ref();
        let given = answer.and_then(|answer| answer.amount_minor);
        given.and_then(|minor| u32::try_from(minor).ok())
    }

    fn report(&self) -> Result<Fact, StepRefused> {
        let report = self.lead.report.clone().ok_or(NOTHING)?;
        Ok(Fact::Reported {
            task: None,
            report: Report {
                // Files, talks and records belong to the case they were made for.
                attachments: Vec::new(),
                interviews: Vec::new(),
                related: String::new(),
                // What it came to, not what was proposed there.
                compensation_minor: self.amount(),
                ..report
            },
        })
    }

    fn answer(&self, to: &Complaint) -> Result<Fact, StepRefused> {
        let answer = self.lead.answer.clone().ok_or(NOTHING)?;
        let amount_minor = self.amount();
        Ok(Fact::Answered {
            decision: answer.decision.ok_or(NOTHING)?,
            text: answer.text,
            remedy: answer.remedy,
            reasons: answer.reasons,
            amount_minor,
            next_level: answer.next_level,
            next_level_until: answer.next_level_until,
            guidance: guidance::used_for(&self.guidance, &to.intake.category),
            // Said with the answer of the case that leads.
            deviation: String::new(),
        })
    }
}
