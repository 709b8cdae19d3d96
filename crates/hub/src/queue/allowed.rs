//! Which steps are open to somebody now: each is put to the same rules that
//! would judge it, with contents that are complete.

use chrono::{DateTime, Utc};
use suda_domain::Grade;
use suda_domain::fact::{AskedOf, Assignee, Decision, ReleaseCause, Report, Stance, TryOutcome};
use suda_domain::intake::Language;
use suda_domain::{
    Actor, Complaint, ComplaintId, Evidence, EvidenceId, EvidenceKind, Fact, FactKind, LeaseId,
    Letter, LetterId, LetterKind, MeasureId, Policy, QuestionId, Relation, Role, StaffId, TaskId,
};
use uuid::Uuid;

use crate::queue::may_step;
use crate::store::Held;
use crate::store::row::is_alert_pending;

/// The kinds of facts `actor` may write about the complaint, in the order of
/// [`FactKind::ALL`].
pub fn allowed(actor: &Actor, held: &Held, policy: &Policy, now: DateTime<Utc>) -> Vec<FactKind> {
    let may = |fact: Fact| {
        let admitted = held.complaint.admit(actor, &fact);
        admitted.and_then(|()| held.complaint.admit_money(&fact, policy))
    };
    FactKind::ALL
        .iter()
        .copied()
        .filter(|&kind| may_step(actor.role, kind))
        .filter(|&kind| sample(kind, actor, held, now).is_some_and(|fact| may(fact).is_ok()))
        .collect()
}

/// A complete fact of the kind; none for what the console does not write or
/// what has no object now.
fn sample(kind: FactKind, actor: &Actor, held: &Held, now: DateTime<Utc>) -> Option<Fact> {
    let complaint = &held.complaint;
    let text = || "…".to_owned();
    let report = || Report {
        root_cause: text(),
        impact: text(),
        proposal: text(),
        ..Report::default()
    };
    let own_task = complaint
        .tasks
        .iter()
        .find(|task| task.is_open() && Some(task.department) == actor.staff)
        .map(|task| task.id);
    Some(match kind {
        FactKind::Noted => Fact::Noted { text: text() },
        FactKind::Recused => Fact::Recused {
            staff: StaffId(Uuid::nil()),
            name: text(),
            reason: text(),
        },
        FactKind::RecusalLifted => Fact::RecusalLifted {
            staff: complaint.recused.first()?.staff,
            reason: text(),
        },
        FactKind::Linked => Fact::Linked {
            to: ComplaintId(Uuid::nil()),
            reference: complaint.reference.clone(),
            relation: Relation::Related,
            note: String::new(),
        },
        FactKind::Unlinked => Fact::Unlinked {
            to: complaint.links.first()?.to,
            note: text(),
        },
        FactKind::EvidenceAdded => Fact::EvidenceAdded {
            file: Evidence {
                id: EvidenceId(Uuid::nil()),
                name: "…".to_owned(),
                kind: EvidenceKind::Photo,
                media_type: "image/png".to_owned(),
                bytes: 1,
                sha256: "0".repeat(64),
            },
        },
        FactKind::Claimed if complaint.claim.is_some() => return None,
        FactKind::Claimed => Fact::Claimed {
            lease: LeaseId(Uuid::nil()),
            until: now,
        },
        FactKind::Released => Fact::Released {
            lease: complaint.claim.as_ref()?.lease,
            cause: ReleaseCause::GivenBack,
        },
        FactKind::ReturnedToBranch => Fact::ReturnedToBranch { reason: text() },
        FactKind::Dispatched => Fact::Dispatched {
            task: TaskId(Uuid::nil()),
            department: actor.staff?,
            department_name: text(),
            question: text(),
            due_at: now,
        },
        FactKind::TaskAccepted => Fact::TaskAccepted { task: own_task? },
        FactKind::TaskRejected => Fact::TaskRejected {
            task: own_task?,
            reason: text(),
        },
        FactKind::Reported => Fact::Reported {
            task: own_task,
            report: report(),
        },
        FactKind::TaskRecalled => Fact::TaskRecalled {
            task: complaint.tasks.iter().find(|task| task.is_open())?.id,
            reason: text(),
        },
        FactKind::Asked => Fact::Asked {
            question: QuestionId(Uuid::max()),
            of: AskedOf::Customer,
            task: own_task,
            text: text(),
        },
        FactKind::Replied => Fact::Replied {
            question: complaint.questions.last()?.id,
            text: text(),
        },
        FactKind::ExtensionRequested => Fact::ExtensionRequested {
            task: own_task,
            until: DateTime::<Utc>::MAX_UTC,
            reason: text(),
        },
        FactKind::Extended => Fact::Extended {
            task: asked_task(complaint, actor)?,
            until: now,
            reason: text(),
        },
        FactKind::ExtensionRefused => Fact::ExtensionRefused {
            task: asked_task(complaint, actor)?,
            reason: text(),
        },
        FactKind::ApprovalRequested => Fact::ApprovalRequested {
            reason: text(),
            compensation_minor: None,
            votes: 1,
        },
        FactKind::Approved => Fact::Approved {
            comment: text(),
            changes: String::new(),
            compensation_minor: None,
        },
        FactKind::CommentsAsked => Fact::CommentsAsked { text: text() },
        FactKind::Commented => Fact::Commented {
            text: text(),
            stance: Stance::Remark,
        },
        FactKind::MeasureProgressed => Fact::MeasureProgressed {
            measure: own_measure(complaint, actor)?,
            percent: 100,
            note: text(),
        },
        FactKind::CallBackAssigned => Fact::CallBackAssigned {
            to: Assignee {
                staff: StaffId(Uuid::nil()),
                name: text(),
            },
        },
        FactKind::CallBackTried => Fact::CallBackTried {
            outcome: TryOutcome::NoAnswer,
            comment: String::new(),
        },
        FactKind::FinallyDecided => Fact::FinallyDecided { reason: text() },
        FactKind::Disapproved => Fact::Disapproved { reason: text() },
        FactKind::SolvingStarted => Fact::SolvingStarted { plan: Vec::new() },
        FactKind::Implemented => Fact::Implemented { summary: text() },
        FactKind::Answered => Fact::Answered {
            decision: Decision::Upheld,
            text: text(),
            remedy: String::new(),
            reasons: String::new(),
            amount_minor: None,
            next_level: String::new(),
            next_level_until: None,
            guidance: None,
            deviation: String::new(),
        },
        FactKind::CalledBack => Fact::CalledBack {
            satisfied: true,
            comment: String::new(),
            score: None,
            causes: Vec::new(),
        },
        FactKind::Closed => Fact::Closed,
        FactKind::Withdrawn => Fact::Withdrawn { reason: text() },
        FactKind::Reopened => Fact::Reopened { reason: text() },
        FactKind::Paused => Fact::Paused {
            reason: text(),
            name: text(),
            note: text(),
        },
        FactKind::Resumed => Fact::Resumed,
        FactKind::Graded => Fact::Graded {
            grade: match complaint.grade {
                Some(Grade::One) => Grade::Two,
                _ => Grade::One,
            },
            reason: text(),
        },
        FactKind::LetterMade => Fact::LetterMade {
            letter: any_letter(complaint)?,
        },
        FactKind::AlertAcknowledged if is_alert_pending(complaint) => Fact::AlertAcknowledged,
        FactKind::AlertAcknowledged
        | FactKind::Recorded
        | FactKind::Assessed
        | FactKind::KeptInBranch
        | FactKind::HandedOff
        | FactKind::Queued
        | FactKind::Settled
        | FactKind::Archived
        | FactKind::Rated
        | FactKind::Escalated
        | FactKind::EscalationSeen
        | FactKind::TakenOver
        | FactKind::Assigned
        | FactKind::TimeCorrected => return None,
    })
}

/// The request for more time that this role answers: the outer limit's for
/// management, a task's for the expert.
fn asked_task(complaint: &Complaint, actor: &Actor) -> Option<Option<TaskId>> {
    let theirs = |task: &Option<TaskId>| task.is_some() == (actor.role == Role::Expert);
    let mut open = complaint
        .extensions
        .iter()
        .filter(|one| one.outcome.is_none());
    open.find(|one| theirs(&one.task)).map(|one| one.task)
}

/// A letter that is not made yet.
fn any_letter(complaint: &Complaint) -> Option<Letter> {
    let languages = [Language::ZhCn, Language::ZhTw, Language::En];
    let mut kinds = LetterKind::ALL
        .into_iter()
        .flat_map(|kind| languages.map(|language| (kind, language)));
    let (kind, language) = kinds.find(|(kind, language)| {
        complaint
            .letter(complaint.cycle, *kind, *language)
            .is_none()
    })?;
    Some(Letter {
        id: LetterId(Uuid::nil()),
        kind,
        language,
        sha256: "0".repeat(64),
        bytes: 1,
    })
}

/// A measure of the plan whose progress they may tell, one that is not done first.
fn own_measure(complaint: &Complaint, actor: &Actor) -> Option<MeasureId> {
    let holds = complaint.claim.as_ref().map(|claim| claim.expert);
    let own = complaint.plan.iter().filter(|planned| {
        actor.staff.is_some() && (actor.staff == planned.measure.staff || actor.staff == holds)
    });
    let first = own.min_by_key(|planned| planned.done_at.is_some())?;
    Some(first.measure.id)
}
