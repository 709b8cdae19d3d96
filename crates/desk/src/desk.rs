//! The desk: one data directory, opened. Opening, enrolment, and what every
//! other module needs of it; what can be done with it is in those modules.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_domain::category::CategoryTree;
use suda_domain::guidance::Guidance;
use suda_domain::time::Timekeeping;
use suda_domain::{BranchCode, ComplaintId, DeviceId, Lines, StaffId, Stamp};
use suda_judge::RuleSet;
use suda_judge::handoff::HandoffModel;
use suda_sync::Directory;
use suda_sync::place::LaneHead;
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

use crate::advise::{Earlier, Judged};
use crate::clock::{Clock, SystemClock, to_millisecond};
use crate::key::{KeyError, KeySource};
use crate::model::Models;
use crate::place::{IdentityFile, Lock, Place, PlaceError};
use crate::safety::{Safety, restore};
use crate::session::{SessionError, Throttle};
use crate::statistics::tally::Tally;
use crate::store::barrier::Reader;
use crate::store::directory::DeviceRow;
use crate::store::{self, Care, FileError, Store, StoreError, WriteTx, ledger};
use crate::sweep::Told;
use crate::time::{Held, Timekeeper};
use crate::twins::Twins;
use crate::view::{LinkTrouble, LinkView};

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("this key does not fit the data; nothing was changed")]
    WrongKey,
    #[error("the database file is damaged; restore a backup, and keep the damaged file")]
    Damaged,
    #[error("the database file is missing although this computer is enrolled; restore a backup")]
    DatabaseMissing,
    #[error("the database belongs to another computer or to an older copy of this one")]
    OtherDevice,
    #[error("the backup is damaged or was made with another key; nothing was changed")]
    BackupUnsound,
    #[error("the copy of the data before the change of version could not be made")]
    NoCopy(#[source] std::io::Error),
    #[error("there are no data here yet; enrol this computer first")]
    Empty,
    #[error("the data were written by a newer version; install that version")]
    Newer,
    #[error("the rule file from the hub cannot be read")]
    Rules(#[from] suda_judge::RuleSetError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What has changed, told after each commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Cases,
    Status,
    Directory,
}

/// Where this desk belongs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EnrolmentView {
    pub branch: BranchCode,
    pub branch_name: String,
    pub organisation: String,
    pub desk_letter: String,
    pub hub_url: String,
    pub device: DeviceId,
}

/// An opened data directory. Clones share it.
#[derive(Clone)]
pub struct Desk {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) place: Place,
    pub(crate) store: Store,
    pub(crate) time: Timekeeper,
    enrolled: RwLock<Option<Arc<Enrolled>>>,
    changes: broadcast::Sender<Change>,
    /// Told when there is something new to send.
    pub(crate) written: Notify,
    link: AtomicU8,
    trouble: Mutex<Option<LinkTrouble>>,
    pub(crate) forms_with_files: Mutex<BTreeSet<ComplaintId>>,
    /// The hub proved to be of a version without lane 2.
    pub(crate) hub_takes_no_evidence: AtomicBool,
    pub(crate) throttle: Mutex<Throttle>,
    pub(crate) safety: Safety,
    pub(crate) lan: crate::lan::State,
    pub(crate) judged: Mutex<Option<Judged>>,
    pub(crate) earlier: Mutex<Option<Earlier>>,
    pub(crate) models: Models,
    /// Complaints of which the hub told somebody, until the next look.
    told: Mutex<BTreeSet<(ComplaintId, Told)>>,
    pub(crate) tally: Tally,
    pub(crate) twins: Twins,
    /// Of the sync that runs in this process, for questions beside it.
    hub_session: Mutex<Option<String>>,
    /// Held while this process is the one that writes.
    _lock: Option<Lock>,
}

/// What an enrolled desk knows of itself and its branch.
pub(crate) struct Enrolled {
    pub(crate) device: DeviceRow,
    pub(crate) directory: Directory,
    pub(crate) rules: RuleSet,
    /// What is learned of handoffs, where the hub gives it and this program
    /// can read it.
    pub(crate) handoffs: Option<HandoffModel>,
    /// What the directory's clocks are counted with.
    pub(crate) keep: Timekeeping,
    /// Who of the branch stands above whom.
    pub(crate) lines: Lines,
}

impl Enrolled {
    pub(crate) fn new(
        device: DeviceRow,
        directory: Directory,
    ) -> Result<Self, suda_judge::RuleSetError> {
        let rules = RuleSet::from_value(directory.newest_rules())?;
        let keep = directory.timekeeping();
        let lines = Lines::of(&directory.staff);
        let handoffs = directory.handoffs.as_ref();
        let handoffs = handoffs.map(HandoffModel::from_value).transpose();
        let handoffs = handoffs.unwrap_or_else(|error| {
            tracing::warn!(%error, "what the hub has learned of handoffs is not used");
            None
        });
        Ok(Self {
            device,
            directory,
            rules,
            handoffs,
            keep,
            lines,
        })
    }

    /// For whatever is read for this person.
    pub(crate) fn reader(&self, staff: StaffId) -> Result<Reader, StoreError> {
        let all = self.directory.staff.iter().map(|one| one.id);
        Reader::person(staff, all, &self.lines)
    }

    pub(crate) fn identity(&self) -> (DeviceId, u32) {
        (self.device.device, self.device.incarnation)
    }
}

const CHANGES: usize = 64;
/// How long a program that is ending is waited for, and how often looked at.
const LOCK_PATIENCE: Duration = Duration::from_millis(1500);
const LOCK_LOOK: Duration = Duration::from_millis(50);

impl Desk {
    /// Opens a data directory for work, with the computer's clock. Makes it
    /// when there is none; it can then be enrolled.
    pub async fn open(dir: &Path, key: KeySource) -> Result<Self, OpenError> {
        Self::open_at(dir, key, Arc::new(SystemClock::default())).await
    }

    /// Like [`open`](Self::open), with another clock.
    pub async fn open_at(
        dir: &Path,
        source: KeySource,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let place = Place::new(dir);
        place.create()?;
        let lock = lock(&place).await?;
        place.heal_identity()?;
        restore::finish(&place)?;
        let known = place.identity()?;
        if known
            .as_ref()
            .is_some_and(IdentityFile::is_newer_than_known)
        {
            return Err(OpenError::Newer);
        }
        let has_database = place.database().exists();
        let enrolled_before = known.as_ref().is_some_and(|file| file.device.is_some());
        let has_data = has_database || enrolled_before;
        let store_id = known.as_ref().map_or_else(Uuid::new_v4, |file| file.store);
        let key = if has_data {
            source.load(store_id).await?
        } else {
            source.load_or_create(store_id).await?
        };
        let check = key.fingerprint();
        let known = match known {
            Some(file) if file.key_check != check && has_data => {
                return Err(OpenError::WrongKey);
            }
            Some(file) if file.key_check == check => Some(file),
            _ => None,
        };
        // Before the database: a database without this file could not be told
        // from one with another key.
        let file = match known {
            Some(file) => file,
            None if has_database => IdentityFile::new(store_id, check),
            None => {
                let file = IdentityFile::new(store_id, check);
                place.save_identity(&file)?;
                file
            }
        };
        let care = Care {
            whole: place.is_marked_damaged(),
            shelf: &place.shelf(),
            quarantine: &place.quarantine(),
            at: to_millisecond(clock.wall()),
        };
        let store = if place.identity()?.is_some() {
            restore::open_or_restore(&place, &key, &file, &care).await?
        } else {
            // Nothing tells whether the key fits: what cannot be read is left alone.
            let opened = Store::open_sound(&place.database(), &key, &care).await;
            opened.map_err(|error| undecipherable(error, false))?
        };
        let file = place.identity()?.unwrap_or(file);
        let desk = Self::assemble(place, store, clock, Some(lock), file).await?;
        desk.catch_up().await?;
        // Tidying up, which a full disk for one must not keep anybody from working by.
        let settled = desk.settle_evidence().await;
        settled.unwrap_or_else(|error| tracing::warn!(%error, "evidence is settled later"));
        desk.count_start().await;
        Ok(desk)
    }

    /// Puts a backup in the place of the data in `dir`, which are kept aside,
    /// and opens it. What the journal has of later events is put back.
    pub async fn restore(dir: &Path, source: KeySource, backup: &Path) -> Result<Self, OpenError> {
        let place = Place::new(dir);
        place.create()?;
        let lock = lock(&place).await?;
        restore::finish(&place)?;
        let known = place.identity()?;
        let store_id = known.as_ref().map_or_else(Uuid::nil, |file| file.store);
        let key = source.load(store_id).await?;
        let check = key.fingerprint();
        let file = match known {
            Some(file) if file.key_check != check => return Err(OpenError::WrongKey),
            Some(file) => file,
            None => IdentityFile::new(Uuid::new_v4(), check),
        };
        restore::from_file(&place, &key, &file, backup).await?;
        drop(lock);
        Self::open(dir, source).await
    }

    /// Opens a data directory to look at it, beside whoever works with it.
    pub async fn open_reading(dir: &Path, source: KeySource) -> Result<Self, OpenError> {
        let place = Place::new(dir);
        if !place.database().exists() {
            return match place.identity()? {
                Some(file) if file.device.is_some() => Err(OpenError::DatabaseMissing),
                _ => Err(OpenError::Empty),
            };
        }
        let known = place.identity()?;
        let store_id = known.as_ref().map_or_else(Uuid::nil, |file| file.store);
        let key = source.load(store_id).await?;
        if known
            .as_ref()
            .is_some_and(|file| file.key_check != key.fingerprint())
        {
            return Err(OpenError::WrongKey);
        }
        let clock = Arc::new(SystemClock::default());
        match Store::open_reading(&place.database(), &key).await {
            Ok(store) => {
                let file = known
                    .clone()
                    .unwrap_or_else(|| IdentityFile::new(store_id, key.fingerprint()));
                Self::assemble(place, store, clock, None, file).await
            }
            // Only who writes may bring the data up to date.
            Err(FileError::Older) => Self::open_at(place.dir(), source, clock).await,
            Err(error) => Err(undecipherable(error, known.is_some())),
        }
    }

    async fn assemble(
        place: Place,
        store: Store,
        clock: Arc<dyn Clock>,
        lock: Option<Lock>,
        mut file: IdentityFile,
    ) -> Result<Self, OpenError> {
        let mut conn = store.read().await?;
        let device = store::directory::device(&mut conn).await?;
        let directory = store::directory::directory(&mut conn).await?;
        let kept = store::clock::kept(&mut conn).await?;
        let unconfirmed = store::clock::unconfirmed(&mut conn).await?;
        let last_seq = store::clock::last_seq(&mut conn).await?;
        drop(conn);
        let jumps = kept.as_ref().map_or(0, |(_, jumps)| jumps.count);
        let held = Held::resume(clock.as_ref(), kept, &unconfirmed, last_seq);
        if let Some(device) = &device {
            if file.device.is_some_and(|known| known != device.device) {
                return Err(OpenError::OtherDevice);
            }
            // The file behind the database is an older copy of it; a database
            // behind the file is looked into once everything is open.
            let behind = file.device.is_none() || file.incarnation < Some(device.incarnation);
            if behind && lock.is_some() {
                file.device = Some(device.device);
                file.incarnation = Some(device.incarnation);
                place.save_identity(&file)?;
            }
        }
        let enrolled = match device.zip(directory) {
            Some((device, directory)) => Some(Arc::new(Enrolled::new(device, directory)?)),
            None => None,
        };
        let models = match &enrolled {
            Some(enrolled) => Models::load(&place.model(), &enrolled.device.hub_key),
            None => Models::default(),
        };
        let (changes, _) = broadcast::channel(CHANGES);
        let inner = Inner {
            place,
            store,
            time: Timekeeper::new(clock, held),
            enrolled: RwLock::new(enrolled),
            changes,
            written: Notify::new(),
            link: AtomicU8::new(LinkCode::UNKNOWN),
            trouble: Mutex::default(),
            forms_with_files: Mutex::default(),
            hub_takes_no_evidence: AtomicBool::default(),
            throttle: Mutex::default(),
            safety: Safety::default(),
            lan: crate::lan::State::default(),
            judged: Mutex::default(),
            earlier: Mutex::default(),
            models,
            told: Mutex::default(),
            tally: Tally::new(jumps),
            twins: Twins::default(),
            hub_session: Mutex::default(),
            _lock: lock,
        };
        if inner.writes() {
            inner.keep_time().await;
        }
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What was put right when the data were opened.
    pub fn start_notice(&self) -> Option<crate::StartNotice> {
        self.inner.safety.view().notice
    }

    /// Where this desk belongs; `None` before the enrolment.
    pub fn enrolment(&self) -> Option<EnrolmentView> {
        let enrolled = self.inner.enrolled().ok()?;
        Some(EnrolmentView {
            branch: enrolled.directory.branch.clone(),
            branch_name: enrolled.directory.branch_name.clone(),
            organisation: enrolled.directory.organisation.clone(),
            desk_letter: enrolled.device.desk_letter.clone(),
            hub_url: enrolled.device.hub_url.clone(),
            device: enrolled.device.device,
        })
    }

    /// The category tree in force; empty before the enrolment.
    pub fn categories(&self) -> CategoryTree {
        self.inner
            .enrolled()
            .map(|e| e.directory.categories.clone())
            .unwrap_or_default()
    }

    /// The guidance in force; empty before the enrolment.
    pub fn guidance(&self) -> Vec<Guidance> {
        self.inner
            .enrolled()
            .map(|e| e.directory.guidance.clone())
            .unwrap_or_default()
    }

    /// What has changed, after each commit. A receiver that lags asks for everything.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Closes the database in good order. Not needed for safety: everything
    /// confirmed is on the disk.
    pub async fn close(&self) -> Result<(), StoreError> {
        if self.inner.writes() && self.inner.time.is_known() {
            let kept = self.inner.try_keep_time().await;
            kept.unwrap_or_else(|error| tracing::warn!(%error, "closed without keeping the time"));
        }
        if self.inner.writes() {
            self.write_statistics(false).await;
        }
        // What is not tidied now, on a full disk for one, is so at the next start.
        if let Err(error) = self.inner.store.tidy().await {
            tracing::warn!(%error, "closed without tidying up");
        }
        self.inner.store.close().await
    }
}

/// Becomes the one that writes. Another program may just be ending, a killed
/// one too: a person who starts again at once need not hear of it.
async fn lock(place: &Place) -> Result<Lock, PlaceError> {
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match place.lock() {
            Err(PlaceError::InUse(_)) if Instant::now() < until => {
                tokio::time::sleep(LOCK_LOOK).await;
            }
            done => return done,
        }
    }
}

pub(crate) fn undecipherable(error: FileError, key_is_known_to_fit: bool) -> OpenError {
    match error {
        FileError::Undecipherable if key_is_known_to_fit => OpenError::Damaged,
        FileError::Undecipherable => OpenError::WrongKey,
        FileError::Unsound(_) => OpenError::Damaged,
        FileError::NoCopy(error) => OpenError::NoCopy(error),
        FileError::Newer => OpenError::Newer,
        FileError::Older => OpenError::Store(StoreError::ReadOnly),
        FileError::Store(StoreError::Damaged(_)) => OpenError::Damaged,
        FileError::Store(error) => OpenError::Store(error),
    }
}

/// [`LinkView`] in an atomic.
struct LinkCode;

impl LinkCode {
    const UNKNOWN: u8 = 0;
    const UP: u8 = 1;
    const DOWN: u8 = 2;
}

impl Inner {
    pub(crate) fn enrolled(&self) -> Result<Arc<Enrolled>, SessionError> {
        let held = self.enrolled.read().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or(SessionError::NotEnrolled)
    }

    pub(crate) fn hub_session(&self) -> Option<String> {
        let held = self.hub_session.lock();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_hub_session(&self, session: Option<String>) {
        let held = self.hub_session.lock();
        *held.unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// Keeps them for the next look, which shows what of them is the branch's.
    pub(crate) fn add_told(&self, told: BTreeSet<(ComplaintId, Told)>) {
        let mut waiting = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(told);
    }

    pub(crate) fn take_told(&self) -> BTreeSet<(ComplaintId, Told)> {
        let mut waiting = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting)
    }

    pub(crate) fn set_enrolled(&self, enrolled: Enrolled) {
        let mut held = self
            .enrolled
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Some(Arc::new(enrolled));
    }

    /// Whether this process is the one that writes.
    fn writes(&self) -> bool {
        self._lock.is_some()
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.time.stamp()
    }

    /// The time: the hub's, as far as it is known, whatever this computer's
    /// clock says.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let (now, clock_was_set) = self.time.now();
        if clock_was_set {
            self.tell(Change::Status);
        }
        to_millisecond(now)
    }

    pub(crate) fn link(&self) -> LinkView {
        match self.link.load(Ordering::Relaxed) {
            LinkCode::UP => LinkView::Up,
            LinkCode::DOWN => LinkView::Down,
            _ => LinkView::Unknown,
        }
    }

    pub(crate) fn set_link(&self, link: LinkView) {
        let code = match link {
            LinkView::Up => LinkCode::UP,
            LinkView::Down => LinkCode::DOWN,
            LinkView::Unknown => LinkCode::UNKNOWN,
        };
        let now_ms = self.time.clock.mono_ms();
        self.tally.link(link == LinkView::Down, now_ms);
        if self.link.swap(code, Ordering::Relaxed) != code {
            self.tell(Change::Status);
        }
    }

    pub(crate) fn trouble(&self) -> Option<LinkTrouble> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_trouble(&self, trouble: Option<LinkTrouble>) {
        let mut held = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *held, trouble) != trouble {
            drop(held);
            self.tell(Change::Status);
        }
    }

    /// Nobody listening is no fault.
    pub(crate) fn tell(&self, change: Change) {
        if change == Change::Cases {
            let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
            *earlier = None;
        }
        self.changes.send(change).ok();
    }

    /// After a commit of events written here.
    pub(crate) fn tell_written(&self) {
        self.written.notify_one();
        self.tell(Change::Cases);
        self.tell(Change::Status);
    }
}

/// The last events of this device's lanes, as the transaction sees them.
pub(crate) async fn heads<'a>(
    tx: &'a mut WriteTx<'_>,
    enrolled: &Enrolled,
) -> Result<&'a mut [LaneHead; 4], StoreError> {
    let (conn, cache) = tx.parts();
    if cache.heads.is_none() {
        let (device, incarnation) = enrolled.identity();
        cache.heads = Some(ledger::heads(conn, device, incarnation).await?);
    }
    Ok(cache.heads.get_or_insert([LaneHead::EMPTY; 4]))
}
