//! `rig flip`: one random byte of a desk's or a hub's files is changed. The
//! ledger's check, the file's own check or the start must say so; a change
//! that nobody notices is harmless only when every row reads as before. So must a
//! hub that is brought a changed file, and a desk whose newest backup is changed.

mod beside;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Row as _, ValueRef as _};
use suda_desk::{Desk, KeySource};
use suda_domain::Complaint;
use suda_hub::store::Upkeep as _;
use suda_hub::store::sqlite::SqliteStore;
use uuid::Uuid;

use super::books::{DeskBooks, HubBooks, check_integrity, open_desk, open_hub};
use super::prey::{Prey, clerk, driver, rows};
use super::{Dice, Report};
use crate::{City, DeskDir, Failure, output};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub flips: u32,
    /// Also in the hub's file, whose tables beside the ledger have no check.
    pub everywhere: bool,
    pub seed: u64,
}

/// How a change came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// The programs' own check of the ledger.
    Verify,
    /// The database's own check.
    Integrity,
    /// Opening for work was refused.
    Start,
    /// The hub would not take the file.
    Refused,
    /// Every row reads as before.
    Harmless,
    Unnoticed,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Verify => "by_verify",
            Self::Integrity => "by_integrity_check",
            Self::Start => "at_start",
            Self::Refused => "refused_by_the_hub",
            Self::Harmless => "harmless",
            Self::Unnoticed => "unnoticed",
        }
    }
}

/// What protects a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A chain, or a code on every page.
    Hashed,
    Log,
    HubFile,
}

impl Kind {
    fn of(place: &str) -> Self {
        if is_log(place) {
            return Self::Log;
        }
        match place.starts_with("hub:") {
            true => Self::HubFile,
            false => Self::Hashed,
        }
    }
}

/// Files that hold nothing: locks, what readers share, the door's address.
const NOT_DATA: [&str; 5] = [
    "desk.lock",
    "hub.lock",
    "admin.json",
    "suda.db-shm",
    "hub.db-shm",
];

pub async fn run(options: Options) -> Result<Report, Failure> {
    let mut report = Report::new("flip", options.seed);
    let mut dice = Dice::new(options.seed);
    let mut city = City::start()?;
    let (desk, newest_backup) = worked_with(&mut city).await?;
    let bundle = beside::export(&city, &desk)?;
    let kept_desk = city.dir.path().join("kept-desk");
    let kept_hub = city.dir.path().join("kept-hub");
    copy(&desk.data, &kept_desk)?;
    copy(&city.hub_data(), &kept_hub)?;
    let mut rig = Rig {
        complaints: DeskBooks::read(&desk)
            .await?
            .complaints
            .into_keys()
            .collect(),
        desk_rows: desk_digest(&desk).await?,
        hub_rows: hub_digest(&city.hub_data()).await?,
        desk_rows_confirmed: confirmed_desk(&city, &kept_desk, &desk).await?,
        hub_rows_confirmed: confirmed_hub(&city, &kept_hub).await?,
        places: places(&desk, &city.hub_data(), options.everywhere, newest_backup)?,
        bundle,
        kept_desk,
        kept_hub,
        desk,
        city,
        recovery: Recovery::default(),
        unnoticed: RefCell::default(),
    };
    let unconfirmed = |rows: &Rows, confirmed: &Option<Rows>| {
        confirmed
            .as_ref()
            .is_some_and(|confirmed| confirmed != rows)
    };
    report.figure(
        "commit_unconfirmed_at_kill",
        json!({
            "desk": unconfirmed(&rig.desk_rows, &rig.desk_rows_confirmed),
            "hub": unconfirmed(&rig.hub_rows, &rig.hub_rows_confirmed),
        }),
    );
    let mut counts: BTreeMap<String, BTreeMap<Outcome, u32>> = BTreeMap::new();
    let mut first_unnoticed = None;
    for n in 0..options.flips {
        let place = rig.places[n as usize % rig.places.len()].clone();
        let (outcome, at) = rig.one(&place, &mut dice).await?;
        rig.recover(&place, outcome, &at).await?;
        *counts
            .entry(place.name.clone())
            .or_default()
            .entry(outcome)
            .or_default() += 1;
        if outcome == Outcome::Unnoticed {
            first_unnoticed.get_or_insert(format!("{} at {at}", place.name));
        }
    }
    let total = |wanted: Outcome| -> u32 {
        let of = |by: &BTreeMap<Outcome, u32>| by.get(&wanted).copied().unwrap_or(0);
        counts.values().map(of).sum()
    };
    report.figure("flips", options.flips);
    for outcome in [
        Outcome::Verify,
        Outcome::Integrity,
        Outcome::Start,
        Outcome::Refused,
        Outcome::Harmless,
        Outcome::Unnoticed,
    ] {
        report.figure(outcome.name(), total(outcome));
    }
    let by_place: serde_json::Map<String, Value> = counts
        .iter()
        .map(|(place, by)| {
            let by: serde_json::Map<String, Value> = by
                .iter()
                .map(|(outcome, n)| (outcome.name().to_owned(), json!(n)))
                .collect();
            (place.clone(), Value::Object(by))
        })
        .collect();
    report.figure("by_place", by_place);
    if let Some(first) = first_unnoticed {
        report.figure("first_unnoticed", first);
    }
    for (kind, rule) in [
        (Kind::Log, "every change of a write-ahead log is found"),
        (Kind::HubFile, "every change of the hub's file is found"),
        (
            Kind::Hashed,
            "every change of the desk's database, of the files beside it, of its newest backup, of \
             a sealed file and of the hub's ledger is found",
        ),
    ] {
        let of_kind = counts.iter().filter(|(place, _)| Kind::of(place) == kind);
        let unnoticed = |by: &BTreeMap<Outcome, u32>| by.contains_key(&Outcome::Unnoticed);
        report.bar(!of_kind.into_iter().any(|(_, by)| unnoticed(by)), rule);
    }
    report.figure("unnoticed_in", Vec::from_iter(rig.unnoticed.take()));
    report.figure("recovered", rig.recovery.whole);
    report.figure("refused_to_start", rig.recovery.refused);
    report.figure("not_recovered", rig.recovery.lacking.len());
    if let Some(first) = rig.recovery.lacking.first() {
        report.figure("first_not_recovered", first.as_str());
    }
    report.bar(
        rig.recovery.lacking.is_empty(),
        "what the hub, the desk or its journal held is at the hub and on the desk after the next \
         start and sync",
    );
    rig.control(&mut report).await?;
    Ok(report)
}

/// What came of going on with the changed files.
#[derive(Debug, Default)]
struct Recovery {
    whole: u32,
    /// The start was refused with a reason; the files stay as they are.
    refused: u32,
    lacking: Vec<String>,
}

/// A file, or the rows of the hub's ledger.
#[derive(Clone, Debug)]
struct Place {
    name: String,
    side: Side,
    /// Within the data directory; none for the ledger's rows.
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Desk,
    Hub,
    Bundle,
    Backup,
}

struct Rig {
    city: City,
    desk: DeskDir,
    places: Vec<Place>,
    /// The files as they were, of which each change is made in a copy.
    kept_desk: PathBuf,
    kept_hub: PathBuf,
    /// What waited on the desk, sealed to the hub.
    bundle: PathBuf,
    desk_rows: Rows,
    hub_rows: Rows,
    /// Without a last transaction that was whole in the log when the program
    /// was killed, but that nobody had been told of: it may be there or not.
    desk_rows_confirmed: Option<Rows>,
    hub_rows_confirmed: Option<Rows>,
    complaints: BTreeSet<Uuid>,
    recovery: Recovery,
    /// The tables in which a change went unnoticed.
    unnoticed: RefCell<BTreeSet<String>>,
}

/// A desk and a hub in the middle of work: some complaints carried over into
/// the databases, some only in their logs, and both ended without tidying up.
async fn worked_with(city: &mut City) -> Result<(DeskDir, PathBuf), Failure> {
    let desk = city.desk(&city.branch()?, "flip")?;
    let file = rows(city, "flip", 40)?;
    output(desk.command("import").arg(file).arg("--json"))?;
    desk.sync()?;
    city.stop_hub()?;
    city.start_hub()?;
    let record = |city: &City, run: &str| -> Result<(), Failure> {
        let mut prey = Prey::start(
            driver(&desk, clerk(city)?, run),
            city.dir.path().join("printed"),
        )?;
        prey.until_it_acknowledges(Duration::from_secs(20))?;
        prey.lives_for(Duration::from_millis(150))?;
        prey.kill().map(drop)
    };
    record(city, "sent")?;
    let mut sync = desk.command("sync");
    sync.arg("--once").stderr(Stdio::null());
    output(&mut sync)?;
    beside::back_up(&desk).await?;
    record(city, "backed-up")?;
    let newest_backup = beside::back_up(&desk).await?;
    record(city, "unsent")?;
    city.kill_hub();
    Ok((desk, newest_backup))
}

fn is_log(name: &str) -> bool {
    name.ends_with("-wal")
}

fn places(
    desk: &DeskDir,
    hub: &Path,
    everywhere: bool,
    newest_backup: PathBuf,
) -> Result<Vec<Place>, Failure> {
    let mut places = vec![Place {
        name: "hub_ledger".to_owned(),
        side: Side::Hub,
        file: None,
    }];
    places.extend(beside::places(newest_backup));
    for (side, prefix, below) in [
        (Side::Desk, "desk", ""),
        (Side::Desk, "desk", "journal"),
        (Side::Hub, "hub", ""),
    ] {
        let dir = match side {
            Side::Hub => hub.to_owned(),
            _ => desk.data.join(below),
        };
        for entry in std::fs::read_dir(dir).map_err(Failure::io("a data directory"))? {
            let entry = entry.map_err(Failure::io("a data directory"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let size = entry.metadata().map_or(0, |meta| meta.len());
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let is_left_out = !everywhere && !is_log(&name) && side == Side::Hub;
            if is_left_out || !is_file || size == 0 || NOT_DATA.contains(&name.as_str()) {
                continue;
            }
            places.push(Place {
                name: format!("{prefix}:{name}"),
                side,
                file: Some(Path::new(below).join(name)),
            });
        }
    }
    places.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(places)
}

impl Rig {
    /// One change in a copy. Gives what found it, and where it was.
    async fn one(&self, place: &Place, dice: &mut Dice) -> Result<(Outcome, String), Failure> {
        let changed = self.changed();
        let original = match place.side {
            Side::Bundle => return self.one_bundle(dice).await,
            Side::Backup => return self.one_backup(place, dice).await,
            Side::Desk => &self.kept_desk,
            Side::Hub => &self.kept_hub,
        };
        copy(original, &changed)?;
        let at = match &place.file {
            Some(file) => flip_byte(&changed.join(file), dice)?,
            None => flip_row(&changed, dice).await?,
        };
        // Judging opens, and opening changes.
        let judged = self.city.dir.path().join("judged");
        copy(&changed, &judged)?;
        let outcome = match place.side {
            Side::Hub => self.judge_hub(&judged).await,
            _ => self.judge_desk(&judged).await,
        };
        Ok((outcome, at))
    }

    fn changed(&self) -> PathBuf {
        self.city.dir.path().join("changed")
    }

    /// Goes on with the changed files: a start of the desk and a sync, with the
    /// hub as it was, or with the hub's changed log and the desk as it was.
    async fn recover(&mut self, place: &Place, outcome: Outcome, at: &str) -> Result<(), Failure> {
        match place.side {
            Side::Bundle => return self.recover_bundle(at).await,
            Side::Backup => return self.recover_backup(at).await,
            Side::Desk | Side::Hub => {}
        }
        let of_hub = place.side == Side::Hub;
        if of_hub && !is_log(&place.name) {
            // Put right by a restore, which has a rig of its own.
            return Ok(());
        }
        let (desk, hub) = match of_hub {
            true => (self.kept_desk.clone(), self.changed()),
            false => (self.changed(), self.kept_hub.clone()),
        };
        copy(&desk, &self.desk.data)?;
        copy(&hub, &self.city.hub_data())?;
        self.city.start_hub()?;
        let synced = self.desk.sync();
        let books = DeskBooks::read(&self.desk).await;
        let hub = HubBooks::read(&self.city.hub_data()).await;
        self.city.kill_hub();
        let whole = |books: &DeskBooks, hub: &HubBooks| {
            books.missing(&self.complaints) == 0
                && self.complaints.is_subset(&hub.complaints)
                && hub.doubled() == 0
                && hub.set_aside == 0
        };
        match (synced, books, hub) {
            (Ok(()), Ok(books), Ok(hub)) if whole(&books, &hub) => self.recovery.whole += 1,
            (Err(_), ..) if outcome == Outcome::Start => self.recovery.refused += 1,
            (synced, ..) => {
                let said = synced.err().map(|error| error.to_string());
                let what = format!("{} at {at}: {}", place.name, said.unwrap_or_default());
                self.recovery.lacking.push(what);
            }
        }
        Ok(())
    }

    async fn judge_desk(&self, copy: &Path) -> Outcome {
        let desk = DeskDir {
            data: copy.to_owned(),
            key: self.desk.key.clone(),
        };
        if !desk_verifies(&desk).await {
            return Outcome::Verify;
        }
        if !desk_is_whole(&desk).await {
            return Outcome::Integrity;
        }
        let rows = desk_digest(&desk).await;
        if Desk::open(&desk.data, KeySource::File(desk.key.clone()))
            .await
            .is_err()
        {
            return Outcome::Start;
        }
        match rows {
            Ok(rows)
                if (rows == self.desk_rows || Some(&rows) == self.desk_rows_confirmed.as_ref())
                    && same_identity(&self.kept_desk, copy) =>
            {
                Outcome::Harmless
            }
            Ok(rows) => {
                let mut unnoticed = self.unnoticed.borrow_mut();
                unnoticed.extend(changed_tables(&self.desk_rows, &rows));
                if !same_identity(&self.kept_desk, copy) {
                    unnoticed.insert("desk.json".to_owned());
                }
                Outcome::Unnoticed
            }
            Err(_) => Outcome::Unnoticed,
        }
    }

    async fn judge_hub(&self, copy: &Path) -> Outcome {
        match hub_verifies(copy).await {
            Ok(true) => {}
            Ok(false) => return Outcome::Verify,
            Err(_) => return Outcome::Start,
        }
        let Ok(mut conn) = open_hub(copy).await else {
            return Outcome::Integrity;
        };
        if check_integrity(&mut conn).await.is_err() {
            return Outcome::Integrity;
        }
        let rows = hub_digest(copy).await.unwrap_or_default();
        if Some(&rows) == self.hub_rows_confirmed.as_ref() {
            return Outcome::Harmless;
        }
        match changed_tables(&self.hub_rows, &rows) {
            tables if tables.is_empty() => Outcome::Harmless,
            tables => {
                self.unnoticed.borrow_mut().extend(tables);
                Outcome::Unnoticed
            }
        }
    }

    /// A change made with the database's own means, which leaves every file
    /// whole, and which only the comparison of rows can see: it must.
    async fn control(&self, report: &mut Report) -> Result<(), Failure> {
        let changed = self.changed();
        copy(&self.kept_hub, &changed)?;
        write_hub(
            &changed,
            "update staff set name = name || '?' where login = 'admin'",
        )
        .await?;
        let outcome = self.judge_hub(&changed).await;
        report.figure("control", outcome.name());
        report.bar(
            outcome == Outcome::Unnoticed,
            "the control, a changed name that no check covers, is told from a harmless one",
        );
        Ok(())
    }
}

/// Makes `to` what `from` is.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    if to.exists() {
        std::fs::remove_dir_all(to).map_err(Failure::io("an old copy"))?;
    }
    output(Command::new("cp").arg("-a").arg(from).arg(to)).map(drop)
}

fn flip_byte(file: &Path, dice: &mut Dice) -> Result<String, Failure> {
    let mut bytes = std::fs::read(file).map_err(Failure::io("a file to change"))?;
    let at = dice.index(bytes.len());
    let bit = 1u8 << dice.below(8);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= bit;
    }
    std::fs::write(file, &bytes).map_err(Failure::io("a changed file"))?;
    Ok(format!("byte {at} of {}", bytes.len()))
}

/// Changes one byte of one column of one row of the hub's ledger, as somebody
/// with the database's own tools would.
async fn flip_row(hub: &Path, dice: &mut Dice) -> Result<String, Failure> {
    let columns = ["body", "prev", "hash", "chain", "complaint", "device"];
    let column = columns[dice.index(columns.len())];
    let mut conn = open_hub(hub).await?;
    let rows: i64 = sqlx::query_scalar("select count(*) from log")
        .fetch_one(&mut conn)
        .await
        .map_err(sql)?;
    let seq = dice.below(rows.unsigned_abs()) + 1;
    let read = format!("select cast({column} as blob) from log where seq = {seq}");
    let mut value: Vec<u8> = sqlx::query_scalar(AssertSqlSafe(read))
        .fetch_one(&mut conn)
        .await
        .map_err(sql)?;
    conn.close().await.map_err(sql)?;
    let at = dice.index(value.len());
    if let Some(byte) = value.get_mut(at) {
        *byte ^= 1 << dice.below(7);
    }
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = match column {
        "body" => format!("cast(x'{hex}' as text)"),
        _ => format!("x'{hex}'"),
    };
    write_hub(
        hub,
        &format!("update log set {column} = {new} where seq = {seq}"),
    )
    .await?;
    Ok(format!("{column} of row {seq}"))
}

async fn write_hub(hub: &Path, change: &str) -> Result<(), Failure> {
    let file = suda_sqlite::options().filename(hub.join("hub.db"));
    let mut conn = SqliteConnection::connect_with(&file).await.map_err(sql)?;
    sqlx::raw_sql(AssertSqlSafe(change.to_owned()))
        .execute(&mut conn)
        .await
        .map_err(sql)?;
    conn.close().await.map_err(sql)
}

fn sql(error: sqlx::Error) -> Failure {
    Failure::Said(format!("flipping: {error}"))
}

async fn desk_verifies(desk: &DeskDir) -> bool {
    let opened = Desk::open_reading(&desk.data, KeySource::File(desk.key.clone())).await;
    let Ok(opened) = opened else {
        return false;
    };
    opened.verify().await.is_ok_and(|report| report.is_clean())
}

async fn desk_is_whole(desk: &DeskDir) -> bool {
    let Ok(mut conn) = open_desk(desk).await else {
        return false;
    };
    let pages: Result<Vec<String>, _> = sqlx::query_scalar("pragma cipher_integrity_check")
        .fetch_all(&mut conn)
        .await;
    pages.is_ok_and(|bad| bad.is_empty()) && check_integrity(&mut conn).await.is_ok()
}

async fn hub_verifies(dir: &Path) -> Result<bool, Failure> {
    let said = |error: &dyn std::fmt::Display| Failure::Said(error.to_string());
    let store = SqliteStore::open(dir, false).await.map_err(|e| said(&e))?;
    let verified = store.verify().await;
    // Without the last checkpoint, so that nothing is mended by the way.
    store.close().await;
    Ok(verified.is_ok_and(|verified| verified.fault.is_none()))
}

/// What stands beside the database, in its meaning, after opening for work.
fn same_identity(before: &Path, after: &Path) -> bool {
    let read = |dir: &Path| -> Option<[String; 3]> {
        let text = std::fs::read(dir.join("desk.json")).ok()?;
        let file: Value = serde_json::from_slice(&text).ok()?;
        // With a key file nothing asks for the name of the keyring's entry; an
        // id means the same in capitals.
        let meaning = |name: &str| file[name].to_string().to_lowercase();
        Some(["key_check", "device", "incarnation"].map(meaning))
    };
    read(before) == read(after)
}

/// `kept` is as the kill left it: whoever opens the files renews the index.
async fn confirmed_desk(city: &City, kept: &Path, desk: &DeskDir) -> Result<Option<Rows>, Failure> {
    let Some(data) = without_unconfirmed(city, kept, "suda.db")? else {
        return Ok(None);
    };
    let key = desk.key.clone();
    desk_digest(&DeskDir { data, key }).await.map(Some)
}

async fn confirmed_hub(city: &City, kept: &Path) -> Result<Option<Rows>, Failure> {
    match without_unconfirmed(city, kept, "hub.db")? {
        Some(data) => hub_digest(&data).await.map(Some),
        None => Ok(None),
    }
}

/// A copy of the files in which the database's log ends where its index says
/// that it does, if the log is longer. A commit is told to who waits for it
/// only after the index knows of it.
fn without_unconfirmed(city: &City, from: &Path, file: &str) -> Result<Option<PathBuf>, Failure> {
    let (log, index) = (format!("{file}-wal"), format!("{file}-shm"));
    let Ok(index) = std::fs::read(from.join(index)) else {
        return Ok(None);
    };
    let number = |at: usize| -> Option<u64> {
        let four = index.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_ne_bytes(four)))
    };
    let page = index.get(14..16).and_then(|two| two.try_into().ok());
    let (Some(committed), Some(page)) = (number(16), page.map(u16::from_ne_bytes)) else {
        return Ok(None);
    };
    let confirmed = 32 + committed * (24 + u64::from(page));
    let length = std::fs::metadata(from.join(&log)).map_or(0, |about| about.len());
    if length <= confirmed {
        return Ok(None);
    }
    let to = city.dir.path().join(format!("confirmed-{file}"));
    copy(from, &to)?;
    std::fs::File::options()
        .write(true)
        .open(to.join(&log))
        .and_then(|log| log.set_len(confirmed))
        .map_err(Failure::io("a shortened log"))?;
    Ok(Some(to))
}

async fn desk_digest(desk: &DeskDir) -> Result<Rows, Failure> {
    digest(&mut open_desk(desk).await?).await
}

async fn hub_digest(data: &Path) -> Result<Rows, Failure> {
    digest(&mut open_hub(data).await?).await
}

/// A digest of each table's rows.
type Rows = BTreeMap<String, [u8; 32]>;

/// Tables whose rows read otherwise than before.
fn changed_tables(before: &Rows, now: &Rows) -> Vec<String> {
    let names = before
        .iter()
        .filter(|(name, digest)| now.get(*name) != Some(*digest));
    names.map(|(name, _)| name.clone()).collect()
}

/// What a complaint's row says, whatever its letters: the name of a part that
/// is empty may be another and nothing is lost by it.
fn meaning(body: Vec<u8>) -> Vec<u8> {
    let read = serde_json::from_slice::<Complaint>(&body);
    let written = read.and_then(|complaint| serde_json::to_vec(&complaint));
    written.unwrap_or(body)
}

/// Over every value of every row of every table. SQLite's own statistics, by
/// which it chooses its way and which no answer depends on, are left out.
async fn digest(conn: &mut SqliteConnection) -> Result<Rows, Failure> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_schema where type = 'table' and sql not like 'create virtual%' \
         and name not like 'sqlite!_%' escape '!' order by name",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(sql)?;
    let mut digests_of = Rows::new();
    for table in tables {
        let all = format!("select * from \"{table}\"");
        let rows = sqlx::query(AssertSqlSafe(all))
            .fetch_all(&mut *conn)
            .await
            .map_err(sql)?;
        let mut digests: Vec<[u8; 32]> = Vec::with_capacity(rows.len());
        for row in rows {
            let mut one = Sha256::new();
            for column in row.columns() {
                let value = row.try_get_raw(column.ordinal()).map_err(sql)?;
                let is_null = value.is_null();
                let mut bytes: Option<Vec<u8>> = match is_null {
                    true => None,
                    false => Some(row.try_get_unchecked(column.ordinal()).map_err(sql)?),
                };
                if (table.as_str(), column.name()) == ("complaint", "body") {
                    bytes = bytes.map(meaning);
                }
                one.update(column.name().as_bytes());
                one.update([u8::from(is_null)]);
                one.update(bytes.unwrap_or_default());
                one.update([0xff]);
            }
            digests.push(one.finalize().into());
        }
        digests.sort_unstable();
        let mut hasher = Sha256::new();
        for digest in digests {
            hasher.update(digest);
        }
        digests_of.insert(table, hasher.finalize().into());
    }
    Ok(digests_of)
}
