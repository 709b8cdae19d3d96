//! Distinct id types, so that a task can never be passed where a complaint is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "specta", derive(specta::Type))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// One complaint. A UUIDv7 made when the intake form opens, before anything is typed.
    ComplaintId
}
uuid_id! {
    /// One enrolled counter PC, or a hub. Given by the hub at enrolment.
    DeviceId
}
uuid_id! {
    /// One member of staff.
    StaffId
}
uuid_id! {
    /// One dispatch to one department.
    TaskId
}
uuid_id! {
    /// One question to the branch or the customer.
    QuestionId
}
uuid_id! {
    /// One measure of a solution plan.
    MeasureId
}
uuid_id! {
    /// One evidence file. A UUIDv7 made when the file is added.
    EvidenceId
}
uuid_id! {
    /// One written answer: a file made for the customer.
    LetterId
}
uuid_id! {
    /// One claim of a work order by one expert.
    LeaseId
}

impl MeasureId {
    /// No measure's own: what a plan of an older version gives all of its.
    pub fn nil() -> Self {
        Self(Uuid::nil())
    }

    /// As the clocks and the ladder name it, beside the dispatches.
    pub fn as_task(self) -> TaskId {
        TaskId(self.0)
    }

    /// The id of the measure at a place, from 0, of a plan without ids.
    pub fn of_place(place: usize) -> Self {
        Self(Uuid::from_u128(place as u128 + 1))
    }
}

/// A branch's code as it stands in reference numbers: 2 to 10 capital letters
/// and digits, beginning with a letter, for example `CQ0123`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "specta", specta(type = String))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct BranchCode(String);

/// Not a branch code.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a branch code is 2 to 10 capital letters and digits, beginning with a letter")]
pub struct BranchCodeError;

impl BranchCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BranchCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BranchCode {
    type Err = BranchCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (2..=10).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(BranchCodeError)
        }
    }
}

impl TryFrom<String> for BranchCode {
    type Error = BranchCodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BranchCode> for String {
    fn from(code: BranchCode) -> Self {
        code.0
    }
}
