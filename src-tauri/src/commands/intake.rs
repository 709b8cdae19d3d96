//! The form: drafts, advice, recording, the receipt.

use chrono::{DateTime, Utc};
use suda_desk::view::{
    AdviceView, Assessment, Chosen, DraftView, ReceiptView, TwinElsewhereView, TwinView,
};
use suda_domain::category::CategoryTree;
use suda_domain::guidance::Guidance;
use suda_domain::{ComplaintId, Intake};
use tauri::State;

use super::Answer;
use crate::host::Host;

#[tauri::command]
#[specta::specta]
pub async fn draft_open(host: State<'_, Host>) -> Answer<DraftView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.draft_open(&session).await?)
}

/// Keeps what is typed; answers when it is durable.
#[tauri::command]
#[specta::specta]
pub async fn draft_save(
    host: State<'_, Host>,
    id: ComplaintId,
    intake: Intake,
    chosen: Chosen,
) -> Answer<DateTime<Utc>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.draft_save(&session, id, intake, chosen).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn drafts(host: State<'_, Host>) -> Answer<Vec<DraftView>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.drafts(&session).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn draft_discard(host: State<'_, Host>, id: ComplaintId) -> Answer<()> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.draft_discard(&session, id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn advise(host: State<'_, Host>, intake: Intake) -> Answer<AdviceView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.advise(&session, intake).await?)
}

/// Complaints of the branch that may belong with the form.
#[tauri::command]
#[specta::specta]
pub async fn twins(host: State<'_, Host>, intake: Intake) -> Answer<Vec<TwinView>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.twins(&session, intake).await?)
}

/// The same of other branches; waits for the hub's answer.
#[tauri::command]
#[specta::specta]
pub async fn twins_elsewhere(
    host: State<'_, Host>,
    intake: Intake,
) -> Answer<Vec<TwinElsewhereView>> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.twins_elsewhere(&session, intake).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn record(
    host: State<'_, Host>,
    draft: ComplaintId,
    intake: Intake,
    assessment: Assessment,
    arrived_at: Option<DateTime<Utc>>,
) -> Answer<ReceiptView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk
        .record(&session, draft, intake, assessment, arrived_at)
        .await?)
}

#[tauri::command]
#[specta::specta]
pub async fn receipt(host: State<'_, Host>, id: ComplaintId) -> Answer<ReceiptView> {
    let (desk, session) = host.signed_in().await?;
    Ok(desk.receipt(&session, id).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn categories(host: State<'_, Host>) -> Answer<CategoryTree> {
    Ok(host.desk()?.categories())
}

#[tauri::command]
#[specta::specta]
pub async fn guidance(host: State<'_, Host>) -> Answer<Vec<Guidance>> {
    let (desk, _) = host.signed_in().await?;
    Ok(desk.guidance())
}
