//! The clocks (product.md, "Clocks"), each derived from the ledger's moments,
//! never from a stored counter.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::complaint::{Complaint, Paused};
use crate::ids::{BranchCode, TaskId};
use crate::time::{Counting, Pause, Stretch, Timekeeping};

/// What has to happen in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    Assessment,
    Handoff,
    Grade1Alert,
    FirstResponse,
    InitialAnalysis,
    /// A department's own, one for each dispatch.
    Department,
    /// A measure's own, one for each of the plan.
    Measure,
    Feedback,
    Cycle,
    CallBack,
    OuterLimit,
}

impl Clock {
    pub const ALL: [Self; 11] = [
        Self::Assessment,
        Self::Handoff,
        Self::Grade1Alert,
        Self::FirstResponse,
        Self::InitialAnalysis,
        Self::Department,
        Self::Measure,
        Self::Feedback,
        Self::Cycle,
        Self::CallBack,
        Self::OuterLimit,
    ];

    /// Whether a policy may let it stand still. The promises of the first day
    /// never do, and the outer limit is extended instead.
    pub fn can_pause(self) -> bool {
        match self {
            Self::InitialAnalysis
            | Self::Department
            | Self::Feedback
            | Self::Cycle
            | Self::CallBack => true,
            Self::Assessment
            | Self::Handoff
            | Self::Grade1Alert
            | Self::FirstResponse
            | Self::Measure
            | Self::OuterLimit => false,
        }
    }
}

/// One clock of one complaint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deadline {
    pub clock: Clock,
    /// Of which dispatch, for a department's clock, or of which measure.
    pub task: Option<TaskId>,
    pub from: DateTime<Utc>,
    /// While it is paused without a longest: as it would be if it went on at once.
    pub due: DateTime<Utc>,
    /// When it was met or ended; absent while it runs.
    pub ended: Option<DateTime<Utc>>,
    /// Since when it stands still.
    pub paused_since: Option<DateTime<Utc>>,
    /// When it goes on by itself, if the pause has a longest.
    pub paused_until: Option<DateTime<Utc>>,
    /// The deadline had passed before the complaint was recorded (a row of the
    /// past): it is shown, and nothing reminds or escalates.
    pub past_at_recording: bool,
    /// False when the deadline was counted through a year without calendar.
    pub calendar_covered: bool,
    /// The version of the policy it is counted with.
    pub policy: u32,
}

impl Deadline {
    pub fn is_running(&self) -> bool {
        self.ended.is_none() && !self.past_at_recording
    }

    /// Whether it ended late, or runs and is late at `now`.
    pub fn is_breached(&self, now: DateTime<Utc>) -> bool {
        let endless = self.paused_since.filter(|_| self.is_stopped());
        self.ended.or(endless).unwrap_or(now) > self.due
    }

    /// Whether it stands still until somebody lets it go on.
    pub fn is_stopped(&self) -> bool {
        self.paused_since.is_some() && self.paused_until.is_none()
    }
}

/// Every clock that has started, in the order of [`Clock`], a department's in
/// the order of the dispatches.
pub fn deadlines(complaint: &Complaint, keep: &Timekeeping) -> Vec<Deadline> {
    let marks = &complaint.marks;
    let end = marks.answered_at.or(marks.ended_at);
    let mut list = Counter::new(complaint, keep);
    if complaint.cycle == 1 {
        list.add(
            Clock::Assessment,
            complaint.recorded_at,
            marks.assessed_at.or(end),
        );
        list.add(
            Clock::Handoff,
            complaint.arrived_at,
            marks.queued_at.or(end),
        );
    }
    if let Some(at) = marks.grade1_at {
        list.add(Clock::Grade1Alert, at, marks.alert_acknowledged_at.or(end));
    }
    if complaint.cycle == 1 {
        list.add(Clock::FirstResponse, complaint.arrived_at, end);
    }
    if let Some(at) = marks.claimed_at {
        list.add(Clock::InitialAnalysis, at, marks.reported_at.or(end));
    }
    for task in &complaint.tasks {
        // The expert sets the end of each; the policy only gives the usual one.
        let budget = task.due_at - task.sent_at;
        let ended = task.ended_at.or(end);
        list.count(Clock::Department, task.sent_at, budget, ended);
        list.of_task(task.id);
    }
    for planned in &complaint.plan {
        // The plan says until when; there is no usual budget.
        let from = marks.solving_at.unwrap_or(planned.measure.due_at);
        let budget = (planned.measure.due_at - from).max(TimeDelta::zero());
        list.count(Clock::Measure, from, budget, planned.done_at.or(end));
        list.of_task(planned.measure.id.as_task());
    }
    if let Some(at) = marks.implemented_at {
        list.add(Clock::Feedback, at, end);
    }
    let began = complaint.began_at();
    list.add(Clock::Cycle, began, end);
    if let Some(at) = marks.answered_at {
        let ended = marks.called_back_at.or(complaint.call_back.given_up());
        list.add(Clock::CallBack, at, ended.or(marks.ended_at));
    }
    match complaint.extension_granted(None) {
        Some(more) => list.count(Clock::OuterLimit, began, more.until - began, end),
        None => list.add(Clock::OuterLimit, began, end),
    }
    list.deadlines
}

/// Counts one complaint's clocks.
struct Counter<'a> {
    complaint: &'a Complaint,
    keep: &'a Timekeeping,
    deadlines: Vec<Deadline>,
}

impl<'a> Counter<'a> {
    fn new(complaint: &'a Complaint, keep: &'a Timekeeping) -> Self {
        Self {
            complaint,
            keep,
            deadlines: Vec::with_capacity(8),
        }
    }

    fn add(&mut self, clock: Clock, from: DateTime<Utc>, ended: Option<DateTime<Utc>>) {
        let budget = budget(clock, from, &self.complaint.branch, self.keep);
        self.count(clock, from, budget.unwrap_or_default(), ended);
    }

    fn count(
        &mut self,
        clock: Clock,
        from: DateTime<Utc>,
        budget: TimeDelta,
        ended: Option<DateTime<Utc>>,
    ) {
        let Self {
            complaint, keep, ..
        } = *self;
        let counting = counting(clock, from, &complaint.branch, keep);
        let pauses = pauses(clock, complaint, keep);
        let mut counted = counting.after(from, budget, &pauses);
        if counted.due.is_none()
            && let Some((_, before)) = pauses.split_last()
        {
            counted = counting.after(from, budget, before);
        }
        let lasting = complaint.paused().filter(|_| ended.is_none());
        let open = lasting.and_then(|lasting| pauses.iter().find(|one| one.from == lasting.from));
        // Without any working time ahead, elapsed time counts.
        let due = counted.due.unwrap_or(from + budget);
        self.deadlines.push(Deadline {
            clock,
            task: None,
            from,
            due,
            ended,
            paused_since: open.map(|pause| pause.from),
            paused_until: open.and_then(|pause| pause.to),
            past_at_recording: complaint.late && due <= complaint.recorded_at,
            calendar_covered: counted.covered && counted.due.is_some(),
            policy: keep.at(from).version,
        });
    }

    fn of_task(&mut self, task: TaskId) {
        if let Some(last) = self.deadlines.last_mut() {
            last.task = Some(task);
        }
    }
}

fn counting<'a>(
    clock: Clock,
    from: DateTime<Utc>,
    branch: &BranchCode,
    keep: &'a Timekeeping,
) -> Counting<'a> {
    match clock {
        Clock::Cycle => Counting::Working(keep.working(branch, from)),
        _ => Counting::Elapsed,
    }
}

/// What the policy gives a clock that begins at `from`; a department's has
/// only what its dispatch gives it, a measure's what the plan says.
fn budget(
    clock: Clock,
    from: DateTime<Utc>,
    branch: &BranchCode,
    keep: &Timekeeping,
) -> Option<TimeDelta> {
    let policy = keep.at(from);
    let minutes = match clock {
        Clock::Assessment => policy.assessment,
        Clock::Handoff => policy.handoff,
        Clock::Grade1Alert => policy.grade1_alert,
        Clock::FirstResponse => policy.first_response,
        Clock::InitialAnalysis => policy.initial_analysis,
        Clock::Department | Clock::Measure => return None,
        Clock::Feedback => policy.feedback,
        // Seven working days are seven times the length of an ordinary one.
        Clock::Cycle => {
            let day = keep.working(branch, from).hours.day_length();
            policy.cycle_working_days.saturating_mul(day)
        }
        Clock::CallBack => policy.call_back,
        Clock::OuterLimit => policy.outer_limit,
    };
    Some(TimeDelta::minutes(i64::from(minutes)))
}

/// When each clock would be due that the policy gives a budget and that began
/// at `from` in a branch, in the order of [`Clock`]: what a change of the rules
/// means, in moments.
pub fn if_begun(
    from: DateTime<Utc>,
    branch: &BranchCode,
    keep: &Timekeeping,
) -> Vec<(Clock, DateTime<Utc>)> {
    let due = |clock: Clock| {
        let budget = budget(clock, from, branch, keep)?;
        let counted = counting(clock, from, branch, keep).after(from, budget, &[]);
        Some((clock, counted.due.unwrap_or(from + budget)))
    };
    Clock::ALL.into_iter().filter_map(due).collect()
}

/// The complaint's pauses that hold for a clock, each no longer than its rule
/// lets it be. The rule is the one that held when the pause began.
fn pauses<'a>(clock: Clock, complaint: &'a Complaint, keep: &Timekeeping) -> Vec<Pause<'a>> {
    let holds = |paused: &'a Paused| {
        let rule = keep.at(paused.from).pause(&paused.reason)?;
        if !clock.can_pause() || !rule.clocks.contains(&clock) {
            return None;
        }
        let most = rule
            .most
            .map(|most| paused.from + TimeDelta::minutes(i64::from(most)));
        Some(Pause {
            from: paused.from,
            to: match (paused.to, most) {
                (Some(to), Some(most)) => Some(to.min(most)),
                (to, most) => to.or(most),
            },
            reason: &paused.name,
        })
    };
    complaint.pauses.iter().filter_map(holds).collect()
}

/// Why a deadline is when it is: every stretch from its beginning to its end,
/// counted or not, in order.
pub fn why(complaint: &Complaint, keep: &Timekeeping, deadline: &Deadline) -> Vec<Stretch> {
    let Deadline { clock, from, .. } = *deadline;
    let pauses = pauses(clock, complaint, keep);
    counting(clock, from, &complaint.branch, keep).stretches(from, deadline.due, &pauses)
}

/// The running clock that is due first.
pub fn nearest(deadlines: &[Deadline]) -> Option<&Deadline> {
    deadlines
        .iter()
        .filter(|deadline| deadline.is_running() && !deadline.is_stopped())
        .min_by_key(|deadline| deadline.due)
}

/// What a desk has to do by itself for a complaint still open in its branch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Prompt {
    /// Remind: this many minutes after arrival have passed.
    Remind(u32),
    /// Ten minutes before the hour ends: hand it off.
    HandOff,
}

/// The prompt due at `now`, if any, when the reminders up to `reminded`
/// minutes have been shown. Only the latest reminder passed is given, so that
/// a desk switched on late reminds once. None for a complaint no longer open
/// in its branch, nor for a row of the past whose hour was over before it was
/// recorded.
pub fn prompt(
    complaint: &Complaint,
    keep: &Timekeeping,
    now: DateTime<Utc>,
    reminded: Option<u32>,
) -> Option<Prompt> {
    let policy = keep.at(complaint.arrived_at);
    if !complaint.state.is_open_in_branch() || complaint.marks.queued_at.is_some() {
        return None;
    }
    let due = complaint.arrived_at + TimeDelta::minutes(i64::from(policy.handoff));
    if complaint.late && due <= complaint.recorded_at {
        return None;
    }
    let minutes = (now - complaint.arrived_at).num_minutes();
    let handoff_at = i64::from(
        policy
            .handoff
            .saturating_sub(policy.automatic_handoff_before),
    );
    if minutes >= handoff_at {
        return Some(Prompt::HandOff);
    }
    let passed = policy
        .reminders
        .iter()
        .copied()
        .filter(|&m| i64::from(m) <= minutes)
        .max()?;
    (reminded < Some(passed)).then_some(Prompt::Remind(passed))
}
