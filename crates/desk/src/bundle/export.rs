//! Writing the bundle: everything without a receipt, urgent first.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use suda_domain::Lane;
use suda_sync::Signed;
use suda_sync::bundle::{EVENT_BYTES, seal_events};
use suda_sync::desk::{Stream, batch};
use suda_sync::message::{BATCH_BYTES, BATCH_EVENTS};

use super::{BundleError, BundleReport, file_error};
use crate::desk::{Desk, Enrolled};
use crate::place::sync_directory;
use crate::store::outbox;

const FOLDER: &str = "bundles";
const SUFFIX: &str = "suda";

/// What goes into one bundle.
#[derive(Default)]
struct Gathered {
    batches: Vec<Signed>,
    events: u64,
    urgent: u64,
    bytes: usize,
    full: bool,
}

impl Desk {
    /// Writes everything the hub has not receipted into a new file that only
    /// the hub can read. Works beside whoever syncs.
    pub async fn export_bundle(&self, file: &Path) -> Result<BundleReport, BundleError> {
        let enrolled = self.inner.enrolled()?;
        let gathered = self.gather(&enrolled).await?;
        let unsent = self.report().await?.unsent.events();
        let mut report = BundleReport {
            file: None,
            bytes: 0,
            batches: count(gathered.batches.len() as u64),
            events: count(gathered.events),
            urgent: count(gathered.urgent),
            left: count(unsent.saturating_sub(gathered.events)),
        };
        if gathered.batches.is_empty() {
            return Ok(report);
        }
        let hub = &enrolled.device.hub_key;
        let parcel = seal_events(&gathered.batches, hub, &mut rand::rng())?;
        write(file, &parcel)?;
        report.bytes = parcel.len() as u64;
        report.file = Some(file.to_owned());
        Ok(report)
    }

    /// Like [`export_bundle`](Self::export_bundle), into `folder`, or beside the
    /// data when none is named, under a name that says whose it is and when it
    /// was written.
    pub async fn export_bundle_into(
        &self,
        folder: Option<&Path>,
    ) -> Result<BundleReport, BundleError> {
        let enrolled = self.inner.enrolled()?;
        let beside = self.inner.place.dir().join(FOLDER);
        let folder = folder.unwrap_or(&beside);
        if *folder == beside {
            fs::create_dir_all(folder).map_err(file_error(folder))?;
        }
        self.export_bundle(&self.free_name(&enrolled, folder)).await
    }

    fn free_name(&self, enrolled: &Enrolled, folder: &Path) -> PathBuf {
        let (branch, letter) = (&enrolled.directory.branch, &enrolled.device.desk_letter);
        let at = self.inner.now().format("%Y%m%dT%H%M%SZ");
        let name = |n: u32| match n {
            1 => folder.join(format!("{branch}-{letter}-{at}.{SUFFIX}")),
            n => folder.join(format!("{branch}-{letter}-{at}-{n}.{SUFFIX}")),
        };
        let mut n = 1;
        while name(n).exists() {
            n += 1;
        }
        name(n)
    }

    async fn gather(&self, enrolled: &Enrolled) -> Result<Gathered, BundleError> {
        let mut gathered = Gathered::default();
        for (stream, acked) in self.standing().await?.unreceipted() {
            self.gather_stream(enrolled, stream, acked, &mut gathered)
                .await?;
        }
        Ok(gathered)
    }

    async fn gather_stream(
        &self,
        enrolled: &Enrolled,
        stream: Stream,
        mut after: u64,
        gathered: &mut Gathered,
    ) -> Result<(), BundleError> {
        let (device, present) = enrolled.identity();
        let (identity, lane) = ((device, stream.incarnation), stream.lane);
        let mut conn = self.inner.store.read().await?;
        loop {
            let load = outbox::load(&mut conn, identity, lane, after, BATCH_EVENTS, BATCH_BYTES);
            let events = load.await?;
            let bytes: usize = events.iter().map(|event| event.body.get().len()).sum();
            gathered.full |= gathered.bytes + bytes > EVENT_BYTES;
            if events.is_empty() || gathered.full {
                return Ok(());
            }
            let (first_n, many) = (after + 1, events.len() as u64);
            after += many;
            gathered.bytes += bytes;
            gathered.events += many;
            if lane == Lane::Urgent {
                gathered.urgent += many;
            }
            let request = batch((device, present), stream, first_n, events);
            let signed = Signed::seal(&request, &enrolled.device.secret)?;
            gathered.batches.push(signed);
        }
    }
}

/// Whole or not at all: a stick pulled out too early must not leave half a
/// file under the name people look for.
fn write(file: &Path, parcel: &[u8]) -> Result<(), BundleError> {
    if file.exists() {
        return Err(BundleError::Exists(file.to_owned()));
    }
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let folder = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    let written = || -> std::io::Result<()> {
        let mut open = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&part)?;
        open.write_all(parcel)?;
        open.sync_all()?;
        fs::rename(&part, file)?;
        sync_directory(folder.unwrap_or(Path::new(".")))
    };
    written().map_err(|error| {
        fs::remove_file(&part).ok();
        file_error(file)(error)
    })
}

pub(super) fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
