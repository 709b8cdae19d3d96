//! The branch's own network, for the branch manager's screen.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use suda_desk::{LanFound, LanView};
use suda_domain::DeviceId;
use tauri::State;

use super::Answer;
use crate::host::Host;

/// How long mailboxes are listened for.
const FIND: Duration = Duration::from_secs(3);

/// A pairing code on show.
#[derive(Clone, Debug, Serialize, Deserialize, specta::Type)]
pub struct LanCode {
    pub code: String,
    pub until: DateTime<Utc>,
}

/// The branch's network as this desk sees it.
#[tauri::command]
#[specta::specta]
pub async fn lan(host: State<'_, Host>) -> Answer<LanView> {
    let (desk, _) = host.signed_in().await?;
    Ok(desk.lan().await?)
}

/// Makes this desk the mailbox of its branch.
#[tauri::command]
#[specta::specta]
pub async fn lan_serve(host: State<'_, Host>) -> Answer<LanView> {
    let (desk, session) = host.signed_in().await?;
    desk.may_change_lan(&session)?;
    desk.become_mailbox(None).await?;
    Ok(desk.lan().await?)
}

/// Shows a new pairing code.
#[tauri::command]
#[specta::specta]
pub async fn lan_code(host: State<'_, Host>) -> Answer<LanCode> {
    let (desk, session) = host.signed_in().await?;
    desk.may_change_lan(&session)?;
    let (code, until) = desk.show_pairing_code();
    Ok(LanCode { code, until })
}

/// The mailboxes of this branch that announce themselves.
#[tauri::command]
#[specta::specta]
pub async fn lan_find(host: State<'_, Host>) -> Answer<Vec<LanFound>> {
    let (desk, _) = host.signed_in().await?;
    Ok(desk.find_mailboxes(FIND, None).await?)
}

/// Follows the mailbox at an address from now on.
#[tauri::command]
#[specta::specta]
pub async fn lan_pair(host: State<'_, Host>, address: String, code: String) -> Answer<LanView> {
    let (desk, session) = host.signed_in().await?;
    desk.may_change_lan(&session)?;
    desk.pair(&address, &code).await?;
    Ok(desk.lan().await?)
}

/// Takes no part in the branch's network any more.
#[tauri::command]
#[specta::specta]
pub async fn lan_leave(host: State<'_, Host>) -> Answer<LanView> {
    let (desk, session) = host.signed_in().await?;
    desk.may_change_lan(&session)?;
    desk.leave_lan().await?;
    Ok(desk.lan().await?)
}

/// Ends the pairing with another desk of the branch.
#[tauri::command]
#[specta::specta]
pub async fn lan_end(host: State<'_, Host>, device: DeviceId) -> Answer<LanView> {
    let (desk, session) = host.signed_in().await?;
    desk.may_change_lan(&session)?;
    desk.end_pairing(device).await?;
    Ok(desk.lan().await?)
}
