//! What administrators do, from the console and from the command line: staff,
//! passwords and enrolment codes.

use chrono::{DateTime, TimeDelta, Utc};
use suda_domain::staff::StaffRecord;
use suda_domain::{BranchCode, Role, StaffId};
use uuid::Uuid;

use crate::secret;
use crate::store::{AddError, EnrolCode, Store, StoreError};

/// NIST SP 800-63B asks for at least eight characters.
pub const SHORTEST_PASSWORD: usize = 8;
const LONGEST_PASSWORD: usize = 128;
const CODE_MINUTES: i64 = 10;

#[derive(Debug)]
pub struct NewStaff {
    pub login: String,
    pub name: String,
    pub role: Role,
    pub branch: Option<BranchCode>,
    /// Without it one is made.
    pub password: Option<String>,
}

#[derive(Debug)]
pub struct AddedStaff {
    pub record: StaffRecord,
    /// To be shown once.
    pub made_password: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AddStaffError {
    #[error("a login is 2 to 40 letters, digits, dots and dashes")]
    Login,
    #[error("a password has at least {SHORTEST_PASSWORD} characters")]
    Password,
    #[error("clerks and branch managers belong to a branch")]
    Branch,
    #[error("nobody signs in as the system")]
    Role,
    #[error(transparent)]
    Hash(#[from] secret::HashError),
    #[error(transparent)]
    Add(#[from] AddError),
}

impl From<StoreError> for AddStaffError {
    fn from(error: StoreError) -> Self {
        Self::Add(AddError::Store(error))
    }
}

/// Adds a member of staff.
pub async fn add_staff(store: &dyn Store, new: NewStaff) -> Result<AddedStaff, AddStaffError> {
    if !is_login(&new.login) {
        return Err(AddStaffError::Login);
    }
    if !new.role.signs_in() {
        return Err(AddStaffError::Role);
    }
    if new.role.is_of_branch() && new.branch.is_none() {
        return Err(AddStaffError::Branch);
    }
    let (password_hash, made_password) = password_hash(new.password).await?;
    let record = StaffRecord {
        id: StaffId(Uuid::now_v7()),
        login: new.login,
        name: new.name,
        role: new.role,
        branch: new.branch.filter(|_| new.role.is_of_branch()),
        password_hash,
        active: true,
        superior: None,
    };
    store.add_staff(&record).await?;
    Ok(AddedStaff {
        record,
        made_password,
    })
}

/// Why nobody can be put above a member of staff.
#[derive(Debug, thiserror::Error)]
pub enum SuperiorError {
    #[error("there is no such member of staff")]
    Unknown,
    #[error("nobody stands above themselves, not even through others")]
    Circle,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says who stands directly above a member of staff. Whom a complaint is about,
/// and everybody above them, can neither see nor handle it.
///
/// # Errors
/// When either is not known, and when the line would run in a circle.
pub async fn set_superior(
    store: &dyn Store,
    id: StaffId,
    superior: Option<StaffId>,
) -> Result<(), SuperiorError> {
    if let Some(superior) = superior {
        let known = store.staff_member(superior).await?;
        known.ok_or(SuperiorError::Unknown)?;
        if superior == id || store.lines().await?.above(superior).contains(&id) {
            return Err(SuperiorError::Circle);
        }
    }
    match store.set_superior(id, superior).await? {
        true => Ok(()),
        false => Err(SuperiorError::Unknown),
    }
}

fn is_login(login: &str) -> bool {
    let length = login.chars().count();
    (2..=40).contains(&length)
        && login
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// The hash of a password given or made; the made one comes back in clear.
pub async fn password_hash(
    given: Option<String>,
) -> Result<(String, Option<String>), AddStaffError> {
    let (password, made) = match given {
        Some(password) => (password, None),
        None => {
            let made = secret::password();
            (made.clone(), Some(made))
        }
    };
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) {
        return Err(AddStaffError::Password);
    }
    // Hashing takes long on purpose; it must not hold up other requests.
    let hash = tokio::task::spawn_blocking(move || secret::hash_password(&password))
        .await
        .map_err(|error| StoreError::Failed(Box::new(error)))??;
    Ok((hash, made))
}

/// A one-time code in clear, shown once.
#[derive(Debug)]
pub struct MadeCode {
    pub code: String,
    pub expires_at: DateTime<Utc>,
}

/// Makes a code with which one desk of the branch can enrol.
pub async fn make_code(
    store: &dyn Store,
    branch: BranchCode,
    now: DateTime<Utc>,
) -> Result<MadeCode, AddError> {
    let code = secret::enrol_code();
    let expires_at = now + TimeDelta::minutes(CODE_MINUTES);
    store
        .add_code(&EnrolCode {
            hash: secret::code_digest(&code),
            branch,
            made_at: now,
            expires_at,
        })
        .await?;
    Ok(MadeCode { code, expires_at })
}
