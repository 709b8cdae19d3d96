//! What the enrolment gave, sealed in a file beside the database: with it, the
//! journal and the hub a database can begin anew when no backup is left.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use suda_domain::DeviceId;
use suda_sync::{Directory, PublicKey, SecretKey};

use crate::desk::{Enrolled, OpenError};
use crate::key::DatabaseKey;
use crate::place::{Place, PlaceError, sync_directory};
use crate::store::directory::{DeviceRow, save_device, save_directory};
use crate::store::{Store, outbox};
use crate::unsent::seal;

const PURPOSE: &[u8] = b"suda desk enrolment 1";

#[derive(Serialize, Deserialize)]
pub(crate) struct Seed {
    device: DeviceId,
    incarnation: u32,
    desk_letter: String,
    hub_url: String,
    hub_key: PublicKey,
    secret: [u8; 32],
    directory: Directory,
}

/// Writes the file, as a whole or not at all.
pub(crate) fn write(
    place: &Place,
    key: &DatabaseKey,
    enrolled: &Enrolled,
) -> Result<(), PlaceError> {
    let row = &enrolled.device;
    let seed = Seed {
        device: row.device,
        incarnation: row.incarnation,
        desk_letter: row.desk_letter.clone(),
        hub_url: row.hub_url.clone(),
        hub_key: row.hub_key,
        secret: row.secret.seed(),
        directory: enrolled.directory.clone(),
    };
    let path = place.seed();
    let new = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let sealed = seal::seal_file(key, PURPOSE, &serde_json::to_vec(&seed)?)?;
        let mut file = File::create(&new)?;
        file.write_all(&sealed)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        sync_directory(place.dir())
    };
    write().map_err(|error| PlaceError::of(&path, error))
}

/// The file's contents; `None` when it is not there or not as it was written.
pub(crate) fn read(place: &Place, key: &DatabaseKey) -> Option<Seed> {
    let sealed = fs::read(place.seed()).ok()?;
    let text = seal::open_file(key, PURPOSE, &sealed)?;
    serde_json::from_slice(&text).ok()
}

impl Seed {
    /// Makes a new database that holds nothing but this.
    pub(crate) async fn plant(self, file: &Path, key: &DatabaseKey) -> Result<(), OpenError> {
        let opened = Store::open(file, key).await;
        let store = opened.map_err(|error| crate::desk::undecipherable(error, true))?;
        let row = DeviceRow {
            device: self.device,
            incarnation: self.incarnation,
            desk_letter: self.desk_letter,
            hub_url: self.hub_url,
            hub_key: self.hub_key,
            secret: SecretKey::from_seed(self.secret),
        };
        let mut tx = store.begin().await?;
        save_device(tx.conn(), &row, 0).await?;
        save_directory(tx.conn(), &self.directory).await?;
        // No epoch and no place in the log: the hub gives everything again.
        outbox::set_link(tx.conn(), "", 0).await?;
        tx.commit().await?;
        Ok(store.close().await?)
    }
}
