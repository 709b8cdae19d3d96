//! The command line of `suda-desk`: reads arguments, calls the desk, writes
//! lines. Answers go to standard output, everything else to standard error.

mod evidence;
mod keep;
mod lan;
mod parcel;
mod run;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::import::HandoffChoice;
use crate::key::KeySource;

/// Records complaints on this computer and brings them to the hub.
#[derive(Parser)]
#[command(name = "suda-desk", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Place {
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Keep the key in this file instead of the keyring (for machines without one).
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Place {
    fn key(&self) -> KeySource {
        match &self.key_file {
            Some(path) => KeySource::File(path.clone()),
            None => KeySource::Keyring,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Enrol this computer at the hub with a one-time code.
    Enrol {
        #[command(flatten)]
        place: Place,
        /// The hub's address, http:// or https://.
        #[arg(long, value_name = "URL")]
        hub: String,
        /// The code the administrator gave.
        #[arg(long)]
        code: String,
        /// What the administrator shall see this computer called.
        #[arg(long)]
        name: Option<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Record each row of a CSV file as a complaint.
    Import {
        #[command(flatten)]
        place: Place,
        file: PathBuf,
        /// Which columns to take, such as text=内容,received_at=时间; the others are guessed.
        #[arg(long, default_value = "")]
        columns: String,
        /// Which rows go to the experts at once.
        #[arg(long, value_enum, default_value_t)]
        handoff: HandoffChoice,
        /// Go on with the last import of the same file; nothing is recorded twice.
        #[arg(long)]
        resume: bool,
        /// Record in the name of this login [default: the branch manager's].
        #[arg(long = "as", value_name = "LOGIN")]
        login: Option<String>,
        /// A JSON object a row.
        #[arg(long)]
        json: bool,
    },
    /// Send to the hub and fetch from it, until interrupted.
    Sync {
        #[command(flatten)]
        place: Place,
        /// Return when the queues are empty.
        #[arg(long)]
        once: bool,
        /// One JSON object (with --once).
        #[arg(long)]
        json: bool,
    },
    /// How this desk stands.
    Status {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        json: bool,
    },
    /// The local backlog.
    List {
        #[command(flatten)]
        place: Place,
        /// Which complaints.
        #[arg(long, value_enum, default_value = "all")]
        scope: show::ScopeChoice,
        /// A JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Find complaints by words, phone digits or reference number.
    Search {
        #[command(flatten)]
        place: Place,
        text: String,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// A JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// One complaint with everything that happened to it.
    Show {
        #[command(flatten)]
        place: Place,
        reference: String,
        #[arg(long)]
        json: bool,
    },
    /// Photos, scans and recordings that belong to a complaint.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Write a checked copy of the data to a new file, beside a running program.
    Backup {
        #[command(flatten)]
        place: Place,
        file: PathBuf,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup in the place of the data, which are kept aside.
    Restore {
        #[command(flatten)]
        place: Place,
        file: PathBuf,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List the backups kept by themselves, and say where else they go.
    Backups {
        #[command(flatten)]
        place: Place,
        /// From now on, copy each backup into this folder on another disk too.
        #[arg(long, value_name = "DIR", conflicts_with = "no_second")]
        second: Option<PathBuf>,
        /// From now on, keep them in the data directory alone.
        #[arg(long)]
        no_second: bool,
        /// A JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What goes to the hub by file when the network is away.
    Bundle {
        #[command(subcommand)]
        command: parcel::BundleCommand,
    },
    /// The branch's own network: one desk is the mailbox of the others.
    Lan {
        #[command(subcommand)]
        command: lan::LanCommand,
    },
    /// Check the ledger and everything made from it.
    Verify {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        json: bool,
    },
}

/// A failure as it is told: the sentence and what lies behind it.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Runs the program.
pub async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("SUDA_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match dispatch(arguments.command).await {
        Ok(code) => code,
        Err(failure) if is_broken_pipe(failure.as_ref()) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("suda-desk: {}", sentence(failure.as_ref()));
            parcel::exit_code(failure.as_ref())
        }
    }
}

async fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Enrol {
            place,
            hub,
            code,
            name,
            json,
        } => run::enrol(&place, &hub, &code, name.as_deref(), json).await,
        Command::Import {
            place,
            file,
            columns,
            handoff,
            resume,
            login,
            json,
        } => {
            let options = crate::ImportOptions {
                columns: columns.parse()?,
                handoff,
                resume,
                login,
            };
            run::import(&place, &file, &options, json).await
        }
        Command::Sync {
            place,
            once: true,
            json,
        } => run::sync_once(&place, json).await,
        Command::Sync { place, .. } => run::sync_forever(&place).await,
        Command::Status { place, json } => show::status(&place, json).await,
        Command::List { place, scope, json } => show::list(&place, scope, json).await,
        Command::Search {
            place,
            text,
            limit,
            json,
        } => show::search(&place, &text, limit, json).await,
        Command::Show {
            place,
            reference,
            json,
        } => show::show(&place, &reference, json).await,
        Command::Evidence(command) => evidence::run(command).await,
        Command::Backup { place, file, json } => keep::backup(&place, &file, json).await,
        Command::Restore { place, file, json } => keep::restore(&place, &file, json).await,
        Command::Backups {
            place,
            second,
            no_second,
            json,
        } => keep::backups(&place, second, no_second, json).await,
        Command::Bundle { command } => command.run().await,
        Command::Lan { command } => command.run().await,
        Command::Verify { place, json } => show::verify(&place, json).await,
    }
}

/// The error with its causes, in one line, each said once.
fn sentence(failure: &dyn std::error::Error) -> String {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text} ({cause_text})");
        }
        source = cause.source();
    }
    text.replace('\n', " ")
}

/// Whoever read our answers has gone: nothing to tell and nobody to tell it.
fn is_broken_pipe(failure: &(dyn std::error::Error + 'static)) -> bool {
    failure
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
