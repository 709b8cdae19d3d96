//! What a run of the demo leaves for the next one: where its hub listens and
//! who can sign in. Where it is written is `place`'s business.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone)]
pub struct Demo {
    pub port: u16,
    /// False until the sample is loaded: a first run that was cut short
    /// starts over.
    pub complete: bool,
    pub accounts: Vec<Account>,
}

/// An account as `suda-hub init --demo --json` reports it.
#[derive(Serialize, Deserialize, Clone)]
pub struct Account {
    pub login: String,
    pub password: String,
    pub role: String,
    pub name: String,
    pub branch: Option<String>,
}

impl Demo {
    /// The desk was enrolled at one address, so the port cannot change later.
    pub fn with_port(self, wanted: Option<u16>) -> anyhow::Result<Demo> {
        match wanted {
            Some(port) if port != self.port => bail!(
                "this demo's desk is enrolled at port {}; `--fresh --port {port}` starts a new demo there",
                self.port
            ),
            _ => Ok(self),
        }
    }

    /// The branch that the demo desk stands in: the first clerk's.
    pub fn branch(&self) -> anyhow::Result<&str> {
        let of_clerks = self
            .accounts
            .iter()
            .filter(|account| account.role == "clerk");
        of_clerks
            .chain(&self.accounts)
            .find_map(|account| account.branch.as_deref())
            .context("`suda-hub init --demo` named no account that belongs to a branch")
    }

    /// What the person in front of the terminal needs to begin.
    pub fn welcome(&self, data: &Path) -> String {
        let mut text = format!(
            "\nconsole  http://127.0.0.1:{}/\ndata     {}\n\n{:<12} {:<18} {:<14} {:<10} name\n",
            self.port,
            data.display(),
            "login",
            "password",
            "role",
            "branch",
        );
        for account in &self.accounts {
            let branch = account.branch.as_deref().unwrap_or("-");
            // Names stand last: Chinese ones have no width to align by.
            let _infallible = writeln!(
                text,
                "{:<12} {:<18} {:<14} {branch:<10} {}",
                account.login, account.password, account.role, account.name
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Demo {
        let account = |login: &str, role: &str, branch: Option<&str>| Account {
            login: login.into(),
            password: "p".into(),
            role: role.into(),
            name: "n".into(),
            branch: branch.map(Into::into),
        };
        let accounts = vec![
            account("m1", "manager", Some("CQ0002")),
            account("c1", "clerk", Some("CQ0001")),
            account("e1", "expert", None),
        ];
        Demo {
            port: 8460,
            complete: true,
            accounts,
        }
    }

    #[test]
    fn the_desk_stands_in_the_first_clerks_branch() {
        assert_eq!(demo().branch().unwrap(), "CQ0001");
    }

    #[test]
    fn the_port_of_a_demo_cannot_change() {
        assert!(demo().with_port(Some(8461)).is_err());
        assert!(demo().with_port(Some(8460)).is_ok());
        assert!(demo().with_port(None).is_ok());
    }
}
