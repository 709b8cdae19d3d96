//! `suda-rig NAME`: runs a rig in full size, prints its one JSON line, and
//! fails when a bar or a control does not hold.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use suda_tests::rig::herd::StoreKind;
use suda_tests::rig::{self, Report, driver};
use suda_tests::{DeskDir, Failure};

#[derive(Parser)]
#[command(name = "suda-rig", about = "The process rigs of Suda")]
struct Arguments {
    #[command(subcommand)]
    rig: Rig,
}

#[derive(Subcommand)]
enum Rig {
    /// Kill the programs at random moments
    Kill {
        #[arg(long, default_value_t = 2_000)]
        points: u32,
        #[arg(long, default_value_t = 40)]
        control_points: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Lose the hub's receipts after it has stored what they are for
    Acks {
        #[arg(long, default_value_t = 10_000)]
        drops: u64,
        /// Of them at a real desk, with real pauses
        #[arg(long, default_value_t = 40)]
        real_drops: u64,
        #[arg(long, default_value_t = 20)]
        desks: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Cut the power while a desk records; needs root
    Power {
        #[arg(long, default_value_t = 2_000)]
        cuts: u32,
        #[arg(long, default_value_t = 50)]
        control_cuts: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Fail each of the first writes and flushes
    Disk {
        #[arg(long, default_value_t = 500)]
        writes: u32,
        #[arg(long, default_value_t = 500)]
        flushes: u32,
        /// Try only every so manieth
        #[arg(long, default_value_t = 1)]
        every: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Change random bytes of the files
    Flip {
        #[arg(long, default_value_t = 1_000)]
        flips: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Let every branch come back in the same second
    Herd {
        #[arg(long, default_value_t = 600)]
        desks: u32,
        /// Complaints of each desk
        #[arg(long, default_value_t = 10)]
        complaints: u32,
        /// Events of each complaint
        #[arg(long, default_value_t = 12)]
        events: u32,
        /// What the hub keeps its data in
        #[arg(long, value_enum, default_value_t = Store::Sqlite)]
        store: Store,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Put the hub back an hour under its desks
    Restore {
        #[arg(long, default_value_t = 600)]
        desks: u32,
        /// Real desks besides
        #[arg(long, default_value_t = 3)]
        real: u32,
        /// Complaints of each desk before the backup
        #[arg(long, default_value_t = 4)]
        before: u32,
        /// Complaints of each desk after it
        #[arg(long, default_value_t = 2)]
        later: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Record until killed; used by the rigs
    #[command(hide = true)]
    Drive(Drive),
    /// Commit to a database without a desk until killed; used by the rigs
    #[command(hide = true)]
    DriveRaw(DriveRaw),
}

#[derive(Clone, Copy, ValueEnum)]
enum Store {
    Sqlite,
    Postgresql,
}

impl From<Store> for StoreKind {
    fn from(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::Sqlite,
            Store::Postgresql => Self::Postgresql,
        }
    }
}

#[derive(Args)]
struct Drive {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    key_file: PathBuf,
    #[arg(long)]
    login: String,
    #[arg(long)]
    password: String,
    #[arg(long)]
    run: String,
    #[arg(long)]
    count: Option<u64>,
    #[arg(long)]
    too_early: bool,
    #[arg(long)]
    over: Option<PathBuf>,
}

#[derive(Args)]
struct DriveRaw {
    #[arg(long)]
    file: PathBuf,
    #[arg(long)]
    key: String,
    #[arg(long)]
    normal: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().rig {
        Rig::Drive(drive) => driver::run(&drive.into()).await.map(|()| None),
        Rig::DriveRaw(raw) => {
            let done = rig::raw::run(&raw.file, &raw.key, raw.normal).await;
            done.map(|()| None)
        }
        rig => perform(rig).await,
    };
    match done {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) => {
            println!("{}", report.line());
            match report.holds() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("suda-rig: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(rig: Rig) -> Result<Option<Report>, Failure> {
    let report = match rig {
        Rig::Kill {
            points,
            control_points,
            seed,
        } => {
            rig::kill::run(rig::kill::Options {
                points,
                control_points,
                seed,
            })
            .await?
        }
        Rig::Acks {
            drops,
            real_drops,
            desks,
            seed,
        } => {
            rig::acks::run(rig::acks::Options {
                drops,
                real_drops,
                desks,
                seed,
            })
            .await?
        }
        Rig::Power {
            cuts,
            control_cuts,
            seed,
        } => {
            rig::power::run(rig::power::Options {
                cuts,
                control_cuts,
                seed,
            })
            .await?
        }
        Rig::Disk {
            writes,
            flushes,
            every,
            seed,
        } => {
            rig::disk::run(rig::disk::Options {
                writes,
                flushes,
                every,
                seed,
            })
            .await?
        }
        Rig::Flip { flips, seed } => {
            rig::flip::run(rig::flip::Options {
                flips,
                everywhere: true,
                seed,
            })
            .await?
        }
        Rig::Herd {
            desks,
            complaints,
            events,
            store,
            seed,
        } => {
            rig::herd::run(rig::herd::Options {
                desks,
                complaints,
                events,
                within: Duration::from_secs(1),
                store: store.into(),
                seed,
            })
            .await?
        }
        Rig::Restore {
            desks,
            real,
            before,
            later,
            seed,
        } => {
            rig::restore::run(rig::restore::Options {
                desks,
                real,
                before,
                later,
                seed,
            })
            .await?
        }
        Rig::Drive(_) | Rig::DriveRaw(_) => return Ok(None),
    };
    Ok(Some(report))
}

impl From<Drive> for driver::Drive {
    fn from(drive: Drive) -> Self {
        Self {
            desk: DeskDir {
                data: drive.data,
                key: drive.key_file,
            },
            login: drive.login,
            password: drive.password,
            run: drive.run,
            count: drive.count,
            too_early: drive.too_early,
            over: drive.over,
        }
    }
}
