//! Links between complaints. Each stands in the ledger of the complaint that
//! refers to another; merging is a link that names the leading case, and is
//! undone by taking the link away. Nothing is ever copied into one another.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::complaint::{Complaint, Refusal};
use crate::ids::ComplaintId;
use crate::reference::ReferenceNumber;

/// Links one complaint may have.
pub const MOST_LINKS: usize = 20;

/// How a complaint refers to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same matter of the same customer; answered with the other, which leads.
    Duplicate,
    /// The customer comes again with what the other was about.
    Repeat,
    /// One of many customers with the same matter; answered with the other,
    /// which leads.
    Group,
    Related,
}

impl Relation {
    pub const ALL: [Self; 4] = [Self::Duplicate, Self::Repeat, Self::Group, Self::Related];

    /// Whether the complaint is answered with the one it names.
    pub fn follows(self) -> bool {
        matches!(self, Self::Duplicate | Self::Group)
    }

    /// The name on the wire and in databases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Repeat => "repeat",
            Self::Group => "group",
            Self::Related => "related",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A complaint's reference to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    pub to: ComplaintId,
    pub reference: ReferenceNumber,
    pub relation: Relation,
    pub note: String,
    pub at: DateTime<Utc>,
}

impl Complaint {
    /// The link that names the case this one is answered with.
    pub fn leading(&self) -> Option<&Link> {
        self.links.iter().find(|link| link.relation.follows())
    }

    /// A complaint follows one other at most, and only until it is answered.
    pub(crate) fn admit_link(&self, to: ComplaintId, relation: Relation) -> Result<(), Refusal> {
        let known = self.links.iter().any(|link| link.to == to);
        let full = self.links.len() >= MOST_LINKS;
        let late = self.state.is_finished() || self.leading().is_some();
        if to == self.id || known || full || (relation.follows() && late) {
            return Err(Refusal::Link);
        }
        Ok(())
    }

    pub(crate) fn take_link(&mut self, link: Link) {
        self.links.retain(|known| known.to != link.to);
        self.links.push(link);
    }

    /// What was answered together stays together.
    pub(crate) fn admit_unlink(&self, to: ComplaintId) -> Result<(), Refusal> {
        let link = self.links.iter().find(|link| link.to == to);
        match link {
            Some(link) if link.relation.follows() && self.state.is_finished() => Err(Refusal::Link),
            Some(_) => Ok(()),
            None => Err(Refusal::Link),
        }
    }
}
