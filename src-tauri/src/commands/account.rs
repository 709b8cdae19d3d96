//! Enrolment and signing in.

use suda_desk::EnrolmentView;
use suda_desk::view::{SessionView, StaffView};
use tauri::{AppHandle, State};

use super::Answer;
use crate::host::Host;
use crate::pulse;

/// Tries again to open the data directory after that failed at the start.
#[tauri::command]
#[specta::specta]
pub async fn open_again(app: AppHandle, host: State<'_, Host>) -> Answer<()> {
    if host.open_again().await? {
        pulse::start(&app);
    }
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub async fn enrolment(host: State<'_, Host>) -> Answer<Option<EnrolmentView>> {
    Ok(host.desk()?.enrolment())
}

#[tauri::command]
#[specta::specta]
pub async fn enrol(host: State<'_, Host>, hub_url: String, code: String) -> Answer<EnrolmentView> {
    Ok(host.desk()?.enrol(&hub_url, &code).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn staff(host: State<'_, Host>) -> Answer<Vec<StaffView>> {
    Ok(host.desk()?.staff())
}

#[tauri::command]
#[specta::specta]
pub async fn sign_in(
    host: State<'_, Host>,
    login: String,
    password: String,
) -> Answer<SessionView> {
    let desk = host.desk()?;
    let session = desk.sign_in(&login, &password).await?;
    let view = desk.session_view(&session)?;
    host.take_seat(session).await;
    Ok(view)
}

/// Who is signed in and not locked out.
#[tauri::command]
#[specta::specta]
pub async fn session(host: State<'_, Host>) -> Answer<Option<SessionView>> {
    match host.session().await {
        Some(session) => Ok(Some(host.desk()?.session_view(&session)?)),
        None => Ok(None),
    }
}

#[tauri::command]
#[specta::specta]
pub async fn lock(host: State<'_, Host>) -> Answer<()> {
    host.lock().await;
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub async fn sign_out(host: State<'_, Host>) -> Answer<()> {
    host.sign_out().await;
    Ok(())
}
