//! Simple or complex, learned from what branches really could settle: how
//! likely a complaint needs the centre, with the reasons, and from which
//! likelihood on a handoff is the cheaper mistake. Pure.
//!
//! A person decides. A rule that says complex, and every grade 1, stands
//! whatever is learned (`weigh`).

mod costs;
mod fit;
mod learn;
mod model;
mod outcome;
mod weigh;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use suda_domain::Grade;
use suda_domain::intake::Channel;

pub use costs::{Course, Judged, course, curve, threshold};
pub use learn::{Learnt, Past, TooFew, learn};
pub use model::{HandoffModel, HandoffModelError};
pub use outcome::Handling;
pub use weigh::{Because, Weighed, is_ordered, weigh};

/// What is known of a complaint when it is decided whether to hand it off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traits<'a> {
    /// A leaf of the category tree.
    pub category: &'a str,
    /// As the rules propose it.
    pub grade: Grade,
    /// Amount in dispute, in the currency's minor unit.
    pub amount_minor: Option<i64>,
    /// What the branch may give for such a complaint, in the same unit.
    pub limit_minor: i64,
    /// Complaints this customer made before, as far as the branch knows.
    pub earlier: u32,
    /// Representatives of a group.
    pub group_size: usize,
    pub channel: Option<Channel>,
    /// The branch's code.
    pub branch: &'a str,
}

/// On what kind of knowledge a likelihood rests.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// What became of complaints of this category.
    Category,
    Grade,
    /// The amount in dispute.
    Amount,
    /// The amount against what the branch may give.
    Limit,
    /// The customer's earlier complaints.
    Earlier,
    Group,
    Channel,
    /// What this branch settles itself, against the others.
    Branch,
}

impl Ground {
    /// Those a complaint's own signs speak of: all but the branch.
    const OF_SIGNS: [Self; 7] = [
        Self::Category,
        Self::Grade,
        Self::Amount,
        Self::Limit,
        Self::Earlier,
        Self::Group,
        Self::Channel,
    ];
}

/// One thing that is so of a complaint or not, and has a weight.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sign {
    /// The category is this node or below it.
    Category(String),
    GradeTwo,
    AmountGiven,
    /// The amount is at least this, in minor units.
    AmountFrom(i64),
    /// The amount is above so many tenths of what the branch may give.
    AboveLimit(i64),
    /// The customer has complained at least so often before.
    EarlierFrom(u32),
    Group,
    /// By its name in the ledger.
    Channel(String),
}

/// Steps of the amount in minor units: 20, 50, 100, 200, 500, 1,000, 5,000.
const AMOUNTS: [i64; 7] = [2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000];
/// Steps of the amount in tenths of the limit.
const TENTHS: [i64; 4] = [5, 10, 20, 50];
const EARLIER: [u32; 3] = [1, 2, 3];

impl Sign {
    /// What holds of a complaint. Amounts and counts are steps that all hold
    /// up to where they end, so that weights of at least nothing make the
    /// likelihood rise with them.
    fn of(traits: &Traits<'_>) -> Vec<Self> {
        let mut signs: Vec<Self> = nodes(traits.category)
            .map(|node| Self::Category(node.to_owned()))
            .collect();
        if traits.grade != Grade::Three {
            signs.push(Self::GradeTwo);
        }
        if let Some(amount) = traits.amount_minor {
            signs.push(Self::AmountGiven);
            let reached = AMOUNTS.into_iter().filter(|step| amount >= *step);
            signs.extend(reached.map(Self::AmountFrom));
            let limit = traits.limit_minor.max(0);
            let above = TENTHS
                .into_iter()
                .filter(|tenths| amount.saturating_mul(10) > limit.saturating_mul(*tenths));
            signs.extend(above.map(Self::AboveLimit));
        }
        let often = EARLIER.into_iter().filter(|step| traits.earlier >= *step);
        signs.extend(often.map(Self::EarlierFrom));
        if traits.group_size > 0 {
            signs.push(Self::Group);
        }
        signs.extend(
            traits
                .channel
                .map(|channel| Self::Channel(channel_name(channel).to_owned())),
        );
        signs
    }

    fn ground(&self) -> Ground {
        match self {
            Self::Category(_) => Ground::Category,
            Self::GradeTwo => Ground::Grade,
            Self::AmountGiven | Self::AmountFrom(_) => Ground::Amount,
            Self::AboveLimit(_) => Ground::Limit,
            Self::EarlierFrom(_) => Ground::Earlier,
            Self::Group => Ground::Group,
            Self::Channel(_) => Ground::Channel,
        }
    }

    /// More of it never makes a complaint simpler: what chance says otherwise
    /// in few cases is not learned.
    fn only_raises(&self) -> bool {
        matches!(
            self,
            Self::GradeTwo
                | Self::AmountFrom(_)
                | Self::AboveLimit(_)
                | Self::EarlierFrom(_)
                | Self::Group
        )
    }
}

/// A category's nodes from the top down, itself the last.
fn nodes(category: &str) -> impl Iterator<Item = &str> {
    let ends = category.match_indices('.').map(|(at, _)| at);
    ends.chain([category.len()])
        .filter_map(|end| category.get(..end))
        .filter(|node| !node.is_empty())
}

/// As the ledger writes it.
fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::WalkIn => "walk_in",
        Channel::Hotline => "hotline",
        Channel::Email => "email",
        Channel::Online => "online",
        Channel::SocialMedia => "social_media",
        Channel::SupervisionLine => "supervision_line",
        Channel::StaffReport => "staff_report",
    }
}

fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}
