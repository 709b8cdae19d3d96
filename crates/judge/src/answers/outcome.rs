//! What came out of a complaint, so that two can be compared.

use serde::{Deserialize, Serialize};
use suda_domain::Intake;
use suda_domain::complaint::Answer;
use suda_domain::fact::Decision;

use super::remedy::{RemedyKind, remedies};

/// How much was given, in steps people think in (yuan).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AmountBand {
    Nothing,
    UpTo50,
    UpTo200,
    UpTo1000,
    UpTo5000,
    More,
}

impl AmountBand {
    /// The band of a sum in the currency's minor unit (分).
    pub fn of(amount_minor: i64) -> Self {
        match amount_minor {
            ..=0 => Self::Nothing,
            1..=5_000 => Self::UpTo50,
            5_001..=20_000 => Self::UpTo200,
            20_001..=100_000 => Self::UpTo1000,
            100_001..=500_000 => Self::UpTo5000,
            _ => Self::More,
        }
    }
}

/// In what two outcomes differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Whether the customer was right.
    Decision,
    /// The kinds of remedy.
    Remedy,
    /// How much was given.
    Amount,
}

/// What came out of a complaint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Settled by a branch, not answered by an expert.
    pub at_counter: bool,
    /// Absent for what was settled at the counter.
    pub decision: Option<Decision>,
    /// Each once; empty where the words are not known.
    pub remedies: Vec<RemedyKind>,
    /// What was given, in the currency's minor unit (分); 0 for nothing.
    pub amount_minor: i64,
    /// What was in dispute, where it is known.
    pub disputed_minor: Option<i64>,
}

/// A sum below this share of another is another sum, even in the next band.
const RATIO: f64 = 1.5;
/// Shares of what was in dispute that are about the same.
const SHARE: f64 = 0.2;

impl Outcome {
    pub fn of(answer: &Answer, intake: &Intake) -> Self {
        // Who leaves the remedy's line empty tells of it in the text.
        let told = match answer.remedy.trim() {
            "" => answer.text.as_str(),
            remedy => remedy,
        };
        Self {
            at_counter: answer.decision.is_none(),
            decision: answer.decision,
            remedies: remedies(told),
            amount_minor: answer.amount_minor.unwrap_or(0).max(0),
            disputed_minor: intake.amount_minor.filter(|sum| *sum > 0),
        }
    }

    /// In what this differs from another; the same both ways round. Whether a
    /// branch or an expert gave it is no difference to the customer.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let decided = self.decision.zip(other.decision);
        let found = [
            (
                Difference::Decision,
                decided.is_some_and(|(one, other)| one != other),
            ),
            (Difference::Remedy, self.is_other_remedy(other)),
            (Difference::Amount, self.is_other_amount(other)),
        ];
        let found = found.into_iter().filter(|(_, differs)| *differs);
        found.map(|(difference, _)| difference).collect()
    }

    fn is_other_remedy(&self, other: &Self) -> bool {
        // Where the words of one are not known there is nothing to compare.
        !self.remedies.is_empty()
            && !other.remedies.is_empty()
            && self.substance() != other.substance()
    }

    /// What was more than words; money counted once, whatever it is called.
    fn substance(&self) -> Vec<RemedyKind> {
        let kinds = self.remedies.iter().copied();
        let kinds = kinds.filter(|kind| kind.is_of_substance());
        let mut all: Vec<RemedyKind> = kinds
            .map(|kind| match kind.is_money() {
                true => RemedyKind::Compensation,
                false => kind,
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The whole of a small bill and the whole of a large one are the same
    /// outcome: where both say what was in dispute, shares of it are compared.
    fn is_other_amount(&self, other: &Self) -> bool {
        let (one, two) = (self.amount_minor, other.amount_minor);
        if (one == 0) != (two == 0) {
            return true;
        }
        if let Some((of_one, of_two)) = self.disputed_minor.zip(other.disputed_minor) {
            let share = |given: i64, of: i64| given as f64 / of as f64;
            return (share(one, of_one) - share(two, of_two)).abs() > SHARE;
        }
        let (less, more) = (one.min(two) as f64, one.max(two) as f64);
        AmountBand::of(one) != AmountBand::of(two) && more >= less * RATIO
    }
}
