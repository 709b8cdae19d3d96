//! A private PostgreSQL server for one test, rig or bench: its own directory,
//! a free port on loopback, fsync on, stopped by its own process id when this
//! is dropped and by the system when the test's process dies. Never the
//! machine's own cluster. Linux only, as all whole-system tests.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What Debian's package calls the account it makes; PostgreSQL refuses root.
const ACCOUNT: &str = "postgres";
const STARTING: Duration = Duration::from_secs(30);
const STOPPING: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(
        "PostgreSQL 15 or later is not installed: `cargo xtask setup` installs it (Debian: postgresql-15)"
    )]
    NotInstalled,
    #[error("{what}: {source}")]
    Io {
        what: &'static str,
        source: io::Error,
    },
    #[error("{what}: {said}")]
    Said { what: &'static str, said: String },
}

impl Failure {
    fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// A server of one's own.
pub struct PrivatePostgres {
    server: Child,
    port: u16,
    programs: PathBuf,
    dir: TempDir,
}

impl PrivatePostgres {
    /// Makes a cluster and starts its server.
    pub fn start() -> Result<Self, Failure> {
        Self::start_with(&[])
    }

    /// As [`Self::start`], with more settings, each as `name=value`.
    pub fn start_with(settings: &[&str]) -> Result<Self, Failure> {
        let programs = programs().ok_or(Failure::NotInstalled)?;
        let dir = TempDir::with_prefix("suda-postgres-").map_err(Failure::io("a folder"))?;
        if is_root() {
            let mut chown = Command::new("chown");
            run(chown.arg(ACCOUNT).arg(dir.path()), "giving the folder away")?;
        }
        let data = dir.path().join("data");
        let mut initdb = unprivileged(&programs.join("initdb"));
        initdb
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"])
            .args(["--username=suda", "--no-sync", "--pgdata"])
            .arg(&data);
        run(&mut initdb, "initdb")?;
        // Taken by the server a moment later; another may take it between, and
        // then the next one is tried.
        for _ in 0..5 {
            let port = free_port().map_err(Failure::io("a free port"))?;
            let mut server = serve(&programs, &data, dir.path(), port, settings)?;
            if ready(&mut server, &programs, port)? {
                return Ok(Self {
                    server,
                    port,
                    programs,
                    dir,
                });
            }
        }
        let log = fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        Err(Failure::Said {
            what: "the private PostgreSQL does not start",
            said: log,
        })
    }

    /// A new empty database, as an address.
    pub fn database(&self, name: &str) -> Result<String, Failure> {
        let mut create = Command::new(self.programs.join("createdb"));
        create
            .args(["--host=127.0.0.1", "--username=suda"])
            .arg(format!("--port={}", self.port))
            .arg(name);
        run(&mut create, "createdb")?;
        Ok(format!("postgres://suda@127.0.0.1:{}/{name}", self.port))
    }

    /// The server's own process, for tests that stop or kill it.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection and starts again, as a server that was updated.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.stop("INT")?;
        let data = self.dir.path().join("data");
        self.server = serve(&self.programs, &data, self.dir.path(), self.port, &[])?;
        if ready(&mut self.server, &self.programs, self.port)? {
            return Ok(());
        }
        Err(Failure::Said {
            what: "the private PostgreSQL",
            said: "it does not start again".to_owned(),
        })
    }

    fn stop(&mut self, signal: &str) -> Result<(), Failure> {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &self.server.id().to_string()]);
        run(&mut kill, "stopping the private PostgreSQL")?;
        let until = Instant::now() + STOPPING;
        while self
            .server
            .try_wait()
            .map_err(Failure::io("the server's end"))?
            .is_none()
        {
            if Instant::now() > until {
                return Err(Failure::Said {
                    what: "the private PostgreSQL",
                    said: "it does not stop".to_owned(),
                });
            }
            sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // SIGQUIT: at once, without a last checkpoint. The folder goes anyway.
        if self.stop("QUIT").is_err() {
            let _gone = self.server.kill();
            let _reaped = self.server.wait();
        }
    }
}

/// The newest installed server of version 15 or later.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").ok();
    let versions = debian.into_iter().flatten().flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let newest = versions
        .filter(|(version, bin)| *version >= 15 && bin.join("postgres").exists())
        .max_by_key(|(version, _)| *version);
    if let Some((_, bin)) = newest {
        return Some(bin);
    }
    let asked = Command::new("pg_config").arg("--bindir").output().ok()?;
    let bin = PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim());
    bin.join("initdb").exists().then_some(bin)
}

fn is_root() -> bool {
    // The owner of a file just made is who runs this.
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The program under an account that PostgreSQL accepts, told to end when this
/// process does.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT");
    if is_root() {
        command.arg(format!("--reuid={ACCOUNT}"));
        command.arg(format!("--regid={ACCOUNT}"));
        command.arg("--init-groups");
    }
    command.arg("--").arg(program);
    command
}

fn serve(
    programs: &Path,
    data: &Path,
    sockets: &Path,
    port: u16,
    settings: &[&str],
) -> Result<Child, Failure> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(sockets.join("log"))
        .map_err(Failure::io("the server's log"))?;
    let mut command = unprivileged(&programs.join("postgres"));
    command
        .arg("-D")
        .arg(data)
        .args(["-c", &format!("port={port}")])
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args([
            "-c",
            &format!("unix_socket_directories={}", sockets.display()),
        ])
        .args(["-c", "fsync=on", "-c", "max_connections=100"])
        .args(["-c", "shared_buffers=64MB", "-c", "max_wal_size=2GB"]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(Failure::io("starting PostgreSQL"))
}

/// False when the server ended, as it does when its port is taken.
fn ready(server: &mut Child, programs: &Path, port: u16) -> Result<bool, Failure> {
    let until = Instant::now() + STARTING;
    loop {
        let ended = server
            .try_wait()
            .map_err(Failure::io("the server's start"))?;
        if ended.is_some() {
            return Ok(false);
        }
        let asked = Command::new(programs.join("pg_isready"))
            .args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")])
            .status()
            .map_err(Failure::io("pg_isready"))?;
        if asked.success() {
            return Ok(true);
        }
        if Instant::now() > until {
            let _gone = server.kill();
            return Ok(false);
        }
        sleep(POLL);
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn run(command: &mut Command, what: &'static str) -> Result<Output, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::io(what))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(Failure::Said {
        what,
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
