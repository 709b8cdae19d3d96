//! Who may do what, as one table.

use crate::fact::FactKind;
use crate::staff::Role;

/// Something a person can ask for that writes no fact about a complaint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Right {
    /// See the complaints of one's own branch.
    SeeOwnBranch,
    /// See every complaint.
    SeeAll,
    /// See complaints dispatched to one's own department.
    SeeOwnTasks,
    /// Work from the experts' queue.
    UseQueue,
    /// See the figures over all branches.
    SeeBoard,
    /// See figures of one person's work.
    SeePeople,
    /// See how every desk works, by its counts.
    SeeDesks,
    /// Branches, staff, devices, enrolment codes, guidance.
    Administer,
    /// Resolve records the hub has set aside.
    MendQuarantine,
    /// See early warnings: everybody's, or those that touch one's own branch.
    SeeAlarms,
    /// Acknowledge, explain and close early warnings.
    AnswerAlarms,
    /// Make a desk the mailbox of one's own branch, and pair desks.
    ConnectDesks,
}

impl Right {
    pub const ALL: [Self; 12] = [
        Self::SeeOwnBranch,
        Self::SeeAll,
        Self::SeeOwnTasks,
        Self::UseQueue,
        Self::SeeBoard,
        Self::SeePeople,
        Self::SeeDesks,
        Self::Administer,
        Self::MendQuarantine,
        Self::SeeAlarms,
        Self::AnswerAlarms,
        Self::ConnectDesks,
    ];
}

/// Whether a role has a right.
pub fn has(role: Role, right: Right) -> bool {
    match right {
        Right::SeeOwnBranch => matches!(role, Role::Clerk | Role::BranchManager),
        Right::SeeAll => matches!(role, Role::Expert | Role::Management | Role::Auditor),
        Right::SeeOwnTasks => role == Role::Department,
        Right::UseQueue => role == Role::Expert,
        Right::SeeBoard => matches!(role, Role::Expert | Role::Management | Role::Auditor),
        // Appraisal is management's (product.md, M15); colleagues are not shown
        // each other's.
        Right::SeePeople => matches!(role, Role::Management | Role::Auditor),
        Right::SeeDesks => matches!(role, Role::Administrator | Role::Management | Role::Auditor),
        Right::Administer => role == Role::Administrator,
        Right::SeeAlarms => matches!(
            role,
            Role::BranchManager | Role::Expert | Role::Management | Role::Auditor
        ),
        Right::AnswerAlarms => matches!(role, Role::Expert | Role::Management),
        Right::ConnectDesks => role == Role::BranchManager,
        Right::MendQuarantine => matches!(role, Role::Administrator | Role::Expert),
    }
}

/// Whether a role may write a fact of this kind. The state and the owner are
/// judged by [`crate::Complaint::admit`].
pub fn may_write(role: Role, kind: FactKind) -> bool {
    use FactKind::*;
    match kind {
        Recorded | Assessed | HandedOff | KeptInBranch => {
            matches!(role, Role::Clerk | Role::BranchManager)
                || (role == Role::System && kind == HandedOff)
        }
        Settled => matches!(role, Role::Clerk | Role::BranchManager),
        // The program says why it hands something on.
        Noted => !matches!(role, Role::Auditor | Role::Administrator | Role::Customer),
        EvidenceAdded => !matches!(role, Role::Auditor | Role::Administrator | Role::System),
        Queued => role == Role::System,
        Released => matches!(role, Role::Expert | Role::System),
        Claimed | ReturnedToBranch | Dispatched | ApprovalRequested | Implemented | Answered
        | Paused | Resumed => role == Role::Expert,
        // The program gives a measure back to the expert.
        SolvingStarted => matches!(role, Role::Expert | Role::System),
        // The program takes back what an account had that was closed.
        TaskRecalled => matches!(role, Role::Expert | Role::System),
        TaskAccepted | TaskRejected => role == Role::Department,
        Reported => matches!(role, Role::Department | Role::Expert),
        Approved | Disapproved | AlertAcknowledged => role == Role::Management,
        CalledBack | CallBackTried | Graded => matches!(role, Role::Expert | Role::Management),
        Reopened => matches!(role, Role::Expert | Role::Management | Role::Customer),
        Rated => role == Role::Customer,
        Asked => matches!(role, Role::Expert | Role::Department),
        Replied => matches!(
            role,
            Role::Clerk | Role::BranchManager | Role::Expert | Role::Customer
        ),
        // For the outer limit the expert asks and management grants; for a
        // department's task the department asks and the expert grants.
        ExtensionRequested => matches!(role, Role::Expert | Role::Department),
        Extended | ExtensionRefused => matches!(role, Role::Expert | Role::Management),
        // By whoever may hand it to the customer.
        LetterMade => matches!(role, Role::BranchManager | Role::Expert | Role::Management),
        CommentsAsked | FinallyDecided => role == Role::Management,
        Commented => matches!(role, Role::Expert | Role::Department | Role::Management),
        MeasureProgressed => matches!(
            role,
            Role::BranchManager | Role::Expert | Role::Department | Role::Management
        ),
        Closed => matches!(role, Role::Expert | Role::BranchManager | Role::System),
        Withdrawn => matches!(role, Role::Clerk | Role::BranchManager | Role::Expert),
        CallBackAssigned => matches!(role, Role::Expert | Role::System),
        Archived | TimeCorrected | Escalated => role == Role::System,
        // Whoever can be told; whether they were is judged with the complaint.
        EscalationSeen => matches!(
            role,
            Role::Clerk | Role::BranchManager | Role::Expert | Role::Department | Role::Management
        ),
        Recused => matches!(
            role,
            Role::Clerk | Role::BranchManager | Role::Expert | Role::Management
        ),
        RecusalLifted => role == Role::Management,
        Linked | Unlinked => matches!(role, Role::Expert | Role::Management),
        TakenOver | Assigned => role == Role::BranchManager,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole matrix, so that a change to the table is seen in review.
    #[test]
    fn matrix() {
        let mut lines = vec![format!(
            "{:<20}{}",
            "",
            Role::ALL
                .map(|role| format!("{:<15}", role.name()))
                .concat()
                .trim_end()
        )];
        let mut row = |name: &str, cells: [bool; 9]| {
            let cells = cells
                .map(|yes| format!("{:<15}", if yes { "yes" } else { "-" }))
                .concat();
            lines.push(format!("{name:<20}{}", cells.trim_end()));
        };
        for right in Right::ALL {
            row(
                &format!("{right:?}"),
                Role::ALL.map(|role| has(role, right)),
            );
        }
        for &kind in FactKind::ALL {
            row(kind.name(), Role::ALL.map(|role| may_write(role, kind)));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }
}
