//! `rig kill`: the real programs ended by signal 9 at random moments, again
//! and again: the desk while it imports, records as the window does, syncs and
//! brings an old database up to date; the hub while it receives and while it
//! starts. After each: reopened in time, the file whole, the ledger verified,
//! every acknowledged complaint there exactly once; at the end of each life of
//! a desk everything is at the hub exactly once.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Map, json};
use suda_desk::{Desk, KeySource};
use uuid::Uuid;

use super::books::{DeskBooks, HubBooks};
use super::prey::{Prey, clerk, driver, rows};
use super::{Dice, Report, old};
use crate::{City, DeskDir, Failure, bin, output};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Kills that must happen.
    pub points: u32,
    /// Kills of the driver that acknowledges too early.
    pub control_points: u32,
    pub seed: u64,
}

/// Kills in the life of one desk; then its books are closed and a new one begins.
const LIFE: u32 = 20;
const LIVES_OF_A_HUB: u32 = 2;
const ROWS: u64 = 60;
const REOPENED_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scene {
    Import,
    Record,
    Sync,
    Migrate,
    HubReceives,
    HubStarts,
}

impl Scene {
    const ALL: [Self; 6] = [
        Self::Import,
        Self::Record,
        Self::Sync,
        Self::Migrate,
        Self::HubReceives,
        Self::HubStarts,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Record => "record",
            Self::Sync => "sync",
            Self::Migrate => "migrate",
            Self::HubReceives => "hub_receives",
            Self::HubStarts => "hub_starts",
        }
    }
}

pub async fn run(options: Options) -> Result<Report, Failure> {
    let mut report = Report::new("kill", options.seed);
    let mut rig = Rig {
        dice: Dice::new(options.seed),
        tally: Tally::default(),
        spans: [Duration::from_millis(250); Scene::ALL.len()],
    };
    while rig.tally.points() < options.points {
        let mut city = City::start()?;
        for life in 0..LIVES_OF_A_HUB {
            let left = options.points - rig.tally.points();
            if left == 0 {
                break;
            }
            rig.life(&mut city, life, left.min(LIFE)).await?;
        }
    }
    let tally = &rig.tally;
    report.figure("points", tally.points());
    let by_scene: Map<_, _> = Scene::ALL
        .iter()
        .zip(tally.by_scene)
        .map(|(scene, n)| (scene.name().to_owned(), json!(n)))
        .collect();
    report.figure("by_scene", by_scene);
    report.figure("with_acknowledged", tally.with_acknowledged);
    report.figure("acknowledged", tally.acknowledged);
    report.figure("lost", tally.lost);
    report.figure("doubled", tally.doubled);
    report.figure("receipted_and_not_at_hub", tally.receipted_and_gone);
    report.figure("damaged", tally.damaged.len());
    if let Some(first) = tally.damaged.first() {
        report.figure("first_damage", first.as_str());
    }
    report.percentile("desk_reopened_p50_ms", &tally.desk_reopened, 50);
    let desk = report.percentile("desk_reopened_p99_ms", &tally.desk_reopened, 99);
    let hub = report.percentile("hub_reopened_p99_ms", &tally.hub_reopened, 99);
    report.bar(tally.points() >= options.points, "as many kills as asked");
    report.bar(tally.lost == 0, "no acknowledged complaint is lost");
    report.bar(tally.doubled == 0, "nothing is doubled");
    report.bar(
        tally.receipted_and_gone == 0,
        "what the hub has receipted is at the hub",
    );
    report.bar(tally.damaged.is_empty(), "every file is whole and verifies");
    report.bar(
        desk.max(hub) <= REOPENED_WITHIN,
        "reopened within 2 s at the 99th percentile",
    );
    rig.control(options.control_points, &mut report).await?;
    Ok(report)
}

#[derive(Default)]
struct Tally {
    by_scene: [u32; Scene::ALL.len()],
    with_acknowledged: u32,
    acknowledged: usize,
    lost: u64,
    doubled: u64,
    receipted_and_gone: u64,
    damaged: Vec<String>,
    desk_reopened: Vec<Duration>,
    hub_reopened: Vec<Duration>,
}

impl Tally {
    fn points(&self) -> u32 {
        self.by_scene.iter().sum()
    }

    fn note(&mut self, done: Result<(), Failure>) {
        if let Err(error) = done {
            self.damaged.push(error.to_string());
        }
    }
}

struct Rig {
    dice: Dice,
    tally: Tally,
    /// How long each scene is known to last, so that kills fall into it.
    spans: [Duration; Scene::ALL.len()],
}

/// One desk from its enrolment until its books are closed.
struct Life<'c> {
    city: &'c mut City,
    desk: DeskDir,
    acknowledged: BTreeSet<Uuid>,
    /// Distinguishes files, texts and copies.
    name: String,
    steps: u32,
    rows_file: u32,
}

impl Rig {
    async fn life(&mut self, city: &mut City, number: u32, points: u32) -> Result<(), Failure> {
        let name = format!("life{number}");
        let desk = city.desk(&city.branch()?, &name)?;
        let mut life = Life {
            city,
            desk,
            acknowledged: BTreeSet::new(),
            name,
            steps: 0,
            rows_file: 0,
        };
        let until = self.tally.points() + points;
        while self.tally.points() < until {
            let scene = Scene::ALL[self.dice.index(Scene::ALL.len())];
            let before = life.acknowledged.len();
            let killed = self.act(&mut life, scene).await?;
            if killed {
                self.tally.by_scene[scene as usize] += 1;
                self.tally.with_acknowledged += u32::from(life.acknowledged.len() > before);
            }
            self.check_desk(&life).await?;
        }
        self.close_books(life).await
    }

    /// Plays a scene and kills in it. False when it was over before the kill.
    async fn act(&mut self, life: &mut Life<'_>, scene: Scene) -> Result<bool, Failure> {
        life.steps += 1;
        let span = self.spans[scene as usize];
        let moment = self.dice.within(span);
        let killed = match scene {
            Scene::Import => life.import(moment)?,
            Scene::Record => life.record(moment)?,
            Scene::Sync => life.sync(moment)?,
            Scene::Migrate => self.migrate(life, moment).await?,
            Scene::HubReceives => self.hub_receives(life, moment).await?,
            Scene::HubStarts => self.hub_starts(life, moment).await?,
        };
        // Drawn from a span that follows how long the scene lasts.
        let next = match killed {
            true => span.mul_f64(1.03),
            false => span.mul_f64(0.8),
        };
        self.spans[scene as usize] =
            next.clamp(Duration::from_millis(5), Duration::from_millis(600));
        Ok(killed)
    }

    /// An old database, with what the desk has, being brought up to date.
    async fn migrate(&mut self, life: &Life<'_>, moment: Duration) -> Result<bool, Failure> {
        let old = DeskDir {
            data: life.city.dir.path().join(format!("{}-old", life.name)),
            key: life.desk.key.clone(),
        };
        old::copy_as_version_2(&life.desk, &old).await?;
        let mut prey = Prey::start(old.command("list"), life.printed())?;
        let killed = prey.lives_for(moment)?;
        prey.kill()?;
        let opened = self.reopen(&old).await;
        self.tally.note(opened);
        match (
            DeskBooks::read(&life.desk).await,
            DeskBooks::read(&old).await,
        ) {
            (Ok(before), Ok(after)) => {
                let known: BTreeSet<_> = before.complaints.into_keys().collect();
                self.tally.lost += after.missing(&known);
                self.tally.doubled += after.doubled();
            }
            (Err(error), _) | (_, Err(error)) => self.tally.note(Err(error)),
        }
        std::fs::remove_dir_all(&old.data).map_err(Failure::io("the old database"))?;
        Ok(killed)
    }

    async fn hub_receives(
        &mut self,
        life: &mut Life<'_>,
        moment: Duration,
    ) -> Result<bool, Failure> {
        life.something_unsent()?;
        let mut sync = life.desk.command("sync");
        sync.arg("--once");
        let mut desk = Prey::start(sync, life.printed())?;
        let killed = desk.lives_for(moment)?;
        life.city.kill_hub();
        desk.kill()?;
        self.reopen_hub(life).await?;
        Ok(killed)
    }

    async fn hub_starts(&mut self, life: &mut Life<'_>, moment: Duration) -> Result<bool, Failure> {
        life.city.kill_hub();
        let mut serve = Command::new(bin("suda-hub"));
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(life.city.hub_data());
        let mut hub = Prey::start(serve, life.printed())?;
        let killed = hub.lives_for(moment)?;
        hub.kill()?;
        self.reopen_hub(life).await?;
        Ok(killed)
    }

    async fn reopen_hub(&mut self, life: &mut Life<'_>) -> Result<(), Failure> {
        let begin = Instant::now();
        life.city.start_hub()?;
        self.tally.hub_reopened.push(begin.elapsed());
        let verified = hub_verify(life.city);
        self.tally.note(verified);
        let books = HubBooks::read(&life.city.hub_data()).await;
        match (books, DeskBooks::read(&life.desk).await) {
            (Ok(hub), Ok(desk)) => {
                self.tally.doubled += hub.doubled();
                self.tally.receipted_and_gone += hub.missing(receipted(&desk));
            }
            (Err(error), _) | (_, Err(error)) => self.tally.note(Err(error)),
        }
        Ok(())
    }

    async fn check_desk(&mut self, life: &Life<'_>) -> Result<(), Failure> {
        let opened = self.reopen(&life.desk).await;
        self.tally.note(opened);
        match DeskBooks::read(&life.desk).await {
            Ok(books) => {
                self.tally.lost += books.missing(&life.acknowledged);
                self.tally.doubled += books.doubled();
            }
            Err(error) => self.tally.note(Err(error)),
        }
        Ok(())
    }

    /// Opens for work, as a start of the program does, and verifies.
    async fn reopen(&mut self, desk: &DeskDir) -> Result<(), Failure> {
        let said = |error: &dyn std::fmt::Display| Failure::Said(error.to_string());
        let begin = Instant::now();
        let opened = Desk::open(&desk.data, KeySource::File(desk.key.clone())).await;
        let opened = opened.map_err(|error| said(&error))?;
        self.tally.desk_reopened.push(begin.elapsed());
        let verified = opened.verify().await.map_err(|error| said(&error))?;
        match verified.first_bad {
            None => Ok(()),
            Some(bad) => Err(said(&format!("{}: {}", bad.row, bad.fault.describe()))),
        }
    }

    /// Everything to the hub, and both sides compared.
    async fn close_books(&mut self, life: Life<'_>) -> Result<(), Failure> {
        life.desk.sync()?;
        self.tally
            .note(output(&mut life.desk.command("verify")).map(drop));
        self.tally.note(hub_verify(life.city));
        let desk = DeskBooks::read(&life.desk).await?;
        let hub = HubBooks::read(&life.city.hub_data()).await?;
        self.tally.acknowledged += life.acknowledged.len();
        self.tally.lost += hub.missing(&desk.own);
        let at_hub = |id: &&Uuid| !hub.complaints.contains(*id);
        self.tally.lost += life.acknowledged.iter().filter(at_hub).count() as u64;
        self.tally.doubled += hub.doubled() + hub.set_aside.unsigned_abs();
        Ok(())
    }

    /// The same kills and the same judgement on a driver that acknowledges
    /// before it has saved: some must be found lost.
    async fn control(&mut self, points: u32, report: &mut Report) -> Result<(), Failure> {
        let city = City::start()?;
        let desk = city.desk(&city.branch()?, "control")?;
        let mut lost = 0;
        for n in 0..points {
            let mut command = driver(&desk, clerk(&city)?, &format!("control{n}"));
            command.arg("--too-early");
            let mut prey = Prey::start(command, city.dir.path().join("printed"))?;
            // At once: between what it says and what it then saves lie only
            // milliseconds, and a moment drawn at random misses them too often.
            prey.until_it_acknowledges(Duration::from_secs(10))?;
            let acknowledged = prey.kill()?;
            lost += DeskBooks::read(&desk).await?.missing(&acknowledged);
        }
        report.figure("control_points", points);
        report.figure("control_lost", lost);
        report.bar(
            lost > 0,
            "the control, acknowledging before it saves, is found to lose",
        );
        Ok(())
    }
}

/// What the desk holds a receipt for.
fn receipted(books: &DeskBooks) -> impl Iterator<Item = &super::books::EventMark> {
    books
        .own
        .iter()
        .filter(|(_, _, lane, n, _)| books.acked.get(lane).is_some_and(|acked| n <= acked))
}

fn hub_verify(city: &City) -> Result<(), Failure> {
    let mut verify = Command::new(bin("suda-hub"));
    verify.arg("verify").arg("--data").arg(city.hub_data());
    output(&mut verify).map(drop)
}

impl Life<'_> {
    fn printed(&self) -> std::path::PathBuf {
        self.city.dir.path().join("printed")
    }

    fn import(&mut self, moment: Duration) -> Result<bool, Failure> {
        let file = rows(
            self.city,
            &format!("{}-{}", self.name, self.rows_file),
            ROWS,
        )?;
        let mut command = self.desk.command("import");
        command.arg(file).args(["--json", "--resume"]);
        let mut prey = Prey::start(command, self.printed())?;
        let killed = prey.lives_for(moment)?;
        self.acknowledged.extend(prey.kill()?);
        if !killed {
            // Every row is in: the next import has another file.
            self.rows_file += 1;
        }
        Ok(killed)
    }

    fn record(&mut self, moment: Duration) -> Result<bool, Failure> {
        let run = format!("{}-{}", self.name, self.steps);
        let command = driver(&self.desk, clerk(self.city)?, &run);
        let mut prey = Prey::start(command, self.printed())?;
        // Its start is like any other's: most kills fall into the recording.
        if !self.steps.is_multiple_of(4) {
            prey.until_it_acknowledges(Duration::from_secs(10))?;
        }
        let killed = prey.lives_for(moment.min(Duration::from_millis(150)))?;
        self.acknowledged.extend(prey.kill()?);
        Ok(killed)
    }

    fn sync(&mut self, moment: Duration) -> Result<bool, Failure> {
        self.something_unsent()?;
        let mut command = self.desk.command("sync");
        command.arg("--once");
        let mut prey = Prey::start(command, self.printed())?;
        let killed = prey.lives_for(moment)?;
        prey.kill()?;
        Ok(killed)
    }

    /// A few rows recorded to the end.
    fn something_unsent(&mut self) -> Result<(), Failure> {
        let file = rows(self.city, &format!("{}-few-{}", self.name, self.steps), 4)?;
        let printed = output(self.desk.command("import").arg(file).arg("--json"))?;
        self.acknowledged
            .extend(super::prey::acknowledged(&printed));
        Ok(())
    }
}
