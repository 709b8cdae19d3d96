//! The clocks (product.md, "Clocks"), each derived from the ledger's moments,
//! never from a stored counter.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::complaint::Complaint;
use crate::policy::Policy;

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
    Feedback,
    Cycle,
    CallBack,
    OuterLimit,
}

/// One clock of one complaint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deadline {
    pub clock: Clock,
    pub from: DateTime<Utc>,
    pub due: DateTime<Utc>,
    /// When it was met or ended; absent while it runs.
    pub ended: Option<DateTime<Utc>>,
    /// The deadline had passed before the complaint was recorded (a row of the
    /// past): it is shown, and nothing reminds or escalates.
    pub past_at_recording: bool,
    /// False when the deadline was counted through a year without calendar.
    pub calendar_covered: bool,
}

impl Deadline {
    pub fn is_running(&self) -> bool {
        self.ended.is_none() && !self.past_at_recording
    }

    /// Whether it ended late, or runs and is late at `now`.
    pub fn is_breached(&self, now: DateTime<Utc>) -> bool {
        self.ended.unwrap_or(now) > self.due
    }
}

/// Every clock that has started, in the order of [`Clock`].
pub fn deadlines(complaint: &Complaint, policy: &Policy, calendar: &Calendar) -> Vec<Deadline> {
    let marks = &complaint.marks;
    let end = marks.answered_at.or(marks.ended_at);
    let mut list = Vec::with_capacity(6);
    let mut add = |clock, from: DateTime<Utc>, minutes: u32, ended: Option<DateTime<Utc>>| {
        let due = from + TimeDelta::minutes(i64::from(minutes));
        list.push(Deadline {
            clock,
            from,
            due,
            ended,
            past_at_recording: complaint.late && due <= complaint.recorded_at,
            calendar_covered: true,
        });
    };
    if complaint.cycle == 1 {
        add(
            Clock::Assessment,
            complaint.recorded_at,
            policy.assessment,
            marks.assessed_at.or(end),
        );
        add(
            Clock::Handoff,
            complaint.arrived_at,
            policy.handoff,
            marks.queued_at.or(end),
        );
    }
    if let Some(at) = marks.grade1_at {
        add(
            Clock::Grade1Alert,
            at,
            policy.grade1_alert,
            marks.alert_acknowledged_at.or(end),
        );
    }
    if complaint.cycle == 1 {
        add(
            Clock::FirstResponse,
            complaint.arrived_at,
            policy.first_response,
            end,
        );
    }
    if let Some(at) = marks.claimed_at {
        add(
            Clock::InitialAnalysis,
            at,
            policy.initial_analysis,
            marks.reported_at.or(end),
        );
    }
    if let Some(at) = marks.implemented_at {
        add(Clock::Feedback, at, policy.feedback, end);
    }
    if let Some(at) = marks.answered_at {
        add(
            Clock::CallBack,
            at,
            policy.call_back,
            marks.called_back_at.or(marks.ended_at),
        );
    }
    add(
        Clock::OuterLimit,
        complaint.arrived_at,
        policy.outer_limit,
        end,
    );
    list.push(cycle(complaint, policy, calendar, end));
    list.sort_by_key(|deadline| deadline.clock);
    list
}

fn cycle(
    complaint: &Complaint,
    policy: &Policy,
    calendar: &Calendar,
    ended: Option<DateTime<Utc>>,
) -> Deadline {
    let from = complaint.arrived_at;
    let counted = civil_offset(policy)
        .map(|offset| calendar.after_working_days(from, policy.cycle_working_days, offset));
    let due = counted.map_or(
        from + TimeDelta::days(i64::from(policy.cycle_working_days)),
        |c| c.due,
    );
    Deadline {
        clock: Clock::Cycle,
        from,
        due,
        ended,
        past_at_recording: complaint.late && due <= complaint.recorded_at,
        calendar_covered: counted.is_some_and(|c| c.covered),
    }
}

/// The installation's civil time.
pub fn civil_offset(policy: &Policy) -> Option<FixedOffset> {
    FixedOffset::east_opt(policy.utc_offset * 60)
}

/// The running clock that is due first.
pub fn nearest(deadlines: &[Deadline]) -> Option<&Deadline> {
    deadlines
        .iter()
        .filter(|deadline| deadline.is_running())
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
    policy: &Policy,
    now: DateTime<Utc>,
    reminded: Option<u32>,
) -> Option<Prompt> {
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
