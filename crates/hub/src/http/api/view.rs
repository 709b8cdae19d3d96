//! Complaints as the console shows them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use suda_domain::escalation::{self, Escalation, Seen};
use suda_domain::time::{Stretch, Timekeeping};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::clocks::{Clock, Deadline, deadlines, nearest, why};
use suda_domain::complaint::{
    Answer, Approval, CallBack, Extension, Marks, Owner, PastCycle, Planned, Question, Rating, Task,
};
use suda_domain::fact::{HandoffCause, Report};
use suda_domain::guidance::{Guidance, for_category};
use suda_domain::text::clean;
use suda_domain::trusted::Corrections;
use suda_domain::{
    Actor, Applied, BranchCode, Complaint, ComplaintId, Complexity, CustomerState, Fact, FactKind,
    Grade, Intake, LeaseId, Recusal, ReferenceNumber, Relation, Role, StaffId, State, TaskId,
};
use utoipa::ToSchema;

use super::mask;
use crate::http::error::{ApiError, ApiResult};
use crate::http::session::SignedIn;
use crate::hub::Hub;
use crate::queue::allowed::allowed;
use crate::store::{Held, Stored};

const EXCERPT: usize = 80;

/// One line of a list of complaints.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct WorkOrder {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub branch_name: String,
    pub state: State,
    pub customer_state: Option<CustomerState>,
    pub grade: Option<Grade>,
    pub category: String,
    pub category_zh: String,
    pub category_en: String,
    /// The beginning of what happened.
    pub excerpt: String,
    /// The customer's name, else what they are reached by, masked; empty for
    /// an anonymous one.
    pub customer: String,
    pub arrived_at: DateTime<Utc>,
    pub queued_at: Option<DateTime<Utc>>,
    pub next_clock: Option<Clock>,
    pub next_due: Option<DateTime<Utc>>,
    pub claimed_by: Option<StaffId>,
    pub claimed_by_name: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    /// Recorded after the fact.
    pub late: bool,
    pub open_tasks: u32,
    pub alert_pending: bool,
    /// It is answered with another case.
    pub follows: Option<Relation>,
    /// Who was told highest up of a deadline that still runs.
    pub escalation: Option<Escalation>,
}

/// An expert's hold on it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimView {
    pub lease: LeaseId,
    pub expert: StaffId,
    pub expert_name: String,
    /// As renewed last.
    pub until: DateTime<Utc>,
    /// Whether it lapses at `until`: no first step has bound the case yet.
    pub lapses: bool,
}

/// One clock.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeadlineView {
    #[serde(flatten)]
    pub deadline: Deadline,
    pub running: bool,
    pub breached: bool,
    /// Why the deadline is when it is: every stretch from its beginning to its
    /// end, counted or not, in order.
    pub why: Vec<Stretch>,
}

/// What a customer may be given, and who has to agree; in the smallest unit of
/// the currency.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// The policy's: above it the management group has to approve.
    pub without_approval: u32,
    /// From this sum on two of its members have to.
    pub two_votes_from: u32,
    /// What it has approved: no more may be given. Absent while nothing is.
    pub approved: Option<u32>,
    /// What may be given as it stands.
    pub most: u32,
}

/// What a line of the ledger did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Opened,
    Changed,
    Remark,
    History,
    LateNote,
}

/// One line of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// Place in the hub's log.
    pub seq: u64,
    pub kind: FactKind,
    pub fact: Fact,
    pub actor: Actor,
    /// When it happened, corrected to the hub's clock.
    pub at: DateTime<Utc>,
    /// The device's clock as it stood.
    pub wall: DateTime<Utc>,
    /// The time as it stood before `at` was corrected at a contact with the hub.
    pub was: Option<DateTime<Utc>>,
    pub received_at: DateTime<Utc>,
    pub effect: Effect,
    pub hash: String,
}

/// Everything about one complaint.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ComplaintView {
    pub id: ComplaintId,
    pub reference: ReferenceNumber,
    pub branch: BranchCode,
    pub branch_name: String,
    pub state: State,
    pub customer_state: Option<CustomerState>,
    pub owner: Owner,
    pub owner_no: u32,
    pub recorded_by: Actor,
    pub intake: Intake,
    /// Whether the intake is masked for this reader.
    pub masked: bool,
    /// Whether texts are still the handoff packet's cut ones.
    pub cut: bool,
    pub category_zh: String,
    pub category_en: String,
    pub arrived_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub late: bool,
    pub grade: Option<Grade>,
    pub complexity: Option<Complexity>,
    pub handoff_cause: Option<HandoffCause>,
    pub cycle: u32,
    pub marks: Marks,
    pub claim: Option<ClaimView>,
    pub tasks: Vec<Task>,
    pub report: Option<Report>,
    pub plan: Vec<Planned>,
    pub return_reason: Option<String>,
    pub answer: Option<Answer>,
    /// The management group has to approve what is proposed, for its grade or
    /// its sum, before it is solved.
    pub needs_approval: bool,
    /// Absent for branches and departments.
    pub limits: Option<Limits>,
    /// The cycles before this one, in order.
    pub past: Vec<PastCycle>,
    pub reopened_at: Option<DateTime<Utc>>,
    pub questions: Vec<Question>,
    /// Requests for more time, in order.
    pub extensions: Vec<Extension>,
    /// Requests to the management group, in order.
    pub approvals: Vec<Approval>,
    pub call_back: CallBack,
    pub rating: Option<Rating>,
    pub final_decision: Option<String>,
    pub deadlines: Vec<DeadlineView>,
    /// Of which running deadlines somebody was told, the highest level first.
    pub escalations: Vec<Escalation>,
    /// Who has seen what of them, the first first.
    pub seen: Vec<Seen>,
    pub timeline: Vec<TimelineEntry>,
    pub guidance: Option<Guidance>,
    /// Whom it is about.
    pub recused: Vec<Recusal>,
    /// It is answered with another case.
    pub follows: Option<Relation>,
    /// What the reader may write now.
    pub allowed: Vec<FactKind>,
    /// Whether the reader may renew their claim.
    pub may_renew: bool,
}

/// What rows need beside the complaint, read once a request.
pub struct Names {
    branches: HashMap<BranchCode, String>,
    time: Arc<Timekeeping>,
}

impl Names {
    pub async fn read(hub: &Hub) -> ApiResult<Self> {
        let branches = hub.store.branches().await?;
        Ok(Self {
            branches: branches
                .into_iter()
                .map(|branch| (branch.code, branch.name))
                .collect(),
            time: hub.store.settings().await?.time,
        })
    }

    pub fn branch(&self, code: &BranchCode) -> String {
        self.branches.get(code).cloned().unwrap_or_default()
    }

    pub fn time(&self) -> &Timekeeping {
        &self.time
    }
}

pub fn work_order(hub: &Hub, names: &Names, held: &Held) -> WorkOrder {
    let complaint = &held.complaint;
    let clocks = deadlines(complaint, names.time());
    let next = nearest(&clocks);
    let (category_zh, category_en) = category(hub, &complaint.intake.category);
    WorkOrder {
        id: complaint.id,
        reference: complaint.reference.clone(),
        branch: complaint.branch.clone(),
        branch_name: names.branch(&complaint.branch),
        state: complaint.state,
        customer_state: complaint.state.customer_state(),
        grade: complaint.grade,
        category: complaint.intake.category.clone(),
        category_zh,
        category_en,
        excerpt: excerpt(&complaint.intake.description),
        customer: mask::customer(&complaint.intake),
        arrived_at: complaint.arrived_at,
        queued_at: complaint.marks.queued_at,
        next_clock: next.map(|deadline| deadline.clock),
        next_due: next.map(|deadline| deadline.due),
        claimed_by: complaint.claim.as_ref().map(|claim| claim.expert),
        claimed_by_name: complaint
            .claim
            .as_ref()
            .map(|claim| claim.expert_name.clone()),
        lease_until: held.lease_until.filter(|_| complaint.lapses()),
        late: complaint.late,
        open_tasks: open_tasks(complaint),
        alert_pending: crate::store::row::is_alert_pending(complaint),
        follows: complaint.leading().map(|link| link.relation),
        escalation: escalation::standing(complaint, &clocks).first().copied(),
    }
}

fn open_tasks(complaint: &Complaint) -> u32 {
    let open = complaint.tasks.iter().filter(|task| task.is_open()).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// The beginning of a text in one line.
pub fn excerpt(text: &str) -> String {
    let line: String = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= EXCERPT {
        return line;
    }
    line.chars()
        .take(EXCERPT)
        .chain(std::iter::once('…'))
        .collect()
}

/// A category's names; the code itself when this version does not know it.
pub fn category(hub: &Hub, code: &str) -> (String, String) {
    match hub.rules.tree.get(code) {
        Some(node) => (node.zh.clone(), node.en.clone()),
        None => (code.to_owned(), code.to_owned()),
    }
}

/// Whether the reader may see this complaint at all.
pub fn may_see(who: &SignedIn, complaint: &Complaint) -> bool {
    match who.role() {
        Role::Expert | Role::Management | Role::Auditor => true,
        Role::Clerk | Role::BranchManager => who.staff.branch.as_ref() == Some(&complaint.branch),
        Role::Department => {
            let id = who.staff.id;
            let of_plan = |planned: &Planned| planned.measure.staff == Some(id);
            complaint.tasks.iter().any(|task| task.department == id)
                || complaint.plan.iter().any(of_plan)
        }
        Role::Administrator | Role::System | Role::Customer => false,
    }
}

/// Everything about one complaint, for one reader.
pub async fn complaint(hub: &Hub, who: &SignedIn, held: Held) -> ApiResult<ComplaintView> {
    let names = Names::read(hub).await?;
    let timeline = hub.store.timeline(held.complaint.id, who.reader()).await?;
    let guidance = hub.store.guidance().await?;
    let masked = who.role() == Role::Department;
    let now = hub.clock.now();
    let policy = names.time().latest();
    let allowed = allowed(&who.actor(), &held, policy, now);
    let lease_until = held.lease_until;
    let complaint = held.into_complaint();
    let (category_zh, category_en) = category(hub, &complaint.intake.category);
    let clocks = deadlines(&complaint, names.time());
    let mut escalations = escalation::standing(&complaint, &clocks);
    let mut seen = complaint.seen.clone();
    let mut deadlines: Vec<_> = clocks
        .into_iter()
        .map(|deadline| DeadlineView {
            running: deadline.is_running(),
            breached: !deadline.past_at_recording && deadline.is_breached(now),
            why: why(&complaint, names.time(), &deadline),
            deadline,
        })
        .collect();
    let mine = complaint
        .claim
        .as_ref()
        .is_some_and(|claim| claim.expert == who.staff.id);
    let proposal = Fact::SolvingStarted { plan: Vec::new() };
    let needs_approval =
        complaint.needs_approval() || complaint.admit_money(&proposal, policy).is_err();
    let mut tasks = complaint.tasks.clone();
    let mut timeline = timeline_of(&timeline, masked)?;
    leave_out_links(hub, who, &mut timeline).await?;
    let mut report = complaint.report.clone();
    let mut questions = complaint.questions.clone();
    let mut extensions = complaint.extensions.clone();
    if who.role() == Role::Department {
        // Other departments' questions and findings are not theirs to read.
        tasks.retain(|task| task.department == who.staff.id);
        let of_plan = |id: TaskId| {
            let mut plan = complaint.plan.iter();
            plan.any(|planned| {
                planned.measure.id.as_task() == id && planned.measure.staff == Some(who.staff.id)
            })
        };
        let own = |id: TaskId| tasks.iter().any(|task| task.id == id) || of_plan(id);
        deadlines.retain(|one| one.deadline.task.is_none_or(own));
        escalations.retain(|one| one.task.is_none_or(own));
        seen.retain(|one| one.task.is_none_or(own));
        questions.retain(|asked| asked.task.is_some_and(own));
        extensions.retain(|one| one.task.is_some_and(own));
        let asked: Vec<_> = questions.iter().map(|asked| asked.id).collect();
        timeline.retain(|entry| match &entry.fact {
            Fact::Dispatched { task, .. }
            | Fact::TaskAccepted { task }
            | Fact::TaskRecalled { task, .. }
            | Fact::TaskRejected { task, .. } => own(*task),
            Fact::ExtensionRequested { task, .. }
            | Fact::Extended { task, .. }
            | Fact::ExtensionRefused { task, .. } => task.is_some_and(own),
            Fact::Asked { task, .. } => task.is_some_and(own),
            Fact::Replied { question, .. } => asked.contains(question),
            Fact::Reported { task, .. } => task.is_some_and(own),
            Fact::Escalated { task, .. } | Fact::EscalationSeen { task, .. } => {
                task.is_none_or(own)
            }
            fact => !is_of_the_centre(fact),
        });
        report = tasks.iter().rev().find_map(|task| task.report.clone());
    }
    let mut approvals = complaint.approvals.clone();
    let deliberates_apart = matches!(
        who.role(),
        Role::Department | Role::Clerk | Role::BranchManager
    );
    if deliberates_apart {
        timeline.retain(|entry| !entry.kind.is_deliberation());
        approvals = match who.role() {
            Role::Department => asked_to_comment(&complaint),
            // A branch is not asked.
            _ => Vec::new(),
        };
    }
    let of_centre = who.role() != Role::Department;
    Ok(ComplaintView {
        branch_name: names.branch(&complaint.branch),
        customer_state: complaint.state.customer_state(),
        guidance: for_category(&guidance, &complaint.intake.category).cloned(),
        timeline,
        category_zh,
        category_en,
        deadlines,
        escalations,
        seen,
        follows: complaint.leading().map(|link| link.relation),
        allowed,
        masked,
        may_renew: mine && complaint.lapses(),
        needs_approval,
        limits: (!deliberates_apart).then(|| Limits {
            without_approval: policy.compensation_limit,
            two_votes_from: policy.two_votes_from,
            approved: complaint.approved_sum(),
            most: complaint.most_to_give(policy.compensation_limit),
        }),
        claim: complaint.claim.as_ref().map(|claim| ClaimView {
            lease: claim.lease,
            expert: claim.expert,
            expert_name: claim.expert_name.clone(),
            until: lease_until.unwrap_or(claim.until),
            lapses: complaint.lapses(),
        }),
        intake: if masked {
            mask::intake(&complaint.intake)
        } else {
            complaint.intake
        },
        tasks,
        id: complaint.id,
        reference: complaint.reference,
        branch: complaint.branch,
        state: complaint.state,
        owner: complaint.owner,
        owner_no: complaint.owner_no,
        recorded_by: complaint.recorded_by,
        cut: complaint.cut,
        arrived_at: complaint.arrived_at,
        recorded_at: complaint.recorded_at,
        late: complaint.late,
        grade: complaint.grade,
        complexity: complaint.complexity,
        handoff_cause: complaint.handoff_cause,
        cycle: complaint.cycle,
        marks: complaint.marks,
        report,
        plan: complaint.plan,
        return_reason: complaint.return_reason,
        recused: if of_centre {
            complaint.recused
        } else {
            Vec::new()
        },
        answer: complaint.answer,
        past: if of_centre {
            complaint.past
        } else {
            Vec::new()
        },
        reopened_at: complaint.reopened_at,
        questions,
        extensions,
        approvals,
        call_back: if of_centre {
            complaint.call_back
        } else {
            CallBack::default()
        },
        rating: complaint.rating.filter(|_| of_centre),
        final_decision: complaint.final_decision,
    })
}

/// What a department that investigates has no part in.
fn is_of_the_centre(fact: &Fact) -> bool {
    matches!(
        fact.kind(),
        FactKind::CallBackAssigned
            | FactKind::CallBackTried
            | FactKind::CalledBack
            | FactKind::Rated
            | FactKind::FinallyDecided
            | FactKind::Recused
            | FactKind::RecusalLifted
    )
}

/// The request that waits for comments, without what others have said to it.
fn asked_to_comment(complaint: &Complaint) -> Vec<Approval> {
    let open = complaint
        .approval()
        .filter(|_| complaint.state == State::AwaitingApproval);
    let asked = open.filter(|asked| asked.comments_asked.is_some());
    let bare = asked.map(|asked| Approval {
        votes: Vec::new(),
        comments: Vec::new(),
        ..asked.clone()
    });
    bare.into_iter().collect()
}

/// A line that names another complaint is not for who may not see that one.
async fn leave_out_links(
    hub: &Hub,
    who: &SignedIn,
    timeline: &mut Vec<TimelineEntry>,
) -> ApiResult<()> {
    let other = |entry: &TimelineEntry| match &entry.fact {
        Fact::Linked { to, .. } | Fact::Unlinked { to, .. } => Some(*to),
        _ => None,
    };
    let others: BTreeSet<ComplaintId> = timeline.iter().filter_map(other).collect();
    let mut hidden = BTreeSet::new();
    for id in others {
        let held = hub.store.complaint(id, who.reader()).await?;
        if who.role() == Role::Department || held.is_none() {
            hidden.insert(id);
        }
    }
    timeline.retain(|entry| other(entry).is_none_or(|id| !hidden.contains(&id)));
    Ok(())
}

/// The ledger's lines with what each did, told by folding them again.
fn timeline_of(stored: &[Stored], masked: bool) -> ApiResult<Vec<TimelineEntry>> {
    let mut folded: Option<Complaint> = None;
    let mut entries = Vec::with_capacity(stored.len());
    let mut keys = Vec::with_capacity(stored.len());
    for line in stored {
        let event = line
            .sealed
            .open()
            .map_err(|error| ApiError::internal(&error))?;
        let effect = match &mut folded {
            None => {
                let opened = Complaint::open(&event).map_err(|error| ApiError::internal(&error))?;
                folded = Some(opened);
                Effect::Opened
            }
            Some(complaint) => {
                match complaint
                    .apply(&event)
                    .map_err(|error| ApiError::internal(&error))?
                {
                    Applied::Changed | Applied::Overtook => Effect::Changed,
                    Applied::Remark => Effect::Remark,
                    Applied::History => Effect::History,
                    Applied::LateNote => Effect::LateNote,
                }
            }
        };
        entries.push(TimelineEntry {
            seq: line.seq,
            kind: event.fact.kind(),
            fact: if masked {
                mask::fact(&event.fact)
            } else {
                event.fact
            },
            actor: event.actor,
            at: event.at.trusted(),
            wall: event.at.wall,
            was: None,
            received_at: line.received_at,
            effect,
            hash: line.sealed.hash.to_string(),
        });
        keys.push(event.key);
    }
    let facts = entries.iter().map(|entry| &entry.fact);
    let corrections = Corrections::of(keys.iter().copied().zip(facts));
    for (entry, key) in entries.iter_mut().zip(keys) {
        if let Some(is) = corrections.of_step(key) {
            entry.was = Some(entry.at);
            entry.at = is;
        }
    }
    Ok(entries)
}
