//! Who works with complaints.

use serde::{Deserialize, Serialize};

use crate::ids::{BranchCode, StaffId};

/// What a member of staff is, and so what [`crate::permission`] lets them do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 营业员
    Clerk,
    /// 店长
    BranchManager,
    /// 专家坐席
    Expert,
    /// 专业部门
    Department,
    /// 管理决策小组
    Management,
    Auditor,
    Administrator,
    /// A program acting by rule: the timer that hands off at minute 50, the
    /// hub that returns a lapsed lease. Nobody signs in with it.
    System,
    /// The customer, on the status page. Nobody signs in with it.
    Customer,
}

impl Role {
    pub const ALL: [Self; 9] = [
        Self::Clerk,
        Self::BranchManager,
        Self::Expert,
        Self::Department,
        Self::Management,
        Self::Auditor,
        Self::Administrator,
        Self::System,
        Self::Customer,
    ];

    /// Whether accounts have it.
    pub fn signs_in(self) -> bool {
        !matches!(self, Self::System | Self::Customer)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::BranchManager => "branch_manager",
            Self::Expert => "expert",
            Self::Department => "department",
            Self::Management => "management",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
            Self::System => "system",
            Self::Customer => "customer",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the account belongs to one branch and may see only that one.
    pub fn is_of_branch(self) -> bool {
        matches!(self, Self::Clerk | Self::BranchManager)
    }
}

/// A member of staff as a desk needs them to sign in without the hub.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffRecord {
    pub id: StaffId,
    /// What they type to sign in; unique in the whole installation.
    pub login: String,
    pub name: String,
    pub role: Role,
    /// The branch of a clerk or branch manager.
    pub branch: Option<BranchCode>,
    /// Argon2id in PHC string form.
    pub password_hash: String,
    pub active: bool,
    /// Who stands directly above them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superior: Option<StaffId>,
}
