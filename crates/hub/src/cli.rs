//! The commands of `suda-hub`. Each prints its result on standard output and
//! its failure as one line on standard error.

mod desks;
mod judge;
mod parcel;
mod public;
mod sms;
mod staff;

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use suda_domain::{BranchCode, DeviceId, Policy, Role};
use suda_judge::RuleSet;
use suda_sync::SecretKey;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::admin::{AddStaffError, NewStaff, add_staff};
use crate::clock::Clock;
use crate::demo::{self, Account};
use crate::http;
use crate::place::{Place, Target, open_database};
use crate::running::{LocalAsk, LocalReply, Lock, LockError};
use crate::secret;
use crate::serve::{ServeError, Serving, asked_to_stop};
use crate::store::postgres::{self, moving::MoveError};
use crate::store::sqlite::{self, OpenError, RestoreError};
use crate::store::{AddError, Beginning, Identity, Store, StoreError, Upkeep as _};

/// The centre of Suda: receives complaints from all branches and serves the
/// experts' console.
#[derive(Parser)]
#[command(name = "suda-hub", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
pub(crate) struct Output {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the hub.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address and port to listen on.
        #[arg(long, default_value = "127.0.0.1:8460", value_name = "ADDR")]
        listen: SocketAddr,
        /// The directory with the console's files.
        #[arg(long, env = "SUDA_HUB_UI", value_name = "DIR")]
        ui: Option<PathBuf>,
        /// A directory with the fonts letters are set in; without it, those
        /// this system has.
        #[arg(long, env = "SUDA_HUB_FONTS", value_name = "DIR")]
        fonts: Option<PathBuf>,
        #[command(flatten)]
        public: public::Public,
    },
    /// Make a new hub with its first administrator.
    Init {
        #[command(flatten)]
        place: Place,
        /// Add a demo city: branches, staff of every role, guidance.
        #[arg(long)]
        demo: bool,
        /// Read the administrator's password from standard input.
        #[arg(long)]
        password_stdin: bool,
        /// The organisation's name, for receipts.
        #[arg(long, value_name = "NAME")]
        organisation: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Branches.
    Branch {
        #[command(subcommand)]
        command: BranchCommand,
    },
    /// Staff, who stands above whom, and who is texted.
    Staff {
        #[command(subcommand)]
        command: staff::StaffCommand,
    },
    /// Make a one-time code with which a desk of the branch can enrol.
    Enrol {
        /// The branch's code.
        branch: BranchCode,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Count complaints, devices and events.
    Status {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// How every desk works: its counts of seven days, and what needs somebody.
    Desks {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Check the whole ledger; names the first bad row.
    Verify {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Write a copy of the store, also beside a running hub.
    Backup {
        /// A file that does not exist yet.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Put a copy back. Not beside a running hub.
    Restore {
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// What desks send by file when the network is away.
    Bundle {
        #[command(subcommand)]
        command: parcel::BundleCommand,
    },
    /// How customers are told by SMS, and what became of it.
    Sms {
        #[command(subcommand)]
        command: sms::SmsCommand,
    },
    /// Judge texts from a CSV file: categories, grades, similar ones, alarms.
    Judge {
        #[command(subcommand)]
        command: judge::JudgeCommand,
    },
    /// Give a hub on PostgreSQL a new epoch and incarnation, after its database
    /// was put back to an earlier moment. Not beside a running hub.
    Renew {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// Move a hub to another store and verify it there. Not beside a running
    /// hub; the directory's store is kept, renamed.
    MigrateStore {
        #[arg(long, value_name = "STORE", default_value = "sqlite")]
        from: Embedded,
        /// An empty database: postgres://…
        #[arg(long, value_name = "URL")]
        to: String,
        /// The data directory to move from.
        #[arg(long, env = "SUDA_HUB_DATA", value_name = "DIR")]
        data: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Print the description of the console's API.
    Openapi,
}

/// What can be moved from.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Embedded {
    Sqlite,
}

#[derive(Subcommand)]
enum BranchCommand {
    /// Add a branch.
    Add {
        /// 2 to 10 capital letters and digits, beginning with a letter.
        code: BranchCode,
        name: String,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
}

/// Why a command failed; its text is the line on standard error.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("--database takes a postgres:// address")]
    Database,
    #[error("--data names the hub's directory; without --database it is needed")]
    NoDirectory,
    #[error(
        "a hub on PostgreSQL is put back by PostgreSQL's own tools, and then given a new epoch with `suda-hub renew`; see OPERATING.md"
    )]
    RestoreElsewhere,
    #[error("a hub in a directory gets its new epoch from `suda-hub restore`")]
    RenewElsewhere,
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    OpenDatabase(#[from] postgres::OpenError),
    #[error(transparent)]
    Move(#[from] MoveError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("a hub lives there already")]
    AlreadyInitialised,
    #[error(transparent)]
    Staff(#[from] AddStaffError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no password on standard input")]
    NoPassword,
    #[error("what came on standard input is not a mobile number")]
    NotMobile,
    #[error("{message}")]
    Refused { message: String, exit_code: u8 },
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("the ledger is damaged: {row}: {reason}")]
    BadRow { row: String, reason: String },
    #[error(transparent)]
    Judge(#[from] judge::JudgeError),
    #[error("the rule file is not usable")]
    Rules(#[from] suda_judge::RuleSetError),
    #[error("standard input or output")]
    Io(#[from] io::Error),
    #[error("the result cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl CommandError {
    /// The error and what caused it, in one line.
    pub fn line(&self) -> String {
        let mut line = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(source) = next {
            line.push_str(": ");
            line.push_str(&source.to_string());
            next = source.source();
        }
        line
    }

    /// What the program exits with: 1, or a code that names why a bundle was
    /// not taken.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { exit_code, .. } => *exit_code,
            _ => 1,
        }
    }
}

impl Cli {
    pub async fn run(self) -> Result<(), CommandError> {
        match self.command {
            Command::Serve {
                place,
                listen,
                ui,
                fonts,
                public,
            } => serve(&place, listen, ui, fonts, public).await,
            Command::Init {
                place,
                demo,
                password_stdin,
                organisation,
                output,
            } => init(&place, demo, password_stdin, organisation, &output).await,
            Command::Branch {
                command:
                    BranchCommand::Add {
                        code,
                        name,
                        place,
                        output,
                    },
            } => {
                let name = suda_domain::text::clean(&name);
                place
                    .ask(LocalAsk::AddBranch {
                        code: code.clone(),
                        name: name.clone(),
                    })
                    .await?;
                let added = serde_json::json!({ "code": code, "name": name });
                output.print(&added, || format!("added branch {code} {name}"))
            }
            Command::Enrol {
                branch,
                place,
                output,
            } => {
                let reply = place
                    .ask(LocalAsk::MakeCode {
                        branch: branch.clone(),
                    })
                    .await?;
                let LocalReply::Code { code, expires_at } = reply else {
                    return unexpected();
                };
                let made = serde_json::json!({ "code": code, "expires_at": expires_at });
                output.print(&made, || {
                    format!("{code}\none desk of {branch} can enrol with it until {expires_at}")
                })
            }
            Command::Status { place, output } => {
                let reply = place.ask(LocalAsk::Status).await?;
                let LocalReply::Status(status) = reply else {
                    return unexpected();
                };
                output.print(&status, || {
                    let mut lines = vec![
                        format!("complaints   {}", status.complaints),
                        format!("devices      {}", status.devices),
                        format!("events       {}", status.events),
                        format!("quarantined  {}", status.quarantined),
                        format!("  waiting    {}", status.quarantined_waiting),
                        format!("  over 5 min {}", status.quarantined_waiting_long),
                    ];
                    let states = status.by_state.iter();
                    lines.extend(states.map(|(state, n)| format!("  {:<18} {n}", state.name())));
                    lines.join("\n")
                })
            }
            Command::Desks { place, output } => desks::desks(&place, &output).await,
            Command::Verify { place, output } => verify(&place, &output).await,
            Command::Backup {
                file,
                place,
                output,
            } => {
                let file = absolute(file)?;
                place.ask(LocalAsk::Backup { file: file.clone() }).await?;
                let written = serde_json::json!({ "file": file });
                output.print(&written, || format!("wrote {}", file.display()))
            }
            Command::Restore {
                file,
                place,
                output,
            } => restore(&place, &file, &output).await,
            Command::Bundle { command } => command.run().await,
            Command::Staff { command } => command.run().await,
            Command::Sms { command } => command.run().await,
            Command::Judge { command } => command.run().await,
            Command::Renew { place, output } => renew(&place, &output).await,
            Command::MigrateStore {
                from: Embedded::Sqlite,
                to,
                data,
                output,
            } => migrate_store(&data, &to, &output).await,
            Command::Openapi => Output { json: true }.print(&http::openapi(), String::new),
        }
    }
}

impl Output {
    pub(crate) fn print(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CommandError> {
        let line = if self.json {
            serde_json::to_string(value)?
        } else {
            text()
        };
        writeln!(io::stdout(), "{line}")?;
        Ok(())
    }
}

pub(crate) fn unexpected() -> Result<(), CommandError> {
    Err(CommandError::Refused {
        message: "the running hub is of another version".into(),
        exit_code: 1,
    })
}

async fn serve(
    place: &Place,
    listen: SocketAddr,
    ui: Option<PathBuf>,
    fonts: Option<PathBuf>,
    public: public::Public,
) -> Result<(), CommandError> {
    let ui = http::ui::find(ui);
    let serving = match place.target()? {
        Target::Directory(dir) => Serving::prepare(dir, listen, ui, Clock::system()).await?,
        Target::Database(url) => {
            let store = open_database(url).await?;
            store.join().await?;
            let dir = place.directory();
            Serving::over(Arc::new(store), listen, ui, Clock::system(), dir).await?
        }
    };
    if let Some(fonts) = fonts {
        serving.hub.letters.take_fonts_from(fonts);
    }
    // Looking through many fonts takes a moment; whether there are any is told now.
    let hub = Arc::clone(&serving.hub);
    tokio::task::spawn_blocking(move || hub.letters.fonts().is_some());
    public.apply(&serving.hub).await?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    let signals = tokio::spawn(async move {
        if let Err(error) = asked_to_stop().await {
            tracing::error!(%error, "signals cannot be received");
        }
        asked.cancel();
    });
    writeln!(io::stdout(), "listening on {}", serving.address)?;
    io::stdout().flush()?;
    let ended = serving.run(stop).await;
    signals.abort();
    Ok(ended?)
}

#[derive(Serialize)]
struct Initialised {
    organisation: String,
    accounts: Vec<Account>,
}

async fn init(
    place: &Place,
    demo: bool,
    password_stdin: bool,
    organisation: Option<String>,
    output: &Output,
) -> Result<(), CommandError> {
    let password = if password_stdin {
        Some(read_password()?)
    } else {
        None
    };
    let (store, _lock) = place.make().await?;
    let organisation = organisation.unwrap_or_else(|| {
        if demo {
            demo::ORGANISATION.to_owned()
        } else {
            "诉达".to_owned()
        }
    });
    begin(store.as_ref(), &organisation).await?;
    let accounts = if demo {
        demo::fill(store.as_ref(), password, Clock::system().now()).await?
    } else {
        vec![administrator(store.as_ref(), password).await?]
    };
    store.close().await;
    let done = Initialised {
        organisation,
        accounts,
    };
    output.print(&done, || {
        let rows = done.accounts.iter().map(|account| {
            let password = account.password.as_deref().unwrap_or("(as given)");
            let branch = account.branch.as_ref().map_or("-", BranchCode::as_str);
            let role = account.role.name();
            format!(
                "{:<12} {password:<18} {role:<15} {branch:<10} {}",
                account.login, account.name
            )
        });
        let head = "made a hub; these passwords are shown only now".to_owned();
        std::iter::once(head)
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn read_password() -> Result<String, CommandError> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        Err(CommandError::NoPassword)
    } else {
        Ok(password)
    }
}

async fn begin(store: &dyn Store, organisation: &str) -> Result<(), CommandError> {
    let beginning = Beginning {
        identity: Identity {
            device: DeviceId(Uuid::now_v7()),
            incarnation: 1,
            key: SecretKey::from_seed(secret::seed()),
            epoch: secret::token(),
        },
        organisation: organisation.to_owned(),
        policy: Policy::default(),
        rules: RuleSet::parse(suda_judge::TELECOM)?.version,
    };
    match store.begin(&beginning).await {
        Ok(()) => Ok(()),
        Err(AddError::AlreadyInitialised) => {
            // One that was cut short before anybody could sign in goes on.
            let cut_short = store.staff().await?.is_empty() && store.branches().await?.is_empty();
            if cut_short {
                Ok(())
            } else {
                Err(CommandError::AlreadyInitialised)
            }
        }
        Err(AddError::Store(error)) => Err(error.into()),
        Err(error) => Err(CommandError::Staff(error.into())),
    }
}

async fn administrator(
    store: &dyn Store,
    password: Option<String>,
) -> Result<Account, CommandError> {
    let new = NewStaff {
        login: "admin".into(),
        name: "系统管理员".into(),
        role: Role::Administrator,
        branch: None,
        password,
    };
    let added = add_staff(store, new).await?;
    Ok(Account {
        login: added.record.login,
        password: added.made_password,
        role: added.record.role,
        name: added.record.name,
        branch: None,
    })
}

async fn verify(place: &Place, output: &Output) -> Result<(), CommandError> {
    let LocalReply::Verified(report) = place.ask(LocalAsk::Verify).await? else {
        return unexpected();
    };
    let (events, complaints, lanes) = (report.events, report.complaints, report.lanes);
    if output.json || report.ok {
        output.print(&report, || {
            format!("the ledger is whole: {events} events, {complaints} complaints, {lanes} lanes")
        })?;
    }
    match (report.bad_row, report.reason) {
        (Some(row), reason) => Err(CommandError::BadRow {
            row,
            reason: reason.unwrap_or_default(),
        }),
        (None, _) => Ok(()),
    }
}

async fn restore(place: &Place, file: &Path, output: &Output) -> Result<(), CommandError> {
    let Target::Directory(dir) = place.target()? else {
        return Err(CommandError::RestoreElsewhere);
    };
    std::fs::create_dir_all(dir)?;
    let _lock = Lock::take(dir)?;
    let now = Clock::system().now();
    let kept = sqlite::restore(file, dir, secret::token(), now).await?;
    let done = serde_json::json!({ "restored": true, "kept": kept });
    output.print(&done, || match &kept {
        Some(kept) => format!("restored; what was there before is {}", kept.display()),
        None => "restored".to_owned(),
    })
}

async fn renew(place: &Place, output: &Output) -> Result<(), CommandError> {
    let Target::Database(url) = place.target()? else {
        return Err(CommandError::RenewElsewhere);
    };
    let store = open_database(url).await?;
    let renewed = store.renew(secret::token(), Clock::system().now()).await;
    store.close().await;
    let incarnation = renewed?;
    let done = serde_json::json!({ "renewed": true, "incarnation": incarnation });
    output.print(&done, || {
        format!("the hub has a new epoch; its incarnation is {incarnation}")
    })
}

async fn migrate_store(dir: &Path, to: &str, output: &Output) -> Result<(), CommandError> {
    let _lock = Lock::take(dir)?;
    let moved = postgres::moving::move_here(dir, to, Clock::system().now()).await?;
    output.print(&moved, || {
        let rows = moved.rows.iter();
        let mut lines: Vec<_> = rows.map(|(table, n)| format!("{table:<12} {n}")).collect();
        lines.push(format!(
            "moved and verified: {} events, {} complaints; what it was moved from is {}",
            moved.events,
            moved.complaints,
            moved.kept.display()
        ));
        lines.join("\n")
    })
}
