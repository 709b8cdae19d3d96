//! `suda-desk lan`: the branch's own network.

use std::io::Write as _;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;

use super::{Failure, Place, run};
use crate::desk::Desk;
use crate::lan::{LanRole, LanView};

#[derive(Subcommand)]
pub(super) enum LanCommand {
    /// Be the mailbox of this branch: sync, and take the other desks' events
    /// in, until interrupted. The desk stays the mailbox, in the window and
    /// with `sync` too, until `lan leave`.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Where to listen; port 0 chooses a free one and keeps it.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Have the mailbox that runs on these data show a new pairing code, good
    /// for ten minutes, five tries and one desk.
    Code {
        #[command(flatten)]
        place: Place,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List the mailboxes of this branch that announce themselves.
    Find {
        #[command(flatten)]
        place: Place,
        /// How many seconds to listen.
        #[arg(long, default_value_t = 3)]
        seconds: u64,
        /// Only on the network with this address of this computer.
        #[arg(long, value_name = "IP")]
        on: Option<IpAddr>,
        /// A JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Follow the mailbox at an address from now on.
    Pair {
        #[command(flatten)]
        place: Place,
        /// Name or address, with or without a port.
        address: String,
        /// The code the mailbox shows.
        code: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Follow no mailbox any more, and be none.
    Leave {
        #[command(flatten)]
        place: Place,
    },
    /// What this desk is in its branch, and with whom it is paired.
    Status {
        #[command(flatten)]
        place: Place,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl LanCommand {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Serve { place, listen } => serve(&place, listen.as_deref()).await,
            Self::Code { place, json } => code(&place, json).await,
            Self::Find {
                place,
                seconds,
                on,
                json,
            } => find(&place, Duration::from_secs(seconds), on, json).await,
            Self::Pair {
                place,
                address,
                code,
                json,
            } => pair(&place, &address, &code, json).await,
            Self::Leave { place } => leave(&place).await,
            Self::Status { place, json } => status(&place, json).await,
        }
    }
}

async fn serve(place: &Place, listen: Option<&str>) -> Result<ExitCode, Failure> {
    let desk = run::open(place).await?;
    let kept = desk.lan().await?;
    let same = kept
        .address
        .filter(|_| listen.is_none() && kept.role == LanRole::Mailbox);
    let address = desk.become_mailbox(listen.or(same.as_deref())).await;
    let address = match address {
        Ok(address) => address,
        Err(error) => {
            desk.close().await?;
            return Err(error.into());
        }
    };
    writeln!(std::io::stdout().lock(), "listening on {address}")?;
    run::sync_until_interrupted(&desk).await
}

async fn code(place: &Place, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let (code, until) = desk.ask_pairing_code().await?;
    let mut out = std::io::stdout().lock();
    if json {
        let told = serde_json::json!({ "code": code, "expires_at": until });
        writeln!(out, "{told}")?;
    } else {
        writeln!(out, "{code} (until {until})")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(
    place: &Place,
    within: Duration,
    on: Option<IpAddr>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let found = desk.find_mailboxes(within, on).await?;
    let mut out = std::io::stdout().lock();
    for one in found {
        if json {
            writeln!(out, "{}", serde_json::to_string(&one)?)?;
        } else {
            writeln!(out, "{} desk {}", one.address, one.letter)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn pair(place: &Place, address: &str, code: &str, json: bool) -> Result<ExitCode, Failure> {
    let desk = run::open(place).await?;
    let paired = desk.pair(address, code).await;
    let view = desk.lan().await;
    desk.close().await?;
    let (letter, view) = (paired?, view?);
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&view)?)?;
    } else {
        writeln!(out, "desk {letter} is this desk's mailbox")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn leave(place: &Place) -> Result<ExitCode, Failure> {
    let desk = run::open(place).await?;
    let left = desk.leave_lan().await;
    desk.close().await?;
    left?;
    Ok(ExitCode::SUCCESS)
}

async fn status(place: &Place, json: bool) -> Result<ExitCode, Failure> {
    let desk = Desk::open_reading(&place.data, place.key()).await?;
    let view = desk.lan().await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&view)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{}", told(&view))?;
    for desk in &view.desks {
        let (letter, waiting) = (&desk.letter, desk.waiting);
        writeln!(out, "desk {letter}: {waiting} batches wait for the hub")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(view: &LanView) -> String {
    let address = view.address.as_deref().unwrap_or_default();
    match view.role {
        LanRole::Alone => "this desk takes no part in its branch's network".to_owned(),
        LanRole::Mailbox => format!("this desk is its branch's mailbox, at {address}"),
        LanRole::Member => format!("this desk follows the mailbox at {address}"),
    }
}
