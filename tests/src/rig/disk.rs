//! `rig disk`: the n-th write below the data directory finds no room, or the
//! n-th flush fails, for every n from the first; all later ones too, until
//! the person has made room. The programs must say what is wrong, must not
//! break, must have lost nothing they acknowledged, and must go on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use uuid::Uuid;

use super::books::DeskBooks;
use super::prey::{acknowledged, clerk, driver, rows};
use super::{Report, native};
use crate::{City, DeskDir, Failure, output, output_raw};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub writes: u32,
    pub flushes: u32,
    /// Only every so manieth is tried; 1 tries all.
    pub every: u32,
    pub seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Write,
    Flush,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Flush => "flush",
        }
    }

    /// What the message has to hold for a person to know what to do.
    fn is_named_in(self, message: &str) -> bool {
        match self {
            Self::Write => message.contains("disk is full"),
            Self::Flush => message.contains("disk"),
        }
    }

    /// Complaints that take more than `n` such steps to record: each is two
    /// commits, each commit a flush and at least six writes.
    fn complaints_for(self, n: u32) -> u64 {
        match self {
            Self::Write => u64::from(n) / 12 + 4,
            Self::Flush => u64::from(n) / 2 + 4,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    /// The desk's engine, recording as the window does.
    Desk,
    /// `suda-desk import`.
    Import,
}

/// Up to this write the control is tried.
const CONTROL_WRITES: u32 = 800;
/// Rows an import has; enough for some hundred writes.
const ROWS: u64 = 150;

pub async fn run(options: Options) -> Result<Report, Failure> {
    let mut report = Report::new("disk", options.seed);
    let city = City::start()?;
    let rig = Rig {
        fault: native::fault(city.dir.path())?,
        template: city.desk(&city.branch()?, "template")?,
        rows: rows(&city, "disk", ROWS)?,
        city: &city,
    };
    let mut tally = Tally::default();
    let every = options.every.max(1) as usize;
    for (kind, most) in [
        (Kind::Write, options.writes),
        (Kind::Flush, options.flushes),
    ] {
        let mut import_reaches = true;
        for n in (1..=most).step_by(every) {
            rig.one(Program::Desk, kind, n, &mut tally).await?;
            // An import flushes rarely: beyond its last flush there is nothing to try.
            import_reaches =
                import_reaches && rig.one(Program::Import, kind, n, &mut tally).await?;
        }
    }
    report.figure("writes_failed", tally.failed_writes);
    report.figure("flushes_failed", tally.failed_flushes);
    report.figure("at_start", tally.at_start);
    report.figure("not_reached_by_desk", tally.not_reached);
    report.figure("acknowledged", tally.acknowledged);
    report.figure("lost", tally.lost);
    report.figure("doubled", tally.doubled);
    report.figure("crashes", tally.crashes.len());
    report.figure("without_message", tally.wordless.len());
    report.figure("did_not_go_on", tally.stuck.len());
    for (name, list) in [
        ("first_crash", &tally.crashes),
        ("first_without_message", &tally.wordless),
        ("first_stuck", &tally.stuck),
    ] {
        if let Some(first) = list.first() {
            report.figure(name, first.as_str());
        }
    }
    report.bar(tally.lost == 0, "no acknowledged complaint is lost");
    report.bar(tally.doubled == 0, "nothing is doubled");
    report.bar(tally.crashes.is_empty(), "no program breaks");
    report.bar(tally.wordless.is_empty(), "every failure is told");
    report.bar(tally.stuck.is_empty(), "work goes on when there is room");
    report.bar(
        tally.not_reached == 0 && tally.failed_writes + tally.failed_flushes > 0,
        "every fault asked for was met",
    );
    rig.control(&mut report).await?;
    Ok(report)
}

#[derive(Default)]
struct Tally {
    failed_writes: u32,
    failed_flushes: u32,
    /// The program could not even start, and said so.
    at_start: u32,
    not_reached: u32,
    acknowledged: usize,
    lost: u64,
    doubled: u64,
    crashes: Vec<String>,
    wordless: Vec<String>,
    stuck: Vec<String>,
}

struct Rig<'c> {
    city: &'c City,
    fault: PathBuf,
    template: DeskDir,
    rows: PathBuf,
}

/// Where a try has its data and the two marks of its fault.
struct Try {
    desk: DeskDir,
    over: PathBuf,
    hit: PathBuf,
    label: String,
}

impl Rig<'_> {
    /// One program with one fault. False when the fault was never reached.
    async fn one(
        &self,
        program: Program,
        kind: Kind,
        n: u32,
        tally: &mut Tally,
    ) -> Result<bool, Failure> {
        let this = self.prepare(program, kind, n)?;
        let mut first = self.command(program, kind, n, &this)?;
        self.preload(&mut first, kind, n, &this);
        let done = output_raw(&mut first)?;
        let was_hit = this.hit.exists();
        if !was_hit {
            tally.not_reached += u32::from(program == Program::Desk);
            self.tidy(&this)?;
            return Ok(false);
        }
        match kind {
            Kind::Write => tally.failed_writes += 1,
            Kind::Flush => tally.failed_flushes += 1,
        }
        let mut told = acknowledged(&String::from_utf8_lossy(&done.stdout));
        judge(&this, kind, &done, tally);
        if !done.status.success() {
            tally.at_start += u32::from(told.is_empty());
            // The person has made room and starts again.
            std::fs::write(&this.over, "").map_err(Failure::io("making room"))?;
            let again = output_raw(&mut self.command(program, kind, n, &this)?)?;
            told.extend(acknowledged(&String::from_utf8_lossy(&again.stdout)));
            if !again.status.success() {
                let error = String::from_utf8_lossy(&again.stderr).into_owned();
                tally.stuck.push(format!("{}: {error}", this.label));
            }
        }
        self.check(&this, &told, tally).await;
        self.tidy(&this)?;
        Ok(true)
    }

    fn prepare(&self, program: Program, kind: Kind, n: u32) -> Result<Try, Failure> {
        let label = format!("{program:?}-{}-{n}", kind.name());
        let at = |name: &str| self.city.dir.path().join(format!("{label}{name}"));
        let this = Try {
            desk: DeskDir {
                data: at(""),
                key: self.template.key.clone(),
            },
            over: at(".over"),
            hit: at(".hit"),
            label: label.clone(),
        };
        let mut copy = Command::new("cp");
        output(copy.arg("-a").arg(&self.template.data).arg(&this.desk.data))?;
        Ok(this)
    }

    fn command(
        &self,
        program: Program,
        kind: Kind,
        n: u32,
        this: &Try,
    ) -> Result<Command, Failure> {
        match program {
            Program::Desk => {
                // Each start records what no other has.
                let run = format!("{}-{}", this.label, this.over.exists());
                let mut command = driver(&this.desk, clerk(self.city)?, &run);
                command.args(["--count", &kind.complaints_for(n).to_string()]);
                command.arg("--over").arg(&this.over);
                Ok(command)
            }
            Program::Import => {
                let mut command = this.desk.command("import");
                command.arg(&self.rows).args(["--json", "--resume"]);
                Ok(command)
            }
        }
    }

    fn preload(&self, command: &mut Command, kind: Kind, n: u32, this: &Try) {
        command
            .env("LD_PRELOAD", &self.fault)
            .env("FAULT_DIR", real(&this.desk.data))
            .env("FAULT_KIND", kind.name())
            .env("FAULT_AT", n.to_string())
            .env("FAULT_OVER", &this.over)
            .env("FAULT_HIT", &this.hit);
    }

    async fn check(&self, this: &Try, told: &BTreeSet<Uuid>, tally: &mut Tally) {
        tally.acknowledged += told.len();
        match DeskBooks::reopened(&this.desk).await {
            Ok(books) => {
                tally.lost += books.missing(told);
                tally.doubled += books.doubled();
            }
            Err(error) => tally.stuck.push(format!("{}: {error}", this.label)),
        }
    }

    fn tidy(&self, this: &Try) -> Result<(), Failure> {
        std::fs::remove_dir_all(&this.desk.data).map_err(Failure::io("a desk that was tried"))
    }

    /// The same fault and the same judgement on a driver that acknowledges
    /// before it saves: some must be found lost.
    async fn control(&self, report: &mut Report) -> Result<(), Failure> {
        let mut tally = Tally::default();
        // The first hundreds of writes are the start's, before anything is recorded.
        for n in (20..=CONTROL_WRITES).step_by(20) {
            if tally.lost > 0 {
                break;
            }
            let this = self.prepare(Program::Desk, Kind::Write, n)?;
            let mut command = self.command(Program::Desk, Kind::Write, n, &this)?;
            command.arg("--too-early");
            self.preload(&mut command, Kind::Write, n, &this);
            let done = output_raw(&mut command)?;
            let told = acknowledged(&String::from_utf8_lossy(&done.stdout));
            self.check(&this, &told, &mut tally).await;
            self.tidy(&this)?;
        }
        report.figure("control_lost", tally.lost);
        report.bar(
            tally.lost > 0,
            "the control, acknowledging before it saves, is found to lose",
        );
        Ok(())
    }
}

/// Without links on the way, as the faults see it.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// What the program said and how it ended.
fn judge(this: &Try, kind: Kind, done: &Output, tally: &mut Tally) {
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    if said.contains("panicked") || done.status.code().is_none() {
        let label = &this.label;
        tally
            .crashes
            .push(format!("{label}: {}: {said}", done.status));
    }
    // A flush that nobody's answer depends on, as of the log's own tidying, is
    // tried again later and told to nobody.
    let went_through = done.status.success() && !said.contains("\"error\"");
    if !went_through && !kind.is_named_in(&said) {
        let last = said.lines().last().unwrap_or_default();
        tally.wordless.push(format!("{}: {last}", this.label));
    }
}
