//! A hub with the demo city, and desks enrolled with it, in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Failure, Running, bin, output};
use crate::sms_centre::SmsCentre;

/// One line of what `suda-hub init --demo --json` prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    pub login: String,
    pub password: String,
    pub role: String,
    pub name: String,
    pub branch: Option<String>,
}

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<Account>,
}

/// A hub that can be stopped and started again at the same address.
pub struct City {
    pub dir: TempDir,
    pub accounts: Vec<Account>,
    address: String,
    /// The status page's address is told to customers.
    public: bool,
    hub: Option<Running>,
    /// Where the hub's data are instead of a directory.
    database: Option<String>,
}

impl City {
    /// Makes the city and starts its hub.
    pub fn start() -> Result<Self, Failure> {
        Self::start_in(None)
    }

    /// The same in a PostgreSQL database, or in a directory of its own.
    pub fn start_in(database: Option<String>) -> Result<Self, Failure> {
        let mut city = Self {
            dir: TempDir::new().map_err(Failure::io("a temporary folder"))?,
            accounts: Vec::new(),
            address: "127.0.0.1:0".to_owned(),
            public: false,
            hub: None,
            database,
        };
        let printed = output(city.hub_command("init").args(["--demo", "--json"]))?;
        let Accounts { accounts } = serde_json::from_str(&printed)?;
        city.accounts = accounts;
        city.start_hub()?;
        Ok(city)
    }

    /// Starts the hub, at the address it had before.
    pub fn start_hub(&mut self) -> Result<(), Failure> {
        let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist");
        let mut command = self.hub_command("serve");
        command.args(["--listen", &self.address]);
        command.arg("--ui").arg(ui);
        if self.public {
            command.args(["--public-url", &self.url()]);
        }
        let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
        let (hub, address) = Running::start_until(&mut command, Duration::from_secs(20), ready)?;
        self.address = address
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        self.hub = Some(hub);
        Ok(())
    }

    /// Tells customers the status page by the hub's own address, which is known
    /// once it has been started.
    pub fn make_public(&mut self) -> Result<(), Failure> {
        self.stop_hub()?;
        self.public = true;
        self.start_hub()
    }

    /// Sends texts through the SMS centre, at any hour.
    pub fn text_through(&self, centre: &SmsCentre) -> Result<(), Failure> {
        let password = self.dir.path().join("smpp.password");
        std::fs::write(&password, centre.password()).map_err(Failure::io("a password"))?;
        let sms = |sub: &str| {
            let mut command = Command::new(bin("suda-hub"));
            command.args(["sms", sub, "--data"]).arg(self.hub_data());
            command
        };
        let port = centre.port.to_string();
        let mut way = sms("use-smpp");
        way.args(["--host", "127.0.0.1", "--port", &port]).args([
            "--system-id",
            "suda",
            "--source",
            "106550001",
        ]);
        output(way.arg("--password-file").arg(&password))?;
        let hours = ["--quiet-from", "00:00", "--quiet-to", "00:00"];
        output(sms("set").args(hours)).map(drop)
    }

    /// Recomputes the ledger; fails when it was tampered with.
    pub fn verify(&self) -> Result<(), Failure> {
        let mut command = Command::new(bin("suda-hub"));
        command.args(["verify", "--data"]).arg(self.hub_data());
        output(&mut command).map(drop)
    }

    /// What became of the texts, the newest first.
    pub fn outbox(&self) -> Result<Vec<Value>, Failure> {
        let mut command = Command::new(bin("suda-hub"));
        command.args(["sms", "outbox", "--json", "--data"]);
        let text = output(command.arg(self.hub_data()))?;
        let rows = text.lines().map(serde_json::from_str);
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Cuts the hub off at once.
    pub fn kill_hub(&mut self) {
        if let Some(hub) = self.hub.take() {
            hub.kill();
        }
    }

    /// Ends the hub in good order.
    pub fn stop_hub(&mut self) -> Result<(), Failure> {
        let id = self.hub_id()?;
        output(Command::new("kill").args(["-TERM", &id.to_string()]))?;
        if let Some(mut hub) = self.hub.take() {
            hub.wait(Duration::from_secs(20))?;
        }
        Ok(())
    }

    /// The running hub's process.
    pub fn hub_id(&self) -> Result<u32, Failure> {
        let hub = self.hub.as_ref().map(Running::id);
        hub.ok_or_else(|| Failure::Said("the hub is not running".to_owned()))
    }

    pub fn hub_data(&self) -> PathBuf {
        self.dir.path().join("hub")
    }

    /// Where the hub's data are, when they are in a database.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// `suda-hub <sub>` on this hub's data, ready for more arguments.
    pub fn hub_command(&self, sub: &str) -> Command {
        let mut command = Command::new(bin("suda-hub"));
        command.arg(sub);
        match &self.database {
            Some(url) => command.args(["--database", url]),
            None => command.arg("--data").arg(self.hub_data()),
        };
        command
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first account of a role, of a branch where one is named.
    pub fn account(&self, role: &str, branch: Option<&str>) -> Result<&Account, Failure> {
        self.accounts
            .iter()
            .find(|a| a.role == role && (branch.is_none() || a.branch.as_deref() == branch))
            .ok_or_else(|| Failure::Said(format!("the demo city has no {role} at {branch:?}")))
    }

    /// The code of the first branch that has a clerk.
    pub fn branch(&self) -> Result<String, Failure> {
        let clerk = self.account("clerk", None)?;
        clerk
            .branch
            .clone()
            .ok_or_else(|| Failure::Said("the clerk has no branch".to_owned()))
    }

    pub fn hub_status(&self) -> Result<Value, Failure> {
        let text = output(self.hub_command("status").arg("--json"))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub fn code(&self, branch: &str) -> Result<String, Failure> {
        let text = output(self.hub_command("enrol").args([branch, "--json"]))?;
        let answer: Value = serde_json::from_str(&text)?;
        answer["code"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::Said(text))
    }

    /// Enrols a desk of `branch`.
    pub fn desk(&self, branch: &str, name: &str) -> Result<DeskDir, Failure> {
        self.desk_by(&self.url(), branch, name)
    }

    /// Enrols a desk that reaches the hub at `url`.
    pub fn desk_by(&self, url: &str, branch: &str, name: &str) -> Result<DeskDir, Failure> {
        let desk = DeskDir {
            data: self.dir.path().join(name),
            key: self.dir.path().join(format!("{name}.key")),
        };
        let code = self.code(branch)?;
        output(desk.command("enrol").args(["--hub", url, "--code", &code]))?;
        Ok(desk)
    }
}

/// A desk's data directory and key.
#[derive(Clone, Debug)]
pub struct DeskDir {
    pub data: PathBuf,
    pub key: PathBuf,
}

impl DeskDir {
    /// `suda-desk <sub> --data … --key-file …`, ready for more arguments.
    pub fn command(&self, sub: &str) -> Command {
        let mut command = Command::new(bin("suda-desk"));
        command
            .arg(sub)
            .arg("--data")
            .arg(&self.data)
            .arg("--key-file")
            .arg(&self.key);
        command
    }

    pub fn status(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&output(
            self.command("status").arg("--json"),
        )?)?)
    }

    /// Sends and fetches everything.
    pub fn sync(&self) -> Result<(), Failure> {
        output(self.command("sync").arg("--once")).map(drop)
    }
}
