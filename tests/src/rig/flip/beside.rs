//! The files that stand in when the others are gone: the sealed file that goes to
//! the hub on a stick, and the newest backup. Each is changed and then needed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use suda_desk::{Desk, KeySource};

use super::{DeskBooks, HubBooks, Outcome, Place, Rig, Side};
use super::{check_integrity, copy, digest, flip_byte, hub_digest};
use crate::rig::Dice;
use crate::rig::books::open_encrypted;
use crate::{City, DeskDir, Failure, bin, output};

/// Where a database begins that can be told from nothing: its first page is kept,
/// so that what is damaged is a database and not a missing one.
const FIRST_PAGE: usize = 4_096;

/// Takes a backup as the running desk does, and gives where it is in its folder.
pub(super) async fn back_up(desk: &DeskDir) -> Result<PathBuf, Failure> {
    let said = |error: &dyn std::fmt::Display| Failure::Said(format!("a backup: {error}"));
    let opened = Desk::open(&desk.data, KeySource::File(desk.key.clone())).await;
    let opened = opened.map_err(|error| said(&error))?;
    let report = opened.back_up_now().await.map_err(|error| said(&error))?;
    opened.close().await.map_err(|error| said(&error))?;
    let within = report.file.strip_prefix(&desk.data);
    within.map(Path::to_owned).map_err(|error| said(&error))
}

/// What waits on the desk, sealed. Written by a copy, as writing opens the desk.
pub(super) fn export(city: &City, desk: &DeskDir) -> Result<PathBuf, Failure> {
    let file = city.dir.path().join("flip.suda");
    let data = city.dir.path().join("exporting");
    copy(&desk.data, &data)?;
    let mut export = Command::new(bin("suda-desk"));
    export.args(["bundle", "export"]).arg(&file);
    export.arg("--data").arg(data);
    output(export.arg("--key-file").arg(&desk.key))?;
    Ok(file)
}

fn import(hub: &Path, file: &Path) -> Result<(), Failure> {
    let mut import = Command::new(bin("suda-hub"));
    import.args(["bundle", "import"]).arg(file);
    import.arg("--data").arg(hub).stderr(Stdio::null());
    output(&mut import).map(drop)
}

impl Rig {
    fn changed_bundle(&self) -> PathBuf {
        self.city.dir.path().join("changed.suda")
    }

    fn importing_hub(&self) -> PathBuf {
        self.city.dir.path().join("importing")
    }

    /// A changed file must be refused whole: nothing of it is taken in.
    pub(super) async fn one_bundle(&self, dice: &mut Dice) -> Result<(Outcome, String), Failure> {
        let (file, hub) = (self.changed_bundle(), self.importing_hub());
        std::fs::copy(&self.bundle, &file).map_err(Failure::io("a sealed file"))?;
        let at = flip_byte(&file, dice)?;
        copy(&self.kept_hub, &hub)?;
        let taken = import(&hub, &file);
        let log = |rows: &super::Rows| rows.get("log").copied();
        let now = log(&hub_digest(&hub).await?);
        let before = [Some(&self.hub_rows), self.hub_rows_confirmed.as_ref()];
        let is_as_before = before.into_iter().flatten().any(|rows| log(rows) == now);
        let outcome = match taken {
            Err(_) if is_as_before => Outcome::Refused,
            Ok(()) if self.all_at(&hub).await? => Outcome::Harmless,
            _ => Outcome::Unnoticed,
        };
        Ok((outcome, at))
    }

    /// The file as it was still brings everything to the hub that was offered the
    /// changed one.
    pub(super) async fn recover_bundle(&mut self, at: &str) -> Result<(), Failure> {
        let hub = self.importing_hub();
        let taken = import(&hub, &self.bundle);
        if taken.is_ok() && self.all_at(&hub).await? {
            self.recovery.whole += 1;
        } else {
            let said = taken.err().map(|error| error.to_string());
            let what = format!("bundle at {at}: {}", said.unwrap_or_default());
            self.recovery.lacking.push(what);
        }
        Ok(())
    }

    async fn all_at(&self, hub: &Path) -> Result<bool, Failure> {
        let books = HubBooks::read(hub).await?;
        let all = self.complaints.is_subset(&books.complaints);
        Ok(all && books.doubled() == 0 && books.set_aside == 0)
    }

    /// The page codes must tell a changed backup.
    pub(super) async fn one_backup(
        &self,
        place: &Place,
        dice: &mut Dice,
    ) -> Result<(Outcome, String), Failure> {
        let changed = self.changed();
        copy(&self.kept_desk, &changed)?;
        let file = changed.join(place.file.as_deref().unwrap_or(Path::new("")));
        let whole = self.backup_rows(&file).await;
        let at = flip_byte(&file, dice)?;
        let outcome = match (whole, self.backup_rows(&file).await) {
            (_, Err(_)) => Outcome::Integrity,
            (Ok(before), Ok(after)) if before == after => Outcome::Harmless,
            _ => Outcome::Unnoticed,
        };
        Ok((outcome, at))
    }

    async fn backup_rows(&self, file: &Path) -> Result<super::Rows, Failure> {
        let key = std::fs::read_to_string(&self.desk.key).map_err(Failure::io("the key file"))?;
        let mut conn = open_encrypted(file, key.trim(), true).await?;
        let bad: Vec<String> = sqlx::query_scalar("pragma cipher_integrity_check")
            .fetch_all(&mut conn)
            .await
            .map_err(super::sql)?;
        if let Some(first) = bad.first() {
            return Err(Failure::Said(first.clone()));
        }
        check_integrity(&mut conn).await?;
        digest(&mut conn).await
    }

    /// With the database gone bad as well, an older backup, the journal and the hub
    /// give everything back.
    pub(super) async fn recover_backup(&mut self, at: &str) -> Result<(), Failure> {
        copy(&self.changed(), &self.desk.data)?;
        copy(&self.kept_hub, &self.city.hub_data())?;
        spoil(&self.desk.data.join("suda.db"))?;
        self.city.start_hub()?;
        let synced = self.desk.sync();
        let books = DeskBooks::read(&self.desk).await;
        self.city.kill_hub();
        let whole = match (&synced, &books) {
            (Ok(()), Ok(books)) => {
                books.missing(&self.complaints) == 0 && self.all_at(&self.city.hub_data()).await?
            }
            _ => false,
        };
        if whole {
            self.recovery.whole += 1;
        } else {
            let said = synced.err().map(|error| error.to_string());
            let what = format!("the newest backup at {at}: {}", said.unwrap_or_default());
            self.recovery.lacking.push(what);
        }
        Ok(())
    }
}

/// Every page behind the first becomes nonsense.
fn spoil(file: &Path) -> Result<(), Failure> {
    let mut bytes = std::fs::read(file).map_err(Failure::io("a database to spoil"))?;
    for byte in bytes.iter_mut().skip(FIRST_PAGE) {
        *byte ^= 0x5a;
    }
    std::fs::write(file, bytes).map_err(Failure::io("a spoiled database"))
}

/// The two, as places.
pub(super) fn places(newest_backup: PathBuf) -> [Place; 2] {
    [
        Place {
            name: "bundle".to_owned(),
            side: Side::Bundle,
            file: None,
        },
        Place {
            name: "desk:newest_backup".to_owned(),
            side: Side::Backup,
            file: Some(newest_backup),
        },
    ]
}
