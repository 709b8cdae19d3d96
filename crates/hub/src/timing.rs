//! What an administrator does with the rules of time: look at what a change
//! would do, then make it.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use suda_domain::clocks::{self, Clock, Deadline};
use suda_domain::escalation::usual_ladder;
use suda_domain::policy::PolicyError;
use suda_domain::time::{Calendar, CalendarError, DayKind, TimeRules, Timekeeping};
use suda_domain::{BranchCode, Complaint, ComplaintId, Policy, StaffId};
use utoipa::ToSchema;

use crate::store::{After, Branch, Reader, Store, StoreError, TimeChange, TimeChanged, View};

/// What is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TimeDraft {
    /// Of the rules that were looked at.
    pub revision: String,
    /// The next version; its number and moment are set by the hub.
    pub policy: Option<Policy>,
    /// A calendar file: two columns, date and kind, with a header line.
    pub calendar: Option<String>,
    /// By whose hours the preview's examples are counted; absent for those of
    /// the first branch.
    #[serde(default)]
    pub branch: Option<BranchCode>,
}

/// Why a draft cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum TimeProblem {
    Policy {
        error: PolicyError,
    },
    CalendarLine {
        /// From 1.
        line: usize,
    },
    CalendarTwice {
        line: usize,
    },
    CalendarEmpty,
}

impl From<CalendarError> for TimeProblem {
    fn from(error: CalendarError) -> Self {
        match error {
            CalendarError::Line { line } => Self::CalendarLine { line },
            CalendarError::Twice { line } => Self::CalendarTwice { line },
            CalendarError::Empty => Self::CalendarEmpty,
        }
    }
}

/// A year of the calendar as it would be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct YearChange {
    pub year: i32,
    /// Nothing was known of it before.
    pub is_new: bool,
    pub holidays: usize,
    pub makeup_workdays: usize,
    pub half_days: usize,
    /// Listed days that are other than before, of a year that was known.
    pub changed: usize,
}

/// When a clock that began now would be due, by the rules as they are and as
/// they would be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClockExample {
    pub clock: Clock,
    pub before: DateTime<Utc>,
    pub after: DateTime<Utc>,
}

/// A running deadline that would move.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MovedDeadline {
    pub complaint: ComplaintId,
    pub reference: String,
    pub branch: BranchCode,
    pub clock: Clock,
    pub before: DateTime<Utc>,
    pub after: DateTime<Utc>,
}

/// What a draft would change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimePreview {
    /// Absent when the draft can be used.
    pub problem: Option<TimeProblem>,
    /// By whose hours the examples are counted.
    pub branch: Option<BranchCode>,
    /// Of a complaint that arrives now.
    pub examples: Vec<ClockExample>,
    pub years: Vec<YearChange>,
    /// Complaints that are not finished.
    pub running: u64,
    /// Running deadlines that would move.
    pub moved: u64,
    /// Among the moved, those that would lie in the past.
    pub overdue: u64,
    /// The first of the moved.
    pub first_moved: Vec<MovedDeadline>,
}

/// Moved deadlines that are named one by one.
const NAMED: usize = 50;
const PAGE: u32 = 500;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("the draft cannot be used")]
    Problem(TimeProblem),
    #[error("somebody has changed the rules since they were looked at")]
    Outdated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Names the rules as they are, so that a change made by somebody else in
/// between is noticed.
pub fn revision(rules: &TimeRules) -> String {
    // A map in order and no number with a fraction: the text is always the same.
    let text = serde_json::to_vec(rules).unwrap_or_default();
    let digest = Sha256::digest(text);
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// The rules as a draft would make them, and what it changes.
fn drafted(
    before: &TimeRules,
    draft: &TimeDraft,
    now: DateTime<Utc>,
) -> Result<(TimeRules, Vec<TimeChanged>), TimeProblem> {
    let mut rules = before.clone();
    let mut changes = Vec::new();
    if let Some(policy) = &draft.policy {
        let checked = policy.check();
        checked.map_err(|error| TimeProblem::Policy { error })?;
        rules = rules.with_policy(policy.clone(), now);
        let version = rules.versions.last().map_or(0, |policy| policy.version);
        changes.push(TimeChanged::Policy { version });
    }
    if let Some(file) = &draft.calendar {
        let further = Calendar::parse(file)?;
        let years = further.years();
        rules = rules.with_calendar(&further);
        changes.push(TimeChanged::Calendar { years });
    }
    Ok((rules, changes))
}

/// What a draft would do, were it used at `now`. Its figures count all
/// complaints; none is named to whom it is about.
pub async fn preview(
    store: &dyn Store,
    draft: &TimeDraft,
    now: DateTime<Utc>,
    reader: StaffId,
) -> Result<TimePreview, StoreError> {
    let keep = store.settings().await?.time;
    let before = keep.rules();
    let mut preview = TimePreview {
        problem: None,
        branch: None,
        examples: Vec::new(),
        years: Vec::new(),
        running: 0,
        moved: 0,
        overdue: 0,
        first_moved: Vec::new(),
    };
    let after = match drafted(&before, draft, now) {
        Ok((rules, _)) => Timekeeping::from(rules),
        Err(problem) => {
            preview.problem = Some(problem);
            return Ok(preview);
        }
    };
    preview.years = years(keep.calendar(), after.calendar());
    let branches = store.branches().await?;
    let asked = |branch: &&Branch| draft.branch.as_ref() == Some(&branch.code);
    let mut active = branches.iter().filter(|branch| branch.active);
    let example = active.clone().find(asked).or_else(|| active.next());
    if let Some(branch) = example {
        preview.branch = Some(branch.code.clone());
        let examples = clocks::if_begun(now, &branch.code, &keep).into_iter();
        let later = clocks::if_begun(now, &branch.code, &after);
        preview.examples = examples
            .zip(later)
            .map(|((clock, before), (_, after))| ClockExample {
                clock,
                before,
                after,
            })
            .collect();
    }
    let above = store.lines().await?;
    let mut from = None;
    loop {
        let page = store
            .work_orders(View::All(None), from, PAGE, Reader::Program)
            .await?;
        let Some(last) = page.last() else { break };
        from = Some(After::of(&last.complaint, &keep));
        let running = page.iter().map(|held| held.complaint.as_ref());
        let running: Vec<&Complaint> = running.filter(|one| !one.state.is_finished()).collect();
        let some_are_finished = running.len() < page.len();
        let ids: Vec<ComplaintId> = running.iter().map(|one| one.id).collect();
        let lines = above.with_along(store.barred_along(&ids).await?);
        for complaint in running {
            let names = !lines.bar(complaint, reader);
            preview.compare(complaint, (&keep, &after), now, names);
        }
        // They stand behind all others.
        if some_are_finished {
            break;
        }
    }
    Ok(preview)
}

impl TimePreview {
    fn compare(
        &mut self,
        complaint: &Complaint,
        (before, after): (&Timekeeping, &Timekeeping),
        now: DateTime<Utc>,
        names: bool,
    ) {
        self.running += 1;
        let was = clocks::deadlines(complaint, before);
        let would_be = clocks::deadlines(complaint, after);
        let pairs = was.iter().zip(&would_be);
        let moves = |(was, will): &(&Deadline, &Deadline)| was.is_running() && was.due != will.due;
        for (was, will) in pairs.filter(moves) {
            self.moved += 1;
            self.overdue += u64::from(will.due <= now);
            if names && self.first_moved.len() < NAMED {
                self.first_moved.push(MovedDeadline {
                    complaint: complaint.id,
                    reference: complaint.reference.to_string(),
                    branch: complaint.branch.clone(),
                    clock: was.clock,
                    before: was.due,
                    after: will.due,
                });
            }
        }
    }
}

/// The years whose days are other than before.
fn years(before: &Calendar, after: &Calendar) -> Vec<YearChange> {
    let of = |calendar: &Calendar, year: i32| -> Vec<(NaiveDate, DayKind)> {
        let days = calendar.days();
        days.filter(|(date, _)| date.year() == year).collect()
    };
    let changes = after.years().into_iter().filter_map(|year| {
        let (was, will) = (of(before, year), of(after, year));
        let count = |kind| will.iter().filter(|(_, of)| *of == kind).count();
        let differs = |some: &[(NaiveDate, DayKind)], others: &[(NaiveDate, DayKind)]| {
            let others = others.to_vec();
            some.iter().filter(|day| !others.contains(day)).count()
        };
        let is_new = was.is_empty();
        // A day of another kind is in both counts and is one change.
        let changed = differs(&will, &was).max(differs(&was, &will));
        (changed > 0).then(|| YearChange {
            year,
            is_new,
            holidays: count(DayKind::Holiday),
            makeup_workdays: count(DayKind::MakeupWorkday),
            half_days: count(DayKind::HalfDay),
            changed: if is_new { 0 } else { changed },
        })
    });
    changes.collect()
}

/// Uses a draft.
pub async fn change(
    store: &dyn Store,
    draft: &TimeDraft,
    by: StaffId,
    now: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let before = store.settings().await?.time.rules();
    if revision(&before) != draft.revision {
        return Err(ChangeError::Outdated);
    }
    let (after, changes) = drafted(&before, draft, now).map_err(ChangeError::Problem)?;
    let changes = changes.into_iter();
    let changes = changes.map(|what| TimeChange { at: now, by, what });
    let done = store
        .replace_time(&before, &after, changes.collect())
        .await?;
    done.then_some(()).ok_or(ChangeError::Outdated)
}

/// An installation from before there was a ladder gets the usual one, for
/// clocks that begin from `now` on: nobody is flooded with what is past. Who
/// has changed the rules since has decided about it.
pub async fn give_ladder(store: &dyn Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before = store.settings().await?.time.rules();
    let has_none = before
        .versions
        .iter()
        .all(|policy| policy.ladder.is_empty());
    if !has_none || !store.time_changes().await?.is_empty() {
        return Ok(());
    }
    let keep = Timekeeping::from(before.clone());
    let policy = Policy {
        ladder: usual_ladder(),
        ..keep.latest().clone()
    };
    let after = before.with_policy(policy, now);
    // False when another process has just done the same.
    store.replace_time(&before, &after, Vec::new()).await?;
    Ok(())
}
