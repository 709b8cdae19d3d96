//! The copies of the data, for the window's settings.

use suda_desk::BackupsView;
use tauri::State;

use super::Answer;
use crate::host::Host;

/// How the copies of the data stand.
#[tauri::command]
#[specta::specta]
pub async fn backups(host: State<'_, Host>) -> Answer<BackupsView> {
    let (desk, _) = host.signed_in().await?;
    Ok(desk.backups_view().await?)
}

/// Names a folder on another disk that gets each backup too, or none, and takes
/// a backup.
#[tauri::command]
#[specta::specta]
pub async fn choose_second_place(
    host: State<'_, Host>,
    folder: Option<String>,
) -> Answer<BackupsView> {
    let (desk, _) = host.signed_in().await?;
    Ok(desk.choose_second_place(folder.as_deref()).await?)
}
