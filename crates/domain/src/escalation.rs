//! The ladder (issue "whole life", 2): a deadline that comes near is reminded
//! of; one that is missed is copied to the superior, then reported. Which rung
//! is reached when is data of the policy, per clock and grade.
//!
//! Derived from the ledger like the clocks: what has been told stands there as
//! [`Fact::Escalated`], so nothing is told twice, by any number of programs.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::clocks::{Clock, Deadline, deadlines};
use crate::complaint::{Complaint, Owner};
use crate::ids::{BranchCode, StaffId, TaskId};
use crate::staff::Role;
use crate::state::Grade;
use crate::time::{Counting, Timekeeping};

/// How far up somebody is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Whoever has to act.
    Remind,
    /// Their superior as well.
    Copy,
    /// The management group.
    Report,
}

impl Level {
    /// From 1, the lowest; lists are sorted and selected by it.
    pub fn number(self) -> u8 {
        match self {
            Self::Remind => 1,
            Self::Copy => 2,
            Self::Report => 3,
        }
    }
}

/// One rung of the ladder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rung {
    pub clock: Clock,
    /// Absent for grades that have no rungs of their own for this clock.
    pub grade: Option<Grade>,
    pub level: Level,
    /// Minutes after the deadline; before it when negative.
    pub after_due: i32,
    /// Whether those with a duty telephone are texted as well. Absent for what
    /// is usual: see [`Rung::is_texted`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texted: Option<bool>,
}

impl Rung {
    /// Texted are, where the policy says nothing else, what nobody has
    /// acknowledged of grade 1 and what is reported.
    pub fn is_texted(&self) -> bool {
        let usual = self.clock == Clock::Grade1Alert || self.level == Level::Report;
        self.texted.unwrap_or(usual)
    }

    const fn new(clock: Clock, grade: Option<Grade>, level: Level, after_due: i32) -> Self {
        Self {
            clock,
            grade,
            level,
            after_due,
            texted: None,
        }
    }
}

const HOUR: i32 = 60;
const DAY: i32 = 24 * HOUR;

/// What an installation begins with. The desk itself reminds of the hour.
pub fn usual_ladder() -> Vec<Rung> {
    use Level::{Copy, Remind, Report};
    let one = Some(Grade::One);
    let mut ladder = vec![
        Rung::new(Clock::Handoff, None, Copy, 0),
        Rung::new(Clock::Handoff, None, Report, HOUR / 2),
        Rung::new(Clock::Grade1Alert, None, Copy, 0),
        Rung::new(Clock::Grade1Alert, None, Report, 5),
        Rung::new(Clock::OuterLimit, None, Remind, -3 * DAY),
        Rung::new(Clock::OuterLimit, None, Copy, -DAY),
        Rung::new(Clock::OuterLimit, None, Report, 0),
        Rung::new(Clock::Cycle, None, Remind, -DAY),
        Rung::new(Clock::Cycle, None, Copy, 0),
        Rung::new(Clock::Cycle, None, Report, DAY),
        Rung::new(Clock::Measure, None, Remind, -DAY),
        Rung::new(Clock::Measure, None, Copy, 0),
        Rung::new(Clock::Measure, None, Report, DAY),
        Rung::new(Clock::CallBack, None, Remind, -DAY),
        Rung::new(Clock::CallBack, None, Copy, 0),
    ];
    for clock in [
        Clock::FirstResponse,
        Clock::InitialAnalysis,
        Clock::Department,
        Clock::Feedback,
    ] {
        ladder.extend([
            Rung::new(clock, None, Remind, -2 * HOUR),
            Rung::new(clock, None, Copy, 0),
            Rung::new(clock, None, Report, 4 * HOUR),
            Rung::new(clock, one, Remind, -4 * HOUR),
            Rung::new(clock, one, Copy, -HOUR),
            Rung::new(clock, one, Report, 0),
        ]);
    }
    ladder
}

/// Somebody to be told of a deadline, now or later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Escalation {
    pub clock: Clock,
    /// Of which dispatch, for a department's clock, or of which measure.
    pub task: Option<TaskId>,
    pub level: Level,
    pub due: DateTime<Utc>,
    /// When it is to be told, or was.
    pub at: DateTime<Utc>,
    /// Whether those with a duty telephone are texted as well.
    #[serde(default)]
    pub texted: bool,
}

/// A deadline as it stood, and how far up it was told: what tells one
/// escalation of a complaint from another.
pub type Name = (Clock, Option<TaskId>, Level, DateTime<Utc>);

impl Escalation {
    pub fn name(&self) -> Name {
        (self.clock, self.task, self.level, self.due)
    }
}

/// Somebody has said that they have seen what they were told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seen {
    pub clock: Clock,
    pub task: Option<TaskId>,
    pub level: Level,
    pub due: DateTime<Utc>,
    pub staff: StaffId,
    /// As it was then.
    pub name: String,
    pub at: DateTime<Utc>,
}

impl Seen {
    /// Of the escalation that was seen.
    pub fn of(&self) -> Name {
        (self.clock, self.task, self.level, self.due)
    }
}

impl Complaint {
    /// Whether the member of staff has said that they have seen it.
    pub fn has_seen(&self, staff: StaffId, name: Name) -> bool {
        let mut seen = self.seen.iter();
        seen.any(|seen| seen.staff == staff && seen.of() == name)
    }
}

/// Whom an escalation addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Addressee {
    Branch(BranchCode),
    BranchManager(BranchCode),
    /// The expert who holds it, the department asked, the person responsible.
    Staff(StaffId),
    /// Nobody of the team has claimed it.
    Team,
    Management,
}

/// Every rung that is still to be told of these clocks, with the moment the
/// policy gives it. A rung below one that was told for the same deadline is
/// passed over.
fn ahead<'a>(
    complaint: &'a Complaint,
    keep: &'a Timekeeping,
    clocks: &'a [Deadline],
) -> impl Iterator<Item = Escalation> + 'a {
    let running = clocks
        .iter()
        .filter(|clock| clock.is_running() && !clock.is_stopped());
    running.flat_map(move |deadline| {
        let told = told(complaint, deadline).map(|told| told.level);
        let rungs = keep
            .at(deadline.from)
            .rungs(deadline.clock, complaint.grade);
        let left = rungs.filter(move |rung| Some(rung.level) > told);
        left.map(|rung| Escalation {
            clock: deadline.clock,
            task: deadline.task,
            level: rung.level,
            due: deadline.due,
            at: deadline.due + TimeDelta::minutes(i64::from(rung.after_due)),
            texted: rung.is_texted(),
        })
    })
}

/// The highest that was told for a deadline as it stands now. One that has
/// moved since is another.
fn told<'a>(complaint: &'a Complaint, deadline: &Deadline) -> Option<&'a Escalation> {
    let of_it = complaint.escalations.iter().filter(|told| {
        (told.clock, told.task, told.due) == (deadline.clock, deadline.task, deadline.due)
    });
    of_it.max_by_key(|told| told.level)
}

/// What would be told outside the hours of work waits for them, but not for a
/// complaint of grade 1.
fn in_hours(at: DateTime<Utc>, complaint: &Complaint, keep: &Timekeeping) -> DateTime<Utc> {
    if complaint.grade == Some(Grade::One) {
        return at;
    }
    let working = keep.working(&complaint.branch, at);
    Counting::Working(working).first_counted(at).unwrap_or(at)
}

/// When something is to be told next. `clocks` are the complaint's.
pub fn next(
    complaint: &Complaint,
    keep: &Timekeeping,
    clocks: &[Deadline],
) -> Option<DateTime<Utc>> {
    // Waiting for the hours of work keeps the order, so the first stays first.
    let first = ahead(complaint, keep, clocks).map(|one| one.at).min()?;
    Some(in_hours(first, complaint, keep))
}

/// What is to be told at `now`: of each deadline the highest rung reached.
pub fn reached(complaint: &Complaint, keep: &Timekeeping, now: DateTime<Utc>) -> Vec<Escalation> {
    let clocks = deadlines(complaint, keep);
    let mut list: Vec<Escalation> = Vec::new();
    for mut one in ahead(complaint, keep, &clocks).filter(|one| one.at <= now) {
        one.at = in_hours(one.at, complaint, keep);
        if one.at > now {
            continue;
        }
        let same = |other: &&mut Escalation| (other.clock, other.task) == (one.clock, one.task);
        match list.iter_mut().find(same) {
            Some(lower) if lower.level < one.level => *lower = one,
            Some(_) => {}
            None => list.push(one),
        }
    }
    list
}

/// What has been told and still holds: of each clock that runs the highest
/// level, the highest first.
/// `clocks` are the complaint's.
pub fn standing(complaint: &Complaint, clocks: &[Deadline]) -> Vec<Escalation> {
    let running = clocks.iter().filter(|clock| clock.is_running());
    let told = running.filter_map(|deadline| told(complaint, deadline));
    let mut list: Vec<Escalation> = told.copied().collect();
    list.sort_by_key(|one| (std::cmp::Reverse(one.level), one.due));
    list
}

/// Whom it addresses, passing over whom the complaint is about and their line:
/// what would address them goes to the next level.
pub fn addressee_of(
    complaint: &Complaint,
    escalation: &Escalation,
    is_barred: impl Fn(&Addressee) -> bool,
) -> Addressee {
    let mut one = *escalation;
    loop {
        let addressee = addressee(complaint, &one);
        one.level = match one.level {
            _ if !is_barred(&addressee) => return addressee,
            Level::Remind => Level::Copy,
            Level::Copy => Level::Report,
            Level::Report => return addressee,
        };
    }
}

/// As [`addressee_of`], from who is barred and the active managers of the
/// complaint's branch: a branch whose managers are all barred has none.
pub fn addressee_but(
    complaint: &Complaint,
    escalation: &Escalation,
    barred: &BTreeSet<StaffId>,
    managers: &[(StaffId, BranchCode)],
) -> Addressee {
    addressee_of(complaint, escalation, |addressee| match addressee {
        Addressee::Staff(id) => barred.contains(id),
        Addressee::BranchManager(branch) => {
            let mut of_branch = managers.iter().filter(|(_, of)| of == branch).peekable();
            of_branch.peek().is_some() && of_branch.all(|(id, _)| barred.contains(id))
        }
        Addressee::Branch(_) | Addressee::Team | Addressee::Management => false,
    })
}

/// Whether a member of staff is among those addressed.
pub fn is_addressed(
    addressee: &Addressee,
    staff: StaffId,
    role: Role,
    of_branch: Option<&BranchCode>,
) -> bool {
    match addressee {
        Addressee::Branch(branch) => role.is_of_branch() && of_branch == Some(branch),
        Addressee::BranchManager(branch) => {
            role == Role::BranchManager && of_branch == Some(branch)
        }
        Addressee::Staff(id) => staff == *id,
        Addressee::Team => role == Role::Expert,
        Addressee::Management => role == Role::Management,
    }
}

/// Whom it addresses, by who has the complaint now.
pub fn addressee(complaint: &Complaint, escalation: &Escalation) -> Addressee {
    let holder = || match &complaint.claim {
        Some(claim) => Addressee::Staff(claim.expert),
        None => Addressee::Team,
    };
    let department = || {
        let of_task = |task: &&crate::complaint::Task| Some(task.id) == escalation.task;
        let task = complaint.tasks.iter().find(of_task)?;
        Some(Addressee::Staff(task.department))
    };
    let responsible = || {
        let of_measure = |planned: &&crate::complaint::Planned| {
            Some(planned.measure.id.as_task()) == escalation.task
        };
        let planned = complaint.plan.iter().find(of_measure)?;
        Some(Addressee::Staff(planned.measure.staff?))
    };
    let asked_back = || {
        let back = complaint.call_back.assigned.as_ref()?;
        Some(Addressee::Staff(back.staff))
    };
    let acts = || match escalation.clock {
        Clock::Measure => responsible(),
        Clock::CallBack => asked_back(),
        _ => department(),
    };
    let branch = || match &complaint.owner {
        Owner::Branch(code) => Some(code.clone()),
        Owner::Team(_) => None,
    };
    match (escalation.level, branch()) {
        (Level::Report, _) => Addressee::Management,
        _ if escalation.clock == Clock::Grade1Alert => Addressee::Management,
        (Level::Remind, Some(branch)) => Addressee::Branch(branch),
        (Level::Copy, Some(branch)) => Addressee::BranchManager(branch),
        (Level::Remind, None) => acts().unwrap_or_else(holder),
        // Over a department's task stands the expert who sent it, over a
        // measure the expert whose plan it is.
        (Level::Copy, None) if acts().is_some() && escalation.clock != Clock::CallBack => holder(),
        (Level::Copy, None) => Addressee::Management,
    }
}
