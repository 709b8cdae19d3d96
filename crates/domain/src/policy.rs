//! The settings of the clocks: data the hub sends to every desk.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clocks::Clock;
use crate::escalation::{Level, Rung, usual_ladder};
use crate::ids::BranchCode;
use crate::state::Grade;
use crate::time::{Hours, HoursError, Zone};

/// Budgets in minutes unless a name says otherwise (product.md, "Clocks").
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Policy {
    pub version: u32,
    /// Clocks that begin from here on are counted with this version; absent
    /// in the first.
    pub since: Option<DateTime<Utc>>,
    pub assessment: u32,
    pub handoff: u32,
    pub grade1_alert: u32,
    pub first_response: u32,
    pub initial_analysis: u32,
    pub feedback: u32,
    /// In working time: so many days of the length of an ordinary one.
    pub cycle_working_days: u32,
    pub call_back: u32,
    pub outer_limit: u32,
    /// Minutes after arrival at which the desk reminds of an unsettled complaint.
    pub reminders: Vec<u32>,
    /// Minutes before the end of the hour at which the desk hands off by itself.
    pub automatic_handoff_before: u32,
    /// How long an expert's claim lasts without a sign of life.
    pub lease: u32,
    /// Minutes without input after which a desk locks itself.
    pub idle_lock: u32,
    /// Offset of the installation's civil time from UTC, in minutes, where no
    /// zone is named.
    pub utc_offset: i32,
    /// The installation's zone by its name in the time-zone database. Needed
    /// only where the clocks are changed with the seasons.
    pub zone: Option<String>,
    pub hours: Hours,
    /// Of branches that work at other hours.
    pub branch_hours: BTreeMap<BranchCode, Hours>,
    pub pauses: Vec<PauseRule>,
    /// Above this the management group has to approve what a customer is to
    /// get, in the smallest unit of the currency.
    pub compensation_limit: u32,
    /// From this on two members have to.
    pub two_votes_from: u32,
    /// A missed handoff costs so many times what a wrong one costs, at most
    /// [`MOST_MISSED_COSTS`]. It sets from which likelihood on a handoff is
    /// proposed, where no rule says.
    pub missed_handoff_costs: u32,
    /// When who is told of a deadline that comes near or is missed. Clocks that
    /// began before there was a ladder have none.
    #[serde(default = "Vec::new")]
    pub ladder: Vec<Rung>,
}

/// A reason for which clocks may stand still.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PauseRule {
    /// What the ledger names it by; never changed once used.
    pub reason: String,
    /// What people read.
    pub name: String,
    pub clocks: BTreeSet<Clock>,
    /// Minutes after which the clocks go on by themselves.
    pub most: Option<u32>,
}

/// The pause every installation begins with.
pub const WAITING_FOR_CUSTOMER: &str = "customer";

/// The dearest a missed handoff may be set.
pub const MOST_MISSED_COSTS: u32 = 100;

/// A wrong handoff takes an expert about a quarter of an hour: read, claimed,
/// sent back or answered. A missed one takes that and the branch's futile work,
/// the customer's second visit, a further cycle, and the promise of the hour:
/// four times as much, a guess until somebody has measured it, and set on the
/// side of the customer. A handoff is so proposed from one in five on.
const MISSED_HANDOFF_COSTS: u32 = 4;

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            since: None,
            assessment: 15,
            handoff: HOUR,
            grade1_alert: 5,
            first_response: DAY,
            initial_analysis: DAY,
            feedback: DAY,
            cycle_working_days: 7,
            call_back: 7 * DAY,
            outer_limit: 15 * DAY,
            reminders: vec![15, 30, 45, 50],
            automatic_handoff_before: 10,
            lease: 30,
            idle_lock: 10,
            utc_offset: 8 * 60,
            zone: None,
            hours: Hours::default(),
            branch_hours: BTreeMap::new(),
            pauses: vec![PauseRule {
                reason: WAITING_FOR_CUSTOMER.to_owned(),
                name: "等待客户补充材料".to_owned(),
                clocks: [Clock::InitialAnalysis, Clock::Department, Clock::Cycle].into(),
                most: Some(5 * DAY),
            }],
            compensation_limit: 50_000,
            two_votes_from: 1_000_000,
            missed_handoff_costs: MISSED_HANDOFF_COSTS,
            ladder: usual_ladder(),
        }
    }
}

/// Why a policy cannot be used: the setting and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum PolicyError {
    #[error("{field} must be at least one")]
    Zero { field: String },
    #[error("{field} is longer than a year")]
    TooLong { field: String },
    #[error("the automatic handoff must lie within the hour")]
    AutomaticHandoff,
    #[error("a reminder lies outside the hour")]
    Reminder,
    #[error("no time zone of this name is known")]
    Zone,
    #[error("hours: {error}")]
    Hours {
        /// Absent for the hours of all others.
        branch: Option<BranchCode>,
        error: HoursError,
    },
    #[error("the pause `{reason}` has no name, no clock, or is listed twice")]
    Pause { reason: String },
    #[error("the clock cannot be paused")]
    NeverPauses { clock: Clock },
    #[error("a missed handoff must cost between once and a hundred times a wrong one")]
    MissedHandoff,
    #[error("a rung of the ladder is listed twice, or comes before a lower one")]
    Ladder { clock: Clock, level: Level },
}

const YEAR: u32 = 366 * DAY;
const YEAR_OF_DAYS: u32 = 366;

impl Policy {
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let budgets = [
            ("assessment", self.assessment, YEAR),
            ("handoff", self.handoff, YEAR),
            ("grade1_alert", self.grade1_alert, YEAR),
            ("first_response", self.first_response, YEAR),
            ("initial_analysis", self.initial_analysis, YEAR),
            ("feedback", self.feedback, YEAR),
            ("cycle_working_days", self.cycle_working_days, YEAR_OF_DAYS),
            ("call_back", self.call_back, YEAR),
            ("outer_limit", self.outer_limit, YEAR),
            ("lease", self.lease, YEAR),
            ("idle_lock", self.idle_lock, YEAR),
        ];
        for (field, value, most) in budgets {
            let field = || field.to_owned();
            if value == 0 {
                return Err(PolicyError::Zero { field: field() });
            }
            if value > most {
                return Err(PolicyError::TooLong { field: field() });
            }
        }
        if self.automatic_handoff_before >= self.handoff {
            return Err(PolicyError::AutomaticHandoff);
        }
        if self
            .reminders
            .iter()
            .any(|&at| at == 0 || at >= self.handoff)
        {
            return Err(PolicyError::Reminder);
        }
        if self
            .zone
            .as_deref()
            .is_some_and(|name| Zone::named(name).is_err())
        {
            return Err(PolicyError::Zone);
        }
        if !(1..=MOST_MISSED_COSTS).contains(&self.missed_handoff_costs) {
            return Err(PolicyError::MissedHandoff);
        }
        self.check_hours()?;
        self.check_pauses()?;
        self.check_ladder()
    }

    fn check_hours(&self) -> Result<(), PolicyError> {
        let own = self
            .branch_hours
            .iter()
            .map(|(code, hours)| (Some(code), hours));
        for (branch, hours) in own.chain([(None, &self.hours)]) {
            hours.check().map_err(|error| PolicyError::Hours {
                branch: branch.cloned(),
                error,
            })?;
        }
        Ok(())
    }

    fn check_pauses(&self) -> Result<(), PolicyError> {
        let mut known = BTreeSet::new();
        for pause in &self.pauses {
            if let Some(&clock) = pause.clocks.iter().find(|clock| !clock.can_pause()) {
                return Err(PolicyError::NeverPauses { clock });
            }
            let named = !pause.reason.trim().is_empty() && !pause.name.trim().is_empty();
            let lasts = pause.most.is_none_or(|most| most > 0);
            if !named || !lasts || pause.clocks.is_empty() || !known.insert(&pause.reason) {
                return Err(PolicyError::Pause {
                    reason: pause.reason.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_ladder(&self) -> Result<(), PolicyError> {
        for (at, rung) in self.ladder.iter().enumerate() {
            let Rung { clock, level, .. } = *rung;
            let others = self.ladder.iter().enumerate().filter(|(n, _)| *n != at);
            let mut same =
                others.filter(|(_, other)| (other.clock, other.grade) == (clock, rung.grade));
            let disagrees = |(_, other): (usize, &Rung)| match other.level.cmp(&level) {
                Ordering::Less => other.after_due > rung.after_due,
                Ordering::Equal => true,
                Ordering::Greater => false,
            };
            if same.any(disagrees) || rung.after_due.unsigned_abs() > YEAR {
                return Err(PolicyError::Ladder { clock, level });
            }
        }
        Ok(())
    }

    /// The rungs of a clock for a grade: its own, or else those of all grades.
    pub fn rungs(&self, clock: Clock, grade: Option<Grade>) -> impl Iterator<Item = &Rung> {
        let of = move |rung: &&Rung| rung.clock == clock;
        let own = grade.is_some()
            && self
                .ladder
                .iter()
                .filter(of)
                .any(|rung| rung.grade == grade);
        let wanted = grade.filter(|_| own);
        self.ladder
            .iter()
            .filter(of)
            .filter(move |rung| rung.grade == wanted)
    }

    /// How many members of the management group have to approve it.
    pub fn votes_needed(&self, compensation_minor: Option<u32>) -> u8 {
        match compensation_minor {
            Some(amount) if amount >= self.two_votes_from => 2,
            _ => 1,
        }
    }

    /// The rule of a pause, by its reason.
    pub fn pause(&self, reason: &str) -> Option<&PauseRule> {
        self.pauses.iter().find(|pause| pause.reason == reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_hold_is_refused_by_its_name() {
        let refused = |change: &dyn Fn(&mut Policy)| {
            let mut policy = Policy::default();
            change(&mut policy);
            policy.check().err()
        };
        assert_eq!(refused(&|_| {}), None, "the control");
        let zero = PolicyError::Zero {
            field: "feedback".into(),
        };
        assert_eq!(refused(&|p| p.feedback = 0), Some(zero));
        let long = PolicyError::TooLong {
            field: "cycle_working_days".into(),
        };
        assert_eq!(refused(&|p| p.cycle_working_days = 367), Some(long));
        let early = &|p: &mut Policy| p.automatic_handoff_before = 60;
        assert_eq!(refused(early), Some(PolicyError::AutomaticHandoff));
        assert_eq!(
            refused(&|p| p.reminders.push(60)),
            Some(PolicyError::Reminder)
        );
        let zone = &|p: &mut Policy| p.zone = Some("Asia/Nowhere".into());
        assert_eq!(refused(zone), Some(PolicyError::Zone));
        let free = &|p: &mut Policy| p.missed_handoff_costs = 0;
        assert_eq!(refused(free), Some(PolicyError::MissedHandoff));
        let never = &|p: &mut Policy| p.pauses[0].clocks = [Clock::Handoff].into();
        let clock = Clock::Handoff;
        assert_eq!(refused(never), Some(PolicyError::NeverPauses { clock }));
        let twice = &|p: &mut Policy| p.pauses.push(p.pauses[0].clone());
        let reason = WAITING_FOR_CUSTOMER.to_owned();
        assert_eq!(refused(twice), Some(PolicyError::Pause { reason }));
        let idle = &|p: &mut Policy| p.hours.week = Default::default();
        let (branch, error) = (None, HoursError::NoWork);
        assert_eq!(refused(idle), Some(PolicyError::Hours { branch, error }));
    }

    #[test]
    fn a_policy_of_before_hours_and_pauses_reads() {
        let mut json = serde_json::to_value(Policy::default()).unwrap();
        for newer in [
            "since",
            "zone",
            "hours",
            "branch_hours",
            "pauses",
            "missed_handoff_costs",
        ] {
            json.as_object_mut().unwrap().remove(newer).unwrap();
        }
        assert_eq!(
            serde_json::from_value::<Policy>(json).unwrap(),
            Policy::default()
        );
    }
}
