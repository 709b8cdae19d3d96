//! Every step by every role from every state, against the state table of
//! product.md written out here once more, by hand.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod support;

use std::collections::BTreeMap;

use FactKind::*;
use chrono::TimeDelta;
use suda_domain::complaint::Complaint;
use suda_domain::fact::{Assignee, Fact, FactKind, HandoffCause, Measure, ReleaseCause};
use suda_domain::{
    Actor, BranchCode, Grade, Lane, LeaseId, MeasureId, Role, StaffId, State, TaskId,
};
use support::{actor, assessed, event, fact, id, packet, recorded, start};

const BRANCH: &[Role] = &[Role::Clerk, Role::BranchManager];
const MANAGER: &[Role] = &[Role::BranchManager];
const EXPERT: &[Role] = &[Role::Expert];
const DEPARTMENT: &[Role] = &[Role::Department];
const MANAGEMENT: &[Role] = &[Role::Management];
const PROGRAM: &[Role] = &[Role::System];

const OPEN_IN_BRANCH: &[State] = &[
    State::Recorded,
    State::Assessed,
    State::InBranch,
    State::ReturnedToBranch,
];
/// An expert's work.
const WORKED_ON: &[State] = &[
    State::Claimed,
    State::Dispatched,
    State::Analysed,
    State::AwaitingApproval,
    State::Solving,
    State::Implemented,
];
/// The same, and where a question can be left open.
const ASKED: &[State] = &[
    State::Claimed,
    State::ReturnedToBranch,
    State::Dispatched,
    State::Analysed,
    State::AwaitingApproval,
    State::Solving,
    State::Implemented,
    State::Answered,
    State::Closed,
    State::Reopened,
];
const ANSWERED: &[State] = &[State::Answered, State::Closed];
const ALL: &[State] = &[
    State::Recorded,
    State::Assessed,
    State::InBranch,
    State::HandoffPending,
    State::Queued,
    State::Claimed,
    State::ReturnedToBranch,
    State::Dispatched,
    State::Analysed,
    State::AwaitingApproval,
    State::Solving,
    State::Implemented,
    State::Answered,
    State::Closed,
    State::Withdrawn,
    State::Archived,
    State::Reopened,
];

/// Where a step leads: to a state, or nowhere else than it was.
#[derive(Clone, Copy)]
enum To {
    State(State),
    Stays,
}
use To::{State as Becomes, Stays};

/// Who may write a step, from which states, and where it leads.
fn table(kind: FactKind) -> Vec<(&'static [Role], &'static [State], To)> {
    let unfinished_team: &[State] = &[
        State::Queued,
        State::Claimed,
        State::Dispatched,
        State::Analysed,
        State::AwaitingApproval,
        State::Solving,
        State::Implemented,
        State::Reopened,
    ];
    match kind {
        // A complaint is recorded once.
        Recorded => vec![],
        Recused => vec![
            (BRANCH, ALL, Stays),
            (EXPERT, ALL, Stays),
            (MANAGEMENT, ALL, Stays),
        ],
        RecusalLifted => vec![(MANAGEMENT, ALL, Stays)],
        // Not one that follows another: those are in `recusal.rs`.
        Linked | Unlinked => vec![(EXPERT, ALL, Stays), (MANAGEMENT, ALL, Stays)],
        Assessed => vec![
            (BRANCH, &[State::Recorded], Becomes(State::Assessed)),
            (
                BRANCH,
                &[State::Assessed, State::InBranch, State::ReturnedToBranch],
                Stays,
            ),
        ],
        KeptInBranch => vec![(BRANCH, &[State::Assessed], Becomes(State::InBranch))],
        HandedOff => vec![
            (BRANCH, OPEN_IN_BRANCH, Becomes(State::HandoffPending)),
            (PROGRAM, OPEN_IN_BRANCH, Becomes(State::HandoffPending)),
        ],
        Queued => vec![(PROGRAM, &[State::HandoffPending], Becomes(State::Queued))],
        Claimed => vec![(
            EXPERT,
            &[State::Queued, State::Reopened],
            Becomes(State::Claimed),
        )],
        Released => vec![
            // What an account had that was closed.
            (PROGRAM, &[State::Claimed], Becomes(State::Queued)),
            (
                PROGRAM,
                &[
                    State::Dispatched,
                    State::Analysed,
                    State::AwaitingApproval,
                    State::Solving,
                    State::Implemented,
                    State::Answered,
                ],
                Stays,
            ),
            (EXPERT, &[State::Claimed], Becomes(State::Queued)),
            (
                EXPERT,
                &[
                    State::Dispatched,
                    State::Analysed,
                    State::AwaitingApproval,
                    State::Solving,
                    State::Implemented,
                ],
                Stays,
            ),
        ],
        ReturnedToBranch => vec![(
            EXPERT,
            &[State::Claimed, State::Analysed],
            Becomes(State::ReturnedToBranch),
        )],
        Dispatched => vec![(
            EXPERT,
            &[
                State::Claimed,
                State::Dispatched,
                State::Analysed,
                State::Solving,
            ],
            Becomes(State::Dispatched),
        )],
        TaskAccepted | TaskRejected => vec![(DEPARTMENT, &[State::Dispatched], Stays)],
        TaskRecalled => vec![
            (EXPERT, &[State::Dispatched], Stays),
            (PROGRAM, &[State::Dispatched], Stays),
        ],
        Reported => vec![
            (DEPARTMENT, &[State::Dispatched], Becomes(State::Analysed)),
            (
                EXPERT,
                &[State::Claimed, State::Analysed],
                Becomes(State::Analysed),
            ),
        ],
        ApprovalRequested => vec![(EXPERT, &[State::Analysed], Becomes(State::AwaitingApproval))],
        Approved => vec![(
            MANAGEMENT,
            &[State::AwaitingApproval],
            Becomes(State::Solving),
        )],
        Disapproved => vec![(
            MANAGEMENT,
            &[State::AwaitingApproval],
            Becomes(State::Analysed),
        )],
        CommentsAsked => vec![(MANAGEMENT, &[State::AwaitingApproval], Stays)],
        // In the cycle in which approval was asked for.
        Commented => vec![(
            &[Role::Expert, Role::Department, Role::Management],
            &[State::AwaitingApproval],
            Stays,
        )],
        SolvingStarted => vec![
            (
                EXPERT,
                &[State::Analysed, State::Solving],
                Becomes(State::Solving),
            ),
            (
                // Takes a measure from whoever may have nothing to do with the case.
                PROGRAM,
                &[State::Solving],
                Stays,
            ),
        ],
        MeasureProgressed => vec![(EXPERT, &[State::Solving], Stays)],
        Implemented => vec![(EXPERT, &[State::Solving], Becomes(State::Implemented))],
        Answered => vec![(EXPERT, &[State::Implemented], Becomes(State::Answered))],
        Settled => vec![(
            BRANCH,
            &[State::Assessed, State::InBranch, State::ReturnedToBranch],
            Becomes(State::Answered),
        )],
        CallBackAssigned => vec![(&[Role::Expert, Role::System], &[State::Answered], Stays)],
        // By somebody else than who answered.
        CalledBack | CallBackTried => vec![(MANAGEMENT, ANSWERED, Stays)],
        Rated => vec![(&[Role::Customer], ANSWERED, Stays)],
        FinallyDecided => vec![(MANAGEMENT, ANSWERED, Stays)],
        LetterMade => vec![(
            &[Role::BranchManager, Role::Expert, Role::Management],
            &[State::Answered, State::Closed, State::Archived],
            Stays,
        )],
        // The customer is content.
        Closed => vec![(
            &[Role::Expert, Role::BranchManager, Role::System],
            &[State::Answered],
            Becomes(State::Closed),
        )],
        Withdrawn => vec![
            (BRANCH, OPEN_IN_BRANCH, Becomes(State::Withdrawn)),
            // With a claim.
            (EXPERT, WORKED_ON, Becomes(State::Withdrawn)),
        ],
        Reopened => vec![(
            &[Role::Expert, Role::Management, Role::Customer],
            ANSWERED,
            Becomes(State::Reopened),
        )],
        Archived => vec![(
            PROGRAM,
            &[State::Closed, State::Withdrawn],
            Becomes(State::Archived),
        )],
        Noted => vec![(
            &[
                Role::Clerk,
                Role::BranchManager,
                Role::Expert,
                Role::Department,
                Role::Management,
                // Says in the ledger what it took from somebody, and why.
                Role::System,
            ],
            ALL,
            Stays,
        )],
        EvidenceAdded => vec![(
            &[
                Role::Clerk,
                Role::BranchManager,
                Role::Expert,
                Role::Department,
                Role::Management,
                Role::Customer,
            ],
            ALL,
            Stays,
        )],
        Asked => vec![
            (EXPERT, WORKED_ON, Stays),
            (DEPARTMENT, &[State::Dispatched], Stays),
        ],
        // There is a question from `Claimed` on.
        Replied => vec![(
            &[
                Role::Clerk,
                Role::BranchManager,
                Role::Expert,
                Role::Customer,
            ],
            ASKED,
            Stays,
        )],
        // One is asked for already, from `Claimed` on.
        ExtensionRequested => vec![],
        // One is asked for from `Claimed` on.
        Extended | ExtensionRefused => vec![(MANAGEMENT, WORKED_ON, Stays)],
        Paused => vec![(EXPERT, WORKED_ON, Stays)],
        // Nothing is paused here.
        Resumed => vec![],
        Graded => vec![
            (MANAGEMENT, unfinished_team, Stays),
            (EXPERT, WORKED_ON, Stays),
        ],
        Escalated => vec![(
            PROGRAM,
            &[
                State::Recorded,
                State::Assessed,
                State::InBranch,
                State::HandoffPending,
                State::Queued,
                State::Claimed,
                State::ReturnedToBranch,
                State::Dispatched,
                State::Analysed,
                State::AwaitingApproval,
                State::Solving,
                State::Implemented,
                State::Answered,
                State::Reopened,
            ],
            Stays,
        )],
        // Nothing has been told of here.
        EscalationSeen => vec![],
        AlertAcknowledged => vec![(MANAGEMENT, ALL, Stays)],
        TakenOver => vec![(MANAGER, OPEN_IN_BRANCH, Stays)],
        Assigned => vec![(MANAGER, OPEN_IN_BRANCH, Stays)],
        TimeCorrected => vec![(PROGRAM, ALL, Stays)],
    }
}

/// Somebody of the role; the program acts for the branch where the branch owns.
fn somebody(role: Role, complaint: &Complaint) -> Actor {
    let of_branch = matches!(complaint.owner, suda_domain::Owner::Branch(_));
    match role {
        Role::System => Actor::system(of_branch.then(branch)),
        Role::Customer => Actor::customer(),
        _ => actor(role),
    }
}

fn branch() -> BranchCode {
    "CQ0123".parse().unwrap()
}

fn step(complaint: &mut Complaint, n: u64, role: Role, fact: Fact) {
    let who = somebody(role, complaint);
    complaint.admit(&who, &fact).unwrap();
    let event = event(n, Lane::Ordinary, n as i64, complaint.owner_no, who, fact);
    complaint.apply(&event).unwrap();
}

/// A complaint in each state, reached by the shortest way there.
fn in_each_state() -> BTreeMap<State, Complaint> {
    let mut found = BTreeMap::new();
    let mut c = Complaint::open(&recorded(start(), false)).unwrap();
    let mut n = 2;
    let mut go = |c: &mut Complaint, role, fact: Fact| {
        step(c, n, role, fact);
        n += 1;
    };
    // So that there is something to lift and to take away.
    for kind in [Recused, Linked] {
        let made = fact(kind, &c, 0);
        go(&mut c, Role::Expert, made);
    }
    found.insert(c.state, c.clone());
    let simple = suda_domain::Complexity::Complex;
    go(&mut c, Role::Clerk, assessed(Grade::Two, simple));
    found.insert(c.state, c.clone());
    let mut kept = c.clone();
    go(&mut kept, Role::Clerk, Fact::KeptInBranch);
    found.insert(kept.state, kept);
    let handed = Fact::HandedOff {
        packet: Box::new(packet(Some(&c), 0)),
        cause: HandoffCause::Manual,
    };
    go(&mut c, Role::Clerk, handed);
    found.insert(c.state, c.clone());
    go(&mut c, Role::System, Fact::Queued);
    found.insert(c.state, c.clone());
    let claim = fact(Claimed, &c, 0);
    go(&mut c, Role::Expert, claim.clone());
    for kind in [Asked, ExtensionRequested] {
        let made = fact(kind, &c, 0);
        go(&mut c, Role::Expert, made);
    }
    found.insert(c.state, c.clone());
    let mut returned = c.clone();
    let back = fact(ReturnedToBranch, &returned, 0);
    go(&mut returned, Role::Expert, back);
    found.insert(returned.state, returned);
    let mut withdrawn = c.clone();
    let end = fact(Withdrawn, &withdrawn, 0);
    go(&mut withdrawn, Role::Expert, end);
    found.insert(withdrawn.state, withdrawn);
    let mut dispatched = c.clone();
    let task = fact(Dispatched, &dispatched, 1);
    go(&mut dispatched, Role::Expert, task);
    found.insert(dispatched.state, dispatched);
    let report = fact(Reported, &c, 0);
    go(&mut c, Role::Expert, report);
    found.insert(c.state, c.clone());
    let mut awaiting = c.clone();
    let ask = fact(ApprovalRequested, &awaiting, 0);
    go(&mut awaiting, Role::Expert, ask);
    found.insert(awaiting.state, awaiting);
    let plan = vec![Measure {
        id: MeasureId(id(700)),
        what: "抢修".into(),
        responsible: "网络部".into(),
        staff: None,
        due_at: start() + TimeDelta::days(1),
        resources: String::new(),
    }];
    go(&mut c, Role::Expert, Fact::SolvingStarted { plan });
    let done = fact(MeasureProgressed, &c, 0);
    go(&mut c, Role::Expert, done);
    found.insert(c.state, c.clone());
    for kind in [Implemented, Answered] {
        let made = fact(kind, &c, 0);
        go(&mut c, Role::Expert, made);
        if c.state == State::Answered {
            let content = fact(CalledBack, &c, 0);
            go(&mut c, Role::Management, content);
        }
        found.insert(c.state, c.clone());
    }
    let mut again = c.clone();
    let reopened = fact(Reopened, &again, 0);
    go(&mut again, Role::Customer, reopened);
    found.insert(again.state, again);
    go(&mut c, Role::Expert, Fact::Closed);
    found.insert(c.state, c.clone());
    go(&mut c, Role::System, Fact::Archived);
    found.insert(c.state, c);
    found
}

/// As [`fact`], with contents that suit who writes it.
fn tried(kind: FactKind, c: &Complaint, role: Role) -> Fact {
    match (kind, role) {
        (Asked, Role::Department) => {
            let Fact::Asked {
                question, of, text, ..
            } = fact(kind, c, 9)
            else {
                unreachable!("it is what was asked for")
            };
            let task = c.tasks.first().map(|task| task.id);
            Fact::Asked {
                question,
                of,
                task,
                text,
            }
        }
        (Released, _) => Fact::Released {
            lease: c.claim.as_ref().map_or(LeaseId(id(5)), |claim| claim.lease),
            cause: ReleaseCause::GivenBack,
        },
        (CallBackAssigned, _) => Fact::CallBackAssigned {
            to: Assignee {
                staff: StaffId(id(601)),
                name: "乙".into(),
            },
        },
        (TaskRecalled, _) => Fact::TaskRecalled {
            task: c.tasks.first().map_or(TaskId(id(0)), |task| task.id),
            reason: "改派".into(),
        },
        _ => fact(kind, c, 9),
    }
}

#[test]
fn every_step_by_every_role_from_every_state_is_as_the_table_says() {
    let states = in_each_state();
    assert_eq!(states.len(), ALL.len(), "each state but the draft");
    let (mut allowed, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for (&state, complaint) in &states {
        for role in Role::ALL {
            for &kind in FactKind::ALL {
                let fact = tried(kind, complaint, role);
                let who = somebody(role, complaint);
                let is = complaint
                    .admit(&who, &fact)
                    .map(|()| complaint.next_state(&fact).unwrap());
                let rows = table(kind);
                let mut rows = rows
                    .iter()
                    .filter(|(roles, from, _)| roles.contains(&role) && from.contains(&state));
                let ought = rows.next().map(|(_, _, to)| match to {
                    Becomes(to) => *to,
                    Stays => state,
                });
                match (is, ought) {
                    (Ok(is), Some(ought)) if is == ought => allowed += 1,
                    (Err(_), None) => refused += 1,
                    (is, ought) => wrong.push(format!(
                        "{} by {} in {}: is {is:?}, ought to be {ought:?}",
                        kind.name(),
                        role.name(),
                        state.name()
                    )),
                }
            }
        }
    }
    println!(
        "{allowed} allowed, {refused} refused, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        allowed + refused,
        ALL.len() * Role::ALL.len() * FactKind::ALL.len()
    );
}
