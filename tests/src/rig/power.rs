//! `rig power`: a desk records on a file system of its own, which is cut off
//! as by a power failure: what was not flushed is gone. Then the file system's
//! journal is replayed, as after a real failure, and the desk opened. With
//! FULL nothing acknowledged may be gone; the control, the same database with
//! NORMAL, has to lose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;

use super::books::{DeskBooks, raw_ids};
use super::prey::{Prey, clerk, driver, rows};
use super::{Dice, Report, native};
use crate::{City, DeskDir, Failure, bin, output, output_raw};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub cuts: u32,
    /// Cuts of the control with NORMAL.
    pub control_cuts: u32,
    pub seed: u64,
}

/// Cuts in the life of one desk.
const LIFE: u32 = 50;
const ROWS: u64 = 400;
/// How long recording goes on after the first acknowledgement, at most.
const LONGEST: Duration = Duration::from_millis(60);
const FIRST_WITHIN: Duration = Duration::from_secs(20);
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Why the rig cannot run here, if it cannot.
pub fn obstacle() -> Option<String> {
    let user = output(Command::new("id").arg("-u")).unwrap_or_default();
    if user.trim() != "0" {
        return Some("it mounts a file system, which only root may".to_owned());
    }
    Disk::make().err().map(|error| error.to_string())
}

pub async fn run(options: Options) -> Result<Report, Failure> {
    if let Some(obstacle) = obstacle() {
        return Err(Failure::Said(format!("rig power cannot run: {obstacle}")));
    }
    let mut report = Report::new("power", options.seed);
    let mut dice = Dice::new(options.seed);
    let mut tally = Tally::default();
    let city = City::start()?;
    let disk = Disk::make()?;
    while tally.cuts < options.cuts {
        let points = (options.cuts - tally.cuts).min(LIFE);
        life(&city, &disk, points, &mut dice, &mut tally).await?;
    }
    report.figure("cuts", tally.cuts);
    report.figure("acknowledged", tally.acknowledged);
    report.figure("lost", tally.lost);
    report.figure("told_after_the_cut", tally.late);
    report.figure("of_them_gone", tally.late_and_gone);
    report.figure("doubled", tally.doubled);
    report.figure("damaged", tally.damaged.len());
    if let Some(first) = tally.damaged.first() {
        report.figure("first_damage", first.as_str());
    }
    if let Some(first) = tally.losses.first() {
        report.figure("losing_cuts", tally.losses.len());
        report.figure("first_loss", first.as_str());
    }
    report.bar(tally.lost == 0, "no acknowledged complaint is lost");
    report.bar(tally.doubled == 0, "nothing is doubled");
    report.bar(tally.damaged.is_empty(), "every file is whole and verifies");
    report.bar(tally.acknowledged > 0, "something was acknowledged");
    control(&city, &disk, options.control_cuts, &mut dice, &mut report).await?;
    Ok(report)
}

#[derive(Default)]
struct Tally {
    cuts: u32,
    acknowledged: usize,
    lost: u64,
    doubled: u64,
    damaged: Vec<String>,
    losses: Vec<String>,
    late: usize,
    late_and_gone: u64,
}

/// One desk, cut off again and again, and in the end brought to the hub.
async fn life(
    city: &City,
    disk: &Disk,
    points: u32,
    dice: &mut Dice,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let name = format!("power{}", tally.cuts);
    let beside = city.desk(&city.branch()?, &name)?;
    let desk = DeskDir {
        data: disk.at.join(&name),
        key: beside.key.clone(),
    };
    let mut copy = Command::new("cp");
    output(copy.arg("-a").arg(&beside.data).arg(&desk.data))?;
    output(&mut Command::new("sync"))?;
    let file = rows(city, &name, ROWS)?;
    let mut acknowledged = BTreeSet::new();
    for n in 0..points {
        let command = match dice.is_one_in(2) {
            true => driver(&desk, clerk(city)?, &format!("{name}-{n}")),
            false => {
                let mut import = desk.command("import");
                import.arg(&file).args(["--json", "--resume"]);
                import
            }
        };
        let program = command.get_program().to_string_lossy().into_owned();
        let Told { before: now, late } = cut_short(city, disk, command, dice)?;
        tally.cuts += 1;
        match DeskBooks::reopened(&desk).await {
            Ok(books) => {
                let (fresh, earlier) = (books.missing(&now), books.missing(&acknowledged));
                if fresh + earlier > 0 {
                    let told = now.len();
                    tally.losses.push(format!(
                        "cut {n} of {name}, {program}: {fresh} of {told}, {earlier} of before"
                    ));
                }
                tally.lost += fresh + earlier;
                tally.late += late.len();
                tally.late_and_gone += books.missing(&late);
                tally.doubled += books.doubled();
                acknowledged.extend(now);
                // What is gone is counted once.
                acknowledged.retain(|id| books.complaints.contains_key(id));
            }
            Err(error) => tally.damaged.push(error.to_string()),
        }
    }
    tally.acknowledged += acknowledged.len();
    desk.sync()?;
    let hub = super::books::HubBooks::read(&city.hub_data()).await?;
    let gone = |id: &&Uuid| !hub.complaints.contains(*id);
    tally.lost += acknowledged.iter().filter(gone).count() as u64;
    tally.doubled += hub.doubled() + hub.set_aside.unsigned_abs();
    std::fs::remove_dir_all(&desk.data).map_err(Failure::io("the desk of a life"))
}

/// What a program had acknowledged when the power went, and what it said in
/// the moment after.
struct Told {
    before: BTreeSet<Uuid>,
    late: BTreeSet<Uuid>,
}

/// Lets a program record and cuts the power. Gives what it had acknowledged
/// by then; the file system is mounted again.
fn cut_short(city: &City, disk: &Disk, command: Command, dice: &mut Dice) -> Result<Told, Failure> {
    let mut prey = Prey::start(command, city.dir.path().join("printed"))?;
    prey.until_it_acknowledges(FIRST_WITHIN)?;
    prey.lives_for(dice.within(LONGEST))?;
    // What counts is what was told before the power went. Here the program
    // lives on for a moment, and of what it told then some was found gone, as
    // if a flush under way had returned success; a machine without power
    // tells nobody anything.
    let acknowledged = prey.acknowledged()?;
    disk.cut()?;
    let late = prey.kill()?.difference(&acknowledged).copied().collect();
    disk.come_back()?;
    Ok(Told {
        before: acknowledged,
        late,
    })
}

/// The desk's settings with NORMAL instead of FULL: the same cuts must be seen
/// to lose.
async fn control(
    city: &City,
    disk: &Disk,
    cuts: u32,
    dice: &mut Dice,
    report: &mut Report,
) -> Result<(), Failure> {
    let file = disk.at.join("control.db");
    let (mut lost, mut losing) = (0, 0);
    for _ in 0..cuts {
        let mut command = Command::new(bin("suda-rig"));
        command.args(["drive-raw", "--normal", "--key", KEY, "--file"]);
        command.arg(&file);
        let acknowledged = cut_short(city, disk, command, dice)?.before;
        // Cut in its first moments it may not even be a database yet.
        let held = raw_ids(&file, KEY).await.unwrap_or_default();
        let gone = acknowledged.difference(&held).count() as u64;
        lost += gone;
        losing += u32::from(gone > 0);
    }
    report.figure("control_cuts", cuts);
    report.figure("control_cuts_that_lost", losing);
    report.figure("control_lost", lost);
    report.bar(lost > 0, "the control with NORMAL is found to lose");
    Ok(())
}

/// A small ext4 in a file, mounted through a loop device.
struct Disk {
    at: PathBuf,
    image: PathBuf,
    cutter: PathBuf,
    _dir: TempDir,
}

impl Disk {
    fn make() -> Result<Self, Failure> {
        // Memory, where there is some: what survives is decided by the file
        // system that is cut off, not by what lies below its device.
        let memory = Path::new("/dev/shm");
        let dir = match memory.is_dir() {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        };
        let dir = dir.map_err(Failure::io("a temporary folder"))?;
        let (image, at) = (dir.path().join("disk"), dir.path().join("mounted"));
        std::fs::create_dir(&at).map_err(Failure::io("the mount point"))?;
        let cutter = native::cut(dir.path())?;
        output(Command::new("truncate").args(["-s", "512M"]).arg(&image))?;
        output(
            Command::new("/sbin/mkfs.ext4")
                .args(["-q", "-F"])
                .arg(&image),
        )?;
        let disk = Self {
            at,
            image,
            cutter,
            _dir: dir,
        };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), Failure> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "ext4", "-o", "loop"]);
        output(mount.arg(&self.image).arg(&self.at)).map(drop)
    }

    fn cut(&self) -> Result<(), Failure> {
        output(Command::new(&self.cutter).arg(&self.at)).map(drop)
    }

    /// Mounts anew, which replays the file system's own journal.
    fn come_back(&self) -> Result<(), Failure> {
        output(Command::new("umount").arg(&self.at))?;
        self.mount()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whatever state it is in; the folder is removed after this.
        let _gone = output_raw(Command::new("umount").arg("-l").arg(&self.at));
    }
}
