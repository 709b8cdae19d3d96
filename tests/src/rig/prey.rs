//! A program that is going to be killed, and what it acknowledged before.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

use crate::{Account, City, DeskDir, Failure, Running, bin};

/// A program whose acknowledgements go to a file.
pub struct Prey {
    running: Running,
    printed: PathBuf,
}

impl Prey {
    pub fn start(mut command: Command, printed: PathBuf) -> Result<Self, Failure> {
        let out = File::create(&printed).map_err(Failure::io("the acknowledgements"))?;
        let running = Running::start(command.stdout(out).stderr(Stdio::null()))?;
        Ok(Self { running, printed })
    }

    /// Lets it run for a time. False when it ended by itself before.
    pub fn lives_for(&mut self, time: Duration) -> Result<bool, Failure> {
        let until = Instant::now() + time;
        loop {
            if self.running.has_ended()? {
                return Ok(false);
            }
            match until.checked_duration_since(Instant::now()) {
                None => return Ok(true),
                Some(left) => std::thread::sleep(left.min(Duration::from_millis(2))),
            }
        }
    }

    /// Waits until it has acknowledged something, or has ended.
    pub fn until_it_acknowledges(&mut self, within: Duration) -> Result<(), Failure> {
        let until = Instant::now() + within;
        while std::fs::metadata(&self.printed).map_or(0, |meta| meta.len()) == 0 {
            if self.running.has_ended()? || Instant::now() > until {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// What it has acknowledged so far.
    pub fn acknowledged(&self) -> Result<BTreeSet<Uuid>, Failure> {
        let text = std::fs::read_to_string(&self.printed).map_err(Failure::io("the output"))?;
        Ok(acknowledged(&text))
    }

    /// Signal 9. Gives the ids it had acknowledged.
    pub fn kill(self) -> Result<BTreeSet<Uuid>, Failure> {
        let Self { running, printed } = self;
        running.kill();
        let text = std::fs::read_to_string(&printed).map_err(Failure::io("the output"))?;
        Ok(acknowledged(&text))
    }
}

/// The ids in whole lines; one cut short by the kill told nobody anything.
pub fn acknowledged(text: &str) -> BTreeSet<Uuid> {
    let whole = text
        .rfind('\n')
        .and_then(|end| text.get(..end))
        .unwrap_or_default();
    let ids = whole.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["id"].as_str()?.parse().ok()
    });
    ids.collect()
}

/// The recording driver on a desk, ready to start.
pub fn driver(desk: &DeskDir, clerk: &Account, run: &str) -> Command {
    let mut command = Command::new(bin("suda-rig"));
    command
        .args([
            "drive",
            "--login",
            &clerk.login,
            "--password",
            &clerk.password,
        ])
        .args(["--run", run])
        .arg("--data")
        .arg(&desk.data)
        .arg("--key-file")
        .arg(&desk.key);
    command
}

/// The first clerk of the branch the desks are enrolled at.
pub fn clerk(city: &City) -> Result<&Account, Failure> {
    city.account("clerk", Some(&city.branch()?))
}

/// A file with rows that no other file has.
pub fn rows(city: &City, name: &str, count: u64) -> Result<PathBuf, Failure> {
    let path = city.dir.path().join(format!("{name}.csv"));
    let mut text = "text,remedy\n".to_owned();
    for n in 1..=count {
        text.push_str(&format!("{name} 第{n}号：营业员态度不好，排队太久,道歉\n"));
    }
    std::fs::write(&path, text).map_err(Failure::io("the rows"))?;
    Ok(path)
}
