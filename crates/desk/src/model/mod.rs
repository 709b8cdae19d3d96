//! The learned model of categories on this desk: one file beside the database,
//! signed by the hub. It is used only when hash, signature and contents fit;
//! a file that does not is as good as none and fetched again. Fetching is in
//! `lane`.

pub(crate) mod lane;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use suda_judge::learn::{Model, ModelError};
use suda_judge::{COLUMNS, Versioned};
use suda_sync::model::{MOST_BYTES, ModelNotice, PackageError, notice, open};
use suda_sync::{Directory, PublicKey};

use crate::place::sync_directory;

/// How the model that the hub has in force stands here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// The hub has none in force.
    #[default]
    None,
    InUse,
    /// A newer one is to be fetched; the one before is used until then.
    Waiting,
    /// What the hub gives cannot be used by this program; the one before is
    /// used where there is one.
    Unusable,
}

/// A model that was found sound.
pub(crate) struct HeldModel {
    notice: ModelNotice,
    model: Model,
}

impl HeldModel {
    pub(crate) fn versioned(&self) -> Versioned<'_> {
        Versioned {
            version: self.notice.version,
            model: &self.model,
        }
    }

    fn read(package: &[u8], hub: &PublicKey) -> Result<Self, UnusableModel> {
        let (head, bytes) = open(package, hub)?;
        let model = Model::parse(bytes)?;
        if model.fields() != COLUMNS {
            return Err(UnusableModel::Columns);
        }
        Ok(Self {
            notice: notice(head.version, package),
            model,
        })
    }
}

/// Why a package is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableModel {
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the model reads other columns than complaints have")]
    Columns,
    #[error("the model cannot be kept")]
    File(#[from] std::io::Error),
}

/// The model in use and, of one that cannot be used, its notice.
#[derive(Default)]
pub(crate) struct Models(RwLock<State>);

#[derive(Default)]
struct State {
    held: Option<Arc<HeldModel>>,
    unusable: Option<ModelNotice>,
}

impl Models {
    /// Reads what was kept. Nothing when there is none that can be used.
    pub(crate) fn load(path: &Path, hub: &PublicKey) -> Self {
        let models = Self::default();
        match read_bounded(path) {
            Ok(Some(package)) => match HeldModel::read(&package, hub) {
                Ok(held) => models.write().held = Some(Arc::new(held)),
                Err(error) => tracing::warn!(%error, "the kept model is not used"),
            },
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the kept model cannot be read"),
        }
        models
    }

    /// What to judge with. Without a model in force at the hub there is none
    /// here.
    pub(crate) fn in_use(&self, directory: &Directory) -> Option<Arc<HeldModel>> {
        directory.model?;
        self.read().held.clone()
    }

    pub(crate) fn status(&self, directory: &Directory) -> ModelStatus {
        match directory.model {
            None => ModelStatus::None,
            Some(notice) if self.holds(&notice) => ModelStatus::InUse,
            Some(notice) if self.is_unusable(&notice) => ModelStatus::Unusable,
            Some(_) => ModelStatus::Waiting,
        }
    }

    pub(crate) fn holds(&self, notice: &ModelNotice) -> bool {
        self.read().held.as_ref().map(|held| held.notice) == Some(*notice)
    }

    pub(crate) fn is_unusable(&self, notice: &ModelNotice) -> bool {
        self.read().unusable == Some(*notice)
    }

    fn give_up(&self, notice: ModelNotice) {
        self.write().unusable = Some(notice);
    }

    /// Takes a fetched package into use and keeps it. What was in use before
    /// stays so when anything is wrong with it.
    fn take(&self, package: &[u8], hub: &PublicKey, path: &Path) -> Result<(), UnusableModel> {
        let held = HeldModel::read(package, hub)?;
        keep(path, package)?;
        let mut state = self.write();
        state.held = Some(Arc::new(held));
        state.unusable = None;
        Ok(())
    }

    /// The hub has no model in force: what is kept is of no use any more.
    fn forget(&self, path: &Path) {
        if self.write().held.take().is_some()
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(%error, "a model that is not in force any more could not be removed");
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(known) if known.len() > MOST_BYTES => Ok(None),
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// After a power cut the file is the old or the new.
fn keep(path: &Path, package: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(package)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

#[cfg(test)]
mod tests {
    use suda_judge::learn::{Example, train};
    use suda_sync::SecretKey;
    use suda_sync::model::seal;

    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_seed([9; 32])
    }

    fn package(version: u32) -> Vec<u8> {
        let rows = [["退费", "话费多扣"], ["修复", "网速很慢"]];
        let examples: Vec<Example<'_>> = rows
            .iter()
            .zip(["a", "b"])
            .map(|(fields, label)| Example { fields, label })
            .collect();
        let model = train(&COLUMNS, &examples).unwrap().to_bytes().unwrap();
        seal(version, &model, &key()).unwrap()
    }

    fn version(models: &Models) -> Option<u32> {
        let held = models.read().held.clone();
        held.map(|held| held.versioned().version)
    }

    #[test]
    fn a_kept_model_is_read_again_and_a_damaged_one_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.suda");
        let hub = key().public();
        Models::default().take(&package(3), &hub, &path).unwrap();
        assert_eq!(version(&Models::load(&path, &hub)), Some(3));
        let whole = fs::read(&path).unwrap();
        for at in [0, 8, 20, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(version(&Models::load(&path, &hub)), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(version(&Models::load(&path, &hub)), None, "cut {at}");
        }
        fs::write(&path, &whole).unwrap();
        let other = SecretKey::from_seed([1; 32]).public();
        assert_eq!(version(&Models::load(&path, &other)), None);
    }

    #[test]
    fn what_was_in_use_stays_so_when_the_next_is_of_another_version_of_the_program() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.suda");
        let hub = key().public();
        let models = Models::default();
        models.take(&package(3), &hub, &path).unwrap();
        let newer = seal(4, b"SUDAJUDG\xff\xffof a later program", &key()).unwrap();
        let refused = models.take(&newer, &hub, &path);
        assert!(matches!(
            refused,
            Err(UnusableModel::Model(ModelError::Version { .. }))
        ));
        assert_eq!(version(&models), Some(3));
        assert_eq!(version(&Models::load(&path, &hub)), Some(3));
    }
}
