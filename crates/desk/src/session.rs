//! Who is signed in. Works without the hub: the directory holds the password
//! hashes (Argon2id). The desk itself keeps no session; the caller holds it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use suda_domain::permission::{self, Right};
use suda_domain::staff::StaffRecord;
use suda_domain::{Actor, StaffId};

use crate::desk::{Desk, Enrolled, Inner};
use crate::view::{SessionView, StaffView};

/// Why a step needs somebody to sign in, or the desk to be enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SessionError {
    #[error("this computer is not enrolled yet")]
    NotEnrolled,
    #[error("this account may not work here any more; sign in again")]
    SignedOut,
}

/// Why nobody was signed in. Does not tell whether login or password was wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignInError {
    #[error("login or password is wrong")]
    Failed,
    #[error("too many wrong passwords; try again in {seconds} s")]
    Wait { seconds: u64 },
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct Session {
    staff: StaffRecord,
}

impl Session {
    pub fn staff_id(&self) -> StaffId {
        self.staff.id
    }

    pub fn login(&self) -> &str {
        &self.staff.login
    }
}

/// Wrong passwords by login, against guessing.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: HashMap<String, Failures>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Failures {
    count: u32,
    wait_until_ms: u64,
}

/// Wrong passwords that cost no waiting.
const FREE_TRIES: u32 = 3;
const LONGEST_WAIT_S: u64 = 300;
/// Bounds what unknown logins can fill.
const LOGINS_KEPT: usize = 1000;

impl Throttle {
    fn wait_s(&self, login: &str, now_ms: u64) -> Option<u64> {
        let until = self.failures.get(login)?.wait_until_ms;
        (until > now_ms).then(|| (until - now_ms).div_ceil(1000))
    }

    /// Doubles the wait with each failure: 1, 2, 4 … seconds.
    fn fail(&mut self, login: &str, now_ms: u64) {
        if self.failures.len() >= LOGINS_KEPT && !self.failures.contains_key(login) {
            self.failures
                .retain(|_, failures| failures.wait_until_ms > now_ms);
        }
        let failures = self.failures.entry(login.to_owned()).or_default();
        failures.count += 1;
        if let Some(doublings) = failures.count.checked_sub(FREE_TRIES) {
            let seconds = (1 << doublings.min(16)).min(LONGEST_WAIT_S);
            failures.wait_until_ms = now_ms + seconds * 1000;
        }
    }
}

/// Verified when the login is unknown, so that the answer takes as long. It is
/// the hash of a random text nobody has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3VkYS1ub2JvZHktc2FsdA$\
                      fQ1n0SYEkF8v3Zy3wqJcbBPpYVtV5cnG0J4nV8mWf1s";

impl Desk {
    /// The staff who can sign in here.
    pub fn staff(&self) -> Vec<StaffView> {
        let Ok(enrolled) = self.inner.enrolled() else {
            return Vec::new();
        };
        enrolled.workers().map(view).collect()
    }

    /// Signs somebody in.
    pub async fn sign_in(&self, login: &str, password: &str) -> Result<Session, SignInError> {
        let enrolled = self.inner.enrolled()?;
        let login = login.trim().to_lowercase();
        if let Some(seconds) = self.inner.wait_s(&login) {
            return Err(SignInError::Wait { seconds });
        }
        let staff = enrolled
            .workers()
            .find(|staff| staff.login.to_lowercase() == login)
            .cloned();
        let hash = staff
            .as_ref()
            .map_or(NOBODY.to_owned(), |staff| staff.password_hash.clone());
        let password = password.to_owned();
        let verified = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
        })
        .await
        .unwrap_or(false);
        let mut throttle = self
            .inner
            .throttle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match staff {
            Some(staff) if verified => {
                throttle.failures.remove(&login);
                Ok(Session { staff })
            }
            _ => {
                throttle.fail(&login, self.inner.time.clock.mono_ms());
                Err(SignInError::Failed)
            }
        }
    }

    /// What the screens show of who is signed in.
    pub fn session_view(&self, session: &Session) -> Result<SessionView, SessionError> {
        let enrolled = self.inner.enrolled()?;
        let staff = enrolled.worker(session)?;
        Ok(SessionView {
            staff: view(staff),
            branch: enrolled.directory.branch.clone(),
            branch_name: enrolled.directory.branch_name.clone(),
            organisation: enrolled.directory.organisation.clone(),
            idle_lock: enrolled.directory.policy.idle_lock,
        })
    }

    /// The session of `login` without a password, for what the person who may
    /// run this program does on the command line. Without a login: the branch
    /// manager, else the first clerk.
    pub(crate) fn session_of(&self, login: Option<&str>) -> Result<Session, SessionError> {
        let enrolled = self.inner.enrolled()?;
        let found = match login {
            Some(login) => enrolled.workers().find(|staff| staff.login == login),
            None => enrolled
                .workers()
                .find(|staff| staff.role == suda_domain::Role::BranchManager)
                .or_else(|| enrolled.workers().next()),
        };
        found
            .cloned()
            .map(|staff| Session { staff })
            .ok_or(SessionError::SignedOut)
    }
}

fn view(staff: &StaffRecord) -> StaffView {
    StaffView {
        id: staff.id,
        login: staff.login.clone(),
        name: staff.name.clone(),
        role: staff.role,
    }
}

impl Enrolled {
    /// The active staff of the branch who work at its desks.
    pub(crate) fn workers(&self) -> impl Iterator<Item = &StaffRecord> {
        self.directory.staff.iter().filter(|staff| {
            staff.active
                && permission::has(staff.role, Right::SeeOwnBranch)
                && staff.branch.as_ref() == Some(&self.directory.branch)
        })
    }

    fn worker(&self, session: &Session) -> Result<&StaffRecord, SessionError> {
        self.workers()
            .find(|staff| staff.id == session.staff.id)
            .ok_or(SessionError::SignedOut)
    }

    /// The signed-in person as the ledger names them; fails once the hub has
    /// taken the account away.
    pub(crate) fn actor(&self, session: &Session) -> Result<Actor, SessionError> {
        let staff = self.worker(session)?;
        Ok(Actor {
            staff: Some(staff.id),
            name: staff.name.clone(),
            role: staff.role,
            branch: staff.branch.clone(),
        })
    }
}

impl Inner {
    fn wait_s(&self, login: &str) -> Option<u64> {
        let throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.wait_s(login, self.time.clock.mono_ms())
    }

    /// What is known of the branch, and that `session` may still work here.
    pub(crate) fn at_work(
        &self,
        session: &Session,
    ) -> Result<(Arc<Enrolled>, Actor), SessionError> {
        let enrolled = self.enrolled()?;
        let actor = enrolled.actor(session)?;
        Ok((enrolled, actor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_from_the_third_wrong_password_and_is_bounded() {
        let mut throttle = Throttle::default();
        for (failures, wait) in [
            (1, None),
            (2, None),
            (3, Some(1)),
            (4, Some(2)),
            (5, Some(4)),
        ] {
            throttle.fail("a", 0);
            assert_eq!(throttle.wait_s("a", 0), wait, "{failures}");
        }
        for _ in 0..40 {
            throttle.fail("a", 0);
        }
        assert_eq!(throttle.wait_s("a", 0), Some(LONGEST_WAIT_S));
        assert_eq!(throttle.wait_s("a", LONGEST_WAIT_S * 1000), None);
        assert_eq!(throttle.wait_s("b", 0), None);
    }

    #[test]
    fn the_hash_of_nobody_is_well_formed() {
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}
