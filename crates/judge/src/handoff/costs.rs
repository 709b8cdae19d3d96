//! From which likelihood on a handoff is the cheaper mistake, and what each
//! such line would have done to past complaints.

use serde::{Deserialize, Serialize};
use suda_domain::Complexity;
use suda_domain::policy::MOST_MISSED_COSTS;

/// From this likelihood on a complaint is handed off, where a missed handoff
/// costs `times` what a wrong one costs.
///
/// Handing off costs `(1 - p)` of a wrong handoff on average, keeping it `p` of
/// a missed one; they are equal at `1 / (1 + times)` (Elkan, "The foundations
/// of cost-sensitive learning", 2001, equation 2).
pub fn threshold(times: u32) -> f64 {
    1.0 / (1.0 + f64::from(times.max(1)))
}

/// A past complaint, judged by a model that has not learned from it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Judged {
    /// How likely it needed the centre; nothing where the model is unsure.
    pub p: Option<f64>,
    /// What the rules alone say.
    pub by_rules: Complexity,
    /// What it was.
    pub needed: bool,
}

impl Judged {
    /// What would have been proposed.
    pub fn is_handed_off(&self, times: u32) -> bool {
        match self.p {
            Some(p) => p >= threshold(times),
            None => self.by_rules == Complexity::Complex,
        }
    }
}

/// What a way of deciding does to many complaints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Course {
    pub handed_off: u32,
    /// Of those, what a branch could have settled.
    pub wrong: u32,
    /// Kept in the branch, though the centre was needed.
    pub missed: u32,
}

impl Course {
    /// Counts decisions with what was needed.
    pub fn of(decisions: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut course = Self::default();
        for (handed_off, needed) in decisions {
            course.handed_off += u32::from(handed_off);
            course.wrong += u32::from(handed_off && !needed);
            course.missed += u32::from(!handed_off && needed);
        }
        course
    }

    /// In wrong handoffs.
    pub fn cost(&self, times: u32) -> u64 {
        u64::from(self.wrong) + u64::from(times) * u64::from(self.missed)
    }
}

/// What the model would have done, were a missed handoff so many times as dear.
pub fn course(judged: &[Judged], times: u32) -> Course {
    Course::of(
        judged
            .iter()
            .map(|one| (one.is_handed_off(times), one.needed)),
    )
}

/// [`course`] for every ratio an administrator can set, 1 first.
pub fn curve(judged: &[Judged]) -> Vec<Course> {
    (1..=MOST_MISSED_COSTS)
        .map(|times| course(judged, times))
        .collect()
}
