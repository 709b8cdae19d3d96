//! The demo's running programs: started with their output in a file, watched,
//! and stopped by their own process ids. Nothing here knows what they do.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

/// How often the children and the keyboard are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a child may take to end by itself once asked.
const GRACE: Duration = Duration::from_secs(10);

/// Ctrl-C, a request to end, and on Unix the terminal's closing.
#[cfg(unix)]
const ENDING_SIGNALS: &[i32] = &[SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const ENDING_SIGNALS: &[i32] = &[SIGINT, SIGTERM];

/// Set by Ctrl-C, by a termination signal, or when the terminal closes.
#[derive(Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub fn catch() -> anyhow::Result<Interrupt> {
        let caught = Arc::new(AtomicBool::new(false));
        for signal in ENDING_SIGNALS {
            signal_hook::flag::register(*signal, Arc::clone(&caught))
                .context("Ctrl-C cannot be caught")?;
        }
        Ok(Interrupt(caught))
    }

    pub fn happened(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running program. Dropping it stops it, so that an error on the way
/// leaves nothing behind.
pub struct Child {
    name: &'static str,
    process: std::process::Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Child {
    /// Standard output and error go to the log; output is also read here.
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> anyhow::Result<Child> {
        let mut file =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = file
            .try_clone()
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = process
            .stdout
            .take()
            .with_context(|| format!("{name} has no output"))?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Neither a full disk nor a reader that has what it waited
                // for may stop the program by blocking its output.
                let _kept_if_possible = writeln!(file, "{line}");
                let _wanted_only_at_the_start = sender.send(line);
            }
        });
        Ok(Child {
            name,
            process,
            lines,
            log: log.to_path_buf(),
        })
    }

    /// Waits for a line that `wanted` accepts. Fails when the program ends
    /// first, when time runs out, or at an interrupt.
    pub fn wait_for_line<T>(
        &mut self,
        limit: Duration,
        interrupt: &Interrupt,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> anyhow::Result<T> {
        let began = Instant::now();
        loop {
            match self.lines.recv_timeout(LOOK) {
                Ok(line) => {
                    if let Some(found) = wanted(&line) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Its output is closed: it has ended or is about to.
                Err(RecvTimeoutError::Disconnected) => {
                    self.process
                        .wait()
                        .with_context(|| format!("cannot watch {}", self.name))?;
                    bail!(
                        "{} ended before it was ready:\n{}",
                        self.name,
                        self.last_lines()
                    );
                }
            }
            if interrupt.happened() {
                bail!("interrupted");
            }
            if began.elapsed() > limit {
                bail!(
                    "{} was not ready in {} s:\n{}",
                    self.name,
                    limit.as_secs(),
                    self.last_lines()
                );
            }
        }
    }

    fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        self.process
            .try_wait()
            .with_context(|| format!("cannot watch {}", self.name))
    }

    /// Asks it to end, waits, and ends it if it does not.
    fn stop(&mut self) {
        ask_to_end(&mut self.process);
        let began = Instant::now();
        while began.elapsed() < GRACE {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK);
        }
        // Both fail only when it has ended meanwhile, which is what is wanted.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }

    fn last_lines(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        last_lines(&String::from_utf8_lossy(&text), 15)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns when the desk has ended or Ctrl-C was pressed; both programs are
/// stopped then. Fails when the hub ends, or the desk with a failure.
pub fn wait_for_the_end(
    desk: &mut Child,
    hub: &mut Child,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    loop {
        if interrupt.happened() {
            break;
        }
        if let Some(status) = hub.ended()? {
            bail!("{} ended ({status}):\n{}", hub.name, hub.last_lines());
        }
        if let Some(status) = desk.ended()? {
            if !status.success() && !interrupt.happened() {
                bail!("{} ended ({status}):\n{}", desk.name, desk.last_lines());
            }
            break;
        }
        thread::sleep(LOOK);
    }
    // The desk first, so that its last records still reach the hub.
    desk.stop();
    hub.stop();
    Ok(())
}

#[cfg(unix)]
fn ask_to_end(process: &mut std::process::Child) {
    use rustix::process::{Pid, Signal, kill_process};
    // A child that was waited for has given its id back to the system.
    if let Ok(None) = process.try_wait() {
        // Fails only when it has ended meanwhile.
        let _ended = kill_process(Pid::from_child(process), Signal::TERM);
    }
}

#[cfg(not(unix))]
fn ask_to_end(process: &mut std::process::Child) {
    // There is no gentler way for a program without a console. Fails only
    // when it has ended meanwhile.
    let _ended = process.kill();
}

fn last_lines(text: &str, count: usize) -> String {
    let mut lines = VecDeque::with_capacity(count);
    for line in text.lines() {
        if lines.len() == count {
            lines.pop_front();
        }
        lines.push_back(line);
    }
    Vec::from(lines).join("\n")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Child {
        let mut command = Command::new("sh");
        Child::start("the script", command.args(["-c", script]), log).unwrap()
    }

    fn quiet() -> Interrupt {
        Interrupt(Arc::new(AtomicBool::new(false)))
    }

    #[test]
    fn readiness_is_read_from_a_line_and_dropping_stops_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "trap 'exit 0' TERM; echo first; echo ready at 7; while :; do sleep 0.05; done";
        let mut child = shell(script, &dir.path().join("log"));
        let at = child.wait_for_line(Duration::from_secs(20), &quiet(), |line| {
            line.strip_prefix("ready at ").map(str::to_owned)
        });
        assert_eq!(at.unwrap(), "7");
        let id = child.process.id();
        drop(child);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_program_that_ends_early_is_reported_with_its_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = shell(
            "echo the port is taken >&2; exit 1",
            &dir.path().join("log"),
        );
        let never = |_: &str| None::<()>;
        let error = child
            .wait_for_line(Duration::from_secs(20), &quiet(), never)
            .unwrap_err();
        assert!(error.to_string().contains("the port is taken"), "{error}");
    }

    #[test]
    fn an_interrupt_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = shell("exec sleep 60", &dir.path().join("log"));
        let interrupt = Interrupt(Arc::new(AtomicBool::new(true)));
        let never = |_: &str| None::<()>;
        let error = child
            .wait_for_line(Duration::from_secs(20), &interrupt, never)
            .unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
    }

    #[test]
    fn a_request_to_end_is_caught() {
        let interrupt = Interrupt::catch().unwrap();
        assert!(!interrupt.happened());
        let this = rustix::process::getpid();
        rustix::process::kill_process(this, rustix::process::Signal::TERM).unwrap();
        let began = Instant::now();
        while !interrupt.happened() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "the signal was not caught"
            );
            thread::yield_now();
        }
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("", 2), "");
    }
}
