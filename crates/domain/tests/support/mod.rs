//! Complaints, people and facts to try the rules on.

#![allow(dead_code, reason = "each test file uses a part of it")]

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::clocks::Clock;
use suda_domain::complaint::{Applied, Complaint, Refusal};
use suda_domain::escalation::Level;
use suda_domain::fact::{
    AskedOf, Assignee, Decision, Fact, FactKind, HandoffCause, ReleaseCause, Report, Source,
    Stance, TryOutcome,
};
use suda_domain::intake::Language;
use suda_domain::{
    Actor, BranchCode, ComplaintId, Complexity, DeviceId, EventKey, Evidence, EvidenceId,
    EvidenceKind, Grade, HandoffPacket, Lane, LeaseId, LedgerEvent, Letter, LetterId, LetterKind,
    MeasureId, QuestionId, ReferenceNumber, Relation, Role, StaffId, Stamp, TaskId,
};
use uuid::Uuid;

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub fn actor(role: Role) -> Actor {
    let branch = role.is_of_branch().then(branch);
    Actor {
        staff: Some(StaffId(id(role as u128 + 1))),
        name: role.name().into(),
        role,
        branch,
    }
}

pub fn packet(complaint: Option<&Complaint>, upto_n: u64) -> HandoffPacket {
    HandoffPacket {
        reference: reference(),
        branch: branch(),
        arrived_at: start(),
        recorded_at: start(),
        late: false,
        intake: complaint.map(|c| c.intake.clone()).unwrap_or_default(),
        cut: false,
        grade: complaint.and_then(|c| c.grade).unwrap_or(Grade::Two),
        complexity: Complexity::Complex,
        cycle: complaint.map_or(1, |c| c.cycle),
        recused: complaint.map(|c| c.recused.clone()).unwrap_or_default(),
        upto_n,
    }
}

pub fn reference() -> ReferenceNumber {
    let date = start().date_naive();
    ReferenceNumber::compose(&branch(), date, "A", 42).unwrap()
}

pub fn event(
    n: u64,
    lane: Lane,
    minute: i64,
    owner_no: u32,
    actor: Actor,
    fact: Fact,
) -> LedgerEvent {
    LedgerEvent {
        key: EventKey {
            device: DeviceId(id(99)),
            incarnation: 1,
            lane,
            n,
        },
        complaint: ComplaintId(id(7)),
        owner_no,
        at: Stamp {
            wall: start() + TimeDelta::minutes(minute),
            mono_ms: 0,
            hub_offset_ms: None,
            offset_age_s: None,
        },
        actor,
        fact,
        origin: None,
    }
}

pub fn recorded(arrived_at: DateTime<Utc>, late: bool) -> LedgerEvent {
    event(
        1,
        Lane::Ordinary,
        0,
        1,
        actor(Role::Clerk),
        Fact::Recorded {
            reference: reference(),
            intake: Box::default(),
            arrived_at,
            late,
            source: Source::Form,
        },
    )
}

pub fn assessed(grade: Grade, complexity: Complexity) -> Fact {
    Fact::Assessed {
        category: "A.01.01".into(),
        grade,
        complexity,
        suggestion: None,
        override_reason: None,
    }
}

pub fn photo(number: u128) -> Evidence {
    Evidence {
        id: EvidenceId(id(2000 + number)),
        name: "账单.jpg".into(),
        kind: EvidenceKind::Photo,
        media_type: "image/jpeg".into(),
        bytes: 1000,
        sha256: "ab".repeat(32),
    }
}

/// A fact of every kind, made to fit the complaint where it can.
pub fn fact(kind: FactKind, c: &Complaint, n: u64) -> Fact {
    let text = || "说明".to_owned();
    let lease = c.claim.as_ref().map_or(LeaseId(id(5)), |claim| claim.lease);
    let task = c
        .tasks
        .iter()
        .find(|t| t.is_open())
        .map_or(TaskId(id(0)), |t| t.id);
    let department = actor(Role::Department).staff.unwrap();
    match kind {
        FactKind::Recorded => recorded(start(), false).fact,
        FactKind::Assessed => assessed(
            if n.is_multiple_of(3) {
                Grade::One
            } else {
                Grade::Two
            },
            Complexity::Complex,
        ),
        FactKind::KeptInBranch => Fact::KeptInBranch,
        FactKind::HandedOff => Fact::HandedOff {
            packet: Box::new(packet(Some(c), 0)),
            cause: HandoffCause::Manual,
        },
        FactKind::Noted => Fact::Noted { text: text() },
        FactKind::Paused => Fact::Paused {
            reason: text(),
            name: text(),
            note: text(),
        },
        FactKind::Resumed => Fact::Resumed,
        FactKind::Graded => Fact::Graded {
            grade: Grade::Three,
            reason: text(),
        },
        FactKind::Escalated => Fact::Escalated {
            clock: Clock::Cycle,
            task: None,
            level: Level::Remind,
            due: start(),
            texted: false,
        },
        FactKind::EscalationSeen => Fact::EscalationSeen {
            clock: Clock::Cycle,
            task: None,
            level: Level::Remind,
            due: start(),
        },
        FactKind::Recused => Fact::Recused {
            staff: StaffId(id(3000 + u128::from(n))),
            name: text(),
            reason: text(),
        },
        FactKind::RecusalLifted => Fact::RecusalLifted {
            staff: c.recused.first().map_or(StaffId(id(0)), |one| one.staff),
            reason: text(),
        },
        FactKind::Linked => Fact::Linked {
            to: ComplaintId(id(4000 + u128::from(n))),
            reference: reference(),
            relation: Relation::Related,
            note: text(),
        },
        FactKind::Unlinked => Fact::Unlinked {
            to: c.links.first().map_or(ComplaintId(id(0)), |link| link.to),
            note: text(),
        },
        FactKind::EvidenceAdded => Fact::EvidenceAdded {
            file: photo(u128::from(n)),
        },
        FactKind::LetterMade => Fact::LetterMade {
            letter: Letter {
                id: LetterId(id(u128::from(n))),
                kind: LetterKind::Letter,
                language: Language::ZhCn,
                sha256: "a".repeat(64),
                bytes: 60_000,
            },
        },
        FactKind::Queued => Fact::Queued,
        FactKind::Claimed => Fact::Claimed {
            lease: LeaseId(id(5)),
            until: start(),
        },
        FactKind::Released => Fact::Released {
            lease,
            cause: ReleaseCause::GivenBack,
        },
        FactKind::ReturnedToBranch => Fact::ReturnedToBranch { reason: text() },
        FactKind::Dispatched => Fact::Dispatched {
            task: TaskId(id(1000 + u128::from(n))),
            department,
            department_name: text(),
            question: text(),
            due_at: start(),
        },
        FactKind::TaskAccepted => Fact::TaskAccepted { task },
        FactKind::TaskRejected => Fact::TaskRejected {
            task,
            reason: text(),
        },
        FactKind::Reported => Fact::Reported {
            task: c.tasks.iter().any(|t| t.is_open()).then_some(task),
            report: Report {
                root_cause: text(),
                impact: text(),
                proposal: text(),
                ..Report::default()
            },
        },
        FactKind::TaskRecalled => Fact::TaskRecalled {
            task,
            reason: text(),
        },
        FactKind::Asked => Fact::Asked {
            question: QuestionId(id(3000 + u128::from(n))),
            of: AskedOf::Customer,
            task: None,
            text: text(),
        },
        FactKind::Replied => Fact::Replied {
            question: c
                .questions
                .last()
                .map_or(QuestionId(id(0)), |asked| asked.id),
            text: text(),
        },
        FactKind::ExtensionRequested => Fact::ExtensionRequested {
            task: None,
            until: start() + TimeDelta::days(30),
            reason: text(),
        },
        FactKind::Extended => Fact::Extended {
            task: None,
            until: start() + TimeDelta::days(30),
            reason: text(),
        },
        FactKind::ExtensionRefused => Fact::ExtensionRefused {
            task: None,
            reason: text(),
        },
        FactKind::ApprovalRequested => Fact::ApprovalRequested {
            reason: text(),
            compensation_minor: Some(10_000),
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
            stance: Stance::Against,
        },
        FactKind::MeasureProgressed => Fact::MeasureProgressed {
            measure: c
                .plan
                .first()
                .map_or(MeasureId(id(0)), |one| one.measure.id),
            percent: 100,
            note: text(),
        },
        FactKind::CallBackAssigned => Fact::CallBackAssigned {
            to: Assignee {
                staff: StaffId(id(600)),
                name: text(),
            },
        },
        FactKind::CallBackTried => Fact::CallBackTried {
            outcome: TryOutcome::NoAnswer,
            comment: text(),
        },
        FactKind::Rated => Fact::Rated {
            score: 4,
            comment: text(),
        },
        FactKind::FinallyDecided => Fact::FinallyDecided { reason: text() },
        FactKind::Disapproved => Fact::Disapproved { reason: text() },
        FactKind::SolvingStarted => Fact::SolvingStarted { plan: Vec::new() },
        FactKind::Implemented => Fact::Implemented { summary: text() },
        FactKind::Answered => Fact::Answered {
            decision: Decision::Upheld,
            text: text(),
            remedy: text(),
            reasons: String::new(),
            amount_minor: None,
            next_level: String::new(),
            next_level_until: None,
            guidance: None,
            deviation: String::new(),
        },
        FactKind::Settled => Fact::Settled {
            summary: text(),
            remedy: text(),
            amount_minor: None,
            guidance: None,
            deviation: String::new(),
        },
        FactKind::CalledBack => Fact::CalledBack {
            satisfied: true,
            comment: text(),
            score: Some(5),
            causes: Vec::new(),
        },
        FactKind::Closed => Fact::Closed,
        FactKind::Withdrawn => Fact::Withdrawn { reason: text() },
        FactKind::Reopened => Fact::Reopened { reason: text() },
        FactKind::Archived => Fact::Archived,
        FactKind::AlertAcknowledged => Fact::AlertAcknowledged,
        FactKind::TakenOver => Fact::TakenOver { reason: text() },
        FactKind::Assigned => Fact::Assigned {
            to: Assignee {
                staff: StaffId(Uuid::nil()),
                name: text(),
            },
        },
        FactKind::TimeCorrected => Fact::TimeCorrected {
            arrived: None,
            steps: Vec::new(),
        },
    }
}

pub fn apply(c: &mut Complaint, role: Role, fact: Fact, n: u64) -> Result<Applied, Refusal> {
    let who = actor(role);
    c.admit(&who, &fact)?;
    c.apply(&event(n, Lane::Ordinary, n as i64, c.owner_no, who, fact))
}
