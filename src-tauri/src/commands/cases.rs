//! The backlog and what can be done with a complaint.

use suda_desk::TakenOver;
use suda_desk::view::{
    AnswerSuggestion, CasePage, CaseRow, CaseView, OtherDesk, Scope, Settlement, StatusView,
};
use suda_domain::{ComplaintId, DeviceId, QuestionId, StaffId};
use tauri::{State, WebviewWindow};

use super::Answer;
use crate::error::{AppError, ErrorCode};
use crate::host::Host;

const PAGE: u32 = 50;
const HITS: u32 = 20;

#[tauri::command]
#[specta::specta]
pub async fn cases(host: State<'_, Host>, scope: Scope, after: Option<String>) -> Answer<CasePage> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.cases(&session, scope, after, PAGE).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn case_view(host: State<'_, Host>, id: ComplaintId) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.case(&session, id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn search(host: State<'_, Host>, text: String) -> Answer<Vec<CaseRow>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.search(&session, &text, HITS).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn answer_suggestions(
    host: State<'_, Host>,
    id: ComplaintId,
) -> Answer<Vec<AnswerSuggestion>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.answer_suggestions(&session, id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn settle(
    host: State<'_, Host>,
    id: ComplaintId,
    settlement: Settlement,
) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.settle(&session, id, settlement).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn hand_off(
    host: State<'_, Host>,
    id: ComplaintId,
    note: Option<String>,
) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.hand_off(&session, id, note).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn note(host: State<'_, Host>, id: ComplaintId, text: String) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.note(&session, id, text).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn reply(
    host: State<'_, Host>,
    id: ComplaintId,
    question: QuestionId,
    text: String,
) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.reply(&session, id, question, text).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn withdraw(host: State<'_, Host>, id: ComplaintId, reason: String) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.withdraw(&session, id, reason).await?)
}

/// The status line; shown also on the sign-in screen, so it needs nobody signed in.
#[tauri::command]
#[specta::specta]
pub async fn status(host: State<'_, Host>) -> Answer<StatusView> {
    Ok(host.desk()?.status().await?)
}

/// Opens the system's print dialog for what the window shows.
#[tauri::command]
#[specta::specta]
pub async fn print_page(window: WebviewWindow, host: State<'_, Host>) -> Answer<()> {
    host.signed_in().await?;
    window
        .print()
        .map_err(|error| AppError::fault(ErrorCode::Internal, &error))
}

/// Gives a complaint to one of the branch's staff.
#[tauri::command]
#[specta::specta]
pub async fn assign(host: State<'_, Host>, id: ComplaintId, staff: StaffId) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.assign(&session, id, staff).await?)
}

/// Takes a complaint over from the computer that kept it.
#[tauri::command]
#[specta::specta]
pub async fn take_over(host: State<'_, Host>, id: ComplaintId, reason: String) -> Answer<CaseView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.take_over(&session, id, &reason).await?)
}

/// The other computers of the branch that keep open complaints.
#[tauri::command]
#[specta::specta]
pub async fn other_desks(host: State<'_, Host>) -> Answer<Vec<OtherDesk>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.other_desks(&session).await?)
}

/// Takes over everything a computer kept.
#[tauri::command]
#[specta::specta]
pub async fn take_over_all(
    host: State<'_, Host>,
    device: DeviceId,
    reason: String,
) -> Answer<TakenOver> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.take_over_all(&session, device, &reason).await?)
}
