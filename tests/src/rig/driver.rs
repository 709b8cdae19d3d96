//! The recording driver: a process of its own that records as the window does
//! and prints each complaint's id once it is told as saved. The rigs kill it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use suda_desk::view::Assessment;
use suda_desk::{Desk, KeySource, Session};
use suda_domain::{Complexity, Grade, Intake};

use crate::{DeskDir, Failure};

/// What the driver is asked to do.
#[derive(Clone, Debug)]
pub struct Drive {
    pub desk: DeskDir,
    pub login: String,
    pub password: String,
    /// Distinguishes the texts of one run from those of another.
    pub run: String,
    /// How many; without it until killed.
    pub count: Option<u64>,
    /// The planted mistake: prints the id before the complaint is saved.
    pub too_early: bool,
    /// What a person would do about a failure: this file is made, and the
    /// same complaint tried again. Without it a failure ends the driver.
    pub over: Option<PathBuf>,
}

/// Tries of one complaint, the one that met the trouble included.
const TRIES: u32 = 3;

fn said(error: &dyn std::fmt::Display) -> Failure {
    Failure::Said(format!("recording: {error}"))
}

/// Opens a desk in this process and signs somebody in.
pub async fn open(
    data: &Path,
    key: &Path,
    login: &str,
    password: &str,
) -> Result<(Desk, Session), Failure> {
    let desk = Desk::open(data, KeySource::File(key.to_owned()))
        .await
        .map_err(|error| said(&error))?;
    let session = desk.sign_in(login, password).await;
    Ok((desk, session.map_err(|error| said(&error))?))
}

/// Records until killed, or `count` complaints.
pub async fn run(drive: &Drive) -> Result<(), Failure> {
    let (data, key) = (&drive.desk.data, &drive.desk.key);
    let (desk, session) = open(data, key, &drive.login, &drive.password).await?;
    let mut n = 0;
    while drive.count.is_none_or(|count| n < count) {
        n += 1;
        let mut tries = 0;
        while let Err(error) = record(&desk, &session, drive, n).await {
            tries += 1;
            let Some(over) = drive.over.as_ref().filter(|_| tries < TRIES) else {
                return Err(error);
            };
            print(&serde_json::json!({ "error": error.to_string() }))?;
            // The person has read it and made room.
            File::create(over).map_err(Failure::io("the end of the trouble"))?;
        }
    }
    desk.close().await.map_err(|e| said(&e))
}

async fn record(desk: &Desk, session: &Session, drive: &Drive, n: u64) -> Result<(), Failure> {
    let draft = desk.draft_open(session).await.map_err(|e| said(&e))?;
    let (intake, assessment) = form(&drive.run, n);
    let acknowledgement = serde_json::json!({ "id": draft.id });
    if drive.too_early {
        print(&acknowledgement)?;
    }
    desk.record(session, draft.id, intake, assessment, None)
        .await
        .map_err(|e| said(&e))?;
    if !drive.too_early {
        print(&acknowledgement)?;
    }
    Ok(())
}

fn print(line: &serde_json::Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(Failure::io("the acknowledgement"))
}

/// A form with a text that no other has; every third is complex.
pub fn form(run: &str, n: u64) -> (Intake, Assessment) {
    let intake = Intake {
        description: format!("{run} 第{n}号：上个月的账单里多出一笔费用，没有收到提醒短信。"),
        remedy_sought: "查清并退还多收的费用".into(),
        name: "测试".into(),
        phone: format!("138{n:08}"),
        category: "A.01.01".into(),
        ..Intake::default()
    };
    let complexity = match n % 3 {
        0 => Complexity::Complex,
        _ => Complexity::Simple,
    };
    let assessment = Assessment {
        grade: Grade::Three,
        complexity,
        override_reason: Some("现场判断".to_owned()),
        about: None,
    };
    (intake, assessment)
}
