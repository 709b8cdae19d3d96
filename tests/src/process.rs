//! Starting, asking and stopping programs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Why a test's surroundings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    #[error("{0}")]
    Said(String),
    #[error(transparent)]
    Driver(#[from] fantoccini::error::CmdError),
    #[error(transparent)]
    Session(#[from] fantoccini::error::NewSessionError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Bus(#[from] zbus::Error),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

impl Failure {
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// A built program: beside this one (the target directory), or in `SUDA_BIN_DIR`.
pub fn bin(name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    if let Some(dir) = std::env::var_os("SUDA_BIN_DIR") {
        return PathBuf::from(dir).join(file);
    }
    let here = std::env::current_exe().unwrap_or_default();
    // Tests run from target/<profile>/deps.
    let dirs = here.ancestors().skip(1).take(2).map(|dir| dir.join(&file));
    dirs.into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| PathBuf::from(file))
}

/// Runs a program to its end, whatever it returns.
pub fn output_raw(command: &mut Command) -> Result<Output, Failure> {
    let what = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::io(what))
}

/// Runs a program to its end and gives its standard output; fails when it fails.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let done = output_raw(command)?;
    if !done.status.success() {
        let error = String::from_utf8_lossy(&done.stderr);
        return Err(Failure::Said(format!(
            "{command:?}: {}: {error}",
            done.status
        )));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// A program that runs until this is dropped.
pub struct Running {
    child: Child,
}

impl Running {
    pub fn start(command: &mut Command) -> Result<Self, Failure> {
        let what = format!("{command:?}");
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(Failure::io(what))?;
        Ok(Self { child })
    }

    /// Starts a program and waits for the line of its standard output that
    /// `wanted` picks something from.
    pub fn start_until<T: Send + 'static>(
        command: &mut Command,
        within: Duration,
        wanted: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Result<(Self, T), Failure> {
        let mut running = Self::start(command.stdout(Stdio::piped()))?;
        let what = format!("{command:?}");
        let Some(stdout) = running.child.stdout.take() else {
            return Err(Failure::Said(format!("{what} has no standard output")));
        };
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                if let Some(found) = wanted(line.trim_end()) {
                    if tell.send(found).is_err() {
                        return;
                    }
                    break;
                }
                line.clear();
            }
            // Keep the pipe open and empty, or the program would stop at a full one.
            let mut rest = [0; 4096];
            while reader.read(&mut rest).is_ok_and(|read| read > 0) {}
        });
        match told.recv_timeout(within) {
            Ok(found) => Ok((running, found)),
            Err(_) => Err(Failure::Said(format!(
                "{what} did not become ready within {within:?}"
            ))),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As a power cut or `kill -9` does: no chance to tidy up.
    pub fn kill(mut self) {
        self.stop();
    }

    pub fn has_ended(&mut self) -> Result<bool, Failure> {
        let status = self
            .child
            .try_wait()
            .map_err(Failure::io("asking for a program"))?;
        Ok(status.is_some())
    }

    /// Waits for the program to end by itself.
    pub fn wait(&mut self, within: Duration) -> Result<std::process::ExitStatus, Failure> {
        let until = Instant::now() + within;
        loop {
            match self
                .child
                .try_wait()
                .map_err(Failure::io("waiting for a program"))?
            {
                Some(status) => return Ok(status),
                None if Instant::now() > until => {
                    return Err(Failure::Said(format!("still running after {within:?}")));
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn stop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Asks again and again until there is an answer, at most `within`.
pub async fn eventually<T, Asked>(
    what: &str,
    within: Duration,
    mut ask: impl FnMut() -> Asked,
) -> Result<T, Failure>
where
    Asked: Future<Output = Result<Option<T>, Failure>>,
{
    let until = Instant::now() + within;
    loop {
        let last = ask().await;
        match last {
            Ok(Some(found)) => return Ok(found),
            Err(error) if Instant::now() > until => return Err(error),
            Ok(None) if Instant::now() > until => {
                return Err(Failure::Said(format!("not within {within:?}: {what}")));
            }
            _ => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
}

/// Kills (signal 9) every process named `name` below the process `root`, and
/// says how many there were. Linux only, as the window tests are.
pub fn kill_below(root: u32, name: &str) -> Result<usize, Failure> {
    let named = named_below(root, name);
    for id in &named {
        output(Command::new("kill").args(["-9", &id.to_string()]))?;
    }
    Ok(named.len())
}

/// The processes started by `root`, and by those.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(children(parent));
        next += 1;
    }
    found.remove(0);
    found
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| parent_of(*id) == Some(parent))
        .collect()
}

/// How long ago a process started, to a hundredth of a second.
pub fn age_of(id: u32) -> Result<Duration, Failure> {
    let said = |what: &str| Failure::Said(format!("{what} of process {id}"));
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))
        .map_err(Failure::io("the start of a process"))?;
    let uptime = std::fs::read_to_string("/proc/uptime").map_err(Failure::io("the uptime"))?;
    // proc(5): the 22nd field, in ticks of a hundredth of a second since boot.
    let started = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(19)?.parse::<f64>().ok())
        .ok_or_else(|| said("the start"))?;
    let now = uptime
        .split_whitespace()
        .next()
        .and_then(|seconds| seconds.parse::<f64>().ok())
        .ok_or_else(|| said("the age"))?;
    Ok(Duration::from_secs_f64((now - started / 100.0).max(0.0)))
}

/// The processes of this name below `root`.
pub fn named_below(root: u32, name: &str) -> Vec<u32> {
    let mut named = descendants(root);
    named.retain(|id| {
        std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|comm| comm.trim() == name)
    });
    named
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}
