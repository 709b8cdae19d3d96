//! What clocks are counted with: every version of the policy, each from its
//! moment on, and the calendar.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::hours::Hours;
use super::working::WorkingTime;
use super::zone::Zone;
use crate::ids::BranchCode;
use crate::policy::Policy;

/// The rules of time as they are stored and sent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimeRules {
    /// Every version of the policy there has been.
    pub versions: Vec<Policy>,
    pub calendar: Calendar,
}

impl TimeRules {
    /// What a new installation begins with.
    pub fn beginning(policy: Policy) -> Self {
        Self {
            versions: vec![policy],
            calendar: Calendar::china(),
        }
    }

    /// With a further version of the policy, which holds for clocks that begin
    /// from `since` on.
    pub fn with_policy(&self, policy: Policy, since: DateTime<Utc>) -> Self {
        let last = self.versions.iter().map(|policy| policy.version).max();
        let mut rules = self.clone();
        rules.versions.push(Policy {
            version: last.unwrap_or_default().saturating_add(1),
            since: Some(since),
            ..policy
        });
        rules
    }

    /// With the years of `further` in the place of what was known of them.
    pub fn with_calendar(&self, further: &Calendar) -> Self {
        Self {
            versions: self.versions.clone(),
            calendar: self.calendar.clone().with(further),
        }
    }

    /// What a desk of `branch` has to know of them.
    pub fn for_branch(&self, branch: &BranchCode) -> Self {
        let mut rules = self.clone();
        for policy in &mut rules.versions {
            policy.branch_hours.retain(|code, _| code == branch);
        }
        rules
    }
}

impl From<TimeRules> for Timekeeping {
    fn from(rules: TimeRules) -> Self {
        Self::new(rules.versions, rules.calendar)
    }
}

/// The installation's rules of time, ready to count with. A clock keeps the version of the policy
/// that held when it began, so that no change moves a deadline that somebody
/// was told; a calendar that becomes known later counts for all.
#[derive(Clone, PartialEq, Debug)]
pub struct Timekeeping {
    /// Oldest first, never empty.
    versions: Vec<(Policy, Zone)>,
    calendar: Calendar,
}

impl Timekeeping {
    /// From the versions of the policy in any order. Without any, the rules
    /// Suda ships hold.
    pub fn new(versions: impl IntoIterator<Item = Policy>, calendar: Calendar) -> Self {
        let zoned = |policy: Policy| {
            let zone = zone(&policy);
            (policy, zone)
        };
        let mut versions: Vec<_> = versions.into_iter().map(zoned).collect();
        if versions.is_empty() {
            versions.push(zoned(Policy::default()));
        }
        versions.sort_by_key(|(policy, _)| (policy.since, policy.version));
        Self { versions, calendar }
    }

    /// The version that held at a moment; before all others, the oldest.
    pub fn at(&self, moment: DateTime<Utc>) -> &Policy {
        &self.version_at(moment).0
    }

    /// The version that was set last.
    pub fn latest(&self) -> &Policy {
        let last = self.versions.last().unwrap_or(&self.versions[0]);
        &last.0
    }

    pub fn versions(&self) -> impl Iterator<Item = &Policy> {
        self.versions.iter().map(|(policy, _)| policy)
    }

    /// As they are stored and sent.
    pub fn rules(&self) -> TimeRules {
        TimeRules {
            versions: self.versions().cloned().collect(),
            calendar: self.calendar.clone(),
        }
    }

    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// Working time at a branch under the version that held at a moment.
    pub fn working(&self, branch: &BranchCode, moment: DateTime<Utc>) -> WorkingTime<'_> {
        let (policy, zone) = self.version_at(moment);
        WorkingTime {
            calendar: &self.calendar,
            hours: hours(policy, branch),
            zone: *zone,
        }
    }

    /// The installation's civil time under the version that held at a moment.
    pub fn zone_at(&self, moment: DateTime<Utc>) -> Zone {
        self.version_at(moment).1
    }

    fn version_at(&self, moment: DateTime<Utc>) -> &(Policy, Zone) {
        let begun = |(policy, _): &&(Policy, Zone)| policy.since.is_none_or(|at| at <= moment);
        let last = self.versions.iter().rev().find(begun);
        last.unwrap_or(&self.versions[0])
    }
}

fn hours<'a>(policy: &'a Policy, branch: &BranchCode) -> &'a Hours {
    policy.branch_hours.get(branch).unwrap_or(&policy.hours)
}

/// The zone a policy names; by its offset where it names none that is known.
fn zone(policy: &Policy) -> Zone {
    let named = policy.zone.as_deref().map(Zone::named);
    if let Some(Ok(zone)) = named {
        return zone;
    }
    let offset = FixedOffset::east_opt(policy.utc_offset.saturating_mul(60));
    Zone::Fixed(offset.unwrap_or_else(|| chrono::Offset::fix(&Utc)))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_moment_keeps_the_version_that_held_then() {
        let change: DateTime<Utc> = "2026-07-21T02:00:00Z".parse().unwrap();
        let later = Policy {
            version: 2,
            since: Some(change),
            handoff: 45,
            ..Policy::default()
        };
        let keep = Timekeeping::new([later, Policy::default()], Calendar::china());
        let handoff = |at| keep.at(at).handoff;
        assert_eq!(handoff(change - TimeDelta::seconds(1)), 60);
        assert_eq!(handoff(change), 45);
        assert_eq!(keep.latest().version, 2);
    }
}
