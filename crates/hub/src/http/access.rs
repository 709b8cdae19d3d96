//! Who may call which route: one table. A route that is not in it answers
//! nobody. What a caller may see or do with one complaint is judged behind it.

use suda_domain::permission::{Right, has};
use suda_domain::{FactKind, Role};

use crate::queue::may_step;

/// What a route asks of its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Anyone,
    SignedIn,
    /// Any of these rights.
    Any(&'static [Right]),
    /// To write a fact of this kind from the console.
    Step(FactKind),
}

const SEES_COMPLAINTS: Access =
    Access::Any(&[Right::SeeAll, Right::SeeOwnBranch, Right::SeeOwnTasks]);
/// Without the departments, which see their own task of it.
const SEES_WHOLE_COMPLAINTS: Access = Access::Any(&[Right::SeeAll, Right::SeeOwnBranch]);
const ADMINISTERS: Access = Access::Any(&[Right::Administer]);
const EXPERTS: Access = Access::Any(&[Right::UseQueue]);
const SEES_ALARMS: Access = Access::Any(&[Right::SeeAlarms]);
const ANSWERS_ALARMS: Access = Access::Any(&[Right::AnswerAlarms]);
const MENDS: Access = Access::Any(&[Right::MendQuarantine]);

/// Method, route as the router names it, and what it asks.
pub const TABLE: &[(&str, &str, Access)] = &[
    ("POST", "/api/login", Access::Anyone),
    ("POST", "/api/logout", Access::SignedIn),
    ("GET", "/api/me", Access::SignedIn),
    ("GET", "/api/live", Access::SignedIn),
    ("GET", "/api/categories", Access::SignedIn),
    (
        "GET",
        "/api/work-orders",
        Access::Any(&[Right::SeeAll, Right::SeeOwnBranch]),
    ),
    ("GET", "/api/complaints/{id}", SEES_COMPLAINTS),
    ("GET", "/api/complaints/{id}/letters", SEES_WHOLE_COMPLAINTS),
    (
        "POST",
        "/api/complaints/{id}/letters",
        Access::Step(FactKind::LetterMade),
    ),
    ("GET", "/api/letters/{id}", SEES_WHOLE_COMPLAINTS),
    (
        "POST",
        "/api/complaints/{id}/look-over",
        Access::Step(FactKind::Answered),
    ),
    ("GET", "/api/letter-settings", ADMINISTERS),
    ("PUT", "/api/letter-settings", ADMINISTERS),
    (
        "POST",
        "/api/complaints/{id}/claim",
        Access::Step(FactKind::Claimed),
    ),
    (
        "POST",
        "/api/complaints/{id}/renew",
        Access::Step(FactKind::Claimed),
    ),
    (
        "POST",
        "/api/complaints/{id}/release",
        Access::Step(FactKind::Released),
    ),
    (
        "POST",
        "/api/complaints/{id}/return",
        Access::Step(FactKind::ReturnedToBranch),
    ),
    (
        "POST",
        "/api/complaints/{id}/dispatch",
        Access::Step(FactKind::Dispatched),
    ),
    (
        "POST",
        "/api/complaints/{id}/report",
        Access::Any(&[Right::UseQueue]),
    ),
    (
        "POST",
        "/api/complaints/{id}/request-approval",
        Access::Step(FactKind::ApprovalRequested),
    ),
    (
        "POST",
        "/api/complaints/{id}/approve",
        Access::Step(FactKind::Approved),
    ),
    (
        "POST",
        "/api/complaints/{id}/disapprove",
        Access::Step(FactKind::Disapproved),
    ),
    (
        "POST",
        "/api/complaints/{id}/start-solving",
        Access::Step(FactKind::SolvingStarted),
    ),
    (
        "POST",
        "/api/complaints/{id}/implement",
        Access::Step(FactKind::Implemented),
    ),
    (
        "POST",
        "/api/complaints/{id}/answer",
        Access::Step(FactKind::Answered),
    ),
    (
        "POST",
        "/api/complaints/{id}/call-back",
        Access::Step(FactKind::CalledBack),
    ),
    (
        "POST",
        "/api/complaints/{id}/note",
        Access::Step(FactKind::Noted),
    ),
    (
        "POST",
        "/api/complaints/{id}/close",
        Access::Step(FactKind::Closed),
    ),
    (
        "POST",
        "/api/complaints/{id}/pause",
        Access::Step(FactKind::Paused),
    ),
    (
        "POST",
        "/api/complaints/{id}/resume",
        Access::Step(FactKind::Resumed),
    ),
    (
        "POST",
        "/api/complaints/{id}/grade",
        Access::Step(FactKind::Graded),
    ),
    (
        "POST",
        "/api/complaints/{id}/withdraw",
        Access::Step(FactKind::Withdrawn),
    ),
    (
        "POST",
        "/api/complaints/{id}/reopen",
        Access::Step(FactKind::Reopened),
    ),
    (
        "POST",
        "/api/complaints/{id}/acknowledge",
        Access::Step(FactKind::AlertAcknowledged),
    ),
    (
        "POST",
        "/api/complaints/{id}/seen",
        Access::Step(FactKind::EscalationSeen),
    ),
    (
        "GET",
        "/api/complaints/{id}/people",
        Access::Step(FactKind::Recused),
    ),
    (
        "POST",
        "/api/complaints/{id}/recuse",
        Access::Step(FactKind::Recused),
    ),
    (
        "POST",
        "/api/complaints/{id}/lift-recusal",
        Access::Step(FactKind::RecusalLifted),
    ),
    (
        "GET",
        "/api/complaints/{id}/links",
        Access::Any(&[Right::SeeAll]),
    ),
    (
        "GET",
        "/api/complaints/{id}/similar",
        Access::Step(FactKind::Linked),
    ),
    (
        "POST",
        "/api/complaints/{id}/link",
        Access::Step(FactKind::Linked),
    ),
    (
        "POST",
        "/api/complaints/{id}/unlink",
        Access::Step(FactKind::Unlinked),
    ),
    (
        "POST",
        "/api/complaints/{id}/answer-linked",
        Access::Step(FactKind::Answered),
    ),
    (
        "POST",
        "/api/complaints/{id}/ask",
        Access::Step(FactKind::Asked),
    ),
    (
        "POST",
        "/api/complaints/{id}/reply",
        Access::Step(FactKind::Replied),
    ),
    (
        "POST",
        "/api/complaints/{id}/recall-task",
        Access::Step(FactKind::TaskRecalled),
    ),
    (
        "POST",
        "/api/complaints/{id}/request-extension",
        Access::Step(FactKind::ExtensionRequested),
    ),
    (
        "POST",
        "/api/complaints/{id}/extend",
        Access::Step(FactKind::Extended),
    ),
    (
        "POST",
        "/api/complaints/{id}/refuse-extension",
        Access::Step(FactKind::ExtensionRefused),
    ),
    (
        "POST",
        "/api/complaints/{id}/ask-comments",
        Access::Step(FactKind::CommentsAsked),
    ),
    (
        "POST",
        "/api/complaints/{id}/comment",
        Access::Step(FactKind::Commented),
    ),
    (
        "POST",
        "/api/complaints/{id}/progress",
        Access::Step(FactKind::MeasureProgressed),
    ),
    (
        "POST",
        "/api/complaints/{id}/call-back-tried",
        Access::Step(FactKind::CallBackTried),
    ),
    (
        "POST",
        "/api/complaints/{id}/assign-call-back",
        Access::Step(FactKind::CallBackAssigned),
    ),
    (
        "POST",
        "/api/complaints/{id}/decide-finally",
        Access::Step(FactKind::FinallyDecided),
    ),
    ("GET", "/api/duties", SEES_COMPLAINTS),
    ("GET", "/api/phone-stubs", EXPERTS),
    ("POST", "/api/phone-stubs", EXPERTS),
    ("POST", "/api/phone-stubs/{id}/note", EXPERTS),
    ("POST", "/api/phone-stubs/{id}/take", EXPERTS),
    ("POST", "/api/phone-stubs/{id}/branch", EXPERTS),
    ("POST", "/api/phone-stubs/{id}/close", EXPERTS),
    ("GET", "/api/complaints/{id}/evidence", SEES_COMPLAINTS),
    (
        "GET",
        "/api/complaints/{id}/evidence/{file}",
        SEES_COMPLAINTS,
    ),
    (
        "GET",
        "/api/complaints/{id}/evidence-reads",
        Access::Any(&[Right::SeeBoard]),
    ),
    (
        "POST",
        "/api/complaints/{id}/evidence",
        Access::Step(FactKind::EvidenceAdded),
    ),
    (
        "GET",
        "/api/escalations",
        Access::Any(&[Right::SeeAll, Right::SeeOwnBranch, Right::SeeOwnTasks]),
    ),
    ("GET", "/api/alarms", SEES_ALARMS),
    ("GET", "/api/alarms/{id}", SEES_ALARMS),
    ("POST", "/api/alarms/{id}/acknowledge", ANSWERS_ALARMS),
    ("POST", "/api/alarms/{id}/explain", ANSWERS_ALARMS),
    ("POST", "/api/alarms/{id}/close", ANSWERS_ALARMS),
    ("POST", "/api/alarms/look", ANSWERS_ALARMS),
    ("GET", "/api/same-answer", Access::Any(&[Right::SeeBoard])),
    (
        "GET",
        "/api/same-answer/pairs",
        Access::Any(&[Right::SeeBoard]),
    ),
    (
        "GET",
        "/api/complaints/{id}/answer-suggestions",
        Access::Step(FactKind::Answered),
    ),
    ("GET", "/api/tasks", Access::Any(&[Right::SeeOwnTasks])),
    (
        "POST",
        "/api/tasks/{id}/accept",
        Access::Step(FactKind::TaskAccepted),
    ),
    (
        "POST",
        "/api/tasks/{id}/reject",
        Access::Step(FactKind::TaskRejected),
    ),
    (
        "POST",
        "/api/tasks/{id}/report",
        Access::Any(&[Right::SeeOwnTasks]),
    ),
    ("POST", "/api/search", SEES_COMPLAINTS),
    ("GET", "/api/board", Access::Any(&[Right::SeeBoard])),
    ("GET", "/api/desks", Access::Any(&[Right::SeeDesks])),
    (
        "GET",
        "/api/sms",
        Access::Any(&[Right::SeeBoard, Right::SeeDesks]),
    ),
    (
        "POST",
        "/api/sms/{id}/retry",
        Access::Any(&[Right::UseQueue, Right::Administer]),
    ),
    (
        "POST",
        "/api/sms/{id}/dismiss",
        Access::Any(&[Right::UseQueue, Right::Administer]),
    ),
    ("POST", "/api/sms/held/release", ADMINISTERS),
    ("POST", "/api/sms/held/discard", ADMINISTERS),
    (
        "GET",
        "/api/departments",
        Access::Any(&[Right::UseQueue, Right::SeeBoard]),
    ),
    ("GET", "/api/colleagues", EXPERTS),
    ("GET", "/api/pauses", EXPERTS),
    ("GET", "/api/admin/branches", ADMINISTERS),
    ("POST", "/api/admin/branches", ADMINISTERS),
    ("GET", "/api/admin/staff", ADMINISTERS),
    ("POST", "/api/admin/staff", ADMINISTERS),
    ("POST", "/api/admin/staff/{id}/active", ADMINISTERS),
    ("POST", "/api/admin/staff/{id}/password", ADMINISTERS),
    ("POST", "/api/admin/staff/{id}/superior", ADMINISTERS),
    ("POST", "/api/admin/staff/{id}/duty-phone", ADMINISTERS),
    ("GET", "/api/admin/devices", ADMINISTERS),
    ("POST", "/api/admin/enrolment-codes", ADMINISTERS),
    ("GET", "/api/admin/time", ADMINISTERS),
    ("PUT", "/api/admin/time", ADMINISTERS),
    ("POST", "/api/admin/time/preview", ADMINISTERS),
    ("GET", "/api/admin/guidance", ADMINISTERS),
    ("POST", "/api/admin/guidance", ADMINISTERS),
    ("GET", "/api/admin/learning", ADMINISTERS),
    ("POST", "/api/admin/learning/train", ADMINISTERS),
    ("POST", "/api/admin/learning/version", ADMINISTERS),
    ("POST", "/api/admin/learning/forget", ADMINISTERS),
    ("PUT", "/api/admin/learning/handoffs", ADMINISTERS),
    ("GET", "/api/admin/learning/export", ADMINISTERS),
    ("GET", "/api/quarantine", MENDS),
    ("POST", "/api/quarantine/{id}/resolve", MENDS),
    ("GET", "/api/quarantine/{id}/holders", MENDS),
    ("POST", "/api/quarantine/{id}/entrust", MENDS),
    // The customer's: no member of staff, the token names the complaint.
    ("POST", "/s/api/look-up", Access::Anyone),
    ("GET", "/s/api/case", Access::Anyone),
    ("POST", "/s/api/case/rate", Access::Anyone),
    ("POST", "/s/api/case/reopen", Access::Anyone),
    ("POST", "/s/api/case/reply", Access::Anyone),
    ("POST", "/s/api/case/evidence", Access::Anyone),
];

/// What the route asks; nothing for a route the table does not name.
pub fn of(method: &str, route: &str) -> Option<Access> {
    TABLE
        .iter()
        .find(|(m, r, _)| *m == method && *r == route)
        .map(|(_, _, access)| *access)
}

impl Access {
    /// Whether somebody signed in with `role` may call it.
    pub fn admits(self, role: Role) -> bool {
        match self {
            Self::Anyone | Self::SignedIn => true,
            Self::Any(rights) => rights.iter().any(|right| has(role, *right)),
            Self::Step(kind) => may_step(role, kind),
        }
    }
}
