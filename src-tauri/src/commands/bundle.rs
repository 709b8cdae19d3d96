//! Handing over by file while the network is away.

use std::path::Path;

use suda_desk::{BundleReport, ReceiptsReport};
use tauri::State;

use super::Answer;
use crate::host::Host;

/// Writes what waits into a new sealed file in `folder`, beside the data when
/// none is named.
#[tauri::command]
#[specta::specta]
pub async fn bundle_export(host: State<'_, Host>, folder: Option<String>) -> Answer<BundleReport> {
    let (desk, _) = host.signed_in().await?;
    let folder = folder.as_deref().map(Path::new);
    Ok(desk.export_bundle_into(folder).await?)
}

/// Takes in the hub's receipts, as read from their file.
#[tauri::command]
#[specta::specta]
pub async fn bundle_receipts(host: State<'_, Host>, parcel: Vec<u8>) -> Answer<ReceiptsReport> {
    let (desk, _) = host.signed_in().await?;
    Ok(desk.take_receipts(&parcel).await?)
}
