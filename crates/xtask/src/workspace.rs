//! Where things are, and how a child command is started: the repository's
//! root, the build and tool directories outside it, and an environment in
//! which every child finds both. No step of any command belongs here.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The packages whose programs are run, tested, measured and bundled. Always
/// built together: cargo unites the features of what it builds at once, and a
/// different selection would compile the large dependencies a second time.
const PROGRAM_SELECTION: [&str; 4] = ["--workspace", "--exclude", "xtask", "--bins"];

pub struct Workspace {
    pub root: PathBuf,
    /// Everything built from this repository (`CARGO_TARGET_DIR`).
    pub target: PathBuf,
    /// Cargo tools that setup installs; not part of any build.
    pub tools: PathBuf,
    path: OsString,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Debug,
    Release,
}

impl Workspace {
    pub fn find() -> anyhow::Result<Workspace> {
        // Cargo tells the crate's folder at run time; the folder known when
        // compiling is for a program started without cargo.
        let manifest_dir =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest_dir)
            .ancestors()
            .nth(2)
            .context("the xtask crate is not two folders below the repository's root")?
            .to_path_buf();
        let cache = cache_home()?.join("suda");
        let target = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| cache.join("target"), |dir| root.join(dir));
        let tools = cache.join("tools");
        let mut path = vec![tools.join("bin")];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).context("PATH holds an unusable entry")?;
        Ok(Workspace {
            root,
            target,
            tools,
            path,
        })
    }

    pub fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    /// The directory of the built programs.
    pub fn bin_dir(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.folder())
    }

    /// The path of one built program.
    pub fn program(&self, profile: Profile, name: &str) -> PathBuf {
        self.bin_dir(profile)
            .join(name)
            .with_extension(env::consts::EXE_EXTENSION)
    }

    /// A child command in the repository's root that finds the tools and the
    /// build directory.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("PATH", &self.path)
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// An npm command in the UI's folder. On Windows npm is a script that only
    /// the command interpreter starts.
    pub fn npm(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = if cfg!(windows) {
            let mut interpreter = self.command("cmd");
            interpreter.args(["/C", program]);
            interpreter
        } else {
            self.command(program)
        };
        command.args(arguments).current_dir(self.ui());
        command
    }

    pub fn build_programs(&self, profile: Profile) -> anyhow::Result<()> {
        say(&format!(
            "building the programs in {}",
            self.bin_dir(profile).display()
        ));
        let mut command = self.cargo(&["build"]);
        command.args(PROGRAM_SELECTION);
        if profile == Profile::Release {
            command.arg("--release");
        }
        run(&mut command)
    }
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Profile::Debug => "debug",
            Profile::Release => "release",
        }
    }
}

/// What a command does, for the person who waits. On standard error, so that
/// standard output stays clean for what is piped on.
pub fn say(line: &str) {
    eprintln!("xtask: {line}");
}

/// Runs a child with this terminal and fails unless it succeeds.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// As `run`, with the child's standard output moved to standard error: for
/// commands whose own standard output is a result to be piped on.
pub fn run_aside(command: &mut Command) -> anyhow::Result<()> {
    run(command.stdout(std::io::stderr()))
}

/// Runs a child and returns its standard output; its errors go to the terminal.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not UTF-8", shown(command)))
}

/// Standard output of a child whose absence or failure is an answer too.
pub fn quiet_output(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cache_home() -> anyhow::Result<PathBuf> {
    if let Some(dir) = env::var_os("XDG_CACHE_HOME").map(PathBuf::from)
        && dir.is_absolute()
    {
        return Ok(dir);
    }
    Ok(home()?.join(".cache"))
}

pub fn home() -> anyhow::Result<PathBuf> {
    env::home_dir()
        .filter(|dir| !dir.as_os_str().is_empty())
        .context("this user has no home directory; set CARGO_TARGET_DIR and HOME")
}
