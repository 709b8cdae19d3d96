//! The recording driver: a process of its own that records as the window does
//! and prints each complaint's id once it is told as saved. The rigs kill it.

use std::io::Write as _;
use std::path::Path;

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
}

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
        let draft = desk.draft_open(&session).await.map_err(|e| said(&e))?;
        let (intake, assessment) = form(&drive.run, n);
        let acknowledge = || -> Result<(), Failure> {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{{\"id\":\"{}\"}}", draft.id)
                .and_then(|()| out.flush())
                .map_err(Failure::io("the acknowledgement"))
        };
        if drive.too_early {
            acknowledge()?;
        }
        desk.record(&session, draft.id, intake, assessment, None)
            .await
            .map_err(|e| said(&e))?;
        if !drive.too_early {
            acknowledge()?;
        }
    }
    desk.close().await.map_err(|e| said(&e))
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
    };
    (intake, assessment)
}
