//! Evidence files at the desk: adding one to a form or a complaint, listing,
//! giving out. The contents are sealed and on the disk before anything says
//! that the file is there; how they get to the hub is in `lane`.

mod incoming;
pub(crate) mod lane;
mod vault;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use suda_domain::evidence::{EvidenceHeld, MOST_FILES, clean_name};
use suda_domain::{ComplaintId, Evidence, EvidenceId, EvidenceKind, Fact, LedgerEvent, Refusal};
use suda_sync::Hash;
use suda_sync::evidence::CHUNK;
use uuid::Uuid;

use crate::clock::{from_ms, to_ms};
use crate::desk::{Change, Desk, Enrolled, Inner, heads};
use crate::fold;
use crate::pen::{Pen, PenError};
use crate::session::{Session, SessionError};
use crate::store::barrier::Reader;
use crate::store::evidence::{self, EvidenceRow};
use crate::store::{StoreError, WriteTx, complaints, drafts};
use crate::view::{EvidenceDelivery, EvidenceView};
pub use incoming::{GivenUp, Incoming};
pub(crate) use vault::Vault;
pub use vault::{ContentsError, TakeInError};

/// Largest contents given whole, for a preview.
const MOST_PREVIEWED: u64 = 8 * 1024 * 1024;

/// Why a file was not added. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum AddEvidenceError {
    #[error("there is no such complaint on this computer")]
    NotFound,
    #[error("this is a folder or a device, not a file")]
    NotAFile,
    #[error("a complaint can have {limit} files at most")]
    TooMany { limit: u32 },
    #[error("a file of this type is not of that kind")]
    KindDoesNotFit,
    #[error(transparent)]
    TakeIn(#[from] TakeInError),
    #[error(transparent)]
    Refused(Refusal),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PenError> for AddEvidenceError {
    fn from(error: PenError) -> Self {
        match error {
            PenError::Refused(refusal) => Self::Refused(refusal),
            PenError::Json(error) => Self::Store(error.into()),
        }
    }
}

/// Why files or their contents cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadEvidenceError {
    #[error("there is no such file")]
    NotFound,
    #[error("the file is too large for a preview; save it instead")]
    TooLarge,
    #[error("its events are written; it belongs to the complaint now")]
    Recorded,
    #[error(transparent)]
    Contents(#[from] ContentsError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a file comes from.
pub enum EvidenceSource {
    File(PathBuf),
    /// Pasted or recorded, with what it is to be called.
    Bytes {
        name: String,
        bytes: Vec<u8>,
    },
    /// As it comes; see [`Incoming`].
    Stream {
        name: String,
        from: Box<dyn Read + Send>,
    },
}

impl EvidenceSource {
    fn name(&self) -> String {
        match self {
            Self::File(path) => {
                let name = path.file_name().unwrap_or_default();
                clean_name(&name.to_string_lossy())
            }
            Self::Bytes { name, .. } | Self::Stream { name, .. } => clean_name(name),
        }
    }

    fn take_in(self, vault: &Vault) -> Result<vault::TakenIn, AddEvidenceError> {
        match self {
            Self::Bytes { bytes, .. } => Ok(vault.take_in(&mut bytes.as_slice())?),
            Self::Stream { mut from, .. } => Ok(vault.take_in(&mut from)?),
            Self::File(path) => take_file_in(vault, &path),
        }
    }
}

/// A file that is another one, or longer or shorter, once it has been read is
/// not taken: nobody could say what it was.
fn take_file_in(vault: &Vault, path: &Path) -> Result<vault::TakenIn, AddEvidenceError> {
    let unreadable = |error| AddEvidenceError::TakeIn(TakeInError::Unreadable(error));
    // Asked first, as opening a pipe would wait for whoever writes to it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(AddEvidenceError::NotAFile);
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let looks = |file: &File| -> std::io::Result<_> {
        let about = file.metadata()?;
        Ok((about.len(), about.modified().ok()))
    };
    let before = looks(&file).map_err(unreadable)?;
    if before.0 > suda_domain::evidence::MOST_BYTES {
        let limit = suda_domain::evidence::MOST_BYTES;
        return Err(TakeInError::TooLarge { limit }.into());
    }
    let taken = vault.take_in(&mut Read::by_ref(&mut file))?;
    let after = looks(&file).map_err(unreadable)?;
    if after != before || taken.bytes != before.0 {
        return Err(TakeInError::Changed.into());
    }
    Ok(taken)
}

impl Desk {
    /// Adds a file to a recorded complaint or to a form. The same contents a
    /// second time are the file that is there already.
    pub async fn add_evidence(
        &self,
        session: &Session,
        id: ComplaintId,
        source: EvidenceSource,
        kind: Option<EvidenceKind>,
    ) -> Result<EvidenceView, AddEvidenceError> {
        let (enrolled, actor) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        self.check_place(id, &reader).await?;
        let name = source.name();
        let vault = self.inner.vault();
        let taken = tokio::task::spawn_blocking(move || source.take_in(&vault));
        let taken = match taken.await {
            Ok(taken) => taken?,
            Err(stopped) => return Err(TakeInError::Disk(std::io::Error::other(stopped)).into()),
        };
        let file = Evidence {
            id: EvidenceId(Uuid::now_v7()),
            name,
            kind: kind.unwrap_or(EvidenceKind::of(taken.media_type)),
            media_type: taken.media_type.to_owned(),
            bytes: taken.bytes,
            sha256: taken.sha256.to_string(),
        };
        let row = EvidenceRow {
            complaint: id,
            file,
            actor,
            added_at: to_ms(self.inner.now()),
            recorded: false,
            received: 0,
            at_hub: false,
        };
        // Where it cannot be told whether the event is written, the contents
        // stay: the journal may bring the event back.
        self.add_row(&enrolled, row).await
    }

    async fn check_place(&self, id: ComplaintId, reader: &Reader) -> Result<(), AddEvidenceError> {
        let mut conn = self.inner.store.read().await?;
        if is_barred(&mut conn, id, reader).await? {
            return Err(AddEvidenceError::NotFound);
        }
        let here = evidence::of_complaint(&mut conn, id).await?.len();
        let known = complaints::get(&mut conn, id, &Reader::program()).await?;
        let is_form = known.is_none() && drafts::exists(&mut conn, id).await?;
        let held = known.as_ref().map(|stored| stored.complaint.evidence.len());
        if held.is_none() && !is_form {
            return Err(AddEvidenceError::NotFound);
        }
        if held.unwrap_or_default().max(here) >= MOST_FILES {
            // The bound is a small constant.
            let limit = u32::try_from(MOST_FILES).unwrap_or(u32::MAX);
            return Err(AddEvidenceError::TooMany { limit });
        }
        Ok(())
    }

    async fn add_row(
        &self,
        enrolled: &Arc<Enrolled>,
        row: EvidenceRow,
    ) -> Result<EvidenceView, AddEvidenceError> {
        let mut tx = self.inner.store.begin().await?;
        let there = evidence::of_complaint(tx.conn(), row.complaint).await?;
        let same = |one: &&EvidenceRow| one.file.sha256 == row.file.sha256;
        if let Some(same) = there.iter().find(same) {
            let view = view_of_row(same, true);
            tx.commit().await?;
            return Ok(view);
        }
        let is_recorded = match self.write_row(&mut tx, enrolled, &row).await {
            Ok(is_recorded) => is_recorded,
            Err(error) => {
                drop(tx);
                self.forget_unused_of(&row.file).await;
                return Err(error);
            }
        };
        tx.commit().await?;
        if is_recorded {
            self.inner.tell_written();
        } else {
            self.inner.forms_with_files().insert(row.complaint);
            self.inner.tell(Change::Cases);
        }
        Ok(view_of_row(&row, true))
    }

    async fn write_row(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        row: &EvidenceRow,
    ) -> Result<bool, AddEvidenceError> {
        if !row.file.kind.fits(&row.file.media_type) {
            return Err(AddEvidenceError::KindDoesNotFit);
        }
        evidence::insert(tx.conn(), row).await?;
        self.write_events(tx, enrolled, row.complaint).await
    }

    /// Writes the events of a complaint's files that have none yet. False for
    /// a form, which is no complaint yet.
    async fn write_events(
        &self,
        tx: &mut WriteTx<'_>,
        enrolled: &Enrolled,
        id: ComplaintId,
    ) -> Result<bool, AddEvidenceError> {
        let Some(stored) = complaints::get(tx.conn(), id, &Reader::program()).await? else {
            return Ok(false);
        };
        let mut state = Some(stored.complaint);
        let mut events = Vec::new();
        for row in evidence::of_complaint(tx.conn(), id).await? {
            if row.recorded {
                continue;
            }
            let mut pen = Pen {
                device: &enrolled.device,
                heads: heads(tx, enrolled).await?,
                actor: &row.actor,
                at: self.inner.stamp(),
                events: Vec::with_capacity(1),
            };
            let file = row.file.clone();
            pen.write(id, &mut state, Fact::EvidenceAdded { file })?;
            events.extend(pen.events);
            evidence::set_recorded(tx.conn(), row.file.id).await?;
        }
        let complaint = state.ok_or(AddEvidenceError::NotFound)?;
        let row = fold::state_row(complaint, &enrolled.keep, stored.reminded);
        complaints::update(tx.conn(), &row).await?;
        tx.append(&events).await?;
        Ok(true)
    }

    /// Writes the events of a recorded form's files, if it has any.
    pub(crate) async fn adopt_from_form(&self, id: ComplaintId) {
        let has_files = self.inner.forms_with_files().remove(&id);
        if has_files {
            self.adopt_evidence(id).await;
        }
    }

    /// Writes the events of files whose form has become a complaint. They are
    /// safe as they are: what fails here is done at the next look.
    async fn adopt_evidence(&self, id: ComplaintId) {
        let Ok(enrolled) = self.inner.enrolled() else {
            return;
        };
        let adopted = async {
            let mut tx = self.inner.store.begin().await?;
            self.write_events(&mut tx, &enrolled, id).await?;
            Ok::<_, AddEvidenceError>(tx.commit().await?)
        };
        if let Err(error) = adopted.await {
            tracing::warn!(complaint = %id, %error, "the events of its files wait");
        }
    }

    /// Writes what events a crash left unwritten.
    pub(crate) async fn adopt_left_behind(&self) -> Result<(), StoreError> {
        let mut conn = self.inner.store.read().await?;
        let left = evidence::left_behind(&mut conn).await?;
        drop(conn);
        for id in left {
            self.adopt_evidence(id).await;
        }
        Ok(())
    }

    /// Takes a file off a form that is not recorded.
    pub async fn remove_evidence(
        &self,
        session: &Session,
        form: ComplaintId,
        file: EvidenceId,
    ) -> Result<(), ReadEvidenceError> {
        self.inner.at_work(session)?;
        let mut tx = self.inner.store.begin().await?;
        let rows = evidence::of_complaint(tx.conn(), form).await?;
        let row = rows.into_iter().find(|row| row.file.id == file);
        let row = row.ok_or(ReadEvidenceError::NotFound)?;
        if !evidence::remove(tx.conn(), form, file).await? {
            return Err(ReadEvidenceError::Recorded);
        }
        tx.commit().await?;
        self.inner.tell(Change::Cases);
        self.forget_unused_of(&row.file).await;
        Ok(())
    }

    /// The files of a complaint or form.
    pub async fn evidence(
        &self,
        session: &Session,
        id: ComplaintId,
    ) -> Result<Vec<EvidenceView>, ReadEvidenceError> {
        self.may_read(session, id).await?;
        Ok(self.inner.evidence(id).await?)
    }

    async fn may_read(&self, session: &Session, id: ComplaintId) -> Result<(), ReadEvidenceError> {
        let (enrolled, _) = self.inner.at_work(session)?;
        let reader = enrolled.reader(session.staff_id())?;
        let mut conn = self.inner.store.read().await?;
        match is_barred(&mut conn, id, &reader).await? {
            true => Err(ReadEvidenceError::NotFound),
            false => Ok(()),
        }
    }

    /// The contents of a small file, for a preview.
    pub async fn evidence_contents(
        &self,
        session: &Session,
        id: ComplaintId,
        file: EvidenceId,
    ) -> Result<Vec<u8>, ReadEvidenceError> {
        self.may_read(session, id).await?;
        let (sha256, bytes) = self.inner.evidence_file(id, file).await?;
        if bytes > MOST_PREVIEWED {
            return Err(ReadEvidenceError::TooLarge);
        }
        let vault = self.inner.vault();
        in_background(move || {
            let mut contents = Vec::new();
            for n in 0..bytes.div_ceil(CHUNK) {
                contents.extend(vault.chunk(sha256, bytes, n)?);
            }
            Ok(contents)
        })
        .await
    }

    /// Writes the contents of a file to a new file.
    pub async fn save_evidence(
        &self,
        id: ComplaintId,
        file: EvidenceId,
        to: PathBuf,
    ) -> Result<(), ReadEvidenceError> {
        let (sha256, bytes) = self.inner.evidence_file(id, file).await?;
        let vault = self.inner.vault();
        in_background(move || vault.give_out(sha256, bytes, &to)).await
    }

    /// At the start: what a crash left half-written goes.
    pub(crate) async fn settle_evidence(&self) -> Result<(), StoreError> {
        self.adopt_left_behind().await?;
        self.forget_formless().await?;
        let mut conn = self.inner.store.read().await?;
        let forms = evidence::forms(&mut conn).await?;
        drop(conn);
        self.inner.forms_with_files().extend(forms);
        let vault = self.inner.vault();
        if !vault.is_there() {
            return Ok(());
        }
        let mut conn = self.inner.store.read().await?;
        let known = evidence::all_contents(&mut conn).await?;
        let names: BTreeSet<_> = known
            .into_iter()
            .filter_map(|sha256| vault.name(sha256).ok())
            .collect();
        vault.sweep(|name| names.contains(name));
        Ok(())
    }

    /// Forgets the files of forms that were thrown away.
    pub(crate) async fn forget_formless(&self) -> Result<(), StoreError> {
        let mut tx = self.inner.store.begin().await?;
        let formless = evidence::formless(tx.conn()).await?;
        for row in &formless {
            evidence::remove(tx.conn(), row.complaint, row.file.id).await?;
        }
        tx.commit().await?;
        for row in formless {
            self.forget_unused_of(&row.file).await;
        }
        Ok(())
    }

    /// After events were put back: the files that the ledger names and the
    /// vault holds are known again.
    pub(crate) async fn know_evidence_again(&self) -> Result<(), StoreError> {
        let vault = self.inner.vault();
        let mut tx = self.inner.store.begin().await?;
        for id in evidence::complaints_with_files(tx.conn()).await? {
            let Some(stored) = complaints::get(tx.conn(), id, &Reader::program()).await? else {
                continue;
            };
            for held in stored.complaint.evidence {
                let is_here = held.file.sha256.parse().is_ok_and(|hash| vault.has(hash));
                if is_here {
                    evidence::insert(tx.conn(), &row_of(id, held)).await?;
                }
            }
        }
        tx.commit().await
    }

    async fn forget_unused_of(&self, file: &Evidence) {
        let Ok(sha256) = file.sha256.parse::<Hash>() else {
            return;
        };
        let used = async {
            let mut conn = self.inner.store.read().await?;
            evidence::has_contents(&mut conn, sha256).await
        };
        if let Ok(false) = used.await {
            self.inner.vault().forget(sha256);
        }
    }
}

/// The file of an event that is put back is known again with it.
pub(crate) async fn know_file(tx: &mut WriteTx<'_>, event: &LedgerEvent) -> Result<(), StoreError> {
    let Fact::EvidenceAdded { file } = &event.fact else {
        return Ok(());
    };
    let held = EvidenceHeld {
        file: file.clone(),
        added_by: event.actor.clone(),
        added_at: event.at.trusted(),
    };
    evidence::insert(tx.conn(), &row_of(event.complaint, held)).await
}

fn row_of(id: ComplaintId, held: EvidenceHeld) -> EvidenceRow {
    EvidenceRow {
        complaint: id,
        file: held.file,
        actor: held.added_by,
        added_at: to_ms(held.added_at),
        recorded: true,
        received: 0,
        at_hub: false,
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ContentsError> + Send + 'static,
) -> Result<T, ReadEvidenceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(stopped) => Err(ContentsError::Disk(std::io::Error::other(stopped)).into()),
    }
}

impl Inner {
    pub(crate) fn vault(&self) -> Vault {
        Vault::new(self.place.evidence(), self.store.key().clone())
    }

    /// Forms to which files were added and that are not recorded yet.
    fn forms_with_files(&self) -> MutexGuard<'_, BTreeSet<ComplaintId>> {
        let forms = &self.forms_with_files;
        forms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of a complaint or form: what the ledger names, and what waits
    /// with the form.
    pub(crate) async fn evidence(&self, id: ComplaintId) -> Result<Vec<EvidenceView>, StoreError> {
        let mut conn = self.store.read().await?;
        let rows = evidence::of_complaint(&mut conn, id).await?;
        let known = complaints::get(&mut conn, id, &Reader::program()).await?;
        drop(conn);
        let vault = self.vault();
        let is_here = |file: &Evidence| file.sha256.parse().is_ok_and(|hash| vault.has(hash));
        let mut views: Vec<_> = rows
            .iter()
            .map(|row| view_of_row(row, is_here(&row.file)))
            .collect();
        let held = known.map(|stored| stored.complaint.evidence);
        for held in held.unwrap_or_default() {
            if rows.iter().all(|row| row.file.id != held.file.id) {
                let here = is_here(&held.file);
                let row = row_of(id, held);
                views.push(EvidenceView {
                    delivery: EvidenceDelivery::Elsewhere,
                    ..view_of_row(&row, here)
                });
            }
        }
        views.sort_by_key(|view| view.id);
        Ok(views)
    }

    pub(crate) async fn evidence_file(
        &self,
        id: ComplaintId,
        file: EvidenceId,
    ) -> Result<(Hash, u64), ReadEvidenceError> {
        let views = self.evidence(id).await?;
        let view = views.into_iter().find(|view| view.id == file);
        let view = view.ok_or(ReadEvidenceError::NotFound)?;
        let sha256 = view.sha256.parse();
        Ok((sha256.map_err(|_| ReadEvidenceError::NotFound)?, view.bytes))
    }
}

fn view_of_row(row: &EvidenceRow, here: bool) -> EvidenceView {
    let file = row.file.clone();
    EvidenceView {
        id: file.id,
        name: file.name,
        kind: file.kind,
        media_type: file.media_type,
        bytes: file.bytes,
        sha256: file.sha256,
        added_by: row.actor.name.clone(),
        added_at: from_ms(row.added_at),
        here,
        delivery: match (row.at_hub, row.received) {
            (true, _) => EvidenceDelivery::AtHub,
            (false, 0) => EvidenceDelivery::SavedHere,
            (false, _) => EvidenceDelivery::Partly,
        },
        received: row.received,
    }
}

/// Whether it is there, and not for the reader. A form is no complaint yet.
async fn is_barred(
    conn: &mut sqlx::SqliteConnection,
    id: ComplaintId,
    reader: &Reader,
) -> Result<bool, StoreError> {
    let known = complaints::get(&mut *conn, id, &Reader::program()).await?;
    Ok(known.is_some() && complaints::get(conn, id, reader).await?.is_none())
}
