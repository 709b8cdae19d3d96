//! Evidence files. The window hands a file over in pieces: it knows a file's
//! contents, never its place on the disk.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suda_desk::view::EvidenceView;
use suda_desk::{AddEvidenceError, Incoming};
use suda_domain::{ComplaintId, EvidenceId};
use tauri::State;
use tauri::async_runtime::{JoinHandle, spawn, spawn_blocking};

use super::Answer;
use crate::error::{AppError, ErrorCode};
use crate::host::Host;

/// Files on their way in, by number.
#[derive(Default)]
pub struct Arriving {
    files: Mutex<HashMap<u32, File>>,
    last: AtomicU32,
}

struct File {
    incoming: Incoming,
    adding: JoinHandle<Result<EvidenceView, AddEvidenceError>>,
}

impl Arriving {
    fn files(&self) -> MutexGuard<'_, HashMap<u32, File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tauri::command]
#[specta::specta]
pub async fn evidence(host: State<'_, Host>, id: ComplaintId) -> Answer<Vec<EvidenceView>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.evidence(&session, id).await?)
}

/// Begins to add a file to a complaint or form; its pieces follow under the
/// number answered.
#[tauri::command]
#[specta::specta]
pub async fn evidence_begin(
    host: State<'_, Host>,
    arriving: State<'_, Arriving>,
    id: ComplaintId,
    name: String,
) -> Answer<u32> {
    let (desk, session) = host.signed_in().await?;
    let (incoming, source) = Incoming::begin(name);
    let adding = spawn(async move { desk.add_evidence(&session, id, source, None).await });
    let number = arriving.last.fetch_add(1, Ordering::Relaxed);
    arriving.files().insert(number, File { incoming, adding });
    Ok(number)
}

/// Takes the next piece, in base64. False when the file is not taken any
/// further: ending it tells why.
#[tauri::command]
#[specta::specta]
pub async fn evidence_piece(
    arriving: State<'_, Arriving>,
    number: u32,
    piece: String,
) -> Answer<bool> {
    let incoming = arriving
        .files()
        .get(&number)
        .map(|file| file.incoming.clone());
    let Some(incoming) = incoming else {
        return Ok(false);
    };
    let given = spawn_blocking(move || {
        let piece = STANDARD.decode(piece).ok();
        piece.is_some_and(|piece| incoming.give(piece).is_ok())
    });
    Ok(given.await.unwrap_or(false))
}

/// Ends a file: all pieces have been given, or it is not wanted any more.
#[tauri::command]
#[specta::specta]
pub async fn evidence_end(
    arriving: State<'_, Arriving>,
    number: u32,
    whole: bool,
) -> Answer<Option<EvidenceView>> {
    let Some(file) = arriving.files().remove(&number) else {
        return Err(AppError::state(ErrorCode::NotFound));
    };
    let File { incoming, adding } = file;
    if !whole {
        drop(incoming);
        // What was begun is taken back, and that is what was wanted.
        let _taken_back = adding.await;
        return Ok(None);
    }
    // Where it was given up already, the end of adding tells why.
    let _given_up = spawn_blocking(move || incoming.end()).await;
    match adding.await {
        Ok(added) => Ok(Some(added?)),
        Err(error) => Err(AppError::fault(ErrorCode::Internal, &error)),
    }
}

#[tauri::command]
#[specta::specta]
pub async fn evidence_remove(
    host: State<'_, Host>,
    form: ComplaintId,
    file: EvidenceId,
) -> Answer<()> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.remove_evidence(&session, form, file).await?)
}

/// The contents of a small file, in base64, for a preview.
#[tauri::command]
#[specta::specta]
pub async fn evidence_contents(
    host: State<'_, Host>,
    id: ComplaintId,
    file: EvidenceId,
) -> Answer<String> {
    let (desk, session) = host.signed_in().await?;
    let contents = desk.evidence_contents(&session, id, file).await?;
    Ok(STANDARD.encode(contents))
}
