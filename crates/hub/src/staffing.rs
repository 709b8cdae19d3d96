//! The staff as the command line lists and changes it: by logins, as ids are
//! for programs.

use serde::{Deserialize, Serialize};
use suda_domain::staff::StaffRecord;
use suda_domain::{BranchCode, Role, StaffId};

use crate::admin::{AddStaffError, NewStaff, SuperiorError, add_staff, set_superior};
use crate::store::{Store, StoreError};

/// One of the staff, as `staff list --json` prints them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StaffLine {
    pub login: String,
    pub name: String,
    pub role: Role,
    pub branch: Option<BranchCode>,
    pub active: bool,
    /// The login of who stands directly above them.
    pub superior: Option<String>,
}

/// Everybody, as they are listed.
pub async fn lines(store: &dyn Store) -> Result<Vec<StaffLine>, StoreError> {
    let all = store.staff().await?;
    let login_of = |id: StaffId| all.iter().find(|one| one.id == id);
    let lines = all.iter().map(|one| StaffLine {
        login: one.login.clone(),
        name: one.name.clone(),
        role: one.role,
        branch: one.branch.clone(),
        active: one.active,
        superior: one
            .superior
            .and_then(login_of)
            .map(|above| above.login.clone()),
    });
    Ok(lines.collect())
}

/// Why the staff was not changed; its text is what the command says.
#[derive(Debug, thiserror::Error)]
pub enum StaffChangeError {
    #[error("nobody signs in as {0}")]
    NoSuchLogin(String),
    #[error(transparent)]
    Add(#[from] AddStaffError),
    #[error(transparent)]
    Superior(#[from] SuperiorError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn of_login(store: &dyn Store, login: &str) -> Result<StaffRecord, StaffChangeError> {
    let found = store.staff_by_login(login).await?;
    found.ok_or_else(|| StaffChangeError::NoSuchLogin(login.to_owned()))
}

/// Adds a member of staff; their password comes back in clear, to be shown once.
///
/// # Errors
/// When what is given does not do, or nobody has the superior's login.
pub async fn add(
    store: &dyn Store,
    new: NewStaff,
    superior: Option<&str>,
) -> Result<(StaffLine, Option<String>), StaffChangeError> {
    // Looked up first: a mistyped name leaves nobody half added.
    let above = match superior {
        Some(login) => Some(of_login(store, login).await?),
        None => None,
    };
    let added = add_staff(store, new).await?;
    let record = added.record;
    if let Some(above) = &above {
        set_superior(store, record.id, Some(above.id)).await?;
    }
    let line = StaffLine {
        login: record.login,
        name: record.name,
        role: record.role,
        branch: record.branch,
        active: record.active,
        superior: above.map(|above| above.login),
    };
    Ok((line, added.made_password))
}

/// Says who stands directly above whom, by their logins.
///
/// # Errors
/// When nobody has one of the logins, or the line would run in a circle.
pub async fn change_superior(
    store: &dyn Store,
    login: &str,
    superior: Option<&str>,
) -> Result<(), StaffChangeError> {
    let id = of_login(store, login).await?.id;
    let above = match superior {
        Some(login) => Some(of_login(store, login).await?.id),
        None => None,
    };
    Ok(set_superior(store, id, above).await?)
}
