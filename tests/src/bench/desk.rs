//! The desk's own speed: a save, an import, a search.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use suda_desk::view::Assessment;
use suda_desk::{Desk, KeySource, Session};
use suda_domain::{Complexity, Grade, Intake};
use suda_tests::{City, DeskDir, Failure, output};

use crate::line::Goal::{AtLeast, AtMost};
use crate::line::{Times, print_against};
use crate::raw;

const SAVES: usize = 2_000;
/// Saves and the bound are measured in so many turns.
const TURNS: usize = 20;
const IMPORT_ROWS: usize = 20_000;
const SEARCH_ROWS: usize = 100_000;
const SEARCHES: usize = 400;

/// Opens a desk in this process and signs its clerk in.
pub async fn open(city: &City, desk: &DeskDir) -> Result<(Desk, Session), Failure> {
    let opened = Desk::open(&desk.data, KeySource::File(desk.key.clone())).await;
    let opened = opened.map_err(|error| Failure::Said(error.to_string()))?;
    let branch = city.branch()?;
    let clerk = city.account("clerk", Some(&branch))?;
    let session = opened.sign_in(&clerk.login, &clerk.password).await;
    Ok((
        opened,
        session.map_err(|error| Failure::Said(error.to_string()))?,
    ))
}

/// A complaint of everyday length. `n` makes each text different.
pub fn intake(n: usize, complex: bool) -> (Intake, Assessment) {
    let intake = Intake {
        description: format!(
            "第{n}号记录：上个月的账单里多出一笔{}元的费用，营业员说是套餐外流量，可是我没有收到提醒短信，\
             也没有开通过这个业务。打电话问了两次，说法都不一样。希望查清楚是怎么回事，把多收的钱退回来。",
            n % 97
        ),
        remedy_sought: "查清并退还多收的费用".into(),
        name: "测试".into(),
        phone: format!("138{:08}", n % 100_000_000),
        category: "A.01.01".into(),
        ..Intake::default()
    };
    let complexity = if complex {
        Complexity::Complex
    } else {
        Complexity::Simple
    };
    let reason = "现场判断".to_owned();
    (
        intake,
        Assessment {
            grade: Grade::Three,
            complexity,
            override_reason: Some(reason),
            about: None,
        },
    )
}

/// Records one complaint the way the window does.
pub async fn record(
    desk: &Desk,
    session: &Session,
    n: usize,
    complex: bool,
) -> Result<String, Failure> {
    let said = |error: &dyn std::fmt::Display| Failure::Said(format!("recording: {error}"));
    let draft = desk.draft_open(session).await.map_err(|e| said(&e))?;
    let (intake, assessment) = intake(n, complex);
    let receipt = desk
        .record(session, draft.id, intake, assessment, None)
        .await;
    Ok(receipt.map_err(|e| said(&e))?.reference.to_string())
}

pub async fn save() -> Result<(), Failure> {
    let city = City::start()?;
    let desk_dir = city.desk(&city.branch()?, "desk")?;
    let (desk, session) = open(&city, &desk_dir).await?;
    let said = |error: &dyn std::fmt::Display| Failure::Said(format!("recording: {error}"));
    // Drafts first: opening the form is a commit of its own and not the save.
    let mut drafts = Vec::new();
    for _ in 0..SAVES {
        drafts.push(desk.draft_open(&session).await.map_err(|e| said(&e))?.id);
    }
    raw::flushes(city.dir.path(), SAVES)?.print("raw", "fdatasync");
    // Turn by turn, so that a slower moment of the disk meets both.
    let (mut times, mut bound) = (Times::default(), Times::default());
    for (turn, drafts) in drafts.chunks(SAVES / TURNS).enumerate() {
        bound.extend(raw::commits(city.dir.path(), drafts.len()).await?);
        for (n, draft) in drafts.iter().enumerate() {
            let (intake, assessment) = intake(turn * drafts.len() + n, n.is_multiple_of(4));
            // The window has asked for advice with the last keystroke.
            desk.advise(intake.clone()).map_err(|e| said(&e))?;
            let begin = Instant::now();
            desk.record(&session, *draft, intake, assessment, None)
                .await
                .map_err(|e| said(&e))?;
            times.add(begin.elapsed());
        }
    }
    bound.print("raw", "sqlcipher_full_commit_1k");
    times.print("save", "save");
    let (rate, p99) = (
        times.rate() / bound.rate(),
        times.percentile_ms(99) / bound.percentile_ms(99),
    );
    print_against(
        ("save", "rate_over_raw"),
        rate,
        "ratio",
        SAVES,
        AtLeast(0.5),
    );
    print_against(("save", "p99_over_raw"), p99, "ratio", SAVES, AtMost(2.5));
    Ok(())
}

/// A CSV file of `rows` complaints of the present day.
pub fn csv(dir: &Path, rows: usize) -> Result<PathBuf, Failure> {
    let path = dir.join(format!("rows-{rows}.csv"));
    let mut file =
        std::io::BufWriter::new(std::fs::File::create(&path).map_err(Failure::io("the rows"))?);
    let mut write = |line: String| writeln!(file, "{line}").map_err(Failure::io("the rows"));
    write("received_at,title,text,remedy,phone".to_owned())?;
    for n in 0..rows {
        let (intake, _) = intake(n, false);
        write(format!(
            "2026-01-15 10:00,账单争议{n},{},{},{}",
            intake.description, intake.remedy_sought, intake.phone
        ))?;
    }
    file.flush().map_err(Failure::io("the rows"))?;
    Ok(path)
}

/// Seconds that `suda-desk import` takes for `rows` rows.
pub fn import_rows(
    city: &City,
    desk: &DeskDir,
    rows: usize,
    handoff: &str,
) -> Result<f64, Failure> {
    let file = csv(city.dir.path(), rows)?;
    let mut command: Command = desk.command("import");
    command.arg(&file).args(["--json", "--handoff", handoff]);
    let begin = Instant::now();
    let printed = output(&mut command)?;
    let seconds = begin.elapsed().as_secs_f64();
    match printed.lines().count() {
        count if count == rows => Ok(seconds),
        count => Err(Failure::Said(format!("{count} of {rows} rows imported"))),
    }
}

pub async fn import() -> Result<(), Failure> {
    let city = City::start()?;
    let desk = city.desk(&city.branch()?, "desk")?;
    let seconds = import_rows(&city, &desk, IMPORT_ROWS, "suggested")?;
    print_against(
        ("import", "rows_durable"),
        IMPORT_ROWS as f64 / seconds,
        "1/s",
        IMPORT_ROWS,
        AtLeast(1_000.0),
    );
    Ok(())
}

pub async fn search() -> Result<(), Failure> {
    let city = City::start()?;
    let dir = city.desk(&city.branch()?, "desk")?;
    import_rows(&city, &dir, SEARCH_ROWS, "none")?;
    let (desk, session) = open(&city, &dir).await?;
    let mut times = Times::default();
    for n in 0..SEARCHES {
        let wanted = match n % 4 {
            0 => "账单".to_owned(),
            1 => "流量 退回".to_owned(),
            2 => format!("138{:08}", n * 31),
            _ => format!("第{}号记录", n * 17),
        };
        let begin = Instant::now();
        let hits = desk.search(&session, &wanted, 20).await;
        times.add(begin.elapsed());
        let hits = hits.map_err(|error| Failure::Said(error.to_string()))?;
        if hits.is_empty() {
            return Err(Failure::Said(format!("nothing found for {wanted}")));
        }
    }
    times.print("search", "at_100000_complaints");
    let p95 = times.percentile_ms(95);
    print_against(
        ("search", "at_100000_complaints_p95"),
        p95,
        "ms",
        SEARCHES,
        AtMost(20.0),
    );
    Ok(())
}
